/*
 * probe/pipeline/channel.h - a ring of bytes from one process to another that
 * does not trust it.
 *
 * The same idea as ring.h, but over shared memory of which the writer may do
 * what it likes: the reader keeps its own place, believes no number that it
 * has not checked, and copies a record before it looks at it. No lock is
 * shared; each side wakes the other through an eventfd. Made before the
 * processes part; survives either of them.
 */
#ifndef PROBE_PIPELINE_CHANNEL_H
#define PROBE_PIPELINE_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "dissect/fact.h"
#include "dissect/counters.h"

/* The longest record, all told. */
#define CHANNEL_RECORD_MAX (256u << 10)

struct channel;

/* `bytes` is a power of two, at least 4 * CHANNEL_RECORD_MAX. NULL: no memory
 * or no descriptors; errno says why. */
struct channel *channel_create(size_t bytes);
void channel_destroy(struct channel *);

/* --- writing ------------------------------------------------------------- */

/* Waits while there is no room, and wakes the reader at every quarter. A
 * record is there whole or not at all, whenever the writer dies. */
void channel_publish(struct channel *, const struct publication *,
    struct slice facts);
/* What was counted so far, of one source; and packets that the kernel lost. */
struct channel_counts {
	uint32_t source;
	uint64_t kernel_packets, kernel_drops, interface_drops;
	struct counters counters;
};
void channel_count(struct channel *, const struct channel_counts *);
/* Wakes the reader, if something was written since the last time. */
void channel_flush(struct channel *);

/* --- reading ------------------------------------------------------------- */

/* Readable when there may be something to read. */
int channel_descriptor(const struct channel *);
/* Goes on where the reader before it was: after a fork. */
void channel_attach(struct channel *);
/* Before it reads until there is nothing. */
void channel_acknowledge(struct channel *);

enum channel_record {
	CHANNEL_NOTHING,
	CHANNEL_PUBLICATION,
	CHANNEL_COUNTS,
	CHANNEL_BROKEN, /* nothing in it can be believed any more */
};
/* `facts` is borrowed until the next call. What a publication says is not
 * checked here, but that it is one. */
enum channel_record channel_read(struct channel *, struct publication *,
    struct slice *facts, struct channel_counts *);
/* The writer is gone: what it left is forgotten, and another one may begin. */
void channel_restart(struct channel *);

#endif
