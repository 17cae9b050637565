/*
 * dissect/fact_log.h - the facts of one session since its last decision.
 *
 * A log borrows its room from a pool when its first fact comes and gives it
 * back when it is published, so that a session that waits costs nothing. It
 * starts with half a KiB and grows to 8 KiB while the pool has room, and to 64
 * KiB while half of it is left: whoever inflates replies must not spend what
 * others need for plain ones. Beyond that it keeps nothing more, says so
 * once (FACT_OVER_LIMIT, OBS_OVER_LIMIT) and goes on counting. Belongs to a
 * shard, not thread-safe.
 */
#ifndef DISSECT_FACT_LOG_H
#define DISSECT_FACT_LOG_H

#include "counters.h"
#include "fact.h"
#include "reassembly.h"

#define FACT_LOG_START_BYTES 512
#define FACT_LOG_PLAIN_BYTES 8192 /* what an ordinary negotiation takes */
#define FACT_LOG_MAX_BYTES 65536

/* Takes publications; `facts` is borrowed for the call. */
typedef void
publish_fn(void *context, const struct publication *, struct slice facts);

struct fact_pool;

/* `budget_bytes` bounds all logs of the pool together; NULL: no memory. */
struct fact_pool *fact_pool_create(size_t budget_bytes, struct counters *,
    publish_fn *, void *context);
void fact_pool_destroy(struct fact_pool *);
/* Nothing is published from here on: its taker is gone. */
void fact_pool_mute(struct fact_pool *);
/* What publications are stamped with; `frame` is UINT64_MAX for expiries.
 * Resets the ordinal when any of the three changes. */
void fact_pool_stamp(struct fact_pool *, uint64_t batch, uint64_t run_frame,
    uint32_t shard);
/* Small room of the pool for half-received lines: NULL when it is spent. */
void *fact_pool_take(struct fact_pool *, size_t bytes);
/* So much is lent to who asks for that, up to FACT_LOG_MAX_BYTES. */
size_t fact_pool_fit(size_t bytes);
void fact_pool_give(struct fact_pool *, void *, size_t bytes);
/* Octets that are lent out. */
size_t fact_pool_used(const struct fact_pool *);
/* These, and what is kept to be lent again: never more than the budget. */
size_t fact_pool_held(const struct fact_pool *);
/* Is half of the budget gone? What can be done without asks first. */
bool fact_pool_is_tight(const struct fact_pool *);
/* Is less than a quarter of it left? */
bool fact_pool_is_scarce(const struct fact_pool *);

struct fact_log {
	struct fact_pool *pool;
	uint8_t *bytes;
	uint32_t length, room;
	uint16_t observability; /* OBS_*, copied into every fact */
	bool over_limit;
	uint64_t session;
	uint64_t acked[2]; /* by direction of the acknowledged bytes */
};

void fact_log_open(struct fact_log *, struct fact_pool *, uint64_t session);
/* Completes observability, length and the place in `origin`. */
void fact_log_append(struct fact_log *, struct fact *, struct slice bytes,
    const struct origin *);
/* Publishes what is in the log, marks acknowledged facts FACT_ACKED. */
void fact_log_publish(struct fact_log *, enum decision);
/* Gives back the room without publishing. */
void fact_log_close(struct fact_log *);

#endif
