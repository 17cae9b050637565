#include "packet.h"

#include "decoding.h"

#define IPV4_HEADER_BYTES 20
#define IPV6_HEADER_BYTES 40
#define TCP_HEADER_BYTES 20

/* --- TCP ----------------------------------------------------------------- */

/* RFC 7323 3.2; options that make no sense end the walk. */
static void
decode_options(struct slice options, struct packet *out)
{
	struct cursor in = cursor_over(options);

	while (in.rest.len > 0 && !in.short_read) {
		uint8_t kind = cursor_u8(&in), length;
		struct cursor body;

		if (kind == 0)
			return;
		if (kind == 1)
			continue;
		length = cursor_u8(&in);
		if (length < 2)
			return;
		body = cursor_over(cursor_take(&in, length - 2u));
		if (kind == 8 && length == 10 && !in.short_read) {
			out->ts_value = cursor_be32(&body);
			out->ts_echo = cursor_be32(&body);
			out->has_ts = true;
		}
	}
}

/* Nearly everybody's options with a time stamp: RFC 7323 appendix A. */
static bool
only_timestamps(struct slice options)
{
	return options.len == 12 && be32_at(options.ptr) == 0x0101080a;
}

enum packet_kind
packet_decode_tcp(struct slice ip_payload, uint32_t wire_bytes,
    struct counters *counters, struct packet *out)
{
	const uint8_t *p = ip_payload.ptr;
	struct slice options, payload;
	uint32_t header;

	out->tcp = p;
	if (ip_payload.len < TCP_HEADER_BYTES) {
		count(counters,
		    wire_bytes < TCP_HEADER_BYTES ? COUNTER_BAD_TCP :
						    COUNTER_CUT_HEADER);
		return PACKET_NONE;
	}
	out->src.port = be16_at(p);
	out->dst.port = be16_at(p + 2);
	out->seq = be32_at(p + 4);
	out->ack = be32_at(p + 8);
	header = (p[12] >> 4) * 4u;
	out->flags = p[13];
	out->window = be16_at(p + 14);
	if (header < TCP_HEADER_BYTES || wire_bytes < header) {
		count(counters, COUNTER_BAD_TCP);
		return PACKET_NONE;
	}
	/* A snaplen of 54 cuts them; that there was a session still shows. */
	out->header_cut = ip_payload.len < header;
	options = slice_first(slice_after(ip_payload, TCP_HEADER_BYTES),
	    header - TCP_HEADER_BYTES);
	payload = slice_after(ip_payload, header);
	out->has_ts = only_timestamps(options);
	if (out->has_ts) {
		out->ts_value = be32_at(p + TCP_HEADER_BYTES + 4);
		out->ts_echo = be32_at(p + TCP_HEADER_BYTES + 8);
	} else if (options.len > 0) {
		decode_options(options, out);
	}
	out->tcp_header_bytes = header;
	out->payload = payload.ptr;
	out->payload_bytes = (uint32_t)payload.len;
	out->payload_wire_bytes = wire_bytes - header;
	count(counters, COUNTER_SEGMENTS);
	if (out->header_cut || out->payload_bytes < out->payload_wire_bytes)
		count(counters, COUNTER_SNAPPED);
	out->kind = PACKET_TCP;
	return PACKET_TCP;
}

/* --- IP ------------------------------------------------------------------ */

/* Of those that may begin what IPv6 cuts in fragments, RFC 8200 4.5. */
static bool
is_extension(uint8_t protocol)
{
	return protocol == IP_ROUTING || protocol == IP_AH ||
	    protocol == IP_DESTINATION;
}

static enum packet_kind
decode_fragment(struct decoding *d, uint32_t id, uint32_t offset, bool more,
    uint8_t protocol)
{
	struct packet *out = d->out;

	count(d->counters, COUNTER_FRAGMENTS);
	out->fragment_id = id;
	out->fragment_offset = offset;
	out->more_fragments = more;
	out->protocol = protocol;
	out->payload = d->in.rest.ptr;
	out->payload_bytes = (uint32_t)d->in.rest.len;
	out->payload_wire_bytes = d->wire_bytes;
	if (protocol == IP_TCP)
		out->kind = PACKET_FRAGMENT;
	else if (tunnel_in_fragment(d, protocol, offset) ||
	    (out->src.address.family == 6 && is_extension(protocol)))
		out->kind = PACKET_OUTER_FRAGMENT;
	else
		return give_up(d, COUNTER_NOT_TCP);
	return out->kind;
}

