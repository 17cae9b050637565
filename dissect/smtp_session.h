/*
 * dissect/smtp_session.h - the state of a dialogue; private to smtp*.c.
 */
#ifndef DISSECT_SMTP_SESSION_H
#define DISSECT_SMTP_SESSION_H

#include "smtp.h"
#include "tls.h"

/* What the client's next octets are. */
enum mode {
	MODE_COMMAND,
	MODE_AUTH,		/* lines of an AUTH exchange */
	MODE_DATA_WAIT,		/* DATA is unanswered: they wait */
	MODE_BODY,		/* up to CRLF . CRLF */
	MODE_BODY_LOST,		/* the same after a gap: up to the reply */
	MODE_CHUNK,		/* of BDAT, counted */
	MODE_STARTTLS_WAIT,	/* STARTTLS is unanswered */
	MODE_TLS_NEXT,		/* 220 was said: TLS, or something is wrong */
	MODE_TLS,
	MODE_OPAQUE,
	MODE_LOST,		/* midstream: until a command or reply is sure */
};

/* Commands without an answer yet, equal ones in a row as one. */
#define PENDING_VERBS 24
struct pending {
	uint8_t verb;
	uint16_t count;
};

/* A direction's line that has not ended yet. */
struct partial {
	uint8_t *bytes;		/* FACT_LINE_MAX_BYTES of room, borrowed */
	uint64_t offset;	/* stream offset of the line's first octet */
	uint32_t have;		/* octets kept */
	uint64_t length;	/* octets seen */
	bool skipping;		/* behind a gap: not a line's start */
};

/* TLS records counted from the outside, once they are opaque. */
struct opaque {
	uint64_t bytes;
	uint32_t left;		/* of the record */
	uint8_t header[5], have, last_type;
	bool lost;
};

struct smtp_session {
	struct fact_log *log;
	const struct smtp_options *options;
	struct flow_identity flow;
	struct tls *tls;
	struct partial partial[2];
	struct opaque opaque[2];
	struct pending pending[PENDING_VERBS];
	uint64_t chunk_left;
	uint64_t body_bytes;	/* of the message that is being skipped */
	uint64_t body_offset;
	uint32_t mails;
	uint16_t reply_line;	/* lines of the reply that is coming in */
	uint16_t reply_code;	/* of its first line */
	uint8_t pending_first, pending_used;
	uint8_t mode;
	uint8_t body_tail;	/* how much of CRLF . CRLF has been seen */
	uint8_t guess;		/* one-sided: the verb answered next */
	bool chunk_last;
	bool midstream, recognised, opened, greeted, ehlo_answered;
	bool mail_published, negotiated, established, implicit;
	bool seen[2];		/* octets of this direction */
	bool reply_doubtful;	/* its last line has neither blank nor hyphen */
	bool overflow;		/* more pending verbs than there is room for */
};

/* Appends a fact about this session. */
void smtp_say(struct smtp_session *, struct fact *, struct slice,
    const struct origin *);
/* Past the mails that are kept in detail? Then only the end is told. */
bool smtp_terse(const struct smtp_session *);
void smtp_recognise(struct smtp_session *, const struct origin *);

/* smtp_client.c: one whole line, without its end. `flags`: FACT_*. */
void smtp_client_line(struct smtp_session *, struct slice line,
    uint64_t extent, uint16_t flags, const struct origin *);
enum verb smtp_verb(struct slice line);
/* Octets of a message; how many belong to it. */
size_t smtp_body(struct smtp_session *, struct slice, const struct origin *);
size_t smtp_chunk(struct smtp_session *, struct slice, const struct origin *);
void smtp_body_end(struct smtp_session *, const struct origin *);

/* smtp_server.c */
void smtp_server_line(struct smtp_session *, struct slice line,
    uint64_t extent, uint16_t flags, const struct origin *);
/* The client goes on: a line that nobody can read was the reply's last. */
void smtp_reply_taken(struct smtp_session *, const struct origin *);
/* The octets that waited for the reply to DATA or STARTTLS. */
void smtp_release_waiting(struct smtp_session *, const struct origin *);

void smtp_pending_push(struct smtp_session *, enum verb);
enum verb smtp_pending_first(const struct smtp_session *);
void smtp_pending_pop(struct smtp_session *);

#endif
