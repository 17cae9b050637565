/* The dialogue as a whole: from greeting to QUIT, and what derails others. */
#include "unit/dissect/expect.h"

#define HELLO \
	S("220 mx ESMTP\r\n"), C("EHLO a\r\n"), S("250-mx\r\n250 STARTTLS\r\n")
#define HELLO_FACTS                              \
	"S greeting last |220 mx ESMTP\n"        \
	"C command ehlo |EHLO a\n"               \
	"S ehlo-reply ehlo |250-mx\n"            \
	"S ehlo-reply ehlo last |250 STARTTLS\n" \
	"-- ehlo-answered\n"
#define CLOSED_FACTS "C closed fin\n-- closed\n"

Test(smtp, a_delivery_in_clear_is_told_from_greeting_to_quit)
{
	static const struct turn talk[] = { HELLO, C("MAIL FROM:<>\r\n"),
		S("250 2.1.0 Ok\r\n"), C("RCPT TO:<u@example.org>\r\n"),
		S("250 2.1.5 Ok\r\n"), C("DATA\r\n"), S("354 go on\r\n"),
		C("Subject: x\r\n\r\nhello\r\n.\r\n"),
		S("250 2.0.0 Ok: queued as 4F\r\n"), C("QUIT\r\n"),
		S("221 2.0.0 Bye\r\n") };

	EXPECT(talk,
	    HELLO_FACTS "C command mail |MAIL FROM:<>\n"
			"S reply mail last |250 2.1.0 Ok\n"
			"-- mail-accepted\n"
			"C command rcpt |RCPT TO:<~@example.org>\n"
			"S reply rcpt last |250 2.1.5 Ok\n"
			"C command data |DATA\n"
			"S reply data last |354 go on\n"
			"-- data-accepted\n"
			"C body 24\n"
			"S reply body last |250 2.0.0 Ok: queued as 4F\n"
			"-- message-accepted\n"
			"C command quit |QUIT\n"
			"S reply quit last |221 2.0.0 Bye\n" CLOSED_FACTS);
}

Test(smtp, pipelined_commands_meet_their_replies)
{
	static const struct turn talk[] = { HELLO,
		C("MAIL FROM:<>\r\nRCPT TO:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n"),
		S("250 1\r\n550 2\r\n250 3\r\n354 4\r\n"),
		C(".\r\nRSET\r\nQUIT\r\n"), S("250 5\r\n250 6\r\n221 7\r\n") };

	EXPECT(talk,
	    HELLO_FACTS "C command mail |MAIL FROM:<>\n"
			"C command rcpt pipelined |RCPT TO:<~@b>\n"
			"C command rcpt pipelined |RCPT TO:<~@d>\n"
			"C command data pipelined |DATA\n"
			"S reply mail last |250 1\n"
			"-- mail-accepted\n"
			"S reply rcpt last |550 2\n"
			"S reply rcpt last |250 3\n"
			"S reply data last |354 4\n"
			"-- data-accepted\n"
			"C body 3\n"
			"C command rset pipelined |RSET\n"
			"C command quit pipelined |QUIT\n"
			"S reply body last |250 5\n"
			"-- message-accepted\n"
			"S reply rset last |250 6\n"
			"S reply quit last |221 7\n" CLOSED_FACTS);
}

Test(smtp, several_mails_of_a_session_are_each_told)
{
	static const struct turn talk[] = { HELLO, C("MAIL FROM:<>\r\n"),
		S("250 1\r\n"), C("RSET\r\n"), S("250 2\r\n"),
		C("MAIL FROM:<>\r\n"), S("250 3\r\n"), C("RCPT TO:<a@b>\r\n"),
		S("250 4\r\n"), C("DATA\r\n"), S("354 5\r\n"), C("x\r\n.\r\n"),
		S("250 6\r\n"), C("MAIL FROM:<>\r\n"), S("250 7\r\n"),
		C("DATA\r\n"), S("354 8\r\n"), C("yy\r\n.\r\n"),
		S("554 9\r\n") };

	EXPECT(talk,
	    HELLO_FACTS "C command mail |MAIL FROM:<>\n"
			"S reply mail last |250 1\n"
			"-- mail-accepted\n"
			"C command rset |RSET\n"
			"S reply rset last |250 2\n"
			"C command mail |MAIL FROM:<>\n"
			"S reply mail last |250 3\n"
			"C command rcpt |RCPT TO:<~@b>\n"
			"S reply rcpt last |250 4\n"
			"C command data |DATA\n"
			"S reply data last |354 5\n"
			"-- data-accepted\n"
			"C body 6\n"
			"S reply body last |250 6\n"
			"-- message-accepted\n"
			"C command mail |MAIL FROM:<>\n"
			"S reply mail last |250 7\n"
			"C command data |DATA\n"
			"S reply data last |354 8\n"
			"-- data-accepted\n"
			"C body 7\n"
			"S reply body last |554 9\n" CLOSED_FACTS);
}

