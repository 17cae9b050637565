/*
 * probe/pipeline/open_sessions.h - the facts of sessions that have not ended,
 * by handle; private to probe/pipeline.
 */
#ifndef PROBE_PIPELINE_OPEN_SESSIONS_H
#define PROBE_PIPELINE_OPEN_SESSIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "dissect/fact.h"

/* The facts of a session that has not ended. */
struct open_session {
	uint64_t handle; /* 0: the place is empty */
	uint8_t *facts;
	uint32_t length, room;
	bool cut; /* some were not kept for want of room */
	bool noted;
	bool yielded; /* while it was open */
	/* The same session under other addresses; once that has ended, its
	 * facts. */
	uint64_t twin;
	uint8_t *twin_facts;
	uint32_t twin_length, twin_room;
};

/* Several dissectors may publish to one judge: whose handle it is stands in
 * bits that no serial number reaches. */
#define PUBLISHER_SHIFT 48
#define PUBLISHERS_MAX 64

static inline unsigned
handle_publisher(uint64_t handle)
{
	return handle >> PUBLISHER_SHIFT & (PUBLISHERS_MAX - 1);
}

static inline uint64_t
handle_of(unsigned publisher, uint64_t handle)
{
	uint64_t bits = (uint64_t)(PUBLISHERS_MAX - 1) << PUBLISHER_SHIFT;

	return (handle & ~bits) | (uint64_t)publisher << PUBLISHER_SHIFT;
}

struct open_sessions;

/* `budget_bytes` bounds the facts; NULL: no memory. */
struct open_sessions *open_sessions_create(size_t budget_bytes);
void open_sessions_destroy(struct open_sessions *);
/* ... and `max` how many there are. */
void open_sessions_bound(struct open_sessions *, size_t max);
/* Opens it, if it is not open; NULL: no room. A place is good until the next
 * call of this or of remove. */
struct open_session *
open_sessions_find(struct open_sessions *, uint64_t handle);
/* NULL: it is not open. */
struct open_session *
open_sessions_known(struct open_sessions *, uint64_t handle);
void open_sessions_remove(struct open_sessions *, struct open_session *);
/* Copies facts behind those that are there; without room sets `cut`. */
void open_session_keep(struct open_sessions *, struct open_session *,
    struct slice facts);
/* Tells and removes all of one publisher. */
void open_sessions_empty(struct open_sessions *, unsigned publisher,
    void (*ended)(void *context, struct open_session *), void *context);

#endif
