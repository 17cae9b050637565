#include "learning.h"

#include <stdio.h>

#include "statement.h"

int
store_learning(struct store *s, struct learning *out)
{
	int64_t over = 0;
	int status;

	*out = (struct learning){ 0 };
	status = store_ask(s,
	    "SELECT max(CASE key WHEN 'learning.since' THEN CAST(value AS"
	    "  INTEGER) END), max(CASE key WHEN 'learning.until' THEN"
	    "  CAST(value AS INTEGER) END) FROM meta",
	    &out->since_ns, &out->until_ns);
	if (status == 0)
		status = store_ask(s,
		    "SELECT count(*) FROM meta WHERE key = 'learning.over'",
		    &over, NULL);
	out->over = over != 0;
	/* The first is NULL: there is none. */
	return status < 0 ? -1 : 0;
}

static int
put(struct store *s, const char *key, int64_t value)
{
	sqlite3_stmt *st =
	    statement(s, "INSERT OR REPLACE INTO meta VALUES (?1, ?2)");
	char text[24];

	if (st == NULL)
		return -1;
	snprintf(text, sizeof(text), "%lld", (long long)value);
	bind_text(s, st, 1, key);
	bind_text(s, st, 2, text);
	return step_done(s, st);
}

int
store_learning_put(struct store *s, const struct learning *l)
{
	if (store_begin(s) != 0)
		return -1;
	if (put(s, "learning.since", l->since_ns) == 0 &&
	    put(s, "learning.until", l->until_ns) == 0 &&
	    (l->over ?
		    put(s, "learning.over", 1) :
		    store_execute(s,
			"DELETE FROM meta WHERE key = 'learning.over'")) == 0)
		return store_commit(s);
	store_rollback(s);
	return -1;
}
