#include "fixture.h"

TestSuite(capture, .init = fixture_make, .fini = fixture_remove);

static void
put_all(struct store *s, const struct capture_row *row)
{
	struct profile profile = sample_profile();
	struct attempt attempt = sample_attempt();
	uint8_t facts[FACTS_ROOM];
	struct sighting sighting =
	    sample_sighting(1, row->hash, sample_facts(facts, "250-XXXXXXXA"));

	cr_assert_eq(store_capture_begin(s, row), 0);
	cr_assert_eq(store_capture_counts(s, &row->counters, &row->tally), 0);
	cr_assert_eq(store_add_profile(s, &profile), 0);
	cr_assert_eq(store_add_attempt(s, &attempt), 0);
	cr_assert_eq(store_add_sighting(s, &sighting), 0);
	cr_assert_eq(store_add_clear_enforce(s, &profile.client, "example.org",
			 INT64_C(86400000000000), 7),
	    0);
	cr_assert_eq(store_capture_commit(s), 0);
}

struct seen {
	struct capture_row captures[4];
	struct profile profiles[4];
	struct clear_enforce_row clear[4];
	size_t count;
};

static int
on_capture(void *context, const struct capture_row *row)
{
	struct seen *seen = context;

	seen->captures[seen->count++] = *row;
	return 0;
}

static int
on_profile(void *context, const struct profile *profile)
{
	struct seen *seen = context;

	seen->profiles[seen->count++] = *profile;
	return 0;
}

static int
on_clear(void *context, const struct clear_enforce_row *row)
{
	struct seen *seen = context;

	seen->clear[seen->count++] = *row;
	return 0;
}

Test(capture, reading_back_gives_what_was_written)
{
	struct store *s = open_store(STORE_WRITE);
	struct capture_row row = sample_capture("aa");
	struct seen seen = { .count = 0 };

	put_all(s, &row);
	cr_assert_eq(store_each_capture(s, on_capture, &seen), 0);
	cr_assert_eq(seen.count, 1);
	cr_expect_str_eq(seen.captures[0].hash, row.hash);
	cr_expect_str_eq(seen.captures[0].path, row.path);
	cr_expect_str_eq(seen.captures[0].format, row.format);
	cr_expect_str_eq(seen.captures[0].link_types, row.link_types);
	cr_expect_str_eq(seen.captures[0].vantage, row.vantage);
	cr_expect_str_eq(seen.captures[0].fault, row.fault);
	cr_expect_eq(seen.captures[0].bytes, row.bytes);
	cr_expect_eq(seen.captures[0].packets, row.packets);
	cr_expect_eq(seen.captures[0].first_ns, row.first_ns);
	cr_expect_eq(seen.captures[0].last_ns, row.last_ns);
	cr_expect_eq(memcmp(&seen.captures[0].counters, &row.counters,
			 sizeof(row.counters)),
	    0);
	cr_expect_eq(memcmp(&seen.captures[0].tally, &row.tally,
			 sizeof(row.tally)),
	    0);
	store_close(s);
}

Test(capture, the_same_capture_twice_adds_nothing)
{
	struct store *s = open_store(STORE_WRITE);
	struct capture_row row = sample_capture("aa");
	char *once, *twice;

	put_all(s, &row);
	store_close(s);
	once = dump();
	s = open_store(STORE_WRITE);
	cr_expect(store_capture_known(s, "aa"));
	put_all(s, &row);
	store_close(s);
	twice = dump();
	cr_expect_str_eq(once, twice);
	free(once);
	free(twice);
}

