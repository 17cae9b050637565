/* Segments on a tape: in order, whole, and within their room. */
#include <criterion/criterion.h>

#include "dissect/tape.h"

static struct counters counters;

static struct tape
tape_over(size_t budget_bytes)
{
	return (struct tape){ .pool = fact_pool_create(budget_bytes, &counters,
				  NULL, NULL) };
}

static bool
put(struct tape *tape, uint32_t seq, const char *text)
{
	struct taped *t = tape_add(tape, slice_str(text));

	if (t == NULL)
		return false;
	t->copy = (struct segment_copy){ .seq = seq };
	return true;
}

static void
done(struct tape *tape)
{
	tape_close(tape);
	cr_assert_eq(fact_pool_used(tape->pool), 0);
	fact_pool_destroy(tape->pool);
}

Test(tape, segments_come_back_in_order_and_whole)
{
	static const char *const texts[] = { "250-mx\r\n", "", "2", "50 DSN" };
	struct tape tape = tape_over(1 << 20);
	const struct taped *t;
	uint32_t at = 0;

	cr_assert_null(tape_next(&tape, &at));
	for (uint32_t i = 0; i < 4; i++)
		cr_assert(put(&tape, i, texts[i]));
	for (uint32_t i = 0; i < 4; i++) {
		t = tape_next(&tape, &at);
		cr_assert_eq(t->copy.seq, i);
		cr_assert(slice_equal(tape_payload(t), slice_str(texts[i])));
	}
	cr_assert_null(tape_next(&tape, &at));
	done(&tape);
}

Test(tape, it_grows_to_its_most_and_no_further)
{
	struct tape tape = tape_over(1 << 20);
	uint32_t count = 0, at = 0;

	while (put(&tape, count, "an octet or two"))
		count++;
	cr_assert_gt(count, 500);
	cr_assert_leq(tape.room, TAPE_MAX_BYTES);
	for (uint32_t i = 0; i < count; i++)
		cr_assert_eq(tape_next(&tape, &at)->copy.seq, i);
	cr_assert_null(tape_next(&tape, &at));
	done(&tape);
}

/* The other half is for lines. */
Test(tape, it_takes_no_more_than_half_of_the_pool)
{
	struct tape tapes[8];

	tapes[0] = tape_over(2048);
	for (int i = 1; i < 8; i++)
		tapes[i] = tapes[0];
	for (int i = 0; i < 8; i++)
		cr_assert_eq(put(&tapes[i], 1, "220 mx"), i < 4);
	cr_assert_eq(fact_pool_used(tapes[0].pool), 1024);
	for (int i = 1; i < 8; i++)
		tape_close(&tapes[i]);
	done(&tapes[0]);
}

Test(tape, trimmed_it_keeps_the_whole_segments_of_its_beginning)
{
	struct tape tape = tape_over(1 << 20);
	uint32_t at = 0, kept = 0;

	for (uint32_t i = 0; i < 200; i++)
		cr_assert(put(&tape, i, "an octet or two"));
	tape_trim(&tape, 2048);
	cr_assert_eq(tape.room, 2048);
	while (tape_next(&tape, &at) != NULL)
		kept++;
	cr_assert_gt(kept, 10);
	cr_assert_leq(at, 2048);
	/* What is small enough is left alone. */
	tape_trim(&tape, 4096);
	cr_assert_eq(tape.room, 2048);
	done(&tape);
}

/* Every way in which two stretches can lie; the numbers go round. */
Test(tape, octets_in_common)
{
	static const struct {
		uint32_t seq, octets, from, common;
	} cases[] = {
		{ 100, 10, 100, 10 }, /* the same */
		{ 95, 20, 100, 10 },
		{ 102, 3, 102, 3 },
		{ 95, 8, 100, 3 },
		{ 107, 8, 107, 3 },
		{ 90, 10, 0, 0 }, /* beside it */
		{ 110, 10, 0, 0 },
		{ 100, 0, 0, 0 },
		{ 100u + (1u << 31), 10, 0, 0 }, /* half the space apart */
		{ 100u - (1u << 31), 64, 0, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		for (uint32_t shift = 0; shift < 3; shift++) {
			uint32_t base = shift * 0x7fffffceu, from;
			struct taped t = { .copy.seq = base + 100,
				.captured = 10 };

			cr_assert_eq(tape_common(&t, base + cases[i].seq,
					 cases[i].octets, &from),
			    cases[i].common, "case %zu", i);
			if (cases[i].common > 0)
				cr_assert_eq(from, base + cases[i].from);
		}
	}
}
