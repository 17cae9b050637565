/* From frames to segments. Link types: tcpdump.org/linktypes.html. */
#include <criterion/criterion.h>

#include "unit/dissect/frames.h"

enum {
	NUL = 0,
	ETHERNET = 1,
	PPP = 9,
	RAW_12 = 12,
	RAW_14 = 14,
	PPP_HDLC = 50,
	RAW = 101,
	C_HDLC = 104,
	LOOP = 108,
	SLL = 113,
	IPV4 = 228,
	IPV6 = 229,
	SLL2 = 276
};

/* The segment of frames.h, from whichever family. */
static void
check_segment(const struct packet *p, uint8_t family)
{
	cr_assert_eq(p->kind, PACKET_TCP);
	cr_assert_eq(p->number, 7);
	cr_assert_eq(p->src.address.family, family);
	cr_assert_eq(p->src.port, 40000);
	cr_assert_eq(p->dst.port, 25);
	cr_assert_eq(p->seq, 1);
	cr_assert_eq(p->ack, 2);
	cr_assert_eq(p->flags, TCP_ACK | TCP_PSH);
	cr_assert_eq(p->window, 0x2000);
	cr_assert_eq(p->ttl, 64);
	cr_assert_eq(p->payload_bytes, 4);
	cr_assert_eq(p->payload_wire_bytes, 4);
	cr_assert_eq(memcmp(p->payload, "QUIT", 4), 0);
}

/* Every octet of the frame cut off: never a crash, always a reason. */
static void
check_cuts(const struct grown *g, uint32_t link_type)
{
	struct packet p;

	for (size_t captured = 0; captured < g->len; captured++) {
		struct counters c = { 0 };
		enum packet_kind kind =
		    decode_cut(g, link_type, captured, &c, &p);

		if (captured + 4 >= g->len) {
			cr_assert_eq(kind, PACKET_TCP);
			cr_assert_eq(c.of[COUNTER_SNAPPED], 1);
			cr_assert_eq(p.payload_wire_bytes, 4);
			cr_assert_eq(p.payload_bytes, captured + 4 - g->len);
		} else {
			cr_assert_eq(kind, PACKET_NONE);
			cr_assert_eq(c.of[COUNTER_CUT_HEADER], 1,
			    "%zu of %zu octets, link type %u", captured, g->len,
			    (unsigned)link_type);
		}
	}
}

struct link {
	uint32_t type;
	const char *bytes;
	size_t len;
	uint8_t family;
};
#define LINK(type, family, literal)                        \
	{                                                  \
		type, literal, sizeof(literal) - 1, family \
	}

static const struct link known[] = {
	LINK(ETHERNET, 4, ETHER(TYPE_IPV4)),
	LINK(ETHERNET, 6, ETHER(TYPE_IPV6)),
	/* 802.1Q, QinQ new and old, three tags */
	LINK(ETHERNET, 4, ETHER("\x81\0") "\0\x05" TYPE_IPV4),
	LINK(ETHERNET, 6, ETHER("\x88\xa8") "\0\x05\x81\0\0\x06" TYPE_IPV6),
	LINK(ETHERNET, 4, ETHER("\x91\0") "\0\x05\x81\0\0\x06" TYPE_IPV4),
	LINK(ETHERNET, 4,
	    ETHER("\x81\0") "\0\x01\x81\0\0\x02\x81\0\0\x03" TYPE_IPV4),
	/* MPLS: label, exp and bottom bit, TTL */
	LINK(ETHERNET, 4, ETHER("\x88\x47") "\0\0\x11\x40"),
	LINK(ETHERNET, 6, ETHER("\x88\x48") "\0\0\x10\x40\0\0\x21\x40"),
	LINK(ETHERNET, 4,
	    ETHER("\x81\0") "\0\x05\x88\x47"
			    "\0\0\x11\x40"),
	/* PPPoE session: version, code, session, length, PPP protocol */
	LINK(ETHERNET, 4, ETHER("\x88\x64") "\x11\0\0\x01\0\x2e\0\x21"),
	LINK(ETHERNET, 6, ETHER("\x88\x64") "\x11\0\0\x01\0\x42\0\x57"),
	LINK(ETHERNET, 4, ETHER("\x88\x64") "\x11\0\0\x01\0\x2d\x21"),
	LINK(ETHERNET, 4,
	    ETHER("\x88\x64") "\x11\0\0\x01\0\x32\x02\x81\0\0\x11\x40"),
	LINK(SLL, 4, "\0\0\0\x01\0\x06\0\0\0\0\0\0\0\0" TYPE_IPV4),
	LINK(SLL, 6,
	    "\0\x04\0\x01\0\x06\0\0\0\0\0\0\0\0\x81\0\0\x05" TYPE_IPV6),
	LINK(SLL2, 4, TYPE_IPV4 "\0\0\0\0\0\x02\0\x01\0\x06\0\0\0\0\0\0\0\0"),
	LINK(SLL2, 6, TYPE_IPV6 "\0\0\0\0\0\x02\0\x01\0\x06\0\0\0\0\0\0\0\0"),
	LINK(RAW, 4, ""),
	LINK(RAW, 6, ""),
	LINK(RAW_12, 4, ""),
	LINK(RAW_14, 6, ""),
	LINK(IPV4, 4, ""),
	LINK(IPV6, 6, ""),
	/* BSD loopback: AF_INET, and AF_INET6 of Linux, NetBSD, FreeBSD,
	 * macOS, in the writer's order; OpenBSD's is always big-endian */
	LINK(NUL, 4, "\x02\0\0\0"),
	LINK(NUL, 4, "\0\0\0\x02"),
	LINK(NUL, 6, "\x0a\0\0\0"),
	LINK(NUL, 6, "\0\0\0\x18"),
	LINK(NUL, 6, "\x1c\0\0\0"),
	LINK(NUL, 6, "\x1e\0\0\0"),
	LINK(NUL, 6, "\0\0\0\x1e"),
	LINK(LOOP, 4, "\0\0\0\x02"),
	LINK(LOOP, 6, "\0\0\0\x18"),
	LINK(PPP, 4, "\xff\x03\0\x21"),
	LINK(PPP, 6, "\0\x57"),
	LINK(PPP_HDLC, 4, "\xff\x03\0\x21"),
	LINK(C_HDLC, 4, "\x0f\0" TYPE_IPV4),
};

