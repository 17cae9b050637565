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

/* TLS 1.3 shows no certificate: that is not visible, and not strange. */
Test(judge_redirected, a_certificate_that_is_hidden_is_not_strange)
{
	begin(CLIENT, "203.0.113.66");
	dialogue_say(&d, S("220 mx ESMTP\r\n"), C("EHLO a\r\n"),
	    S("250-mx\r\n250 STARTTLS\r\n"), C("STARTTLS\r\n"),
	    S("220 go\r\n"));
	dialogue_fact(&d, FACT_TLS_SERVER_HELLO, 0x0304, "");
	dialogue_fact(&d, FACT_TLS_ESTABLISHED, 0, "");
	answer(&d, CLIENT, DNS_MX, "example.org", 0, "MX " MX);
	answer(&d, CLIENT, DNS_A, MX, 0, "A 203.0.113.66");
	answer(&d, CLIENT, DNS_A, MX, DNS_ANSWER_SECOND, "A 198.51.100.25");
	cr_assert_eq(conclude(), VERDICT_INCIDENT);
	expect_evidence(&in, "dns-answered-twice");
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

/* --- another server at the same address ---------------------------------- */

#define TTL 63

/* A session in clear with a server that says it is mail.attacker.example. */
static void
begin_elsewhere(uint8_t ttl)
{
	struct fact fact = { .code = FACT_SERVER_TTL,
		.dir = TO_CLIENT,
		.value = ttl };

	begin(CLIENT, SERVER);
	session_fold(&d.session, &fact, slice_of(NULL, 0));
	dialogue_say(&d, S("220 mx.example.org ESMTP\r\n"), C("EHLO a\r\n"),
	    S("250-mail.attacker.example\r\n250 SIZE\r\n"), DELIVERY);
}

/* What is usual there, some days away: the name of another domain, another
 * list, another TTL. */
static struct profile *
usual(double days, uint64_t sessions)
{
	struct profile *p =
	    fake_offers(&world, &d.session, UINT32_MAX, CLIENT, days, sessions);

	p->home_hash++;
	p->keywords_hash++;
	p->server_ttl = TTL;
	return p;
}

Test(judge_redirected, another_server_that_answers_from_elsewhere)
{
	begin_elsewhere(TTL + 1);
	usual(-1, 3);
	cr_assert_eq(conclude(), VERDICT_INCIDENT);
	cr_expect_eq(in.kind, KIND_SERVER_REDIRECTED);
	cr_expect_eq(in.certainty, CERTAINTY_POSSIBLE);
	expect_evidence(&in, "identity-changed path-changed server-strange");
	cr_expect_not_null(strstr(in.observed, "mail.attacker.example"));
	cr_expect_not_null(strstr(in.observed, "TTL 63, these with 64"));
	cr_expect_str_eq(in.evidence[1].detail,
	    "TTL 64, and 63 at other times");
}

Test(judge_redirected, the_usual_one_before_and_after_was_not_replaced)
{
	begin_elsewhere(TTL + 1);
	usual(-1, 30);
	usual(1, 30);
	cr_assert_eq(conclude(), VERDICT_INCIDENT);
	expect_evidence(&in,
	    "identity-comes-and-goes path-changed server-strange");
	cr_expect_eq(in.certainty, CERTAINTY_POSSIBLE, "and no more");
}

/* Where nobody suspects anything (watch) a replaced server is the likelier. */
Test(judge_redirected, a_change_is_no_alarm_where_nobody_suspects_anything)
{
	begin_elsewhere(TTL + 1);
	world.context.prior = 0.001;
	usual(-1, 30);
	usual(1, 30);
	cr_assert_eq(conclude(), VERDICT_EVIDENCE);
}

/* Each row leaves out one of the differences: updates, backends, routes. */
Test(judge_redirected, what_is_another_in_part_only_is_no_redirection)
{
	static const struct {
		const char *what;
		int home, keywords, ttl;
	} rows[] = {
		{ "another backend of the domain", 0, 1, 1 },
		{ "a new name", 1, 0, 1 },
		{ "replaced in its place", 1, 1, 0 },
		{ "another route", 0, 0, 1 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct profile *p;

		begin_elsewhere(TTL + 1);
		p = usual(-1, 3);
		p->home_hash -= rows[i].home == 0;
		p->keywords_hash -= rows[i].keywords == 0;
		p->server_ttl = (uint8_t)(TTL + (rows[i].ttl == 0));
		cr_expect(conclude() != VERDICT_INCIDENT ||
			in.kind != KIND_SERVER_REDIRECTED,
		    "%s", rows[i].what);
	}
}

/* One of many sessions that was like this one is enough. */
Test(judge_redirected, what_was_here_before_is_no_stranger)
{
	begin_elsewhere(TTL + 1);
	usual(-1, 30);
	usual(-2, 1)->home_hash--;
	cr_expect(conclude() != VERDICT_INCIDENT ||
	    in.kind != KIND_SERVER_REDIRECTED);
	begin_elsewhere(TTL + 1);
	usual(-1, 30);
	usual(-2, 1)->server_ttl = TTL + 1;
	cr_expect(conclude() != VERDICT_INCIDENT ||
	    in.kind != KIND_SERVER_REDIRECTED);
}

Test(judge_redirected, what_is_not_known_is_no_difference)
{
	begin_elsewhere(0);
	usual(-1, 3);
	cr_expect(conclude() != VERDICT_INCIDENT ||
	    in.kind != KIND_SERVER_REDIRECTED);
	begin_elsewhere(TTL + 1);
	usual(-1, 3)->server_ttl = 0;
	cr_expect(conclude() != VERDICT_INCIDENT ||
	    in.kind != KIND_SERVER_REDIRECTED);
	begin_elsewhere(TTL + 1);
	usual(-1, 3)->home_hash = 0;
	cr_expect(conclude() != VERDICT_INCIDENT ||
	    in.kind != KIND_SERVER_REDIRECTED);
	/* Elsewhere the TTL may be any. */
	begin_elsewhere(TTL + 1);
	cr_assert(address_parse(STRANGER, &usual(-1, 3)->client));
	cr_expect(conclude() != VERDICT_INCIDENT ||
	    in.kind != KIND_SERVER_REDIRECTED);
}

Test(judge_redirected, a_word_in_place_of_the_offer_explains_more)
{
	struct fact fact = { .code = FACT_SERVER_TTL,
		.dir = TO_CLIENT,
		.value = TTL + 1 };

	begin(CLIENT, SERVER);
	session_fold(&d.session, &fact, slice_of(NULL, 0));
	dialogue_greet(&d, &replies[REPLY_POSTFIX], "XXXXXXXX", 8);
	dialogue_say(&d, DELIVERY);
	usual(-1, 3);
	cr_assert_eq(conclude(), VERDICT_INCIDENT);
	cr_expect_eq(in.kind, KIND_STARTTLS_GARBLED);
}

/* Nothing else keeps such a session for history that comes later. */
Test(judge_redirected, who_left_at_once_is_not_judged_by_history)
{
	struct fact fact = { .code = FACT_SERVER_TTL,
		.dir = TO_CLIENT,
		.value = TTL + 1 };

	begin(CLIENT, SERVER);
	session_fold(&d.session, &fact, slice_of(NULL, 0));
	dialogue_say(&d, S("220 mx ESMTP\r\n"), C("EHLO a\r\n"),
	    S("250-mail.attacker.example\r\n250 SIZE\r\n"), C("QUIT\r\n"),
	    S("221 Bye\r\n"));
	usual(-1, 3);
	cr_expect(conclude() != VERDICT_INCIDENT ||
	    in.kind != KIND_SERVER_REDIRECTED);
}
