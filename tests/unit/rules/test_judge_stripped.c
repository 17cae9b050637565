/* starttls-stripped: absence needs proof, and accuses nobody by itself. */
#include "rules/judge.h"

#include "unit/rules/judging.h"

#define HELLO                                                                \
	S("220 mx1.example.org ESMTP\r\n"), C("EHLO relay.example.net\r\n"), \
	    S("250-mx1.example.org\r\n250-SIZE 1\r\n250 DSN\r\n")

static void
policy(const char *domain, const char *body)
{
	world.domain[0] = domain;
	world.body[0] = body;
}

/* A delivery without the offer; nothing known yet. */
static void
clear_delivery(void)
{
	begin(CLIENT, SERVER);
	dialogue_say(&d, HELLO, DELIVERY);
	dialogue_close(&d);
}

Test(judge_stripped, absence_alone_accuses_nobody)
{
	clear_delivery();
	cr_expect_eq(judge(), VERDICT_NOTHING);
	/* ... nor that the server never offers it to anybody. */
	fake_itself(&world, &d.session);
	lacks(STRANGER, -1, 50);
	cr_expect_eq(judge(), VERDICT_NOTHING);
}

Test(judge_stripped, an_enforcing_policy_makes_it_possible_and_no_more)
{
	clear_delivery();
	policy("example.org", ENFORCE);
	cr_assert_eq(judge(), VERDICT_INCIDENT);
	cr_expect_eq(in.kind, KIND_STARTTLS_STRIPPED);
	cr_expect_eq(in.certainty, CERTAINTY_POSSIBLE);
	cr_expect_eq(in.side, SIDE_UNDETERMINED);
	expect_evidence(&in, "policy-unmet");
	cr_expect_eq(in.policies[0].result, POLICY_UNMET);
	cr_expect_eq(in.policies[0].basis, BASIS_RCPT);
	cr_expect(in.policies[0].assumed);
	cr_expect_str_eq(in.policies[0].domain, "example.org");
	cr_expect_str_eq(in.seen, "250 DSN");
	cr_expect_eq(in.seen_line, 0);
	cr_expect_str_empty(in.expected);
	cr_expect_not_null(strstr(in.benign, "smart host"));
	cr_expect_eq(incident_severity(&in), 2);
	/* Whoever suspects everybody does not get more of it. */
	world.context.prior = 0.9;
	judge();
	cr_expect_float_eq(in.confidence, 0.69, 1e-9);
	cr_expect_eq(in.certainty, CERTAINTY_POSSIBLE);
}

/* RFC 7672 2.2: validated TLSA records, whatever they are, demand TLS. */
Test(judge_stripped, tlsa_records_demand_what_a_policy_does)
{
	clear_delivery();
	world.dane = DANE_AUTHENTICATE;
	cr_assert_eq(judge(), VERDICT_INCIDENT);
	cr_expect_eq(in.certainty, CERTAINTY_POSSIBLE);
	expect_evidence(&in, "dane-unmet");
	cr_assert_eq(in.policy_count, 1);
	cr_expect_eq(in.policies[0].mechanism, MECHANISM_DANE);
	cr_expect_eq(in.policies[0].result, POLICY_UNMET);
	cr_expect_str_eq(in.policies[0].mode, "authenticate");
	cr_expect_eq(incident_severity(&in), 2);
	/* Each mechanism has a verdict, and the stronger one is evidence. */
	policy("example.org", TESTING);
	cr_assert_eq(judge(), VERDICT_INCIDENT);
	expect_evidence(&in, "dane-unmet");
	cr_expect_eq(in.policy_count, 2);
}

Test(judge_stripped, records_without_an_answer_accuse_nobody)
{
	clear_delivery();
	world.dane = DANE_UNKNOWN;
	cr_expect_eq(judge(), VERDICT_NOTHING);
	policy("example.org", TESTING);
	cr_assert_eq(judge(), VERDICT_EVIDENCE);
	cr_assert_eq(in.policy_count, 2);
	cr_expect_eq(in.policies[1].result, POLICY_UNKNOWN);
}

Test(judge_stripped, a_testing_policy_pages_nobody)
{
	clear_delivery();
	policy("example.org", TESTING);
	cr_expect_eq(judge(), VERDICT_EVIDENCE);
	expect_evidence(&in, "policy-testing-unmet");
	policy("example.org", "version: STSv1\nmode: none\nmax_age: 60\n");
	cr_expect_eq(judge(), VERDICT_NOTHING);
	cr_expect_eq(in.policy_count, 0);
}

