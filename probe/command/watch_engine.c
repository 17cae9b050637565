/* The engine of `watch`: frames in, publications out, and nothing else that
 * this process could do. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include <sys/random.h>

#include "options.h"
#include "probe/pipeline/dissection.h"
#include "probe/watch/monitor.h"
#include "watch.h"

#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)
#define WAIT_MS 100
/* An interface that is down is tried again so often. */
#define DOWN_WAIT_MS 200

#define LAST_BLOCK_NS (5 * INTERFACE_TIMEOUT_MS * NS_PER_MS)

static volatile sig_atomic_t stop;

static void
on_signal(int signal)
{
	(void)signal;
	stop = 1;
}

struct engine {
	struct watching *watching;
	struct shard_config shards;
	struct dissection *dissection;
	uint32_t source; /* that is being read */
	uint64_t frames;
	struct counters before; /* of all, when they were attributed last */
	struct channel_counts counts[LIVE_SOURCES_MAX];
	int64_t second_ns; /* monotonic: when the last one began */
	bool down[LIVE_SOURCES_MAX];
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
	struct engine *e = context;

	channel_publish(e->watching->channel, publication, facts);
}

static void
give(struct engine *e, const struct frame *frame, struct block *block)
{
	struct frame own = *frame;

	own.capture = e->source;
	own.run_number = ++e->frames;
	dissection_frame(e->dissection, &own, block);
}

static void
on_frames(void *context, const struct frame *frames, size_t count)
{
	struct engine *e = context;

	for (size_t i = 0; i < count; i++)
		give(e, &frames[i], NULL);
	dissection_work(e->dissection);
}

/* --- counting ------------------------------------------------------------ */

/* What was counted since the last time is of the source that was read. */
static void
attribute(struct engine *e)
{
	struct counters now;

	dissection_counters(e->dissection, &now);
	for (int i = 0; i < COUNTERS; i++)
		e->counts[e->source].counters.of[i] +=
		    now.of[i] - e->before.of[i];
	e->before = now;
}

static void
tell_counts(struct engine *e)
{
	attribute(e);
	for (uint32_t i = 0; i < e->watching->source_count; i++) {
		struct interface_losses losses = { 0 };

		if (e->watching->interfaces[i] != NULL)
			interface_losses(e->watching->interfaces[i], &losses);
		e->counts[i].source = i;
		e->counts[i].kernel_packets = losses.packets;
		e->counts[i].kernel_drops = losses.drops;
		e->counts[i].interface_drops = losses.interface_drops;
		channel_count(e->watching->channel, &e->counts[i]);
	}
}

/* Once a second: time goes on, whether frames come or not; and counts. */
static void
every_second(struct engine *e, int64_t capture_now_ns)
{
	int64_t now = clock_ns(CLOCK_MONOTONIC);

	if (now - e->second_ns >= NS_PER_S) {
		e->second_ns = now;
		dissection_idle(e->dissection, capture_now_ns);
		tell_counts(e);
	}
	channel_flush(e->watching->channel);
}

/* --- interfaces ---------------------------------------------------------- */

/* Once a change: down, and up again. */
static void
note_down(struct engine *e, uint32_t i, bool down)
{
	struct watching *w = e->watching;

	if (e->down[i] == down)
		return;
	e->down[i] = down;
	complain("%s: %s", w->options.sources[i],
	    down ? "is down, or gone; nothing is seen there until it is back" :
		   "is back");
}

/* True: there was something. */
static bool
read_interfaces(struct engine *e)
{
	struct watching *w = e->watching;
	bool any = false;

	for (uint32_t i = 0; i < w->source_count; i++) {
		int count;

		e->source = i;
		count = interface_read(w->interfaces[i], on_frames, e);
		if (count > 0 && w->source_count > 1)
			attribute(e);
		if (count != 0)
			note_down(e, i, count < 0);
		any |= count > 0;
	}
	return any;
}

