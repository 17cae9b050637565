/* What a session's log keeps, and what it does when there is no more room. */
#include <criterion/criterion.h>

#include "dissect/fact_log.h"

struct taken {
	unsigned publications;
	struct publication last;
	unsigned facts, over_limit, acked, finals;
	size_t octets;
	struct fact first;
};

static void
take(void *context, const struct publication *p, struct slice facts)
{
	struct taken *t = context;
	struct slice bytes;
	struct fact fact;

	t->publications++;
	t->last = *p;
	cr_assert_eq(p->facts_bytes, facts.len);
	while (fact_decode(&facts, &fact, &bytes)) {
		if (t->facts++ == 0)
			t->first = fact;
		t->octets += bytes.len;
		t->over_limit += fact.code == FACT_OVER_LIMIT;
		t->finals += fact.code == FACT_CLOSED;
		t->acked += (fact.flags & FACT_ACKED) != 0;
	}
	cr_assert_eq(facts.len, 0);
}

static void
append(struct fact_log *log, enum fact_code code, size_t len, uint64_t offset)
{
	static const uint8_t filler[FACT_LINE_MAX_BYTES];
	struct fact fact = { .code = (uint16_t)code, .extent = len };
	struct origin at = { .frame = 3,
		.run_frame = 4,
		.capture_ts_ns = 5,
		.stream_offset = offset,
		.capture = 6,
		.one_sided = true };

	fact_log_append(log, &fact, slice_of(filler, len), &at);
}

#define BEGIN(budget)                                      \
	struct taken t = { 0 };                            \
	struct counters counters = { 0 };                  \
	struct fact_pool *pool =                           \
	    fact_pool_create(budget, &counters, take, &t); \
	struct fact_log log;                               \
	fact_log_open(&log, pool, 77)

Test(fact_log, a_fact_is_completed_with_its_place)
{
	BEGIN(1 << 20);

	log.observability = OBS_MIDSTREAM;
	append(&log, FACT_COMMAND, 5, 9);
	fact_log_publish(&log, DECISION_CLOSED);
	cr_assert_eq(t.last.session, 77);
	cr_assert_eq(t.first.frame, 3);
	cr_assert_eq(t.first.capture_ts_ns, 5);
	cr_assert_eq(t.first.capture, 6);
	cr_assert_eq(t.first.stream_offset, 9);
	cr_assert_eq(t.first.observability, OBS_MIDSTREAM | OBS_ONE_SIDED);
	cr_assert_eq(t.first.length, 5);
	fact_pool_destroy(pool);
}

/* The judge merges by (batch, frame, shard, ordinal). */
Test(fact_log, publications_are_numbered_within_their_packet)
{
	BEGIN(1 << 20);

	fact_pool_stamp(pool, 1, 10, 5);
	fact_log_publish(&log, DECISION_EHLO_ANSWERED);
	fact_log_publish(&log, DECISION_CLOSED);
	cr_assert_eq(t.last.batch, 1);
	cr_assert_eq(t.last.capture_frame, 10);
	cr_assert_eq(t.last.shard, 5);
	cr_assert_eq(t.last.ordinal, 1);
	cr_assert_eq(t.last.decision, DECISION_CLOSED);
	fact_pool_stamp(pool, 1, 10, 5);
	fact_log_publish(&log, DECISION_CLOSED);
	cr_assert_eq(t.last.ordinal, 2);
	fact_pool_stamp(pool, 1, 11, 5);
	fact_log_publish(&log, DECISION_CLOSED);
	cr_assert_eq(t.last.ordinal, 0);
	fact_pool_mute(pool);
	fact_log_publish(&log, DECISION_CLOSED);
	cr_assert_eq(t.publications, 4);
	fact_pool_destroy(pool);
}

Test(fact_log, facts_that_the_peer_acknowledged_say_so)
{
	BEGIN(1 << 20);

	append(&log, FACT_COMMAND, 10, 0);
	append(&log, FACT_COMMAND, 10, 10);
	append(&log, FACT_COMMAND, 10, 20);
	append(&log, FACT_GAP, 0, 0);
	log.acked[TO_SERVER] = 25;
	fact_log_publish(&log, DECISION_CLOSED);
	cr_assert_eq(t.acked, 2);
	fact_pool_destroy(pool);
}

Test(fact_log, room_is_borrowed_with_the_first_fact_and_given_back)
{
	BEGIN(1 << 20);

	cr_assert_eq(fact_pool_used(pool), 0);
	append(&log, FACT_COMMAND, 10, 0);
	cr_assert_eq(fact_pool_used(pool), FACT_LOG_START_BYTES);
	for (int i = 0; i < 10; i++)
		append(&log, FACT_COMMAND, 1000, 0);
	/* 11 facts of 40 octets and their bytes, and what the end takes. */
	cr_assert_eq(fact_pool_used(pool), 12288);
	fact_log_publish(&log, DECISION_CLOSED);
	cr_assert_eq(fact_pool_used(pool), 0);
	cr_assert_eq(t.facts, 11);
	cr_assert_eq(t.octets, 10010);
	append(&log, FACT_COMMAND, 10, 0);
	fact_log_close(&log);
	cr_assert_eq(fact_pool_used(pool), 0);
	cr_assert_eq(t.publications, 1);
	fact_pool_destroy(pool);
}

