/* How packets carried a negotiation: what is odd becomes a fact, and what
 * networks do to honest segments does not. */
#include <criterion/criterion.h>

#include "dissect/shard.h"
#include "unit/dissect/wire.h"

#define EHLO_REPLY "250-mx\r\n250-STARTTLS\r\n250 DSN\r\n"
#define GARBLED "250-mx\r\n250-XXXXXXXX\r\n250 DSN\r\n"

/* A shard, and the facts about packets that it told, one a line. */
struct scene {
	struct wire wire;
	struct shard_config config;
	struct shard *shard;
	char told[4096];
	size_t length;
	uint32_t server_ttls[2]; /* as they were told */
	unsigned server_ttl_count;
};

static void __attribute__((format(printf, 2, 3)))
tell(struct scene *scene, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	scene->length += (size_t)vsnprintf(scene->told + scene->length,
	    sizeof(scene->told) - scene->length, format, arguments);
	va_end(arguments);
	cr_assert_lt(scene->length, sizeof(scene->told));
}

static void
on_publish(void *context, const struct publication *publication,
    struct slice facts)
{
	struct scene *scene = context;
	struct segment_copy first, later;
	struct slice bytes;
	struct fact fact;

	(void)publication;
	while (fact_decode(&facts, &fact, &bytes)) {
		const char *name = fact_code_name((enum fact_code)fact.code);

		if (fact.flags & FACT_OTHER_READING) {
			tell(scene, "other: %.*s\n", (int)bytes.len, bytes.ptr);
			continue;
		}
		if (fact.code == FACT_SERVER_TTL) {
			cr_assert_lt(scene->server_ttl_count, 2);
			scene->server_ttls[scene->server_ttl_count++] =
			    fact.value;
			cr_assert(fact.dir == TO_CLIENT && bytes.len == 0);
			continue;
		}
		if (fact.code < FACT_COPIES_DIFFER)
			continue;
		cr_assert(segment_copy_decode(&bytes, &first));
		cr_assert(segment_copy_decode(&bytes, &later));
		cr_assert_eq(later.frame, fact.frame);
		cr_assert_lt(first.frame, later.frame);
		tell(scene, "%s %c@%u", name, wire_mark(fact.dir),
		    (unsigned)fact.stream_offset);
		if (fact.code == FACT_COPIES_DIFFER)
			tell(scene, "+%u %s%s%s%s", (unsigned)fact.extent,
			    fact.value & COPIES_ACKED ? "acked" : "fresh",
			    fact.value & COPIES_SIGHTINGS ? " sightings" : "",
			    first.sum == SUM_WRONG ? " first-sum" : "",
			    later.sum == SUM_WRONG ? " later-sum" : "");
		tell(scene, "\n");
	}
}

static void
to_shard(void *context, const struct packet *packet)
{
	shard_packet(context, 1, packet);
}

static struct scene *
scene_open(void)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	cr_assert_not_null(scene);
	scene->config = (struct shard_config){ .mail_ports = { 25 },
		.mail_port_count = 1,
		.budgets = { 1 << 20, 1 << 24, 1 << 24, 1 << 26 } };
	scene->shard = shard_create(0, &scene->config, on_publish, scene);
	scene->wire.sink = to_shard;
	scene->wire.sink_context = scene->shard;
	wire_open(&scene->wire);
	wire_shake(&scene->wire);
	return scene;
}

/* The whole capture has been read: were these facts told, and no others? */
static void
scene_expect(struct scene *scene, const char *want)
{
	shard_finish(scene->shard, 1);
	cr_assert_str_eq(scene->told, want, "%s", scene->told);
	shard_destroy(scene->shard);
	wire_free(&scene->wire);
	free(scene);
}

/* Up to the client's EHLO; the reply to it is a test's own. */
static struct wire *
greet(struct scene *scene)
{
	struct wire *w = &scene->wire;

	s(w, 0, 0, "220 mx ESMTP\r\n");
	c(w, 0, 14, "EHLO a\r\n");
	return w;
}

#define OTHER "other: 250-mx\nother: 250-STARTTLS\nother: 250 DSN\n"

