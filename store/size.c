#include "size.h"

#include <stdio.h>
#include <sys/stat.h>

#include "statement.h"

int
store_measure_bytes(struct store *s, struct store_size *size)
{
	int64_t pages = 0, spare = 0, page = 0;
	char log[sizeof(s->path) + 8];
	struct stat st;

	if (store_ask(s, "PRAGMA page_count", &pages, NULL) < 0 ||
	    store_ask(s, "PRAGMA freelist_count", &spare, NULL) < 0 ||
	    store_ask(s, "PRAGMA page_size", &page, NULL) < 0)
		return -1;
	size->database_bytes = (uint64_t)(pages * page);
	size->free_bytes = (uint64_t)(spare * page);
	snprintf(log, sizeof(log), "%s-wal", s->path);
	size->log_bytes = stat(log, &st) == 0 ? (uint64_t)st.st_size : 0;
	return 0;
}

static int
tell_damage(struct store *s, const char *sql, damage_fn *fn, void *context)
{
	sqlite3_stmt *st;
	int code, status = 0;

	if (sqlite3_prepare_v2(s->db, sql, -1, &st, NULL) != SQLITE_OK)
		return store_failed(s);
	while (status == 0 && (code = step(s, st)) == SQLITE_ROW) {
		char text[256];

		column_text(st, 0, text, sizeof(text));
		if (strcmp(text, "ok") != 0)
			status = fn(context, text);
	}
	if (status == 0 && code != SQLITE_DONE)
		status = store_failed(s);
	sqlite3_finalize(st);
	return status;
}

int
store_check(struct store *s, damage_fn *fn, void *context)
{
	int status = tell_damage(s, "PRAGMA integrity_check", fn, context);

	return status != 0 ?
	    status :
	    tell_damage(s,
		"SELECT 'a row of ' || \"table\" || ' without its ' || parent"
		" FROM pragma_foreign_key_check",
		fn, context);
}

int
store_compact(struct store *s)
{
	return store_execute(s,
	    "PRAGMA auto_vacuum = INCREMENTAL; VACUUM;"
	    "PRAGMA wal_checkpoint(TRUNCATE)");
}
