/* What is due is told in its turn, and what was told is known later. */
#include "fixture.h"
#include "store/alert.h"

TestSuite(alert, .init = fixture_make, .fini = fixture_remove);

static void
put(struct store *s, const char *id, double confidence)
{
	static struct incident in;
	bool written;

	sample_incident(&in, id);
	in.confidence = confidence;
	cr_assert_eq(store_put_incident(s, &in, &written), 0);
	cr_assert(written);
	cr_assert_eq(store_alert_due(s, id, 0), 0);
}

struct seen {
	char ids[64];
	uint64_t last;
	unsigned revision;
};

static int
on_due(void *context, uint64_t number, const struct incident *in)
{
	struct seen *seen = context;

	cr_assert_gt(number, seen->last);
	seen->last = number;
	seen->revision = in->revision;
	strcat(strcat(seen->ids, in->id), " ");
	return 0;
}

static struct seen
due(struct store *s, size_t most)
{
	struct seen seen = { 0 };

	cr_assert_eq(store_each_due_alert(s, 0, most, on_due, &seen), 0);
	return seen;
}

Test(alert, what_is_due_comes_in_its_order)
{
	struct store *s = open_store(STORE_WRITE);

	put(s, "0b", 0.5);
	put(s, "0a", 0.5);
	put(s, "0c", 0.5);
	cr_expect_str_eq(due(s, 10).ids, "0b 0a 0c ");
	cr_expect_str_eq(due(s, 2).ids, "0b 0a ");
	/* A new revision goes behind the others. */
	put(s, "0b", 0.6);
	cr_expect_str_eq(due(s, 10).ids, "0a 0c 0b ");
	cr_expect_eq(due(s, 10).revision, 2);
	store_close(s);
}

Test(alert, numbers_never_go_back)
{
	struct store *s = open_store(STORE_WRITE);
	struct seen seen = { 0 };

	put(s, "0a", 0.5);
	cr_assert_eq(store_alert_due(s, "0a", 41), 0);
	cr_expect_eq(due(s, 10).last, 42);
	cr_assert_eq(store_each_due_alert(s, 42, 10, on_due, &seen), 0);
	cr_expect_str_eq(seen.ids, "");
	store_close(s);
}

Test(alert, what_an_output_is_owed_stays_due)
{
	struct alert_mark mark = { 1, 2, .owed = 2 };
	struct store *s = open_store(STORE_WRITE);

	put(s, "0a", 0.5);
	cr_assert_eq(store_alert_told(s, "0a", &mark), 0);
	cr_expect_str_eq(due(s, 10).ids, "0a ");
	mark.owed = 0;
	cr_assert_eq(store_alert_told(s, "0a", &mark), 0);
	cr_expect_str_eq(due(s, 10).ids, "");
	store_close(s);
}

static int
on_alerted(void *context, const struct incident *in,
    const struct alert_mark *mark)
{
	char *out = context;

	snprintf(out + strlen(out), 64, "%s %u %u %u %x; ", in->id,
	    mark->revision, mark->severity, mark->owed, in->outcome);
	return 0;
}

Test(alert, what_was_told_is_known_as_it_was_alerted)
{
	const struct alert_mark alerted = { 1, 2, 1 }, passed = { 0, 3, 0 };
	struct store *s = open_store(STORE_WRITE);
	static struct incident in;
	char out[256] = "", expected[256];

	put(s, "0a", 0.5);
	put(s, "0a", 0.6);
	put(s, "0b", 0.5);
	put(s, "0c", 0.5);
	cr_assert_eq(store_alert_told(s, "0a", &alerted), 0);
	cr_assert_eq(store_alert_told(s, "0b", &passed), 0);
	sample_incident(&in, "0a");
	snprintf(expected, sizeof(expected), "0a 1 2 1 %x; 0b 0 3 0 %x; ",
	    in.outcome, in.outcome);
	cr_assert_eq(store_each_alerted(s, on_alerted, out), 0);
	cr_expect_str_eq(out, expected);
	store_close(s);
}

Test(alert, an_incident_that_goes_takes_its_row_with_it)
{
	struct store *s = open_store(STORE_WRITE);

	put(s, "0a", 0.5);
	store_close(s);
	raw("PRAGMA foreign_keys = ON; DELETE FROM incident");
	cr_expect_eq(raw_count("SELECT count(*) FROM alert"), 0);
}