Test(smtp, a_client_that_falls_back_to_helo_is_followed)
{
	static const struct turn talk[] = { S("220 mx\r\n"), C("EHLO a\r\n"),
		S("502 5.5.2 Error\r\n"), C("helo a\r\n"), S("250 mx\r\n"),
		C("mail from:<>\r\n"), S("250 Ok\r\n") };

	EXPECT(talk,
	    "S greeting last |220 mx\n"
	    "C command ehlo |EHLO a\n"
	    "S ehlo-reply ehlo last |502 5.5.2 Error\n"
	    "-- ehlo-answered\n"
	    "C command helo |helo a\n"
	    "S reply helo last |250 mx\n"
	    "-- ehlo-answered\n"
	    "C command mail |mail from:<>\n"
	    "S reply mail last |250 Ok\n"
	    "-- mail-accepted\n" CLOSED_FACTS);
}

Test(smtp, a_greeting_of_several_lines_is_one_greeting)
{
	static const struct turn talk[] = { S("220-mx\r\n220-\r\n220 x\r\n"),
		C("EHLO a\r\n"), S("250 mx\r\n") };

	EXPECT(talk,
	    "S greeting |220-mx\n"
	    "S greeting |220-\n"
	    "S greeting last |220 x\n"
	    "C command ehlo |EHLO a\n"
	    "S ehlo-reply ehlo last |250 mx\n"
	    "-- ehlo-answered\n" CLOSED_FACTS);
}

Test(smtp, a_client_that_does_not_wait_for_the_greeting_is_pipelined)
{
	static const struct turn talk[] = { C("EHLO a\r\n"),
		S("220 mx\r\n250 mx\r\n") };

	EXPECT(talk,
	    "C command ehlo pipelined |EHLO a\n"
	    "S greeting last |220 mx\n"
	    "S ehlo-reply ehlo last |250 mx\n"
	    "-- ehlo-answered\n" CLOSED_FACTS);
}

Test(smtp, empty_lines_of_the_server_neither_end_nor_answer_anything)
{
	static const struct turn talk[] = { S("\r\n220 mx\r\n"),
		C("EHLO a\r\n"), S("\n250-mx\r\n\r\n250 STARTTLS\r\n"),
		C("STARTTLS\r\n"), S("\r\n\r\n454 no\r\n") };

	EXPECT(talk,
	    "S greeting odd |\n"
	    "S greeting last |220 mx\n"
	    "C command ehlo |EHLO a\n"
	    "S ehlo-reply ehlo bare-lf odd |\n"
	    "S ehlo-reply ehlo |250-mx\n"
	    "S ehlo-reply ehlo odd |\n"
	    "S ehlo-reply ehlo last |250 STARTTLS\n"
	    "-- ehlo-answered\n"
	    "C command starttls |STARTTLS\n"
	    "S reply starttls odd |\n"
	    "S reply starttls odd |\n"
	    "S reply starttls last |454 no\n"
	    "-- starttls-answered\n" CLOSED_FACTS);
}

/* Postfix, Exim and sendmail answer it, others do not: the next reply must be
 * the next command's either way. */
Test(smtp, an_empty_line_of_the_client_may_be_answered)
{
	static const struct turn talk[] = { S("220 mx\r\n"),
		C("\r\nEHLO a\r\n"), S("500 5.5.2 bad syntax\r\n250 mx\r\n") };

	EXPECT(talk,
	    "S greeting last |220 mx\n"
	    "C command other |\n"
	    "C command ehlo pipelined |EHLO a\n"
	    "S reply last |500 5.5.2 bad syntax\n"
	    "S ehlo-reply ehlo last |250 mx\n"
	    "-- ehlo-answered\n" CLOSED_FACTS);
}

Test(smtp, an_empty_line_of_the_client_may_be_ignored)
{
	static const struct turn talk[] = { S("220 mx\r\n"),
		C("\r\n\n\r\nEHLO a\r\n"), S("250-mx\r\n250 STARTTLS\r\n") };

	EXPECT(talk,
	    "S greeting last |220 mx\n"
	    "C command other |\n"
	    "C command other bare-lf pipelined |\n"
	    "C command other pipelined |\n"
	    "C command ehlo pipelined |EHLO a\n"
	    "S ehlo-reply ehlo |250-mx\n"
	    "S ehlo-reply ehlo last |250 STARTTLS\n"
	    "-- ehlo-answered\n" CLOSED_FACTS);
}

