#include "fixture.h"

TestSuite(incident, .init = fixture_make, .fini = fixture_remove);

static struct incident in, out;

struct seen {
	char ids[16][INCIDENT_ID_BYTES];
	unsigned revisions[16];
	size_t count;
};

static int
on_incident(void *context, const struct incident *incident)
{
	struct seen *seen = context;

	memcpy(seen->ids[seen->count], incident->id, INCIDENT_ID_BYTES);
	seen->revisions[seen->count++] = incident->revision;
	out = *incident;
	return 0;
}

static bool
put(struct store *s, struct incident *incident)
{
	bool written = false;

	cr_assert_eq(store_put_incident(s, incident, &written), 0, "%s",
	    store_error(s));
	return written;
}

static size_t
each(struct store *s, struct incident_filter filter)
{
	struct seen seen = { .count = 0 };

	cr_assert_eq(store_each_incident(s, &filter, on_incident, &seen), 0);
	return seen.count;
}

/* Octet by octet: a field that is added later and not stored is found, if
 * sample_incident() gives it a value. */
Test(incident, reading_back_gives_what_was_written)
{
	struct store *s = open_store(STORE_WRITE);
	const uint8_t *a = (const uint8_t *)&in, *b = (const uint8_t *)&out;

	sample_incident(&in, "0a");
	cr_expect(put(s, &in));
	cr_expect_eq(in.revision, 1);
	cr_assert_eq(each(s, (struct incident_filter){ 0 }), 1);
	for (size_t i = 0; i < sizeof(in); i++)
		cr_assert_eq(a[i], b[i], "octet %zu of struct incident", i);
	store_close(s);
}

Test(incident, an_empty_one_is_read_back_too)
{
	struct store *s = open_store(STORE_WRITE);

	memset(&in, 0, sizeof(in));
	strcpy(in.id, "0b");
	in.client = in.server = endpoint("0.0.0.0", 0);
	in.certainty = CERTAINTY_POSSIBLE;
	cr_expect(put(s, &in));
	cr_assert_eq(each(s, (struct incident_filter){ 0 }), 1);
	cr_expect_eq(memcmp(&in, &out, sizeof(in)), 0);
	store_close(s);
}

Test(incident, the_longest_texts_fit)
{
	struct store *s = open_store(STORE_WRITE);

	sample_incident(&in, "0c");
#define FILL(field) memset(in.field, 'x', sizeof(in.field) - 1)
	FILL(observed);
	FILL(benign);
	FILL(next_step);
	FILL(resembles);
	FILL(helo);
	FILL(server_name);
	FILL(product);
	FILL(queue_id);
	FILL(mail_from);
	FILL(capture_path);
	FILL(seen);
	FILL(expected);
	FILL(provenance);
	in.domain_count = INCIDENT_DOMAINS_MAX;
	for (unsigned i = 0; i < INCIDENT_DOMAINS_MAX; i++)
		FILL(rcpt_domains[i]);
	in.rcpt_count = INCIDENT_RCPTS_MAX;
	for (unsigned i = 0; i < INCIDENT_RCPTS_MAX; i++)
		FILL(rcpt_to[i]);
	in.policy_count = INCIDENT_POLICIES_MAX;
	for (unsigned i = 0; i < INCIDENT_POLICIES_MAX; i++)
		in.policies[i] = in.policies[0];
	in.evidence_count = INCIDENT_EVIDENCE_MAX;
	for (unsigned i = 0; i < INCIDENT_EVIDENCE_MAX; i++)
		FILL(evidence[i].detail);
	in.session_count = INCIDENT_SESSIONS_MAX;
	for (unsigned i = 1; i < INCIDENT_SESSIONS_MAX; i++) {
		in.sessions[i] = in.sessions[2];
		in.sessions[i].session[0] = (uint8_t)i;
	}
	cr_expect(put(s, &in));
	cr_assert_eq(each(s, (struct incident_filter){ 0 }), 1);
	cr_expect_eq(memcmp(&in, &out, sizeof(in)), 0);
	store_close(s);
}

/* --- revisions ----------------------------------------------------------- */

Test(incident, the_same_verdict_again_is_not_written)
{
	struct store *s = open_store(STORE_WRITE);
	char *once, *twice;

	sample_incident(&in, "0a");
	cr_expect(put(s, &in));
	once = dump();
	cr_expect_not(put(s, &in));
	cr_expect_eq(in.revision, 1);
	/* Neither what it stood on nor where the file lies is the verdict. */
	strcpy(in.provenance, "striplight 99");
	strcpy(in.capture_path, "moved/case.pcapng");
	cr_expect_not(put(s, &in));
	twice = dump();
	cr_expect_str_eq(once, twice);
	free(once);
	free(twice);
	store_close(s);
}

#define ANY(field)                                       \
	{                                                \
#field, offsetof(struct incident, field) \
	}
