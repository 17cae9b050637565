#include "study.h"

#include <stdio.h>
#include <string.h>

#include "statement.h"

/* --- sources ------------------------------------------------------------- */

#define SOURCE_COLUMNS                                                \
	"number, hash, path, format, vantage, label, rules, records," \
	" malformed, position, prefix, vantages, seen_bytes, lost_bytes"

static void
read_source(sqlite3_stmt *st, struct study_source *out)
{
	memset(out, 0, sizeof(*out));
	out->number = sqlite3_column_int64(st, 0);
	column_text(st, 1, out->hash, sizeof(out->hash));
	column_text(st, 2, out->path, sizeof(out->path));
	column_text(st, 3, out->format, sizeof(out->format));
	column_text(st, 4, out->vantage, sizeof(out->vantage));
	column_text(st, 5, out->label, sizeof(out->label));
	column_text(st, 6, out->rules, sizeof(out->rules));
	out->records = (uint64_t)sqlite3_column_int64(st, 7);
	out->malformed = (uint64_t)sqlite3_column_int64(st, 8);
	out->offset = (uint64_t)sqlite3_column_int64(st, 9);
	column_text(st, 10, out->prefix, sizeof(out->prefix));
	out->vantages = (uint64_t)sqlite3_column_int64(st, 11);
	out->seen_bytes = (uint64_t)sqlite3_column_int64(st, 12);
	out->lost_bytes = (uint64_t)sqlite3_column_int64(st, 13);
}

int
store_study_open(struct store *s, struct study_source *source)
{
	sqlite3_stmt *st = statement(s,
	    "INSERT INTO study_source (path, format, rules, records,"
	    " malformed, position, vantages, seen_bytes, lost_bytes)"
	    " VALUES (?, '', '', 0, 0, 0, 0, 0, 0)");

	if (st == NULL)
		return -1;
	bind_text(s, st, 1, source->path);
	if (step_done(s, st) != 0)
		return -1;
	source->number = sqlite3_last_insert_rowid(s->db);
	return store_study_save(s, source);
}

int
store_study_save(struct store *s, const struct study_source *source)
{
	sqlite3_stmt *st = statement(s,
	    "UPDATE study_source SET hash = ?2, format = ?3, vantage = ?4,"
	    " label = ?5, rules = ?6, records = ?7, malformed = ?8,"
	    " position = ?9, prefix = ?10, vantages = ?11, seen_bytes = ?12,"
	    " lost_bytes = ?13 WHERE number = ?1");

	if (st == NULL)
		return -1;
	sqlite3_bind_int64(st, 1, source->number);
	bind_text_or_null(s, st, 2, source->hash);
	bind_text(s, st, 3, source->format);
	bind_text_or_null(s, st, 4, source->vantage);
	bind_text_or_null(s, st, 5, source->label);
	bind_text(s, st, 6, source->rules);
	bind_u64(st, 7, source->records);
	bind_u64(st, 8, source->malformed);
	bind_u64(st, 9, source->offset);
	bind_text_or_null(s, st, 10, source->prefix);
	bind_u64(st, 11, source->vantages);
	bind_u64(st, 12, source->seen_bytes);
	bind_u64(st, 13, source->lost_bytes);
	return step_done(s, st);
}

int
store_study_drop(struct store *s, int64_t number)
{
	sqlite3_stmt *st =
	    statement(s, "DELETE FROM study_source WHERE number = ?");

	if (st == NULL)
		return -1;
	sqlite3_bind_int64(st, 1, number);
	return step_done(s, st);
}

int
store_study_resume(struct store *s, const char *path, struct study_source *out,
    bool *found)
{
	sqlite3_stmt *st = statement(s,
	    "SELECT " SOURCE_COLUMNS " FROM study_source"
	    " WHERE path = ? AND hash IS NULL ORDER BY number");
	int code, status = 0;

	*found = false;
	if (st == NULL)
		return -1;
	bind_text(s, st, 1, path);
	code = step(s, st);
	if (code == SQLITE_ROW) {
		read_source(st, out);
		*found = true;
	} else if (code != SQLITE_DONE) {
		status = store_failed(s);
	}
	sqlite3_reset(st);
	return status;
}

int
store_study_known(struct store *s, const char *hash, int64_t *number)
{
	sqlite3_stmt *st =
	    statement(s, "SELECT number FROM study_source WHERE hash = ?");
	int code, status = 0;

	*number = 0;
	if (st == NULL)
		return -1;
	bind_text(s, st, 1, hash);
	code = step(s, st);
	if (code == SQLITE_ROW)
		*number = sqlite3_column_int64(st, 0);
	else if (code != SQLITE_DONE)
		status = store_failed(s);
	sqlite3_reset(st);
	return status;
}

int
store_each_study_source(struct store *s, study_source_fn *fn, void *context)
{
	sqlite3_stmt *st = statement(s,
	    "SELECT " SOURCE_COLUMNS " FROM study_source"
	    " ORDER BY hash, path");
	int code = SQLITE_DONE, status = 0;

	if (st == NULL)
		return -1;
	while (status == 0 && (code = step(s, st)) == SQLITE_ROW) {
		struct study_source source;

		read_source(st, &source);
		status = fn(context, &source);
	}
	return rows_end(s, st, code, status);
}

