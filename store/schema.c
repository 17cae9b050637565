#include "schema.h"

#include <stdio.h>

/*
 * Natural keys WITHOUT ROWID, so that a dump is a function of what was read
 * and not of the order in which it was. Wall-clock times stand in `run` only.
 */
static const char *const steps[] = {
	"CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)"
	"  STRICT, WITHOUT ROWID;"
	"CREATE TABLE run (started TEXT NOT NULL, program TEXT NOT NULL,"
	"  arguments TEXT NOT NULL) STRICT;"
	"CREATE TABLE capture (hash TEXT PRIMARY KEY, path TEXT NOT NULL,"
	"  format TEXT NOT NULL, link_types TEXT NOT NULL, vantage TEXT,"
	"  fault TEXT, bytes INTEGER NOT NULL, packets INTEGER NOT NULL,"
	"  first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL)"
	"  STRICT, WITHOUT ROWID;"
	/* `name`: counters as counter_name(); `sessions`, `offered.yes`, ... */
	"CREATE TABLE capture_count (capture TEXT NOT NULL"
	"  REFERENCES capture ON DELETE CASCADE, name TEXT NOT NULL,"
	"  value INTEGER NOT NULL, PRIMARY KEY (capture, name))"
	"  STRICT, WITHOUT ROWID;"
	"CREATE TABLE keyword_list (hash INTEGER PRIMARY KEY,"
	"  keywords TEXT NOT NULL) STRICT;"
	"CREATE TABLE profile (server TEXT NOT NULL, port INTEGER NOT NULL,"
	"  client TEXT NOT NULL, verb TEXT NOT NULL,"
	"  ending_class INTEGER NOT NULL, tls_version INTEGER NOT NULL,"
	"  offered INTEGER NOT NULL, keywords INTEGER NOT NULL,"
	"  certificate INTEGER NOT NULL, capture TEXT NOT NULL"
	"  REFERENCES capture ON DELETE CASCADE,"
	"  first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL,"
	"  sessions INTEGER NOT NULL, PRIMARY KEY (server, port, client, verb,"
	"  ending_class, tls_version, offered, keywords, certificate, capture,"
	"  first_ns)) STRICT, WITHOUT ROWID;"
	"CREATE INDEX profile_capture ON profile (capture);"
	/* The bytes of EHLO replies, each once; sightings point to them. */
	"CREATE TABLE reply (hash BLOB PRIMARY KEY, facts BLOB NOT NULL)"
	"  STRICT, WITHOUT ROWID;"
	"CREATE TABLE sighting (session BLOB NOT NULL, capture TEXT NOT NULL"
	"  REFERENCES capture ON DELETE CASCADE, further_captures TEXT,"
	"  client TEXT NOT NULL, client_port INTEGER NOT NULL,"
	"  server TEXT NOT NULL, port INTEGER NOT NULL, identity BLOB NOT NULL,"
	"  first_frame INTEGER NOT NULL, first_ns INTEGER NOT NULL,"
	"  deciding_ns INTEGER NOT NULL, facts BLOB NOT NULL, reply BLOB,"
	"  PRIMARY KEY (session, capture)) STRICT, WITHOUT ROWID;"
	"CREATE INDEX sighting_server ON sighting (server, port);"
	"CREATE INDEX sighting_capture ON sighting (capture);"
	"CREATE INDEX sighting_reply ON sighting (reply);"
	"CREATE TABLE recipient (domain TEXT NOT NULL, session BLOB NOT NULL,"
	"  capture TEXT NOT NULL, PRIMARY KEY (domain, session, capture),"
	"  FOREIGN KEY (session, capture) REFERENCES sighting"
	"  ON DELETE CASCADE) STRICT, WITHOUT ROWID;"
	"CREATE INDEX recipient_sighting ON recipient (session, capture);"
	"CREATE TABLE clear_enforce (client TEXT NOT NULL,"
	"  domain TEXT NOT NULL, day_ns INTEGER NOT NULL,"
	"  capture TEXT NOT NULL REFERENCES capture ON DELETE CASCADE,"
	"  sessions INTEGER NOT NULL,"
	"  PRIMARY KEY (client, domain, day_ns, capture))"
	"  STRICT, WITHOUT ROWID;"
	"CREATE TABLE policy (domain TEXT NOT NULL, from_ns INTEGER NOT NULL,"
	"  until_ns INTEGER NOT NULL, body BLOB NOT NULL,"
	"  validity TEXT NOT NULL, source TEXT NOT NULL,"
	"  PRIMARY KEY (domain, from_ns, until_ns, body))"
	"  STRICT, WITHOUT ROWID;"
	"CREATE TABLE incident (id TEXT PRIMARY KEY, session BLOB NOT NULL,"
	"  ordinal INTEGER NOT NULL, latest INTEGER NOT NULL,"
	"  capture_ts_ns INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE INDEX incident_by_time ON incident (capture_ts_ns, id);"
	"CREATE INDEX incident_by_session ON incident (session);"
	"CREATE TABLE revision (incident TEXT NOT NULL REFERENCES incident"
	"  ON DELETE CASCADE, revision INTEGER NOT NULL, state TEXT NOT NULL,"
	"  kind TEXT NOT NULL, also TEXT NOT NULL, certainty TEXT NOT NULL,"
	"  confidence REAL NOT NULL, support REAL NOT NULL,"
	"  prior REAL NOT NULL, cause TEXT NOT NULL, side TEXT NOT NULL,"
	"  outcome TEXT NOT NULL, retrospect INTEGER NOT NULL,"
	"  observed TEXT NOT NULL, benign TEXT NOT NULL,"
	"  next_step TEXT NOT NULL, resembles TEXT, samples INTEGER NOT NULL,"
	"  unseen INTEGER NOT NULL, client TEXT NOT NULL,"
	"  client_port INTEGER NOT NULL, server TEXT NOT NULL,"
	"  port INTEGER NOT NULL, helo TEXT, server_name TEXT, product TEXT,"
	"  queue_id TEXT, capture TEXT NOT NULL, pcap_filename TEXT NOT NULL,"
	"  frame INTEGER NOT NULL, capture_ts_ns INTEGER NOT NULL,"
	"  stream_offset INTEGER NOT NULL, seen TEXT, expected TEXT,"
	"  seen_line INTEGER NOT NULL, ehlo_frame INTEGER NOT NULL,"
	"  domains TEXT NOT NULL, domains_unlisted INTEGER NOT NULL,"
	"  provenance TEXT NOT NULL, mail_from TEXT, rcpt_to TEXT,"
	"  PRIMARY KEY (incident, revision))"
	"  STRICT, WITHOUT ROWID;"
	"CREATE TABLE evidence (incident TEXT NOT NULL,"
	"  revision INTEGER NOT NULL, ordinal INTEGER NOT NULL,"
	"  code TEXT NOT NULL, weight REAL NOT NULL, frame INTEGER NOT NULL,"
	"  detail TEXT NOT NULL, PRIMARY KEY (incident, revision, ordinal),"
	"  FOREIGN KEY (incident, revision) REFERENCES revision"
	"  ON DELETE CASCADE) STRICT, WITHOUT ROWID;"
	"CREATE TABLE policy_verdict (incident TEXT NOT NULL,"
	"  revision INTEGER NOT NULL, ordinal INTEGER NOT NULL,"
	"  domain TEXT NOT NULL, mode TEXT NOT NULL, validity TEXT NOT NULL,"
	"  result TEXT NOT NULL, basis TEXT NOT NULL,"
	"  PRIMARY KEY (incident, revision, ordinal),"
	"  FOREIGN KEY (incident, revision) REFERENCES revision"
	"  ON DELETE CASCADE) STRICT, WITHOUT ROWID;"
	"CREATE TABLE incident_session (incident TEXT NOT NULL,"
	"  revision INTEGER NOT NULL, session BLOB NOT NULL,"
	"  role TEXT NOT NULL, community_id TEXT,"
	"  PRIMARY KEY (incident, revision, session),"
	"  FOREIGN KEY (incident, revision) REFERENCES revision"
	"  ON DELETE CASCADE) STRICT, WITHOUT ROWID;",
	/* What was asked for a domain's policy last, and what came of it. */
	"CREATE TABLE policy_look (domain TEXT PRIMARY KEY,"
	"  looked_ns INTEGER NOT NULL, due_ns INTEGER NOT NULL,"
	"  fetched_ns INTEGER NOT NULL, state TEXT NOT NULL, result TEXT,"
	"  detail TEXT, txt_id TEXT, tlsrpt TEXT) STRICT, WITHOUT ROWID;"
	"CREATE INDEX policy_look_due ON policy_look (due_ns);"
	"CREATE TABLE policy_event (domain TEXT NOT NULL,"
	"  at_ns INTEGER NOT NULL, event TEXT NOT NULL, detail TEXT,"
	"  PRIMARY KEY (domain, at_ns, event)) STRICT, WITHOUT ROWID;"
	/* `tlsa`: validated ones only, a record a line as in a zone file. */
	"CREATE TABLE mail_host (domain TEXT NOT NULL, host TEXT NOT NULL,"
	"  from_ns INTEGER NOT NULL, until_ns INTEGER NOT NULL,"
	"  preference INTEGER NOT NULL, mx_secure INTEGER NOT NULL,"
	"  dane TEXT NOT NULL, tlsa TEXT, addresses TEXT,"
	"  PRIMARY KEY (domain, host, from_ns)) STRICT, WITHOUT ROWID;"
	/* What other senders reported (RFC 8460), a row a policy. */
	"CREATE TABLE tls_report (organization TEXT NOT NULL,"
	"  report_id TEXT NOT NULL, domain TEXT NOT NULL,"
	"  policy_type TEXT NOT NULL, start_ns INTEGER NOT NULL,"
	"  end_ns INTEGER NOT NULL, successes INTEGER NOT NULL,"
	"  failures INTEGER NOT NULL, details TEXT,"
	"  PRIMARY KEY (domain, start_ns, organization, report_id,"
	"  policy_type)) STRICT, WITHOUT ROWID;",
	("ALTER TABLE policy_verdict"
	 "  ADD COLUMN mechanism TEXT NOT NULL DEFAULT 'sts';"),
	/* What the operator said, when and who he was: only ever added to, also
	 * by hand. Its times are the wall clock's, and in no comparison. */
	"CREATE TABLE word (number INTEGER PRIMARY KEY, verb TEXT NOT NULL,"
	"  incident TEXT, label TEXT, server TEXT, client_network TEXT,"
	"  client_bits INTEGER, kind TEXT, mask TEXT, lifts INTEGER,"
	"  until_ns INTEGER, note TEXT, said_ns INTEGER NOT NULL,"
	"  uid INTEGER NOT NULL, user TEXT NOT NULL) STRICT;"
	"CREATE INDEX word_incident ON word (incident);"
	"CREATE TRIGGER word_stays BEFORE UPDATE ON word BEGIN"
	"  SELECT raise(ABORT, 'what was said stays: say something new');"
	" END;"
	"CREATE TRIGGER word_is_kept BEFORE DELETE ON word BEGIN"
	"  SELECT raise(ABORT, 'what was said stays: say something new');"
	" END;",
	"ALTER TABLE revision ADD COLUMN direction TEXT;"
	"ALTER TABLE revision ADD COLUMN box TEXT;",
	/* What others of a server need to know of a session. */
	("CREATE TABLE attempt (server TEXT NOT NULL, port INTEGER NOT NULL,"
	 "  first_ns INTEGER NOT NULL, session BLOB NOT NULL,"
	 "  capture TEXT NOT NULL REFERENCES capture ON DELETE CASCADE,"
	 "  client TEXT NOT NULL, client_port INTEGER NOT NULL,"
	 "  helo INTEGER NOT NULL, last_ns INTEGER NOT NULL,"
	 "  result INTEGER NOT NULL, outcome INTEGER NOT NULL, queue_id TEXT,"
	 "  domains TEXT, PRIMARY KEY (server, port, first_ns, session, capture))"
	 "  STRICT, WITHOUT ROWID;"
	 "CREATE INDEX attempt_capture ON attempt (capture);"
	 "CREATE INDEX attempt_session ON attempt (session);"
	 "ALTER TABLE incident_session DROP COLUMN community_id;"
	 "ALTER TABLE incident_session ADD COLUMN client TEXT;"
	 "ALTER TABLE incident_session ADD COLUMN client_port INTEGER;"
	 "ALTER TABLE incident_session ADD COLUMN first_ns INTEGER;"),
	("ALTER TABLE attempt"
	 "  ADD COLUMN first_frame INTEGER NOT NULL DEFAULT 0;"),
	/* What studies count. Rows are appended in the order of their source;
	 * addresses are octets: there may be ten million. */
	("CREATE TABLE study_source (number INTEGER PRIMARY KEY, hash TEXT,"
	 "  path TEXT NOT NULL, format TEXT NOT NULL, vantage TEXT, label TEXT,"
	 "  rules TEXT NOT NULL, records INTEGER NOT NULL,"
	 "  malformed INTEGER NOT NULL, position INTEGER NOT NULL,"
	 "  prefix TEXT, vantages INTEGER NOT NULL,"
	 "  seen_bytes INTEGER NOT NULL, lost_bytes INTEGER NOT NULL) STRICT;"
	 "CREATE TABLE study_row (source INTEGER NOT NULL"
	 "  REFERENCES study_source ON DELETE CASCADE,"
	 "  ordinal INTEGER NOT NULL, server BLOB, port INTEGER NOT NULL,"
	 "  client_network BLOB, name TEXT, at_ns INTEGER NOT NULL,"
	 "  sessions INTEGER NOT NULL, state INTEGER NOT NULL,"
	 "  certainty TEXT, kind TEXT, mask TEXT, product TEXT,"
	 "  PRIMARY KEY (source, ordinal)) STRICT, WITHOUT ROWID;"),
	/* Who asked DNS for a domain's MTA-STS policy. */
	("CREATE TABLE policy_asker (client TEXT NOT NULL,"
	 "  domain TEXT NOT NULL,"
	 "  capture TEXT NOT NULL REFERENCES capture ON DELETE CASCADE,"
	 "  last_ns INTEGER NOT NULL, PRIMARY KEY (client, domain, capture))"
	 "  STRICT, WITHOUT ROWID;"
	 "CREATE INDEX policy_asker_capture ON policy_asker (capture);"),
	/* Where CNAMEs lead from the host and from the domain; whose the TLSA
	 * records are. */
	("ALTER TABLE mail_host ADD COLUMN canonical TEXT;"
	 "ALTER TABLE mail_host ADD COLUMN next_hop TEXT;"
	 "ALTER TABLE mail_host ADD COLUMN tlsa_base TEXT;"),
	/* What `watch` told of an incident. `due`: its turn, NULL once it was
	 * told; `alerted`: the revision that was alerted last, 0 if none was;
	 * `owed`: outputs that have yet to take it. What is there is known. */
	("CREATE TABLE alert (incident TEXT PRIMARY KEY REFERENCES incident"
	 "  ON DELETE CASCADE, due INTEGER, alerted INTEGER NOT NULL,"
	 "  severity INTEGER NOT NULL, owed INTEGER NOT NULL)"
	 "  STRICT, WITHOUT ROWID;"
	 "CREATE INDEX alert_due ON alert (due) WHERE due IS NOT NULL;"
	 "INSERT INTO alert SELECT id, NULL, latest, 2, 0 FROM incident;"),
	/* Who the server says it is, and how far away it is. */
	("ALTER TABLE profile RENAME TO profile_before;"
	 "DROP INDEX profile_capture;"
	 "CREATE TABLE profile (server TEXT NOT NULL, port INTEGER NOT NULL,"
	 "  client TEXT NOT NULL, verb TEXT NOT NULL,"
	 "  ending_class INTEGER NOT NULL, tls_version INTEGER NOT NULL,"
	 "  offered INTEGER NOT NULL, keywords INTEGER NOT NULL,"
	 "  certificate INTEGER NOT NULL, home INTEGER NOT NULL,"
	 "  server_ttl INTEGER NOT NULL, capture TEXT NOT NULL"
	 "  REFERENCES capture ON DELETE CASCADE,"
	 "  first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL,"
	 "  sessions INTEGER NOT NULL, PRIMARY KEY (server, port, client, verb,"
	 "  ending_class, tls_version, offered, keywords, certificate, home,"
	 "  server_ttl, capture, first_ns)) STRICT, WITHOUT ROWID;"
	 "INSERT INTO profile SELECT server, port, client, verb, ending_class,"
	 "  tls_version, offered, keywords, certificate, 0, 0, capture,"
	 "  first_ns, last_ns, sessions FROM profile_before;"
	 "DROP TABLE profile_before;"
	 "CREATE INDEX profile_capture ON profile (capture);"),
	("CREATE INDEX policy_verdict_domain ON policy_verdict (domain);"),
};
#define VERSION ((int)(sizeof(steps) / sizeof(*steps)))

