/* An offer that came through and was not seen: hidden, or only overlooked. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "unit/rules/judging.h"

#define POSTFIX "220 mx1.example.org ESMTP Postfix\r\n"
#define NOBODY "220 mx1.example.org ESMTP ready\r\n"

/* Postfix's reply with `junk` lines in front of the offer, which is `offer`;
 * then a delivery, in clear. */
static void
play(const char *greeting, unsigned junk, const char *offer)
{
	static char answer[65536];
	size_t n = (size_t)sprintf(answer,
	    "250-mx1.example.org\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n"
	    "250-VRFY\r\n250-ETRN\r\n");
	struct said said[] = { { TO_CLIENT, greeting, strlen(greeting), false },
		C("EHLO relay.example.net\r\n"),
		{ TO_CLIENT, answer, 0, false } };

	for (unsigned i = 0; i < junk; i++)
		n += (size_t)sprintf(answer + n,
		    "250-XFEATURE%u a-parameter-that-takes-room-and-no-more-"
		    "than-that\r\n",
		    i);
	n += (size_t)sprintf(answer + n,
	    "%s\r\n250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250 DSN\r\n",
	    offer);
	said[2].len = n;
	begin(CLIENT, SERVER);
	dialogue_say_all(&d, said, 3);
	dialogue_say(&d, DELIVERY);
	dialogue_close(&d);
}

/* Another session of the server, whose reply had no junk, or as much. */
static struct profile *
other_session(bool inflated, double days, uint64_t count)
{
	bool junk[EHLO_LINES_MAX] = { false };
	struct profile *p = &world.profiles[world.profile_count++];

	for (unsigned i = 1; !inflated && i < d.session.lines_kept; i++)
		junk[i] = memcmp(d.session.lines[i].text, "XFEATURE", 8) == 0;
	cr_assert(session_profile_of_lines(&d.session, junk, p));
	p->first_ns += (int64_t)(days * (double)DAY_NS);
	p->last_ns = p->first_ns;
	p->sessions = count;
	return p;
}

Test(judge_hidden, a_reply_inflated_with_words_that_the_product_has_not)
{
	play(POSTFIX, 40, "250-STARTTLS");
	cr_assert_eq(judge(), VERDICT_INCIDENT);
	cr_expect_eq(in.kind, KIND_STARTTLS_GARBLED);
	cr_expect_eq(in.certainty, CERTAINTY_POSSIBLE);
	cr_expect_eq(in.side, SIDE_SERVER_OF_TAP);
	expect_evidence(&in, "offer-buried-by-others");
	cr_expect_not_null(strstr(in.seen, "XFEATURE0"));
	cr_expect(in.outcome & OUTCOME_ACCEPTED);
}

Test(judge_hidden, an_honest_long_reply_is_no_incident)
{
	play(NOBODY, 120, "250-STARTTLS");
	cr_expect_neq(judge(), VERDICT_INCIDENT);
	/* Nor one that has been so for days, whatever greets. */
	play(POSTFIX, 40, "250-STARTTLS");
	other_session(true, -2, 5);
	other_session(true, 2, 5);
	cr_expect_neq(judge(), VERDICT_INCIDENT);
}

Test(judge_hidden, a_reply_that_is_short_at_other_times_was_inflated)
{
	play(NOBODY, 40, "250-STARTTLS");
	other_session(false, 1, 1);
	cr_assert_eq(judge(), VERDICT_INCIDENT);
	expect_evidence(&in, "offer-buried reply-short-otherwise");
	cr_expect_eq(in.certainty, CERTAINTY_POSSIBLE);
	other_session(false, -3, 20);
	cr_assert_eq(judge(), VERDICT_INCIDENT);
	expect_evidence(&in, "offer-buried reply-short-often");
	cr_expect_eq(in.certainty, CERTAINTY_LIKELY);
}

Test(judge_hidden, a_client_that_finds_the_offer_was_not_kept_from_it)
{
	static const char *const starts[] = { "250-STARTTLS", "550-STARTTLS" };

	for (size_t i = 0; i < 2; i++) {
		play(POSTFIX, i == 0 ? 40 : 0, starts[i]);
		d.session.starttls_sent = true;
		d.session.starttls_code = 220;
		d.session.tls_established = true;
		cr_expect_eq(judge(), VERDICT_NOTHING);
	}
}

