#include "store.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "schema.h"

/* As long in all as SQLite waits elsewhere. */
#define WAL_TRIES 1000
#define WAL_PAUSE_MS 10

static bool
may_write(const char *path)
{
	return faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0;
}

/* Can files be made beside the database? WAL needs to. */
static bool
folder_is_writable(const char *path)
{
	char folder[1024];
	char *slash;

	snprintf(folder, sizeof(folder), "%s", path);
	slash = strrchr(folder, '/');
	if (slash == NULL)
		return may_write(".");
	slash[slash == folder] = '\0';
	return may_write(folder);
}

/* Has a program that was killed, or one that runs, left changes beside it? */
static bool
wal_is_pending(const char *path)
{
	char wal[1024 + 8];
	struct stat st;

	snprintf(wal, sizeof(wal), "%s-wal", path);
	return stat(wal, &st) == 0 && st.st_size > 0;
}

/* A file name as SQLite wants it in a URI. With an empty authority, or
 * "//folder" would be taken for the name of a host. */
static void
escape_uri(const char *path, char *out, size_t room)
{
	size_t n =
	    (size_t)snprintf(out, room, path[0] == '/' ? "file://" : "file:");

	for (; *path != '\0' && n + 4 < room; path++) {
		if (strchr("?#%", *path) != NULL)
			n += (size_t)snprintf(out + n, room - n, "%%%02X",
			    (unsigned char)*path);
		else
			out[n++] = *path;
	}
	out[n] = '\0';
}

static int
open_database(struct store *s, enum store_mode mode)
{
	char uri[4096];
	int flags = SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX;

	if (mode == STORE_SCRATCH)
		return sqlite3_open_v2(":memory:", &s->db,
		    flags | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
	escape_uri(s->path, uri, sizeof(uri) - 16);
	if (mode == STORE_WRITE)
		return sqlite3_open_v2(uri, &s->db,
		    flags | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
	if (may_write(s->path) && folder_is_writable(s->path))
		return sqlite3_open_v2(uri, &s->db,
		    flags | SQLITE_OPEN_READWRITE, NULL);
	/* WAL wants to write beside the database even for who only reads. */
	if (!wal_is_pending(s->path))
		strcat(uri, "?immutable=1");
	return sqlite3_open_v2(uri, &s->db, flags | SQLITE_OPEN_READONLY, NULL);
}

/* SQLite does not wait here for who else is creating the database: it could
 * be a deadlock. */
static int
set_wal(struct store *s)
{
	/* A new database gets pages of 8 KiB: the facts of a kept session fit
	 * in one, where those of 4 KiB would need another for each. What is
	 * freed in it can be given back bit by bit. */
	int status = store_execute(s,
	    "PRAGMA page_size = 8192; PRAGMA auto_vacuum = INCREMENTAL;"
	    "PRAGMA journal_mode = WAL");

	for (int i = 0; i < WAL_TRIES && status != 0 &&
	     sqlite3_errcode(s->db) == SQLITE_BUSY;
	     i++) {
		sqlite3_sleep(WAL_PAUSE_MS);
		status = store_execute(s, "PRAGMA journal_mode = WAL");
	}
	return status;
}

/* Said now, and not after an hour of reading. */
static int
set_up_writing(struct store *s)
{
	if (sqlite3_db_readonly(s->db, "main") == 1) {
		snprintf(s->error, sizeof(s->error),
		    "%.300s: may not be written; name another place with --db",
		    s->path);
		return -1;
	}
	if (set_wal(s) != 0)
		return -1;
	return store_execute(s, "PRAGMA synchronous = NORMAL");
}

static int
configure(struct store *s, enum store_mode mode)
{
	enum schema_state state;

	store_set_patience(s, STORE_PATIENCE_MS);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	/* Whose is it? Before anything is changed in it: closing somebody
	 * else's would otherwise write their WAL back. */
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	state = schema_check(s);
	if (state == SCHEMA_REFUSED ||
	    (state == SCHEMA_OLDER && mode == STORE_READ))
		return -1;
	s->error[0] = '\0';
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
	if (store_execute(s, "PRAGMA foreign_keys = ON") != 0)
		return -1;
	if (mode == STORE_WRITE && set_up_writing(s) != 0)
		return -1;
	return state == SCHEMA_OLDER ? schema_upgrade(s) : 0;
}

struct store *
store_open(const char *path, enum store_mode mode, char errbuf[STORE_ERRBUF])
{
	struct store *s;

	if (strlen(path) >= sizeof(s->path)) {
		snprintf(errbuf, STORE_ERRBUF,
		    "%.300s...: too long a path for --db", path);
		return NULL;
	}
	s = calloc(1, sizeof(*s));
	snprintf(errbuf, STORE_ERRBUF, "out of memory");
	if (s == NULL)
		return NULL;
	snprintf(s->path, sizeof(s->path), "%s",
	    mode == STORE_SCRATCH ? "memory" : path);
	if (mode == STORE_READ && access(path, F_OK) != 0) {
		snprintf(errbuf, STORE_ERRBUF,
		    "%.300s: no such database; read a capture first, or name "
		    "one with --db",
		    path);
		free(s);
		return NULL;
	}
	if (open_database(s, mode) != SQLITE_OK) {
		store_failed(s);
		snprintf(errbuf, STORE_ERRBUF, "%s", s->error);
		store_close(s);
		return NULL;
	}
	if (configure(s, mode) != 0) {
		snprintf(errbuf, STORE_ERRBUF, "%s", s->error);
		store_close(s);
		return NULL;
	}
	errbuf[0] = '\0';
	return s;
}

void
store_close(struct store *s)
{
	if (s == NULL)
		return;
	for (int i = 0; i < STATEMENTS_MAX; i++)
		sqlite3_finalize(s->cache[i].statement);
	sqlite3_close(s->db);
	free(s);
}

const char *
store_error(const struct store *s)
{
	return s->error;
}

void
store_set_patience(struct store *s, int ms)
{
	s->patience_ms = ms;
	sqlite3_busy_timeout(s->db, ms);
}

int
store_begin(struct store *s)
{
	return store_execute(s, "BEGIN IMMEDIATE");
}

int
store_commit(struct store *s)
{
	if (store_execute(s, "COMMIT") == 0)
		return 0;
	store_rollback(s);
	return -1;
}

void
store_rollback(struct store *s)
{
	sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
}

int
store_note_run(struct store *s, const char *program, const char *arguments)
{
	sqlite3_stmt *st = statement(s,
	    "INSERT INTO run VALUES (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'),"
	    " ?, ?)");

	if (st == NULL)
		return -1;
	bind_text(s, st, 1, program);
	bind_text(s, st, 2, arguments);
	return step_done(s, st);
}