Test(segment_watch, a_forged_copy_and_the_genuine_one_are_both_told)
{
	struct scene *scene = scene_open();
	struct wire *w = greet(scene);

	s(w, 14, 8, GARBLED);
	s(w, 14, 8, EHLO_REPLY);
	c(w, 8, 45, "MAIL FROM:<>\r\n");
	scene_expect(scene, "copies-differ S@26+8 fresh\n" OTHER);
}

Test(segment_watch, a_copy_that_comes_after_the_acknowledgement_is_told)
{
	struct scene *scene = scene_open();
	struct wire *w = greet(scene);

	s(w, 14, 8, GARBLED);
	c(w, 8, 45, "MAIL FROM:<>\r\n");
	s(w, 45, 22, "250 Ok\r\n");
	s(w, 14, 8, EHLO_REPLY);
	scene_expect(scene, "copies-differ S@26+8 acked\n" OTHER);
}

/* The client said QUIT long before the genuine reply is here. */
Test(segment_watch, a_copy_that_comes_after_the_end_is_told)
{
	struct scene *scene = scene_open();
	struct wire *w = greet(scene);

	s(w, 14, 8, GARBLED);
	c(w, 8, 45, "QUIT\r\n");
	wire_send(w, TO_CLIENT, TCP_ACK | TCP_FIN, 45, 14, "221 Bye\r\n");
	wire_send(w, TO_SERVER, TCP_ACK | TCP_FIN, 14, 55, "");
	s(w, 55, 15, "");
	s(w, 14, 8, EHLO_REPLY);
	wire_send(w, TO_SERVER, TCP_RST, 8, 0, "");
	scene_expect(scene, "copies-differ S@26+8 acked\n" OTHER);
}

Test(segment_watch, a_reset_does_not_hide_the_copy_behind_it)
{
	struct scene *scene = scene_open();
	struct wire *w = greet(scene);

	s(w, 14, 8, GARBLED);
	wire_send(w, TO_SERVER, TCP_RST | TCP_ACK, 8, 45, "");
	s(w, 14, 8, EHLO_REPLY);
	scene_expect(scene, "copies-differ S@26+8 acked\n" OTHER);
}

/* Of another length, each goes on by itself. */
Test(segment_watch, a_shorter_copy_ends_where_it_ends)
{
	struct scene *scene = scene_open();
	struct wire *w = greet(scene);

	s(w, 14, 8, EHLO_REPLY);
	c(w, 8, 45, "STARTTLS\r\n");
	s(w, 45, 18, "454 no TLS here, not at all\r\n");
	s(w, 45, 18, "220 go ahead\r\n");
	scene_expect(scene,
	    "copies-differ S@45+14 fresh\nother: 220 go ahead\n");
}

Test(segment_watch, a_longer_copy_is_read_to_its_end)
{
	struct scene *scene = scene_open();
	struct wire *w = greet(scene);

	s(w, 14, 8, "250 mx\r\n");
	s(w, 14, 8, EHLO_REPLY);
	scene_expect(scene, "copies-differ S@17+1 fresh\n" OTHER);
}

Test(segment_watch, a_shifted_copy_is_compared_where_it_lies)
{
	struct scene *scene = scene_open();
	struct wire *w = greet(scene);

	s(w, 14, 8, EHLO_REPLY);
	s(w, 26, 8, "XXXXXXXX\r\n250 DSN\r\n");
	scene_expect(scene,
	    "copies-differ S@26+8 fresh\n"
	    "other: 250-mx\nother: 250-XXXXXXXX\nother: 250 DSN\n");
}

/* One octet at the end of a segment, and the copy is cut otherwise. */
Test(segment_watch, one_octet_is_enough)
{
	struct scene *scene = scene_open();
	struct wire *w = greet(scene);

	s(w, 14, 8, "250-mx\r\n250-START");
	s(w, 31, 8, "TLS\r\n250 DSN\r\n");
	s(w, 14, 8, "250-mx\r\n250-STARTTLX\r\n");
	scene_expect(scene,
	    "copies-differ S@33+1 fresh\n"
	    "other: 250-mx\nother: 250-STARTTLX\nother: 250 DSN\n");
}

