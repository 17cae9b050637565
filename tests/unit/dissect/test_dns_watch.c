/* Queries and answers: which meet, what is published, and what is shed. */
#include <criterion/criterion.h>

#include "dissect/dns.h"
#include "dissect/dns_fact.h"
#include "dissect/dns_watch.h"

#define QUESTION "\7example\3org\0\0\x0f\0\1"
#define QUERY(id) id "\1\0\0\1\0\0\0\0\0\0" QUESTION
#define ANSWER(id, flags, host)              \
	id flags "\0\1\0\1\0\0\0\0" QUESTION \
		 "\xc0\x0c\0\x0f\0\1\0\0\1\x2c\0\x07\0\x0a\2" host "\xc0\x0c"
#define TO_RESOLVER 1
#define TO_ASKER 0

static struct {
	struct dns_watch *watch;
	struct fact_pool *pool;
	struct counters counters;
	uint64_t frame;
	int64_t now_ns;
	uint16_t port; /* of who asks */
	/* What was published. */
	unsigned count;
	uint32_t value;
	char said[256];
} t;

static void
take(void *context, const struct publication *p, struct slice facts)
{
	struct dns_asked asked;
	struct dns_said said;
	struct slice bytes;
	struct fact fact;

	(void)context;
	cr_assert_eq(p->session, 0);
	cr_assert_eq(p->decision, DECISION_DNS_ANSWERED);
	cr_assert(fact_decode(&facts, &fact, &bytes));
	cr_assert_eq(facts.len, 0);
	cr_assert_eq(fact.code, FACT_DNS_ANSWER);
	cr_assert(dns_asked_decode(&bytes, &asked));
	cr_assert_eq(asked.client.port, t.port);
	cr_assert_eq(asked.resolver.port, 53);
	cr_assert(slice_equal(asked.name, slice_str("example.org")));
	t.count++;
	t.value = fact.value;
	t.said[0] = '\0';
	while (dns_said_decode(&bytes, &said)) {
		cr_assert_eq(said.type, DNS_MX);
		strncat(t.said, (const char *)said.value.ptr, said.value.len);
	}
}

static void
set_up(size_t queries)
{
	static const uint8_t key[16] = "sixteen octets.";

	memset(&t, 0, sizeof(t));
	t.pool = fact_pool_create(1 << 20, &t.counters, take, NULL);
	t.watch = dns_watch_create(queries, key, t.pool, &t.counters);
	t.port = 40000;
}

static void
tear_down(void)
{
	dns_watch_destroy(t.watch);
	cr_assert_eq(fact_pool_used(t.pool), 0);
	fact_pool_destroy(t.pool);
}

static void
send_bytes(int where, const void *bytes, size_t len)
{
	struct endpoint client = { { { 192, 0, 2, 1 }, 4 }, t.port };
	struct endpoint resolver = { { { 198, 51, 100, 53 }, 4 }, 53 };
	struct packet p = { .kind = PACKET_DNS,
		.src = where == TO_RESOLVER ? client : resolver,
		.dst = where == TO_RESOLVER ? resolver : client,
		.number = ++t.frame,
		.run_number = t.frame,
		.capture_ts_ns = ++t.now_ns,
		.payload = bytes,
		.payload_bytes = (uint32_t)len,
		.payload_wire_bytes = (uint32_t)len };

	dns_watch_packet(t.watch, &p);
}

#define ask(text) send_bytes(TO_RESOLVER, text, sizeof(text) - 1)
#define say(text) send_bytes(TO_ASKER, text, sizeof(text) - 1)
#define counted(which) (t.counters.of[COUNTER_DNS_##which])

Test(dns_watch, an_answer_that_was_asked_for_is_published)
{
	set_up(64);
	ask(QUERY("\0\1"));
	say(ANSWER("\0\1", "\x81\xa0", "MX"));
	cr_assert_eq(t.count, 1);
	cr_assert_eq(t.value, DNS_ANSWER_AUTHENTIC);
	cr_assert_str_eq(t.said, "mx.example.org");
	cr_assert_eq(counted(ANSWERS), 1);
	tear_down();
}

/* RFC 5452 9.1: id, ends and question are those of the query. */
Test(dns_watch, what_nobody_asked_is_counted_and_not_told)
{
	set_up(64);
	say(ANSWER("\0\1", "\x81\x80", "mx"));
	t.now_ns += 300000000;
	ask(QUERY("\0\1"));
	say(ANSWER("\0\2", "\x81\x80", "mx"));
	t.port++;
	say(ANSWER("\0\1", "\x81\x80", "mx"));
	cr_assert_eq(t.count, 0);
	cr_assert_eq(counted(UNASKED), 3);
	tear_down();
}

