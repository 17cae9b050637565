#include "native.h"

#include <stdlib.h>

#include "flow_table.h"

#define NS_PER_S INT64_C(1000000000)
#define WAITING_MAX 256		/* segments of one direction */
#define HOLD_PACKETS 64		/* design 5 */
#define HOLD_NS (3 * NS_PER_S)
/* After the peer acknowledged what is missing, a mirror port may still bring
 * it late: this many packets or this long. */
#define HOLE_PACKETS 6
#define HOLE_NS (1 * NS_PER_S)
#define RST_WINDOW 65536
/* An acknowledgement further ahead than any window that SMTP fills is forged
 * or damaged: RFC 9293 3.10.7.4 has the receiver drop the segment. Believed,
 * it would let us skip as many octets that are still to come. */
#define ACK_AHEAD_MAX (1u << 20)

/* RFC 5321 4.5.3.2 allows an SMTP peer up to ten minutes; much longer is
 * somebody who went away. */
static const int64_t idle_ns[FLOW_CLASSES] = {
	[FLOW_CLOSED] = 60 * NS_PER_S,
	[FLOW_HALF_OPEN] = 60 * NS_PER_S,
	[FLOW_OPAQUE] = 3600 * NS_PER_S,
	[FLOW_UNKNOWN] = 900 * NS_PER_S,
	[FLOW_GREETED] = 3600 * NS_PER_S,
	[FLOW_NEGOTIATING] = 3600 * NS_PER_S,
};

static const enum counter evicted_counters[FLOW_CLASSES] = {
	[FLOW_CLOSED] = COUNTERS,	/* nothing is lost with it */
	[FLOW_HALF_OPEN] = COUNTER_FLOW_EVICTED_HALF_OPEN,
	[FLOW_OPAQUE] = COUNTER_FLOW_EVICTED_OPAQUE,
	[FLOW_UNKNOWN] = COUNTER_FLOW_EVICTED_OTHER,
	[FLOW_GREETED] = COUNTER_FLOW_EVICTED_GREETED,
	[FLOW_NEGOTIATING] = COUNTER_FLOW_EVICTED_NEGOTIATING,
};

struct native {
	struct native_config config;
	struct stream_listener listener;
	struct counters *counters;
	struct flow_table *flows;
	size_t waiting_bytes;
	size_t closed_max;	/* flows that are only remembered */
	int64_t now_ns;
};

/* The bytes that are to be delivered, whatever brought them. */
struct segment {
	uint32_t seq, ack;
	uint32_t captured, length;
	bool has_ack, fin;
	const uint8_t *bytes;
	struct origin origin;
};

static inline bool
seq_before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

struct native *
native_create(const struct native_config *config,
    const struct stream_listener *listener, struct counters *counters)
{
	struct native *n = calloc(1, sizeof(*n));

	if (n == NULL)
		return NULL;
	n->config = *config;
	n->listener = *listener;
	n->counters = counters;
	n->closed_max = config->flows_max / 16 + 1;
	n->now_ns = INT64_MIN;
	n->flows = flow_table_create(config->flows_max, config->key);
	if (n->flows == NULL) {
		free(n);
		return NULL;
	}
	return n;
}

static bool
is_mail_port(const struct native *n, uint16_t port)
{
	return n->config.mail_ports[port / 8] >> (port % 8) & 1;
}

static struct origin
origin_of(const struct packet *p)
{
	return (struct origin){ p->number, p->run_number, p->capture_ts_ns, 0,
		p->capture, false };
}

static bool
one_sided(const struct flow *f)
{
	return !f->dirs[TO_SERVER].captured || !f->dirs[TO_CLIENT].captured;
}

/* --- what waits ----------------------------------------------------------- */

static void
forget_waiting(struct native *n, struct direction *d)
{
	while (d->waiting != NULL) {
		struct waiting *w = d->waiting;

		d->waiting = w->next;
		n->waiting_bytes -= sizeof(*w) + w->captured;
		free(w);
	}
	d->queued = 0;
	d->hole_ns = 0;
}

