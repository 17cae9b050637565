/*
 * rules/history.h - what a server's other sessions say about this one.
 *
 * Comparable are sessions on the same port, by the same verb, within seven
 * days of capture time before or after (design 4.4, 4.6).
 */
#ifndef RULES_HISTORY_H
#define RULES_HISTORY_H

#include "context.h"
#include "session.h"

#define NS_PER_DAY (INT64_C(86400) * 1000000000)
#define COMPARABLE_NS (7 * NS_PER_DAY)
/* "Many sessions over several days" (design 4.6). */
#define MANY_SESSIONS 20
#define SEVERAL_DAYS_NS (3 * NS_PER_DAY)
/* Fewer say little of what a server does. */
#define SOME_SESSIONS 3

/* Did a session of the profile have its EHLO answered within COMPARABLE_NS? */
bool history_near_in_time(const struct profile *, int64_t at_ns);

/* How near a client is to the session's own. */
enum kin { KIN_SAME, KIN_NETWORK, KIN_OTHER, KINS };

struct history {
	/* Sessions that got the offer, by how near their client is. */
	uint64_t same_offered, network_offered, other_offered;
	/* Sessions that did not, this one left out. */
	uint64_t same_missing, network_missing, other_missing;
	int64_t first_offered_ns, last_offered_ns; /* same network */
	/* One time at which it was offered, to the client nearest of kin; of
	 * the times that are known, the nearest. */
	int64_t nearest_offered_ns;
	enum kin nearest_kin;
	bool before, after; /* offered so, of any client */
	/* An offer differs in STARTTLS only: one to this client, to its
	 * network (the client with it), to anybody. */
	bool same_list, network_list, any_list;
	uint64_t same_reply; /* other sessions with this very reply */
	/* Of the sessions that got the offer: those whose server said of which
	 * domain it is, and said this one; of those of this network whose TTL
	 * is known, and is this one. */
	uint64_t with_home, same_home, with_ttl, same_ttl;
	uint8_t usual_ttl; /* of the last of these */
	/* Of history_answered(): sessions in which EHLO was answered at all,
	 * by kin; and is one of them earlier? */
	uint64_t answered[KINS];
	bool answered_before;
	/* Likewise: other sessions in which it came to nothing as well. */
	uint64_t unanswered;
	int64_t first_unanswered_ns, last_unanswered_ns;
};

/*
 * `at_ns`: when this session's EHLO was answered. `own` is its own profile,
 * `clean_hash` the hash of its keywords without the overwritten one, if one
 * is.
 */
void history_ask(const struct context *, const struct profile *own,
    uint64_t clean_hash, int64_t at_ns, struct history *out);

/*
 * How STARTTLS ended in the server's other sessions, by how near of kin the
 * client is.
 */
struct tls_history {
	uint64_t done[KINS];   /* TLS began */
	uint64_t failed[KINS]; /* refused or broken */
	uint64_t clear[KINS];  /* offered, and mail went without asking */
	int64_t first_done_ns, last_done_ns;	 /* same network */
	int64_t first_failed_ns, last_failed_ns; /* anybody */
};
void tls_history_ask(const struct context *, const struct profile *own,
    int64_t at_ns, struct tls_history *out);

/* Which certificates the server showed in other sessions, at most seven days
 * away, where they are visible. */
struct certificate_history {
	uint64_t same, other;
	bool other_before, other_after;
	int64_t first_same_ns, last_same_ns; /* this session among them */
};
void certificate_history_ask(const struct context *, const struct session *,
    struct certificate_history *out);

static inline bool
history_has_answered(const struct history *h)
{
	return h->answered[KIN_SAME] + h->answered[KIN_NETWORK] +
	    h->answered[KIN_OTHER] >
	    0;
}

/* For a session whose own EHLO was not answered, at `at_ns`. */
void history_answered(const struct context *, const struct session *,
    int64_t at_ns, struct history *out);

static inline uint64_t
history_offered(const struct history *h)
{
	return h->same_offered + h->network_offered + h->other_offered;
}

#endif
