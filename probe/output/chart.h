/*
 * probe/output/chart.h - inline SVG where people would rather look than read.
 *
 * No chart says what does not also stand beside it in words or in a table.
 */
#ifndef PROBE_OUTPUT_CHART_H
#define PROBE_OUTPUT_CHART_H

#include <stdio.h>

#include "rules/incident.h"

/* A bar to the right for what speaks for tampering, to the left for what
 * speaks against it. */
void chart_weight(FILE *, double weight);
/* The confidence on its scale, with the prior that it comes from. */
void chart_confidence(FILE *, const struct incident *);
/* A bar as long as `value` is of `max`. */
void chart_bar(FILE *, uint64_t value, uint64_t max);

struct moment {
	int64_t ns;
	enum certainty certainty;
};
/* Incidents over time, with the same as a table below; sorts `moments`. */
void chart_timeline(FILE *, struct moment *moments, size_t count);

#endif
