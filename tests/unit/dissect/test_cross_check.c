/* Both engines over the same packets: where they agree, each difference that
 * is known, and one that is not. */
#include <criterion/criterion.h>

#include "dissect/cross_check.h"
#include "unit/dissect/wire.h"

#define EHLO "EHLO a.test\r\n"	    /* 13 octets */
#define GREETING "220 mx ESMTP\r\n" /* 14 octets */

struct world {
	struct wire w;
	struct shard_config config;
	struct cross_check *check;
	struct shard *shard, *last; /* the last one finishes the check */
	unsigned differences;
	struct cross_difference difference; /* the last one */
	char native[256], libnids[256];
};

static void
ignore(void *context, const struct publication *p, struct slice facts)
{
	(void)context;
	(void)p;
	(void)facts;
}

static void
on_difference(void *context, const struct cross_difference *d)
{
	struct world *world = context;

	world->differences++;
	world->difference = *d;
	snprintf(world->native, sizeof(world->native), "%.*s",
	    (int)d->native.len, d->native.ptr);
	snprintf(world->libnids, sizeof(world->libnids), "%.*s",
	    (int)d->libnids.len, d->libnids.ptr);
}

static void
to_shard(void *context, const struct packet *p)
{
	struct world *world = context;

	shard_packet(world->shard, 1, p);
}

static void
open_with_budget(struct world *world, size_t budget_bytes)
{
	struct shard_config config = { .mail_ports = { 25 },
		.mail_port_count = 1,
		.budgets = { 512, 1 << 24, 1 << 24, 1 << 26 } };

	if (world->config.budgets.flows == 0)
		world->config = config;
	world->w.sink = to_shard;
	world->w.sink_context = world;
	world->w.now_ns = INT64_C(1000000000000);
	world->check = cross_check_create(&world->config, budget_bytes,
	    on_difference, world);
	world->config.cross_check = world->check;
	world->shard = shard_create(0, &world->config, ignore, NULL);
	world->last =
	    shard_create(SHARD_COUNT - 1, &world->config, ignore, NULL);
	cr_assert(world->check && world->shard && world->last);
	wire_open(&world->w);
}

static void
open_world(struct world *world)
{
	open_with_budget(world, 1 << 24);
}

static uint64_t
counted(const struct world *world, enum counter which)
{
	return shard_counters(world->shard)->of[which];
}

static void
end_capture(struct world *world)
{
	shard_finish(world->shard, 1);
	shard_finish(world->last, 1);
}

static void
free_world(struct world *world)
{
	shard_destroy(world->shard);
	shard_destroy(world->last);
	cross_check_destroy(world->check);
	wire_free(&world->w);
}

/* --- agreeing ------------------------------------------------------------ */

Test(cross_check, order_and_retransmission_make_no_difference)
{
	static struct world world;
	struct wire *w = &world.w;

	open_world(&world);
	wire_shake(w);
	s(w, 4, 0, "mx ESMTP\r\n");
	s(w, 0, 0, "220 ");
	s(w, 0, 0, GREETING);
	c(w, 0, 14, EHLO);
	s(w, 14, 13, "250-mx\r\n");
	s(w, 18, 13, "mx\r\n250 STARTTLS\r\n");
	wire_send(w, TO_CLIENT, TCP_FIN | TCP_ACK, 36, 13, "");
	wire_send(w, TO_SERVER, TCP_FIN | TCP_ACK, 13, 37, "");
	s(w, 37, 14, "");
	end_capture(&world);
	cr_assert_eq(counted(&world, COUNTER_CROSS_SESSIONS), 1);
	cr_assert_eq(counted(&world, COUNTER_CROSS_AGREE), 1);
	cr_assert_eq(world.differences, 0);
	free_world(&world);
}

/* Each session counts once, also when the negotiation ends before it. */
Test(cross_check, what_comes_behind_the_negotiation_is_not_compared)
{
	static struct world world;
	struct wire *w = &world.w;

	open_world(&world);
	wire_shake(w);
	s(w, 0, 0, GREETING);
	c(w, 0, 14, EHLO);
	s(w, 14, 13, "250 mx\r\n");
	c(w, 13, 22, "MAIL FROM:<a@b.test>\r\n");
	s(w, 22, 35, "250 ok\r\n");
	cr_assert_eq(counted(&world, COUNTER_CROSS_AGREE), 1);
	w->snapped = 3;
	c(w, 35, 30, "RCPT TO:<b@b.test>\r\n");
	w->snapped = 0;
	end_capture(&world);
	cr_assert_eq(counted(&world, COUNTER_CROSS_SESSIONS), 1);
	cr_assert_eq(counted(&world, COUNTER_CROSS_KNOWN), 0);
	free_world(&world);
}

