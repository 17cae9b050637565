/* Units, thresholds and denominators. */
#include <criterion/criterion.h>

#include <stdio.h>

#include "probe/study/tally.h"

static struct question
question(enum unit unit)
{
	return (struct question){ .unit = unit,
		.least_sessions = 1,
		.least_percent = 50,
		.certainty = CERTAINTY_LIKELY,
		.prefix_bits = { 24, 48 },
		.vantages = 2 };
}

static struct study_row
row(unsigned server, uint32_t state, uint64_t sessions)
{
	struct study_row r = { .server = { .port = 25 },
		.sessions = sessions,
		.state = STUDY_SMTP | state,
		.at_ns = INT64_C(1772366400000000000) };
	char text[ADDRESS_TEXT_BYTES];

	snprintf(text, sizeof(text), "10.%u.0.1", server);
	cr_assert(address_parse(text, &r.server.address));
	return r;
}

static struct study_row
garbled(unsigned server, uint64_t sessions)
{
	struct study_row r = row(server, STUDY_JUDGED, sessions);

	r.certainty = CERTAINTY_LIKELY;
	r.kind = KIND_STARTTLS_GARBLED;
	snprintf(r.mask, sizeof(r.mask), "x-run");
	return r;
}

#define INTACT (STUDY_JUDGED | STUDY_OFFERED)

Test(tally, a_server_is_affected_by_its_share_of_judged_sessions)
{
	struct question q = question(UNIT_SERVER);
	struct study_tally *t = tally_create(&q);
	struct study_row rows[] = { garbled(1, 1), row(1, INTACT, 1),
		row(1, 0, 100), garbled(2, 1), row(2, INTACT, 2) };
	const struct tally_result *r;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		cr_assert_eq(tally_take(t, &rows[i]), 0);
	r = tally_finish(t);
	cr_assert_not_null(r);
	cr_expect_eq(r->total.counts.units, 2);
	cr_expect_eq(r->total.counts.judged, 2);
	cr_expect_eq(r->total.counts.affected, 1);
	cr_expect_eq(r->total.counts.garbled, 1);
	cr_expect_eq(r->total.counts.sessions, 105);
	cr_expect_eq(r->sensitivity[0][0], 2);
	cr_expect_eq(r->sensitivity[0][4], 0);
	cr_expect_eq(r->sensitivity[1][0], 0);
	tally_destroy(t);
}

Test(tally, what_was_not_judged_widens_the_bounds_and_is_no_absence)
{
	struct question q = question(UNIT_SERVER);
	struct study_tally *t = tally_create(&q);
	struct study_row rows[] = { garbled(1, 1), row(2, INTACT, 1),
		row(3, STUDY_JUDGED, 1), row(4, 0, 1) };
	const struct tally_result *r;

	for (size_t i = 0; i < 4; i++)
		cr_assert_eq(tally_take(t, &rows[i]), 0);
	r = tally_finish(t);
	cr_expect_eq(r->total.counts.absent, 1);
	cr_expect_eq(counts_bounds(&r->total.counts).low, 0.25);
	cr_expect_eq(counts_bounds(&r->total.counts).high, 0.5);
	cr_expect_eq(counts_removal_bounds(&r->total.counts).low, 0);
	cr_expect_eq(counts_removal_bounds(&r->total.counts).high, 0.5);
	tally_destroy(t);
}

Test(tally, masks_share_the_denominators_of_all)
{
	struct question q = question(UNIT_SESSION);
	struct study_tally *t;
	struct study_row rows[] = { garbled(1, 3), row(2, INTACT, 7) };
	const struct tally_result *r;

	q.by = BY_MASK;
	t = tally_create(&q);
	for (size_t i = 0; i < 2; i++)
		cr_assert_eq(tally_take(t, &rows[i]), 0);
	r = tally_finish(t);
	cr_assert_eq(r->group_count, 1);
	cr_expect_str_eq(r->groups[0].name, "x-run");
	cr_expect_eq(r->groups[0].counts.affected, 3);
	cr_expect_eq(r->groups[0].counts.judged, 10);
	cr_expect_eq(r->groups[0].clusters, 2);
	tally_destroy(t);
}

Test(tally, less_sure_than_asked_for_does_not_count)
{
	struct question q = question(UNIT_SERVER);
	struct study_tally *t = tally_create(&q);
	struct study_row r = garbled(1, 1);

	r.certainty = CERTAINTY_POSSIBLE;
	cr_assert_eq(tally_take(t, &r), 0);
	cr_expect_eq(tally_finish(t)->total.counts.affected, 0);
	tally_destroy(t);
}

Test(tally, only_what_could_carry_mail_if_asked)
{
	struct question q = question(UNIT_SESSION);
	struct study_tally *t;
	struct study_row rows[] = { row(1, INTACT | STUDY_CARRIES, 2),
		row(2, INTACT, 5) };
	const struct tally_result *r;

	q.carrying = true;
	t = tally_create(&q);
	for (size_t i = 0; i < 2; i++)
		cr_assert_eq(tally_take(t, &rows[i]), 0);
	r = tally_finish(t);
	cr_expect_eq(r->total.counts.units, 2);
	cr_expect_eq(r->cannot_carry, 5);
	tally_destroy(t);
}

Test(tally, a_path_is_a_client_network_and_a_network_of_servers)
{
	struct question q = question(UNIT_PATH);
	struct study_tally *t = tally_create(&q);
	struct study_row rows[] = { garbled(1, 1), row(2, INTACT, 1),
		garbled(1, 1), row(2, INTACT, 1), garbled(1, 1) };
	const struct tally_result *r;

	for (size_t i = 0; i < 5; i++) {
		if (i == 4)
			cr_assert(address_parse("192.0.2.0",
			    &rows[i].client_network));
		cr_assert_eq(tally_take(t, &rows[i]), 0);
	}
	r = tally_finish(t);
	cr_expect_eq(r->total.counts.units, 3);
	cr_expect_eq(r->total.counts.affected, 2);
	tally_destroy(t);
}

Test(tally, enough_networks_from_two_vantages_have_an_interval)
{
	for (unsigned vantages = 1; vantages <= 2; vantages++)
		for (unsigned servers = 19; servers <= 20; servers++) {
			struct question q = question(UNIT_SERVER);
			struct study_tally *t;

			q.vantages = vantages;
			t = tally_create(&q);
			for (unsigned i = 0; i < servers; i++) {
				struct study_row r = row(i, INTACT, 1);

				cr_assert_eq(tally_take(t, &r), 0);
			}
			cr_expect_eq(tally_finish(t)->total.has_interval,
			    vantages == 2 && servers == 20);
			tally_destroy(t);
		}
}

Test(tally, a_network_is_wholly_affected_when_all_that_was_judged_is)
{
	struct question q = question(UNIT_SERVER);
	struct study_tally *t = tally_create(&q);
	struct study_row rows[] = { garbled(1, 1), garbled(2, 1),
		row(2, INTACT, 1) };
	const struct tally_result *r;

	rows[2].server.address.octets[3] = 2;
	for (size_t i = 0; i < 3; i++)
		cr_assert_eq(tally_take(t, &rows[i]), 0);
	r = tally_finish(t);
	cr_assert_eq(r->full_count, 1);
	cr_expect_str_eq(r->full[0].name, "10.1.0.0/16");
	cr_expect_eq(r->total.clusters_affected, 2);
	tally_destroy(t);
}