/* --- rows ---------------------------------------------------------------- */

/* Four octets, or sixteen: text would be most of ten million rows. */
static void
bind_octets(struct store *s, sqlite3_stmt *st, int i, const struct address *a)
{
	if (a->family != 0)
		bind_blob(s, st, i, a->octets, a->family == 4 ? 4 : 16);
}

static void
column_octets(sqlite3_stmt *st, int i, struct address *out)
{
	struct slice octets = column_blob(st, i);

	memset(out, 0, sizeof(*out));
	if (octets.len != 4 && octets.len != 16)
		return;
	memcpy(out->octets, octets.ptr, octets.len);
	out->family = octets.len == 4 ? 4 : 6;
}

int
store_study_add(struct store *s, int64_t source, uint64_t ordinal,
    const struct study_row *row)
{
	sqlite3_stmt *st = statement(s,
	    "INSERT OR REPLACE INTO study_row VALUES"
	    " (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");

	if (st == NULL)
		return -1;
	sqlite3_clear_bindings(st);
	sqlite3_bind_int64(st, 1, source);
	bind_u64(st, 2, ordinal);
	bind_octets(s, st, 3, &row->server.address);
	sqlite3_bind_int(st, 4, row->server.port);
	bind_octets(s, st, 5, &row->client_network);
	bind_text_or_null(s, st, 6, row->name);
	sqlite3_bind_int64(st, 7, row->at_ns);
	bind_u64(st, 8, row->sessions);
	sqlite3_bind_int64(st, 9, row->state);
	if (row->certainty != CERTAINTY_NONE) {
		bind_text(s, st, 10, certainty_name(row->certainty));
		bind_text(s, st, 11, kind_name(row->kind));
		bind_text_or_null(s, st, 12, row->mask);
	}
	bind_text_or_null(s, st, 13, row->product);
	return step_done(s, st);
}

static void
read_row(sqlite3_stmt *st, struct study_row *out)
{
	char text[64];

	out->certainty = CERTAINTY_NONE;
	out->kind = (enum kind)0;
	column_octets(st, 0, &out->server.address);
	out->server.port = (uint16_t)sqlite3_column_int(st, 1);
	column_octets(st, 2, &out->client_network);
	column_text(st, 3, out->name, sizeof(out->name));
	out->at_ns = sqlite3_column_int64(st, 4);
	out->sessions = (uint64_t)sqlite3_column_int64(st, 5);
	out->state = (uint32_t)sqlite3_column_int64(st, 6);
	out->mask[0] = '\0';
	if (sqlite3_column_type(st, 7) != SQLITE_NULL) {
		column_text(st, 7, text, sizeof(text));
		certainty_parse(text, &out->certainty);
		column_text(st, 8, text, sizeof(text));
		kind_parse(text, &out->kind);
		column_text(st, 9, out->mask, sizeof(out->mask));
	}
	column_text(st, 10, out->product, sizeof(out->product));
}

#define ROWS_OF_COMPLETE_SOURCES                                             \
	"SELECT server, port, client_network, name, at_ns, sessions, state," \
	" certainty, kind, mask, product FROM study_row WHERE source IN"     \
	" (SELECT number FROM study_source WHERE hash IS NOT NULL)"          \
	" AND at_ns >= ? AND at_ns < ?"

int
store_each_study_row(struct store *s, enum study_order order, int64_t since_ns,
    int64_t until_ns, study_row_fn *fn, void *context)
{
	static const char *const sql[] = {
		[STUDY_ANY_ORDER] = ROWS_OF_COMPLETE_SOURCES,
		[STUDY_BY_SERVER] = ROWS_OF_COMPLETE_SOURCES
		" ORDER BY server, port",
		[STUDY_BY_NAME] = ROWS_OF_COMPLETE_SOURCES
		" ORDER BY name, server",
		[STUDY_BY_NETWORK] = ROWS_OF_COMPLETE_SOURCES
		" ORDER BY client_network",
	};
	sqlite3_stmt *st = statement(s, sql[order]);
	int code = SQLITE_DONE, status = 0;
	struct study_row row;

	if (st == NULL)
		return -1;
	sqlite3_bind_int64(st, 1, since_ns);
	sqlite3_bind_int64(st, 2, until_ns);
	while (status == 0 && (code = step(s, st)) == SQLITE_ROW) {
		read_row(st, &row);
		status = fn(context, &row);
	}
	return rows_end(s, st, code, status);
}

/* --- lines ---------------------------------------------------------------- */

int
store_study_stage(struct store *s, const char *line)
{
	sqlite3_stmt *st = statement(s, "INSERT INTO temp.staged VALUES (?)");

	if (st == NULL)
		return -1;
	bind_text(s, st, 1, line);
	return step_done(s, st);
}

