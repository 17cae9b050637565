/*
 * dissect/smtp.h - one SMTP dialogue, seen from the side.
 *
 * Fed in stream order by a reassembly engine; appends facts to the session's
 * log and publishes it at decision points. Does no I/O, keeps no pointer into
 * the bytes it is fed. Not thread-safe: a session belongs to its shard.
 * RFC 5321, 2920 (pipelining), 3030 (BDAT), 3207 (STARTTLS), 4954 (AUTH).
 */
#ifndef DISSECT_SMTP_H
#define DISSECT_SMTP_H

#include "fact_log.h"
#include "reassembly.h"

struct smtp_session; /* of fixed size; lives and dies with its flow */

struct smtp_options {
	bool keep_addresses; /* local parts stay readable */
	/* 16 octets, borrowed: messages are digested (body_digest.h), which
	 * only who compares captures needs. NULL: they are not looked at. */
	const uint8_t *digest_key;
};

size_t smtp_session_bytes(void); /* room that `place` must have */
/*
 * `log` and `options` are borrowed for the session's life. `identity` goes
 * into FACT_SESSION_OPENED, which is appended when the session is known to be
 * SMTP: on a mail port with the first payload, elsewhere with the greeting.
 */
struct smtp_session *smtp_session_open(void *place, struct fact_log *log,
    const struct smtp_options *options, const struct flow_start *);
/*
 * `bytes` is borrowed for the call. The interest says how the session goes on:
 * NEGOTIATION until TLS or the first accepted MAIL, BYTES after that, OPAQUE
 * inside TLS, NONE when this is no SMTP (off the mail ports only).
 */
enum interest smtp_session_feed(struct smtp_session *, enum dir, struct slice,
    const struct origin *);
/* `missing` never arrived: from here on, absence proves nothing. */
enum interest smtp_session_gap(struct smtp_session *, enum dir,
    uint64_t missing, bool snapped, const struct origin *);
/* Appends how it ended; releases what it borrowed. */
void smtp_session_close(struct smtp_session *, enum ending, enum dir who,
    const struct origin *);
/* Publishes that, and what came behind it. The last call. */
void smtp_session_publish(struct smtp_session *);

/* How it was opened. */
struct flow_start smtp_session_start(const struct smtp_session *);
bool smtp_session_on_mail_port(const struct smtp_session *);
/* Appends a fact about how the packets came, if this is known to be SMTP. */
void smtp_session_note(struct smtp_session *, struct fact *, struct slice bytes,
    const struct origin *);

/* Has this flow turned out to be SMTP? (Then it was counted and published.) */
bool smtp_session_recognised(const struct smtp_session *);
/* For eviction: not yet greeted < greeted < negotiating; opaque apart. */
enum smtp_phase {
	SMTP_PHASE_UNKNOWN,
	SMTP_PHASE_GREETED,
	SMTP_PHASE_NEGOTIATING,
	SMTP_PHASE_MAIL,
	SMTP_PHASE_OPAQUE,
};
enum smtp_phase smtp_session_phase(const struct smtp_session *);
/* What closing it would give back to the pool. */
size_t smtp_session_held_bytes(const struct smtp_session *);

#endif
