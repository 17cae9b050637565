/*
 * dissect/packet.h - from a captured frame to a TCP segment, or a DNS
 * message over UDP.
 *
 * Link layers: Ethernet (802.1Q, QinQ, MPLS, PPPoE), Linux cooked v1 and v2,
 * raw IP, BSD loopback. IPv4 with options, IPv6 with extension headers. Tunnels
 * are taken off (tunnel.c): IP in IP, GRE, ERSPAN, VXLAN, GENEVE, NSH; what is
 * said of a packet is what its innermost IP header says. The link types are
 * those of https://www.tcpdump.org/linktypes.html.
 */
#ifndef DISSECT_PACKET_H
#define DISSECT_PACKET_H

#include "address.h"
#include "counters.h"
#include "fact.h"
#include "slice.h"

/* A frame as the reader hands it over. `bytes` is borrowed. */
struct frame {
	struct slice bytes;  /* what was captured */
	uint32_t wire_bytes; /* what was on the wire; >= bytes.len */
	uint32_t link_type;  /* LINKTYPE_* */
	uint32_t capture;    /* ordinal of the capture within the run */
	uint64_t number;     /* from 1, within its capture */
	uint64_t run_number; /* from 1, within the run */
	int64_t capture_ts_ns;
};

/* Captures may hold any time at all, and go back in it: never negative, and
 * no more than fits. */
static inline int64_t
elapsed_ns(int64_t since, int64_t until)
{
	uint64_t elapsed = (uint64_t)until - (uint64_t)since;

	if (until <= since)
		return 0;
	return elapsed > INT64_MAX ? INT64_MAX : (int64_t)elapsed;
}

/* Sequence numbers go round (RFC 9293 3.4). */
static inline bool
seq_before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

#define DNS_PORT 53		 /* RFC 1035 4.2 */
#define DATAGRAM_MAX_BYTES 65535 /* RFC 791 3.1: a length of 16 bits */

/* An acknowledgement further ahead than any window that SMTP fills is forged
 * or damaged: RFC 9293 3.10.7.4 has the receiver drop the segment. Believed,
 * it would let us skip as many octets that are still to come. */
#define ACK_AHEAD_MAX (1u << 20)

enum packet_kind {
	PACKET_NONE,	       /* not ours, or damaged: already counted */
	PACKET_TCP,	       /* all fields are set */
	PACKET_DNS,	       /* over UDP: addresses, ports and payload are */
	PACKET_FRAGMENT,       /* addresses and the fragment fields are set */
	PACKET_OUTER_FRAGMENT, /* so are they, but TCP's addresses may be
				* others, further in: see outer.h */
};

enum {
	TCP_FIN = 0x01,
	TCP_SYN = 0x02,
	TCP_RST = 0x04,
	TCP_PSH = 0x08,
	TCP_ACK = 0x10,
	TCP_URG = 0x20,
};

/* The descriptor between decoding and processing. Host byte order. */
struct packet {
	struct endpoint src, dst;
	uint64_t number, run_number; /* of its frame */
	int64_t capture_ts_ns;
	int64_t clock_ns;	/* see capture_clock.h; set by who decodes */
	const uint8_t *payload; /* of TCP, of DNS, or of the fragment */
	const uint8_t *tcp;	/* header, for the checksum */
	const uint8_t *ip;	/* IPv4 header; NULL: of IPv6 */
	uint32_t payload_bytes; /* captured */
	uint32_t payload_wire_bytes; /* by the IP header; > captured when
					 * the packet was cut by snaplen */
	uint32_t tcp_header_bytes;   /* on the wire */
	uint32_t capture;
	uint32_t link_type;
	uint32_t seq, ack;
	uint32_t ts_value, ts_echo; /* timestamp option, if has_ts */
	uint32_t fragment_id;
	uint32_t fragment_offset; /* in octets */
	uint32_t flow_hash;	  /* if has_flow_hash; flow_table.h's */
	uint32_t flow_position;	  /* the same, once it was fetched */
	uint16_t window;
	uint16_t ip_id;	  /* IPv4 only */
	uint8_t flags;	  /* TCP_* */
	uint8_t ttl;	  /* or hop limit */
	uint8_t shard;	  /* see packet_shard() */
	uint8_t protocol; /* of a fragment's first header: 6 for TCP */
	bool has_ts;
	bool header_cut; /* in the options, by snaplen */
	bool more_fragments;
	bool has_flow_hash;
	enum packet_kind kind;
};

/*
 * Decodes one frame. What is neither TCP over IP nor DNS over UDP, or is
 * damaged, is counted in `counters` under its reason and gives PACKET_NONE.
 * Pointers in `out` borrow from the frame.
 */
enum packet_kind
packet_decode(const struct frame *, struct counters *, struct packet *out);

/* Is there a decoder for this link type at all? */
bool packet_link_known(uint32_t link_type);

/*
 * Decodes the TCP header in `ip_payload`, whose addresses and identification
 * are in `out` already: for datagrams that fragment.h put together.
 */
enum packet_kind packet_decode_tcp(struct slice ip_payload, uint32_t wire_bytes,
    struct counters *, struct packet *out);
/* The same when `protocol`, set as well, is not TCP's: it may lead there. */
enum packet_kind packet_decode_datagram(struct slice ip_payload,
    struct counters *, struct packet *out);

/* RFC 9293 3.1: the sum over pseudo header, header and payload. SUM_UNKNOWN of
 * a packet that was cut, of which nobody can say. */
enum sum packet_sum(const struct packet *);

#define SHARD_COUNT 64

/* A keyed, symmetric hash of the address pair: both directions and all
 * fragments of them meet in one shard. `key` as siphash.h wants it. */
uint8_t packet_shard(const struct packet *, const uint8_t key[16]);

#endif
