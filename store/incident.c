/* Incidents and their revisions, which are only ever added. */
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "incident_row.h"
#include "verdict.h"

/* --- words for bits ------------------------------------------------------ */

static void
append_word(char *out, size_t room, const char *between, const char *word)
{
	size_t n = strlen(out);

	snprintf(out + n, room - n, "%s%s", n ? between : "", word);
}

static void
outcome_words(uint32_t outcome, char out[160])
{
	out[0] = '\0';
	for (unsigned bit = 0; bit < OUTCOME_BITS; bit++)
		if (outcome >> bit & 1)
			append_word(out, 160, " ", outcome_name(bit));
}

static void
kind_words(uint32_t also, char out[256])
{
	out[0] = '\0';
	for (unsigned k = 0; k < KINDS; k++)
		if (also >> k & 1)
			append_word(out, 256, " ", kind_name((enum kind)k));
}

/* --- writing ------------------------------------------------------------- */

static int
put_head(struct store *s, const struct incident *in)
{
	sqlite3_stmt *st = statement(s,
	    "INSERT INTO incident VALUES (?1, ?2, ?3, ?4, ?5)"
	    " ON CONFLICT (id) DO UPDATE SET latest = ?4, capture_ts_ns = ?5");

	if (st == NULL)
		return -1;
	bind_text(s, st, 1, in->id);
	bind_blob(s, st, 2, in->session, 16);
	sqlite3_bind_int64(st, 3, in->ordinal);
	sqlite3_bind_int64(st, 4, in->revision);
	sqlite3_bind_int64(st, 5, in->capture_ts_ns);
	return step_done(s, st);
}

