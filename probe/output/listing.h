/*
 * probe/output/listing.h - the incidents of a page: a table to filter and to
 * search, and each of them in full.
 *
 * A few stand in the page as they are. Of many, the rows and what is searched
 * are in it as JSON, and the articles deflated, some together, so that only
 * what is looked at is ever laid out: ten thousand open as fast as ten.
 */
#ifndef PROBE_OUTPUT_LISTING_H
#define PROBE_OUTPUT_LISTING_H

#include <stdio.h>

#include "rules/incident.h"

struct listing;

/* NULL: there is no memory. */
struct listing *listing_create(void);
/* In the order in which they are to stand; `article` is HTML. */
void
listing_add(struct listing *, const struct incident *, struct slice article);
/* -1: memory ran out, now or before, and the page is not whole. */
int listing_write(struct listing *, FILE *);
void listing_free(struct listing *);

#endif
