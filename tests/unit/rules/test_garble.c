#include "rules/garble.h"

#include "unit/rules/replies.h"
#include "unit/rules/world.h"

static struct dialogue d;

static struct garble
garble_of(const struct reply *reply, const char *word, size_t len)
{
	memset(&d, 0, sizeof(d));
	dialogue_open(&d, "192.0.2.10", "198.51.100.25");
	dialogue_greet(&d, reply, word, len);
	dialogue_close(&d);
	return garble_find(builtin_registry(), &d.session);
}

/* Everything that corpus and literature show, and what is like it. */
static const char *const overwritings[] = {
	"XXXXXXXX",
	"XXXXXXXA",
	"xxxxxxxx",
	"xxxxxxxa",
	"********",
	"########",
	"--------",
	"AAAAAAAA",
	"00000000",
	"........",
	"\xff\xff\xff\xff"
	"\xff\xff\xff\xff",
	"        ",
	"QZKWVPDJ",
	"kjdhfgqw",
	"83917462",
	"\x80\x91\xa2\xb3"
	"\xc4\xd5\xe6\xf7",
	"\x01\x02\x03\x04\x05\x06\x07\x08",
	"S\xd4"
	"ARTTLS",
	"STARTTLX",
	"STARTTL ",
	"STARTTMS",
	"XTARTTLS",
	"STARTSSL",
	"STARXXLS",
	"STXXTTLS",
	"START TL",
	"STARTTL\xd3",
	"$TARTTL$",
	"XSTARTTL",
	"NOTTODAY",
	"XXXXXXLS",
	"XQWKVPDJ",
};
#define OVERWRITINGS (sizeof(overwritings) / sizeof(*overwritings))

Test(garble, every_overwriting_is_found_in_every_products_order)
{
	for (size_t i = 0; i < REPLIES; i++) {
		for (size_t j = 0; j < OVERWRITINGS; j++) {
			const char *word = overwritings[j];
			struct garble g = garble_of(&replies[i], word, 8);

			cr_expect(g.found, "%s: \"%s\"", replies[i].server,
			    word);
			cr_expect_gt(evidence_weight(g.evidence), 1.25,
			    "%s: \"%s\": %s", replies[i].server, word,
			    evidence_name(g.evidence));
		}
	}
}

static struct garble
garble_in(const char *greeting, const char *lines)
{
	struct reply reply = { "", greeting, lines };

	return garble_of(&reply, "", 0);
}

static const char *
found(const char *greeting, const char *lines)
{
	struct garble g = garble_in(greeting, lines);

	return g.found ? evidence_name(g.evidence) : "nothing";
}

Test(garble, an_intact_offer_is_no_garble_whatever_stands_beside_it)
{
	for (size_t i = 0; i < REPLIES; i++)
		cr_expect_not(garble_of(&replies[i], "STARTTLS", 8).found, "%s",
		    replies[i].server);
	cr_expect_str_eq(found("220 **********",
			     "mx\nPIPELINING\nETRN\nXXXXXXXA\n"
			     "ENHANCEDSTATUSCODES\n8BITMIME\nSTARTTLS\nDSN"),
	    "nothing");
	cr_expect_str_eq(found("220 mx ESMTP", "mx\nsTARTTLS\nXXXXXXXX"),
	    "nothing");
}

/* The traps of real replies: none of these words is an overwritten one. */
Test(garble, words_of_the_servers_own_are_no_garble)
{
	static const char *const lines[] = {
		"coremail",
		"coremail 1Uxr2xKj7kG0xkI17xGrU7I0s8FY2U3Uj8Cz28x1UUUUU7Ic2I0",
		"XFORWARD NAME ADDR PROTO HELO",
		"XFORWARD",
		"XSTARTTLS",
		"NOSTARTTLS",
		"X-ANONYMOUSTLS",
		"TLS",
		"XSECURITY=NONE,STARTTLS",
		"CHUNKING",
		"8bitmime",
		"8 BITMIME",
		"SMTPUTF8",
		"UTF8SMTP",
		"PIPE_CONNECT",
		"AUTH=LOGIN",
		"AUTH",
		"Ok",
		"ID",
		"EHLO",
		"",
		"SIZE 100",
		"SIZE=100",
		"XXXXXXXXA",
		"XXXB",
		"X",
		"XQUOTA 1",
		"2.1.5 Ok",
		"Nice to see you",
		"STARTTLS-IS-NOT-FOR-YOU",
		"START",
		"STARTUP",
		"STARTTLSV13",
		"CHUNKIMG",
		"SMTPUTF\xb8",
	};
	char reply[256];

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		snprintf(reply, sizeof(reply), "mx\nSIZE 10240000\n%s\nHELP",
		    lines[i]);
		cr_expect_str_eq(found("220 mx ESMTP", reply), "nothing",
		    "\"%s\": %s", lines[i], found("220 mx ESMTP", reply));
	}
}

