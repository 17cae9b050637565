/* The engine of `watch`: frames in, publications out, and nothing else that
 * this process could do. A thread, or several that have nothing in common. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <sys/random.h>

#include "options.h"
#include "probe/output/cross_check.h"
#include "probe/pipeline/dissection.h"
#include "probe/watch/monitor.h"
#include "watch.h"

#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)
#define WAIT_MS 100
/* An interface that is down is tried again so often. */
#define DOWN_WAIT_MS 200

/* Whoever sends packets must not fill a log: the rest is counted only
 * (crosscheck.new). */
#define DIFFERENCES_A_MINUTE 10

/* What is in the ring at the end is read, but not what goes on coming: more
 * than fits into a ring. */
#define LAST_READS 256
#define LAST_BLOCK_NS (5 * INTERFACE_TIMEOUT_MS * NS_PER_MS)

static atomic_bool stop;

static void
on_signal(int signal)
{
	(void)signal;
	atomic_store(&stop, true);
}

struct engine;

/* What one thread reads: its share of each interface, or files. */
struct reader {
	struct engine *engine;
	const struct watching *watching;
	unsigned index;
	pthread_t thread;
	struct channel *channel;
	struct dissection *dissection;
	uint32_t source; /* that is being read */
	uint64_t last_frame;
	struct counters before; /* of all, when they were attributed last */
	struct channel_counts counts[LIVE_SOURCES_MAX];
	int64_t second_ns; /* monotonic: when the last one began */
	bool down[LIVE_SOURCES_MAX];
};

struct engine {
	struct watching *watching;
	struct shard_config shards;
	unsigned count; /* of readers; the first is this thread's */
	struct reader readers[WATCH_THREADS_MAX];
	pthread_barrier_t begun, confined;
	struct cross_check *cross_check; /* NULL: not asked for */
	int64_t minute_ns;		 /* when the last one began */
	unsigned differences;		 /* told in it */
};

static int64_t
clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void
on_publish(void *context, const struct publication *publication,
    struct slice facts)
{
	struct reader *r = context;

	channel_publish(r->channel, publication, facts);
}

/* Frames of all readers stand in one order, that of their time
 * (channels.h). */
static void
give(struct reader *r, const struct frame *frame, struct block *block)
{
	struct frame own = *frame;

	own.capture = r->source;
	own.run_number = r->last_frame + 1;
	if (own.capture_ts_ns > 0 &&
	    (uint64_t)own.capture_ts_ns > own.run_number)
		own.run_number = (uint64_t)own.capture_ts_ns;
	r->last_frame = own.run_number;
	dissection_frame(r->dissection, &own, block);
}

static void
on_frames(void *context, const struct frame *frames, size_t count)
{
	struct reader *r = context;

	for (size_t i = 0; i < count; i++)
		give(r, &frames[i], NULL);
	dissection_work(r->dissection);
}

static void
on_difference(void *context, const struct cross_difference *difference)
{
	struct engine *e = context;
	int64_t now = clock_ns(CLOCK_MONOTONIC);
	char text[CROSS_TEXT_BYTES];

	if (now - e->minute_ns >= 60 * NS_PER_S) {
		e->minute_ns = now;
		e->differences = 0;
	}
	if (e->differences++ < DIFFERENCES_A_MINUTE)
		complain("%s", cross_check_text(difference, text));
}

/* --- counting ------------------------------------------------------------ */

/* What was counted since the last time is of the source that was read. */
static void
attribute(struct reader *r)
{
	struct counters now;

	dissection_counters(r->dissection, &now);
	for (int i = 0; i < COUNTERS; i++)
		r->counts[r->source].counters.of[i] +=
		    now.of[i] - r->before.of[i];
	r->before = now;
}

static void
tell_counts(struct reader *r)
{
	attribute(r);
	for (uint32_t i = 0; i < r->watching->source_count; i++) {
		struct interface_losses losses = { 0 };

		struct interface *in = r->watching->interfaces[i][r->index];

		if (in != NULL)
			interface_losses(in, &losses);
		r->counts[i].source = i;
		r->counts[i].kernel_packets = losses.packets;
		r->counts[i].kernel_drops = losses.drops;
		r->counts[i].interface_drops = losses.interface_drops;
		channel_count(r->channel, &r->counts[i]);
	}
}

