#include "decoding.h"

/*
 * RFC 2473 6.6 lets four tunnels be in each other unless somebody configured
 * more; a mirror may put as many of its own around them. Each costs stack, and
 * an attacker can write them by the hundred.
 */
#define ENCAPSULATIONS_MAX 8

/* RFC 2784 2.1, 2890 2; the version's other half in RFC 2637 4.1. */
enum {
	GRE_CHECKSUM = 0x8000,
	GRE_ROUTING = 0x4000,
	GRE_KEY = 0x2000,
	GRE_SEQUENCE = 0x1000,
	GRE_ACKNOWLEDGED = 0x0080, /* version 1 */
	GRE_VERSION = 0x0007,
};

/* Protocol types beside the EtherTypes that link.c has. */
enum {
	TYPE_BRIDGED = 0x6558, /* transparent Ethernet, RFC 1701 */
	TYPE_PPP = 0x880b,
	TYPE_ERSPAN = 0x88be, /* types I and II */
	TYPE_ERSPAN_III = 0x22eb,
};

/* `Next Protocol' of NSH (RFC 8300 2.2), and VXLAN-GPE's, which are as many. */
enum {
	NEXT_IPV4 = 1,
	NEXT_IPV6 = 2,
	NEXT_ETHERNET = 3,
	NEXT_NSH = 4,
	NEXT_MPLS = 5,
};

static enum packet_kind
give_up_as(struct decoding *d, enum counter why)
{
	count(d->counters, why);
	return PACKET_NONE;
}

/* The header, to read from; false, and counted, when it is not all there: by
 * the capture's fault, or never was, and then it is `why`. */
static bool
take(struct decoding *d, uint32_t octets, enum counter why,
    struct cursor *header)
{
	bool never = d->wire_bytes < octets;

	*header = cursor_over(skip(d, octets));
	if (!d->in.short_read)
		return true;
	give_up_as(d, never ? why : COUNTER_CUT_HEADER);
	return false;
}

/* One more layer is off. False: too many, and counted. */
static bool
enter(struct decoding *d)
{
	count(d->counters, COUNTER_TUNNELS);
	if (++d->encapsulations <= ENCAPSULATIONS_MAX)
		return true;
	give_up_as(d, COUNTER_BAD_TUNNEL);
	return false;
}

static enum packet_kind
decode_inside(struct decoding *d, uint16_t type)
{
	return type == TYPE_BRIDGED ? link_decode_ethernet(d) :
				      link_decode_ether_type(d, type);
}

static enum packet_kind
decode_next(struct decoding *d, uint8_t next)
{
	switch (next) {
	case NEXT_IPV4:
	case NEXT_IPV6:
		return ip_decode(d);
	case NEXT_ETHERNET:
		return link_decode_ethernet(d);
	case NEXT_NSH:
		return tunnel_decode_nsh(d);
	case NEXT_MPLS:
		return link_decode_mpls(d);
	default:
		return give_up_as(d, COUNTER_NOT_TCP);
	}
}

/* RFC 8300 2.2: the length is that of all headers, in words. */
enum packet_kind
tunnel_decode_nsh(struct decoding *d)
{
	struct cursor c;
	uint32_t words;
	uint8_t next;

	if (!take(d, 8, COUNTER_BAD_TUNNEL, &c))
		return PACKET_NONE;
	words = cursor_be16(&c) & 0x3f;
	cursor_u8(&c);
	next = cursor_u8(&c);
	if (words < 2)
		return give_up_as(d, COUNTER_BAD_TUNNEL);
	if (!take(d, (words - 2) * 4, COUNTER_BAD_TUNNEL, &c) || !enter(d))
		return PACKET_NONE;
	return decode_next(d, next);
}

/* --- GRE ----------------------------------------------------------------- */

/*
 * A mirror that sends the head of a frame only says so. How long it was only
 * the headers within know: as long as IP gets, as far as we are concerned.
 */
static void
mirrored_in_part(struct decoding *d)
{
	const uint32_t longest = UINT16_MAX + 64;

	if (d->wire_bytes < longest)
		d->wire_bytes = longest;
}

