/* Octets beside STARTTLS: whose they are, and what else explains them. */
#include <criterion/criterion.h>

#include "unit/rules/judging.h"

#define HELLO                                               \
	S("220 mx.example.org ESMTP\r\n"), C("EHLO a\r\n"), \
	    S("250-mx.example.org\r\n250-STARTTLS\r\n250 DSN\r\n")
#define CLIENT_HELLO C("\x16\x03\x01\0\x04\x01\0\0\0")

#define JUDGE(...) \
	(begin(CLIENT, SERVER), dialogue_say(&d, __VA_ARGS__), conclude())

Test(judge_injected, commands_behind_starttls_are_told)
{
	cr_assert_eq(JUDGE(HELLO, C("STARTTLS\r\nRSET\r\n"),
			 S("220 go ahead\r\n"), CLIENT_HELLO),
	    VERDICT_INCIDENT);
	cr_assert_eq(in.kind, KIND_PLAINTEXT_INJECTED);
	cr_assert_eq(in.certainty, CERTAINTY_POSSIBLE);
	cr_assert_eq(in.side, SIDE_CLIENT_OF_TAP);
	cr_assert_str_eq(in.seen, "RSET");
	/* That of STARTTLS, and not of the answer that made it odd. */
	cr_assert_eq(in.frame, 4);
	cr_assert_not_null(strstr(in.observed, "6 octets in clear (\"RSET\")"));
}

Test(judge_injected, replies_behind_the_220_are_told)
{
	cr_assert_eq(JUDGE(HELLO, C("STARTTLS\r\n"),
			 S("220 go ahead\r\n250-mx\r\n250 AUTH PLAIN\r\n"),
			 CLIENT_HELLO),
	    VERDICT_INCIDENT);
	cr_assert_eq(in.kind, KIND_PLAINTEXT_INJECTED);
	cr_assert_eq(in.certainty, CERTAINTY_LIKELY);
	cr_assert_eq(in.side, SIDE_SERVER_OF_TAP);
	cr_assert_str_eq(in.seen, "250-mx");
}

/* A server that waits in vain for a ClientHello says so and leaves. */
Test(judge_injected, a_farewell_behind_the_220_is_none)
{
	cr_expect_neq(JUDGE(HELLO, C("STARTTLS\r\n"), S("220 go ahead\r\n"),
			  S("421 4.4.2 mx Error: timeout exceeded\r\n")),
	    VERDICT_INCIDENT);
	cr_expect_eq(JUDGE(HELLO, C("STARTTLS\r\n"), S("220 go ahead\r\n"),
			 S("421 closing\r\n250 Ok\r\n")),
	    VERDICT_INCIDENT);
}

/* `500 What?` to a ClientHello that was not captured, or to a command. */
Test(judge_injected, without_the_client_replies_behind_the_220_are_answers)
{
	blank();
	d.one_sided = true;
	dialogue_open(&d, "192.0.2.10", "198.51.100.25");
	dialogue_say(&d, S("220 mx.example.org ESMTP\r\n"),
	    S("250-mx.example.org\r\n250-STARTTLS\r\n250 DSN\r\n"),
	    S("220 go ahead\r\n500 What?\r\n"));
	cr_assert_neq(conclude(), VERDICT_INCIDENT);
}

/* A client that pipelines gets answers. */
Test(judge_injected, answers_to_pipelined_commands_are_no_injection_of_replies)
{
	cr_assert_neq(JUDGE(HELLO, C("STARTTLS\r\nNOOP\r\n"),
			  S("220 go ahead\r\n250 Ok\r\n"), CLIENT_HELLO),
	    VERDICT_NOTHING);
	cr_assert_leq(in.certainty, CERTAINTY_POSSIBLE);
}

Test(judge_injected, local_parts_do_not_show)
{
	cr_assert_eq(JUDGE(HELLO,
			 C("STARTTLS\r\nMAIL FROM:<secret@example.net>\r\n"),
			 S("220 go ahead\r\n"), CLIENT_HELLO),
	    VERDICT_INCIDENT);
	cr_assert_null(strstr(in.seen, "secret"));
	cr_assert_null(strstr(in.observed, "secret"));
}

Test(judge_injected, a_refused_starttls_lets_the_client_go_on)
{
	cr_assert_eq(JUDGE(HELLO, C("STARTTLS\r\nRSET\r\n"),
			 S("454 not now\r\n250 Ok\r\n"), C("QUIT\r\n")),
	    VERDICT_EVIDENCE);
	/* The refusal is another matter. */
	cr_assert_eq(in.kind, KIND_STARTTLS_REFUSED);
}

Test(judge_injected, tls_behind_the_220_is_none)
{
	cr_assert_eq(JUDGE(HELLO, C("STARTTLS\r\n"), S("220 go ahead\r\n"),
			 CLIENT_HELLO),
	    VERDICT_NOTHING);
}
