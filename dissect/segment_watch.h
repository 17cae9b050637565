/*
 * dissect/segment_watch.h - how the packets carried a negotiation.
 *
 * Sees every decoded segment of it, whatever the engine, and keeps those with
 * something new on a tape: the octets as they first came, and copies that
 * differ from them (Fox-IT's QUANTUM INSERT study, 2015: a forged segment and
 * the genuine one have the same sequence numbers). What is odd becomes a fact.
 * A retransmission, however it is cut, a segment that comes late, a keep-alive
 * octet and a mirror port's duplicate are not odd. Belongs to a session; not
 * thread-safe.
 */
#ifndef DISSECT_SEGMENT_WATCH_H
#define DISSECT_SEGMENT_WATCH_H

#include "packet.h"
#include "reassembly.h"
#include "tape.h"

struct watched_direction {
	struct segment_copy last; /* that fit */
	uint32_t base;		  /* sequence number of stream offset 0 */
	uint32_t next, fin_end, rst_seq;
	uint32_t taped_end;    /* of what is on the tape, wrong sums included */
	uint16_t id_steps;     /* in a row that a counter explains */
	uint8_t twice_ttls[2]; /* of a packet that was seen in two places */
	uint8_t said;	       /* steps that were told already */
	bool started : 1, has_fin : 1, has_rst : 1, has_taped : 1;
};

struct segment_watch {
	struct tape tape; /* what comes when it is full is not compared */
	struct watched_direction dirs[2];
	uint32_t copies; /* that differ; the first ones are told */
	bool over_limit;
	bool frozen; /* the negotiation is over: only copies of it count */
};

/* Where a fact goes: the session may not be known to be SMTP yet. */
typedef void watch_say_fn(void *session, struct fact *, struct slice bytes,
    const struct origin *);

void segment_watch_open(struct segment_watch *, struct fact_pool *);
/* Nothing is kept from here on. */
void segment_watch_close(struct segment_watch *);
/*
 * One segment that brings octets or an end. `sent` is what is known of its
 * direction; `say` is called with `session` for each fact.
 */
void segment_watch_see(struct segment_watch *, enum dir, const struct packet *,
    enum sum, const struct sent *, struct counters *, watch_say_fn *say,
    void *session);

#endif
