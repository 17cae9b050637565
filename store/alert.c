#include "alert.h"

#include <stdio.h>
#include <stdlib.h>

#include "incident_row.h"

int
store_alert_due(struct store *s, const char *incident, uint64_t after)
{
	sqlite3_stmt *st = statement(s,
	    "INSERT INTO alert SELECT ?1,"
	    " max(?2, (SELECT coalesce(max(due), 0) FROM alert)) + 1, 0, 0, 0"
	    " WHERE true ON CONFLICT (incident) DO UPDATE SET"
	    " due = excluded.due");

	if (st == NULL)
		return -1;
	bind_text(s, st, 1, incident);
	bind_u64(st, 2, after);
	return step_done(s, st);
}

int
store_alert_told(struct store *s, const char *incident,
    const struct alert_mark *mark)
{
	sqlite3_stmt *st = statement(s,
	    "UPDATE alert SET due = iif(?4, due, NULL), alerted = ?2,"
	    " severity = ?3, owed = ?4 WHERE incident = ?1");

	if (st == NULL)
		return -1;
	bind_text(s, st, 1, incident);
	sqlite3_bind_int64(st, 2, mark->revision);
	sqlite3_bind_int64(st, 3, mark->severity);
	sqlite3_bind_int64(st, 4, mark->owed);
	return step_done(s, st);
}

/* NULL after store_failed(). */
static struct incident *
incident_room(struct store *s)
{
	struct incident *in = malloc(sizeof(*in));

	if (in == NULL)
		snprintf(s->error, sizeof(s->error), "%.300s: out of memory",
		    s->path);
	return in;
}

int
store_each_due_alert(struct store *s, uint64_t after, size_t most,
    due_alert_fn *fn, void *context)
{
	sqlite3_stmt *st = statement(s,
	    "SELECT " INCIDENT_COLUMNS ", due FROM alert"
	    " JOIN incident ON id = alert.incident"
	    " JOIN revision ON revision.incident = id AND revision = latest"
	    " WHERE due > ?1 ORDER BY due LIMIT ?2");
	struct incident *in = st == NULL ? NULL : incident_room(s);
	int code = SQLITE_DONE, status = 0;

	if (in == NULL)
		return -1;
	bind_u64(st, 1, after);
	bind_u64(st, 2, most);
	while (status == 0 && (code = step(s, st)) == SQLITE_ROW) {
		int last = sqlite3_column_count(st) - 1;

		status = incident_row_read(s, st, in);
		if (status == 0)
			status = store_words_of(s, in);
		if (status == 0)
			status = fn(context,
			    (uint64_t)sqlite3_column_int64(st, last), in);
	}
	free(in);
	return rows_end(s, st, code, status);
}

int
store_each_alerted(struct store *s, alerted_fn *fn, void *context)
{
	sqlite3_stmt *st = statement(s,
	    "SELECT " TRACE_COLUMNS ", alerted, severity, owed FROM alert"
	    " JOIN incident ON id = alert.incident"
	    " JOIN revision ON revision.incident = id"
	    " AND revision = iif(alerted > 0, alerted, latest)"
	    " WHERE due IS NULL OR alerted > 0");
	struct incident *in = st == NULL ? NULL : incident_room(s);
	int code = SQLITE_DONE, status = 0;

	if (in == NULL)
		return -1;
	while (status == 0 && (code = step(s, st)) == SQLITE_ROW) {
		int last = sqlite3_column_count(st) - 1;
		struct alert_mark mark = {
			.revision =
			    (unsigned)sqlite3_column_int64(st, last - 2),
			.severity =
			    (unsigned)sqlite3_column_int64(st, last - 1),
			.owed = (unsigned)sqlite3_column_int64(st, last),
		};

		incident_row_trace(st, in);
		status = store_rules_cover(s, in);
		if (status == 0)
			status = fn(context, in, &mark);
	}
	free(in);
	return rows_end(s, st, code, status);
}
