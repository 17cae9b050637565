/*
 * store/store.h - incidents, kept sessions, profiles and policies in SQLite.
 *
 * One writer, WAL, STRICT tables, a versioned schema. A capture is known by
 * the hash of its content: writing it again replaces its rows in the same
 * transaction, so reading twice adds nothing. Functions return 0, or -1 with
 * a message in store_error() that says what failed and what to do; after a
 * failure the transaction is rolled back and nothing that was there is lost.
 * Bodies, credentials and local parts never get here: facts are redacted.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "dissect/counters.h"
#include "rules/incident.h"
#include "rules/profile.h"
#include "rules/tally.h"

#define STORE_ERRBUF 512
#define CAPTURE_HASH_BYTES 33 /* XXH3-128 in hex and a NUL */

struct store;

enum store_mode {
	STORE_READ,    /* must exist; opened immutable when the folder cannot
			 * be written */
	STORE_WRITE,   /* created when missing, migrated when older */
	STORE_SCRATCH, /* in memory, for read --isolated without --db */
};

/* NULL and a line for the user: not ours, newer than we are, read-only, ... */
struct store *
store_open(const char *path, enum store_mode, char errbuf[STORE_ERRBUF]);
void store_close(struct store *);
const char *store_error(const struct store *);
/* How long it waits while another program writes; STORE_PATIENCE_MS is what it
 * opens with. */
#define STORE_PATIENCE_MS 10000
void store_set_patience(struct store *, int ms);

/* --- captures ------------------------------------------------------------ */

struct capture_row {
	char hash[CAPTURE_HASH_BYTES];
	char path[1024]; /* as it was named */
	char format[32]; /* "pcap", "pcapng", ... */
	char link_types[64];
	char vantage[64]; /* "" or --vantage */
	char fault[256];  /* "": read to its end */
	uint64_t bytes;	  /* decompressed */
	uint64_t packets;
	int64_t first_ns, last_ns;
	struct counters counters;
	struct tally tally;
};

/* Opens a transaction and takes away what the capture had before. */
int store_capture_begin(struct store *, const struct capture_row *);
/* What was counted in it; between begin and commit. */
int store_capture_counts(struct store *, const struct counters *,
    const struct tally *);
int store_capture_commit(struct store *);
void store_capture_abort(struct store *);
/* Is there a capture with this content? */
bool store_capture_known(struct store *, const char *hash);

/*
 * What `watch` sees grows while it is read: inside a transaction of the
 * caller's, makes the capture what is written from here on, a new one or one
 * that is there already, and adds `more` to it: octets, packets, counters and
 * tally, and its times grow.
 */
int store_capture_add(struct store *, const struct capture_row *more);

typedef int capture_fn(void *context, const struct capture_row *);
/* Ordered by first packet, then hash. Stops when the callback is not 0. */
int store_each_capture(struct store *, capture_fn *, void *context);

/* --- what a capture holds; between begin and commit ---------------------- */

/* One capture's record of one session. */
struct sighting {
	uint8_t session[16]; /* identity */
	struct flow_identity flow;
	char captures[4][CAPTURE_HASH_BYTES]; /* a session may go on into the
					 * next files; facts' `capture` is the
					 * index in here */
	unsigned capture_count;
	uint64_t first_frame; /* in captures[0] */
	int64_t first_ns, deciding_ns;
	struct slice facts;    /* encoded, FACT_FORMAT_VERSION first;
					 * handle 0 */
	unsigned domain_count; /* recipients, for later policies */
	const char *domains[INCIDENT_DOMAINS_MAX];
};

int store_add_sighting(struct store *, const struct sighting *);
int store_add_profile(struct store *, const struct profile *);
/* The same, into the one that the capture has of this period, if any. */
int store_merge_profile(struct store *, const struct profile *);
int store_add_attempt(struct store *, const struct attempt *);
/* What the profiles' `keywords_hash` names; there already: nothing. */
int store_add_keywords(struct store *, const struct keyword_list *);
/* Clear text to a domain with an enforce policy where STARTTLS was offered
 * and not asked for: counted by peer and UTC day (design 3). */
int store_add_clear_enforce(struct store *, const struct address *client,
    const char *domain, int64_t day_start_ns, uint64_t sessions);
/* A client that asked DNS for the MTA-STS policy of `domain`, last then. */
int store_add_policy_asker(struct store *, const struct address *client,
    const char *domain, int64_t last_ns);

/* --- kept sessions ------------------------------------------------------- */

struct sighting_filter {
	const struct endpoint *server; /* NULL: any */
	/* Of a recipient, or whose policy judged it; NULL: any. */
	const char *domain;
	const char *capture;	/* hash; NULL: any */
	const uint8_t *session; /* 16 octets; NULL: any */
};
typedef int sighting_fn(void *context, const struct sighting *);
/* Ordered by session identity, then deciding time, then capture hash. What
 * the callback gets is borrowed for its call. */
int store_each_sighting(struct store *, const struct sighting_filter *,
    sighting_fn *, void *context);
/* Keeps at most `max` sessions, sheds those of the lowest identity, and such as
 * led to an incident only when no other is left, and counts them in the
 * captures that they came from (`kept`, `kept_shed`). */
