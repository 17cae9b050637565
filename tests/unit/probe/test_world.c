#include <stdio.h>

#include <criterion/criterion.h>

#include "probe/pipeline/world.h"

#define DAY_NS (INT64_C(86400) * 1000000000)
#define BODY(mode) \
	"version: STSv1\nmode: " mode "\nmx: mx.example\nmax_age: 60\n"

static struct store *store;
static struct world *world;

static void
begin(void)
{
	char errbuf[STORE_ERRBUF];

	store = store_open("", STORE_SCRATCH, errbuf);
	cr_assert_not_null(store);
}

static void
end(void)
{
	world_destroy(world);
	world = NULL;
	store_close(store);
}

TestSuite(world, .init = begin, .fini = end);

static void
version(int64_t from_day, int64_t until_day, const char *source,
    const char *body)
{
	struct policy_row row = { .domain = "example.org",
		.from_ns = from_day * DAY_NS,
		.until_ns = until_day * DAY_NS,
		.body = slice_str(body) };

	snprintf(row.source, sizeof(row.source), "%s", source);
	cr_assert_eq(store_add_policy(store, &row, NULL), 0);
}

static const struct context *
context(void)
{
	char errbuf[STORE_ERRBUF];

	if (world == NULL)
		world = world_create(store, NULL, 0.1, errbuf);
	cr_assert_not_null(world);
	return world_context(world);
}

/* 'e', 't', 'n', upper case when it is assumed; '-': none is known. */
static char
mode_at(int64_t day)
{
	struct policy_in_force force;
	char letter;

	if (!context()->policy(world, "example.org", day * DAY_NS, &force))
		return '-';
	letter = sts_mode_name(force.policy.mode)[0];
	return force.assumed ? (char)(letter - 'a' + 'A') : letter;
}

Test(world, a_session_is_judged_by_what_held_at_its_time)
{
	version(1000, 1010, "fetch", BODY("enforce"));
	version(1010, 1020, "fetch", BODY("none"));
	version(1030, 1040, "fetch", BODY("testing"));
	cr_expect_eq(mode_at(1005), 'e');
	cr_expect_eq(mode_at(1010), 'n');
	cr_expect_eq(mode_at(1025), '-');
	cr_expect_eq(mode_at(1035), 't');
	cr_expect_eq(mode_at(1040), '-');
}

/* Captures are older than the question: what was found first is assumed. */
Test(world, before_the_first_look_the_policy_is_assumed)
{
	version(1000, 1010, "fetch", BODY("enforce"));
	cr_expect_eq(mode_at(999), 'E');
	cr_expect_eq(mode_at(700), 'E');
	cr_expect_eq(mode_at(600), '-');
}

Test(world, an_operators_dates_are_meant)
{
	version(1000, 1010, "file", BODY("enforce"));
	cr_expect_eq(mode_at(1005), 'e');
	cr_expect_eq(mode_at(999), '-');
}

static void
host(const char *name, int64_t from_day, int64_t until_day, const char *dane,
    const char *addresses)
{
	struct mail_host host = { .domain = "example.org",
		.from_ns = from_day * DAY_NS,
		.until_ns = until_day * DAY_NS };

	snprintf(host.host, sizeof(host.host), "%s", name);
	snprintf(host.dane, sizeof(host.dane), "%s", dane);
	snprintf(host.addresses, sizeof(host.addresses), "%s", addresses);
	cr_assert_eq(store_observe_mail_host(store, &host), 0);
}

static enum dane_state
dane_at(const char *address, int64_t day, bool *assumed)
{
	struct endpoint server = { .port = 25 };

	cr_assert(address_parse(address, &server.address));
	return context()->dane(world, "example.org", &server, day * DAY_NS,
	    assumed);
}

Test(world, the_host_with_the_servers_address_says_what_it_demands)
{
	bool assumed;

	host("mx1", 1000, 1010, "authenticate", "192.0.2.1 2001:db8::1");
	host("mx2", 1000, 1010, "none", "192.0.2.12");
	cr_expect_eq(dane_at("192.0.2.1", 1005, &assumed), DANE_AUTHENTICATE);
	cr_expect_not(assumed);
	cr_expect_eq(dane_at("2001:db8::1", 1005, &assumed), DANE_AUTHENTICATE);
	cr_expect_eq(dane_at("192.0.2.12", 1005, &assumed), DANE_NONE);
	/* Nobody's: one of them demands nothing. */
	cr_expect_eq(dane_at("192.0.2.2", 1005, &assumed), DANE_NONE);
	cr_expect_eq(dane_at("192.0.2.1", 1011, &assumed), DANE_NONE);
	cr_expect_eq(dane_at("192.0.2.1", 990, &assumed), DANE_AUTHENTICATE);
	cr_expect(assumed);
	cr_expect_eq(dane_at("192.0.2.1", 900, &assumed), DANE_NONE);
}

Test(world, an_unknown_address_is_asked_for_what_all_hosts_demand)
{
	bool assumed;

	host("mx1", 1000, 1010, "authenticate", "192.0.2.1");
	host("mx2", 1000, 1010, "tls", "192.0.2.2");
	cr_expect_eq(dane_at("192.0.2.3", 1005, &assumed), DANE_TLS);
}
