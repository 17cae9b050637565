/*
 * Tunnels, built from the inside out: each layer goes in front of what there
 * is already, with the lengths that this has then.
 *
 *	struct grown g = inner(4);
 *	wrap(&g, "\0\0\x08\0"), wrap_ip(&g, 4, 47);
 */
#ifndef TESTS_UNIT_DISSECT_TUNNELS_H
#define TESTS_UNIT_DISSECT_TUNNELS_H

#include "unit/dissect/frames.h"

static inline void
wrap_bytes(struct grown *g, const void *bytes, size_t len)
{
	if (g->len + len > sizeof(g->bytes))
		abort();
	memmove(g->bytes + len, g->bytes, g->len);
	memcpy(g->bytes, bytes, len);
	g->len += len;
}
#define wrap(g, literal) wrap_bytes(g, literal, sizeof(literal) - 1)

/* The segment of frames.h, in IP. */
static inline struct grown
inner(uint8_t family)
{
	struct grown g = { 0 };

	if (family == 4)
		grow_ipv4(&g, 0, 0, SEGMENT_BYTES);
	else
		grow_ipv6(&g, 6, SEGMENT_BYTES);
	grow(&g, SEGMENT);
	return g;
}

/* From 203.0.113.1 to 203.0.113.2, or 2001:db8:f::1 to :2; hop limit 9, and an
 * identification of 0xbeef: nothing that the inside has. */
static inline void
wrap_ip(struct grown *g, uint8_t family, uint8_t protocol)
{
	size_t total = g->len + (family == 4 ? 20 : 0);
	uint8_t high = (uint8_t)(total >> 8), low = (uint8_t)total;
	uint8_t v4[20] = { 0x45, 0, high, low, 0xbe, 0xef, 0, 0, 9, protocol, 0,
		0, 203, 0, 113, 1, 203, 0, 113, 2 };
	uint8_t v6[40] = { 0x60, 0, 0, 0, high, low, protocol, 9, 0x20, 0x01,
		0x0d, 0xb8, 0, 15, [23] = 1, [24] = 0x20, 0x01, 0x0d, 0xb8, 0,
		15, [39] = 2 };

	if (family == 4)
		wrap_bytes(g, v4, sizeof(v4));
	else
		wrap_bytes(g, v6, sizeof(v6));
}

static inline void
wrap_udp(struct grown *g, uint16_t port)
{
	size_t length = g->len + 8;
	uint8_t udp[8] = { 0xc0, 0x01, (uint8_t)(port >> 8), (uint8_t)port,
		(uint8_t)(length >> 8), (uint8_t)length };

	wrap_bytes(g, udp, sizeof(udp));
}

enum { GRE = 47, UDP = 17, IP4 = 4, IP6 = 41 };

/* What stands between the outer IP header (or UDP's) and the inner one. */
struct tunnel {
	const char *name;
	uint8_t protocol;
	uint16_t port;	/* of UDP */
	uint8_t family; /* inside */
	unsigned count; /* of headers that are taken off */
	const char *bytes;
	size_t len;
};
#define TUNNEL(name, protocol, port, family, count, literal)  \
	{                                                     \
		name, protocol, port, family, count, literal, \
		    sizeof(literal) - 1                       \
	}