Test(smtp, bare_line_feeds_end_lines_and_are_noted)
{
	static const struct turn talk[] = { S("220 mx\n"), C("EHLO a\n"),
		S("250-mx\n250 STARTTLS\r\n") };

	EXPECT(talk,
	    "S greeting last bare-lf |220 mx\n"
	    "C command ehlo bare-lf |EHLO a\n"
	    "S ehlo-reply ehlo bare-lf |250-mx\n"
	    "S ehlo-reply ehlo last |250 STARTTLS\n"
	    "-- ehlo-answered\n" CLOSED_FACTS);
}

Test(smtp, odd_reply_codes_are_noted_and_do_not_derail)
{
	static const struct turn talk[] = { S("220 mx\r\n"), C("EHLO a\r\n"),
		S("250-mx\r\n251-odd\r\nXXXXXXXA\r\n25 short\r\n"),
		C("NOOP\r\n"), S("999 what\r\n"), C("NOOP\r\n"), S("250\r\n"),
		C("NOOP\r\n"), S("2500 long\r\n"), C("STARTTLS\r\n"),
		S("454-no\r\n454 no\r\n") };

	EXPECT(talk,
	    "S greeting last |220 mx\n"
	    "C command ehlo |EHLO a\n"
	    "S ehlo-reply ehlo |250-mx\n"
	    "S ehlo-reply ehlo odd |251-odd\n"
	    "S ehlo-reply ehlo odd |XXXXXXXA\n"
	    "S ehlo-reply ehlo odd |25 short\n"
	    "-- ehlo-answered\n"
	    "C command noop |NOOP\n"
	    "S reply noop odd |999 what\n"
	    "C command noop |NOOP\n"
	    "S reply noop last |250\n"
	    "C command noop |NOOP\n"
	    "S reply noop odd |2500 long\n"
	    "C command starttls |STARTTLS\n"
	    "S reply starttls |454-no\n"
	    "S reply starttls last |454 no\n"
	    "-- starttls-answered\n" CLOSED_FACTS);
}

Test(smtp, verbs_are_whole_words_in_any_case)
{
	static const struct turn talk[] = { S("220 mx\r\n"), C("STARTTLSX\r\n"),
		S("500 1\r\n"), C("starttls now\r\n"), S("501 2\r\n"),
		C("StArTtLs\r\n"), S("454 3\r\n"), C("XXXXXXXX\r\n"),
		S("500 4\r\n") };

	EXPECT(talk,
	    "S greeting last |220 mx\n"
	    "C command other |STARTTLSX\n"
	    "S reply other last |500 1\n"
	    "C command starttls |starttls now\n"
	    "S reply starttls last |501 2\n"
	    "-- starttls-answered\n"
	    "C command starttls |StArTtLs\n"
	    "S reply starttls last |454 3\n"
	    "-- starttls-answered\n"
	    "C command other |XXXXXXXX\n"
	    "S reply other last |500 4\n" CLOSED_FACTS);
}

/* More commands of more kinds than there is room for: what comes after them
 * still meets its own reply. */
Test(smtp, endless_pipelining_does_not_shift_replies)
{
	enum { PAIRS = 40 };
	struct turn talk[PAIRS * 4 + 6] = { HELLO };
	size_t n = 3;

	for (int i = 0; i < PAIRS; i++) {
		talk[n++] = (struct turn)C("NOOP\r\n");
		talk[n++] = (struct turn)C("RSET\r\n");
	}
	talk[n++] = (struct turn)C("STARTTLS\r\n");
	for (int i = 0; i < PAIRS * 2; i++)
		talk[n++] = (struct turn)S("250 ok\r\n");
	talk[n++] = (struct turn)S("454 no\r\n");
	{
		struct dialogue d = { .ending = ENDING_FIN };

		dialogue_run(&d, talk, n);
		cr_assert_not_null(strstr(d.text,
				       "S reply starttls last |454 no\n"
				       "-- starttls-answered\n"),
		    "%s", d.text);
		dialogue_free(&d);
	}
}

/* RFC 5321 4.5.3.1 has lines of 512 octets; no mask is as long as this one, so
 * all that is kept of it is blanked. */
