/* Chains, names and TLSA records, with certificates made here. */
#include <criterion/criterion.h>

#include "rules/trust.h"
#include "unit/rules/chain.h"

#define NOW_S INT64_C(1772366400) /* 2026-03-01T12:00:00Z */
#define MX "mx.example.org"

Test(trust, a_chain_leads_to_the_store_or_it_does_not)
{
	struct made ca =
	    make_certificate((struct making){ .subject = "CA", .ca = true });
	struct made other =
	    make_certificate((struct making){ .subject = "CA", .ca = true });
	struct made between = make_certificate(
	    (struct making){ .subject = "between", .ca = true, .by = &ca });
	struct made old = make_certificate((struct making){ .subject = MX,
	    .by = &ca,
	    .until_s = NOW_S - 86400 });
	struct made early = make_certificate((struct making){ .subject = MX,
	    .by = &ca,
	    .from_s = NOW_S + 86400 });
	struct made leaf =
	    make_certificate((struct making){ .subject = MX, .by = &between });
	struct made own = make_certificate((struct making){ .subject = MX });
	X509_STORE *store = store_with(&ca), *foreign = store_with(&other);
	struct slice chain[] = { made_slice(&leaf), made_slice(&between) };
	struct slice expired = made_slice(&old), future = made_slice(&early);
	struct slice self = made_slice(&own), junk = slice_str("junk");

	cr_assert_eq(trust_verify(store, chain, 2, NOW_S), CHAIN_TRUSTED);
	cr_assert_eq(trust_verify(store, chain, 1, NOW_S), CHAIN_UNTRUSTED);
	cr_assert_eq(trust_verify(foreign, chain, 2, NOW_S), CHAIN_UNTRUSTED);
	cr_assert_eq(trust_verify(store, &expired, 1, NOW_S), CHAIN_EXPIRED);
	/* It was in date when it was captured. */
	cr_assert_eq(trust_verify(store, &expired, 1, NOW_S - 2 * 86400),
	    CHAIN_TRUSTED);
	cr_assert_eq(trust_verify(store, &future, 1, NOW_S), CHAIN_EXPIRED);
	cr_assert_eq(trust_verify(store, &self, 1, NOW_S), CHAIN_UNTRUSTED);
	cr_assert_eq(trust_verify(store, &junk, 1, NOW_S), CHAIN_DAMAGED);
	cr_assert_eq(trust_verify(store, &junk, 0, NOW_S), CHAIN_UNKNOWN);
}

/* RFC 8461 4.2, RFC 6125 6.4.3 and 6.4.4. */
Test(trust, only_dns_names_name_a_host)
{
	static const struct {
		const char *subject, *names, *host;
		bool named;
	} rows[] = {
		{ "any", "DNS:mx.example.org", MX, true },
		{ "any", "DNS:a.example,DNS:MX.Example.ORG", MX, true },
		{ "any", "DNS:*.example.org", MX, true },
		{ "any", "DNS:*.example.org", "example.org", false },
		{ "any", "DNS:*.example.org", "a.mx.example.org", false },
		{ "any", "DNS:m*.example.org", MX, false },
		{ "any", "DNS:example.org", MX, false },
		{ "any", "DNS:mx.example.net", MX, false },
		{ MX, NULL, MX, false },
		{ MX, "DNS:other.example", MX, false },
		{ "any", "email:mx@example.org,URI:smtp://mx.example.org", MX,
		    false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct made m = make_certificate(
		    (struct making){ .subject = rows[i].subject,
			.names = rows[i].names });

		cr_assert_eq(trust_names(made_slice(&m), rows[i].host),
		    rows[i].named, "row %zu", i);
	}
	cr_assert_not(trust_names(slice_str("junk"), MX));
}

Test(trust, a_certificate_is_described_by_its_names)
{
	struct made with = make_certificate((struct making){ .subject = "a",
	    .names = "DNS:b.example,DNS:c.example" });
	struct made without =
	    make_certificate((struct making){ .subject = "mail" });
	char text[64];

	cr_assert_str_eq(trust_describe(made_slice(&with), text, sizeof(text)),
	    "b.example, c.example");
	cr_assert_str_eq(trust_describe(made_slice(&without), text,
			     sizeof(text)),
	    "subject mail");
	cr_assert_str_eq(trust_describe(slice_str("junk"), text, 8), "");
}

/* RFC 7672 3.1.3: usages 0 and 1 are not usable. */
Test(trust, tlsa_records_are_usable_or_not)
{
	static const char digest[] = "0123456789abcdef0123456789abcdef"
				     "0123456789abcdef0123456789abcdef";
	static const struct {
		const char *lead;
		bool usable;
	} rows[] = { { "3 1 1 ", true }, { "2 0 1 ", true }, { "3 0 0 ", true },
		{ "0 1 1 ", false }, { "1 1 1 ", false }, { "3 2 1 ", false },
		{ "3 1 3 ", false }, { "3 1 2 ", false }, { "3 1 ", false },
		{ "256 1 1 ", false }, { "", false } };
	struct tlsa tlsa;
	char text[128];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		sprintf(text, "%s%s", rows[i].lead, digest);
		cr_assert_eq(tlsa_parse(slice_str(text), &tlsa), rows[i].usable,
		    "row %zu", i);
	}
	cr_assert_not(tlsa_parse(slice_str("3 1 1 0g"), &tlsa));
	cr_assert_not(tlsa_parse(slice_str("3 1 0 "), &tlsa));
}

