#include "retention.h"

#include <stdio.h>
#include <stdlib.h>

#include "size.h"
#include "statement.h"

#define STEP_ROWS 256
#define STEP_INCIDENTS 32 /* each has revisions, and they evidence */
#define STEP_CAPTURES 16  /* each has a hundred counts */
/* A mebibyte goes back to the file system. */
#define STEP_VACUUM "PRAGMA incremental_vacuum(128)"
/* Too many bytes: the time that history covers is cut from its old end in as
 * many slices, then that of the incidents. */
#define SLICES 16
/* Sessions that an incident holds are passed over again once in so many
 * passes, not in each. */
#define PASSES_A_ROUND 60

static const char *const names[RETAINED_SORTS] = { "incidents", "sessions",
	"profiles", "attempts", "clear", "captures", "rest" };

/*
 * What is to be done with each sort. `remove` takes a time (?1) and a number
 * of rows (?2); `per_step` bounds it. Kept sessions are looked at one by one.
 */
static const struct shelf {
	const char *count, *span, *remove;
	unsigned per_step;
} shelves[] = {
	[RETAINED_INCIDENTS] = { "SELECT count(*) FROM incident",
	    "SELECT min(capture_ts_ns), max(capture_ts_ns) FROM incident",
	    "DELETE FROM incident WHERE id IN (SELECT id FROM incident"
	    " WHERE capture_ts_ns < ?1 ORDER BY capture_ts_ns, id LIMIT ?2)",
	    STEP_INCIDENTS },
	[RETAINED_SESSIONS] = { "SELECT count(*) FROM sighting",
	    "SELECT min(first_ns), max(first_ns) FROM sighting", NULL,
	    STEP_ROWS },
	[RETAINED_PROFILES] = { "SELECT count(*) FROM profile",
	    "SELECT min(last_ns), max(last_ns) FROM profile",
	    "DELETE FROM profile WHERE (server, port, client, verb,"
	    " ending_class, tls_version, offered, keywords, certificate, home,"
	    " server_ttl, capture, first_ns) IN (SELECT server, port, client,"
	    " verb, ending_class, tls_version, offered, keywords, certificate,"
	    " home, server_ttl, capture, first_ns FROM profile"
	    " WHERE last_ns < ?1"
	    " ORDER BY last_ns LIMIT ?2)",
	    STEP_ROWS },
	[RETAINED_ATTEMPTS] = { "SELECT count(*) FROM attempt",
	    "SELECT min(last_ns), max(last_ns) FROM attempt",
	    "DELETE FROM attempt WHERE (server, port, first_ns, session,"
	    " capture) IN (SELECT server, port, first_ns, session, capture"
	    " FROM attempt WHERE last_ns < ?1 ORDER BY last_ns LIMIT ?2)",
	    STEP_ROWS },
	[RETAINED_CLEAR] = { "SELECT count(*) FROM clear_enforce",
	    "SELECT min(day_ns), max(day_ns) FROM clear_enforce",
	    "DELETE FROM clear_enforce WHERE (client, domain, day_ns, capture)"
	    " IN (SELECT client, domain, day_ns, capture FROM clear_enforce"
	    " WHERE day_ns < ?1 ORDER BY day_ns LIMIT ?2)",
	    STEP_ROWS },
	/* Its counts go with it; not while something speaks of it. */
	[RETAINED_CAPTURES] = { "SELECT count(*) FROM capture",
	    "SELECT min(last_ns), max(last_ns) FROM capture",
	    "DELETE FROM capture WHERE hash IN (SELECT hash FROM capture AS c"
	    " WHERE last_ns < ?1"
	    " AND NOT EXISTS (SELECT 1 FROM sighting WHERE capture = c.hash)"
	    " AND NOT EXISTS (SELECT 1 FROM sighting"
	    "  WHERE further_captures IS NOT NULL"
	    "  AND instr(further_captures, c.hash))"
	    " AND NOT EXISTS (SELECT 1 FROM revision WHERE capture = c.hash)"
	    " ORDER BY last_ns LIMIT ?2)",
	    STEP_CAPTURES },
};
#define SHELVES (sizeof(shelves) / sizeof(*shelves))

/* What `read` never asks for, and so does not pay for. */
static const char indexes[] =
    "CREATE INDEX IF NOT EXISTS retention_sighting"
    " ON sighting (first_ns, session, capture);"
    "CREATE INDEX IF NOT EXISTS retention_further"
    " ON sighting (further_captures) WHERE further_captures IS NOT NULL;"
    "CREATE INDEX IF NOT EXISTS retention_profile ON profile (last_ns);"
    "CREATE INDEX IF NOT EXISTS retention_keywords ON profile (keywords);"
    "CREATE INDEX IF NOT EXISTS retention_attempt ON attempt (last_ns);"
    "CREATE INDEX IF NOT EXISTS retention_clear ON clear_enforce (day_ns);"
    "CREATE INDEX IF NOT EXISTS retention_held ON incident_session (session);"
    "CREATE INDEX IF NOT EXISTS retention_named ON revision (capture);";

