#include "segment_watch.h"

/* Facts about copies that a session tells; all of them are counted. */
#define COPIES_TOLD_MAX 16
/* An IP-ID counter that other flows of its host share goes on by less. */
#define ID_STEP_MAX 1024
/* So many steps in a row are needed to believe in a counter. */
#define ID_STEPS_TRUSTED 3
/* One packet on both sides of a router: not further apart in time. */
#define SIGHTINGS_NS INT64_C(500000000)

/* What is being looked at. */
struct look {
	struct segment_watch *watch;
	struct watched_direction *d;
	enum dir dir;
	const struct sent *sent;
	const struct packet *packet;
	struct counters *counters;
	watch_say_fn *say;
	void *session;
	struct segment_copy copy;
};

void
segment_watch_open(struct segment_watch *watch, struct fact_pool *pool)
{
	memset(watch, 0, sizeof(*watch));
	watch->tape.pool = pool;
}

/* Field by field, from what is long written: a whole copy of what was put
 * together a moment ago waits for that to reach the cache. */
static void
set_copy(struct segment_copy *copy, const struct packet *p, uint8_t sum)
{
	copy->frame = p->number;
	copy->capture_ts_ns = p->capture_ts_ns;
	/* Of the first octet; a SYN may carry some (RFC 7413). */
	copy->seq = p->seq + (p->flags & TCP_SYN ? 1 : 0);
	copy->ack = p->ack;
	copy->length = p->payload_wire_bytes;
	copy->ts_value = p->ts_value;
	copy->ip_id = p->ip_id;
	copy->window = p->window;
	copy->ttl = p->ttl;
	copy->tcp_flags = p->flags;
	copy->sum = sum;
	copy->has_ts = p->has_ts;
}

static void
put_on_tape(const struct look *look, bool first_reading, bool other_reading)
{
	struct segment_watch *watch = look->watch;
	const struct packet *p = look->packet;
	uint32_t end = look->copy.seq + p->payload_bytes;
	struct taped *t;

	if (watch->over_limit)
		return;
	t = tape_add(&watch->tape, slice_of(p->payload, p->payload_bytes));
	if (t == NULL) {
		watch->over_limit = true;
		count(look->counters, COUNTER_WATCH_OVER_LIMIT);
		return;
	}
	set_copy(&t->copy, p, look->copy.sum);
	t->run_frame = p->run_number;
	t->capture = p->capture;
	t->dir = (uint8_t)look->dir;
	t->first_reading = first_reading;
	t->other_reading = other_reading;
	if (!look->d->has_taped || seq_before(look->d->taped_end, end))
		look->d->taped_end = end;
	look->d->has_taped = true;
}

void
segment_watch_close(struct segment_watch *watch)
{
	tape_close(&watch->tape);
	watch->over_limit = true;
}

/* --- facts --------------------------------------------------------------- */

static void
say(const struct look *look, struct fact *fact, uint32_t seq,
    const struct segment_copy *earlier)
{
	uint8_t bytes[2 * SEGMENT_COPY_BYTES];
	struct slice both =
	    slice_of(bytes, earlier != NULL ? sizeof(bytes) : 0);
	const struct packet *p = look->packet;
	struct origin at = { .frame = p->number,
		.run_frame = p->run_number,
		.capture_ts_ns = p->capture_ts_ns,
		.stream_offset = seq - look->d->base,
		.capture = p->capture };

	fact->dir = (uint8_t)look->dir;
	if (earlier != NULL) {
		segment_copy_encode(earlier, bytes);
		segment_copy_encode(&look->copy, bytes + SEGMENT_COPY_BYTES);
	}
	look->say(look->session, fact, both, &at);
}

/* How far away the server is, for those who know other sessions of it. */
static void
say_server_ttl(const struct look *look)
{
	struct fact fact = { .code = FACT_SERVER_TTL, .value = look->copy.ttl };

	if (look->dir == TO_CLIENT && look->copy.length > 0)
		say(look, &fact, look->copy.seq, NULL);
}

