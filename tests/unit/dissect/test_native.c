/* Reassembly: what comes, in which order, and what is said to be missing. */
#include <criterion/criterion.h>

#include "unit/dissect/wire.h"

#define END "capture-end by C"

/* Runs to the end of the capture and compares. */
static void
expect(struct wire *w, const char *wanted)
{
	const char *got = wire_finish(w);

	cr_assert_str_eq(got, wanted, "not\n%s\nbut\n%s", wanted, got);
	wire_free(w);
}

Test(native, a_dialogue_is_delivered_in_order)
{
	struct wire w = { .client_isn = 1000, .server_isn = 5000 };

	wire_open(&w);
	wire_shake(&w);
	s(&w, 0, 0, "220");
	c(&w, 0, 3, "EHLO");
	s(&w, 3, 4, "250");
	c(&w, 4, 6, "");
	expect(&w, "S@0 220\nC@0 EHLO\nS@3 250\n" END ", acked 4 6\n");
}

Test(native, sequence_numbers_wrap_around)
{
	struct wire w = { .client_isn = UINT32_MAX - 1,
		.server_isn = UINT32_MAX - 3 };

	wire_open(&w);
	wire_shake(&w);
	s(&w, 0, 0, "220 mx");
	c(&w, 3, 6, "O a");
	c(&w, 0, 6, "EHL");
	s(&w, 6, 6, "250 ok");
	expect(&w,
	    "S@0 220 mx\nC@0 EHL\nC@3 O a\nS@6 250 ok\n" END ", acked 6 6\n");
	cr_assert_eq(wire_counted(&w, COUNTER_OUT_OF_ORDER), 1);
}

Test(native, segments_out_of_order_are_put_in_order)
{
	struct wire w = { 0 };

	wire_open(&w);
	wire_shake(&w);
	s(&w, 6, 0, "ghi");
	s(&w, 3, 0, "def");
	s(&w, 0, 0, "abc");
	expect(&w, "S@0 abc\nS@3 def\nS@6 ghi\n" END ", acked 0 0\n");
	cr_assert_eq(wire_counted(&w, COUNTER_OUT_OF_ORDER), 2);
	cr_assert_eq(wire_counted(&w, COUNTER_GAPS), 0);
}

Test(native, retransmitted_octets_come_once)
{
	struct wire w = { 0 };

	wire_open(&w);
	wire_shake(&w);
	s(&w, 0, 0, "abc");
	s(&w, 0, 0, "abc");
	s(&w, 0, 0, "abcdef");
	s(&w, 2, 0, "cd");
	expect(&w, "S@0 abc\nS@3 def\n" END ", acked 0 0\n");
	cr_assert_eq(wire_counted(&w, COUNTER_OVERLAPS), 3);
}

Test(native, every_packet_doubled_by_a_mirror_port_changes_nothing)
{
	struct wire w = { 0 };

	wire_open(&w);
	for (int i = 0; i < 2; i++)
		wire_syn(&w);
	for (int i = 0; i < 2; i++)
		wire_syn_ack(&w);
	for (int i = 0; i < 2; i++)
		s(&w, 0, 0, "220");
	for (int i = 0; i < 2; i++)
		c(&w, 0, 3, "EHLO");
	for (int i = 0; i < 2; i++)
		wire_send(&w, TO_CLIENT, TCP_ACK | TCP_FIN, 3, 4, "bye");
	for (int i = 0; i < 2; i++)
		wire_send(&w, TO_SERVER, TCP_ACK | TCP_FIN, 4, 7, "");
	expect(&w, "S@0 220\nC@0 EHLO\nS@3 bye\nfin by S, acked 4 6\n");
	cr_assert_eq(w.sessions, 1);
}

/* What came first stays. */
Test(native, overlapping_segments_that_wait_keep_the_first_octets)
{
	struct wire w = { 0 };

	wire_open(&w);
	wire_shake(&w);
	s(&w, 3, 0, "def");
	s(&w, 3, 0, "XXX");
	s(&w, 5, 0, "fgh");
	s(&w, 0, 0, "abcd");
	expect(&w, "S@0 abcd\nS@4 ef\nS@6 gh\n" END ", acked 0 0\n");
}

/* --- gaps ---------------------------------------------------------------- */

