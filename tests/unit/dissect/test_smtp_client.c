/* Messages, chunks and AUTH: what a client sends that is no command. */
#include "unit/dissect/expect.h"

/* An accepted envelope; its facts are of no interest here. */
#define ENVELOPE                                           \
	S("220 mx\r\n"), C("EHLO a\r\n"), S("250 mx\r\n"), \
	    C("MAIL FROM:<>\r\n"), S("250 1\r\n")
#define ENVELOPE_FACTS                     \
	"S greeting last |220 mx\n"        \
	"C command ehlo |EHLO a\n"         \
	"S ehlo-reply ehlo last |250 mx\n" \
	"-- ehlo-answered\n"               \
	"C command mail |MAIL FROM:<>\n"   \
	"S reply mail last |250 1\n"       \
	"-- mail-accepted\n"
#define DATA_FACTS                   \
	"C command data |DATA\n"     \
	"S reply data last |354 2\n" \
	"-- data-accepted\n"
#define QUIT_FACTS                   \
	"C command quit |QUIT\n"     \
	"S reply quit last |221 4\n" \
	"C closed fin\n-- closed\n"
#define CLOSED_FACTS "C closed fin\n-- closed\n"

/* --- DATA ---------------------------------------------------------------- */

Test(smtp_data, only_a_dot_between_two_line_ends_ends_a_message)
{
	static const struct turn talk[] = { ENVELOPE, C("DATA\r\n"),
		S("354 2\r\n"),
		C("\r\n..\r\n.x\r\n\n.\n\r.\r\r\n.\rQUIT\r\n \r\n\r\n.\r\n"),
		S("250 3\r\n"), C("QUIT\r\n"), S("221 4\r\n") };

	EXPECT(talk,
	    ENVELOPE_FACTS DATA_FACTS "C body 34\n"
				      "S reply body last |250 3\n"
				      "-- message-accepted\n" QUIT_FACTS);
}

Test(smtp_data, an_empty_message_is_a_lone_dot)
{
	static const struct turn talk[] = { ENVELOPE, C("DATA\r\n"),
		S("354 2\r\n"), C(".\r\n"), S("250 3\r\n"), C("QUIT\r\n"),
		S("221 4\r\n") };

	EXPECT(talk,
	    ENVELOPE_FACTS DATA_FACTS "C body 3\n"
				      "S reply body last |250 3\n"
				      "-- message-accepted\n" QUIT_FACTS);
}

/* All ways to cut the five octets into segments of their own. */
Test(smtp_data, the_terminator_is_found_across_segments)
{
	static const char end[] = "x\r\n.\r\nQUIT\r\n";

	for (unsigned cuts = 0; cuts < 1u << 6; cuts++) {
		struct turn talk[32] = { ENVELOPE, C("DATA\r\n"),
			S("354 2\r\n") };
		size_t n = 7, from = 0;
		struct dialogue d = { 0 };

		for (size_t i = 1; i <= 6; i++) {
			if (i < 6 && !(cuts >> i & 1))
				continue;
			talk[n++] =
			    (struct turn){ TO_SERVER, end + from, i - from, 0 };
			from = i;
		}
		talk[n++] = (struct turn)S("250 3\r\n");
		talk[n++] = (struct turn){ TO_SERVER, end + 6, 6, 0 };
		dialogue_run(&d, talk, n);
		cr_assert_not_null(strstr(d.text,
				       "C body 6\n"
				       "S reply body last |250 3\n"
				       "-- message-accepted\n"
				       "C command quit |QUIT\n"),
		    "cuts %x:\n%s", cuts, d.text);
		dialogue_free(&d);
	}
}

