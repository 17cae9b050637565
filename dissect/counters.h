/*
 * dissect/counters.h - what was seen and what was lost, one number a cause.
 */
#ifndef DISSECT_COUNTERS_H
#define DISSECT_COUNTERS_H

#include <stdint.h>

enum counter {
#define COUNTER(id, name, text) COUNTER_##id,
#include "counters.def"
#undef COUNTER
	COUNTERS
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

#endif
