/*
 * rules/incident.h - one act of tampering, as it is judged, stored and shown.
 *
 * Plain data without pointers: everything is bounded, texts are UTF-8 and end
 * in NUL. Names of enums come from one table each (kinds.def, evidence.def,
 * incident.c); no other list of them exists.
 */
#ifndef RULES_INCIDENT_H
#define RULES_INCIDENT_H

#include "dissect/fact.h"

enum kind {
#define KIND(id, name, sid, text, source, attack) KIND_##id,
#include "kinds.def"
#undef KIND
	KINDS
};

enum evidence_group {
	GROUP_CONTENT,
	GROUP_TRANSPORT,
	GROUP_HISTORY,
	GROUP_POLICY,
	GROUP_SIGHTING,
	EVIDENCE_GROUPS
};

enum evidence_code {
#define EVIDENCE(id, name, group, kinds, most, weight, source, why) \
	EVIDENCE_##id,
#include "evidence.def"
#undef EVIDENCE
	EVIDENCE_CODES
};

/* Where a weight comes from; evidence.def says what each means. */
enum weight_source {
	WEIGHT_BASE_RATE,
	WEIGHT_FITTED,
	WEIGHT_JUDGEMENT,
	WEIGHT_SOURCES
};

enum certainty {
	CERTAINTY_NONE,	    /* below `possible`: not an incident */
	CERTAINTY_POSSIBLE, /* confidence >= 0.4 */
	CERTAINTY_LIKELY,   /* >= 0.7, and admitted by design 4 */
	CERTAINTY_DEMONSTRATED,
};

enum cause {
	CAUSE_UNKNOWN,
	CAUSE_KNOWN_BOX,
	CAUSE_SERVER_ITSELF,
	CAUSE_CLIENT_ITSELF,
	CAUSE_PEERS_INCOMPATIBLE,
};

enum side {
	SIDE_UNDETERMINED,
	SIDE_SERVER_OF_TAP,
	SIDE_CLIENT_OF_TAP,
};

/* Which way the mail went, as seen from the operator's networks. */
enum direction {
	DIRECTION_UNKNOWN, /* he did not say which these are */
	DIRECTION_INBOUND,
	DIRECTION_OUTBOUND,
	DIRECTION_INTERNAL, /* both ends are at home */
	DIRECTION_EXTERNAL, /* neither is */
	DIRECTIONS
};

enum incident_state {
	STATE_OPEN,
	STATE_FINAL,
	STATE_WITHDRAWN,
};

/* Outcome flags. */
enum {
	OUTCOME_ENVELOPE_EXPOSED = 1 << 0,
	OUTCOME_CONTENT_EXPOSED = 1 << 1,
	OUTCOME_ACCEPTED = 1 << 2,
	OUTCOME_CREDENTIALS_EXPOSED = 1 << 3,
	OUTCOME_ENCRYPTED = 1 << 4,
	OUTCOME_STOPPED = 1 << 5,
	OUTCOME_BITS = 6
};

enum policy_result {
	POLICY_MET,
	POLICY_UNMET,
	POLICY_NOT_VISIBLE,
	POLICY_UNKNOWN,
};

enum policy_basis {
	BASIS_RCPT,
	BASIS_DNS_MX,
	BASIS_SNI,
};

#define INCIDENT_ID_BYTES 33 /* 32 hex digits and a NUL */
#define INCIDENT_EVIDENCE_MAX 24
#define INCIDENT_POLICIES_MAX 8
#define INCIDENT_DOMAINS_MAX 16
#define INCIDENT_SESSIONS_MAX 16
#define INCIDENT_RCPTS_MAX 16
#define DOMAIN_TEXT_BYTES 256
#define PATH_TEXT_BYTES 260 /* RFC 5321 4.5.3.1.3: 256 octets */

struct evidence {
	enum evidence_code code;
	double weight;	/* as counted here; > 0 speaks for */
	uint64_t frame; /* 0: no single frame */
	char detail[240];
};

enum policy_mechanism {
	MECHANISM_STS,
	MECHANISM_DANE,
};

struct policy_verdict {
	enum policy_mechanism mechanism;
	char domain[DOMAIN_TEXT_BYTES];
	/* "enforce", "testing"; for DANE "tls", "authenticate", "unknown" */
	char mode[16];
	bool assumed; /* validity: observed or assumed */
	enum policy_result result;
	enum policy_basis basis;
};

struct incident_session {
	uint8_t session[16];
	char role[16]; /* "tampered", "failed" before it, "retry" in clear */
	struct endpoint client;
	int64_t first_ns;
};

/* What the operator says of an incident once he has looked. */
enum label {
	LABEL_NONE,
	LABEL_TRUE,  /* somebody did tamper */
	LABEL_FALSE, /* nobody did */
	LABEL_KNOWN, /* a box that is known to, and may */
	LABELS
};

/* The operator's words that hold for an incident; no part of the verdict,
 * which stays as it is: they say what to make of it. */
struct operator_words {
	enum label label;
	bool acknowledged;
	uint64_t suppressed_by; /* number of the rule; 0: of none */
	unsigned count;		/* words about this incident by name */
	int64_t last_ns;	/* wall clock; of the last of them */
	char last_user[64];	/* who said it */
	char note[256];		/* of the last that has one, or the rule's */
};

