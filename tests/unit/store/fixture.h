/*
 * A database in a folder of its own, raw SQL beside the store, and rows with a
 * value of its own in every field, so that none can stand for another.
 */
#ifndef TESTS_UNIT_STORE_FIXTURE_H
#define TESTS_UNIT_STORE_FIXTURE_H

#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/store.h"

static char folder[40], path[64], errbuf[STORE_ERRBUF];

static inline void
fixture_make(void)
{
	snprintf(folder, sizeof(folder), "/tmp/striplight-test-XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/test.db", folder);
}

static inline void
fixture_remove(void)
{
	static const char *const names[] = { "test.db", "test.db-wal",
		"test.db-shm", "test.db-journal", "before.db" };
	char name[128];

	chmod(folder, 0700);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(name, sizeof(name), "%s/%s", folder, names[i]);
		unlink(name);
	}
	rmdir(folder);
}

static inline struct store *
open_store(enum store_mode mode)
{
	struct store *s = store_open(path, mode, errbuf);

	cr_assert_not_null(s, "%s", errbuf);
	return s;
}

/* --- raw SQL ------------------------------------------------------------- */

/* By the plain VFS, also where a test has put another before it. */
static inline sqlite3 *
raw_open(const char *name)
{
	sqlite3 *db;

	cr_assert_eq(sqlite3_open_v2(name, &db,
			 SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "unix"),
	    SQLITE_OK);
	return db;
}

static inline void
raw(const char *sql)
{
	sqlite3 *db = raw_open(path);
	char *why = NULL;

	sqlite3_exec(db, sql, NULL, NULL, &why);
	cr_assert_null(why, "%s: %s", sql, why);
	sqlite3_close(db);
}

/* The first value of the answer as text, in a buffer of its own. */
static inline char *
raw_text(const char *sql)
{
	static char text[512];
	sqlite3 *db = raw_open(path);
	sqlite3_stmt *st;

	cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK,
	    "%s: %s", sql, sqlite3_errmsg(db));
	cr_assert_eq(sqlite3_step(st), SQLITE_ROW, "%s", sql);
	snprintf(text, sizeof(text), "%s",
	    (const char *)sqlite3_column_text(st, 0));
	sqlite3_finalize(st);
	sqlite3_close(db);
	return text;
}

static inline long
raw_count(const char *sql)
{
	return atol(raw_text(sql));
}

static inline void
dump_table(sqlite3 *db, const char *table, FILE *out)
{
	char *sql = sqlite3_mprintf("SELECT * FROM %s", table);
	sqlite3_stmt *st;

	cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW) {
		fprintf(out, "%s", table);
		for (int i = 0; i < sqlite3_column_count(st); i++) {
			const uint8_t *bytes = sqlite3_column_blob(st, i);

			fprintf(out, "|");
			for (int j = 0; j < sqlite3_column_bytes(st, i); j++)
				fprintf(out,
				    bytes[j] > 0x20 && bytes[j] < 0x7f ?
					"%c" :
					"\\%02x",
				    bytes[j]);
		}
		fprintf(out, "\n");
	}
	sqlite3_finalize(st);
	sqlite3_free(sql);
}

/* All rows but those of `run`, which has wall-clock times; checked on the way.
 * The caller frees it. */
static inline char *
dump(void)
{
	sqlite3 *db = raw_open(path);
	sqlite3_stmt *st;
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &st, NULL);
	cr_assert_eq(sqlite3_step(st), SQLITE_ROW, "%s", sqlite3_errmsg(db));
	cr_assert_str_eq((const char *)sqlite3_column_text(st, 0), "ok");
	sqlite3_finalize(st);
	sqlite3_prepare_v2(db, "PRAGMA foreign_key_check", -1, &st, NULL);
	cr_assert_eq(sqlite3_step(st), SQLITE_DONE, "a row without its parent");
	sqlite3_finalize(st);
	sqlite3_prepare_v2(db,
	    "SELECT name FROM sqlite_schema WHERE type = 'table'"
	    " AND name <> 'run' ORDER BY name",
	    -1, &st, NULL);
	while (sqlite3_step(st) == SQLITE_ROW)
		dump_table(db, (const char *)sqlite3_column_text(st, 0), out);
	sqlite3_finalize(st);
	sqlite3_close(db);
	fclose(out);
	return text;
}

/* --- rows ---------------------------------------------------------------- */

