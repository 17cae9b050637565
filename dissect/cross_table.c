/* The connections that both engines see, and room for their octets. */
#include "cross_session.h"

#include <stdlib.h>

#include "siphash.h"

#define ROOM_START 256

/* --- room ---------------------------------------------------------------- */

static void
free_octets(struct cross_check *c, struct octets *o)
{
	free(o->bytes);
	c->used_bytes -= o->room;
	*o = (struct octets){ 0 };
}

void
cross_free_streams(struct cross_check *c, struct cross_session *s)
{
	for (int i = 0; i < 2; i++) {
		free_octets(c, &s->carried[i]);
		free_octets(c, &s->native[i]);
		free_octets(c, &s->libnids[i]);
	}
}

static uint32_t
bucket_of(const struct cross_check *c, const struct endpoint ends[2])
{
	uint64_t words[5];
	uint32_t ports = (uint32_t)ends[0].port << 16 | ends[1].port;

	memcpy(words, ends[0].address.octets, 16);
	memcpy(words + 2, ends[1].address.octets, 16);
	words[4] = ends[0].address.family;
	return (uint32_t)(siphash13(c->config->key, words, 5, ports) %
	    CROSS_BUCKETS);
}

static void
unlink_age(struct cross_check *c, struct cross_session *s)
{
	*(s->older != NULL ? &s->older->newer : &c->oldest) = s->newer;
	*(s->newer != NULL ? &s->newer->older : &c->youngest) = s->older;
}

static void
link_age(struct cross_check *c, struct cross_session *s)
{
	s->older = c->youngest;
	s->newer = NULL;
	*(s->older != NULL ? &s->older->newer : &c->oldest) = s;
	c->youngest = s;
}

static void
unlist(struct cross_check *c, struct cross_session *s)
{
	struct cross_session **link = &c->buckets[bucket_of(c, s->ends)];

	while (*link != s)
		link = &(*link)->next;
	*link = s->next;
	s->listed = false;
}

void
cross_free_session(struct cross_check *c, struct cross_session *s)
{
	if (s->listed)
		unlist(c, s);
	unlink_age(c, s);
	cross_free_streams(c, s);
	c->used_bytes -= sizeof(*s);
	free(s);
}

bool
cross_is_held(const struct cross_session *s)
{
	return s->native_holds || s->libnids_holds;
}

/* Sheds until there is room for `bytes` more. */
static bool
take_room(struct cross_check *c, size_t bytes)
{
	struct cross_session *s = c->oldest;

	while (c->used_bytes + bytes > c->budget_bytes && s != NULL) {
		struct cross_session *newer = s->newer;

		if (!cross_is_held(s) && s != c->current)
			cross_free_session(c, s);
		s = newer;
	}
	return c->used_bytes + bytes <= c->budget_bytes;
}

/* What is new in the room is 0. */
bool
cross_grow(struct cross_check *c, struct octets *o, size_t len)
{
	size_t room = o->room ? o->room : ROOM_START;
	uint8_t *more;

	while (room < len)
		room *= 2;
	if (room == o->room)
		return true;
	if (!take_room(c, room - o->room))
		return false;
	more = realloc(o->bytes, room);
	if (more == NULL)
		return false;
	memset(more + o->room, 0, room - o->room);
	c->used_bytes += room - o->room;
	o->bytes = more;
	o->room = (uint32_t)room;
	return true;
}

/* --- sessions ------------------------------------------------------------ */

void
cross_order_ends(const struct endpoint *a, const struct endpoint *b,
    struct endpoint ends[2])
{
	int order = address_compare(&a->address, &b->address);
	bool swap = order > 0 || (order == 0 && a->port > b->port);

	ends[0] = swap ? *b : *a;
	ends[1] = swap ? *a : *b;
}

struct cross_session *
cross_find(struct cross_check *c, const struct endpoint ends[2])
{
	struct cross_session *s = c->buckets[bucket_of(c, ends)];

	while (s != NULL &&
	    (!endpoint_equal(&s->ends[0], &ends[0]) ||
		!endpoint_equal(&s->ends[1], &ends[1])))
		s = s->next;
	if (s != NULL) {
		unlink_age(c, s);
		link_age(c, s);
	}
	return s;
}

struct cross_session *
cross_add(struct cross_check *c, const struct endpoint ends[2])
{
	struct cross_session **bucket, *s;

	if (!take_room(c, sizeof(*s)) || (s = calloc(1, sizeof(*s))) == NULL)
		return NULL;
	c->used_bytes += sizeof(*s);
	s->ends[0] = ends[0];
	s->ends[1] = ends[1];
	bucket = &c->buckets[bucket_of(c, ends)];
	s->next = *bucket;
	*bucket = s;
	s->listed = true;
	link_age(c, s);
	return s;
}

/* Another connection on the same ports. What is held of the earlier one goes
 * when its holders let go. */
struct cross_session *
cross_replace(struct cross_check *c, struct cross_session *s)
{
	struct endpoint ends[2] = { s->ends[0], s->ends[1] };
	bool in_use = s->libnids_holds || !s->decided;
	struct cross_session *fresh;

	if (in_use)
		s->reasons |= REASON_REUSED;
	unlist(c, s);
	if (!cross_is_held(s))
		cross_free_session(c, s);
	fresh = cross_add(c, ends);
	if (fresh != NULL && in_use)
		fresh->reasons |= REASON_REUSED;
	return fresh;
}

void
cross_let_go(struct cross_check *c, struct cross_session *s)
{
	if (!cross_is_held(s) && !s->listed)
		cross_free_session(c, s);
}

bool
cross_append(struct cross_check *c, struct octets *o, struct slice bytes)
{
	size_t len = bytes.len;

	if (len > CROSS_STREAM_MAX - o->len)
		len = CROSS_STREAM_MAX - o->len;
	if (!cross_grow(c, o, o->len + len))
		return false;
	if (len > 0)
		memcpy(o->bytes + o->len, bytes.ptr, len);
	o->len += (uint32_t)len;
	return true;
}

void
cross_give_up(struct cross_check *c, struct cross_session *s)
{
	cross_free_streams(c, s);
	s->decided = s->given_up = true;
}
