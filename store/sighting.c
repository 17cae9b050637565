/*
 * Kept sessions. The lines of EHLO replies are most of a session's facts and
 * the same in thousands of them: their bytes stand in `reply`, once each, and
 * a stored fact of theirs has length 0 and its own length in `reserved`.
 */
#include <stdio.h>
#include <stdlib.h>

#include <xxhash.h>

#include "statement.h"

struct split {
	uint8_t *facts, *reply;
	size_t facts_bytes, reply_bytes;
};

static bool
split_facts(struct slice in, struct split *out)
{
	struct slice bytes;
	struct fact fact;

	out->facts = malloc(in.len + 1);
	out->reply = malloc(in.len + 1);
	out->facts_bytes = out->reply_bytes = 0;
	if (out->facts == NULL || out->reply == NULL || in.len == 0)
		return false;
	out->facts[out->facts_bytes++] = in.ptr[0];
	in = slice_after(in, 1);
	while (fact_decode(&in, &fact, &bytes)) {
		if (fact.code == FACT_EHLO_REPLY) {
			memcpy(out->reply + out->reply_bytes, bytes.ptr,
			    bytes.len);
			out->reply_bytes += bytes.len;
			fact.reserved = (uint16_t)bytes.len;
			bytes.len = 0;
		}
		out->facts_bytes +=
		    fact_encode(&fact, bytes, out->facts + out->facts_bytes);
	}
	return true;
}

/* The facts as they were; NULL: memory, or the row is damaged. */
static uint8_t *
join_facts(struct slice facts, struct slice reply, size_t *out_bytes)
{
	uint8_t *joined = malloc(facts.len + reply.len + 1), *out = joined;
	struct slice bytes;
	struct fact fact;

	if (joined == NULL || facts.len == 0) {
		free(joined);
		return NULL;
	}
	*out++ = facts.ptr[0];
	facts = slice_after(facts, 1);
	while (fact_decode(&facts, &fact, &bytes)) {
		if (fact.code == FACT_EHLO_REPLY) {
			bytes = slice_first(reply, fact.reserved);
			reply = slice_after(reply, fact.reserved);
			fact.reserved = 0;
		}
		out += fact_encode(&fact, bytes, out);
	}
	*out_bytes = (size_t)(out - joined);
	return joined;
}

/* 1: the reply is there; 0: nothing has this name; 2: other bytes have it. */
static int
find_reply(struct store *s, const struct split *split, const uint8_t hash[16])
{
	sqlite3_stmt *st =
	    statement(s, "SELECT facts FROM reply WHERE hash = ?");
	int code, found = 0;

	if (st == NULL)
		return -1;
	bind_blob(s, st, 1, hash, 16);
	code = step(s, st);
	if (code == SQLITE_ROW)
		found = slice_equal(column_blob(st, 0),
			    slice_of(split->reply, split->reply_bytes)) ?
		    1 :
		    2;
	else if (code != SQLITE_DONE)
		found = store_failed(s);
	sqlite3_reset(st);
	return found;
}

/* The hash resists nobody who wants two replies of one name: then the next
 * seed names the second. */
static int
put_reply(struct store *s, const struct split *split, uint8_t hash[16])
{
	XXH128_canonical_t canonical;
	sqlite3_stmt *st;
	int found = 2;

	for (uint64_t seed = 0; found == 2; seed++) {
		XXH128_canonicalFromHash(&canonical,
		    XXH3_128bits_withSeed(split->reply, split->reply_bytes,
			seed));
		memcpy(hash, canonical.digest, 16);
		found = find_reply(s, split, hash);
	}
	if (found != 0)
		return found == 1 ? 0 : -1;
	st = statement(s, "INSERT INTO reply VALUES (?, ?)");
	if (st == NULL)
		return -1;
	bind_blob(s, st, 1, hash, 16);
	bind_blob(s, st, 2, split->reply, split->reply_bytes);
	return step_done(s, st);
}

