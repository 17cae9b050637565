#include "segment_watch.h"

#define TAPE_START_BYTES 1024
/* Facts about copies that a session tells; all of them are counted. */
#define COPIES_TOLD_MAX 16
/* An IP-ID counter that other flows of its host share goes on by less. */
#define ID_STEP_MAX 1024
/* So many steps in a row are needed to believe in a counter. */
#define ID_STEPS_TRUSTED 3
/* One packet on both sides of a router: not further apart in time. */
#define SIGHTINGS_NS INT64_C(500000000)

/* Pieces of the tape are aligned, so that they can be read in place. */
#define ALIGNED(bytes) (((bytes) + 7u) & ~7u)

/* What is being looked at. */
struct look {
	struct segment_watch *watch;
	struct watched_direction *d;
	enum dir dir;
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
	watch->pool = pool;
}

/* --- the tape ------------------------------------------------------------ */

static struct taped *
taped_at(const struct segment_watch *watch, uint32_t position)
{
	return (struct taped *)(void *)(watch->tape + position);
}

static uint32_t
taped_bytes(uint32_t captured)
{
	return ALIGNED((uint32_t)sizeof(struct taped)) + ALIGNED(captured);
}

static const uint8_t *
payload_of(const struct taped *t)
{
	return (const uint8_t *)t + ALIGNED(sizeof(*t));
}

static bool
grow(struct segment_watch *watch, uint32_t more)
{
	uint32_t want = watch->length + more;
	uint32_t room = watch->room ? watch->room : TAPE_START_BYTES;
	uint8_t *tape;

	if (want <= watch->room)
		return true;
	while (room < want)
		room *= 2;
	if (room > TAPE_MAX_BYTES || fact_pool_is_tight(watch->pool))
		return false;
	tape = fact_pool_take(watch->pool, room);
	if (tape == NULL)
		return false;
	if (watch->length > 0)
		memcpy(tape, watch->tape, watch->length);
	fact_pool_give(watch->pool, watch->tape, watch->room);
	watch->tape = tape;
	watch->room = room;
	return true;
}

/* The first octet of payload; a SYN may carry some (RFC 7413). */
static uint32_t
seq_of(const struct packet *p)
{
	return p->seq + (p->flags & TCP_SYN ? 1 : 0);
}

static void
put_on_tape(const struct look *look, bool first_reading, bool other_reading)
{
	struct segment_watch *watch = look->watch;
	const struct packet *p = look->packet;
	uint32_t bytes = taped_bytes(p->payload_bytes), end;
	struct taped *t;

	if (watch->over_limit)
		return;
	if (!grow(watch, bytes)) {
		watch->over_limit = true;
		count(look->counters, COUNTER_WATCH_OVER_LIMIT);
		return;
	}
	t = taped_at(watch, watch->length);
	*t = (struct taped){ .copy = look->copy,
		.run_frame = p->run_number,
		.capture = p->capture,
		.captured = p->payload_bytes,
		.dir = (uint8_t)look->dir,
		.first_reading = first_reading,
		.other_reading = other_reading };
	if (p->payload_bytes > 0)
		memcpy(watch->tape + watch->length + ALIGNED(sizeof(*t)),
		    p->payload, p->payload_bytes);
	watch->length += bytes;
	end = look->copy.seq + p->payload_bytes;
	if (!look->d->has_taped || seq_before(look->d->taped_end, end))
		look->d->taped_end = end;
	look->d->has_taped = true;
}

bool
segment_watch_next(const struct segment_watch *watch, uint32_t *position,
    struct taped *out, struct slice *payload)
{
	const struct taped *t;

	if (*position >= watch->length)
		return false;
	t = taped_at(watch, *position);
	*out = *t;
	*payload = slice_of(payload_of(t), t->captured);
	*position += taped_bytes(t->captured);
	return true;
}

/* Segments that do not fit into `bytes` go; what is left moves. */
void
segment_watch_trim(struct segment_watch *watch, uint32_t bytes)
{
	uint32_t end = 0;
	uint8_t *tape;

	if (watch->room <= bytes)
		return;
	while (end < watch->length &&
	    end + taped_bytes(taped_at(watch, end)->captured) <= bytes)
		end += taped_bytes(taped_at(watch, end)->captured);
	tape = fact_pool_take(watch->pool, bytes);
	if (tape == NULL)
		return;
	memcpy(tape, watch->tape, end);
	fact_pool_give(watch->pool, watch->tape, watch->room);
	watch->tape = tape;
	watch->length = end;
	watch->room = bytes;
}

void
segment_watch_close(struct segment_watch *watch)
{
	fact_pool_give(watch->pool, watch->tape, watch->room);
	watch->tape = NULL;
	watch->length = watch->room = 0;
	watch->over_limit = true;
}

/* --- facts --------------------------------------------------------------- */