/* The same oddity in a row is told once a direction. */
static void
say_step(const struct look *look, enum fact_code code)
{
	uint8_t bit = (uint8_t)(1u << (code - FACT_TTL_STEP));
	struct fact fact = { .code = (uint16_t)code };

	if (look->d->said & bit)
		return;
	look->d->said |= bit;
	say(look, &fact, look->copy.seq, &look->d->last);
}

/* --- copies -------------------------------------------------------------- */

/* The octets that a taped segment and this one have in common. */
static uint32_t
common(const struct look *look, const struct taped *t, uint32_t *from)
{
	return tape_common(t, look->copy.seq, look->packet->payload_bytes,
	    from);
}

/* From the first octet in which they differ to the last; 0: in none. */
static uint32_t
differing(const struct look *look, const struct taped *t, uint32_t *from)
{
	uint32_t length = common(look, t, from), first = 0;
	const uint8_t *a, *b;

	if (length == 0)
		return 0;
	a = tape_payload(t).ptr + (*from - t->copy.seq);
	b = look->packet->payload + (*from - look->copy.seq);
	if (memcmp(a, b, length) == 0)
		return 0;
	while (a[first] == b[first])
		first++;
	while (a[length - 1] == b[length - 1])
		length--;
	*from += first;
	return length - first;
}

/* What a segment is, beside what is on the tape. */
struct comparison {
	bool known;	 /* every octet is there, in one reading or the other */
	bool as_first;	 /* nothing of the first reading contradicts it */
	bool as_other;	 /* nothing of the other one does */
	bool as_suspect; /* nor a segment with a wrong sum */
	struct taped *against; /* the first that does */
	struct taped *same;    /* the very segment, with the same octets */
};

/*
 * Segments stand in the order in which they came, so a copy that was cut
 * otherwise may be covered by several; whether it is, is told by how many of
 * its octets are, for a reading has each only once.
 */
static struct comparison
compare(const struct look *look)
{
	const struct packet *p = look->packet;
	struct comparison c = { false, true, true, true, NULL, NULL };
	uint32_t first = 0, other = 0, at = 0, from;
	struct taped *t;

	while ((t = tape_next(&look->watch->tape, &at)) != NULL) {
		uint32_t both = t->dir == look->dir ? common(look, t, &from) :
						      0;

		if (both == 0)
			continue;
		if (differing(look, t, &from) > 0) {
			bool suspect = !t->first_reading && !t->other_reading;

			c.as_first &= !t->first_reading;
			c.as_other &= !t->other_reading;
			c.as_suspect &= !suspect;
			if (c.against == NULL)
				c.against = t;
			continue;
		}
		first += t->first_reading ? both : 0;
		other += t->other_reading ? both : 0;
		if (t->copy.seq == look->copy.seq &&
		    t->captured == p->payload_bytes && c.same == NULL)
			c.same = t;
	}
	c.known = c.same != NULL || (c.as_first && first >= p->payload_bytes) ||
	    (c.as_other && other >= p->payload_bytes);
	return c;
}

/* Could they be one packet, captured before and behind a router? */
static bool
seen_twice(const struct segment_copy *a, const struct segment_copy *b)
{
	return a->ip_id == b->ip_id && a->seq == b->seq && a->ack == b->ack &&
	    a->tcp_flags == b->tcp_flags && a->ttl != b->ttl &&
	    elapsed_ns(a->capture_ts_ns, b->capture_ts_ns) <= SIGHTINGS_NS;
}

/* So it was before, with equal octets: the direction is seen in two places. */
static void
note_twice(const struct look *look, const struct taped *t)
{
	if (t == NULL || !seen_twice(&t->copy, &look->copy))
		return;
	look->d->twice_ttls[0] = t->copy.ttl;
	look->d->twice_ttls[1] = look->copy.ttl;
}

