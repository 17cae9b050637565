/*
 * probe/pipeline/mx_book.h - whose MX a server is, by records that were
 * fetched.
 *
 * The other way round of what the store keeps by domain: read once, looked up
 * by address. A server that is the MX of more domains than can be told is a
 * provider's, and says nothing of the domain of one session.
 */
#ifndef PROBE_PIPELINE_MX_BOOK_H
#define PROBE_PIPELINE_MX_BOOK_H

#include "rules/dns_seen.h"
#include "store/store.h"

struct mx_book;

/* At most so many addresses of MX hosts; what is beyond is not known. */
#define MX_BOOK_MAX 262144

/* `store` is read here and not kept; NULL: it failed, or there is no memory. */
struct mx_book *mx_book_create(struct store *);
void mx_book_destroy(struct mx_book *);

/*
 * The domains and hosts, `own` false, that had the address at `at_ns`, or are
 * first known to have had it within a month after. 0: none, or more than
 * DNS_ROUTES_MAX.
 */
unsigned mx_book_find(const struct mx_book *, const struct address *,
    int64_t at_ns, struct dns_route out[DNS_ROUTES_MAX]);

/* The name of the host; NULL: none, or several. Borrowed from the book. */
const char *
mx_book_name(const struct mx_book *, const struct address *, int64_t at_ns);

#endif