/* Where a walk over the kept sessions stands. */
struct place {
	int64_t first_ns;
	uint8_t session[16];
	char capture[CAPTURE_HASH_BYTES];
};

struct retention {
	struct store *store;
	struct retention_limits limits;
	struct retention_totals totals;
	bool running;		       /* within a pass */
	unsigned passes, phase, slice; /* slice 0: bytes are not too many */
	int64_t history_cut_ns, evidence_cut_ns;
	uint64_t excess[RETAINED_SORTS]; /* rows beyond their limit */
	struct place at;
};

const char *
retained_name(enum retained sort)
{
	return names[sort];
}

/* --- asking -------------------------------------------------------------- */

static int
measure_span(struct store *s, int64_t *oldest, int64_t *newest)
{
	*oldest = INT64_MAX;
	*newest = INT64_MIN;
	for (int i = 0; i < RETAINED_CAPTURES; i++) {
		int64_t from, until;
		int status = store_ask(s, shelves[i].span, &from, &until);

		if (status < 0)
			return -1;
		if (status == 0 && from < *oldest)
			*oldest = from;
		if (status == 0 && until > *newest)
			*newest = until;
	}
	return 0;
}

int
store_measure_content(struct store *s, struct store_content *out)
{
	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < SHELVES; i++) {
		int64_t count = 0;

		if (store_ask(s, shelves[i].count, &count, NULL) < 0)
			return -1;
		out->rows[i] = (uint64_t)count;
	}
	return measure_span(s, &out->oldest_ns, &out->newest_ns);
}

/* --- taking away --------------------------------------------------------- */

/* The rows that went; -1: failed. */
static int64_t
remove_oldest(struct retention *r, enum retained sort, int64_t cut_ns,
    uint64_t rows)
{
	sqlite3_stmt *st = statement(r->store, shelves[sort].remove);

	if (st == NULL)
		return -1;
	sqlite3_bind_int64(st, 1, cut_ns);
	bind_u64(st, 2, rows);
	if (step_done(r->store, st) != 0)
		return -1;
	return sqlite3_changes(r->store->db);
}

static int
remove_session(struct store *s, const struct place *p)
{
	sqlite3_stmt *st = statement(s,
	    "DELETE FROM sighting WHERE session = ? AND capture = ?");

	if (st == NULL)
		return -1;
	bind_blob(s, st, 1, p->session, 16);
	bind_text(s, st, 2, p->capture);
	return step_done(s, st);
}

/* The next kept sessions behind `at` and before `cut_ns`; of these, those that
 * no incident holds. Moves `at`. The number that was looked at; -1: failed. */
static int64_t
walk_sessions(struct retention *r, int64_t cut_ns,
    struct place unheld[STEP_ROWS], unsigned *unheld_count)
{
	struct store *s = r->store;
	sqlite3_stmt *st = statement(s,
	    "SELECT first_ns, session, capture, EXISTS (SELECT 1 FROM incident"
	    "  WHERE incident.session = sighting.session)"
	    " OR EXISTS (SELECT 1 FROM incident_session AS held"
	    "  WHERE held.session = sighting.session)"
	    " FROM sighting WHERE first_ns < ?1"
	    " AND (first_ns, session, capture) > (?2, ?3, ?4)"
	    " ORDER BY first_ns, session, capture LIMIT ?5");
	int64_t seen = 0;
	int code;

	if (st == NULL)
		return -1;
	sqlite3_bind_int64(st, 1, cut_ns);
	sqlite3_bind_int64(st, 2, r->at.first_ns);
	bind_blob(s, st, 3, r->at.session, 16);
	bind_text(s, st, 4, r->at.capture);
	sqlite3_bind_int(st, 5, STEP_ROWS);
	while ((code = step(s, st)) == SQLITE_ROW) {
		struct slice session = column_blob(st, 1);

		r->at.first_ns = sqlite3_column_int64(st, 0);
		if (session.len == 16)
			memcpy(r->at.session, session.ptr, 16);
		column_text(st, 2, r->at.capture, sizeof(r->at.capture));
		if (!sqlite3_column_int(st, 3))
			unheld[(*unheld_count)++] = r->at;
		seen++;
	}
	sqlite3_reset(st);
	return code == SQLITE_DONE ? seen : store_failed(s);
}