Test(judge_hidden, a_client_that_does_not_want_it_was_not_kept_from_it)
{
	play(POSTFIX, 0, "250-STARTTLS");
	cr_expect_eq(judge(), VERDICT_NOTHING);
	play(POSTFIX, 10, "250-STARTTLS");
	cr_expect_eq(judge(), VERDICT_NOTHING);
}

Test(judge_hidden, a_code_or_separator_that_is_not_the_replys)
{
	static const char *const offers[] = { "550-STARTTLS", "25X-STARTTLS",
		"250_STARTTLS", "XXX-STARTTLS" };

	for (size_t i = 0; i < sizeof(offers) / sizeof(*offers); i++) {
		play(NOBODY, 0, offers[i]);
		cr_assert_eq(judge(), VERDICT_INCIDENT, "%s", offers[i]);
		cr_expect_eq(in.kind, KIND_STARTTLS_GARBLED);
		cr_expect_eq(in.certainty, CERTAINTY_LIKELY, "%s", offers[i]);
		cr_expect_str_eq(in.seen, offers[i]);
	}
}

Test(judge_hidden, case_that_the_product_does_not_write)
{
	play(POSTFIX, 0, "250-sTARTTLS");
	cr_assert_eq(judge(), VERDICT_INCIDENT);
	cr_expect_eq(in.certainty, CERTAINTY_POSSIBLE);
	expect_evidence(&in, "offer-case");
	/* The server's own spelling, or one that is as good. */
	play(NOBODY, 0, "250-StartTLS");
	cr_expect_neq(judge(), VERDICT_INCIDENT);
	play(POSTFIX, 0, "250-starttls");
	cr_expect_eq(judge(), VERDICT_EVIDENCE);
}

/* Sessions of the server with the same keywords and another offer. */
static void
spelt(enum offer offer, double days, uint64_t count)
{
	other_session(true, days, count)->offered = (uint8_t)offer;
}

Test(judge_hidden, case_that_the_server_does_not_write_at_other_times)
{
	static const char *const offers[] = { "250-starttls", "250-StartTLS" };

	for (size_t i = 0; i < sizeof(offers) / sizeof(*offers); i++) {
		play(NOBODY, 0, offers[i]);
		spelt(OFFER_CAPITALS, -1, 4);
		fake_itself(&world, &d.session);
		cr_assert_eq(judge(), VERDICT_INCIDENT, "%s", offers[i]);
		cr_expect_eq(in.certainty, CERTAINTY_POSSIBLE);
		cr_expect_not(in.retrospect);
		expect_evidence(&in, "offer-not-capital case-changed");
		cr_expect_str_eq(in.seen, offers[i]);
	}
	/* Both together are still a matter of letters. */
	play(POSTFIX, 0, "250-sTARTTLS");
	spelt(OFFER_CAPITALS, 1, 400);
	cr_assert_eq(judge(), VERDICT_INCIDENT);
	cr_expect_eq(in.certainty, CERTAINTY_POSSIBLE);
	cr_expect(in.retrospect);
	expect_evidence(&in, "offer-case case-changed");
}

Test(judge_hidden, case_that_the_server_writes_at_other_times_too)
{
	/* Of every session; of one in two; of another reply; long ago. */
	play(POSTFIX, 0, "250-sTARTTLS");
	spelt(OFFER_MIXED, -1, 3);
	fake_itself(&world, &d.session);
	cr_expect_neq(judge(), VERDICT_INCIDENT);
	expect_evidence(&in, "offer-case case-always-so");
	play(NOBODY, 0, "250-starttls");
	spelt(OFFER_CAPITALS, -1, 5);
	spelt(OFFER_SMALL, 1, 5);
	fake_itself(&world, &d.session);
	cr_expect_neq(judge(), VERDICT_INCIDENT);
	play(NOBODY, 0, "250-starttls");
	spelt(OFFER_CAPITALS, -1, 5);
	world.profiles[0].keywords_hash++;
	cr_expect_neq(judge(), VERDICT_INCIDENT);
	play(NOBODY, 0, "250-starttls");
	spelt(OFFER_CAPITALS, -30, 5);
	cr_expect_neq(judge(), VERDICT_INCIDENT);
	/* Nobody noted the case of what an older program read. */
	play(NOBODY, 0, "250-starttls");
	spelt(OFFER_SOMEHOW, -1, 5);
	cr_expect_neq(judge(), VERDICT_INCIDENT);
}
