/* The judge of what is watched, and records of an engine that lies. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "dissect/packet.h"
#include "probe/capture/capture.h"
#include "probe/pipeline/dissection.h"
#include "probe/pipeline/live.h"
#include "rules/judge.h"

#define CAPTURE TESTS_DIR "/captures/a01-garbleX-postfix.client.pcap"
#define PUBLICATIONS_MAX 64

/* What the engine makes of a shipped attack. */
static struct {
	struct publication publication;
	uint8_t facts[65536];
	size_t length;
} published[PUBLICATIONS_MAX];
static size_t publication_count;

static void
on_publish(void *context, const struct publication *publication,
    struct slice facts)
{
	(void)context;
	cr_assert_lt(publication_count, PUBLICATIONS_MAX);
	published[publication_count].publication = *publication;
	memcpy(published[publication_count].facts, facts.ptr, facts.len);
	published[publication_count++].length = facts.len;
}

static void
dissect(void)
{
	static struct shard_config config = { .mail_ports = { 25 },
		.mail_port_count = 1,
		.budgets = { 6400, 1 << 24, 1 << 24, 1 << 24, 6400 } };
	struct dissection *d =
	    dissection_create(&config, 1, NULL, on_publish, NULL);
	char errbuf[CAPTURE_ERRBUF];
	bool is_capture;
	struct capture *capture = capture_open(CAPTURE, &is_capture, errbuf);
	struct frame frame;

	publication_count = 0;
	cr_assert_not_null(capture, "%s", errbuf);
	while (capture_next(capture, &frame) == CAPTURE_FRAME) {
		frame.capture = 0;
		frame.run_number = frame.number;
		dissection_frame(d, &frame, NULL);
		dissection_work(d);
	}
	dissection_end_capture(d, false);
	dissection_destroy(d);
	capture_close(capture);
	cr_assert_gt(publication_count, 2);
}

struct told {
	bool refuses; /* no output takes anything */
	unsigned count, unstored;
	enum kind kind;
	enum incident_state state;
};

static bool
on_incident(void *context, const struct incident *in, bool stored,
    struct alert_mark *mark)
{
	struct told *told = context;

	*mark = (struct alert_mark){ .revision = in->revision, .owed = 1 };
	if (told->refuses)
		return false;
	mark->owed = 0;
	told->count++;
	told->unstored += !stored;
	told->kind = in->kind;
	told->state = in->state;
	return true;
}

struct court {
	struct store *store;
	struct registry *registry;
	struct world *world;
	struct judge_trust trust;
	struct live *live;
	struct told told;
};

static const struct live_source source = { "interface:test0", "interface", 1 };

static void
begin_live(struct court *c)
{
	static struct live_options options = { .judge = { 1 << 24, 100, 100,
						   100, 100, 100 },
		.vantage = "",
		.sessions_max = 1000,
		.kept_max = 1000,
		.started_ns = 1,
		.source_count = 1,
		.sources = &source };

	options.trust = &c->trust;
	c->live =
	    live_create(&options, c->store, c->world, on_incident, &c->told);
	cr_assert_not_null(c->live);
}

static void
open_court(struct court *c)
{
	char errbuf[STORE_ERRBUF];

	memset(c, 0, sizeof(*c));
	c->store = store_open("", STORE_SCRATCH, errbuf);
	c->registry = registry_load(NULL, errbuf);
	c->world = world_create(c->store, c->registry, PRIOR_READ, errbuf);
	begin_live(c);
}

static void
close_court(struct court *c)
{
	live_destroy(c->live);
	world_destroy(c->world);
	registry_free(c->registry);
	store_close(c->store);
}

static bool
take(struct court *c, size_t i)
{
	return live_take(c->live, 0, &published[i].publication,
	    slice_of(published[i].facts, published[i].length));
}

