/* Which session of one capture is which of another. */
#include <criterion/criterion.h>

#include <stdlib.h>

#include "probe/pipeline/pairing.h"

#define SECOND_NS INT64_C(1000000000)

/* A session as it is collected: what it is known by, and when it began. */
struct given {
	enum pairing by;
	uint64_t key;
	int64_t first_ns;
};

static struct collection
collect(const struct given *given, size_t count)
{
	struct collection c;

	collection_init(&c, 1 << 20);
	c.list = calloc(count + 1, sizeof(*c.list));
	cr_assert_not_null(c.list);
	for (size_t i = 0; i < count; i++) {
		c.list[i].keys[given[i].by] = given[i].key;
		c.list[i].first_ns = given[i].first_ns;
	}
	c.count = count;
	return c;
}

#define PAIR(near, far, out)                                                \
	struct collection near_c =                                          \
	    collect(near, sizeof(near) / sizeof(*near));                    \
	struct collection far_c = collect(far, sizeof(far) / sizeof(*far)); \
	cr_assert_eq(pairs_find(&near_c, &far_c, &out), 0)
#define DONE(out)                 \
	pairs_free(&out);         \
	collection_free(&near_c); \
	collection_free(&far_c)

Test(pairing, clocks_are_set_by_what_is_sure)
{
	static const struct given near[] = {
		{ PAIRED_BY_CONNECTION, 1, 10 * SECOND_NS },
		{ PAIRED_BY_NUMBERS, 2, 20 * SECOND_NS },
		{ PAIRED_BY_MESSAGE, 3, 30 * SECOND_NS },
	};
	static const struct given far[] = {
		{ PAIRED_BY_MESSAGE, 3, 1030 * SECOND_NS },
		{ PAIRED_BY_CONNECTION, 1, 1010 * SECOND_NS },
		{ PAIRED_BY_NUMBERS, 2, 1021 * SECOND_NS },
	};
	struct pairs pairs;

	PAIR(near, far, pairs);
	cr_assert_eq(pairs.count, 3);
	cr_assert_eq(pairs.offset_ns, 1000 * SECOND_NS);
	cr_assert_eq(pairs.list[0].far, 1);
	cr_assert_eq(pairs.list[1].far, 2);
	cr_assert_eq(pairs.list[2].far, 0);
	cr_assert_eq(pairs.list[2].by, PAIRED_BY_MESSAGE);
	DONE(pairs);
}

/* A sender that tries again says the same words each time. */
Test(pairing, as_many_with_the_same_times_between_them_are_in_order)
{
	static const struct given near[] = {
		{ PAIRED_BY_ENVELOPE, 7, 1000 },
		{ PAIRED_BY_ENVELOPE, 7, 2000 },
		{ PAIRED_BY_ENVELOPE, 7, 5000 },
	};
	static const struct given far[] = {
		{ PAIRED_BY_ENVELOPE, 7, 91100 },
		{ PAIRED_BY_ENVELOPE, 7, 92000 },
		{ PAIRED_BY_ENVELOPE, 7, 95300 },
	};
	struct pairs pairs;

	PAIR(near, far, pairs);
	cr_assert_eq(pairs.count, 3);
	for (size_t i = 0; i < 3; i++)
		cr_assert_eq(pairs.list[i].far, i);
	DONE(pairs);
}

Test(pairing, other_times_between_them_tell_nothing)
{
	static const struct given near[] = {
		{ PAIRED_BY_ENVELOPE, 7, 1000 },
		{ PAIRED_BY_ENVELOPE, 7, 2000 },
		{ PAIRED_BY_ENVELOPE, 7, 5000 },
	};
	static const struct given far[] = {
		{ PAIRED_BY_ENVELOPE, 7, 91000 },
		{ PAIRED_BY_ENVELOPE, 7, 92700 },
		{ PAIRED_BY_ENVELOPE, 7, 95000 },
	};
	struct pairs pairs;

	PAIR(near, far, pairs);
	cr_assert_eq(pairs.count, 0);
	DONE(pairs);
}

Test(pairing, what_could_be_several_is_none)
{
	static const struct given near[] = { { PAIRED_BY_MESSAGE, 7, 0 },
		{ PAIRED_BY_MESSAGE, 7, 60 * SECOND_NS } };
	static const struct given far[] = { { PAIRED_BY_MESSAGE, 7, 0 } };
	struct pairs pairs;

	PAIR(near, far, pairs);
	cr_assert_eq(pairs.count, 0);
	cr_assert(near_c.list[0].ambiguous && near_c.list[1].ambiguous &&
	    far_c.list[0].ambiguous);
	DONE(pairs);
}

Test(pairing, time_decides_once_the_clocks_are_set)
{
	static const struct given near[] = { { PAIRED_BY_CONNECTION, 1, 0 },
		{ PAIRED_BY_MESSAGE, 7, 100 * SECOND_NS },
		{ PAIRED_BY_MESSAGE, 7, 160 * SECOND_NS },
		{ PAIRED_BY_MESSAGE, 7, 161 * SECOND_NS } };
	static const struct given far[] = { { PAIRED_BY_CONNECTION, 1,
						5 * SECOND_NS },
		{ PAIRED_BY_MESSAGE, 7, 105 * SECOND_NS },
		{ PAIRED_BY_MESSAGE, 7, 165 * SECOND_NS } };
	struct pairs pairs;

	PAIR(near, far, pairs);
	/* Two began at about the same moment as the far one's last. */
	cr_assert_eq(pairs.count, 2);
	cr_assert_eq(pairs.list[1].near, 1);
	cr_assert_eq(pairs.list[1].far, 1);
	cr_assert(!near_c.list[2].paired && !near_c.list[3].paired);
	DONE(pairs);
}

Test(pairing, another_hour_is_another_session)
{
	static const struct given near[] = { { PAIRED_BY_CONNECTION, 1, 0 },
		{ PAIRED_BY_ENVELOPE, 7, 100 * SECOND_NS } };
	static const struct given far[] = { { PAIRED_BY_CONNECTION, 1, 0 },
		{ PAIRED_BY_ENVELOPE, 7, 3700 * SECOND_NS } };
	struct pairs pairs;

	PAIR(near, far, pairs);
	cr_assert_eq(pairs.count, 1);
	DONE(pairs);
}