static const struct {
	const char *name;
	size_t offset;
} verdict[] = { ANY(state), ANY(kind), ANY(also), ANY(retrospect),
	ANY(observed), ANY(benign), ANY(next_step), ANY(resembles),
	ANY(resembles_samples), ANY(unseen), ANY(support), ANY(prior),
	ANY(confidence), ANY(certainty), ANY(cause), ANY(side), ANY(outcome),
	ANY(client.address.octets), ANY(client.port),
	ANY(server.address.octets), ANY(server.port), ANY(helo),
	ANY(server_name), ANY(product), ANY(queue_id), ANY(mail_from),
	ANY(rcpt_to[1]), ANY(capture_hash), ANY(frame), ANY(capture_ts_ns),
	ANY(stream_offset), ANY(seen), ANY(expected), ANY(seen_line),
	ANY(ehlo_frame), ANY(rcpt_domains[1]), ANY(domains_unlisted),
	ANY(policies[1].domain), ANY(policies[0].mode),
	ANY(policies[1].assumed), ANY(policies[1].result),
	ANY(policies[0].basis), ANY(evidence[0].code), ANY(evidence[0].weight),
	ANY(evidence[1].frame), ANY(evidence[1].detail),
	ANY(sessions[1].session), ANY(sessions[2].role),
	ANY(sessions[2].client.port), ANY(sessions[1].first_ns) };

Test(incident, any_other_verdict_is_a_new_revision)
{
	struct store *s = open_store(STORE_WRITE);
	unsigned n = 1;

	sample_incident(&in, "0a");
	cr_expect(put(s, &in));
	for (size_t i = 0; i < sizeof(verdict) / sizeof(*verdict); i++) {
		/* The lowest bit: words, numbers, flags and enums stay what
		 * they are, but for one. */
		((uint8_t *)&in)[verdict[i].offset] ^= 1;
		cr_expect(put(s, &in), "%s", verdict[i].name);
		cr_expect_eq(in.revision, ++n, "%s", verdict[i].name);
		n = in.revision;
	}
	in.policy_count = in.evidence_count = in.session_count = 0;
	in.domain_count = 0;
	cr_expect(put(s, &in));
	cr_assert_eq(each(s, (struct incident_filter){ 0 }), 1);
	cr_expect_eq(out.revision, ++n);
	store_close(s);
	cr_expect_eq(raw_count("SELECT count(*) FROM revision"), n);
}

Test(incident, revisions_are_only_ever_added)
{
	struct store *s = open_store(STORE_WRITE);
	struct seen seen = { .count = 0 };
	char *before, *after;

	sample_incident(&in, "0a");
	put(s, &in);
	before = dump();
	in.confidence = 0.5;
	put(s, &in);
	in.state = STATE_WITHDRAWN;
	put(s, &in);
	after = dump();
	cr_assert_eq(store_each_revision(s, "0a", on_incident, &seen), 0);
	store_close(s);
	cr_assert_eq(seen.count, 3);
	for (unsigned i = 0; i < 3; i++)
		cr_expect_eq(seen.revisions[i], i + 1);
	cr_expect_eq(out.state, STATE_WITHDRAWN);
	/* Every line but that of `incident`, which points to the latest. */
	for (char *save = NULL, *line = strtok_r(before, "\n", &save);
	     line != NULL; line = strtok_r(NULL, "\n", &save))
		cr_expect(strncmp(line, "incident|", 9) == 0 ||
			strstr(after, line) != NULL,
		    "%s", line);
	free(before);
	free(after);
}

Test(incident, a_withdrawn_one_that_is_not_there_is_not_written)
{
	struct store *s = open_store(STORE_WRITE);

	sample_incident(&in, "0a");
	in.state = STATE_WITHDRAWN;
	cr_expect_not(put(s, &in));
	store_close(s);
	cr_expect_eq(raw_count("SELECT count(*) FROM incident"), 0);
}

Test(incident, rolling_back_takes_all_of_it_away)
{
	struct store *s = open_store(STORE_WRITE);
	char *before = dump(), *after;

	sample_incident(&in, "0a");
	cr_assert_eq(store_begin(s), 0);
	cr_expect(put(s, &in));
	store_rollback(s);
	after = dump();
	cr_expect_str_eq(before, after);
	free(before);
	free(after);
	store_close(s);
}

Test(incident, the_tampered_session_stands_first)
{
	struct store *s = open_store(STORE_WRITE);
	struct incident_session swap;

	sample_incident(&in, "0a");
	swap = in.sessions[0];
	in.sessions[0] = in.sessions[2];
	in.sessions[2] = swap;
	put(s, &in);
	cr_expect_not(put(s, &in), "their order is no part of the verdict");
	cr_assert_eq(each(s, (struct incident_filter){ 0 }), 1);
	cr_expect_str_eq(out.sessions[0].role, "tampered");
	cr_expect_eq(out.sessions[1].session[0], 0x51);
	cr_expect_eq(out.sessions[2].session[0], 0x52);
	store_close(s);
}

/* --- questions ----------------------------------------------------------- */

