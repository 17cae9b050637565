/*
 * probe/command/policy_import.h - policies from files of other programs.
 *
 * Each reader takes one file apart and hands on rows; what is wrong with it
 * is said on stderr with file, place and remedy, counted, and left out.
 */
#ifndef PROBE_COMMAND_POLICY_IMPORT_H
#define PROBE_COMMAND_POLICY_IMPORT_H

#include <jansson.h>

#include "policy_file.h"

struct import {
	const char *path;
	struct store *store;
	bool exact; /* intervals are as they stand, not single looks */
	uint64_t policies, versions; /* read; that were not known */
	uint64_t reports;	     /* policies of TLS reports */
	uint64_t bad;
	bool failed; /* the store or memory: stop */
	/* Domains of which something new was learnt, in the order of the
	 * file. */
	char (*domains)[DOMAIN_TEXT_BYTES];
	size_t domain_count, domain_room;
};

/* "FILE: PLACE: ..."; at most twenty of a file are told. */
void import_complain(struct import *, const char *place, const char *format,
    ...) __attribute__((format(printf, 3, 4)));
/* A policy as it was seen at row->from_ns, to hold until row->until_ns. */
void import_policy(struct import *, const char *place, struct policy_row *row);
/* A domain in any case, with or without final dot. False: it was said. */
bool import_domain(struct import *, const char *place, const char *text,
    char domain[DOMAIN_TEXT_BYTES]);
/* RFC 3339 text (without a zone: UTC) or seconds since 1970. */
bool import_time(const json_t *, int64_t *ns);

#define IMPORT_BODY_BYTES 32768
/*
 * The policy that an object with `mode`, `max_age` and `mx` tells of, as a
 * server would serve it: its own bytes are lost. "": there is no mode, or
 * not enough room.
 */
struct slice import_body(const json_t *policy, char body[IMPORT_BODY_BYTES]);

void import_json_lines(struct import *, const char *text, size_t len);
void import_resolver(struct import *);
/* EFF's STARTTLS Everywhere list; `root` its JSON. */
void import_eff(struct import *, const json_t *root);
/* A TLS report (RFC 8460 4.4) of another sender. */
void import_tls_report(struct import *, const json_t *root);

#endif
