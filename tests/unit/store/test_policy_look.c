#include "fixture.h"

#include "store/statement.h"

TestSuite(policy_look, .init = fixture_make, .fini = fixture_remove);

#define BODY(mode) "version: STSv1\nmode: " mode "\nmax_age: 100\n"
#define AGE 100

struct seen {
	struct policy_row rows[8];
	struct mail_host hosts[8];
	size_t count;
};

static int
on_policy(void *context, const struct policy_row *row)
{
	struct seen *seen = context;

	seen->rows[seen->count++] = *row;
	return 0;
}

static bool
observe(struct store *s, int64_t at_ns, const char *body)
{
	struct policy_row row = { .domain = "example.org",
		.from_ns = at_ns,
		.until_ns = at_ns + AGE,
		.source = "fetch",
		.body = slice_str(body) };
	bool changed = false;

	cr_assert_eq(store_observe_policy(s, &row, &changed), 0);
	return changed;
}

static void
expect_intervals(struct store *s, size_t count, const int64_t (*want)[2])
{
	struct seen seen = { .count = 0 };

	cr_assert_eq(store_each_policy(s, NULL, on_policy, &seen), 0);
	cr_assert_eq(seen.count, count);
	for (size_t i = 0; i < count; i++) {
		cr_expect_eq(seen.rows[i].from_ns, want[i][0]);
		cr_expect_eq(seen.rows[i].until_ns, want[i][1]);
	}
}

/* RFC 8461 3.3: max_age counts from the last successful fetch. */
Test(policy_look, the_same_policy_again_holds_longer)
{
	struct store *s = open_store(STORE_WRITE);

	cr_expect(observe(s, 1000, BODY("enforce")));
	cr_expect_not(observe(s, 1000, BODY("enforce")));
	cr_expect_not(observe(s, 1050, BODY("enforce")));
	expect_intervals(s, 1, (const int64_t[][2]){ { 1000, 1150 } });
	store_close(s);
}

Test(policy_look, another_policy_ends_the_one_before)
{
	struct store *s = open_store(STORE_WRITE);

	observe(s, 1000, BODY("enforce"));
	cr_expect(observe(s, 1050, BODY("testing")));
	cr_expect(observe(s, 1060, BODY("enforce")));
	expect_intervals(s, 3,
	    (const int64_t[][2]){ { 1000, 1050 }, { 1050, 1060 },
		{ 1060, 1160 } });
	store_close(s);
}

Test(policy_look, what_expired_and_came_again_has_a_gap)
{
	struct store *s = open_store(STORE_WRITE);

	observe(s, 1000, BODY("enforce"));
	cr_expect(observe(s, 1101, BODY("enforce")));
	expect_intervals(s, 2,
	    (const int64_t[][2]){ { 1000, 1100 }, { 1101, 1201 } });
	store_close(s);
}

Test(policy_look, an_older_observation_ends_nothing)
{
	struct store *s = open_store(STORE_WRITE);

	observe(s, 1000, BODY("enforce"));
	cr_expect(observe(s, 900, BODY("none")));
	expect_intervals(s, 2,
	    (const int64_t[][2]){ { 900, 1000 }, { 1000, 1100 } });
	store_close(s);
}

static int
on_host(void *context, const struct mail_host *host)
{
	struct seen *seen = context;

	seen->hosts[seen->count++] = *host;
	return 0;
}

Test(policy_look, an_mx_host_holds_until_its_records_change)
{
	struct store *s = open_store(STORE_WRITE);
	struct mail_host host = { .domain = "example.org",
		.host = "mx.example.org",
		.from_ns = 1000,
		.until_ns = 1100,
		.preference = 10,
		.mx_secure = true,
		.dane = "secure",
		.tlsa = "3 1 1 aa" };
	struct seen seen = { .count = 0 };

	cr_assert_eq(store_observe_mail_host(s, &host), 0);
	host.from_ns = 1050;
	host.until_ns = 1150;
	cr_assert_eq(store_observe_mail_host(s, &host), 0);
	strcpy(host.tlsa, "3 1 1 bb");
	strcpy(host.canonical, "box.example.net");
	strcpy(host.next_hop, "hop.example");
	strcpy(host.tlsa_base, "box.example.net");
	host.from_ns = 1080;
	host.until_ns = 1180;
	cr_assert_eq(store_observe_mail_host(s, &host), 0);
	cr_assert_eq(store_each_mail_host(s, "example.org", on_host, &seen), 0);
	cr_assert_eq(seen.count, 2);
	cr_expect_str_eq(seen.hosts[0].tlsa, "3 1 1 aa");
	cr_expect_eq(seen.hosts[0].from_ns, 1000);
	cr_expect_eq(seen.hosts[0].until_ns, 1080);
	cr_expect_str_eq(seen.hosts[0].canonical, "");
	cr_expect_str_eq(seen.hosts[1].canonical, "box.example.net");
	cr_expect_str_eq(seen.hosts[1].next_hop, "hop.example");
	cr_expect_str_eq(seen.hosts[1].tlsa_base, "box.example.net");
	cr_expect_str_eq(seen.hosts[1].tlsa, "3 1 1 bb");
	cr_expect_eq(seen.hosts[1].until_ns, 1180);
	cr_expect(seen.hosts[1].mx_secure);
	store_close(s);
}