Test(capture, what_it_had_before_is_replaced)
{
	struct store *s = open_store(STORE_WRITE);
	struct capture_row row = sample_capture("aa"), other;

	other = sample_capture("bb");
	put_all(s, &row);
	put_all(s, &other);
	snprintf(row.path, sizeof(row.path), "moved.pcap");
	row.fault[0] = '\0';
	cr_assert_eq(store_capture_begin(s, &row), 0);
	cr_assert_eq(store_capture_commit(s), 0);
	store_close(s);
	cr_expect_eq(raw_count("SELECT count(*) FROM capture"), 2);
	cr_expect_eq(raw_count("SELECT count(*) FROM capture"
			       " WHERE path = 'moved.pcap' AND fault IS NULL"),
	    1);
	for (int i = 0; i < 5; i++) {
		static const char *const tables[] = { "capture_count",
			"profile", "attempt", "sighting", "clear_enforce" };
		char sql[128];

		snprintf(sql, sizeof(sql),
		    "SELECT count(*) FROM %s WHERE capture = 'aa'", tables[i]);
		cr_expect_eq(raw_count(sql), 0, "%s", sql);
		snprintf(sql, sizeof(sql),
		    "SELECT count(*) > 0 FROM %s WHERE capture = 'bb'",
		    tables[i]);
		cr_expect_eq(raw_count(sql), 1, "%s", sql);
	}
	/* Recipients and replies hang on sightings. */
	cr_expect_eq(raw_count("SELECT count(*) FROM recipient"), 2);
	cr_expect_eq(raw_count("SELECT count(*) FROM reply"), 1);
}

Test(capture, aborting_brings_back_what_was_there)
{
	struct store *s = open_store(STORE_WRITE);
	struct capture_row row = sample_capture("aa");
	char *before, *after;

	put_all(s, &row);
	store_close(s);
	before = dump();
	s = open_store(STORE_WRITE);
	snprintf(row.path, sizeof(row.path), "moved.pcap");
	cr_assert_eq(store_capture_begin(s, &row), 0);
	store_capture_abort(s);
	cr_expect(store_capture_known(s, "aa"));
	store_close(s);
	after = dump();
	cr_expect_str_eq(before, after);
	free(before);
	free(after);
}

/* As a program that is killed. */
Test(capture, an_interrupted_read_leaves_what_was_there)
{
	struct store *s = open_store(STORE_WRITE);
	struct capture_row row = sample_capture("aa");
	char *before, *after;

	put_all(s, &row);
	store_close(s);
	before = dump();
	s = open_store(STORE_WRITE);
	snprintf(row.path, sizeof(row.path), "moved.pcap");
	cr_assert_eq(store_capture_begin(s, &row), 0);
	cr_assert_eq(store_capture_counts(s, &row.counters, &row.tally), 0);
	store_close(s);
	after = dump();
	cr_expect_str_eq(before, after);
	free(before);
	free(after);
}

Test(capture, captures_come_by_their_first_packet_then_hash)
{
	struct store *s = open_store(STORE_WRITE);
	static const char *const hashes[] = { "cc", "aa", "bb" };
	struct seen seen = { .count = 0 };

	for (int i = 0; i < 3; i++) {
		struct capture_row row = sample_capture(hashes[i]);

		row.first_ns = i == 0 ? -5 : 1000;
		put_all(s, &row);
	}
	cr_assert_eq(store_each_capture(s, on_capture, &seen), 0);
	cr_assert_eq(seen.count, 3);
	cr_expect_str_eq(seen.captures[0].hash, "cc");
	cr_expect_str_eq(seen.captures[1].hash, "aa");
	cr_expect_str_eq(seen.captures[2].hash, "bb");
	store_close(s);
}

Test(capture, a_server_of_another_domain_or_farther_away_is_another_profile)
{
	struct store *s = open_store(STORE_WRITE);
	struct capture_row capture = sample_capture("aa");
	struct profile p = sample_profile();
	struct seen seen = { .count = 0 };

	cr_assert_eq(store_capture_begin(s, &capture), 0);
	cr_assert_eq(store_merge_profile(s, &p), 0);
	cr_assert_eq(store_merge_profile(s, &p), 0);
	p.home_hash++;
	cr_assert_eq(store_merge_profile(s, &p), 0);
	p.server_ttl--;
	cr_assert_eq(store_merge_profile(s, &p), 0);
	cr_assert_eq(store_capture_commit(s), 0);
	cr_assert_eq(store_each_profile(s, &p.server, on_profile, &seen), 0);
	cr_expect_eq(seen.count, 3);
	store_close(s);
}