/*
 * One packet before and behind a router that changed it: same number, same
 * place, and a TTL that differs. A forger beside the path does not know the
 * number of a packet that he wants to outrun. Where there are no numbers (IPv6,
 * RFC 6864) others of the direction must have come in the same two ways.
 */
static uint32_t
sightings(const struct watched_direction *d, const struct segment_copy *a,
    const struct segment_copy *b)
{
	bool as_before =
	    (d->twice_ttls[0] == a->ttl && d->twice_ttls[1] == b->ttl) ||
	    (d->twice_ttls[0] == b->ttl && d->twice_ttls[1] == a->ttl);

	if (!seen_twice(a, b) || (a->ip_id == 0 && !as_before))
		return 0;
	return COPIES_SIGHTINGS;
}

static void
say_differs(const struct look *look, const struct taped *t)
{
	uint32_t from, extent = differing(look, t, &from);
	struct fact fact = { .code = FACT_COPIES_DIFFER,
		.value = sightings(look->d, &t->copy, &look->copy),
		.extent = extent };

	count(look->counters, COUNTER_OVERLAP_DIFFERS);
	if (look->sent->has_acked && seq_before(from, look->sent->acked))
		fact.value |= COPIES_ACKED;
	if (look->watch->copies++ < COPIES_TOLD_MAX)
		say(look, &fact, from, &t->copy);
}

/* What a later copy contradicts belongs to the first reading alone. */
static void
contradict(const struct look *look)
{
	uint32_t at = 0, from;
	struct taped *t;

	while ((t = tape_next(&look->watch->tape, &at)) != NULL)
		if (t->dir == look->dir && t->first_reading &&
		    differing(look, t, &from) > 0)
			t->other_reading = false;
}

/*
 * RFC 9293 3.8.4: a keep-alive may carry an octet of garbage, at the place of
 * the last one that was acknowledged.
 */
static bool
is_keep_alive(const struct look *look)
{
	uint32_t next = look->d->next;
	const struct packet *p = look->packet;

	return p->payload_wire_bytes == 1 && look->sent->has_acked &&
	    p->seq + 1 == next && !seq_before(look->sent->acked, next);
}

static void
take_copy(const struct look *look, const struct comparison *c)
{
	bool suspect = look->copy.sum == SUM_WRONG;
	bool in_none = !c->as_first && !c->as_other;

	if (c->known)
		return;
	/* What fits one reading is no third version of the octets. */
	if (c->against != NULL && (in_none || suspect || !c->as_suspect))
		say_differs(look, c->against);
	if (suspect) {
		put_on_tape(look, false, false);
		return;
	}
	if (in_none)
		contradict(look);
	put_on_tape(look, c->as_first, c->as_other || in_none);
}

/* --- headers ------------------------------------------------------------- */

static void
look_at_id(const struct look *look)
{
	struct watched_direction *d = look->d;
	uint16_t step = (uint16_t)(look->copy.ip_id - d->last.ip_id);
	bool near = step < ID_STEP_MAX || step > UINT16_MAX - ID_STEP_MAX;

	if (look->packet->src.address.family != 4)
		return;
	if (!near && d->id_steps >= ID_STEPS_TRUSTED) {
		say_step(look, FACT_IP_ID_STEP);
		return;
	}
	d->id_steps =
	    step > 0 && step < ID_STEP_MAX ? (uint16_t)(d->id_steps + 1) : 0;
}

/* RFC 7323 3.2: what has the option once has it always, and its clock does
 * not go back as the sequence numbers go on. */
static void
look_at_clock(const struct look *look)
{
	const struct segment_copy *last = &look->d->last;

	if (look->packet->header_cut)
		return;
	if (look->copy.has_ts != last->has_ts ||
	    (last->has_ts && seq_before(look->copy.ts_value, last->ts_value)))
		say_step(look, FACT_CLOCK_STEP);
}

static void
look_at_headers(const struct look *look)
{
	if (look->copy.ttl != look->d->last.ttl)
		say_step(look, FACT_TTL_STEP);
	look_at_id(look);
	look_at_clock(look);
}

