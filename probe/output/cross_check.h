/*
 * probe/output/cross_check.h - what the second engine had to say, for people.
 */
#ifndef PROBE_OUTPUT_CROSS_CHECK_H
#define PROBE_OUTPUT_CROSS_CHECK_H

#include <stdio.h>

#include "dissect/cross_check.h"

/* A new difference as one line of ASCII, without the program's name: session,
 * direction, place, and both engines' line there. Returns `out`. */
#define CROSS_TEXT_BYTES 1024
const char *
cross_check_text(const struct cross_difference *, char out[CROSS_TEXT_BYTES]);
/* How many agree, and each known difference with its count and its reason. */
void cross_check_summary(FILE *, const struct cross_totals *);

#endif
