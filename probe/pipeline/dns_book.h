/*
 * probe/pipeline/dns_book.h - the answers of DNS that one capture holds, and
 * which of them bear on a session.
 *
 * Equal answers to one asker are kept once, with when they last came. Bounded;
 * the highest hashes stay, what mail alone asks for (MX, TXT, TLSA) before
 * addresses, so that neither threads nor order change what stays.
 */
#ifndef PROBE_PIPELINE_DNS_BOOK_H
#define PROBE_PIPELINE_DNS_BOOK_H

#include "dissect/fact.h"

struct dns_book;

struct dns_book *dns_book_create(size_t answers_max); /* NULL: no memory */
void dns_book_destroy(struct dns_book *);
/* A FACT_DNS_ANSWER; what is damaged is passed over. */
void dns_book_add(struct dns_book *, const struct fact *, struct slice bytes);
uint64_t dns_book_shed(const struct dns_book *);

/* A client that asked for the MTA-STS policy of a domain, last then. */
struct policy_asker {
	struct address client;
	char domain[256];
	int64_t last_ns;
};
/* By client and domain, to be freed; NULL: none, or no memory. */
struct policy_asker *dns_book_askers(const struct dns_book *, size_t *count);

/* Whose session it is. */
struct dns_concern {
	struct address client, server;
	const char (*domains)[256]; /* recipients' */
	unsigned domain_count;
};

/*
 * Writes, as encoded facts of handle 0, the answers that lead to the server,
 * those that name it as somebody's MX, and what those domains and hosts say
 * of themselves: the client's own first. At most DNS_BOOK_TOLD_MAX of them in
 * DNS_BOOK_TOLD_BYTES; returns octets written.
 */
#define DNS_BOOK_TOLD_MAX 32
#define DNS_BOOK_TOLD_BYTES 32768
size_t dns_book_tell(const struct dns_book *, const struct dns_concern *,
    uint8_t *out);

#endif
