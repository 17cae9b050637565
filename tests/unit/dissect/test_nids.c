/* What the classic engine delivers, and what it makes of attacks. */
#include <criterion/criterion.h>

#include "dissect/nids.h"
#include "unit/dissect/wire.h"

struct world {
	struct wire w;
	struct counters counters;
	struct nids_engine *engine;
	unsigned refused; /* NIDS_* of all packets */
	size_t cut_at;	  /* fragments of a datagram: of so many octets */
	bool backwards;	  /* the last one first */
};

static void (*on_each_segment)(void *context, void *session, enum dir,
    const struct packet *, enum sum, const struct sent *);

static void
to_engine(void *context, const struct packet *p)
{
	struct world *world = context;

	world->refused |= nids_engine_packet(world->engine, p);
}

static void
open_world(struct world *world, size_t flows_max)
{
	struct stream_listener listener = { .context = &world->w,
		.opened = wire_opened,
		.bytes = wire_bytes,
		.gap = wire_gap,
		.closed = wire_closed,
		.worth = wire_worth,
		.segment = on_each_segment };
	struct nids_config config = { flows_max, world->w.any_port,
		world->w.mail_ports };

	world->w.sink = to_engine;
	world->w.sink_context = world;
	/* Stamps are dates; the clock counts from the capture's beginning. */
	world->w.now_ns = world->w.clock_zero_ns = INT64_C(1000000000000);
	wire_open(&world->w);
	world->engine =
	    nids_engine_create(&config, &listener, &world->counters);
	cr_assert_not_null(world->engine);
}

static void
close_world(struct world *world, const char *expected)
{
	nids_engine_finish(world->engine);
	cr_assert_str_eq(world->w.text, expected);
	nids_engine_destroy(world->engine);
	wire_free(&world->w);
}

Test(nids, a_whole_connection_is_delivered_both_ways_and_closed)
{
	static struct world world;
	struct wire *w = &world.w;

	open_world(&world, 64);
	wire_shake(w);
	s(w, 0, 0, "220 mx\r\n");
	c(w, 0, 8, "QUIT\r\n");
	s(w, 8, 6, "221 bye\r\n");
	wire_send(w, TO_CLIENT, TCP_FIN | TCP_ACK, 17, 6, "");
	wire_send(w, TO_SERVER, TCP_FIN | TCP_ACK, 6, 18, "");
	s(w, 18, 7, "");
	cr_assert_eq(world.refused, 0);
	cr_assert_eq(world.counters.of[COUNTER_FLOWS], 1);
	close_world(&world,
	    "S@0 220 mx\r\n\nC@0 QUIT\r\n\nS@8 221 bye\r\n\n"
	    "fin by S, acked 7 18\n");
}

Test(nids, what_comes_out_of_order_waits_and_what_comes_again_is_dropped)
{
	static struct world world;
	struct wire *w = &world.w;

	open_world(&world, 64);
	wire_shake(w);
	s(w, 4, 0, "mx\r\n");
	s(w, 0, 0, "220 ");
	s(w, 0, 0, "220 ");
	s(w, 0, 0, "220 mx\r\n250 ");
	close_world(&world,
	    "S@0 220 \nS@4 mx\r\n\nS@8 250 \n"
	    "capture-end by C, acked 0 0\n");
}

/* Of what it has delivered the first copy stays. Of what waits the one that
 * begins first does, and of two that begin together the one that came first.
 */
Test(nids, of_two_copies_the_first_one_stays)
{
	static struct world world;
	struct wire *w = &world.w;

	open_world(&world, 64);
	wire_shake(w);
	s(w, 0, 0, "220 ");
	s(w, 0, 0, "XXX mx\r\n");
	s(w, 12, 0, "first\r\n");
	s(w, 12, 0, "other\r\n");
	s(w, 8, 0, "250-");
	close_world(&world,
	    "S@0 220 \nS@4 mx\r\n\nS@8 250-\nS@12 first\r\n\n"
	    "capture-end by C, acked 0 0\n");
}

