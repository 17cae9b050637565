/*
 * probe/output/totals.h - what was seen and what was lost, for `stats`.
 */
#ifndef PROBE_OUTPUT_TOTALS_H
#define PROBE_OUTPUT_TOTALS_H

#include <stdio.h>

#include "json.h"
#include "store/store.h"

/* Of one capture, or of several together. */
struct totals {
	uint64_t captures, faults;
	uint64_t bytes, packets;
	int64_t first_ns, last_ns; /* first > last: no packet */
	struct counters counters;
	struct tally tally;
	uint64_t incidents[KINDS][CERTAINTY_DEMONSTRATED + 1];
};

void totals_init(struct totals *);
void totals_add_capture(struct totals *, const struct capture_row *);
/* An incident_fn; `context` is the totals. */
int totals_add_incident(void *totals, const struct incident *);

/* One screen: what came in, what was lost, the three axes, the verdicts. */
void totals_print(FILE *, struct totals *);
/* Members of an object that is open, all of the same. */
void totals_json(struct json *, struct totals *);

#endif
