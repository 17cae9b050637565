/* STARTTLS and what follows it. */
#include "unit/dissect/expect.h"
#include "unit/dissect/hello.h"

#define ASKED                                                    \
	S("220 mx\r\n"), C("EHLO a\r\n"), S("250 STARTTLS\r\n"), \
	    C("STARTTLS\r\n")
#define ASKED_FACTS                              \
	"S greeting last |220 mx\n"              \
	"C command ehlo |EHLO a\n"               \
	"S ehlo-reply ehlo last |250 STARTTLS\n" \
	"-- ehlo-answered\n"                     \
	"C command starttls |STARTTLS\n"
#define ACCEPTED ASKED, S("220 go\r\n")
#define ACCEPTED_FACTS                    \
	ASKED_FACTS                       \
	"S reply starttls last |220 go\n" \
	"-- starttls-answered\n"
#define CLIENT_HELLO_FACTS            \
	"C tls-client-hello 0x303\n"  \
	"C tls-sni |mx.example.org\n" \
	"C tls-alpn |smtp\n"
#define CLOSED_FACTS "C closed fin\n-- closed\n"

Test(smtp_tls, tls_1_3_is_told_up_to_the_first_application_data)
{
	static const struct turn talk[] = { ACCEPTED, C(CLIENT_HELLO),
		S(SERVER_HELLO_13 CHANGE_CIPHER APPLICATION_40),
		C(CHANGE_CIPHER APPLICATION_40 APPLICATION_3), S(APPLICATION_3),
		C(ALERT_ENCRYPTED) };

	EXPECT(talk,
	    ACCEPTED_FACTS CLIENT_HELLO_FACTS
	    "S tls-server-hello 0x304\n"
	    "S tls-cipher 0x1301\n"
	    "C tls-established\n"
	    "-- handshake-ended\n"
	    "C opaque-end 0x15 56\n"
	    "S opaque-end 0x17 8\n" CLOSED_FACTS);
}

Test(smtp_tls, tls_1_2_shows_the_chain)
{
	static const struct turn talk[] = { ACCEPTED, C(CLIENT_HELLO),
		S(SERVER_HELLO_12 CERTIFICATES SERVER_DONE),
		C(CHANGE_CIPHER FINISHED_12), S(CHANGE_CIPHER FINISHED_12),
		C(APPLICATION_3) };

	EXPECT(talk,
	    ACCEPTED_FACTS CLIENT_HELLO_FACTS
	    "S tls-server-hello 0x303\n"
	    "S tls-cipher 0xc02f\n"
	    "S tls-certificate\n"
	    "S tls-certificate\n"
	    "S tls-established\n"
	    "-- handshake-ended\n"
	    "C opaque-end 0x17 8\n"
	    "S opaque-end 0x16 8\n" CLOSED_FACTS);
}

Test(smtp_tls, a_resumed_session_says_so)
{
	static const struct turn talk[] = { ACCEPTED, C(CLIENT_HELLO),
		S(SERVER_HELLO_RESUMED CHANGE_CIPHER FINISHED_12),
		C(CHANGE_CIPHER FINISHED_12) };

	EXPECT(talk,
	    ACCEPTED_FACTS CLIENT_HELLO_FACTS
	    "S tls-server-hello 0x303 resumed\n"
	    "S tls-cipher 0xc02f\n"
	    "C tls-established\n"
	    "-- handshake-ended\n"
	    "C opaque-end 0x16 8\n"
	    "S opaque-end 0x16\n" CLOSED_FACTS);
}

Test(smtp_tls, an_alert_in_the_clear_is_told_before_the_end)
{
	static const struct turn talk[] = { ACCEPTED, C(CLIENT_HELLO),
		S(ALERT_HANDSHAKE) };

	EXPECT(talk,
	    ACCEPTED_FACTS CLIENT_HELLO_FACTS
	    "S tls-alert 0x228\n" CLOSED_FACTS);
}