Test(cross_check, what_is_no_smtp_is_not_compared)
{
	static struct world world;
	struct wire *w = &world.w;

	open_world(&world);
	world.config.any_port = true;
	shard_destroy(world.shard);
	world.shard = shard_create(0, &world.config, ignore, NULL);
	w->server_port = 21;
	wire_shake(w);
	s(w, 0, 0, "SSH-2.0\r\n");
	end_capture(&world);
	cr_assert_eq(counted(&world, COUNTER_CROSS_SESSIONS), 0);
	free_world(&world);
}

/* Where frames go that the sinks below make of segments. */
static struct world *frames_to;

/* --- known differences --------------------------------------------------- */

static void
ipv6(struct wire *w)
{
	w->v6 = true;
	wire_shake(w);
	s(w, 0, 0, GREETING);
}

static void
midstream(struct wire *w)
{
	s(w, 0, 0, GREETING);
	c(w, 0, 14, EHLO);
}

static void
one_sided(struct wire *w)
{
	wire_syn_ack(w);
	s(w, 0, 0, GREETING);
}

/* Ports in use: libnids takes no other SYN for an hour. */
static void
reused(struct wire *w)
{
	wire_shake(w);
	s(w, 0, 0, GREETING);
	w->client_isn = 1000;
	w->server_isn = 2000;
	wire_shake(w);
	s(w, 0, 0, GREETING);
}

static void
syn_data(struct wire *w)
{
	wire_syn(w);
	wire_segment(w, TO_CLIENT, TCP_SYN | TCP_ACK, 0, 1,
	    slice_str("220 mx"));
	c(w, 0, 6, "");
	s(w, 6, 0, " ESMTP\r\n");
}

static void
cut(struct wire *w)
{
	wire_shake(w);
	w->snapped = 2;
	s(w, 0, 0, GREETING);
}

/* Only what its receiver acknowledged is believed. */
static void
checksum(struct wire *w)
{
	wire_shake(w);
	w->bad_sum = true;
	s(w, 0, 0, GREETING);
	w->bad_sum = false;
	c(w, 0, 14, EHLO);
}

static void
handshake(struct wire *w)
{
	wire_syn(w);
	wire_syn_ack(w);
	c(w, 0, 14, EHLO);
	s(w, 0, 0, GREETING);
}

static void
early(struct wire *w)
{
	wire_syn(w);
	wire_syn_ack(w);
	s(w, 0, 0, GREETING);
	c(w, 0, 0, "");
	c(w, 0, 14, EHLO);
}

static void
urgent(struct wire *w)
{
	wire_shake(w);
	w->urgent = 5;
	wire_send(w, TO_CLIENT, TCP_ACK | TCP_URG, 0, 0, GREETING);
}

static void
copies(struct wire *w)
{
	wire_shake(w);
	s(w, 4, 0, "mx");
	s(w, 4, 0, "XX ESMTP\r\n");
	s(w, 0, 0, "220 ");
}

static void
window(struct wire *w)
{
	static char line[512];

	wire_shake(w);
	s(w, 0, 0, GREETING);
	memset(line, 'x', sizeof(line) - 1);
	/* The client never acknowledges: the window of 64,240 is exhausted. */
	for (uint32_t at = 14; at < 65400; at += sizeof(line) - 1)
		s(w, at, 0, line);
}

/* More than 64 KiB behind a hole, as libnids counts them: 168 octets for a
 * segment. */
static void
queue(struct wire *w)
{
	char line[201];

	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	wire_shake(w);
	s(w, 0, 0, GREETING);
	for (uint32_t i = 0; i < 250; i++)
		s(w, 15 + 200 * i, 0, line);
	s(w, 14, 0, "x");
}

static void
timestamp(struct wire *w)
{
	w->ts_value = 1000;
	wire_shake(w);
	s(w, 0, 0, GREETING);
	w->ts_value = 999;
	s(w, 14, 0, "250 mx\r\n");
}

