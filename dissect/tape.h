/*
 * dissect/tape.h - segments of a negotiation, kept in the order in which they
 * came.
 *
 * Its room is lent by a pool: 256 octets first, then more, up to 64 KiB, and
 * only while half of the pool is left; what lines need comes before.
 * Belongs to a session; not thread-safe.
 */
#ifndef DISSECT_TAPE_H
#define DISSECT_TAPE_H

#include "fact_log.h"

/* The most that a tape takes. */
#define TAPE_MAX_BYTES 65536

/* A segment; its octets follow. */
struct taped {
	struct segment_copy copy;
	uint64_t run_frame;
	uint32_t capture;
	uint32_t captured; /* octets of payload that are here */
	uint8_t dir;
	/* Which readings have it: the first all but later copies, the other
	 * one all but those that a later copy contradicts; neither has one
	 * with a wrong sum. */
	bool first_reading, other_reading;
};

/* All zeroes but for the pool is an empty one. */
struct tape {
	struct fact_pool *pool;
	uint8_t *bytes;
	uint32_t length, room;
};

/*
 * A new last segment with these octets. All but them and `captured` is for the
 * caller to set, in place. NULL: there is no room.
 */
struct taped *tape_add(struct tape *, struct slice payload);
/*
 * The next segment; `position` begins at 0. It stays where it is until the
 * next tape_add(). NULL: there is no more.
 */
struct taped *tape_next(const struct tape *, uint32_t *position);
struct slice tape_payload(const struct taped *);
/* The octets that a taped segment has in common with [seq, seq + octets): how
 * many, `from` which sequence number on. */
uint32_t tape_common(const struct taped *, uint32_t seq, uint32_t octets,
    uint32_t *from);
/* Keeps only the beginning, as much of it as fits into `bytes`. */
void tape_trim(struct tape *, uint32_t bytes);
/* Gives back its room. */
void tape_close(struct tape *);

#endif
