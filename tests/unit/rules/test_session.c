#include <criterion/criterion.h>

#include "unit/rules/dialogue.h"

#define CLIENT "192.0.2.10"
#define SERVER "198.51.100.25"

#define HELLO                                       \
	S("220 mx1.example.org ESMTP Postfix\r\n"), \
	    C("EHLO relay.example.net\r\n"),        \
	    S("250-mx1.example.org\r\n250-SIZE 10240000\r\n250 DSN\r\n")
#define HELLO_TLS                                   \
	S("220 mx1.example.org ESMTP Postfix\r\n"), \
	    C("EHLO relay.example.net\r\n"),        \
	    S("250-mx1.example.org\r\n250-STARTTLS\r\n250 DSN\r\n")

static struct dialogue d;
#define s (&d.session)

Test(session, a_delivery_in_clear_is_folded_from_its_facts)
{
	dialogue_open(&d, CLIENT, SERVER);
	dialogue_say(&d, HELLO, DELIVERY);
	dialogue_close(&d);

	cr_expect_str_eq(s->helo, "relay.example.net");
	cr_expect_str_eq(s->greeting_name, "mx1.example.org");
	cr_expect_eq(s->greeting_code, 220);
	cr_expect(s->ehlo_complete && !s->offered);
	cr_expect_eq(s->line_count, 3);
	cr_expect_eq(s->lines[1].length, strlen("SIZE 10240000"));
	cr_expect_eq(s->lines[1].whole_length, strlen("250-SIZE 10240000"));
	cr_expect(s->mail_clear && s->rcpt_clear && s->data_clear);
	cr_expect_str_eq(s->queue_id, "4F1A2");
	cr_expect_eq(s->domain_count, 1);
	cr_expect_str_eq(s->rcpt_domains[0], "example.org");
	cr_expect(s->quit_sent && s->closed);
	cr_expect_eq(s->ending, ENDING_FIN);
	cr_expect_eq(s->flow.server.port, 25);
}

Test(session, outcome_flags_say_how_far_it_came)
{
	dialogue_open(&d, CLIENT, SERVER);
	dialogue_say(&d, HELLO);
	cr_expect_eq(session_outcome(s), 0);
	dialogue_say(&d, C("MAIL FROM:<a@example.net>\r\n"),
	    S("250 2.1.0 Ok\r\n"));
	cr_expect_eq(session_outcome(s), OUTCOME_ENVELOPE_EXPOSED);
	dialogue_say(&d, C("RCPT TO:<b@example.org>\r\nDATA\r\n"),
	    S("250 2.1.5 Ok\r\n354 go on\r\n"), C("hello\r\n.\r\n"),
	    S("550 5.7.1 no\r\n"));
	dialogue_close(&d);
	cr_expect_eq(session_outcome(s),
	    OUTCOME_ENVELOPE_EXPOSED | OUTCOME_CONTENT_EXPOSED);
}

Test(session, a_message_that_was_taken_is_accepted)
{
	dialogue_open(&d, CLIENT, SERVER);
	dialogue_say(&d, HELLO, DELIVERY);
	dialogue_close(&d);
	cr_expect_eq(session_outcome(s),
	    OUTCOME_ENVELOPE_EXPOSED | OUTCOME_CONTENT_EXPOSED |
		OUTCOME_ACCEPTED);
}

Test(session, bdat_exposes_the_message_too)
{
	dialogue_open(&d, CLIENT, SERVER);
	dialogue_say(&d, HELLO,
	    C("MAIL FROM:<a@example.net>\r\nRCPT TO:<b@example.org>\r\n"
	      "BDAT 7 LAST\r\nhello\r\n"),
	    S("250 Ok\r\n250 Ok\r\n250- 7 byte chunk, total 7\r\n"
	      "250 OK id=1rA2b3-000001-01\r\n"));
	dialogue_close(&d);
	cr_expect_eq(session_outcome(s),
	    OUTCOME_ENVELOPE_EXPOSED | OUTCOME_CONTENT_EXPOSED |
		OUTCOME_ACCEPTED);
	cr_expect_str_eq(s->queue_id, "1rA2b3-000001-01");
}

