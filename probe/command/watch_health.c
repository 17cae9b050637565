#include "watch_health.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include <xxhash.h>

/* It counts every second. */
#define SILENT_NS (INT64_C(30) * 1000000000)

static int64_t
wall_clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void
watch_health_init(struct watch_health *h, const struct watching *w,
    int64_t monotonic_ns)
{
	const struct reporter_options options = {
		.metrics = w->options.metrics,
		.interval_ns =
		    (int64_t)w->options.stats_interval_s * 1000000000,
		.notify = w->notify,
		.watchdog_ns = w->watchdog_ns,
	};

	memset(h, 0, sizeof(*h));
	h->watching = w;
	for (unsigned i = 0; i < WATCH_THREADS_MAX; i++)
		h->counted_ns[i] = monotonic_ns;
	reporter_init(&h->reporter, &options, w->started_ns, monotonic_ns);
}

void
watch_health_free(struct watch_health *h)
{
	reporter_free(&h->reporter);
}

/* An engine that is started again counts from nothing; what was lost stays
 * lost. */
static void
add_gain(uint64_t *sum, uint64_t before, uint64_t now)
{
	*sum += now >= before ? now - before : now;
}

void
watch_health_counts(struct watch_health *h, unsigned thread,
    const struct channel_counts *counts, int64_t monotonic_ns)
{
	struct health *now = &h->reporter.now;
	struct health_interface *in;
	struct health_thread *of;
	struct channel_counts *before;
	uint64_t packets = h->counters.of[COUNTER_PACKETS];

	if (counts->source >= h->watching->source_count ||
	    thread >= h->watching->options.threads)
		return;
	before = &h->counts[thread][counts->source];
	in = &now->interfaces[counts->source];
	of = &now->threads[thread];
	add_gain(&of->received, before->kernel_packets, counts->kernel_packets);
	add_gain(&of->lost, before->kernel_drops, counts->kernel_drops);
	add_gain(&in->received, before->kernel_packets, counts->kernel_packets);
	add_gain(&in->lost, before->kernel_drops, counts->kernel_drops);
	add_gain(&in->interface_lost, before->interface_drops,
	    counts->interface_drops);
	for (int i = 0; i < COUNTERS; i++)
		add_gain(&h->counters.of[i], before->counters.of[i],
		    counts->counters.of[i]);
	if (h->counters.of[COUNTER_PACKETS] > packets)
		now->last_packet_ns = wall_clock_ns();
	*before = *counts;
	h->counted_ns[thread] = monotonic_ns;
}

void
watch_health_incident(struct watch_health *h, const struct incident *in)
{
	uint64_t id = XXH3_64bits(in->id, strlen(in->id)) | 1;
	size_t at = id & (INCIDENTS_SEEN - 1);
	unsigned bit = 1u << in->certainty;

	if (in->state == STATE_WITHDRAWN || in->certainty < CERTAINTY_POSSIBLE)
		return;
	if (h->seen[at].id != id) {
		h->seen[at].id = id;
		h->seen[at].certainties = 0;
	}
	if (h->seen[at].certainties & bit)
		return;
	h->seen[at].certainties |= bit;
	h->incidents[in->kind][in->certainty]++;
}

static void
look_at_interfaces(struct watch_health *h)
{
	const struct watching *w = h->watching;
	struct health *now = &h->reporter.now;

	if (w->options.replay)
		return;
	now->interface_count = w->source_count;
	now->thread_count = w->options.threads;
	for (unsigned i = 0; i < w->source_count; i++) {
		struct health_interface *in = &now->interfaces[i];

		snprintf(in->name, sizeof(in->name), "%s",
		    w->options.sources[i]);
		reporter_look_at_link(in);
	}
}

static void
gather_totals(struct watch_health *h, const struct live *live)
{
	struct health *now = &h->reporter.now;
	struct totals *t = &now->totals;
	struct live_totals live_now;
	uint64_t opened;

	live_totals(live, &live_now);
	t->tally = live_now.tally;
	t->counters = h->counters;
	t->packets = t->counters.of[COUNTER_PACKETS];
	t->bytes = t->counters.of[COUNTER_BYTES];
	t->first_ns = now->started_ns;
	t->last_ns = now->last_packet_ns;
	memcpy(t->incidents, h->incidents, sizeof(t->incidents));
	opened = t->counters.of[COUNTER_SESSIONS];
	now->open_sessions =
	    opened > t->tally.sessions ? opened - t->tally.sessions : 0;
	now->unstored = live_now.unstored;
	now->outbox = live_now.waiting;
	now->outbox_shed = live_now.lost_parts;
	now->store_faults = live_now.failures;
}

/* One thread that hangs is enough: what it should read is not read. */
static bool
is_silent(const struct watch_health *h, int64_t monotonic_ns)
{
	const struct watch_options *o = &h->watching->options;

	for (unsigned i = 0; i < o->threads && !o->replay; i++)
		if (monotonic_ns - h->counted_ns[i] > SILENT_NS)
			return true;
	return false;
}

const struct json *
watch_health_tell(struct watch_health *h,
    const struct watch_health_sources *from, int64_t monotonic_ns)
{
	struct health *now = &h->reporter.now;
	const struct alerts_totals *alerts = alerts_totals(from->alerts);

	look_at_interfaces(h);
	gather_totals(h, from->live);
	now->engine_silent = is_silent(h, monotonic_ns);
	now->alerts = alerts->alerted;
	now->suppressed = alerts->suppressed;
	now->repeated = alerts->repeated;
	now->held = alerts->held;
	now->learning_until_ns =
	    from->learn->active ? from->learn->of.until_ns : 0;
	now->output_faults = alerts->untaken;
	now->store_failing = from->failing;
	if (!from->failing)
		store_measure_bytes(from->store, &now->store);
	now->retention = *retention_totals(from->retention);
	now->resident_bytes = reporter_memory(getppid());
	return reporter_tell(&h->reporter, wall_clock_ns(), monotonic_ns);
}
