/* MTA-STS policies, each with the interval in which it held. */
#include <stdio.h>

#include <xxhash.h>

#include "statement.h"

int
store_add_policy(struct store *s, const struct policy_row *row, bool *added)
{
	sqlite3_stmt *st = statement(s,
	    "INSERT OR IGNORE INTO policy VALUES (?, ?, ?, ?, ?, ?)");

	if (st == NULL)
		return -1;
	bind_text(s, st, 1, row->domain);
	sqlite3_bind_int64(st, 2, row->from_ns);
	sqlite3_bind_int64(st, 3, row->until_ns);
	bind_blob(s, st, 4, row->body.ptr, row->body.len);
	bind_text(s, st, 5, row->assumed ? "assumed" : "observed");
	bind_text(s, st, 6, row->source);
	if (step_done(s, st) != 0)
		return -1;
	if (added != NULL)
		*added = sqlite3_changes(s->db) > 0;
	return 0;
}

/* The newest version of the row's source: 1 found, 0 none, -1. */
static int
newest_version(struct store *s, const struct policy_row *row,
    struct policy_row *newest, bool *same_body)
{
	sqlite3_stmt *st = statement(s,
	    "SELECT from_ns, until_ns, body = ?3 FROM policy"
	    " WHERE domain = ?1 AND source = ?2"
	    " ORDER BY from_ns DESC, until_ns DESC LIMIT 1");
	int code;

	if (st == NULL)
		return -1;
	bind_text(s, st, 1, row->domain);
	bind_text(s, st, 2, row->source);
	bind_blob(s, st, 3, row->body.ptr, row->body.len);
	code = step(s, st);
	if (code == SQLITE_ROW) {
		newest->from_ns = sqlite3_column_int64(st, 0);
		newest->until_ns = sqlite3_column_int64(st, 1);
		*same_body = sqlite3_column_int(st, 2) != 0;
	} else if (code != SQLITE_DONE) {
		store_failed(s);
		return -1;
	}
	sqlite3_reset(st);
	return code == SQLITE_ROW;
}

static int
end_version(struct store *s, const struct policy_row *row, int64_t from_ns,
    int64_t until_ns)
{
	sqlite3_stmt *st = statement(s,
	    "UPDATE OR REPLACE policy SET until_ns = ?4"
	    " WHERE domain = ?1 AND source = ?2 AND from_ns = ?3");

	if (st == NULL)
		return -1;
	bind_text(s, st, 1, row->domain);
	bind_text(s, st, 2, row->source);
	sqlite3_bind_int64(st, 3, from_ns);
	sqlite3_bind_int64(st, 4, until_ns);
	return step_done(s, st);
}

int
store_observe_policy(struct store *s, const struct policy_row *row,
    bool *changed)
{
	struct policy_row newest = { 0 };
	bool same = false;
	int found = newest_version(s, row, &newest, &same);

	if (changed != NULL)
		*changed = false;
	if (found < 0)
		return -1;
	/* Expired and fetched again: nobody knows what held between. */
	if (found > 0 && same && row->from_ns >= newest.from_ns &&
	    row->from_ns <= newest.until_ns)
		return row->until_ns <= newest.until_ns &&
			row->from_ns == newest.from_ns ?
		    0 :
		    end_version(s, row, newest.from_ns, row->until_ns);
	if (found > 0 && row->from_ns > newest.from_ns &&
	    row->from_ns < newest.until_ns &&
	    end_version(s, row, newest.from_ns, row->from_ns) != 0)
		return -1;
	return store_add_policy(s, row, changed);
}

int
store_each_policy(struct store *s, const char *domain, policy_fn *fn,
    void *context)
{
	sqlite3_stmt *st;
	int code = SQLITE_DONE, status = 0;

	if (sqlite3_prepare_v2(s->db,
		"SELECT domain, from_ns, until_ns, body, validity, source"
		" FROM policy WHERE " OF_DOMAIN
		" ORDER BY domain, from_ns, until_ns, body",
		-1, &st, NULL) != SQLITE_OK)
		return store_failed(s);
	if (domain != NULL)
		bind_text(s, st, 1, domain);
	while (status == 0 && (code = step(s, st)) == SQLITE_ROW) {
		struct policy_row row = { 0 };
		char validity[16];

		column_text(st, 0, row.domain, sizeof(row.domain));
		row.from_ns = sqlite3_column_int64(st, 1);
		row.until_ns = sqlite3_column_int64(st, 2);
		row.body = column_blob(st, 3);
		column_text(st, 4, validity, sizeof(validity));
		row.assumed = strcmp(validity, "assumed") == 0;
		column_text(st, 5, row.source, sizeof(row.source));
		status = fn(context, &row);
	}
	if (status == 0 && code != SQLITE_DONE)
		status = store_failed(s);
	sqlite3_finalize(st);
	return status;
}

static int
digest_row(void *context, const struct policy_row *row)
{
	XXH64_hash_t *hash = context;

	*hash = XXH3_64bits_withSeed(row->domain, strlen(row->domain), *hash);
	*hash = XXH3_64bits_withSeed(&row->from_ns, 16, *hash);
	*hash = XXH3_64bits_withSeed(row->body.ptr, row->body.len, *hash);
	return 0;
}

int
store_policies_version(struct store *s, char digest[17])
{
	XXH64_hash_t hash = 0;

	if (store_each_policy(s, NULL, digest_row, &hash) != 0)
		return -1;
	snprintf(digest, 17, "%016llx", (unsigned long long)hash);
	return 0;
}
