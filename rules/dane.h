/*
 * rules/dane.h - what a server's TLSA records demand of a sender (RFC 7672).
 */
#ifndef RULES_DANE_H
#define RULES_DANE_H

#include <stdbool.h>

#include "dissect/slice.h"

enum dane_state {
	DANE_NONE, /* no TLSA records, or not validated: opportunistic */
	DANE_TLS,  /* validated, none usable: TLS, not authenticated */
	DANE_AUTHENTICATE, /* validated, one usable: authenticate or defer */
	DANE_UNKNOWN,	   /* no valid answer: a sender must defer */
};
/* "none", "tls", "authenticate", "unknown". */
const char *dane_state_name(enum dane_state);
enum dane_state dane_state_parse(const char *name);

/*
 * Can SMTP use this TLSA record (RFC 7672 3.1: usages 2 and 3; RFC 6698 2.1:
 * selectors 0 and 1, the length of a digest)?
 */
bool dane_usable(struct slice rdata);

/* How a sender came to the host whose TLSA records it uses. What a CNAME
 * leads to is "" where there is none. */
struct dane_way {
	bool mx_secure; /* MX records, or that there are none: validated */
	const char *next_hop, *next_hop_expanded; /* of whom MX was asked */
	const char *base, *base_expanded; /* the host: the TLSA base domain */
};

/* Borrowed from the way. */
#define DANE_NAMES_MAX 4
struct dane_names {
	const char *name[DANE_NAMES_MAX];
	unsigned count;
};

/*
 * RFC 7672 3.2.2: of these names a certificate below a trust anchor (usage 2)
 * must have one. The TLSA base domain, which may be either name of the host
 * (2.2.3), and the domain's, with what it is an alias of, where validated MX
 * records led from it to the host; where they were not, "the MX hostname is
 * the only reference identifier".
 */
struct dane_names dane_names(const struct dane_way *);

#endif