/* A flood of SYNs: native sheds them, libnids what is oldest. */
static void
table(struct wire *w)
{
	wire_shake(w);
	s(w, 0, 0, GREETING);
	for (uint16_t i = 1; i < 700; i++) {
		w->client_port = (uint16_t)(40000 + i);
		wire_syn(w);
	}
	w->client_port = 40000;
	s(w, 14, 0, "250 mx\r\n");
}

static void
snaplen(struct wire *w)
{
	wire_shake(w);
	s(w, 0, 0, GREETING);
	w->snapped = 8;
	s(w, 14, 0, "250 mx\r\n");
}

/* The packet as a frame of raw IP, with other octets at `at`. */
static void
send_raw(const struct packet *p, const uint8_t *header, size_t header_len,
    size_t from, size_t to, const char *instead)
{
	uint8_t frame[256];
	struct counters counters = { 0 };
	struct frame f = { .link_type = 101,
		.number = p->number,
		.run_number = p->run_number,
		.capture_ts_ns = p->capture_ts_ns };
	struct packet again;

	memcpy(frame, header, header_len);
	memcpy(frame + header_len, p->tcp + from, to - from);
	if (instead != NULL)
		memcpy(frame + header_len, instead, strlen(instead));
	put_be(frame + 2, header_len + to - from, 2);
	f.bytes = slice_of(frame, header_len + to - from);
	f.wire_bytes = (uint32_t)f.bytes.len;
	cr_assert_neq(packet_decode(&f, &counters, &again), PACKET_NONE);
	to_shard(frames_to, &again);
}

/* Loose source route, RFC 791 3.1. */
static void
with_source_route(void *context, const struct packet *p)
{
	uint8_t header[28];

	(void)context;
	memcpy(header, p->ip, 20);
	header[0] = 0x47;
	memcpy(header + 20, "\x83\7\4\xc0\0\2\x63\0", 8);
	send_raw(p, header, 28, 0, p->tcp_header_bytes + p->payload_bytes,
	    NULL);
}

static void
source_route(struct wire *w)
{
	wire_shake(w);
	frames_to = w->sink_context;
	w->sink = with_source_route;
	s(w, 0, 0, GREETING);
}

/* The last fragment first, and "mx ESMTP" in it with two words swapped, so
 * that the sum is right whichever copy is taken. */
static void
in_fragments(void *context, const struct packet *p)
{
	uint8_t header[20];
	size_t len = p->tcp_header_bytes + p->payload_bytes;

	(void)context;
	memcpy(header, p->ip, 20);
	put_be(header + 6, 24 / 8, 2);
	send_raw(p, header, 20, 24, len, "SM EmxTP");
	put_be(header + 6, 0x2000, 2);
	send_raw(p, header, 20, 0, 32, NULL);
}

static void
fragments(struct wire *w)
{
	wire_shake(w);
	frames_to = w->sink_context;
	w->sink = in_fragments;
	s(w, 0, 0, GREETING);
}

static void
reset(struct wire *w)
{
	wire_shake(w);
	s(w, 0, 0, GREETING);
	wire_send(w, TO_CLIENT, TCP_RST, 1000, 0, "");
	s(w, 14, 0, "250 mx\r\n");
}

static void
gap(struct wire *w)
{
	wire_shake(w);
	s(w, 0, 0, GREETING);
	c(w, 0, 14, EHLO);
	s(w, 20, 13, "250 mx\r\n");
}

static const struct {
	void (*talk)(struct wire *);
	enum known_difference known;
} cases[] = {
	{ ipv6, KNOWN_IPV6 },
	{ midstream, KNOWN_MIDSTREAM },
	{ one_sided, KNOWN_ONE_SIDED },
	{ reused, KNOWN_REUSED },
	{ syn_data, KNOWN_SYN_DATA },
	{ cut, KNOWN_CUT },
	{ checksum, KNOWN_CHECKSUM },
	{ handshake, KNOWN_HANDSHAKE },
	{ early, KNOWN_EARLY },
	{ urgent, KNOWN_URGENT },
	{ copies, KNOWN_COPIES },
	{ window, KNOWN_WINDOW },
	{ queue, KNOWN_QUEUE },
	{ reset, KNOWN_RESET },
	{ gap, KNOWN_GAP },
	{ timestamp, KNOWN_TIMESTAMP },
	{ table, KNOWN_TABLE },
	{ snaplen, KNOWN_SNAPLEN },
	{ source_route, KNOWN_SOURCE_ROUTE },
	{ fragments, KNOWN_FRAGMENTS },
};

