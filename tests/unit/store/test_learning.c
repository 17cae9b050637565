#include "store/learning.h"

#include <criterion/criterion.h>

static struct store *
open_store(void)
{
	char errbuf[STORE_ERRBUF];
	struct store *store = store_open(":memory:", STORE_SCRATCH, errbuf);

	cr_assert_not_null(store, "%s", errbuf);
	return store;
}

static void
check(struct store *store, const struct learning *want)
{
	struct learning found;

	cr_assert_eq(store_learning(store, &found), 0);
	cr_expect_eq(found.since_ns, want->since_ns);
	cr_expect_eq(found.until_ns, want->until_ns);
	cr_expect_eq(found.over, want->over);
}

Test(learning, it_stands_there_until_it_is_another)
{
	const struct learning rows[] = {
		{ 1772360102000000001, 1772964902000000001, false },
		{ 1772360102000000001, 1772964902000000001, true },
		{ 1772360102000000001, 1773569702000000001, false },
	};
	struct store *store = open_store();

	check(store, &(struct learning){ 0 });
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		cr_assert_eq(store_learning_put(store, &rows[i]), 0);
		check(store, &rows[i]);
	}
	store_close(store);
}
