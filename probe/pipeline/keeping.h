/*
 * probe/pipeline/keeping.h - what sessions of a capture yielded goes into the
 * store: all of it at the capture's end, or bit by bit while it is watched.
 */
#ifndef PROBE_PIPELINE_KEEPING_H
#define PROBE_PIPELINE_KEEPING_H

#include "judge_loop.h"
#include "store/store.h"

/* How the store knows the captures of a run. */
struct capture_names {
	/* By ordinal; "": there is none. */
	const char *(*hash)(void *context, uint32_t ordinal);
	void *context;
};

/* A kept session as it is stored; borrows from it. */
void keeping_sighting(const struct capture_names *, const struct kept_session *,
    struct sighting *out);
/*
 * Writes all of a yield, of capture `ordinal`, which is the one that is being
 * written; inside its transaction. `grows`: other parts of it may be there
 * already. -1: the store failed.
 */
int keeping_put(struct store *, const struct capture_names *, uint32_t ordinal,
    const struct capture_yield *, bool grows);

#endif
