/*
 * dissect/dns_watch.h - the DNS that mail depends on, within a shard: answers
 * are matched to their queries and published.
 *
 * Read are MX, A, AAAA and TLSA, and TXT at `_mta-sts.` and `_smtp._tls.`
 * (RFC 8461 3.1, RFC 8460 3). An answer counts when its query was seen and
 * had none yet: the same two ends, the same id, the same question (RFC 5452
 * 9.1). It may come up to 200 ms before the query: with a tap for each
 * direction clocks differ. A second answer with other records is told as such,
 * for that is what a race between a forger and a resolver looks like; a query
 * that was sent twice has two. A truncated answer says nothing: the client
 * asks again over TCP (RFC 7766).
 *
 * Bounded: a query that finds no room takes the place of the oldest of a few.
 */
#ifndef DISSECT_DNS_WATCH_H
#define DISSECT_DNS_WATCH_H

#include "fact_log.h"

struct dns_watch;

/* `pool` and `key` (as siphash.h wants it) are borrowed; NULL: no memory. */
struct dns_watch *dns_watch_create(size_t queries, const uint8_t key[16],
    struct fact_pool *pool, struct counters *);
void dns_watch_destroy(struct dns_watch *);
/* One message over UDP (PACKET_DNS). */
void dns_watch_packet(struct dns_watch *, const struct packet *);

/* One connection of DNS over TCP (RFC 1035 4.2.2), while it lasts. */
struct dns_stream;
/* NULL: the pool is spent. `client` is who opened it. */
struct dns_stream *
dns_stream_open(struct dns_watch *, const struct flow_identity *);
/* False: nothing more can be read of it. */
bool dns_stream_feed(struct dns_stream *, enum dir, struct slice,
    const struct origin *);
void dns_stream_close(struct dns_stream *);

#endif
