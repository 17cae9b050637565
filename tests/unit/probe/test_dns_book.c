/* Which answers are remembered, and which are laid beside a session. */
#include <criterion/criterion.h>

#include <stdio.h>

#include "dissect/dns.h"
#include "dissect/dns_fact.h"
#include "probe/pipeline/dns_book.h"

static uint8_t told[DNS_BOOK_TOLD_BYTES];

static void
add(struct dns_book *b, const char *asker, uint16_t type, const char *name,
    uint16_t record, const char *value, int64_t at_ns)
{
	uint8_t bytes[1024];
	struct dns_asked asked = { .type = type, .name = slice_str(name) };
	struct dns_said said = { record, (uint32_t)at_ns, true, slice_str(name),
		slice_str(value) };
	struct fact fact = { .code = FACT_DNS_ANSWER,
		.extent = 1,
		.frame = (uint64_t)at_ns,
		.capture_ts_ns = at_ns };
	size_t n;

	cr_assert(address_parse(asker, &asked.client.address));
	asked.resolver = asked.client;
	n = dns_asked_encode(&asked, bytes);
	n += dns_said_encode(&said, bytes + n, sizeof(bytes) - n);
	fact.length = (uint32_t)n;
	dns_book_add(b, &fact, slice_of(bytes, n));
}

/* "name type@frame x extent", one a blank. */
static const char *
tell(const struct dns_book *b, const char *client, const char *server,
    const char *domain)
{
	static char text[1024];
	char domains[1][256];
	struct dns_concern concern = { .domains = domains };
	struct slice in, bytes;
	struct fact fact;

	cr_assert(address_parse(client, &concern.client));
	cr_assert(address_parse(server, &concern.server));
	concern.domain_count = domain != NULL;
	if (domain != NULL)
		strcpy(domains[0], domain);
	in = slice_of(told, dns_book_tell(b, &concern, told));
	text[0] = '\0';
	while (fact_decode(&in, &fact, &bytes)) {
		struct dns_asked asked;

		cr_assert_eq(fact.session, 0);
		cr_assert(dns_asked_decode(&bytes, &asked));
		sprintf(text + strlen(text), "%s%.*s %s@%d x%d",
		    text[0] ? ", " : "", (int)asked.name.len,
		    (const char *)asked.name.ptr, dns_type_name(asked.type),
		    (int)fact.frame, (int)fact.extent);
	}
	return text;
}

Test(dns_book, what_leads_to_a_server_is_told)
{
	struct dns_book *b = dns_book_create(100);

	add(b, "192.0.2.1", DNS_MX, "example.org", DNS_MX, "mx.example.org", 1);
	add(b, "192.0.2.1", DNS_A, "mx.example.org", DNS_A, "198.51.100.1", 2);
	add(b, "192.0.2.1", DNS_TXT, "_mta-sts.example.org", DNS_TXT,
	    "v=STSv1; id=1", 3);
	add(b, "192.0.2.1", DNS_TLSA, "_25._tcp.mx.example.org", DNS_TLSA,
	    "3 1 1 ab", 4);
	add(b, "192.0.2.1", DNS_A, "www.example.net", DNS_A, "198.51.100.9", 5);
	cr_assert_str_eq(tell(b, "192.0.2.1", "198.51.100.1", NULL),
	    "mx.example.org A@2 x1, example.org MX@1 x1, "
	    "_25._tcp.mx.example.org TLSA@4 x1, "
	    "_mta-sts.example.org TXT@3 x1");
	cr_assert_str_eq(tell(b, "192.0.2.1", "198.51.100.2", NULL), "");
	cr_assert_str_eq(tell(b, "192.0.2.1", "198.51.100.2", "example.org"),
	    "example.org MX@1 x1, _mta-sts.example.org TXT@3 x1");
	dns_book_destroy(b);
}

/* Times to live count down; that is no other answer. */
Test(dns_book, equal_answers_are_one_and_others_are_not)
{
	struct dns_book *b = dns_book_create(100);

	add(b, "192.0.2.1", DNS_A, "mx.example.org", DNS_A, "198.51.100.1", 1);
	add(b, "192.0.2.1", DNS_A, "mx.example.org", DNS_A, "198.51.100.1", 2);
	add(b, "192.0.2.1", DNS_A, "mx.example.org", DNS_A, "203.0.113.66", 3);
	add(b, "192.0.2.2", DNS_A, "mx.example.org", DNS_A, "198.51.100.1", 4);
	cr_assert_str_eq(tell(b, "192.0.2.1", "198.51.100.1", NULL),
	    "mx.example.org A@1 x2, mx.example.org A@4 x1, "
	    "mx.example.org A@3 x1");
	/* The asker's own first. */
	cr_assert_str_eq(tell(b, "192.0.2.2", "198.51.100.1", NULL),
	    "mx.example.org A@4 x1, mx.example.org A@1 x2, "
	    "mx.example.org A@3 x1");
	dns_book_destroy(b);
}

Test(dns_book, room_is_bounded_and_addresses_go_first)
{
	struct dns_book *b = dns_book_create(10);

	add(b, "192.0.2.1", DNS_MX, "example.org", DNS_MX, "mx.example.org", 1);
	for (int i = 0; i < 1000; i++) {
		char name[64];

		sprintf(name, "host%d.example.net", i);
		add(b, "192.0.2.1", DNS_A, name, DNS_A, "198.51.100.9", i + 2);
	}
	cr_assert_geq(dns_book_shed(b), 900);
	cr_assert_str_eq(tell(b, "192.0.2.1", "198.51.100.1", "example.org"),
	    "example.org MX@1 x1");
	dns_book_destroy(b);
}

Test(dns_book, damaged_facts_are_passed_over)
{
	struct dns_book *b = dns_book_create(10);
	struct fact fact = { .code = FACT_DNS_ANSWER };

	dns_book_add(b, &fact, slice_str("damaged"));
	cr_assert_str_eq(tell(b, "192.0.2.1", "198.51.100.1", NULL), "");
	dns_book_destroy(b);
}
