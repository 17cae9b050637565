/* What waits, and whose turn it is. */
#include "native_flow.h"

#include <stdlib.h>

#define WAITING_MAX 256 /* segments of one direction */
#define SUSPECTS_MAX 32 /* the same, with wrong sums */
#define HOLD_PACKETS 64 /* design 5 */
#define HOLD_NS (3 * NS_PER_S)
/* The same for a peer of whom nothing has come yet: it may never. Two taps, or
 * two queues of one card, are not further apart. */
#define HOLD_ALONE_PACKETS 16
#define HOLD_ALONE_NS (NS_PER_S / 5)
/* After the peer acknowledged what is missing, a mirror port may still bring
 * it late: this many packets or this long. */
#define HOLE_PACKETS 6
#define HOLE_NS (1 * NS_PER_S)

/* --- what waits ---------------------------------------------------------- */

static void
forget(struct native *n, struct waiting **list)
{
	struct waiting *w = *list;

	*list = w->next;
	n->waiting_bytes -= sizeof(*w) + w->captured;
	free(w);
}

static void
drop_queue(struct native *n, struct direction *d)
{
	n->waiting_bytes -= sizeof(*d->queue);
	free(d->queue);
	d->queue = NULL;
}

void
native_forget_waiting(struct native *n, struct direction *d)
{
	struct queue *q = d->queue;

	if (q == NULL)
		return;
	while (q->waiting != NULL)
		forget(n, &q->waiting);
	while (q->suspects != NULL)
		forget(n, &q->suspects);
	drop_queue(n, d);
}

/* The direction's queue; NULL: there is no room for one. */
static struct queue *
need_queue(struct native *n, struct direction *d)
{
	if (d->queue != NULL)
		return d->queue;
	if (n->waiting_bytes + sizeof(*d->queue) >
	    n->config.out_of_order_bytes_max)
		return NULL;
	d->queue = calloc(1, sizeof(*d->queue));
	if (d->queue != NULL)
		n->waiting_bytes += sizeof(*d->queue);
	return d->queue;
}

/* Nothing waits in it any more? */
static void
drop_if_empty(struct native *n, struct direction *d)
{
	if (d->queue != NULL && d->queue->waiting == NULL &&
	    d->queue->suspects == NULL)
		drop_queue(n, d);
}

/* A copy of a segment, in front of *link. False: there is no room. */
static bool
link_copy(struct native *n, const struct flow *f, struct waiting **link,
    const struct segment *s)
{
	struct waiting *w;

	/* Half of it is for those who have come as far as EHLO. */
	if (n->waiting_bytes + sizeof(*w) + s->captured >
	    n->config.out_of_order_bytes_max /
		(f->class == FLOW_NEGOTIATING ? 1 : 2))
		return false;
	w = malloc(sizeof(*w) + s->captured);
	if (w == NULL)
		return false;
	*w = (struct waiting){ .next = *link,
		.seq = s->seq,
		.ack = s->ack,
		.captured = s->captured,
		.length = s->length,
		.packet_count = f->packet_count,
		.has_ack = s->has_ack,
		.fin = s->fin,
		.origin = s->origin };
	if (s->captured > 0)
		memcpy(w->bytes, s->bytes, s->captured);
	*link = w;
	n->waiting_bytes += sizeof(*w) + s->captured;
	return true;
}

bool
native_enqueue(struct native *n, struct flow *f, enum dir dir,
    const struct segment *s, bool held)
{
	struct queue *q = need_queue(n, &f->dirs[dir]);
	struct waiting **link, *w;

	if (q == NULL)
		return false;
	link = &q->waiting;
	while (*link != NULL && seq_before((*link)->seq, s->seq))
		link = &(*link)->next;
	for (w = *link; w != NULL && w->seq == s->seq; w = w->next) {
		/* A copy that waits for less is worth keeping. */
		if (w->length < s->length ||
		    (w->length > s->length && w->has_ack && s->has_ack &&
			seq_before(s->ack, w->ack)))
			continue;
		count(n->counters, COUNTER_OVERLAPS);
		w->fin |= s->fin && w->length == s->length;
		if (s->has_ack && seq_before(s->ack, w->ack))
			w->ack = s->ack;
		return true;
	}
	if (q->waiting_count >= WAITING_MAX || !link_copy(n, f, link, s)) {
		drop_if_empty(n, &f->dirs[dir]);
		return false;
	}
	q->waiting_count++;
	count(n->counters, held ? COUNTER_HELD : COUNTER_OUT_OF_ORDER);
	return true;
}

/* --- wrong sums ---------------------------------------------------------- */

