/*
 * probe/pipeline/beside.h - what the judge lays beside a session's own facts:
 * the answers of DNS that bear on it, and what came of its chain.
 *
 * Both are facts, so that the session is judged again from what is stored,
 * whatever is trusted by then.
 */
#ifndef PROBE_PIPELINE_BESIDE_H
#define PROBE_PIPELINE_BESIDE_H

#include "dns_book.h"
#include "judge_loop.h"

/* FACT_CHAIN_VERIFIED and the digest of the trust store. */
#define BESIDE_CHAIN_BYTES (FACT_HEADER_MAX_BYTES + 16)

struct beside {
	size_t length;
	uint8_t facts[DNS_BOOK_TOLD_BYTES + BESIDE_CHAIN_BYTES];
};

/* Begins anew and folds into the session, which borrows from it. `book` may
 * be NULL. */
void beside_answers(struct beside *, const struct dns_book *, struct session *);
/* Then, if the chain is demanded something of: verified now, at the time of
 * its capture. `trust` may be NULL. */
void beside_verification(struct beside *, struct judge_trust *,
    const struct context *, struct session *);

#endif
