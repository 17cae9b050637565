/*
 * rules/chain.h - sessions that explain each other (design 4.5).
 *
 * A retry in clear follows the last of a chain of failures within a minute;
 * the chain may run for six hours (Postfix defers until the message is 300 s
 * old, and only then falls back).
 */
#ifndef RULES_CHAIN_H
#define RULES_CHAIN_H

#include "session.h"

/* False: the session is neither. */
bool session_attempt(const struct session *, struct attempt *out);

/* How sure it is that two attempts are one sender's. */
enum likeness {
	LIKENESS_NONE,
	LIKENESS_ONE,  /* client network or HELO name */
	LIKENESS_BOTH, /* client network and HELO name */
};

#define CHAIN_EARLIER_MAX 8
/* What belongs to a session in which STARTTLS failed. */
struct chain {
	const struct attempt *retry; /* in clear; NULL: none followed */
	enum likeness likeness;	     /* of the retry */
	unsigned earlier_count;	     /* failures before it, as listed */
	const struct attempt *earlier[CHAIN_EARLIER_MAX]; /* latest first */
};

/*
 * `attempts` are those of the session's server, in order, itself among
 * them or not. A retry that follows a later failure is that one's.
 */
void chain_find(const struct attempt *attempts, size_t count,
    const struct session *, struct chain *out);
/* The session as it went on: what `retry` exposed, it exposed. */
void session_with_retry(const struct session *, const struct attempt *retry,
    struct session *out);

#endif