Test(policy_look, an_mx_host_with_another_alias_is_another)
{
	struct store *s = open_store(STORE_WRITE);
	struct seen seen = { .count = 0 };

	for (int i = 0; i < 4; i++) {
		struct mail_host host = { .domain = "example.org",
			.host = "mx.example.org",
			.from_ns = 1000 + i,
			.until_ns = 1100 + i,
			.dane = "none" };

		strcpy(host.canonical, i >= 1 ? "a.example" : "");
		strcpy(host.next_hop, i >= 2 ? "b.example" : "");
		strcpy(host.tlsa_base, i >= 3 ? "c.example" : "");
		cr_assert_eq(store_observe_mail_host(s, &host), 0);
	}
	cr_assert_eq(store_each_mail_host(s, "example.org", on_host, &seen), 0);
	cr_expect_eq(seen.count, 4);
	store_close(s);
}

static int
on_domain(void *context, const char *domain)
{
	strcat(strcat(context, domain), " ");
	return 0;
}

Test(policy_look, what_is_due_is_what_nobody_looked_at_lately)
{
	struct store *s = open_store(STORE_WRITE);
	struct policy_look look = { .domain = "late.example",
		.looked_ns = 1,
		.due_ns = 50,
		.state = "none" };
	char due[256] = "";

	cr_assert_eq(store_put_policy_look(s, &look), 0);
	strcpy(look.domain, "not-yet.example");
	look.due_ns = 150;
	cr_assert_eq(store_put_policy_look(s, &look), 0);
	observe(s, 10, BODY("none"));
	cr_assert_eq(store_each_due(s, 100, on_domain, due), 0);
	cr_expect_str_eq(due, "example.org late.example ");
	store_close(s);
}

Test(policy_look, only_kept_recipients_are_asked_for)
{
	struct store *s = open_store(STORE_WRITE);
	bool has = true;

	cr_assert_eq(store_has_recipient(s, "example.org", &has), 0);
	cr_expect_not(has);
	store_close(s);
}

/* One domain of a hundred thousand is not looked for in all of them. */
Test(policy_look, a_domain_is_found_by_its_key)
{
	static const char *const tables[] = { "policy", "policy_look",
		"policy_event", "mail_host", "tls_report" };
	sqlite3 *db;

	store_close(open_store(STORE_WRITE));
	cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		sqlite3_stmt *st;
		char sql[256];

		snprintf(sql, sizeof(sql),
		    "EXPLAIN QUERY PLAN SELECT * FROM %s WHERE " OF_DOMAIN,
		    tables[i]);
		cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &st, NULL),
		    SQLITE_OK);
		cr_assert_eq(sqlite3_step(st), SQLITE_ROW);
		cr_expect_not_null(strstr((const char *)sqlite3_column_text(st,
					      3),
				       "USING PRIMARY KEY"),
		    "%s: %s", tables[i], sqlite3_column_text(st, 3));
		sqlite3_finalize(st);
	}
	sqlite3_close(db);
}

static int
count_domain(void *context, const struct policy_row *row)
{
	(void)row;
	++*(size_t *)context;
	return 0;
}

Test(policy_look, all_domains_are_those_of_any_name)
{
	static const char *const names[] = { "0.example", "a.example",
		"xn--zz.example", "z.example" };
	struct store *s = open_store(STORE_WRITE);
	size_t all = 0, one = 0, none = 0;

	for (size_t i = 0; i < 4; i++) {
		struct policy_row row = { .from_ns = 1,
			.until_ns = 2,
			.source = "fetch",
			.body = slice_str(BODY("none")) };

		strcpy(row.domain, names[i]);
		cr_assert_eq(store_add_policy(s, &row, NULL), 0);
	}
	cr_assert_eq(store_each_policy(s, NULL, count_domain, &all), 0);
	cr_assert_eq(store_each_policy(s, "z.example", count_domain, &one), 0);
	cr_assert_eq(store_each_policy(s, "b.example", count_domain, &none), 0);
	cr_expect(all == 4 && one == 1 && none == 0);
	store_close(s);
}
