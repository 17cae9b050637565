/* starttls-refused: offered, asked for, and answered with anything but 220. */
#include "rules/judge.h"

#include "unit/rules/judging.h"

#define ASK C("STARTTLS\r\n")
#define GENUINE S("454 4.7.0 TLS not available due to local problem\r\n")

#define REFUSED_DELIVERY(answer)               \
	do {                                   \
		greet();                       \
		dialogue_say(&d, ASK, answer); \
		dialogue_say(&d, DELIVERY);    \
		dialogue_close(&d);            \
	} while (0)

Test(judge_refused, a_refusal_and_mail_in_clear_are_possible_and_no_more)
{
	REFUSED_DELIVERY(GENUINE);
	cr_assert_eq(judge(), VERDICT_INCIDENT);
	cr_expect_eq(in.kind, KIND_STARTTLS_REFUSED);
	cr_expect_eq(in.certainty, CERTAINTY_POSSIBLE);
	cr_expect_eq(in.side, SIDE_SERVER_OF_TAP);
	cr_expect_eq(in.outcome,
	    OUTCOME_ENVELOPE_EXPOSED | OUTCOME_CONTENT_EXPOSED |
		OUTCOME_ACCEPTED);
	cr_expect_str_eq(in.seen,
	    "454 4.7.0 TLS not available due to local problem");
	cr_expect_str_eq(in.expected, "220");
	cr_expect_neq(strstr(in.benign, "the server's own TLS"), NULL);
	expect_evidence(&in, "refused-then-clear");
}

Test(judge_refused, a_client_that_leaves_is_evidence_only)
{
	greet();
	dialogue_say(&d, ASK, GENUINE, C("QUIT\r\n"), S("221 2.0.0 Bye\r\n"));
	dialogue_close(&d);
	cr_expect_eq(judge(), VERDICT_EVIDENCE);
	expect_evidence(&in, "refused-then-left");
}

Test(judge_refused, an_unknown_command_that_was_offered_weighs_more)
{
	REFUSED_DELIVERY(S("502 5.5.1 Error: command not implemented\r\n"));
	cr_assert_eq(judge(), VERDICT_INCIDENT);
	expect_evidence(&in, "offer-disowned");
	cr_expect_eq(in.certainty, CERTAINTY_POSSIBLE);
}

Test(judge_refused, other_words_than_all_other_replies_weigh_more)
{
	REFUSED_DELIVERY(S("454 TLS currently unavailable\r\n"));
	cr_assert_eq(judge(), VERDICT_INCIDENT);
	expect_evidence(&in, "other-words");
	cr_expect_eq(in.certainty, CERTAINTY_POSSIBLE);
}

Test(judge_refused, a_server_that_writes_no_codes_is_no_stranger)
{
	greet();
	dialogue_say(&d, ASK, S("454 TLS currently unavailable\r\n"),
	    C("MAIL FROM:<a@example.net>\r\n"), S("250 OK\r\n"),
	    C("RCPT TO:<b@example.org>\r\n"), S("250 Accepted\r\n"));
	dialogue_close(&d);
	judge();
	expect_evidence(&in, "refused-then-clear");
}

Test(judge_refused, who_is_asked_to_wait_is_not_attacked)
{
	REFUSED_DELIVERY(S("421 4.7.0 Too many connections\r\n"));
	cr_expect_eq(judge(), VERDICT_EVIDENCE);
	expect_evidence(&in, "refused-then-clear asked-to-wait");
}

Test(judge_refused, a_parameter_is_refused_rightly)
{
	greet();
	dialogue_say(&d, C("STARTTLS now\r\n"),
	    S("501 5.5.4 Syntax: STARTTLS\r\n"));
	dialogue_say(&d, DELIVERY);
	dialogue_close(&d);
	cr_expect_eq(judge(), VERDICT_NOTHING);
}

Test(judge_refused, what_was_never_offered_is_refused_rightly)
{
	begin(CLIENT, SERVER);
	dialogue_greet(&d, &replies[REPLY_POSTFIX], NULL, 0);
	dialogue_say(&d, ASK,
	    S("502 5.5.1 Error: command not implemented\r\n"));
	dialogue_say(&d, DELIVERY);
	dialogue_close(&d);
	cr_expect_neq(judge(), VERDICT_INCIDENT);
}

Test(judge_refused, a_second_attempt_that_succeeds_takes_it_back)
{
	greet();
	dialogue_say(&d, ASK, GENUINE, ASK, S("220 2.0.0 Ready\r\n"));
	dialogue_fact(&d, FACT_TLS_ESTABLISHED, 0, "");
	dialogue_close(&d);
	cr_expect_eq(judge(), VERDICT_NOTHING);
}