static inline struct endpoint
endpoint(const char *text, uint16_t port)
{
	struct endpoint e = { .port = port };

	cr_assert(address_parse(text, &e.address));
	return e;
}

static inline struct capture_row
sample_capture(const char *hash)
{
	struct capture_row row = { .path = "morning.pcap",
		.format = "pcapng in zstd",
		.link_types = "1 276",
		.vantage = "uplink",
		.fault = "cut at byte 9",
		.bytes = UINT64_C(1) << 40,
		.packets = 12,
		.first_ns = 1000,
		.last_ns = 2000 };

	snprintf(row.hash, sizeof(row.hash), "%s", hash);
	for (unsigned i = 0; i < COUNTERS; i++)
		row.counters.of[i] = 100 + i;
	row.tally = (struct tally){ .sessions = 1,
		.kept = 2,
		.kept_shed = 3,
		.profiles_shed = 4,
		.clear_shed = 5,
		.attempts_shed = 6 };
	for (unsigned i = 0; i < OFFERED_VALUES; i++)
		row.tally.offered[i] = 200 + i;
	for (unsigned i = 0; i < USED_VALUES; i++)
		row.tally.used[i] = 300 + i;
	for (unsigned i = 0; i < MAIL_VALUES; i++)
		row.tally.mail[i] = 400 + i;
	for (unsigned i = 0; i < UNJUDGED_VALUES; i++)
		row.tally.unjudged[i] = 500 + i;
	return row;
}

static inline struct profile
sample_profile(void)
{
	return (struct profile){ .server = endpoint("198.51.100.25", 25),
		.client = endpoint("192.0.2.10", 0).address,
		.verb = VERB_EHLO,
		.ending_class = CLASS_TLS,
		.tls_version = 0x0304,
		.offered = true,
		.keywords_hash = UINT64_C(0xfedcba9876543210),
		.certificate_hash = UINT64_C(0xffffffffffffffff),
		.home_hash = UINT64_C(0x8000000000000001),
		.server_ttl = 255,
		.first_ns = 1000,
		.last_ns = 2000,
		.sessions = 3 };
}

static inline struct attempt
sample_attempt(void)
{
	struct attempt attempt = { .server = endpoint("198.51.100.25", 25),
		.client = endpoint("192.0.2.10", 40112),
		.helo_hash = UINT64_C(0xfedcba9876543210),
		.first_ns = 1000,
		.last_ns = 2000,
		.result = ATTEMPT_CLEAR,
		.outcome = OUTCOME_ENVELOPE_EXPOSED | OUTCOME_ACCEPTED,
		.queue_id = "4F1A2",
		.domains = "example.org example.com" };

	memset(attempt.session, 0x50, sizeof(attempt.session));
	return attempt;
}

#define FACTS_ROOM 4096

static inline size_t
put_fact(uint8_t *at, uint16_t code, uint16_t line, const char *text)
{
	struct fact fact = { .code = code,
		.dir = TO_CLIENT,
		.line = line,
		.value = 250,
		.frame = 9,
		.capture_ts_ns = 1500,
		.stream_offset = 77u + line,
		.capture = line % 2 };

	return fact_encode(&fact, slice_str(text), at);
}

/* A greeting and a reply of four lines, one of them empty. */
static inline struct slice
sample_facts(uint8_t out[FACTS_ROOM], const char *masked)
{
	size_t n = 0;

	out[n++] = FACT_FORMAT_VERSION;
	n += put_fact(out + n, FACT_GREETING, 1, "220 mx1.example.org");
	n += put_fact(out + n, FACT_EHLO_REPLY, 1, "250-mx1.example.org");
	n += put_fact(out + n, FACT_EHLO_REPLY, 2, masked);
	n += put_fact(out + n, FACT_EHLO_REPLY, 3, "");
	n += put_fact(out + n, FACT_EHLO_REPLY, 4, "250 8BITMIME");
	n += put_fact(out + n, FACT_COMMAND, 0, "QUIT");
	return slice_of(out, n);
}

static inline struct sighting
sample_sighting(uint8_t session, const char *capture, struct slice facts)
{
	struct sighting s = { .flow = { .client = endpoint("2001:db8::1", 4011),
				  .server = endpoint("2001:db8::25", 587),
				  .client_isn = 1,
				  .server_isn = UINT32_MAX,
				  .has_client_isn = true,
				  .has_server_isn = true,
				  .on_mail_port = true },
		.capture_count = 1,
		.first_frame = 7,
		.first_ns = 1000,
		.deciding_ns = 1500,
		.facts = facts,
		.domain_count = 2,
		.domains = { "example.org", "example.net" } };

	memset(s.session, session, sizeof(s.session));
	snprintf(s.captures[0], sizeof(s.captures[0]), "%s", capture);
	return s;
}