/* RFC 5961 3.2: one that is not exactly at its place is challenged. Ahead of
 * what was seen it may be right, and the capture have lost octets. */
static uint32_t
later(uint32_t a, uint32_t b)
{
	return seq_before(a, b) ? b : a;
}

static void
look_at_reset(const struct look *look)
{
	const struct sent *sent = look->sent;
	uint32_t seq = look->copy.seq;

	if (seq_before(seq, look->d->next) &&
	    !(sent->has_acked && !seq_before(seq, sent->acked))) {
		say_step(look, FACT_RST_OUT_OF_PLACE);
	} else if (look->copy.sum != SUM_WRONG) {
		look->d->has_rst = true;
		look->d->rst_seq = later(later(seq, sent->next), look->d->next);
	}
}

/* Whoever resets a connection has forgotten it (RFC 9293 3.10.7.4): what comes
 * then is late, and was sent before. Octets that nobody has seen yet were not.
 */
static void
look_behind_reset(struct look *look)
{
	const struct watched_direction *d = look->d;

	if (!d->has_rst || look->copy.length == 0 ||
	    seq_before(look->copy.seq, d->rst_seq))
		return;
	if (look->copy.sum == SUM_UNCHECKED)
		look->copy.sum = (uint8_t)packet_sum(look->packet);
	if (look->copy.sum != SUM_WRONG)
		say_step(look, FACT_DATA_BEHIND_RST);
}

static void
note_fit(const struct look *look)
{
	struct watched_direction *d = look->d;
	uint32_t end = look->copy.seq + look->copy.length;

	if (!d->started || seq_before(d->next, end))
		d->next = end;
	d->started = true;
	set_copy(&d->last, look->packet, look->copy.sum);
	if (look->copy.tcp_flags & TCP_FIN) {
		d->has_fin = true;
		d->fin_end = end;
	}
}

/* Only what goes on where the direction ended can be asked whether its headers
 * do: late segments and copies have older ones. */
static void
look_at_new(const struct look *look)
{
	struct watched_direction *d = look->d;
	bool goes_on = !d->started || !seq_before(look->copy.seq, d->next);

	if (look->copy.sum == SUM_WRONG) {
		if (d->started)
			say_step(look, FACT_WRONG_SUM);
		return;
	}
	if (d->has_fin && look->copy.length > 0 &&
	    !seq_before(look->copy.seq, d->fin_end))
		say_step(look, FACT_DATA_BEHIND_FIN);
	if (!goes_on)
		return;
	if (d->started)
		look_at_headers(look);
	else
		say_server_ttl(look);
	note_fit(look);
}

void
segment_watch_see(struct segment_watch *watch, enum dir dir,
    const struct packet *p, enum sum sum, const struct sent *sent,
    struct counters *counters, watch_say_fn *say_to, void *session)
{
	struct look look = { watch, &watch->dirs[dir], dir, sent, p, counters,
		say_to, session, { 0 } };
	struct comparison c = { .as_first = true, .as_other = true };

	set_copy(&look.copy, p, (uint8_t)sum);
	look.d->base = sent->base;
	if (p->flags & TCP_RST) {
		if (look.d->started)
			look_at_reset(&look);
		return;
	}
	if (p->payload_wire_bytes == 0 && look.d->has_fin)
		return;
	if (is_keep_alive(&look))
		return;
	look_behind_reset(&look);
	/* What goes on where the direction ended has nothing to compare with. */
	if (look.d->has_taped && seq_before(look.copy.seq, look.d->taped_end))
		c = compare(&look);
	note_twice(&look, c.same);
	if (watch->frozen && c.against == NULL)
		return;
	if (sum == SUM_UNCHECKED)
		look.copy.sum = (uint8_t)packet_sum(p);
	if (!c.known)
		look_at_new(&look);
	take_copy(&look, &c);
}
