/*
 * dissect/fragment.h - IP datagrams put together again, within one shard, or
 * before there are shards (outer.h).
 *
 * IPv4: what came first stays (as Linux does it). IPv6: a datagram with
 * overlapping fragments is discarded whole (RFC 5722); a fragment of which
 * every octet is there already, and the same, is a repetition and no overlap
 * (RFC 8200 4.5).
 *
 * Bounded in octets; a datagram of which a part does not come within 30 s is
 * given up. A fragment costs its length, however many datagrams are
 * incomplete and however many pieces they came in.
 */
#ifndef DISSECT_FRAGMENT_H
#define DISSECT_FRAGMENT_H

#include "packet.h"

struct fragments;

/* `key` of the hash by which datagrams are found is borrowed for the call. */
struct fragments *
fragments_create(size_t budget_bytes, const uint8_t key[16], struct counters *);
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
bool fragments_awaited(const struct fragments *, const struct packet *);
/* Gives up what has waited too long at `clock_ns` (see capture_clock.h). */
void fragments_expire(struct fragments *, int64_t clock_ns);
/* Gives up all of it: the capture is over. */
void fragments_finish(struct fragments *);

#endif