static enum packet_kind
decode_ipv4(struct decoding *d)
{
	const uint8_t *p = d->in.rest.ptr;
	struct packet *out = d->out;
	uint32_t header, total, offset;

	d->in.short_read = d->in.rest.len < IPV4_HEADER_BYTES;
	if (d->in.short_read)
		return give_up(d, COUNTER_CUT_HEADER);
	out->ip = p;
	header = (p[0] & 15u) * 4;
	total = be16_at(p + 2);
	out->ip_id = be16_at(p + 4);
	offset = be16_at(p + 6);
	out->ttl = p[8];
	out->src.address = out->dst.address = (struct address){ .family = 4 };
	memcpy(out->src.address.octets, p + 12, 4);
	memcpy(out->dst.address.octets, p + 16, 4);
	/* Segmentation offload leaves the total length 0. */
	if (total == 0)
		total = d->wire_bytes;
	if (p[0] >> 4 != 4 || header < IPV4_HEADER_BYTES || total < header ||
	    total > d->wire_bytes)
		return give_up(d, COUNTER_BAD_IP);
	skip(d, header);
	if (d->in.short_read)
		return give_up(d, COUNTER_CUT_HEADER);
	clip(d, total - header);
	if (offset & 0x3fff)
		return decode_fragment(d, out->ip_id, (offset & 0x1fff) * 8,
		    offset & 0x2000, p[9]);
	if (p[9] != IP_TCP)
		return tunnel_decode(d, p[9]);
	return packet_decode_tcp(d->in.rest, d->wire_bytes, d->counters, out);
}

/* RFC 8200 4: the chain of extension headers. */
static enum packet_kind
decode_extensions(struct decoding *d, uint8_t next)
{
	for (int depth = 0; depth < NESTING_MAX; depth++) {
		struct cursor c = d->in;
		uint8_t following = cursor_u8(&c), length = cursor_u8(&c);

		switch (next) {
		case IP_TCP:
			return packet_decode_tcp(d->in.rest, d->wire_bytes,
			    d->counters, d->out);
		case IP_HOP_BY_HOP:
		case IP_ROUTING:
		case IP_DESTINATION:
			skip(d, (length + 1u) * 8);
			break;
		case IP_AH:
			skip(d, (length + 2u) * 4);
			break;
		case IP_FRAGMENT: {
			uint32_t offset = cursor_be16(&c);
			uint32_t id = cursor_be32(&c);

			skip(d, 8);
			/* An atomic fragment is whole (RFC 6946). */
			if (!d->in.short_read && (offset & 0xfff9) != 0)
				return decode_fragment(d, id, offset & 0xfff8,
				    offset & 1, following);
			break;
		}
		default:
			return tunnel_decode(d, next);
		}
		if (d->in.short_read)
			return give_up(d, COUNTER_CUT_HEADER);
		next = following;
	}
	return give_up(d, COUNTER_BAD_IP);
}

static enum packet_kind
decode_ipv6(struct decoding *d)
{
	const uint8_t *p = d->in.rest.ptr;
	struct packet *out = d->out;
	uint32_t length;

	d->in.short_read = d->in.rest.len < IPV6_HEADER_BYTES;
	if (d->in.short_read)
		return give_up(d, COUNTER_CUT_HEADER);
	length = be16_at(p + 4);
	out->ttl = p[7];
	out->ip = NULL;
	out->ip_id = 0;
	out->src.address.family = out->dst.address.family = 6;
	memcpy(out->src.address.octets, p + 8, 16);
	memcpy(out->dst.address.octets, p + 24, 16);
	/* Segmentation offload; not what RFC 8200 4.3 and 4.7 know. */
	if (length == 0 && p[6] != IP_HOP_BY_HOP && p[6] != IP_NO_NEXT)
		length = d->wire_bytes - IPV6_HEADER_BYTES;
	if (p[0] >> 4 != 6 || length > d->wire_bytes - IPV6_HEADER_BYTES)
		return give_up(d, COUNTER_BAD_IP);
	skip(d, IPV6_HEADER_BYTES);
	clip(d, length);
	if (p[6] == IP_TCP)
		return packet_decode_tcp(d->in.rest, d->wire_bytes, d->counters,
		    out);
	return decode_extensions(d, p[6]);
}

enum packet_kind
ip_decode(struct decoding *d)
{
	uint8_t version = d->in.rest.len > 0 ? d->in.rest.ptr[0] >> 4 : 0;

	if (d->in.rest.len == 0)
		return give_up(d, COUNTER_CUT_HEADER);
	if (version == 4)
		return decode_ipv4(d);
	return version == 6 ? decode_ipv6(d) : give_up(d, COUNTER_BAD_IP);
}

enum packet_kind
packet_decode(const struct frame *frame, struct counters *counters,
    struct packet *out)
{
	struct decoding d = { cursor_over(frame->bytes), frame->wire_bytes, 0,
		counters, out };

