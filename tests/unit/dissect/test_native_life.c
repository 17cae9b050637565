/* How flows begin and end: resets, reuse, idleness, and want of room. */
#include <criterion/criterion.h>

#include "unit/dissect/wire.h"

static void
expect(struct wire *w, const char *wanted)
{
	const char *got = wire_finish(w);

	cr_assert_str_eq(got, wanted, "not\n%s\nbut\n%s", wanted, got);
	wire_free(w);
}

/* A flow of its own: another port of the client. */
static void
greet(struct wire *w, uint16_t client_port)
{
	w->client_port = client_port;
	wire_shake(w);
	s(w, 0, 0, "220");
}

/* --- FIN, RST, reuse ----------------------------------------------------- */

Test(native_life, two_fins_close_a_flow)
{
	struct wire w = { 0 };

	wire_open(&w);
	wire_shake(&w);
	wire_send(&w, TO_SERVER, TCP_ACK | TCP_FIN, 0, 0, "QUIT");
	wire_send(&w, TO_CLIENT, TCP_ACK | TCP_FIN, 0, 5, "221");
	/* The FIN that is acknowledged, too, is no octet. */
	cr_assert_str_eq(w.text, "C@0 QUIT\nS@0 221\nfin by C, acked 4 0\n");
	c(&w, 5, 4, "late");
	expect(&w, "C@0 QUIT\nS@0 221\nfin by C, acked 4 0\n");
}

Test(native_life, a_fin_that_comes_too_early_waits)
{
	struct wire w = { 0 };

	wire_open(&w);
	wire_shake(&w);
	wire_send(&w, TO_SERVER, TCP_ACK | TCP_FIN, 4, 0, "");
	wire_send(&w, TO_CLIENT, TCP_ACK | TCP_FIN, 0, 0, "");
	cr_assert_str_eq(w.text, "");
	c(&w, 0, 0, "QUIT");
	expect(&w, "C@0 QUIT\nfin by S, acked 0 0\n");
}

Test(native_life, one_fin_and_then_silence_is_a_fin)
{
	struct wire w = { 0 };

	wire_open(&w);
	wire_shake(&w);
	wire_send(&w, TO_CLIENT, TCP_ACK | TCP_FIN, 0, 0, "421");
	expect(&w, "S@0 421\nfin by S, acked 0 0\n");
}

Test(native_life, a_reset_ends_a_flow_at_once)
{
	struct wire w = { 0 };

	wire_open(&w);
	greet(&w, 40000);
	wire_send(&w, TO_CLIENT, TCP_RST, 3, 0, "");
	cr_assert_str_eq(w.text, "S@0 220\nrst by S, acked 0 0\n");
	expect(&w, "S@0 220\nrst by S, acked 0 0\n");
}

/* A socket that is closed answers with the number that its peer expects. */
Test(native_life, a_reset_before_octets_that_are_under_way_is_at_its_place)
{
	struct wire w = { 0 };

	wire_open(&w);
	greet(&w, 40000);
	c(&w, 0, 3, "EHLO");
	s(&w, 3, 4, "250");
	wire_send(&w, TO_SERVER, TCP_ACK | TCP_FIN, 4, 6, "QUIT");
	wire_send(&w, TO_SERVER, TCP_RST, 4, 6, "");
	expect(&w,
	    "S@0 220\nC@0 EHLO\nS@3 250\nC@4 QUIT\n"
	    "rst by C, acked 4 6\n");
	cr_assert_eq(wire_counted(&w, COUNTER_STRAY_RST), 0);
}

/* The FIN counts as an octet. */
Test(native_life, a_reset_behind_a_fin_is_at_its_place)
{
	struct wire w = { 0 };

	wire_open(&w);
	greet(&w, 40000);
	wire_send(&w, TO_SERVER, TCP_ACK | TCP_FIN, 0, 3, "");
	wire_send(&w, TO_SERVER, TCP_RST, 1, 3, "");
	expect(&w, "S@0 220\nrst by C, acked 0 3\n");
	cr_assert_eq(wire_counted(&w, COUNTER_STRAY_RST), 0);
}