Test(packet, every_link_layer_leads_to_the_segment)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		struct counters c = { 0 };
		struct grown g = { 0 };
		struct packet p;

		cr_assert(packet_link_known(known[i].type));
		grow_bytes(&g, known[i].bytes, known[i].len);
		if (known[i].family == 4)
			grow_ipv4(&g, 0, 0x4000, SEGMENT_BYTES);
		else
			grow_ipv6(&g, 6, SEGMENT_BYTES);
		grow(&g, SEGMENT);
		cr_assert_eq(decode(&g, known[i].type, &c, &p), PACKET_TCP,
		    "row %zu", i);
		check_segment(&p, known[i].family);
		cr_assert_eq(c.of[COUNTER_PACKETS], 1);
		cr_assert_eq(c.of[COUNTER_BYTES], g.len);
		cr_assert_eq(c.of[COUNTER_SEGMENTS], 1);
		check_cuts(&g, known[i].type);
	}
}

Test(packet, ethernet_padding_is_no_payload)
{
	struct counters c = { 0 };
	struct grown g = { 0 };
	struct packet p;

	grow(&g, ETHER(TYPE_IPV4));
	grow_ipv4(&g, 0, 0, SEGMENT_BYTES);
	grow(&g, SEGMENT "\0\0\0\0\0\0\0\0");
	decode(&g, ETHERNET, &c, &p);
	check_segment(&p, 4);
}

Test(packet, options_of_ipv4_are_stepped_over)
{
	for (unsigned options = 0; options <= 10; options++) {
		struct counters c = { 0 };
		struct grown g = { 0 };
		struct packet p;

		grow_ipv4(&g, options, 0, SEGMENT_BYTES);
		grow(&g, SEGMENT);
		decode(&g, RAW, &c, &p);
		check_segment(&p, 4);
		check_cuts(&g, RAW);
	}
}

/* RFC 8200 4: hop-by-hop, destination, routing, authentication, atomic
 * fragment, each with its own way to count its length. */