Test(cross_check, each_known_difference_is_told_by_its_name)
{
	cr_assert_eq(sizeof(cases) / sizeof(*cases), KNOWN_DIFFERENCES);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		static struct world world;
		const char *name = cross_check_known_name(cases[i].known);

		memset(&world, 0, sizeof(world));
		open_world(&world);
		cases[i].talk(&world.w);
		end_capture(&world);
		cr_expect_eq(cross_check_totals(world.check)
				 ->known[cases[i].known],
		    1, "%s", name);
		cr_expect_eq(counted(&world, COUNTER_CROSS_KNOWN), 1, "%s",
		    name);
		cr_expect_eq(world.differences, 0, "%s", name);
		free_world(&world);
	}
}

/* --- a new difference ---------------------------------------------------- */

static void
to_check(void *context, const struct packet *p)
{
	struct world *world = context;

	cross_check_packet(world->check, p);
}

/* libnids gets packets with these octets; native is played, and delivers what
 * the test says. */
static struct counters
compare(struct world *world, const char *const sent[2],
    const char *const native[2])
{
	struct wire *w = &world->w;
	struct flow_start start = {
		.identity = { { { { 192, 0, 0, 1 }, 4 }, 40000 },
		    { { { 198, 0, 0, 2 }, 4 }, 25 }, 0, 0, true, true, true }
	};
	struct cross_end end = { false, true };
	struct counters counters = { 0 };
	struct cross_session *session;

	open_world(world);
	w->sink = to_check;
	wire_shake(w);
	s(w, 0, 0, sent[TO_CLIENT]);
	c(w, 0, strlen(sent[TO_CLIENT]), sent[TO_SERVER]);
	session = cross_check_opened(world->check, &start);
	cr_assert_not_null(session);
	for (int dir = 0; dir < 2; dir++)
		cross_check_bytes(world->check, session, (enum dir)dir,
		    slice_str(native[dir]), INTEREST_NEGOTIATION, &counters);
	cross_check_closed(world->check, session, &end, &counters);
	end_capture(world);
	free_world(world);
	return counters;
}

#define TALK(client, server)   \
	(const char *const[2]) \
	{                      \
		client, server \
	}

Test(cross_check, an_octet_that_differs_is_new_and_is_shown_in_its_line)
{
	static struct world world;
	struct counters counters = compare(&world,
	    TALK(EHLO, GREETING "250-mx\r\n250-STARTTLS\r\n250 DSN\r\n"),
	    TALK(EHLO, GREETING "250-mx\r\n250-STARTTLX\r\n250 DSN\r\n"));

	cr_assert_eq(counters.of[COUNTER_CROSS_SESSIONS], 1);
	cr_assert_eq(counters.of[COUNTER_CROSS_NEW], 1);
	cr_assert_eq(counters.of[COUNTER_CROSS_KNOWN], 0);
	cr_assert_eq(world.differences, 1);
	cr_assert_eq(world.difference.dir, TO_CLIENT);
	cr_assert_eq(world.difference.shape, CROSS_OTHER);
	cr_assert_eq(world.difference.stream_offset, 33);
	cr_assert_eq(world.difference.identity.client.port, 40000);
	cr_assert_str_eq(world.native, "250-STARTTLX");
	cr_assert_str_eq(world.libnids, "250-STARTTLS");
}

Test(cross_check, octets_that_one_engine_lacks_are_new)
{
	static struct world less, more;

	compare(&less, TALK("NOOP\r\n", GREETING),
	    TALK("NOOP\r\nQUIT\r\n", GREETING));
	cr_assert_eq(less.differences, 1);
	cr_assert_eq(less.difference.shape, CROSS_LESS);
	cr_assert_eq(less.difference.stream_offset, 6);
	compare(&more, TALK("NOOP\r\nQUIT\r\n", GREETING),
	    TALK("NOOP\r\n", GREETING));
	cr_assert_eq(more.differences, 1);
	cr_assert_eq(more.difference.shape, CROSS_MORE);
}

