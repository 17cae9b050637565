#include "packet.h"

/* Link types: https://www.tcpdump.org/linktypes.html */
enum {
	LINK_NULL = 0,
	LINK_ETHERNET = 1,
	LINK_PPP = 9,
	LINK_RAW_OLD = 12, /* DLT_RAW as most systems number it */
	LINK_RAW_OPENBSD = 14,
	LINK_PPP_HDLC = 50,
	LINK_RAW = 101,
	LINK_C_HDLC = 104,
	LINK_LOOP = 108,
	LINK_SLL = 113,
	LINK_IPV4 = 228,
	LINK_IPV6 = 229,
	LINK_SLL2 = 276,
};

enum {
	ETHER_IPV4 = 0x0800,
	ETHER_IPV6 = 0x86dd,
	ETHER_VLAN = 0x8100,
	ETHER_QINQ = 0x88a8,
	ETHER_QINQ_OLD = 0x9100,
	ETHER_MPLS = 0x8847,
	ETHER_MPLS_MULTICAST = 0x8848,
	ETHER_PPPOE = 0x8864,
	PPP_IPV4 = 0x0021,
	PPP_IPV6 = 0x0057,
	PPP_MPLS = 0x0281,
};

enum {
	IP_HOP_BY_HOP = 0,
	IP_TCP = 6,
	IP_ROUTING = 43,
	IP_FRAGMENT = 44,
	IP_AH = 51,
	IP_NO_NEXT = 59,
	IP_DESTINATION = 60,
};

/* Tags, labels or extension headers in a row: more is an attack. */
#define NESTING_MAX 16

/* What is being decoded: where, and how much of it was on the wire. */
struct decoding {
	struct cursor in;
	uint32_t wire_bytes; /* from the cursor's place to the end */
	struct counters *counters;
	struct packet *out;
};

static enum packet_kind
give_up(struct decoding *d, enum counter why)
{
	count(d->counters, d->in.short_read ? COUNTER_CUT_HEADER : why);
	return PACKET_NONE;
}

/* Moves past `octets` of header. */
static struct slice
skip(struct decoding *d, size_t octets)
{
	struct slice taken = cursor_take(&d->in, octets);

	d->wire_bytes -= d->wire_bytes < octets ? d->wire_bytes :
						  (uint32_t)octets;
	return taken;
}

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

enum packet_kind
packet_decode_tcp(struct slice ip_payload, uint32_t wire_bytes,
    struct counters *counters, struct packet *out)
{
	struct cursor in = cursor_over(ip_payload);
	struct slice options;
	uint32_t header;

	out->tcp = ip_payload.ptr;
	out->src.port = cursor_be16(&in);
	out->dst.port = cursor_be16(&in);
	out->seq = cursor_be32(&in);
	out->ack = cursor_be32(&in);
	header = (cursor_u8(&in) >> 4) * 4u;
	out->flags = cursor_u8(&in);
	out->window = cursor_be16(&in);
	cursor_take(&in, 4);
	if (in.short_read) {
		count(counters,
		    wire_bytes < 20 ? COUNTER_BAD_TCP : COUNTER_CUT_HEADER);
		return PACKET_NONE;
	}
	if (header < 20 || wire_bytes < header) {
		count(counters, COUNTER_BAD_TCP);
		return PACKET_NONE;
	}
	/* A snaplen of 54 cuts them; that there was a session still shows. */
	out->header_cut = in.rest.len < header - 20;
	options = cursor_take(&in, out->header_cut ? in.rest.len : header - 20);
	out->has_ts = false;
	decode_options(options, out);
	out->tcp_header_bytes = header;
	out->payload = in.rest.ptr;
	out->payload_bytes = (uint32_t)in.rest.len;
	out->payload_wire_bytes = wire_bytes - header;
	count(counters, COUNTER_SEGMENTS);
	if (out->header_cut || out->payload_bytes < out->payload_wire_bytes)
		count(counters, COUNTER_SNAPPED);
	out->kind = PACKET_TCP;
	return PACKET_TCP;
}

/* --- IP ------------------------------------------------------------------ */

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
	if (protocol != IP_TCP)
		return give_up(d, COUNTER_NOT_TCP);
	out->kind = PACKET_FRAGMENT;
	return PACKET_FRAGMENT;
}

/* What follows the IP header: no more than it says, and no padding. */
static void
clip(struct decoding *d, uint32_t wire_bytes)
{
	d->wire_bytes = wire_bytes;
	d->in.rest = slice_first(d->in.rest, wire_bytes);
}

