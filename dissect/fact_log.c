#include "fact_log.h"

#include <stdlib.h>

/* Each size has a list of what was given back: 256 octets, 384, 512, 768 and
 * so on to 64 KiB. */
#define SMALLEST_BYTES 256
#define SIZE_CLASSES 17
/* What the end of a session takes: opaque-end and acknowledged of both
 * directions, closed. */
#define ENDING_BYTES (5 * FACT_HEADER_MAX_BYTES)

struct free_room {
	struct free_room *next;
};

struct fact_pool {
	size_t budget_bytes, used_bytes;
	size_t spare_bytes; /* that were given back */
	struct free_room *spare[SIZE_CLASSES];
	struct counters *counters;
	publish_fn *publish;
	void *context;
	uint64_t batch, run_frame;
	uint32_t shard, ordinal;
};

static size_t
size_of(int class)
{
	return (size_t)(SMALLEST_BYTES / 2 * (2 + class % 2)) << class / 2;
}

static int
class_of(size_t bytes)
{
	int class = 0;

	while (class < SIZE_CLASSES && size_of(class) < bytes)
		class ++;
	return class;
}

static void *
take_spare(struct fact_pool *pool, int class)
{
	struct free_room *room = pool->spare[class];

	if (room == NULL)
		return NULL;
	pool->spare[class] = room->next;
	pool->spare_bytes -= size_of(class);
	return room;
}

struct fact_pool *
fact_pool_create(size_t budget_bytes, struct counters *counters,
    publish_fn *publish, void *context)
{
	struct fact_pool *pool = calloc(1, sizeof(*pool));

	if (pool == NULL)
		return NULL;
	pool->budget_bytes = budget_bytes;
	pool->counters = counters;
	pool->publish = publish;
	pool->context = context;
	return pool;
}

void
fact_pool_destroy(struct fact_pool *pool)
{
	if (pool == NULL)
		return;
	for (int class = 0; class < SIZE_CLASSES; class ++)
		while (pool->spare[class] != NULL)
			free(take_spare(pool, class));
	free(pool);
}

void
fact_pool_mute(struct fact_pool *pool)
{
	pool->publish = NULL;
}

void
fact_pool_stamp(struct fact_pool *pool, uint64_t batch, uint64_t run_frame,
    uint32_t shard)
{
	if (pool->batch != batch || pool->run_frame != run_frame ||
	    pool->shard != shard)
		pool->ordinal = 0;
	pool->batch = batch;
	pool->run_frame = run_frame;
	pool->shard = shard;
}

size_t
fact_pool_fit(size_t bytes)
{
	return size_of(class_of(bytes));
}

/* What lies about in other sizes is within the budget too. */
static void *
make_room(struct fact_pool *pool, size_t size)
{
	int class = SIZE_CLASSES - 1;

	while (fact_pool_held(pool) + size > pool->budget_bytes) {
		if (pool->spare[class] != NULL)
			free(take_spare(pool, class));
		else
			class --;
	}
	return malloc(size);
}

void *
fact_pool_take(struct fact_pool *pool, size_t bytes)
{
	int class = class_of(bytes);
	size_t size = size_of(class);
	void *room;

	if (class >= SIZE_CLASSES ||
	    pool->used_bytes + size > pool->budget_bytes)
		return NULL;
	room = take_spare(pool, class);
	if (room == NULL)
		room = make_room(pool, size);
	if (room != NULL)
		pool->used_bytes += size;
	return room;
}

void
fact_pool_give(struct fact_pool *pool, void *place, size_t bytes)
{
	int class = class_of(bytes);
	struct free_room *room = place;

	if (room == NULL)
		return;
	pool->used_bytes -= size_of(class);
	pool->spare_bytes += size_of(class);
	room->next = pool->spare[class];
	pool->spare[class] = room;
}

size_t
fact_pool_used(const struct fact_pool *pool)
{
	return pool->used_bytes;
}

size_t
fact_pool_held(const struct fact_pool *pool)
{
	return pool->used_bytes + pool->spare_bytes;
}

bool
fact_pool_is_tight(const struct fact_pool *pool)
{
	return pool->used_bytes >= pool->budget_bytes / 2;
}

bool
fact_pool_is_scarce(const struct fact_pool *pool)
{
	return pool->used_bytes > pool->budget_bytes / 4 * 3;
}

