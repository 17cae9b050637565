/*
 * dissect/decoding.h - what the layers of a frame share: packet.c (IP, TCP),
 * link.c and tunnel.c. Nobody else includes it.
 *
 * Each function takes its header off and calls the layer within. What it
 * cannot go on with it counts, once, and gives PACKET_NONE.
 */
#ifndef DISSECT_DECODING_H
#define DISSECT_DECODING_H

#include "packet.h"

enum {
	IP_HOP_BY_HOP = 0,
	IP_IPV4 = 4,
	IP_TCP = 6,
	IP_UDP = 17,
	IP_IPV6 = 41,
	IP_ROUTING = 43,
	IP_FRAGMENT = 44,
	IP_GRE = 47,
	IP_AH = 51,
	IP_NO_NEXT = 59,
	IP_DESTINATION = 60,
};

/* Tags, labels or extension headers in a row: more is an attack. */
#define NESTING_MAX 16

/* What is being decoded: where, and how much of it was on the wire. */
struct decoding {
	struct cursor in;
	uint32_t wire_bytes;	 /* from the cursor's place to the end */
	unsigned encapsulations; /* that were taken off */
	struct counters *counters;
	struct packet *out;
};

static inline enum packet_kind
give_up(struct decoding *d, enum counter why)
{
	count(d->counters, d->in.short_read ? COUNTER_CUT_HEADER : why);
	return PACKET_NONE;
}

/* Moves past `octets` of header. */
static inline struct slice
skip(struct decoding *d, size_t octets)
{
	struct slice taken = cursor_take(&d->in, octets);

	d->wire_bytes -= d->wire_bytes < octets ? d->wire_bytes :
						  (uint32_t)octets;
	return taken;
}

/* What follows a header: no more than it says, and no padding. */
static inline void
clip(struct decoding *d, uint32_t wire_bytes)
{
	d->wire_bytes = wire_bytes;
	d->in.rest = slice_first(d->in.rest, wire_bytes);
}

/* From the frame's first octet. */
enum packet_kind link_decode(struct decoding *, uint32_t link_type);
enum packet_kind link_decode_ethernet(struct decoding *);
enum packet_kind link_decode_ether_type(struct decoding *, uint16_t type);
enum packet_kind link_decode_mpls(struct decoding *);
enum packet_kind link_decode_ppp(struct decoding *);
/* Of either version. */
enum packet_kind ip_decode(struct decoding *);
/* What an IP header carries that is not TCP: a tunnel or DNS, perhaps. */
enum packet_kind tunnel_decode(struct decoding *, uint8_t protocol);
enum packet_kind tunnel_decode_nsh(struct decoding *);
/* Might a tunnel, or DNS, be in the datagram of which this is the fragment at
 * `offset`? Of UDP only the first one knows; the later ones might. */
bool
tunnel_in_fragment(const struct decoding *, uint8_t protocol, uint32_t offset);

#endif
