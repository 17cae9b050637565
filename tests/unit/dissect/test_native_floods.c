/* Whoever fills the table, or what sessions hold, must not drive out a running
 * negotiation; and whatever is shed is counted. */
#include <criterion/criterion.h>

#include "unit/dissect/wire.h"

#define S INT64_C(1000000000)

/* A dialogue in which both have spoken, from another port of the client. */
static void
negotiate(struct wire *w, uint16_t client_port)
{
	w->client_port = client_port;
	w->delivered[0] = w->delivered[1] = 0;
	wire_shake(w);
	s(w, 0, 0, "220");
	c(w, 0, 3, "EHLO");
}

static void
expect_going_on(struct wire *w, uint16_t client_port)
{
	unsigned sessions = w->sessions;

	w->client_port = client_port;
	w->delivered[TO_SERVER] = 4;
	w->delivered[TO_CLIENT] = 3;
	w->len = 0;
	s(w, 3, 4, "250");
	cr_assert_str_eq(w->text, "S@3 250\n");
	cr_assert_eq(w->sessions, sessions, "it was picked up midstream");
	wire_finish(w);
	wire_free(w);
}

static uint64_t
evicted(const struct wire *w)
{
	uint64_t sum = 0;

	for (int i = COUNTER_FLOW_EVICTED_HALF_OPEN;
	     i <= COUNTER_FLOW_EVICTED_NEGOTIATING; i++)
		sum += w->counters.of[i];
	return sum;
}

enum { FLOOD = 300, ROOM = 8, PORT = 30000 };

Test(native_floods, syns_drive_out_no_negotiation)
{
	struct wire w = { .flows_max = ROOM, .worth = WORTH_NEGOTIATING };

	wire_open(&w);
	negotiate(&w, PORT);
	for (uint16_t i = 1; i <= FLOOD; i++) {
		w.client_port = PORT + i;
		wire_syn(&w);
	}
	cr_assert_eq(wire_counted(&w, COUNTER_FLOW_EVICTED_HALF_OPEN),
	    FLOOD - ROOM + 1);
	expect_going_on(&w, PORT);
}

Test(native_floods, syn_acks_drive_out_no_negotiation)
{
	struct wire w = { .flows_max = ROOM, .worth = WORTH_NEGOTIATING };

	wire_open(&w);
	negotiate(&w, PORT);
	for (uint16_t i = 1; i <= FLOOD; i++) {
		w.client_port = PORT + i;
		wire_syn_ack(&w);
	}
	cr_assert_eq(evicted(&w), FLOOD - ROOM + 1);
	expect_going_on(&w, PORT);
}

/* What a segment says is not what makes it worth anything. */
Test(native_floods, single_segments_drive_out_no_negotiation)
{
	for (int side = 0; side < 2; side++) {
		struct wire w = { .flows_max = ROOM,
			.worth = WORTH_NEGOTIATING };

		wire_open(&w);
		negotiate(&w, PORT);
		for (uint16_t i = 1; i <= FLOOD; i++) {
			w.client_port = PORT + i;
			w.delivered[0] = w.delivered[1] = 0;
			w.len = 0;
			wire_send(&w, (enum dir)side, TCP_ACK, 0, 77, "EHLO");
		}
		cr_assert_eq(wire_counted(&w, COUNTER_FLOW_EVICTED_UNANSWERED),
		    FLOOD - ROOM + 1);
		cr_assert_eq(evicted(&w), FLOOD - ROOM + 1);
		expect_going_on(&w, PORT);
	}
}

Test(native_floods, dialogues_without_a_handshake_drive_out_no_negotiation)
{
	struct wire w = { .flows_max = ROOM, .worth = WORTH_NEGOTIATING };

	wire_open(&w);
	negotiate(&w, PORT);
	for (uint16_t i = 1; i <= FLOOD; i++) {
		w.client_port = PORT + i;
		w.delivered[0] = w.delivered[1] = 0;
		w.len = 0;
		c(&w, 0, 0, "EHLO");
		s(&w, 0, 4, "250");
		c(&w, 4, 3, "MAIL");
	}
	cr_assert_eq(wire_counted(&w, COUNTER_FLOW_EVICTED_NEGOTIATING), 0);
	cr_assert_eq(evicted(&w), FLOOD - ROOM + 1);
	expect_going_on(&w, PORT);
}