/* Six more packets of the flow after it was acknowledged: it will not come. */
Test(native, what_was_acknowledged_and_never_came_is_a_gap)
{
	struct wire w = { 0 };

	wire_open(&w);
	wire_shake(&w);
	s(&w, 3, 0, "def");
	for (int i = 0; i < 6; i++) {
		cr_assert_str_eq(w.text, "");
		c(&w, 0, 6, "");
	}
	c(&w, 0, 6, "");
	cr_assert_str_eq(w.text, "S@0 gap 3\nS@3 def\n");
	s(&w, 0, 0, "abc"); /* too late */
	expect(&w, "S@0 gap 3\nS@3 def\n" END ", acked 0 6\n");
	cr_assert_eq(wire_counted(&w, COUNTER_GAPS), 1);
	cr_assert_eq(wire_counted(&w, COUNTER_GAP_BYTES), 3);
}

Test(native, a_packet_that_a_mirror_port_brings_late_fills_its_hole)
{
	struct wire w = { 0 };

	wire_open(&w);
	wire_shake(&w);
	s(&w, 3, 0, "def");
	for (int i = 0; i < 4; i++)
		c(&w, 0, 6, "");
	s(&w, 0, 0, "abc");
	expect(&w, "S@0 abc\nS@3 def\n" END ", acked 0 6\n");
	cr_assert_eq(wire_counted(&w, COUNTER_GAPS), 0);
}

Test(native, a_hole_is_given_up_after_a_second)
{
	struct wire w = { 0 };

	wire_open(&w);
	wire_shake(&w);
	s(&w, 3, 0, "def");
	c(&w, 0, 6, "");
	w.now_ns += 1100000000;
	c(&w, 0, 6, "");
	expect(&w, "S@0 gap 3\nS@3 def\n" END ", acked 0 6\n");
}

/* Some tools write captures without times, others any time at all. */
Test(native, holes_are_given_up_without_a_clock)
{
	struct wire w = { 0 };

	wire_open(&w);
	wire_shake(&w);
	s(&w, 3, 0, "def");
	for (int i = 0; i < 8; i++) {
		w.now_ns = -1; /* the next segment has 0 */
		c(&w, 0, 6, "");
	}
	expect(&w, "S@0 gap 3\nS@3 def\n" END ", acked 0 6\n");
}

Test(native, times_at_both_ends_of_what_can_be_said_do_no_harm)
{
	struct wire w = { .now_ns = INT64_MIN };

	wire_open(&w);
	wire_shake(&w);
	s(&w, 3, 0, "def");
	c(&w, 0, 6, "");
	w.now_ns = INT64_MAX - 1;
	c(&w, 0, 6, "");
	native_expire(w.native, INT64_MIN);
	native_expire(w.native, INT64_MAX);
	cr_assert_str_eq(w.text, "S@0 gap 3\nS@3 def\n");
	expect(&w, "S@0 gap 3\nS@3 def\n" END ", acked 0 6\n");
}

Test(native, what_nobody_acknowledged_waits_until_the_end)
{
	struct wire w = { 0 };

	wire_open(&w);
	wire_shake(&w);
	s(&w, 3, 0, "def");
	for (int i = 0; i < 100; i++)
		c(&w, 0, 0, "");
	cr_assert_str_eq(w.text, "");
	expect(&w, "S@0 gap 3\nS@3 def\n" END ", acked 0 0\n");
}

Test(native, octets_cut_by_snaplen_are_a_gap_of_their_own_kind)
{
	struct wire w = { 0 };

	wire_open(&w);
	wire_shake(&w);
	w.snapped = 4;
	s(&w, 0, 0, "220 mx");
	w.snapped = 0;
	s(&w, 6, 0, "xyz");
	expect(&w, "S@0 22\nS@2 cut 4\nS@6 xyz\n" END ", acked 0 0\n");
	cr_assert_eq(wire_counted(&w, COUNTER_SNAPPED), 1);
}

/* --- order between the directions ---------------------------------------- */

/* The capture shows the client's answer before what it answers. */
Test(native, an_answer_waits_for_what_it_acknowledges)
{
	struct wire w = { 0 };

	wire_open(&w);
	wire_shake(&w);
	s(&w, 0, 0, "220");
	c(&w, 0, 6, "EHLO");
	cr_assert_str_eq(w.text, "S@0 220\n");
	s(&w, 3, 0, "250");
	expect(&w, "S@0 220\nS@3 250\nC@0 EHLO\n" END ", acked 0 6\n");
	cr_assert_eq(wire_counted(&w, COUNTER_HELD), 1);
}

