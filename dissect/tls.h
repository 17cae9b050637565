/*
 * dissect/tls.h - a TLS handshake as far as it is in the clear.
 *
 * RFC 8446 (1.3), RFC 5246 (1.2): the record layer in both directions, hello
 * messages, the server's chain (TLS 1.2 and below), alerts, and when the
 * handshake has ended. Handshake messages may run over records and segments;
 * they are put together in borrowed room, and skipped when they are too long.
 */
#ifndef DISSECT_TLS_H
#define DISSECT_TLS_H

#include "fact_log.h"

#define TLS_MESSAGE_MAX_BYTES 32768
#define TLS_CHAIN_MAX 10

/* Could these be the first octets of a record, as far as they are there? */
bool tls_looks_like_record(struct slice);

struct tls; /* while the handshake lasts */

/* Borrows its room from the log's pool; NULL: there is none. */
struct tls *tls_open(struct fact_log *);
void tls_close(struct tls *, struct fact_log *);

enum tls_progress {
	TLS_HANDSHAKE,	 /* goes on */
	TLS_ESTABLISHED, /* both sides' keys are in use */
	TLS_NOT_TLS,	 /* at a record border something else follows */
};

/*
 * Takes what it can of `bytes`, appends facts; `taken` says how much. Takes
 * everything unless it answers TLS_ESTABLISHED or TLS_NOT_TLS.
 */
enum tls_progress tls_feed(struct tls *, struct fact_log *, enum dir,
    struct slice bytes, const struct origin *, size_t *taken);
/* Octets are missing. The direction is followed further if the gap ends in
 * the same record, or in front of another one. */
void tls_gap(struct tls *, enum dir, uint64_t missing);
/* Has it missed octets, or met what cannot be followed? */
bool tls_is_lost(const struct tls *, enum dir);
/*
 * Where `dir` stands, for who counts records on: octets left of the record
 * that it is in, what has come of the next header, the record's type.
 */
uint32_t tls_hand_over(const struct tls *, enum dir, uint8_t header[5],
    uint8_t *have, uint8_t *type);

#endif