Test(nids, behind_a_hole_nothing_is_delivered)
{
	static struct world world;
	struct wire *w = &world.w;

	open_world(&world, 64);
	wire_shake(w);
	s(w, 0, 0, "220 ");
	s(w, 8, 0, "250 ");
	c(w, 0, 12, "QUIT\r\n");
	close_world(&world,
	    "S@0 220 \nC@0 QUIT\r\n\n"
	    "capture-end by C, acked 0 12\n");
}

Test(nids, a_reset_within_the_window_ends_the_connection)
{
	static struct world world;
	struct wire *w = &world.w;

	open_world(&world, 64);
	wire_shake(w);
	s(w, 0, 0, "220 mx\r\n");
	wire_send(w, TO_CLIENT, TCP_RST, 100, 0, "");
	s(w, 8, 0, "250 ok\r\n");
	close_world(&world, "S@0 220 mx\r\n\nrst by S, acked 0 0\n");
}

Test(nids, without_the_whole_handshake_there_is_no_connection)
{
	static struct world world;
	struct wire *w = &world.w;

	open_world(&world, 64);
	c(w, 0, 0, "EHLO a\r\n");
	s(w, 0, 8, "250 mx\r\n");
	wire_syn(w);
	s(w, 0, 8, "250 mx\r\n");
	close_world(&world, "");
}

/* A wrong sum is refused, unless the host's SYN had one already. */
Test(nids, sums_are_verified_but_not_of_a_host_whose_card_fills_them_in)
{
	static struct world world;
	struct wire *w = &world.w;

	open_world(&world, 64);
	w->bad_sum = true;
	wire_syn(w);
	w->bad_sum = false;
	wire_syn_ack(w);
	w->bad_sum = true;
	c(w, 0, 0, "");
	cr_assert_eq(world.refused, 0);
	s(w, 0, 0, "XXX mx\r\n");
	cr_assert_eq(world.refused, NIDS_SUM);
	cr_assert_eq(world.counters.of[COUNTER_NIDS_REFUSED], 1);
	c(w, 0, 0, "EHLO a\r\n");
	w->bad_sum = false;
	s(w, 0, 0, "220 mx\r\n");
	close_world(&world,
	    "C@0 EHLO a\r\n\nS@0 220 mx\r\n\n"
	    "capture-end by C, acked 0 0\n");
}

Test(nids, what_the_capture_cut_is_refused_whole)
{
	static struct world world;
	struct wire *w = &world.w;

	open_world(&world, 64);
	wire_shake(w);
	w->snapped = 2;
	s(w, 0, 0, "220 mx\r\n");
	cr_assert_eq(world.refused, NIDS_CUT);
	close_world(&world, "");
}

Test(nids, what_is_beyond_the_window_is_told)
{
	static struct world world;
	struct wire *w = &world.w;

	open_world(&world, 64);
	wire_shake(w);
	s(w, UINT32_C(1) << 20, 0, "250 ");
	cr_assert_eq(world.refused, NIDS_WINDOW);
	close_world(&world, "");
}

static char seen[64];

static void
on_segment(void *context, void *session, enum dir dir, const struct packet *p,
    enum sum sum, const struct sent *sent)
{
	size_t n = strlen(seen);

	(void)context;
	(void)session;
	snprintf(seen + n, sizeof(seen) - n, "%c%u:%u%c ", wire_mark(dir),
	    p->seq - sent->base, p->payload_bytes,
	    sum == SUM_WRONG	 ? '!' :
		sum == SUM_RIGHT ? '+' :
				   '?');
}