Test(session, sendmails_queue_id_is_the_word_before_message_accepted)
{
	dialogue_open(&d, CLIENT, SERVER);
	dialogue_say(&d, HELLO,
	    C("MAIL FROM:<a@example.net>\r\nRCPT TO:<b@example.org>\r\n"
	      "DATA\r\n"),
	    S("250 Ok\r\n250 Ok\r\n354 go on\r\n"), C("hello\r\n.\r\n"),
	    S("250 2.0.0 4AN1x Message accepted for delivery\r\n"));
	dialogue_close(&d);
	cr_expect_str_eq(s->queue_id, "4AN1x");
}

Test(session, auth_in_clear_exposes_credentials)
{
	dialogue_open(&d, CLIENT, SERVER);
	dialogue_say(&d, HELLO, C("AUTH LOGIN\r\n"), S("334 VXNlcm5hbWU6\r\n"),
	    C("YWxpY2U=\r\n"), S("334 UGFzc3dvcmQ6\r\n"), C("c2VjcmV0\r\n"),
	    S("235 2.7.0 Ok\r\n"));
	dialogue_close(&d);
	cr_expect_eq(session_outcome(s), OUTCOME_CREDENTIALS_EXPOSED);
}

Test(session, a_client_that_leaves_after_ehlo_stopped)
{
	dialogue_open(&d, CLIENT, SERVER);
	dialogue_say(&d, HELLO, C("QUIT\r\n"), S("221 Bye\r\n"));
	dialogue_close(&d);
	cr_expect_eq(session_outcome(s), OUTCOME_STOPPED);
}

Test(session, a_refused_mail_is_no_client_that_stopped)
{
	dialogue_open(&d, CLIENT, SERVER);
	dialogue_say(&d, HELLO, C("MAIL FROM:<a@example.net>\r\n"),
	    S("530 5.7.0 Must issue a STARTTLS command first\r\n"));
	dialogue_close(&d);
	cr_expect_eq(session_outcome(s), 0);
}

Test(session, tls_is_encrypted_and_nothing_else)
{
	dialogue_open(&d, CLIENT, SERVER);
	dialogue_say(&d, HELLO_TLS, C("STARTTLS\r\n"), S("220 Ready\r\n"));
	dialogue_fact(&d, FACT_TLS_CLIENT_HELLO, 0x0304, "");
	dialogue_fact(&d, FACT_TLS_SNI, 0, "mx1.example.org");
	dialogue_fact(&d, FACT_TLS_SERVER_HELLO, 0x0303, "");
	dialogue_fact(&d, FACT_TLS_CERTIFICATE, 0, "DER");
	dialogue_fact(&d, FACT_TLS_ESTABLISHED, 0, "");
	dialogue_close(&d);
	cr_expect_eq(session_outcome(s), OUTCOME_ENCRYPTED);
	cr_expect(s->offered && s->starttls_sent && !s->starttls_unoffered);
	cr_expect_eq(s->starttls_code, 220);
	cr_expect_eq(s->tls_version, 0x0303);
	cr_expect_str_eq(s->sni, "mx1.example.org");
	cr_expect_neq(s->certificate_hash, 0);
}

Test(session, starttls_after_a_whole_answer_without_it_is_unoffered)
{
	dialogue_open(&d, CLIENT, SERVER);
	dialogue_say(&d, HELLO, C("STARTTLS\r\n"), S("220 Ready\r\n"));
	dialogue_close(&d);
	cr_expect(s->starttls_unoffered);
	cr_expect_eq(s->starttls_code, 220);
}

Test(session, starttls_before_the_answer_is_not_unoffered)
{
	dialogue_open(&d, CLIENT, SERVER);
	dialogue_say(&d, S("220 mx1.example.org ESMTP\r\n"),
	    C("EHLO relay.example.net\r\nSTARTTLS\r\n"),
	    S("250-mx1.example.org\r\n250 DSN\r\n220 Ready\r\n"));
	dialogue_close(&d);
	cr_expect(s->starttls_sent && !s->starttls_unoffered);
}

