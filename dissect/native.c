#include "native.h"

#include <stdlib.h>

#include "native_flow.h"

#define RST_WINDOW 65536

/* RFC 5321 4.5.3.2 allows an SMTP peer up to ten minutes; much longer is
 * somebody who went away. */
static const int64_t idle_ns[FLOW_CLASSES] = {
	[FLOW_CLOSED] = 60 * NS_PER_S,
	[FLOW_LINGERING] = 3 * NS_PER_S,
	[FLOW_HALF_OPEN] = 60 * NS_PER_S,
	[FLOW_UNANSWERED] = 900 * NS_PER_S,
	[FLOW_OPAQUE] = 3600 * NS_PER_S,
	[FLOW_UNKNOWN] = 900 * NS_PER_S,
	[FLOW_GREETED] = 3600 * NS_PER_S,
	[FLOW_NEGOTIATING] = 3600 * NS_PER_S,
};

static const enum counter evicted_counters[FLOW_CLASSES] = {
	[FLOW_CLOSED] = COUNTERS, /* nothing is lost with it */
	[FLOW_LINGERING] = COUNTERS,
	[FLOW_HALF_OPEN] = COUNTER_FLOW_EVICTED_HALF_OPEN,
	[FLOW_UNANSWERED] = COUNTER_FLOW_EVICTED_UNANSWERED,
	[FLOW_OPAQUE] = COUNTER_FLOW_EVICTED_OPAQUE,
	[FLOW_UNKNOWN] = COUNTER_FLOW_EVICTED_OTHER,
	[FLOW_GREETED] = COUNTER_FLOW_EVICTED_GREETED,
	[FLOW_NEGOTIATING] = COUNTER_FLOW_EVICTED_NEGOTIATING,
};

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
	n->closed_max = config->flows_max / 64 + 1;
	n->flows = flow_table_create(config->flows_max, config->key);
	if (n->flows == NULL) {
		free(n);
		return NULL;
	}
	return n;
}

/* --- the end ------------------------------------------------------------- */

/* Tells the listener that the session is over; true: it lingers. */
static bool
close_session(struct native *n, struct flow *f, enum ending ending,
    enum dir who, struct origin at)
{
	uint64_t acked[2];
	bool lingers;

	if (f->session != NULL)
		native_drain(n, f, at.capture_ts_ns, true);
	if (f->session == NULL)
		return false;
	lingers = n->listener.lingers != NULL &&
	    n->listener.lingers(n->listener.context, f->session);
	native_acked_offsets(f, acked);
	at.stream_offset = f->dirs[who].offset;
	at.one_sided = one_sided(f);
	n->listener.closed(n->listener.context, f->session, ending, who, acked,
	    &at);
	return lingers;
}

void
native_close_flow(struct native *n, struct flow *f, enum ending ending,
    enum dir who, struct origin at)
{
	if (f->class == FLOW_LINGERING) {
		native_remember_only(n, f);
		return;
	}
	if (!close_session(n, f, ending, who, at)) {
		f->session = NULL;
		native_remember_only(n, f);
		return;
	}
	native_forget_waiting(n, &f->dirs[TO_SERVER]);
	native_forget_waiting(n, &f->dirs[TO_CLIENT]);
	flow_table_touch(n->flows, f, FLOW_LINGERING);
	if (flow_table_count(n->flows, FLOW_LINGERING) > LINGERING_MAX)
		native_remember_only(n,
		    flow_table_oldest(n->flows, FLOW_LINGERING));
}

/* The flow goes altogether: nothing remembers it. */
static void
end_flow(struct native *n, struct flow *f, enum ending ending)
{
	struct origin at = { f->last_frame, UINT64_MAX, f->last_ns, 0,
		f->capture, false };
	enum dir who;
	bool finished;

	/* A FIN may be among what waits. */
	if (f->session != NULL && !flow_is_over(f))
		native_drain(n, f, f->last_ns, true);
	finished = f->dirs[0].finished || f->dirs[1].finished;
	who = f->first_fin ? TO_CLIENT : TO_SERVER;
	if (ending != ENDING_EVICTED && f->reset) {
		ending = ENDING_RST;
		who = f->reset_by_client ? TO_SERVER : TO_CLIENT;
	} else if (ending != ENDING_EVICTED && finished) {
		ending = ENDING_FIN;
	}
	if (flow_is_over(f) || close_session(n, f, ending, who, at))
		native_end_lingering(n, f);
	for (int dir = 0; dir < 2; dir++)
		native_forget_waiting(n, &f->dirs[dir]);
	flow_table_remove(n->flows, f);
}

