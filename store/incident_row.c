#include "incident_row.h"

#include <stdio.h>

/* --- words --------------------------------------------------------------- */

static uint32_t
outcome_bits(char *words)
{
	uint32_t outcome = 0;
	char *save = NULL;

	for (char *w = strtok_r(words, " ", &save); w != NULL;
	     w = strtok_r(NULL, " ", &save))
		for (unsigned bit = 0; bit < OUTCOME_BITS; bit++)
			if (strcmp(w, outcome_name(bit)) == 0)
				outcome |= 1u << bit;
	return outcome;
}

static uint32_t
kind_bits(char *words)
{
	uint32_t also = 0;
	char *save = NULL;
	enum kind kind;

	for (char *w = strtok_r(words, " ", &save); w != NULL;
	     w = strtok_r(NULL, " ", &save))
		if (kind_parse(w, &kind))
			also |= 1u << kind;
	return also;
}

/* The index of `word` among `count` names; 0 when it is none of them. */
static int
word_index(const char *word, const char *(*name)(int), int count)
{
	for (int i = 0; i < count; i++)
		if (strcmp(word, name(i)) == 0)
			return i;
	return 0;
}

static const char *
cause_at(int i)
{
	return cause_name((enum cause)i);
}

static const char *
side_at(int i)
{
	return side_name((enum side)i);
}

static const char *
direction_at(int i)
{
	return direction_name((enum direction)i);
}

static const char *
state_at(int i)
{
	return incident_state_name((enum incident_state)i);
}

static const char *
result_at(int i)
{
	return policy_result_name((enum policy_result)i);
}

static const char *
basis_at(int i)
{
	return policy_basis_name((enum policy_basis)i);
}

static const char *
mechanism_at(int i)
{
	return policy_mechanism_name((enum policy_mechanism)i);
}

/* --- rows ---------------------------------------------------------------- */

static void
read_words(sqlite3_stmt *st, int from, struct incident *in)
{
	char word[256];

	column_text(st, from, word, sizeof(word));
	in->state = (enum incident_state)word_index(word, state_at, 3);
	column_text(st, from + 1, word, sizeof(word));
	kind_parse(word, &in->kind);
	column_text(st, from + 2, word, sizeof(word));
	in->also = kind_bits(word);
	column_text(st, from + 3, word, sizeof(word));
	certainty_parse(word, &in->certainty);
	in->confidence = sqlite3_column_double(st, from + 4);
	in->support = sqlite3_column_double(st, from + 5);
	in->prior = sqlite3_column_double(st, from + 6);
	column_text(st, from + 7, word, sizeof(word));
	in->cause = (enum cause)word_index(word, cause_at, 5);
	column_text(st, from + 8, word, sizeof(word));
	in->side = (enum side)word_index(word, side_at, 3);
	column_text(st, from + 9, word, sizeof(word));
	in->outcome = outcome_bits(word);
	in->retrospect = sqlite3_column_int(st, from + 10);
}

static void
read_domains(sqlite3_stmt *st, int column, struct incident *in)
{
	char text[INCIDENT_DOMAINS_MAX * DOMAIN_TEXT_BYTES], *save = NULL;

	column_text(st, column, text, sizeof(text));
	for (char *word = strtok_r(text, " ", &save);
	     word != NULL && in->domain_count < INCIDENT_DOMAINS_MAX;
	     word = strtok_r(NULL, " ", &save))
		snprintf(in->rcpt_domains[in->domain_count++],
		    DOMAIN_TEXT_BYTES, "%.255s", word);
}

/* A quoted local part may hold a blank, but no line's end. */
static void
read_rcpts(sqlite3_stmt *st, int column, struct incident *in)
{
	char text[INCIDENT_RCPTS_MAX * PATH_TEXT_BYTES], *save = NULL;

	column_text(st, column, text, sizeof(text));
	for (char *word = strtok_r(text, "\n", &save);
	     word != NULL && in->rcpt_count < INCIDENT_RCPTS_MAX;
	     word = strtok_r(NULL, "\n", &save))
		snprintf(in->rcpt_to[in->rcpt_count++], PATH_TEXT_BYTES,
		    "%.259s", word);
}

static void
read_revision(sqlite3_stmt *st, struct incident *in)
{
	struct slice session = column_blob(st, 39);
	char word[32];

	memset(in, 0, sizeof(*in));
	column_text(st, 0, in->id, sizeof(in->id));
	in->revision = (unsigned)sqlite3_column_int64(st, 1);
	read_words(st, 2, in);
	column_text(st, 13, in->observed, sizeof(in->observed));
	column_text(st, 14, in->benign, sizeof(in->benign));
	column_text(st, 15, in->next_step, sizeof(in->next_step));
	column_text(st, 16, in->resembles, sizeof(in->resembles));
	in->resembles_samples = (unsigned)sqlite3_column_int64(st, 17);
	in->unseen = (uint16_t)sqlite3_column_int(st, 18);
	column_address(st, 19, &in->client.address);
	in->client.port = (uint16_t)sqlite3_column_int(st, 20);
	column_address(st, 21, &in->server.address);
	in->server.port = (uint16_t)sqlite3_column_int(st, 22);
	column_text(st, 23, in->helo, sizeof(in->helo));
	column_text(st, 24, in->server_name, sizeof(in->server_name));
	column_text(st, 25, in->product, sizeof(in->product));
	column_text(st, 26, in->queue_id, sizeof(in->queue_id));
	column_text(st, 27, in->capture_hash, sizeof(in->capture_hash));
	column_text(st, 28, in->capture_path, sizeof(in->capture_path));
	in->frame = (uint64_t)sqlite3_column_int64(st, 29);
	in->capture_ts_ns = sqlite3_column_int64(st, 30);
	in->stream_offset = (uint64_t)sqlite3_column_int64(st, 31);
	column_text(st, 32, in->seen, sizeof(in->seen));
	column_text(st, 33, in->expected, sizeof(in->expected));
	in->seen_line = (unsigned)sqlite3_column_int64(st, 34);
	in->ehlo_frame = (uint64_t)sqlite3_column_int64(st, 35);
	read_domains(st, 36, in);
	in->domains_unlisted = (unsigned)sqlite3_column_int64(st, 37);
	column_text(st, 38, in->provenance, sizeof(in->provenance));
	if (session.len == 16)
		memcpy(in->session, session.ptr, 16);
	in->ordinal = (unsigned)sqlite3_column_int64(st, 40);
	column_text(st, 41, in->mail_from, sizeof(in->mail_from));
	read_rcpts(st, 42, in);
	column_text(st, 43, word, sizeof(word));
	in->direction =
	    (enum direction)word_index(word, direction_at, DIRECTIONS);
	column_text(st, 44, in->box, sizeof(in->box));
}

