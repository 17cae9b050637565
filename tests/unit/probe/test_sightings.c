/* Two sightings of one session, under two pairs of addresses. */
#include <criterion/criterion.h>

#include "probe/pipeline/sightings.h"

#define ISN_A 0x5ca1ab1eu
#define ISN_B 0xdeadbee5u
#define SECOND_NS INT64_C(1000000000)

struct log {
	uint8_t bytes[96 * 1024];
	size_t length;
	uint64_t frame;
};

static void
add(struct log *log, struct fact fact, struct slice bytes)
{
	fact.frame = ++log->frame;
	log->length += fact_encode(&fact, bytes, log->bytes + log->length);
}

static struct slice
facts_of(const struct log *log)
{
	return slice_of(log->bytes, log->length);
}

/* The session's first fact. */
static struct log
opened(uint8_t client, uint32_t isn, uint32_t capture, int64_t at_ns)
{
	struct flow_identity id = { .client.address.family = 4,
		.client.port = 40000,
		.server.address.family = 4,
		.server.port = 25,
		.client_isn = isn,
		.server_isn = ISN_B,
		.has_client_isn = true,
		.has_server_isn = true };
	struct fact fact = { .code = FACT_SESSION_OPENED,
		.capture = capture,
		.capture_ts_ns = at_ns };
	uint8_t bytes[FLOW_IDENTITY_BYTES];
	struct log log = { .length = 0 };

	id.client.address.octets[0] = client;
	flow_identity_encode(&id, bytes);
	add(&log, fact, slice_of(bytes, sizeof(bytes)));
	return log;
}

static void
reply(struct log *log, const char *const *lines, uint16_t count,
    uint16_t observability)
{
	for (uint16_t i = 0; i < count; i++)
		add(log,
		    (struct fact){ .code = FACT_EHLO_REPLY,
			.dir = TO_CLIENT,
			.line = (uint16_t)(i + 1),
			.observability = observability },
		    slice_str(lines[i]));
}

static uint64_t
open_it(struct sightings *s, uint64_t handle, struct log log)
{
	return sightings_open(s, handle, facts_of(&log));
}

Test(sightings, the_same_numbers_under_other_addresses_are_a_twin)
{
	static const struct {
		struct {
			uint8_t client;
			uint32_t isn, capture;
			int64_t at_ns;
		} second;
		bool twin;
	} cases[] = {
		{ { 2, ISN_A, 0, 0 }, true },
		{ { 2, ISN_A, 0, SECOND_NS }, true },
		{ { 2, ISN_A, 0, 3 * SECOND_NS }, false },
		{ { 2, ISN_A, 1, 0 }, false }, /* another capture */
		{ { 2, ISN_A + 1, 0, 0 }, false },
		{ { 1, ISN_A, 0, 0 }, false }, /* the same addresses */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct sightings *s = sightings_create();

		cr_assert_eq(open_it(s, 7, opened(1, ISN_A, 0, 0)), 0);
		cr_assert_eq(open_it(s, 8,
				 opened(cases[i].second.client,
				     cases[i].second.isn,
				     cases[i].second.capture,
				     cases[i].second.at_ns)),
		    cases[i].twin ? 7 : 0, "case %zu", i);
		sightings_destroy(s);
	}
}

Test(sightings, small_numbers_are_made_up)
{
	struct sightings *s = sightings_create();

	cr_assert_eq(open_it(s, 7, opened(1, 1000, 0, 0)), 0);
	cr_assert_eq(open_it(s, 8, opened(2, 1000, 0, 0)), 0);
	sightings_destroy(s);
}

static const char *const offered[] = { "250-mx", "250-STARTTLS", "250 DSN" };
static const char *const stripped[] = { "250-mx", "250 DSN" };

/* One fact of the copies, then the reply that differs, whole. */
Test(sightings, what_differs_is_another_reading)
{
	static uint8_t out[SIGHTINGS_MAX_BYTES];
	struct log own = opened(1, ISN_A, 0, 0), twin = opened(2, ISN_A, 0, 0);
	struct segment_copy first, later;
	struct slice told, bytes;
	struct fact fact;

	reply(&own, stripped, 2, 0);
	twin.frame = 20;
	reply(&twin, offered, 3, 0);
	told = slice_of(out,
	    sightings_compare(facts_of(&own), facts_of(&twin), out));
	cr_assert(fact_decode(&told, &fact, &bytes));
	cr_assert_eq(fact.code, FACT_COPIES_DIFFER);
	cr_assert_eq(fact.value, COPIES_SIGHTINGS);
	cr_assert(segment_copy_decode(&bytes, &first));
	cr_assert(segment_copy_decode(&bytes, &later));
	cr_assert_eq(first.frame, 2);
	cr_assert_eq(later.frame, 21);
	for (int i = 0; i < 3; i++) {
		cr_assert(fact_decode(&told, &fact, &bytes));
		cr_assert_eq(fact.code, FACT_EHLO_REPLY);
		cr_assert(fact.flags & FACT_OTHER_READING);
		cr_assert(slice_equal(bytes, slice_str(offered[i])));
	}
	cr_assert_eq(told.len, 0);
}

Test(sightings, alike_or_not_whole_nothing_is_told)
{
	static uint8_t out[SIGHTINGS_MAX_BYTES];
	struct log own = opened(1, ISN_A, 0, 0), same = own, gap = own;

	reply(&own, stripped, 2, 0);
	reply(&same, stripped, 2, 0);
	reply(&gap, offered, 3, OBS_GAP_TO_CLIENT);
	cr_assert_eq(sightings_compare(facts_of(&own), facts_of(&same), out),
	    0);
	cr_assert_eq(sightings_compare(facts_of(&own), facts_of(&gap), out), 0);
	cr_assert_eq(sightings_compare(facts_of(&gap), facts_of(&own), out), 0);
}

/* Replies that differ are told as far as there is room. */
Test(sightings, the_room_is_kept_to)
{
	static uint8_t out[SIGHTINGS_MAX_BYTES + 64];
	static struct log twin;
	struct log own = opened(1, ISN_A, 0, 0);
	char line[2000];
	size_t length;

	memset(out, 0xa5, sizeof(out));
	memset(line, 'X', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	twin = opened(2, ISN_A, 0, 0);
	for (int i = 0; i < 40; i++)
		reply(&twin, (const char *const[]){ line }, 1, 0);
	length = sightings_compare(facts_of(&own), facts_of(&twin), out);
	cr_assert_gt(length, SIGHTINGS_MAX_BYTES - 2 * sizeof(line));
	cr_assert_leq(length, SIGHTINGS_MAX_BYTES);
	for (size_t i = length; i < sizeof(out); i++)
		cr_assert_eq(out[i], 0xa5);
}

Test(sightings, the_server_greets_the_farther_one_first)
{
	struct log near = opened(1, ISN_A, 0, 0), far = near;

	near = (struct log){ .frame = 9 };
	add(&near, (struct fact){ .code = FACT_SESSION_OPENED },
	    slice_of(NULL, 0));
	cr_assert(sightings_is_nearer(facts_of(&near), facts_of(&far)));
	cr_assert_not(sightings_is_nearer(facts_of(&far), facts_of(&near)));
}