int store_shed_sightings(struct store *, uint64_t max, uint64_t *shed);
int store_count_sightings(struct store *, uint64_t *count);

typedef int profile_fn(void *context, const struct profile *);
/* Of all captures, equal ones of one period summed, oldest first. */
int store_each_profile(struct store *, const struct endpoint *server,
    profile_fn *, void *context);

typedef int attempt_fn(void *context, const struct attempt *);
/* Of all captures, each session once, by first_ns. */
int store_each_attempt(struct store *, const struct endpoint *server,
    attempt_fn *, void *context);

/* --- incidents ----------------------------------------------------------- */

/*
 * Writes `incident` as a new revision if it differs from the latest one in
 * anything but revision, provenance and the capture's path; sets
 * incident->revision (1 for a new one). A withdrawn one that is not there is
 * not written. `written` says whether it was. Wrap many of them in
 * store_begin() and store_commit().
 */
int store_put_incident(struct store *, struct incident *, bool *written);
int store_begin(struct store *);
int store_commit(struct store *);
void store_rollback(struct store *);

struct incident_filter {
	bool all;		  /* withdrawn ones too */
	const char *id_prefix;	  /* hex; NULL: any */
	const char *kind;	  /* name; NULL: any */
	enum certainty certainty; /* this and above; NONE: possible */
	const struct address *server, *client; /* NULL: any */
	const char *domain; /* recipient, in any case; NULL: any */
	/* Those in which the tampered session was seen; NULL: any. */
	const struct capture_row *captures;
	size_t capture_count;
	int64_t since_ns, until_ns; /* of the deciding fact; 0: any */
	const uint8_t *session;	    /* identity; NULL: any */
};
typedef int incident_fn(void *context, const struct incident *);
/* Latest revisions, by time of the deciding fact, then id, with the operator's
 * words on them. */
int store_each_incident(struct store *, const struct incident_filter *,
    incident_fn *, void *context);
/* Of each that stands only id, kind, certainty, what it resembles and what was
 * seen, client, server, time, state, outcome, and whether a rule suppresses it.
 * In no order. */
int store_each_trace(struct store *, incident_fn *, void *context);
/* All revisions of one incident, oldest first. */
int store_each_revision(struct store *, const char *id, incident_fn *,
    void *context);

/* --- the operator's word ------------------------------------------------- */

enum word_verb {
	WORD_ACK,      /* he has seen it */
	WORD_LABEL,    /* what it was */
	WORD_SUPPRESS, /* a rule: what is like this is not to be alerted */
	WORD_LIFT,     /* ends a rule */
	WORD_VERBS
};
const char *word_verb_name(enum word_verb);

/* One thing that was said; never changed, never deleted. */
struct word {
	uint64_t number; /* from 1, in the order they were said */
	enum word_verb verb;
	char incident[INCIDENT_ID_BYTES]; /* ack, label; "": none */
	enum label label;
	/* Of a rule; what is not set matches everything. */
	bool has_server, has_client;
	struct address server, client; /* a network of client_bits */
	unsigned client_bits;
	char kind[32], mask[32];
	uint64_t lifts;	  /* the rule that ends */
	int64_t until_ns; /* INT64_MAX: for good. Of a rule capture time, of
			   * the others the wall clock */
	char note[256];
	int64_t said_ns; /* wall clock */
	int64_t uid;
	char user[64];
};

/* Sets `number`. */
int store_add_word(struct store *, struct word *);
typedef int word_fn(void *context, const struct word *);
/* In the order they were said; of one incident, or (NULL) all. */
int
store_each_word(struct store *, const char *incident, word_fn *, void *context);
/* Rules that were not lifted. */
int store_each_rule(struct store *, word_fn *, void *context);
/* Does a rule cover it? */
bool word_covers(const struct word *rule, const struct incident *);
/* How often incidents were labelled so, by the last word on each; of those
 * alone that were seen in one capture, unless it is NULL. */
int store_count_labels(struct store *, const char *capture_hash,
    uint64_t counts[KINDS][LABELS]);

/* --- policies ------------------------------------------------------------ */

struct policy_row {
	char domain[DOMAIN_TEXT_BYTES]; /* lower case, no final dot */
	int64_t from_ns, until_ns;	/* INT64_MIN, INT64_MAX: open */
	bool assumed;
	char source[32];   /* "file", "fetch", "resolver", ... */
	struct slice body; /* as it was served; borrowed */
};

/* The same domain, interval and body again changes nothing; `added` (may be
 * NULL) says whether it was new. */
int store_add_policy(struct store *, const struct policy_row *, bool *added);
typedef int policy_fn(void *context, const struct policy_row *);
/* By domain, then from; `domain` NULL: all. */
int store_each_policy(struct store *, const char *domain, policy_fn *,
    void *context);
/*
 * The same policy was there again: its interval, of the same source and body,
 * grows to row->until_ns (RFC 8461 3.3: max_age counts from the last fetch).
 * Another one ends those of its source that were to hold longer. What was
 * known later already is not touched. `changed` (may be NULL): a version that
 * was not there.
 */
