/*
 * store/resolver_cache.h - the SQLite cache of postfix-mta-sts-resolver.
 *
 * Tables proactive_fetch_ts and sts_policy_cache (domain, ts, pol_id,
 * pol_body), as postfix_mta_sts_resolver/sqlite_cache.py makes them. Read
 * only, in one transaction, while the resolver runs.
 */
#ifndef STORE_RESOLVER_CACHE_H
#define STORE_RESOLVER_CACHE_H

#include "store.h"

struct resolver_row {
	int64_t row;	    /* its number, for who must find it */
	const char *domain; /* as it stands there; borrowed, as all of it */
	int64_t fetched_s;  /* of the last success */
	const char *txt_id;
	struct slice body; /* a JSON object: the policy's fields */
};
/* 0: go on; above 0 stops, and is returned. */
typedef int resolver_fn(void *context, const struct resolver_row *);
/* -1: it cannot be read; `errbuf` says why. */
int resolver_cache_each(const char *path, resolver_fn *, void *context,
    char errbuf[STORE_ERRBUF]);

#endif