/* Copies a segment into the queue, in order; equal ones are not kept twice.
 * False: there is no room. */
static bool
enqueue(struct native *n, struct flow *f, enum dir dir,
    const struct segment *s, bool held)
{
	struct direction *d = &f->dirs[dir];
	struct waiting **link = &d->waiting, *w;

	while (*link != NULL && seq_before((*link)->seq, s->seq))
		link = &(*link)->next;
	for (w = *link; w != NULL && w->seq == s->seq; w = w->next) {
		if (w->length < s->length)
			continue;
		count(n->counters, COUNTER_OVERLAPS);
		if (w->captured >= s->captured && s->captured > 0 &&
		    memcmp(w->bytes, s->bytes, s->captured) != 0)
			count(n->counters, COUNTER_OVERLAP_DIFFERS);
		w->fin |= s->fin && w->length == s->length;
		return true;
	}
	if (d->queued >= WAITING_MAX ||
	    n->waiting_bytes + sizeof(*w) + s->captured >
		n->config.out_of_order_bytes_max)
		return false;
	w = malloc(sizeof(*w) + s->captured);
	if (w == NULL)
		return false;
	*w = (struct waiting){ .next = *link, .seq = s->seq, .ack = s->ack,
		.captured = s->captured, .length = s->length,
		.packet_count = f->packet_count, .has_ack = s->has_ack,
		.fin = s->fin, .held = held, .origin = s->origin };
	if (s->captured > 0)
		memcpy(w->bytes, s->bytes, s->captured);
	*link = w;
	d->queued++;
	n->waiting_bytes += sizeof(*w) + s->captured;
	count(n->counters, held ? COUNTER_HELD : COUNTER_OUT_OF_ORDER);
	return true;
}

/* --- the listener ----------------------------------------------------------- */

static void
reclass(struct native *n, struct flow *f)
{
	static const enum flow_class classes[WORTHS] = {
		[WORTH_OPAQUE] = FLOW_OPAQUE,
		[WORTH_UNKNOWN] = FLOW_UNKNOWN,
		[WORTH_GREETED] = FLOW_GREETED,
		[WORTH_NEGOTIATING] = FLOW_NEGOTIATING,
	};
	enum flow_class class = (enum flow_class)f->class;

	if (class == FLOW_CLOSED)
		return;
	if (f->session != NULL)
		class = classes[n->listener.worth(n->listener.context,
		    f->session)];
	flow_table_touch(n->flows, f, class);
}

/* The flow is over or of no interest: only its five-tuple is remembered, so
 * that a late copy of a segment does not open it anew. */
static void
remember_only(struct native *n, struct flow *f)
{
	for (int dir = 0; dir < 2; dir++)
		forget_waiting(n, &f->dirs[dir]);
	f->session = NULL;
	flow_table_touch(n->flows, f, FLOW_CLOSED);
	if (flow_table_count(n->flows, FLOW_CLOSED) > n->closed_max)
		flow_table_remove(n->flows,
		    flow_table_oldest(n->flows, FLOW_CLOSED));
}

static void
acked_offsets(const struct flow *f, uint64_t acked[2])
{
	for (int dir = 0; dir < 2; dir++) {
		const struct direction *d = &f->dirs[dir];

		int64_t ahead = (int32_t)(d->acked - d->next);

		acked[dir] = 0;
		if (d->has_base && d->has_acked &&
		    (ahead >= 0 || (uint64_t)-ahead <= d->offset))
			acked[dir] = d->offset + (uint64_t)ahead;
	}
}

