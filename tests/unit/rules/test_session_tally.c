#include <criterion/criterion.h>

#include "unit/rules/replies.h"

static struct dialogue d;
static struct tally tally;
#define s (&d.session)

#define CLIENT "192.0.2.10"
#define SERVER "198.51.100.25"
#define OPEN (memset(&d, 0, sizeof(d)), dialogue_open(&d, CLIENT, SERVER))
#define GREETING S("220 mx1.example.org ESMTP\r\n")
#define ASKED GREETING, C("EHLO me\r\n")
#define PLAIN ASKED, S("250-mx1.example.org\r\n250 SIZE 1\r\n")
#define OFFER ASKED, S("250-mx1.example.org\r\n250 STARTTLS\r\n")

static void
add_up(void)
{
	session_tally(s, &tally);
}

static uint64_t
sum(const uint64_t *values, int count_of)
{
	uint64_t total = 0;

	for (int i = 0; i < count_of; i++)
		total += values[i];
	return total;
}

static void
expect(const char *offered, const char *used, const char *mail,
    const char *unjudged)
{
	struct tally one = { 0 };
	enum unjudged why;

	session_tally(s, &one);
	tally_add(&tally, &one);
	for (int i = 0; i < OFFERED_VALUES; i++)
		cr_expect_eq(one.offered[i],
		    strcmp(axis_value_name(AXIS_OFFERED, i), offered) == 0,
		    "offered %s", axis_value_name(AXIS_OFFERED, i));
	for (int i = 0; i < USED_VALUES; i++)
		cr_expect_eq(one.used[i],
		    strcmp(axis_value_name(AXIS_USED, i), used) == 0, "used %s",
		    axis_value_name(AXIS_USED, i));
	for (int i = 0; i < MAIL_VALUES; i++)
		cr_expect_eq(one.mail[i],
		    strcmp(axis_value_name(AXIS_MAIL, i), mail) == 0, "mail %s",
		    axis_value_name(AXIS_MAIL, i));
	if (session_unjudged(s, &why))
		cr_expect_str_eq(axis_value_name(AXIS_UNJUDGED, why), unjudged);
	else
		cr_expect_str_empty(unjudged);
	/* Counting it is for whoever has the verdict. */
	cr_expect_eq(sum(one.unjudged, UNJUDGED_VALUES), 0);
}

Test(session_tally, an_encrypted_session)
{
	OPEN;
	dialogue_say(&d, OFFER, C("STARTTLS\r\n"), S("220 Ready\r\n"));
	dialogue_fact(&d, FACT_TLS_ESTABLISHED, 0, "");
	dialogue_close(&d);
	expect("yes", "tls", "opaque", "");
}

Test(session_tally, implicit_tls)
{
	OPEN;
	dialogue_fact(&d, FACT_IMPLICIT_TLS, 0, "");
	dialogue_close(&d);
	expect("not-asked", "implicit", "opaque", "");
}

Test(session_tally, implicit_tls_from_the_middle_hides_what_was_before)
{
	memset(&d, 0, sizeof(d));
	d.midstream = true;
	dialogue_open(&d, CLIENT, SERVER);
	dialogue_fact(&d, FACT_IMPLICIT_TLS, 0, "");
	dialogue_close(&d);
	expect("unseen", "unseen", "opaque", "midstream");
}

Test(session_tally, a_delivery_in_clear_that_nobody_offered_more)
{
	OPEN;
	dialogue_say(&d, PLAIN, DELIVERY);
	dialogue_close(&d);
	expect("no", "not-tried", "accepted", "");
}

Test(session_tally, a_delivery_in_clear_despite_the_offer)
{
	OPEN;
	dialogue_say(&d, OFFER, C("MAIL FROM:<a@example.net>\r\n"),
	    S("250 Ok\r\n"));
	dialogue_close(&d);
	expect("yes", "not-tried", "envelope", "");
}

Test(session_tally, a_message_that_was_refused_was_still_sent)
{
	OPEN;
	dialogue_say(&d, PLAIN,
	    C("MAIL FROM:<a@example.net>\r\nRCPT TO:<b@example.org>\r\n"
	      "DATA\r\n"),
	    S("250 Ok\r\n250 Ok\r\n354 go on\r\n"), C("hello\r\n.\r\n"),
	    S("550 no\r\n"));
	dialogue_close(&d);
	expect("no", "not-tried", "content", "");
}