Test(native, a_hold_ends_after_64_packets)
{
	struct wire w = { 0 };
	int packets = 0;

	wire_open(&w);
	wire_shake(&w);
	s(&w, 0, 0, "220");
	c(&w, 0, 6, "EHLO");
	while (strcmp(w.text, "S@0 220\n") == 0 && packets < 1000) {
		c(&w, 4, 6, "");
		packets++;
	}
	cr_assert_eq(packets, 65);
	expect(&w, "S@0 220\nS@3 gap 3\nC@0 EHLO\n" END ", acked 0 6\n");
}

Test(native, a_hold_ends_after_three_seconds)
{
	struct wire w = { 0 };

	wire_open(&w);
	wire_shake(&w);
	s(&w, 0, 0, "220");
	c(&w, 0, 6, "EHLO");
	w.now_ns += 3100000000;
	c(&w, 4, 6, "");
	expect(&w, "S@0 220\nS@3 gap 3\nC@0 EHLO\n" END ", acked 0 6\n");
}

Test(native, nothing_waits_for_a_side_that_was_never_seen)
{
	struct wire w = { 0 };

	wire_open(&w);
	wire_syn(&w);
	c(&w, 0, 50, "EHLO");
	c(&w, 4, 90, "QUIT");
	expect(&w, "C@0 alone EHLO\nC@4 alone QUIT\n" END ", acked 0 40\n");
}

/* Two taps whose clocks differ: all that the client says comes late. */
Test(native, who_has_not_been_seen_yet_is_waited_for_a_moment)
{
	struct wire w = { 0 };

	wire_open(&w);
	wire_syn_ack(&w);
	s(&w, 0, 0, "220");
	s(&w, 3, 4, "250");
	cr_assert_str_eq(w.text, "S@0 alone 220\n");
	wire_syn(&w);
	c(&w, 0, 3, "EHLO");
	expect(&w, "S@0 alone 220\nC@0 EHLO\nS@3 250\n" END ", acked 4 3\n");
}

Test(native, who_never_comes_is_waited_for_once)
{
	struct wire w = { 0 };

	wire_open(&w);
	wire_syn_ack(&w);
	s(&w, 0, 0, "220");
	s(&w, 3, 4, "250");
	w.now_ns += 300000000;
	s(&w, 6, 8, "221");
	cr_assert_str_eq(w.text,
	    "S@0 alone 220\nS@3 alone 250\nS@6 alone 221\n");
	s(&w, 9, 12, "421");
	expect(&w,
	    "S@0 alone 220\nS@3 alone 250\nS@6 alone 221\nS@9 alone 421\n" END
	    ", acked 12 0\n");
}

static enum interest
bytes_only(struct wire *w, enum dir dir, struct slice bytes)
{
	(void)w;
	(void)dir;
	(void)bytes;
	return INTEREST_BYTES;
}

/* The reply to a message comes behind the message, also when part of that is
 * missing: else the rest of it looks like commands. */
Test(native, a_reply_waits_for_the_message_that_it_answers)
{
	struct wire w = { .interest = bytes_only };

	wire_open(&w);
	wire_shake(&w);
	s(&w, 0, 0, "354");
	c(&w, 0, 3, "one");
	c(&w, 6, 3, "tri"); /* the second is not captured */
	s(&w, 3, 9, "250");
	cr_assert_str_eq(w.text, "S@0 354\nC@0 one\n");
	for (int i = 0; i < 7; i++)
		c(&w, 9, 6, "");
	expect(&w,
	    "S@0 354\nC@0 one\nC@3 gap 3\nC@6 tri\nS@3 250\n" END
	    ", acked 9 6\n");
}

Test(native, two_answers_that_wait_for_each_other_are_both_delivered)
{
	struct wire w = { 0 };

	wire_open(&w);
	wire_shake(&w);
	s(&w, 0, 0, "a");
	c(&w, 0, 2, "b"); /* acknowledges what comes next, */
	s(&w, 1, 2, "c"); /* which acknowledges more than there is */
	expect(&w, "S@0 a\nS@1 c\nC@0 b\n" END ", acked 2 2\n");
}

/* --- one end or the beginning missing ------------------------------------ */

Test(native, midstream_the_mail_port_is_the_servers)
{
	struct wire w = { .client_port = 26, .server_port = 25 };

	wire_open(&w);
	c(&w, 0, 0, "MAIL");
	s(&w, 0, 4, "250");
	expect(&w, "midstream\nC@0 alone MAIL\nS@0 250\n" END ", acked 4 0\n");
	cr_assert_eq(wire_counted(&w, COUNTER_MIDSTREAM), 1);
}