static void
wait_for_frames(struct engine *e)
{
	struct watching *w = e->watching;
	struct pollfd fds[LIVE_SOURCES_MAX];
	bool down = false;

	for (uint32_t i = 0; i < w->source_count; i++) {
		fds[i].fd = interface_descriptor(w->interfaces[i]);
		fds[i].events = POLLIN;
		down |= e->down[i];
	}
	/* One that is down is always ready, to say so. */
	poll(fds, down ? 0 : w->source_count, down ? DOWN_WAIT_MS : WAIT_MS);
}

static void
watch_interfaces(struct engine *e)
{
	while (!stop) {
		bool any = read_interfaces(e);

		every_second(e, clock_ns(CLOCK_REALTIME));
		if (!any)
			wait_for_frames(e);
	}
	/* What came before the end is in a block that is not full. */
	nanosleep(&(struct timespec){ .tv_nsec = LAST_BLOCK_NS }, NULL);
	read_interfaces(e);
	e->source = 0;
	dissection_end_capture(e->dissection, false);
}

/* --- replay -------------------------------------------------------------- */

/* When a frame of `ts_ns` is due, as long as it is not. */
static void
wait_until_due(struct engine *e, int64_t began_ns, int64_t first_ns,
    int64_t ts_ns)
{
	double speed = e->watching->options.speed;
	double due_ns = (double)(ts_ns - first_ns) / speed;

	while (!stop) {
		int64_t passed_ns = clock_ns(CLOCK_MONOTONIC) - began_ns;
		double rest_ns = due_ns - (double)passed_ns;
		struct timespec pause = { 0, 0 };

		if (rest_ns <= 0)
			return;
		every_second(e,
		    first_ns + (int64_t)((double)passed_ns * speed));
		pause.tv_nsec = rest_ns < WAIT_MS * NS_PER_MS ?
		    (long)rest_ns :
		    WAIT_MS * NS_PER_MS;
		nanosleep(&pause, NULL);
	}
}

static void
replay(struct engine *e, struct capture *capture)
{
	int64_t began_ns = clock_ns(CLOCK_MONOTONIC), first_ns = 0;
	enum capture_result result = CAPTURE_END;
	struct frame frame;

	while (!stop &&
	    (result = capture_next(capture, &frame)) == CAPTURE_FRAME) {
		if (frame.number == 1)
			first_ns = frame.capture_ts_ns;
		if (e->watching->options.speed > 0)
			wait_until_due(e, began_ns, first_ns,
			    frame.capture_ts_ns);
		give(e, &frame, capture_block(capture));
		if (e->watching->options.speed > 0) {
			dissection_work(e->dissection);
			channel_flush(e->watching->channel);
		}
	}
	if (result == CAPTURE_FAULT)
		complain("%s: %s", e->watching->options.sources[e->source],
		    capture_fault(capture));
	dissection_end_capture(e->dissection, false);
	attribute(e);
}

static void
replay_all(struct engine *e)
{
	for (uint32_t i = 0; i < e->watching->source_count && !stop; i++) {
		e->source = i;
		replay(e, e->watching->replays[i]);
	}
}

/* --- the process --------------------------------------------------------- */

static int
set_up(struct engine *e)
{
	static const struct frame_holder holder = { block_hold, block_release };
	struct sigaction action = { .sa_handler = on_signal };
	char errbuf[CONFINE_ERRBUF];

	sigaction(SIGTERM, &action, NULL);
	e->shards = e->watching->options.read.run.shards;
	/* Nobody outside can choose which flows meet. */
	if (getrandom(e->shards.key, sizeof(e->shards.key), 0) !=
	    (ssize_t)sizeof(e->shards.key)) {
		complain("getrandom: %s", strerror(errno));
		return -1;
	}
	e->dissection = dissection_create(&e->shards, 1,
	    e->watching->options.replay ? &holder : NULL, on_publish, e);
	if (e->dissection == NULL) {
		complain("out of memory");
		return -1;
	}
	if (confine_engine(errbuf) != 0) {
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
	e->second_ns = clock_ns(CLOCK_MONOTONIC);
	if (e->watching->options.replay)
		replay_all(e);
	else
		watch_interfaces(e);
	tell_counts(e);
	channel_flush(e->watching->channel);
	return ENGINE_ENDED;
}