Test(packet, extension_headers_of_ipv6_are_stepped_over)
{
	static const struct {
		uint8_t first;
		const char *bytes;
		size_t len;
	} rows[] = {
#define CHAIN(first, literal) { first, literal, sizeof(literal) - 1 }
		CHAIN(0, "\x06\0\0\0\0\0\0\0"),
		CHAIN(60,
		    "\x06\x01\0\0\0\0\0\0"
		    "\0\0\0\0\0\0\0\0"),
		CHAIN(43, "\x06\0\0\0\0\0\0\0"),
		CHAIN(51, "\x06\x01\0\0\0\0\0\0\0\0\0\0"),
		CHAIN(44, "\x06\0\0\0\0\0\0\x09"),
		CHAIN(0,
		    "\x3c\0\0\0\0\0\0\0"
		    "\x2b\0\0\0\0\0\0\0"
		    "\x2c\0\0\0\0\0\0\0"
		    "\x06\0\0\0\0\0\0\x09"),
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct counters c = { 0 };
		struct grown g = { 0 };
		struct packet p;

		grow_ipv6(&g, rows[i].first, rows[i].len + SEGMENT_BYTES);
		grow_bytes(&g, rows[i].bytes, rows[i].len);
		grow(&g, SEGMENT);
		decode(&g, RAW, &c, &p);
		check_segment(&p, 6);
		check_cuts(&g, RAW);
	}
}

Test(packet, an_endless_chain_of_headers_is_damage)
{
	struct counters c = { 0 };
	struct grown v6 = { 0 }, tags = { 0 }, labels = { 0 };
	struct packet p;

	grow_ipv6(&v6, 0, 8 * 20 + SEGMENT_BYTES);
	for (int i = 0; i < 20; i++)
		grow(&v6, "\0\0\0\0\0\0\0\0");
	grow(&v6, SEGMENT);
	cr_assert_eq(decode(&v6, RAW, &c, &p), PACKET_NONE);
	cr_assert_eq(c.of[COUNTER_BAD_IP], 1);

	grow(&tags, MACS);
	for (int i = 0; i < 20; i++)
		grow(&tags, "\x81\0\0\x05");
	grow(&tags, TYPE_IPV4);
	cr_assert_eq(decode(&tags, ETHERNET, &c, &p), PACKET_NONE);
	cr_assert_eq(c.of[COUNTER_BAD_LINK], 1);

	grow(&labels, ETHER("\x88\x47"));
	for (int i = 0; i < 20; i++)
		grow(&labels, "\0\0\x10\x40");
	cr_assert_eq(decode(&labels, ETHERNET, &c, &p), PACKET_NONE);
	cr_assert_eq(c.of[COUNTER_BAD_LINK], 2);
}

/* What is wrong with the frame, and where it is counted. */
static const struct {
	uint32_t link_type;
	enum counter counter;
	const char *bytes;
	size_t len;
} damaged[] = {
#define BAD(type, counter, literal)                                   \
	{                                                             \
		type, COUNTER_##counter, literal, sizeof(literal) - 1 \
	}
	BAD(ETHERNET, NOT_IP, ETHER("\x08\x06") "arp....."),
	BAD(ETHERNET, NOT_IP, ETHER("\0\x26") "\x42\x42\x03 802.3"),
	BAD(ETHERNET, NOT_IP, ETHER("\x88\x64") "\x11\0\0\x01\0\x04\xc0\x21"),
	BAD(NUL, NOT_IP, "\x07\0\0\0\x45"),
	BAD(147, UNKNOWN_LINK, "whatever"),
	BAD(RAW, BAD_IP, "\x55 what version is this"),
	/* a header of 16 octets; longer than the frame; no header */
	BAD(RAW, BAD_IP,
	    "\x44\0\0\x14\0\0\0\0\x40\x06\0\0\x01\x01\x01\x01\x02\x02"
	    "\x02\x02"),
	BAD(RAW, BAD_IP,
	    "\x45\0\0\x64\0\0\0\0\x40\x06\0\0\x01\x01\x01\x01\x02\x02"
	    "\x02\x02"),
	BAD(RAW, BAD_IP,
	    "\x45\0\0\x10\0\0\0\0\x40\x06\0\0\x01\x01\x01\x01\x02\x02"
	    "\x02\x02"),
	BAD(RAW, NOT_TCP,
	    "\x45\0\0\x14\0\0\0\0\x40\x11\0\0\x01\x01\x01\x01\x02\x02"
	    "\x02\x02"),
	/* no room for a TCP header, a header of 16 octets, one of 60 */
	BAD(RAW, BAD_TCP,
	    "\x45\0\0\x18\0\0\0\0\x40\x06\0\0\x01\x01\x01\x01\x02\x02"
	    "\x02\x02"
	    "abcd"),
	BAD(RAW, BAD_TCP,
	    "\x45\0\0\x28\0\0\0\0\x40\x06\0\0\x01\x01\x01\x01\x02\x02"
	    "\x02\x02"
	    "\0\0\0\x19\0\0\0\0\0\0\0\0\x40\x10\0\0\0\0\0\0"),
	BAD(RAW, BAD_TCP,
	    "\x45\0\0\x28\0\0\0\0\x40\x06\0\0\x01\x01\x01\x01\x02\x02"
	    "\x02\x02"
	    "\0\0\0\x19\0\0\0\0\0\0\0\0\xf0\x10\0\0\0\0\0\0"),
	/* IPv6: no next header; longer than the frame */
	BAD(RAW, NOT_TCP,
	    "\x60\0\0\0\0\0\x3b\x40"
	    "0123456789abcdef"
	    "0123456789abcdef"),
	BAD(RAW, BAD_IP,
	    "\x60\0\0\0\0\x09\x06\x40"
	    "0123456789abcdef"
	    "0123456789abcdef"),
};