void
fact_log_open(struct fact_log *log, struct fact_pool *pool, uint64_t session)
{
	memset(log, 0, sizeof(*log));
	log->pool = pool;
	log->session = session;
}

/*
 * Room for `more` octets; short negotiations start small and grow, so that a
 * thousand of them do not hold 8 KiB each for a greeting. False: the budget or
 * the limit is spent.
 */
static bool
log_grow(struct fact_log *log, size_t more)
{
	size_t want = log->length + more, room;
	uint8_t *bytes;

	if (want <= log->room)
		return true;
	if (want > FACT_LOG_MAX_BYTES)
		return false;
	room = fact_pool_fit(
	    want < FACT_LOG_START_BYTES ? FACT_LOG_START_BYTES : want);
	if (room > FACT_LOG_PLAIN_BYTES &&
	    log->pool->used_bytes + room > log->pool->budget_bytes / 2)
		return false;
	bytes = fact_pool_take(log->pool, room);
	if (bytes == NULL)
		return false;
	if (log->length > 0)
		memcpy(bytes, log->bytes, log->length);
	fact_pool_give(log->pool, log->bytes, log->room);
	log->bytes = bytes;
	log->room = (uint32_t)room;
	return true;
}

static void
log_put(struct fact_log *log, struct fact *fact, struct slice bytes,
    const struct origin *at)
{
	fact->observability = log->observability |
	    (at->one_sided ? OBS_ONE_SIDED : 0);
	fact->length = (uint32_t)bytes.len;
	fact->frame = at->frame;
	fact->capture_ts_ns = at->capture_ts_ns;
	fact->stream_offset = at->stream_offset;
	fact->capture = at->capture;
	log->length +=
	    (uint32_t)fact_encode(fact, bytes, log->bytes + log->length);
}

/* Keeps nothing more from here on; the room for saying so was left. */
static void
log_limit(struct fact_log *log, size_t more, const struct origin *at)
{
	struct fact fact = { .code = FACT_OVER_LIMIT };
	bool pool_spent = log->length + more <= FACT_LOG_MAX_BYTES;

	log->over_limit = true;
	log->observability |= OBS_OVER_LIMIT;
	count(log->pool->counters,
	    pool_spent ? COUNTER_LOG_EVICTED : COUNTER_FACTS_OVER_LIMIT);
	if (log_grow(log, FACT_HEADER_MAX_BYTES))
		log_put(log, &fact, slice_of(NULL, 0), at);
}

void
fact_log_append(struct fact_log *log, struct fact *fact, struct slice bytes,
    const struct origin *at)
{
	/* The end is always told, and that there are two versions: who makes
	 * a reply endless must not hide that. It needs a header or two. */
	bool final = fact->code == FACT_CLOSED ||
	    fact->code == FACT_ACKNOWLEDGED || fact->code == FACT_OPAQUE_END ||
	    fact->code == FACT_COPIES_DIFFER;
	size_t more =
	    FACT_HEADER_MAX_BYTES + bytes.len + (final ? 0 : ENDING_BYTES);

	if (log->over_limit && !final)
		return;
	if (!log_grow(log, more)) {
		if (!log->over_limit)
			log_limit(log, more, at);
		if (!final || !log_grow(log, FACT_HEADER_MAX_BYTES + bytes.len))
			return;
	}
	log_put(log, fact, bytes, at);
}

void
fact_log_publish(struct fact_log *log, enum decision decision)
{
	struct fact_pool *pool = log->pool;
	struct publication publication = {
		.batch = pool->batch,
		.capture_frame = pool->run_frame,
		.session = log->session,
		.shard = pool->shard,
		.ordinal = pool->ordinal++,
		.decision = decision,
	};

	for (uint32_t at = 0; at < log->length;)
		at += (uint32_t)fact_mark_acked(log->bytes + at, log->acked);
	publication.facts_bytes = log->length;
	if (pool->publish != NULL)
		pool->publish(pool->context, &publication,
		    slice_of(log->bytes, log->length));
	fact_log_close(log);
}

void
fact_log_close(struct fact_log *log)
{
	fact_pool_give(log->pool, log->bytes, log->room);
	log->bytes = NULL;
	log->length = log->room = 0;
}