int
store_each_staged(struct store *s, staged_fn *fn, void *context)
{
	sqlite3_stmt *st =
	    statement(s, "SELECT line FROM temp.staged ORDER BY line");
	int code = SQLITE_DONE, status = 0;
	char line[1024];

	if (st == NULL)
		return -1;
	while (status == 0 && (code = step(s, st)) == SQLITE_ROW) {
		column_text(st, 0, line, sizeof(line));
		status = fn(context, line);
	}
	return rows_end(s, st, code, status);
}

/* --- one moment ---------------------------------------------------------- */

/* A deferred transaction keeps its view from its first reading on. */
int
store_study_freeze(struct store *s)
{
	return store_execute(s,
	    "PRAGMA temp_store = FILE; PRAGMA cache_size = -65536;"
	    " CREATE TEMP TABLE IF NOT EXISTS staged (line TEXT); BEGIN;"
	    " SELECT count(*) FROM study_source");
}

void
store_study_thaw(struct store *s)
{
	store_rollback(s);
}

int
store_study_copy(struct store *s, const char *path)
{
	sqlite3_stmt *st = statement(s, "VACUUM INTO ?");

	if (st == NULL)
		return -1;
	bind_text(s, st, 1, path);
	return step_done(s, st);
}

/* --- what was read and watched ------------------------------------------- */

static int
ask_number(struct store *s, const char *sql, uint64_t *out)
{
	sqlite3_stmt *st = statement(s, sql);
	int code, status = 0;

	if (st == NULL)
		return -1;
	code = step(s, st);
	if (code == SQLITE_ROW)
		*out = (uint64_t)sqlite3_column_int64(st, 0);
	else
		status = store_failed(s);
	sqlite3_reset(st);
	return status;
}

int
store_study_loss(struct store *s, struct study_source *out)
{
	if (ask_number(s,
		"SELECT coalesce(sum(value), 0) FROM capture_count"
		" WHERE name = 'decoder.bytes'",
		&out->seen_bytes) != 0 ||
	    ask_number(s,
		"SELECT coalesce(sum(value), 0) FROM capture_count"
		" WHERE name = 'tcp.ack_unseen_bytes'",
		&out->lost_bytes) != 0)
		return -1;
	return ask_number(s,
	    "SELECT count(DISTINCT coalesce(vantage, '')) FROM capture",
	    &out->vantages);
}

int
store_profile_sums(struct store *s, const char *capture, uint64_t sums[2])
{
	sqlite3_stmt *st = statement(s,
	    "SELECT coalesce(sum(sessions) FILTER (WHERE NOT offered), 0),"
	    " coalesce(sum(sessions) FILTER (WHERE offered), 0)"
	    " FROM profile WHERE capture = ?");
	int status = 0;

	if (st == NULL)
		return -1;
	bind_text(s, st, 1, capture);
	if (step(s, st) == SQLITE_ROW) {
		sums[0] = (uint64_t)sqlite3_column_int64(st, 0);
		sums[1] = (uint64_t)sqlite3_column_int64(st, 1);
	} else {
		status = store_failed(s);
	}
	sqlite3_reset(st);
	return status;
}

int
store_each_counted_profile(struct store *s, profile_fn *fn, void *context)
{
	sqlite3_stmt *st = statement(s,
	    "WITH part AS (SELECT server, port, client, ending_class,"
	    "  tls_version, offered <> 0 AS offered, keywords, certificate,"
	    "  sessions,"
	    "  profile.first_ns AS first, coalesce(vantage, '') AS place,"
	    "  profile.first_ns / 604800000000000 AS week"
	    "  FROM profile JOIN capture ON profile.capture = capture.hash),"
	    " best AS (SELECT server, port, client, week, place,"
	    "  row_number() OVER (PARTITION BY server, port, client, week"
	    "  ORDER BY sum(sessions) DESC, place) AS rank FROM part"
	    "  GROUP BY server, port, client, week, place)"
	    " SELECT server, port, client, ending_class, tls_version, offered,"
	    " keywords, certificate, min(first), sum(sessions) FROM part"
	    " JOIN best USING (server, port, client, week, place)"
	    " WHERE rank = 1 GROUP BY server, port, client, week,"
	    " ending_class, tls_version, offered, keywords, certificate");
	int code = SQLITE_DONE, status = 0;

	if (st == NULL)
		return -1;
	while (status == 0 && (code = step(s, st)) == SQLITE_ROW) {
		struct profile p = { .verb = VERB_EHLO };

		column_address(st, 0, &p.server.address);
		p.server.port = (uint16_t)sqlite3_column_int(st, 1);
		column_address(st, 2, &p.client);
		p.ending_class = (uint8_t)sqlite3_column_int(st, 3);
		p.tls_version = (uint16_t)sqlite3_column_int(st, 4);
		p.offered = (uint8_t)sqlite3_column_int(st, 5);
		p.keywords_hash = (uint64_t)sqlite3_column_int64(st, 6);
		p.certificate_hash = (uint64_t)sqlite3_column_int64(st, 7);
		p.first_ns = sqlite3_column_int64(st, 8);
		p.sessions = (uint64_t)sqlite3_column_int64(st, 9);
		status = fn(context, &p);
	}
	return rows_end(s, st, code, status);
}