/* Copies too, and what is refused: somebody else compares them. */
Test(nids, each_segment_of_a_session_is_shown_as_it_came)
{
	static struct world world;
	struct wire *w = &world.w;

	on_each_segment = on_segment;
	open_world(&world, 64);
	wire_shake(w);
	s(w, 0, 0, "220 mx\r\n");
	s(w, 0, 0, "XXX mx\r\n");
	w->bad_sum = true;
	c(w, 0, 8, "EHLO a\r\n");
	w->bad_sum = false;
	w->snapped = 2;
	c(w, 0, 8, "EHLO a\r\n");
	cr_assert_str_eq(seen, "S0:8+ S0:8+ C0:8! C0:6? ");
	close_world(&world,
	    "S@0 220 mx\r\n\n"
	    "capture-end by C, acked 0 0\n");
}

/* --- fragments ----------------------------------------------------------- */

/* The datagram's octets from `from` to `to`, as a frame of their own. */
static void
send_fragment(struct world *world, const struct packet *p, size_t from,
    size_t to, const char *instead)
{
	size_t total = (size_t)(p->payload - p->ip) + p->payload_bytes - 20;
	uint8_t frame[256];
	struct frame f = { .link_type = 101, .number = p->number };
	struct packet fragment;

	to = to < total ? to : total;
	memcpy(frame, p->ip, 20);
	memcpy(frame + 20, p->ip + 20 + from, to - from);
	if (instead != NULL)
		memcpy(frame + 20, instead, strlen(instead));
	put_be(frame + 2, 20 + to - from, 2);
	put_be(frame + 6, from / 8 | (to < total ? 0x2000 : 0), 2);
	f.bytes = slice_of(frame, 20 + to - from);
	f.wire_bytes = (uint32_t)f.bytes.len;
	f.capture_ts_ns = p->capture_ts_ns;
	cr_assert_eq(packet_decode(&f, &world->counters, &fragment),
	    PACKET_FRAGMENT);
	world->refused |= nids_engine_packet(world->engine, &fragment);
}

static void
in_fragments(void *context, const struct packet *p)
{
	struct world *world = context;
	size_t total = p->tcp_header_bytes + p->payload_bytes;
	size_t count = (total + world->cut_at - 1) / world->cut_at;

	for (size_t i = 0; i < count; i++) {
		size_t at = world->backwards ? count - 1 - i : i;

		send_fragment(world, p, at * world->cut_at,
		    (at + 1) * world->cut_at, NULL);
	}
}

Test(nids, fragments_are_put_together_in_either_order)
{
	for (int i = 0; i < 2; i++) {
		static struct world world;
		struct wire *w = &world.w;

		memset(&world, 0, sizeof(world));
		world.cut_at = 16;
		world.backwards = i == 1;
		open_world(&world, 64);
		wire_shake(w);
		w->sink = in_fragments;
		s(w, 0, 0, "220 mx.example.test ESMTP\r\n");
		cr_assert_eq(world.refused, 0);
		close_world(&world,
		    "S@0 220 mx.example.test ESMTP\r\n\n"
		    "capture-end by C, acked 0 0\n");
	}
}

/* Octets 24 to 32 of the datagram a second time; what came first stays. */
static void
with_an_overlap(void *context, const struct packet *p)
{
	send_fragment(context, p, 0, 32, NULL);
	send_fragment(context, p, 24, 32, "XXXXXXXX");
	send_fragment(context, p, 32, 64, NULL);
}

Test(nids, overlapping_fragments_are_told)
{
	static struct world world;
	struct wire *w = &world.w;

	open_world(&world, 64);
	wire_shake(w);
	w->sink = with_an_overlap;
	s(w, 0, 0, "220 mx.example.test ESMTP\r\n");
	cr_assert(world.refused & NIDS_FRAGMENTS);
	close_world(&world,
	    "S@0 220 mx.example.test ESMTP\r\n\n"
	    "capture-end by C, acked 0 0\n");
}

/* --- room ---------------------------------------------------------------- */

