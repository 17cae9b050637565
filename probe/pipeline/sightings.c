#include "sightings.h"

#include <stdlib.h>

#include "rules/contrast.h"

/* Sessions that are remembered; a newer one takes an older one's place. */
#define PLACES 16384
/* How much later the second sighting may begin: a translator is quick. */
#define APART_NS (INT64_C(2) * 1000000000)

/*
 * Initial sequence numbers are random (RFC 6528): both alike by chance are one
 * pair in 2^64. Who makes captures up begins with a small number, the same in
 * all of them; in one of 4,096 connections a real one is as small.
 */
#define ISN_RANDOM_MIN (1u << 20)

struct place {
	uint32_t client_isn, server_isn;
	uint32_t capture;
	int64_t opened_ns;
	uint64_t handle; /* 0: empty */
	struct endpoint client, server;
};

struct sightings {
	/* Of each place, from both numbers: small enough to stay in a cache,
	 * and enough to tell that a place has another session. */
	uint32_t tags[PLACES];
	struct place places[PLACES];
};

struct sightings *
sightings_create(void)
{
	return calloc(1, sizeof(struct sightings));
}

void
sightings_destroy(struct sightings *s)
{
	free(s);
}

static bool
is_twin(const struct place *p, const struct flow_identity *id,
    const struct fact *opened)
{
	int64_t apart = opened->capture_ts_ns - p->opened_ns;

	return p->handle != 0 && p->client_isn == id->client_isn &&
	    p->server_isn == id->server_isn && p->capture == opened->capture &&
	    apart <= APART_NS && apart >= -APART_NS &&
	    !(endpoint_equal(&p->client, &id->client) &&
		endpoint_equal(&p->server, &id->server));
}

uint64_t
sightings_open(struct sightings *s, uint64_t handle, struct slice facts)
{
	struct flow_identity id;
	struct slice bytes;
	struct place *place;
	struct fact fact;
	uint64_t twin = 0;
	uint32_t tag, at;

	if (!fact_decode(&facts, &fact, &bytes) ||
	    fact.code != FACT_SESSION_OPENED ||
	    !flow_identity_decode(bytes, &id) || !id.has_client_isn ||
	    !id.has_server_isn || id.client_isn < ISN_RANDOM_MIN ||
	    id.server_isn < ISN_RANDOM_MIN)
		return 0;
	tag = id.client_isn ^ id.server_isn * 0x9e3779b1u;
	at = tag >> 7 & (PLACES - 1);
	place = &s->places[at];
	if (s->tags[at] == tag && is_twin(place, &id, &fact))
		twin = place->handle;
	s->tags[at] = tag;
	*place = (struct place){ id.client_isn, id.server_isn, fact.capture,
		fact.capture_ts_ns, handle, id.client, id.server };
	return twin;
}

/* --- what differs -------------------------------------------------------- */

/* The next line, with the others of its reply. False: there is none. */
static bool
next_group(struct slice *facts, struct slice *group, struct fact *first)
{
	struct slice rest, bytes, before = *facts;
	struct fact fact;

	do {
		before = *facts;
		if (!fact_decode(facts, first, &bytes))
			return false;
	} while (!contrast_is_line(first) || first->flags & FACT_OTHER_READING);
	rest = *facts;
	while (fact_decode(&rest, &fact, &bytes) && fact.code == first->code &&
	    fact.line > 1)
		*facts = rest;
	*group = slice_first(before, before.len - facts->len);
	return true;
}

static bool
same_lines(struct slice a, struct slice b)
{
	struct slice a_bytes, b_bytes;
	struct fact fact_a, fact_b;

	while (fact_decode(&a, &fact_a, &a_bytes)) {
		if (!fact_decode(&b, &fact_b, &b_bytes) ||
		    fact_a.code != fact_b.code || fact_a.dir != fact_b.dir ||
		    !slice_equal(a_bytes, b_bytes))
			return false;
	}
	return b.len == 0;
}

static bool
has_group(struct slice facts, struct slice group)
{
	struct slice other;
	struct fact first;

	while (next_group(&facts, &other, &first))
		if (same_lines(group, other))
			return true;
	return false;
}

/* The line of `own` that stands where the group's first one does: the same
 * code and direction, and about the same verb. */
static struct fact
counterpart(struct slice own, const struct fact *first)
{
	struct slice group;
	struct fact fact, last = { 0 };

	while (next_group(&own, &group, &fact))
		if (fact.code == first->code && fact.dir == first->dir &&
		    fact.about == first->about)
			last = fact;
	return last;
}

static size_t
put(uint8_t *out, size_t at, const struct fact *fact, struct slice bytes)
{
	if (at + FACT_HEADER_MAX_BYTES + bytes.len > SIGHTINGS_MAX_BYTES)
		return at;
	return at + fact_encode(fact, bytes, out + at);
}

static size_t
put_copies(uint8_t *out, struct slice own, const struct fact *first)
{
	struct fact before = counterpart(own, first), fact = *first;
	uint8_t bytes[2 * SEGMENT_COPY_BYTES];
	struct segment_copy copies[2] = {
		{ .frame = before.frame,
		    .capture_ts_ns = before.capture_ts_ns },
		{ .frame = first->frame,
		    .capture_ts_ns = first->capture_ts_ns },
	};

	if (before.frame > first->frame) {
		copies[0] = copies[1];
		copies[1] = (struct segment_copy){ .frame = before.frame,
			.capture_ts_ns = before.capture_ts_ns };
	}
	fact.code = FACT_COPIES_DIFFER;
	fact.value = COPIES_SIGHTINGS;
	fact.line = 0;
	fact.flags = 0;
	segment_copy_encode(&copies[0], bytes);
	segment_copy_encode(&copies[1], bytes + SEGMENT_COPY_BYTES);
	return put(out, 0, &fact, slice_of(bytes, sizeof(bytes)));
}

size_t
sightings_compare(struct slice own, struct slice twin, uint8_t *out)
{
	struct slice rest = twin, group, bytes;
	struct fact fact;
	size_t at = 0;

	if (!contrast_is_whole(own) || !contrast_is_whole(twin))
		return 0;
	while (next_group(&rest, &group, &fact)) {
		if (has_group(own, group))
			continue;
		if (at == 0)
			at = put_copies(out, own, &fact);
		while (fact_decode(&group, &fact, &bytes)) {
			fact.flags |= FACT_OTHER_READING;
			at = put(out, at, &fact, bytes);
		}
	}
	return at;
}

bool
sightings_is_nearer(struct slice own, struct slice twin)
{
	struct slice bytes;
	struct fact a, b;

	return fact_decode(&own, &a, &bytes) &&
	    fact_decode(&twin, &b, &bytes) && a.frame > b.frame;
}
