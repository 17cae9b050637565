#include "fixture.h"

TestSuite(policy, .init = fixture_make, .fini = fixture_remove);

#define BODY \
	"version: STSv1\r\nmode: enforce\r\nmx: mx.example\r\nmax_age: 9\r\n"

static struct policy_row
sample(const char *domain, int64_t from_ns, int64_t until_ns)
{
	struct policy_row row = { .from_ns = from_ns,
		.until_ns = until_ns,
		.assumed = from_ns == INT64_MIN,
		.source = "file",
		.body = slice_str(BODY) };

	snprintf(row.domain, sizeof(row.domain), "%s", domain);
	return row;
}

struct seen {
	struct policy_row rows[8];
	char bodies[8][256];
	size_t count;
};

static int
on_policy(void *context, const struct policy_row *row)
{
	struct seen *seen = context;

	memcpy(seen->bodies[seen->count], row->body.ptr, row->body.len);
	seen->rows[seen->count++] = *row;
	return 0;
}

static void
add(struct store *s, const char *domain, int64_t from_ns, int64_t until_ns)
{
	struct policy_row row = sample(domain, from_ns, until_ns);

	cr_assert_eq(store_add_policy(s, &row, NULL), 0);
}

Test(policy, reading_back_gives_what_was_written)
{
	struct store *s = open_store(STORE_WRITE);
	struct seen seen = { .count = 0 };

	add(s, "example.org", INT64_MIN, INT64_MAX);
	add(s, "example.org", 1000, 2000);
	cr_assert_eq(store_each_policy(s, NULL, on_policy, &seen), 0);
	store_close(s);
	cr_assert_eq(seen.count, 2);
	for (int i = 0; i < 2; i++) {
		cr_expect_str_eq(seen.rows[i].domain, "example.org");
		cr_expect_str_eq(seen.rows[i].source, "file");
		cr_expect_eq(seen.rows[i].from_ns, i ? 1000 : INT64_MIN);
		cr_expect_eq(seen.rows[i].until_ns, i ? 2000 : INT64_MAX);
		cr_expect_eq(seen.rows[i].assumed, i == 0);
		cr_expect_eq(seen.rows[i].body.len, strlen(BODY));
		cr_expect_arr_eq(seen.bodies[i], BODY, strlen(BODY));
	}
}

Test(policy, they_come_by_domain_then_time_and_one_domain_can_be_asked)
{
	struct store *s = open_store(STORE_WRITE);
	struct seen seen = { .count = 0 };

	add(s, "b.example", 1000, 2000);
	add(s, "b.example", -1000, 1000);
	add(s, "a.example", 5000, INT64_MAX);
	cr_assert_eq(store_each_policy(s, NULL, on_policy, &seen), 0);
	cr_assert_eq(seen.count, 3);
	cr_expect_str_eq(seen.rows[0].domain, "a.example");
	cr_expect_eq(seen.rows[1].from_ns, -1000);
	cr_expect_eq(seen.rows[2].from_ns, 1000);
	seen.count = 0;
	cr_assert_eq(store_each_policy(s, "a.example", on_policy, &seen), 0);
	cr_expect_eq(seen.count, 1);
	seen.count = 0;
	cr_assert_eq(store_each_policy(s, "example", on_policy, &seen), 0);
	cr_expect_eq(seen.count, 0);
	store_close(s);
}

Test(policy, the_same_again_changes_nothing_and_another_interval_adds)
{
	struct store *s = open_store(STORE_WRITE);
	char one[17], two[17], three[17];
	struct policy_row other = sample("example.org", 1000, 2000);

	add(s, "example.org", 1000, 2000);
	cr_assert_eq(store_policies_version(s, one), 0);
	add(s, "example.org", 1000, 2000);
	cr_assert_eq(store_policies_version(s, two), 0);
	cr_expect_str_eq(one, two);
	add(s, "example.org", 1000, 2001);
	cr_assert_eq(store_policies_version(s, two), 0);
	cr_expect_str_neq(one, two);
	other.body = slice_str("version: STSv1\r\nmode: none\r\n");
	cr_assert_eq(store_add_policy(s, &other, NULL), 0);
	cr_assert_eq(store_policies_version(s, three), 0);
	cr_expect_str_neq(two, three);
	store_close(s);
	cr_expect_eq(raw_count("SELECT count(*) FROM policy"), 3);
}

Test(policy, the_version_does_not_depend_on_the_order_of_adding)
{
	static const char *const domains[] = { "a.example", "b.example" };
	char versions[2][17];

	for (int i = 0; i < 2; i++) {
		struct store *s = store_open("", STORE_SCRATCH, errbuf);

		add(s, domains[i], 1, 2);
		add(s, domains[1 - i], 1, 2);
		cr_assert_eq(store_policies_version(s, versions[i]), 0);
		store_close(s);
	}
	cr_expect_str_eq(versions[0], versions[1]);
}

Test(policy, the_version_tells_intervals_apart)
{
	static const int64_t ends[][2] = { { 1, 2 }, { 1, 3 }, { 0, 2 } };
	char versions[3][17];

	for (int i = 0; i < 3; i++) {
		struct store *s = store_open("", STORE_SCRATCH, errbuf);

		add(s, "example.org", ends[i][0], ends[i][1]);
		cr_assert_eq(store_policies_version(s, versions[i]), 0);
		store_close(s);
	}
	cr_expect_str_neq(versions[0], versions[1]);
	cr_expect_str_neq(versions[0], versions[2]);
}