/* RFC 5961 3.2: the receiver challenges it, and the session goes on. */
Test(native_life, a_reset_that_misses_its_place_does_not_end_a_flow)
{
	static const uint32_t places[] = { 1u << 31, 70000, 100, 2 };

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		struct wire w = { 0 };

		wire_open(&w);
		greet(&w, 40000);
		wire_send(&w, TO_SERVER, TCP_RST, places[i], 3, "");
		c(&w, 0, 3, "EHLO");
		s(&w, 3, 4, "250");
		expect(&w,
		    "S@0 220\nC@0 EHLO\nS@3 250\n"
		    "capture-end by C, acked 4 3\n");
	}
}

/* What was sent before it may not have been captured. */
Test(native_life, a_reset_ahead_of_its_place_counts_when_nothing_follows)
{
	struct wire w = { 0 };

	wire_open(&w);
	greet(&w, 40000);
	wire_send(&w, TO_SERVER, TCP_RST, 100, 3, "");
	expect(&w, "S@0 220\nrst by C, acked 0 0\n");
}

Test(native_life, a_new_connection_on_the_old_ports_is_a_new_session)
{
	struct wire w = { .client_isn = 100, .server_isn = 200 };

	wire_open(&w);
	wire_shake(&w);
	s(&w, 0, 0, "220");
	w.client_isn = 90000;
	w.server_isn = 95000;
	wire_shake(&w);
	s(&w, 0, 0, "220 again");
	expect(&w,
	    "S@0 220\nreused by C, acked 0 0\n"
	    "S@0 220 again\ncapture-end by C, acked 0 0\n");
	cr_assert_eq(w.sessions, 2);
}

/* Anybody can forge a SYN; only the server's answer makes a connection. */
Test(native_life, a_syn_amid_a_session_does_not_end_it)
{
	struct wire w = { .client_isn = 100, .server_isn = 200 };

	wire_open(&w);
	wire_shake(&w);
	s(&w, 0, 0, "220");
	wire_segment(&w, TO_SERVER, TCP_SYN, 777777, 0, slice_of(NULL, 0));
	c(&w, 0, 3, "EHLO");
	s(&w, 3, 4, "250");
	expect(&w,
	    "S@0 220\nC@0 EHLO\nS@3 250\n"
	    "capture-end by C, acked 4 3\n");
	cr_assert_eq(w.sessions, 1);
}

Test(native_life, a_client_alone_may_reuse_its_ports)
{
	struct wire w = { .client_isn = 100 };

	wire_open(&w);
	wire_syn(&w);
	c(&w, 0, 0, "QUIT");
	w.client_isn = 90000;
	wire_syn(&w);
	c(&w, 0, 0, "EHLO");
	expect(&w,
	    "C@0 alone QUIT\nreused by C, acked 0 0\n"
	    "C@0 alone EHLO\ncapture-end by C, acked 0 0\n");
}

/* The server says which of two SYNs it answers. */
Test(native_life, a_forged_syn_in_the_handshake_is_outvoted)
{
	struct wire w = { .client_isn = 100, .server_isn = 200 };

	wire_open(&w);
	wire_syn(&w);
	wire_segment(&w, TO_SERVER, TCP_SYN, 777777, 0, slice_of(NULL, 0));
	wire_syn_ack(&w);
	s(&w, 0, 0, "220");
	c(&w, 0, 3, "EHLO");
	expect(&w, "S@0 220\nC@0 EHLO\ncapture-end by C, acked 0 3\n");
}

Test(native_life, a_foreign_syn_ack_is_ignored)
{
	struct wire w = { .client_isn = 100, .server_isn = 200 };

	wire_open(&w);
	wire_shake(&w);
	s(&w, 0, 0, "220");
	wire_segment(&w, TO_CLIENT, TCP_SYN | TCP_ACK, 999, 888,
	    slice_of(NULL, 0));
	s(&w, 3, 0, "abc");
	expect(&w, "S@0 220\nS@3 abc\ncapture-end by C, acked 0 0\n");
}