/* Opens the session with the first octet. False: nobody wants it. */
static bool
open_session(struct native *n, struct flow *f, const struct origin *at)
{
	struct flow_start start = { .midstream = f->midstream };

	start.identity.client = f->ends[TO_CLIENT];
	start.identity.server = f->ends[TO_SERVER];
	start.identity.client_isn = f->isn[TO_SERVER];
	start.identity.server_isn = f->isn[TO_CLIENT];
	start.identity.has_client_isn = f->dirs[TO_SERVER].has_isn;
	start.identity.has_server_isn = f->dirs[TO_CLIENT].has_isn;
	start.identity.on_mail_port = f->on_mail_port;
	f->session = n->listener.opened(n->listener.context, &start, at);
	if (f->session == NULL) {
		remember_only(n, f);
		return false;
	}
	f->interest = INTEREST_NEGOTIATION;
	reclass(n, f);
	return true;
}

static void
take_interest(struct native *n, struct flow *f, enum interest interest,
    const struct origin *at)
{
	uint64_t acked[2];

	f->interest = (uint8_t)interest;
	if (interest != INTEREST_NONE)
		return;
	acked_offsets(f, acked);
	n->listener.closed(n->listener.context, f->session, ENDING_FIN,
	    TO_SERVER, acked, at);
	remember_only(n, f);
}

static void
report_gap(struct native *n, struct flow *f, enum dir dir, uint32_t missing,
    bool snapped, struct origin at)
{
	struct direction *d = &f->dirs[dir];

	if (missing == 0 || (f->session == NULL && !open_session(n, f, &at)))
		return;
	count(n->counters, COUNTER_GAPS);
	n->counters->of[COUNTER_GAP_BYTES] += missing;
	at.stream_offset = d->offset;
	at.one_sided = one_sided(f);
	d->next += missing;
	d->offset += missing;
	d->hole_ns = 0;
	take_interest(n, f,
	    n->listener.gap(n->listener.context, f->session, dir, missing,
		snapped, &at),
	    &at);
}

/* Hands on what is new in a segment whose turn it is. */
static void
deliver(struct native *n, struct flow *f, enum dir dir,
    const struct segment *s)
{
	struct direction *d = &f->dirs[dir];
	uint32_t old = d->next - s->seq;	/* octets that were here before */
	struct origin at = s->origin;

	at.one_sided = one_sided(f);
	if (s->length > 0 && old > 0)
		count(n->counters, COUNTER_OVERLAPS);
	if (old < s->length) {
		uint32_t fresh = s->captured > old ? s->captured - old : 0;
		uint32_t missing = s->length - old - fresh;

		if (f->session == NULL && !open_session(n, f, &at))
			return;
		if (fresh > 0) {
			enum interest interest;

			at.stream_offset = d->offset;
			d->next += fresh;
			d->offset += fresh;
			interest = n->listener.bytes(n->listener.context,
			    f->session, dir, slice_of(s->bytes + old, fresh),
			    &at);
			take_interest(n, f, interest, &at);
		}
		if (f->session != NULL)
			report_gap(n, f, dir, missing, true, s->origin);
	}
	if (s->fin && d->next == s->seq + s->length) {
		d->finished = true;
		if (!f->dirs[dir_peer(dir)].finished)
			f->first_fin = dir == TO_CLIENT;
	}
}

/* --- whose turn is it ----------------------------------------------------- */

/*
 * Does the segment acknowledge what the peer has not been seen to send?
 * Behind the negotiation only replies wait: they are short, and what they
 * answer must not come after them.
 */
static bool
ahead_of_peer(const struct flow *f, enum dir dir, uint32_t ack, bool has_ack)
{
	const struct direction *peer = &f->dirs[dir_peer(dir)];

	if (f->interest != INTEREST_NEGOTIATION &&
	    !(f->interest == INTEREST_BYTES && dir == TO_CLIENT))
		return false;
	return has_ack && peer->seen && peer->has_base && !peer->finished &&
	    seq_before(peer->next, ack) && ack - peer->next <= ACK_AHEAD_MAX;
}

static bool
hold_is_over(const struct flow *f, const struct waiting *w, int64_t now_ns)
{
	return f->packet_count - w->packet_count > HOLD_PACKETS ||
	    now_ns - w->origin.capture_ts_ns > HOLD_NS;
}

