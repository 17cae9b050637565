#include "store/retention.h"

#include "fixture.h"
#include "store/size.h"

TestSuite(retention, .init = fixture_make, .fini = fixture_remove);

#define DAY RETENTION_DAY_NS
#define NOW (1000 * DAY)

/* A capture `days` old, with a kept session, a profile, an attempt and clear
 * text, all of that day and with `number` in their keys. */
static void
put_day(struct store *s, int days, uint8_t number)
{
	char hash[CAPTURE_HASH_BYTES];
	struct capture_row row;
	struct sighting sighting;
	struct profile profile = sample_profile();
	struct attempt attempt = sample_attempt();
	uint8_t facts[FACTS_ROOM];
	int64_t at = NOW - days * DAY;

	snprintf(hash, sizeof(hash), "%032x", number);
	row = sample_capture(hash);
	row.first_ns = row.last_ns = at;
	sighting =
	    sample_sighting(number, hash, sample_facts(facts, "250-XXXXXXXA"));
	sighting.first_ns = sighting.deciding_ns = at;
	profile.first_ns = profile.last_ns = at;
	attempt.first_ns = attempt.last_ns = at;
	memset(attempt.session, number, sizeof(attempt.session));
	cr_assert_eq(store_capture_begin(s, &row), 0);
	cr_assert_eq(store_add_sighting(s, &sighting), 0);
	cr_assert_eq(store_add_profile(s, &profile), 0);
	cr_assert_eq(store_add_attempt(s, &attempt), 0);
	cr_assert_eq(store_add_clear_enforce(s, &profile.client, "example.org",
			 at, 1),
	    0);
	cr_assert_eq(store_capture_commit(s), 0);
}

/* One whose session is `number` of put_day(), `days` ago. */
static void
put_incident(struct store *s, int days, uint8_t number)
{
	static struct incident in;
	char id[INCIDENT_ID_BYTES];
	bool written;

	snprintf(id, sizeof(id), "%032x", number);
	sample_incident(&in, id);
	memset(in.session, number, 16);
	in.session_count = 1;
	memset(in.sessions[0].session, number, 16);
	snprintf(in.capture_hash, sizeof(in.capture_hash), "%s", id);
	in.capture_ts_ns = NOW - days * DAY;
	cr_assert_eq(store_put_incident(s, &in, &written), 0);
	cr_assert(written);
}

/* Passes until there is nothing more to do; the steps it took. */
static unsigned
prune(struct store *s, struct retention_limits limits,
    struct retention_totals *totals)
{
	struct retention *r = retention_create(s, &limits);
	unsigned steps = 0;
	bool more = true;

	cr_assert_not_null(r, "%s", store_error(s));
	while (more) {
		cr_assert_eq(retention_step(r, NOW, &more), 0, "%s",
		    store_error(s));
		cr_assert_lt(++steps, 10000, "it does not end");
	}
	if (totals != NULL)
		*totals = *retention_totals(r);
	retention_destroy(r);
	return steps;
}

static const struct retention_limits ages = { .history_ns = 30 * DAY,
	.evidence_ns = 180 * DAY };

Test(retention, what_is_older_than_its_age_goes)
{
	struct store *s = open_store(STORE_WRITE);
	struct retention_totals totals;

	put_day(s, 31, 1);
	put_day(s, 29, 2);
	prune(s, ages, &totals);
	store_close(s);
	cr_expect_str_eq(raw_text("SELECT group_concat(hex(substr(session, 1,"
				  " 1))) FROM sighting"),
	    "02");
	cr_expect_eq(raw_count("SELECT count(*) FROM profile"), 1);
	cr_expect_eq(raw_count("SELECT count(*) FROM attempt"), 1);
	cr_expect_eq(raw_count("SELECT count(*) FROM clear_enforce"), 1);
	cr_expect_eq(raw_count("SELECT count(*) FROM capture"), 1);
	cr_expect_eq(raw_count("SELECT count(*) FROM reply"), 1);
	for (int i = RETAINED_SESSIONS; i <= RETAINED_CAPTURES; i++)
		cr_expect_eq(totals.removed[i], 1, "%s", retained_name(i));
	free(dump());
}

Test(retention, an_incident_keeps_its_evidence_as_long_as_it_stays)
{
	struct store *s = open_store(STORE_WRITE);

	put_day(s, 179, 1);
	put_day(s, 181, 2);
	put_incident(s, 179, 1);
	put_incident(s, 181, 2);
	prune(s, ages, NULL);
	cr_expect_eq(raw_count("SELECT count(*) FROM incident"), 1);
	cr_expect_eq(raw_count("SELECT count(*) FROM revision"), 1);
	cr_expect_str_eq(raw_text("SELECT group_concat(hex(substr(session, 1,"
				  " 1))) FROM sighting"),
	    "01");
	/* The capture that an incident names stays with it. */
	cr_expect_eq(raw_count("SELECT count(*) FROM capture"), 1);
	store_close(s);
	free(dump());
}

