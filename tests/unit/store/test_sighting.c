#include "fixture.h"

TestSuite(sighting, .init = fixture_make, .fini = fixture_remove);

static struct store *
begin(const char *hash)
{
	struct store *s = open_store(STORE_WRITE);
	struct capture_row row = sample_capture(hash);

	cr_assert_eq(store_capture_begin(s, &row), 0);
	return s;
}

struct seen {
	struct sighting list[8];
	uint8_t facts[8][FACTS_ROOM];
	size_t count;
};

static int
on_sighting(void *context, const struct sighting *sighting)
{
	struct seen *seen = context;
	struct sighting *kept = &seen->list[seen->count];

	*kept = *sighting;
	memcpy(seen->facts[seen->count], sighting->facts.ptr,
	    sighting->facts.len);
	kept->facts.ptr = seen->facts[seen->count++];
	return 0;
}

static struct seen seen;

static size_t
each(struct store *s, struct sighting_filter filter)
{
	seen.count = 0;
	cr_assert_eq(store_each_sighting(s, &filter, on_sighting, &seen), 0);
	return seen.count;
}

Test(sighting, reading_back_gives_what_was_written)
{
	struct store *s = begin("aa");
	uint8_t facts[FACTS_ROOM];
	struct sighting in =
	    sample_sighting(1, "aa", sample_facts(facts, "250-XXX\xff\n\\XXX"));
	struct sighting *out = &seen.list[0];

	in.capture_count = 4;
	for (int i = 1; i < 4; i++)
		snprintf(in.captures[i], sizeof(in.captures[i]), "%032x", i);
	cr_assert_eq(store_add_sighting(s, &in), 0);
	cr_assert_eq(store_capture_commit(s), 0);
	cr_assert_eq(each(s, (struct sighting_filter){ 0 }), 1);
	cr_expect_eq(memcmp(out->session, in.session, 16), 0);
	cr_expect(endpoint_equal(&out->flow.client, &in.flow.client));
	cr_expect(endpoint_equal(&out->flow.server, &in.flow.server));
	cr_expect_eq(out->flow.client_isn, in.flow.client_isn);
	cr_expect_eq(out->flow.server_isn, in.flow.server_isn);
	cr_expect(out->flow.has_client_isn && out->flow.has_server_isn &&
	    out->flow.on_mail_port);
	cr_expect_eq(out->capture_count, 4);
	for (int i = 0; i < 4; i++)
		cr_expect_str_eq(out->captures[i], in.captures[i]);
	cr_expect_eq(out->first_frame, in.first_frame);
	cr_expect_eq(out->first_ns, in.first_ns);
	cr_expect_eq(out->deciding_ns, in.deciding_ns);
	cr_expect(slice_equal(out->facts, in.facts), "facts differ");
	store_close(s);
}

/* Most of what is kept of a session is its EHLO reply, and thousands of
 * sessions have the same. */
Test(sighting, equal_ehlo_replies_are_kept_once)
{
	struct store *s = begin("aa");
	uint8_t facts[FACTS_ROOM];

	for (uint8_t i = 1; i <= 6; i++) {
		struct sighting in = sample_sighting(i, "aa",
		    sample_facts(facts, i < 6 ? "250-XXXXXXXA" : "250-X"));

		cr_assert_eq(store_add_sighting(s, &in), 0);
	}
	cr_assert_eq(store_capture_commit(s), 0);
	cr_assert_eq(each(s, (struct sighting_filter){ 0 }), 6);
	cr_expect(
	    slice_equal(seen.list[5].facts, sample_facts(facts, "250-X")));
	cr_expect(slice_equal(seen.list[0].facts,
	    sample_facts(facts, "250-XXXXXXXA")));
	store_close(s);
	cr_expect_eq(raw_count("SELECT count(*) FROM reply"), 2);
	cr_expect_eq(raw_count("SELECT count(*) FROM sighting"
			       " WHERE instr(facts, '8BITMIME')"),
	    0);
}