static int
pragma_value(struct store *s, const char *sql, int *value)
{
	sqlite3_stmt *st;
	int status = -1;

	if (sqlite3_prepare_v2(s->db, sql, -1, &st, NULL) != SQLITE_OK)
		return store_failed(s);
	if (step(s, st) == SQLITE_ROW) {
		*value = sqlite3_column_int(st, 0);
		status = 0;
	} else {
		store_failed(s);
	}
	sqlite3_finalize(st);
	return status;
}

static enum schema_state
refuse(struct store *s, int version)
{
	sqlite3_stmt *st;
	char program[32] = "a newer program";

	if (sqlite3_prepare_v2(s->db,
		"SELECT value FROM meta WHERE key = 'program'", -1, &st,
		NULL) == SQLITE_OK) {
		if (step(s, st) == SQLITE_ROW)
			column_text(st, 0, program, sizeof(program));
		sqlite3_finalize(st);
	}
	snprintf(s->error, sizeof(s->error),
	    "%.300s: made by %s (schema %d), this is striplight %s (schema "
	    "%d): use the newer program, or --db another file",
	    s->path, program, version, STRIPLIGHT_VERSION, VERSION);
	return SCHEMA_REFUSED;
}

/* Whose a database is. */
struct marks {
	int application, version, tables;
};