Test(garble, the_first_line_is_a_name_and_no_keyword)
{
	cr_expect_str_eq(found("220 mx ESMTP", "XXXXXXXA\nSIZE\nHELP"),
	    "nothing");
	cr_expect_str_eq(found("220 mx ESMTP", "XXXXXXXX"), "nothing");
	cr_expect_str_eq(found("220 mx ESMTP",
			     "xxxxxxxx.xxx Hello [***.***]\nSIZE\nHELP"),
	    "nothing");
}

/* A server that nobody knows: the form alone must decide, and says less. */
Test(garble, without_a_known_order_the_form_decides)
{
	static const char *const rows[][2] = {
		{ "XXXXXXXX", "mask-ambiguous" },
		{ "XXXXXXXA", "mask-ambiguous" },
		{ "********", "mask-ambiguous" },
		{ "        ", "mask-ambiguous" },
		{ "\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8", "not-a-keyword" },
		{ "S@#%!&TL", "not-a-keyword" },
		{ "XYZ     ", "unknown-word" },
		{ "Welcome!", "unknown-word" },
		{ "STARTTLX", "near-miss" },
		{ "STARTTL", "near-miss" },
		{ "STARTTLSS", "near-miss" },
		{ "START TLS", "near-miss" },
		{ "NOTTODAY", "unknown-word" },
		{ "QZKWVPDJ", "noise" },
		{ "83917462", "noise" },
		{ "q7Wx2Kd9", "noise" },
		{ "HELP    ", "noise" },
		{ "XxXxXxXx", "mask-ambiguous" },
		{ "XOXOOXXO", "mask-ambiguous" },
		{ "*-*-*-*-", "mask-ambiguous" },
		{ "XOXOXOXI", "nothing" },
		{ "ab c   d", "unknown-word" },
		{ "abc   de", "nothing" },
		{ "XFORWARD", "nothing" },
		{ "dOnOtAsK", "noise" },
		{ "STARXXXX", "near-miss" },
		{ "XXXXTTLS", "near-miss" },
		{ "XTXRXTXS", "near-miss" },
		{ "STAR", "near-miss" },
		{ "TTLS", "near-miss" },
		{ "START", "nothing" },
		{ "TLS", "nothing" },
		{ "XZKWVPDJ", "nothing" },
	};
	char reply[256];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		snprintf(reply, sizeof(reply), "mx\nXPRIVATE1\n%s\nSIZE",
		    rows[i][0]);
		cr_expect_str_eq(found("220 mx ESMTP", reply), rows[i][1],
		    "\"%s\": %s", rows[i][0], found("220 mx ESMTP", reply));
	}
}

Test(garble, a_server_that_pads_its_lines_pads_them_all)
{
	cr_expect_str_eq(found("220 mx ESMTP", "mx\nSIZE 1\nHELP    \nDSN"),
	    "noise");
	cr_expect_str_eq(found("220 mx ESMTP", "mx\nSIZE  \nHELP    \nDSN"),
	    "nothing");
	cr_expect_str_eq(found("220 mx ESMTP Postfix",
			     "mx\nPIPELINING\nETRN\nDSN     \n8BITMIME"),
	    "slot");
}

/* The orders that fit agree, but they are few keywords and nobody's. */
Test(garble, an_order_counts_for_more_when_the_server_is_known)
{
	static const char lines[] = "mx\n8BITMIME\nSIZE 1\nDSN\nNOTTODAY\nHELP";

	cr_expect_str_eq(found("220 mx ESMTP OpenSMTPD", lines), "slot");
	cr_expect_str_eq(found("220 mx ESMTP", lines), "word-ambiguous");
	cr_expect_str_eq(found("220 mx ESMTP Exim",
			     "mx\nSIZE 1\n8BITMIME\nNOTTODAY\nHELP"),
	    "word-ambiguous");
	cr_expect_str_eq(found("220 mx ESMTP", "mx\nSIZE 1\nNOTTODAY\nHELP"),
	    "unknown-word");
}

