/* Servers looked up by address, among hosts that were fetched by domain. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "probe/pipeline/mx_book.h"

#define DAY_NS (INT64_C(86400) * 1000000000)

static struct store *store;
static struct mx_book *book;
static struct dns_route routes[DNS_ROUTES_MAX];

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
	mx_book_destroy(book);
	store_close(store);
}

TestSuite(mx_book, .init = begin, .fini = end);

static void
host(const char *domain, const char *name, int64_t from_day, int64_t until_day,
    const char *addresses)
{
	struct mail_host h = { .from_ns = from_day * DAY_NS,
		.until_ns = until_day * DAY_NS };

	snprintf(h.domain, sizeof(h.domain), "%s", domain);
	snprintf(h.host, sizeof(h.host), "%s", name);
	snprintf(h.dane, sizeof(h.dane), "none");
	snprintf(h.addresses, sizeof(h.addresses), "%s", addresses);
	cr_assert_eq(store_observe_mail_host(store, &h), 0);
}

static struct address
address(const char *text)
{
	struct address a;

	cr_assert(address_parse(text, &a));
	return a;
}

static unsigned
find(const char *text, int64_t day)
{
	struct address a = address(text);

	return mx_book_find(book, &a, day * DAY_NS, routes);
}

static const char *
name(const char *text, int64_t day)
{
	struct address a = address(text);

	return mx_book_name(book, &a, day * DAY_NS);
}

Test(mx_book, an_address_leads_to_domains_and_hosts)
{
	host("a.example", "mx.provider.example", 100, 200,
	    "192.0.2.1 2001:db8::1");
	host("b.example", "mx.provider.example", 100, 200, "192.0.2.1");
	host("c.example", "mx.c.example", 100, 200, "192.0.2.3");
	book = mx_book_create(store);
	cr_assert_eq(find("192.0.2.1", 150), 2);
	cr_expect_str_eq(routes[0].mx, "mx.provider.example");
	cr_expect_str_eq(name("192.0.2.1", 150), "mx.provider.example");
	cr_assert_eq(find("2001:db8::1", 150), 1);
	cr_expect_str_eq(routes[0].domain, "a.example");
	cr_expect_not(routes[0].own);
	cr_expect_eq(find("192.0.2.2", 150), 0);
	cr_expect_null(name("192.0.2.2", 150));
}

Test(mx_book, it_holds_for_its_time_and_a_month_before)
{
	host("a.example", "mx.a.example", 100, 200, "192.0.2.1");
	book = mx_book_create(store);
	cr_expect_eq(find("192.0.2.1", 68), 0);
	cr_expect_eq(find("192.0.2.1", 69), 1);
	cr_expect_eq(find("192.0.2.1", 199), 1);
	cr_expect_eq(find("192.0.2.1", 200), 0);
}

Test(mx_book, a_host_of_many_domains_tells_none_but_its_name)
{
	char domain[32];

	for (int i = 0; i < DNS_ROUTES_MAX + 1; i++) {
		sprintf(domain, "d%d.example", i);
		host(domain, "mx.provider.example", 100, 200, "192.0.2.1");
	}
	book = mx_book_create(store);
	cr_expect_eq(find("192.0.2.1", 150), 0);
	cr_expect_str_eq(name("192.0.2.1", 150), "mx.provider.example");
}

Test(mx_book, a_host_of_two_names_has_none)
{
	host("a.example", "mx.a.example", 100, 200, "192.0.2.1");
	host("b.example", "mx.b.example", 100, 200, "192.0.2.1");
	book = mx_book_create(store);
	cr_expect_null(name("192.0.2.1", 150));
}