static enum packet_kind
decode_ipv4(struct decoding *d)
{
	struct cursor c = d->in;
	struct packet *out = d->out;
	uint32_t header, total, offset;
	uint8_t first = cursor_u8(&c), protocol;
	struct slice src, dst;

	cursor_u8(&c);
	total = cursor_be16(&c);
	out->ip_id = cursor_be16(&c);
	offset = cursor_be16(&c);
	out->ttl = cursor_u8(&c);
	protocol = cursor_u8(&c);
	cursor_be16(&c);
	header = (first & 15u) * 4;
	out->src.address.family = out->dst.address.family = 4;
	memset(out->src.address.octets, 0, 16);
	memset(out->dst.address.octets, 0, 16);
	src = cursor_take(&c, 4);
	dst = cursor_take(&c, 4);
	memcpy(out->src.address.octets, src.ptr, src.len);
	memcpy(out->dst.address.octets, dst.ptr, dst.len);
	d->in.short_read = c.short_read;
	/* Segmentation offload leaves the total length 0. */
	if (total == 0)
		total = d->wire_bytes;
	if (c.short_read || first >> 4 != 4 || header < 20 || total < header ||
	    total > d->wire_bytes)
		return give_up(d, COUNTER_BAD_IP);
	skip(d, header);
	if (d->in.short_read)
		return give_up(d, COUNTER_CUT_HEADER);
	clip(d, total - header);
	if (offset & 0x3fff)
		return decode_fragment(d, out->ip_id, (offset & 0x1fff) * 8,
		    offset & 0x2000, protocol);
	if (protocol != IP_TCP)
		return give_up(d, COUNTER_NOT_TCP);
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
			return give_up(d, COUNTER_NOT_TCP);
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
	struct cursor c = d->in;
	struct packet *out = d->out;
	uint32_t first = cursor_be32(&c), length = cursor_be16(&c);
	uint8_t next = cursor_u8(&c);
	struct slice src, dst;

	out->ttl = cursor_u8(&c);
	out->ip_id = 0;
	out->src.address.family = out->dst.address.family = 6;
	src = cursor_take(&c, 16);
	dst = cursor_take(&c, 16);
	memcpy(out->src.address.octets, src.ptr, src.len);
	memcpy(out->dst.address.octets, dst.ptr, dst.len);
	d->in.short_read = c.short_read;
	if (!c.short_read && length == 0 && next == IP_TCP)
		length = d->wire_bytes - 40; /* segmentation offload */
	if (c.short_read || first >> 28 != 6 || length > d->wire_bytes - 40)
		return give_up(d, COUNTER_BAD_IP);
	skip(d, 40);
	clip(d, length);
	return decode_extensions(d, next);
}

static enum packet_kind
decode_ip(struct decoding *d)
{
	uint8_t version = d->in.rest.len > 0 ? d->in.rest.ptr[0] >> 4 : 0;

	if (d->in.rest.len == 0)
		return give_up(d, COUNTER_CUT_HEADER);
	if (version == 4)
		return decode_ipv4(d);
	return version == 6 ? decode_ipv6(d) : give_up(d, COUNTER_BAD_IP);
}

/* --- links --------------------------------------------------------------- */

static enum packet_kind
decode_mpls(struct decoding *d)
{
	for (int depth = 0; depth < NESTING_MAX; depth++) {
		struct slice label = skip(d, 4);

		if (d->in.short_read)
			return give_up(d, COUNTER_CUT_HEADER);
		if (label.ptr[2] & 1) /* bottom of stack, RFC 3032 2.1 */
			return decode_ip(d);
	}
	return give_up(d, COUNTER_BAD_LINK);
}

static enum packet_kind
decode_ppp_protocol(struct decoding *d)
{
	uint32_t protocol = 0;
	struct slice taken = skip(d, 1);

	if (!d->in.short_read) {
		protocol = taken.ptr[0];
		/* RFC 1661 2: an odd first octet is a compressed field. */
		if (!(protocol & 1)) {
			taken = skip(d, 1);
			if (!d->in.short_read)
				protocol = protocol << 8 | taken.ptr[0];
		}
	}
	if (d->in.short_read)
		return give_up(d, COUNTER_CUT_HEADER);
	if (protocol == PPP_IPV4 || protocol == PPP_IPV6)
		return decode_ip(d);
	if (protocol == PPP_MPLS)
		return decode_mpls(d);
	return give_up(d, COUNTER_NOT_IP);
}

static enum packet_kind
decode_ether_type(struct decoding *d, uint16_t type)
{
	for (int depth = 0; depth < NESTING_MAX; depth++) {
		struct cursor c;

		switch (type) {
		case ETHER_IPV4:
		case ETHER_IPV6:
			return decode_ip(d);
		case ETHER_MPLS:
		case ETHER_MPLS_MULTICAST:
			return decode_mpls(d);
		case ETHER_PPPOE:
			skip(d, 6);
			return decode_ppp_protocol(d);
		case ETHER_VLAN:
		case ETHER_QINQ:
		case ETHER_QINQ_OLD:
			skip(d, 2);
			c = d->in;
			type = cursor_be16(&c);
			skip(d, 2);
			break;
		default:
			return give_up(d, COUNTER_NOT_IP);
		}
		if (d->in.short_read)
			return give_up(d, COUNTER_CUT_HEADER);
	}
	return give_up(d, COUNTER_BAD_LINK);
}