void
native_shed_one(struct native *n)
{
	for (int class = 0; class < FLOW_CLASSES; class ++) {
		struct flow *f =
		    flow_table_oldest(n->flows, (enum flow_class) class);

		if (f == NULL)
			continue;
		if (evicted_counters[class] != COUNTERS)
			count(n->counters, evicted_counters[class]);
		end_flow(n, f, ENDING_EVICTED);
		return;
	}
}

/* Of those that are worth the same, so many are looked at. */
#define LOOKED_AT 16
/* What an ordinary dialogue holds at most, its tape included: inflating
 * replies is an attack, and no plain negotiation is to pay for it. */
#define PLAIN_BYTES 16384

/* RFC 5321 4.5.3.2: whoever says nothing for ten minutes has gone. */
#define GONE_NS (600 * NS_PER_S)

static struct flow *
greediest(struct native *n, enum flow_class class, int64_t clock_ns)
{
	struct flow *f = flow_table_oldest(n->flows, class), *found = NULL;
	size_t most = class > FLOW_UNKNOWN ? PLAIN_BYTES : 0;

	/* Those that hold nothing stay behind and gather at the old end; what
	 * nobody answers, and dialogues that nobody goes on with, make way
	 * there, so that others can be reached. */
	if (class == FLOW_UNANSWERED ||
	    (class > FLOW_UNKNOWN && f != NULL &&
		elapsed_ns(f->seen_ns, clock_ns) > GONE_NS))
		found = f;
	for (int i = 0; f != NULL && i < LOOKED_AT; i++) {
		size_t held = f->session == NULL ?
		    0 :
		    n->listener.held_bytes(n->listener.context, f->session);

		if (held > most) {
			most = held;
			found = f;
		}
		f = flow_table_newer(n->flows, f);
	}
	return found;
}

bool
native_relieve(struct native *n, int64_t clock_ns)
{
	for (int class = FLOW_LINGERING; class < FLOW_CLASSES; class ++) {
		struct flow *f =
		    greediest(n, (enum flow_class) class, clock_ns);

		if (f == NULL)
			continue;
		if (evicted_counters[class] != COUNTERS)
			count(n->counters, evicted_counters[class]);
		/* It is remembered, so that it does not begin anew at once. */
		native_close_flow(n, f, ENDING_EVICTED, TO_SERVER,
		    (struct origin){ f->last_frame, UINT64_MAX, f->last_ns, 0,
			f->capture, false });
		if (f->class == FLOW_LINGERING)
			native_remember_only(n, f);
		return true;
	}
	return false;
}

void
native_expire(struct native *n, int64_t clock_ns)
{
	for (int class = 0; class < FLOW_CLASSES; class ++) {
		struct flow *f;

		while ((f = flow_table_oldest(n->flows,
			    (enum flow_class) class)) != NULL &&
		    elapsed_ns(f->seen_ns, clock_ns) > idle_ns[class])
			end_flow(n, f, ENDING_EXPIRED);
	}
}

void
native_finish(struct native *n)
{
	for (int class = 0; class < FLOW_CLASSES; class ++) {
		struct flow *f;

		while ((f = flow_table_oldest(n->flows,
			    (enum flow_class) class)) != NULL)
			end_flow(n, f, ENDING_CAPTURE_END);
	}
}