Test(incident, they_come_by_time_then_id)
{
	static const struct {
		const char *id;
		int64_t ts_ns;
	} rows[] = { { "0d", 5 }, { "0b", 7 }, { "0c", 5 }, { "0a", 9 },
		{ "0e", -1 } };
	struct store *s = open_store(STORE_WRITE);
	struct incident_filter any = { 0 };
	struct seen seen = { .count = 0 };

	for (int i = 0; i < 5; i++) {
		sample_incident(&in, rows[i].id);
		in.capture_ts_ns = rows[i].ts_ns;
		put(s, &in);
	}
	cr_assert_eq(store_each_incident(s, &any, on_incident, &seen), 0);
	store_close(s);
	cr_assert_eq(seen.count, 5);
	cr_expect_str_eq(seen.ids[0], "0e");
	cr_expect_str_eq(seen.ids[1], "0c");
	cr_expect_str_eq(seen.ids[2], "0d");
	cr_expect_str_eq(seen.ids[3], "0b");
	cr_expect_str_eq(seen.ids[4], "0a");
}

/* Incidents whose session was seen in the capture of that hash. */
static int
seen_in(struct store *s, const char *hash)
{
	struct capture_row row = { .path = "" };

	snprintf(row.hash, sizeof(row.hash), "%s", hash);
	return each(s,
	    (struct incident_filter){ .captures = &row, .capture_count = 1 });
}

Test(incident, filters_pass_what_they_say)
{
	struct store *s = open_store(STORE_WRITE);
	struct address server, client, nobody;
	int64_t at;

	sample_incident(&in, "0abc");
	put(s, &in);
	server = in.server.address;
	client = in.client.address;
	nobody = endpoint("192.0.2.99", 0).address;
	at = in.capture_ts_ns;
#define EACH(...) each(s, (struct incident_filter){ __VA_ARGS__ })
	cr_expect_eq(EACH(.id_prefix = "0a"), 1);
	cr_expect_eq(EACH(.id_prefix = "0abcd"), 0);
	cr_expect_eq(EACH(.id_prefix = "%"), 0);
	cr_expect_eq(EACH(.kind = "starttls-stripped"), 1);
	cr_expect_eq(EACH(.kind = "starttls-garbled"), 0);
	cr_expect_eq(EACH(.certainty = CERTAINTY_LIKELY), 1);
	cr_expect_eq(EACH(.certainty = CERTAINTY_DEMONSTRATED), 0);
	cr_expect_eq(EACH(.server = &server), 1);
	cr_expect_eq(EACH(.server = &nobody), 0);
	cr_expect_eq(EACH(.client = &client), 1);
	cr_expect_eq(EACH(.client = &nobody), 0);
	cr_expect_eq(EACH(.domain = "example.net"), 1);
	cr_expect_eq(EACH(.domain = "Example.NET"), 1);
	cr_expect_eq(EACH(.domain = "example"), 0);
	cr_expect_eq(seen_in(s, in.capture_hash), 1);
	cr_expect_eq(seen_in(s, "aa"), 0);
	cr_expect_eq(EACH(.since_ns = at), 1);
	cr_expect_eq(EACH(.since_ns = at + 1), 0);
	cr_expect_eq(EACH(.until_ns = at), 0);
	cr_expect_eq(EACH(.until_ns = at + 1), 1);
	cr_expect_eq(EACH(.session = in.session), 1);
	in.session[0] ^= 1;
	cr_expect_eq(EACH(.session = in.session), 0);
	store_close(s);
}

Test(incident, below_possible_and_withdrawn_ones_come_only_with_all)
{
	struct store *s = open_store(STORE_WRITE);

	sample_incident(&in, "0a");
	put(s, &in);
	in.state = STATE_WITHDRAWN;
	put(s, &in);
	sample_incident(&in, "0b");
	in.certainty = CERTAINTY_NONE;
	put(s, &in);
	cr_expect_eq(EACH(.all = false), 0);
	cr_expect_eq(EACH(.all = true), 2);
	store_close(s);
}

/* It names one capture; the other holds the session too. */
Test(incident, every_capture_that_holds_the_session_finds_it)
{
	struct store *s = open_store(STORE_WRITE);
	static struct capture_row rows[2];
	uint8_t facts[FACTS_ROOM];

	sample_incident(&in, "0a");
	put(s, &in);
	for (int i = 0; i < 2; i++) {
		struct capture_row row = sample_capture(i ? "bb" : "aa");
		struct sighting sighting = sample_sighting(i ? 0x51 : 0x50,
		    row.hash, sample_facts(facts, "250-X"));

		sighting.capture_count = 2;
		strcpy(sighting.captures[1], i ? "dd" : "cc");
		cr_assert_eq(store_capture_begin(s, &row), 0);
		cr_assert_eq(store_add_sighting(s, &sighting), 0);
		cr_assert_eq(store_capture_commit(s), 0);
	}
	cr_expect_eq(seen_in(s, "aa"), 1);
	cr_expect_eq(seen_in(s, "cc"), 1);
	cr_expect_eq(seen_in(s, "bb"), 0);
	cr_expect_eq(seen_in(s, "dd"), 0);
	/* Asked about together, they tell of it once. */
	strcpy(rows[0].hash, "aa");
	strcpy(rows[1].hash, "cc");
	cr_expect_eq(EACH(.captures = rows, .capture_count = 2), 1);
	cr_expect_eq(EACH(.captures = rows, .capture_count = 0), 0);
	store_close(s);
}