Test(session_tally, a_refused_starttls)
{
	OPEN;
	dialogue_say(&d, OFFER, C("STARTTLS\r\n"), S("454 not now\r\n"),
	    C("QUIT\r\n"), S("221 Bye\r\n"));
	dialogue_close(&d);
	expect("yes", "refused", "none", "");
}

Test(session_tally, a_broken_handshake)
{
	OPEN;
	dialogue_say(&d, OFFER, C("STARTTLS\r\n"), S("220 Ready\r\n"));
	dialogue_close_as(&d, ENDING_RST);
	expect("yes", "broken", "none", "");
}

Test(session_tally, a_handshake_that_the_capture_does_not_see_to_its_end)
{
	OPEN;
	dialogue_say(&d, OFFER, C("STARTTLS\r\n"), S("220 Ready\r\n"));
	dialogue_close_as(&d, ENDING_CAPTURE_END);
	expect("yes", "unseen", "none", "");
}

Test(session_tally, helo_asks_for_nothing)
{
	OPEN;
	dialogue_say(&d, GREETING, C("HELO me\r\n"),
	    S("250 mx1.example.org\r\n"), C("QUIT\r\n"), S("221 Bye\r\n"));
	dialogue_close(&d);
	expect("not-asked", "not-tried", "none", "");
}

Test(session_tally, a_refused_ehlo_offers_nothing)
{
	OPEN;
	dialogue_say(&d, ASKED, S("502 what?\r\n"), C("QUIT\r\n"),
	    S("221 Bye\r\n"));
	dialogue_close(&d);
	expect("no", "not-tried", "none", "");
}

Test(session_tally, a_client_that_leaves_after_the_greeting)
{
	OPEN;
	dialogue_say(&d, GREETING);
	dialogue_close(&d);
	expect("not-asked", "not-tried", "none", "");
}

Test(session_tally, an_offer_stays_one_when_a_later_answer_lacks_it)
{
	OPEN;
	dialogue_say(&d, OFFER, C("EHLO me\r\n"),
	    S("250-mx1.example.org\r\n250 SIZE 1\r\n"), C("QUIT\r\n"));
	dialogue_close(&d);
	expect("yes", "not-tried", "none", "");
}

/* --- what the capture does not show -------------------------------------- */

Test(session_tally, an_answer_with_a_gap)
{
	OPEN;
	dialogue_say(&d, ASKED, S("250-mx1.example.org\r\n"),
	    GAP(TO_CLIENT, 14), S("\r\n250 SIZE 1\r\n"), DELIVERY);
	dialogue_close(&d);
	expect("unseen", "not-tried", "accepted", "gap");
}

Test(session_tally, an_answer_in_a_cut_packet)
{
	OPEN;
	dialogue_say(&d, ASKED, S("250-mx1.example.org\r\n"),
	    SNAPPED(TO_CLIENT, 14), S("\r\n250 SIZE 1\r\n"), C("QUIT\r\n"));
	dialogue_close(&d);
	expect("unseen", "not-tried", "none", "snaplen");
}

/* The reason is what hid the answer, not what went wrong later. */
Test(session_tally, the_reason_is_the_one_that_held_at_the_answer)
{
	OPEN;
	dialogue_say(&d, ASKED, S("250-mx1.example.org\r\n"),
	    GAP(TO_CLIENT, 14), S("\r\n250 SIZE 1\r\n"), DELIVERY,
	    SNAPPED(TO_CLIENT, 5));
	dialogue_close(&d);
	expect("unseen", "not-tried", "accepted", "gap");
}

Test(session_tally, an_answer_that_the_capture_cuts_short)
{
	OPEN;
	dialogue_say(&d, ASKED, S("250-mx1.example.org\r\n"));
	dialogue_close_as(&d, ENDING_CAPTURE_END);
	expect("unseen", "not-tried", "none", "gap");
}

