/*
 * store/size.h - how big a database is, and whether it is sound.
 */
#ifndef STORE_SIZE_H
#define STORE_SIZE_H

#include "store.h"

struct store_size {
	uint64_t database_bytes, log_bytes; /* the files */
	uint64_t free_bytes;		    /* of the database */
};
/* Costs no walk over the rows. */
int store_measure_bytes(struct store *, struct store_size *);

typedef int damage_fn(void *context, const char *text);
/* SQLite's own check of every page, and that no row lost what it refers to;
 * tells each damage. */
int store_check(struct store *, damage_fn *, void *context);
/* Gives all free pages back at once: writes the database anew, and needs as
 * much room again while it does. */
int store_compact(struct store *);

#endif