/* Believed, it would skip a gigabyte of what the server has yet to say. */
Test(native_life, an_absurd_acknowledgement_skips_nothing)
{
	struct wire w = { 0 };

	wire_open(&w);
	greet(&w, 40000);
	c(&w, 0, 1 << 30, "EHLO");
	for (int i = 0; i < 100; i++)
		c(&w, 4, 3, "");
	s(&w, 3, 4, "250");
	expect(&w,
	    "S@0 220\nC@0 EHLO\nS@3 250\n"
	    "capture-end by C, acked 4 3\n");
}

/* --- time ---------------------------------------------------------------- */

Test(native_life, idle_flows_expire_by_what_they_have_come_to)
{
	static const struct {
		enum worth worth;
		int64_t idle_s;
	} rows[] = { { WORTH_UNKNOWN, 900 }, { WORTH_GREETED, 3600 },
		{ WORTH_NEGOTIATING, 3600 }, { WORTH_OPAQUE, 3600 } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct wire w = { .worth = rows[i].worth };

		wire_open(&w);
		greet(&w, 40000);
		native_expire(w.native, w.now_ns + rows[i].idle_s * 1000000000);
		cr_assert_str_eq(w.text, "S@0 220\n");
		native_expire(w.native,
		    w.now_ns + rows[i].idle_s * 1000000000 + 1);
		cr_assert_str_eq(w.text, "S@0 220\nexpired by C, acked 0 0\n");
		wire_free(&w);
	}
}

Test(native_life, a_handshake_without_a_word_expires_unheard)
{
	struct wire w = { 0 };

	wire_open(&w);
	wire_shake(&w);
	native_expire(w.native, w.now_ns + INT64_C(901) * 1000000000);
	expect(&w, "");
	cr_assert_eq(wire_counted(&w, COUNTER_FLOWS), 1);
}

/* --- room ---------------------------------------------------------------- */

/* Half-open, opaque, unknown, greeted, negotiating: in this order, and of
 * each the longest idle first. */
Test(native_life, flows_are_shed_in_order_of_their_worth)
{
	static const enum worth worths[] = { WORTH_NEGOTIATING, WORTH_GREETED,
		WORTH_UNKNOWN, WORTH_OPAQUE };
	static const enum counter counters[] = { COUNTER_FLOW_EVICTED_HALF_OPEN,
		COUNTER_FLOW_EVICTED_OPAQUE, COUNTER_FLOW_EVICTED_OTHER,
		COUNTER_FLOW_EVICTED_GREETED,
		COUNTER_FLOW_EVICTED_NEGOTIATING };
	struct wire w = { .flows_max = 5 };
	uint16_t port = 40000;

	wire_open(&w);
	for (size_t i = 0; i < 4; i++) {
		w.worth = worths[i];
		greet(&w, port++);
	}
	w.client_port = port++;
	wire_syn(&w);
	w.worth = WORTH_NEGOTIATING;
	for (size_t i = 0; i < 5; i++) {
		cr_assert_eq(wire_counted(&w, counters[i]), 0);
		greet(&w, port++);
		cr_assert_eq(wire_counted(&w, counters[i]), 1, "%zu", i);
	}
	wire_free(&w);
}

Test(native_life, the_longest_idle_of_a_kind_goes_first)
{
	struct wire w = { .flows_max = 2, .worth = WORTH_GREETED };

	wire_open(&w);
	greet(&w, 40000);
	greet(&w, 40001);
	w.client_port = 40000;
	s(&w, 3, 0, "older, but busy");
	w.len = 0;
	greet(&w, 40002);
	cr_assert_str_eq(w.text, "evicted by C, acked 0 0\nS@0 220\n");
	w.client_port = 40000;
	w.delivered[TO_CLIENT] = 18;
	s(&w, 18, 0, "!");
	cr_assert_eq(w.sessions, 3);
	cr_assert_not_null(strstr(w.text, "S@18 !\n"));
	wire_free(&w);
}