Test(segment_watch, the_same_two_versions_again_tell_nothing_new)
{
	struct scene *scene = scene_open();
	struct wire *w = greet(scene);

	for (int i = 0; i < 3; i++) {
		s(w, 14, 8, GARBLED);
		s(w, 14, 8, EHLO_REPLY);
	}
	s(w, 22, 8, "250-XXXXXXXX\r\n");
	s(w, 22, 8, "250-STARTTLS\r\n");
	scene_expect(scene, "copies-differ S@26+8 fresh\n" OTHER);
}

Test(segment_watch, a_third_version_is_told_too)
{
	struct scene *scene = scene_open();
	struct wire *w = greet(scene);

	s(w, 14, 8, EHLO_REPLY);
	s(w, 14, 8, GARBLED);
	s(w, 14, 8, "250-mx\r\n250-YYYYYYYY\r\n250 DSN\r\n");
	scene_expect(scene,
	    "copies-differ S@26+8 fresh\ncopies-differ S@26+8 fresh\n"
	    "other: 250-mx\nother: 250-XXXXXXXX\nother: 250 DSN\n");
}

/* --- ordinary life ------------------------------------------------------- */

Test(segment_watch, retransmissions_however_cut_are_not_odd)
{
	struct scene *scene = scene_open();
	struct wire *w = greet(scene);

	s(w, 0, 0, "220 mx ESMTP\r\n");
	s(w, 14, 8, "250-mx\r\n");
	s(w, 22, 8, "250-STARTTLS\r\n");
	s(w, 14, 8, EHLO_REPLY);
	s(w, 20, 8, "\r\n250-START");
	s(w, 0, 8, "220 mx ESMTP\r\n" EHLO_REPLY);
	scene_expect(scene, "");
}

Test(segment_watch, reordering_is_not_odd)
{
	struct scene *scene = scene_open();
	struct wire *w = greet(scene);

	w->ts_value = 0;
	s(w, 36, 8, "250 DSN\r\n");
	s(w, 22, 8, "250-STARTTLS\r\n");
	s(w, 14, 8, EHLO_REPLY);
	scene_expect(scene, "");
}

/* RFC 9293 3.8.4: its octet may be anything, and is one of the past. */
Test(segment_watch, a_keep_alive_is_not_odd)
{
	struct scene *scene = scene_open();
	struct wire *w = greet(scene);

	s(w, 14, 8, EHLO_REPLY);
	c(w, 8, 45, "");
	wire_segment(w, TO_CLIENT, TCP_ACK, wire_base(w, TO_CLIENT) + 44,
	    wire_base(w, TO_SERVER) + 8, slice_of("", 1));
	scene_expect(scene, "");
}

/* A mirror port shows each packet twice, one behind a router with another
 * TTL; what matters is that nothing differs. */
Test(segment_watch, a_mirrors_duplicates_are_not_odd)
{
	struct scene *scene = scene_open();
	struct wire *w = &scene->wire;

	for (int i = 0; i < 2; i++) {
		w->ttl = (uint8_t)(64 - i);
		s(w, 0, 0, "220 mx ESMTP\r\n");
	}
	for (int i = 0; i < 2; i++) {
		w->ttl = (uint8_t)(64 - i);
		c(w, 0, 14, "EHLO a\r\n");
	}
	for (int i = 0; i < 2; i++) {
		w->ttl = (uint8_t)(64 - i);
		s(w, 14, 8, EHLO_REPLY);
	}
	scene_expect(scene, "");
}

/* --- sums ---------------------------------------------------------------- */

Test(segment_watch, a_copy_with_a_wrong_sum_says_so)
{
	struct scene *scene = scene_open();
	struct wire *w = greet(scene);

	w->bad_sum = true;
	s(w, 14, 8, GARBLED);
	w->bad_sum = false;
	s(w, 14, 8, EHLO_REPLY);
	scene_expect(scene,
	    "wrong-sum S@14\ncopies-differ S@26+8 fresh first-sum\n");
}