Test(smtp_data, what_looks_like_commands_in_a_message_is_skipped)
{
	static const struct turn talk[] = { ENVELOPE, C("DATA\r\n"),
		S("354 2\r\n"),
		C("EHLO b\r\nSTARTTLS\r\nQUIT\r\n\x16\x03\x01\r\n.\r\n"),
		S("250 3\r\n"), C("QUIT\r\n"), S("221 4\r\n") };

	EXPECT(talk,
	    ENVELOPE_FACTS DATA_FACTS "C body 32\n"
				      "S reply body last |250 3\n"
				      "-- message-accepted\n" QUIT_FACTS);
}

Test(smtp_data,
    a_client_that_does_not_wait_for_354_sends_a_message_all_the_same)
{
	static const struct turn talk[] = { ENVELOPE,
		C("DATA\r\nhi\r\n.\r\nQUIT\r\n"),
		S("354 2\r\n250 3\r\n221 4\r\n") };

	EXPECT(talk,
	    ENVELOPE_FACTS "C command data |DATA\n"
			   "S reply data last |354 2\n"
			   "C body 7\n"
			   "C command quit pipelined |QUIT\n"
			   "-- data-accepted\n"
			   "S reply body last |250 3\n"
			   "-- message-accepted\n"
			   "S reply quit last |221 4\n" CLOSED_FACTS);
}

Test(smtp_data, refused_data_under_pipelining_has_no_message)
{
	static const struct turn talk[] = { ENVELOPE,
		C("RCPT TO:<a@b>\r\nDATA\r\n"),
		S("550 no\r\n554 no valid recipients\r\n"), C("RSET\r\n"),
		S("250 3\r\n"), C("QUIT\r\n"), S("221 4\r\n") };

	EXPECT(talk,
	    ENVELOPE_FACTS "C command rcpt |RCPT TO:<~@b>\n"
			   "C command data pipelined |DATA\n"
			   "S reply rcpt last |550 no\n"
			   "S reply data last |554 no valid recipients\n"
			   "C command rset |RSET\n"
			   "S reply rset last |250 3\n" QUIT_FACTS);
}

/* RFC 2920 3.1 forbids it; the server reads the message as commands. */
Test(smtp_data, a_message_behind_refused_data_is_read_as_the_server_reads_it)
{
	static const struct turn talk[] = { ENVELOPE,
		C("DATA\r\nHelp me\r\n.\r\nQUIT\r\n"),
		S("554 2\r\n500 a\r\n500 b\r\n221 4\r\n") };

	EXPECT(talk,
	    ENVELOPE_FACTS "C command data |DATA\n"
			   "S reply data last |554 2\n"
			   "C command help |Help ~~\n"
			   "C command other pipelined |~\n"
			   "C command quit pipelined |QUIT\n"
			   "S reply help last |500 a\n"
			   "S reply other last |500 b\n"
			   "S reply quit last |221 4\n" CLOSED_FACTS);
}

/* --- DATA with losses ---------------------------------------------------- */

Test(smtp_data, after_a_gap_in_a_message_only_the_reply_ends_it)
{
	static const struct turn talk[] = { ENVELOPE, C("DATA\r\n"),
		S("354 2\r\n"), C("abc"), C_GAP(100),
		C("HELO x\r\nQUIT\r\n.\r\n"), S("250 3\r\n"), C("QUIT\r\n"),
		S("221 4\r\n") };

	EXPECT(talk,
	    ENVELOPE_FACTS DATA_FACTS "C gap 100\n"
				      "S reply body last |250 3\n"
				      "C body 120\n"
				      "-- message-accepted\n" QUIT_FACTS);
}

/* Its end may be in the gap or still to come: nothing of it may be taken for
 * commands, until the next reply. */
Test(smtp_data, a_refusal_after_a_gap_leaves_the_message_in_doubt)
{
	static const struct turn talk[] = { ENVELOPE, C("DATA\r\n"),
		S("354 2\r\n"), C("abc"), C_GAP(100), S("552 too big\r\n"),
		C("HELP secret\r\n.\r\n"), S("500 3\r\n"), C("QUIT\r\n"),
		S("221 4\r\n") };

	EXPECT(talk,
	    ENVELOPE_FACTS DATA_FACTS "C gap 100\n"
				      "S reply body last |552 too big\n"
				      "C body 103\n"
				      "S reply last |500 3\n" QUIT_FACTS);
}

