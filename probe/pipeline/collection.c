#include "collection.h"

#include <stdlib.h>

#include <xxhash.h>

/* Who makes captures up begins with a small number; see sightings.c. */
#define ISN_RANDOM_MIN (1u << 20)

void
collection_init(struct collection *c, size_t budget_bytes)
{
	memset(c, 0, sizeof(*c));
	c->budget_bytes = budget_bytes;
}

void
collection_free(struct collection *c)
{
	for (size_t i = 0; i < c->count; i++)
		free(c->list[i].facts);
	free(c->list);
	free(c->places);
	memset(c, 0, sizeof(*c));
}

/* --- what comes in ------------------------------------------------------- */

static uint32_t *
place_of(const struct collection *c, uint64_t handle)
{
	size_t i = (size_t)(handle * UINT64_C(0x9e3779b97f4a7c15) >> 20) &
	    c->mask;

	while (c->places[i] != 0 && c->list[c->places[i] - 1].handle != handle)
		i = (i + 1) & c->mask;
	return &c->places[i];
}

/* Room for twice as many sessions, and places to find them. */
static bool
grow(struct collection *c)
{
	size_t room = c->room ? c->room * 2 : 256;
	struct collected *list = realloc(c->list, room * sizeof(*list));
	uint32_t *places;

	if (list == NULL)
		return false;
	c->list = list;
	places = calloc(room * 4, sizeof(*places));
	if (places == NULL)
		return false;
	free(c->places);
	c->places = places;
	c->mask = room * 4 - 1;
	c->room = room;
	for (size_t i = 0; i < c->count; i++)
		*place_of(c, list[i].handle) = (uint32_t)i + 1;
	return true;
}

/* NULL: there is no room for another one. */
static struct collected *
session_of(struct collection *c, uint64_t handle)
{
	uint32_t *place = c->places == NULL ? NULL : place_of(c, handle);

	if (place != NULL && *place != 0)
		return &c->list[*place - 1];
	if (c->count == UINT32_MAX - 1 ||
	    c->used_bytes + sizeof(*c->list) > c->budget_bytes ||
	    (c->count == c->room && !grow(c)))
		return NULL;
	c->used_bytes += sizeof(*c->list);
	*place_of(c, handle) = (uint32_t)++c->count;
	c->list[c->count - 1] = (struct collected){ .handle = handle };
	return &c->list[c->count - 1];
}

void
collection_take(void *context, const struct publication *publication,
    struct slice facts)
{
	struct collection *c = context;
	struct collected *s;
	size_t want;

	if (publication->decision == DECISION_DNS_ANSWERED)
		return;
	s = session_of(c, publication->session);
	if (s == NULL) {
		c->shed += publication->decision >= DECISION_CLOSED;
		return;
	}
	want = s->facts_bytes + facts.len;
	if (s->cut || facts.len == 0)
		return;
	if (want > s->room) {
		size_t room = want + want / 2;
		uint8_t *more = c->used_bytes + room - s->room <=
			c->budget_bytes ?
		    realloc(s->facts, room) :
		    NULL;

		if (more == NULL) {
			s->cut = true;
			return;
		}
		c->used_bytes += room - s->room;
		s->facts = more;
		s->room = room;
	}
	memcpy(s->facts + s->facts_bytes, facts.ptr, facts.len);
	s->facts_bytes = want;
}

/* --- what it can be known by --------------------------------------------- */

static uint64_t
hash(uint64_t seed, struct slice bytes)
{
	uint64_t sum = XXH3_64bits_withSeed(bytes.ptr, bytes.len, seed);

	return sum ? sum : 1;
}

/* Up to the closing bracket: parameters are each relay's own. */
static struct slice
path_of(struct slice command)
{
	const uint8_t *colon = memchr(command.ptr, ':', command.len);
	const uint8_t *end = memchr(command.ptr, '>', command.len);

	if (colon == NULL || end == NULL || end < colon)
		return command;
	return slice_of(colon + 1, (size_t)(end - colon));
}