/* The same octets in other lines are another reply. */
Test(sighting, where_the_lines_of_a_reply_end_is_kept)
{
	struct store *s = begin("aa");
	uint8_t facts[FACTS_ROOM];
	struct sighting in;
	size_t n = 1;

	facts[0] = FACT_FORMAT_VERSION;
	n += put_fact(facts + n, FACT_EHLO_REPLY, 1, "250-ab");
	n += put_fact(facts + n, FACT_EHLO_REPLY, 2, "250 c");
	in = sample_sighting(1, "aa", slice_of(facts, n));
	cr_assert_eq(store_add_sighting(s, &in), 0);
	n = 1 + put_fact(facts + 1, FACT_EHLO_REPLY, 1, "250-a");
	n += put_fact(facts + n, FACT_EHLO_REPLY, 2, "b250 c");
	in = sample_sighting(2, "aa", slice_of(facts, n));
	cr_assert_eq(store_add_sighting(s, &in), 0);
	cr_assert_eq(store_capture_commit(s), 0);
	cr_assert_eq(each(s, (struct sighting_filter){ 0 }), 2);
	cr_expect(slice_equal(seen.list[1].facts, in.facts));
	store_close(s);
}

Test(sighting, filters_find_it_by_server_domain_capture_and_session)
{
	struct store *s = begin("aa");
	struct capture_row other = sample_capture("bb");
	uint8_t facts[FACTS_ROOM], session[16];
	struct sighting in =
	    sample_sighting(1, "aa", sample_facts(facts, "250-XXXXXXXA"));
	struct endpoint nobody = endpoint("2001:db8::25", 25);

	cr_assert_eq(store_add_sighting(s, &in), 0);
	cr_assert_eq(store_capture_commit(s), 0);
	cr_assert_eq(store_capture_begin(s, &other), 0);
	in = sample_sighting(2, "bb", in.facts);
	in.flow.server = endpoint("192.0.2.1", 25);
	in.domain_count = 1;
	in.domains[0] = "example.net";
	cr_assert_eq(store_add_sighting(s, &in), 0);
	cr_assert_eq(store_capture_commit(s), 0);

#define EACH(...) each(s, (struct sighting_filter){ __VA_ARGS__ })
	cr_expect_eq(EACH(.server = &in.flow.server), 1);
	cr_expect_eq(seen.list[0].session[0], 2);
	cr_expect_eq(EACH(.server = &nobody), 0);
	cr_expect_eq(EACH(.domain = "example.org"), 1);
	cr_expect_eq(seen.list[0].session[0], 1);
	cr_expect_eq(EACH(.domain = "example.net"), 2);
	cr_expect_eq(EACH(.domain = "example"), 0);
	cr_expect_eq(EACH(.capture = "bb"), 1);
	cr_expect_eq(seen.list[0].session[0], 2);
	memset(session, 1, sizeof(session));
	cr_expect_eq(EACH(.session = session), 1);
	cr_expect_eq(seen.list[0].session[0], 1);
	store_close(s);
}

Test(sighting, they_come_by_session_then_deciding_time_then_capture)
{
	static const struct {
		uint8_t session;
		const char *capture;
		int64_t deciding_ns;
	} rows[] = { { 2, "aa", 9 }, { 1, "bb", 9 }, { 1, "cc", 8 },
		{ 1, "aa", 9 } };
	static const int order[] = { 2, 3, 1, 0 };
	struct store *s = open_store(STORE_WRITE);
	uint8_t facts[FACTS_ROOM];

	for (int i = 0; i < 3; i++) {
		struct capture_row row = sample_capture(i == 0 ? "aa" :
			i == 1				       ? "bb" :
								 "cc");

		cr_assert_eq(store_capture_begin(s, &row), 0);
		for (int j = 0; j < 4; j++) {
			struct sighting in = sample_sighting(rows[j].session,
			    row.hash, sample_facts(facts, "250-X"));

			in.deciding_ns = rows[j].deciding_ns;
			if (strcmp(rows[j].capture, row.hash) == 0)
				cr_assert_eq(store_add_sighting(s, &in), 0);
		}
		cr_assert_eq(store_capture_commit(s), 0);
	}
	cr_assert_eq(each(s, (struct sighting_filter){ 0 }), 4);
	for (int i = 0; i < 4; i++) {
		cr_expect_eq(seen.list[i].session[0], rows[order[i]].session,
		    "%d", i);
		cr_expect_str_eq(seen.list[i].captures[0],
		    rows[order[i]].capture, "%d", i);
	}
	store_close(s);
}