Test(judge_refused, behind_a_gap_nobody_knows_whose_answer_it_is)
{
	greet();
	dialogue_say(&d, GAP(TO_SERVER, 20), ASK, GENUINE);
	dialogue_say(&d, DELIVERY);
	dialogue_close(&d);
	cr_expect_neq(judge(), VERDICT_INCIDENT);
}

Test(judge_refused, tls_at_other_times_speaks_for_it)
{
	REFUSED_DELIVERY(GENUINE);
	ended(CLIENT, -1, 4, CLASS_TLS);
	cr_assert_eq(judge(), VERDICT_INCIDENT);
	expect_evidence(&in, "refused-then-clear tls-with-same-client");
	/* A certificate that was renewed too late does this for an hour. */
	cr_expect_eq(in.certainty, CERTAINTY_POSSIBLE);
	cr_expect(!in.retrospect);
}

Test(judge_refused, later_sessions_are_retrospect)
{
	REFUSED_DELIVERY(GENUINE);
	ended(NEIGHBOUR, 1, 4, CLASS_TLS);
	cr_assert_eq(judge(), VERDICT_INCIDENT);
	expect_evidence(&in, "refused-then-clear tls-with-neighbours");
	cr_expect(in.retrospect);
}

/* Many sessions on both sides of it, and a refusal that is not the server's:
 * then it is likely. */
static enum verdict
judge_among_many(void)
{
	ended(CLIENT, -3, 15, CLASS_TLS);
	ended(CLIENT, 3, 15, CLASS_TLS);
	return judge();
}

Test(judge_refused, among_many_that_worked_strange_words_make_it_likely)
{
	REFUSED_DELIVERY(S("454 TLS currently unavailable\r\n"));
	cr_assert_eq(judge_among_many(), VERDICT_INCIDENT);
	expect_evidence(&in, "other-words tls-often");
	cr_expect_eq(in.certainty, CERTAINTY_LIKELY);
}

Test(judge_refused, among_many_that_worked_its_own_words_stay_possible)
{
	REFUSED_DELIVERY(GENUINE);
	cr_assert_eq(judge_among_many(), VERDICT_INCIDENT);
	cr_expect_eq(in.certainty, CERTAINTY_POSSIBLE);
}

Test(judge_refused, failures_of_others_keep_it_from_likely)
{
	REFUSED_DELIVERY(S("454 TLS currently unavailable\r\n"));
	ended(STRANGER, 0, 5, CLASS_REFUSED);
	cr_assert_eq(judge_among_many(), VERDICT_INCIDENT);
	cr_expect_eq(in.certainty, CERTAINTY_POSSIBLE);
}

Test(judge_refused, who_refuses_everybody_for_days_is_broken)
{
	REFUSED_DELIVERY(GENUINE);
	ended(CLIENT, -2, 5, CLASS_REFUSED);
	ended(STRANGER, 2, 5, CLASS_REFUSED);
	cr_expect_eq(judge(), VERDICT_EVIDENCE);
	expect_evidence(&in, "refused-then-clear fails-for-all");
	cr_expect_eq(in.cause, CAUSE_SERVER_ITSELF);
}

Test(judge_refused, its_own_profile_is_no_other_session)
{
	REFUSED_DELIVERY(GENUINE);
	fake_itself(&world, &d.session);
	ended(CLIENT, -2, 2, CLASS_REFUSED);
	ended(CLIENT, 2, 2, CLASS_REFUSED);
	cr_assert_eq(judge(), VERDICT_INCIDENT);
	expect_evidence(&in, "refused-then-clear");
}

Test(judge_refused, headers_of_the_very_segment_are_a_hint)
{
	struct fact step = { .code = FACT_TTL_STEP, .dir = TO_CLIENT };

	REFUSED_DELIVERY(GENUINE);
	step.frame = d.session.starttls_frame;
	session_fold(&d.session, &step, slice_of(NULL, 0));
	step.code = FACT_IP_ID_STEP;
	session_fold(&d.session, &step, slice_of(NULL, 0));
	cr_assert_eq(judge(), VERDICT_INCIDENT);
	expect_evidence(&in, "refused-then-clear other-headers");
	cr_expect_str_eq(evidence_in(&in, EVIDENCE_OTHER_HEADERS)->detail,
	    "TTL, IP-ID");
	/* Another segment's are nobody's business. */
	d.session.steps[0].frame++;
	judge();
	expect_evidence(&in, "refused-then-clear");
}