Test(judge_stripped, the_strictest_of_several_policies_counts)
{
	begin(CLIENT, SERVER);
	dialogue_say(&d, HELLO,
	    C("MAIL FROM:<a@example.net>\r\nRCPT TO:<c@example.com>\r\n"
	      "RCPT TO:<b@example.org>\r\nRCPT TO:<c@none.test>\r\nDATA\r\n"),
	    S("250 Ok\r\n250 Ok\r\n250 Ok\r\n250 Ok\r\n354 go on\r\n"));
	dialogue_close(&d);
	policy("example.org", ENFORCE);
	world.domain[1] = "example.com";
	world.body[1] = "version: STSv1\nmode: testing\nmx: *.example.org\n"
			"max_age: 60\n";
	cr_assert_eq(judge(), VERDICT_INCIDENT);
	expect_evidence(&in, "policy-unmet");
	cr_expect_eq(in.policy_count, 2);
	cr_expect_str_eq(in.policies[0].mode, "testing");
	cr_expect_str_eq(in.policies[1].mode, "enforce");
}

/* RFC 8461 3.4, 4: the policy is the recipient domain's, for its MX. */
Test(judge_stripped, a_policy_binds_at_the_mx_only)
{
	static const uint16_t ports[] = { 587, 2525, 465, 10025 };

	for (size_t i = 0; i < 4; i++) {
		blank();
		d.port = ports[i];
		dialogue_open(&d, CLIENT, SERVER);
		dialogue_say(&d, HELLO, DELIVERY);
		dialogue_close(&d);
		policy("example.org", ENFORCE);
		cr_expect_eq(judge(), VERDICT_NOTHING, "port %u", ports[i]);
		cr_expect_eq(in.policy_count, 0);
	}
}

Test(judge_stripped, a_client_that_logs_in_is_not_talking_to_an_mx)
{
	begin(CLIENT, SERVER);
	dialogue_say(&d, HELLO, C("AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n"),
	    S("235 2.7.0 Ok\r\n"), DELIVERY);
	dialogue_close(&d);
	policy("example.org", ENFORCE);
	cr_expect_eq(judge(), VERDICT_NOTHING);
}

Test(judge_stripped, a_name_that_the_policy_does_not_list_is_a_smart_hosts)
{
	clear_delivery();
	policy("example.org", ENFORCE);
	world.mx_name = "smtp.provider.test";
	cr_expect_eq(judge(), VERDICT_NOTHING);
	world.mx_name = "mx1.example.org";
	cr_expect_eq(judge(), VERDICT_INCIDENT);
	world.mx_name = "deep.mx1.example.org";
	cr_expect_eq(judge(), VERDICT_NOTHING);
}

/* The name in the greeting is the server's own word, or an attacker's. */
Test(judge_stripped, the_name_in_the_greeting_decides_nothing)
{
	begin(CLIENT, SERVER);
	dialogue_say(&d, S("220 smtp.provider.test ESMTP\r\n"),
	    C("EHLO relay.example.net\r\n"),
	    S("250-smtp.provider.test\r\n250-SIZE 1\r\n250 DSN\r\n"), DELIVERY);
	dialogue_close(&d);
	policy("example.org", ENFORCE);
	cr_expect_eq(judge(), VERDICT_INCIDENT);
}

Test(judge_stripped, a_policy_holds_while_it_holds)
{
	clear_delivery();
	policy("example.org", ENFORCE);
	world.observed = true;
	world.until_ns = NOON_NS;
	cr_expect_eq(judge(), VERDICT_NOTHING);
	world.until_ns = NOON_NS + 60 * SECOND_NS;
	world.from_ns = NOON_NS;
	cr_assert_eq(judge(), VERDICT_INCIDENT);
	cr_expect_not(in.policies[0].assumed);
	cr_expect_not_null(
	    strstr(evidence_in(&in, EVIDENCE_POLICY_UNMET)->detail,
		"observed"));
}

Test(judge_stripped, a_refused_recipient_has_no_policy)
{
	begin(CLIENT, SERVER);
	dialogue_say(&d, HELLO,
	    C("MAIL FROM:<a@example.net>\r\nRCPT TO:<b@example.org>\r\n"),
	    S("250 Ok\r\n554 5.7.1 Relay access denied\r\n"));
	dialogue_close(&d);
	policy("example.org", ENFORCE);
	cr_expect_eq(judge(), VERDICT_NOTHING);
}

/* An aware sender sees no offer and leaves: no domain, nothing lost. */
Test(judge_stripped, a_client_that_leaves_has_lost_nothing)
{
	begin(CLIENT, SERVER);
	dialogue_say(&d, HELLO, C("QUIT\r\n"), S("221 Bye\r\n"));
	dialogue_close(&d);
	policy("example.org", ENFORCE);
	cr_expect_eq(judge(), VERDICT_NOTHING);
}