Test(smtp, endless_lines_are_cut_and_their_end_is_found)
{
	enum { LONG = 5000 };
	char endless[LONG + 2];
	struct turn talk[] = { S("220 mx\r\n"),
		{ TO_SERVER, endless, sizeof(endless), 0 }, S("500 long\r\n"),
		C("EHLO a\r\n"), S("250 mx\r\n") };
	struct dialogue d = { .ending = ENDING_FIN };
	size_t kept = 0;

	memset(endless, 'X', LONG);
	memcpy(endless + LONG, "\r\n", 2);
	dialogue_run(&d, TURNS(talk));
	for (const char *c = d.text; *c != '\0'; c++)
		kept += *c == '~';
	cr_assert_eq(kept, FACT_LINE_MAX_BYTES);
	cr_assert_not_null(strstr(d.text, "C command other cut |~"));
	cr_assert_not_null(strstr(d.text,
	    "S reply other last |500 long\n"
	    "C command ehlo |EHLO a\n"
	    "S ehlo-reply ehlo last |250 mx\n"));
	dialogue_free(&d);
	EXPECT(talk, NULL);
}

Test(smtp, lines_around_the_limit_are_the_same_however_they_come)
{
	for (size_t len = FACT_LINE_MAX_BYTES - 2;
	     len <= FACT_LINE_MAX_BYTES + 2; len++) {
		char line[FACT_LINE_MAX_BYTES + 8];
		struct turn talk[] = { S("220 mx\r\n"), C("EHLO a\r\n"),
			{ TO_CLIENT, line, len + 2, 0 } };
		struct dialogue whole = { 0 }, cut = { .cutting = CUT_OCTETS };

		memset(line, 'a', sizeof(line));
		memcpy(line, "250 ", 4);
		line[len] = '\r';
		line[len + 1] = '\n';
		dialogue_run(&whole, TURNS(talk));
		dialogue_run(&cut, TURNS(talk));
		cr_assert_str_eq(whole.text, cut.text, "%zu octets", len);
		dialogue_free(&whole);
		dialogue_free(&cut);
	}
}

Test(smtp, a_line_that_never_ends_is_told_as_unfinished)
{
	static const struct turn talk[] = { S("220 mx\r\n"), C("EHLO a\r\n"),
		S("250-mx\r\n250-STARTT") };

	EXPECT(talk,
	    "S greeting last |220 mx\n"
	    "C command ehlo |EHLO a\n"
	    "S ehlo-reply ehlo |250-mx\n"
	    "S ehlo-reply ehlo unfinished |250-STARTT\n" CLOSED_FACTS);
}

Test(smtp, off_the_mail_ports_a_greeting_must_say_smtp)
{
	static const struct turn smtp[] = { S("220 mx ESMTP\r\n"),
		C("EHLO a\r\n") };
	static const struct turn ftp[] = { S("220 ftp\r\n"), C("USER a\r\n") };
	static const struct turn more[] = { S("220 ftp\r\n"),
		C("USER a\r\nEHLO b\r\nPA") };
	static const struct turn quiet[] = { S("220 mx\r\n"), C("EHLO a\r\n") };
	static const struct turn http[] = { S("HTTP/1.1 200\r\n") };
	static const struct turn near[] = { S("222 SMTP\r\n") };
	static const struct turn late[] = { S("220-a\r\nESMTP\r\n") };

	EXPECT_WITH(WITH(.off_port = true), smtp,
	    "S greeting last |220 mx ESMTP\n"
	    "C command ehlo |EHLO a\n" CLOSED_FACTS);
	EXPECT_WITH(WITH(.off_port = true), quiet,
	    "S greeting last |220 mx\n"
	    "C command ehlo |EHLO a\n" CLOSED_FACTS);
	EXPECT_WITH(WITH(.off_port = true), ftp, "");
	EXPECT_WITH(WITH(.off_port = true), more, "");
	EXPECT_WITH(WITH(.off_port = true), http, "");
	EXPECT_WITH(WITH(.off_port = true), near, "");
	EXPECT_WITH(WITH(.off_port = true), late, "");
}

Test(smtp, a_session_goes_through_its_phases)
{
	static const struct {
		size_t turns;
		enum smtp_phase phase;
		enum interest interest;
	} rows[] = { { 0, SMTP_PHASE_UNKNOWN, INTEREST_NEGOTIATION },
		{ 1, SMTP_PHASE_GREETED, INTEREST_NEGOTIATION },
		{ 2, SMTP_PHASE_NEGOTIATING, INTEREST_NEGOTIATION },
		{ 3, SMTP_PHASE_NEGOTIATING, INTEREST_NEGOTIATION },
		{ 5, SMTP_PHASE_MAIL, INTEREST_BYTES } };
	static const struct turn talk[] = { HELLO, C("MAIL FROM:<>\r\n"),
		S("250 Ok\r\n") };

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct dialogue d = { 0 };

		dialogue_run(&d, talk, rows[i].turns);
		cr_assert_eq(d.phase, rows[i].phase, "after %zu turns",
		    rows[i].turns);
		cr_assert_eq(d.interest, rows[i].interest);
		dialogue_free(&d);
	}
}

