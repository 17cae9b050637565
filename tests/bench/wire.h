/*
 * tests/bench/wire.h - made-up frames, written as a capture.
 *
 * Ethernet, IPv4 or IPv6, TCP with time stamps as Linux sends it, UDP; all
 * sums are right. The same calls with the same seed write the same octets.
 */
#ifndef TESTS_BENCH_WIRE_H
#define TESTS_BENCH_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum side {
	CLIENT,
	SERVER,
};

struct ends {
	bool ipv6;
	uint8_t address[2][16]; /* by enum side; IPv4: the first four */
	uint16_t port[2];
};

/* Payload that fits a frame of 1514 octets, whatever the headers. */
#define WIRE_PAYLOAD_MAX 1428

enum {
	WIRE_FIN = 0x01,
	WIRE_SYN = 0x02,
	WIRE_RST = 0x04,
	WIRE_PSH = 0x08,
	WIRE_ACK = 0x10,
};

struct wire;

/* A capture in classic pcap, microseconds; NULL: it cannot be created. */
struct wire *wire_create(const char *path);
void wire_tcp(struct wire *, const struct ends *, enum side from, uint32_t seq,
    uint32_t ack, uint8_t flags, const void *payload, size_t len);
void wire_udp(struct wire *, const struct ends *, enum side from,
    const void *payload, size_t len);
/* A TCP segment as wire_tcp() would send it; its octets behind the IP header,
 * of which there are WIRE_TCP_BYTES more than `len`. */
#define WIRE_TCP_BYTES 32
size_t
wire_segment(struct wire *, uint8_t *out, const struct ends *, enum side from,
    uint32_t seq, uint32_t ack, uint8_t flags, const void *payload, size_t len);
/* A fragment of an IP datagram that carries TCP. */
struct wire_fragment {
	uint32_t id; /* IPv4: the low 16 bits */
	uint32_t offset, len;
	bool more;
};
void wire_fragment(struct wire *, const struct ends *, enum side from,
    const struct wire_fragment *, const uint8_t *bytes);
uint64_t wire_frames(const struct wire *);
uint64_t wire_bytes(const struct wire *);
/* -1, with errno: something could not be written. */
int wire_close(struct wire *);

/* splitmix64 (Steele, Lea, Flood, OOPSLA 2014): small, and the same on every
 * machine. */
static inline uint64_t
next_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* From `least` to `most`; the bias is nobody's concern here. */
static inline uint32_t
random_between(uint64_t *state, uint32_t least, uint32_t most)
{
	return least + (uint32_t)(next_random(state) % (most - least + 1));
}

#endif