Test(live, an_incident_is_told_before_its_session_ends)
{
	struct court c;
	size_t i = 0;

	dissect();
	open_court(&c);
	for (; i < publication_count && c.told.count == 0; i++) {
		cr_assert(take(&c, i));
		if (live_is_urgent(c.live))
			cr_assert_eq(live_flush(c.live, 0, false), 0);
	}
	cr_assert_eq(c.told.kind, KIND_STARTTLS_GARBLED);
	cr_assert_eq(c.told.state, STATE_OPEN);
	cr_assert_lt(i, publication_count);
	for (; i < publication_count; i++)
		cr_assert(take(&c, i));
	cr_assert_eq(live_flush(c.live, 0, true), 0);
	cr_assert_eq(c.told.state, STATE_FINAL);
	close_court(&c);
}

static void
take_all(struct court *c)
{
	dissect();
	for (size_t i = 0; i < publication_count; i++)
		cr_assert(take(c, i));
	cr_assert_eq(live_flush(c->live, 0, true), 0);
}

Test(live, what_is_not_taken_is_told_again)
{
	struct live_totals totals;
	struct court c;

	open_court(&c);
	c.told.refuses = true;
	take_all(&c);
	live_totals(c.live, &totals);
	cr_assert(totals.untold);
	c.told.refuses = false;
	cr_assert_eq(live_flush(c.live, INT64_C(2000000000), false), 0);
	live_totals(c.live, &totals);
	cr_assert_not(totals.untold);
	cr_assert_eq(c.told.count, 1);
	cr_assert_eq(live_flush(c.live, INT64_C(4000000000), false), 0);
	cr_assert_eq(c.told.count, 1);
	close_court(&c);
}

/* One that is killed behind its commit leaves just that. */
Test(live, what_was_not_told_is_told_by_the_next_one)
{
	struct court c;

	open_court(&c);
	c.told.refuses = true;
	take_all(&c);
	live_destroy(c.live);
	c.told.refuses = false;
	for (unsigned turn = 0; turn < 2; turn++) {
		begin_live(&c);
		cr_assert_eq(live_flush(c.live, 0, true), 0);
		cr_assert_eq(c.told.count, 1);
		live_destroy(c.live);
	}
	begin_live(&c);
	close_court(&c);
}

Test(live, what_begins_in_the_middle_is_left_aside)
{
	struct live_totals totals;
	struct court c;

	dissect();
	open_court(&c);
	for (size_t i = publication_count - 1; i < publication_count; i++)
		take(&c, i);
	live_flush(c.live, 0, true);
	live_totals(c.live, &totals);
	cr_assert_eq(c.told.count, 0);
	cr_assert_eq(totals.strays, 1);
	close_court(&c);
}

Test(live, sessions_of_an_engine_that_is_gone_end)
{
	struct live_totals totals;
	struct court c;

	dissect();
	open_court(&c);
	for (size_t i = 0; i + 1 < publication_count; i++)
		take(&c, i);
	live_publisher_gone(c.live, 0);
	cr_assert_eq(live_flush(c.live, 0, true), 0);
	live_totals(c.live, &totals);
	cr_assert_eq(totals.sessions, 1);
	close_court(&c);
}

/* Octets and numbers are changed at random: what is taken is judged and
 * stored, what is refused is counted, and nothing else happens. */
Test(live, records_of_a_hostile_engine_do_no_harm, .timeout = 120)
{
	struct live_totals totals;
	struct court c;

	srandom(1);
	open_court(&c);
	for (int round = 0; round < 1000; round++) {
		if (round % 4 == 0)
			dissect();
		for (size_t i = 0; i < publication_count; i++) {
			struct publication *p = &published[i].publication;

			for (int j = 0; j < random() % 3; j++)
				published[i].facts[(size_t)random() %
				    published[i].length] = (uint8_t)random();
			if (random() % 16 == 0)
				p->decision = (uint32_t)random() % 16;
			if (random() % 16 == 0)
				p->session = (uint64_t)random() << 32;
			if (random() % 64 == 0)
				p->facts_bytes = (uint32_t)random();
			take(&c, i);
		}
		if (round % 10 == 0)
			cr_assert_eq(live_flush(c.live, round, false), 0, "%s",
			    store_error(c.store));
	}
	cr_assert_eq(live_flush(c.live, 0, true), 0);
	live_totals(c.live, &totals);
	cr_assert_gt(totals.unsound, 100);
	cr_assert_gt(totals.sessions, 100);
	close_court(&c);
}
