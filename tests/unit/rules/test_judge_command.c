/* starttls-command-garbled: what stands where STARTTLS was said. */
#include <criterion/criterion.h>

#include "unit/rules/judging.h"

#define HELLO                                                               \
	S("220 mx.example.org ESMTP\r\n"), C("EHLO relay.example.net\r\n"), \
	    S("250-mx.example.org\r\n250-SIZE\r\n250-STARTTLS\r\n"          \
	      "250 HELP\r\n")

#define JUDGE(...) \
	(begin(CLIENT, SERVER), dialogue_say(&d, __VA_ARGS__), conclude_asked())

/* `command` behind the offer, its answer, then mail in clear. */
static enum verdict
judge_exchange(const char *command, const char *answer)
{
	struct said exchange[] = { { TO_SERVER, command, strlen(command),
				       false },
		{ TO_CLIENT, answer, strlen(answer), false } };

	begin(CLIENT, SERVER);
	dialogue_say(&d, HELLO);
	dialogue_say_all(&d, exchange, 2);
	dialogue_say(&d, DELIVERY);
	return conclude_asked();
}

#define UNKNOWN "500 5.5.1 Command unrecognized\r\n"

Test(judge_command, overwritten_commands_are_told)
{
	static const struct {
		const char *command, *code;
		enum certainty certainty;
	} rows[] = {
		{ "XXXXXXXX\r\n", "command-masked", CERTAINTY_LIKELY },
		{ "XXXXXXXA\r\n", "command-masked", CERTAINTY_LIKELY },
		{ "xxxxxxxx\r\n", "command-masked", CERTAINTY_LIKELY },
		{ "********\r\n", "command-masked", CERTAINTY_LIKELY },
		{ "00000000\r\n", "command-masked", CERTAINTY_LIKELY },
		{ "\x80\x91\xa2\xb3\xc4\xd5\xe6\xf7\r\n", "command-illegal",
		    CERTAINTY_LIKELY },
		{ "\x01\x02\x03\x04\x05\x06\x07\x08\r\n", "command-illegal",
		    CERTAINTY_LIKELY },
		{ "STARTTLX\r\n", "command-near-miss", CERTAINTY_POSSIBLE },
		{ "QZKWVPDJ\r\n", "command-word", CERTAINTY_POSSIBLE },
		{ "kjdhfgqw\r\n", "command-word", CERTAINTY_POSSIBLE },
		{ "83917462\r\n", "command-word", CERTAINTY_POSSIBLE },
		{ "NOOP    \r\n", "command-word", CERTAINTY_POSSIBLE },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		cr_expect_eq(judge_exchange(rows[i].command, UNKNOWN),
		    VERDICT_INCIDENT, "%s", rows[i].command);
		cr_expect_eq(in.kind, KIND_STARTTLS_COMMAND_GARBLED);
		cr_expect_eq(in.certainty, rows[i].certainty, "%s",
		    rows[i].command);
		expect_evidence(&in, rows[i].code);
		cr_expect_eq(in.side, SIDE_CLIENT_OF_TAP);
		cr_expect_eq(in.cause, CAUSE_UNKNOWN);
		cr_expect_str_eq(in.expected, "STARTTLS");
		cr_expect_eq(in.frame, 4);
		cr_expect_eq(in.outcome,
		    OUTCOME_ENVELOPE_EXPOSED | OUTCOME_CONTENT_EXPOSED |
			OUTCOME_ACCEPTED);
		cr_expect_str_not_empty(in.benign);
		cr_expect_str_not_empty(in.next_step);
	}
}

/* Cisco lets NOOP stand, and servers take it. */
Test(judge_command, noop_as_long_as_starttls_may_be_answered_250)
{
	cr_expect_eq(judge_exchange("NOOP    \r\n", "250 2.0.0 Ok\r\n"),
	    VERDICT_INCIDENT);
	cr_expect_eq(judge_exchange("NOOP\r\n", "250 2.0.0 Ok\r\n"),
	    VERDICT_NOTHING);
}

Test(judge_command, a_known_mask_is_named)
{
	judge_exchange("XXXXXXXX\r\n", UNKNOWN);
	cr_expect_str_eq(in.resembles, "x-run");
	cr_expect_str_eq(in.seen, "XXXXXXXX");
	cr_expect_not_null(strstr(in.observed, "\"XXXXXXXX\", answered 500"));
	cr_expect_not_null(strstr(in.benign, "firewall"));
}

Test(judge_command, look_alikes_are_none)
{
	static const char *const exchanges[][2] = {
		/* The server's own command, or one of another length. */
		{ "XYZZYPLG\r\n", "250 2.0.0 Nothing happens\r\n" },
		{ "XXXXXXX\r\n", UNKNOWN },
		{ "XXXXXXXXX\r\n", UNKNOWN },
		{ "XEXCH50 1 2\r\n", UNKNOWN },
		{ "TURN\r\n", UNKNOWN },
		/* STARTTLS itself, refused in words that quote it. */
		{ "STARTTLS\r\n",
		    "502 5.5.1 \"STARTTLS\" not implemented\r\n" },
		{ "STARTTLS\r\n", "500 5.5.2 STARTTLS: not known\r\n" },
		{ "starttls\r\n", "500 unknown command: 'starttls'\r\n" },
		{ "STARTTLS\r\n", UNKNOWN },
		{ "STARTTLS\r\n", "500 Rejected: security reasons\r\n" },
		{ "STARTTLS\r\n", "454 4.7.0 \"tls-init\" failed\r\n" },
		{ "STARTTLS\r\n", "500 ******** not here ********\r\n" },
	};

	for (size_t i = 0; i < sizeof(exchanges) / sizeof(*exchanges); i++) {
		enum verdict verdict =
		    judge_exchange(exchanges[i][0], exchanges[i][1]);

		cr_expect(verdict == VERDICT_NOTHING ||
			in.kind != KIND_STARTTLS_COMMAND_GARBLED,
		    "%s%s", exchanges[i][0], exchanges[i][1]);
	}
}

