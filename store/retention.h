/*
 * store/retention.h - a database that stays small: what is old, or too much,
 * goes in small steps beside the writing.
 *
 * History (kept sessions, profiles, attempts, counts of clear text) has one
 * age, incidents with their evidence another. The oldest goes first, and
 * nothing of a session that an incident speaks of goes before the incident.
 * Where rows or bytes are too many, history pays before incidents do. What
 * the operator said stays. Age is that of the packets, by capture time.
 *
 * A step is one short transaction, so that who writes and who reads beside it
 * wait for milliseconds; freed pages go back to the file system.
 */
#ifndef STORE_RETENTION_H
#define STORE_RETENTION_H

#include "store.h"

/* 0: no limit. */
struct retention_limits {
	int64_t history_ns;  /* age of history */
	int64_t evidence_ns; /* age of incidents and of their sessions */
	uint64_t rows;	     /* of kept sessions, profiles and attempts each */
	uint64_t incidents;
	uint64_t bytes; /* of the database and its write-ahead log */
};

#define RETENTION_DAY_NS (INT64_C(86400) * 1000000000)
/* Less than this holds no more than the tables themselves. */
#define RETENTION_BYTES_MIN (UINT64_C(4) << 20)

enum retained {
	RETAINED_INCIDENTS,
	RETAINED_SESSIONS,
	RETAINED_PROFILES,
	RETAINED_ATTEMPTS,
	RETAINED_CLEAR,
	RETAINED_CAPTURES,
	RETAINED_REST, /* reports of others, notes, replies nobody needs */
	RETAINED_SORTS
};
/* "incidents", "sessions", ...: as on screen, in JSON and in labels. */
const char *retained_name(enum retained);

struct retention;

/* Makes the indexes that only this needs, in a database that is written.
 * NULL: no memory, or store_error(). The store is borrowed. */
struct retention *
retention_create(struct store *, const struct retention_limits *);
void retention_destroy(struct retention *);
/* From the next pass on. */
void retention_set_limits(struct retention *, const struct retention_limits *);
/* One step of a pass at `now_ns`, wall clock; `more`: the pass goes on. -1:
 * the store failed; nothing is half gone, and the next step tries again. */
int retention_step(struct retention *, int64_t now_ns, bool *more);

struct retention_totals {
	uint64_t removed[RETAINED_SORTS]; /* rows, since create */
	uint64_t steps;
	uint64_t log_held; /* steps in which a reader held the log */
};
const struct retention_totals *retention_totals(const struct retention *);

/* How many rows there are, and of what time; beside store_measure_bytes(). */
struct store_content {
	uint64_t rows[RETAINED_SORTS]; /* 0 for the rest */
	int64_t oldest_ns, newest_ns;  /* oldest > newest: nothing */
};
int store_measure_content(struct store *, struct store_content *);

#endif
