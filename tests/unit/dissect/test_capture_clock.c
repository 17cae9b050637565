/* How much time has passed: what time stamps say, and what is believed. */
#include <criterion/criterion.h>

#include "dissect/capture_clock.h"

#define S INT64_C(1000000000)
#define START (INT64_C(1772323200) * S)

/* `count` frames, `step_ns` apart, from `from_ns` on; where they end. */
static int64_t
run(struct capture_clock *clock, int64_t from_ns, int64_t step_ns,
    unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		capture_clock_stamp(clock, from_ns);
		from_ns += step_ns;
	}
	return from_ns;
}

/* Within so many of the frames that make a median. */
static void
expect(const struct capture_clock *clock, int64_t passed_ns, int64_t step_ns)
{
	int64_t off = clock->passed_ns - passed_ns;
	int64_t most = step_ns * 2 * CAPTURE_CLOCK_FRAMES;

	cr_assert(off <= most && off >= -most, "%lld s passed, not %lld",
	    (long long)(clock->passed_ns / S), (long long)(passed_ns / S));
}

Test(capture_clock, an_even_stream_takes_its_time)
{
	struct capture_clock clock = { 0 };

	run(&clock, START, S / 100, 100000);
	expect(&clock, 1000 * S, S / 100);
}

Test(capture_clock, reordered_stamps_change_nothing)
{
	struct capture_clock clock = { 0 };

	for (int i = 0; i < 10000; i++)
		capture_clock_stamp(&clock,
		    START + (i ^ 7) * S / 10); /* eights turned round */
	expect(&clock, 1000 * S, S / 10);
}

Test(capture_clock, it_never_goes_back)
{
	struct capture_clock clock = { 0 };
	uint64_t random = 1;
	int64_t before = 0;

	for (int i = 0; i < 100000; i++) {
		random = random * UINT64_C(6364136223846793005) + 1;
		capture_clock_stamp(&clock, (int64_t)random);
		cr_assert_geq(clock.passed_ns, before);
		before = clock.passed_ns;
	}
}

/* What a damaged record says: the highest stamp would have ended everything. */
Test(capture_clock, single_stamps_from_elsewhere_move_nothing)
{
	static const int64_t stamps[] = { INT64_MAX, INT64_MIN, 0,
		START + 86400 * S, START - 86400 * S };

	for (size_t i = 0; i < sizeof(stamps) / sizeof(*stamps); i++) {
		struct capture_clock clock = { 0 };
		int64_t at = START;

		for (int round = 0; round < 1000; round++) {
			at = run(&clock, at, S / 100, 10);
			capture_clock_stamp(&clock, stamps[i]);
		}
		expect(&clock, 100 * S, S / 100);
	}
}

Test(capture_clock, a_first_stamp_from_elsewhere_is_forgotten)
{
	struct capture_clock clock = { 0 };

	capture_clock_stamp(&clock, INT64_MAX);
	run(&clock, START, S / 10, 10000);
	expect(&clock, 1000 * S, S / 10);
}

/* Set by NTP amid the capture, years ahead or back: sessions that ran before
 * it run on, and are as old as they are. */
Test(capture_clock, a_clock_that_was_set_takes_no_time_and_goes_on)
{
	static const int64_t jumps[] = { 400 * S, 86400 * S,
		50 * 365 * 86400 * S, -400 * S, -86400 * S,
		-50 * 365 * 86400 * S };

	for (size_t i = 0; i < sizeof(jumps) / sizeof(*jumps); i++) {
		struct capture_clock clock = { 0 };
		int64_t at = run(&clock, START, S / 10, 1000);

		at = run(&clock, at + jumps[i], S / 10, 75);
		expect(&clock, 100 * S, S / 10);
		run(&clock, at, S / 10, 10000);
		expect(&clock, 1100 * S, S / 10);
	}
}

Test(capture_clock, set_back_a_little_it_waits_to_be_caught_up_with)
{
	struct capture_clock clock = { 0 };
	int64_t at = run(&clock, START, S / 10, 1000);

	at = run(&clock, at - 200 * S, S / 10, 2000);
	expect(&clock, 100 * S, S / 10);
	run(&clock, at, S / 10, 1000);
	expect(&clock, 200 * S, S / 10);
}

Test(capture_clock, a_pause_of_some_minutes_is_a_pause)
{
	struct capture_clock clock = { 0 };
	int64_t at = run(&clock, START, S / 10, 1000);

	run(&clock, at + 250 * S, S / 10, 1000);
	expect(&clock, 450 * S, S / 10);
}

/* Two interfaces in one file, one hours ahead: time passes once, whichever
 * has the majority for a while. */
Test(capture_clock, of_two_clocks_in_one_capture_time_passes_once)
{
	struct capture_clock clock = { 0 };
	uint64_t random = 7;
	int64_t at = START;

	for (int i = 0; i < 100000; i++) {
		random = random * UINT64_C(6364136223846793005) + 1;
		at += S / 100;
		capture_clock_stamp(&clock,
		    random >> 63 ? at + 3 * 3600 * S : at);
	}
	cr_assert_leq(clock.passed_ns, 1000 * S);
	cr_assert_geq(clock.passed_ns, 700 * S);
}

Test(capture_clock, frames_that_all_have_one_stamp_stop_it)
{
	struct capture_clock clock = { 0 };

	run(&clock, 0, 0, 100000);
	cr_assert_eq(clock.passed_ns, 0);
}
