/*
 * store/verdict.h - does a judgement say anything new? private to store/.
 */
#ifndef STORE_VERDICT_H
#define STORE_VERDICT_H

#include "rules/incident.h"

/*
 * Equal in all but id, revision and provenance, and the capture's path: who
 * moves a file has found nothing new in it. Sessions in whatever order.
 */
bool verdict_same(const struct incident *, const struct incident *);

#endif