Test(smtp, every_ending_is_told_and_published)
{
	static const struct turn talk[] = { S("220 mx\r\n") };

	EXPECT_WITH({ .ending = ENDING_RST }, talk,
	    "S greeting last |220 mx\nC closed rst\n-- closed\n");
	EXPECT_WITH({ .ending = ENDING_REUSED }, talk,
	    "S greeting last |220 mx\nC closed reused\n-- closed\n");
	EXPECT_WITH({ .ending = ENDING_EXPIRED }, talk,
	    "S greeting last |220 mx\nC closed expired\n-- expired\n");
	EXPECT_WITH({ .ending = ENDING_CAPTURE_END }, talk,
	    "S greeting last |220 mx\nC closed capture-end\n-- expired\n");
	EXPECT_WITH({ .ending = ENDING_EVICTED }, talk,
	    "S greeting last |220 mx\nC closed evicted\n-- expired\n");
}

Test(smtp, without_room_the_dialogue_is_still_followed)
{
	static const struct turn talk[] = { HELLO, C("MAIL FROM:<>\r\n"),
		S("250 Ok\r\n"), C("RCPT TO:<a@b>\r\n"), S("250 Ok\r\n") };
	struct dialogue d = { .budget_bytes = 1 };

	dialogue_run(&d, TURNS(talk));
	cr_assert_eq(d.interest, INTEREST_BYTES);
	cr_assert_eq(d.phase, SMTP_PHASE_MAIL);
	cr_assert_eq(d.counters.of[COUNTER_LOG_EVICTED], 1);
	cr_assert_str_eq(d.text,
	    "-- ehlo-answered\n-- mail-accepted\n-- closed\n", "%s", d.text);
	dialogue_free(&d);
}

Test(smtp, a_line_that_nobody_can_read_does_not_end_a_reply)
{
	static const struct turn talk[] = { S("220 mx ESMTP\r\n"),
		C("EHLO a\r\n"),
		S("250-mx\r\n2X0-STARTTLS\r\n25XXXXXX\r\n250 DSN\r\n"),
		C("MAIL FROM:<>\r\n"), S("250 ok\r\n") };

	EXPECT(talk,
	    "S greeting last |220 mx ESMTP\n"
	    "C command ehlo |EHLO a\n"
	    "S ehlo-reply ehlo |250-mx\n"
	    "S ehlo-reply ehlo odd |2X0-STARTTLS\n"
	    "S ehlo-reply ehlo odd |25XXXXXX\n"
	    "S ehlo-reply ehlo last |250 DSN\n"
	    "-- ehlo-answered\n"
	    "C command mail |MAIL FROM:<>\n"
	    "S reply mail last |250 ok\n"
	    "-- mail-accepted\n" CLOSED_FACTS);
}

Test(smtp, it_ends_one_when_the_client_goes_on)
{
	static const struct turn talk[] = { S("220 mx ESMTP\r\n"),
		C("EHLO a\r\n"), S("250-mx\r\n25 DSN\r\n"),
		C("MAIL FROM:<>\r\n"), S("250 ok\r\n") };

	EXPECT(talk,
	    "S greeting last |220 mx ESMTP\n"
	    "C command ehlo |EHLO a\n"
	    "S ehlo-reply ehlo |250-mx\n"
	    "S ehlo-reply ehlo odd |25 DSN\n"
	    "-- ehlo-answered\n"
	    "C command mail |MAIL FROM:<>\n"
	    "S reply mail last |250 ok\n"
	    "-- mail-accepted\n" CLOSED_FACTS);
}

Test(smtp, it_ends_one_when_another_code_follows)
{
	static const struct turn talk[] = { HELLO,
		C("MAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\n"),
		S("250 ok\r\n2XX ok\r\n354 go on\r\n"), C(".\r\n"),
		S("250 ok\r\n") };

	EXPECT(talk,
	    HELLO_FACTS "C command mail |MAIL FROM:<>\n"
			"C command rcpt pipelined |RCPT TO:<~@b>\n"
			"C command data pipelined |DATA\n"
			"S reply mail last |250 ok\n"
			"-- mail-accepted\n"
			"S reply rcpt odd |2XX ok\n"
			"S reply data last |354 go on\n"
			"-- data-accepted\n"
			"C body 3\n"
			"S reply body last |250 ok\n"
			"-- message-accepted\n" CLOSED_FACTS);
}