/* Octets from `next` to what waits, or to what was acknowledged. */
static uint32_t
hole_bytes(const struct direction *d, uint32_t upto)
{
	if (d->waiting != NULL && seq_before(d->waiting->seq, upto))
		upto = d->waiting->seq;
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
	if (f->interest == INTEREST_OPAQUE)
		return true;
	if (!d->has_acked || seq_before(d->acked, d->waiting->seq))
		return false;
	if (d->hole_ns == 0) {
		d->hole_ns = now_ns;
		d->hole_packets = f->packet_count;
	}
	return f->packet_count - d->hole_packets >= HOLE_PACKETS ||
	    now_ns - d->hole_ns > HOLE_NS;
}

static void
deliver_first_waiting(struct native *n, struct flow *f, enum dir dir)
{
	struct direction *d = &f->dirs[dir];
	struct waiting *w = d->waiting;
	struct segment s = { w->seq, w->ack, w->captured, w->length,
		w->has_ack, w->fin, w->bytes, w->origin };

	d->waiting = w->next;
	d->queued--;
	d->hole_ns = 0;
	deliver(n, f, dir, &s);
	n->waiting_bytes -= sizeof(*w) + w->captured;
	free(w);
}

/* One step in one direction; false: nothing can be done there. `flush`: no
 * more packets will come. */
static bool
drain_step(struct native *n, struct flow *f, enum dir dir, int64_t now_ns,
    bool flush)
{
	struct direction *d = &f->dirs[dir];
	struct waiting *w = d->waiting;

	if (w == NULL)
		return false;
	if (seq_before(d->next, w->seq)) {
		if (!flush && !hole_is_final(f, d, now_ns))
			return false;
		report_gap(n, f, dir, w->seq - d->next, false, w->origin);
		return true;
	}
	if (ahead_of_peer(f, dir, w->ack, w->has_ack)) {
		struct direction *peer = &f->dirs[dir_peer(dir)];

		if (!flush && !hold_is_over(f, w, now_ns))
			return false;
		/* What it acknowledges was sent, and not captured. With peer
		 * segments in the queue their own hole comes first. */
		if (hole_bytes(peer, w->ack) > 0) {
			report_gap(n, f, dir_peer(dir),
			    hole_bytes(peer, w->ack), false, w->origin);
			return true;
		}
		if (peer->waiting != NULL && !ahead_of_peer(f, dir_peer(dir),
			peer->waiting->ack, peer->waiting->has_ack)) {
			deliver_first_waiting(n, f, dir_peer(dir));
			return true;
		}
	}
	deliver_first_waiting(n, f, dir);
	return true;
}

static void
drain(struct native *n, struct flow *f, int64_t now_ns, bool flush)
{
	/* Every step takes a segment from a queue or closes a hole. */
	while (f->session != NULL &&
	    (drain_step(n, f, TO_CLIENT, now_ns, flush) ||
		drain_step(n, f, TO_SERVER, now_ns, flush)))
		;
}

/* --- the end ---------------------------------------------------------------- */

static void
close_flow(struct native *n, struct flow *f, enum ending ending, enum dir who,
    struct origin at)
{
	uint64_t acked[2];

	if (f->session != NULL)
		drain(n, f, at.capture_ts_ns, true);
	if (f->session != NULL) {
		acked_offsets(f, acked);
		at.stream_offset = f->dirs[who].offset;
		at.one_sided = one_sided(f);
		n->listener.closed(n->listener.context, f->session, ending,
		    who, acked, &at);
	}
	remember_only(n, f);
}

