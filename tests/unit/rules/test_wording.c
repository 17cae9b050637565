#include "rules/wording.h"

#include "unit/guarded.h"
#include "unit/rules/judging.h"

static const char *
escaped(const char *bytes, size_t len, size_t room)
{
	static char out[64];
	struct guarded g = guarded_copy(bytes, len);

	memset(out, '~', sizeof(out));
	wording_escape(g.bytes, out, room);
	guarded_free(&g);
	cr_expect_lt(strlen(out), room);
	return out;
}

Test(wording, what_is_not_printable_ascii_is_escaped)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *escaped;
	} rows[] = {
		{ "", 0, "" },
		{ "250-STARTTLS", 12, "250-STARTTLS" },
		{ "a b~", 4, "a b~" },
		{ "\0\x1f\x7f\x80\xff", 5, "\\x00\\x1F\\x7F\\x80\\xFF" },
		{ "\r\n\t", 3, "\\x0D\\x0A\\x09" },
		{ "\x1b[31m", 5, "\\x1B[31m" },
		{ "\xc3\xa4", 2, "\\xC3\\xA4" },
		/* Else \x41 on the wire would look like an escaped A. */
		{ "\\x41", 4, "\\x5Cx41" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		cr_expect_str_eq(escaped(rows[i].bytes, rows[i].len, 64),
		    rows[i].escaped);
}

Test(wording, an_escape_is_never_cut_in_two)
{
	for (size_t room = 1; room < 24; room++) {
		const char *out = escaped("\xff\xff\xff\xff", 4, room);

		cr_expect_eq(strlen(out) % 4, 0, "room %zu: %s", room, out);
	}
}

static enum verdict
judge_word(const char *word, size_t len, int extra)
{
	begin(CLIENT, SERVER);
	dialogue_greet(&d, &replies[REPLY_POSTFIX], word, len);
	if (extra == 0)
		dialogue_say(&d, DELIVERY);
	else if (extra == 1)
		dialogue_say(&d, C("MAIL FROM:<a@example.net>\r\n"),
		    S("250 Ok\r\n"));
	else if (extra == 2)
		dialogue_say(&d, C("AUTH PLAIN AGEAYg==\r\n"), S("235 Ok\r\n"));
	else if (extra == 3)
		dialogue_say(&d, C("QUIT\r\n"), S("221 Bye\r\n"));
	dialogue_close_as(&d, extra == 4 ? ENDING_CAPTURE_END : ENDING_FIN);
	return judge();
}

Test(wording, a_garbled_line_is_quoted_with_place_and_product)
{
	judge_word("XXXXXXXA", 8, 0);
	cr_expect_str_eq(in.observed,
	    "EHLO reply line 6 reads \"XXXXXXXA\" where Postfix puts STARTTLS; "
	    "mail was accepted in clear");
	cr_expect_not_null(strstr(in.benign, "inspect esmtp"));
	judge_word("\xffTARTTLS", 8, 0);
	cr_expect_not_null(strstr(in.observed, "\"\\xFFTARTTLS\""));
}

Test(wording, the_benign_explanation_is_that_of_the_word)
{
	static const char *const rows[][2] = {
		{ "XXXXXXXA", "Cisco" },
		{ "XXXXXXXX", "inspecting firewall" },
		{ "QZKWVPDJ", "keyword of the server's own" },
		{ "XQZKWVPD", "keyword of the server's own" },
		{ "\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8", "broken or inspecting" },
		{ "STARTTLX", "slip" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		cr_assert_eq(judge_word(rows[i][0], 8, 0), VERDICT_INCIDENT);
		cr_expect_not_null(strstr(in.benign, rows[i][1]), "%s: %s",
		    rows[i][1], in.benign);
	}
}

Test(wording, what_followed_is_said_as_far_as_it_was_seen)
{
	static const char *const ends[] = { "mail was accepted in clear",
		"an envelope was sent in clear",
		"credentials were sent in clear",
		"the client left without sending mail",
		"the capture ends before what followed" };

	for (int i = 0; i < 5; i++) {
		judge_word("XXXXXXXX", 8, i);
		cr_expect_not_null(strstr(in.observed, ends[i]), "%s: %s",
		    ends[i], in.observed);
	}
}

Test(wording, history_says_how_often_to_whom_and_when)
{
	judge_word("XXXXXXXX", 8, 0);
	fake_offers(&world, &d.session, 5, "192.0.2.10", -1, 1);
	judge();
	cr_expect_not_null(strstr(in.observed,
			       "offered STARTTLS in 1 other session with "
			       "this client, at 2026-02-28 12:00:00"),
	    "%s", in.observed);
	world.profile_count = 0;
	fake_offers(&world, &d.session, 5, "192.0.2.99", -1, 4);
	judge();
	cr_expect_not_null(strstr(in.observed,
	    "4 other sessions with this client's "
	    "network, one of them at 2026-02-28 "
	    "12:00:00"));
}

/* A promise of interface.md: everything but `seen` is valid UTF-8, and no
 * octet of the wire can reach a terminal or break a line. */
Test(wording, no_octet_of_the_wire_reaches_a_sentence_raw)
{
	char word[8];

	for (unsigned first = 0; first < 256; first++) {
		if (first == '\r' || first == '\n')
			continue;
		for (unsigned i = 0; i < 8; i++)
			word[i] = (char)(first ^ (i * 37));
		if (memchr(word, '\r', 8) || memchr(word, '\n', 8))
			continue;
		if (judge_word(word, 8, 0) < VERDICT_EVIDENCE)
			continue;
		for (const char *p = in.observed; *p != '\0'; p++)
			cr_assert(*p >= 0x20 && *p < 0x7f, "%s", in.observed);
		for (const char *p = in.seen; *p != '\0'; p++)
			cr_assert(*p >= 0x20 && *p < 0x7f, "%s", in.seen);
	}
}

Test(wording, an_alert_is_named_as_its_rfc_names_it)
{
	cr_expect_str_eq(wording_alert_name(0), "close_notify");
	cr_expect_str_eq(wording_alert_name(47), "illegal_parameter");
	cr_expect_str_eq(wording_alert_name(255), "unknown");
	cr_expect_str_eq(wording_alert(46), "that the certificate is not good");
	cr_expect_str_eq(wording_alert(47), "that the handshake fails");
}