/* Once a second: time goes on, whether frames come or not; and counts. */
static void
every_second(struct reader *r, int64_t capture_now_ns)
{
	int64_t now = clock_ns(CLOCK_MONOTONIC);

	if (now - r->second_ns >= NS_PER_S) {
		r->second_ns = now;
		dissection_idle(r->dissection, capture_now_ns);
		tell_counts(r);
	}
	channel_flush(r->channel);
}

/* --- interfaces ---------------------------------------------------------- */

/* Once a change, down and up again, and not by every reader. */
static void
note_down(struct reader *r, uint32_t i, bool down)
{
	const struct watching *w = r->watching;

	if (r->down[i] == down)
		return;
	r->down[i] = down;
	if (r->index != 0)
		return;
	complain("%s: %s", w->options.sources[i],
	    down ? "is down, or gone; nothing is seen there until it is back" :
		   "is back");
}

/* True: there was something. */
static bool
read_interfaces(struct reader *r)
{
	const struct watching *w = r->watching;
	bool any = false;

	for (uint32_t i = 0; i < w->source_count; i++) {
		int count;

		r->source = i;
		count =
		    interface_read(w->interfaces[i][r->index], on_frames, r);
		if (count > 0 && w->source_count > 1)
			attribute(r);
		if (count != 0)
			note_down(r, i, count < 0);
		any |= count > 0;
	}
	return any;
}

static void
wait_for_frames(struct reader *r)
{
	const struct watching *w = r->watching;
	struct pollfd fds[LIVE_SOURCES_MAX];
	bool down = false;

	for (uint32_t i = 0; i < w->source_count; i++) {
		fds[i].fd = interface_descriptor(w->interfaces[i][r->index]);
		fds[i].events = POLLIN;
		down |= r->down[i];
	}
	/* One that is down is always ready, to say so. */
	poll(fds, down ? 0 : w->source_count, down ? DOWN_WAIT_MS : WAIT_MS);
}

static void
watch_interfaces(struct reader *r)
{
	while (!atomic_load(&stop)) {
		bool any = read_interfaces(r);

		every_second(r, clock_ns(CLOCK_REALTIME));
		if (!any)
			wait_for_frames(r);
	}
	/* What came before the end is in a block that is not full. */
	nanosleep(&(struct timespec){ .tv_nsec = LAST_BLOCK_NS }, NULL);
	for (int i = 0; i < LAST_READS && read_interfaces(r); i++)
		;
	r->source = 0;
	dissection_end_capture(r->dissection, false);
}

/* --- replay -------------------------------------------------------------- */

/* When a frame of `ts_ns` is due, as long as it is not. */
static void
wait_until_due(struct reader *r, int64_t began_ns, int64_t first_ns,
    int64_t ts_ns)
{
	double speed = r->watching->options.speed;
	double due_ns = (double)(ts_ns - first_ns) / speed;

	while (!atomic_load(&stop)) {
		int64_t passed_ns = clock_ns(CLOCK_MONOTONIC) - began_ns;
		double rest_ns = due_ns - (double)passed_ns;
		struct timespec pause = { 0, 0 };

		if (rest_ns <= 0)
			return;
		every_second(r,
		    first_ns + (int64_t)((double)passed_ns * speed));
		pause.tv_nsec = rest_ns < WAIT_MS * NS_PER_MS ?
		    (long)rest_ns :
		    WAIT_MS * NS_PER_MS;
		nanosleep(&pause, NULL);
	}
}

static void
replay(struct reader *r, struct capture *capture)
{
	int64_t began_ns = clock_ns(CLOCK_MONOTONIC), first_ns = 0;
	enum capture_result result = CAPTURE_END;
	struct frame frame;

	while (!atomic_load(&stop) &&
	    (result = capture_next(capture, &frame)) == CAPTURE_FRAME) {
		if (frame.number == 1)
			first_ns = frame.capture_ts_ns;
		if (r->watching->options.speed > 0)
			wait_until_due(r, began_ns, first_ns,
			    frame.capture_ts_ns);
		give(r, &frame, capture_block(capture));
		if (r->watching->options.speed > 0) {
			dissection_work(r->dissection);
			channel_flush(r->channel);
		}
	}
	if (result == CAPTURE_FAULT)
		complain("%s: %s", r->watching->options.sources[r->source],
		    capture_fault(capture));
	dissection_end_capture(r->dissection, false);
	attribute(r);
}

