#include "flow_table.h"

#include <stdlib.h>

#include "fetch.h"
#include "siphash.h"

#define SLAB_FLOWS 64
#define INDEX_START 256

struct list {
	uint32_t oldest, youngest;
	size_t count;
};

/* A flow's neighbours in its class's list. They stand apart from the flows: a
 * list changes with every packet, and whose neighbours are long out of the
 * cache, these are not. */
struct links {
	uint32_t newer, older;
};

/* With the hash beside it, a flow is looked at only when it is the one. */
struct place {
	uint32_t hash, position; /* FLOW_NONE: empty */
};

struct flow_table {
	size_t flows_max, used;
	struct flow **slabs;
	struct links *links; /* by position */
	uint32_t free_list;  /* through `newer` */
	struct place *index; /* open addressing */
	uint32_t index_mask;
	struct list lists[FLOW_CLASSES];
	uint8_t key[16];
};

struct flow_table *
flow_table_create(size_t flows_max, const uint8_t key[16])
{
	struct flow_table *t = calloc(1, sizeof(*t));
	size_t slabs = (flows_max + SLAB_FLOWS - 1) / SLAB_FLOWS;

	if (t == NULL)
		return NULL;
	t->flows_max = flows_max;
	t->slabs = calloc(slabs, sizeof(*t->slabs));
	t->links = calloc(flows_max, sizeof(*t->links));
	t->index = malloc(INDEX_START * sizeof(*t->index));
	if (t->slabs == NULL || t->links == NULL || t->index == NULL) {
		free(t->slabs);
		free(t->links);
		free(t->index);
		free(t);
		return NULL;
	}
	memset(t->index, 0xff, INDEX_START * sizeof(*t->index));
	t->index_mask = INDEX_START - 1;
	t->free_list = FLOW_NONE;
	memcpy(t->key, key, sizeof(t->key));
	for (int i = 0; i < FLOW_CLASSES; i++)
		t->lists[i].oldest = t->lists[i].youngest = FLOW_NONE;
	return t;
}

void
flow_table_destroy(struct flow_table *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i * SLAB_FLOWS < t->used; i++)
		free(t->slabs[i]);
	free(t->slabs);
	free(t->links);
	free(t->index);
	free(t);
}

static struct flow *
flow_at(const struct flow_table *t, uint32_t position)
{
	return &t->slabs[position / SLAB_FLOWS][position % SLAB_FLOWS];
}

/* An end of a flow, as numbers that compare. */
struct end {
	uint64_t first, second; /* of the address */
	uint16_t port;
};

static inline struct end
end_of(const struct endpoint *e)
{
	struct end end = { .port = e->port };

	memcpy(&end.first, e->address.octets, 8);
	memcpy(&end.second, e->address.octets + 8, 8);
	return end;
}

static inline bool
end_after(const struct end *a, const struct end *b)
{
	if (a->first != b->first)
		return a->first > b->first;
	if (a->second != b->second)
		return a->second > b->second;
	return a->port > b->port;
}

/* The same for both directions. */
static uint32_t
hash_of(const struct flow_table *t, const struct packet *p)
{
	struct end low, high;
	uint64_t words[4];
	uint32_t ports;

	if (p->has_flow_hash)
		return p->flow_hash;
	low = end_of(&p->src);
	high = end_of(&p->dst);
	if (end_after(&low, &high)) {
		struct end lower = high;

		high = low;
		low = lower;
	}
	ports = (uint32_t)low.port << 16 | (uint32_t)high.port;
	if (p->src.address.family == 4) {
		/* Half of the octets, wherever this machine has them. */
		words[0] = low.first ^ (high.first << 32 | high.first >> 32);
		return (uint32_t)siphash13(t->key, words, 1, ports);
	}
	words[0] = low.first;
	words[1] = low.second;
	words[2] = high.first;
	words[3] = high.second;
	return (uint32_t)siphash13(t->key, words, 4, ports);
}

void
flow_table_expect(const struct flow_table *t, struct packet *p)
{
	p->flow_hash = hash_of(t, p);
	p->has_flow_hash = true;
	fetch_memory(&t->index[p->flow_hash & t->index_mask], 1);
}

void
flow_table_fetch(const struct flow_table *t, struct packet *p)
{
	/* The first place is the right one most of the time. */
	p->flow_position = t->index[hash_of(t, p) & t->index_mask].position;
	if (p->flow_position == FLOW_NONE)
		return;
	fetch_memory(flow_at(t, p->flow_position), sizeof(struct flow));
	fetch_memory(&t->links[p->flow_position], sizeof(struct links));
}

const struct flow *
flow_table_fetched(const struct flow_table *t, const struct packet *p)
{
	return p->flow_position == FLOW_NONE ? NULL :
					       flow_at(t, p->flow_position);
}

