#include "live.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <xxhash.h>

#include "keeping.h"
#include "open_sessions.h"
#include "retrospect.h"
#include "yield.h"

#define NS_PER_S INT64_C(1000000000)
/* What waits for a store that fails: a part a second and source at most. */
#define PARTS_MAX 256
/* Failures that a retry in clear may explain (design 4.5). */
#define FAILURES_MAX 4096
#define FAILURE_AGE_NS (6 * 3600 * NS_PER_S)
/* Servers of whom something was learned, and how long that may wait. */
#define LEARNED_MAX 4096
#define LEARNED_EVERY_NS (30 * NS_PER_S)
#define SHED_EVERY_NS (60 * NS_PER_S)
/* Judging again what was kept takes at most a twentieth of the time. */
#define PATIENCE 20

struct part {
	struct yield *yield;
	uint32_t source;
	bool told; /* its incidents, while the store failed */
};

struct failure {
	struct endpoint server;
	uint8_t session[16];
	int64_t last_ns;
};

struct counted {
	struct counters of[PUBLISHERS_MAX]; /* as last told */
	struct counters more;		    /* since the last commit */
	int64_t first_ns, last_ns;	    /* of facts since then */
	bool there;			    /* the store has its row */
};

struct live {
	const struct live_options *options;
	struct store *store;
	struct world *world;
	struct judge_loop *judge;
	struct telling *telling;
	char hashes[LIVE_SOURCES_MAX][CAPTURE_HASH_BYTES];
	struct counted counted[LIVE_SOURCES_MAX];
	struct part parts[PARTS_MAX];
	size_t part_count;
	struct failure failures[FAILURES_MAX]; /* a ring */
	uint64_t failure_count;
	struct endpoint learned[LEARNED_MAX];
	size_t learned_count;
	int64_t learned_due_ns, shed_due_ns;
	char policies[17]; /* their version, as of the last shedding */
	struct live_totals totals;
};

static const char *
hash_of(void *context, uint32_t source)
{
	const struct live *live = context;

	return source < live->options->source_count ? live->hashes[source] : "";
}

static void
name_sources(struct live *live)
{
	const struct live_options *o = live->options;

	for (unsigned i = 0; i < o->source_count; i++) {
		XXH128_canonical_t name;
		char text[1200];
		int n = snprintf(text, sizeof(text), "%lld %s %s",
		    (long long)o->started_ns, o->vantage, o->sources[i].path);

		if (n >= (int)sizeof(text))
			n = sizeof(text) - 1;
		XXH128_canonicalFromHash(&name,
		    XXH3_128bits_withSeed(text, (size_t)n, i));
		for (int j = 0; j < 16; j++)
			snprintf(live->hashes[i] + 2 * j, 3, "%02x",
			    name.digest[j]);
		live->counted[i].first_ns = INT64_MAX;
		live->counted[i].last_ns = INT64_MIN;
	}
}

struct live *
live_create(const struct live_options *options, struct store *store,
    struct world *world, telling_fn *tell, void *context)
{
	struct live *live = calloc(1, sizeof(*live));

	if (live == NULL)
		return NULL;
	live->options = options;
	live->store = store;
	live->world = world;
	name_sources(live);
	live->judge = judge_loop_create(&options->judge, options->trust,
	    world_context(world), NULL, NULL);
	live->telling = telling_create(store, tell, context);
	if (live->judge == NULL || live->telling == NULL) {
		live_destroy(live);
		return NULL;
	}
	judge_loop_watch(live->judge, options->sessions_max);
	return live;
}

void
live_destroy(struct live *live)
{
	if (live == NULL)
		return;
	for (size_t i = 0; i < live->part_count; i++)
		yield_destroy(live->parts[i].yield);
	judge_loop_destroy(live->judge);
	telling_destroy(live->telling);
	free(live);
}

/* --- what comes in ------------------------------------------------------- */

static bool
is_sound(const struct live *live, const struct publication *publication,
    struct slice facts)
{
	struct flow_identity flow;
	struct slice bytes;
	struct fact fact;