/* draft-foschiano-erspan 4.2 (type II) and 4.3 (type III). */
static enum packet_kind
decode_erspan(struct decoding *d, unsigned type)
{
	struct cursor c;
	uint16_t version, session, format = 0;

	if (!take(d, type == 2 ? 8 : 12, COUNTER_BAD_TUNNEL, &c))
		return PACKET_NONE;
	version = cursor_be16(&c) >> 12;
	session = cursor_be16(&c);
	if (type == 3) {
		cursor_be32(&c); /* timestamp */
		cursor_be16(&c); /* security group */
		format = cursor_be16(&c);
	}
	if (version != type - 1)
		return give_up_as(d, COUNTER_BAD_TUNNEL);
	/* The platform's own header. */
	if (format & 1 && !take(d, 8, COUNTER_BAD_TUNNEL, &c))
		return PACKET_NONE;
	if (session & 0x0400)
		mirrored_in_part(d);
	switch (format >> 10 & 0x1f) {
	case 0:
		return link_decode_ethernet(d);
	case 2:
		return ip_decode(d);
	default:
		return give_up_as(d, COUNTER_NOT_TCP);
	}
}

/* RFC 2637 4.1: GRE's version 1. Without a sequence number it carries
 * nothing but an acknowledgement. */
static enum packet_kind
decode_pptp(struct decoding *d, uint16_t flags)
{
	uint32_t numbers =
	    !!(flags & GRE_SEQUENCE) + !!(flags & GRE_ACKNOWLEDGED);
	struct cursor c;
	uint16_t length;

	if (!(flags & GRE_KEY))
		return give_up_as(d, COUNTER_BAD_TUNNEL);
	if (!take(d, 4 + numbers * 4, COUNTER_BAD_TUNNEL, &c))
		return PACKET_NONE;
	length = cursor_be16(&c);
	if (!(flags & GRE_SEQUENCE))
		return give_up_as(d, COUNTER_NOT_TCP);
	if (length > d->wire_bytes)
		return give_up_as(d, COUNTER_BAD_TUNNEL);
	clip(d, length);
	return enter(d) ? link_decode_ppp(d) : PACKET_NONE;
}

static enum packet_kind
decode_gre(struct decoding *d)
{
	struct cursor c;
	uint16_t flags, type;
	uint32_t fields;

	if (!take(d, 4, COUNTER_BAD_TUNNEL, &c))
		return PACKET_NONE;
	flags = cursor_be16(&c);
	type = cursor_be16(&c);
	if ((flags & GRE_VERSION) == 1 && type == TYPE_PPP)
		return decode_pptp(d, flags);
	/* RFC 2784 2.3: who does not do source routing discards it. */
	if (flags & (GRE_VERSION | GRE_ROUTING))
		return give_up_as(d, COUNTER_BAD_TUNNEL);
	fields = !!(flags & GRE_CHECKSUM) + !!(flags & GRE_KEY) +
	    !!(flags & GRE_SEQUENCE);
	if (!take(d, fields * 4, COUNTER_BAD_TUNNEL, &c) || !enter(d))
		return PACKET_NONE;
	if (type == TYPE_ERSPAN_III)
		return decode_erspan(d, 3);
	if (type != TYPE_ERSPAN)
		return decode_inside(d, type);
	/* Type I has neither a sequence number nor a header. */
	return flags & GRE_SEQUENCE ? decode_erspan(d, 2) :
				      link_decode_ethernet(d);
}

/* --- UDP ----------------------------------------------------------------- */

/*
 * Anybody may use these ports. What does not have the bits that must be set,
 * or has some that no sender sets, is somebody else's datagram: no TCP, and
 * no damage.
 */

/*
 * RFC 7348 5, with what Linux knows beside it, on whichever of the ports: the
 * group policy extension (flag 0x80), and GPE (flag 0x04), which has a number
 * for what is inside (draft-ietf-nvo3-vxlan-gpe 3).
 */
static enum packet_kind
decode_vxlan(struct decoding *d)
{
	struct cursor c;
	uint32_t flags, more, reserved, others = UINT32_MAX;
	uint8_t next = NEXT_ETHERNET;

	if (!take(d, 8, COUNTER_NOT_TCP, &c))
		return PACKET_NONE;
	flags = cursor_u8(&c);
	more = cursor_be24(&c);
	cursor_be24(&c); /* the network's identifier */
	reserved = cursor_u8(&c);
	if (flags == 0x88) {
		others = ~UINT32_C(0x48ffff);
	} else if ((flags & 0xfc) == 0x0c) {
		others = ~UINT32_C(0xff);
		next = (uint8_t)more;
	} else if (flags != 0x08) {
		return give_up_as(d, COUNTER_NOT_TCP);
	}
	if (more & others || reserved != 0)
		return give_up_as(d, COUNTER_NOT_TCP);
	return enter(d) ? decode_next(d, next) : PACKET_NONE;
}

