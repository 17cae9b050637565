#include "rules/product.h"

#include "unit/rules/replies.h"
#include "unit/rules/world.h"

static struct dialogue d;
static const struct product *who;

static void
reply(const char *greeting, const char *keywords)
{
	struct reply r = { "", greeting, keywords };

	memset(&d, 0, sizeof(d));
	dialogue_open(&d, "192.0.2.10", "198.51.100.25");
	dialogue_greet(&d, &r, "", 0);
	dialogue_close(&d);
}

/* Lines that begin with `?` are odd; the slot of the nth of them, from 0. */
static enum slot
slot(const char *greeting, const char *keywords, unsigned nth)
{
	bool odd[EHLO_LINES_MAX] = { false };
	unsigned index = 0;

	reply(greeting, keywords);
	for (unsigned i = 1; i < d.session.lines_kept; i++) {
		odd[i] = d.session.lines[i].text[0] == '?';
		if (odd[i] && nth-- == 0)
			index = i;
	}
	return product_slot(builtin_registry(), &d.session, odd, index, &who);
}

static const char *
product(const char *greeting, const char *keywords)
{
	const struct product *p;

	reply(greeting, keywords);
	p = product_of(builtin_registry(), &d.session);
	return p ? p->name : "-";
}

Test(product, the_greeting_names_it_without_case)
{
	cr_expect_str_eq(product("220 mx ESMTP postfix", "mx"), "postfix");
	cr_expect_str_eq(product("220 mx ESMTP EXIM 4.96", "mx"), "exim");
	cr_expect_str_eq(product("220 mx ESMTP x1 - gsmtp", "mx"), "gmail");
	cr_expect_str_eq(product("220 mx ESMTP", "mx"), "-");
}

/* The client's name stands in the first line too: it may not decide. */
Test(product, the_first_line_of_the_reply_names_it_by_a_phrase_only)
{
	cr_expect_str_eq(product("220 mx ESMTP",
			     "mx Nice to meet you, relay.example.net"),
	    "nodemailer");
	cr_expect_str_eq(product("220 mx ESMTP",
			     "mx Hello postfix.example.net"),
	    "-");
}

Test(product, a_masked_greeting_leaves_the_order_to_tell)
{
	cr_expect_str_eq(product("220 *************",
			     "mx\nPIPELINING\nSIZE\nVRFY\nETRN\nSTARTTLS\n"
			     "ENHANCEDSTATUSCODES\n8BITMIME\nDSN"),
	    "postfix");
	/* Only Postfix fits, but Yahoo says so too. */
	cr_expect_str_eq(product("220 mx ESMTP ready",
			     "mx\nPIPELINING\nSIZE 41943040\n8BITMIME\n"
			     "STARTTLS"),
	    "-");
	/* Two fit: nobody can tell. */
	cr_expect_str_eq(product("220 *************",
			     "mx\nPIPELINING\n8BITMIME\nSMTPUTF8"),
	    "-");
}

/* A keyword that an order does not have can stand nowhere in it, not even in
 * the first place. */
Test(product, an_order_does_not_fit_a_reply_with_other_keywords)
{
	cr_expect_str_eq(product("220 mx ESMTP",
			     "mx\nXVERP=Courier\nXEXDATA\n"
			     "XSECURITY=NONE,STARTTLS\nPIPELINING\n8BITMIME\n"
			     "SIZE\nDSN"),
	    "courier");
	cr_expect_eq(slot("220 mx ESMTP",
			 "mx\nXFOO\n8BITMIME\nSIZE\nDSN\n?2345678\nHELP", 0),
	    SLOT_UNKNOWN);
}

