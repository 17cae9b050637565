#include <criterion/criterion.h>

#include "dissect/address.h"

static struct address
parse(const char *text)
{
	struct address address;

	cr_assert(address_parse(text, &address), "%s", text);
	return address;
}

/* RFC 5952 4: small letters, no leading zeros, the longest run shortened. */
Test(address, texts_come_back_as_the_rfc_writes_them)
{
	static const char *const rows[][2] = {
		{ "192.0.2.1", "192.0.2.1" },
		{ "0.0.0.0", "0.0.0.0" },
		{ "255.255.255.255", "255.255.255.255" },
		{ "2001:DB8:0:0:0:0:0:1", "2001:db8::1" },
		{ "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
		{ "2001:0:0:1:0:0:0:1", "2001:0:0:1::1" },
		{ "::", "::" },
		{ "::ffff:192.0.2.1", "::ffff:192.0.2.1" },
	};
	char text[ADDRESS_TEXT_BYTES];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct address address = parse(rows[i][0]);

		cr_assert_str_eq(address_format(&address, text), rows[i][1]);
	}
}

Test(address, what_is_no_address_is_refused)
{
	static const char *const rows[] = { "", "192.0.2", "192.0.2.256",
		"192.0.2.1 ", "192.0.2.1:25", "[::1]", "2001:db8",
		"::1::", "mx.example.org", "1.2.3.4.5" };
	struct address address;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		cr_assert_not(address_parse(rows[i], &address), "%s", rows[i]);
}

/* memcmp() over the whole struct must do for hashing and comparing. */
Test(address, the_octets_that_ipv4_does_not_use_are_zero)
{
	struct address address;

	memset(&address, 0xff, sizeof(address));
	cr_assert(address_parse("192.0.2.1", &address));
	for (size_t i = 4; i < 16; i++)
		cr_assert_eq(address.octets[i], 0);
}

Test(address, addresses_are_ordered_by_family_and_octets)
{
	static const char *const rows[] = { "10.0.0.1", "10.0.0.2", "192.0.2.1",
		"::1", "2001:db8::1", "2001:db8::2" };

	for (size_t i = 0; i < 6; i++) {
		for (size_t j = 0; j < 6; j++) {
			struct address a = parse(rows[i]), b = parse(rows[j]);
			int order = address_compare(&a, &b);

			cr_assert_eq(order < 0, i < j);
			cr_assert_eq(order == 0, i == j);
		}
	}
}

Test(address, an_endpoint_is_an_address_and_a_port)
{
	struct endpoint a = { parse("192.0.2.1"), 25 }, b = a;
	struct endpoint six = { parse("2001:db8::1"), 587 };
	char text[ENDPOINT_TEXT_BYTES];

	cr_assert(endpoint_equal(&a, &b));
	b.port = 26;
	cr_assert_not(endpoint_equal(&a, &b));
	cr_assert_str_eq(endpoint_format(&a, text), "192.0.2.1:25");
	cr_assert_str_eq(endpoint_format(&six, text), "[2001:db8::1]:587");
	six =
	    (struct endpoint){ parse("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
		    65535 };
	cr_assert_str_eq(endpoint_format(&six, text),
	    "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
}

Test(address, a_client_network_is_a_24_or_a_48)
{
	static const char *const rows[][2] = {
		{ "192.0.2.255", "192.0.2.0" },
		{ "2001:db8:ffff:ffff::1", "2001:db8:ffff::" },
	};
	char text[ADDRESS_TEXT_BYTES];

	for (size_t i = 0; i < 2; i++) {
		struct address address = parse(rows[i][0]);
		struct address network = address_network(&address);

		cr_assert_str_eq(address_format(&network, text), rows[i][1]);
		cr_assert_eq(network.family, address.family);
	}
}
