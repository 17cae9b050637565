#include "stats_event.h"

#include <stdio.h>
#include <string.h>

/* Counters whose names Suricata has, under these heads. */
static const struct {
	const char *head;
	enum counter counters[8];
	int count;
} shared[] = {
	{ "decoder", { COUNTER_PACKETS, COUNTER_BYTES }, 2 },
	{ "tcp",
	    { COUNTER_SESSIONS, COUNTER_MIDSTREAM, COUNTER_GAPS,
		COUNTER_OVERLAPS, COUNTER_OVERLAP_DIFFERS, COUNTER_BAD_CHECKSUM,
		COUNTER_SEGMENT_EVICTED },
	    7 },
};

/* What could not be decoded, of whatever layer. */
static uint64_t
undecoded(const struct counters *c)
{
	uint64_t sum = 0;

	for (int i = 0; i < COUNTERS; i++)
		if (counter_class((enum counter)i) == COUNTER_CLASS_UNDECODED)
			sum += c->of[i];
	return sum;
}

static void
put_shared(struct json *j, const struct counters *c)
{
	for (size_t s = 0; s < sizeof(shared) / sizeof(*shared); s++) {
		json_object_open(j, shared[s].head);
		for (int i = 0; i < shared[s].count; i++) {
			enum counter which = shared[s].counters[i];
			/* "tcp.sessions" without its head */
			const char *name =
			    counter_name(which) + strlen(shared[s].head) + 1;

			json_unsigned(j, name, c->of[which]);
		}
		if (s == 0)
			json_unsigned(j, "invalid", undecoded(c));
		json_object_close(j);
	}
}

static void
put_stats(struct json *j, const struct health *h)
{
	uint64_t received = 0, lost = 0, interface_lost = 0;

	for (unsigned i = 0; i < h->interface_count; i++) {
		received += h->interfaces[i].received;
		lost += h->interfaces[i].lost;
		interface_lost += h->interfaces[i].interface_lost;
	}
	json_object_open(j, "stats");
	json_unsigned(j, "uptime",
	    h->now_ns > h->started_ns ?
		(uint64_t)(h->now_ns - h->started_ns) / 1000000000 :
		0);
	if (h->interface_count > 0) {
		json_object_open(j, "capture");
		json_unsigned(j, "kernel_packets", received);
		json_unsigned(j, "kernel_drops", lost);
		json_unsigned(j, "kernel_ifdrops", interface_lost);
		json_object_close(j);
	}
	put_shared(j, &h->totals.counters);
	json_object_close(j);
}

static void
put_health(struct json *j, const struct health *h, const struct health_signs *s)
{
	json_object_open(j, "health");
	json_text(j, "state", health_state_name(s->state));
	json_array_open(j, "reasons");
	for (int r = 0; r < BLIND_REASONS; r++)
		if (s->reasons >> r & 1)
			json_text(j, NULL,
			    health_reason_name((enum health_reason)r));
	json_array_close(j);
	json_number(j, "kernel_loss", s->kernel_loss, 4);
	json_number(j, "capture_loss", s->capture_loss, 4);
	json_number(j, "one_sided", s->one_sided, 4);
	if (s->packet_age_s >= 0) {
		json_eve_time(j, "last_packet", h->last_packet_ns);
		json_number(j, "packet_age", s->packet_age_s, 3);
	}
	if (h->resident_bytes > 0)
		json_unsigned(j, "resident_bytes", h->resident_bytes);
	json_object_close(j);
}

static void
put_interfaces(struct json *j, const struct health *h)
{
	json_array_open(j, "interfaces");
	for (unsigned i = 0; i < h->interface_count; i++) {
		const struct health_interface *in = &h->interfaces[i];

		json_object_open(j, NULL);
		json_text(j, "name", in->name);
		json_bool(j, "up", in->up);
		json_unsigned(j, "received", in->received);
		json_unsigned(j, "lost", in->lost);
		json_unsigned(j, "interface_lost", in->interface_lost);
		if (in->link_known)
			json_unsigned(j, "link_packets", in->link_packets);
		json_object_close(j);
	}
	json_array_close(j);
}

static void
put_threads(struct json *j, const struct health *h)
{
	json_array_open(j, "threads");
	for (unsigned i = 0; i < h->thread_count; i++) {
		json_object_open(j, NULL);
		json_unsigned(j, "received", h->threads[i].received);
		json_unsigned(j, "lost", h->threads[i].lost);
		json_object_close(j);
	}
	json_array_close(j);
}

static void
put_alerts(struct json *j, const struct health *h)
{
	json_object_open(j, "alerts");
	json_unsigned(j, "written", h->alerts);
	json_unsigned(j, "suppressed", h->suppressed);
	json_unsigned(j, "repeated", h->repeated);
	json_unsigned(j, "held", h->held);
	if (h->learning_until_ns != 0)
		json_eve_time(j, "learning_until", h->learning_until_ns);
	json_unsigned(j, "unstored", h->unstored);
	json_unsigned(j, "output_faults", h->output_faults);
	json_object_close(j);
}

static void
put_store(struct json *j, const struct health *h)
{
	json_object_open(j, "store");
	json_bool(j, "failing", h->store_failing);
	json_unsigned(j, "faults", h->store_faults);
	json_unsigned(j, "waiting", h->outbox);
	json_unsigned(j, "shed", h->outbox_shed);
	json_unsigned(j, "bytes", h->store.database_bytes);
	json_unsigned(j, "log_bytes", h->store.log_bytes);
	json_object_open(j, "removed");
	for (int i = 0; i < RETAINED_SORTS; i++)
		json_unsigned(j, retained_name((enum retained)i),
		    h->retention.removed[i]);
	json_object_close(j);
	json_object_close(j);
}

void
stats_event(struct json *j, const struct health *h,
    const struct health_signs *s)
{
	struct totals totals = h->totals;

	json_object_open(j, NULL);
	json_eve_time(j, "timestamp", h->now_ns);
	json_text(j, "event_type", "stats");
	put_stats(j, h);
	json_object_open(j, "downgrade");
	put_health(j, h, s);
	put_interfaces(j, h);
	put_threads(j, h);
	put_alerts(j, h);
	put_store(j, h);
	json_unsigned(j, "open_sessions", h->open_sessions);
	totals_json(j, &totals);
	json_object_close(j);
	json_object_close(j);
}