int
store_observe_policy(struct store *, const struct policy_row *, bool *changed);
/* Hex digest over all policies: the `policies` of a provenance. */
int store_policies_version(struct store *, char digest[17]);

/* What was asked for a domain's policy last, and what came of it. */
struct policy_look {
	char domain[DOMAIN_TEXT_BYTES];
	int64_t looked_ns, due_ns; /* the next one */
	int64_t fetched_ns;	   /* of the last success; 0: none */
	char state[16];		   /* sts_state_name() */
	char result[32];	   /* RFC 8460 4.3; "": none */
	char detail[256];
	char txt_id[40];
	char tlsrpt[512]; /* the record of _smtp._tls; "": none */
};
/* Takes the place of the one before. */
int store_put_policy_look(struct store *, const struct policy_look *);
typedef int policy_look_fn(void *context, const struct policy_look *);
/* By domain; NULL: all. */
int store_each_policy_look(struct store *, const char *domain, policy_look_fn *,
    void *context);
typedef int domain_fn(void *context, const char *domain);
/* Domains with a policy or a look whose next look is due at `now_ns`. */
int store_each_due(struct store *, int64_t now_ns, domain_fn *, void *context);

/* Something about a policy that its reader must know of. */
struct policy_event {
	char domain[DOMAIN_TEXT_BYTES];
	int64_t at_ns;
	char event[32];
	char detail[256];
};
int store_add_policy_event(struct store *, const struct policy_event *);
typedef int policy_event_fn(void *context, const struct policy_event *);
int store_each_policy_event(struct store *, const char *domain,
    policy_event_fn *, void *context);

/* An MX host of a domain, and what DNS says of it for DANE (RFC 7672). */
struct mail_host {
	char domain[DOMAIN_TEXT_BYTES], host[DOMAIN_TEXT_BYTES];
	int64_t from_ns, until_ns;
	unsigned preference;
	bool mx_secure;	      /* the MX records were validated */
	char dane[16];	      /* dane_state_name() */
	char tlsa[2048];      /* "3 1 1 hex" a line */
	char addresses[1024]; /* one blank between */
	/* Where CNAMEs lead from the host, validated, and from the domain, and
	 * whose the TLSA records are (RFC 7672 2.2.3); "": nowhere, nobody's */
	char canonical[DOMAIN_TEXT_BYTES], next_hop[DOMAIN_TEXT_BYTES];
	char tlsa_base[DOMAIN_TEXT_BYTES];
};
/* The same again grows to `until_ns`; another one ends it. */
int store_observe_mail_host(struct store *, const struct mail_host *);
typedef int mail_host_fn(void *context, const struct mail_host *);
/* By domain, host, from; `domain` NULL: all. */
int store_each_mail_host(struct store *, const char *domain, mail_host_fn *,
    void *context);

/* One policy of a report that another sender wrote (RFC 8460 4.4). */
struct tls_report_row {
	char organization[128], report_id[128];
	char domain[DOMAIN_TEXT_BYTES];
	char policy_type[32]; /* "sts", "tlsa", "no-policy-found", ... */
	int64_t start_ns, end_ns;
	uint64_t successes, failures;
	const char *details; /* JSON array, borrowed; NULL: none */
};
/* The same report again replaces it. */
int store_put_tls_report(struct store *, const struct tls_report_row *);
typedef int tls_report_fn(void *context, const struct tls_report_row *);
int store_each_tls_report(struct store *, const char *domain, tls_report_fn *,
    void *context);

/* Domains of recipients of kept sessions, and those with a policy or a look,
 * each once, in order. */
int store_each_known_domain(struct store *, domain_fn *, void *context);

/* Sessions with TLS at `server` on port 25, by UTC day of their profiles.
 * `day_ns` -1: of profiles that cover more than one day. */
typedef int tls_day_fn(void *context, int64_t day_ns, uint64_t sessions);
int store_each_tls_day(struct store *, const struct address *server,
    tls_day_fn *, void *context);

/* Is there a kept session with a recipient in `domain`, or one that its policy
 * judged? */
int store_has_recipient(struct store *, const char *domain, bool *has);

/* --- counted per peer and day -------------------------------------------- */

struct clear_enforce_row {
	struct address client;
	char domain[DOMAIN_TEXT_BYTES];
	int64_t day_start_ns;
	uint64_t sessions;
};
typedef int clear_enforce_fn(void *context, const struct clear_enforce_row *);
/* Most sessions first; `capture` NULL: of all of them together. */
int store_each_clear_enforce(struct store *, const char *capture,
    clear_enforce_fn *, void *context);

struct policy_asker_row {
	struct address client;
	char domain[DOMAIN_TEXT_BYTES];
	int64_t last_ns;
};
typedef int policy_asker_fn(void *context, const struct policy_asker_row *);
/* By client, domain; `capture` NULL: of all of them together. */
int store_each_policy_asker(struct store *, const char *capture,
    policy_asker_fn *, void *context);

/* Wall-clock times stand in one table, outside of every comparison. */
int store_note_run(struct store *, const char *program, const char *arguments);

#endif
