/*
 * probe/pipeline/dissection.h - frames in, publications out, on any number of
 * threads.
 *
 * With one thread it is a plain loop over some packets at a time. With N, the
 * caller's thread decodes and cuts batches, N - 1 workers share the shards, and
 * their rings are merged by (batch, frame, shard, ordinal): what comes out is
 * the same, in the same order (design 6). All functions are called from one
 * thread.
 */
#ifndef PROBE_PIPELINE_DISSECTION_H
#define PROBE_PIPELINE_DISSECTION_H

#include "dissect/shard.h"

struct dissection;
struct block;

/* So many are worked on together with one thread: enough to hide how slow
 * memory is, few enough to be still in the cache. */
#define DISSECTION_FRAMES_AT_ONCE 64
/* How a frame's bytes are kept alive until they are worked on. With one thread
 * both may be NULL: they must stay until dissection_work(), or until that many
 * have come. */
struct frame_holder {
	struct block *(*hold)(struct block *);
	void (*release)(struct block *);
};

/* `config` is borrowed. `publish` is called on the caller's thread only.
 * NULL: no memory, or no threads. */
struct dissection *
dissection_create(const struct shard_config *config, unsigned threads,
    const struct frame_holder *, publish_fn *publish, void *context);
void
dissection_frame(struct dissection *, const struct frame *, struct block *);
/* With one thread: works on all that came so far. */
void dissection_work(struct dissection *);
/* For what is read as it comes, now and then: it is `now_ns`, whatever frames
 * say, and who has been silent for too long ends. */
void dissection_idle(struct dissection *, int64_t now_ns);
/* A capture ends: everything up to here is published when it returns. Flows
 * end too, unless they `go_on` in the next capture. */
void dissection_end_capture(struct dissection *, bool go_on);
/* All counters so far; only between captures. */
void dissection_counters(const struct dissection *, struct counters *);
void dissection_destroy(struct dissection *);

#endif
