/*
 * probe/pipeline/yield.h - growing lists of what a capture adds to the store,
 * cut to size by content; private to probe/pipeline.
 */
#ifndef PROBE_PIPELINE_YIELD_H
#define PROBE_PIPELINE_YIELD_H

#include "dns_book.h"
#include "judge_loop.h"

struct yield;

struct yield *yield_create(const struct judge_budgets *);
void yield_destroy(struct yield *);
struct tally *yield_tally(struct yield *);
/* True: it is new, and so may be its list of keywords. */
bool yield_profile(struct yield *, const struct profile *);
/* Is the list of that hash here? */
bool yield_has_keywords(const struct yield *, uint64_t hash);
void yield_keywords(struct yield *, const struct keyword_list *);
/* Takes over facts and domains. */
void yield_kept(struct yield *, const struct kept_session *);
void yield_attempt(struct yield *, const struct kept_attempt *);
void yield_clear(struct yield *, const struct address *client,
    const char *domain, int64_t day_start_ns);
void yield_answer(struct yield *, const struct fact *, struct slice bytes);
/* The answers so far; NULL: none. */
const struct dns_book *yield_dns(const struct yield *);
const struct capture_yield *yield_finish(struct yield *);
/* Kept sessions, or attempts, since it was created or began anew? */
bool yield_is_urgent(const struct yield *);
/* What it has so far, as one of its own; it goes on with the answers of DNS
 * and nothing else. NULL: no memory, and nothing has changed. */
struct yield *yield_split(struct yield *);

#endif