Test(session_tally, an_answer_of_a_session_that_was_shed)
{
	OPEN;
	dialogue_say(&d, ASKED, S("250-mx1.example.org\r\n"));
	dialogue_close_as(&d, ENDING_EVICTED);
	expect("unseen", "unseen", "none", "evicted");
}

Test(session_tally, the_servers_side_alone)
{
	memset(&d, 0, sizeof(d));
	d.one_sided = true;
	dialogue_open(&d, CLIENT, SERVER);
	dialogue_say(&d, GREETING, S("250-mx1.example.org\r\n250 SIZE 1\r\n"));
	dialogue_close(&d);
	expect("unseen", "unseen", "none", "one-sided");
}

Test(session_tally, a_session_from_its_middle)
{
	memset(&d, 0, sizeof(d));
	d.midstream = true;
	dialogue_open(&d, CLIENT, SERVER);
	dialogue_say(&d, S("250 2.0.0 Ok\r\n"),
	    C("MAIL FROM:<a@example.net>\r\n"), S("250 Ok\r\n"));
	dialogue_close(&d);
	expect("unseen", "not-tried", "envelope", "midstream");
}

/* Presence is proof, however little of the rest was seen. */
Test(session_tally, an_offer_from_the_middle_is_an_offer)
{
	memset(&d, 0, sizeof(d));
	d.midstream = true;
	dialogue_open(&d, CLIENT, SERVER);
	dialogue_say(&d, C("EHLO me\r\n"),
	    S("250-mx1.example.org\r\n250 STARTTLS\r\n"), C("QUIT\r\n"),
	    S("221 Bye\r\n"));
	dialogue_close(&d);
	expect("yes", "not-tried", "none", "");
}

/* interface.md: each axis adds up to all sessions; so for whatever a session
 * has come to at any of its facts. */
Test(session_tally, every_axis_adds_up_to_all_sessions)
{
	static const struct said script[] = { GREETING, C("EHLO me\r\n"),
		S("250-mx1.example.org\r\n"), GAP(TO_CLIENT, 3),
		S("\r\n250 STARTTLS\r\n"), C("STARTTLS\r\n"), S("454 no\r\n"),
		C("EHLO me\r\n"), S("250 mx\r\n"), C("AUTH PLAIN AGEAYg==\r\n"),
		S("235 Ok\r\n"), DELIVERY };

	for (int state = 0; state < 4; state++) {
		memset(&d, 0, sizeof(d));
		d.midstream = state & 1;
		d.one_sided = state & 2;
		dialogue_open(&d, CLIENT, SERVER);
		for (size_t i = 0; i < sizeof(script) / sizeof(*script); i++) {
			dialogue_say_all(&d, &script[i], 1);
			fact_log_publish(&d.log, DECISION_CLOSED);
			add_up();
		}
		dialogue_close(&d);
		add_up();
	}
	cr_expect_gt(tally.sessions, 80);
	cr_expect_eq(sum(tally.offered, OFFERED_VALUES), tally.sessions);
	cr_expect_eq(sum(tally.used, USED_VALUES), tally.sessions);
	cr_expect_eq(sum(tally.mail, MAIL_VALUES), tally.sessions);
}

/* --- profiles: what enters history --------------------------------------- */

Test(session_tally, a_profile_is_the_list_without_starttls)
{
	struct profile with, without;
	struct keyword_list list;

	OPEN;
	dialogue_greet(&d, &replies[REPLY_EXIM], "STARTTLS", 8);
	dialogue_close(&d);
	cr_assert(session_profile(s, &with));
	session_keywords(s, &list);
	OPEN;
	dialogue_greet(&d, &replies[REPLY_EXIM], NULL, 0);
	dialogue_say(&d, DELIVERY);
	dialogue_close(&d);
	cr_assert(session_profile(s, &without));

	cr_expect(with.offered && !without.offered);
	cr_expect_eq(with.keywords_hash, without.keywords_hash);
	cr_expect_eq(list.hash, with.keywords_hash);
	cr_expect_str_eq(list.keywords,
	    "SIZE 8BITMIME PIPELINING PIPECONNECT CHUNKING PRDR HELP");
	cr_expect_eq(without.ending_class, CLASS_CLEAR_MAIL);
	cr_expect_eq(with.ending_class, CLASS_CLEAR_NONE);
	cr_expect_eq(with.verb, VERB_EHLO);
	cr_expect_eq(with.sessions, 1);
}