Test(native_floods, silent_connections_go_before_those_that_speak)
{
	struct wire w = { .flows_max = ROOM, .worth = WORTH_GREETED };

	wire_open(&w);
	negotiate(&w, PORT);
	for (uint16_t i = 1; i <= FLOOD; i++) {
		w.client_port = PORT + i;
		wire_shake(&w);
	}
	cr_assert_eq(wire_counted(&w, COUNTER_FLOW_EVICTED_OTHER),
	    FLOOD - ROOM + 1);
	expect_going_on(&w, PORT);
}

/* A tarpit greets after a minute and more. */
Test(native_floods, a_connection_may_be_silent_longer_than_a_syn)
{
	struct wire w = { 0 };

	wire_open(&w);
	wire_shake(&w);
	native_expire(w.native, 100 * S);
	s(&w, 0, 0, "220");
	cr_assert_str_eq(w.text, "S@0 220\n", "it was picked up midstream");
	wire_finish(&w);
	wire_free(&w);
}

/* RFC 9293 3.10.7.3: before the SYN-ACK a reset counts only if it
 * acknowledges the SYN. */
Test(native_floods, a_blind_reset_of_a_syn_changes_nothing)
{
	struct wire w = { 0 };

	wire_open(&w);
	wire_syn(&w);
	wire_segment(&w, TO_CLIENT, TCP_RST, 99, 0, slice_of(NULL, 0));
	wire_segment(&w, TO_CLIENT, TCP_RST | TCP_ACK, 99, 5555,
	    slice_of(NULL, 0));
	cr_assert_eq(wire_counted(&w, COUNTER_STRAY_RST), 2);
	wire_syn_ack(&w);
	s(&w, 0, 0, "220");
	cr_assert_str_eq(w.text, "S@0 220\n");
	wire_finish(&w);
	wire_free(&w);
}

Test(native_floods, a_refused_syn_is_over)
{
	struct wire w = { 0 };

	wire_open(&w);
	wire_syn(&w);
	wire_segment(&w, TO_CLIENT, TCP_RST | TCP_ACK, 0, w.client_isn + 1,
	    slice_of(NULL, 0));
	cr_assert_eq(wire_counted(&w, COUNTER_STRAY_RST), 0);
	s(&w, 0, 0, "220");
	cr_assert_str_eq(w.text, "");
	wire_finish(&w);
	wire_free(&w);
}

/* --- what sessions hold -------------------------------------------------- */

static int64_t
clock_of(const struct wire *w)
{
	return w->now_ns - w->clock_zero_ns;
}

Test(native_floods, whoever_is_worth_least_gives_back_first)
{
	struct wire w = { .worth = WORTH_NEGOTIATING, .held_bytes = 1024 };

	wire_open(&w);
	negotiate(&w, PORT);
	w.client_port = PORT + 1;
	w.delivered[0] = w.delivered[1] = 0;
	c(&w, 0, 0, "EHLO");
	w.len = 0;
	cr_assert(native_relieve(w.native, clock_of(&w)));
	cr_assert_str_eq(w.text, "evicted by C, acked 0 0\n");
	cr_assert_eq(wire_counted(&w, COUNTER_FLOW_EVICTED_UNANSWERED), 1);
	/* An ordinary dialogue holds what it needs. */
	cr_assert_not(native_relieve(w.native, clock_of(&w)));
	/* What was ended does not begin again with its next segment. */
	w.len = 0;
	w.text[0] = '\0';
	c(&w, 4, 0, "MAIL");
	cr_assert_str_eq(w.text, "");
	expect_going_on(&w, PORT);
}

