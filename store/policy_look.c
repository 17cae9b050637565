/* What was asked and reported about the policies of domains. */
#include "statement.h"

int
store_put_policy_look(struct store *s, const struct policy_look *look)
{
	sqlite3_stmt *st = statement(s,
	    "INSERT OR REPLACE INTO policy_look"
	    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");

	if (st == NULL)
		return -1;
	bind_text(s, st, 1, look->domain);
	sqlite3_bind_int64(st, 2, look->looked_ns);
	sqlite3_bind_int64(st, 3, look->due_ns);
	sqlite3_bind_int64(st, 4, look->fetched_ns);
	bind_text(s, st, 5, look->state);
	bind_text_or_null(s, st, 6, look->result);
	bind_text_or_null(s, st, 7, look->detail);
	bind_text_or_null(s, st, 8, look->txt_id);
	bind_text_or_null(s, st, 9, look->tlsrpt);
	return step_done(s, st);
}

/* A query whose only parameter, ?1, is a domain or NULL for all of them. */
struct query {
	struct store *store;
	sqlite3_stmt *statement;
	int code;
};

static int
query_open(struct query *q, struct store *s, const char *sql,
    const char *domain)
{
	*q = (struct query){ .store = s, .code = SQLITE_DONE };
	if (sqlite3_prepare_v2(s->db, sql, -1, &q->statement, NULL) !=
	    SQLITE_OK)
		return store_failed(s);
	if (domain != NULL)
		bind_text(s, q->statement, 1, domain);
	return 0;
}

static bool
query_next(struct query *q, int status)
{
	if (status == 0)
		q->code = step(q->store, q->statement);
	return status == 0 && q->code == SQLITE_ROW;
}

static int
query_close(struct query *q, int status)
{
	if (status == 0 && q->code != SQLITE_DONE)
		status = store_failed(q->store);
	sqlite3_finalize(q->statement);
	return status;
}

int
store_each_policy_look(struct store *s, const char *domain, policy_look_fn *fn,
    void *context)
{
	struct policy_look look;
	struct query q;
	int status = 0;

	if (query_open(&q, s,
		"SELECT domain, looked_ns, due_ns, fetched_ns, state, result,"
		" detail, txt_id, tlsrpt FROM policy_look"
		" WHERE " OF_DOMAIN " ORDER BY domain",
		domain) != 0)
		return -1;
	while (query_next(&q, status)) {
		sqlite3_stmt *st = q.statement;

		column_text(st, 0, look.domain, sizeof(look.domain));
		look.looked_ns = sqlite3_column_int64(st, 1);
		look.due_ns = sqlite3_column_int64(st, 2);
		look.fetched_ns = sqlite3_column_int64(st, 3);
		column_text(st, 4, look.state, sizeof(look.state));
		column_text(st, 5, look.result, sizeof(look.result));
		column_text(st, 6, look.detail, sizeof(look.detail));
		column_text(st, 7, look.txt_id, sizeof(look.txt_id));
		column_text(st, 8, look.tlsrpt, sizeof(look.tlsrpt));
		status = fn(context, &look);
	}
	return query_close(&q, status);
}

int
store_each_due(struct store *s, int64_t now_ns, domain_fn *fn, void *context)
{
	char domain[DOMAIN_TEXT_BYTES];
	struct query q;
	int status = 0;

	if (query_open(&q, s,
		"SELECT domain FROM policy_look WHERE due_ns <= ?1"
		" UNION SELECT domain FROM policy"
		"  WHERE domain NOT IN (SELECT domain FROM policy_look)"
		" ORDER BY domain",
		NULL) != 0)
		return -1;
	sqlite3_bind_int64(q.statement, 1, now_ns);
	while (query_next(&q, status)) {
		column_text(q.statement, 0, domain, sizeof(domain));
		status = fn(context, domain);
	}
	return query_close(&q, status);
}

int
store_add_policy_event(struct store *s, const struct policy_event *event)
{
	sqlite3_stmt *st = statement(s,
	    "INSERT OR REPLACE INTO policy_event VALUES (?, ?, ?, ?)");

	if (st == NULL)
		return -1;
	bind_text(s, st, 1, event->domain);
	sqlite3_bind_int64(st, 2, event->at_ns);
	bind_text(s, st, 3, event->event);
	bind_text_or_null(s, st, 4, event->detail);
	return step_done(s, st);
}

int
store_each_policy_event(struct store *s, const char *domain,
    policy_event_fn *fn, void *context)
{
	struct policy_event event;
	struct query q;
	int status = 0;

	if (query_open(&q, s,
		"SELECT domain, at_ns, event, detail FROM policy_event"
		" WHERE " OF_DOMAIN " ORDER BY domain, at_ns, event",
		domain) != 0)
		return -1;
	while (query_next(&q, status)) {
		column_text(q.statement, 0, event.domain, sizeof(event.domain));
		event.at_ns = sqlite3_column_int64(q.statement, 1);
		column_text(q.statement, 2, event.event, sizeof(event.event));
		column_text(q.statement, 3, event.detail, sizeof(event.detail));
		status = fn(context, &event);
	}
	return query_close(&q, status);
}

/* --- MX hosts ------------------------------------------------------------ */

static void
bind_mail_host(struct store *s, sqlite3_stmt *st, const struct mail_host *host)
{
	bind_text(s, st, 1, host->domain);
	bind_text(s, st, 2, host->host);
	sqlite3_bind_int64(st, 3, host->from_ns);
	sqlite3_bind_int64(st, 4, host->preference);
	sqlite3_bind_int64(st, 5, host->mx_secure);
	bind_text(s, st, 6, host->dane);
	bind_text_or_null(s, st, 7, host->tlsa);
	bind_text_or_null(s, st, 8, host->addresses);
	sqlite3_bind_int64(st, 9, host->until_ns);
	bind_text_or_null(s, st, 10, host->canonical);
	bind_text_or_null(s, st, 11, host->next_hop);
	bind_text_or_null(s, st, 12, host->tlsa_base);
}

/* The newest interval of the host: grown if it says the same, else ended. 1:
 * grown, 0: there is none that says the same, -1. */
static int
grow_mail_host(struct store *s, const struct mail_host *host)
{
	sqlite3_stmt *st = statement(s,
	    "UPDATE mail_host SET until_ns = CASE WHEN preference = ?4"
	    "  AND mx_secure = ?5 AND dane = ?6 AND tlsa IS ?7"
	    "  AND addresses IS ?8 AND canonical IS ?10 AND next_hop IS ?11"
	    "  AND tlsa_base IS ?12 THEN max(until_ns, ?9)"
	    "  ELSE min(until_ns, ?3) END"
	    " WHERE domain = ?1 AND host = ?2 AND from_ns <= ?3"
	    "  AND until_ns >= ?3 RETURNING until_ns > ?3");
	int code, grown = 0;

	if (st == NULL)
		return -1;
	bind_mail_host(s, st, host);
	while ((code = step(s, st)) == SQLITE_ROW)
		grown |= sqlite3_column_int(st, 0);
	if (code != SQLITE_DONE)
		grown = store_failed(s);
	sqlite3_reset(st);
	return grown;
}

int
store_observe_mail_host(struct store *s, const struct mail_host *host)
{
	int grown = grow_mail_host(s, host);
	sqlite3_stmt *st;

	if (grown != 0)
		return grown < 0 ? -1 : 0;
	st = statement(s,
	    "INSERT OR REPLACE INTO mail_host (domain, host, from_ns,"
	    " preference, mx_secure, dane, tlsa, addresses, until_ns,"
	    " canonical, next_hop, tlsa_base)"
	    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	if (st == NULL)
		return -1;
	bind_mail_host(s, st, host);
	return step_done(s, st);
}

int
store_each_mail_host(struct store *s, const char *domain, mail_host_fn *fn,
    void *context)
{
	struct mail_host host;
	struct query q;
	int status = 0;

	if (query_open(&q, s,
		"SELECT domain, host, from_ns, until_ns, preference, mx_secure,"
		" dane, tlsa, addresses, canonical, next_hop, tlsa_base"
		" FROM mail_host"
		" WHERE " OF_DOMAIN " ORDER BY domain, host, from_ns",
		domain) != 0)
		return -1;
	while (query_next(&q, status)) {
		sqlite3_stmt *st = q.statement;

		column_text(st, 0, host.domain, sizeof(host.domain));
		column_text(st, 1, host.host, sizeof(host.host));
		host.from_ns = sqlite3_column_int64(st, 2);
		host.until_ns = sqlite3_column_int64(st, 3);
		host.preference = (unsigned)sqlite3_column_int(st, 4);
		host.mx_secure = sqlite3_column_int(st, 5) != 0;
		column_text(st, 6, host.dane, sizeof(host.dane));
		column_text(st, 7, host.tlsa, sizeof(host.tlsa));
		column_text(st, 8, host.addresses, sizeof(host.addresses));
		column_text(st, 9, host.canonical, sizeof(host.canonical));
		column_text(st, 10, host.next_hop, sizeof(host.next_hop));
		column_text(st, 11, host.tlsa_base, sizeof(host.tlsa_base));
		status = fn(context, &host);
	}
	return query_close(&q, status);
}

/* --- reports of others --------------------------------------------------- */

int
store_put_tls_report(struct store *s, const struct tls_report_row *row)
{
	sqlite3_stmt *st = statement(s,
	    "INSERT OR REPLACE INTO tls_report"
	    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");

	if (st == NULL)
		return -1;
	bind_text(s, st, 1, row->organization);
	bind_text(s, st, 2, row->report_id);
	bind_text(s, st, 3, row->domain);
	bind_text(s, st, 4, row->policy_type);
	sqlite3_bind_int64(st, 5, row->start_ns);
	sqlite3_bind_int64(st, 6, row->end_ns);
	bind_u64(st, 7, row->successes);
	bind_u64(st, 8, row->failures);
	bind_text_or_null(s, st, 9, row->details);
	return step_done(s, st);
}

int
store_each_tls_report(struct store *s, const char *domain, tls_report_fn *fn,
    void *context)
{
	struct tls_report_row row;
	struct query q;
	int status = 0;

	if (query_open(&q, s,
		"SELECT organization, report_id, domain, policy_type, start_ns,"
		" end_ns, successes, failures, details FROM tls_report"
		" WHERE " OF_DOMAIN " ORDER BY domain, start_ns,"
		" organization, report_id, policy_type",
		domain) != 0)
		return -1;
	while (query_next(&q, status)) {
		sqlite3_stmt *st = q.statement;

		column_text(st, 0, row.organization, sizeof(row.organization));
		column_text(st, 1, row.report_id, sizeof(row.report_id));
		column_text(st, 2, row.domain, sizeof(row.domain));
		column_text(st, 3, row.policy_type, sizeof(row.policy_type));
		row.start_ns = sqlite3_column_int64(st, 4);
		row.end_ns = sqlite3_column_int64(st, 5);
		row.successes = (uint64_t)sqlite3_column_int64(st, 6);
		row.failures = (uint64_t)sqlite3_column_int64(st, 7);
		row.details = (const char *)sqlite3_column_text(st, 8);
		status = fn(context, &row);
	}
	return query_close(&q, status);
}

/* --- what reports are made of -------------------------------------------- */

int
store_each_known_domain(struct store *s, domain_fn *fn, void *context)
{
	char domain[DOMAIN_TEXT_BYTES];
	struct query q;
	int status = 0;

	if (query_open(&q, s,
		"SELECT domain FROM recipient UNION SELECT domain FROM policy"
		" UNION SELECT domain FROM policy_look ORDER BY domain",
		NULL) != 0)
		return -1;
	while (query_next(&q, status)) {
		column_text(q.statement, 0, domain, sizeof(domain));
		status = fn(context, domain);
	}
	return query_close(&q, status);
}

int
store_each_tls_day(struct store *s, const struct address *server,
    tls_day_fn *fn, void *context)
{
	char text[ADDRESS_TEXT_BYTES];
	struct query q;
	int status = 0;

	/* ?2: nanoseconds of a day; ?3: TLS, ?4: the port of an MX. */
	if (query_open(&q, s,
		"SELECT CASE WHEN first_ns / ?2 = last_ns / ?2"
		"  THEN first_ns / ?2 * ?2 ELSE -1 END AS day, sum(sessions)"
		" FROM profile WHERE server = ?1 AND port = ?4"
		"  AND ending_class = ?3 GROUP BY day ORDER BY day",
		address_format(server, text)) != 0)
		return -1;
	sqlite3_bind_int64(q.statement, 2, INT64_C(86400) * 1000000000);
	sqlite3_bind_int(q.statement, 3, CLASS_TLS);
	sqlite3_bind_int(q.statement, 4, 25);
	while (query_next(&q, status))
		status = fn(context, sqlite3_column_int64(q.statement, 0),
		    (uint64_t)sqlite3_column_int64(q.statement, 1));
	return query_close(&q, status);
}

int
store_has_recipient(struct store *s, const char *domain, bool *has)
{
	sqlite3_stmt *st = statement(s,
	    "SELECT 1 FROM recipient WHERE domain = ?1"
	    " UNION ALL SELECT 1 FROM policy_verdict WHERE domain = ?1"
	    " AND basis <> 'rcpt' LIMIT 1");
	int code;

	if (st == NULL)
		return -1;
	bind_text(s, st, 1, domain);
	code = step(s, st);
	*has = code == SQLITE_ROW;
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return store_failed(s);
	sqlite3_reset(st);
	return 0;
}
