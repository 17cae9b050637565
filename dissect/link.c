#include "decoding.h"

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
	ETHER_NSH = 0x894f,
	PPP_IPV4 = 0x0021,
	PPP_IPV6 = 0x0057,
	PPP_MPLS = 0x0281,
};

/* Whoever carries no IP inside a tunnel was IP himself. */
static enum packet_kind
no_ip(struct decoding *d)
{
	return give_up(d,
	    d->encapsulations > 0 ? COUNTER_NOT_TCP : COUNTER_NOT_IP);
}

enum packet_kind
link_decode_mpls(struct decoding *d)
{
	for (int depth = 0; depth < NESTING_MAX; depth++) {
		struct slice label = skip(d, 4);

		if (d->in.short_read)
			return give_up(d, COUNTER_CUT_HEADER);
		if (label.ptr[2] & 1) /* bottom of stack, RFC 3032 2.1 */
			return ip_decode(d);
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
		return ip_decode(d);
	if (protocol == PPP_MPLS)
		return link_decode_mpls(d);
	return no_ip(d);
}

enum packet_kind
link_decode_ether_type(struct decoding *d, uint16_t type)
{
	for (int depth = 0; depth < NESTING_MAX; depth++) {
		struct cursor c;

		switch (type) {
		case ETHER_IPV4:
		case ETHER_IPV6:
			return ip_decode(d);
		case ETHER_NSH:
			return tunnel_decode_nsh(d);
		case ETHER_MPLS:
		case ETHER_MPLS_MULTICAST:
			return link_decode_mpls(d);
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
			return no_ip(d);
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
	return link_decode_ether_type(d,
	    (uint16_t)(taken.ptr[at] << 8 | taken.ptr[at + 1]));
}

enum packet_kind
link_decode_ethernet(struct decoding *d)
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
		return no_ip(d);
	return ip_decode(d);
}

enum packet_kind
link_decode_ppp(struct decoding *d)
{
	if (d->in.rest.len > 0 && d->in.rest.ptr[0] == 0xff)
		skip(d, 2); /* address and control, RFC 1662 3.1 */
	return decode_ppp_protocol(d);
}

static const struct {
	uint32_t link_type;
	enum packet_kind (*decode)(struct decoding *);
} links[] = {
	{ LINK_ETHERNET, link_decode_ethernet },
	{ LINK_SLL, decode_sll },
	{ LINK_SLL2, decode_sll2 },
	{ LINK_RAW, ip_decode },
	{ LINK_RAW_OLD, ip_decode },
	{ LINK_RAW_OPENBSD, ip_decode },
	{ LINK_IPV4, ip_decode },
	{ LINK_IPV6, ip_decode },
	{ LINK_NULL, decode_null },
	{ LINK_LOOP, decode_null },
	{ LINK_PPP, link_decode_ppp },
	{ LINK_PPP_HDLC, link_decode_ppp },
	{ LINK_C_HDLC, decode_c_hdlc },
};

enum packet_kind
link_decode(struct decoding *d, uint32_t link_type)
{
	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++)
		if (links[i].link_type == link_type)
			return links[i].decode(d);
	return give_up(d, COUNTER_UNKNOWN_LINK);
}

bool
packet_link_known(uint32_t link_type)
{
	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++)
		if (links[i].link_type == link_type)
			return true;
	return false;
}
