#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "rules/dane.h"

static bool
usable(unsigned usage, unsigned selector, unsigned matching, size_t bytes)
{
	uint8_t rdata[128] = { (uint8_t)usage, (uint8_t)selector,
		(uint8_t)matching };

	return dane_usable(slice_of(rdata, 3 + bytes));
}

/* RFC 7672 3.1.3: certificate usages 0 and 1 say nothing in SMTP. */
Test(dane, usages_two_and_three_are_usable)
{
	cr_expect(usable(3, 1, 1, 32));
	cr_expect(usable(2, 0, 2, 64));
	cr_expect(usable(3, 0, 0, 100));
	cr_expect_not(usable(0, 1, 1, 32));
	cr_expect_not(usable(1, 1, 1, 32));
	cr_expect_not(usable(4, 1, 1, 32));
}

Test(dane, a_digest_has_its_length)
{
	cr_expect_not(usable(3, 1, 1, 31));
	cr_expect_not(usable(3, 1, 1, 33));
	cr_expect_not(usable(3, 1, 2, 32));
	cr_expect_not(usable(3, 2, 1, 32));
	cr_expect_not(usable(3, 1, 3, 32));
	cr_expect_not(usable(3, 1, 0, 0));
	cr_expect_not(dane_usable(slice_of(NULL, 0)));
}

Test(dane, states_and_names_are_pairs)
{
	for (int i = DANE_NONE; i <= DANE_UNKNOWN; i++)
		cr_expect_eq((int)dane_state_parse(
				 dane_state_name((enum dane_state)i)),
		    i);
	cr_expect_eq(dane_state_parse("anything"), DANE_UNKNOWN);
}

static void
expect_names(const struct dane_way *way, const char *wanted, const char *what)
{
	struct dane_names names = dane_names(way);
	char have[128] = "";

	for (unsigned i = 0; i < names.count; i++) {
		strcat(have, i > 0 ? " " : "");
		strcat(have, names.name[i]);
	}
	cr_expect_str_eq(have, wanted, "%s: wants \"%s\", got \"%s\"", what,
	    wanted, have);
}

/*
 * The rows' origin: mox, smtpclient/gather_test.go; without MX records (`hop`
 * is then the host) and with ones that are not validated they are the same
 * here. `mox`, where it is not NULL, is what it says otherwise: after MX
 * records that are not validated it takes the next hop, though RFC 7672 3.2.2
 * says that "the MX hostname is the only reference identifier" of a client
 * that uses DANE in spite of them.
 */
Test(dane, names_that_a_certificate_below_an_anchor_may_have)
{
	static const struct {
		bool mx_secure, next_hop_alias, base_alias;
		const char *names, *mox;
	} rows[] = {
		{ false, false, false, "base", "hop" },
		{ false, false, true, "base-expanded base", NULL },
		{ false, true, true, "base-expanded base", "hop" },
		{ true, true, true, "base-expanded base hop hop-expanded",
		    NULL },
		{ true, true, false, "base hop hop-expanded", NULL },
		{ true, false, false, "base hop", NULL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct dane_way way = { .mx_secure = rows[i].mx_secure,
			.next_hop = "hop",
			.next_hop_expanded =
			    rows[i].next_hop_alias ? "hop-expanded" : "",
			.base = "base",
			.base_expanded = rows[i].base_alias ? "base-expanded" :
							      "" };
		char what[16];

		snprintf(what, sizeof(what), "row %zu", i);
		expect_names(&way, rows[i].names, what);
	}
}
