#include "resolver_cache.h"

#include <stdio.h>

#include <sqlite3.h>

#define BUSY_MS 5000 /* while the resolver writes */

/* A foreign file: its schema may run nothing of ours. */
static int
open_foreign(const char *path, sqlite3 **db)
{
	int code = sqlite3_open_v2(path, db, SQLITE_OPEN_READONLY, NULL);

	if (code != SQLITE_OK)
		return code;
	sqlite3_busy_timeout(*db, BUSY_MS);
	sqlite3_db_config(*db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(*db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	return SQLITE_OK;
}

static int
each_row(sqlite3_stmt *st, resolver_fn *fn, void *context, int *code)
{
	int status = 0;

	while (status == 0 && (*code = sqlite3_step(st)) == SQLITE_ROW) {
		struct resolver_row row = {
			.row = sqlite3_column_int64(st, 0),
			.domain = (const char *)sqlite3_column_text(st, 1),
			.fetched_s = sqlite3_column_int64(st, 2),
			.txt_id = (const char *)sqlite3_column_text(st, 3),
		};
		const void *body = sqlite3_column_blob(st, 4);

		row.body = slice_of(body, (size_t)sqlite3_column_bytes(st, 4));
		if (row.domain == NULL)
			row.domain = "";
		status = fn(context, &row);
	}
	return status;
}

int
resolver_cache_each(const char *path, resolver_fn *fn, void *context,
    char errbuf[STORE_ERRBUF])
{
	sqlite3 *db = NULL;
	sqlite3_stmt *st = NULL;
	int code = open_foreign(path, &db), status = -1;

	if (code == SQLITE_OK)
		code = sqlite3_prepare_v2(db,
		    "SELECT rowid, domain, ts, pol_id, pol_body"
		    " FROM sts_policy_cache ORDER BY domain",
		    -1, &st, NULL);
	if (code == SQLITE_OK) {
		code = SQLITE_DONE;
		status = each_row(st, fn, context, &code);
		if (status == 0 && code != SQLITE_DONE)
			status = -1; /* of the file: callbacks say 1 */
	}
	if (status == -1)
		snprintf(errbuf, STORE_ERRBUF,
		    "%.300s: %.120s; is it the SQLite cache of "
		    "postfix-mta-sts-resolver?",
		    path, db != NULL ? sqlite3_errmsg(db) : "out of memory");
	sqlite3_finalize(st);
	sqlite3_close(db);
	return status;
}