Test(smtp_data, a_reply_amid_a_message_makes_no_commands_of_its_lines)
{
	static const struct turn talk[] = { ENVELOPE, C("DATA\r\n"),
		S("354 2\r\n"), C("abc\r\n"), S("552 too big\r\n"),
		C("Help my secret\r\nNOOP x\r\n.\r\n") };

	EXPECT(talk,
	    ENVELOPE_FACTS DATA_FACTS "S reply body last |552 too big\n"
				      "C body 5\n" CLOSED_FACTS);
}

/* What servers take for the end, too: SMTP smuggling lives on it. */
Test(smtp_data, a_server_that_takes_a_loose_end_for_one_is_followed)
{
	static const char *const ends[] = { "x\n.\n", "x\n.\r\n", "x\r\n.\n",
		".\n" };

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		struct turn talk[] = { ENVELOPE, C("DATA\r\n"), S("354 2\r\n"),
			{ TO_SERVER, ends[i], strlen(ends[i]), 0 },
			S("250 3\r\n"), C("QUIT\r\n"), S("221 4\r\n") };
		struct dialogue d = { 0 };

		dialogue_run(&d, TURNS(talk));
		cr_assert_not_null(strstr(d.text,
				       "-- message-accepted\n" QUIT_FACTS),
		    "%s", d.text);
		dialogue_free(&d);
		EXPECT(talk, NULL);
	}
}

Test(smtp_data, data_that_is_in_a_gap_is_known_by_its_reply)
{
	static const struct turn talk[] = { ENVELOPE, C_GAP(6), S("354 2\r\n"),
		C("HELO x\r\nSTARTTLS\r\n.\r\n"), S("250 3\r\n"), C("QUIT\r\n"),
		S("221 4\r\n") };

	EXPECT(talk,
	    ENVELOPE_FACTS "C gap 6\n"
			   "S reply data last |354 2\n"
			   "-- data-accepted\n"
			   "C body 21\n"
			   "S reply body last |250 3\n"
			   "-- message-accepted\n" QUIT_FACTS);
}

/* The message waits for an answer that is in the gap. */
Test(smtp_data, a_message_whose_354_is_in_a_gap_is_no_commands)
{
	static const struct turn talk[] = { ENVELOPE, C("DATA\r\n"), S_GAP(7),
		C("Help my secret\r\n.\r\n"), S("250 3\r\n"), C("QUIT\r\n"),
		S("221 4\r\n") };

	EXPECT(talk,
	    ENVELOPE_FACTS "C command data |DATA\n"
			   "S gap 7\n"
			   "S reply body last |250 3\n"
			   "C body 19\n"
			   "-- message-accepted\n" QUIT_FACTS);
}

Test(smtp_data, a_gap_that_holds_a_refusal_of_data_does_not_swallow_the_rest)
{
	static const struct turn talk[] = { ENVELOPE, C("DATA\r\nab"),
		C_GAP(10), S("554 no\r\n"), C("RSET\r\n"), S("250 3\r\n"),
		C("QUIT\r\n"), S("221 4\r\n") };

	EXPECT(talk,
	    ENVELOPE_FACTS "C command data |DATA\n"
			   "C gap 10\n"
			   "S reply data last |554 no\n"
			   "C command rset |RSET\n"
			   "S reply rset last |250 3\n" QUIT_FACTS);
}

Test(smtp_data, a_lost_reply_does_not_shift_the_later_ones)
{
	static const struct turn talk[] = { ENVELOPE, C("RCPT TO:<a@b>\r\n"),
		S_GAP(8), C("DATA\r\n"), S("354 2\r\n"), C(".\r\n"),
		S("250 3\r\n"), C("QUIT\r\n"), S("221 4\r\n") };

	EXPECT(talk,
	    ENVELOPE_FACTS "C command rcpt |RCPT TO:<~@b>\n"
			   "S gap 8\n" DATA_FACTS "C body 3\n"
			   "S reply body last |250 3\n"
			   "-- message-accepted\n" QUIT_FACTS);
}