/* A session may be a retry in another one's incident. */
Test(retention, a_session_that_an_incident_only_mentions_is_held_too)
{
	struct store *s = open_store(STORE_WRITE);

	put_day(s, 100, 1);
	put_day(s, 100, 2);
	put_incident(s, 100, 1);
	raw("UPDATE incident_session SET session = x'"
	    "02020202020202020202020202020202'");
	prune(s, ages, NULL);
	cr_expect_eq(raw_count("SELECT count(*) FROM sighting"), 2);
	store_close(s);
}

Test(retention, of_too_many_rows_the_oldest_go)
{
	struct store *s = open_store(STORE_WRITE);
	struct retention_limits limits = { .rows = 2, .incidents = 1 };

	for (uint8_t i = 1; i <= 5; i++)
		put_day(s, 10 - i, i);
	put_incident(s, 9, 1);
	put_incident(s, 5, 5);
	prune(s, limits, NULL);
	cr_expect_eq(raw_count("SELECT count(*) FROM profile"), 2);
	cr_expect_eq(raw_count("SELECT count(*) FROM attempt"), 2);
	cr_expect_str_eq(raw_text("SELECT group_concat(substr(id, 32))"
				  " FROM incident"),
	    "5");
	cr_expect_str_eq(
	    raw_text("SELECT group_concat(s) FROM (SELECT hex(substr(session,"
		     " 1, 1)) AS s FROM sighting ORDER BY 1)"),
	    "04,05");
	store_close(s);
}

Test(retention, words_of_the_operator_stay)
{
	struct store *s = open_store(STORE_WRITE);
	struct word word = { .verb = WORD_ACK, .until_ns = INT64_MAX };

	put_day(s, 400, 1);
	put_incident(s, 400, 1);
	snprintf(word.incident, sizeof(word.incident), "%032x", 1);
	snprintf(word.user, sizeof(word.user), "ann");
	cr_assert_eq(store_add_word(s, &word), 0);
	prune(s, ages, NULL);
	cr_expect_eq(raw_count("SELECT count(*) FROM incident"), 0);
	cr_expect_eq(raw_count("SELECT count(*) FROM word"), 1);
	store_close(s);
}

/* Thousands of rows without a capture each, as a sensor writes them. */
static void
fill(int sessions, int incidents)
{
	char *sql = sqlite3_mprintf(
	    "INSERT OR IGNORE INTO capture VALUES ('aa', 'eth1', 'live', '1',"
	    " NULL, NULL, 0, 0, 0, 9223372036854775807);"
	    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
	    "  WHERE i < %d)"
	    " INSERT INTO sighting SELECT randomblob(16), 'aa', NULL,"
	    "  '192.0.2.1', i %% 65536, '198.51.100.25', 25, x'00', i,"
	    "  i * 1000000000, 0, randomblob(900), NULL FROM n;"
	    "INSERT INTO incident SELECT hex(session), session, 0, 1, first_ns"
	    "  FROM sighting ORDER BY session LIMIT %d",
	    sessions, incidents);

	raw("PRAGMA foreign_keys = ON");
	raw(sql);
	sqlite3_free(sql);
}

static uint64_t
file_bytes(void)
{
	char log[80];
	struct stat st;
	uint64_t bytes = stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;

	snprintf(log, sizeof(log), "%s-wal", path);
	return bytes + (stat(log, &st) == 0 ? (uint64_t)st.st_size : 0);
}

Test(retention, too_many_bytes_cost_the_oldest_sessions_and_no_incident)
{
	struct store *s = open_store(STORE_WRITE);
	struct retention_limits limits = { .bytes = RETENTION_BYTES_MIN };

	fill(12000, 500);
	cr_assert_gt(file_bytes(), 2 * RETENTION_BYTES_MIN);
	prune(s, limits, NULL);
	cr_expect_leq(file_bytes(), RETENTION_BYTES_MIN, "%llu",
	    (unsigned long long)file_bytes());
	cr_expect_eq(raw_count("SELECT count(*) FROM incident"), 500);
	cr_expect_eq(raw_count("SELECT count(*) FROM incident WHERE session"
			       " IN (SELECT session FROM sighting)"),
	    500);
	/* What is left of the others is the newest of them. */
	cr_expect_gt(raw_count("SELECT count(*) FROM sighting"), 1000);
	cr_expect_eq(raw_count("SELECT count(*) FROM sighting WHERE session NOT"
			       " IN (SELECT session FROM incident) AND first_ns"
			       " < 6000 * 1000000000"),
	    0);
	store_close(s);
	free(dump());
}

