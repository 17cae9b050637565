/* Sessions that explain others of their server, a row each. */
#include "statement.h"

int
store_add_attempt(struct store *s, const struct attempt *a)
{
	sqlite3_stmt *st = statement(s,
	    "INSERT OR REPLACE INTO attempt VALUES"
	    " (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");

	if (st == NULL)
		return -1;
	bind_address(s, st, 1, &a->server.address);
	sqlite3_bind_int(st, 2, a->server.port);
	sqlite3_bind_int64(st, 3, a->first_ns);
	bind_blob(s, st, 4, a->session, sizeof(a->session));
	bind_text(s, st, 5, s->capture);
	bind_address(s, st, 6, &a->client.address);
	sqlite3_bind_int(st, 7, a->client.port);
	bind_u64(st, 8, a->helo_hash);
	sqlite3_bind_int64(st, 9, a->last_ns);
	sqlite3_bind_int(st, 10, a->result);
	sqlite3_bind_int64(st, 11, a->outcome);
	bind_text_or_null(s, st, 12, a->queue_id);
	bind_text_or_null(s, st, 13, a->domains);
	sqlite3_bind_int64(st, 14, (int64_t)a->first_frame);
	return step_done(s, st);
}

static void
read_attempt(sqlite3_stmt *st, struct attempt *out)
{
	struct slice session = column_blob(st, 1);

	out->first_ns = sqlite3_column_int64(st, 0);
	if (session.len == sizeof(out->session))
		memcpy(out->session, session.ptr, session.len);
	column_address(st, 2, &out->client.address);
	out->client.port = (uint16_t)sqlite3_column_int(st, 3);
	out->helo_hash = (uint64_t)sqlite3_column_int64(st, 4);
	out->last_ns = sqlite3_column_int64(st, 5);
	out->result = (uint8_t)sqlite3_column_int(st, 6);
	out->outcome = (uint32_t)sqlite3_column_int64(st, 7);
	column_text(st, 8, out->queue_id, sizeof(out->queue_id));
	column_text(st, 9, out->domains, sizeof(out->domains));
	out->first_frame = (uint64_t)sqlite3_column_int64(st, 10);
}

/* Of a session that several captures have, the sighting that begins first
 * counts, and of equal ones that of the lowest hash. */
int
store_each_attempt(struct store *s, const struct endpoint *server,
    attempt_fn *fn, void *context)
{
	sqlite3_stmt *st = statement(s,
	    "SELECT first_ns, session, client, client_port, helo, last_ns,"
	    " result, outcome, queue_id, domains, first_frame"
	    " FROM attempt AS this"
	    " WHERE server = ?1 AND port = ?2 AND NOT EXISTS"
	    " (SELECT 1 FROM attempt WHERE server = ?1 AND port = ?2"
	    "  AND session = this.session AND (first_ns, capture)"
	    "  < (this.first_ns, this.capture))"
	    " ORDER BY first_ns, first_frame, session");
	int code = SQLITE_DONE, status = 0;

	if (st == NULL)
		return -1;
	bind_address(s, st, 1, &server->address);
	sqlite3_bind_int(st, 2, server->port);
	while (status == 0 && (code = step(s, st)) == SQLITE_ROW) {
		struct attempt a = { .server = *server };

		read_attempt(st, &a);
		status = fn(context, &a);
	}
	return rows_end(s, st, code, status);
}
