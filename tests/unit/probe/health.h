/*
 * A sensor's health of a minute ago and of now, with a value of its own in
 * every field.
 */
#ifndef TESTS_UNIT_PROBE_HEALTH_H
#define TESTS_UNIT_PROBE_HEALTH_H

#include <stdio.h>
#include <string.h>

#include "probe/output/health.h"

#define MINUTE_NS (INT64_C(60) * 1000000000)
#define NOW_NS INT64_C(1772360102123456000) /* 2026-03-01T10:15:02.123456Z */

static inline struct health
sample_health(void)
{
	struct health h = { .started_ns = NOW_NS - 10 * MINUTE_NS,
		.now_ns = NOW_NS,
		.last_packet_ns = NOW_NS - 1500000000,
		.interface_count = 1,
		.thread_count = 2,
		.threads = { { 60000, 0 }, { 40000, 22 } },
		.open_sessions = 7,
		.alerts = 11,
		.suppressed = 12,
		.repeated = 13,
		.held = 14,
		.unstored = 15,
		.outbox = 16,
		.outbox_shed = 17,
		.store_faults = 18,
		.output_faults = 19,
		.resident_bytes = 20 << 20 };

	totals_init(&h.totals);
	snprintf(h.interfaces[0].name, sizeof(h.interfaces[0].name), "eth1");
	h.interfaces[0].up = h.interfaces[0].link_known = true;
	h.interfaces[0].received = 100000;
	h.interfaces[0].link_packets = 900000;
	h.totals.counters.of[COUNTER_PACKETS] = 99000;
	h.totals.counters.of[COUNTER_BYTES] = 50000000;
	h.totals.counters.of[COUNTER_SESSIONS] = 400;
	h.totals.counters.of[COUNTER_BAD_IP] = 3;
	h.totals.tally.sessions = 390;
	h.totals.tally.offered[OFFERED_YES] = 390;
	h.totals.incidents[KIND_STARTTLS_GARBLED][CERTAINTY_LIKELY] = 2;
	h.store = (struct store_size){ 1 << 20, 1 << 16, 8192 };
	h.retention.removed[RETAINED_PROFILES] = 21;
	return h;
}

/* The same a minute earlier: nothing was amiss since. */
static inline struct health
sample_before(const struct health *now)
{
	struct health h = *now;

	h.now_ns -= MINUTE_NS;
	h.interfaces[0].received -= 1000;
	h.interfaces[0].link_packets -= 5000;
	h.totals.counters.of[COUNTER_PACKETS] -= 1000;
	h.totals.counters.of[COUNTER_BYTES] -= 500000;
	h.totals.tally.sessions -= 20;
	return h;
}

#endif