	if (publication->decision >= DECISIONS ||
	    publication->facts_bytes != facts.len ||
	    (publication->session == 0) !=
		(publication->decision == DECISION_DNS_ANSWERED))
		return false;
	while (facts.len > 0) {
		if (!fact_decode(&facts, &fact, &bytes) ||
		    fact.capture >= live->options->source_count)
			return false;
		if (fact.code == FACT_SESSION_OPENED &&
		    !flow_identity_decode(bytes, &flow))
			return false;
	}
	return true;
}

static void
note_times(struct live *live, struct slice facts)
{
	struct slice bytes;
	struct fact fact;

	while (fact_decode(&facts, &fact, &bytes)) {
		struct counted *c = &live->counted[fact.capture];

		if (fact.capture_ts_ns < c->first_ns)
			c->first_ns = fact.capture_ts_ns;
		if (fact.capture_ts_ns > c->last_ns)
			c->last_ns = fact.capture_ts_ns;
	}
}

bool
live_take(struct live *live, unsigned publisher,
    const struct publication *publication, struct slice facts)
{
	struct publication own = *publication;

	if (publisher >= PUBLISHERS_MAX || !is_sound(live, &own, facts)) {
		live->totals.unsound++;
		return false;
	}
	if (own.session != 0)
		own.session = handle_of(publisher, own.session);
	note_times(live, facts);
	judge_loop_take(live->judge, &own, facts);
	return true;
}

void
live_count(struct live *live, unsigned publisher, uint32_t source,
    const struct counters *now)
{
	struct counted *c;

	if (source >= live->options->source_count ||
	    publisher >= PUBLISHERS_MAX)
		return;
	c = &live->counted[source];
	for (int i = 0; i < COUNTERS; i++)
		if (now->of[i] > c->of[publisher].of[i])
			c->more.of[i] += now->of[i] - c->of[publisher].of[i];
	c->of[publisher] = *now;
}

void
live_publisher_gone(struct live *live, unsigned publisher)
{
	if (publisher >= PUBLISHERS_MAX)
		return;
	judge_loop_end_all(live->judge, publisher);
	for (unsigned i = 0; i < live->options->source_count; i++)
		memset(&live->counted[i].of[publisher], 0,
		    sizeof(live->counted[i].of[publisher]));
}

bool
live_is_urgent(const struct live *live)
{
	for (unsigned i = 0; i < live->options->source_count; i++)
		if (judge_loop_is_urgent(live->judge, i))
			return true;
	return false;
}

/* --- writing ------------------------------------------------------------- */

/* Parts of sources that have something. A store that has failed for so long
 * that there is no room costs the oldest of them. */
static void
gather(struct live *live)
{
	for (uint32_t i = 0; i < live->options->source_count; i++) {
		struct yield *yield = judge_loop_part(live->judge, i);

		if (yield == NULL)
			continue;
		tally_add(&live->totals.tally, &yield_finish(yield)->tally);
		if (live->part_count == PARTS_MAX) {
			yield_destroy(live->parts[0].yield);
			memmove(&live->parts[0], &live->parts[1],
			    (PARTS_MAX - 1) * sizeof(*live->parts));
			live->part_count--;
			live->totals.lost_parts++;
		}
		live->parts[live->part_count++] =
		    (struct part){ .yield = yield, .source = i };
	}
}

static int
put_counts(struct live *live, uint32_t source)
{
	const struct live_source *from = &live->options->sources[source];
	const struct counted *c = &live->counted[source];
	struct capture_row row = { .bytes = c->more.of[COUNTER_BYTES],
		.packets = c->more.of[COUNTER_PACKETS],
		.first_ns = c->first_ns,
		.last_ns = c->last_ns,
		.counters = c->more };

	/* Where nothing was said at all, when it was begun. */
	if (c->first_ns > c->last_ns && !c->there)
		row.first_ns = row.last_ns = live->options->started_ns;
	snprintf(row.hash, sizeof(row.hash), "%s", live->hashes[source]);
	snprintf(row.path, sizeof(row.path), "%s", from->path);
	snprintf(row.format, sizeof(row.format), "%s", from->format);
	snprintf(row.link_types, sizeof(row.link_types), "%u", from->link_type);
	snprintf(row.vantage, sizeof(row.vantage), "%s",
	    live->options->vantage);
	return store_capture_add(live->store, &row);
}