/* As thin(); what is held is passed over, and counts as looked at. */
static int
thin_sessions(struct retention *r)
{
	struct place unheld[STEP_ROWS];
	uint64_t *excess = &r->excess[RETAINED_SESSIONS];
	unsigned count = 0;
	int64_t seen = walk_sessions(r,
	    *excess > 0 ? INT64_MAX : r->history_cut_ns, unheld, &count);

	if (seen < 0)
		return -1;
	if (*excess > 0) {
		count = count < *excess ? count : (unsigned)*excess;
		*excess -= count;
	}
	for (unsigned i = 0; i < count; i++)
		if (remove_session(r->store, &unheld[i]) != 0)
			return -1;
	r->totals.removed[RETAINED_SESSIONS] += count;
	return seen < STEP_ROWS;
}

/* Small tables, and what nothing refers to any more; as thin(). */
static int
thin_rest(struct retention *r)
{
	static const char *const sql[] = {
		"DELETE FROM policy_event WHERE at_ns < ?1",
		"DELETE FROM tls_report WHERE end_ns < ?1",
		"DELETE FROM run WHERE started < strftime('%Y-%m-%dT%H:%M:%SZ',"
		" ?1 / 1000000000, 'unixepoch')",
		"DELETE FROM keyword_list WHERE NOT EXISTS (SELECT 1 FROM"
		" profile WHERE keywords = hash)",
		"DELETE FROM reply WHERE NOT EXISTS (SELECT 1 FROM sighting"
		" WHERE sighting.reply = reply.hash)",
	};

	for (size_t i = 0; i < sizeof(sql) / sizeof(*sql); i++) {
		sqlite3_stmt *st = statement(r->store, sql[i]);

		if (st == NULL)
			return -1;
		if (sqlite3_bind_parameter_count(st) > 0)
			sqlite3_bind_int64(st, 1, r->evidence_cut_ns);
		if (step_done(r->store, st) != 0)
			return -1;
		r->totals.removed[RETAINED_REST] +=
		    (uint64_t)sqlite3_changes(r->store->db);
	}
	return 1;
}

/* Some of one sort; 1: it is done, 0: there may be more, -1: failed. */
static int
thin(struct retention *r, enum retained sort)
{
	int64_t cut_ns = sort == RETAINED_INCIDENTS ? r->evidence_cut_ns :
						      r->history_cut_ns;
	uint64_t rows = shelves[sort].per_step, *excess = &r->excess[sort];
	bool many = *excess > 0;
	int64_t gone;

	if (many) {
		cut_ns = INT64_MAX;
		rows = *excess < rows ? *excess : rows;
	}
	gone = remove_oldest(r, sort, cut_ns, rows);
	if (gone < 0)
		return -1;
	r->totals.removed[sort] += (uint64_t)gone;
	if (many)
		*excess -= (uint64_t)gone;
	if (sort == RETAINED_INCIDENTS && gone > 0)
		r->at = (struct place){ .first_ns = INT64_MIN };
	return many ? gone == 0 : (uint64_t)gone < rows;
}

/* --- passes -------------------------------------------------------------- */

static int64_t
cut_of(int64_t now_ns, int64_t age_ns)
{
	return age_ns == 0 ? INT64_MIN : now_ns - age_ns;
}

/* Beyond the ages: the next slice of the time that there is. */
static int
squeeze(struct retention *r)
{
	int64_t oldest, newest, cut;
	unsigned of_incidents = r->slice > SLICES ? r->slice - SLICES : 0;

	if (measure_span(r->store, &oldest, &newest) != 0)
		return -1;
	if (oldest > newest)
		return 0;
	cut = r->slice >= SLICES ?
	    newest + 1 :
	    oldest + (newest - oldest) / (SLICES - (int64_t)r->slice + 1) + 1;
	if (cut > r->history_cut_ns)
		r->history_cut_ns = cut;
	if (of_incidents == 0)
		return 0;
	cut = of_incidents >= SLICES ? newest + 1 :
				       oldest +
		(newest - oldest) / (SLICES - (int64_t)of_incidents + 1) + 1;
	if (cut > r->evidence_cut_ns)
		r->evidence_cut_ns = cut;
	return 0;
}

static int
count_excess(struct retention *r)
{
	const struct retention_limits *l = &r->limits;
	const uint64_t most[RETAINED_SORTS] = {
		[RETAINED_INCIDENTS] = l->incidents,
		[RETAINED_SESSIONS] = l->rows,
		[RETAINED_PROFILES] = l->rows,
		[RETAINED_ATTEMPTS] = l->rows,
	};

	for (int i = 0; i <= RETAINED_ATTEMPTS; i++) {
		int64_t count = 0;

		r->excess[i] = 0;
		if (most[i] == 0)
			continue;
		if (store_ask(r->store, shelves[i].count, &count, NULL) < 0)
			return -1;
		if ((uint64_t)count > most[i])
			r->excess[i] = (uint64_t)count - most[i];
	}
	return 0;
}

