/* Several writers, one order. */
#include <criterion/criterion.h>

#include "probe/pipeline/channels.h"

#define BYTES (1u << 20)
#define MS INT64_C(1000000)
/* Some time of day. */
#define NOON INT64_C(1772360102000000000)

static struct channels *
two(void)
{
	struct channels *cs = channels_create(2, BYTES);

	cr_assert_not_null(cs);
	channels_attach(cs);
	return cs;
}

static void
publish(struct channels *cs, unsigned writer, uint64_t session, int64_t ts_ns)
{
	struct publication p = { .session = session,
		.capture_frame = (uint64_t)ts_ns };

	channel_publish(channels_writer(cs, writer), &p, slice_of(NULL, 0));
}

/* The session that comes next; 0: none is due. */
static uint64_t
next(struct channels *cs, int64_t wall_ns, int64_t monotonic_ns,
    unsigned *writer)
{
	struct channel_counts counts;
	struct publication p;
	struct slice facts;

	switch (channels_read(cs, wall_ns, monotonic_ns, writer, &p, &facts,
	    &counts)) {
	case CHANNEL_PUBLICATION:
		return p.session;
	case CHANNEL_COUNTS:
		return 1000 + counts.source;
	default:
		return 0;
	}
}

Test(channels, older_packets_come_first)
{
	struct channels *cs = two();
	unsigned writer;

	publish(cs, 0, 1, NOON);
	publish(cs, 0, 3, NOON + 2 * MS);
	publish(cs, 1, 2, NOON + MS);
	publish(cs, 1, 4, NOON + 3 * MS);
	for (uint64_t i = 1; i <= 3; i++) {
		cr_assert_eq(next(cs, NOON, 0, &writer), i);
		cr_assert_eq(writer, (i + 1) % 2);
	}
	/* The other may still write an older one. */
	cr_assert_eq(next(cs, NOON + 3 * MS, 0, &writer), 0);
	cr_assert(channels_wait(cs));
	publish(cs, 0, 5, NOON + 3 * MS - 1);
	cr_assert_eq(next(cs, NOON + 3 * MS, 0, &writer), 5);
	cr_assert_eq(next(cs, NOON + 3 * MS + CHANNELS_WAIT_NS - 1, 0, &writer),
	    0);
	cr_assert_eq(next(cs, NOON + 3 * MS + CHANNELS_WAIT_NS, 0, &writer), 4);
	cr_assert_not(channels_wait(cs));
	channels_destroy(cs);
}

Test(channels, a_clock_that_was_set_back_holds_up_nothing)
{
	struct channels *cs = two();
	unsigned writer;

	publish(cs, 1, 7, NOON + 3600 * 1000 * MS);
	cr_assert_eq(next(cs, NOON, 50 * MS, &writer), 0);
	cr_assert_eq(next(cs, NOON, 50 * MS + CHANNELS_WAIT_NS - 1, &writer),
	    0);
	cr_assert_eq(next(cs, NOON, 50 * MS + CHANNELS_WAIT_NS, &writer), 7);
	publish(cs, 0, 8, NOON + 3600 * 1000 * MS);
	cr_assert_eq(next(cs, INT64_MAX, 0, &writer), 8);
	channels_destroy(cs);
}

/* Counts, and what has expired. */
Test(channels, what_has_no_time_waits_for_none)
{
	struct channel_counts counts = { .source = 5 };
	struct channels *cs = two();
	unsigned writer;

	channel_count(channels_writer(cs, 1), &counts);
	cr_assert_eq(next(cs, NOON, 0, &writer), 1005);
	publish(cs, 0, 9, (int64_t)UINT64_MAX);
	cr_assert_eq(next(cs, NOON, 0, &writer), 9);
	channels_destroy(cs);
}

Test(channels, one_alone_waits_for_nobody)
{
	struct channels *cs = channels_create(1, BYTES);
	unsigned writer;

	channels_attach(cs);
	publish(cs, 0, 1, NOON + 3600 * 1000 * MS);
	cr_assert_eq(next(cs, NOON, 0, &writer), 1);
	channels_destroy(cs);
}

Test(channels, what_one_has_read_ahead_is_gone_with_its_writer)
{
	struct channels *cs = two();
	unsigned writer;

	publish(cs, 0, 1, NOON);
	cr_assert_eq(next(cs, NOON, 0, &writer), 0);
	cr_assert(channels_wait(cs));
	channels_restart(cs);
	cr_assert_not(channels_wait(cs));
	cr_assert_eq(next(cs, INT64_MAX, 0, &writer), 0);
	channels_destroy(cs);
}