/* With the first fact, or at the end: before that nobody knows its times. */
static bool
has_row(const struct live *live, uint32_t source, bool all)
{
	const struct counted *c = &live->counted[source];

	return all || c->there || c->first_ns <= c->last_ns;
}

static int
put_parts(struct live *live, bool all)
{
	const struct capture_names names = { hash_of, live };

	for (uint32_t i = 0; i < live->options->source_count; i++)
		if (has_row(live, i, all) && put_counts(live, i) != 0)
			return -1;
	for (size_t i = 0; i < live->part_count; i++) {
		uint32_t source = live->parts[i].source;
		const struct capture_yield *yield =
		    yield_finish(live->parts[i].yield);
		struct capture_row row = { .tally = yield->tally,
			.first_ns = INT64_MAX,
			.last_ns = INT64_MIN };

		snprintf(row.hash, sizeof(row.hash), "%s",
		    live->hashes[source]);
		if (store_capture_add(live->store, &row) != 0 ||
		    keeping_put(live->store, &names, source, yield, true) != 0)
			return -1;
	}
	return 0;
}

/* --- judging again ------------------------------------------------------- */

static int
on_revised(void *context, const struct incident *in)
{
	struct live *live = context;

	live->totals.revisions++;
	return telling_revised(live->telling, in);
}

static void
learn(struct live *live, const struct endpoint *server)
{
	for (size_t i = 0; i < live->learned_count; i++)
		if (endpoint_equal(&live->learned[i], server))
			return;
	if (live->learned_count < LEARNED_MAX)
		live->learned[live->learned_count++] = *server;
}

/* Sessions that failed before, and what came of them now. */
static int
judge_attempt(struct live *live, struct retrospect *retrospect,
    const struct kept_attempt *kept)
{
	const struct attempt *a = &kept->attempt;

	for (size_t i = 0; i < FAILURES_MAX && i < live->failure_count; i++) {
		const struct failure *f = &live->failures[i];

		if (endpoint_equal(&f->server, &a->server) &&
		    a->first_ns - f->last_ns < FAILURE_AGE_NS &&
		    f->last_ns - a->first_ns < FAILURE_AGE_NS &&
		    retrospect_session(retrospect, f->session) != 0)
			return -1;
	}
	return 0;
}

static void
note_failure(struct live *live, const struct capture_yield *yield,
    const struct kept_session *kept, const struct sighting *sighting)
{
	for (size_t i = 0; i < yield->attempt_count; i++) {
		const struct kept_attempt *a = &yield->attempts[i];
		struct failure *f;

		if (a->attempt.result != ATTEMPT_FAILED ||
		    a->attempt.first_frame != kept->first_frame ||
		    !endpoint_equal(&a->flow.client, &kept->flow.client) ||
		    !endpoint_equal(&a->flow.server, &kept->flow.server))
			continue;
		f = &live->failures[live->failure_count++ % FAILURES_MAX];
		f->server = a->attempt.server;
		f->last_ns = a->attempt.last_ns;
		memcpy(f->session, sighting->session, 16);
		return;
	}
}

static int
judge_part(struct live *live, struct retrospect *retrospect,
    const struct capture_yield *yield)
{
	const struct capture_names names = { hash_of, live };

	for (size_t i = 0; i < yield->kept_count; i++) {
		struct sighting sighting;

		keeping_sighting(&names, &yield->kept[i], &sighting);
		note_failure(live, yield, &yield->kept[i], &sighting);
		if (retrospect_session(retrospect, sighting.session) != 0)
			return -1;
	}
	for (size_t i = 0; i < yield->attempt_count; i++)
		if (judge_attempt(live, retrospect, &yield->attempts[i]) != 0)
			return -1;
	return 0;
}

/* Profiles that came say something of sessions that were kept before. */
static int
judge_learned(struct live *live, struct retrospect *retrospect)
{
	int status = 0;

	for (size_t i = 0; i < live->learned_count && status == 0; i++)
		status = retrospect_server(retrospect, &live->learned[i]);
	return status;
}

static int64_t
now_monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* --- a flush ------------------------------------------------------------- */

