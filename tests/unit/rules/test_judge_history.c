/* What other sessions say of a missing offer (design 4.4, 4.6). */
#include "rules/judge.h"

#include "unit/rules/judging.h"

static void
clear_delivery(const char *client)
{
	begin(client, SERVER);
	dialogue_greet(&d, &replies[REPLY_POSTFIX], NULL, 0);
	dialogue_say(&d, DELIVERY);
	dialogue_close(&d);
	fake_itself(&world, &d.session);
}

Test(judge_history, an_offer_to_this_very_client_makes_it_possible)
{
	clear_delivery(CLIENT);
	offers(CLIENT, -0.1, 1);
	cr_assert_eq(judge(), VERDICT_INCIDENT);
	cr_expect_eq(in.kind, KIND_STARTTLS_STRIPPED);
	cr_expect_eq(in.certainty, CERTAINTY_POSSIBLE);
	expect_evidence(&in, "offered-to-same-client only-difference");
	/* One group: the stronger of the two. */
	cr_expect_float_eq(in.support, 1.6, 1e-9);
	cr_expect_not(in.retrospect);
}

/* A server that is seen clean at noon says something about ten o'clock. */
Test(judge_history, time_runs_both_ways)
{
	double support;

	clear_delivery(CLIENT);
	offers(CLIENT, -2, 3);
	cr_assert_eq(judge(), VERDICT_INCIDENT);
	support = in.support;
	cr_expect_not(in.retrospect);

	clear_delivery(CLIENT);
	offers(CLIENT, 2, 3);
	cr_assert_eq(judge(), VERDICT_INCIDENT);
	cr_expect_float_eq(in.support, support, 1e-9);
	cr_expect(in.retrospect);
}

/* What strangers got before does not carry a verdict about this client. */
Test(judge_history, a_verdict_of_later_offers_is_a_retrospect)
{
	clear_delivery(CLIENT);
	offers(STRANGER, -2, 3);
	offers(CLIENT, 2, 3);
	cr_assert_eq(judge(), VERDICT_INCIDENT);
	cr_expect(in.retrospect);
}

Test(judge_history, a_neighbours_offers_count_when_they_are_several)
{
	clear_delivery(CLIENT);
	offers(NEIGHBOUR, -1, 3);
	cr_assert_eq(judge(), VERDICT_INCIDENT);
	expect_evidence(&in, "offered-to-neighbours");
	cr_expect_eq(in.certainty, CERTAINTY_POSSIBLE);

	clear_delivery(CLIENT);
	offers(NEIGHBOUR, -1, 2);
	cr_expect_eq(judge(), VERDICT_EVIDENCE);
	expect_evidence(&in, "offered-to-one-neighbour");
}

Test(judge_history, networks_are_24_bits_of_ipv4_and_48_of_ipv6)
{
	clear_delivery("2001:db8:1:2::10");
	offers("2001:db8:1:ffff::1", -1, 3);
	cr_assert_eq(judge(), VERDICT_INCIDENT);
	expect_evidence(&in, "offered-to-neighbours");

	clear_delivery("2001:db8:1:2::10");
	offers("2001:db8:2:2::10", -1, 3);
	cr_expect_eq(judge(), VERDICT_EVIDENCE);
	expect_evidence(&in, "offered-to-others");

	clear_delivery(CLIENT);
	offers("192.0.3.10", -1, 3);
	judge();
	expect_evidence(&in, "offered-to-others");
}

Test(judge_history, strangers_alone_accuse_nobody)
{
	clear_delivery(CLIENT);
	offers(STRANGER, -1, 1000);
	offers(STRANGER, 1, 1000);
	cr_expect_eq(judge(), VERDICT_EVIDENCE);
	expect_evidence(&in, "offered-to-others");
}

/* Neighbours' offers in another reply, the same reply to a stranger: "the
 * same but for this line" would not be true of the neighbours. */
Test(judge_history, a_strangers_reply_is_no_neighbours)
{
	clear_delivery(CLIENT);
	offers(NEIGHBOUR, -1, 9)->keywords_hash++;
	offers(STRANGER, -1, 9);
	cr_expect_eq(judge(), VERDICT_EVIDENCE);
	expect_evidence(&in, "offered-to-one-neighbour");

	clear_delivery(CLIENT);
	offers(CLIENT, -1, 9)->keywords_hash++;
	offers(STRANGER, -1, 9);
	judge();
	expect_evidence(&in, "offered-to-same-client");
}

Test(judge_history, another_reply_speaks_against)
{
	clear_delivery(CLIENT);
	offers(CLIENT, -1, 9)->keywords_hash++;
	cr_expect_eq(judge(), VERDICT_EVIDENCE);
	expect_evidence(&in, "offered-to-same-client other-differences");
	cr_expect_float_eq(in.support, 1.5 - 0.4, 1e-9);
}

Test(judge_history, many_sessions_over_days_on_both_sides_are_likely)
{
	clear_delivery(CLIENT);
	offers(CLIENT, -2, 10);
	offers(NEIGHBOUR, 1.5, 10);
	cr_assert_eq(judge(), VERDICT_INCIDENT);
	expect_evidence(&in, "offered-often only-difference");
	cr_expect_eq(in.certainty, CERTAINTY_LIKELY);
}