static int
begin_pass(struct retention *r, int64_t now_ns)
{
	r->history_cut_ns = cut_of(now_ns, r->limits.history_ns);
	r->evidence_cut_ns = cut_of(now_ns, r->limits.evidence_ns);
	r->phase = 0;
	if (r->slice > 0 || r->passes++ % PASSES_A_ROUND == 0)
		r->at = (struct place){ .first_ns = INT64_MIN };
	if (count_excess(r) != 0 || (r->slice > 0 && squeeze(r) != 0))
		return -1;
	if (r->excess[RETAINED_SESSIONS] > 0)
		r->at = (struct place){ .first_ns = INT64_MIN };
	r->running = true;
	return 0;
}

/* Free pages to the file system, and the log back into the database. `held`:
 * who reads holds the log, and what was freed cannot be given back yet. */
static int
tidy(struct retention *r, bool *held)
{
	sqlite3 *db = r->store->db;
	int log = 0, done = 0, code;

	if (store_execute(r->store, STEP_VACUUM) != 0)
		return -1;
	code = sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE,
	    &log, &done);
	*held = code != SQLITE_OK || done < log;
	r->totals.log_held += *held;
	if (*held)
		return 0;
	/* What is all written back already is only cut to its length. */
	sqlite3_busy_timeout(db, 0);
	sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL,
	    NULL);
	sqlite3_busy_timeout(db, r->store->patience_ms);
	return 0;
}

/* What stands in the way of an end: too many bytes, or free pages that can be
 * given back. */
static int
look_at_bytes(struct retention *r, bool *over, bool *free)
{
	struct store_size size;
	int64_t vacuum = 0;
	uint64_t bytes;

	if (store_measure_bytes(r->store, &size) != 0 ||
	    store_ask(r->store, "PRAGMA auto_vacuum", &vacuum, NULL) < 0)
		return -1;
	*free = vacuum == 2 && size.free_bytes > 0;
	/* Free pages of an old database stay in it, and are written again. */
	bytes = size.database_bytes + size.log_bytes - size.free_bytes;
	*over = r->limits.bytes > 0 && bytes > r->limits.bytes;
	return 0;
}

/* One transaction. */
static int
take_step(struct retention *r)
{
	int status;

	if (store_begin(r->store) != 0)
		return -1;
	do {
		if (r->phase == RETAINED_SESSIONS)
			status = thin_sessions(r);
		else if (r->phase < SHELVES)
			status = thin(r, (enum retained)r->phase);
		else
			status = thin_rest(r);
		if (status == 1)
			r->phase++;
	} while (status == 1 && r->phase <= SHELVES);
	if (status >= 0)
		return store_commit(r->store);
	store_rollback(r->store);
	return -1;
}

/* Ends a pass, or goes on with the next slice. */
static bool
end_pass(struct retention *r, bool over)
{
	r->running = false;
	if (over && r->slice < 2 * SLICES) {
		r->slice++;
		return true;
	}
	r->slice = 0;
	return false;
}

/* After a step: is there another one to do? */
static int
go_on(struct retention *r, bool *more)
{
	bool over, free, held;

	if (tidy(r, &held) != 0 || look_at_bytes(r, &over, &free) != 0)
		return -1;
	if (r->slice > 0 && (!over || held)) {
		/* Small enough; or it would not become smaller now. */
		r->slice = 0;
		r->phase = SHELVES + 1;
		over = false;
	}
	*more = true;
	if (r->phase <= SHELVES)
		return 0;
	if (free && !held)
		r->phase = SHELVES;
	else
		*more = end_pass(r, over && !held);
	return 0;
}

int
retention_step(struct retention *r, int64_t now_ns, bool *more)
{
	struct retention_totals before = r->totals;

	*more = false;
	if (!r->running && begin_pass(r, now_ns) != 0)
		return -1;
	if (take_step(r) != 0) {
		r->totals = before;
		r->at = (struct place){ .first_ns = INT64_MIN };
		r->running = false;
		return -1;
	}
	r->totals.steps++;
	return go_on(r, more);
}

/* --- life ---------------------------------------------------------------- */

struct retention *
retention_create(struct store *s, const struct retention_limits *limits)
{
	struct retention *r = calloc(1, sizeof(*r));

	if (r == NULL) {
		snprintf(s->error, sizeof(s->error), "%.300s: out of memory",
		    s->path);
		return NULL;
	}
	r->store = s;
	r->at.first_ns = INT64_MIN;
	retention_set_limits(r, limits);
	if (store_execute(s, indexes) != 0) {
		free(r);
		return NULL;
	}
	return r;
}

void
retention_destroy(struct retention *r)
{
	free(r);
}

void
retention_set_limits(struct retention *r, const struct retention_limits *limits)
{
	r->limits = *limits;
}

const struct retention_totals *
retention_totals(const struct retention *r)
{
	return &r->totals;
}