/* Or those behind it would never be reached. */
Test(native_floods, what_nobody_answers_makes_way_though_it_holds_nothing)
{
	struct wire w = { .worth = WORTH_NEGOTIATING };

	wire_open(&w);
	negotiate(&w, PORT);
	for (uint16_t i = 1; i <= 20; i++) {
		w.client_port = PORT + i;
		w.delivered[0] = w.delivered[1] = 0;
		c(&w, 0, 0, "EHLO");
	}
	for (int i = 0; i < 20; i++)
		cr_assert(native_relieve(w.native, clock_of(&w)));
	cr_assert_not(native_relieve(w.native, clock_of(&w)));
	cr_assert_eq(wire_counted(&w, COUNTER_FLOW_EVICTED_UNANSWERED), 20);
	expect_going_on(&w, PORT);
}

Test(native_floods, an_inflated_negotiation_gives_back)
{
	struct wire w = { .worth = WORTH_NEGOTIATING, .held_bytes = 32768 };

	wire_open(&w);
	negotiate(&w, PORT);
	cr_assert(native_relieve(w.native, clock_of(&w)));
	cr_assert_eq(wire_counted(&w, COUNTER_FLOW_EVICTED_NEGOTIATING), 1);
	cr_assert_not(native_relieve(w.native, clock_of(&w)));
	wire_finish(&w);
	wire_free(&w);
}

/* Its end was not seen, and in an hour many of these would have all room. */
Test(native_floods, a_dialogue_that_nobody_goes_on_with_makes_way)
{
	struct wire w = { .worth = WORTH_NEGOTIATING, .held_bytes = 1024 };

	wire_open(&w);
	negotiate(&w, PORT);
	w.now_ns += INT64_C(599000000000);
	cr_assert_not(native_relieve(w.native, clock_of(&w)));
	negotiate(&w, PORT + 1);
	w.now_ns += INT64_C(2000000000);
	cr_assert(native_relieve(w.native, clock_of(&w)));
	cr_assert_eq(wire_counted(&w, COUNTER_FLOW_EVICTED_NEGOTIATING), 1);
	cr_assert_not(native_relieve(w.native, clock_of(&w)));
	expect_going_on(&w, PORT + 1);
}

/* Flows that are no negotiation may fill half of the room to wait. */
Test(native_floods, segments_of_others_leave_room_for_a_negotiation)
{
	struct wire w = { .flows_max = 400,
		.out_of_order_bytes_max = 8192,
		.worth = WORTH_UNKNOWN };

	wire_open(&w);
	for (uint16_t i = 1; i <= FLOOD; i++) {
		w.client_port = PORT + i;
		wire_shake(&w);
		s(&w, 100, 0, "a segment behind a hole");
	}
	cr_assert_gt(wire_counted(&w, COUNTER_SEGMENT_EVICTED), 0);
	w.worth = WORTH_NEGOTIATING;
	negotiate(&w, PORT);
	s(&w, 6, 4, "def");
	w.len = 0;
	w.delivered[TO_SERVER] = 4;
	w.delivered[TO_CLIENT] = 3;
	s(&w, 3, 4, "abc");
	cr_assert_str_eq(w.text, "S@3 abc\nS@6 def\n");
	wire_free(&w);
}

/* A hundred thousand flows of one address pair, where there is room for 64. */
Test(native_floods, everything_that_is_shed_is_counted)
{
	struct wire w = { .flows_max = 64, .worth = WORTH_NEGOTIATING };
	uint64_t sent = 0;

	wire_open(&w);
	for (uint32_t isn = 1; isn <= 2; isn++)
		for (uint32_t port = 1024; port < 51024; port++) {
			w.client_port = (uint16_t)port;
			w.client_isn = isn * 1000;
			wire_syn(&w);
			sent++;
		}
	cr_assert_eq(wire_counted(&w, COUNTER_FLOWS), sent);
	cr_assert_eq(evicted(&w), sent - 64);
	wire_finish(&w);
	wire_free(&w);
}
