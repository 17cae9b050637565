#include "rules/history.h"

#include "unit/rules/replies.h"
#include "unit/rules/world.h"

static struct dialogue d;
static struct fake_world world;
static struct profile own;
static struct history h;

#define CLIENT "192.0.2.10"
#define NEIGHBOUR "192.0.2.77"
#define STRANGER "203.0.113.5"

static void
begin(void)
{
	memset(&world, 0, sizeof(world));
	memset(&d, 0, sizeof(d));
	dialogue_open(&d, CLIENT, "198.51.100.25");
	dialogue_greet(&d, &replies[REPLY_POSTFIX], NULL, 0);
	dialogue_close(&d);
	cr_assert(session_profile(&d.session, &own));
}

static struct profile *
seen(const char *client, double days, uint64_t sessions)
{
	return fake_offers(&world, &d.session, UINT32_MAX, client, days,
	    sessions);
}

static void
ask(void)
{
	history_ask(fake_context(&world), &own, own.keywords_hash, own.first_ns,
	    &h);
}

Test(history, no_profiles_are_no_history)
{
	begin();
	ask();
	cr_expect_eq(history_offered(&h), 0);
	cr_expect_not(h.before || h.after || h.any_list);
	cr_expect_eq(h.nearest_offered_ns, 0);
}

/* A submission server is another server than the MX at the same address. */
Test(history, is_that_of_the_address_and_the_port)
{
	begin();
	ask();
	cr_expect(endpoint_equal(&world.asked, &d.session.flow.server));
	cr_expect_eq(world.asked.port, 25);
}

Test(history, sessions_are_counted_by_how_near_their_client_is)
{
	begin();
	seen(CLIENT, -1, 3);
	seen(NEIGHBOUR, -1, 5);
	seen("192.0.3.10", -1, 7);
	seen("2001:db8::10", -1, 11);
	seen(CLIENT, -1, 13)->offered = false;
	seen(NEIGHBOUR, -1, 17)->offered = false;
	seen(STRANGER, -1, 19)->offered = false;
	ask();
	cr_expect_eq(h.same_offered, 3);
	cr_expect_eq(h.network_offered, 5);
	cr_expect_eq(h.other_offered, 18);
	cr_expect_eq(history_offered(&h), 26);
	/* This session is one of the thirteen. */
	cr_expect_eq(h.same_missing, 12);
	cr_expect_eq(h.network_missing, 17);
	cr_expect_eq(h.other_missing, 19);
	cr_expect_eq(h.same_reply, 12 + 17 + 19);
}

Test(history, only_sessions_by_the_same_verb_compare)
{
	begin();
	seen(CLIENT, -1, 3)->verb = VERB_HELO;
	ask();
	cr_expect_eq(history_offered(&h), 0);
}

/* Seven days before and after, to the nanosecond. */
Test(history, only_a_week_before_and_after_compares)
{
	static const struct {
		int64_t off_ns;
		uint64_t counted;
	} rows[] = {
		{ -7 * DAY_NS, 1 },
		{ -7 * DAY_NS - 1, 0 },
		{ 7 * DAY_NS, 1 },
		{ 7 * DAY_NS + 1, 0 },
		{ 0, 1 },
		{ -30 * DAY_NS, 0 },
		{ 30 * DAY_NS, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct profile *p;

		begin();
		p = seen(CLIENT, 0, 1);
		p->first_ns += rows[i].off_ns;
		p->last_ns = p->first_ns;
		ask();
		cr_expect_eq(h.same_offered, rows[i].counted, "%lld",
		    (long long)rows[i].off_ns);
	}
}

Test(history, a_profile_that_spans_the_session_is_before_and_after)
{
	struct profile *p;

	begin();
	p = seen(CLIENT, -2, 40);
	p->last_ns += 3 * DAY_NS;
	ask();
	cr_expect_eq(h.same_offered, 40);
	cr_expect(h.before && h.after);
	/* When the other 38 were is not known. */
	cr_expect_eq(h.nearest_offered_ns, own.first_ns + DAY_NS);
}

Test(history, times_are_those_of_the_clients_network)
{
	begin();
	seen(STRANGER, -3, 1);
	seen(CLIENT, -2, 1);
	seen(NEIGHBOUR, -1, 1);
	seen(STRANGER, 0.5, 1);
	ask();
	cr_expect_eq(h.first_offered_ns, own.first_ns - 2 * DAY_NS);
	cr_expect_eq(h.last_offered_ns, own.first_ns - DAY_NS);
	cr_expect(h.before && h.after);
}

/* It stands beside the number of sessions "with this client". */
Test(history, the_nearest_time_is_of_the_nearest_of_kin)
{
	begin();
	seen(STRANGER, -0.5, 1);
	ask();
	cr_expect_eq(h.nearest_offered_ns, own.first_ns - DAY_NS / 2);
	seen(NEIGHBOUR, -3, 1);
	ask();
	cr_expect_eq(h.nearest_offered_ns, own.first_ns - 3 * DAY_NS);
	seen(CLIENT, -5, 1);
	seen(CLIENT, 4, 1);
	ask();
	cr_expect_eq(h.nearest_offered_ns, own.first_ns + 4 * DAY_NS);
}

Test(history, a_period_has_seven_days_also_before_1970)
{
	cr_expect_eq(profile_period_ns(0), 0);
	cr_expect_eq(profile_period_ns(7 * DAY_NS - 1), 0);
	cr_expect_eq(profile_period_ns(7 * DAY_NS), 7 * DAY_NS);
	cr_expect_eq(profile_period_ns(-1), -7 * DAY_NS);
	cr_expect_eq(profile_period_ns(-7 * DAY_NS), -7 * DAY_NS);
	cr_expect_eq(profile_period_ns(-7 * DAY_NS - 1), -14 * DAY_NS);
}

Test(history, an_equal_list_belongs_to_whom_it_was_sent)
{
	begin();
	seen(CLIENT, -1, 1)->keywords_hash++;
	seen(STRANGER, -1, 1);
	ask();
	cr_expect_not(h.same_list);
	cr_expect_not(h.network_list);
	cr_expect(h.any_list);
	seen(NEIGHBOUR, -1, 1);
	ask();
	cr_expect_not(h.same_list);
	cr_expect(h.network_list);
	seen(CLIENT, -1, 1);
	ask();
	cr_expect(h.same_list);
}

/* The overwritten word belongs to the reply, not to what it should be. */
Test(history, a_garbled_reply_compares_without_the_overwritten_word)
{
	struct profile clean;

	memset(&world, 0, sizeof(world));
	memset(&d, 0, sizeof(d));
	dialogue_open(&d, CLIENT, "198.51.100.25");
	dialogue_greet(&d, &replies[REPLY_POSTFIX], "XXXXXXXA", 8);
	dialogue_close(&d);
	cr_assert(session_profile(&d.session, &own));
	cr_assert(session_profile_without(&d.session, 5, &clean));
	seen(CLIENT, -1, 1)->keywords_hash = clean.keywords_hash;
	fake_itself(&world, &d.session);
	history_ask(fake_context(&world), &own, clean.keywords_hash,
	    own.first_ns, &h);
	cr_expect(h.same_list);
	cr_expect_eq(h.same_reply, 0);
}