static int
put_row(struct store *s, const struct sighting *in, const struct split *split,
    const uint8_t *reply)
{
	sqlite3_stmt *st = statement(s,
	    "INSERT OR REPLACE INTO sighting VALUES"
	    " (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	uint8_t identity[FLOW_IDENTITY_BYTES];
	char further[3 * CAPTURE_HASH_BYTES] = "";

	if (st == NULL)
		return -1;
	for (unsigned i = 1; i < in->capture_count; i++) {
		strcat(further, further[0] ? " " : "");
		strcat(further, in->captures[i]);
	}
	flow_identity_encode(&in->flow, identity);
	bind_blob(s, st, 1, in->session, 16);
	bind_text(s, st, 2, in->captures[0]);
	bind_text_or_null(s, st, 3, further);
	bind_address(s, st, 4, &in->flow.client.address);
	sqlite3_bind_int(st, 5, in->flow.client.port);
	bind_address(s, st, 6, &in->flow.server.address);
	sqlite3_bind_int(st, 7, in->flow.server.port);
	bind_blob(s, st, 8, identity, sizeof(identity));
	bind_u64(st, 9, in->first_frame);
	sqlite3_bind_int64(st, 10, in->first_ns);
	sqlite3_bind_int64(st, 11, in->deciding_ns);
	bind_blob(s, st, 12, split->facts, split->facts_bytes);
	if (split->reply_bytes > 0)
		bind_blob(s, st, 13, reply, 16);
	return step_done(s, st);
}

static int
put_recipient(struct store *s, const struct sighting *in, const char *domain)
{
	sqlite3_stmt *st =
	    statement(s, "INSERT OR IGNORE INTO recipient VALUES (?, ?, ?)");

	if (st == NULL)
		return -1;
	bind_text(s, st, 1, domain);
	bind_blob(s, st, 2, in->session, 16);
	bind_text(s, st, 3, in->captures[0]);
	return step_done(s, st);
}

int
store_add_sighting(struct store *s, const struct sighting *in)
{
	struct split split;
	uint8_t reply[16];
	int status = -1;

	if (!split_facts(in->facts, &split)) {
		snprintf(s->error, sizeof(s->error), "%.300s: out of memory",
		    s->path);
		goto out;
	}
	if (split.reply_bytes > 0 && put_reply(s, &split, reply) != 0)
		goto out;
	status = put_row(s, in, &split, reply);
	for (unsigned i = 0; i < in->domain_count && status == 0; i++)
		status = put_recipient(s, in, in->domains[i]);
out:
	free(split.facts);
	free(split.reply);
	return status;
}

#define SELECT_SIGHTING                                                  \
	"SELECT sighting.session, sighting.capture, further_captures,"   \
	" identity, first_frame, first_ns, deciding_ns, sighting.facts," \
	" reply.facts FROM sighting"                                     \
	" LEFT JOIN reply ON reply.hash = sighting.reply"
#define ORDER_SIGHTING \
	" ORDER BY sighting.session, deciding_ns, sighting.capture"

/* Each filter has a statement of its own, with the index that serves it. */
static sqlite3_stmt *
select_sightings(struct store *s, const struct sighting_filter *f)
{
	sqlite3_stmt *st = NULL;
	const char *sql = SELECT_SIGHTING ORDER_SIGHTING;

	if (f->session != NULL)
		sql = SELECT_SIGHTING " WHERE session = ?" ORDER_SIGHTING;
	else if (f->server != NULL)
		sql = SELECT_SIGHTING
		    " WHERE server = ? AND port = ?" ORDER_SIGHTING;
	else if (f->domain != NULL)
		sql = SELECT_SIGHTING
		    " WHERE (sighting.session, sighting.capture) IN"
		    " (SELECT session, capture FROM recipient WHERE domain = ?1"
		    " UNION SELECT sighting.session, sighting.capture"
		    " FROM policy_verdict"
		    " JOIN incident ON id = incident AND latest = revision"
		    " JOIN sighting ON sighting.session = incident.session"
		    " WHERE domain = ?1 AND basis <> 'rcpt')" ORDER_SIGHTING;
	else if (f->capture != NULL)
		sql = SELECT_SIGHTING
		    " WHERE sighting.capture = ?" ORDER_SIGHTING;
	if (sqlite3_prepare_v2(s->db, sql, -1, &st, NULL) != SQLITE_OK) {
		store_failed(s);
		return NULL;
	}
	if (f->session != NULL) {
		bind_blob(s, st, 1, f->session, 16);
	} else if (f->server != NULL) {
		bind_address(s, st, 1, &f->server->address);
		sqlite3_bind_int(st, 2, f->server->port);
	} else if (f->domain != NULL) {
		bind_text(s, st, 1, f->domain);
	} else if (f->capture != NULL) {
		bind_text(s, st, 1, f->capture);
	}
	return st;
}

static void
read_captures(sqlite3_stmt *st, struct sighting *out)
{
	char further[3 * CAPTURE_HASH_BYTES], *save = NULL;

	column_text(st, 1, out->captures[0], sizeof(out->captures[0]));
	out->capture_count = 1;
	column_text(st, 2, further, sizeof(further));
	for (char *word = strtok_r(further, " ", &save);
	     word != NULL && out->capture_count < 4;
	     word = strtok_r(NULL, " ", &save))
		snprintf(out->captures[out->capture_count++],
		    CAPTURE_HASH_BYTES, "%s", word);
}

int
store_each_sighting(struct store *s, const struct sighting_filter *filter,
    sighting_fn *fn, void *context)
{
	sqlite3_stmt *st = select_sightings(s, filter);
	int code = SQLITE_DONE, status = 0;

	if (st == NULL)
		return -1;
	while (status == 0 && (code = step(s, st)) == SQLITE_ROW) {
		struct sighting out = { 0 };
		struct slice session = column_blob(st, 0);
		size_t bytes = 0;
		uint8_t *facts =
		    join_facts(column_blob(st, 7), column_blob(st, 8), &bytes);

		if (session.len == 16)
			memcpy(out.session, session.ptr, 16);
		read_captures(st, &out);
		flow_identity_decode(column_blob(st, 3), &out.flow);
		out.first_frame = (uint64_t)sqlite3_column_int64(st, 4);
		out.first_ns = sqlite3_column_int64(st, 5);
		out.deciding_ns = sqlite3_column_int64(st, 6);
		out.facts = slice_of(facts, bytes);
		if (facts != NULL)
			status = fn(context, &out);
		free(facts);
	}
	if (status == 0 && code != SQLITE_DONE)
		status = store_failed(s);
	sqlite3_finalize(st);
	return status;
}

int
store_count_sightings(struct store *s, uint64_t *out)
{
	sqlite3_stmt *st = statement(s, "SELECT count(*) FROM sighting");
	int status = -1;

	if (st == NULL)
		return -1;
	if (step(s, st) == SQLITE_ROW) {
		*out = (uint64_t)sqlite3_column_int64(st, 0);
		status = 0;
	} else {
		store_failed(s);
	}
	sqlite3_reset(st);
	return status;
}

/* What goes first: of the lowest identity, and what led to an incident last. */
#define OF_LEAST_WORTH                                             \
	"SELECT session, capture FROM sighting ORDER BY"           \
	" EXISTS (SELECT 1 FROM incident WHERE incident.session =" \
	" sighting.session), session, capture LIMIT ?"

/* What goes is told in the counts of the captures that it came from. */
static int
count_shed(struct store *s, uint64_t excess)
{
	sqlite3_stmt *st = statement(s,
	    "UPDATE capture_count SET value = value +"
	    " CASE name WHEN 'kept_shed' THEN shed ELSE -shed END"
	    " FROM (SELECT capture AS whose, count(*) AS shed FROM"
	    "  (" OF_LEAST_WORTH ") GROUP BY capture)"
	    " WHERE capture = whose AND name IN ('kept', 'kept_shed')");

	if (st == NULL)
		return -1;
	bind_u64(st, 1, excess);
	return step_done(s, st);
}

static int
delete_least_worth(struct store *s, uint64_t excess)
{
	sqlite3_stmt *st = statement(s,
	    "DELETE FROM sighting WHERE (session, capture) IN (" OF_LEAST_WORTH
	    ")");

	if (st == NULL)
		return -1;
	bind_u64(st, 1, excess);
	return step_done(s, st);
}

int
store_delete_unused_replies(struct store *s)
{
	return store_execute(s,
	    "DELETE FROM reply WHERE NOT EXISTS (SELECT 1 FROM sighting"
	    " WHERE sighting.reply = reply.hash)");
}

int
store_shed_sightings(struct store *s, uint64_t max, uint64_t *shed)
{
	uint64_t count = 0;

	*shed = 0;
	if (store_count_sightings(s, &count) != 0)
		return -1;
	if (count <= max)
		return 0;
	if (store_begin(s) != 0)
		return -1;
	if (count_shed(s, count - max) != 0 ||
	    delete_least_worth(s, count - max) != 0 ||
	    store_delete_unused_replies(s) != 0) {
		store_rollback(s);
		return -1;
	}
	*shed = count - max;
	return store_commit(s);
}