Test(smtp_data, replies_to_commands_in_a_gap_do_not_shift_the_later_ones)
{
	static const struct turn talk[] = { ENVELOPE, C("RCPT TO:<a@b>\r\n"),
		C_GAP(15), C("DATA\r\n"), S("250 a\r\n250 b\r\n354 2\r\n"),
		C(".\r\n"), S("250 3\r\n"), C("QUIT\r\n"), S("221 4\r\n") };

	EXPECT(talk,
	    ENVELOPE_FACTS "C command rcpt |RCPT TO:<~@b>\n"
			   "C gap 15\n"
			   "C command data |DATA\n"
			   "S reply last |250 a\n"
			   "S reply last |250 b\n"
			   "S reply data last |354 2\n"
			   "-- data-accepted\n"
			   "C body 3\n"
			   "S reply body last |250 3\n"
			   "-- message-accepted\n" QUIT_FACTS);
}

/* --- one side only ------------------------------------------------------- */

Test(smtp_data, a_client_alone_is_read_to_its_quit)
{
	static const struct turn talk[] = { C("EHLO a\r\n"),
		C("MAIL FROM:<>\r\n"), C("RCPT TO:<a@b>\r\n"), C("DATA\r\n"),
		C("NOOP\r\n.\r\n"), C("QUIT\r\n") };

	EXPECT_WITH(WITH(.one_sided = true), talk,
	    "C command ehlo pipelined |EHLO a\n"
	    "C command mail pipelined |MAIL FROM:<>\n"
	    "C command rcpt pipelined |RCPT TO:<~@b>\n"
	    "C command data pipelined |DATA\n"
	    "C body 9\n"
	    "C command quit pipelined |QUIT\n" CLOSED_FACTS);
}

Test(smtp_data, a_server_alone_is_read_by_the_order_of_a_delivery)
{
	static const struct turn talk[] = { S("220 mx\r\n"),
		S("250-mx\r\n250-SIZE\r\n250 XXXXXXXA\r\n"), S("250 1\r\n"),
		S("250 2\r\n"), S("354 3\r\n"), S("250 4\r\n"),
		S("221 5\r\n") };

	EXPECT_WITH(WITH(.one_sided = true), talk,
	    "S greeting last |220 mx\n"
	    "S ehlo-reply ehlo |250-mx\n"
	    "S ehlo-reply ehlo |250-SIZE\n"
	    "S ehlo-reply ehlo last |250 XXXXXXXA\n"
	    "-- ehlo-answered\n"
	    "S reply mail last |250 1\n"
	    "-- mail-accepted\n"
	    "S reply rcpt last |250 2\n"
	    "S reply data last |354 3\n"
	    "-- data-accepted\n"
	    "S reply body last |250 4\n"
	    "-- message-accepted\n"
	    "S reply quit last |221 5\n" CLOSED_FACTS);
}

Test(smtp_data, a_server_alone_may_answer_helo)
{
	static const struct turn talk[] = { S("220 mx\r\n"), S("250 mx\r\n"),
		S("250 1\r\n") };

	EXPECT_WITH(WITH(.one_sided = true), talk,
	    "S greeting last |220 mx\n"
	    "S reply helo last |250 mx\n"
	    "-- ehlo-answered\n"
	    "S reply mail last |250 1\n"
	    "-- mail-accepted\n" CLOSED_FACTS);
}

