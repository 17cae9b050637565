/* Packets in, publications out; and budgets so small that something is shed
 * all the time. */
#include <criterion/criterion.h>

#include "dissect/shard.h"
#include "unit/dissect/wire.h"

struct judge {
	unsigned publications, sessions, closed, evicted, replies, commands;
	unsigned differing;
	struct publication last;
};

static void
judge(void *context, const struct publication *p, struct slice facts)
{
	struct judge *j = context;
	struct slice bytes;
	struct fact fact;

	j->publications++;
	if (j->publications > 1 && p->batch == j->last.batch &&
	    p->capture_frame == j->last.capture_frame)
		cr_assert_eq(p->ordinal, j->last.ordinal + 1);
	else
		cr_assert_eq(p->ordinal, 0);
	j->last = *p;
	while (fact_decode(&facts, &fact, &bytes)) {
		j->sessions += fact.code == FACT_SESSION_OPENED;
		j->closed += fact.code == FACT_CLOSED;
		j->evicted += fact.code == FACT_CLOSED &&
		    fact.value == ENDING_EVICTED;
		j->replies += fact.code == FACT_EHLO_REPLY;
		j->commands += fact.code == FACT_COMMAND;
		j->differing += fact.code == FACT_COPIES_DIFFER;
	}
	cr_assert_eq(facts.len, 0);
}

static void
to_shard(void *context, const struct packet *p)
{
	shard_packet(context, 1, p);
}

static void
say_hello(struct wire *w, uint16_t client_port)
{
	w->client_port = client_port;
	wire_shake(w);
	s(w, 0, 0, "220 mx ESMTP\r\n");
	c(w, 0, 14, "EHLO a\r\n");
	s(w, 14, 8, "250-mx\r\n250 STARTTLS\r\n");
	c(w, 8, 36, "");
}

#define BEGIN(...)                                                   \
	struct judge j = { 0 };                                      \
	struct shard_config config = { .mail_ports = { 25 },         \
		.mail_port_count = 1,                                \
		.budgets = { __VA_ARGS__ } };                        \
	struct shard *shard = shard_create(5, &config, judge, &j);   \
	struct wire w = { .sink = to_shard, .sink_context = shard }; \
	wire_open(&w)

#define PLENTY 1 << 20, 1 << 24, 1 << 24, 1 << 26

Test(shard, a_dialogue_becomes_publications)
{
	BEGIN(PLENTY);

	say_hello(&w, 40000);
	cr_assert_eq(j.publications, 1);
	cr_assert_eq(j.last.decision, DECISION_EHLO_ANSWERED);
	cr_assert_eq(j.last.shard, 5);
	shard_finish(shard, 1);
	cr_assert_eq(j.publications, 2);
	cr_assert_eq(j.last.decision, DECISION_EXPIRED);
	cr_assert_eq(j.last.capture_frame, UINT64_MAX);
	cr_assert_eq(j.sessions, 1);
	cr_assert_eq(j.closed, 1);
	cr_assert_eq(j.replies, 2);
	cr_assert_eq(shard_counters(shard)->of[COUNTER_SESSIONS], 1);
	shard_destroy(shard);
	wire_free(&w);
}

Test(shard, what_is_no_smtp_is_counted_and_not_published)
{
	BEGIN(PLENTY);

	config.any_port = true;
	shard_destroy(shard);
	shard = shard_create(5, &config, judge, &j);
	w.sink_context = shard;
	w.server_port = 21;
	wire_shake(&w);
	s(&w, 0, 0, "220 ftp\r\n");
	c(&w, 0, 9, "USER a\r\n");
	w.client_port++;
	wire_shake(&w);
	s(&w, 0, 0, "HTTP/1.1\r\n");
	shard_finish(shard, 1);
	cr_assert_eq(j.publications, 0);
	cr_assert_eq(shard_counters(shard)->of[COUNTER_FLOW_FOREIGN], 2);
	cr_assert_eq(shard_counters(shard)->of[COUNTER_SESSIONS], 0);
	shard_destroy(shard);
	wire_free(&w);
}

/* One flow at a time, and no octet to spare: every session is still opened,
 * its greeting read, and its end told. */
Test(shard, eviction_that_never_stops_loses_no_end)
{
	enum { FLOWS = 300 };
	BEGIN(1, 1, 1, 1);

	for (uint16_t i = 0; i < FLOWS; i++)
		say_hello(&w, 40000 + i);
	shard_finish(shard, 1);
	cr_assert_eq(shard_counters(shard)->of[COUNTER_SESSIONS], FLOWS);
	cr_assert_eq(j.closed, FLOWS);
	cr_assert_eq(j.evicted, FLOWS - 1);
	cr_assert_eq(shard_counters(shard)
			 ->of[COUNTER_FLOW_EVICTED_NEGOTIATING],
	    FLOWS - 1);
	shard_destroy(shard);
	wire_free(&w);
}

