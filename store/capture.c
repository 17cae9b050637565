/* Captures, what was counted in them, and the profiles they add. */
#include <stdio.h>

#include "statement.h"

int
store_capture_begin(struct store *s, const struct capture_row *row)
{
	sqlite3_stmt *st;

	if (store_begin(s) != 0)
		return -1;
	snprintf(s->capture, sizeof(s->capture), "%s", row->hash);
	/* Takes everything that hangs on it along. */
	st = statement(s, "DELETE FROM capture WHERE hash = ?");
	if (st == NULL)
		goto failed;
	bind_text(s, st, 1, row->hash);
	if (step_done(s, st) != 0)
		goto failed;
	st = statement(s,
	    "INSERT INTO capture VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	if (st == NULL)
		goto failed;
	bind_text(s, st, 1, row->hash);
	bind_text(s, st, 2, row->path);
	bind_text(s, st, 3, row->format);
	bind_text(s, st, 4, row->link_types);
	bind_text_or_null(s, st, 5, row->vantage);
	bind_text_or_null(s, st, 6, row->fault);
	bind_u64(st, 7, row->bytes);
	bind_u64(st, 8, row->packets);
	sqlite3_bind_int64(st, 9, row->first_ns);
	sqlite3_bind_int64(st, 10, row->last_ns);
	if (step_done(s, st) == 0)
		return 0;
failed:
	store_rollback(s);
	return -1;
}

/* Counts of a tally that stand on no axis. */
static const struct {
	const char *name;
	size_t offset;
} totals[] = {
	{ "sessions", offsetof(struct tally, sessions) },
	{ "kept", offsetof(struct tally, kept) },
	{ "kept_shed", offsetof(struct tally, kept_shed) },
	{ "profiles_shed", offsetof(struct tally, profiles_shed) },
	{ "dns_shed", offsetof(struct tally, dns_shed) },
	{ "attempts_shed", offsetof(struct tally, attempts_shed) },
	{ "clear_shed", offsetof(struct tally, clear_shed) },
};
#define TOTALS (sizeof(totals) / sizeof(*totals))

static uint64_t *
total_of(struct tally *tally, size_t i)
{
	return (uint64_t *)(void *)((char *)tally + totals[i].offset);
}

/* `axis` NULL: a count without one. */
static int
put_count(struct store *s, const char *axis, const char *name, uint64_t value)
{
	sqlite3_stmt *st =
	    statement(s, "INSERT INTO capture_count VALUES (?, ? || ?, ?)");
	char prefix[32] = "";

	if (st == NULL)
		return -1;
	if (axis != NULL)
		snprintf(prefix, sizeof(prefix), "%s.", axis);
	bind_text(s, st, 1, s->capture);
	bind_text(s, st, 2, prefix);
	bind_text(s, st, 3, name);
	bind_u64(st, 4, value);
	return step_done(s, st);
}

/* How a count is written: put_count(), add_count(). */
typedef int
count_fn(struct store *, const char *axis, const char *name, uint64_t value);

static int
each_count(struct store *s, const struct counters *c, const struct tally *t,
    count_fn *fn)
{
	struct tally tally = *t;
	int status = 0;

	for (int i = 0; i < COUNTERS && status == 0; i++)
		status = fn(s, NULL, counter_name((enum counter)i), c->of[i]);
	for (int a = 0; a < AXES; a++)
		for (int i = 0; i < axis_values(a) && status == 0; i++)
			status = fn(s, axis_name(a), axis_value_name(a, i),
			    axis_counts(&tally, a)[i]);
	for (size_t i = 0; i < TOTALS && status == 0; i++)
		status = fn(s, NULL, totals[i].name, *total_of(&tally, i));
	return status;
}

int
store_capture_counts(struct store *s, const struct counters *c,
    const struct tally *t)
{
	return each_count(s, c, t, put_count);
}

/* --- a capture that grows ------------------------------------------------ */

static int
add_row(struct store *s, const struct capture_row *more)
{
	sqlite3_stmt *st = statement(s,
	    "INSERT INTO capture VALUES (?, ?, ?, ?, ?, NULL, ?, ?, ?, ?)"
	    " ON CONFLICT (hash) DO UPDATE SET bytes = bytes + excluded.bytes,"
	    " packets = packets + excluded.packets,"
	    " first_ns = min(first_ns, excluded.first_ns),"
	    " last_ns = max(last_ns, excluded.last_ns)");

	if (st == NULL)
		return -1;
	bind_text(s, st, 1, more->hash);
	bind_text(s, st, 2, more->path);
	bind_text(s, st, 3, more->format);
	bind_text(s, st, 4, more->link_types);
	bind_text_or_null(s, st, 5, more->vantage);
	bind_u64(st, 6, more->bytes);
	bind_u64(st, 7, more->packets);
	sqlite3_bind_int64(st, 8, more->first_ns);
	sqlite3_bind_int64(st, 9, more->last_ns);
	return step_done(s, st);
}

/* `axis` NULL: a count without one. */
static int
add_count(struct store *s, const char *axis, const char *name, uint64_t value)
{
	sqlite3_stmt *st;
	char prefix[32] = "";

	if (value == 0)
		return 0;
	st = statement(s,
	    "INSERT INTO capture_count VALUES (?, ? || ?, ?)"
	    " ON CONFLICT DO UPDATE SET value = value + excluded.value");
	if (st == NULL)
		return -1;
	if (axis != NULL)
		snprintf(prefix, sizeof(prefix), "%s.", axis);
	bind_text(s, st, 1, s->capture);
	bind_text(s, st, 2, prefix);
	bind_text(s, st, 3, name);
	bind_u64(st, 4, value);
	return step_done(s, st);
}

int
store_capture_add(struct store *s, const struct capture_row *more)
{
	snprintf(s->capture, sizeof(s->capture), "%s", more->hash);
	if (add_row(s, more) != 0)
		return -1;
	return each_count(s, &more->counters, &more->tally, add_count);
}

int
store_capture_commit(struct store *s)
{
	if (store_delete_unused_replies(s) != 0) {
		store_rollback(s);
		return -1;
	}
	return store_commit(s);
}

void
store_capture_abort(struct store *s)
{
	store_rollback(s);
}

bool
store_capture_known(struct store *s, const char *hash)
{
	sqlite3_stmt *st = statement(s, "SELECT 1 FROM capture WHERE hash = ?");
	bool known;

	if (st == NULL)
		return false;
	bind_text(s, st, 1, hash);
	known = step(s, st) == SQLITE_ROW;
	sqlite3_reset(st);
	return known;
}

/* The counter or axis value called `name`; NULL: one of another version. */
static uint64_t *
count_called(struct capture_row *row, const char *name)
{
	for (int i = 0; i < COUNTERS; i++)
		if (strcmp(name, counter_name((enum counter)i)) == 0)
			return &row->counters.of[i];
	for (size_t i = 0; i < TOTALS; i++)
		if (strcmp(name, totals[i].name) == 0)
			return total_of(&row->tally, i);
	for (int a = 0; a < AXES; a++) {
		size_t n = strlen(axis_name(a));

		if (strncmp(name, axis_name(a), n) != 0 || name[n] != '.')
			continue;
		for (int i = 0; i < axis_values(a); i++)
			if (strcmp(name + n + 1, axis_value_name(a, i)) == 0)
				return &axis_counts(&row->tally, a)[i];
	}
	return NULL;
}

static int
read_counts(struct store *s, struct capture_row *row)
{
	sqlite3_stmt *st = statement(s,
	    "SELECT name, value FROM capture_count WHERE capture = ?");
	int code;

	if (st == NULL)
		return -1;
	bind_text(s, st, 1, row->hash);
	while ((code = step(s, st)) == SQLITE_ROW) {
		char name[64];
		uint64_t *value;

		column_text(st, 0, name, sizeof(name));
		value = count_called(row, name);
		if (value != NULL)
			*value = (uint64_t)sqlite3_column_int64(st, 1);
	}
	sqlite3_reset(st);
	return code == SQLITE_DONE ? 0 : store_failed(s);
}

int
store_each_capture(struct store *s, capture_fn *fn, void *context)
{
	sqlite3_stmt *st;
	int code, status = 0;

	if (sqlite3_prepare_v2(s->db,
		"SELECT hash, path, format, link_types, vantage, fault, bytes,"
		" packets, first_ns, last_ns FROM capture"
		" ORDER BY first_ns, hash",
		-1, &st, NULL) != SQLITE_OK)
		return store_failed(s);
	while (status == 0 && (code = step(s, st)) == SQLITE_ROW) {
		struct capture_row row = { 0 };

		column_text(st, 0, row.hash, sizeof(row.hash));
		column_text(st, 1, row.path, sizeof(row.path));
		column_text(st, 2, row.format, sizeof(row.format));
		column_text(st, 3, row.link_types, sizeof(row.link_types));
		column_text(st, 4, row.vantage, sizeof(row.vantage));
		column_text(st, 5, row.fault, sizeof(row.fault));
		row.bytes = (uint64_t)sqlite3_column_int64(st, 6);
		row.packets = (uint64_t)sqlite3_column_int64(st, 7);
		row.first_ns = sqlite3_column_int64(st, 8);
		row.last_ns = sqlite3_column_int64(st, 9);
		status = read_counts(s, &row);
		if (status == 0)
			status = fn(context, &row);
	}
	if (status == 0 && code != SQLITE_DONE)
		status = store_failed(s);
	sqlite3_finalize(st);
	return status;
}

/* --- profiles ------------------------------------------------------------ */

int
store_add_keywords(struct store *s, const struct keyword_list *list)
{
	sqlite3_stmt *st =
	    statement(s, "INSERT OR IGNORE INTO keyword_list VALUES (?, ?)");

	if (st == NULL)
		return -1;
	bind_u64(st, 1, list->hash);
	bind_text(s, st, 2, list->keywords);
	return step_done(s, st);
}

/* What a profile is of: parameters 1 to 12. */
static void
bind_profile(struct store *s, sqlite3_stmt *st, const struct profile *p)
{
	bind_address(s, st, 1, &p->server.address);
	sqlite3_bind_int(st, 2, p->server.port);
	bind_address(s, st, 3, &p->client);
	bind_text(s, st, 4, verb_name((enum verb)p->verb));
	sqlite3_bind_int(st, 5, p->ending_class);
	sqlite3_bind_int(st, 6, p->tls_version);
	sqlite3_bind_int(st, 7, p->offered);
	bind_u64(st, 8, p->keywords_hash);
	bind_u64(st, 9, p->certificate_hash);
	bind_u64(st, 10, p->home_hash);
	sqlite3_bind_int(st, 11, p->server_ttl);
	bind_text(s, st, 12, s->capture);
}

int
store_add_profile(struct store *s, const struct profile *p)
{
	sqlite3_stmt *st = statement(s,
	    "INSERT INTO profile VALUES"
	    " (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");

	if (st == NULL)
		return -1;
	bind_profile(s, st, p);
	sqlite3_bind_int64(st, 13, p->first_ns);
	sqlite3_bind_int64(st, 14, p->last_ns);
	bind_u64(st, 15, p->sessions);
	return step_done(s, st);
}

/* profile_period_ns() in SQL; both round down, also before 1970. */
#define PERIOD                                                      \
	"first_ns - (first_ns % 604800000000000 + 604800000000000)" \
	" % 604800000000000"

int
store_merge_profile(struct store *s, const struct profile *p)
{
	sqlite3_stmt *st = statement(s,
	    "UPDATE profile SET last_ns = max(last_ns, ?13),"
	    " sessions = sessions + ?14 WHERE server = ?1 AND port = ?2"
	    " AND client = ?3 AND verb = ?4 AND ending_class = ?5"
	    " AND tls_version = ?6 AND offered = ?7 AND keywords = ?8"
	    " AND certificate = ?9 AND home = ?10 AND server_ttl = ?11"
	    " AND capture = ?12 AND " PERIOD " = ?15");

	if (st == NULL)
		return -1;
	bind_profile(s, st, p);
	sqlite3_bind_int64(st, 13, p->last_ns);
	bind_u64(st, 14, p->sessions);
	sqlite3_bind_int64(st, 15, profile_period_ns(p->first_ns));
	if (step_done(s, st) != 0)
		return -1;
	return sqlite3_changes(s->db) > 0 ? 0 : store_add_profile(s, p);
}

static uint8_t
verb_called(const char *name)
{
	for (int i = 0; i < VERBS; i++)
		if (strcmp(name, verb_name((enum verb)i)) == 0)
			return (uint8_t)i;
	return VERB_NONE;
}

int
store_each_profile(struct store *s, const struct endpoint *server,
    profile_fn *fn, void *context)
{
	sqlite3_stmt *st = statement(s,
	    "SELECT client, verb, ending_class, tls_version, offered,"
	    " keywords, certificate, min(first_ns), max(last_ns),"
	    " sum(sessions), home, server_ttl FROM profile"
	    " WHERE server = ? AND port = ?"
	    " GROUP BY client, verb, ending_class, tls_version, offered,"
	    " keywords, certificate, home, server_ttl, " PERIOD
	    " ORDER BY min(first_ns), client, verb, ending_class, tls_version,"
	    " offered, keywords, certificate, home, server_ttl");
	int code = SQLITE_DONE, status = 0;

	if (st == NULL)
		return -1;
	bind_address(s, st, 1, &server->address);
	sqlite3_bind_int(st, 2, server->port);
	while (status == 0 && (code = step(s, st)) == SQLITE_ROW) {
		struct profile p = { .server = *server };
		char verb[16];

		column_address(st, 0, &p.client);
		column_text(st, 1, verb, sizeof(verb));
		p.verb = verb_called(verb);
		p.ending_class = (uint8_t)sqlite3_column_int(st, 2);
		p.tls_version = (uint16_t)sqlite3_column_int(st, 3);
		p.offered = (uint8_t)sqlite3_column_int(st, 4);
		p.keywords_hash = (uint64_t)sqlite3_column_int64(st, 5);
		p.certificate_hash = (uint64_t)sqlite3_column_int64(st, 6);
		p.first_ns = sqlite3_column_int64(st, 7);
		p.last_ns = sqlite3_column_int64(st, 8);
		p.sessions = (uint64_t)sqlite3_column_int64(st, 9);
		p.home_hash = (uint64_t)sqlite3_column_int64(st, 10);
		p.server_ttl = (uint8_t)sqlite3_column_int(st, 11);
		status = fn(context, &p);
	}
	return rows_end(s, st, code, status);
}

/* --- clear text against a policy ----------------------------------------- */

int
store_add_clear_enforce(struct store *s, const struct address *client,
    const char *domain, int64_t day_start_ns, uint64_t sessions)
{
	sqlite3_stmt *st = statement(s,
	    "INSERT INTO clear_enforce VALUES (?, ?, ?, ?, ?) ON CONFLICT"
	    " DO UPDATE SET sessions = sessions + excluded.sessions");

	if (st == NULL)
		return -1;
	bind_address(s, st, 1, client);
	bind_text(s, st, 2, domain);
	sqlite3_bind_int64(st, 3, day_start_ns);
	bind_text(s, st, 4, s->capture);
	bind_u64(st, 5, sessions);
	return step_done(s, st);
}

int
store_each_clear_enforce(struct store *s, const char *capture,
    clear_enforce_fn *fn, void *context)
{
	sqlite3_stmt *st = statement(s,
	    "SELECT client, domain, day_ns, sum(sessions) FROM clear_enforce"
	    " WHERE ?1 IS NULL OR capture = ?1"
	    " GROUP BY client, domain, day_ns ORDER BY 4 DESC, 1, 2, 3");
	int code = SQLITE_DONE, status = 0;

	if (st == NULL)
		return -1;
	if (capture != NULL)
		bind_text(s, st, 1, capture);
	while (status == 0 && (code = step(s, st)) == SQLITE_ROW) {
		struct clear_enforce_row row = { 0 };

		column_address(st, 0, &row.client);
		column_text(st, 1, row.domain, sizeof(row.domain));
		row.day_start_ns = sqlite3_column_int64(st, 2);
		row.sessions = (uint64_t)sqlite3_column_int64(st, 3);
		status = fn(context, &row);
	}
	return rows_end(s, st, code, status);
}

/* --- who asks for policies ----------------------------------------------- */

int
store_add_policy_asker(struct store *s, const struct address *client,
    const char *domain, int64_t last_ns)
{
	sqlite3_stmt *st = statement(s,
	    "INSERT INTO policy_asker VALUES (?, ?, ?, ?) ON CONFLICT"
	    " DO UPDATE SET last_ns = max(last_ns, excluded.last_ns)");

	if (st == NULL)
		return -1;
	bind_address(s, st, 1, client);
	bind_text(s, st, 2, domain);
	bind_text(s, st, 3, s->capture);
	sqlite3_bind_int64(st, 4, last_ns);
	return step_done(s, st);
}

int
store_each_policy_asker(struct store *s, const char *capture,
    policy_asker_fn *fn, void *context)
{
	sqlite3_stmt *st = statement(s,
	    "SELECT client, domain, max(last_ns) FROM policy_asker"
	    " WHERE ?1 IS NULL OR capture = ?1"
	    " GROUP BY client, domain ORDER BY client, domain");
	int code = SQLITE_DONE, status = 0;

	if (st == NULL)
		return -1;
	if (capture != NULL)
		bind_text(s, st, 1, capture);
	while (status == 0 && (code = step(s, st)) == SQLITE_ROW) {
		struct policy_asker_row row = { 0 };

		column_address(st, 0, &row.client);
		column_text(st, 1, row.domain, sizeof(row.domain));
		row.last_ns = sqlite3_column_int64(st, 2);
		status = fn(context, &row);
	}
	return rows_end(s, st, code, status);
}