Test(smtp_data, midstream_nothing_is_a_command_until_a_reply_or_a_hello)
{
	static const struct turn body[] = { C("secret line\r\nHELP\r\n"),
		S("250 1\r\n"), C("QUIT\r\n"), S("221 4\r\n") };
	static const struct turn hello[] = { C("XX\r\nEHLO a\r\n"),
		S("250-mx\r\n250 STARTTLS\r\n") };

	EXPECT_WITH(WITH(.midstream = true), body,
	    "S reply last |250 1\n" QUIT_FACTS);
	EXPECT_WITH(WITH(.midstream = true), hello,
	    "C command ehlo |EHLO a\n"
	    "S ehlo-reply ehlo |250-mx\n"
	    "S ehlo-reply ehlo last |250 STARTTLS\n"
	    "-- ehlo-answered\n" CLOSED_FACTS);
}

/* With the greeting only TCP's handshake is missing: what comes next are
 * commands, whatever became of them. */
Test(smtp_data, midstream_with_the_greeting_everything_is_a_command)
{
	static const struct turn talk[] = { S("220 mx ESMTP\r\n"),
		C("XXXX me\r\n"), S("500 what\r\n") };

	EXPECT_WITH(WITH(.midstream = true), talk,
	    "S greeting last |220 mx ESMTP\n"
	    "C command other |XXXX ~~\n"
	    "S reply other last |500 what\n" CLOSED_FACTS);
}

/* --- BDAT ---------------------------------------------------------------- */

Test(smtp_bdat, chunks_are_skipped_by_their_size)
{
	static const struct turn talk[] = { ENVELOPE,
		C("BDAT 9\r\nQUIT\r\n.\r\nbdat 4 last\r\nab\r\n"),
		S("250 2\r\n250 3\r\n"), C("QUIT\r\n"), S("221 4\r\n") };

	EXPECT(talk,
	    ENVELOPE_FACTS "C command bdat |BDAT 9\n"
			   "C body 9\n"
			   "C command bdat pipelined |bdat 4 last\n"
			   "C body 4\n"
			   "S reply bdat last |250 2\n"
			   "-- data-accepted\n"
			   "S reply body last |250 3\n"
			   "-- message-accepted\n" QUIT_FACTS);
}

Test(smtp_bdat, the_last_chunk_may_be_empty)
{
	static const struct turn talk[] = { ENVELOPE, C("BDAT 0 LAST\r\n"),
		S("250 3\r\n"), C("QUIT\r\n"), S("221 4\r\n") };

	EXPECT(talk,
	    ENVELOPE_FACTS "C command bdat |BDAT 0 LAST\n"
			   "S reply body last |250 3\n"
			   "-- message-accepted\n" QUIT_FACTS);
}

Test(smtp_bdat, a_gap_inside_a_chunk_loses_nothing_but_its_octets)
{
	static const struct turn talk[] = { ENVELOPE, C("BDAT 20 LAST\r\nabc"),
		C_GAP(10), C("DEFGHIJQUIT\r\n"), S("250 3\r\n221 4\r\n") };

	EXPECT(talk,
	    ENVELOPE_FACTS "C command bdat |BDAT 20 LAST\n"
			   "C gap 10\n"
			   "C body 20\n"
			   "C command quit pipelined |QUIT\n"
			   "S reply body last |250 3\n"
			   "-- message-accepted\n"
			   "S reply quit last |221 4\n" CLOSED_FACTS);
}

Test(smtp_bdat, a_gap_beyond_a_chunk_is_left_at_the_next_line)
{
	static const struct turn talk[] = { ENVELOPE, C("BDAT 20\r\nabc"),
		C_GAP(30), C("AST\r\nQUIT\r\n"), S("221 4\r\n") };

	EXPECT(talk,
	    ENVELOPE_FACTS "C command bdat |BDAT 20\n"
			   "C gap 30\n"
			   "C body 20\n"
			   "C command quit |QUIT\n"
			   "S reply quit last |221 4\n" CLOSED_FACTS);
}