Test(segment_watch, where_every_sum_is_wrong_none_is_odd)
{
	struct scene *scene = scene_open();
	struct wire *w = &scene->wire;

	w->bad_sum = true;
	s(w, 0, 0, "220 mx ESMTP\r\n");
	w->bad_sum = false;
	c(w, 0, 14, "EHLO a\r\n");
	w->bad_sum = true;
	s(w, 14, 8, EHLO_REPLY);
	scene_expect(scene, "");
}

/* --- headers ------------------------------------------------------------- */

/* The client's is nobody's business: clients are many. */
Test(segment_watch, the_ttl_of_the_servers_first_octets_is_told_once)
{
	struct scene *scene = scene_open();
	struct wire *w = &scene->wire;

	w->ttl = 57;
	s(w, 0, 0, "220 mx ESMTP\r\n");
	w->ttl = 128;
	c(w, 0, 14, "EHLO a\r\n");
	w->ttl = 57;
	s(w, 14, 8, EHLO_REPLY);
	shard_finish(scene->shard, 1);
	cr_expect_eq(scene->server_ttl_count, 1);
	cr_expect_eq(scene->server_ttls[0], 57);
	scene_expect(scene, "");
}

Test(segment_watch, another_ttl_is_a_step)
{
	struct scene *scene = scene_open();
	struct wire *w = greet(scene);

	w->ttl = 57;
	s(w, 14, 8, EHLO_REPLY);
	scene_expect(scene, "ttl-step S@14\n");
}

/* A counter that is shared with other flows goes on; once it is trusted, a
 * jump is odd. */
Test(segment_watch, an_ip_id_out_of_its_counter_is_a_step)
{
	static const uint16_t ids[] = { 65530, 65534, 3, 200, 40000 };
	struct scene *scene = scene_open();
	struct wire *w = &scene->wire;

	for (uint32_t i = 0; i < 5; i++) {
		w->ip_id = ids[i];
		s(w, 2 * i, 0, "22");
	}
	scene_expect(scene, "ip-id-step S@8\n");
}

Test(segment_watch, random_ip_ids_are_not_odd)
{
	static const uint16_t ids[] = { 5, 60000, 12345, 7, 30000, 31 };
	struct scene *scene = scene_open();
	struct wire *w = &scene->wire;

	for (uint32_t i = 0; i < 6; i++) {
		w->ip_id = ids[i];
		s(w, 2 * i, 0, "22");
	}
	scene_expect(scene, "");
}

Test(segment_watch, a_clock_that_goes_back_or_stops_is_a_step)
{
	static const uint32_t clocks[][2] = { { UINT32_MAX - 5, 9 },
		{ 1000, 900 }, { 1000, 0 } };
	static const char *const told[] = { "", "clock-step S@14\n",
		"clock-step S@14\n" };

	for (int i = 0; i < 3; i++) {
		struct scene *scene = scene_open();
		struct wire *w = &scene->wire;

		w->ts_value = clocks[i][0];
		s(w, 0, 0, "220 mx ESMTP\r\n");
		w->ts_value = clocks[i][1];
		s(w, 14, 0, EHLO_REPLY);
		scene_expect(scene, told[i]);
	}
}

Test(segment_watch, one_packet_before_and_behind_a_router_is_a_sighting)
{
	struct scene *scene = scene_open();
	struct wire *w = greet(scene);

	w->ip_id = 9875;
	w->ttl = 64;
	s(w, 14, 8, EHLO_REPLY);
	w->ttl = 63;
	s(w, 14, 8, GARBLED);
	scene_expect(scene,
	    "copies-differ S@26+8 fresh sightings\n"
	    "other: 250-mx\nother: 250-XXXXXXXX\nother: 250 DSN\n");
}

/* IPv6 numbers no packets: another of the direction must have come so. */
Test(segment_watch, without_numbers_a_sighting_needs_one_before_it)
{
	for (int twice = 0; twice < 2; twice++) {
		struct scene *scene = scene_open();
		struct wire *w = &scene->wire;

		for (int i = 0; i <= twice; i++) {
			w->ttl = (uint8_t)(64 - i);
			s(w, 0, 0, "220 mx ESMTP\r\n");
		}
		c(w, 0, 14, "EHLO a\r\n");
		w->ttl = 64;
		s(w, 14, 8, EHLO_REPLY);
		w->ttl = 63;
		s(w, 14, 8, GARBLED);
		scene_expect(scene,
		    twice ?
			"copies-differ S@26+8 fresh sightings\n"
			"other: 250-mx\nother: 250-XXXXXXXX\nother: 250 DSN\n" :
			"copies-differ S@26+8 fresh\n"
			"other: 250-mx\nother: 250-XXXXXXXX\nother: 250 DSN\n");
	}
}

