/*
 * probe/pipeline/collection.h - all sessions of one capture, with their facts,
 * and what they can be known by in another capture.
 *
 * Bounded: where the budget is spent, later sessions are only counted.
 */
#ifndef PROBE_PIPELINE_COLLECTION_H
#define PROBE_PIPELINE_COLLECTION_H

#include "dissect/fact_log.h"
#include "rules/contrast.h"

struct collected {
	uint64_t handle;
	struct flow_identity flow;
	int64_t first_ns;
	uint64_t first_frame;
	uint64_t keys[PAIRINGS]; /* hashes; 0: it cannot be known by this */
	uint8_t *facts;
	size_t facts_bytes, room;
	bool cut; /* some facts found no room: it is left out */
	/* What pairing.h makes of it. */
	bool paired, ambiguous;
};

struct collection {
	struct collected *list;
	size_t count, room;
	size_t budget_bytes, used_bytes;
	uint64_t shed; /* sessions without room */
	uint32_t *places;
	size_t mask;
};

void collection_init(struct collection *, size_t budget_bytes);
void collection_free(struct collection *);
/* A publish_fn. */
void
collection_take(void *collection, const struct publication *, struct slice);
/* After the capture's end: leaves out what was cut, makes the keys, orders by
 * first packet. */
void collection_finish(struct collection *);

static inline struct slice
collected_facts(const struct collected *s)
{
	return slice_of(s->facts, s->facts_bytes);
}

#endif
