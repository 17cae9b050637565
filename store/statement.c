#include "statement.h"

#include <stdio.h>

int
store_failed(struct store *s)
{
	int code = sqlite3_errcode(s->db);
	const char *what = sqlite3_errmsg(s->db), *remedy = "";

	/* A value that could not be bound, and another one that could. */
	if (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE)
		what = sqlite3_errstr(SQLITE_NOMEM);

	if (code == SQLITE_READONLY || code == SQLITE_CANTOPEN ||
	    code == SQLITE_PERM)
		remedy = "; name another place with --db";
	else if (code == SQLITE_FULL || code == SQLITE_IOERR)
		remedy = "; make room, or name another place with --db";
	else if (code == SQLITE_NOTADB)
		remedy = "; name another file with --db";
	else if (code == SQLITE_CORRUPT)
		remedy = "; put it aside and read the captures again, or name "
			 "another file with --db";
	else if (code == SQLITE_BUSY)
		remedy = "; another program is writing to it";
	snprintf(s->error, sizeof(s->error), "%.300s: %.120s%s", s->path, what,
	    remedy);
	return -1;
}

sqlite3_stmt *
statement(struct store *s, const char *sql)
{
	int i = 0;

	for (; i < STATEMENTS_MAX && s->cache[i].sql != NULL; i++) {
		if (s->cache[i].sql == sql) {
			sqlite3_reset(s->cache[i].statement);
			sqlite3_clear_bindings(s->cache[i].statement);
			s->unbound = false;
			return s->cache[i].statement;
		}
	}
	if (i == STATEMENTS_MAX) {
		/* More statements than the program has: the last gives way. */
		i--;
		sqlite3_finalize(s->cache[i].statement);
		s->cache[i].sql = NULL;
	}
	if (sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
		&s->cache[i].statement, NULL) != SQLITE_OK) {
		store_failed(s);
		return NULL;
	}
	s->cache[i].sql = sql;
	s->unbound = false;
	return s->cache[i].statement;
}

int
store_execute(struct store *s, const char *sql)
{
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ?
	    0 :
	    store_failed(s);
}

int
step(struct store *s, sqlite3_stmt *st)
{
	if (s->unbound) {
		s->unbound = false;
		return SQLITE_NOMEM;
	}
	return sqlite3_step(st);
}

int
step_done(struct store *s, sqlite3_stmt *st)
{
	int code = step(s, st), status = 0;

	if (code != SQLITE_DONE && code != SQLITE_ROW)
		status = store_failed(s);
	sqlite3_reset(st);
	return status;
}

int
store_ask(struct store *s, const char *sql, int64_t *first, int64_t *second)
{
	sqlite3_stmt *st = statement(s, sql);
	int status = -1;

	if (st == NULL)
		return -1;
	if (step(s, st) == SQLITE_ROW) {
		*first = sqlite3_column_int64(st, 0);
		if (second != NULL)
			*second = sqlite3_column_int64(st, 1);
		/* max() and min() of nothing are NULL. */
		status = sqlite3_column_type(st, 0) == SQLITE_NULL;
	} else {
		store_failed(s);
	}
	sqlite3_reset(st);
	return status;
}

int
rows_end(struct store *s, sqlite3_stmt *st, int code, int status)
{
	if (status == 0 && code != SQLITE_DONE)
		status = store_failed(s);
	sqlite3_reset(st);
	return status;
}

void
bind_text(struct store *s, sqlite3_stmt *st, int i, const char *text)
{
	s->unbound |= sqlite3_bind_text(st, i, text, -1, SQLITE_TRANSIENT) !=
	    SQLITE_OK;
}

void
bind_text_or_null(struct store *s, sqlite3_stmt *st, int i, const char *text)
{
	if (text != NULL && text[0] != '\0')
		bind_text(s, st, i, text);
}

void
bind_address(struct store *s, sqlite3_stmt *st, int i,
    const struct address *address)
{
	char text[ADDRESS_TEXT_BYTES];

	bind_text(s, st, i, address_format(address, text));
}

void
bind_blob(struct store *s, sqlite3_stmt *st, int i, const void *bytes,
    size_t len)
{
	s->unbound |= sqlite3_bind_blob64(st, i, len ? bytes : "", len,
			  SQLITE_TRANSIENT) != SQLITE_OK;
}

void
bind_u64(sqlite3_stmt *st, int i, uint64_t value)
{
	sqlite3_bind_int64(st, i, (sqlite3_int64)value);
}

/* By way of the blob: SQLite's text ends in NUL, and for that it may need
 * memory that it has not got. */
void
column_text(sqlite3_stmt *st, int i, char *out, size_t room)
{
	struct slice text = column_blob(st, i);

	snprintf(out, room, "%.*s", (int)text.len,
	    text.len > 0 ? (const char *)text.ptr : "");
}

void
column_address(sqlite3_stmt *st, int i, struct address *out)
{
	char text[ADDRESS_TEXT_BYTES];

	column_text(st, i, text, sizeof(text));
	if (!address_parse(text, out))
		memset(out, 0, sizeof(*out));
}

struct slice
column_blob(sqlite3_stmt *st, int i)
{
	const void *bytes = sqlite3_column_blob(st, i);

	return slice_of(bytes, (size_t)sqlite3_column_bytes(st, i));
}