Test(judge_stripped, clear_text_where_starttls_was_offered_is_no_incident)
{
	begin(CLIENT, SERVER);
	dialogue_say(&d, S("220 mx1.example.org ESMTP\r\n"),
	    C("EHLO relay.example.net\r\n"),
	    S("250-mx1.example.org\r\n250 STARTTLS\r\n"), DELIVERY);
	dialogue_close(&d);
	policy("example.org", ENFORCE);
	cr_expect_eq(judge(), VERDICT_NOTHING);
}

/* A server that leaves its name out may mean the first line as an offer. */
Test(judge_stripped, starttls_in_the_place_of_the_name_is_not_missing)
{
	begin(CLIENT, SERVER);
	dialogue_say(&d, S("220 mx1.example.org ESMTP\r\n"),
	    C("EHLO relay.example.net\r\n"),
	    S("250-STARTTLS\r\n250 SIZE 1\r\n"), DELIVERY);
	dialogue_close(&d);
	policy("example.org", ENFORCE);
	cr_expect_eq(judge(), VERDICT_NOTHING);
}

Test(judge_stripped, helo_asks_for_no_offer)
{
	begin(CLIENT, SERVER);
	dialogue_say(&d, S("220 mx1.example.org ESMTP\r\n"),
	    C("HELO relay.example.net\r\n"), S("250 mx1.example.org\r\n"),
	    DELIVERY);
	dialogue_close(&d);
	policy("example.org", ENFORCE);
	cr_expect_eq(judge(), VERDICT_NOTHING);
}

/* --- absence needs proof (design 4.3) ------------------------------------ */

static void
everything_speaks_for_it(void)
{
	clear_delivery();
	policy("example.org", ENFORCE);
	for (int day = -3; day <= 3; day += 2)
		offers(CLIENT, day, 10);
}

Test(judge_stripped, the_same_session_seen_whole_is_likely)
{
	everything_speaks_for_it();
	cr_assert_eq(judge(), VERDICT_INCIDENT);
	cr_expect_eq(in.certainty, CERTAINTY_LIKELY);
	expect_evidence(&in, "offered-often only-difference policy-unmet");
	cr_expect_float_eq(in.support, 1.9 + 1.5, 1e-9);
}

#define GREETED S("220 mx1.example.org ESMTP\r\n"), C("EHLO me\r\n")

static void
expect_unjudged(const char *reason)
{
	cr_expect_eq(judge(), VERDICT_UNJUDGED, "wants %s", reason);
	cr_expect_str_eq(axis_value_name(AXIS_UNJUDGED, why), reason);
}

Test(judge_stripped, a_gap_in_the_reply_leaves_it_unjudged)
{
	everything_speaks_for_it();
	memset(&d, 0, sizeof(d));
	dialogue_open(&d, CLIENT, SERVER);
	dialogue_say(&d, GREETED, S("250-mx1.example.org\r\n"),
	    GAP(TO_CLIENT, 14), S("\r\n250 DSN\r\n"), DELIVERY);
	dialogue_close(&d);
	expect_unjudged("gap");
}

/* An answer of several lines is EHLO's, most probably; that is no proof. */
Test(judge_stripped, a_lost_command_leaves_it_unjudged)
{
	everything_speaks_for_it();
	memset(&d, 0, sizeof(d));
	dialogue_open(&d, CLIENT, SERVER);
	dialogue_say(&d, S("220 mx1.example.org ESMTP\r\n"), GAP(TO_SERVER, 9),
	    S("250-mx1.example.org\r\n250-SIZE 1\r\n250 DSN\r\n"), DELIVERY);
	dialogue_close(&d);
	expect_unjudged("gap");
}

Test(judge_stripped, a_cut_packet_leaves_it_unjudged)
{
	everything_speaks_for_it();
	memset(&d, 0, sizeof(d));
	dialogue_open(&d, CLIENT, SERVER);
	dialogue_say(&d, GREETED, S("250-mx1.example.org\r\n"),
	    SNAPPED(TO_CLIENT, 14), S("\r\n250 DSN\r\n"), DELIVERY);
	dialogue_close(&d);
	expect_unjudged("snaplen");
}

Test(judge_stripped, a_missing_start_leaves_it_unjudged)
{
	everything_speaks_for_it();
	memset(&d, 0, sizeof(d));
	d.midstream = true;
	dialogue_open(&d, CLIENT, SERVER);
	dialogue_say(&d, C("EHLO me\r\n"),
	    S("250-mx1.example.org\r\n250-SIZE\r\n250 DSN\r\n"), DELIVERY);
	dialogue_close(&d);
	expect_unjudged("midstream");
}