/* A keyword of eight letters that stands in the reply already: registered,
 * legal, and yet written over STARTTLS. */
Test(garble, a_keyword_that_stands_there_twice_is_an_overwritten_one)
{
	struct garble g = garble_of(&replies[REPLY_POSTFIX], "8BITMIME", 8);

	cr_assert(g.found);
	cr_expect_eq(g.index, 5);
	cr_expect_eq(g.evidence, EVIDENCE_SLOT);
	g = garble_of(&replies[REPLY_EXIM], "chunking", 8);
	cr_assert(g.found);
	cr_expect_eq(g.index, 6);
	cr_expect_eq(g.evidence, EVIDENCE_SLOT);
	/* AUTH stands twice in half of all replies. */
	cr_expect_str_eq(found("220 mx ESMTP Postfix",
			     "mx\nPIPELINING\nSIZE\nETRN\nAUTH PLAIN\n"
			     "AUTH=PLAIN\nDSN"),
	    "nothing");
}

/* A proxy need not keep lengths; then the place must say it. */
Test(garble, a_mask_of_another_length_counts_where_starttls_stands)
{
	static const char *const words[] = { "XXX", "XXXXXX", "XXXXXA",
		"******" };
	static const char *const look_alikes[] = { "XX", "------", "XXXX",
		"XXXB", "XXXXXXXXA", "XVERPS" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		struct garble g =
		    garble_of(&replies[0], words[i], strlen(words[i]));

		cr_assert(g.found, "%s", words[i]);
		cr_assert_eq(g.evidence, EVIDENCE_MASK_AMBIGUOUS);
	}
	/* XXXX is as long as AUTH. */
	for (size_t i = 0; i < sizeof(look_alikes) / sizeof(*look_alikes); i++)
		cr_assert_not(garble_of(&replies[0], look_alikes[i],
				  strlen(look_alikes[i]))
				  .found,
		    "%s", look_alikes[i]);
	/* Exim has nothing there that a long mask could hide but STARTTLS. */
	cr_expect(garble_of(&replies[REPLY_EXIM], "XXXXXXXXXXXX", 12).found);
	/* In Postfix's place it may have been AUTH with its mechanisms. */
	cr_expect_str_eq(found("220 mx ESMTP Postfix",
			     "mx\nPIPELINING\nETRN\nXXXXXXXXXXXX\n8BITMIME"),
	    "nothing");
	/* So short, only partners are offered XCLIENT. */
	cr_expect(garble_of(&replies[REPLY_POSTFIX], "XXXXXXX", 7).found);
}

Test(garble, in_the_place_of_another_keyword_a_mask_speaks_against)
{
	struct garble g = garble_in("220 mx ESMTP Postfix",
	    "mx\nPIPELINING\nSIZE\n8BITMIME\nDSN\nXXXXXXXX");

	cr_expect(g.found);
	cr_expect_eq(g.slot, SLOT_OTHER);
	cr_expect_lt(evidence_weight(g.evidence), 0);
}

Test(garble, ciscos_letters_count_the_masked_lines)
{
	/* PIPECONNECT, CHUNKING, STARTTLS, PRDR of an Exim. */
	struct garble g = garble_in("220 ***************",
	    "mx\nSIZE 1\n8BITMIME\nPIPELINING\nXXXXXXXXXXA\nXXXXXXXB\n"
	    "XXXXXXXC\nXXXD\nHELP");

	cr_assert(g.found);
	cr_expect_eq(g.index, 6);
	cr_expect_eq(g.others_masked, 3);
	cr_assert_not_null(g.mask);
	cr_expect_str_eq(g.mask->name, "cisco-esmtp");
}

Test(garble, a_letter_out_of_turn_is_not_ciscos)
{
	struct garble g = garble_in("220 mx ESMTP Postfix",
	    "mx\nPIPELINING\nSIZE\nETRN\nXXXXXXXQ\n8BITMIME\nDSN");

	cr_expect(g.found);
	cr_expect_eq(g.evidence, EVIDENCE_MASK_GRAMMAR);
	cr_expect_null(g.mask);
}

