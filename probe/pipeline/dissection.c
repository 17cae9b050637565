#include "dissection.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "dissect/capture_clock.h"
#include "dissect/outer.h"
#include "ring.h"

/* Constants, whatever the number of threads: batch borders are where shards
 * expire, so they are part of the result. */
#define BATCH_FRAMES 1024
#define BATCHES_IN_FLIGHT 8
#define RING_BYTES (1 << 20)
#define BATCH_BLOCKS BATCH_FRAMES /* a block a frame, at worst */

/* Between when something is fetched and when it is needed. */
#define PACKETS_AHEAD 8

/* What a worker says when it has done its part of a batch. */
#define END_OF_BATCH DECISIONS

struct batch {
	uint64_t number;
	int64_t clock_ns;
	bool finish; /* flows end behind it */
	size_t count, block_count;
	struct packet packets[BATCH_FRAMES];
	struct block *blocks[BATCH_BLOCKS];
	struct joined *joined; /* what packets borrow from beside blocks */
};

struct worker {
	struct dissection *dissection;
	unsigned index;
	pthread_t thread;
	struct ring *ring;
};

struct dissection {
	const struct shard_config *config;
	struct frame_holder holder;
	publish_fn *publish;
	void *context;
	struct shard *shards[SHARD_COUNT];
	struct counters decoding;
	struct outer *outer;
	uint64_t batch; /* that is being filled */
	size_t frames;	/* in it */
	struct capture_clock clock;

	unsigned worker_count; /* 0: everything on this thread */
	struct worker *workers;
	size_t batch_count;
	struct batch *batches; /* a ring */
	uint64_t merged;       /* batches whose publications were merged */
	pthread_mutex_t lock;
	pthread_cond_t work;
	_Atomic uint64_t submitted;
	bool quit;
};

/* --- workers ------------------------------------------------------------- */

static void
on_publish(void *context, const struct publication *publication,
    struct slice facts)
{
	struct worker *worker = context;

	ring_write(worker->ring, publication, facts);
}

/* The border of a batch, for one shard. */
static void
end_shard_batch(struct shard *shard, uint64_t batch, int64_t clock_ns,
    bool finish)
{
	shard_expire(shard, batch, clock_ns);
	if (finish)
		shard_finish(shard, batch);
}

/* Each packet in five steps, between which memory has time to answer. */
static void
work_packets(struct dissection *d, uint64_t batch, struct packet *const *own,
    size_t count)
{
	for (size_t i = 0; i < count + 4 * PACKETS_AHEAD; i++) {
		size_t at = i;

		if (at < count)
			shard_expect(d->shards[own[at]->shard], own[at]);
		/* What is below 0 is as well beyond the end. */
		at -= PACKETS_AHEAD;
		if (at < count)
			shard_fetch(d->shards[own[at]->shard], own[at]);
		at -= PACKETS_AHEAD;
		if (at < count)
			shard_approach(d->shards[own[at]->shard], own[at]);
		at -= PACKETS_AHEAD;
		if (at < count)
			shard_reach(d->shards[own[at]->shard], own[at]);
		at -= PACKETS_AHEAD;
		if (at < count)
			shard_packet(d->shards[own[at]->shard], batch, own[at]);
	}
}

/* The batch's packets that belong to worker `index` of `workers`. */
static size_t
choose_own(struct batch *batch, unsigned index, unsigned workers,
    struct packet *own[BATCH_FRAMES])
{
	size_t count = 0;

	for (size_t i = 0; i < batch->count; i++)
		if (workers == 1 || batch->packets[i].shard % workers == index)
			own[count++] = &batch->packets[i];
	return count;
}

static void
work_batch(struct worker *worker, struct batch *batch)
{
	struct dissection *d = worker->dissection;
	struct publication end = { .batch = batch->number,
		.capture_frame = UINT64_MAX,
		.shard = UINT32_MAX,
		.ordinal = UINT32_MAX,
		.decision = END_OF_BATCH };
	struct packet *own[BATCH_FRAMES];

	work_packets(d, batch->number, own,
	    choose_own(batch, worker->index, d->worker_count, own));
	for (unsigned s = worker->index; s < SHARD_COUNT; s += d->worker_count)
		end_shard_batch(d->shards[s], batch->number, batch->clock_ns,
		    batch->finish);
	ring_write(worker->ring, &end, slice_of(NULL, 0));
	ring_flush(worker->ring);
}

static void *
worker_main(void *argument)
{
	struct worker *worker = argument;
	struct dissection *d = worker->dissection;

	for (uint64_t next = 0;; next++) {
		pthread_mutex_lock(&d->lock);
		while (atomic_load(&d->submitted) == next && !d->quit)
			pthread_cond_wait(&d->work, &d->lock);
		pthread_mutex_unlock(&d->lock);
		if (atomic_load(&d->submitted) == next)
			return NULL;
		work_batch(worker, &d->batches[next % BATCHES_IN_FLIGHT]);
	}
}

