#include <criterion/criterion.h>

#include "health.h"

TestSuite(health);

static struct health now, before;
static struct health_signs signs;

static void
make(void)
{
	now = sample_health();
	before = sample_before(&now);
}

static bool
blind_for(enum health_reason reason)
{
	health_assess(&before, &now, &signs);
	return signs.state == HEALTH_BLIND && signs.reasons == 1u << reason;
}

Test(health, who_sees_mail_is_watching, .init = make)
{
	health_assess(&before, &now, &signs);
	cr_expect_eq(signs.state, HEALTH_WATCHING);
	cr_expect_eq(signs.reasons, 0);
	cr_expect_float_eq(signs.packet_age_s, 1.5, 1e-6);
}

Test(health, no_mail_on_a_line_that_lives_is_quiet, .init = make)
{
	uint64_t link = before.interfaces[0].link_packets;

	before = now;
	before.now_ns -= MINUTE_NS;
	before.interfaces[0].link_packets = link;
	health_assess(&before, &now, &signs);
	cr_expect_eq(signs.state, HEALTH_QUIET);
}

Test(health, a_line_on_which_nothing_comes_is_no_silence_of_mail, .init = make)
{
	before.interfaces[0].link_packets = now.interfaces[0].link_packets;
	cr_expect(blind_for(BLIND_LINK_SILENT));
	/* Where the system does not count, nothing follows from it. */
	now.interfaces[0].link_known = false;
	health_assess(&before, &now, &signs);
	cr_expect_eq(signs.state, HEALTH_WATCHING);
}

Test(health, an_interface_that_is_down_sees_nothing, .init = make)
{
	now.interfaces[0].up = false;
	before.interfaces[0].link_packets = now.interfaces[0].link_packets;
	cr_expect(blind_for(BLIND_INTERFACE_DOWN));
}

Test(health, kernel_loss_counts_above_one_in_a_hundred, .init = make)
{
	now.interfaces[0].lost = before.interfaces[0].lost + 10;
	health_assess(&before, &now, &signs);
	cr_expect_eq(signs.state, HEALTH_WATCHING);
	cr_expect_float_eq(signs.kernel_loss, 0.01, 1e-9);
	now.interfaces[0].lost++;
	cr_expect(blind_for(BLIND_KERNEL_LOSS));
}

Test(health, acknowledged_octets_that_never_came_are_a_loss, .init = make)
{
	now.totals.counters.of[COUNTER_ACK_UNSEEN] = 20000;
	cr_expect(blind_for(BLIND_CAPTURE_LOSS));
	cr_expect_float_eq(signs.capture_loss, 20000.0 / 520000, 1e-9);
	/* Of before: it is no news. */
	before.totals.counters.of[COUNTER_ACK_UNSEEN] = 20000;
	health_assess(&before, &now, &signs);
	cr_expect_eq(signs.state, HEALTH_WATCHING);
}

Test(health, one_direction_of_most_sessions_is_half_a_mirror, .init = make)
{
	now.totals.tally.unjudged[UNJUDGED_ONE_SIDED] = 11;
	cr_expect(blind_for(BLIND_ONE_SIDED));
	/* Of three sessions two say nothing. */
	before.totals.tally.sessions = now.totals.tally.sessions - 3;
	now.totals.tally.unjudged[UNJUDGED_ONE_SIDED] = 2;
	health_assess(&before, &now, &signs);
	cr_expect_eq(signs.state, HEALTH_WATCHING);
}

Test(health, an_engine_that_gives_no_sign_is_said, .init = make)
{
	char line[HEALTH_LINE_BYTES];

	now.engine_silent = true;
	cr_expect(blind_for(BLIND_ENGINE_SILENT));
	cr_expect_str_eq(health_line(&now, &signs, line),
	    "blind eth1: 390 sessions, 2 incidents; the engine gives no sign "
	    "of life");
}

/* Counters of an interface that came back begin anew. */
Test(health, what_begins_anew_is_no_loss, .init = make)
{
	now.interfaces[0].received = 5;
	before.interfaces[0].lost = 1000;
	now.totals.tally.sessions = 1;
	health_assess(&before, &now, &signs);
	cr_expect_eq(signs.state, HEALTH_WATCHING);
	cr_expect_eq(signs.kernel_loss, 0);
}

Test(health, a_clock_set_back_makes_no_packet_of_the_future, .init = make)
{
	now.now_ns = now.last_packet_ns - MINUTE_NS;
	health_assess(&before, &now, &signs);
	cr_expect_eq(signs.packet_age_s, 0);
	now.last_packet_ns = 0;
	health_assess(&before, &now, &signs);
	cr_expect_eq(signs.packet_age_s, -1);
}

Test(health, the_line_has_room_for_everything, .init = make)
{
	char line[HEALTH_LINE_BYTES];

	now.interface_count = HEALTH_INTERFACES_MAX;
	for (int i = 0; i < HEALTH_INTERFACES_MAX; i++)
		memset(now.interfaces[i].name, 'e',
		    sizeof(now.interfaces[i].name) - 1);
	now.store_failing = true;
	signs.reasons = (1u << BLIND_REASONS) - 1;
	cr_expect_lt(strlen(health_line(&now, &signs, line)), sizeof(line));
	cr_expect(
	    strstr(line, "; the database fails, 16 batches wait") != NULL);
}