Test(native, midstream_a_bare_acknowledgement_opens_nothing)
{
	struct wire w = { 0 };

	wire_open(&w);
	c(&w, 0, 0, "");
	wire_send(&w, TO_CLIENT, TCP_RST, 0, 0, "");
	expect(&w, "");
	cr_assert_eq(wire_counted(&w, COUNTER_FLOWS), 0);
}

Test(native, a_lost_syn_ack_is_inferred_from_the_third_packet)
{
	struct wire w = { .client_isn = 7, .server_isn = 9 };

	wire_open(&w);
	wire_syn(&w);
	c(&w, 0, 0, "");
	s(&w, 0, 0, "220");
	expect(&w, "S@0 220\n" END ", acked 0 0\n");
}

Test(native, off_the_mail_ports_the_server_must_speak_first)
{
	struct wire w = { .server_port = 8080, .any_port = true };

	wire_open(&w);
	wire_shake(&w);
	c(&w, 0, 0, "GET /");
	s(&w, 0, 5, "220");
	expect(&w, "");
	cr_assert_eq(w.sessions, 0);
}

/* Its command says that it has heard the greeting. */
Test(native, off_the_mail_ports_a_command_may_be_captured_before_the_greeting)
{
	struct wire w = { .server_port = 8080, .any_port = true };

	wire_open(&w);
	wire_shake(&w);
	c(&w, 0, 3, "EHLO");
	s(&w, 0, 0, "220");
	expect(&w, "S@0 220\nC@0 EHLO\n" END ", acked 0 3\n");
}

Test(native, off_the_mail_ports_flows_exist_by_wish_only)
{
	struct wire off = { .server_port = 8080 };
	struct wire on = { .server_port = 8080, .any_port = true };

	wire_open(&off);
	wire_shake(&off);
	s(&off, 0, 0, "220");
	expect(&off, "");
	wire_open(&on);
	wire_shake(&on);
	s(&on, 0, 0, "220");
	expect(&on, "S@0 220\n" END ", acked 0 0\n");
}

Test(native, ipv6_is_followed_like_ipv4)
{
	struct wire w = { .v6 = true };

	wire_open(&w);
	wire_shake(&w);
	s(&w, 0, 0, "220");
	c(&w, 0, 3, "EHLO");
	expect(&w, "S@0 220\nC@0 EHLO\n" END ", acked 0 3\n");
}

Test(native, data_with_the_syn_is_the_first_data)
{
	struct wire w = { .client_isn = 100 };

	wire_open(&w);
	wire_segment(&w, TO_SERVER, TCP_SYN, 100, 0, slice_str("EHLO"));
	wire_syn_ack(&w);
	s(&w, 0, 4, "220");
	expect(&w, "C@0 alone EHLO\nS@0 220\n" END ", acked 4 0\n");
}

/* The server's second sending of its octets, when it had heard more, overtook
 * the first on its way to the tap. */
Test(native, octets_do_not_wait_behind_their_own_retransmission)
{
	struct wire w = { 0 };

	wire_open(&w);
	wire_shake(&w);
	s(&w, 0, 0, "220-");
	c(&w, 0, 4, "EHLO");
	s(&w, 2, 8, "0-25");
	c(&w, 4, 7, "QUIT");
	s(&w, 4, 4, "250");
	cr_assert_str_eq(w.text, "S@0 220-\nC@0 EHLO\nS@4 250\nC@4 QUIT\n");
	expect(&w,
	    "S@0 220-\nC@0 EHLO\nS@4 250\nC@4 QUIT\n" END ", acked 8 7\n");
}

Test(native, a_copy_that_waits_for_less_is_kept)
{
	struct wire w = { 0 };

	wire_open(&w);
	wire_shake(&w);
	s(&w, 4, 8, "250 x");
	s(&w, 4, 4, "250");
	c(&w, 0, 4, "EHLO");
	s(&w, 0, 0, "220-");
	cr_assert_str_eq(w.text, "S@0 220-\nC@0 EHLO\nS@4 250\n");
	c(&w, 4, 7, "QUIT");
	expect(&w,
	    "S@0 220-\nC@0 EHLO\nS@4 250\nC@4 QUIT\nS@7  x\n" END
	    ", acked 8 7\n");
}

/* --- sums ---------------------------------------------------------------- */

Test(native, a_segment_with_a_wrong_sum_is_put_aside)
{
	struct wire w = { 0 };

	wire_open(&w);
	wire_shake(&w);
	w.bad_sum = true;
	s(&w, 0, 0, "XXX");
	w.bad_sum = false;
	s(&w, 0, 0, "220");
	expect(&w, "S@0 220\n" END ", acked 0 0\n");
	cr_assert_eq(wire_counted(&w, COUNTER_BAD_CHECKSUM), 1);
}

