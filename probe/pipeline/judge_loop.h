/*
 * probe/pipeline/judge_loop.h - publications in; counts, history and kept
 * sessions out.
 *
 * Holds the facts of open sessions, folds them when a session ends, and says
 * what the capture adds to the store. Everything is bounded; what is shed is
 * chosen by content, so that neither threads nor the order of captures change
 * what stays. One thread.
 */
#ifndef PROBE_PIPELINE_JUDGE_LOOP_H
#define PROBE_PIPELINE_JUDGE_LOOP_H

#include "dns_book.h"
#include "rules/judge.h"
#include "rules/trust.h"

struct judge_budgets {
	size_t open_bytes; /* facts of sessions that are still open */
	size_t kept;	   /* sessions a capture keeps */
	size_t profiles;   /* profiles a capture adds */
	size_t attempts;   /* ... and attempts */
	size_t clear;	   /* rows of clear text to `enforce` it adds */
	size_t dns;	   /* answers of DNS that are remembered of it */
};

/* A session that is kept: its facts, handle 0, `capture` counted from its
 * first one. */
struct kept_session {
	struct flow_identity flow;
	uint32_t capture;  /* ordinal of its first capture */
	uint32_t captures; /* how many it runs over */
	uint64_t order;	   /* decides what is shed: highest stay */
	uint64_t first_frame;
	int64_t first_ns, deciding_ns;
	uint8_t *facts; /* FACT_FORMAT_VERSION first */
	size_t facts_bytes;
	bool unfinished; /* it goes on, and will be kept once more */
	unsigned domain_count;
	char (*domains)[DOMAIN_TEXT_BYTES];
};

/* What explains other sessions, and what its identity is made of. */
struct kept_attempt {
	uint64_t order; /* failures highest: they stay longest */
	struct attempt attempt;
	struct flow_identity flow;
};

/* Clear text to a domain that forbids it, though STARTTLS was offered. */
struct clear_enforce {
	struct address client;
	char domain[DOMAIN_TEXT_BYTES];
	int64_t day_start_ns;
	uint64_t sessions;
};

/* What one capture adds. */
struct capture_yield {
	struct tally tally;
	struct profile *profiles; /* sorted */
	size_t profile_count;
	struct keyword_list *lists; /* that they name; sorted */
	size_t list_count;
	struct kept_session *kept; /* sorted */
	size_t kept_count;
	struct kept_attempt *attempts; /* sorted */
	size_t attempt_count;
	struct clear_enforce *clear; /* sorted */
	size_t clear_count;
	struct policy_asker *askers; /* sorted */
	size_t asker_count;
};

struct judge_loop;

/* What chains are verified against. */
struct judge_trust {
	X509_STORE *store; /* NULL: chains are not verified, or load() was
			    * not called yet */
	char digest[17];   /* of its certificates, hex */
	/* Called once, before the first chain is; NULL: store is set. */
	void (*load)(struct judge_trust *);
};

/* Sees every fact in order: for --facts. */
typedef void fact_fn(void *context, const struct fact *, struct slice bytes);

/* `context` says which sessions carry evidence by themselves and which
 * policies are known; `facts` may be NULL. All borrowed. */
struct judge_loop *
judge_loop_create(const struct judge_budgets *, struct judge_trust *,
    const struct context *context, fact_fn *facts, void *facts_context);
void judge_loop_destroy(struct judge_loop *);
/*
 * From now on sessions are judged at each decision point, not at their last
 * one only: what the evidence decides before they end is yielded at once, with
 * what is known by then, and again at the end. `sessions` bounds how many may
 * be open.
 */
void judge_loop_watch(struct judge_loop *, size_t sessions);
/* A publish_fn. */
void judge_loop_take(void *loop, const struct publication *, struct slice);
/* Sessions that have ended, and those of them that carry evidence. */
uint64_t judge_loop_sessions(const struct judge_loop *);
uint64_t judge_loop_suspects(const struct judge_loop *);
/* Watching: publications of sessions whose beginning nobody told, or for which
 * there was no place. */
uint64_t judge_loop_strays(const struct judge_loop *);
/* What sessions that began in capture `ordinal` gave; sorts it and cuts it to
 * the budgets. Borrowed; NULL: nothing at all. */
const struct capture_yield *
judge_loop_yield(struct judge_loop *, uint32_t ordinal);
/* Watching: is there something in it that may be an incident, or explain one?
 * Then the part so far is wanted. */
bool judge_loop_is_urgent(const struct judge_loop *, uint32_t ordinal);
/* What there is since the last part (yield.h), which is the caller's from here
 * on. NULL: nothing, or no memory. */
struct yield *judge_loop_part(struct judge_loop *, uint32_t ordinal);
/* Who published them (open_sessions.h) is gone: the sessions that are open end
 * as if they had been shed. */
void judge_loop_end_all(struct judge_loop *, unsigned publisher);

#endif