/* All of one moment: another program may be creating it just now. */
static int
read_marks(struct store *s, struct marks *m)
{
	if (store_execute(s, "BEGIN") != 0)
		return -1;
	if (pragma_value(s, "PRAGMA application_id", &m->application) == 0 &&
	    pragma_value(s, "PRAGMA user_version", &m->version) == 0 &&
	    pragma_value(s, "SELECT count(*) FROM sqlite_schema", &m->tables) ==
		0)
		return store_commit(s);
	store_rollback(s);
	return -1;
}

enum schema_state
schema_check(struct store *s)
{
	struct marks m = { 0 };

	if (read_marks(s, &m) != 0)
		return SCHEMA_REFUSED;
	if (m.application != SCHEMA_APPLICATION_ID &&
	    (m.application != 0 || m.version != 0 || m.tables > 0)) {
		snprintf(s->error, sizeof(s->error),
		    "%.300s: a database of another program; name another "
		    "file with --db",
		    s->path);
		return SCHEMA_REFUSED;
	}
	if (m.version > VERSION || m.version < 0)
		return refuse(s, m.version);
	if (m.version == VERSION)
		return SCHEMA_CURRENT;
	snprintf(s->error, sizeof(s->error), "%.300s: %s", s->path,
	    m.tables == 0 ?
		"an empty database; read a capture first" :
		"made by an older striplight; read a capture to update it");
	return SCHEMA_OLDER;
}

/* The version is looked at again: another program may have been faster. */
static int
run_steps(struct store *s)
{
	char pragmas[160];
	int status, version = 0;

	status = pragma_value(s, "PRAGMA user_version", &version);
	for (int i = version; status == 0 && i < VERSION; i++)
		status = store_execute(s, steps[i]);
	snprintf(pragmas, sizeof(pragmas),
	    "PRAGMA application_id = %d; PRAGMA user_version = %d;"
	    "INSERT OR REPLACE INTO meta VALUES ('program', 'striplight %s');",
	    SCHEMA_APPLICATION_ID, VERSION, STRIPLIGHT_VERSION);
	return status == 0 ? store_execute(s, pragmas) : -1;
}

int
schema_upgrade(struct store *s)
{
	if (store_begin(s) != 0)
		return -1;
	if (run_steps(s) == 0)
		return store_commit(s);
	store_rollback(s);
	return -1;
}