void
native_set_aside(struct native *n, struct flow *f, enum dir dir,
    const struct packet *p)
{
	struct direction *d = &f->dirs[dir];
	struct waiting **link;
	struct queue *q;
	struct segment s = { p->seq, p->ack, p->payload_bytes,
		p->payload_wire_bytes, p->flags & TCP_ACK, false, p->payload,
		origin_of(p) };

	if (p->payload_bytes == 0 || p->flags & (TCP_SYN | TCP_RST) ||
	    !d->has_base || !seq_before(d->next, s.seq + s.length) ||
	    flow_is_over(f))
		return;
	if (f->session == NULL && !native_open_session(n, f, &s.origin))
		return;
	q = need_queue(n, d);
	if (q == NULL || q->suspect_count == SUSPECTS_MAX)
		return;
	link = &q->suspects;
	while (*link != NULL)
		link = &(*link)->next;
	if (link_copy(n, f, link, &s))
		q->suspect_count++;
	drop_if_empty(n, d);
}

/*
 * A segment with a wrong sum that the peer acknowledged, and of which no
 * right copy came: the receiver took it, so its sum was made wrong later, by
 * offload in the capturing host or by who edited the capture. It waits its
 * turn like any other now. Where no acknowledgement can be seen, silence
 * until the end is taken for one. As with a hole, the right copy may come a
 * little after the acknowledgement; not where the direction has shown before
 * that its sums say nothing.
 */
static bool
is_believed(const struct flow *f, const struct direction *d, struct waiting *w,
    int64_t now_ns, bool flush)
{
	if (!d->has_acked || seq_before(d->acked, w->seq + w->length))
		return flush && one_sided(f);
	if (!w->acked) {
		w->acked = true;
		w->acked_ns = now_ns;
		w->packet_count = f->packet_count;
	}
	return flush || d->sums_wrong ||
	    f->packet_count - w->packet_count >= HOLE_PACKETS ||
	    elapsed_ns(w->acked_ns, now_ns) > HOLE_NS;
}

static void
accept_suspects(struct native *n, const struct flow *f, struct direction *d,
    int64_t now_ns, bool flush)
{
	struct queue *q = d->queue;
	struct waiting **link;

	if (q == NULL)
		return;
	link = &q->suspects;
	while (*link != NULL) {
		struct waiting *w = *link, **place = &q->waiting;

		if (!seq_before(d->next, w->seq + w->length)) {
			forget(n, link);
			q->suspect_count--;
			continue;
		}
		if (!is_believed(f, d, w, now_ns, flush)) {
			link = &w->next;
			continue;
		}
		*link = w->next;
		q->suspect_count--;
		d->sums_wrong = true;
		/* Behind right copies of the same place. */
		while (*place != NULL && !seq_before(w->seq, (*place)->seq))
			place = &(*place)->next;
		w->next = *place;
		*place = w;
		q->waiting_count++;
	}
}

/* --- whose turn is it ---------------------------------------------------- */

/*
 * Does the segment acknowledge what the peer has not been seen to send?
 * Behind the negotiation only replies wait: they are short, and what they
 * answer must not come after them.
 */
bool
native_ahead_of_peer(const struct flow *f, enum dir dir, uint32_t ack,
    bool has_ack)
{
	const struct direction *peer = &f->dirs[dir_peer(dir)];

	if (f->interest != INTEREST_NEGOTIATION &&
	    !(f->interest == INTEREST_BYTES && dir == TO_CLIENT))
		return false;
	return has_ack && (peer->seen || !f->alone) && peer->has_base &&
	    !peer->finished && seq_before(peer->next, ack) &&
	    ack - peer->next <= ACK_AHEAD_MAX;
}

static bool
hold_is_over(const struct flow *f, const struct direction *peer,
    const struct waiting *w, int64_t now_ns)
{
	uint32_t packets = peer->seen ? HOLD_PACKETS : HOLD_ALONE_PACKETS;
	int64_t ns = peer->seen ? HOLD_NS : HOLD_ALONE_NS;

	return f->packet_count - w->packet_count > packets ||
	    elapsed_ns(w->origin.capture_ts_ns, now_ns) > ns;
}

/* Octets from `next` to what waits, or to what was acknowledged. */
static uint32_t
hole_bytes(const struct direction *d, uint32_t upto)
{
	const struct waiting *w = native_first_waiting(d);

	if (w != NULL && seq_before(w->seq, upto))
		upto = w->seq;
	return seq_before(d->next, upto) ? upto - d->next : 0;
}

/*
 * Is the hole before the first waiting segment never to be filled? The peer
 * has acknowledged it, so it was there and the capture does not have it; but
 * a mirror port may deliver it a little later.
 */
static bool
hole_is_final(const struct flow *f, struct direction *d, int64_t now_ns)
{
	struct queue *q = d->queue;

	if (f->interest == INTEREST_OPAQUE)
		return true;
	if (!d->has_acked || seq_before(d->acked, q->waiting->seq))
		return false;
	if (!q->hole_acked) {
		q->hole_acked = true;
		q->hole_ns = now_ns;
		q->hole_packets = f->packet_count;
	}
	return f->packet_count - q->hole_packets >= HOLE_PACKETS ||
	    elapsed_ns(q->hole_ns, now_ns) > HOLE_NS;
}

