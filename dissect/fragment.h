/*
 * dissect/fragment.h - IP datagrams put together again, within one shard, or
 * before there are shards (outer.h).
 *
 * IPv4: what came first stays (as Linux does it). IPv6: a datagram with
 * overlapping fragments is discarded whole (RFC 5722). Bounded in octets; a
 * datagram of which a part does not come within 30 s is given up.
 */
#ifndef DISSECT_FRAGMENT_H
#define DISSECT_FRAGMENT_H

#include "packet.h"

struct fragments;

struct fragments *fragments_create(size_t budget_bytes, struct counters *);
void fragments_destroy(struct fragments *);
/*
 * Takes one fragment of either kind. True when its datagram is whole: then
 * `datagram` is what follows the IP header, borrowed until the next call, and
 * `packet` may be decoded by packet_decode_tcp().
 */
bool fragments_add(struct fragments *, const struct packet *,
    struct slice *datagram);
/* What the last whole datagram begins with: its first fragment says so. */
uint8_t fragments_protocol(const struct fragments *);
/* Has another fragment of the same datagram come? */
bool fragments_awaited(struct fragments *, const struct packet *);
/* Gives up what has waited too long at `now_ns`; all of it with INT64_MAX. */
void fragments_expire(struct fragments *, int64_t now_ns);

#endif
