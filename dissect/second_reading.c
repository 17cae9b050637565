#include "second_reading.h"

#include <stdlib.h>

#include "native.h"

/* The facts of one negotiation; those of the tape are never more. */
#define FACTS_MAX_BYTES (4 * TAPE_MAX_BYTES)

struct reading {
	const struct segment_watch *watch;
	const struct flow_start *start;
	const struct smtp_options *options;
	struct fact_pool *pool;
	struct fact_log log; /* of this reading */
	struct smtp_session *session;
	uint8_t *facts;
	size_t length;
};

/* --- reading ------------------------------------------------------------- */

static void
on_publish(void *context, const struct publication *publication,
    struct slice facts)
{
	struct reading *r = context;

	(void)publication;
	if (facts.len > FACTS_MAX_BYTES - r->length || facts.len == 0)
		return;
	memcpy(r->facts + r->length, facts.ptr, facts.len);
	r->length += facts.len;
}

/* The session is as it was opened at first: what is known of where the flow
 * began does not depend on the copies. */
static void *
on_opened(void *context, const struct flow_start *start,
    const struct origin *at)
{
	struct reading *r = context;

	(void)start;
	(void)at;
	if (r->log.session != 0)
		return NULL;
	fact_log_open(&r->log, r->pool, 1);
	smtp_session_open(r->session, &r->log, r->options, r->start);
	return r->session;
}

static enum interest
on_bytes(void *context, void *session, enum dir dir, struct slice bytes,
    const struct origin *at)
{
	(void)context;
	return smtp_session_feed(session, dir, bytes, at);
}

static enum interest
on_gap(void *context, void *session, enum dir dir, uint64_t missing,
    bool snapped, const struct origin *at)
{
	(void)context;
	return smtp_session_gap(session, dir, missing, snapped, at);
}

static void
on_closed(void *context, void *session, enum ending ending, enum dir who,
    const uint64_t acked[2], const struct origin *at)
{
	struct reading *r = context;

	(void)acked;
	smtp_session_close(session, ending, who, at);
	smtp_session_publish(session);
	/* What was no SMTP in this reading is not published. */
	fact_log_close(&r->log);
}

static enum worth
worth_of(void *context, void *session)
{
	(void)context;
	(void)session;
	return WORTH_NEGOTIATING;
}

static void
on_acked(void *context, void *session, const uint64_t acked[2])
{
	struct reading *r = context;

	(void)session;
	memcpy(r->log.acked, acked, sizeof(r->log.acked));
}

static struct packet
packet_of(const struct reading *r, const struct taped *t, struct slice payload)
{
	const struct flow_identity *id = &r->start->identity;
	bool to_server = t->dir == TO_SERVER;

	return (struct packet){ .src = to_server ? id->client : id->server,
		.dst = to_server ? id->server : id->client,
		.number = t->copy.frame,
		.run_number = t->run_frame,
		.capture_ts_ns = t->copy.capture_ts_ns,
		.capture = t->capture,
		.payload = payload.ptr,
		.payload_bytes = (uint32_t)payload.len,
		.payload_wire_bytes = t->copy.length,
		.seq = t->copy.seq,
		.ack = t->copy.ack,
		.flags = t->copy.tcp_flags & (TCP_ACK | TCP_FIN),
		.header_cut = true, /* its sum was looked at already */
		.kind = PACKET_TCP };
}

/* Both streams begin where they began, whatever came first on the tape. */
static void
shake_hands(const struct reading *r, struct native *engine)
{
	struct taped syn = { .copy.tcp_flags = TCP_SYN };
	struct slice none = slice_of(NULL, 0);
	struct packet p;

	syn.copy.seq = r->watch->dirs[TO_SERVER].base - 1;
	p = packet_of(r, &syn, none);
	p.flags = TCP_SYN;
	native_segment(engine, &p);
	syn.dir = TO_CLIENT;
	syn.copy.seq = r->watch->dirs[TO_CLIENT].base - 1;
	syn.copy.ack = r->watch->dirs[TO_SERVER].base;
	p = packet_of(r, &syn, none);
	p.flags = TCP_SYN | TCP_ACK;
	native_segment(engine, &p);
}

/* The later copy that contradicts `t`; NULL: none does. */
static const struct taped *
find_contradiction(const struct reading *r, const struct taped *t)
{
	const struct taped *later;
	uint32_t at = 0, from;

	while ((later = tape_next(&r->watch->tape, &at)) != NULL)
		if (later->dir == t->dir && later->other_reading &&
		    !later->first_reading &&
		    tape_common(later, t->copy.seq, t->captured, &from) > 0)
			return later;
	return NULL;
}

/* Octets [from, to) of a segment. */
static void
feed_part(const struct reading *r, struct native *engine,
    const struct taped *whole, uint32_t from, uint32_t to)
{
	struct slice payload =
	    slice_first(slice_after(tape_payload(whole), from), to - from);
	struct taped part = *whole;
	struct packet p;

	part.copy.seq += from;
	part.copy.length = (uint32_t)payload.len;
	p = packet_of(r, &part, payload);
	if (payload.len > 0)
		native_segment(engine, &p);
}

/*
 * What a later copy leaves of a segment: what stands before it; and behind it,
 * unless both begin at the same place: then the one is instead of the other,
 * and a longer one's tail says nothing in the other's stead.
 */
