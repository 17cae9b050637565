/* What the listener is told of a flow, and what it says to that. */
#include "native_flow.h"

void
native_reclass(struct native *n, struct flow *f)
{
	static const enum flow_class classes[WORTHS] = {
		[WORTH_OPAQUE] = FLOW_OPAQUE,
		[WORTH_UNKNOWN] = FLOW_UNKNOWN,
		[WORTH_GREETED] = FLOW_GREETED,
		[WORTH_NEGOTIATING] = FLOW_NEGOTIATING,
	};
	enum flow_class class = (enum flow_class)f->class;

	if (flow_is_over(f))
		return;
	if (f->session != NULL)
		class = classes[f->worth];
	else if (is_answered(f))
		class = FLOW_UNKNOWN; /* a server may take its time */
	/* What nobody answers, or nobody saw begin, is made up cheaply: it
	 * must not drive out a negotiation. */
	if (class > FLOW_OPAQUE && !is_answered(f))
		class = FLOW_UNANSWERED;
	else if (class > FLOW_GREETED && f->midstream)
		class = FLOW_GREETED;
	flow_table_touch(n->flows, f, class);
}

void
native_end_lingering(struct native *n, struct flow *f)
{
	if (f->session != NULL)
		n->listener.forgotten(n->listener.context, f->session);
	f->session = NULL;
}

void
native_remember_only(struct native *n, struct flow *f)
{
	for (int dir = 0; dir < 2; dir++)
		native_forget_waiting(n, &f->dirs[dir]);
	if (f->class == FLOW_LINGERING)
		native_end_lingering(n, f);
	f->session = NULL;
	flow_table_touch(n->flows, f, FLOW_CLOSED);
	if (flow_table_count(n->flows, FLOW_CLOSED) > n->closed_max)
		flow_table_remove(n->flows,
		    flow_table_oldest(n->flows, FLOW_CLOSED));
}

void
native_acked_offsets(const struct flow *f, uint64_t acked[2])
{
	for (int dir = 0; dir < 2; dir++) {
		const struct direction *d = &f->dirs[dir];

		int64_t ahead = (int32_t)(d->acked - d->next);

		/* A FIN takes a sequence number, and is no octet. */
		if (d->finished && ahead > 0)
			ahead = 0;
		acked[dir] = 0;
		if (d->has_base && d->has_acked &&
		    (ahead >= 0 || (uint64_t)-ahead <= d->offset))
			acked[dir] = d->offset + (uint64_t)ahead;
	}
}

/* It changes only with what the session gets. */
static void
note_worth(const struct native *n, struct flow *f)
{
	f->worth = (uint8_t)n->listener.worth(n->listener.context, f->session);
}

bool
native_open_session(struct native *n, struct flow *f, const struct origin *at)
{
	struct flow_start start = { .midstream = f->midstream };

	start.identity.client = f->ends[TO_CLIENT];
	start.identity.server = f->ends[TO_SERVER];
	start.identity.client_isn = f->dirs[TO_SERVER].base - 1;
	start.identity.server_isn = f->dirs[TO_CLIENT].base - 1;
	start.identity.has_client_isn = f->dirs[TO_SERVER].has_isn;
	start.identity.has_server_isn = f->dirs[TO_CLIENT].has_isn;
	start.identity.on_mail_port = f->on_mail_port;
	f->session = n->listener.opened(n->listener.context, &start, at);
	if (f->session == NULL) {
		native_remember_only(n, f);
		return false;
	}
	f->interest = INTEREST_NEGOTIATION;
	note_worth(n, f);
	native_reclass(n, f);
	return true;
}

static void
take_interest(struct native *n, struct flow *f, enum interest interest,
    const struct origin *at)
{
	uint64_t acked[2];

	f->interest = (uint8_t)interest;
	if (interest != INTEREST_NONE) {
		note_worth(n, f);
		return;
	}
	native_acked_offsets(f, acked);
	n->listener.closed(n->listener.context, f->session, ENDING_FIN,
	    TO_SERVER, acked, at);
	native_remember_only(n, f);
}

static void
say_acked(struct native *n, const struct flow *f)
{
	uint64_t acked[2];

	if (n->listener.acked == NULL)
		return;
	native_acked_offsets(f, acked);
	n->listener.acked(n->listener.context, f->session, acked);
}

void
native_report_gap(struct native *n, struct flow *f, enum dir dir,
    uint32_t missing, bool snapped, const struct origin *from)
{
	struct direction *d = &f->dirs[dir];
	struct origin at = *from;

	if (missing == 0 ||
	    (f->session == NULL && !native_open_session(n, f, &at)))
		return;
	count(n->counters, COUNTER_GAPS);
	/* The receiver had them: it is the capture that lost them. */
	if (d->has_acked && !snapped &&
	    !seq_before(d->acked, d->next + missing))
		n->counters->of[COUNTER_ACK_UNSEEN] += missing;
	n->counters->of[COUNTER_GAP_BYTES] += missing;
	at.stream_offset = d->offset;
	at.one_sided = one_sided(f);
	say_acked(n, f);
	d->next += missing;
	d->offset += missing;
	if (d->queue != NULL)
		d->queue->hole_acked = false;
	take_interest(n, f,
	    n->listener.gap(n->listener.context, f->session, dir, missing,
		snapped, &at),
	    &at);
}

void
native_deliver(struct native *n, struct flow *f, enum dir dir,
    struct segment *s)
{
	struct direction *d = &f->dirs[dir];
	uint32_t old = d->next - s->seq; /* octets that were here before */

	s->origin.one_sided = one_sided(f);
	if (s->length > 0 && old > 0)
		count(n->counters, COUNTER_OVERLAPS);
	if (old < s->length) {
		uint32_t fresh = s->captured > old ? s->captured - old : 0;
		uint32_t missing = s->length - old - fresh;

		if (f->session == NULL &&
		    !native_open_session(n, f, &s->origin))
			return;
		if (fresh > 0) {
			enum interest interest;

			say_acked(n, f);
			s->origin.stream_offset = d->offset;
			d->next += fresh;
			d->offset += fresh;
			interest = n->listener.bytes(n->listener.context,
			    f->session, dir, slice_of(s->bytes + old, fresh),
			    &s->origin);
			take_interest(n, f, interest, &s->origin);
		}
		if (f->session != NULL && missing > 0)
			native_report_gap(n, f, dir, missing, true, &s->origin);
	}
	if (s->fin && d->next == s->seq + s->length) {
		d->finished = true;
		if (!f->dirs[dir_peer(dir)].finished)
			f->first_fin = dir == TO_CLIENT;
	}
}
