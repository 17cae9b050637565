/*
 * probe/pipeline/channels.h - what several threads of the other process write,
 * each through a channel of its own, read as one.
 *
 * Publications come in the order in which their packets were captured, as far
 * as CHANNELS_WAIT_NS reach: one that is younger waits for those of others
 * that may be older. Time stands in `capture_frame` (dissect/fact.h), which
 * the writer makes of the clock; what it says there costs that wait at most.
 */
#ifndef PROBE_PIPELINE_CHANNELS_H
#define PROBE_PIPELINE_CHANNELS_H

#include "channel.h"

#define CHANNELS_MAX 16
/* A ring is read when a block of it is full or 10 ms old: twice that. */
#define CHANNELS_WAIT_NS INT64_C(20000000)

struct channels;

/* `bytes` each; NULL as channel_create(). */
struct channels *channels_create(unsigned count, size_t bytes);
void channels_destroy(struct channels *);

/* A writer's own. */
struct channel *channels_writer(struct channels *, unsigned writer);

/* The reader: as channel.h has it for one. `descriptors` are `count`. */
void channels_descriptors(const struct channels *, int *descriptors);
void channels_attach(struct channels *);
void channels_acknowledge(struct channels *);
void channels_restart(struct channels *);

/*
 * As channel_read(); `writer` says whose it is. CHANNEL_NOTHING: none is due
 * at `wall_ns`, the wall clock, by the time that packets are stamped with;
 * INT64_MAX: nothing waits. A clock that was set back keeps nothing waiting
 * for longer than the same time by `monotonic_ns`.
 */
enum channel_record channels_read(struct channels *, int64_t wall_ns,
    int64_t monotonic_ns, unsigned *writer, struct publication *,
    struct slice *facts, struct channel_counts *);
/* Is there one that waits for its time? */
bool channels_wait(const struct channels *);

#endif
