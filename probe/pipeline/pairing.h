/*
 * probe/pipeline/pairing.h - which session of one capture is which of another.
 *
 * The clocks may show anything: how far they are apart is learnt from sessions
 * that are surely the same ones, and then decides between sessions that look
 * alike. What two sessions of the other side could be is ambiguous and no
 * pair.
 */
#ifndef PROBE_PIPELINE_PAIRING_H
#define PROBE_PIPELINE_PAIRING_H

#include "collection.h"

struct pair {
	size_t near, far; /* indexes into the collections */
	enum pairing by;
};

struct pairs {
	struct pair *list; /* by `near` */
	size_t count;
	bool has_offset;
	int64_t offset_ns; /* what far's clock shows more than near's */
};

/* Both were finished; their `paired` and `ambiguous` are set. -1: no memory. */
int
pairs_find(struct collection *near, struct collection *far, struct pairs *out);
void pairs_free(struct pairs *);

#endif