/* Repetitions of one act (design 3), as they are known when asked. */
struct incident_campaign {
	char id[INCIDENT_ID_BYTES]; /* of its earliest incident */
	uint64_t incidents;	    /* 0: the act was not repeated */
	uint64_t clients, servers;
	int64_t first_ns, last_ns;
};

struct incident {
	char id[INCIDENT_ID_BYTES];
	uint8_t session[16]; /* identity of the tampered session */
	unsigned ordinal;    /* of the act within the session */
	unsigned revision;   /* from 1 */
	enum incident_state state;
	enum kind kind;
	uint32_t also;	 /* 1 << enum kind */
	bool retrospect; /* rests on something later than the session */

	char observed[512];
	char benign[320];    /* the best benign alternative, in words */
	char next_step[320]; /* what would decide */
	char resembles[32];  /* a mask's name, or "" */
	unsigned resembles_samples;
	uint16_t unseen; /* OBS_*; 0: visibility complete */
	double support, prior, confidence;
	enum certainty certainty;
	enum cause cause;
	char box[64]; /* a declared one that the session passed, or "" */
	enum side side;
	enum direction direction;
	uint32_t outcome; /* OUTCOME_* */

	struct endpoint client, server;
	char helo[DOMAIN_TEXT_BYTES];
	char server_name[DOMAIN_TEXT_BYTES]; /* as it greets: a claim */
	char product[32];
	char queue_id[64];
	char capture_path[1024];
	char capture_hash[33];
	uint32_t seen_capture; /* of the deciding fact: index among the
				 * session's captures */
	uint64_t frame;	       /* of the deciding fact */
	int64_t capture_ts_ns; /* of the deciding fact */
	uint64_t stream_offset;
	/* What arrived, escaped; for a strip the last line of the reply. */
	char seen[512];
	char expected[64];
	unsigned seen_line;  /* within the EHLO reply, from 1; 0: none */
	uint64_t ehlo_frame; /* first frame of the EHLO reply */

	unsigned domain_count, domains_unlisted;
	char rcpt_domains[INCIDENT_DOMAINS_MAX][DOMAIN_TEXT_BYTES];
	/* Only with --keep-addresses: paths with their brackets, as sent. */
	char mail_from[PATH_TEXT_BYTES];
	unsigned rcpt_count;
	char rcpt_to[INCIDENT_RCPTS_MAX][PATH_TEXT_BYTES];
	unsigned policy_count;
	struct policy_verdict policies[INCIDENT_POLICIES_MAX];
	unsigned evidence_count;
	struct evidence evidence[INCIDENT_EVIDENCE_MAX];
	unsigned session_count;
	struct incident_session sessions[INCIDENT_SESSIONS_MAX];

	/* What the verdict stood on: program, rules, policies, history. */
	char provenance[256];

	struct operator_words words;	   /* filled in by who reads it back */
	struct incident_campaign campaign; /* and by who asks for it */
};

/* Before the name of an interface, where the path of a capture stands. */
#define INTERFACE_PREFIX "interface:"
/* The interface on which it was seen; NULL: in a file. */
const char *incident_interface(const struct incident *);
/* Of each group the strongest for and the strongest against count (design
 * 4.8): is this one of them? */
bool incident_evidence_counts(const struct incident *, unsigned at);
/* The posterior of `support` under `prior`, before any cap. */
double incident_posterior(double support, double prior);
/* 1 to 3, as interface.md's table says. */
unsigned incident_severity(const struct incident *);
/* Severity 1 and 2 are alerted by default. */

const char *kind_name(enum kind);
bool kind_parse(const char *name, enum kind *);
unsigned kind_signature_id(enum kind);
const char *kind_text(enum kind);
const char *kind_source(enum kind);
const char *kind_attack(enum kind);
const char *evidence_name(enum evidence_code);
bool evidence_parse(const char *name, enum evidence_code *);
enum evidence_group evidence_group(enum evidence_code);
double evidence_weight(enum evidence_code);
enum weight_source evidence_source(enum evidence_code);
/* Can it be evidence of this kind? And how sure may the verdict then be? */
bool evidence_speaks_of(enum evidence_code, enum kind);
enum certainty evidence_admits(enum evidence_code);
const char *evidence_why(enum evidence_code);
const char *evidence_group_name(enum evidence_group);
const char *weight_source_name(enum weight_source);
const char *certainty_name(enum certainty);
bool certainty_parse(const char *name, enum certainty *);
const char *label_name(enum label); /* "" for LABEL_NONE */
bool label_parse(const char *name, enum label *);
const char *cause_name(enum cause);
const char *side_name(enum side);
const char *direction_name(enum direction); /* "" when it is unknown */
const char *incident_state_name(enum incident_state);
const char *outcome_name(unsigned bit); /* bit < OUTCOME_BITS */
const char *policy_mechanism_name(enum policy_mechanism);
const char *policy_result_name(enum policy_result);
const char *policy_basis_name(enum policy_basis);
/* The word for an OBS_* bit as in `unjudged`: "gap", "midstream", ... */
const char *unseen_name(uint16_t one_bit);

#endif
