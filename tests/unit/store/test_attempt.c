/* What explains other sessions of a server, kept and read back. */
#include "unit/store/fixture.h"

struct seen {
	struct attempt list[8];
	size_t count;
};

static int
on_attempt(void *context, const struct attempt *attempt)
{
	struct seen *seen = context;

	seen->list[seen->count++] = *attempt;
	return 0;
}

static void
put_in(struct store *s, const char *hash, const struct attempt *list, int count)
{
	struct capture_row row = sample_capture(hash);

	cr_assert_eq(store_capture_begin(s, &row), 0);
	for (int i = 0; i < count; i++)
		cr_assert_eq(store_add_attempt(s, &list[i]), 0);
	cr_assert_eq(store_capture_commit(s), 0);
}

Test(attempt, comes_back_as_it_went_in)
{
	struct store *s = open_store(STORE_WRITE);
	struct attempt attempt = sample_attempt();
	struct seen seen = { .count = 0 };

	put_in(s, "aa", &attempt, 1);
	cr_assert_eq(store_each_attempt(s, &attempt.server, on_attempt, &seen),
	    0);
	cr_assert_eq(seen.count, 1);
	cr_expect_eq(memcmp(&seen.list[0], &attempt, sizeof(attempt)), 0);
	store_close(s);
}

Test(attempt, those_of_one_server_come_in_their_order)
{
	struct store *s = open_store(STORE_WRITE);
	struct attempt list[3] = { sample_attempt(), sample_attempt(),
		sample_attempt() };
	struct seen seen = { .count = 0 };

	list[0].first_ns = 5000;
	list[0].session[0] = 1;
	list[1].first_ns = 3000;
	list[1].session[0] = 2;
	list[2].server.port = 587;
	list[2].session[0] = 3;
	put_in(s, "aa", list, 3);
	cr_assert_eq(store_each_attempt(s, &list[0].server, on_attempt, &seen),
	    0);
	cr_assert_eq(seen.count, 2);
	cr_expect_eq(seen.list[0].first_ns, 3000);
	cr_expect_eq(seen.list[1].first_ns, 5000);
	store_close(s);
}

Test(attempt, a_session_that_two_captures_have_counts_once)
{
	struct store *s = open_store(STORE_WRITE);
	struct attempt near = sample_attempt(), far = sample_attempt();
	struct seen seen = { .count = 0 };

	far.first_ns = near.first_ns + 7;
	put_in(s, "aa", &far, 1);
	put_in(s, "bb", &near, 1);
	cr_assert_eq(store_each_attempt(s, &near.server, on_attempt, &seen), 0);
	cr_assert_eq(seen.count, 1);
	cr_expect_eq(seen.list[0].first_ns, near.first_ns);
	/* Equal in all but the capture. */
	seen.count = 0;
	put_in(s, "cc", &near, 1);
	cr_assert_eq(store_each_attempt(s, &near.server, on_attempt, &seen), 0);
	cr_expect_eq(seen.count, 1);
	store_close(s);
}