static bool
matches(const char *text, const struct slice *chain, unsigned count,
    const char *host, int64_t at_s)
{
	struct dane_names names = { { "another.example", host }, 2 };
	struct tlsa tlsa;

	cr_assert(tlsa_parse(slice_str(text), &tlsa));
	return tlsa_matches(&tlsa, chain, count, &names, at_s);
}

Test(trust, tlsa_matches_what_it_is_of)
{
	struct made ca =
	    make_certificate((struct making){ .subject = "CA", .ca = true });
	struct made leaf = make_certificate(
	    (struct making){ .subject = "x", .names = "DNS:" MX, .by = &ca });
	struct made other = make_certificate((struct making){ .subject = "y" });
	struct slice chain[] = { made_slice(&leaf), made_slice(&ca) };
	struct slice alone[] = { made_slice(&other), made_slice(&ca) };
	int64_t late_s = INT64_C(1900000000);
	char text[512];

	for (unsigned selector = 0; selector < 2; selector++)
		for (unsigned matching = 1; matching < 3; matching++) {
			tlsa_text(&leaf, 3, selector, matching, text);
			cr_assert(matches(text, chain, 2, MX, NOW_S));
			cr_assert_not(matches(text, alone, 2, MX, NOW_S));
			tlsa_text(&ca, 2, selector, matching, text);
			cr_assert(matches(text, chain, 2, MX, NOW_S));
			/* The anchor must be sent, and lead to the leaf. */
			cr_assert_not(matches(text, chain, 1, MX, NOW_S));
			cr_assert_not(matches(text, alone, 2, MX, NOW_S));
		}
	/* RFC 7672 3.1.1: with DANE-EE neither name nor date count. */
	tlsa_text(&leaf, 3, 1, 1, text);
	cr_assert(matches(text, chain, 2, "other.example", late_s));
	tlsa_text(&ca, 2, 0, 1, text);
	cr_assert_not(matches(text, chain, 2, "other.example", NOW_S));
	cr_assert_not(matches(text, chain, 2, MX, late_s));
}

/* RFC 7672 3.2.3; RFC 8461 4.2 never looks there. */
Test(trust, below_an_anchor_the_subject_names_where_no_dns_name_is)
{
	struct made ca =
	    make_certificate((struct making){ .subject = "CA", .ca = true });
	struct made without =
	    make_certificate((struct making){ .subject = MX, .by = &ca });
	struct made with = make_certificate((struct making){ .subject = MX,
	    .names = "DNS:other.example",
	    .by = &ca });
	struct made part = make_certificate(
	    (struct making){ .subject = "m*.example.org", .by = &ca });
	struct slice chain[] = { made_slice(&without), made_slice(&ca) };
	char text[512];

	tlsa_text(&ca, 2, 0, 1, text);
	cr_assert(matches(text, chain, 2, MX, NOW_S));
	cr_assert_not(trust_names(chain[0], MX));
	chain[0] = made_slice(&with);
	cr_assert_not(matches(text, chain, 2, MX, NOW_S));
	chain[0] = made_slice(&part);
	cr_assert_not(matches(text, chain, 2, MX, NOW_S));
}