Test(retention, when_history_is_not_enough_the_oldest_incidents_go)
{
	struct store *s = open_store(STORE_WRITE);
	struct retention_limits limits = { .bytes = RETENTION_BYTES_MIN };

	fill(12000, 12000);
	prune(s, limits, NULL);
	cr_expect_leq(file_bytes(), RETENTION_BYTES_MIN);
	cr_expect_gt(raw_count("SELECT count(*) FROM incident"), 1000);
	cr_expect_eq(raw_count("SELECT count(*) FROM incident WHERE session"
			       " NOT IN (SELECT session FROM sighting)"),
	    0);
	cr_expect_geq(raw_count("SELECT min(capture_ts_ns) FROM incident"),
	    raw_count("SELECT max(capture_ts_ns) / 2 FROM incident"));
	store_close(s);
}

/* Without the room for it the log cannot shrink, and nothing that is deleted
 * makes it smaller. */
Test(retention, a_reader_who_holds_the_log_costs_no_rows)
{
	struct store *s = open_store(STORE_WRITE);
	struct retention_limits limits = { .bytes = RETENTION_BYTES_MIN };
	struct retention_totals totals;
	sqlite3 *reader;
	long before;

	fill(12000, 0);
	reader = raw_open(path);
	sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM sighting", NULL, NULL,
	    NULL);
	before = raw_count("SELECT count(*) FROM sighting");
	prune(s, limits, &totals);
	cr_expect_gt(totals.log_held, 0);
	cr_expect_gt(raw_count("SELECT count(*) FROM sighting"), before - 1000);
	sqlite3_exec(reader, "COMMIT", NULL, NULL, NULL);
	sqlite3_close(reader);
	prune(s, limits, NULL);
	cr_expect_leq(file_bytes(), RETENTION_BYTES_MIN);
	store_close(s);
}

Test(retention, a_step_is_small_and_others_write_between_two_of_them)
{
	struct store *s = open_store(STORE_WRITE);
	struct retention_limits limits = { .history_ns = 1 };
	struct retention *r;
	bool more;
	int steps = 0;

	fill(2000, 0);
	r = retention_create(s, &limits);
	do {
		long before = raw_count("SELECT count(*) FROM sighting");

		cr_assert_eq(retention_step(r, NOW, &more), 0);
		cr_expect_leq(before -
			raw_count("SELECT count(*) FROM sighting"),
		    256);
		raw("INSERT INTO run VALUES ('x', 'x', 'x')");
		steps++;
	} while (more && steps < 1000);
	cr_expect_gt(steps, 7);
	cr_expect_eq(raw_count("SELECT count(*) FROM sighting"), 0);
	retention_destroy(r);
	store_close(s);
}

Test(retention, who_has_the_database_locked_is_waited_for_later)
{
	struct store *s = open_store(STORE_WRITE);
	struct retention *r;
	sqlite3 *other;
	bool more;

	put_day(s, 31, 1);
	r = retention_create(s, &ages);
	store_set_patience(s, 10);
	other = raw_open(path);
	sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	cr_expect_eq(retention_step(r, NOW, &more), -1);
	cr_expect(strstr(store_error(s), "another program") != NULL, "%s",
	    store_error(s));
	cr_expect_eq(retention_totals(r)->removed[RETAINED_SESSIONS], 0);
	sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL);
	sqlite3_close(other);
	cr_expect_eq(retention_step(r, NOW, &more), 0);
	cr_expect_eq(retention_totals(r)->removed[RETAINED_SESSIONS], 1);
	retention_destroy(r);
	store_close(s);
}

/* One made before free pages could be given back. */
Test(retention, an_old_database_stops_growing_and_can_be_made_compact)
{
	struct store *s;
	struct retention_limits limits = { .bytes = RETENTION_BYTES_MIN };
	struct store_size size;

	store_close(open_store(STORE_WRITE));
	raw("PRAGMA journal_mode = DELETE; PRAGMA auto_vacuum = NONE; VACUUM;"
	    "PRAGMA journal_mode = WAL");
	fill(12000, 0);
	s = open_store(STORE_WRITE);
	prune(s, limits, NULL);
	cr_assert_eq(store_measure_bytes(s, &size), 0);
	cr_expect_gt(size.free_bytes, RETENTION_BYTES_MIN);
	cr_expect_leq(size.database_bytes + size.log_bytes - size.free_bytes,
	    RETENTION_BYTES_MIN);
	cr_assert_eq(store_compact(s), 0, "%s", store_error(s));
	cr_expect_leq(file_bytes(), RETENTION_BYTES_MIN);
	cr_expect_eq(raw_count("PRAGMA auto_vacuum"), 2);
	store_close(s);
}

static int
on_damage(void *context, const char *text)
{
	(void)text;
	++*(int *)context;
	return 0;
}

Test(retention, a_check_tells_a_row_that_lost_its_parent)
{
	struct store *s = open_store(STORE_WRITE);
	int damages = 0;

	put_day(s, 1, 1);
	cr_assert_eq(store_check(s, on_damage, &damages), 0);
	cr_expect_eq(damages, 0);
	raw("PRAGMA foreign_keys = OFF; DELETE FROM capture");
	cr_assert_eq(store_check(s, on_damage, &damages), 0);
	cr_expect_gt(damages, 0);
	store_close(s);
}