Test(smtp_tls, a_refusal_leaves_the_dialogue_in_clear)
{
	static const struct turn talk[] = { ASKED, S("454 4.7.0 no\r\n"),
		C("MAIL FROM:<>\r\n"), S("250 Ok\r\n") };

	EXPECT(talk,
	    ASKED_FACTS "S reply starttls last |454 4.7.0 no\n"
			"-- starttls-answered\n"
			"C command mail |MAIL FROM:<>\n"
			"S reply mail last |250 Ok\n"
			"-- mail-accepted\n" CLOSED_FACTS);
}

/* RFC 3207 4 knows 220 and nothing else. */
Test(smtp_tls, any_other_code_than_220_is_no_go_ahead)
{
	static const struct turn talk[] = { ASKED, S("250 fine\r\n"),
		C("QUIT\r\n"), S("221 bye\r\n") };

	EXPECT(talk,
	    ASKED_FACTS "S reply starttls last |250 fine\n"
			"-- starttls-answered\n"
			"C command quit |QUIT\n"
			"S reply quit last |221 bye\n" CLOSED_FACTS);
}

/* --- extra octets -------------------------------------------------------- */

Test(smtp_tls, commands_behind_starttls_are_extra)
{
	static const struct turn talk[] = { S("220 mx\r\n"), C("EHLO a\r\n"),
		S("250 STARTTLS\r\n"),
		C("STARTTLS\r\nRSET\r\nMAIL FROM:<a@b>\r\n"), S("220 go\r\n"),
		C(CLIENT_HELLO) };

	EXPECT(talk,
	    ASKED_FACTS
	    "S reply starttls last |220 go\n"
	    "C extra-bytes |RSET\n"
	    "-- starttls-answered\n" CLIENT_HELLO_FACTS CLOSED_FACTS);
}

Test(smtp_tls, commands_behind_a_refused_starttls_are_commands)
{
	static const struct turn talk[] = { S("220 mx\r\n"), C("EHLO a\r\n"),
		S("250 STARTTLS\r\n"), C("STARTTLS\r\nRSET\r\nQUIT\r\n"),
		S("454 no\r\n250 b\r\n221 c\r\n") };

	EXPECT(talk,
	    ASKED_FACTS "S reply starttls last |454 no\n"
			"C command rset |RSET\n"
			"C command quit pipelined |QUIT\n"
			"-- starttls-answered\n"
			"S reply rset last |250 b\n"
			"S reply quit last |221 c\n" CLOSED_FACTS);
}

/* More than can wait is a message that nobody asked for, and it goes on: what
 * refuses STARTTLS late does not make commands of it. */
Test(smtp_tls, a_late_refusal_does_not_end_a_message)
{
	static const char head[] = "STARTTLS\r\nMAIL FROM:<a@b>\r\nDATA\r\n";
	char message[sizeof(head) - 1 + 2 * FACT_LINE_MAX_BYTES];
	const struct turn talk[] = { S("220 mx\r\n"), C("EHLO a\r\n"),
		S("250 STARTTLS\r\n"),
		{ TO_SERVER, message, sizeof(message), 0 }, S("221 bye\r\n"),
		C("\r\nNOOP\r\n") };
	struct dialogue d = { .ending = ENDING_FIN };

	memset(message, 'x', sizeof(message));
	memcpy(message, head, sizeof(head) - 1);
	dialogue_run(&d, TURNS(talk));
	cr_assert_null(strstr(d.text, "noop"), "%s", d.text);
	cr_assert_not_null(strstr(d.text, "S reply starttls last |221 bye\n"),
	    "%s", d.text);
	cr_assert_not_null(strstr(d.text, "C body"), "%s", d.text);
	dialogue_free(&d);
}