Test(native_life, one_flow_is_enough_to_go_on)
{
	struct wire w = { .flows_max = 1, .worth = WORTH_NEGOTIATING };

	wire_open(&w);
	for (uint16_t i = 0; i < 200; i++)
		greet(&w, 40000 + i);
	cr_assert_eq(w.sessions, 200);
	cr_assert_eq(wire_counted(&w, COUNTER_FLOW_EVICTED_NEGOTIATING), 199);
	cr_assert_not_null(strstr(wire_finish(&w), "capture-end"));
	wire_free(&w);
}

Test(native_life, thousands_of_flows_are_all_found_again)
{
	enum { FLOWS = 3000 };
	struct wire w = { .flows_max = FLOWS, .refused = true };

	wire_open(&w);
	for (uint16_t i = 0; i < FLOWS; i++) {
		w.client_port = 20000 + i;
		wire_syn(&w);
	}
	w.refused = false;
	for (uint16_t i = 0; i < FLOWS; i += 7) {
		w.client_port = 20000 + i;
		wire_syn_ack(&w);
		s(&w, 0, 0, "2");
		w.len = 0;
	}
	cr_assert_eq(wire_counted(&w, COUNTER_FLOWS), FLOWS);
	cr_assert_eq(wire_counted(&w, COUNTER_FLOW_EVICTED_HALF_OPEN), 0);
	cr_assert_eq(w.sessions, (FLOWS + 6) / 7);
	w.len = 0;
	wire_finish(&w);
	wire_free(&w);
}

Test(native_life, without_room_to_wait_the_hole_is_given_up)
{
	struct wire w = { .out_of_order_bytes_max = 240 };

	wire_open(&w);
	wire_shake(&w);
	s(&w, 3, 0, "def");
	s(&w, 9, 0, "jkl");
	s(&w, 0, 0, "abc");
	expect(&w,
	    "S@0 gap 3\nS@3 def\nS@6 gap 3\nS@9 jkl\n"
	    "capture-end by C, acked 0 0\n");
}

/* It is not kept, but it is read: only its order is lost. */
Test(native_life, without_room_an_answer_does_not_wait)
{
	struct wire w = { .out_of_order_bytes_max = 1 };

	wire_open(&w);
	greet(&w, 40000);
	c(&w, 0, 6, "EHLO");
	s(&w, 3, 0, "250");
	expect(&w,
	    "S@0 220\nC@0 EHLO\nS@3 250\n"
	    "capture-end by C, acked 0 6\n");
}

Test(native_life, without_any_room_early_segments_are_shed_and_counted)
{
	struct wire w = { .out_of_order_bytes_max = 1 };

	wire_open(&w);
	greet(&w, 40000);
	s(&w, 6, 0, "ghi");
	s(&w, 3, 0, "def");
	expect(&w, "S@0 220\nS@3 def\ncapture-end by C, acked 0 0\n");
	cr_assert_eq(wire_counted(&w, COUNTER_SEGMENT_EVICTED), 1);
}

/* A long queue is an attack on whoever walks it. */
Test(native_life, a_direction_keeps_no_more_than_256_segments)
{
	struct wire w = { 0 };

	wire_open(&w);
	wire_shake(&w);
	for (uint64_t i = 1; i <= 257; i++)
		s(&w, 2 * i, 0, "x");
	cr_assert_not_null(strstr(w.text, "S@0 gap 2\nS@2 x\nS@3 gap 1\n"));
	cr_assert_eq(wire_counted(&w, COUNTER_SEGMENT_EVICTED), 1);
	wire_finish(&w);
	cr_assert_not_null(strstr(w.text, "S@514 x\n"));
	wire_free(&w);
}