static void
feed_rest(const struct reading *r, struct native *engine, const struct taped *t)
{
	const struct taped *later = find_contradiction(r, t);
	uint32_t tail;

	if (later == NULL || later->copy.seq == t->copy.seq)
		return;
	if (seq_before(t->copy.seq, later->copy.seq))
		feed_part(r, engine, t, 0, later->copy.seq - t->copy.seq);
	tail = later->copy.seq + later->captured - t->copy.seq;
	if (tail < t->captured)
		feed_part(r, engine, t, tail, t->captured);
}

static void
read_tape(struct reading *r, struct native *engine)
{
	const struct taped *t;
	uint32_t at = 0;

	if (r->watch->dirs[0].started && r->watch->dirs[1].started)
		shake_hands(r, engine);
	while ((t = tape_next(&r->watch->tape, &at)) != NULL) {
		struct packet p = packet_of(r, t, tape_payload(t));

		if (t->other_reading)
			native_segment(engine, &p);
		else if (t->first_reading)
			feed_rest(r, engine, t);
	}
	native_finish(engine);
}

static void
read_again(struct reading *r, const uint8_t *mail_ports)
{
	static const uint8_t key[16];
	const struct native_config config = { .flows_max = 2,
		.out_of_order_bytes_max = 4 * TAPE_MAX_BYTES,
		.any_port = true,
		.mail_ports = mail_ports,
		.key = key };
	const struct stream_listener listener = { .context = r,
		.opened = on_opened,
		.bytes = on_bytes,
		.gap = on_gap,
		.closed = on_closed,
		.worth = worth_of,
		.acked = on_acked };
	struct counters uncounted = { 0 };
	struct native *engine;

	r->pool = fact_pool_create(FACTS_MAX_BYTES, &uncounted, on_publish, r);
	engine = native_create(&config, &listener, &uncounted);
	if (r->pool != NULL && engine != NULL)
		read_tape(r, engine);
	native_destroy(engine);
	fact_pool_destroy(r->pool);
}

/* --- telling ------------------------------------------------------------- */

/* Does it stand where a later copy contradicts an earlier one? */
static bool
is_touched(const struct segment_watch *watch, const struct fact *fact)
{
	const struct taped *t;
	uint32_t at = 0;

	while ((t = tape_next(&watch->tape, &at)) != NULL) {
		uint64_t from = t->copy.seq - watch->dirs[t->dir].base;

		if (t->dir == fact->dir &&
		    t->first_reading != t->other_reading &&
		    fact->stream_offset < from + t->captured &&
		    from < fact->stream_offset + fact->extent)
			return true;
	}
	return false;
}

static bool
is_telling(const struct fact *fact)
{
	switch (fact->code) {
	case FACT_SESSION_OPENED:
	case FACT_BODY:
	case FACT_GAP:
	case FACT_OVER_LIMIT:
	case FACT_OPAQUE_END:
	case FACT_ACKNOWLEDGED:
	case FACT_CLOSED:
		return false;
	default:
		return fact->extent > 0;
	}
}

/* The lines of one reply, or a single fact; true: one of them is touched. */
static bool
take_group(const struct segment_watch *watch, struct slice *facts,
    struct slice *group)
{
	struct slice rest = *facts, bytes;
	struct fact fact;
	bool touched = false, first = true;

	for (;;) {
		struct slice before = rest;

		if (!fact_decode(&rest, &fact, &bytes) ||
		    (!first && fact.line <= 1)) {
			rest = before;
			break;
		}
		touched |= is_telling(&fact) && is_touched(watch, &fact);
		first = false;
	}
	*group = slice_first(*facts, facts->len - rest.len);
	*facts = rest;
	return touched;
}

static void
tell(struct fact_log *log, struct slice group)
{
	uint16_t observability = log->observability;
	struct slice bytes;
	struct fact fact;

	while (fact_decode(&group, &fact, &bytes)) {
		struct origin at = { .frame = fact.frame,
			.capture_ts_ns = fact.capture_ts_ns,
			.stream_offset = fact.stream_offset,
			.capture = fact.capture,
			.one_sided = fact.observability & OBS_ONE_SIDED };

		if (!is_telling(&fact))
			continue;
		fact.flags |= FACT_OTHER_READING;
		log->observability = observability | fact.observability;
		fact_log_append(log, &fact, bytes, &at);
		log->observability = observability;
	}
}

static bool
has_other_reading(const struct segment_watch *watch)
{
	const struct taped *t;
	uint32_t at = 0;

	while ((t = tape_next(&watch->tape, &at)) != NULL)
		if (t->other_reading && !t->first_reading)
			return true;
	return false;
}

void
second_reading(const struct segment_watch *watch,
    const struct flow_start *start, const struct smtp_options *options,
    const uint8_t *mail_ports, struct fact_log *log)
{
	struct reading r = { .watch = watch,
		.start = start,
		.options = options };
	struct slice facts, group;

	if (watch->copies == 0 || !has_other_reading(watch))
		return;
	r.session = malloc(smtp_session_bytes());
	r.facts = malloc(FACTS_MAX_BYTES);
	if (r.session != NULL && r.facts != NULL)
		read_again(&r, mail_ports);
	facts = slice_of(r.facts, r.length);
	while (facts.len > 0) {
		bool touched = take_group(watch, &facts, &group);

		if (group.len == 0)
			break;
		if (touched)
			tell(log, group);
	}
	free(r.facts);
	free(r.session);
}