static void
deliver_waiting(struct native *n, struct flow *f, enum dir dir,
    struct waiting **link)
{
	struct queue *q = f->dirs[dir].queue;
	struct waiting *w = *link;
	struct segment s = { w->seq, w->ack, w->captured, w->length, w->has_ack,
		w->fin, w->bytes, w->origin };

	*link = w->next;
	q->waiting_count--;
	q->hole_acked = false;
	native_deliver(n, f, dir, &s);
	n->waiting_bytes -= sizeof(*w) + w->captured;
	free(w);
}

/*
 * The first that is next in its direction and waits for nothing; NULL: none.
 * Octets that were sent again acknowledge more than they did at first: what
 * came earlier does not wait behind that.
 */
static struct waiting **
free_to_go(struct flow *f, enum dir dir)
{
	struct direction *d = &f->dirs[dir];
	struct waiting **link;

	if (d->queue == NULL)
		return NULL;
	for (link = &d->queue->waiting;
	     *link != NULL && !seq_before(d->next, (*link)->seq);
	     link = &(*link)->next) {
		const struct waiting *w = *link;
		bool old = !w->fin && !seq_before(d->next, w->seq + w->length);

		if (old || !native_ahead_of_peer(f, dir, w->ack, w->has_ack))
			return link;
	}
	return NULL;
}

/* The first segment acknowledges what the peer was not seen to send. False:
 * it has to wait longer. */
static bool
pass_held(struct native *n, struct flow *f, enum dir dir, int64_t now_ns,
    bool flush)
{
	struct direction *d = &f->dirs[dir], *peer = &f->dirs[dir_peer(dir)];
	struct waiting *w = d->queue->waiting;
	const struct waiting *other;

	if (!flush && !hold_is_over(f, peer, w, now_ns))
		return false;
	if (!peer->seen) {
		f->alone = true;
		return true;
	}
	/* What it acknowledges was sent, and not captured. With peer
	 * segments in the queue their own hole comes first. */
	if (hole_bytes(peer, w->ack) > 0) {
		native_report_gap(n, f, dir_peer(dir), hole_bytes(peer, w->ack),
		    false, &w->origin);
		return true;
	}
	other = native_first_waiting(peer);
	if (other != NULL &&
	    !native_ahead_of_peer(f, dir_peer(dir), other->ack, other->has_ack))
		deliver_waiting(n, f, dir_peer(dir), &peer->queue->waiting);
	else
		deliver_waiting(n, f, dir, &d->queue->waiting);
	return true;
}

/* One step in one direction; false: nothing can be done there. `flush`: no
 * more packets will come. */
static bool
drain_step(struct native *n, struct flow *f, enum dir dir, int64_t now_ns,
    bool flush)
{
	struct direction *d = &f->dirs[dir];
	struct waiting *w = native_first_waiting(d);
	struct waiting **link = free_to_go(f, dir);

	if (w == NULL)
		return false;
	if (link != NULL) {
		deliver_waiting(n, f, dir, link);
		return true;
	}
	if (seq_before(d->next, w->seq)) {
		if (!flush && !hole_is_final(f, d, now_ns))
			return false;
		native_report_gap(n, f, dir, w->seq - d->next, false,
		    &w->origin);
		return true;
	}
	return pass_held(n, f, dir, now_ns, flush);
}

/* What would go next in a direction, if it could go at all. */
static const struct waiting *
next_to_go(struct flow *f, enum dir dir)
{
	const struct direction *d = &f->dirs[dir];
	struct waiting **link = free_to_go(f, dir);
	const struct waiting *w = native_first_waiting(d);

	if (link != NULL)
		return *link;
	if (w == NULL || !seq_before(d->next, w->seq) ||
	    native_ahead_of_peer(f, dir, w->ack, w->has_ack))
		return NULL;
	return w;
}

/* Where acknowledgements do not decide, what came first goes first. */
static enum dir
first_turn(struct flow *f)
{
	const struct waiting *c = next_to_go(f, TO_SERVER);
	const struct waiting *s = next_to_go(f, TO_CLIENT);

	if (c == NULL || s == NULL)
		return TO_CLIENT;
	return c->origin.run_frame < s->origin.run_frame ? TO_SERVER :
							   TO_CLIENT;
}

void
native_drain(struct native *n, struct flow *f, int64_t now_ns, bool flush)
{
	enum dir first;

	accept_suspects(n, f, &f->dirs[TO_SERVER], now_ns, flush);
	accept_suspects(n, f, &f->dirs[TO_CLIENT], now_ns, flush);
	/* Every step takes a segment from a queue or closes a hole. */
	do {
		first = first_turn(f);
	} while (f->session != NULL &&
	    (drain_step(n, f, first, now_ns, flush) ||
		drain_step(n, f, dir_peer(first), now_ns, flush)));
	drop_if_empty(n, &f->dirs[TO_SERVER]);
	drop_if_empty(n, &f->dirs[TO_CLIENT]);
}
