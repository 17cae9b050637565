/*
 * store/alert.h - what `watch` alerted of the incidents, and what it has yet
 * to tell.
 *
 * An incident becomes due in the transaction that writes its revision, and is
 * told behind the commit: who is killed in between finds it due when he begins
 * anew. What was told and not noted so is told again, never not at all; an
 * alert is known by the incident's id and revision. As in store.h, -1 is a
 * failure with a message in store_error().
 */
#ifndef STORE_ALERT_H
#define STORE_ALERT_H

#include "store.h"

/* What an incident was alerted with last. */
struct alert_mark {
	unsigned revision; /* 0: it never was */
	unsigned severity; /* as it was told; also of what is no alert */
	unsigned owed;	   /* outputs that have yet to take it, as bits */
};

/* In its latest revision, behind all that is due and behind number `after`;
 * inside a transaction of the caller's. */
int store_alert_due(struct store *, const char *incident, uint64_t after);
/* It was told, and unless an output is owed it, is due no more; inside a
 * transaction. */
int store_alert_told(struct store *, const char *incident,
    const struct alert_mark *);

typedef int
due_alert_fn(void *context, uint64_t number, const struct incident *);
/* At most `most` of those that are due, behind number `after`, in their order.
 * Stops when the callback, which must not write, is not 0. */
int store_each_due_alert(struct store *, uint64_t after, size_t most,
    due_alert_fn *, void *context);

typedef int
alerted_fn(void *context, const struct incident *, const struct alert_mark *);
/* Those that were told, wholly or in part: a trace (store_each_trace()) of the revision that was
 * alerted, of others of the latest, with state and outcome. In no order. */
int store_each_alerted(struct store *, alerted_fn *, void *context);

#endif
