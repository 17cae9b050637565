#include "outer.h"

#include <stdlib.h>

#include "fragment.h"

/* A datagram in fragments within one, and so on: each frees a place in the
 * table, so it ends anyway, but no frame may pay for all of them. */
#define JOINS_MAX 4

#define PROTOCOL_UDP 17

/* A floor, so that the smallest budget still joins a datagram of two. */
#define BYTES_MIN 8192

struct outer {
	struct fragments *fragments;
	struct counters *counters;
};

struct joined {
	struct joined *next;
	uint8_t bytes[];
};

struct outer *
outer_create(size_t budget_bytes, const uint8_t key[16],
    struct counters *counters)
{
	struct outer *o = calloc(1, sizeof(*o));

	if (o == NULL)
		return NULL;
	o->counters = counters;
	o->fragments = fragments_create(budget_bytes < BYTES_MIN ? BYTES_MIN :
								   budget_bytes,
	    key, counters);
	if (o->fragments == NULL) {
		free(o);
		return NULL;
	}
	return o;
}

void
outer_destroy(struct outer *o)
{
	if (o == NULL)
		return;
	fragments_destroy(o->fragments);
	free(o);
}

void
outer_expire(struct outer *o, int64_t clock_ns)
{
	fragments_expire(o->fragments, clock_ns);
}

void
joined_free(struct joined **joined)
{
	while (*joined != NULL) {
		struct joined *first = *joined;

		*joined = first->next;
		free(first);
	}
}

static enum packet_kind
drop(struct outer *o, struct packet *p, enum counter why)
{
	count(o->counters, why);
	p->kind = PACKET_NONE;
	return PACKET_NONE;
}

/* What the fragments came to goes on as if it had come in one. */
static enum packet_kind
decode_whole(struct outer *o, struct packet *p, struct slice datagram,
    struct joined **joined)
{
	struct joined *kept = malloc(sizeof(*kept) + datagram.len);

	if (kept == NULL)
		return drop(o, p, COUNTER_FRAGMENTS_EVICTED);
	memcpy(kept->bytes, datagram.ptr, datagram.len);
	kept->next = *joined;
	*joined = kept;
	return packet_decode_datagram(slice_of(kept->bytes, datagram.len),
	    o->counters, p);
}

enum packet_kind
outer_add(struct outer *o, struct packet *p, struct joined **joined)
{
	for (int joins = 0; p->kind == PACKET_OUTER_FRAGMENT; joins++) {
		struct slice datagram;

		if (joins == JOINS_MAX)
			return drop(o, p, COUNTER_BAD_TUNNEL);
		if (p->protocol == PROTOCOL_UDP && p->fragment_offset > 0 &&
		    !fragments_awaited(o->fragments, p))
			return drop(o, p, COUNTER_NOT_TCP);
		p->kind = PACKET_NONE;
		if (fragments_add(o->fragments, p, &datagram)) {
			p->protocol = fragments_protocol(o->fragments);
			decode_whole(o, p, datagram, joined);
		}
	}
	return p->kind;
}
