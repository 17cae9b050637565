/*
 * rules/sts_look.h - looking for a domain's policy again: what came of it.
 *
 * "None", "published, but not to be had" and "nobody answered" are three
 * things (RFC 8461 3.1, 3.3), and none of them cancels a policy that is known
 * and has not expired (3.3, 5.1): whoever takes a policy away for a day has
 * downgraded those senders that do not know it yet.
 */
#ifndef RULES_STS_LOOK_H
#define RULES_STS_LOOK_H

#include "sts_policy.h"

enum sts_state {
	STS_VALID,	   /* a policy, fetched and authenticated */
	STS_ABSENT,	   /* DNS answered: there is no record */
	STS_UNOBTAINABLE,  /* published, and of no use */
	STS_LOOKUP_FAILED, /* DNS did not answer, or not validly */
};
/* "valid", "none", "unobtainable", "lookup-failed". */
const char *sts_state_name(enum sts_state);
/* False: no such name. */
bool sts_state_parse(const char *name, enum sts_state *);

/* Each a bit; names of the table below are stable. */
enum sts_event {
	STS_EVENT_APPEARED = 1 << 0,	 /* where there was none */
	STS_EVENT_CHANGED = 1 << 1,	 /* another policy, no weaker */
	STS_EVENT_WEAKENED = 1 << 2,	 /* one that demands less */
	STS_EVENT_VANISHED = 1 << 3,	 /* no record, though it still holds */
	STS_EVENT_UNOBTAINABLE = 1 << 4, /* not to be had, though it holds */
	STS_EVENT_UNANSWERED = 1 << 5,	 /* no answer, though it holds */
	STS_EVENT_EXPIRING = 1 << 6,	 /* and a fifth of its life is left */
	STS_EVENT_BITS = 7
};
const char *sts_event_name(unsigned bit); /* bit < STS_EVENT_BITS */

/* What was known before. */
struct sts_before {
	bool looked; /* somebody asked before */
	enum sts_state state;
	bool known; /* a policy that has not expired */
	enum sts_mode mode;
	uint32_t max_age_s;
	int64_t until_ns; /* last fetch + max_age */
};

/* What the look found; `mode` and `same` only for STS_VALID. */
struct sts_found {
	int64_t at_ns;
	enum sts_state state;
	enum sts_mode mode;
	bool same; /* as the policy that is known */
};

/* STS_EVENT_*: what is to be reported. A policy of mode `none` may go. */
unsigned sts_look_events(const struct sts_before *, const struct sts_found *);
/*
 * When to look again: daily, or at half of a shorter life, of a failure after
 * an hour (RFC 8461 3.3: no sooner than five minutes).
 */
int64_t sts_look_due(const struct sts_found *, uint32_t max_age_s);

#endif
