#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_BYTES (1024 * 1024)
#define RECORD_BYTES 16
#define ETHERNET_BYTES 14
#define FRAGMENT_BYTES 8 /* of the header that IPv6 has for it */
#define UDP_BYTES 8
#define FRAME_MAX (RECORD_BYTES + 1600)
#define START_S 1772323200 /* 2026-03-01T00:00:00Z */
#define FRAME_US 5	   /* from one frame to the next */

struct wire {
	FILE *file;
	uint64_t frames, bytes;
	size_t used;
	uint8_t buffer[BUFFER_BYTES];
};

static uint8_t *
put_be16(uint8_t *p, uint32_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
	return p + 2;
}

static uint8_t *
put_be32(uint8_t *p, uint32_t value)
{
	return put_be16(put_be16(p, value >> 16), value);
}

static uint8_t *
put_le32(uint8_t *p, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		*p++ = (uint8_t)(value >> (8 * i));
	return p;
}

struct wire *
wire_create(const char *path)
{
	struct wire *w = malloc(sizeof(*w));
	uint8_t *p;

	if (w == NULL)
		return NULL;
	w->file = fopen(path, "wb");
	if (w->file == NULL) {
		free(w);
		return NULL;
	}
	setvbuf(w->file, NULL, _IONBF, 0);
	w->frames = 0;
	p = put_le32(w->buffer, 0xa1b2c3d4);
	p = put_le32(p, 2 | 4 << 16); /* version 2.4 */
	p = put_le32(put_le32(p, 0), 0);
	p = put_le32(put_le32(p, 262144), 1); /* snaplen, Ethernet */
	w->used = w->bytes = (size_t)(p - w->buffer);
	return w;
}

uint64_t
wire_frames(const struct wire *w)
{
	return w->frames;
}

uint64_t
wire_bytes(const struct wire *w)
{
	return w->bytes;
}

int
wire_close(struct wire *w)
{
	bool bad = fwrite(w->buffer, 1, w->used, w->file) != w->used;

	bad |= ferror(w->file) != 0;
	bad |= fclose(w->file) != 0;
	free(w);
	return bad ? -1 : 0;
}

/* RFC 1071: the sum does not depend on the byte order it is taken in. */
static uint64_t
sum_of(const uint8_t *p, size_t len)
{
	uint64_t sum = 0;

	for (; len >= 4; len -= 4, p += 4) {
		uint32_t word;

		memcpy(&word, p, 4);
		sum += word;
	}
	if (len > 0) {
		uint32_t word = 0;

		memcpy(&word, p, len);
		sum += word;
	}
	return sum;
}

static void
put_sum(uint8_t *at, uint64_t sum)
{
	uint16_t word;

	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	word = (uint16_t)~sum;
	memcpy(at, &word, 2);
}

static size_t
ip_bytes(const struct ends *ends)
{
	return ends->ipv6 ? 40 : 20;
}

/* The record header and the link; `len` octets follow it. */
static uint8_t *
begin_frame(struct wire *w, const struct ends *ends, enum side from, size_t len)
{
	uint32_t frame = (uint32_t)(ETHERNET_BYTES + len);
	uint64_t us = w->frames++ * FRAME_US;
	uint8_t *p;

	if (w->used + FRAME_MAX > BUFFER_BYTES) {
		fwrite(w->buffer, 1, w->used, w->file);
		w->used = 0;
	}
	p = w->buffer + w->used;
	w->used += RECORD_BYTES + frame;
	w->bytes += RECORD_BYTES + frame;
	p = put_le32(p, (uint32_t)(START_S + us / 1000000));
	p = put_le32(p, (uint32_t)(us % 1000000));
	p = put_le32(put_le32(p, frame), frame);
	memcpy(p,
	    from == CLIENT ? "\2\0\0\0\0\2\2\0\0\0\0\1" :
			     "\2\0\0\0\0\1\2\0\0\0\0\2",
	    12);
	return put_be16(p + 12, ends->ipv6 ? 0x86dd : 0x0800);
}

