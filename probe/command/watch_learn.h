/*
 * probe/command/watch_learn.h - `watch --learn`: for some days nothing is
 * alerted, and then what was usual is told, so that the operator can say what
 * is his before the first alert.
 *
 * What is found meanwhile is stored and counted as ever. When it was begun
 * stands in the database. After its end everything is new to the alerts: an
 * act that goes on is alerted when it comes next.
 */
#ifndef PROBE_COMMAND_WATCH_LEARN_H
#define PROBE_COMMAND_WATCH_LEARN_H

#include "store/learning.h"

struct watch_learn {
	struct learning of;
	bool active;
	int64_t tried_ns; /* wall clock: to end it; once a second */
};

/* `length_ns` 0: nothing is to be learned; what was begun ends. Says what goes
 * on. -1: the store failed. */
int watch_learn_begin(struct watch_learn *, struct store *, int64_t length_ns,
    int64_t wall_ns);
/* Was nothing alerted at that time? */
bool watch_learn_covers(const struct watch_learn *, int64_t capture_ts_ns);
/* True: it is over, as of now, and what came of it was told. A store that
 * fails has it wait. */
bool watch_learn_ends(struct watch_learn *, struct store *, int64_t wall_ns);

#endif