/* The mirror brings what the receiver threw away, its answer to the right
 * copy, and only then that copy. */
Test(native, a_right_copy_may_come_a_little_after_its_acknowledgement)
{
	struct wire w = { 0 };

	wire_open(&w);
	wire_shake(&w);
	w.bad_sum = true;
	s(&w, 0, 0, "XXX");
	w.bad_sum = false;
	c(&w, 0, 3, "EHLO");
	s(&w, 0, 0, "220");
	expect(&w, "S@0 220\nC@0 EHLO\n" END ", acked 0 3\n");
}

Test(native, a_wrong_sum_is_believed_when_no_right_copy_came)
{
	struct wire w = { 0 };

	wire_open(&w);
	wire_shake(&w);
	w.bad_sum = true;
	s(&w, 0, 0, "220");
	w.bad_sum = false;
	for (int i = 0; i < 7; i++)
		c(&w, 0, 3, "");
	cr_assert_str_eq(w.text, "S@0 220\n");
	/* The next one need not wait any more. */
	w.bad_sum = true;
	s(&w, 3, 4, "250");
	w.bad_sum = false;
	c(&w, 0, 6, "EHLO");
	expect(&w, "S@0 220\nS@3 250\nC@0 EHLO\n" END ", acked 0 6\n");
}

/* There, too, where it is not known yet whether it is SMTP. */
Test(native, sums_are_asked_for_off_the_mail_ports_from_the_first_segment)
{
	struct wire w = { .any_port = true, .server_port = 8025 };

	wire_open(&w);
	wire_shake(&w);
	w.bad_sum = true;
	s(&w, 0, 0, "XXX");
	w.bad_sum = false;
	s(&w, 0, 0, "220");
	expect(&w, "S@0 220\n" END ", acked 0 0\n");
}

/* Checksum offload: the capture shows what the card has yet to sum up. */
Test(native, a_direction_whose_sums_are_all_wrong_is_believed)
{
	struct wire w = { 0 };

	wire_open(&w);
	w.bad_sum = true;
	wire_syn(&w);
	w.bad_sum = false;
	wire_syn_ack(&w);
	s(&w, 0, 0, "220");
	w.bad_sum = true;
	c(&w, 0, 3, "EHLO");
	expect(&w, "S@0 220\nC@0 EHLO\n" END ", acked 0 3\n");
	cr_assert_eq(wire_counted(&w, COUNTER_BAD_CHECKSUM), 0);
}

Test(native, behind_the_negotiation_sums_are_not_asked_for)
{
	struct wire w = { .interest = bytes_only };

	wire_open(&w);
	wire_shake(&w);
	s(&w, 0, 0, "250");
	w.bad_sum = true;
	s(&w, 3, 0, "xyz");
	expect(&w, "S@0 250\nS@3 xyz\n" END ", acked 0 0\n");
}

/* --- interest ------------------------------------------------------------ */

static enum interest
opaque_only(struct wire *w, enum dir dir, struct slice bytes)
{
	(void)w;
	(void)dir;
	(void)bytes;
	return INTEREST_OPAQUE;
}

Test(native, inside_tls_nothing_waits)
{
	struct wire w = { .interest = opaque_only };

	wire_open(&w);
	wire_shake(&w);
	s(&w, 0, 0, "abc");
	s(&w, 6, 0, "ghi");
	s(&w, 3, 0, "def");
	expect(&w, "S@0 abc\nS@3 gap 3\nS@6 ghi\n" END ", acked 0 0\n");
}

static enum interest
none_at_all(struct wire *w, enum dir dir, struct slice bytes)
{
	(void)w;
	(void)dir;
	(void)bytes;
	return INTEREST_NONE;
}

Test(native, a_flow_of_no_interest_is_forgotten_and_not_opened_anew)
{
	struct wire w = { .interest = none_at_all };

	wire_open(&w);
	wire_shake(&w);
	s(&w, 0, 0, "abc");
	s(&w, 3, 0, "def");
	c(&w, 0, 6, "x");
	expect(&w, "S@0 abc\nfin by C, acked 0 0\n");
	cr_assert_eq(w.sessions, 1);
}

Test(native, a_session_that_is_refused_opens_nothing_more)
{
	struct wire w = { .refused = true };

	wire_open(&w);
	wire_shake(&w);
	s(&w, 0, 0, "abc");
	s(&w, 6, 0, "ghi");
	expect(&w, "");
}
