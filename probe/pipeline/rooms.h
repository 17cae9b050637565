/*
 * probe/pipeline/rooms.h - memory for what is short, comes by the hundred
 * thousand and goes in any order.
 *
 * Small rooms are cut from large pieces and, given back, used again for their
 * own size: malloc() would spend more on each than is done with it, and spread
 * them. Pieces are kept until the end. Not thread-safe.
 */
#ifndef PROBE_PIPELINE_ROOMS_H
#define PROBE_PIPELINE_ROOMS_H

#include <stddef.h>

struct rooms;

struct rooms *rooms_create(void); /* NULL: no memory */
/* All rooms go with it, but those of more than ROOMS_SMALL_BYTES, which must
 * have been given back. */
void rooms_destroy(struct rooms *);

#define ROOMS_SMALL_BYTES 4096

/* What a room for `bytes` (at least 1) really has. */
size_t rooms_size(size_t bytes);
/* `bytes` as rooms_size() gave it; NULL: no memory. */
void *rooms_take(struct rooms *, size_t bytes);
void rooms_give(struct rooms *, void *room, size_t bytes);

#endif