static void
replay_all(struct reader *r)
{
	for (uint32_t i = 0;
	     i < r->watching->source_count && !atomic_load(&stop); i++) {
		r->source = i;
		replay(r, r->watching->replays[i]);
	}
}

/* --- the process --------------------------------------------------------- */

static void
read_all(struct reader *r)
{
	r->second_ns = clock_ns(CLOCK_MONOTONIC);
	if (r->watching->options.replay)
		replay_all(r);
	else
		watch_interfaces(r);
	tell_counts(r);
	channel_flush(r->channel);
}

static void *
reader_main(void *context)
{
	struct reader *r = context;

	pthread_barrier_wait(&r->engine->begun);
	pthread_barrier_wait(&r->engine->confined);
	read_all(r);
	return NULL;
}

/* Those beside this thread: they run, and wait until they are confined. */
static int
start_readers(void *context)
{
	struct engine *e = context;

	pthread_barrier_init(&e->begun, NULL, e->count);
	pthread_barrier_init(&e->confined, NULL, e->count);
	for (unsigned i = 1; i < e->count; i++) {
		errno = pthread_create(&e->readers[i].thread, NULL, reader_main,
		    &e->readers[i]);
		if (errno != 0)
			return -1;
	}
	pthread_barrier_wait(&e->begun);
	return 0;
}

/* The limits are those of all readers together. */
static void
share_budgets(struct shard_budgets *b, unsigned count)
{
	b->flows /= count;
	b->out_of_order_bytes /= count;
	b->fragment_bytes /= count;
	b->negotiation_bytes /= count;
	b->dns_queries /= count;
}

static int
set_up(struct engine *e)
{
	static const struct frame_holder holder = { block_hold, block_release };
	const struct watch_options *o = &e->watching->options;
	struct sigaction action = { .sa_handler = on_signal };
	char errbuf[CONFINE_ERRBUF];

	sigaction(SIGTERM, &action, NULL);
	e->count = o->threads;
	e->shards = o->read.run.shards;
	share_budgets(&e->shards.budgets, e->count);
	/* Nobody outside can choose which flows meet. */
	if (getrandom(e->shards.key, sizeof(e->shards.key), 0) !=
	    (ssize_t)sizeof(e->shards.key)) {
		complain("getrandom: %s", strerror(errno));
		return -1;
	}
	if (o->read.cross_check) {
		e->cross_check = cross_check_create(&e->shards,
		    o->read.run.cross_check_bytes, on_difference, e);
		e->shards.cross_check = e->cross_check;
	}
	for (unsigned i = 0; i < e->count; i++) {
		struct reader *r = &e->readers[i];

		r->engine = e;
		r->watching = e->watching;
		r->index = i;
		r->channel = channels_writer(e->watching->channels, i);
		r->dissection = dissection_create(&e->shards, 1,
		    o->replay ? &holder : NULL, on_publish, r);
		if (r->dissection == NULL ||
		    (o->read.cross_check && e->cross_check == NULL)) {
			complain("out of memory");
			return -1;
		}
	}
	if (confine_engine(start_readers, e, errbuf) != 0) {
		complain("the engine cannot be confined: %s", errbuf);
		return -1;
	}
	return 0;
}

int
watch_engine(void *context)
{
	static struct engine engine;
	struct engine *e = &engine;

	e->watching = context;
	if (set_up(e) != 0)
		return STATUS_ERROR;
	pthread_barrier_wait(&e->confined);
	read_all(&e->readers[0]);
	for (unsigned i = 1; i < e->count; i++)
		pthread_join(e->readers[i].thread, NULL);
	if (e->cross_check != NULL && !e->watching->options.read.common.quiet)
		cross_check_summary(stderr, cross_check_totals(e->cross_check));
	return ENGINE_ENDED;
}