/* What a filter adds, or a version that is newer than the order. */
Test(product, a_named_product_may_have_keywords_that_are_not_in_its_order)
{
	static const char lines[] = "mx\nPIPELINING\nSIZE\nETRN\n?2345678\n"
				    "ENHANCEDSTATUSCODES\n8BITMIME\nDSN\n"
				    "XFILTERED";

	cr_expect_eq(slot("220 mx ESMTP Postfix", lines, 0), SLOT_STARTTLS);
	cr_expect_eq(slot("220 mx ESMTP", lines, 0), SLOT_UNKNOWN);
	/* ... but those that are must stand in it. */
	slot("220 mx ESMTP Postfix", "mx\n8BITMIME\nSIZE\n?2345678\nPIPELINING",
	    0);
	cr_expect_null(who);
}

Test(product, a_host_may_be_called_after_another_product)
{
	cr_expect_eq(slot("220 postfix.example.org ESMTP Exim 4.96",
			 "mx\nSIZE 1\n8BITMIME\nCHUNKING\n?2345678\nPRDR\n"
			 "HELP",
			 0),
	    SLOT_STARTTLS);
	cr_expect_str_eq(who->name, "exim");
}

Test(product, between_its_neighbours_only_starttls_fits)
{
	cr_expect_eq(slot("220 mx ESMTP Postfix",
			 "mx\nPIPELINING\nSIZE 1\nVRFY\nETRN\n?2345678\n"
			 "8BITMIME\nDSN\nCHUNKING",
			 0),
	    SLOT_STARTTLS);
	cr_expect_str_eq(who->name, "postfix");
	cr_expect_eq(slot("220 mx ESMTP Exim",
			 "mx\nSIZE 1\n8BITMIME\nCHUNKING\n?2345678\nPRDR\n"
			 "HELP",
			 0),
	    SLOT_STARTTLS);
}

Test(product, a_place_may_belong_to_several_keywords_of_that_length)
{
	cr_expect_eq(slot("220 mx ESMTP Exim",
			 "mx\nSIZE 1\n8BITMIME\nPIPELINING\n?2345678\nHELP", 0),
	    SLOT_SHARED);
}

Test(product, a_place_may_belong_to_another_keyword_or_to_none)
{
	cr_expect_eq(slot("220 mx ESMTP Postfix",
			 "mx\nPIPELINING\nSIZE\n8BITMIME\nDSN\n?2345678", 0),
	    SLOT_OTHER);
	cr_expect_eq(slot("220 mx ESMTP Postfix",
			 "mx\n?2345678\nPIPELINING\nSIZE\n8BITMIME\nDSN", 0),
	    SLOT_NONE);
}

/* Keywords around it that the order does not have are another version's, or
 * another product's that greets alike. */
Test(product, among_strangers_a_place_acquits_nobody)
{
	cr_expect_eq(slot("220 mx ESMTP Postfix",
			 "mx\nPIPELINING\nSIZE\n8BITMIME\nDSN\nMTRK\n"
			 "?2345678\nBURL",
			 0),
	    SLOT_UNKNOWN);
	cr_expect_eq(slot("220 mx Microsoft ESMTP MAIL Service",
			 "mx\nTURN\nSIZE\nETRN\nPIPELINING\nDSN\n"
			 "ENHANCEDSTATUSCODES\n8bitmime\nBINARYMIME\n"
			 "CHUNKING\nVRFY\nTLS\n?2345678\nOK",
			 0),
	    SLOT_STARTTLS);
	cr_expect_str_eq(who->name, "iis");
}

/* What Cisco leaves of an Exim: PIPECONNECT, CHUNKING, STARTTLS and PRDR are
 * masked at their lengths, and only in one way do all of them have a place. */
Test(product, the_lengths_of_masked_neighbours_tell_which_is_starttls)
{
	static const char exim[] = "mx\nSIZE 1\n8BITMIME\nPIPELINING\n"
				   "?0000000000\n?2345678\n?2345678\n?123\n"
				   "HELP";

	cr_expect_eq(slot("220 mx ESMTP Exim", exim, 1), SLOT_OTHER);
	cr_expect_eq(slot("220 mx ESMTP Exim", exim, 2), SLOT_STARTTLS);
}

