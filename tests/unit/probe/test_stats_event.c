#include "probe/output/stats_event.h"

#include <criterion/criterion.h>
#include <jansson.h>

#include "health.h"

TestSuite(stats_event);

static json_t *
event(const struct health *h)
{
	struct health before = sample_before(h);
	struct health_signs signs;
	struct json j;
	json_t *parsed;

	health_assess(&before, h, &signs);
	json_init(&j);
	stats_event(&j, h, &signs);
	cr_assert_not(j.failed);
	parsed = json_loadb(j.text, j.length, JSON_REJECT_DUPLICATES, NULL);
	cr_assert_not_null(parsed, "%.*s", (int)j.length, j.text);
	json_free(&j);
	return parsed;
}

/* "stats.tcp.sessions"; -1: not there. */
static long long
number(const json_t *object, const char *path)
{
	char name[64];

	for (size_t n; *path != '\0'; path += n + (path[n] == '.')) {
		n = strcspn(path, ".");
		snprintf(name, sizeof(name), "%.*s", (int)n, path);
		object = json_object_get(object, name);
	}
	return json_is_integer(object) ? json_integer_value(object) : -1;
}

Test(stats_event, suricatas_names_have_their_values)
{
	struct health h = sample_health();
	json_t *e = event(&h);

	cr_expect_str_eq(json_string_value(json_object_get(e, "event_type")),
	    "stats");
	cr_expect_str_eq(json_string_value(json_object_get(e, "timestamp")),
	    "2026-03-01T10:15:02.123456+0000");
	cr_expect_eq(number(e, "stats.uptime"), 600);
	cr_expect_eq(number(e, "stats.capture.kernel_packets"), 100000);
	cr_expect_eq(number(e, "stats.capture.kernel_drops"), 0);
	cr_expect_eq(number(e, "stats.decoder.pkts"), 99000);
	cr_expect_eq(number(e, "stats.decoder.invalid"), 3);
	cr_expect_eq(number(e, "stats.tcp.sessions"), 400);
	cr_expect_eq(number(e, "stats.tcp.reassembly_gap"), 0);
	cr_expect_eq(number(e, "stats.tcp.overlap_diff_data"), 0);
	cr_expect_eq(number(e, "stats.tcp.midstream_pickups"), 0);
	json_decref(e);
}

Test(stats_event, our_own_stand_in_our_own_object)
{
	struct health h = sample_health();
	json_t *e = event(&h), *health;

	cr_expect_eq(number(e, "downgrade.alerts.written"), 11);
	cr_expect_eq(number(e, "downgrade.store.waiting"), 16);
	cr_expect_eq(number(e, "downgrade.store.removed.profiles"), 21);
	cr_expect_eq(number(e, "downgrade.sessions"), 390);
	cr_expect_eq(number(e, "downgrade.offered.yes"), 390);
	cr_expect_eq(number(e, "downgrade.incidents.starttls-garbled"), 2);
	health = json_object_get(json_object_get(e, "downgrade"), "health");
	cr_expect_str_eq(json_string_value(json_object_get(health, "state")),
	    "watching");
	json_decref(e);
}

Test(stats_event, a_sensor_without_packets_has_no_last_one)
{
	struct health h = { .now_ns = NOW_NS, .started_ns = NOW_NS + 1 };
	json_t *e;

	totals_init(&h.totals);
	e = event(&h);
	cr_expect_eq(number(e, "stats.uptime"), 0);
	cr_expect_null(json_object_get(json_object_get(e, "stats"), "capture"));
	cr_expect_null(
	    json_object_get(json_object_get(json_object_get(e, "downgrade"),
				"health"),
		"last_packet"));
	json_decref(e);
}