/* Rows that belong to the revision; `read` takes one into the incident. */
static int
read_parts(struct store *s, const char *sql, struct incident *in,
    void (*read)(sqlite3_stmt *, struct incident *))
{
	sqlite3_stmt *st = statement(s, sql);
	int code;

	if (st == NULL)
		return -1;
	bind_text(s, st, 1, in->id);
	sqlite3_bind_int64(st, 2, in->revision);
	while ((code = step(s, st)) == SQLITE_ROW)
		read(st, in);
	sqlite3_reset(st);
	return code == SQLITE_DONE ? 0 : store_failed(s);
}

static void
read_evidence(sqlite3_stmt *st, struct incident *in)
{
	struct evidence *e = &in->evidence[in->evidence_count];
	char word[64];

	column_text(st, 0, word, sizeof(word));
	if (in->evidence_count == INCIDENT_EVIDENCE_MAX ||
	    !evidence_parse(word, &e->code))
		return;
	in->evidence_count++;
	e->weight = sqlite3_column_double(st, 1);
	e->frame = (uint64_t)sqlite3_column_int64(st, 2);
	column_text(st, 3, e->detail, sizeof(e->detail));
}

static void
read_policy(sqlite3_stmt *st, struct incident *in)
{
	struct policy_verdict *v = &in->policies[in->policy_count];
	char word[32];

	if (in->policy_count == INCIDENT_POLICIES_MAX)
		return;
	in->policy_count++;
	column_text(st, 0, v->domain, sizeof(v->domain));
	column_text(st, 1, v->mode, sizeof(v->mode));
	column_text(st, 2, word, sizeof(word));
	v->assumed = strcmp(word, "assumed") == 0;
	column_text(st, 3, word, sizeof(word));
	v->result = (enum policy_result)word_index(word, result_at, 4);
	column_text(st, 4, word, sizeof(word));
	v->basis = (enum policy_basis)word_index(word, basis_at, 3);
	column_text(st, 5, word, sizeof(word));
	v->mechanism = (enum policy_mechanism)word_index(word, mechanism_at, 2);
}

static void
read_session(sqlite3_stmt *st, struct incident *in)
{
	struct incident_session *out = &in->sessions[in->session_count];
	struct slice session = column_blob(st, 0);

	if (in->session_count == INCIDENT_SESSIONS_MAX || session.len != 16)
		return;
	in->session_count++;
	memcpy(out->session, session.ptr, 16);
	column_text(st, 1, out->role, sizeof(out->role));
	column_address(st, 2, &out->client.address);
	out->client.port = (uint16_t)sqlite3_column_int(st, 3);
	out->first_ns = sqlite3_column_int64(st, 4);
}

int
incident_row_read(struct store *s, sqlite3_stmt *st, struct incident *in)
{
	read_revision(st, in);
	if (read_parts(s,
		"SELECT code, weight, frame, detail FROM evidence"
		" WHERE incident = ? AND revision = ? ORDER BY ordinal",
		in, read_evidence) != 0 ||
	    read_parts(s,
		"SELECT domain, mode, validity, result, basis, mechanism"
		" FROM policy_verdict WHERE incident = ? AND revision = ?"
		" ORDER BY ordinal",
		in, read_policy) != 0)
		return -1;
	return read_parts(s,
	    "SELECT session, role, client, client_port, first_ns"
	    " FROM incident_session"
	    " WHERE incident = ? AND revision = ?"
	    " ORDER BY role <> 'tampered', role, session",
	    in, read_session);
}

void
incident_row_trace(sqlite3_stmt *st, struct incident *in)
{
	char word[256];

	memset(in, 0, sizeof(*in));
	column_text(st, 0, in->id, sizeof(in->id));
	column_text(st, 1, word, sizeof(word));
	kind_parse(word, &in->kind);
	column_text(st, 2, word, sizeof(word));
	certainty_parse(word, &in->certainty);
	column_text(st, 3, in->resembles, sizeof(in->resembles));
	column_text(st, 4, in->seen, sizeof(in->seen));
	column_address(st, 5, &in->client.address);
	in->client.port = (uint16_t)sqlite3_column_int(st, 6);
	column_address(st, 7, &in->server.address);
	in->server.port = (uint16_t)sqlite3_column_int(st, 8);
	in->capture_ts_ns = sqlite3_column_int64(st, 9);
	column_text(st, 10, word, sizeof(word));
	in->state = (enum incident_state)word_index(word, state_at, 3);
	column_text(st, 11, word, sizeof(word));
	in->outcome = outcome_bits(word);
}
