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

#define SCHEMA_APPLICATION_ID 0x7374726c /* "strl" */

enum schema_state {
	SCHEMA_REFUSED, /* not ours, newer, or unreadable */
	SCHEMA_OLDER,	/* or empty */
	SCHEMA_CURRENT,
};

/* Whose database it is, and of which version; changes nothing in it. Unless
 * it is current, the store has a message for who only reads. */
enum schema_state schema_check(struct store *);
/* Brings an older one up to date in one transaction. 0, or -1. */
int schema_upgrade(struct store *);

#endif
