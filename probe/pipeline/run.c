#include "run.h"

#include <stdio.h>
#include <stdlib.h>

#include "keeping.h"
#include "retrospect.h"

#define TICK_FRAMES 8192

/* A capture that was read; its yield waits in the judge loop. */
struct read_capture {
	struct capture_row row;
	bool dropped; /* stopped, or read before: not written */
};

struct run {
	const struct run_options *options;
	struct store *store;
	struct world *world;
	struct judge_loop *judge;
	struct dissection *dissection;
	struct read_capture *captures;
	size_t count;
	struct capture_row *rows; /* that were written */
	size_t row_count;
	struct counters before; /* at the end of the last capture */
	uint64_t run_frames;
	/* Of the last capture with frames: may its flows go on? */
	bool flows_open;
	size_t last_capture;
	uint32_t last_link_type;
	int64_t last_ns;
};

struct run *
run_create(const struct run_options *options, struct store *store,
    struct world *world, const struct frame_holder *holder, fact_fn *facts,
    void *facts_context)
{
	struct run *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->options = options;
	r->store = store;
	r->world = world;
	r->judge = judge_loop_create(&options->judge, options->trust,
	    world_context_bare(world), facts, facts_context);
	if (r->judge != NULL)
		r->dissection = dissection_create(&options->shards,
		    options->threads, holder, judge_loop_take, r->judge);
	if (r->dissection == NULL) {
		run_destroy(r);
		return NULL;
	}
	return r;
}

void
run_destroy(struct run *r)
{
	if (r == NULL)
		return;
	dissection_destroy(r->dissection);
	judge_loop_destroy(r->judge);
	free(r->captures);
	free(r->rows);
	free(r);
}

const char *
run_path(const struct run *r, uint32_t ordinal)
{
	return ordinal < r->count ? r->captures[ordinal].row.path : "";
}

static struct read_capture *
add_capture(struct run *r, const char *path)
{
	struct read_capture *more =
	    realloc(r->captures, (r->count + 1) * sizeof(*more));

	if (more == NULL)
		return NULL;
	r->captures = more;
	more += r->count++;
	memset(more, 0, sizeof(*more));
	snprintf(more->row.path, sizeof(more->row.path), "%s", path);
	snprintf(more->row.vantage, sizeof(more->row.vantage), "%s",
	    r->options->vantage);
	return more;
}

/*
 * The same content again: the earlier one goes, for flows may go on from the
 * later one into the next file. True: there is one.
 */
static bool
drop_earlier(struct run *r, const struct read_capture *capture)
{
	for (size_t i = 0; i + 1 < r->count; i++) {
		if (r->captures[i].dropped ||
		    strcmp(r->captures[i].row.hash, capture->row.hash) != 0)
			continue;
		r->captures[i].dropped = true;
		return true;
	}
	return false;
}

/* Adds what was counted since the last call. */
static void
count_capture(struct run *r, struct read_capture *capture)
{
	struct counters now;

	dissection_counters(r->dissection, &now);
	for (int i = 0; i < COUNTERS; i++)
		capture->row.counters.of[i] += now.of[i] - r->before.of[i];
	r->before = now;
}

/* Gaps that come to light now, and flows that end, are the last capture's. */
static void
end_flows(struct run *r)
{
	if (!r->flows_open)
		return;
	dissection_end_capture(r->dissection, false);
	count_capture(r, &r->captures[r->last_capture]);
	r->flows_open = false;
}

/* The first frame tells whether flows of the capture before go on in this
 * one: it begins after its last packet, on the same kind of link. */
static void
begin_capture(struct run *r, const struct frame *first, size_t ordinal)
{
	bool go_on = r->flows_open && !r->options->separate &&
	    first->capture_ts_ns > r->last_ns &&
	    first->link_type == r->last_link_type;

	if (!go_on)
		end_flows(r);
	r->flows_open = true;
	r->last_capture = ordinal;
	r->last_ns = INT64_MIN;
}

enum run_result
run_capture(struct run *r, const struct run_source *source,
    const volatile sig_atomic_t *stop,
    void (*tick)(void *context, uint64_t packets, uint64_t sessions,
	uint64_t incidents),
    void *tick_context)
{
	struct read_capture *capture = add_capture(r, source->path);
	uint32_t ordinal = (uint32_t)r->count - 1;
	struct frame frame;
	int status = -1;

	if (capture == NULL)
		return RUN_DAMAGED;
	while ((stop == NULL || !*stop) &&
	    (status = source->next(source->capture, &frame)) == 1) {
		if (frame.number == 1)
			begin_capture(r, &frame, ordinal);
		frame.capture = ordinal;
		frame.run_number = ++r->run_frames;
		r->last_link_type = frame.link_type;
		if (frame.capture_ts_ns > r->last_ns)
			r->last_ns = frame.capture_ts_ns;
		dissection_frame(r->dissection, &frame,
		    source->block(source->capture));
		if (tick != NULL && frame.number % TICK_FRAMES == 0)
			tick(tick_context, r->run_frames,
			    judge_loop_sessions(r->judge),
			    judge_loop_suspects(r->judge));
	}
	dissection_end_capture(r->dissection, true);
	source->describe(source->capture, &capture->row);
	count_capture(r, capture);
	if (stop != NULL && *stop) {
		capture->dropped = true;
		return RUN_STOPPED;
	}
	if (drop_earlier(r, capture))
		return RUN_KNOWN;
	return status == 0 ? RUN_READ : RUN_DAMAGED;
}

