#include <criterion/criterion.h>

#include "rules/policy_result.h"
#include "rules/trust.h"
#include "unit/rules/chain.h"

static struct session
session(void)
{
	struct session s;

	session_init(&s, 0);
	s.closed = true;
	s.ehlo_answered = s.ehlo_complete = true;
	return s;
}

static void
expect(const struct session *s, enum policy_result sts, enum policy_result tls,
    enum policy_result authenticate)
{
	cr_expect_eq(policy_result_sts(s, NULL), sts);
	cr_expect_eq(policy_result_dane(s, DANE_TLS, DNS_TLSA_NONE), tls);
	cr_expect_eq(policy_result_dane(s, DANE_AUTHENTICATE, DNS_TLSA_NONE),
	    authenticate);
	cr_expect_eq(policy_result_dane(s, DANE_UNKNOWN, DNS_TLSA_NONE),
	    POLICY_UNKNOWN);
}

Test(policy_result, mail_in_clear_meets_nothing)
{
	struct session s = session();

	s.mail_tried_clear = s.mail_clear = s.rcpt_clear = true;
	expect(&s, POLICY_UNMET, POLICY_UNMET, POLICY_UNMET);
	/* Whatever else was lost. */
	s.observability = OBS_GAP_TO_CLIENT;
	expect(&s, POLICY_UNMET, POLICY_UNMET, POLICY_UNMET);
}

Test(policy_result, a_certificate_that_is_not_shown_is_not_visible)
{
	struct session s = session();

	s.tls_established = true;
	s.tls_version = 0x0304;
	expect(&s, POLICY_NOT_VISIBLE, POLICY_MET, POLICY_NOT_VISIBLE);
	s.tls_version = 0x0303;
	expect(&s, POLICY_NOT_VISIBLE, POLICY_MET, POLICY_NOT_VISIBLE);
	s.tls_version = 0;
	expect(&s, POLICY_NOT_VISIBLE, POLICY_MET, POLICY_NOT_VISIBLE);
}

/* RFC 8461 7.2, RFC 8996. */
Test(policy_result, tls_that_is_too_old_is_not_what_a_policy_demands)
{
	struct session s = session();

	s.tls_established = true;
	s.tls_version = 0x0302;
	expect(&s, POLICY_UNMET, POLICY_MET, POLICY_NOT_VISIBLE);
}

Test(policy_result, who_leaves_without_mail_did_as_he_must)
{
	struct session s = session();

	expect(&s, POLICY_MET, POLICY_MET, POLICY_MET);
	s.observability = OBS_GAP_TO_CLIENT;
	expect(&s, POLICY_UNKNOWN, POLICY_UNKNOWN, POLICY_UNKNOWN);
}

Test(policy_result, what_was_tried_and_not_seen_to_its_end_is_unknown)
{
	struct session s = session();

	s.mail_tried_clear = true;
	expect(&s, POLICY_UNKNOWN, POLICY_UNKNOWN, POLICY_UNKNOWN);
}

/* RFC 8461 4.2: a CA that is trusted, in date, the MX host's name. */
Test(policy_result, a_certificate_that_shows_is_met_or_not)
{
	static const struct {
		const char *mx;
		uint32_t chain;
		enum policy_result result;
	} rows[] = {
		{ "mx.example.org", CHAIN_TRUSTED, POLICY_MET },
		{ "mx.example.org", CHAIN_EXPIRED, POLICY_UNMET },
		{ "mx.example.org", CHAIN_UNTRUSTED, POLICY_UNMET },
		{ "mx.example.org", CHAIN_UNKNOWN, POLICY_NOT_VISIBLE },
		{ "mx.example.org", CHAIN_DAMAGED, POLICY_NOT_VISIBLE },
		{ "example.org", CHAIN_TRUSTED, POLICY_UNMET },
		{ "example.org", CHAIN_UNKNOWN, POLICY_UNMET },
		{ NULL, CHAIN_TRUSTED, POLICY_NOT_VISIBLE },
	};
	struct made m = make_certificate((
	    struct making){ .subject = "mail", .names = "DNS:mx.example.org" });
	struct session s = session();

	s.tls_established = true;
	s.tls_version = 0x0303;
	s.chain_count = 1;
	s.chain[0] = made_slice(&m);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		s.chain_result = rows[i].chain;
		cr_expect_eq(policy_result_sts(&s, rows[i].mx), rows[i].result,
		    "row %zu", i);
	}
}

Test(policy_result, a_chain_is_what_the_records_say_of_it)
{
	struct session s = session();

	s.tls_established = true;
	cr_expect_eq(policy_result_dane(&s, DANE_AUTHENTICATE,
			 DNS_TLSA_MATCHED),
	    POLICY_MET);
	cr_expect_eq(policy_result_dane(&s, DANE_AUTHENTICATE,
			 DNS_TLSA_UNMATCHED),
	    POLICY_UNMET);
	/* No usable record: TLS is all that is demanded. */
	cr_expect_eq(policy_result_dane(&s, DANE_TLS, DNS_TLSA_UNMATCHED),
	    POLICY_MET);
}
