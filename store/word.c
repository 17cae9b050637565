/* What the operator said: kept for good, and read back with the incidents. */
#include <time.h>

#include "statement.h"

#define WORD_COLUMNS                                             \
	"number, verb, incident, label, server, client_network," \
	" client_bits, kind, mask, lifts, until_ns, note, said_ns, uid, user"

static const char *const verb_names[WORD_VERBS] = { "ack", "label", "suppress",
	"lift" };

const char *
word_verb_name(enum word_verb verb)
{
	return verb_names[verb];
}

static void
bind_address_or_null(struct store *s, sqlite3_stmt *st, int at, bool there,
    const struct address *address)
{
	if (there)
		bind_address(s, st, at, address);
	else
		sqlite3_bind_null(st, at);
}

int
store_add_word(struct store *s, struct word *word)
{
	sqlite3_stmt *st = statement(s,
	    "INSERT INTO word (verb, incident, label, server, client_network,"
	    " client_bits, kind, mask, lifts, until_ns, note, said_ns, uid,"
	    " user) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	int i = 1;

	if (st == NULL)
		return -1;
	bind_text(s, st, i++, verb_names[word->verb]);
	bind_text_or_null(s, st, i++, word->incident);
	bind_text_or_null(s, st, i++, label_name(word->label));
	bind_address_or_null(s, st, i++, word->has_server, &word->server);
	bind_address_or_null(s, st, i++, word->has_client, &word->client);
	sqlite3_bind_int64(st, i++, word->client_bits);
	bind_text_or_null(s, st, i++, word->kind);
	bind_text_or_null(s, st, i++, word->mask);
	bind_u64(st, i++, word->lifts);
	sqlite3_bind_int64(st, i++, word->until_ns);
	bind_text_or_null(s, st, i++, word->note);
	sqlite3_bind_int64(st, i++, word->said_ns);
	sqlite3_bind_int64(st, i++, word->uid);
	bind_text(s, st, i++, word->user);
	if (step_done(s, st) != 0)
		return -1;
	word->number = (uint64_t)sqlite3_last_insert_rowid(s->db);
	return 0;
}

static void
read_word(sqlite3_stmt *st, struct word *out)
{
	char text[32];

	memset(out, 0, sizeof(*out));
	out->number = (uint64_t)sqlite3_column_int64(st, 0);
	column_text(st, 1, text, sizeof(text));
	for (int i = 0; i < WORD_VERBS; i++)
		if (strcmp(text, verb_names[i]) == 0)
			out->verb = (enum word_verb)i;
	column_text(st, 2, out->incident, sizeof(out->incident));
	column_text(st, 3, text, sizeof(text));
	label_parse(text, &out->label);
	out->has_server = sqlite3_column_type(st, 4) != SQLITE_NULL;
	if (out->has_server)
		column_address(st, 4, &out->server);
	out->has_client = sqlite3_column_type(st, 5) != SQLITE_NULL;
	if (out->has_client)
		column_address(st, 5, &out->client);
	out->client_bits = (unsigned)sqlite3_column_int(st, 6);
	column_text(st, 7, out->kind, sizeof(out->kind));
	column_text(st, 8, out->mask, sizeof(out->mask));
	out->lifts = (uint64_t)sqlite3_column_int64(st, 9);
	out->until_ns = sqlite3_column_int64(st, 10);
	column_text(st, 11, out->note, sizeof(out->note));
	out->said_ns = sqlite3_column_int64(st, 12);
	out->uid = sqlite3_column_int64(st, 13);
	column_text(st, 14, out->user, sizeof(out->user));
}

static int
each(struct store *s, sqlite3_stmt *st, word_fn *fn, void *context)
{
	struct word word;
	int code = SQLITE_DONE, status = 0;

	while (status == 0 && (code = step(s, st)) == SQLITE_ROW) {
		read_word(st, &word);
		status = fn(context, &word);
	}
	sqlite3_reset(st);
	return status == 0 && code != SQLITE_DONE ? store_failed(s) : status;
}

int
store_each_word(struct store *s, const char *incident, word_fn *fn,
    void *context)
{
	sqlite3_stmt *st = statement(s,
	    incident == NULL ? "SELECT " WORD_COLUMNS
			       " FROM word ORDER BY number" :
			       "SELECT " WORD_COLUMNS
			       " FROM word WHERE incident = ? ORDER BY number");

	if (st == NULL)
		return -1;
	if (incident != NULL)
		bind_text(s, st, 1, incident);
	return each(s, st, fn, context);
}

int
store_each_rule(struct store *s, word_fn *fn, void *context)
{
	sqlite3_stmt *st = statement(s,
	    "SELECT " WORD_COLUMNS " FROM word WHERE verb = 'suppress'"
	    " AND number NOT IN (SELECT lifts FROM word WHERE verb = 'lift')"
	    " ORDER BY number");

	return st == NULL ? -1 : each(s, st, fn, context);
}

bool
word_covers(const struct word *rule, const struct incident *in)
{
	if (rule->has_server &&
	    address_compare(&rule->server, &in->server.address) != 0)
		return false;
	if (rule->has_client &&
	    !address_is_in(&in->client.address, &rule->client,
		rule->client_bits))
		return false;
	if (rule->kind[0] != '\0' &&
	    strcmp(rule->kind, kind_name(in->kind)) != 0)
		return false;
	if (rule->mask[0] != '\0' && strcmp(rule->mask, in->resembles) != 0)
		return false;
	return in->capture_ts_ns < rule->until_ns;
}

static int
on_own_word(void *context, const struct word *word)
{
	struct operator_words *w = context;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	w->count++;
	if (word->until_ns <= (int64_t)now.tv_sec * 1000000000)
		return 0;
	w->last_ns = word->said_ns;
	strcpy(w->last_user, word->user);
	if (word->note[0] != '\0')
		strcpy(w->note, word->note);
	w->acknowledged = true; /* who labels it has seen it */
	if (word->verb == WORD_LABEL)
		w->label = word->label;
	return 0;
}

static int
on_rule(void *context, const struct word *rule)
{
	struct incident *in = context;

	if (!word_covers(rule, in))
		return 0;
	in->words.suppressed_by = rule->number;
	if (in->words.note[0] == '\0')
		strcpy(in->words.note, rule->note);
	return 1;
}

int
store_rules_cover(struct store *s, struct incident *in)
{
	return store_each_rule(s, on_rule, in) < 0 ? -1 : 0;
}

int
store_words_of(struct store *s, struct incident *in)
{
	memset(&in->words, 0, sizeof(in->words));
	if (store_each_word(s, in->id, on_own_word, &in->words) != 0)
		return -1;
	return store_rules_cover(s, in);
}

int
store_count_labels(struct store *s, const char *capture_hash,
    uint64_t counts[KINDS][LABELS])
{
	sqlite3_stmt *st = statement(s,
	    "SELECT kind, label, count(*) FROM (SELECT incident, label,"
	    " max(number) FROM word WHERE verb = 'label' GROUP BY incident)"
	    " AS said JOIN incident ON said.incident = id JOIN revision"
	    " ON revision.incident = id AND revision = latest"
	    " WHERE ?1 IS NULL OR capture = ?1 OR session IN (SELECT session"
	    " FROM sighting WHERE capture = ?1 OR"
	    " instr(further_captures, ?1)) GROUP BY kind, label");
	char text[32];
	int code;

	if (st == NULL)
		return -1;
	if (capture_hash != NULL)
		bind_text(s, st, 1, capture_hash);
	memset(counts, 0, KINDS * sizeof(*counts));
	while ((code = step(s, st)) == SQLITE_ROW) {
		enum label label = LABEL_NONE;
		enum kind kind;

		column_text(st, 0, text, sizeof(text));
		if (!kind_parse(text, &kind))
			continue;
		column_text(st, 1, text, sizeof(text));
		label_parse(text, &label);
		counts[kind][label] += (uint64_t)sqlite3_column_int64(st, 2);
	}
	sqlite3_reset(st);
	return code == SQLITE_DONE ? 0 : store_failed(s);
}
