/*
 * rules/judge.h - from a session and its context to a verdict.
 *
 * Pure: the same session and context give the same verdict, live, replayed
 * from the database, or in retrospect. Called at decision points only.
 */
#ifndef RULES_JUDGE_H
#define RULES_JUDGE_H

#include "context.h"
#include "session.h"

/* How probable tampering is before any evidence, when somebody reads a
 * capture because he suspects something (design 3). */
#define PRIOR_READ (1.0 / 30)
/* The confidence from which a verdict is `possible`, and `likely`. */
#define JUDGE_POSSIBLE 0.4
#define JUDGE_LIKELY 0.7
/* The highest that a verdict may reach which design 4 does not let be
 * `likely`: absence, history and a policy accuse nobody by themselves. */
#define JUDGE_NOT_ADMITTED_MAX 0.69

/* The least that is printed for what is demonstrated (design 3). */
#define JUDGE_DEMONSTRATED 0.99

enum verdict {
	VERDICT_NOTHING,  /* nothing speaks for tampering */
	VERDICT_UNJUDGED, /* the capture cannot show it */
	VERDICT_EVIDENCE, /* something does, short of `possible` */
	VERDICT_INCIDENT,
};

/* Is there anything to judge? Most sessions offer STARTTLS, and nothing is odd
 * about them. */
bool rules_have_a_say(const struct session *);
/* Does a policy or a TLSA record demand something of the certificates that it
 * shows? Then its chain is to be verified before it is judged (trust.h). */
bool rules_demand_certificate(const struct session *, const struct context *);
/*
 * Fills `out` (all but id, the tampered session's identity, revision, capture
 * path and hash, provenance, which the caller knows) when the verdict is
 * EVIDENCE or INCIDENT. `why` gets the reason of UNJUDGED.
 */
enum verdict rules_judge(const struct session *, const struct context *,
    struct incident *out, enum unjudged *why);

#endif
