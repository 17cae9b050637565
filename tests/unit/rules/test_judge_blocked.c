/* ehlo-blocked: why a client said HELO. */
#include <criterion/criterion.h>

#include "rules/ehlo.h"
#include "unit/rules/judging.h"

#define GREETING S("220 mx.example.org ESMTP\r\n")
#define EHLO C("EHLO relay.example.net\r\n")
#define HELO C("HELO relay.example.net\r\n"), S("250 mx.example.org\r\n")
#define UNKNOWN S("500 5.5.1 Command unrecognized\r\n")

#define JUDGE(...) \
	(begin(CLIENT, SERVER), dialogue_say(&d, __VA_ARGS__), conclude_asked())

static enum verdict
judge_parts(const char *greeting, const char *command, const char *answer)
{
	struct said parts[] = { { TO_CLIENT, greeting, strlen(greeting), 0 },
		{ TO_SERVER, command, strlen(command), 0 },
		{ TO_CLIENT, answer, strlen(answer), 0 } };

	begin(CLIENT, SERVER);
	dialogue_say_all(&d, parts, 3);
	dialogue_say(&d, HELO, DELIVERY);
	return conclude_asked();
}

/* The server answered EHLO of `client`, `days` away. */
static void
answered(const char *client, double days)
{
	struct profile *p = &world.profiles[world.profile_count++];

	p->server = d.session.flow.server;
	p->verb = VERB_EHLO;
	p->sessions = 1;
	p->first_ns = p->last_ns = NOON_NS + (int64_t)(days * (double)DAY_NS);
	cr_assert(address_parse(client, &p->client));
}

Test(judge_blocked, ways_to_block_ehlo_are_told)
{
	static const struct {
		const char *greeting, *command, *answer, *code;
		enum certainty certainty;
		enum side side;
	} rows[] = {
		{ "220 mx.example.org ESMTP\r\n", "XXXX relay.example.net\r\n",
		    "500 5.5.2 unknown\r\n", "hello-masked", CERTAINTY_LIKELY,
		    SIDE_CLIENT_OF_TAP },
		{ "220 mx.example.org ESMTP\r\n", "**** relay.example.net\r\n",
		    "502 unknown\r\n", "hello-masked", CERTAINTY_LIKELY,
		    SIDE_CLIENT_OF_TAP },
		{ "220 mx.example.org ESMTP\r\n",
		    "\xff\xff\xff\xff relay.example.net\r\n", "502 unknown\r\n",
		    "hello-masked", CERTAINTY_LIKELY, SIDE_CLIENT_OF_TAP },
		{ "220 mx.example.org ESMTP\r\n", "EHL0 relay.example.net\r\n",
		    "502 unknown\r\n", "hello-word", CERTAINTY_POSSIBLE,
		    SIDE_CLIENT_OF_TAP },
		{ "220 mx.example.org\r\n", "QZKW relay.example.net\r\n",
		    "502 unknown\r\n", "hello-word", CERTAINTY_POSSIBLE,
		    SIDE_CLIENT_OF_TAP },
		{ "220 mx.example.org ESMTP\r\n", "EHLO relay.example.net\r\n",
		    "500 Command unrecognized: \"XXXX relay.example.net\"\r\n",
		    "error-quotes-mask", CERTAINTY_LIKELY, SIDE_SERVER_OF_TAP },
		{ "220 mx.example.org\r\n", "EHLO relay.example.net\r\n",
		    "500 5.5.2 XXXX relay.example.net: unknown\r\n",
		    "error-quotes-mask", CERTAINTY_LIKELY, SIDE_SERVER_OF_TAP },
		{ "220 mx.example.org ESMTP\r\n", "EHLO relay.example.net\r\n",
		    "500 unknown\r\n", "ehlo-refused-by-esmtp",
		    CERTAINTY_POSSIBLE, SIDE_SERVER_OF_TAP },
		{ "220 mx.example.org ESMTP\r\n", "EHLO relay.example.net\r\n",
		    "550 not here\r\n", "ehlo-refused-by-esmtp",
		    CERTAINTY_POSSIBLE, SIDE_SERVER_OF_TAP },
		{ "220-mx.example.org ESMTP\r\n220 ready\r\n",
		    "EHLO relay.example.net\r\n", "502 unknown\r\n",
		    "ehlo-refused-by-esmtp", CERTAINTY_POSSIBLE,
		    SIDE_SERVER_OF_TAP },
		{ "220 mx.example.org ESMTP\r\n", "EHLO relay.example.net\r\n",
		    "502 unknown                                        "
		    "                      \r\n",
		    "ehlo-answer-filled", CERTAINTY_POSSIBLE,
		    SIDE_SERVER_OF_TAP },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		cr_expect_eq(judge_parts(rows[i].greeting, rows[i].command,
				 rows[i].answer),
		    VERDICT_INCIDENT, "row %zu: %.2f", i, in.confidence);
		cr_expect_eq(in.kind, KIND_EHLO_BLOCKED);
		cr_expect_eq(in.certainty, rows[i].certainty, "row %zu", i);
		cr_expect_eq(in.side, rows[i].side, "row %zu", i);
		expect_evidence(&in, rows[i].code);
		cr_expect_eq(in.outcome,
		    OUTCOME_ENVELOPE_EXPOSED | OUTCOME_CONTENT_EXPOSED |
			OUTCOME_ACCEPTED);
		cr_expect_not_null(strstr(in.observed, "then said HELO"));
		cr_expect_str_not_empty(in.benign);
		cr_expect_str_not_empty(in.next_step);
	}
}

