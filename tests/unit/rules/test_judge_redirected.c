/* Answers that contradict each other or a policy, and what looks like it. */
#include <criterion/criterion.h>

#include "unit/rules/answers.h"
#include "unit/rules/judging.h"

static void
begin_at_other(void)
{
	begin(CLIENT, "203.0.113.66");
	dialogue_say(&d, S("220 mx ESMTP\r\n"), C("EHLO a\r\n"),
	    S("250-mx\r\n250 8BITMIME\r\n"), DELIVERY);
}

Test(judge_redirected, two_answers_to_one_query_are_a_race)
{
	begin_at_other();
	answer(&d, CLIENT, DNS_MX, "example.org", 0, "MX " MX);
	answer(&d, CLIENT, DNS_A, MX, 0, "A 203.0.113.66");
	answer(&d, CLIENT, DNS_A, MX, DNS_ANSWER_SECOND, "A 198.51.100.25");
	cr_assert_eq(conclude(), VERDICT_INCIDENT);
	cr_assert_eq(in.kind, KIND_SERVER_REDIRECTED);
	cr_assert_eq(in.certainty, CERTAINTY_LIKELY);
	expect_evidence(&in, "dns-answered-twice server-strange");
	cr_assert_not_null(strstr(in.evidence[0].detail, "198.51.100.25"));
}

Test(judge_redirected, two_sets_of_mx_to_one_query_are_a_race_too)
{
	begin_at_other();
	answer(&d, CLIENT, DNS_MX, "example.org", 0, "MX mx.attacker.example");
	answer(&d, CLIENT, DNS_MX, "example.org", DNS_ANSWER_SECOND,
	    "MX " MX "\nMX mx2.example.org");
	answer(&d, CLIENT, DNS_A, "mx.attacker.example", 0, "A 203.0.113.66");
	cr_assert_eq(conclude(), VERDICT_INCIDENT);
	cr_assert_eq(in.kind, KIND_SERVER_REDIRECTED);
	expect_evidence(&in, "dns-answered-twice server-strange");
	cr_assert_not_null(strstr(in.evidence[0].detail, MX));
}

/* A change of provider: evidence, and no more. */
Test(judge_redirected, another_mx_at_another_time_is_no_incident)
{
	begin_at_other();
	answer(&d, CLIENT, DNS_MX, "example.org", 0, "MX " MX);
	answer(&d, CLIENT, DNS_MX, "example.org", 0, "MX mx.example.net");
	answer(&d, CLIENT, DNS_A, MX, 0, "A 203.0.113.66");
	cr_assert_neq(conclude(), VERDICT_INCIDENT);
}

Test(judge_redirected, what_honest_dns_does_is_no_redirection)
{
	static const struct {
		uint32_t value;
		const char *first, *second;
	} rows[] = {
		/* Round robin: one set, turned round, or a part of it. */
		{ DNS_ANSWER_SECOND, "A 203.0.113.66\nA 198.51.100.25",
		    "A 198.51.100.25\nA 203.0.113.66" },
		{ 0, "A 203.0.113.66\nA 198.51.100.25", "A 203.0.113.66" },
		/* Turns, split horizon, a change: evidence at most. */
		{ 0, "A 203.0.113.66", "A 198.51.100.25" },
		/* An answer without an address contradicts none. */
		{ DNS_ANSWER_SECOND, "A 203.0.113.66", "" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		begin_at_other();
		answer(&d, CLIENT, DNS_MX, "example.org", 0, "MX " MX);
		answer(&d, CLIENT, DNS_A, MX, 0, rows[i].first);
		answer(&d, CLIENT, DNS_A, MX, rows[i].value, rows[i].second);
		cr_expect_neq(conclude(), VERDICT_INCIDENT, "row %zu", i);
	}
}

Test(judge_redirected, an_mx_that_the_policy_does_not_list)
{
	static const struct {
		const char *policy, *mx;
		bool incident;
	} rows[] = {
		{ POLICY_OF("enforce"), "mx.attacker.example", true },
		{ POLICY_OF("testing"), "mx.attacker.example", false },
		{ POLICY_OF("none"), "mx.attacker.example", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char records[64];

		begin_at_other();
		world.domain[0] = "example.org";
		world.body[0] = rows[i].policy;
		sprintf(records, "MX %s", rows[i].mx);
		answer(&d, CLIENT, DNS_MX, "example.org", 0, records);
		answer(&d, CLIENT, DNS_A, rows[i].mx, 0, "A 203.0.113.66");
		cr_expect_eq(conclude() == VERDICT_INCIDENT &&
			in.kind == KIND_SERVER_REDIRECTED,
		    rows[i].incident, "row %zu", i);
		if (rows[i].incident) {
			cr_expect_eq(in.certainty, CERTAINTY_POSSIBLE);
			cr_expect_eq(in.policies[0].basis, BASIS_DNS_MX);
		}
	}
}

/* RFC 8461 4.1: the name in the MX counts, wherever a CNAME leads. */
Test(judge_redirected, a_cname_keeps_the_name_that_was_asked)
{
	begin_at_other();
	world.domain[0] = "example.org";
	world.body[0] = POLICY_OF("enforce");
	answer(&d, CLIENT, DNS_MX, "example.org", 0, "MX " MX);
	answer(&d, CLIENT, DNS_A, MX, 0,
	    "CNAME host.example.net\nA 203.0.113.66");
	conclude();
	cr_assert_neq(in.kind, KIND_SERVER_REDIRECTED);
}