static const struct tunnel tunnels[] = {
	TUNNEL("IPv4", IP4, 0, 4, 1, ""),
	TUNNEL("IPv6", IP6, 0, 6, 1, ""),
	/* flags and version, protocol type; checksum, key, sequence number */
	TUNNEL("GRE", GRE, 0, 4, 1, "\0\0" TYPE_IPV4),
	TUNNEL("GRE, IPv6", GRE, 0, 6, 1, "\0\0" TYPE_IPV6),
	TUNNEL("GRE, checksum", GRE, 0, 4, 1,
	    "\x80\0" TYPE_IPV4 "\x12\x34\0\0"),
	TUNNEL("GRE, key", GRE, 0, 4, 1, "\x20\0" TYPE_IPV4 "\0\0\0\x07"),
	TUNNEL("GRE, number", GRE, 0, 6, 1, "\x10\0" TYPE_IPV6 "\0\0\0\x01"),
	TUNNEL("GRE, everything", GRE, 0, 4, 1,
	    "\xb0\0" TYPE_IPV4 "\x12\x34\0\0"
	    "\0\0\0\x07"
	    "\0\0\0\x01"),
	TUNNEL("GRE, bridged", GRE, 0, 4, 1, "\0\0\x65\x58" ETHER(TYPE_IPV4)),
	TUNNEL("NVGRE, tagged", GRE, 0, 6, 1,
	    "\x20\0\x65\x58\0\x12\x34\x01" ETHER("\x81\0") "\0\x05" TYPE_IPV6),
	TUNNEL("GRE, MPLS", GRE, 0, 4, 1, "\0\0\x88\x47\0\0\x11\x40"),
	TUNNEL("GRE, in IPv4", GRE, 0, 4, 2,
	    "\0\0" TYPE_IPV4 "\x45\0\0\x40\0\0\0\0\x40\x04\0\0\x01\x01\x01\x01"
	    "\x02\x02\x02\x02"),
	/* PPTP: key, sequence, acknowledgement; payload length and call */
	TUNNEL("PPTP", GRE, 0, 4, 1,
	    "\x30\x01\x88\x0b\0\x30\0\x07\0\0\0\x01\xff\x03\0\x21"),
	TUNNEL("PPTP, acknowledging", GRE, 0, 4, 1,
	    "\x30\x81\x88\x0b\0\x2d\0\x07\0\0\0\x01\0\0\0\x02\x21"),
	TUNNEL("ERSPAN I", GRE, 0, 4, 1, "\0\0\x88\xbe" ETHER(TYPE_IPV4)),
	/* version and VLAN, session; index */
	TUNNEL("ERSPAN II", GRE, 0, 4, 1,
	    "\x10\0\x88\xbe\0\0\0\x01\x10\x05\0\x07\0\0\0\x03" ETHER(
		TYPE_IPV4)),
	TUNNEL("ERSPAN II, tagged", GRE, 0, 6, 1,
	    "\x10\0\x88\xbe\0\0\0\x01\x10\x05\0\x07\0\0\0\x03" ETHER(
		"\x81\0") "\0\x05" TYPE_IPV6),
	/* version and VLAN, session; timestamp; security group, the rest */
	TUNNEL("ERSPAN III", GRE, 0, 4, 1,
	    "\x10\0\x22\xeb\0\0\0\x01\x20\x05\0\x07\0\0\0\x03\0\0\0\0" ETHER(
		TYPE_IPV4)),
	TUNNEL("ERSPAN III, platform", GRE, 0, 6, 1,
	    "\x10\0\x22\xeb\0\0\0\x01\x20\x05\0\x07\0\0\0\x03\0\0\x83\xf7"
	    "platform" ETHER(TYPE_IPV6)),
	TUNNEL("ERSPAN III, IP", GRE, 0, 4, 1,
	    "\x10\0\x22\xeb\0\0\0\x01\x20\x05\0\x07\0\0\0\x03\0\0\x08\0"),
	/* flags, group policy; identifier */
	TUNNEL("VXLAN", UDP, 4789, 4, 1,
	    "\x08\0\0\0\0\0\x07\0" ETHER(TYPE_IPV4)),
	TUNNEL("VXLAN, Linux", UDP, 8472, 6, 1,
	    "\x08\0\0\0\0\0\x07\0" ETHER(TYPE_IPV6)),
	TUNNEL("VXLAN, policy", UDP, 4789, 4, 1,
	    "\x88\x08\0\x10\0\0\x07\0" ETHER(TYPE_IPV4)),
	TUNNEL("VXLAN, QinQ", UDP, 4789, 4, 1,
	    "\x08\0\0\0\0\0\x07\0" ETHER(
		"\x88\xa8") "\0\x05\x81\0\0\x06" TYPE_IPV4),
	TUNNEL("VXLAN-GPE", UDP, 4790, 4, 1, "\x0c\0\0\x01\0\0\x07\0"),
	TUNNEL("VXLAN-GPE, IPv6", UDP, 4790, 6, 1, "\x0c\0\0\x02\0\0\x07\0"),
	TUNNEL("VXLAN-GPE, Ethernet", UDP, 4790, 4, 1,
	    "\x0c\0\0\x03\0\0\x07\0" ETHER(TYPE_IPV4)),
	TUNNEL("VXLAN-GPE, bit P unset", UDP, 4790, 6, 1,
	    "\x08\0\0\0\0\0\x07\0" ETHER(TYPE_IPV6)),
	TUNNEL("VXLAN-GPE on VXLAN's port", UDP, 4789, 6, 1,
	    "\x0d\0\0\x03\0\0\x07\0" ETHER(TYPE_IPV6)),
	TUNNEL("VXLAN-GPE, MPLS", UDP, 4790, 4, 1,
	    "\x0c\0\0\x05\0\0\x07\0\0\0\x11\x40"),
	/* version and length in words, type of the data, next; path; context */
	TUNNEL("NSH, Ethernet", UDP, 4790, 4, 2,
	    "\x0c\0\0\x04\0\0\x07\0\x0f\xc2\x02\x03\0\0\x07\xff" ETHER(
		TYPE_IPV4)),
	TUNNEL("NSH with context", UDP, 4790, 4, 2,
	    "\x0c\0\0\x04\0\0\x07\0\x0f\xc6\x01\x01\0\0\x07\xff"
	    "0123456789abcdef"),
	/* version and length in words, flags, type; identifier; options */
	TUNNEL("GENEVE", UDP, 6081, 4, 1,
	    "\0\0\x65\x58\0\0\x07\0" ETHER(TYPE_IPV4)),
	TUNNEL("GENEVE, IPv4", UDP, 6081, 4, 1, "\0\0" TYPE_IPV4 "\0\0\x07\0"),
	TUNNEL("GENEVE, IPv6, options", UDP, 6081, 6, 1,
	    "\x03\x40" TYPE_IPV6 "\0\0\x07\0"
	    "\x01\x02\x80\x02"
	    "12345678"),
};
#define TUNNELS (sizeof(tunnels) / sizeof(*tunnels))

/* What the tunnel carries, without the IP header around it. */
static inline struct grown
tunnel_payload(const struct tunnel *t)
{
	struct grown g = inner(t->family);

	wrap_bytes(&g, t->bytes, t->len);
	if (t->port != 0)
		wrap_udp(&g, t->port);
	return g;
}

/* Why a frame gave nothing: each frame has one reason. */
static inline uint64_t
reasons(const struct counters *c)
{
	return c->of[COUNTER_NOT_IP] + c->of[COUNTER_NOT_TCP] +
	    c->of[COUNTER_CUT_HEADER] + c->of[COUNTER_BAD_LINK] +
	    c->of[COUNTER_BAD_IP] + c->of[COUNTER_BAD_TUNNEL] +
	    c->of[COUNTER_BAD_TCP];
}

#endif