/* --- writing ------------------------------------------------------------- */

static const char *
hash_of(void *context, uint32_t ordinal)
{
	const struct run *r = context;

	return ordinal < r->count ? r->captures[ordinal].row.hash : "";
}

static int
put_capture(struct run *r, uint32_t ordinal)
{
	struct read_capture *capture = &r->captures[ordinal];
	const struct capture_names names = { hash_of, r };
	const struct capture_yield *yield = judge_loop_yield(r->judge, ordinal);

	if (yield != NULL)
		capture->row.tally = yield->tally;
	if (store_capture_begin(r->store, &capture->row) != 0)
		return -1;
	if (store_capture_counts(r->store, &capture->row.counters,
		&capture->row.tally) != 0 ||
	    (yield != NULL &&
		keeping_put(r->store, &names, ordinal, yield, false) != 0)) {
		store_capture_abort(r->store);
		return -1;
	}
	if (store_capture_commit(r->store) != 0)
		return -1;
	r->rows[r->row_count++] = capture->row;
	return 0;
}

/* --- judging what was touched -------------------------------------------- */

struct servers {
	struct endpoint *list;
	size_t count, room;
};

static void
add_server(struct servers *s, const struct endpoint *server)
{
	if (s->count > 0 && endpoint_equal(&s->list[s->count - 1], server))
		return;
	if (s->count == s->room) {
		size_t room = s->room ? s->room * 2 : 256;
		struct endpoint *more = realloc(s->list, room * sizeof(*more));

		if (more == NULL)
			return;
		s->list = more;
		s->room = room;
	}
	s->list[s->count++] = *server;
}

static int
endpoint_compare(const void *a, const void *b)
{
	const struct endpoint *l = a, *r = b;
	int order = address_compare(&l->address, &r->address);

	return order ? order : l->port < r->port ? -1 : l->port > r->port;
}

/* Servers of whom this run has learned something, each once, in order. */
static void
touched_servers(struct run *r, struct servers *out)
{
	size_t n = 0;

	for (uint32_t i = 0; i < r->count; i++) {
		const struct capture_yield *yield = r->captures[i].dropped ?
		    NULL :
		    judge_loop_yield(r->judge, i);

		for (size_t j = 0; yield != NULL && j < yield->profile_count;
		     j++)
			add_server(out, &yield->profiles[j].server);
		for (size_t j = 0; yield != NULL && j < yield->kept_count; j++)
			add_server(out, &yield->kept[j].flow.server);
	}
	if (out->count == 0)
		return;
	qsort(out->list, out->count, sizeof(*out->list), endpoint_compare);
	for (size_t i = 1; i < out->count; i++)
		if (!endpoint_equal(&out->list[n], &out->list[i]))
			out->list[++n] = out->list[i];
	out->count = n + 1;
}

static int
judge_touched(struct run *r)
{
	struct retrospect retrospect = { .store = r->store, .world = r->world };
	struct servers servers = { 0 };
	uint64_t kept = 0;
	int status = 0;

	world_refresh(r->world);
	if (store_count_sightings(r->store, &kept) != 0)
		return -1;
	if (kept > 0)
		touched_servers(r, &servers);
	if (store_begin(r->store) != 0)
		status = -1;
	for (size_t i = 0; i < servers.count && status == 0; i++)
		status = retrospect_server(&retrospect, &servers.list[i]);
	if (status == 0)
		status = store_commit(r->store);
	else
		store_rollback(r->store);
	free(servers.list);
	return status;
}

int
run_finish(struct run *r)
{
	uint64_t shed = 0;
	int status = 0;

	end_flows(r);
	r->rows = calloc(r->count + 1, sizeof(*r->rows));
	if (r->rows == NULL)
		return -1;
	for (uint32_t i = 0; i < r->count && status == 0; i++)
		if (!r->captures[i].dropped)
			status = put_capture(r, i);
	/* What leads to an incident is known only then. */
	if (status == 0)
		status = judge_touched(r);
	if (status == 0)
		status =
		    store_shed_sightings(r->store, r->options->kept_max, &shed);
	return status;
}

size_t
run_captures(const struct run *r, const struct capture_row **out)
{
	*out = r->rows;
	return r->row_count;
}

uint64_t
run_unjudged(const struct run *r)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < r->row_count; i++)
		for (int j = 0; j < UNJUDGED_VALUES; j++)
			sum += r->rows[i].tally.unjudged[j];
	return sum;
}