struct flow *
flow_table_find(struct flow_table *t, const struct packet *p, enum dir *dir)
{
	uint32_t hash = hash_of(t, p);

	for (uint32_t i = hash & t->index_mask;
	     t->index[i].position != FLOW_NONE; i = (i + 1) & t->index_mask) {
		struct flow *f;

		if (t->index[i].hash != hash)
			continue;
		f = flow_at(t, t->index[i].position);
		if (endpoint_equal(&f->ends[TO_SERVER], &p->dst) &&
		    endpoint_equal(&f->ends[TO_CLIENT], &p->src)) {
			*dir = TO_SERVER;
			return f;
		}
		if (endpoint_equal(&f->ends[TO_SERVER], &p->src) &&
		    endpoint_equal(&f->ends[TO_CLIENT], &p->dst)) {
			*dir = TO_CLIENT;
			return f;
		}
	}
	return NULL;
}

static void
index_put(struct flow_table *t, uint32_t hash, uint32_t position)
{
	uint32_t i = hash & t->index_mask;

	while (t->index[i].position != FLOW_NONE)
		i = (i + 1) & t->index_mask;
	t->index[i] = (struct place){ hash, position };
}

static bool
index_grow(struct flow_table *t)
{
	size_t room = ((size_t)t->index_mask + 1) * 2, old = t->index_mask + 1u;
	struct place *before = t->index, *index = malloc(room * sizeof(*index));

	if (index == NULL)
		return false;
	memset(index, 0xff, room * sizeof(*index));
	t->index = index;
	t->index_mask = (uint32_t)room - 1;
	for (size_t i = 0; i < old; i++)
		if (before[i].position != FLOW_NONE)
			index_put(t, before[i].hash, before[i].position);
	free(before);
	return true;
}

/* Takes out a place and moves up what had to go past it (Knuth 6.4 R). */
static void
index_remove(struct flow_table *t, const struct flow *f)
{
	uint32_t i = f->hash & t->index_mask, j;

	while (t->index[i].position != f->position)
		i = (i + 1) & t->index_mask;
	for (j = i;;) {
		uint32_t home;

		j = (j + 1) & t->index_mask;
		if (t->index[j].position == FLOW_NONE)
			break;
		home = t->index[j].hash & t->index_mask;
		if (((j - home) & t->index_mask) >= ((j - i) & t->index_mask)) {
			t->index[i] = t->index[j];
			i = j;
		}
	}
	t->index[i].position = FLOW_NONE;
}

static void
unlink_flow(struct flow_table *t, const struct flow *f)
{
	struct list *list = &t->lists[f->class];
	const struct links *own = &t->links[f->position];

	if (own->older == FLOW_NONE)
		list->oldest = own->newer;
	else
		t->links[own->older].newer = own->newer;
	if (own->newer == FLOW_NONE)
		list->youngest = own->older;
	else
		t->links[own->newer].older = own->older;
	list->count--;
}

static void
link_youngest(struct flow_table *t, struct flow *f, enum flow_class class)
{
	struct list *list = &t->lists[class];

	f->class = (uint8_t) class;
	t->links[f->position] = (struct links){ FLOW_NONE, list->youngest };
	if (list->youngest == FLOW_NONE)
		list->oldest = f->position;
	else
		t->links[list->youngest].newer = f->position;
	list->youngest = f->position;
	list->count++;
}

static uint32_t
take_position(struct flow_table *t)
{
	uint32_t position = t->free_list;

	if (position != FLOW_NONE) {
		t->free_list = t->links[position].newer;
		return position;
	}
	if (t->used == t->flows_max)
		return FLOW_NONE;
	if (t->used % SLAB_FLOWS == 0) {
		struct flow *slab = malloc(SLAB_FLOWS * sizeof(*slab));

		if (slab == NULL)
			return FLOW_NONE;
		t->slabs[t->used / SLAB_FLOWS] = slab;
	}
	return (uint32_t)t->used++;
}

struct flow *
flow_table_add(struct flow_table *t, const struct packet *p, enum dir dir)
{
	uint32_t position;
	struct flow *f;

	if (t->used * 2 > t->index_mask && !index_grow(t))
		return NULL;
	position = take_position(t);
	if (position == FLOW_NONE)
		return NULL;
	f = flow_at(t, position);
	memset(f, 0, sizeof(*f));
	f->position = position;
	f->ends[dir] = p->dst;
	f->ends[dir_peer(dir)] = p->src;
	f->hash = hash_of(t, p);
	index_put(t, f->hash, position);
	link_youngest(t, f, FLOW_HALF_OPEN);
	return f;
}

void
flow_table_remove(struct flow_table *t, struct flow *f)
{
	unlink_flow(t, f);
	index_remove(t, f);
	t->links[f->position].newer = t->free_list;
	t->free_list = f->position;
}

void
flow_table_touch(struct flow_table *t, struct flow *f, enum flow_class class)
{
	if (f->class == class && t->lists[class].youngest == f->position)
		return;
	unlink_flow(t, f);
	link_youngest(t, f, class);
}

struct flow *
flow_table_oldest(struct flow_table *t, enum flow_class class)
{
	uint32_t position = t->lists[class].oldest;

	return position == FLOW_NONE ? NULL : flow_at(t, position);
}

struct flow *
flow_table_newer(const struct flow_table *t, const struct flow *f)
{
	uint32_t newer = t->links[f->position].newer;

	return newer == FLOW_NONE ? NULL : flow_at(t, newer);
}

size_t
flow_table_count(const struct flow_table *t, enum flow_class class)
{
	return t->lists[class].count;
}