Test(capture, profiles_of_captures_are_summed)
{
	struct store *s = open_store(STORE_WRITE);
	struct capture_row one = sample_capture("aa");
	struct capture_row two = sample_capture("bb");
	struct profile p = sample_profile(), other = sample_profile();
	struct seen seen = { .count = 0 };

	put_all(s, &one);
	cr_assert_eq(store_capture_begin(s, &two), 0);
	p.first_ns = 500;
	p.last_ns = 1500;
	cr_assert_eq(store_add_profile(s, &p), 0);
	other.offered = false;
	other.verb = VERB_HELO;
	cr_assert_eq(store_add_profile(s, &other), 0);
	other.server.port = 587;
	cr_assert_eq(store_add_profile(s, &other), 0);
	cr_assert_eq(store_capture_commit(s), 0);
	cr_assert_eq(store_each_profile(s, &p.server, on_profile, &seen), 0);
	store_close(s);
	cr_assert_eq(seen.count, 2);
	p = sample_profile();
	p.first_ns = 500;
	p.sessions = 6;
	cr_expect_eq(memcmp(&seen.profiles[0], &p, sizeof(p)), 0);
	cr_expect_eq(seen.profiles[1].verb, VERB_HELO);
	cr_expect_not(seen.profiles[1].offered);
	cr_expect_eq(seen.profiles[1].sessions, 3);
}

Test(capture, clear_text_against_a_policy_is_summed_by_peer_and_day)
{
	struct store *s = open_store(STORE_WRITE);
	struct capture_row one = sample_capture("aa");
	struct capture_row two = sample_capture("bb");
	struct seen seen = { .count = 0 };
	struct seen alone = { .count = 0 };
	struct address client = sample_profile().client;

	put_all(s, &one);
	put_all(s, &two);
	cr_assert_eq(store_each_clear_enforce(s, NULL, on_clear, &seen), 0);
	cr_assert_eq(store_each_clear_enforce(s, "bb", on_clear, &alone), 0);
	store_close(s);
	cr_assert_eq(alone.count, 1);
	cr_expect_eq(alone.clear[0].sessions, 7);
	cr_assert_eq(seen.count, 1);
	cr_expect_eq(address_compare(&seen.clear[0].client, &client), 0);
	cr_expect_str_eq(seen.clear[0].domain, "example.org");
	cr_expect_eq(seen.clear[0].day_start_ns, INT64_C(86400000000000));
	cr_expect_eq(seen.clear[0].sessions, 14);
}

static int
stop_at_once(void *context, const struct capture_row *row)
{
	(void)row;
	++*(int *)context;
	return 7;
}

Test(capture, a_callback_can_stop)
{
	struct store *s = open_store(STORE_WRITE);
	struct capture_row one = sample_capture("aa");
	struct capture_row two = sample_capture("bb");
	int calls = 0;

	put_all(s, &one);
	put_all(s, &two);
	cr_expect_eq(store_each_capture(s, stop_at_once, &calls), 7);
	cr_expect_eq(calls, 1);
	store_close(s);
}

static int
on_asker(void *context, const struct policy_asker_row *row)
{
	struct policy_asker_row *last = context;

	*last = *row;
	return 0;
}

/* What is still growing is written again, and later. */
Test(capture, who_asks_for_a_policy_is_kept_once_with_the_last_time)
{
	struct store *s = open_store(STORE_WRITE);
	struct capture_row row = sample_capture("aa");
	struct policy_asker_row seen = { .last_ns = 0 };
	struct address client;

	cr_assert(address_parse("192.0.2.10", &client));
	put_all(s, &row);
	for (int64_t at_ns = 5; at_ns <= 9; at_ns += 4) {
		cr_assert_eq(store_capture_begin(s, &row), 0);
		cr_assert_eq(store_add_policy_asker(s, &client, "example.org",
				 at_ns),
		    0);
		cr_assert_eq(store_add_policy_asker(s, &client, "example.org",
				 at_ns - 2),
		    0);
		cr_assert_eq(store_capture_commit(s), 0);
		cr_assert_eq(store_each_policy_asker(s, row.hash, on_asker,
				 &seen),
		    0);
		cr_expect_eq(seen.last_ns, at_ns);
	}
	cr_expect_str_eq(seen.domain, "example.org");
	store_close(s);
}