Test(judge_command, a_private_command_is_no_incident)
{
	cr_expect_eq(judge_exchange("XAUTHREQ\r\n", UNKNOWN), VERDICT_EVIDENCE);
}

Test(judge_command, who_says_starttls_after_all_had_mistyped)
{
	cr_expect_eq(JUDGE(HELLO, C("STARTTSL\r\n"), S(UNKNOWN),
			 C("STARTTLS\r\n"), S("220 go ahead\r\n"),
			 C("\x16\x03\x01\0\x04\x01\0\0\0")),
	    VERDICT_NOTHING);
}

Test(judge_command, nothing_was_offered_nothing_was_overwritten)
{
	cr_expect_eq(JUDGE(S("220 mx.example.org ESMTP\r\n"),
			 C("EHLO relay.example.net\r\n"),
			 S("250-mx.example.org\r\n250 SIZE\r\n"),
			 C("XXXXXXXX\r\n"), S(UNKNOWN), DELIVERY),
	    VERDICT_NOTHING);
}

/* Only a mask is one wherever it stands. */
Test(judge_command, a_word_later_in_the_dialogue_tells_nothing)
{
	cr_expect_eq(JUDGE(HELLO, C("RSET\r\n"), S("250 Ok\r\n"),
			 C("QZKWVPDJ\r\n"), S(UNKNOWN), DELIVERY),
	    VERDICT_NOTHING);
	cr_expect_eq(JUDGE(HELLO, C("RSET\r\n"), S("250 Ok\r\n"),
			 C("XXXXXXXX\r\n"), S(UNKNOWN), DELIVERY),
	    VERDICT_INCIDENT);
}

Test(judge_command, errors_that_quote_another_command_are_told)
{
	static const struct {
		const char *answer, *code, *quoted;
	} rows[] = {
		{ "500 5.5.1 Command unrecognized: \"XXXXXXXX\"\r\n",
		    "error-quotes-mask", "\"XXXXXXXX\"" },
		{ "500 5.5.2 XXXXXXXX: command not recognized\r\n",
		    "error-quotes-mask", "\"XXXXXXXX\"" },
		{ "502 5.3.3 Unrecognized command 'XXXXXXXA'\r\n",
		    "error-quotes-mask", "\"XXXXXXXA\"" },
		{ "500 unrecognized: \"********\"\r\n", "error-quotes-mask",
		    "\"********\"" },
		{ "502 unknown: \"\x81\x92\xa3\xb4\xc5\xd6\xe7\xf8\"\r\n",
		    "error-quotes-mask", "\\x81" },
		{ "500 Command \"QZKWVPDJ\" unknown\r\n", "error-quotes-word",
		    "\"QZKWVPDJ\"" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		cr_expect_eq(judge_exchange("STARTTLS\r\n", rows[i].answer),
		    VERDICT_INCIDENT, "%s", rows[i].answer);
		cr_expect_eq(in.kind, KIND_STARTTLS_COMMAND_GARBLED);
		expect_evidence(&in, rows[i].code);
		cr_expect_eq(in.also, 1u << KIND_STARTTLS_REFUSED);
		cr_expect_eq(in.side, SIDE_SERVER_OF_TAP);
		cr_expect_not_null(strstr(in.observed, rows[i].quoted), "%s",
		    in.observed);
	}
}

Test(judge_command, a_client_that_stops_has_stopped)
{
	cr_expect_eq(JUDGE(HELLO, C("XXXXXXXX\r\n"), S(UNKNOWN), C("QUIT\r\n"),
			 S("221 Bye\r\n")),
	    VERDICT_INCIDENT);
	cr_expect_eq(in.outcome, OUTCOME_STOPPED);
}

/* A command that has something to say is nobody's STARTTLS, however long. */
Test(judge_command, a_command_with_an_argument_is_somebodys_own)
{
	cr_expect_eq(JUDGE(HELLO, C("XADR bob\r\n"), S(UNKNOWN), DELIVERY),
	    VERDICT_NOTHING);
	cr_expect_eq(JUDGE(HELLO, C("XFOO \xc3\xa9\xc3\r\n"), S(UNKNOWN),
			 DELIVERY),
	    VERDICT_NOTHING);
}

Test(judge_command, a_word_of_which_nothing_comes_is_a_scanners)
{
	cr_expect_eq(JUDGE(HELLO, C("QZKWVPDJ\r\n"), S(UNKNOWN), C("QUIT\r\n"),
			 S("221 Bye\r\n")),
	    VERDICT_NOTHING);
	cr_expect_eq(JUDGE(HELLO, C("QZKWVPDJ\r\n"), S(UNKNOWN), DELIVERY),
	    VERDICT_INCIDENT);
}

Test(judge_command, a_policy_is_named)
{
	begin(CLIENT, SERVER);
	dialogue_say(&d, HELLO, C("QZKWVPDJ\r\n"), S(UNKNOWN), DELIVERY);
	world.domain[0] = "example.org";
	world.body[0] = ENFORCE;
	cr_expect_eq(conclude(), VERDICT_INCIDENT);
	cr_expect_eq(in.policies[0].result, POLICY_UNMET);
	expect_evidence(&in, "command-word policy-unmet");
	cr_expect_eq(in.certainty, CERTAINTY_POSSIBLE);
}