/* From the greeting on nothing is missing. */
Test(judge_stripped, a_missing_handshake_hides_nothing)
{
	everything_speaks_for_it();
	memset(&d, 0, sizeof(d));
	d.midstream = true;
	dialogue_open(&d, CLIENT, SERVER);
	dialogue_say(&d, HELLO, DELIVERY);
	dialogue_close(&d);
	cr_assert_eq(judge(), VERDICT_INCIDENT);
	cr_expect_eq(in.unseen, OBS_MIDSTREAM);
}

Test(judge_stripped, one_direction_leaves_it_unjudged)
{
	everything_speaks_for_it();
	memset(&d, 0, sizeof(d));
	d.one_sided = true;
	dialogue_open(&d, CLIENT, SERVER);
	dialogue_say(&d, S("220 mx1.example.org ESMTP\r\n"),
	    S("250-mx1.example.org\r\n250 DSN\r\n250 Ok\r\n250 Ok\r\n"));
	dialogue_close(&d);
	expect_unjudged("one-sided");
}

Test(judge_stripped, the_other_direction_leaves_it_unjudged)
{
	everything_speaks_for_it();
	memset(&d, 0, sizeof(d));
	d.one_sided = true;
	dialogue_open(&d, CLIENT, SERVER);
	dialogue_say(&d, C("EHLO me\r\n"),
	    C("MAIL FROM:<a@example.net>\r\nRCPT TO:<b@example.org>\r\n"));
	dialogue_close(&d);
	expect_unjudged("one-sided");
}

Test(judge_stripped, more_lines_than_are_kept_leave_it_unjudged)
{
	everything_speaks_for_it();
	memset(&d, 0, sizeof(d));
	dialogue_open(&d, CLIENT, SERVER);
	dialogue_say(&d, GREETED, S("250-mx1.example.org\r\n"));
	for (int i = 0; i < EHLO_LINES_MAX; i++)
		dialogue_say(&d, S("250-XJUNK\r\n"));
	dialogue_say(&d, S("250 DSN\r\n"), DELIVERY);
	dialogue_close(&d);
	expect_unjudged("over-limit");
}

Test(judge_stripped, a_capture_that_ends_too_early_leaves_it_unjudged)
{
	everything_speaks_for_it();
	memset(&d, 0, sizeof(d));
	dialogue_open(&d, CLIENT, SERVER);
	dialogue_say(&d, GREETED, S("250-mx1.example.org\r\n250-SIZE 1\r\n"));
	dialogue_close_as(&d, ENDING_CAPTURE_END);
	expect_unjudged("gap");
}

/* What is missing later does not unsay what was seen. */
Test(judge_stripped, a_gap_behind_the_answer_does_not_matter)
{
	everything_speaks_for_it();
	memset(&d, 0, sizeof(d));
	dialogue_open(&d, CLIENT, SERVER);
	dialogue_say(&d, HELLO, DELIVERY, GAP(TO_CLIENT, 10));
	dialogue_close(&d);
	cr_assert_eq(judge(), VERDICT_INCIDENT);
	cr_expect(in.unseen & OBS_GAP_TO_CLIENT);
}

/* --- the command --------------------------------------------------------- */

Test(judge_stripped, a_server_that_takes_the_command_offers_it_too)
{
	begin(CLIENT, SERVER);
	dialogue_say(&d, HELLO, C("STARTTLS\r\n"), S("220 Ready\r\n"));
	dialogue_fact(&d, FACT_TLS_ESTABLISHED, 0, "");
	dialogue_close(&d);
	cr_assert_eq(judge(), VERDICT_INCIDENT);
	cr_expect_eq(in.kind, KIND_STARTTLS_STRIPPED);
	cr_expect_eq(in.certainty, CERTAINTY_LIKELY);
	cr_expect_eq(in.side, SIDE_SERVER_OF_TAP);
	expect_evidence(&in, "command-accepted");
	cr_expect_eq(incident_severity(&in), 2);
}

Test(judge_stripped, a_server_that_refuses_the_command_has_no_tls)
{
	begin(CLIENT, SERVER);
	dialogue_say(&d, HELLO, C("STARTTLS\r\n"),
	    S("502 5.5.1 Command not implemented\r\n"), DELIVERY);
	dialogue_close(&d);
	cr_expect_eq(judge(), VERDICT_NOTHING);
	policy("example.org", ENFORCE);
	cr_expect_eq(judge(), VERDICT_EVIDENCE);
	expect_evidence(&in, "command-unknown policy-unmet");
}

Test(judge_stripped, a_command_sent_before_the_answer_proves_nothing)
{
	begin(CLIENT, SERVER);
	dialogue_say(&d, S("220 mx1.example.org ESMTP\r\n"),
	    C("EHLO me\r\nSTARTTLS\r\n"),
	    S("250-mx1.example.org\r\n250 DSN\r\n220 Ready\r\n"));
	dialogue_close(&d);
	cr_expect_eq(judge(), VERDICT_NOTHING);
}