/* The IP header; `len` is what follows, `fragment` may be NULL. */
static uint8_t *
put_ip(uint8_t *header, const struct ends *ends, enum side from,
    uint8_t protocol, const struct wire_fragment *fragment, size_t len)
{
	size_t octets = ends->ipv6 ? 16 : 4;
	uint8_t *p = header;

	if (ends->ipv6) {
		p = put_be32(p, 6u << 28);
		p = put_be16(p, (uint32_t)len);
		*p++ = protocol;
		*p++ = 63;
	} else {
		p = put_be16(p, 0x4500);
		p = put_be16(p, (uint32_t)(ip_bytes(ends) + len));
		p = fragment == NULL ?
		    put_be32(p, 0x4000) /* do not fragment */ :
		    put_be16(put_be16(p, fragment->id),
			(fragment->more ? 0x2000u : 0) | fragment->offset / 8);
		*p++ = 63;
		*p++ = protocol;
		p = put_be16(p, 0);
	}
	memcpy(p, ends->address[from], octets);
	memcpy(p + octets, ends->address[1 - from], octets);
	if (!ends->ipv6)
		put_sum(header + 10, sum_of(header, ip_bytes(ends)));
	return header + ip_bytes(ends);
}

static uint8_t *
begin_packet(struct wire *w, const struct ends *ends, enum side from,
    uint8_t protocol, size_t len)
{
	uint8_t *header = begin_frame(w, ends, from, ip_bytes(ends) + len);

	return put_ip(header, ends, from, protocol, NULL, len);
}

/* Over the addresses, the protocol, the length and `len` octets. */
static void
put_transport_sum(uint8_t *at, const uint8_t *header, size_t len,
    const struct ends *ends, uint8_t protocol)
{
	size_t octets = ends->ipv6 ? 16 : 4;
	uint8_t pseudo[4] = { 0, protocol };

	put_be16(pseudo + 2, (uint32_t)len);
	put_sum(at,
	    sum_of(ends->address[CLIENT], octets) +
		sum_of(ends->address[SERVER], octets) + sum_of(pseudo, 4) +
		sum_of(header, len));
}

/* `frame` is the number of the frame that it goes into. */
static void
put_tcp(uint8_t *header, uint64_t frame, const struct ends *ends,
    enum side from, uint32_t seq, uint32_t ack, uint8_t flags,
    const void *payload, size_t len)
{
	uint8_t *p = put_be16(header, ends->port[from]);
	uint32_t clock = (uint32_t)(frame * FRAME_US / 1000);

	p = put_be16(p, ends->port[1 - from]);
	p = put_be32(put_be32(p, seq), flags & WIRE_ACK ? ack : 0);
	*p++ = WIRE_TCP_BYTES / 4 << 4;
	*p++ = flags;
	p = put_be32(put_be16(p, 501), 0); /* window, no sum yet */
	p = put_be32(p, 0x0101080a);	   /* RFC 7323 appendix A */
	p = put_be32(put_be32(p, clock), clock);
	if (len > 0)
		memcpy(p, payload, len);
	put_transport_sum(header + 16, header, WIRE_TCP_BYTES + len, ends, 6);
}

void
wire_tcp(struct wire *w, const struct ends *ends, enum side from, uint32_t seq,
    uint32_t ack, uint8_t flags, const void *payload, size_t len)
{
	uint8_t *header = begin_packet(w, ends, from, 6, WIRE_TCP_BYTES + len);

	put_tcp(header, w->frames, ends, from, seq, ack, flags, payload, len);
}

size_t
wire_segment(struct wire *w, uint8_t *out, const struct ends *ends,
    enum side from, uint32_t seq, uint32_t ack, uint8_t flags,
    const void *payload, size_t len)
{
	put_tcp(out, w->frames + 1, ends, from, seq, ack, flags, payload, len);
	return WIRE_TCP_BYTES + len;
}

void
wire_fragment(struct wire *w, const struct ends *ends, enum side from,
    const struct wire_fragment *f, const uint8_t *bytes)
{
	size_t extra = ends->ipv6 ? FRAGMENT_BYTES : 0;
	uint8_t *p =
	    begin_frame(w, ends, from, ip_bytes(ends) + extra + f->len);

	p = put_ip(p, ends, from, ends->ipv6 ? 44 : 6, f, extra + f->len);
	if (ends->ipv6) {
		p = put_be16(p, 6 << 8);
		p = put_be16(p, f->offset | f->more);
		p = put_be32(p, f->id);
	}
	memcpy(p, bytes + f->offset, f->len);
}

void
wire_udp(struct wire *w, const struct ends *ends, enum side from,
    const void *payload, size_t len)
{
	uint8_t *header = begin_packet(w, ends, from, 17, UDP_BYTES + len);
	uint8_t *p = put_be16(header, ends->port[from]);

	p = put_be16(p, ends->port[1 - from]);
	p = put_be32(p, (uint32_t)(UDP_BYTES + len) << 16);
	memcpy(p, payload, len);
	put_transport_sum(header + 6, header, UDP_BYTES + len, ends, 17);
}