Test(garble, masks_of_one_character_have_names)
{
	static const char *const rows[][2] = { { "XXXXXXXX", "x-run" },
		{ "xxxxxxxx", "lower-x-run" }, { "********", "star-run" },
		{ "        ", "blank-run" } };

	for (size_t i = 0; i < 4; i++) {
		struct garble g =
		    garble_of(&replies[REPLY_POSTFIX], rows[i][0], 8);

		cr_assert_not_null(g.mask, "%s", rows[i][1]);
		cr_expect_str_eq(g.mask->name, rows[i][1]);
		cr_expect_eq(g.evidence, EVIDENCE_MASK_GRAMMAR);
		cr_expect_str_eq(g.product->name, "postfix");
	}
}

/* "250-STARTTLS", code and separator with it. */
Test(garble, a_line_that_is_overwritten_whole_is_found)
{
	memset(&d, 0, sizeof(d));
	dialogue_open(&d, "192.0.2.10", "198.51.100.25");
	dialogue_say(&d, S("220 mx ESMTP\r\n"), C("EHLO me\r\n"),
	    S("250-mx\r\n250-SIZE\r\nXXXXXXXXXXXX\r\n250 HELP\r\n"));
	dialogue_close(&d);
	cr_expect(garble_find(builtin_registry(), &d.session).found);
	cr_expect_eq(d.session.lines[2].lead_length, 4);
	cr_expect_eq(memcmp(d.session.lines[2].lead, "XXXX", 4), 0);
}

/* A capture that ends within the line shows STARTTL: that is no near miss,
 * and XXXXXXXX may have been longer. */
Test(garble, a_line_that_never_ended_is_no_garble)
{
	static const char *const words[] = { "STARTTL", "STARTTLX",
		"XXXXXXXX" };

	for (size_t i = 0; i < 3; i++) {
		struct said last = { TO_CLIENT, words[i], strlen(words[i]),
			false };

		memset(&d, 0, sizeof(d));
		dialogue_open(&d, "192.0.2.10", "198.51.100.25");
		dialogue_say(&d, S("220 mx ESMTP Postfix\r\n"),
		    C("EHLO me\r\n"),
		    S("250-mx\r\n250-SIZE\r\n250-ETRN\r\n250-"), last);
		dialogue_close_as(&d, ENDING_CAPTURE_END);
		cr_expect_eq(d.session.lines_kept, 4);
		cr_expect_not(garble_find(builtin_registry(), &d.session).found,
		    "%s", words[i]);
	}
}

/* Postfix and others take every CR before the LF for the line's end. */
Test(garble, a_second_cr_does_not_spoil_the_offer)
{
	memset(&d, 0, sizeof(d));
	dialogue_open(&d, "192.0.2.10", "198.51.100.25");
	dialogue_say(&d, S("220 mx ESMTP\r\r\n"), C("EHLO me\r\n"),
	    S("250-mx\r\r\n250-STARTTLS\r\r\n250 HELP\r\r\n"));
	dialogue_close(&d);
	cr_expect(d.session.offered);
	cr_expect_not(garble_find(builtin_registry(), &d.session).found);
}

/* Behind a flood of odd words the place is not looked up any more, but what
 * the form alone tells is still seen. */
Test(garble, a_flood_of_odd_words_hides_nothing)
{
	static char lines[4096] = "mx\nPIPELINING\nSIZE 1\nETRN\n";
	struct garble g;

	for (int i = 0; i < 200; i++)
		sprintf(lines + strlen(lines), "QZK%05d\n", i);
	strcat(lines, "STARTTLX\n8BITMIME");
	g = garble_in("220 mx ESMTP Postfix", lines);
	cr_assert(g.found);
	cr_expect_eq(g.evidence, EVIDENCE_NEAR_MISS);
	cr_expect_eq(g.considered, 201);
}

Test(garble, every_octet_in_every_place_is_borne)
{
	char word[8];

	for (unsigned octet = 0; octet < 256; octet++) {
		if (octet == '\r' || octet == '\n')
			continue;
		for (unsigned i = 0; i < 8; i++) {
			bool intact;

			memcpy(word, "STARTTLS", 8);
			word[i] = (char)octet;
			intact = ascii_upper((uint8_t)octet) ==
			    (uint8_t) "STARTTLS"[i];
			cr_expect_neq(garble_of(&replies[REPLY_EXIM], word, 8)
					  .found,
			    intact, "octet %u in place %u", octet, i);
		}
	}
}