/* RFC 5321 4.1.4: EHLO again clears what was agreed before. */
Test(session, a_second_ehlo_replaces_the_first_answer)
{
	dialogue_open(&d, CLIENT, SERVER);
	dialogue_say(&d, HELLO_TLS, C("EHLO relay.example.net\r\n"),
	    S("250-mx1.example.org\r\n250-SIZE 1\r\n250-8BITMIME\r\n"
	      "250 DSN\r\n"));
	dialogue_close(&d);
	cr_expect_not(s->offered);
	cr_expect(s->first_offered);
	cr_expect_eq(s->ehlo_answers, 2);
	cr_expect_eq(s->lines_kept, 4);
}

/* What is known of the offer is what the last answer said, and stays so
 * until there is another one: lines and `offered` belong together. */
Test(session, a_second_ehlo_without_answer_leaves_the_first_one_standing)
{
	dialogue_open(&d, CLIENT, SERVER);
	dialogue_say(&d, HELLO_TLS, C("EHLO relay.example.net\r\n"));
	dialogue_close(&d);
	cr_expect(s->offered);
	cr_expect_not(s->ehlo_complete);
	cr_expect_eq(s->lines_kept, 3);
}

Test(session, helo_does_not_take_the_offer_back)
{
	dialogue_open(&d, CLIENT, SERVER);
	dialogue_say(&d, HELLO_TLS, C("HELO relay.example.net\r\n"),
	    S("250 mx1.example.org\r\n"));
	dialogue_close(&d);
	cr_expect(s->offered && s->helo_sent && s->helo_answered);
}

Test(session, a_refused_ehlo_is_answered_but_not_complete)
{
	dialogue_open(&d, CLIENT, SERVER);
	dialogue_say(&d, S("220 mx1.example.org SMTP\r\n"),
	    C("EHLO relay.example.net\r\n"), S("502 what?\r\n"),
	    C("HELO relay.example.net\r\n"), S("250 mx1.example.org\r\n"));
	dialogue_close(&d);
	cr_expect(s->ehlo_answered && !s->ehlo_complete);
	cr_expect(s->helo_answered);
}

Test(session, starttls_in_the_name_line_is_no_keyword)
{
	dialogue_open(&d, CLIENT, SERVER);
	dialogue_say(&d, S("220 mx1.example.org ESMTP\r\n"),
	    C("EHLO relay.example.net\r\n"), S("250 STARTTLS\r\n"));
	dialogue_close(&d);
	cr_expect_not(s->offered);
	cr_expect_eq(s->lines_kept, 1);
}

/* A gap swallows the end of the reply; the answer to a later command then
 * passes for the answer to EHLO. */
Test(session, behind_a_gap_the_answer_that_was_begun_is_kept)
{
	dialogue_open(&d, CLIENT, SERVER);
	dialogue_say(&d, S("220 mx1.example.org ESMTP\r\n"),
	    C("EHLO relay.example.net\r\n"),
	    S("250-mx1.example.org\r\n250-XXXXXXXX\r\n250-SIZE 1\r\n"),
	    GAP(TO_CLIENT, 9), C("MAIL FROM:<a@example.net>\r\n"),
	    S("250 2.1.0 Ok\r\n"), C("RCPT TO:<b@example.org>\r\n"),
	    S("250 2.1.5 Ok\r\n"));
	dialogue_close(&d);
	cr_expect_eq(s->ehlo_answers, 1);
	cr_expect_eq(s->lines_kept, 3);
	cr_expect_eq(memcmp(s->lines[1].text, "XXXXXXXX", 8), 0);
	cr_expect(s->observability & OBS_GAP_TO_CLIENT);
	cr_expect_not(session_absence_seen(s));
}