Test(smtp_bdat, a_refused_chunk_is_sent_all_the_same)
{
	static const struct turn talk[] = { ENVELOPE,
		C("BDAT 4 LAST\r\na\r\nbQUIT\r\n"), S("503 2\r\n221 4\r\n") };

	EXPECT(talk,
	    ENVELOPE_FACTS "C command bdat |BDAT 4 LAST\n"
			   "C body 4\n"
			   "C command quit pipelined |QUIT\n"
			   "S reply body last |503 2\n"
			   "S reply quit last |221 4\n" CLOSED_FACTS);
}

/* Else one command would hide the rest of a session. */
Test(smtp_bdat, a_server_that_does_not_know_bdat_reads_commands)
{
	static const struct turn talk[] = { ENVELOPE,
		C("BDAT 99999999 LAST\r\n"), S("500 2\r\n"), C("QUIT\r\n"),
		S("221 4\r\n") };

	EXPECT(talk,
	    ENVELOPE_FACTS "C command bdat |BDAT 99999999 LAST\n"
			   "S reply body last |500 2\n" QUIT_FACTS);
}

Test(smtp_bdat, sizes_that_make_no_sense_begin_no_chunk)
{
	static const char *const lines[] = { "BDAT\r\n", "BDAT LAST\r\n",
		"BDAT -1 LAST\r\n", "BDAT 5LAST\r\n",
		"BDAT 99999999999999999999999 LAST\r\n" };

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		struct turn talk[] = { ENVELOPE,
			{ TO_SERVER, lines[i], strlen(lines[i]), 0 },
			S("501 2\r\n"), C("QUIT\r\n"), S("221 4\r\n") };
		struct dialogue d = { 0 };

		dialogue_run(&d, TURNS(talk));
		cr_assert_not_null(strstr(d.text,
				       "S reply bdat last |501 2\n" QUIT_FACTS),
		    "%s: %s", lines[i], d.text);
		dialogue_free(&d);
	}
}

Test(smtp_bdat, the_word_last_is_a_whole_word)
{
	static const struct turn talk[] = { ENVELOPE, C("BDAT 2 LASTING\r\nab"),
		S("250 2\r\n") };

	EXPECT(talk,
	    ENVELOPE_FACTS "C command bdat |BDAT 2 LAST~~~\n"
			   "C body 2\n"
			   "S reply bdat last |250 2\n"
			   "-- data-accepted\n" CLOSED_FACTS);
}

/* --- AUTH ---------------------------------------------------------------- */

#define GREETED S("220 mx\r\n"), C("EHLO a\r\n"), S("250 AUTH PLAIN LOGIN\r\n")
#define GREETED_FACTS                                    \
	"S greeting last |220 mx\n"                      \
	"C command ehlo |EHLO a\n"                       \
	"S ehlo-reply ehlo last |250 AUTH PLAIN LOGIN\n" \
	"-- ehlo-answered\n"

Test(smtp_auth, an_initial_response_is_blanked)
{
	static const struct turn talk[] = { GREETED,
		C("AUTH PLAIN AGEAYg==\r\n"), S("235 2.7.0 Welcome, a\r\n"),
		C("QUIT\r\n"), S("221 4\r\n") };

	EXPECT(talk,
	    GREETED_FACTS "C command auth |AUTH PLAIN ~~~~~~~~\n"
			  "S reply auth last |235 2.7.0 ~~~~~~~~~~\n"
			  "-- auth-accepted\n" QUIT_FACTS);
}

Test(smtp_auth, every_line_of_an_exchange_is_blanked)
{
	static const struct turn talk[] = { GREETED, C("AUTH LOGIN\r\n"),
		S("334 VXNlcm5hbWU6\r\n"), C("QUIT\r\n"),
		S("334 UGFzc3dvcmQ6\r\n"), C("cHc=\r\n"), S("535 bad\r\n"),
		C("QUIT\r\n"), S("221 4\r\n") };

	EXPECT(talk,
	    GREETED_FACTS "C command auth |AUTH LOGIN\n"
			  "S reply auth last |334 ~~~~~~~~~~~~\n"
			  "C auth-exchange auth |~~~~\n"
			  "S reply auth last |334 ~~~~~~~~~~~~\n"
			  "C auth-exchange auth |~~~~\n"
			  "S reply auth last |535 ~~~\n" QUIT_FACTS);
}

