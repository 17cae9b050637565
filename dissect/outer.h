/*
 * dissect/outer.h - fragments of what carries a packet: put together before
 * anybody can say which shard it belongs to.
 *
 * A tunnel makes packets longer than its path allows, so that its datagrams
 * come in fragments; the addresses that choose the shard are in the first one
 * only, and the TCP segment in all of them. The thread that decodes puts them
 * together, in frame order, hence the number of threads changes nothing. So it
 * does with IPv6 fragments that begin with another extension header, which may
 * hide one thing or the other (RFC 8200 4.5). Only those of which each says
 * that TCP is next stay with their shard.
 *
 * IP in IP and GRE may come in any order. Of UDP only the first fragment has
 * the port: if it is a tunnel's or that of DNS, the later ones are kept; those
 * that come before it are counted as not TCP, as those of any other datagram.
 */
#ifndef DISSECT_OUTER_H
#define DISSECT_OUTER_H

#include "packet.h"

struct outer;
/* Datagrams that packets borrow from. */
struct joined;

/* `key` as fragments_create() wants it. */
struct outer *
outer_create(size_t budget_bytes, const uint8_t key[16], struct counters *);
void outer_destroy(struct outer *);
/*
 * Takes a PACKET_OUTER_FRAGMENT. When its datagram is whole, the packet
 * becomes what is inside (TCP, DNS, or an inner fragment), still with the number
 * and time of its frame, and borrows from what was put into `*joined`;
 * otherwise it is PACKET_NONE.
 */
enum packet_kind
outer_add(struct outer *, struct packet *, struct joined **joined);
void joined_free(struct joined **);
/* As fragments_expire(); all of it with INT64_MAX. */
void outer_expire(struct outer *, int64_t clock_ns);

#endif