/* A tap for each direction, and clocks that differ. */
Test(dns_watch, an_answer_may_be_seen_a_moment_before_its_query)
{
	set_up(64);
	say(ANSWER("\0\1", "\x81\x80", "mx"));
	cr_assert_eq(t.count, 0);
	ask(QUERY("\0\1"));
	cr_assert_eq(t.count, 1);
	cr_assert_str_eq(t.said, "mx.example.org");
	say(ANSWER("\0\1", "\x81\x80", "m2"));
	cr_assert_eq(t.value, DNS_ANSWER_SECOND);
	tear_down();
}

Test(dns_watch, a_second_answer_that_differs_is_told_as_second)
{
	set_up(64);
	ask(QUERY("\0\1"));
	say(ANSWER("\0\1", "\x81\x80", "m1"));
	say(ANSWER("\0\1", "\x81\x80", "m1"));
	cr_assert_eq(t.count, 1);
	say(ANSWER("\0\1", "\x81\x80", "m2"));
	cr_assert_eq(t.count, 2);
	cr_assert_eq(t.value, DNS_ANSWER_SECOND);
	cr_assert_str_eq(t.said, "m2.example.org");
	tear_down();
}

/* A resolver may turn its records round between the two. */
Test(dns_watch, a_query_sent_twice_has_two_answers)
{
	set_up(64);
	ask(QUERY("\0\1"));
	ask(QUERY("\0\1"));
	say(ANSWER("\0\1", "\x81\x80", "m1"));
	say(ANSWER("\0\1", "\x81\x80", "m2"));
	cr_assert_eq(t.count, 2);
	cr_assert_eq(t.value, 0);
	tear_down();
}

Test(dns_watch, what_is_late_or_cut_says_nothing)
{
	set_up(64);
	ask(QUERY("\0\1"));
	say(ANSWER("\0\1", "\x83\x80", "mx")); /* TC */
	cr_assert_eq(t.count, 0);
	ask(QUERY("\0\2"));
	t.now_ns += INT64_C(31) * 1000000000;
	say(ANSWER("\0\2", "\x81\x80", "mx"));
	cr_assert_eq(t.count, 0);
	cr_assert_eq(counted(UNASKED), 1);
	tear_down();
}

Test(dns_watch, room_is_bounded_and_what_goes_is_counted)
{
	set_up(8);
	for (int i = 0; i < 9; i++) {
		t.port = (uint16_t)(40000 + i);
		ask(QUERY("\0\1"));
	}
	cr_assert_eq(counted(MEMCAP), 1);
	t.port = 40000;
	say(ANSWER("\0\1", "\x81\x80", "mx"));
	cr_assert_eq(t.count, 0);
	t.port = 40008;
	say(ANSWER("\0\1", "\x81\x80", "mx"));
	cr_assert_eq(t.count, 1);
	tear_down();
}

/* RFC 1035 4.2.2, cut at every place. */
Test(dns_watch, messages_over_tcp_are_put_together)
{
	static const uint8_t query[] = "\0\x1d" QUERY("\0\1");
	static const uint8_t answer[] =
	    "\0\0\0\x30" ANSWER("\0\1", "\x81\x80", "mx") "\0";
	struct flow_identity id = {
		.client = { { { 192, 0, 2, 1 }, 4 }, 40000 },
		.server = { { { 198, 51, 100, 53 }, 4 }, 53 },
	};
	struct origin at = { .frame = 1 };

	for (size_t cut = 0; cut < sizeof(answer); cut++) {
		struct dns_stream *s;
		struct slice whole = slice_of(answer, sizeof(answer) - 1);

		set_up(64);
		s = dns_stream_open(t.watch, &id);
		cr_assert(dns_stream_feed(s, TO_SERVER,
		    slice_of(query, sizeof(query) - 1), &at));
		cr_assert(dns_stream_feed(s, TO_CLIENT, slice_first(whole, cut),
		    &at));
		cr_assert(dns_stream_feed(s, TO_CLIENT, slice_after(whole, cut),
		    &at));
		cr_assert_eq(t.count, 1);
		cr_assert_eq(t.value, DNS_ANSWER_TCP);
		dns_stream_close(s);
		tear_down();
	}
}