Test(session, behind_a_gap_an_offer_is_an_offer)
{
	dialogue_open(&d, CLIENT, SERVER);
	dialogue_say(&d, S("220 mx1.example.org ESMTP\r\n"),
	    C("EHLO relay.example.net\r\n"), S("250-mx1.example.org\r\n"),
	    GAP(TO_CLIENT, 9), S("IZE\r\n250-STARTTLS\r\n250 DSN\r\n"));
	dialogue_close(&d);
	cr_expect(s->offered);
}

/* Else every answer would be taken for the one before: EHLO's for the
 * greeting, MAIL's for EHLO's. */
Test(session, a_lost_greeting_shifts_no_answer)
{
	dialogue_open(&d, CLIENT, SERVER);
	dialogue_say(&d, GAP(TO_CLIENT, 30), C("EHLO relay.example.net\r\n"),
	    S("250-mx1.example.org\r\n250-SIZE 1\r\n250-XXXXXXXX\r\n"
	      "250 DSN\r\n"),
	    C("MAIL FROM:<a@example.net>\r\n"), S("250 2.1.0 Ok\r\n"),
	    C("RCPT TO:<b@example.org>\r\n"), S("250 2.1.5 Ok\r\n"));
	dialogue_close(&d);
	cr_expect_not(s->greeted);
	cr_expect_eq(s->lines_kept, 4);
	cr_expect_eq(memcmp(s->lines[2].text, "XXXXXXXX", 8), 0);
	cr_expect_eq(s->domain_count, 1);
}

Test(session, more_lines_than_are_kept_are_counted)
{
	dialogue_open(&d, CLIENT, SERVER);
	dialogue_say(&d, S("220 mx1.example.org ESMTP\r\n"),
	    C("EHLO relay.example.net\r\n"), S("250-mx1.example.org\r\n"));
	for (int i = 0; i < EHLO_LINES_MAX + 10; i++)
		dialogue_say(&d, S("250-XJUNK\r\n"));
	dialogue_say(&d, S("250 STARTTLS\r\n"));
	dialogue_close(&d);
	cr_expect_eq(s->lines_kept, EHLO_LINES_MAX);
	cr_expect_eq(s->line_count, EHLO_LINES_MAX + 12);
	cr_expect(s->offered);
}

Test(session, a_long_line_is_kept_by_its_head_and_its_length)
{
	char line[512] = "250-XLONG ";

	memset(line + 10, 'a', 400);
	strcpy(line + 410, "\r\n");
	dialogue_open(&d, CLIENT, SERVER);
	dialogue_say(&d, S("220 mx1.example.org ESMTP\r\n"),
	    C("EHLO relay.example.net\r\n"), S("250-mx1.example.org\r\n"),
	    { TO_CLIENT, line, strlen(line), false }, S("250 DSN\r\n"));
	dialogue_close(&d);
	cr_expect_eq(s->lines[1].length, 406);
	cr_expect_eq(s->lines[1].text[EHLO_LINE_KEEP_BYTES - 1], 'a');
}

/* Untrusted octets are shown and stored: printable ones only. */
Test(session, texts_of_the_wire_are_kept_printable)
{
	dialogue_open(&d, CLIENT, SERVER);
	dialogue_say(&d, S("220 mx1.exam\x1b[31mple.org ESMTP\r\n"),
	    C("EHLO re\xc3\xa4lay\r\n"), S("250 mx1.example.org\r\n"));
	dialogue_close(&d);
	cr_expect_str_eq(s->greeting_name, "mx1.exam?[31mple.org");
	cr_expect_str_eq(s->helo, "re??lay");
}

Test(session, a_peer_that_is_seen_ends_one_sidedness)
{
	struct fact fact = { .code = FACT_GREETING,
		.frame = 1,
		.value = 220,
		.observability = OBS_ONE_SIDED };

	session_init(s, 1);
	session_fold(s, &fact, slice_str("220 mx1.example.org"));
	cr_expect(s->observability & OBS_ONE_SIDED);
	fact.observability = 0;
	fact.frame = 2;
	session_fold(s, &fact, slice_str("220 mx1.example.org"));
	cr_expect_not(s->observability & OBS_ONE_SIDED);
}
