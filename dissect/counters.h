/*
 * dissect/counters.h - what was seen and what was lost, one number a cause.
 */
#ifndef DISSECT_COUNTERS_H
#define DISSECT_COUNTERS_H

#include <stdint.h>

enum counter {
#define COUNTER(id, name, class, text) COUNTER_##id,
#include "counters.def"
#undef COUNTER
	COUNTERS
};

/* What it means that something was counted. */
enum counter_class {
	COUNTER_CLASS_TRAFFIC,	 /* what there was */
	COUNTER_CLASS_UNDECODED, /* could not be read */
	COUNTER_CLASS_LOST,	 /* is not in the capture */
	COUNTER_CLASS_EVICTED,	 /* was shed for room */
	COUNTER_CLASS_ODD,	 /* was read, and is worth a look */
	COUNTER_CLASSES
};

struct counters {
	uint64_t of[COUNTERS];
};

static inline void
count(struct counters *counters, enum counter which)
{
	counters->of[which]++;
}

void counters_add(struct counters *sum, const struct counters *more);
/* "decoder.pkts" and "frames read"; never NULL. */
const char *counter_name(enum counter);
const char *counter_text(enum counter);
enum counter_class counter_class(enum counter);
/* "traffic", "undecoded", "lost", "evicted", "odd" */
const char *counter_class_name(enum counter_class);

#endif