Test(smtp_tls, what_waits_for_starttls_at_the_end_is_redacted_line_by_line)
{
	static const struct turn talk[] = { S("220 mx\r\n"), C("EHLO a\r\n"),
		S("250 STARTTLS\r\n"),
		C("STARTTLS\r\nHELP\r\nAUTH PLAIN AGEAYg==\r\nMAIL FROM:<se") };

	static const struct turn twice[] = { ASKED,
		C("STARTTLS\r\nNOOP\r\nAUTH PLAIN AGEAYg==\r\n") };

	EXPECT(twice,
	    ASKED_FACTS
	    "C command starttls pipelined |STARTTLS\n"
	    "C command noop pipelined |NOOP\n"
	    "C command auth pipelined |AUTH PLAIN ~~~~~~~~\n" CLOSED_FACTS);
	EXPECT(talk,
	    ASKED_FACTS "C command help pipelined |HELP\n"
			"C command auth pipelined |AUTH PLAIN ~~~~~~~~\n"
			"C command mail unfinished pipelined |MAIL "
			"FROM:<~~\n" CLOSED_FACTS);
}

Test(smtp_tls, replies_behind_the_220_are_extra_line_by_line)
{
	static const struct turn talk[] = { ASKED,
		S("220 go\r\n250-mx\r\n250 AUTH PLAIN\r\n250 uns"),
		C(CLIENT_HELLO), S(SERVER_HELLO_13) };

	EXPECT(talk,
	    ASKED_FACTS "S reply starttls last |220 go\n"
			"-- starttls-answered\n"
			"S extra-bytes |250-mx\n"
			"S extra-bytes |250 AUTH PLAIN\n"
			"S extra-bytes unfinished |250 ~~~\n" CLIENT_HELLO_FACTS
			"S tls-server-hello 0x304\n"
			"S tls-cipher 0x1301\n" CLOSED_FACTS);
}

Test(smtp_tls, clear_text_after_the_220_is_no_tls)
{
	static const struct turn talk[] = { ACCEPTED, C("EHLO a\r\n"),
		S("250-mx\r\n250 STARTTLS\r\n"), C("STARTTLS\r\n"),
		S("220 go\r\n"), C(CLIENT_HELLO) };

	EXPECT(talk,
	    ACCEPTED_FACTS
	    "C not-tls\n"
	    "-- after-220\n"
	    "C command ehlo |EHLO a\n"
	    "S ehlo-reply ehlo |250-mx\n"
	    "S ehlo-reply ehlo last |250 STARTTLS\n"
	    "-- ehlo-answered\n"
	    "C command starttls |STARTTLS\n"
	    "S reply starttls last |220 go\n"
	    "-- starttls-answered\n" CLIENT_HELLO_FACTS CLOSED_FACTS);
}

/* One octet is not enough to tell a record from rubbish. */
Test(smtp_tls, what_only_begins_like_a_record_is_no_tls)
{
	static const struct turn two[] = { ACCEPTED, C("\x16XYZ\r\n") };
	static const struct turn three[] = { ACCEPTED, C("\x16\x03XYZ\r\n") };

	EXPECT(two,
	    ACCEPTED_FACTS "C not-tls\n-- after-220\n"
			   "C command other |\\x16XYZ\n" CLOSED_FACTS);
	EXPECT(three,
	    ACCEPTED_FACTS "C not-tls\n-- after-220\n"
			   "C command other |\\x16\\x03XYZ\n" CLOSED_FACTS);
}

Test(smtp_tls, a_fallback_to_clear_after_a_failed_handshake_is_followed)
{
	static const struct turn talk[] = { ACCEPTED, C(CLIENT_HELLO),
		S(ALERT_HANDSHAKE), C("MAIL FROM:<>\r\n"), S("250 Ok\r\n") };

	EXPECT(talk,
	    ACCEPTED_FACTS CLIENT_HELLO_FACTS
	    "S tls-alert 0x228\n"
	    "C command mail |MAIL FROM:<>\n"
	    "S reply mail last |250 Ok\n"
	    "-- mail-accepted\n" CLOSED_FACTS);
}

