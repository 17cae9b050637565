/*
 * The same work again and again, each time with the next call failing: what
 * was there stays, every step is there whole or not at all, and what was said
 * to be written is.
 */
#include "fault_vfs.h"
#include "fixture.h"

TestSuite(fault, .init = fixture_make, .fini = fixture_remove, .timeout = 240);

#define STEPS 4 /* capture, incident, policy, shedding */

static int
put_capture(struct store *s, const char *hash)
{
	struct capture_row row = sample_capture(hash);
	struct profile profile = sample_profile();
	struct attempt attempt = sample_attempt();
	uint8_t facts[FACTS_ROOM];
	struct sighting sighting = sample_sighting((uint8_t)hash[0], hash,
	    sample_facts(facts, "250-XXXXXXXA"));

	if (store_capture_begin(s, &row) != 0)
		return -1;
	if (store_capture_counts(s, &row.counters, &row.tally) != 0 ||
	    store_add_profile(s, &profile) != 0 ||
	    store_add_attempt(s, &attempt) != 0 ||
	    store_add_sighting(s, &sighting) != 0 ||
	    store_add_clear_enforce(s, &profile.client, "example.org", 0, 7) !=
		0) {
		store_capture_abort(s);
		return -1;
	}
	return store_capture_commit(s);
}

static int
put_incident(struct store *s, const char *id, double confidence)
{
	static struct incident in;
	bool written;

	sample_incident(&in, id);
	in.confidence = confidence;
	if (store_begin(s) != 0)
		return -1;
	if (store_put_incident(s, &in, &written) != 0) {
		store_rollback(s);
		return -1;
	}
	return store_commit(s);
}

static int
put_policy(struct store *s)
{
	struct policy_row row = { .domain = "example.org",
		.until_ns = INT64_MAX,
		.source = "file",
		.body = slice_str("version: STSv1\n") };

	return store_add_policy(s, &row, NULL);
}

static void
put_what_was_there(void)
{
	struct store *s = open_store(STORE_WRITE);

	cr_assert_eq(put_capture(s, "aa"), 0);
	cr_assert_eq(put_incident(s, "0a", 0.9), 0);
	store_close(s);
}

/* The number of steps that were said to be done. */
static int
work(int steps)
{
	struct store *s = store_open(path, STORE_WRITE, errbuf);
	uint64_t shed;
	int done = 0;

	if (s == NULL) {
		cr_expect_str_neq(errbuf, "", "failed without a word");
		return 0;
	}
	if (steps >= 1 && put_capture(s, "bb") == 0)
		done = 1;
	if (steps >= 2 && done == 1 && put_incident(s, "0a", 0.5) == 0)
		done = 2;
	if (steps >= 3 && done == 2 && put_policy(s) == 0)
		done = 3;
	if (steps >= 4 && done == 3 && store_shed_sightings(s, 1, &shed) == 0)
		done = 4;
	if (done < steps)
		cr_expect_str_neq(store_error(s), "", "failed without a word");
	store_close(s);
	return done;
}

static char *states[STEPS + 1]; /* dumps after each step */

static void
keep_file(const char *from, const char *to)
{
	char command[200];

	snprintf(command, sizeof(command), "cp %s/%s %s/%s", folder, from,
	    folder, to);
	cr_assert_eq(system(command), 0);
}

static void
start_over(void)
{
	char name[80];

	snprintf(name, sizeof(name), "%s-wal", path);
	unlink(name);
	snprintf(name, sizeof(name), "%s-shm", path);
	unlink(name);
	keep_file("before.db", "test.db");
}

static void
prepare(void)
{
	put_what_was_there();
	keep_file("test.db", "before.db");
	for (int steps = 0; steps <= STEPS; steps++) {
		start_over();
		cr_assert_eq(work(steps), steps, "%s", errbuf);
		states[steps] = dump();
		for (int i = 0; i < steps; i++)
			cr_assert_str_neq(states[i], states[steps]);
	}
}

static void
expect_whole(int done, long n)
{
	char *now = dump();
	bool any = false;

	for (int i = done; i <= STEPS; i++)
		any |= strcmp(now, states[i]) == 0;
	cr_expect(any, "call %ld failed: after %d steps there is\n%s", n, done,
	    now);
	free(now);
	/* And the program opens it as if nothing had happened. */
	store_close(open_store(STORE_WRITE));
}