/* Many dialogues at once take turns, in a pool that holds a few logs. */
Test(shard, a_pool_of_a_few_logs_serves_all_in_turn)
{
	enum {
		FLOWS = 20,
		/* The least that there is; until half of it is gone, the first
		 * five sessions' tapes take half as much as their logs. */
		LOGS = 8192 / FACT_LOG_START_BYTES - 3
	};
	BEGIN(1 << 20, 1 << 20, 1 << 20, 1);

	for (uint16_t i = 0; i < FLOWS; i++) {
		w.client_port = 40000 + i;
		wire_shake(&w);
		s(&w, 0, 0, "220 mx ESMTP\r\n");
	}
	cr_assert_eq(shard_counters(shard)->of[COUNTER_LOG_EVICTED],
	    FLOWS - LOGS);
	for (uint16_t i = 0; i < FLOWS; i++) {
		w.client_port = 40000 + i;
		c(&w, 0, 14, "EHLO a\r\n");
		s(&w, 14, 8, "250 mx\r\n");
	}
	shard_finish(shard, 1);
	cr_assert_eq(j.publications, 2 * FLOWS);
	cr_assert_eq(j.closed, FLOWS);
	shard_destroy(shard);
	wire_free(&w);
}

/* A segment in four fragments, the last one first. */
Test(shard, fragments_reach_the_dialogue)
{
	uint8_t tcp[] = "\x9c\x40\0\x19\0\0\0\x01\0\0\0\x09"
			"\x50\x10\x20\0\0\0\0\0"
			"EHLO ab\r\nQUIT\r\n";
	struct packet p = { .kind = PACKET_FRAGMENT,
		.number = 9,
		.run_number = 9,
		.fragment_id = 1,
		.protocol = 6 };
	const uint32_t len = sizeof(tcp) - 1;
	BEGIN(PLENTY);

	wire_shake(&w);
	s(&w, 0, 0, "220 mx\r\n");
	p.src.address.family = p.dst.address.family = 4;
	p.src.address.octets[0] = 192;
	p.src.address.octets[3] = 1;
	p.dst.address.octets[0] = 198;
	p.dst.address.octets[3] = 2;
	put_be(tcp + 16, wire_sum(&p, tcp, len), 2);
	for (uint32_t i = 4; i-- > 0;) {
		p.fragment_offset = 8 * i;
		p.payload = tcp + 8 * i;
		p.more_fragments = i < 3;
		p.payload_bytes = i < 3 ? 8 : len - 24;
		p.payload_wire_bytes = p.payload_bytes;
		shard_packet(shard, 1, &p);
	}
	shard_finish(shard, 1);
	cr_assert_eq(shard_counters(shard)->of[COUNTER_FRAGMENTS_JOINED], 1);
	cr_assert_eq(j.commands, 2);
	shard_destroy(shard);
	wire_free(&w);
}

/* Destroyed amid everything: nobody is told, nothing leaks (ASan looks). */
Test(shard, a_shard_may_go_at_any_time)
{
	BEGIN(PLENTY);

	say_hello(&w, 40000);
	s(&w, 100, 8, "early");
	c(&w, 8, 36, "half a li");
	shard_destroy(shard);
	cr_assert_eq(j.publications, 1);
	cr_assert_eq(j.closed, 0);
	wire_free(&w);
	shard_destroy(NULL);
}

/* The first octets of all come last. */
Test(shard, copies_are_compared_before_anything_was_delivered)
{
	BEGIN(PLENTY);

	wire_shake(&w);
	s(&w, 4, 0, "mx ESMTP\r\n");
	s(&w, 4, 0, "my ESMTP\r\n");
	s(&w, 0, 0, "220 ");
	c(&w, 0, 14, "");
	shard_finish(shard, 1);
	cr_assert_eq(j.sessions, 1);
	cr_assert_eq(j.differing, 1);
	cr_assert_eq(shard_counters(shard)->of[COUNTER_SESSIONS], 1);
	shard_destroy(shard);
	wire_free(&w);
}

/* A client that has few ports; what came late of the first is told before. */
Test(shard, a_lingering_session_ends_when_its_five_tuple_is_used_again)
{
	BEGIN(PLENTY);

	say_hello(&w, 40000);
	w.client_isn += 100000;
	say_hello(&w, 40000);
	/* The SYN amid the first was answered: that one is over. */
	cr_assert_eq(j.sessions, 2);
	cr_assert_eq(j.closed, 1);
	shard_finish(shard, 1);
	cr_assert_eq(j.closed, 2);
	shard_destroy(shard);
	wire_free(&w);
}

/* A greeting that names no protocol, and the client's command not captured. */
Test(shard, what_never_turns_out_to_be_smtp_is_not_published)
{
	BEGIN(PLENTY);

	config.any_port = true;
	shard_destroy(shard);
	shard = shard_create(5, &config, judge, &j);
	w.sink_context = shard;
	w.server_port = 8025;
	wire_shake(&w);
	s(&w, 0, 0, "220 ready\r\n");
	s(&w, 11, 8, "250-mx\r\n250 STARTTLS\r\n");
	shard_finish(shard, 1);
	cr_assert_eq(j.publications, 0);
	shard_destroy(shard);
	wire_free(&w);
}