/* The server says why in clear, the client tries once more. */
Test(smtp_tls, a_second_handshake_is_read_from_its_beginning)
{
	static const struct turn talk[] = { ACCEPTED, C(CLIENT_HELLO),
		S(SERVER_HELLO_12 CHANGE_CIPHER), S("454 failed\r\n"),
		C("STARTTLS\r\n"), S("220 go\r\n"), C(CLIENT_HELLO),
		S(SERVER_HELLO_12 CERTIFICATES) };

	EXPECT(talk,
	    ACCEPTED_FACTS CLIENT_HELLO_FACTS
	    "S tls-server-hello 0x303\n"
	    "S tls-cipher 0xc02f\n"
	    "S reply last |454 failed\n"
	    "C command starttls |STARTTLS\n"
	    "S reply starttls last |220 go\n"
	    "-- starttls-answered\n" CLIENT_HELLO_FACTS
	    "S tls-server-hello 0x303\n"
	    "S tls-cipher 0xc02f\n"
	    "S tls-certificate\n"
	    "S tls-certificate\n" CLOSED_FACTS);
}

/* The 220 comes when TLS has long begun; then TLS begins once more. */
Test(smtp_tls, a_go_ahead_amid_a_handshake_begins_it_anew)
{
	static const struct turn talk[] = { ASKED, C(CLIENT_HELLO),
		S("220 go\r\n"), C(CLIENT_HELLO) };

	EXPECT(talk,
	    ASKED_FACTS CLIENT_HELLO_FACTS
	    "S reply starttls last |220 go\n"
	    "-- starttls-answered\n" CLIENT_HELLO_FACTS CLOSED_FACTS);
}

/* Out of step with the records, yet a record comes in the same segment. */
Test(smtp_tls, clear_text_amid_records_is_cut_anywhere_alike)
{
	static const struct turn talk[] = { ACCEPTED, C(CLIENT_HELLO),
		C("\x16" CLIENT_HELLO), S("454 half"), S_GAP(9),
		S("ine\r\n454 no\r\n") };

	EXPECT(talk,
	    ACCEPTED_FACTS CLIENT_HELLO_FACTS CLIENT_HELLO_FACTS
	    "S gap 9\n"
	    "S reply last |454 no\n" CLOSED_FACTS);
}

Test(smtp_tls, tls_from_the_first_octet_is_implicit)
{
	static const struct turn talk[] = { C(CLIENT_HELLO),
		S(SERVER_HELLO_13) };

	EXPECT(talk,
	    "C implicit-tls\n" CLIENT_HELLO_FACTS "S tls-server-hello 0x304\n"
	    "S tls-cipher 0x1301\n" CLOSED_FACTS);
}

Test(smtp_tls, midstream_tls_is_opaque_at_once)
{
	static const struct turn talk[] = { C(APPLICATION_40 APPLICATION_3),
		S(APPLICATION_3 ALERT_ENCRYPTED) };

	EXPECT_WITH(WITH(.midstream = true), talk,
	    "C implicit-tls\n"
	    "C opaque-end 0x17 53\n"
	    "S opaque-end 0x15 16\n" CLOSED_FACTS);
}

Test(smtp_tls, a_client_alone_shows_its_hello)
{
	static const struct turn talk[] = { C("EHLO a\r\n"), C("STARTTLS\r\n"),
		C(CLIENT_HELLO) };

	EXPECT_WITH(WITH(.one_sided = true), talk,
	    "C command ehlo pipelined |EHLO a\n"
	    "C command starttls pipelined |STARTTLS\n" CLIENT_HELLO_FACTS
		CLOSED_FACTS);
}

Test(smtp_tls, a_server_alone_shows_its_hello)
{
	static const struct turn talk[] = { S("220 mx\r\n"),
		S("250-mx\r\n250 STARTTLS\r\n"), S("220 go\r\n"),
		S(SERVER_HELLO_12 CERTIFICATES) };

	EXPECT_WITH(WITH(.one_sided = true), talk,
	    "S greeting last |220 mx\n"
	    "S ehlo-reply ehlo |250-mx\n"
	    "S ehlo-reply ehlo last |250 STARTTLS\n"
	    "-- ehlo-answered\n"
	    "S reply starttls last |220 go\n"
	    "-- starttls-answered\n"
	    "S tls-server-hello 0x303\n"
	    "S tls-cipher 0xc02f\n"
	    "S tls-certificate\n"
	    "S tls-certificate\n" CLOSED_FACTS);
}