Test(fact_log, beyond_the_limit_only_the_end_is_told)
{
	BEGIN(1 << 20);

	for (int i = 0; i < 100; i++)
		append(&log, FACT_COMMAND, 2000, 0);
	cr_assert(log.over_limit);
	cr_assert(log.observability & OBS_OVER_LIMIT);
	cr_assert_eq(counters.of[COUNTER_FACTS_OVER_LIMIT], 1);
	cr_assert_eq(counters.of[COUNTER_LOG_EVICTED], 0);
	append(&log, FACT_ACKNOWLEDGED, 0, 0);
	append(&log, FACT_CLOSED, 0, 0);
	cr_assert_leq(fact_pool_used(pool), FACT_LOG_MAX_BYTES);
	fact_log_publish(&log, DECISION_CLOSED);
	cr_assert_eq(t.over_limit, 1);
	cr_assert_eq(t.finals, 1);
	cr_assert_gt(t.octets, FACT_LOG_MAX_BYTES - 4096);
	fact_pool_destroy(pool);
}

/* One that is larger than the limit by itself, too, is over the limit and not
 * for want of room. */
Test(fact_log, the_causes_of_not_keeping_are_told_apart)
{
	static const uint8_t large[FACT_LOG_MAX_BYTES];
	struct fact fact = { .code = FACT_TLS_CERTIFICATE };
	struct origin at = { 0 };

	BEGIN(1 << 20);
	fact_log_append(&log, &fact, slice_of(large, sizeof(large)), &at);
	cr_assert_eq(counters.of[COUNTER_FACTS_OVER_LIMIT], 1);
	cr_assert_eq(counters.of[COUNTER_LOG_EVICTED], 0);
	fact_log_publish(&log, DECISION_CLOSED);
	cr_assert_eq(t.over_limit, 1);
	fact_pool_destroy(pool);
}

Test(fact_log, a_pool_is_shared_and_never_exceeded)
{
	struct fact_log logs[4];
	BEGIN(2 * FACT_LOG_START_BYTES);

	for (size_t i = 0; i < 4; i++) {
		fact_log_open(&logs[i], pool, i);
		append(&logs[i], FACT_COMMAND, 10, 0);
		cr_assert_leq(fact_pool_used(pool), 2 * FACT_LOG_START_BYTES);
	}
	cr_assert_eq(counters.of[COUNTER_LOG_EVICTED], 2);
	cr_assert_eq(counters.of[COUNTER_FACTS_OVER_LIMIT], 0);
	for (size_t i = 0; i < 4; i++)
		fact_log_publish(&logs[i], DECISION_CLOSED);
	cr_assert_eq(t.publications, 4);
	cr_assert_eq(t.facts, 2);
	fact_pool_destroy(pool);
}

/* Ordinary logs find room where inflated ones find none any more. */
Test(fact_log, half_of_the_pool_is_for_plain_negotiations)
{
	struct fact_log other;

	BEGIN(32768);
	for (int i = 0; i < 30; i++)
		append(&log, FACT_COMMAND, 1000, 0);
	cr_assert(log.over_limit);
	cr_assert_eq(counters.of[COUNTER_LOG_EVICTED], 1);
	cr_assert_leq(fact_pool_used(pool), 16384);
	cr_assert_not(fact_pool_is_scarce(pool));
	fact_log_open(&other, pool, 2);
	for (int i = 0; i < 6; i++)
		append(&other, FACT_COMMAND, 1000, 0);
	cr_assert_not(other.over_limit);
	fact_log_close(&other);
	fact_log_close(&log);
	fact_pool_destroy(pool);
}

Test(fact_log, what_a_pool_lends_is_half_too_much_at_most)
{
	size_t last = 0;

	for (size_t bytes = 256; bytes <= FACT_LOG_MAX_BYTES; bytes++) {
		size_t fit = fact_pool_fit(bytes);

		cr_assert_geq(fit, bytes);
		cr_assert_leq(fit, bytes + bytes / 2);
		cr_assert_geq(fit, last);
		cr_assert_eq(fact_pool_fit(fit), fit);
		last = fit;
	}
	cr_assert_eq(last, FACT_LOG_MAX_BYTES);
}

Test(fact_log, a_pool_lends_no_more_than_it_has)
{
	void *places[5];
	BEGIN(1024);

	cr_assert_null(fact_pool_take(pool, 1025));
	cr_assert_null(fact_pool_take(pool, 1 << 20));
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 4; i++)
			cr_assert_not_null(
			    places[i] = fact_pool_take(pool, 200));
		cr_assert_null(fact_pool_take(pool, 1));
		for (int i = 0; i < 4; i++)
			fact_pool_give(pool, places[i], 200);
		cr_assert_eq(fact_pool_used(pool), 0);
	}
	fact_pool_give(pool, NULL, 200);
	fact_log_close(&log);
	fact_pool_destroy(pool);
}

/* What was taken in one size, all of it, is not held beside another size. */
Test(fact_log, what_a_pool_keeps_for_later_is_within_its_budget)
{
	enum { ROOMS = 256, BUDGET = ROOMS * 256 };
	struct counters counters = { 0 };
	struct fact_pool *pool =
	    fact_pool_create(BUDGET, &counters, NULL, NULL);
	void *rooms[ROOMS];

	for (size_t size = 256; size <= BUDGET; size *= 2) {
		size_t n = BUDGET / size;

		for (size_t i = 0; i < n; i++) {
			rooms[i] = fact_pool_take(pool, size);
			cr_assert_not_null(rooms[i]);
			cr_assert_leq(fact_pool_held(pool), BUDGET);
		}
		for (size_t i = 0; i < n; i++)
			fact_pool_give(pool, rooms[i], size);
		cr_assert_eq(fact_pool_used(pool), 0);
		cr_assert_eq(fact_pool_held(pool), BUDGET);
	}
	fact_pool_destroy(pool);
}