Test(nids, with_the_table_full_the_oldest_connection_is_given_up)
{
	static struct world world;
	struct wire *w = &world.w;

	open_world(&world, 1);
	w->worth = WORTH_NEGOTIATING;
	for (uint16_t i = 0; i < 6; i++) {
		w->client_port = (uint16_t)(40000 + i);
		wire_shake(w);
		s(w, 0, 0, "220 mx\r\n");
	}
	cr_assert_gt(world.counters.of[COUNTER_FLOW_EVICTED_NEGOTIATING], 0);
	cr_assert(world.refused & NIDS_TABLE);
	cr_assert_not_null(strstr(w->text, "evicted"));
	nids_engine_destroy(world.engine);
	wire_free(w);
}

Test(nids, after_an_idle_hour_a_connection_expires)
{
	static struct world world;
	struct wire *w = &world.w;
	const int64_t hour_ns = INT64_C(3600000000000);
	int64_t clock_ns;

	open_world(&world, 64);
	wire_shake(w);
	s(w, 0, 0, "220 mx\r\n");
	clock_ns = w->now_ns - w->clock_zero_ns;
	nids_engine_expire(world.engine, clock_ns + hour_ns);
	cr_assert_null(strstr(w->text, "expired"));
	nids_engine_expire(world.engine, clock_ns + hour_ns + 1);
	s(w, 8, 0, "250 late\r\n");
	close_world(&world, "S@0 220 mx\r\n\nexpired by C, acked 0 0\n");
}

Test(nids, sums_are_verified_anew_in_each_capture)
{
	static struct world world;
	struct wire *w = &world.w;

	open_world(&world, 64);
	w->bad_sum = true;
	wire_syn(w);
	nids_engine_finish(world.engine);
	w->bad_sum = false;
	wire_shake(w);
	w->bad_sum = true;
	c(w, 0, 0, "EHLO a\r\n");
	close_world(&world, "");
}

/* What the first capture left half open must not meet the second one. */
Test(nids, captures_do_not_meet)
{
	static struct world world;
	struct wire *w = &world.w;

	open_world(&world, 64);
	wire_shake(w);
	s(w, 0, 0, "220 mx\r\n");
	nids_engine_finish(world.engine);
	w->client_isn = 77;
	wire_shake(w);
	s(w, 0, 0, "220 mx\r\n");
	close_world(&world,
	    "S@0 220 mx\r\n\ncapture-end by C, acked 0 0\n"
	    "S@0 220 mx\r\n\ncapture-end by C, acked 0 0\n");
}

static enum interest
not_smtp(struct wire *w, enum dir dir, struct slice bytes)
{
	(void)w;
	(void)dir;
	(void)bytes;
	return INTEREST_NONE;
}

Test(nids, what_is_of_no_interest_is_forgotten)
{
	static struct world world;
	struct wire *w = &world.w;

	w->interest = not_smtp;
	open_world(&world, 64);
	wire_shake(w);
	s(w, 0, 0, "SSH-2.0\r\n");
	s(w, 9, 0, "more\r\n");
	close_world(&world, "S@0 SSH-2.0\r\n\nfin by C, acked 0 0\n");
}

Test(nids, off_the_mail_ports_a_server_speaks_first_or_nobody_listens)
{
	static struct world world;
	struct wire *w = &world.w;

	w->any_port = true;
	w->server_port = 8025;
	open_world(&world, 64);
	wire_shake(w);
	s(w, 0, 0, "220 mx\r\n");
	c(w, 0, 8, "QUIT\r\n");
	w->client_port = 40001;
	wire_shake(w);
	c(w, 0, 0, "GET / HTTP/1.0\r\n");
	s(w, 0, 16, "200\r\n");
	close_world(&world,
	    "S@0 220 mx\r\n\nC@0 QUIT\r\n\n"
	    "capture-end by C, acked 0 8\n");
}

Test(nids, there_is_one_engine_at_a_time)
{
	static struct world world;
	struct stream_listener listener = { 0 };
	struct nids_config config = { 1, false, world.w.mail_ports };

	open_world(&world, 64);
	cr_assert_null(nids_engine_create(&config, &listener, &world.counters));
	close_world(&world, "");
}