/* The flow goes altogether: nothing remembers it. */
static void
end_flow(struct native *n, struct flow *f, enum ending ending)
{
	struct origin at = { f->last_frame, UINT64_MAX, f->last_ns, 0,
		f->capture, false };
	bool finished = f->dirs[0].finished || f->dirs[1].finished;
	enum dir who = f->first_fin ? TO_CLIENT : TO_SERVER;

	if (ending != ENDING_EVICTED && f->reset) {
		ending = ENDING_RST;
		who = f->reset_by_client ? TO_SERVER : TO_CLIENT;
	} else if (ending != ENDING_EVICTED && finished) {
		ending = ENDING_FIN;
	}
	if (f->class == FLOW_CLOSED) {
		flow_table_remove(n->flows, f);
		return;
	}
	if (f->session != NULL)
		drain(n, f, f->last_ns, true);
	if (f->session != NULL) {
		uint64_t acked[2];

		acked_offsets(f, acked);
		at.stream_offset = f->dirs[who].offset;
		at.one_sided = one_sided(f);
		n->listener.closed(n->listener.context, f->session, ending,
		    who, acked, &at);
	}
	for (int dir = 0; dir < 2; dir++)
		forget_waiting(n, &f->dirs[dir]);
	flow_table_remove(n->flows, f);
}

static void
shed_one(struct native *n)
{
	for (int class = 0; class < FLOW_CLASSES; class++) {
		struct flow *f = flow_table_oldest(n->flows,
		    (enum flow_class)class);

		if (f == NULL)
			continue;
		if (evicted_counters[class] != COUNTERS)
			count(n->counters, evicted_counters[class]);
		end_flow(n, f, ENDING_EVICTED);
		return;
	}
}

void
native_expire(struct native *n, int64_t now_ns)
{
	n->now_ns = now_ns;
	for (int class = 0; class < FLOW_CLASSES; class++) {
		struct flow *f;

		while ((f = flow_table_oldest(n->flows,
			    (enum flow_class)class)) != NULL &&
		    now_ns - f->last_ns > idle_ns[class])
			end_flow(n, f, ENDING_EXPIRED);
	}
}

void
native_finish(struct native *n)
{
	for (int class = 0; class < FLOW_CLASSES; class++) {
		struct flow *f;

		while ((f = flow_table_oldest(n->flows,
			    (enum flow_class)class)) != NULL)
			end_flow(n, f, ENDING_CAPTURE_END);
	}
	n->now_ns = INT64_MIN;
}

void
native_destroy(struct native *n)
{
	if (n == NULL)
		return;
	for (int class = 0; class < FLOW_CLASSES; class++) {
		struct flow *f;

		while ((f = flow_table_oldest(n->flows,
			    (enum flow_class)class)) != NULL) {
			for (int dir = 0; dir < 2; dir++)
				forget_waiting(n, &f->dirs[dir]);
			flow_table_remove(n->flows, f);
		}
	}
	flow_table_destroy(n->flows);
	free(n);
}

/* --- a segment comes ----------------------------------------------------------- */

static struct flow *
add_flow(struct native *n, const struct packet *p, enum dir dir)
{
	struct flow *f = flow_table_add(n->flows, p, dir);

	if (f == NULL) {
		shed_one(n);
		f = flow_table_add(n->flows, p, dir);
		if (f == NULL)
			return NULL;
	}
	f->on_mail_port = is_mail_port(n, f->ends[TO_SERVER].port);
	f->last_ns = p->capture_ts_ns;
	count(n->counters, COUNTER_FLOWS);
	return f;
}

/* A flow of which nobody saw the start: the mail port is the server's, or
 * else the lower one. */
static enum dir
midstream_dir(const struct native *n, const struct packet *p)
{
	bool src = is_mail_port(n, p->src.port);
	bool dst = is_mail_port(n, p->dst.port);

	if (src != dst)
		return src ? TO_CLIENT : TO_SERVER;
	return p->src.port < p->dst.port ? TO_CLIENT : TO_SERVER;
}

static struct flow *
open_flow(struct native *n, const struct packet *p, enum dir *dir)
{
	bool mail = is_mail_port(n, p->src.port) ||
	    is_mail_port(n, p->dst.port);
	struct flow *f;

	if (p->flags & TCP_RST || (!mail && !n->config.any_port))
		return NULL;
	if (p->flags & TCP_SYN) {
		*dir = p->flags & TCP_ACK ? TO_CLIENT : TO_SERVER;
		return add_flow(n, p, *dir);
	}
	if (!mail || p->payload_wire_bytes == 0)
		return NULL;
	*dir = midstream_dir(n, p);
	f = add_flow(n, p, *dir);
	if (f != NULL) {
		f->midstream = true;
		count(n->counters, COUNTER_MIDSTREAM);
	}
	return f;
}

