/*
 * store/schema.h - the versions of the database; private to store/.
 *
 * A version is a step of SQL from the one before it. The last step's number
 * is the version that this program writes; a higher one was made by a newer
 * program and is left alone.
 */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

#include "statement.h"

#define SCHEMA_APPLICATION_ID 0x7374726c	/* "strl" */

/* Checks whose database it is, and of which version; brings an older one up
 * to date when `write`. 0, or -1 with a message in the store. */
int schema_ready(struct store *, bool write);

#endif