/* RFC 8926 3.4; what the options say changes nothing within. */
static enum packet_kind
decode_geneve(struct decoding *d)
{
	struct cursor c;
	uint8_t version_and_words, flags, reserved;
	uint16_t type;

	if (!take(d, 8, COUNTER_NOT_TCP, &c))
		return PACKET_NONE;
	version_and_words = cursor_u8(&c);
	flags = cursor_u8(&c);
	type = cursor_be16(&c);
	cursor_be24(&c);
	reserved = cursor_u8(&c);
	if (version_and_words >> 6 != 0 || flags & 0x3f || reserved != 0)
		return give_up_as(d, COUNTER_NOT_TCP);
	if (!take(d, version_and_words * 4u, COUNTER_BAD_TUNNEL, &c) ||
	    !enter(d))
		return PACKET_NONE;
	return decode_inside(d, type);
}

/* By the destination: the source port is a hash of what is inside. */
static const struct carrier {
	uint16_t port;
	enum packet_kind (*decode)(struct decoding *);
} carriers[] = {
	{ 4789, decode_vxlan },
	{ 8472, decode_vxlan }, /* Linux, from before there was a number */
	{ 4790, decode_vxlan },
	{ 6081, decode_geneve },
};

static const struct carrier *
carrier_of(struct slice udp)
{
	uint16_t port;

	if (udp.len < 4)
		return NULL;
	port = (uint16_t)(udp.ptr[2] << 8 | udp.ptr[3]);
	for (size_t i = 0; i < sizeof(carriers) / sizeof(*carriers); i++)
		if (carriers[i].port == port)
			return &carriers[i];
	return NULL;
}

/* Either port is that of DNS: it reads what is asked and what is answered. */
static bool
is_dns(struct slice udp)
{
	return udp.len >= 4 &&
	    (be16_at(udp.ptr) == DNS_PORT || be16_at(udp.ptr + 2) == DNS_PORT);
}

/* The header is off; what the addresses are is known already. */
static enum packet_kind
take_dns(struct decoding *d, uint16_t source, uint16_t destination)
{
	struct packet *out = d->out;

	count(d->counters, COUNTER_DNS_DATAGRAMS);
	out->src.port = source;
	out->dst.port = destination;
	out->payload = d->in.rest.ptr;
	out->payload_bytes = (uint32_t)d->in.rest.len;
	out->payload_wire_bytes = d->wire_bytes;
	out->kind = PACKET_DNS;
	return PACKET_DNS;
}

static enum packet_kind
decode_udp(struct decoding *d)
{
	const struct carrier *carrier = carrier_of(d->in.rest);
	uint16_t source, destination;
	struct cursor c;
	uint32_t length;

	if (carrier == NULL && !is_dns(d->in.rest))
		return give_up_as(d, COUNTER_NOT_TCP);
	if (!take(d, 8, COUNTER_NOT_TCP, &c))
		return PACKET_NONE;
	source = cursor_be16(&c);
	destination = cursor_be16(&c);
	length = cursor_be16(&c);
	/* Segmentation offload leaves 0, RFC 2675 4 too. */
	if (length == 0)
		length = d->wire_bytes + 8;
	if (length < 8 || length - 8 > d->wire_bytes)
		return give_up_as(d, COUNTER_NOT_TCP);
	clip(d, length - 8);
	return carrier != NULL ? carrier->decode(d) :
				 take_dns(d, source, destination);
}

/* --- IP's protocols ------------------------------------------------------ */

enum packet_kind
tunnel_decode(struct decoding *d, uint8_t protocol)
{
	switch (protocol) {
	case IP_IPV4: /* RFC 2003, RFC 2473 */
	case IP_IPV6: /* RFC 4213, RFC 2473 */
		return enter(d) ? ip_decode(d) : PACKET_NONE;
	case IP_GRE:
		return decode_gre(d);
	case IP_UDP:
		return decode_udp(d);
	default:
		return give_up_as(d, COUNTER_NOT_TCP);
	}
}

bool
tunnel_in_fragment(const struct decoding *d, uint8_t protocol, uint32_t offset)
{
	if (protocol == IP_UDP)
		return offset > 0 || carrier_of(d->in.rest) != NULL ||
		    is_dns(d->in.rest);
	return protocol == IP_IPV4 || protocol == IP_IPV6 || protocol == IP_GRE;
}