/* What the facts say of it, as it is collected. */
struct traits {
	struct slice helo, random, content;
	uint64_t envelope; /* of sender and recipients, in their order */
	bool mailed;
};

static struct slice
without_end(struct slice text)
{
	while (text.len > 0 &&
	    (text.ptr[text.len - 1] == '\r' || text.ptr[text.len - 1] == ' '))
		text.len--;
	return text;
}

static void
fold_command(struct traits *t, const struct fact *fact, struct slice bytes)
{
	if (fact->about == VERB_EHLO || fact->about == VERB_HELO) {
		t->helo = without_end(slice_after(bytes, 5));
	} else if (fact->about == VERB_MAIL || fact->about == VERB_RCPT) {
		t->mailed = true;
		t->envelope = hash(t->envelope, path_of(bytes));
	}
}

static void
fold(struct traits *t, const struct fact *fact, struct slice bytes)
{
	if (fact->flags & FACT_OTHER_READING)
		return;
	if (fact->code == FACT_COMMAND)
		fold_command(t, fact, bytes);
	else if (fact->code == FACT_TLS_CLIENT_HELLO && t->random.len == 0)
		t->random = bytes;
	else if (fact->code == FACT_BODY_DIGEST && bytes.len == 16)
		t->content = slice_after(bytes, 8);
}

static void
key_by_flow(struct collected *s)
{
	struct flow_identity flow = s->flow;
	uint8_t identity[FLOW_IDENTITY_BYTES];
	uint32_t isns[2] = { flow.client_isn, flow.server_isn };

	flow_identity_encode(&flow, identity);
	if (flow.has_client_isn && flow.has_server_isn) {
		s->keys[PAIRED_BY_CONNECTION] =
		    hash(0, slice_of(identity, sizeof(identity)));
		if (isns[0] >= ISN_RANDOM_MIN && isns[1] >= ISN_RANDOM_MIN)
			s->keys[PAIRED_BY_NUMBERS] =
			    hash(1, slice_of(isns, sizeof(isns)));
	}
	flow.client_isn = flow.server_isn = 0;
	flow.has_client_isn = flow.has_server_isn = false;
	flow_identity_encode(&flow, identity);
	s->keys[PAIRED_BY_ADDRESSES] =
	    hash(2, slice_of(identity, sizeof(identity)));
}

static void
make_keys(struct collected *s)
{
	struct slice facts = collected_facts(s), bytes;
	struct traits t = { .mailed = false };
	struct fact fact;

	while (fact_decode(&facts, &fact, &bytes)) {
		if (fact.code == FACT_SESSION_OPENED) {
			flow_identity_decode(bytes, &s->flow);
			s->first_ns = fact.capture_ts_ns;
			s->first_frame = fact.frame;
		}
		fold(&t, &fact, bytes);
	}
	key_by_flow(s);
	if (t.random.len > 0)
		s->keys[PAIRED_BY_CLIENT_RANDOM] = hash(3, t.random);
	if (t.content.len > 0 && t.mailed)
		s->keys[PAIRED_BY_MESSAGE] = hash(t.envelope, t.content);
	if (t.helo.len > 0 && t.mailed)
		s->keys[PAIRED_BY_ENVELOPE] = hash(t.envelope, t.helo);
	if (t.helo.len > 0)
		s->keys[PAIRED_BY_HELO] = hash(4, t.helo);
}

static int
first_first(const void *a, const void *b)
{
	const struct collected *l = a, *r = b;

	if (l->first_ns != r->first_ns)
		return l->first_ns < r->first_ns ? -1 : 1;
	return l->first_frame < r->first_frame ?
	    -1 :
	    l->first_frame > r->first_frame;
}

void
collection_finish(struct collection *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->count; i++) {
		if (c->list[i].cut) {
			free(c->list[i].facts);
			c->shed++;
			continue;
		}
		make_keys(&c->list[i]);
		c->list[n++] = c->list[i];
	}
	c->count = n;
	free(c->places); /* the sessions move: nothing is looked up any more */
	c->places = NULL;
	if (n > 0)
		qsort(c->list, n, sizeof(*c->list), first_first);
}
