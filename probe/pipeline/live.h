/*
 * probe/pipeline/live.h - what is watched is judged and stored as it comes.
 *
 * Publications in, one interface a capture of the store; at a session's
 * decision points incidents out, as soon as they are committed. A session that
 * ends, or what comes to light later, revises them. What is committed is told
 * at least once, also by the next one if this one is killed in between. While
 * the store fails, what was to be written waits, bounded, and incidents are
 * told all the same. One thread.
 */
#ifndef PROBE_PIPELINE_LIVE_H
#define PROBE_PIPELINE_LIVE_H

#include "judge_loop.h"
#include "telling.h"
#include "world.h"

#define LIVE_SOURCES_MAX 16

struct live_source {
	const char *path;   /* interface or file, as it was named */
	const char *format; /* "interface", "replay" */
	uint32_t link_type;
};

struct live_options {
	struct judge_budgets judge;
	struct judge_trust *trust;
	const char *vantage; /* "" or a name */
	size_t sessions_max; /* open ones */
	size_t kept_max;
	int64_t started_ns; /* wall clock; the same for a judge that is
			     * started again */
	unsigned source_count;
	const struct live_source *sources;
};

struct live;

/* Everything is borrowed. NULL: no memory. */
struct live *live_create(const struct live_options *, struct store *,
    struct world *, telling_fn *, void *context);
void live_destroy(struct live *);

/*
 * A publication of dissector `publisher` (open_sessions.h), which need not be
 * believed: false, and nothing is done, if its facts are none, speak of a
 * source that there is not, or are of no session.
 */
bool live_take(struct live *, unsigned publisher, const struct publication *,
    struct slice facts);
/* What a dissector has counted in all, of one source. */
void live_count(struct live *, unsigned publisher, uint32_t source,
    const struct counters *);
/* The dissector is gone, and begins anew. */
void live_publisher_gone(struct live *, unsigned publisher);

/* Is there something that may be an incident? Then flush soon. */
bool live_is_urgent(const struct live *);
/*
 * Writes what there is and tells of incidents. `all`: everything that waits
 * for its time is judged again, too. -1: the store failed, store_error() says
 * why; the next call tries again.
 */
int live_flush(struct live *, int64_t now_ns, bool all);
struct live_totals {
	uint64_t sessions, suspects;
	uint64_t strays;     /* publications without a session */
	uint64_t unsound;    /* publications that were refused */
	uint64_t revisions;  /* of incidents, written */
	uint64_t unstored;   /* incidents told while the store failed */
	uint64_t failures;   /* of the store */
	uint64_t waiting;    /* parts that wait for it now */
	uint64_t lost_parts; /* what waited for the store and found no room */
	bool untold;	     /* something was not told to all */
	struct tally tally;
	struct counters counters;
};
void live_totals(const struct live *, struct live_totals *);

#endif