static void
set_base(struct direction *d, uint32_t base)
{
	d->base = d->next = base;
	d->has_base = true;
}

/* Has anything but the client's SYN been seen of the connection? */
static bool
is_established(const struct flow *f)
{
	return f->class != FLOW_CLOSED &&
	    (f->session != NULL || f->dirs[TO_CLIENT].seen) &&
	    !f->dirs[0].finished && !f->dirs[1].finished && !f->reset;
}

/* False: a SYN of another connection on the five-tuple. */
static bool
note_syn(struct flow *f, enum dir dir, const struct packet *p)
{
	struct direction *d = &f->dirs[dir];

	if (d->has_isn)
		return f->isn[dir] == p->seq;
	/* A flow that was picked up before its SYN, out of order? */
	if (d->seen && d->has_base && d->base != p->seq + 1)
		return false;
	if (!d->seen)
		set_base(d, p->seq + 1);
	f->isn[dir] = p->seq;
	d->has_isn = d->seen = true;
	if (f->dirs[TO_SERVER].has_isn || f->dirs[TO_CLIENT].has_isn)
		f->midstream = false;
	return true;
}

/* Of several SYNs the server answers one. */
static void
settle_client_isn(struct flow *f, enum dir dir, const struct packet *p)
{
	struct direction *client = &f->dirs[TO_SERVER];

	if (dir != TO_CLIENT || !(p->flags & TCP_SYN) ||
	    !(p->flags & TCP_ACK) || f->session != NULL ||
	    client->waiting != NULL || !client->has_isn)
		return;
	set_base(client, p->ack);
	f->isn[TO_SERVER] = p->ack - 1;
}

/* What the handshake's other half would have said. */
static void
infer_peer_base(struct flow *f, enum dir dir, const struct packet *p)
{
	struct direction *peer = &f->dirs[dir_peer(dir)];

	if (!(p->flags & TCP_ACK) || peer->has_base || p->ack == 0)
		return;
	set_base(peer, p->ack);
	if (p->flags & TCP_SYN || (f->dirs[dir].has_isn &&
		f->dirs[dir].offset == 0 && p->seq == f->dirs[dir].base)) {
		f->isn[dir_peer(dir)] = p->ack - 1;
		peer->has_isn = true;
	}
}

static void
note_ack(struct native *n, struct flow *f, enum dir dir,
    const struct packet *p)
{
	struct direction *peer = &f->dirs[dir_peer(dir)];
	uint64_t acked[2];

	if (!(p->flags & TCP_ACK) || !peer->has_base)
		return;
	if ((peer->has_acked && !seq_before(peer->acked, p->ack)) ||
	    seq_before(peer->next + ACK_AHEAD_MAX, p->ack))
		return;
	peer->acked = p->ack;
	peer->has_acked = true;
	if (f->session == NULL)
		return;
	acked_offsets(f, acked);
	n->listener.acked(n->listener.context, f->session, dir_peer(dir),
	    acked[dir_peer(dir)]);
}

/*
 * Would the receiver have thrown it away for its sum? Only where the
 * direction's first segment was right: with checksum offload none is.
 */
static bool
bad_sum(struct native *n, struct flow *f, enum dir dir,
    const struct packet *p)
{
	struct direction *d = &f->dirs[dir];
	bool ok;

	if (p->payload_bytes < p->payload_wire_bytes)
		return false;
	if (d->sums_known && (!d->sums_checked ||
		(f->session != NULL && f->interest != INTEREST_NEGOTIATION)))
		return false;
	ok = packet_checksum_ok(p);
	if (!d->sums_known) {
		d->sums_known = true;
		d->sums_checked = ok;
		return false;
	}
	if (!ok)
		count(n->counters, COUNTER_BAD_CHECKSUM);
	return !ok;
}