static void
fail_each_call(int code, bool for_good)
{
	fault_install();
	prepare();
	for (long n = 1;; n++) {
		int done;

		start_over();
		fault.at = n;
		fault.calls = 0;
		fault.for_good = for_good;
		fault.code = code;
		done = work(STEPS);
		fault.at = 0;
		expect_whole(done, n);
		if (fault.calls < n) {
			cr_expect_eq(done, STEPS);
			cr_expect_gt(n, 20, "hardly anything was tried");
			break;
		}
	}
}

Test(fault, a_disk_that_fills_up)
{
	fail_each_call(SQLITE_FULL, true);
}

Test(fault, a_disk_that_was_full_for_a_moment)
{
	fail_each_call(SQLITE_FULL, false);
}

Test(fault, a_disk_that_breaks)
{
	fail_each_call(SQLITE_IOERR_WRITE, true);
}

Test(fault, a_new_database_on_a_full_disk_is_whole_or_not_there)
{
	fault_install();
	for (long n = 1;; n++) {
		struct store *s;

		fault.at = n;
		fault.calls = 0;
		fault.for_good = true;
		fault.code = SQLITE_FULL;
		s = store_open(path, STORE_WRITE, errbuf);
		cr_expect(s != NULL || strstr(errbuf, path) != NULL);
		store_close(s);
		fault.at = 0;
		store_close(open_store(STORE_WRITE));
		free(dump());
		unlink(path);
		if (fault.calls < n)
			break;
	}
}

/* --- reading ------------------------------------------------------------- */

static int
count_incident(void *context, const struct incident *in)
{
	static struct incident expected;

	sample_incident(&expected, "0a");
	expected.revision = 1;
	expected.confidence = 0.9;
	cr_expect_eq(memcmp(in, &expected, sizeof(expected)), 0);
	++*(int *)context;
	return 0;
}

static int
count_sighting(void *context, const struct sighting *sighting)
{
	uint8_t facts[FACTS_ROOM];

	cr_expect(
	    slice_equal(sighting->facts, sample_facts(facts, "250-XXXXXXXA")));
	++*(int *)context;
	return 0;
}

static int
count_capture(void *context, const struct capture_row *row)
{
	cr_expect_eq(row->tally.profiles_shed, 4);
	cr_expect_eq(row->tally.clear_shed, 5);
	cr_expect_eq(row->tally.attempts_shed, 6);
	++*(int *)context;
	return 0;
}

/* Said to have been read, and is not: that would be a lie. */
static void
read_all(void)
{
	struct store *s = store_open(path, STORE_READ, errbuf);
	struct incident_filter incidents = { 0 };
	struct sighting_filter sightings = { 0 };
	int n = 0;

	if (s == NULL)
		return;
	cr_expect(store_each_incident(s, &incidents, count_incident, &n) < 0 ||
	    n == 1);
	n = 0;
	cr_expect(store_each_sighting(s, &sightings, count_sighting, &n) < 0 ||
	    n == 1);
	n = 0;
	cr_expect(store_each_capture(s, count_capture, &n) < 0 || n == 1);
	store_close(s);
}

Test(fault, a_disk_that_cannot_be_read_is_told)
{
	fault_install();
	put_what_was_there();
	fault.reads = true;
	for (long n = 1;; n++) {
		fault.at = n;
		fault.calls = 0;
		read_all();
		if (fault.calls < n)
			break;
	}
	fault.at = 0;
	free(dump());
}

/* --- memory -------------------------------------------------------------- */

static sqlite3_mem_methods real_memory;

static void *
fault_malloc(int n)
{
	return fault_now() ? NULL : real_memory.xMalloc(n);
}

static void *
fault_realloc(void *p, int n)
{
	return fault_now() ? NULL : real_memory.xRealloc(p, n);
}

static void
install_memory(void)
{
	sqlite3_mem_methods memory;

	sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real_memory);
	memory = real_memory;
	memory.xMalloc = fault_malloc;
	memory.xRealloc = fault_realloc;
	cr_assert_eq(sqlite3_config(SQLITE_CONFIG_MALLOC, &memory), SQLITE_OK);
	/* No store of small pieces beside it. */
	sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0);
}

Test(fault, memory_that_runs_out)
{
	install_memory();
	prepare();
	/* Every call would take minutes; the long run of them is alike. */
	for (long n = 1;; n += 1 + n / 150) {
		int done;

		start_over();
		fault.at = n;
		fault.calls = 0;
		done = work(STEPS);
		fault.at = 0;
		expect_whole(done, n);
		if (fault.calls < n)
			break;
	}
}

Test(fault, memory_that_runs_out_while_reading)
{
	install_memory();
	put_what_was_there();
	for (long n = 1;; n++) {
		fault.at = n;
		fault.calls = 0;
		read_all();
		if (fault.calls < n)
			break;
	}
}