Test(cross_check, local_parts_are_blanked_in_what_is_shown)
{
	static struct world world;

	compare(&world, TALK("MAIL FROM:<alice@a.test> SIZE=1\r\n", GREETING),
	    TALK("MAIL FROM:<alice@a.test> SIZE=2\r\n", GREETING));
	cr_assert_eq(world.differences, 1);
	cr_assert_str_eq(world.native,
	    "MAIL FROM:<\xff\xff\xff\xff\xff@a.test> SIZE=2");
	cr_assert_str_eq(world.libnids,
	    "MAIL FROM:<\xff\xff\xff\xff\xff@a.test> SIZE=1");
}

/* What follows AUTH, DATA, or what nobody knows may be a secret, whatever it
 * looks like. */
Test(cross_check, behind_a_command_with_secrets_nothing_is_shown)
{
	static const char *const talks[][2] = {
		{ "AUTH PLAIN AGEAYg==\r\n", "AUTH PLAIN AGEAYw==\r\n" },
		{ "AUTH LOGIN\r\nQUIT\r\n", "AUTH LOGIN\r\nQUIX\r\n" },
		{ "DATA\r\nQUIT a\r\n", "DATA\r\nQUIT b\r\n" },
		{ "c2VjcmV0\r\n", "c2VjcmV1\r\n" },
	};

	for (size_t i = 0; i < sizeof(talks) / sizeof(*talks); i++) {
		static struct world world;

		memset(&world, 0, sizeof(world));
		compare(&world, TALK(talks[i][0], GREETING),
		    TALK(talks[i][1], GREETING));
		cr_assert_eq(world.differences, 1);
		cr_assert_str_eq(world.native, "");
		cr_assert_str_eq(world.libnids, "");
	}
}

Test(cross_check, replies_that_may_name_people_are_not_shown)
{
	static const struct {
		const char *client;
		bool shown;
	} talks[] = {
		{ EHLO "VRFY alice\r\n", false },
		{ EHLO "STARTTLS\r\nAUTH LOGIN\r\n", false },
		{ EHLO "DATA\r\n.\r\nEXPN staff\r\n", false },
		{ EHLO "XXXX alice\r\n", false },
		{ EHLO "STARTTLS\r\n\x16\x03\x01", true },
		{ EHLO "DATA\r\nhello\r\n.\r\n", true },
		{ EHLO "NOOP\r\n", true },
	};

	for (size_t i = 0; i < sizeof(talks) / sizeof(*talks); i++) {
		static struct world world;

		memset(&world, 0, sizeof(world));
		compare(&world, TALK(talks[i].client, GREETING "250 alice\r\n"),
		    TALK(talks[i].client, GREETING "250 bob\r\n"));
		cr_assert_eq(world.differences, 1);
		cr_assert_str_eq(world.native, talks[i].shown ? "250 bob" : "",
		    "%zu", i);
		cr_assert_str_eq(world.libnids,
		    talks[i].shown ? "250 alice" : "", "%zu", i);
	}
}

/* --- room ---------------------------------------------------------------- */

Test(cross_check, without_room_a_session_is_not_compared_and_that_counts)
{
	static struct world world;
	struct wire *w = &world.w;

	open_with_budget(&world, 1);
	wire_shake(w);
	s(w, 0, 0, GREETING);
	end_capture(&world);
	cr_assert_eq(counted(&world, COUNTER_CROSS_MEMCAP), 1);
	cr_assert_eq(counted(&world, COUNTER_CROSS_SESSIONS), 0);
	cr_assert_eq(counted(&world, COUNTER_SESSIONS), 1);
	free_world(&world);
}

/* Room for a few connections: those that are over go, and all are compared. */
Test(cross_check, what_is_over_makes_room)
{
	static struct world world;
	struct wire *w = &world.w;

	open_with_budget(&world, 8192);
	for (uint16_t i = 0; i < 100; i++) {
		uint64_t end = 14;

		w->client_port = (uint16_t)(40000 + i);
		wire_shake(w);
		s(w, 0, 0, GREETING);
		wire_send(w, TO_CLIENT, TCP_FIN | TCP_ACK, end, 0, "");
		wire_send(w, TO_SERVER, TCP_FIN | TCP_ACK, 0, end + 1, "");
		s(w, end + 1, 1, "");
	}
	end_capture(&world);
	cr_assert_eq(counted(&world, COUNTER_CROSS_AGREE), 100);
	free_world(&world);
}