/* The EtherType at `at`, in a header of `header` octets. */
static enum packet_kind
decode_typed(struct decoding *d, size_t at, size_t header)
{
	struct slice taken = skip(d, header);

	if (d->in.short_read)
		return give_up(d, COUNTER_CUT_HEADER);
	return decode_ether_type(d,
	    (uint16_t)(taken.ptr[at] << 8 | taken.ptr[at + 1]));
}

static enum packet_kind
decode_ethernet(struct decoding *d)
{
	return decode_typed(d, 12, 14);
}

static enum packet_kind
decode_sll(struct decoding *d)
{
	return decode_typed(d, 14, 16);
}

static enum packet_kind
decode_sll2(struct decoding *d)
{
	return decode_typed(d, 0, 20);
}

static enum packet_kind
decode_c_hdlc(struct decoding *d)
{
	return decode_typed(d, 2, 4);
}

/* The family in its writer's byte order; IP says itself which one it is. */
static enum packet_kind
decode_null(struct decoding *d)
{
	struct slice family = skip(d, 4);
	uint32_t value;

	if (d->in.short_read)
		return give_up(d, COUNTER_CUT_HEADER);
	value = family.ptr[0] | family.ptr[1] | family.ptr[2] | family.ptr[3];
	/* AF_INET is 2 everywhere, AF_INET6 10, 24, 26, 28 or 30. */
	if (value != 2 && value != 10 && value != 24 && value != 26 &&
	    value != 28 && value != 30)
		return give_up(d, COUNTER_NOT_IP);
	return decode_ip(d);
}

static enum packet_kind
decode_ppp(struct decoding *d)
{
	if (d->in.rest.len > 0 && d->in.rest.ptr[0] == 0xff)
		skip(d, 2); /* address and control, RFC 1662 3.1 */
	return decode_ppp_protocol(d);
}

static const struct {
	uint32_t link_type;
	enum packet_kind (*decode)(struct decoding *);
} links[] = {
	{ LINK_ETHERNET, decode_ethernet },
	{ LINK_SLL, decode_sll },
	{ LINK_SLL2, decode_sll2 },
	{ LINK_RAW, decode_ip },
	{ LINK_RAW_OLD, decode_ip },
	{ LINK_RAW_OPENBSD, decode_ip },
	{ LINK_IPV4, decode_ip },
	{ LINK_IPV6, decode_ip },
	{ LINK_NULL, decode_null },
	{ LINK_LOOP, decode_null },
	{ LINK_PPP, decode_ppp },
	{ LINK_PPP_HDLC, decode_ppp },
	{ LINK_C_HDLC, decode_c_hdlc },
};

enum packet_kind
packet_decode(const struct frame *frame, struct counters *counters,
    struct packet *out)
{
	struct decoding d = { cursor_over(frame->bytes), frame->wire_bytes,
		counters, out };

	out->kind = PACKET_NONE;
	out->has_flow_hash = false;
	out->number = frame->number;
	out->run_number = frame->run_number;
	out->capture_ts_ns = frame->capture_ts_ns;
	out->capture = frame->capture;
	out->link_type = frame->link_type;
	count(counters, COUNTER_PACKETS);
	counters->of[COUNTER_BYTES] += frame->wire_bytes;
	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++)
		if (links[i].link_type == frame->link_type)
			return links[i].decode(&d);
	return give_up(&d, COUNTER_UNKNOWN_LINK);
}

bool
packet_link_known(uint32_t link_type)
{
	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++)
		if (links[i].link_type == link_type)
			return true;
	return false;
}

/* --- sums and shards ----------------------------------------------------- */

/*
 * In words of 32 bits and the machine's own byte order: folded, that comes to
 * the same sum, or to its octets swapped (RFC 1071 2).
 */
static uint64_t
sum_words(uint64_t sum, const uint8_t *bytes, size_t len)
{
	uint64_t two = 0;

	for (; len >= 8; len -= 8, bytes += 8) {
		memcpy(&two, bytes, 8);
		sum += (two & UINT32_MAX) + (two >> 32);
	}
	two = 0;
	memcpy(&two, bytes, len);
	return sum + (two & UINT32_MAX) + (two >> 32);
}

bool
packet_checksum_ok(const struct packet *p)
{
	size_t octets = p->src.address.family == 6 ? 16 : 4;
	size_t len = p->tcp_header_bytes + p->payload_bytes;
	/* Length and protocol of the pseudo header, RFC 8200 8.1. */
	const uint8_t rest[8] = { (uint8_t)(len >> 24), (uint8_t)(len >> 16),
		(uint8_t)(len >> 8), (uint8_t)len, 0, 0, 0, IP_TCP };
	uint64_t sum;

	if (p->header_cut || p->payload_bytes < p->payload_wire_bytes)
		return false;
	sum = sum_words(0, rest, sizeof(rest));
	sum = sum_words(sum, p->src.address.octets, octets);
	sum = sum_words(sum, p->dst.address.octets, octets);
	sum = sum_words(sum, p->tcp, len);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff; /* 0x0000 and 0xffff in the field alike */
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