static void
take_payload(struct native *n, struct flow *f, enum dir dir,
    const struct packet *p)
{
	struct direction *d = &f->dirs[dir];
	struct segment s = { p->seq, p->ack, p->payload_bytes,
		p->payload_wire_bytes, p->flags & TCP_ACK, p->flags & TCP_FIN,
		p->payload, origin_of(p) };
	bool held, due;

	if (p->flags & TCP_SYN)
		s.seq++;	/* data with the SYN, RFC 7413 */
	if (!d->has_base)
		set_base(d, s.seq);
	d->seen = true;
	if (!seq_before(d->next, s.seq + s.length) && !s.fin) {
		count(n->counters, COUNTER_OVERLAPS);
		return;
	}
	held = ahead_of_peer(f, dir, s.ack, s.has_ack);
	/* Nothing before it is missing, or held. */
	due = !seq_before(d->next, s.seq) &&
	    (d->waiting == NULL || seq_before(d->next, d->waiting->seq));
	if (due && !held) {
		deliver(n, f, dir, &s);
		return;
	}
	if (f->session == NULL && !open_session(n, f, &s.origin))
		return;
	if (f->interest == INTEREST_OPAQUE && seq_before(d->next, s.seq)) {
		report_gap(n, f, dir, s.seq - d->next, false, s.origin);
		if (f->session != NULL)
			deliver(n, f, dir, &s);
		return;
	}
	while (!enqueue(n, f, dir, &s, held)) {
		/* No room: what is missing is given up, the order between
		 * the directions, or this segment. */
		if (due) {
			deliver(n, f, dir, &s);
			return;
		}
		if (d->waiting == NULL) {
			count(n->counters, COUNTER_SEGMENT_EVICTED);
			return;
		}
		drain(n, f, INT64_MAX, true);
		if (f->session == NULL)
			return;
	}
}

/*
 * RFC 5961 3.2: a reset that is not at its place is challenged, and the
 * session goes on. Where octets before it are missing here it may be right,
 * so it counts if nothing follows.
 */
static void
take_reset(struct native *n, struct flow *f, enum dir dir,
    const struct packet *p)
{
	const struct direction *d = &f->dirs[dir];
	uint32_t end = d->next + d->finished;
	/* The receiver may be as far as it has acknowledged, or at the end. */
	uint32_t in_flight = d->has_acked && seq_before(d->acked, end) ?
	    end - d->acked :
	    0;

	if (!d->has_base || end - p->seq <= in_flight ||
	    (d->has_acked && p->seq == d->acked)) {
		close_flow(n, f, ENDING_RST, dir, origin_of(p));
		return;
	}
	count(n->counters, COUNTER_STRAY_RST);
	if ((uint32_t)(p->seq - d->next + RST_WINDOW) > 2u * RST_WINDOW)
		return;
	f->reset = true;
	f->reset_by_client = dir == TO_SERVER;
}

static void
after_segment(struct native *n, struct flow *f, enum dir dir,
    const struct packet *p)
{
	if (f->session != NULL &&
	    (f->dirs[0].waiting != NULL || f->dirs[1].waiting != NULL))
		drain(n, f, p->capture_ts_ns, false);
	if (f->class == FLOW_CLOSED)
		return;
	if (p->flags & TCP_RST) {
		take_reset(n, f, dir, p);
		return;
	}
	if (p->payload_wire_bytes > 0)
		f->reset = false;
	if (f->dirs[0].finished && f->dirs[1].finished) {
		close_flow(n, f, ENDING_FIN,
		    f->first_fin ? TO_CLIENT : TO_SERVER, origin_of(p));
		return;
	}
	reclass(n, f);
}

/* Another connection takes the place of the one that is remembered. */
static struct flow *
reopen(struct native *n, struct flow *f, const struct packet *p, enum dir *dir)
{
	if (f->class != FLOW_CLOSED) {
		close_flow(n, f, ENDING_REUSED, TO_SERVER, origin_of(p));
		f = flow_table_find(n->flows, p, dir);
	}
	if (f != NULL)
		flow_table_remove(n->flows, f);
	return open_flow(n, p, dir);
}