static int
put_revision(struct store *s, const struct incident *in)
{
	sqlite3_stmt *st = statement(s,
	    "INSERT INTO revision VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
	    " ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
	    " ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	char words[256], domains[INCIDENT_DOMAINS_MAX * DOMAIN_TEXT_BYTES];
	char rcpts[INCIDENT_RCPTS_MAX * PATH_TEXT_BYTES];
	int i = 1;

	if (st == NULL)
		return -1;
	bind_text(s, st, i++, in->id);
	sqlite3_bind_int64(st, i++, in->revision);
	bind_text(s, st, i++, incident_state_name(in->state));
	bind_text(s, st, i++, kind_name(in->kind));
	kind_words(in->also, words);
	bind_text(s, st, i++, words);
	bind_text(s, st, i++, certainty_name(in->certainty));
	sqlite3_bind_double(st, i++, in->confidence);
	sqlite3_bind_double(st, i++, in->support);
	sqlite3_bind_double(st, i++, in->prior);
	bind_text(s, st, i++, cause_name(in->cause));
	bind_text(s, st, i++, side_name(in->side));
	outcome_words(in->outcome, words);
	bind_text(s, st, i++, words);
	sqlite3_bind_int(st, i++, in->retrospect);
	bind_text(s, st, i++, in->observed);
	bind_text(s, st, i++, in->benign);
	bind_text(s, st, i++, in->next_step);
	bind_text_or_null(s, st, i++, in->resembles);
	sqlite3_bind_int64(st, i++, in->resembles_samples);
	sqlite3_bind_int(st, i++, in->unseen);
	bind_address(s, st, i++, &in->client.address);
	sqlite3_bind_int(st, i++, in->client.port);
	bind_address(s, st, i++, &in->server.address);
	sqlite3_bind_int(st, i++, in->server.port);
	bind_text_or_null(s, st, i++, in->helo);
	bind_text_or_null(s, st, i++, in->server_name);
	bind_text_or_null(s, st, i++, in->product);
	bind_text_or_null(s, st, i++, in->queue_id);
	bind_text(s, st, i++, in->capture_hash);
	bind_text(s, st, i++, in->capture_path);
	bind_u64(st, i++, in->frame);
	sqlite3_bind_int64(st, i++, in->capture_ts_ns);
	bind_u64(st, i++, in->stream_offset);
	bind_text_or_null(s, st, i++, in->seen);
	bind_text_or_null(s, st, i++, in->expected);
	sqlite3_bind_int64(st, i++, in->seen_line);
	bind_u64(st, i++, in->ehlo_frame);
	domains[0] = '\0';
	for (unsigned d = 0; d < in->domain_count; d++)
		append_word(domains, sizeof(domains), " ", in->rcpt_domains[d]);
	bind_text(s, st, i++, domains);
	sqlite3_bind_int64(st, i++, in->domains_unlisted);
	bind_text(s, st, i++, in->provenance);
	bind_text_or_null(s, st, i++, in->mail_from);
	rcpts[0] = '\0';
	for (unsigned r = 0; r < in->rcpt_count; r++)
		append_word(rcpts, sizeof(rcpts), "\n", in->rcpt_to[r]);
	bind_text_or_null(s, st, i++, rcpts);
	bind_text_or_null(s, st, i++, direction_name(in->direction));
	bind_text_or_null(s, st, i++, in->box);
	return step_done(s, st);
}

static int
put_evidence(struct store *s, const struct incident *in, unsigned at)
{
	const struct evidence *e = &in->evidence[at];
	sqlite3_stmt *st =
	    statement(s, "INSERT INTO evidence VALUES (?, ?, ?, ?, ?, ?, ?)");

	if (st == NULL)
		return -1;
	bind_text(s, st, 1, in->id);
	sqlite3_bind_int64(st, 2, in->revision);
	sqlite3_bind_int64(st, 3, at);
	bind_text(s, st, 4, evidence_name(e->code));
	sqlite3_bind_double(st, 5, e->weight);
	bind_u64(st, 6, e->frame);
	bind_text(s, st, 7, e->detail);
	return step_done(s, st);
}

static int
put_policy(struct store *s, const struct incident *in, unsigned at)
{
	const struct policy_verdict *v = &in->policies[at];
	sqlite3_stmt *st = statement(s,
	    "INSERT INTO policy_verdict VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");

	if (st == NULL)
		return -1;
	bind_text(s, st, 1, in->id);
	sqlite3_bind_int64(st, 2, in->revision);
	sqlite3_bind_int64(st, 3, at);
	bind_text(s, st, 4, v->domain);
	bind_text(s, st, 5, v->mode);
	bind_text(s, st, 6, v->assumed ? "assumed" : "observed");
	bind_text(s, st, 7, policy_result_name(v->result));
	bind_text(s, st, 8, policy_basis_name(v->basis));
	bind_text(s, st, 9, policy_mechanism_name(v->mechanism));
	return step_done(s, st);
}

static int
put_session(struct store *s, const struct incident *in, unsigned at)
{
	const struct incident_session *session = &in->sessions[at];
	sqlite3_stmt *st = statement(s,
	    "INSERT INTO incident_session VALUES (?, ?, ?, ?, ?, ?, ?)");

	if (st == NULL)
		return -1;
	bind_text(s, st, 1, in->id);
	sqlite3_bind_int64(st, 2, in->revision);
	bind_blob(s, st, 3, session->session, 16);
	bind_text(s, st, 4, session->role);
	bind_address(s, st, 5, &session->client.address);
	sqlite3_bind_int(st, 6, session->client.port);
	sqlite3_bind_int64(st, 7, session->first_ns);
	return step_done(s, st);
}

/* --- revisions ----------------------------------------------------------- */

/* 1: there is one, in `out`; 0: there is none; -1: failed. */
static int
read_latest(struct store *s, const char *id, struct incident *out)
{
	sqlite3_stmt *st = statement(s,
	    "SELECT " INCIDENT_COLUMNS
	    " FROM incident JOIN revision ON incident = id"
	    " AND revision = latest WHERE id = ?");
	int code, status = 0;

	if (st == NULL)
		return -1;
	bind_text(s, st, 1, id);
	code = step(s, st);
	if (code == SQLITE_ROW)
		status = incident_row_read(s, st, out) == 0 ? 1 : -1;
	else if (code != SQLITE_DONE)
		status = store_failed(s);
	sqlite3_reset(st);
	return status;
}

int
store_put_incident(struct store *s, struct incident *in, bool *written)
{
	struct incident *latest = malloc(sizeof(*latest));
	int known, status = -1;

	*written = false;
	if (latest == NULL) {
		snprintf(s->error, sizeof(s->error), "%.300s: out of memory",
		    s->path);
		return -1;
	}
	known = read_latest(s, in->id, latest);
	if (known < 0)
		goto out;
	status = 0;
	in->revision = known ? latest->revision : 0;
	if ((known && verdict_same(latest, in)) ||
	    (!known && in->state == STATE_WITHDRAWN))
		goto out;
	in->revision++;
	status = put_head(s, in);
	if (status == 0)
		status = put_revision(s, in);
	for (unsigned i = 0; i < in->evidence_count && status == 0; i++)
		status = put_evidence(s, in, i);
	for (unsigned i = 0; i < in->policy_count && status == 0; i++)
		status = put_policy(s, in, i);
	for (unsigned i = 0; i < in->session_count && status == 0; i++)
		status = put_session(s, in, i);
	*written = status == 0;
out:
	free(latest);
	return status;
}

/* --- questions ----------------------------------------------------------- */

static bool
has_domain(const struct incident *in, const char *domain)
{
	for (unsigned i = 0; i < in->domain_count; i++)
		if (strcasecmp(in->rcpt_domains[i], domain) == 0)
			return true;
	return false;
}

static bool
passes(const struct incident_filter *f, const struct incident *in)
{
	enum certainty least = f->certainty ? f->certainty : CERTAINTY_POSSIBLE;

	if (!f->all && (in->state == STATE_WITHDRAWN || in->certainty < least))
		return false;
	if (f->kind != NULL && strcmp(f->kind, kind_name(in->kind)) != 0)
		return false;
	if (f->server != NULL &&
	    address_compare(f->server, &in->server.address) != 0)
		return false;
	if (f->client != NULL &&
	    address_compare(f->client, &in->client.address) != 0)
		return false;
	if (f->domain != NULL && !has_domain(in, f->domain))
		return false;
	if (f->since_ns != 0 && in->capture_ts_ns < f->since_ns)
		return false;
	return f->until_ns == 0 || in->capture_ts_ns < f->until_ns;
}

static int
each(struct store *s, sqlite3_stmt *st, const struct incident_filter *filter,
    incident_fn *fn, void *context)
{
	struct incident *in = malloc(sizeof(*in));
	int code = SQLITE_DONE, status = 0;

	if (in == NULL) {
		snprintf(s->error, sizeof(s->error), "%.300s: out of memory",
		    s->path);
		status = -1;
	}
	while (status == 0 && (code = step(s, st)) == SQLITE_ROW) {
		status = incident_row_read(s, st, in);
		if (status == 0 && filter != NULL && !passes(filter, in))
			continue;
		if (status == 0)
			status = store_words_of(s, in);
		if (status == 0)
			status = fn(context, in);
	}
	if (status == 0 && code != SQLITE_DONE)
		status = store_failed(s);
	free(in);
	sqlite3_finalize(st);
	return status;
}

/* Their hashes as a JSON array: hex needs no escaping. */
static int
bind_captures(struct store *s, sqlite3_stmt *st, int column,
    const struct incident_filter *f)
{
	sqlite3_str *json = sqlite3_str_new(NULL);
	char *text;

	for (size_t i = 0; i < f->capture_count; i++)
		sqlite3_str_appendf(json, "%s\"%s\"", i ? "," : "[",
		    f->captures[i].hash);
	sqlite3_str_appendall(json, f->capture_count ? "]" : "[]");
	text = sqlite3_str_finish(json);
	if (text == NULL)
		return -1;
	s->unbound |= sqlite3_bind_text(st, column, text, -1, sqlite3_free) !=
	    SQLITE_OK;
	return 0;
}

int
store_each_incident(struct store *s, const struct incident_filter *f,
    incident_fn *fn, void *context)
{
	sqlite3_stmt *st;

	if (sqlite3_prepare_v2(s->db,
		"SELECT " INCIDENT_COLUMNS " FROM incident JOIN revision"
		" ON incident = id AND revision = latest"
		" WHERE (?1 IS NULL OR substr(id, 1, length(?1)) = ?1)"
		" AND (?2 IS NULL OR incident.session = ?2)"
		" AND (?3 IS NULL"
		" OR capture IN (SELECT value FROM json_each(?3))"
		" OR incident.session IN (SELECT session FROM sighting"
		" JOIN json_each(?3) ON sighting.capture = value"
		" OR instr(further_captures, value)))"
		" ORDER BY incident.capture_ts_ns, id",
		-1, &st, NULL) != SQLITE_OK)
		return store_failed(s);
	if (f->id_prefix != NULL)
		bind_text(s, st, 1, f->id_prefix);
	if (f->session != NULL)
		bind_blob(s, st, 2, f->session, 16);
	if (f->captures != NULL && bind_captures(s, st, 3, f) != 0) {
		sqlite3_finalize(st);
		return store_failed(s);
	}
	return each(s, st, f, fn, context);
}

int
store_each_revision(struct store *s, const char *id, incident_fn *fn,
    void *context)
{
	sqlite3_stmt *st;

	if (sqlite3_prepare_v2(s->db,
		"SELECT " INCIDENT_COLUMNS " FROM incident JOIN revision"
		" ON incident = id WHERE id = ? ORDER BY revision",
		-1, &st, NULL) != SQLITE_OK)
		return store_failed(s);
	bind_text(s, st, 1, id);
	return each(s, st, NULL, fn, context);
}

int
store_each_trace(struct store *s, incident_fn *fn, void *context)
{
	sqlite3_stmt *st = statement(s,
	    "SELECT " TRACE_COLUMNS " FROM incident JOIN revision"
	    " ON incident = id AND revision = latest"
	    " WHERE state <> 'withdrawn' AND certainty <> 'none'");
	struct incident *in = malloc(sizeof(*in));
	int code = SQLITE_DONE, status = st == NULL || in == NULL ? -1 : 0;

	while (status == 0 && (code = step(s, st)) == SQLITE_ROW) {
		incident_row_trace(st, in);
		status = store_rules_cover(s, in);
		if (status == 0)
			status = fn(context, in);
	}
	if (status == 0 && code != SQLITE_DONE)
		status = store_failed(s);
	if (st != NULL)
		sqlite3_reset(st);
	free(in);
	return status;
}
