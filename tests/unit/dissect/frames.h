/*
 * Frames, put together from headers. A frame grows by layers:
 *
 *	struct grown g = { 0 };
 *	grow(&g, ETHER(IPV4)), grow_ipv4(&g, ...), grow(&g, SEGMENT);
 */
#ifndef TESTS_UNIT_DISSECT_FRAMES_H
#define TESTS_UNIT_DISSECT_FRAMES_H

#include <stdlib.h>

#include "dissect/packet.h"

struct grown {
	uint8_t bytes[4096];
	size_t len;
};

static inline void
grow_bytes(struct grown *g, const void *bytes, size_t len)
{
	if (g->len + len > sizeof(g->bytes))
		abort();
	memcpy(g->bytes + g->len, bytes, len);
	g->len += len;
}
#define grow(g, literal) grow_bytes(g, literal, sizeof(literal) - 1)

#define TYPE_IPV4 "\x08\x00"
#define TYPE_IPV6 "\x86\xdd"
#define MACS "\x02\0\0\0\0\x01\x02\0\0\0\0\x02"
#define ETHER(type) MACS type

/* From port 40000 to 25, sequence 1, acknowledging 2, ACK PSH, four octets. */
#define SEGMENT_HEADER \
	"\x9c\x40\0\x19\0\0\0\x01\0\0\0\x02\x50\x18\x20\0\0\0\0\0"
#define SEGMENT SEGMENT_HEADER "QUIT"
#define SEGMENT_BYTES 24

/* 192.0.2.1 to 198.51.100.25, `options` in words, `fragment` as on the wire. */
static inline void
grow_ipv4(struct grown *g, unsigned options, uint16_t fragment,
    size_t payload_bytes)
{
	size_t header = 20 + 4u * options, total = header + payload_bytes;
	uint8_t ip[60] = { (uint8_t)(0x40 | header / 4), 0,
		(uint8_t)(total >> 8), (uint8_t)total, 0x12, 0x34,
		(uint8_t)(fragment >> 8), (uint8_t)fragment, 64, 6, 0, 0, 192,
		0, 2, 1, 198, 51, 100, 25 };

	memset(ip + 20, 1, 4u * options); /* no operation */
	grow_bytes(g, ip, header);
}

/* 2001:db8::1 to 2001:db8::2; `next` is the first header behind it. */
static inline void
grow_ipv6(struct grown *g, uint8_t next, size_t payload_bytes)
{
	uint8_t ip[40] = { 0x60, 0, 0, 0, (uint8_t)(payload_bytes >> 8),
		(uint8_t)payload_bytes, next, 64, 0x20, 0x01, 0x0d, 0xb8 };

	memcpy(ip + 24, ip + 8, 4);
	ip[23] = 1;
	ip[39] = 2;
	grow_bytes(g, ip, sizeof(ip));
}

/* From exact room, so that a read past the end is seen. */
static inline enum packet_kind
decode_cut(const struct grown *g, uint32_t link_type, size_t captured,
    struct counters *counters, struct packet *out)
{
	static uint8_t *exact; /* `out` borrows from it until the next */
	struct frame frame = { .wire_bytes = (uint32_t)g->len,
		.link_type = link_type,
		.number = 7 };

	free(exact);
	exact = malloc(captured ? captured : 1);
	if (exact == NULL)
		abort();
	memcpy(exact, g->bytes, captured);
	frame.bytes = slice_of(exact, captured);
	return packet_decode(&frame, counters, out);
}

static inline enum packet_kind
decode(const struct grown *g, uint32_t link_type, struct counters *counters,
    struct packet *out)
{
	return decode_cut(g, link_type, g->len, counters, out);
}

#endif