/* A transaction; what is told is told behind it. */
static int
commit_parts(struct live *live, bool learned, bool all)
{
	struct retrospect retrospect = { .store = live->store,
		.world = live->world,
		.revised = on_revised,
		.context = live };
	int status;

	if (store_begin(live->store) != 0)
		return -1;
	memcpy(retrospect.policies, live->policies, sizeof(live->policies));
	status = telling_note(live->telling);
	if (status == 0)
		status = put_parts(live, all);
	world_refresh(live->world);
	for (size_t i = 0; i < live->part_count && status == 0; i++)
		status = judge_part(live, &retrospect,
		    yield_finish(live->parts[i].yield));
	if (learned && status == 0)
		status = judge_learned(live, &retrospect);
	memcpy(live->policies, retrospect.policies, sizeof(live->policies));
	if (status != 0) {
		store_rollback(live->store);
		return -1;
	}
	if (store_commit(live->store) != 0)
		return -1;
	telling_noted(live->telling);
	return 0;
}

/* While nothing can be written: each part's once. */
static void
tell_unstored(struct live *live)
{
	const struct capture_names names = { hash_of, live };
	struct retrospect retrospect = { .store = live->store,
		.world = live->world };
	struct incident *in = malloc(sizeof(*in));

	for (size_t i = 0; in != NULL && i < live->part_count; i++) {
		const struct capture_yield *yield =
		    yield_finish(live->parts[i].yield);

		if (live->parts[i].told)
			continue;
		live->parts[i].told = true;
		for (size_t j = 0; j < yield->kept_count; j++) {
			struct sighting sighting;

			keeping_sighting(&names, &yield->kept[j], &sighting);
			if (!retrospect_unstored(&retrospect, &sighting, in))
				continue;
			live->totals.unstored++;
			telling_unstored(live->telling, in);
		}
	}
	free(in);
}

/* They are in the store: gone from here. */
static void
drop_parts(struct live *live, bool all)
{
	for (size_t i = 0; i < live->part_count; i++) {
		const struct capture_yield *yield =
		    yield_finish(live->parts[i].yield);

		for (size_t j = 0; j < yield->profile_count; j++)
			learn(live, &yield->profiles[j].server);
		yield_destroy(live->parts[i].yield);
	}
	live->part_count = 0;
	for (unsigned i = 0; i < live->options->source_count; i++) {
		struct counted *c = &live->counted[i];

		if (!has_row(live, i, all))
			continue;
		c->there = true;
		counters_add(&live->totals.counters, &c->more);
		memset(&c->more, 0, sizeof(c->more));
		c->first_ns = INT64_MAX;
		c->last_ns = INT64_MIN;
	}
}

static int
judge_what_was_learned(struct live *live, int64_t now_ns)
{
	int64_t began_ns = now_monotonic_ns(), took_ns;
	int status = commit_parts(live, true, false);

	took_ns = now_monotonic_ns() - began_ns;
	live->learned_due_ns = now_ns +
	    (took_ns * PATIENCE > LEARNED_EVERY_NS ? took_ns * PATIENCE :
						     LEARNED_EVERY_NS);
	if (status != 0)
		return -1;
	live->learned_count = 0;
	return telling_due(live->telling, now_ns);
}

int
live_flush(struct live *live, int64_t now_ns, bool all)
{
	uint64_t shed;

	gather(live);
	if (commit_parts(live, false, all) != 0) {
		live->totals.failures++;
		tell_unstored(live);
		return -1;
	}
	drop_parts(live, all);
	if (telling_due(live->telling, now_ns) != 0)
		return -1;
	if (live->learned_count > 0 && (all || now_ns >= live->learned_due_ns))
		if (judge_what_was_learned(live, now_ns) != 0)
			return -1;
	if (all && telling_commit(live->telling) != 0)
		return -1;
	if (all || now_ns >= live->shed_due_ns) {
		live->shed_due_ns = now_ns + SHED_EVERY_NS;
		live->policies[0] = '\0';
		world_reload(live->world);
		return store_shed_sightings(live->store,
		    live->options->kept_max, &shed);
	}
	return 0;
}

void
live_totals(const struct live *live, struct live_totals *out)
{
	*out = live->totals;
	out->sessions = judge_loop_sessions(live->judge);
	out->suspects = judge_loop_suspects(live->judge);
	out->waiting = live->part_count;
	out->untold = telling_owes(live->telling);
	out->strays = judge_loop_strays(live->judge);
}