Test(smtp_auth, responses_sent_without_waiting_are_blanked)
{
	static const struct turn talk[] = { GREETED,
		C("AUTH LOGIN\r\nQUJD\r\nREVG\r\n"),
		S("334 a\r\n334 b\r\n235 c\r\n"), C("QUIT\r\n"),
		S("221 4\r\n") };

	EXPECT(talk,
	    GREETED_FACTS "C command auth |AUTH LOGIN\n"
			  "C auth-exchange auth |~~~~\n"
			  "C auth-exchange auth |~~~~\n"
			  "S reply auth last |334 ~\n"
			  "S reply auth last |334 ~\n"
			  "S reply auth last |235 ~\n"
			  "-- auth-accepted\n" QUIT_FACTS);
}

Test(smtp_auth, a_cancelled_exchange_goes_back_to_commands)
{
	static const struct turn talk[] = { GREETED, C("AUTH CRAM-MD5\r\n"),
		S("334 PDE+\r\n"), C("*\r\n"), S("501 5.7.0 cancelled\r\n"),
		C("QUIT\r\n"), S("221 4\r\n") };

	EXPECT(talk,
	    GREETED_FACTS
	    "C command auth |AUTH CRAM-MD5\n"
	    "S reply auth last |334 ~~~~\n"
	    "C auth-exchange auth |~\n"
	    "S reply auth last |501 5.7.0 ~~~~~~~~~\n" QUIT_FACTS);
}

/* The response is in the gap: its reply still ends the exchange, so that MAIL
 * is no credential. */
Test(smtp_auth, a_lost_response_does_not_turn_commands_into_credentials)
{
	static const struct turn talk[] = { GREETED, C("AUTH LOGIN\r\n"),
		S("334 a\r\n"), C_GAP(6), S("235 ok\r\n"), C("QUIT\r\n"),
		S("221 4\r\n") };

	EXPECT(talk,
	    GREETED_FACTS "C command auth |AUTH LOGIN\n"
			  "S reply auth last |334 ~\n"
			  "C gap 6\n"
			  "S reply auth last |235 ~~\n"
			  "-- auth-accepted\n" QUIT_FACTS);
}

Test(smtp_auth, a_lost_challenge_leaves_no_credential_in_the_open)
{
	static const struct turn talk[] = { GREETED, C("AUTH LOGIN\r\n"),
		S_GAP(7), C("QUJD\r\n"), S("334 b\r\n"), C("REVG\r\n"),
		S("235 ok\r\n") };

	EXPECT(talk,
	    GREETED_FACTS "C command auth |AUTH LOGIN\n"
			  "S gap 7\n"
			  "C auth-exchange auth |~~~~\n"
			  "S reply auth last |334 ~\n"
			  "C auth-exchange auth |~~~~\n"
			  "S reply auth last |235 ~~\n"
			  "-- auth-accepted\n" CLOSED_FACTS);
}

Test(smtp_auth, a_client_alone_is_followed_out_of_the_exchange)
{
	static const struct turn talk[] = { C("EHLO a\r\n"),
		C("AUTH LOGIN\r\n"), C("dQ==\r\n"), C("cA==\r\n"),
		C("MAIL FROM:<>\r\n") };

	EXPECT_WITH(WITH(.one_sided = true), talk,
	    "C command ehlo pipelined |EHLO a\n"
	    "C command auth pipelined |AUTH LOGIN\n"
	    "C auth-exchange auth |~~~~\n"
	    "C auth-exchange auth |~~~~\n"
	    "C command mail pipelined |MAIL FROM:<>\n" CLOSED_FACTS);
}
