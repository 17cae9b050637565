/*
 * probe/study/record.h - what somebody else has recorded of SMTP sessions,
 * a record at a time.
 *
 * Two formats, told apart by the first octet that is no blank:
 *
 *   JSON Lines  results of zgrab2's module smtp, as of commit e8fbc9ef
 *               (modules/smtp/scanner.go), in whose `ehlo`, `starttls`, ...
 *               the answers stand as they came, under "smtp" or a name that
 *               somebody gave the module; or {"lines": [...]}, the
 *               lines of a transcript, with `ip`, `port`, `domain` and
 *               `timestamp` if they are known
 *   text        transcripts with an empty line between two. A line that
 *               begins with a reply code is the server's, any other the
 *               client's; "S: " and "C: " say so too. "server: 192.0.2.1:25",
 *               "name: mx.example.org" and "time: 2026-03-01T10:00:00Z" before
 *               the first of them tell what it is about; `#` is a comment.
 *
 * A record becomes turns of a dialogue. Nothing is made up that matters: the
 * greeting of a transcript that has none is empty, and an EHLO that nobody
 * recorded stands without the name that was said.
 */
#ifndef PROBE_STUDY_RECORD_H
#define PROBE_STUDY_RECORD_H

#include <jansson.h>

#include "rules/incident.h"

#define RECORD_TURNS_MAX 512
#define RECORD_TEXT_BYTES 32768
#define RECORD_ERRBUF 160

struct record_turn {
	enum dir dir;
	uint32_t at, length; /* in `text` */
};

/* What became of a STARTTLS that was granted. */
enum record_tls {
	RECORD_TLS_UNKNOWN,
	RECORD_TLS_REACHED,
	RECORD_TLS_FAILED,
};

struct record {
	struct endpoint server; /* family 0: not known */
	char name[DOMAIN_TEXT_BYTES];
	int64_t at_ns; /* 0: not known */
	bool spoke;    /* a server answered */
	bool whole;    /* nothing is missing at its end */
	bool implicit_tls;
	enum record_tls tls;
	uint16_t tls_version; /* 0: not known */
	unsigned turn_count;
	struct record_turn turns[RECORD_TURNS_MAX];
	size_t text_length;
	uint8_t text[RECORD_TEXT_BYTES];
	/* Of a record that is about the file: {"study": {"label": ...}}. */
	bool about_file;
	char label[64];
};

static inline struct slice
record_said(const struct record *r, unsigned turn)
{
	return slice_of(r->text + r->turns[turn].at, r->turns[turn].length);
}

/* A line of JSON. False: it is no such record, and `errbuf` says why. */
bool record_parse_json(struct slice line, struct record *,
    char errbuf[RECORD_ERRBUF]);

/* A transcript begins, goes on by a line without its end, and is finished;
 * false when there is nothing in it. */
void record_begin(struct record *);
bool
record_add_line(struct record *, struct slice line, char errbuf[RECORD_ERRBUF]);
bool record_finish(struct record *);

#endif
