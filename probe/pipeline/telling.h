/*
 * probe/pipeline/telling.h - what is due (store/alert.h) is told, in its turn
 * and at least once.
 *
 * What could not be told to all is tried again once a second, and holds up
 * nothing that comes behind it. What was told is noted in the transaction that
 * the caller opens next, or in one of its own where there is too much of it.
 */
#ifndef PROBE_PIPELINE_TELLING_H
#define PROBE_PIPELINE_TELLING_H

#include "store/alert.h"

/* `stored` false: the store fails, and nobody will find it there yet. True:
 * it was told; false: not to all, and it comes again. `mark` gets what it is
 * alerted with by now. */
typedef bool telling_fn(void *context, const struct incident *, bool stored,
    struct alert_mark *mark);

struct telling;

/* All is borrowed. NULL: no memory. */
struct telling *telling_create(struct store *, telling_fn *, void *context);
void telling_destroy(struct telling *);

/* A new revision: due once the caller's transaction is committed. */
int telling_revised(struct telling *, const struct incident *);
/* Tells all that is due. -1: the store failed. */
int telling_due(struct telling *, int64_t now_ns);
/* What the store does not have, and for now cannot have. */
void telling_unstored(struct telling *, const struct incident *);
/* What was told, into the caller's transaction; done: it is committed. */
int telling_note(struct telling *);
void telling_noted(struct telling *);
/* The same in a transaction of its own. */
int telling_commit(struct telling *);
/* Is something not told to all? */
bool telling_owes(const struct telling *);

#endif