static bool
start_workers(struct dissection *d, unsigned count)
{
	d->workers = calloc(count, sizeof(*d->workers));
	if (d->workers == NULL)
		return false;
	for (unsigned i = 0; i < count; i++) {
		struct worker *w = &d->workers[i];

		w->dissection = d;
		w->index = i;
		w->ring = ring_create(RING_BYTES);
		if (w->ring == NULL)
			return false;
	}
	for (unsigned s = 0; s < SHARD_COUNT; s++) {
		d->shards[s] = shard_create(s, d->config, on_publish,
		    &d->workers[s % count]);
		if (d->shards[s] == NULL)
			return false;
	}
	for (unsigned i = 0; i < count; i++) {
		if (pthread_create(&d->workers[i].thread, NULL, worker_main,
			&d->workers[i]) != 0)
			return false;
		d->worker_count = i + 1;
	}
	return true;
}

struct dissection *
dissection_create(const struct shard_config *config, unsigned threads,
    const struct frame_holder *holder, publish_fn *publish, void *context)
{
	struct dissection *d = calloc(1, sizeof(*d));
	bool ready = true;

	if (d == NULL)
		return NULL;
	d->config = config;
	d->publish = publish;
	d->context = context;
	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->work, NULL);
	if (holder != NULL)
		d->holder = *holder;
	if (threads > SHARD_COUNT + 1)
		threads = SHARD_COUNT + 1;
	d->batch_count = threads > 1 ? BATCHES_IN_FLIGHT : 1;
	d->batches = calloc(d->batch_count, sizeof(*d->batches));
	/* As much as a shard has. */
	d->outer = outer_create(config->budgets.fragment_bytes / SHARD_COUNT,
	    config->key, &d->decoding);
	ready = d->batches != NULL && d->outer != NULL;
	if (ready && threads > 1)
		ready = start_workers(d, threads - 1);
	for (unsigned s = 0; threads <= 1 && s < SHARD_COUNT; s++) {
		d->shards[s] = shard_create(s, config, publish, context);
		ready = ready && d->shards[s] != NULL;
	}
	if (!ready) {
		dissection_destroy(d);
		return NULL;
	}
	return d;
}

/* --- merging ------------------------------------------------------------- */

static bool
comes_before(const struct publication *a, const struct publication *b)
{
	if (a->batch != b->batch)
		return a->batch < b->batch;
	if (a->capture_frame != b->capture_frame)
		return a->capture_frame < b->capture_frame;
	if (a->shard != b->shard)
		return a->shard < b->shard;
	return a->ordinal < b->ordinal;
}

/*
 * Hands on the oldest publication. False: a ring is empty, so nobody knows
 * yet which is the oldest; `empty` is that ring.
 */
static bool
merge_one(struct dissection *d, struct ring **empty)
{
	struct publication best = { 0 };
	struct slice best_facts = { 0 };
	struct worker *from = NULL;

	for (unsigned i = 0; i < d->worker_count; i++) {
		struct publication head;
		struct slice facts;

		if (!ring_peek(d->workers[i].ring, &head, &facts)) {
			*empty = d->workers[i].ring;
			return false;
		}
		if (from == NULL || comes_before(&head, &best)) {
			best = head;
			best_facts = facts;
			from = &d->workers[i];
		}
	}
	if (best.decision == END_OF_BATCH) {
		/* It sorts last: all heads are the same batch's end. */
		for (unsigned i = 0; i < d->worker_count; i++)
			ring_drop(d->workers[i].ring);
		d->merged++;
		return true;
	}
	d->publish(d->context, &best, best_facts);
	ring_drop(from->ring);
	return true;
}

/* Merges what is there; waits until `upto` batches are merged. */
static void
merge(struct dissection *d, uint64_t upto)
{
	struct ring *empty = NULL;

	for (;;) {
		if (merge_one(d, &empty))
			continue;
		if (d->merged >= upto)
			return;
		ring_wait(empty);
	}
}

/* --- batches ------------------------------------------------------------- */

static struct batch *
current_batch(struct dissection *d)
{
	return &d->batches[d->batch % d->batch_count];
}

static void
empty_batch(struct dissection *d, struct batch *batch)
{
	for (size_t i = 0; i < batch->block_count; i++)
		d->holder.release(batch->blocks[i]);
	joined_free(&batch->joined);
	batch->count = batch->block_count = 0;
}