Test(packet, what_is_no_segment_is_counted_under_its_reason)
{
	for (size_t i = 0; i < sizeof(damaged) / sizeof(*damaged); i++) {
		struct counters c = { 0 };
		struct grown g = { 0 };
		struct packet p;

		grow_bytes(&g, damaged[i].bytes, damaged[i].len);
		cr_assert_eq(decode(&g, damaged[i].link_type, &c, &p),
		    PACKET_NONE, "row %zu", i);
		cr_assert_eq(p.kind, PACKET_NONE);
		cr_assert_eq(c.of[damaged[i].counter], 1, "row %zu", i);
	}
	cr_assert_not(packet_link_known(147));
}

/* Segmentation offload captures a length of 0. */
Test(packet, a_length_of_zero_is_the_frames)
{
	struct counters c = { 0 };
	struct grown v4 = { 0 }, v6 = { 0 };
	struct packet p;

	grow_ipv4(&v4, 0, 0, SEGMENT_BYTES);
	v4.bytes[2] = v4.bytes[3] = 0;
	grow(&v4, SEGMENT);
	decode(&v4, RAW, &c, &p);
	check_segment(&p, 4);
	grow_ipv6(&v6, 6, 0);
	grow(&v6, SEGMENT);
	decode(&v6, RAW, &c, &p);
	check_segment(&p, 6);
}

Test(packet, fragments_are_handed_on_with_their_place)
{
	struct counters c = { 0 };
	struct grown v4 = { 0 }, v6 = { 0 }, udp = { 0 };
	struct packet p;

	grow_ipv4(&v4, 0, 0x2000 | 3, 8); /* more follow; 24 octets */
	grow(&v4, "01234567");
	cr_assert_eq(decode(&v4, RAW, &c, &p), PACKET_FRAGMENT);
	cr_assert_eq(p.fragment_id, 0x1234);
	cr_assert_eq(p.fragment_offset, 24);
	cr_assert(p.more_fragments);
	cr_assert_eq(p.payload_bytes, 8);

	grow_ipv6(&v6, 44, 16);
	grow(&v6,
	    "\x06\0\0\x18\0\0\0\x09"
	    "01234567");
	cr_assert_eq(decode(&v6, RAW, &c, &p), PACKET_FRAGMENT);
	cr_assert_eq(p.fragment_id, 9);
	cr_assert_eq(p.fragment_offset, 24);
	cr_assert_not(p.more_fragments);
	cr_assert_eq(c.of[COUNTER_FRAGMENTS], 2);

	grow_ipv4(&udp, 0, 0x2000, 8);
	udp.bytes[9] = 17;
	grow(&udp, "01234567");
	cr_assert_eq(decode(&udp, RAW, &c, &p), PACKET_NONE);
	cr_assert_eq(c.of[COUNTER_NOT_TCP], 1);
}

/* --- TCP ----------------------------------------------------------------- */

static enum packet_kind
decode_tcp(const char *options, size_t len, struct packet *p)
{
	uint8_t tcp[60] = SEGMENT_HEADER;
	struct counters c = { 0 };

	tcp[12] = (uint8_t)((20 + len) / 4 << 4);
	memcpy(tcp + 20, options, len);
	p->has_ts = true; /* of an earlier packet */
	return packet_decode_tcp(slice_of(tcp, 20 + len), 20 + (uint32_t)len,
	    &c, p);
}
#define DECODE_TCP(options, p) decode_tcp(options, sizeof(options) - 1, p)

Test(packet, the_timestamp_option_is_read)
{
	struct packet p;

	cr_assert_eq(DECODE_TCP("\x01\x01\x08\x0a\0\0\0\x05\0\0\0\x06", &p),
	    PACKET_TCP);
	cr_assert(p.has_ts);
	cr_assert_eq(p.ts_value, 5);
	cr_assert_eq(p.ts_echo, 6);
	DECODE_TCP("\x02\x04\x05\xb4\x08\x0a\0\0\0\x05\0\0\0\x06\0\0", &p);
	cr_assert(p.has_ts);
}

