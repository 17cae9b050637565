#include <criterion/criterion.h>

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