void
native_destroy(struct native *n)
{
	if (n == NULL)
		return;
	for (int class = 0; class < FLOW_CLASSES; class ++) {
		struct flow *f;

		while ((f = flow_table_oldest(n->flows,
			    (enum flow_class) class)) != NULL) {
			for (int dir = 0; dir < 2; dir++)
				native_forget_waiting(n, &f->dirs[dir]);
			flow_table_remove(n->flows, f);
		}
	}
	flow_table_destroy(n->flows);
	free(n);
}

/* --- a segment comes ----------------------------------------------------- */

static void
note_ack(struct flow *f, enum dir dir, const struct packet *p)
{
	struct direction *peer = &f->dirs[dir_peer(dir)];

	if (!(p->flags & TCP_ACK) || !peer->has_base)
		return;
	if ((peer->has_acked && !seq_before(peer->acked, p->ack)) ||
	    seq_before(peer->next + ACK_AHEAD_MAX, p->ack) ||
	    (!peer->has_acked && seq_before(p->ack, peer->base)))
		return;
	peer->acked = p->ack;
	peer->has_acked = true;
}

/*
 * Would the receiver have thrown it away for its sum? Only where the
 * direction's first segment was right: with checksum offload none is.
 */
static enum sum
sum_of(struct native *n, struct flow *f, enum dir dir, const struct packet *p)
{
	struct direction *d = &f->dirs[dir];
	enum sum sum;

	if (!f->on_mail_port && f->class == FLOW_CLOSED)
		return SUM_UNKNOWN;
	if (d->sums_known && !d->sums_checked)
		return SUM_UNKNOWN;
	if (d->sums_known && f->session != NULL &&
	    (f->interest != INTEREST_NEGOTIATION || f->class == FLOW_LINGERING))
		return SUM_UNCHECKED;
	sum = packet_sum(p);
	if (!d->sums_known && sum != SUM_UNKNOWN) {
		d->sums_known = true;
		d->sums_checked = sum == SUM_RIGHT;
		return d->sums_checked ? SUM_RIGHT : SUM_UNKNOWN;
	}
	if (sum == SUM_WRONG)
		count(n->counters, COUNTER_BAD_CHECKSUM);
	return sum;
}

static void
show_segment(struct native *n, const struct flow *f, enum dir dir,
    const struct packet *p, enum sum sum)
{
	const struct direction *d = &f->dirs[dir];
	const struct sent sent = { d->base, d->next, d->acked, d->has_acked };

	if (f->session != NULL && d->has_base && segment_tells(p) &&
	    n->listener.segment != NULL)
		n->listener.segment(n->listener.context, f->session, dir, p,
		    sum, &sent);
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
		s.seq++; /* data with the SYN, RFC 7413 */
	if (!d->has_base)
		set_base(d, s.seq);
	d->seen = true;
	if (!seq_before(d->next, s.seq + s.length) && !s.fin) {
		count(n->counters, COUNTER_OVERLAPS);
		return;
	}
	held = native_ahead_of_peer(f, dir, s.ack, s.has_ack);
	/* Nothing before it is missing, or held. */
	due = !seq_before(d->next, s.seq) &&
	    (native_first_waiting(d) == NULL ||
		seq_before(d->next, native_first_waiting(d)->seq));
	/* A copy of what is held may go ahead of it: free_to_go(). */
	if (!held && !seq_before(d->next, s.seq)) {
		native_deliver(n, f, dir, &s);
		return;
	}
	if (f->session == NULL && !native_open_session(n, f, &s.origin))
		return;
	if (f->interest == INTEREST_OPAQUE && seq_before(d->next, s.seq)) {
		native_report_gap(n, f, dir, s.seq - d->next, false, &s.origin);
		if (f->session != NULL)
			native_deliver(n, f, dir, &s);
		return;
	}
	while (!native_enqueue(n, f, dir, &s, held)) {
		/* No room: what is missing is given up, the order between
		 * the directions, or this segment. */
		if (due) {
			native_deliver(n, f, dir, &s);
			return;
		}
		count(n->counters, COUNTER_SEGMENT_EVICTED);
		if (native_first_waiting(d) == NULL)
			return;
		native_drain(n, f, INT64_MAX, true);
		if (f->session == NULL)
			return;
	}
}

