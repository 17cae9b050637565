#include "tape.h"

#define START_BYTES 256

/* Pieces are aligned, so that they can be read in place. */
#define ALIGNED(bytes) (((bytes) + 7u) & ~7u)
#define HEAD_BYTES ALIGNED((uint32_t)sizeof(struct taped))

static struct taped *
taped_at(const struct tape *tape, uint32_t position)
{
	return (struct taped *)(void *)(tape->bytes + position);
}

static uint32_t
taped_bytes(const struct taped *t)
{
	return HEAD_BYTES + ALIGNED(t->captured);
}

/* Takes other room instead, for the first `length` octets. */
static bool
move(struct tape *tape, uint32_t room, uint32_t length)
{
	uint8_t *bytes = fact_pool_take(tape->pool, room);

	if (bytes == NULL)
		return false;
	if (length > 0)
		memcpy(bytes, tape->bytes, length);
	fact_pool_give(tape->pool, tape->bytes, tape->room);
	tape->bytes = bytes;
	tape->length = length;
	tape->room = room;
	return true;
}

static bool
reserve(struct tape *tape, uint32_t more)
{
	uint32_t want = tape->length + more;
	size_t room = fact_pool_fit(want < START_BYTES ? START_BYTES : want);

	if (want <= tape->room)
		return true;
	return want <= TAPE_MAX_BYTES && !fact_pool_is_tight(tape->pool) &&
	    move(tape, (uint32_t)room, tape->length);
}

struct taped *
tape_add(struct tape *tape, struct slice payload)
{
	uint32_t bytes = HEAD_BYTES + ALIGNED((uint32_t)payload.len);
	struct taped *t;

	if (!reserve(tape, bytes))
		return NULL;
	t = taped_at(tape, tape->length);
	t->captured = (uint32_t)payload.len;
	if (payload.len > 0)
		memcpy((uint8_t *)t + HEAD_BYTES, payload.ptr, payload.len);
	tape->length += bytes;
	return t;
}

struct taped *
tape_next(const struct tape *tape, uint32_t *position)
{
	struct taped *t;

	if (*position >= tape->length)
		return NULL;
	t = taped_at(tape, *position);
	*position += taped_bytes(t);
	return t;
}

struct slice
tape_payload(const struct taped *t)
{
	return slice_of((const uint8_t *)t + HEAD_BYTES, t->captured);
}

/* By distances: sequence numbers half their space apart have no order. */
uint32_t
tape_common(const struct taped *t, uint32_t seq, uint32_t octets,
    uint32_t *from)
{
	uint32_t behind = seq - t->copy.seq, before = t->copy.seq - seq, left;

	if (behind < t->captured) {
		*from = seq;
		left = t->captured - behind;
		return left < octets ? left : octets;
	}
	*from = t->copy.seq;
	if (before >= octets)
		return 0;
	left = octets - before;
	return left < t->captured ? left : t->captured;
}

void
tape_trim(struct tape *tape, uint32_t bytes)
{
	uint32_t end = 0, next = 0;

	if (tape->room <= bytes)
		return;
	while (tape_next(tape, &next) != NULL && next <= bytes)
		end = next;
	move(tape, bytes, end);
}

void
tape_close(struct tape *tape)
{
	fact_pool_give(tape->pool, tape->bytes, tape->room);
	tape->bytes = NULL;
	tape->length = tape->room = 0;
}