/* --- losses -------------------------------------------------------------- */

Test(smtp_tls, a_lost_client_hello_is_not_called_no_tls)
{
	static const struct turn talk[] = { ACCEPTED, C_GAP(100),
		S(SERVER_HELLO_12 CERTIFICATES SERVER_DONE),
		C(CHANGE_CIPHER FINISHED_12), S(CHANGE_CIPHER FINISHED_12) };

	EXPECT(talk,
	    ACCEPTED_FACTS "C gap 100\n"
			   "S tls-server-hello 0x303\n"
			   "S tls-cipher 0xc02f\n"
			   "S tls-certificate\n"
			   "S tls-certificate\n"
			   "S tls-established\n"
			   "-- handshake-ended\n"
			   "C opaque-end 0x16\n"
			   "S opaque-end 0x16 8\n" CLOSED_FACTS);
}

Test(smtp_tls, a_gap_inside_a_record_costs_that_record_only)
{
	static const struct turn talk[] = { ACCEPTED, C(CLIENT_HELLO),
		S(SERVER_HELLO_12 RECORD("\x16", "\0\x14") "\x0b\0\0\x10\0\0"),
		S_GAP(10),
		S("\0\x02"
		  "D2" SERVER_DONE CHANGE_CIPHER FINISHED_12),
		C(CHANGE_CIPHER FINISHED_12) };

	EXPECT(talk,
	    ACCEPTED_FACTS CLIENT_HELLO_FACTS
	    "S tls-server-hello 0x303\n"
	    "S tls-cipher 0xc02f\n"
	    "S gap 10\n"
	    "C tls-established\n"
	    "-- handshake-ended\n"
	    "C opaque-end 0x16 8\n"
	    "S opaque-end 0x16\n" CLOSED_FACTS);
}

Test(smtp_tls, a_gap_that_ends_inside_a_record_loses_the_direction)
{
	static const struct turn talk[] = { ACCEPTED, C(CLIENT_HELLO),
		S(SERVER_HELLO_12), S_GAP(50), S("middle of something"),
		S(CHANGE_CIPHER FINISHED_12), C(CHANGE_CIPHER FINISHED_12) };

	EXPECT(talk,
	    ACCEPTED_FACTS CLIENT_HELLO_FACTS "S tls-server-hello 0x303\n"
					      "S tls-cipher 0xc02f\n"
					      "S gap 50\n" CLOSED_FACTS);
}

Test(smtp_tls, a_lost_answer_to_starttls_does_not_hide_tls)
{
	static const struct turn talk[] = { ASKED, S_GAP(8), C(CLIENT_HELLO),
		S(SERVER_HELLO_13) };

	EXPECT(talk,
	    ASKED_FACTS "S gap 8\n" CLIENT_HELLO_FACTS
			"S tls-server-hello 0x304\n"
			"S tls-cipher 0x1301\n" CLOSED_FACTS);
}

Test(smtp_tls, a_gap_while_starttls_waits_does_not_swallow_what_follows)
{
	static const struct turn talk[] = { ASKED, C("junk"), C_GAP(5),
		S("454 no\r\n"), C("QUIT\r\n"), S("221 c\r\n") };

	EXPECT(talk,
	    ASKED_FACTS "C gap 5\n"
			"S reply starttls last |454 no\n"
			"-- starttls-answered\n"
			"C command quit |QUIT\n"
			"S reply quit last |221 c\n" CLOSED_FACTS);
}