void
dissection_work(struct dissection *d)
{
	struct batch *batch = current_batch(d);
	struct packet *own[BATCH_FRAMES];

	work_packets(d, d->batch, own, choose_own(batch, 0, 1, own));
	empty_batch(d, batch);
}

static void
submit(struct dissection *d, bool finish)
{
	struct batch *batch = current_batch(d);

	batch->number = d->batch;
	batch->clock_ns = d->clock.passed_ns;
	batch->finish = finish;
	pthread_mutex_lock(&d->lock);
	atomic_fetch_add(&d->submitted, 1);
	pthread_cond_broadcast(&d->work);
	pthread_mutex_unlock(&d->lock);
	/* The next one's place must be free; publications are handed on
	 * meanwhile, so that no worker waits for room in its ring. */
	merge(d,
	    d->batch + 2 > BATCHES_IN_FLIGHT ?
		d->batch + 2 - BATCHES_IN_FLIGHT :
		0);
	empty_batch(d, &d->batches[(d->batch + 1) % BATCHES_IN_FLIGHT]);
}

static void
end_batch(struct dissection *d, bool finish)
{
	outer_expire(d->outer, finish ? INT64_MAX : d->clock.passed_ns);
	if (d->worker_count > 0) {
		submit(d, finish);
	} else {
		dissection_work(d);
		for (unsigned s = 0; s < SHARD_COUNT; s++)
			end_shard_batch(d->shards[s], d->batch,
			    d->clock.passed_ns, finish);
	}
	d->batch++;
	d->frames = 0;
}

/* The block lives as long as the batch. */
static void
hold_block(struct dissection *d, struct batch *batch, struct block *block)
{
	if (d->holder.hold != NULL &&
	    (batch->block_count == 0 ||
		batch->blocks[batch->block_count - 1] != block))
		batch->blocks[batch->block_count++] = d->holder.hold(block);
}

void
dissection_frame(struct dissection *d, const struct frame *frame,
    struct block *block)
{
	struct batch *batch = current_batch(d);
	struct packet *packet = &batch->packets[batch->count];

	capture_clock_stamp(&d->clock, frame->capture_ts_ns);
	packet_decode(frame, &d->decoding, packet);
	packet->clock_ns = d->clock.passed_ns;
	if (packet->kind == PACKET_OUTER_FRAGMENT)
		outer_add(d->outer, packet, &batch->joined);
	if (packet->kind != PACKET_NONE) {
		packet->shard = shard_of(d->config, packet);
		hold_block(d, batch, block);
		batch->count++;
		if (d->worker_count == 0 &&
		    batch->count == DISSECTION_FRAMES_AT_ONCE)
			dissection_work(d);
	}
	if (++d->frames == BATCH_FRAMES)
		end_batch(d, false);
}

void
dissection_idle(struct dissection *d, int64_t now_ns)
{
	/* Whoever asks has looked at a clock: a majority by himself. */
	for (int i = 0; i < CAPTURE_CLOCK_FRAMES; i++)
		capture_clock_stamp(&d->clock, now_ns);
	end_batch(d, false);
}

void
dissection_end_capture(struct dissection *d, bool go_on)
{
	end_batch(d, !go_on);
	if (d->worker_count > 0)
		merge(d, d->batch);
	if (!go_on)
		d->clock = (struct capture_clock){ 0 };
}

void
dissection_counters(const struct dissection *d, struct counters *out)
{
	*out = d->decoding;
	for (unsigned s = 0; s < SHARD_COUNT; s++)
		counters_add(out, shard_counters(d->shards[s]));
}

static void
stop_workers(struct dissection *d)
{
	pthread_mutex_lock(&d->lock);
	d->quit = true;
	pthread_cond_broadcast(&d->work);
	pthread_mutex_unlock(&d->lock);
	/* What is still on its way must not fill a ring nobody reads. */
	if (d->worker_count > 0)
		merge(d, atomic_load(&d->submitted));
	for (unsigned i = 0; i < d->worker_count; i++)
		pthread_join(d->workers[i].thread, NULL);
}

void
dissection_destroy(struct dissection *d)
{
	if (d == NULL)
		return;
	if (d->workers != NULL)
		stop_workers(d);
	for (unsigned s = 0; s < SHARD_COUNT; s++)
		shard_destroy(d->shards[s]);
	for (size_t i = 0; d->batches != NULL && i < d->batch_count; i++)
		empty_batch(d, &d->batches[i]);
	for (unsigned i = 0; d->workers != NULL && i < d->worker_count; i++)
		ring_destroy(d->workers[i].ring);
	pthread_mutex_destroy(&d->lock);
	pthread_cond_destroy(&d->work);
	outer_destroy(d->outer);
	free(d->workers);
	free(d->batches);
	free(d);
}