#define TEXT(field, value) snprintf(in->field, sizeof(in->field), "%s", value)

static inline void
sample_incident_place(struct incident *in)
{
	in->client = endpoint("192.0.2.10", 40112);
	in->server = endpoint("198.51.100.25", 25);
	TEXT(helo, "relay.example.net");
	TEXT(server_name, "mx1.example.org");
	TEXT(product, "postfix");
	TEXT(queue_id, "4F1A2B3C4D");
	TEXT(capture_path, "case.pcapng");
	TEXT(capture_hash, "0123456789abcdef0123456789abcdef");
	in->frame = UINT64_C(1) << 40;
	in->capture_ts_ns = INT64_C(1772360102123456789);
	in->stream_offset = UINT64_C(1) << 33;
	TEXT(seen, "250-\\xFF\\x00XXXXXA");
	TEXT(expected, "250-STARTTLS");
	in->seen_line = 5;
	in->ehlo_frame = 6;
	in->domain_count = 2;
	TEXT(rcpt_domains[0], "example.org");
	TEXT(rcpt_domains[1], "example.net");
	in->domains_unlisted = 3;
	TEXT(mail_from, "<a@example.net>");
	in->rcpt_count = 2;
	TEXT(rcpt_to[0], "<\"b c\"@example.org>");
	TEXT(rcpt_to[1], "<d@example.net>");
}

static inline void
sample_incident_parts(struct incident *in)
{
	in->policy_count = 2;
	for (unsigned i = 0; i < 2; i++) {
		TEXT(policies[i].domain, i ? "example.net" : "example.org");
		TEXT(policies[i].mode, i ? "testing" : "enforce");
		in->policies[i].assumed = i == 0;
		in->policies[i].result = i ? POLICY_UNKNOWN : POLICY_UNMET;
		in->policies[i].basis = i ? BASIS_SNI : BASIS_DNS_MX;
	}
	in->evidence_count = 2;
	for (unsigned i = 0; i < 2; i++) {
		in->evidence[i].code = i ? EVIDENCE_ALWAYS_SO : EVIDENCE_SLOT;
		in->evidence[i].weight = i ? -0.3 : 1.0 / 3;
		in->evidence[i].frame = i ? 0 : 9;
		TEXT(evidence[i].detail, i ? "\"quoted\"" : "line 5 of 10");
	}
	in->session_count = 3;
	for (unsigned i = 0; i < 3; i++) {
		memset(in->sessions[i].session, 0x50 + (int)i, 16);
		TEXT(sessions[i].role, i ? "retry" : "tampered");
		in->sessions[i].client = in->client;
		in->sessions[i].client.port = (uint16_t)(40112 + i);
		in->sessions[i].first_ns = 1000 + i;
	}
}

static inline void
sample_incident(struct incident *in, const char *id)
{
	memset(in, 0, sizeof(*in));
	TEXT(id, id);
	memset(in->session, 0x50, 16);
	in->ordinal = 2;
	in->state = STATE_FINAL;
	in->kind = KIND_STARTTLS_STRIPPED;
	in->also = 1u << KIND_STARTTLS_GARBLED;
	in->retrospect = true;
	TEXT(observed, "EHLO reply line 5 reads \"XXXXXXXA\"");
	TEXT(benign, "a firewall; \xc3\xa9tat");
	TEXT(next_step, "Ask the operator");
	TEXT(resembles, "cisco-esmtp");
	in->resembles_samples = 22;
	in->unseen = OBS_MIDSTREAM | OBS_LOST_SYNC;
	in->support = 3.1;
	in->prior = 1.0 / 30;
	in->confidence = 0.98;
	in->certainty = CERTAINTY_LIKELY;
	in->cause = CAUSE_CLIENT_ITSELF;
	in->side = SIDE_SERVER_OF_TAP;
	in->outcome = OUTCOME_ENVELOPE_EXPOSED | OUTCOME_STOPPED;
	sample_incident_place(in);
	sample_incident_parts(in);
	TEXT(provenance, "striplight 0, rules 1, policies 2, prior 3");
}

#undef TEXT

#endif