/* Does it acknowledge what the peer has been seen to send? */
static bool
acks_peer(const struct flow *f, enum dir dir, const struct packet *p)
{
	const struct direction *peer = &f->dirs[dir_peer(dir)];

	return p->flags & TCP_ACK && peer->has_base &&
	    !seq_before(p->ack, peer->base) && !seq_before(peer->next, p->ack);
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
	uint32_t in_flight =
	    d->has_acked && seq_before(d->acked, end) ? end - d->acked : 0;

	/* Before a word or a SYN of its own it must acknowledge the peer's,
	 * RFC 9293 3.10.7.3. */
	if (!d->has_base) {
		if (acks_peer(f, dir, p))
			native_close_flow(n, f, ENDING_RST, dir, origin_of(p));
		else
			count(n->counters, COUNTER_STRAY_RST);
		return;
	}
	if (end - p->seq <= in_flight || (d->has_acked && p->seq == d->acked)) {
		native_close_flow(n, f, ENDING_RST, dir, origin_of(p));
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
	if (f->session != NULL && native_has_waiting(f))
		native_drain(n, f, p->capture_ts_ns, false);
	if (flow_is_over(f))
		return;
	if (p->flags & TCP_RST) {
		take_reset(n, f, dir, p);
		return;
	}
	if (p->payload_wire_bytes > 0)
		f->reset = false;
	if (f->dirs[0].finished && f->dirs[1].finished) {
		native_close_flow(n, f, ENDING_FIN,
		    f->first_fin ? TO_CLIENT : TO_SERVER, origin_of(p));
		return;
	}
	native_reclass(n, f);
}

void
native_expect(const struct native *n, struct packet *p)
{
	flow_table_expect(n->flows, p);
}

void
native_fetch(const struct native *n, struct packet *p)
{
	flow_table_fetch(n->flows, p);
}

const void *
native_session(const struct native *n, const struct packet *p)
{
	const struct flow *f = flow_table_fetched(n->flows, p);

	return f == NULL ? NULL : f->session;
}

void
native_segment(struct native *n, const struct packet *p)
{
	enum dir dir = TO_SERVER;
	struct flow *f = flow_table_find(n->flows, p, &dir);
	enum sum sum;
	bool shown;

	if (f == NULL && (f = native_open_flow(n, p, &dir)) == NULL)
		return;
	/* Off the mail ports a server speaks first, or it is no SMTP (nor
	 * DNS); the client may have heard what was not captured yet. */
	if (!f->on_mail_port && f->session == NULL && dir == TO_SERVER &&
	    p->payload_wire_bytes > 0 && !flow_is_over(f) &&
	    f->ends[TO_SERVER].port != DNS_PORT &&
	    !native_ahead_of_peer(f, dir, p->ack, p->flags & TCP_ACK)) {
		flow_table_remove(n->flows, f);
		return;
	}
	sum = sum_of(n, f, dir, p);
	if (sum == SUM_WRONG) {
		native_set_aside(n, f, dir, p);
		show_segment(n, f, dir, p, sum);
		return;
	}
	f = native_settle_flow(n, f, p, &dir);
	if (f == NULL)
		return;
	if (f->class == FLOW_LINGERING) {
		note_ack(f, dir, p);
		show_segment(n, f, dir, p, sum);
		return;
	}
	f->packet_count++;
	f->dirs[dir].captured = true;
	f->last_frame = p->number;
	f->capture = p->capture;
	f->last_ns = p->capture_ts_ns;
	f->seen_ns = p->clock_ns;
	if (f->class == FLOW_CLOSED) {
		flow_table_touch(n->flows, f, FLOW_CLOSED);
		return;
	}
	native_settle_bases(f, dir, p);
	note_ack(f, dir, p);
	shown = f->interest != INTEREST_OPAQUE ||
	    seq_before(p->seq, f->dirs[dir].next);
	if (p->payload_wire_bytes > 0 || p->flags & TCP_FIN)
		take_payload(n, f, dir, p);
	if (shown)
		show_segment(n, f, dir, p, sum);
	after_segment(n, f, dir, p);
}