/*
 * Anybody can forge a SYN amid a session; the receiver challenges it
 * (RFC 5961 4). A new connection on the same ports begins when the server
 * acknowledges that SYN, or, where only the client is seen, when the client
 * goes on from it. Is this such a packet?
 */
static bool
confirms_rival(const struct flow *f, enum dir dir, const struct packet *p)
{
	if (!f->has_rival || f->class == FLOW_CLOSED)
		return false;
	if (dir == TO_CLIENT)
		return p->flags & TCP_ACK && p->ack == f->rival_isn + 1;
	return !(p->flags & TCP_SYN) && one_sided(f) &&
	    p->seq == f->rival_isn + 1;
}

static struct flow *
take_rival(struct native *n, struct flow *f, const struct packet *p,
    enum dir *dir)
{
	uint32_t isn = f->rival_isn;
	bool on_mail_port = f->on_mail_port;
	struct direction *client;

	close_flow(n, f, ENDING_REUSED, TO_SERVER, origin_of(p));
	f = flow_table_find(n->flows, p, dir);
	if (f != NULL)
		flow_table_remove(n->flows, f);
	f = add_flow(n, p, *dir);
	if (f == NULL)
		return NULL;
	f->on_mail_port = on_mail_port;
	client = &f->dirs[TO_SERVER];
	set_base(client, isn + 1);
	f->isn[TO_SERVER] = isn;
	client->has_isn = client->seen = client->captured = true;
	if (p->flags & TCP_SYN)
		note_syn(f, *dir, p);
	return f;
}

/* The flow that the packet belongs to; NULL: to none that is followed. */
static struct flow *
flow_of_syn(struct native *n, struct flow *f, const struct packet *p,
    enum dir *dir)
{
	if (note_syn(f, *dir, p))
		return f;
	/* A SYN-ACK of another connection belongs to none we know. */
	if (p->flags & TCP_ACK && f->class != FLOW_CLOSED)
		return NULL;
	if (is_established(f)) {
		count(n->counters, COUNTER_RIVAL_SYN);
		f->rival_isn = p->seq;
		f->has_rival = true;
		return NULL;
	}
	f = reopen(n, f, p, dir);
	if (f != NULL)
		note_syn(f, *dir, p);
	return f;
}

void
native_segment(struct native *n, const struct packet *p)
{
	enum dir dir = TO_SERVER;
	struct flow *f = flow_table_find(n->flows, p, &dir);

	if (f == NULL && (f = open_flow(n, p, &dir)) == NULL)
		return;
	/* Off the mail ports a server speaks first, or it is no SMTP. */
	if (!f->on_mail_port && f->session == NULL && dir == TO_SERVER &&
	    p->payload_wire_bytes > 0 && f->class != FLOW_CLOSED) {
		flow_table_remove(n->flows, f);
		return;
	}
	if ((f->on_mail_port || f->session != NULL) && bad_sum(n, f, dir, p))
		return;
	if (confirms_rival(f, dir, p))
		f = take_rival(n, f, p, &dir);
	else if (p->flags & TCP_SYN)
		f = flow_of_syn(n, f, p, &dir);
	if (f == NULL)
		return;
	f->packet_count++;
	f->dirs[dir].captured = true;
	f->last_frame = p->number;
	f->capture = p->capture;
	f->last_ns = p->capture_ts_ns > n->now_ns ? p->capture_ts_ns :
						    n->now_ns;
	if (f->class == FLOW_CLOSED) {
		flow_table_touch(n->flows, f, FLOW_CLOSED);
		return;
	}
	settle_client_isn(f, dir, p);
	infer_peer_base(f, dir, p);
	note_ack(n, f, dir, p);
	if (p->payload_wire_bytes > 0 || p->flags & TCP_FIN)
		take_payload(n, f, dir, p);
	after_segment(n, f, dir, p);
}
