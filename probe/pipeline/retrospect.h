/*
 * probe/pipeline/retrospect.h - kept sessions judged with all that is known
 * now (design 4.4).
 *
 * At the end of each read, and when a policy comes in. A revision is written
 * only where the verdict differs.
 */
#ifndef PROBE_PIPELINE_RETROSPECT_H
#define PROBE_PIPELINE_RETROSPECT_H

#include "world.h"

struct retrospect {
	struct store *store;
	struct world *world;
	uint64_t judged, written; /* sessions; revisions */
	char policies[17];	  /* their version; "": not asked for yet */
	/* Told of each new revision; NULL: nobody asks. Not 0: the store
	 * failed. */
	int (*revised)(void *context, const struct incident *);
	void *context;
};

/* All kept sessions with `server`; inside a transaction of the caller's.
 * -1: the store failed, store_error() says why. */
int retrospect_server(struct retrospect *, const struct endpoint *server);
/* One session, by its identity. */
int retrospect_session(struct retrospect *, const uint8_t session[16]);
/* Without the store: what `sighting` says, with what is known. True: `out` is
 * an incident. For when nothing can be written. */
bool retrospect_unstored(struct retrospect *, const struct sighting *sighting,
    struct incident *out);
/* All kept sessions with a recipient in `domain`. */
int retrospect_domain(struct retrospect *, const char *domain);

#endif