Test(judge_history, likely_asks_for_all_of_it)
{
	/* Too few. */
	clear_delivery(CLIENT);
	offers(CLIENT, -2, 9);
	offers(CLIENT, 2, 10);
	judge();
	cr_expect_null(evidence_in(&in, EVIDENCE_OFFERED_OFTEN));
	/* Too short a time. */
	clear_delivery(CLIENT);
	offers(CLIENT, -1, 50);
	offers(CLIENT, 1, 50);
	judge();
	cr_expect_null(evidence_in(&in, EVIDENCE_OFFERED_OFTEN));
	/* Only before: a planned change looks the same. */
	clear_delivery(CLIENT);
	offers(CLIENT, -5, 50);
	offers(CLIENT, -1, 50);
	judge();
	cr_expect_null(evidence_in(&in, EVIDENCE_OFFERED_OFTEN));
	/* Afterwards only to strangers. */
	offers(STRANGER, 1, 50);
	judge();
	cr_expect_null(evidence_in(&in, EVIDENCE_OFFERED_OFTEN));
	/* Never to this client. */
	clear_delivery(CLIENT);
	offers(NEIGHBOUR, -2, 50);
	offers(NEIGHBOUR, 2, 50);
	judge();
	cr_expect_null(evidence_in(&in, EVIDENCE_OFFERED_OFTEN));
	cr_expect_leq(in.certainty, CERTAINTY_POSSIBLE);
}

/* One of two servers behind the address has no TLS; the domain has a policy.
 * Nobody does anything, so it may not be likely. */
Test(judge_history, an_offer_that_comes_and_goes_is_never_likely)
{
	clear_delivery(CLIENT);
	for (int day = -3; day <= 3; day++) {
		offers(CLIENT, day, 10);
		lacks(CLIENT, day + 0.1, 10);
	}
	world.domain[0] = "example.org";
	world.body[0] = ENFORCE;
	cr_assert_eq(judge(), VERDICT_INCIDENT);
	expect_evidence(&in,
	    "offered-to-same-client only-difference comes-and-goes "
	    "policy-unmet");
	cr_expect_eq(in.certainty, CERTAINTY_POSSIBLE);
	cr_expect_leq(in.confidence, 0.69);
}

Test(judge_history, configuration_by_client_is_recognised)
{
	clear_delivery(CLIENT);
	offers(NEIGHBOUR, -1, 20);
	offers(NEIGHBOUR, 1, 20);
	lacks(CLIENT, -1, 5);
	cr_expect_eq(judge(), VERDICT_EVIDENCE);
	expect_evidence(&in, "offered-to-neighbours stable-per-client");

	clear_delivery(CLIENT);
	offers(NEIGHBOUR, -1, 20);
	lacks(CLIENT, -1, 1);
	judge();
	expect_evidence(&in, "offered-to-neighbours same-per-client");
}

Test(judge_history, an_offer_that_never_came_back_may_be_a_planned_change)
{
	clear_delivery(CLIENT);
	offers(CLIENT, -1, 20);
	lacks(CLIENT, 1, 20);
	cr_assert_eq(judge(), VERDICT_INCIDENT);
	expect_evidence(&in,
	    "offered-to-same-client only-difference "
	    "since-then-never");
	cr_expect_eq(in.certainty, CERTAINTY_POSSIBLE);
}

Test(judge_history, what_nobody_was_ever_offered_weighs_against_a_policy)
{
	clear_delivery(CLIENT);
	lacks(STRANGER, -1, 3);
	world.domain[0] = "example.org";
	world.body[0] = ENFORCE;
	judge();
	expect_evidence(&in, "never-offered policy-unmet");
}

/* No sum of what is ordinary life reaches likely: every mix of a policy, of
 * offers and of their absence, unless history is as strong as it must be. */
Test(judge_history, nothing_benign_reaches_likely)
{
	static const char *const bodies[] = { NULL, TESTING, ENFORCE };
	static const char *const clients[] = { CLIENT, NEIGHBOUR, STRANGER };

	for (unsigned mix = 0; mix < 3 * 64 * 8; mix++) {
		unsigned with = mix / 3 % 64, without = mix / 3 / 64;

		clear_delivery(CLIENT);
		for (unsigned i = 0; i < 6; i++)
			if (with >> i & 1)
				offers(clients[i % 3], i < 3 ? -3 : 3, 50);
		for (unsigned i = 0; i < 3; i++)
			if (without >> i & 1)
				lacks(clients[i], 0.5, 50);
		world.domain[0] = bodies[mix % 3] ? "example.org" : NULL;
		world.body[0] = bodies[mix % 3];
		judge();
		if (evidence_in(&in, EVIDENCE_OFFERED_OFTEN) == NULL) {
			cr_expect_leq(in.certainty, CERTAINTY_POSSIBLE);
			cr_expect_leq(in.confidence, 0.69);
		} else {
			cr_expect((with & 1) || (with & 8));
			cr_expect_eq(without & 3, 0);
		}
	}
}