Test(session_tally, order_and_keywords_make_the_list_their_arguments_do_not)
{
	static const char *const lines[] = { "mx\nSIZE 1\nDSN",
		"mx\nSIZE 2\nDSN", "mx\nDSN\nSIZE 1", "mx\nSIZE 1\nDSN\nHELP" };
	struct profile p[4];

	for (size_t i = 0; i < 4; i++) {
		struct reply reply = { "", "220 mx ESMTP", lines[i] };

		OPEN;
		dialogue_greet(&d, &reply, "", 0);
		dialogue_close(&d);
		cr_assert(session_profile(s, &p[i]));
	}
	cr_expect_eq(p[0].keywords_hash, p[1].keywords_hash);
	cr_expect_neq(p[0].keywords_hash, p[2].keywords_hash);
	cr_expect_neq(p[0].keywords_hash, p[3].keywords_hash);
}

static uint64_t
home_of(const char *name)
{
	struct reply reply = { "", "220 mx ESMTP", "" };
	struct profile p;
	char lines[256];

	snprintf(lines, sizeof(lines), "%s\nDSN", name);
	reply.lines = lines;
	OPEN;
	dialogue_greet(&d, &reply, "", 0);
	dialogue_close(&d);
	cr_assert(session_profile(s, &p));
	return p.home_hash;
}

Test(session_tally, a_server_is_of_the_domain_that_its_name_is_in)
{
	static const struct {
		const char *one, *other;
		bool same;
	} rows[] = {
		{ "mx1.example.org", "mx2.example.org", true },
		{ "mx1.example.org", "MX1.Example.ORG Hello a", true },
		{ "mx.example.org", "example.org", true },
		{ "mx.example.org", "mx.example.net", false },
		{ "mx.example.org", "mx.mail.example.org", false },
		{ "mx", "[192.0.2.1]", true }, /* none at all */
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		cr_expect_eq(home_of(rows[i].one) == home_of(rows[i].other),
		    rows[i].same, "row %zu", i);
	cr_expect_eq(home_of("mx"), 0);
	cr_expect_eq(home_of("[192.0.2.1]"), 0);
	cr_expect_neq(home_of("mx.example.org"), 0);
}

Test(session_tally, only_what_was_seen_whole_is_history)
{
	struct profile p;

	OPEN;
	dialogue_say(&d, ASKED, S("250-mx1.example.org\r\n"),
	    GAP(TO_CLIENT, 14), S("\r\n250 SIZE 1\r\n"));
	dialogue_close(&d);
	cr_expect_not(session_profile(s, &p));

	memset(&d, 0, sizeof(d));
	d.midstream = true;
	dialogue_open(&d, CLIENT, SERVER);
	dialogue_say(&d, PLAIN);
	dialogue_close(&d);
	cr_expect_not(session_profile(s, &p));

	OPEN;
	dialogue_say(&d, GREETING, C("HELO me\r\n"), S("250 mx\r\n"));
	dialogue_close(&d);
	cr_expect_not(session_profile(s, &p));
}

Test(session_tally, mail_in_clear_without_an_intact_offer_is_kept)
{
	OPEN;
	dialogue_say(&d, PLAIN, DELIVERY);
	dialogue_close(&d);
	cr_expect(session_clear_without_offer(s));
	/* Pipelined, and cut before an answer came. */
	OPEN;
	dialogue_say(&d, PLAIN,
	    C("MAIL FROM:<a@example.net>\r\nRCPT TO:<b@example.org>\r\n"
	      "BDAT 8 LAST\r\nHello.\r\n"));
	dialogue_close(&d);
	cr_expect(session_clear_without_offer(s));
	OPEN;
	dialogue_say(&d, OFFER, DELIVERY);
	dialogue_close(&d);
	cr_expect_not(session_clear_without_offer(s));
	OPEN;
	dialogue_say(&d, PLAIN, C("QUIT\r\n"));
	dialogue_close(&d);
	cr_expect_not(session_clear_without_offer(s));
}