Test(packet, options_that_make_no_sense_are_left_alone)
{
	struct packet p;

	DECODE_TCP("\0\0\x08\x0a\0\0\0\x05\0\0\0\x06", &p); /* end of list */
	cr_assert_not(p.has_ts);
	DECODE_TCP("\x05\0\x08\x0a\0\0\0\x05\0\0\0\x06", &p); /* length 0 */
	cr_assert_not(p.has_ts);
	DECODE_TCP("\x08\x0a\0\0", &p); /* longer than the header */
	cr_assert_not(p.has_ts);
	DECODE_TCP("\x08\x04\0\0", &p); /* too short a timestamp */
	cr_assert_not(p.has_ts);
	DECODE_TCP("\x01\x01\x01\x08", &p);
	cr_assert_not(p.has_ts);
}

/* RFC 9293 3.1; the sum of the header as it stands is put right by hand. */
Test(packet, sums_are_verified_over_the_pseudo_header)
{
	for (int family = 4; family <= 6; family += 2) {
		for (size_t octets = 0; octets < 5; octets++) {
			struct counters c = { 0 };
			struct grown g = { 0 };
			struct packet p;
			size_t at, good = 0;

			if (family == 4)
				grow_ipv4(&g, 0, 0, 20 + octets);
			else
				grow_ipv6(&g, 6, 20 + octets);
			at = g.len + 16;
			grow_bytes(&g, SEGMENT, 20 + octets);
			for (unsigned sum = 0; sum < 0x10000; sum++) {
				g.bytes[at] = (uint8_t)(sum >> 8);
				g.bytes[at + 1] = (uint8_t)sum;
				decode(&g, RAW, &c, &p);
				good += packet_sum(&p) == SUM_RIGHT;
			}
			/* One value fits, and 0 and 0xffff are the same. */
			cr_assert(good == 1 || good == 2);
		}
	}
}

Test(packet, of_a_cut_segment_nobody_knows_the_sum)
{
	struct counters c = { 0 };
	struct grown g = { 0 };
	struct packet p;

	grow_ipv4(&g, 0, 0, SEGMENT_BYTES);
	grow(&g, SEGMENT);
	decode_cut(&g, RAW, g.len - 1, &c, &p);
	cr_assert_eq(packet_sum(&p), SUM_UNKNOWN);
}

Test(packet, both_directions_and_all_fragments_meet_in_one_shard)
{
	static const uint8_t key[16] = "0123456789abcdef";
	bool used[SHARD_COUNT] = { false };
	size_t count = 0;

	for (unsigned i = 0; i < 1000; i++) {
		struct packet there = { .src.port = 1, .dst.port = 2 }, back;

		there.src.address.family = there.dst.address.family =
		    i % 2 ? 4 : 6;
		there.src.address.octets[2] = (uint8_t)(i >> 8);
		there.src.address.octets[3] = (uint8_t)i;
		there.dst.address.octets[0] = 9;
		back = there;
		back.src = there.dst;
		back.dst = there.src;
		back.dst.port = 77;
		cr_assert_eq(packet_shard(&there, key),
		    packet_shard(&back, key));
		cr_assert(packet_shard(&there, key) < SHARD_COUNT);
		used[packet_shard(&there, key)] = true;
	}
	for (size_t i = 0; i < SHARD_COUNT; i++)
		count += used[i];
	cr_assert_eq(count, SHARD_COUNT);
}

/* libnids wants the whole packet. */
Test(packet, the_header_of_ipv4_is_told_and_none_of_ipv6)
{
	struct counters counters = { 0 };
	struct grown v4 = { 0 }, v6 = { 0 };
	struct packet p;

	grow(&v4, ETHER(TYPE_IPV4));
	grow_ipv4(&v4, 2, 0, SEGMENT_BYTES);
	grow(&v4, SEGMENT);
	cr_assert_eq(decode(&v4, 1, &counters, &p), PACKET_TCP);
	cr_assert_eq(p.payload - p.ip, 28 + 20);
	cr_assert_eq(p.ip[0], 0x47);
	grow(&v6, ETHER(TYPE_IPV6));
	grow_ipv6(&v6, 6, SEGMENT_BYTES);
	grow(&v6, SEGMENT);
	cr_assert_eq(decode(&v6, 1, &counters, &p), PACKET_TCP);
	cr_assert_null(p.ip);
}
