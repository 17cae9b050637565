/*
 * rules/profile.h - history: what a server was seen to offer, and to whom.
 *
 * A profile counts like sessions: server x client network x client address x
 * verb x EHLO keyword list x class of ending x TLS version x certificate x
 * the domain that the server says it is of x TTL x period of seven days.
 * Only complete two-sided sessions without gaps enter one (design 4.6).
 */
#ifndef RULES_PROFILE_H
#define RULES_PROFILE_H

#include "dissect/fact.h"

/* What a session came to, for comparing it with others. */
enum ending_class {
	CLASS_TLS,	  /* handshake completed */
	CLASS_CLEAR_MAIL, /* MAIL accepted without TLS */
	CLASS_CLEAR_NONE, /* neither */
	CLASS_TLS_BROKEN,
	CLASS_REFUSED,
};

/* STARTTLS in the reply, intact, and how the server writes it: any case is an
 * offer (RFC 5321 2.4), but not for every client. */
enum offer {
	OFFER_NONE,
	OFFER_SOMEHOW, /* nobody noted how */
	OFFER_CAPITALS,
	OFFER_SMALL,
	OFFER_MIXED,
};

/*
 * The keywords of an EHLO reply in its order, upper case, without arguments,
 * one blank between, STARTTLS left out; cut at a keyword when they are too
 * long. Thousands of profiles share one, so it is kept beside them.
 */
#define KEYWORD_LIST_BYTES 512
struct keyword_list {
	uint64_t hash; /* of the whole list */
	char keywords[KEYWORD_LIST_BYTES];
};

/*
 * A profile covers no more than one such period: first and last time must
 * tell what was seen within seven days of a session (design 4.6), which those
 * of a year's count cannot.
 */
#define PROFILE_PERIOD_NS (INT64_C(7) * 86400 * 1000000000)

/* The start of the period that `capture_ts_ns` lies in. */
static inline int64_t
profile_period_ns(int64_t capture_ts_ns)
{
	int64_t within = capture_ts_ns % PROFILE_PERIOD_NS;

	return capture_ts_ns - within - (within < 0 ? PROFILE_PERIOD_NS : 0);
}

struct profile {
	struct endpoint server;
	struct address client; /* the single address */
	uint8_t verb;	       /* VERB_EHLO or VERB_HELO */
	uint8_t ending_class;
	uint16_t tls_version;	   /* 0: none */
	uint8_t offered;	   /* enum offer */
	uint64_t keywords_hash;	   /* of the list with STARTTLS left out */
	uint64_t certificate_hash; /* 0: none seen */
	uint64_t home_hash; /* of the domain of the server's EHLO name; 0: it
			     * gave none */
	uint8_t server_ttl; /* 0: not seen */
	int64_t first_ns, last_ns; /* capture time */
	uint64_t sessions;
};

/*
 * What the other sessions of a server need to know of one (chain.h): STARTTLS
 * failed in it, or mail went in clear without asking though TLS was offered.
 */
enum attempt_result {
	ATTEMPT_FAILED,
	ATTEMPT_CLEAR,
	ATTEMPT_HELO, /* in clear as well, and EHLO was never answered */
};

struct attempt {
	uint8_t session[16]; /* identity: whoever stores it sets it */
	struct endpoint server, client;
	uint64_t helo_hash; /* 0: it said none */
	int64_t first_ns, last_ns;
	uint64_t first_frame; /* decides where clocks are coarse */
	uint8_t result;	      /* enum attempt_result */
	uint32_t outcome;     /* OUTCOME_* */
	char queue_id[64];
	char domains[256]; /* recipients', one blank between */
};

#endif