/* design 4.6: by the hash of their identity, whatever came first. */
Test(sighting, the_lowest_identities_are_shed_with_their_replies)
{
	struct store *s = begin("aa");
	uint8_t facts[FACTS_ROOM];
	uint64_t shed = 99, count = 99;
	char text[16];

	for (uint8_t i = 5; i > 0; i--) {
		struct sighting in;

		snprintf(text, sizeof(text), "250-X%u", i);
		in = sample_sighting(i, "aa", sample_facts(facts, text));
		cr_assert_eq(store_add_sighting(s, &in), 0);
	}
	cr_assert_eq(store_capture_commit(s), 0);
	cr_expect_eq(store_shed_sightings(s, 5, &shed), 0);
	cr_expect_eq(shed, 0);
	cr_expect_eq(store_shed_sightings(s, 2, &shed), 0);
	cr_expect_eq(shed, 3);
	cr_expect_eq(store_count_sightings(s, &count), 0);
	cr_expect_eq(count, 2);
	cr_assert_eq(each(s, (struct sighting_filter){ 0 }), 2);
	cr_expect_eq(seen.list[0].session[0], 4);
	cr_expect_eq(seen.list[1].session[0], 5);
	store_close(s);
	cr_expect_eq(raw_count("SELECT count(*) FROM recipient"), 4);
	cr_expect_eq(raw_count("SELECT count(*) FROM reply"), 2);
}

Test(sighting, what_led_to_an_incident_is_shed_last)
{
	struct store *s = begin("aa");
	uint8_t facts[FACTS_ROOM];
	uint64_t shed = 0;

	for (uint8_t i = 1; i <= 5; i++) {
		struct sighting in =
		    sample_sighting(i, "aa", sample_facts(facts, "250-X"));

		cr_assert_eq(store_add_sighting(s, &in), 0);
	}
	cr_assert_eq(store_capture_commit(s), 0);
	raw("INSERT INTO incident SELECT 'x' || hex(session), session, 0, 1, 1"
	    " FROM sighting WHERE substr(hex(session), 1, 2) IN ('01', '03')");
	cr_expect_eq(store_shed_sightings(s, 3, &shed), 0);
	cr_assert_eq(each(s, (struct sighting_filter){ 0 }), 3);
	cr_expect_eq(seen.list[0].session[0], 1);
	cr_expect_eq(seen.list[1].session[0], 3);
	cr_expect_eq(seen.list[2].session[0], 5);
	cr_expect_eq(store_shed_sightings(s, 1, &shed), 0);
	cr_assert_eq(each(s, (struct sighting_filter){ 0 }), 1);
	cr_expect_eq(seen.list[0].session[0], 3);
	store_close(s);
}

/* What is stored is hostile when somebody else wrote it: damaged rows may be
 * short of facts, never crash. */
Test(sighting, a_damaged_row_is_read_without_harm)
{
	static const char *const damages[] = {
		"UPDATE sighting SET facts = x''",
		"UPDATE sighting SET facts = substr(facts, 1, 40)",
		"UPDATE sighting SET facts = substr(facts, 1, 300)",
		"UPDATE sighting SET facts = randomblob(500)",
		"UPDATE sighting SET session = x'00'",
		"UPDATE sighting SET identity = x'00'",
		"UPDATE sighting SET client = 'nowhere'",
		"UPDATE reply SET facts = x''",
		"UPDATE reply SET facts = substr(facts, 1, 5)",
		"DELETE FROM reply",
		"UPDATE sighting SET further_captures = 'a b c d e f g h'",
		"UPDATE sighting SET further_captures = hex(zeroblob(500))",
	};

	for (size_t i = 0; i < sizeof(damages) / sizeof(*damages); i++) {
		struct store *s = begin("aa");
		uint8_t facts[FACTS_ROOM];
		struct sighting in = sample_sighting(1, "aa",
		    sample_facts(facts, "250-XXXXXXXA"));

		cr_assert_eq(store_add_sighting(s, &in), 0);
		cr_assert_eq(store_capture_commit(s), 0);
		store_close(s);
		raw(damages[i]);
		s = open_store(STORE_READ);
		cr_expect_leq(each(s, (struct sighting_filter){ 0 }), 1);
		store_close(s);
		unlink(path);
	}
}
