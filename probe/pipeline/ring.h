/*
 * probe/pipeline/ring.h - a ring of bytes from one writer to one reader.
 *
 * Carries records, never pointers, so that it works between threads and, over
 * a shared page, between processes. A record is a header of fixed size and
 * its bytes, padded to 8. The writer waits when the ring is full, the reader
 * is told when it is empty; both sides only ever wait on the other.
 */
#ifndef PROBE_PIPELINE_RING_H
#define PROBE_PIPELINE_RING_H

#include <stdbool.h>

#include "dissect/fact.h"

struct ring;

/* `bytes` is a power of two, at least four times the largest record. */
struct ring *ring_create(size_t bytes);
void ring_destroy(struct ring *);

/* Waits until there is room. A reader that sleeps is woken when a quarter is
 * full, or by ring_flush(). */
void ring_write(struct ring *, const struct publication *, struct slice facts);
/* The reader is to look now, for the next record may be long in coming. */
void ring_flush(struct ring *);
/*
 * The oldest record, borrowed until ring_drop(); false: there is none now.
 * The facts are contiguous.
 */
bool ring_peek(struct ring *, struct publication *, struct slice *facts);
void ring_drop(struct ring *);
/* Sleeps until something was written since the last peek. */
void ring_wait(struct ring *);

#endif
