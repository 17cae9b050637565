/*
 * store/learning.h - since when `watch` learns what is usual at its site, and
 * until when it alerts nothing; beside what it learns, so that whoever starts
 * it again does not begin anew. Wall clock. As in store.h, -1 is a failure with
 * a message in store_error().
 */
#ifndef STORE_LEARNING_H
#define STORE_LEARNING_H

#include "store.h"

struct learning {
	int64_t since_ns, until_ns; /* until 0: it never was begun */
	bool over;		    /* what came of it was reported */
};

int store_learning(struct store *, struct learning *);
int store_learning_put(struct store *, const struct learning *);

#endif