Test(judge_blocked, the_argument_of_an_overwritten_ehlo_does_not_show)
{
	judge_parts("220 mx.example.org ESMTP\r\n",
	    "XXXX relay.example.net\r\n", "500 unknown\r\n");
	cr_expect_str_eq(in.seen, "XXXX *****************");
	cr_expect_str_eq(in.expected, "EHLO");
	cr_expect_str_eq(in.resembles, "x-run");
}

Test(judge_blocked, look_alikes_are_no_incident)
{
	static const char *const rows[][3] = {
		/* A server that never said ESMTP, and of which nothing is
		 * known. */
		{ "220 mx.example.org ready\r\n", "EHLO a.example.net\r\n",
		    "502 unknown\r\n" },
		{ "220 mx.example.org SMTP\r\n", "EHLO a.example.net\r\n",
		    "500 unknown\r\n" },
		/* Not now. */
		{ "220 mx.example.org ESMTP\r\n", "EHLO a.example.net\r\n",
		    "421 4.3.2 too busy\r\n" },
		{ "220 mx.example.org ESMTP\r\n", "EHLO a.example.net\r\n",
		    "451 4.7.1 greylisted\r\n" },
		/* Not addressed to EHLO. */
		{ "220 mx.example.org ESMTP\r\n", "XCLIENT NAME=a\r\n",
		    "500 unknown\r\n" },
		{ "220 mx.example.org ESMTP\r\n", "XXXX\r\n",
		    "500 unknown\r\n" },
		{ "220 mx.example.org ESMTP\r\n", "XYZW a.example.net\r\n",
		    "250 hello\r\n" },
		{ "220 mx.example.org ESMTP\r\n", "NOOP\r\n", "250 hello\r\n" },
		{ "220 mx.example.org ESMTP\r\n", "GET / HTTP/1.1\r\n",
		    "500 unknown\r\n" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		cr_expect_neq(judge_parts(rows[i][0], rows[i][1], rows[i][2]),
		    VERDICT_INCIDENT, "row %zu: %s", i, in.observed);
}

Test(judge_blocked, a_client_that_never_tries_ehlo_is_none)
{
	cr_expect_eq(JUDGE(GREETING, HELO, DELIVERY), VERDICT_NOTHING);
}

/* The name is what the server does not like: HELO meets the same. */
Test(judge_blocked, a_server_that_refuses_helo_as_well_refuses_the_client)
{
	cr_expect_eq(JUDGE(GREETING, EHLO, S("550 5.7.1 Access denied\r\n"),
			 C("HELO relay.example.net\r\n"),
			 S("550 5.7.1 Access denied\r\n"), C("QUIT\r\n")),
	    VERDICT_NOTHING);
	cr_expect_eq(JUDGE(GREETING, EHLO,
			 S("504 5.5.2 fully qualified name wanted\r\n"),
			 C("QUIT\r\n"), S("221 Bye\r\n")),
	    VERDICT_NOTHING);
}

Test(judge_blocked, who_is_answered_in_the_end_was_not_blocked)
{
	cr_expect_eq(JUDGE(GREETING, C("EHLX relay.example.net\r\n"), UNKNOWN,
			 EHLO, S("250-mx\r\n250 STARTTLS\r\n"), C("QUIT\r\n")),
	    VERDICT_NOTHING);
	cr_expect_eq(JUDGE(GREETING, EHLO, UNKNOWN, EHLO,
			 S("250-mx\r\n250 STARTTLS\r\n"), C("QUIT\r\n")),
	    VERDICT_NOTHING);
}

Test(judge_blocked, history_speaks_for_a_server_without_esmtp_in_its_greeting)
{
	static const struct {
		const char *client, *code;
		double days;
		bool retrospect;
	} rows[] = {
		{ "192.0.2.10", "ehlo-refused ehlo-answered", -1, false },
		{ "192.0.2.10", "ehlo-refused ehlo-answered", 1, true },
		{ "203.0.113.9", "ehlo-refused ehlo-answered-others", -1,
		    false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		cr_expect_eq(judge_parts("220 mx.example.org\r\n",
				 "EHLO relay.example.net\r\n",
				 "500 unknown\r\n"),
		    VERDICT_EVIDENCE);
		answered(rows[i].client, rows[i].days);
		cr_expect_eq(judge_asked(), VERDICT_INCIDENT, "row %zu", i);
		cr_expect_eq(in.certainty, CERTAINTY_POSSIBLE);
		cr_expect_eq(in.retrospect, rows[i].retrospect, "row %zu", i);
		expect_evidence(&in, rows[i].code);
	}
}

Test(judge_blocked, what_was_answered_long_ago_tells_nothing)
{
	judge_parts("220 mx.example.org\r\n", "EHLO relay.example.net\r\n",
	    "500 unknown\r\n");
	answered("192.0.2.10", -30);
	cr_expect_eq(judge_asked(), VERDICT_EVIDENCE);
}

Test(judge_blocked, masked_greetings_send_clients_to_helo)
{
	static const struct {
		const char *greeting;
		enum verdict verdict;
	} rows[] = {
		{ "220 *****************\r\n", VERDICT_INCIDENT },
		{ "220 ****2*0**\r\n", VERDICT_INCIDENT },
		{ "220 **0**** ******* *2******\r\n", VERDICT_INCIDENT },
		{ "220-**********\r\n220 *****\r\n", VERDICT_INCIDENT },
		{ "220*************\r\n", VERDICT_INCIDENT },
		{ "220 XXXXXXXXXXXXXXXXXX\r\n", VERDICT_INCIDENT },
		{ "220 ** mx.example.org **\r\n", VERDICT_NOTHING },
		{ "220 mx.example.org\r\n", VERDICT_NOTHING },
		{ "220 ---------------\r\n", VERDICT_NOTHING },
		{ "220-***************\r\n220 welcome\r\n", VERDICT_NOTHING },
		{ "220-*********\r\n220-* welcome *\r\n220 *********\r\n",
		    VERDICT_NOTHING },
		{ "220 2000\r\n", VERDICT_NOTHING },
		{ "220 \r\n", VERDICT_NOTHING },
		{ "554 ***************\r\n", VERDICT_NOTHING },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct said greeting = { TO_CLIENT, rows[i].greeting,
			strlen(rows[i].greeting), false };

		begin(CLIENT, SERVER);
		dialogue_say_all(&d, &greeting, 1);
		dialogue_say(&d, HELO, DELIVERY);
		dialogue_close(&d);
		cr_expect_eq(judge_asked(), rows[i].verdict, "%s",
		    rows[i].greeting);
		if (rows[i].verdict != VERDICT_INCIDENT)
			continue;
		cr_expect_eq(in.kind, KIND_EHLO_BLOCKED);
		cr_expect_eq(in.certainty, CERTAINTY_POSSIBLE);
		expect_evidence(&in, "greeting-masked");
		cr_expect_not_null(strstr(in.benign, "Cisco"));
	}
}

Test(judge_blocked, a_masked_greeting_does_not_matter_to_who_says_ehlo)
{
	cr_expect_eq(JUDGE(S("220 ***************\r\n"), EHLO,
			 S("250-mx\r\n250 STARTTLS\r\n"), C("STARTTLS\r\n"),
			 S("220 go ahead\r\n"),
			 C("\x16\x03\x01\0\x04\x01\0\0\0")),
	    VERDICT_NOTHING);
}

Test(judge_blocked, a_missing_ehlo_may_be_in_the_gap)
{
	cr_expect_neq(JUDGE(S("220 ***************\r\n"), GAP(TO_SERVER, 24),
			  HELO, DELIVERY),
	    VERDICT_INCIDENT);
}

Test(judge_blocked, ehlo_answered_by_a_close)
{
	begin(CLIENT, SERVER);
	dialogue_say(&d, GREETING, EHLO);
	dialogue_close_by(&d, ENDING_RST, TO_CLIENT);
	cr_expect_eq(judge_asked(), VERDICT_EVIDENCE);
	cr_expect_eq(in.kind, KIND_EHLO_BLOCKED);
	answered("192.0.2.10", -1);
	cr_expect_eq(judge_asked(), VERDICT_INCIDENT);
	cr_expect_eq(in.certainty, CERTAINTY_POSSIBLE);
	expect_evidence(&in, "ehlo-cut ehlo-answered");
	cr_expect_not_null(strstr(in.observed, "reset in answer to EHLO"));
}

/* Reset on EHLO; then `client` sends in clear on a new connection. */
static enum verdict
judge_cut_and(enum attempt_result result, const char *client, double seconds)
{
	struct attempt *a = &world.attempts[0];

	begin(CLIENT, SERVER);
	dialogue_say(&d, GREETING, EHLO);
	dialogue_close_by(&d, ENDING_RST, TO_CLIENT);
	world.attempt_count = 1;
	a->server = d.session.flow.server;
	cr_assert(address_parse(client, &a->client.address));
	a->client.port = 40999;
	a->helo_hash = ehlo_hash(0, slice_str(d.session.helo));
	a->first_ns = a->last_ns =
	    d.session.last_ns + (int64_t)(seconds * (double)SECOND_NS);
	a->result = (uint8_t)result;
	a->outcome = OUTCOME_ENVELOPE_EXPOSED | OUTCOME_CONTENT_EXPOSED;
	return judge_asked();
}

Test(judge_blocked, a_close_on_ehlo_and_helo_on_a_new_connection)
{
	cr_assert_eq(judge_cut_and(ATTEMPT_HELO, "192.0.2.10", 5),
	    VERDICT_INCIDENT);
	cr_assert_eq(in.kind, KIND_EHLO_BLOCKED);
	cr_assert_eq(in.certainty, CERTAINTY_POSSIBLE);
	expect_evidence(&in, "ehlo-cut ehlo-cut-then-helo");
	cr_assert(in.outcome & OUTCOME_CONTENT_EXPOSED);
	cr_assert_eq(in.session_count, 2);
}

Test(judge_blocked, a_close_on_ehlo_that_leads_to_something_else)
{
	cr_assert_neq(judge_cut_and(ATTEMPT_CLEAR, "192.0.2.10", 5),
	    VERDICT_INCIDENT);
	cr_assert_neq(judge_cut_and(ATTEMPT_HELO, "203.0.113.9", 5),
	    VERDICT_INCIDENT);
	cr_assert_neq(judge_cut_and(ATTEMPT_HELO, "192.0.2.10", 600),
	    VERDICT_INCIDENT);
}

/* Day after day, of every client: it is the server's way. */
Test(judge_blocked, a_server_that_refuses_ehlo_for_days_is_none)
{
	struct profile *p;

	begin(CLIENT, SERVER);
	for (int day = -3; day <= 1; day++) {
		answered("203.0.113.9", day);
		world.profiles[world.profile_count - 1].verb = VERB_HELO;
	}
	dialogue_say(&d, GREETING, EHLO, UNKNOWN, HELO, DELIVERY);
	dialogue_close(&d);
	cr_assert_eq(judge_asked(), VERDICT_EVIDENCE);
	expect_evidence(&in, "ehlo-refused-by-esmtp ehlo-never-answered");
	/* Answered once, it is not. */
	p = &world.profiles[0];
	p->verb = VERB_EHLO;
	cr_assert_eq(judge_asked(), VERDICT_INCIDENT);
}

Test(judge_blocked, a_refused_ehlo_enters_the_history_and_its_name_does_not)
{
	struct profile p;

	begin(CLIENT, SERVER);
	dialogue_say(&d, GREETING, EHLO, UNKNOWN, HELO, DELIVERY);
	dialogue_close(&d);
	cr_assert(session_profile(&d.session, &p));
	cr_assert_eq(p.verb, VERB_HELO);
	cr_assert_not(p.offered);
	begin(CLIENT, SERVER);
	dialogue_say(&d, GREETING, EHLO, S("501 bad name\r\n"), HELO);
	dialogue_close(&d);
	cr_assert_not(session_profile(&d.session, &p));
}

Test(judge_blocked, a_client_that_closes_was_not_cut)
{
	begin(CLIENT, SERVER);
	dialogue_say(&d, GREETING, EHLO);
	dialogue_close(&d);
	answered("192.0.2.10", -1);
	cr_expect_eq(judge_asked(), VERDICT_NOTHING);
}

Test(judge_blocked, a_client_that_leaves_has_stopped)
{
	cr_expect_eq(JUDGE(GREETING, EHLO, UNKNOWN, C("QUIT\r\n"),
			 S("221 Bye\r\n")),
	    VERDICT_INCIDENT);
	cr_expect_eq(in.kind, KIND_EHLO_BLOCKED);
	cr_expect_eq(in.outcome, OUTCOME_STOPPED);
}

/* `line` is the client's first, and it leaves. */
static enum verdict
judge_probe(const char *line, size_t len)
{
	struct said probe = { TO_SERVER, line, len, false };

	begin(CLIENT, SERVER);
	dialogue_say(&d, GREETING);
	dialogue_say_all(&d, &probe, 1);
	dialogue_say(&d, UNKNOWN);
	return conclude_asked();
}

Test(judge_blocked, scanners_try_other_words)
{
	static const char *const probes[] = { "HEAD / HTTP/1.1\r\n",
		"POST / HTTP/1.1\r\n", "AAAA BBBBBBBB\r\n", "AAAAAAAAAAAA\r\n",
		"XXXXXXXXXXXX\r\n", "EHLP\r\n" };

	for (size_t i = 0; i < sizeof(probes) / sizeof(*probes); i++)
		cr_expect_eq(judge_probe(probes[i], strlen(probes[i])),
		    VERDICT_NOTHING, "%s", probes[i]);
	cr_expect_eq(judge_probe("\0\0\0\0\0\0\0\0\r\n", 10), VERDICT_NOTHING);
	cr_expect_eq(judge_probe("XXXX relay.example.net\r\n", 24),
	    VERDICT_INCIDENT);
	cr_expect_eq(in.outcome & ~(unsigned)OUTCOME_STOPPED, 0);
}

/* PIX fixup writes NOOP; the client takes the 250 for EHLO's. */
Test(judge_blocked, noop_in_the_place_of_ehlo)
{
	cr_expect_eq(JUDGE(GREETING, C("NOOP relay.example.net\r\n"),
			 S("250 Ok\r\n"), DELIVERY),
	    VERDICT_INCIDENT);
	cr_expect_eq(in.kind, KIND_EHLO_BLOCKED);
	expect_evidence(&in, "hello-word");
}

Test(judge_blocked, a_refused_name_is_no_refused_command)
{
	static const char *const answers[] = { "501 5.5.4 Invalid name\r\n",
		"504 5.5.2 need a fully-qualified name\r\n" };

	for (size_t i = 0; i < 2; i++) {
		struct said answer = { TO_CLIENT, answers[i],
			strlen(answers[i]), false };

		cr_expect_eq(JUDGE(GREETING, EHLO, answer,
				 C("HELO relay.example.net\r\n"),
				 S("250 mx.example.org\r\n"), DELIVERY),
		    VERDICT_EVIDENCE);
		expect_evidence(&in, "ehlo-refused-name");
	}
}

Test(judge_blocked, the_whole_line_may_be_overwritten)
{
	cr_expect_eq(JUDGE(GREETING, C("XXXXXXXXXXXXXXXXXXXXXX\r\n"),
			 S("500 5.5.2 what?\r\n"),
			 C("HELO relay.example.net\r\n"),
			 S("250 mx.example.org\r\n"), DELIVERY),
	    VERDICT_INCIDENT);
	cr_expect_eq(in.kind, KIND_EHLO_BLOCKED);
}

Test(judge_blocked, an_answer_that_is_no_reply)
{
	cr_expect_eq(JUDGE(GREETING, EHLO, S("XXXXXXXXXXXXXXXXXXXX\r\n"),
			 C("HELO relay.example.net\r\n"),
			 S("250 mx.example.org\r\n"), DELIVERY),
	    VERDICT_INCIDENT);
	cr_expect_eq(in.kind, KIND_EHLO_BLOCKED);
	expect_evidence(&in, "ehlo-answer-overwritten");
}