Test(segment_watch, resets_and_ends_that_do_not_fit_are_told)
{
	struct scene *scene = scene_open();
	struct wire *w = greet(scene);

	c(w, 8, 14, "");
	wire_send(w, TO_CLIENT, TCP_RST, 3, 0, "");
	wire_send(w, TO_CLIENT, TCP_ACK | TCP_FIN, 14, 8, "");
	s(w, 14, 8, EHLO_REPLY);
	scene_expect(scene, "rst-out-of-place S@3\ndata-behind-fin S@14\n");
}

/* At its place it ends the session, and yet its sender goes on; what comes
 * late, or twice, from before it is no such thing, also where the RST stands at
 * what was acknowledged last: one to a closed port does (RFC 9293 3.5.2). */
Test(segment_watch, who_goes_on_behind_a_reset_did_not_send_it)
{
	for (int late = 0; late < 2; late++) {
		struct scene *scene = scene_open();
		struct wire *w = greet(scene);

		c(w, 8, 14, "");
		if (late)
			s(w, 14, 8, "221 bye\r\n");
		wire_send(w, TO_CLIENT, TCP_RST, 14, 0, "");
		if (late)
			s(w, 14, 8, "221 bye\r\n");
		else
			s(w, 14, 8, EHLO_REPLY);
		scene_expect(scene, late ? "" : "data-behind-rst S@14\n");
	}
}

/* --- bounds -------------------------------------------------------------- */

/* A negotiation that is longer than the tape goes on, uncompared. */
Test(segment_watch, a_full_tape_stops_comparing_and_is_counted)
{
	enum { LINES = 3000 };
	struct scene *scene = scene_open();
	struct wire *w = greet(scene);

	for (uint32_t i = 0; i < LINES; i++)
		s(w, 14 + 10 * i, 8, "250-X-ABC\n");
	s(w, 14 + 10 * (LINES - 1), 8, "250-Y-ABC\n");
	s(w, 14, 8, "250-Y-ABC\n");
	cr_assert_eq(shard_counters(scene->shard)->of[COUNTER_WATCH_OVER_LIMIT],
	    1);
	scene_expect(scene, "copies-differ S@18+1 fresh\n");
}

/* All are counted, sixteen are told: who sends more wants to fill the log. */
Test(segment_watch, a_flood_of_copies_is_counted)
{
	struct scene *scene = scene_open();
	struct wire *w = greet(scene);
	unsigned told = 0;
	char copy[] = "250-mx\r\n250-AAAAAAAA\r\n250 DSN\r\n";

	s(w, 14, 8, EHLO_REPLY);
	for (int i = 0; i < 26; i++) {
		memset(copy + 12, 'A' + i, 8);
		s(w, 14, 8, copy);
	}
	cr_assert_eq(shard_counters(scene->shard)->of[COUNTER_OVERLAP_DIFFERS],
	    26);
	shard_finish(scene->shard, 1);
	for (const char *at = scene->told;
	     (at = strstr(at, "copies-differ")) != NULL; at++)
		told++;
	cr_assert_eq(told, 16);
	shard_destroy(scene->shard);
	wire_free(&scene->wire);
	free(scene);
}

/* Two gigabytes ahead is as far as a sequence number can be: what is there is
 * no copy of what is here. */
Test(segment_watch, segments_half_the_sequence_space_apart_have_nothing_common)
{
	struct scene *scene = scene_open();
	struct wire *w = greet(scene);

	s(w, (UINT64_C(1) << 31) + 9, 8, "a");
	s(w, (UINT64_C(1) << 31) - 1, 8, "aaaaaaaaaaaaaaaaaaaa");
	scene_expect(scene, "");
}
