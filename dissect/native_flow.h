/*
 * dissect/native_flow.h - the engine's insides; private to native*.c.
 */
#ifndef DISSECT_NATIVE_FLOW_H
#define DISSECT_NATIVE_FLOW_H

#include "flow_table.h"
#include "native.h"

#define NS_PER_S INT64_C(1000000000)

/* Sessions of a shard that are over and wait for late copies. */
#define LINGERING_MAX 16

struct native {
	struct native_config config;
	struct stream_listener listener;
	struct counters *counters;
	struct flow_table *flows;
	size_t waiting_bytes;
	size_t closed_max; /* flows that are only remembered */
};

/* The bytes that are to be delivered, whatever brought them. */
struct segment {
	uint32_t seq, ack;
	uint32_t captured, length;
	bool has_ack, fin;
	const uint8_t *bytes;
	struct origin origin;
};

static inline struct origin
origin_of(const struct packet *p)
{
	return (struct origin){ p->number, p->run_number, p->capture_ts_ns, 0,
		p->capture, false };
}

/* Also when the other side comes after all: what it says was answered long
 * ago, and in which order is not known. */
static inline bool
one_sided(const struct flow *f)
{
	return f->alone || !f->dirs[TO_SERVER].captured ||
	    !f->dirs[TO_CLIENT].captured;
}

/* Has each side been seen to answer the other? Whoever floods a network with
 * segments from addresses that are not his cannot make that happen. */
static inline bool
is_answered(const struct flow *f)
{
	return !one_sided(f) && f->dirs[TO_SERVER].has_acked &&
	    f->dirs[TO_CLIENT].has_acked;
}

/* Has anything a turn to wait for? */
static inline bool
native_has_waiting(const struct flow *f)
{
	return f->dirs[0].queue != NULL || f->dirs[1].queue != NULL;
}

static inline void
set_base(struct direction *d, uint32_t base)
{
	d->base = d->next = base;
	d->has_base = true;
}

/* Of those that wait, by sequence number; NULL: none does. */
static inline struct waiting *
native_first_waiting(const struct direction *d)
{
	return d->queue == NULL ? NULL : d->queue->waiting;
}

/* native_turn.c: what waits, and whose turn it is. */
void native_forget_waiting(struct native *, struct direction *);
/* Keeps the payload of a segment with a wrong sum: nothing else of it counts. */
void native_set_aside(struct native *, struct flow *, enum dir,
    const struct packet *);
/* Copies a segment into the queue, in order; equal ones are not kept twice.
 * False: there is no room. */
bool native_enqueue(struct native *, struct flow *, enum dir,
    const struct segment *, bool held);
/* Does the segment acknowledge what the peer has not been seen to send, and
 * has it to wait therefore? */
bool
native_ahead_of_peer(const struct flow *, enum dir, uint32_t ack, bool has_ack);
/* Delivers whatever need not wait any longer; `flush`: no more packets will
 * come. */
void native_drain(struct native *, struct flow *, int64_t now_ns, bool flush);

/* native_connection.c: which flow a segment belongs to, and where it began. */
struct flow *
native_open_flow(struct native *, const struct packet *, enum dir *);
/* The flow of a SYN, or of a segment that confirms an earlier one; NULL: of
 * none that is followed. */
struct flow *native_settle_flow(struct native *, struct flow *,
    const struct packet *, enum dir *);
/* What the segment says of where the streams begin. */
void native_settle_bases(struct flow *, enum dir, const struct packet *);

/* native_session.c: what the listener is told, and what follows from it. */
void native_reclass(struct native *, struct flow *);
/* The flow is over or of no interest: only its five-tuple is remembered, so
 * that a late copy of a segment does not open it anew. */
void native_remember_only(struct native *, struct flow *);
void native_acked_offsets(const struct flow *, uint64_t acked[2]);
/* Opens the session with the first octet. False: nobody wants it. */
bool native_open_session(struct native *, struct flow *, const struct origin *);
void native_report_gap(struct native *, struct flow *, enum dir,
    uint32_t missing, bool snapped, const struct origin *);
/* Hands on what is new in a segment whose turn it is; completes its origin. */
void native_deliver(struct native *, struct flow *, enum dir, struct segment *);
/* What comes late is of no session any more: the listener lets go of it. */
void native_end_lingering(struct native *, struct flow *);

/* native.c */
void native_close_flow(struct native *, struct flow *, enum ending,
    enum dir who, struct origin);
void native_shed_one(struct native *);

#endif
