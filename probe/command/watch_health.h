/*
 * probe/command/watch_health.h - the judge of `watch` knows how the sensor
 * fares: it gathers it from everybody's counts, and has it told.
 */
#ifndef PROBE_COMMAND_WATCH_HEALTH_H
#define PROBE_COMMAND_WATCH_HEALTH_H

#include "reporter.h"
#include "watch.h"
#include "watch_learn.h"

#define INCIDENTS_SEEN (1u << 15)

struct watch_health {
	const struct watching *watching;
	struct reporter reporter;
	/* As last told. */
	struct channel_counts counts[WATCH_THREADS_MAX][LIVE_SOURCES_MAX];
	struct counters counters; /* of all engines there were */
	/* Monotonic: when each thread of the engine last counted. */
	int64_t counted_ns[WATCH_THREADS_MAX];
	/* How often incidents came to be so sure, and which these were. */
	uint64_t incidents[KINDS][CERTAINTY_DEMONSTRATED + 1];
	struct {
		uint64_t id;
		unsigned certainties; /* 1 << enum certainty */
	} seen[INCIDENTS_SEEN];
};

void watch_health_init(struct watch_health *, const struct watching *,
    int64_t monotonic_ns);
void watch_health_free(struct watch_health *);
/* What a thread of the engine says; it need not be believed. */
void watch_health_counts(struct watch_health *, unsigned thread,
    const struct channel_counts *, int64_t monotonic_ns);
/* An incident, or a new revision of one. */
void watch_health_incident(struct watch_health *, const struct incident *);

/* Whom to ask. */
struct watch_health_sources {
	const struct live *live;
	struct store *store;
	const struct retention *retention;
	const struct alerts *alerts;
	const struct watch_learn *learn;
	bool failing; /* the store */
};
/* All of it, as it is now, told everywhere; the event is the caller's to
 * write. */
const struct json *watch_health_tell(struct watch_health *,
    const struct watch_health_sources *, int64_t monotonic_ns);

#endif
