/*
 * dissect/smtp_session.h - the state of a dialogue; private to smtp*.c.
 */
#ifndef DISSECT_SMTP_SESSION_H
#define DISSECT_SMTP_SESSION_H

#include "body_digest.h"
#include "smtp.h"
#include "tls.h"

/* What the client's next octets are. */
enum mode {
	MODE_COMMAND,
	MODE_AUTH,	    /* lines of an AUTH exchange */
	MODE_DATA_WAIT,	    /* DATA is unanswered: they wait */
	MODE_BODY,	    /* up to CRLF . CRLF */
	MODE_BODY_LOST,	    /* the same after a gap: up to the reply */
	MODE_CHUNK,	    /* of BDAT, counted */
	MODE_STARTTLS_WAIT, /* STARTTLS is unanswered */
	MODE_TLS_NEXT,	    /* 220 was said: TLS, or something is wrong */
	MODE_TLS,
	MODE_OPAQUE,
	MODE_LOST, /* midstream: until a command or reply is sure */
	MODES
};

/* Commands without an answer yet, equal ones in a row as one. */
#define PENDING_VERBS 24
struct pending {
	uint8_t verb;
	uint16_t count;
};

/* A direction's line that has not ended yet. */
struct partial {
	uint8_t *bytes;	 /* FACT_LINE_MAX_BYTES of room, borrowed */
	uint64_t offset; /* stream offset of the line's first octet */
	uint64_t length; /* octets seen */
	uint32_t have;	 /* octets kept */
	bool after_gap;	 /* perhaps the rest of a line */
};

/* TLS records counted from the outside, once they are opaque. */
struct opaque {
	uint64_t bytes;
	uint32_t left; /* of the record */
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
	uint64_t wait_frame; /* that brought the client's partial line,
			      * or what waits for a reply */
	int64_t wait_ns;
	uint64_t chunk_left;
	uint64_t body_bytes; /* of the message that is being skipped */
	uint64_t body_offset;
	struct body_digest *digest; /* borrowed; NULL: of no message */
	uint32_t body_last;	    /* its last four octets */
	uint32_t unmatched; /* answers to come whose commands were given up */
	uint32_t mails;
	uint16_t reply_line; /* lines of the reply that is coming in */
	uint16_t reply_code; /* of its first line */
	uint8_t reply_about; /* the verb that it answers */
	uint8_t pending_first, pending_used;
	uint8_t mode;
	uint8_t body_tail; /* how much of CRLF . CRLF has been seen */
	uint8_t guess;	   /* one-sided: the verb answered next */
	uint8_t ending;	   /* enum ending, once it is closed */
	bool chunk_last;
	bool midstream, recognised, opened, greeted, ehlo_answered;
	bool first_words; /* midstream, but only the handshake is missing */
	bool mail_published, negotiated, established, implicit;
	bool seen[2];	     /* octets of this direction */
	bool reply_doubtful; /* its last line has neither blank nor hyphen */
	bool reply_foreign;  /* it answers nothing that is pending */
	bool pending_unsure; /* a gap, and no whole reply since */
};

/*
 * What a mode makes of octets in `dir`; how many it has taken: none when it
 * has left them to another mode. The origin's stream offset is theirs.
 */
typedef size_t smtp_feed_fn(struct smtp_session *, enum dir, struct slice,
    const struct origin *);

/* Appends a fact about this session. */
void smtp_say(struct smtp_session *, struct fact *, struct slice,
    const struct origin *);
/* Publishes what was said; not before this is known to be SMTP, for what never
 * turns out to be has no end that is told. */
void smtp_publish(struct smtp_session *, enum decision);
/* Past the mails that are kept in detail? Then only the end is told. */
bool smtp_terse(const struct smtp_session *);
/* REDACT_* for a line with such flags. */
unsigned smtp_redaction(const struct smtp_session *, uint16_t fact_flags);

/* smtp.c: lines that have not ended yet. */
void smtp_keep_partial(struct smtp_session *, enum dir, struct slice,
    uint64_t offset, const struct origin *);
void smtp_give_partial(struct smtp_session *, enum dir);
void
smtp_say_unfinished(struct smtp_session *, enum dir, const struct origin *);
/* One line, or what there is of it; how many octets were taken. */
size_t smtp_feed_line(struct smtp_session *, enum dir, struct slice,
    uint64_t offset, const struct origin *);
/* Does a line speak of SMTP or ESMTP? */
bool smtp_is_named(struct slice line);
/* The first octets of the line that `bytes` begin or go on with; how many. */
size_t smtp_line_head(const struct smtp_session *, enum dir, struct slice bytes,
    uint8_t head[3]);

/* smtp_tls.c. Those that return a size have taken so many octets. */
void smtp_say_extra(struct smtp_session *, enum dir, struct slice,
    uint64_t extent, uint16_t flags, const struct origin *);
/* Do the octets at the start of a line begin a TLS record? PARSE_NEED_MORE:
 * so far they do, and three are needed to tell. */
enum parse
smtp_record_start(const struct smtp_session *, enum dir, struct slice bytes);
void smtp_begin_tls(struct smtp_session *, enum dir, const struct origin *);
/* A TLS record where a line should be. */
void smtp_meet_tls(struct smtp_session *, enum dir, const struct origin *);
smtp_feed_fn smtp_feed_tls;
smtp_feed_fn smtp_feed_starttls_wait;
smtp_feed_fn smtp_feed_tls_next;
void smtp_count_records(struct opaque *, struct slice);
/* The octets that waited for the reply to DATA or STARTTLS. */
void smtp_release_waiting(struct smtp_session *, const struct origin *);

/* smtp_client.c: one whole line, without its end. `flags`: FACT_*. */
void smtp_client_line(struct smtp_session *, struct slice line, uint64_t extent,
    uint16_t flags, const struct origin *);
enum verb smtp_verb(struct slice line);
smtp_feed_fn smtp_feed_body;
smtp_feed_fn smtp_feed_chunk;
void smtp_body_begin(struct smtp_session *, uint8_t tail);
void smtp_body_end(struct smtp_session *, const struct origin *);
/* The message is not all there, or is none any more. */
void smtp_digest_drop(struct smtp_session *);
/* Did it end in a dot alone on its line, though not between CRLFs? */
bool smtp_body_ends_loosely(const struct smtp_session *);

/* smtp_server.c */
void smtp_server_line(struct smtp_session *, struct slice line, uint64_t extent,
    uint16_t flags, const struct origin *);
/* The client goes on: a line that nobody can read was the reply's last. */
void smtp_reply_taken(struct smtp_session *, const struct origin *);
void smtp_pending_push(struct smtp_session *, enum verb);
enum verb smtp_pending_first(const struct smtp_session *);
enum verb smtp_pending_last(const struct smtp_session *);
void smtp_pending_pop(struct smtp_session *);

#endif