/* AUTH and its mechanisms, masked, stand behind STARTTLS: then the eight
 * octets behind them are 8BITMIME. */
Test(product, a_masked_keyword_with_parameters_takes_its_place_too)
{
	static const char postfix[] = "mx\nPIPELINING\nSIZE 1\nETRN\n"
				      "?UTH LOGIN\n?2345678\nDSN";

	cr_expect_eq(slot("220 mx ESMTP Postfix", postfix, 1), SLOT_OTHER);
}

Test(product, two_masked_words_for_two_keywords_have_each_its_own)
{
	static const char gmail[] = "mx\nSIZE 1\n8BITMIME\n?2345678\n"
				    "ENHANCEDSTATUSCODES\nPIPELINING\n"
				    "?2345678\nSMTPUTF8";

	cr_expect_eq(slot("220 mx gsmtp", gmail, 0), SLOT_STARTTLS);
	cr_expect_eq(slot("220 mx gsmtp", gmail, 1), SLOT_OTHER);
}

Test(product, orders_that_disagree_say_nothing)
{
	/* Postfix has CHUNKING there, Haraka and nodemailer STARTTLS. */
	cr_expect_eq(slot("220 mx ESMTP",
			 "mx\nPIPELINING\n8BITMIME\nSMTPUTF8\n?2345678", 0),
	    SLOT_UNKNOWN);
	cr_expect_null(who);
}

/* Three keywords that many servers have, here in Postfix's order: CHUNKING
 * would stand behind them there, but nobody said that this is Postfix. */
Test(product, an_order_that_fits_by_chance_acquits_nobody)
{
	static const char short_one[] = "mx\nPIPELINING\nSIZE 41943040\n"
					"8BITMIME\n?2345678";
	static const char long_one[] = "mx\nPIPELINING\nSIZE 1\nVRFY\n"
				       "ETRN\nENHANCEDSTATUSCODES\n"
				       "8BITMIME\nDSN\n?2345678";

	cr_expect_eq(slot("220 mx ESMTP ready", short_one, 0), SLOT_UNKNOWN);
	cr_expect_eq(slot("220 mx ESMTP Postfix", short_one, 0), SLOT_OTHER);
	cr_expect_eq(slot("220 ***************", long_one, 0), SLOT_OTHER);
	/* Two orders agree that STARTTLS stands elsewhere. */
	cr_expect_eq(slot("220 mx ESMTP ready",
			 "mx\nPIPELINING\nENHANCEDSTATUSCODES\n8BITMIME\n"
			 "?2345678",
			 0),
	    SLOT_UNKNOWN);
}

Test(product, one_keyword_is_too_few_to_know_an_order)
{
	cr_expect_eq(slot("220 mx ESMTP Postfix", "mx\nETRN\n?2345678", 0),
	    SLOT_UNKNOWN);
}

Test(product, parameters_do_not_hide_a_place)
{
	cr_expect_eq(slot("220 mx ESMTP Postfix",
			 "mx\nPIPELINING\nSIZE 10240000\nETRN\n?2345678\n"
			 "AUTH PLAIN\nAUTH=PLAIN\n8BITMIME",
			 0),
	    SLOT_STARTTLS);
	cr_expect_eq(slot("220 mx ESMTP",
			 "mx\n?2345678\nXVERP=Courier\nXEXDATA\n"
			 "XSECURITY=NONE,STARTTLS\nPIPELINING",
			 0),
	    SLOT_STARTTLS);
}

/* The room for comparing is bounded; a flood of odd lines is no place. */
Test(product, a_flood_of_odd_lines_is_borne)
{
	static char lines[4096] = "mx\nPIPELINING\nSIZE\n";

	for (int i = 0; i < 200; i++)
		strcat(lines, "?2345678\n");
	strcat(lines, "8BITMIME");
	cr_expect_eq(slot("220 mx ESMTP Postfix", lines, 100), SLOT_STARTTLS);
}