static void
say(const struct look *look, struct fact *fact, uint32_t seq,
    const struct segment_copy *earlier)
{
	uint8_t bytes[2 * SEGMENT_COPY_BYTES];
	const struct packet *p = look->packet;
	struct origin at = { .frame = p->number,
		.run_frame = p->run_number,
		.capture_ts_ns = p->capture_ts_ns,
		.stream_offset = seq - look->d->base,
		.capture = p->capture };

	fact->dir = (uint8_t)look->dir;
	segment_copy_encode(earlier, bytes);
	segment_copy_encode(&look->copy, bytes + SEGMENT_COPY_BYTES);
	look->say(look->session, fact, slice_of(bytes, sizeof(bytes)), &at);
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

/* The octets that both have: from `from`, in sequence numbers, so many. By
 * distances: sequence numbers half their space apart have no order. */
static uint32_t
common(const struct taped *t, const struct packet *p, uint32_t *from)
{
	uint32_t seq = seq_of(p), behind = seq - t->copy.seq;
	uint32_t before = t->copy.seq - seq, left;

	if (behind < t->captured) {
		*from = seq;
		left = t->captured - behind;
		return left < p->payload_bytes ? left : p->payload_bytes;
	}
	*from = t->copy.seq;
	if (before >= p->payload_bytes)
		return 0;
	left = p->payload_bytes - before;
	return left < t->captured ? left : t->captured;
}

/* From the first octet in which they differ to the last; 0: in none. */
static uint32_t
differing(const struct taped *t, const struct packet *p, uint32_t *from)
{
	uint32_t length = common(t, p, from), first = 0;
	const uint8_t *a, *b;

	if (length == 0)
		return 0;
	a = payload_of(t) + (*from - t->copy.seq);
	b = p->payload + (*from - seq_of(p));
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
	const struct segment_watch *watch = look->watch;
	const struct packet *p = look->packet;
	struct comparison c = { false, true, true, true, NULL, NULL };
	uint32_t first = 0, other = 0, from;

	for (uint32_t at = 0; at < watch->length;) {
		struct taped *t = taped_at(watch, at);

		at += taped_bytes(t->captured);
		if (t->dir != look->dir || common(t, p, &from) == 0)
			continue;
		if (differing(t, p, &from) > 0) {
			bool suspect = !t->first_reading && !t->other_reading;

			c.as_first &= !t->first_reading;
			c.as_other &= !t->other_reading;
			c.as_suspect &= !suspect;
			if (c.against == NULL)
				c.against = t;
			continue;
		}
		first += t->first_reading ? common(t, p, &from) : 0;
		other += t->other_reading ? common(t, p, &from) : 0;
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
	uint32_t from, extent = differing(t, look->packet, &from);
	struct fact fact = { .code = FACT_COPIES_DIFFER,
		.value = sightings(look->d, &t->copy, &look->copy),
		.extent = extent };

	count(look->counters, COUNTER_OVERLAP_DIFFERS);
	if (look->d->has_acked && seq_before(from, look->d->acked))
		fact.value |= COPIES_ACKED;
	if (look->watch->copies++ < COPIES_TOLD_MAX)
		say(look, &fact, from, &t->copy);
}

/* What a later copy contradicts belongs to the first reading alone. */
static void
contradict(const struct look *look)
{
	uint32_t from;

	for (uint32_t at = 0; at < look->watch->length;) {
		struct taped *t = taped_at(look->watch, at);

		at += taped_bytes(t->captured);
		if (t->dir == look->dir && t->first_reading &&
		    differing(t, look->packet, &from) > 0)
			t->other_reading = false;
	}
}

/*
 * RFC 9293 3.8.4: a keep-alive may carry an octet of garbage, at the place of
 * the last one that was acknowledged.
 */
static bool
is_keep_alive(const struct look *look)
{
	const struct watched_direction *d = look->d;
	const struct packet *p = look->packet;

	return p->payload_wire_bytes == 1 && d->has_acked &&
	    p->seq + 1 == d->next && !seq_before(d->acked, d->next);
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
static void
look_at_reset(const struct look *look)
{
	const struct watched_direction *d = look->d;
	uint32_t seq = look->copy.seq;

	if (seq_before(seq, d->next) &&
	    !(d->has_acked && !seq_before(seq, d->acked)))
		say_step(look, FACT_RST_OUT_OF_PLACE);
}

static void
note_ack(const struct look *look)
{
	struct watched_direction *peer =
	    &look->watch->dirs[dir_peer(look->dir)];

	if (!(look->copy.tcp_flags & TCP_ACK) || !peer->started ||
	    seq_before(peer->next + ACK_AHEAD_MAX, look->copy.ack))
		return;
	if (!peer->has_acked || seq_before(peer->acked, look->copy.ack))
		peer->acked = look->copy.ack;
	peer->has_acked = true;
}

static void
note_fit(const struct look *look)
{
	struct watched_direction *d = look->d;
	uint32_t end = look->copy.seq + look->copy.length;

	if (!d->started || seq_before(d->next, end))
		d->next = end;
	d->started = true;
	d->last = look->copy;
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
	note_fit(look);
}

static struct segment_copy
copy_of(const struct packet *p, enum sum sum)
{
	return (struct segment_copy){ .frame = p->number,
		.capture_ts_ns = p->capture_ts_ns,
		.seq = seq_of(p),
		.ack = p->ack,
		.length = p->payload_wire_bytes,
		.ts_value = p->ts_value,
		.ip_id = p->ip_id,
		.window = p->window,
		.ttl = p->ttl,
		.tcp_flags = p->flags,
		.sum = (uint8_t)sum,
		.has_ts = p->has_ts };
}

void
segment_watch_see(struct segment_watch *watch, enum dir dir,
    const struct packet *p, enum sum sum, uint32_t base,
    struct counters *counters, watch_say_fn *say_to, void *session)
{
	struct look look = { watch, &watch->dirs[dir], dir, p, counters, say_to,
		session, copy_of(p, sum) };
	struct comparison c = { .as_first = true, .as_other = true };

	look.d->base = base;
	note_ack(&look);
	if (p->flags & TCP_RST) {
		if (look.d->started)
			look_at_reset(&look);
		return;
	}
	if (p->payload_wire_bytes == 0 &&
	    (!(p->flags & TCP_FIN) || look.d->has_fin))
		return;
	if (is_keep_alive(&look))
		return;
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