Test(smtp_tls, gaps_in_the_opaque_part_leave_the_count_right)
{
	static const struct turn talk[] = { ACCEPTED, C(CLIENT_HELLO),
		S(SERVER_HELLO_13 APPLICATION_40), C(APPLICATION_40),
		S_GAP(1000), S(APPLICATION_3) };

	EXPECT(talk,
	    ACCEPTED_FACTS CLIENT_HELLO_FACTS
	    "S tls-server-hello 0x304\n"
	    "S tls-cipher 0x1301\n"
	    "C tls-established\n"
	    "-- handshake-ended\n"
	    "C opaque-end 0x17 40\n"
	    "S opaque-end 1008\n" CLOSED_FACTS);
}

Test(smtp_tls, without_room_tls_is_opaque_at_once)
{
	static const struct turn talk[] = { ACCEPTED, C(CLIENT_HELLO) };
	struct dialogue d = { .budget_bytes = 1 };

	dialogue_run(&d, TURNS(talk));
	cr_assert_eq(d.interest, INTEREST_OPAQUE);
	dialogue_free(&d);
}

/* Found by fuzzing: a late 334 made one line of all that waited, and the
 * grammar of its first word did not blank what stood in the others. */
Test(smtp_tls, a_late_challenge_does_not_join_what_waits)
{
	static const struct turn talk[] = { S("220 mx ESMTP\r\n"),
		C("EHLO a\r\n"), S("250 mx\r\n"),
		C("AUTH LOGIN\r\nSTARTTLS\r\nEHLO a\r\nVRFY joe\r\n"),
		S("334 VXNlcg==\r\n") };

	EXPECT(talk,
	    "S greeting last |220 mx ESMTP\n"
	    "C command ehlo |EHLO a\n"
	    "S ehlo-reply ehlo last |250 mx\n"
	    "-- ehlo-answered\n"
	    "C command auth |AUTH LOGIN\n"
	    "C command starttls pipelined |STARTTLS\n"
	    "S reply auth last |334 ~~~~~~~~\n"
	    "C command ehlo pipelined |EHLO a\n"
	    "C command vrfy pipelined |VRFY ~~~\n" CLOSED_FACTS);
}

Test(smtp_tls, a_record_of_the_servers_ends_a_message)
{
	static const struct turn talk[] = { S("220 mx\r\n"),
		C("MAIL FROM:<>\r\n"), S("250 a\r\n"), C("RCPT TO:<a@b>\r\n"),
		S("250 b\r\n"), C("DATA\r\n"), S("354 go\r\n"), C("hello\r\n"),
		S(ALERT_HANDSHAKE), S("500 what\r\n"), C("QUIT\r\n") };

	EXPECT(talk,
	    "S greeting last |220 mx\n"
	    "C command mail |MAIL FROM:<>\n"
	    "S reply mail last |250 a\n"
	    "-- mail-accepted\n"
	    "C command rcpt |RCPT TO:<~@b>\n"
	    "S reply rcpt last |250 b\n"
	    "C command data |DATA\n"
	    "S reply data last |354 go\n"
	    "-- data-accepted\n"
	    "C body 7\n"
	    "S tls-alert 0x228\n"
	    "S reply last |500 what\n"
	    "C command quit |QUIT\n" CLOSED_FACTS);
}

/* Midstream nobody knows what a 220 answers; what had come of a line is told
 * in the frame in which it came. */
Test(smtp_tls, extra_octets_stand_in_their_own_frame)
{
	static const struct turn talk[] = { S("220 mx SMTP\r\n"), C("abc"),
		S("220 mx SMTP\r\n") };
	struct dialogue d = { .midstream = true };
	struct slice in, bytes;
	struct fact fact;
	int extra = 0;

	dialogue_run(&d, talk, sizeof(talk) / sizeof(*talk));
	in = slice_of(d.facts, d.facts_len);
	while (fact_decode(&in, &fact, &bytes)) {
		if (fact.code != FACT_EXTRA_BYTES)
			continue;
		extra++;
		cr_assert_eq(fact.frame, 2);
		cr_assert_eq(fact.capture_ts_ns, 2);
	}
	cr_assert_eq(extra, 1, "%s", d.text);
	dialogue_free(&d);
}