	out->kind = PACKET_NONE;
	out->has_flow_hash = false;
	out->number = frame->number;
	out->run_number = frame->run_number;
	out->capture_ts_ns = frame->capture_ts_ns;
	out->clock_ns = 0;
	out->capture = frame->capture;
	out->link_type = frame->link_type;
	count(counters, COUNTER_PACKETS);
	counters->of[COUNTER_BYTES] += frame->wire_bytes;
	return link_decode(&d, frame->link_type);
}

enum packet_kind
packet_decode_datagram(struct slice datagram, struct counters *counters,
    struct packet *out)
{
	struct decoding d = { cursor_over(datagram), (uint32_t)datagram.len, 0,
		counters, out };

	out->kind = PACKET_NONE;
	if (out->src.address.family == 6)
		return decode_extensions(&d, out->protocol);
	if (out->protocol != IP_TCP)
		return tunnel_decode(&d, out->protocol);
	return packet_decode_tcp(d.in.rest, d.wire_bytes, counters, out);
}

/* --- sums and shards ----------------------------------------------------- */

/*
 * In words of 64 bits and the machine's own byte order: folded, that comes to
 * the same sum, or to its octets swapped (RFC 1071 2). 2^64 is 1 modulo
 * 2^16 - 1: a carry comes in again.
 */
static inline uint64_t
add_word(uint64_t sum, uint64_t word)
{
	sum += word;
	return sum + (sum < word);
}

/* Piece by piece: what was written in octets is slow to read as a word. */
static inline uint64_t
add_rest(uint64_t sum, const uint8_t *bytes, size_t len)
{
	uint32_t four;
	uint16_t two;

	if (len & 4) {
		memcpy(&four, bytes, 4);
		sum = add_word(sum, four);
		bytes += 4;
	}
	if (len & 2) {
		memcpy(&two, bytes, 2);
		sum = add_word(sum, two);
		bytes += 2;
	}
	if (len & 1) {
		memcpy(&two, (const uint8_t[2]){ bytes[0], 0 }, 2);
		sum = add_word(sum, two);
	}
	return sum;
}

static inline uint64_t
sum_words(uint64_t sum, const uint8_t *bytes, size_t len)
{
	uint64_t eight;

	for (; len >= 8; len -= 8, bytes += 8) {
		memcpy(&eight, bytes, 8);
		sum = add_word(sum, eight);
	}
	return add_rest(sum, bytes, len);
}

enum sum
packet_sum(const struct packet *p)
{
	size_t octets = p->src.address.family == 6 ? 16 : 4;
	size_t len = p->tcp_header_bytes + p->payload_bytes;
	/* Length and protocol of the pseudo header, RFC 8200 8.1. */
	const uint8_t rest[8] = { (uint8_t)(len >> 24), (uint8_t)(len >> 16),
		(uint8_t)(len >> 8), (uint8_t)len, 0, 0, 0, IP_TCP };
	uint64_t sum;

	if (p->header_cut || p->payload_bytes < p->payload_wire_bytes)
		return SUM_UNKNOWN;
	sum = sum_words(0, rest, sizeof(rest));
	sum = sum_words(sum, p->src.address.octets, octets);
	sum = sum_words(sum, p->dst.address.octets, octets);
	sum = sum_words(sum, p->tcp, len);
	sum = (sum & UINT32_MAX) + (sum >> 32);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	/* 0x0000 and 0xffff in the field alike. */
	return sum == 0xffff ? SUM_RIGHT : SUM_WRONG;
}

static inline uint64_t
word_at(const uint8_t *octets)
{
	uint64_t word;

	memcpy(&word, octets, sizeof(word));
	return word;
}

/* Odd constants of Marsaglia's and of SplitMix64, for spreading bits. */
static uint64_t
spread(const struct address *a, uint64_t key0, uint64_t key1)
{
	uint64_t x = (word_at(a->octets) ^ key0) * UINT64_C(0x9e3779b97f4a7c15);

	x += (word_at(a->octets + 8) ^ key1) * UINT64_C(0xd1342543de82ef95);
	x ^= x >> 32;
	x *= UINT64_C(0xbf58476d1ce4e5b9);
	return x ^ x >> 29;
}

/*
 * Only spreads the load. Who wants all of his flows in one shard needs no
 * collisions, for the flows of one address pair are in one anyway; within it
 * the flow table's SipHash defends.
 */
uint8_t
packet_shard(const struct packet *p, const uint8_t key[16])
{
	uint64_t key0 = word_at(key), key1 = word_at(key + 8);
	uint64_t sum = spread(&p->src.address, key0, key1) +
	    spread(&p->dst.address, key0, key1);

	return (uint8_t)((sum * UINT64_C(0x94d049bb133111eb)) >> 32) %
	    SHARD_COUNT;
}
