/* Tunnels taken off: what is inside speaks, whatever is around it. */
#include <criterion/criterion.h>

#include "unit/dissect/tunnels.h"
#include "unit/guarded.h"

enum { ETHERNET = 1, RAW = 101 };

/* The inside's own words, none of the outside's. Octets that `p` borrows are
 * gone behind it. */
static void
check_inside(const struct packet *p, uint8_t family, const char *name)
{
	struct packet plain;
	struct counters c = { 0 };
	struct grown g = inner(family);

	decode(&g, RAW, &c, &plain);
	cr_assert_eq(p->kind, PACKET_TCP, "%s", name);
	cr_assert_eq(address_compare(&p->src.address, &plain.src.address), 0,
	    "%s", name);
	cr_assert_eq(address_compare(&p->dst.address, &plain.dst.address), 0,
	    "%s", name);
	cr_assert_eq(p->src.port, 40000);
	cr_assert_eq(p->dst.port, 25);
	cr_assert_eq(p->ttl, 64, "%s", name);
	cr_assert_eq(p->ip_id, plain.ip_id);
	cr_assert_eq(p->payload_wire_bytes, 4, "%s", name);
}

/* The first `captured` of the frame's octets, and then no memory. */
static enum packet_kind
decode_guarded(const struct grown *g, size_t captured, struct counters *c,
    struct packet *out)
{
	struct guarded exact = guarded_copy(g->bytes, captured);
	struct frame frame = { .bytes = exact.bytes,
		.wire_bytes = (uint32_t)g->len,
		.link_type = RAW };
	enum packet_kind kind = packet_decode(&frame, c, out);

	guarded_free(&exact);
	return kind;
}

Test(tunnel, every_tunnel_leads_to_the_segment_inside)
{
	for (size_t i = 0; i < TUNNELS; i++) {
		const struct tunnel *t = &tunnels[i];

		for (uint8_t outer = 4; outer <= 6; outer += 2) {
			struct grown g = tunnel_payload(t);
			struct counters c = { 0 };
			struct packet p;

			wrap_ip(&g, outer, t->protocol);
			decode(&g, RAW, &c, &p);
			cr_assert_eq(p.payload_bytes, 4, "%s", t->name);
			cr_assert_eq(memcmp(p.payload, "QUIT", 4), 0);
			check_inside(&p, t->family, t->name);
			cr_assert_eq(c.of[COUNTER_TUNNELS], t->count, "%s",
			    t->name);
			cr_assert_eq(c.of[COUNTER_PACKETS], 1);
			cr_assert_eq(c.of[COUNTER_BYTES], g.len);
			cr_assert_eq(reasons(&c), 0);
		}
	}
}

/* By the capture's snaplen: a reason of its own, and nothing is read behind
 * the end. Of UDP's ports nothing is known before they come. */
Test(tunnel, a_frame_cut_at_any_octet_is_cut)
{
	for (size_t i = 0; i < TUNNELS; i++) {
		const struct tunnel *t = &tunnels[i];
		struct grown g = tunnel_payload(t);

		wrap_ip(&g, 4, t->protocol);
		for (size_t captured = 0; captured < g.len; captured++) {
			struct counters c = { 0 };
			struct packet p;
			enum packet_kind kind =
			    decode_guarded(&g, captured, &c, &p);
			bool hidden = t->port != 0 && captured >= 20 &&
			    captured < 24;

			if (captured + 4 >= g.len) {
				check_inside(&p, t->family, t->name);
				cr_assert_eq(p.payload_bytes,
				    captured + 4 - g.len);
				cr_assert_eq(c.of[COUNTER_SNAPPED], 1);
				continue;
			}
			cr_assert_eq(kind, PACKET_NONE);
			cr_assert_eq(reasons(&c), 1);
			cr_assert_eq(c.of[hidden ? COUNTER_NOT_TCP :
						   COUNTER_CUT_HEADER],
			    1, "%s, %zu of %zu octets", t->name, captured,
			    g.len);
		}
	}
}

/* By its sender, whose outer lengths are right: damage, never a cut that the
 * capture made, before the innermost headers are reached. */
Test(tunnel, a_tunnel_that_ends_early_is_damage)
{
	for (size_t i = 0; i < TUNNELS; i++) {
		const struct tunnel *t = &tunnels[i];
		struct grown whole = inner(t->family);

		wrap_bytes(&whole, t->bytes, t->len);
		for (size_t sent = 0; sent < whole.len; sent++) {
			struct grown g = whole;
			struct counters c = { 0 };
			struct packet p;

			g.len = sent;
			if (t->port != 0)
				wrap_udp(&g, t->port);
			wrap_ip(&g, 4, t->protocol);
			cr_assert_eq(decode_guarded(&g, g.len, &c, &p),
			    PACKET_NONE, "%s, %zu octets", t->name, sent);
			cr_assert_eq(reasons(&c), 1);
			cr_assert_eq(c.of[COUNTER_SEGMENTS], 0);
		}
	}
}

/* What is carried that is no TCP, what is damaged, and where it is counted. */
static const struct {
	enum counter counter;
	uint8_t protocol;
	uint16_t port;
	const char *bytes;
	size_t len;
} refused[] = {
#define REFUSED(counter, protocol, port, literal)           \
	{                                                   \
		COUNTER_##counter, protocol, port, literal, \
		    sizeof(literal) - 1                     \
	}
	/* a bridge's ARP, a keepalive, 802.2, an acknowledgement only */
	REFUSED(NOT_TCP, GRE, 0, "\0\0\x65\x58" ETHER("\x08\x06") "arp....."),
	REFUSED(NOT_TCP, GRE, 0, "\0\0\0\0"),
	REFUSED(NOT_TCP, GRE, 0, "\0\0\x65\x58" ETHER("\0\x26") "\x42\x42\x03"),
	REFUSED(NOT_TCP, GRE, 0, "\x20\x81\x88\x0b\0\0\0\x07\0\0\0\x02"),
	/* PPTP: LCP, compressed and encrypted */
	REFUSED(NOT_TCP, GRE, 0,
	    "\x30\x01\x88\x0b\0\x06\0\x07\0\0\0\x01\xff\x03\xc0\x21.."),
	REFUSED(NOT_TCP, GRE, 0,
	    "\x30\x01\x88\x0b\0\x04\0\x07\0\0\0\x01\0\xfd.."),
	/* an 802.11 frame in ERSPAN; a protocol that NSH has no number for */
	REFUSED(NOT_TCP, GRE, 0,
	    "\x10\0\x22\xeb\0\0\0\x01\x20\x05\0\x07\0\0\0\x03\0\0\x1c\0...."),
	REFUSED(NOT_TCP, UDP, 4790,
	    "\x0c\0\0\x04\0\0\x07\0\x0f\xc2\x02\x09\0\0\x07\xff"),
	REFUSED(NOT_TCP, UDP, 6081, "\0\0\x08\x06\0\0\x07\0 arp"),
	/* ICMP */
	REFUSED(NOT_TCP, IP4, 0,
	    "\x45\0\0\x14\0\0\0\0\x40\x01\0\0\x01\x01\x01\x01\x02\x02\x02\x02"),
	/* GRE: version 2, version 1 of something else, source routing, no room
	 * for the key, PPTP without it, with more than is carried */
	REFUSED(BAD_TUNNEL, GRE, 0, "\0\x02" TYPE_IPV4 "...."),
	REFUSED(BAD_TUNNEL, GRE, 0, "\0\x01" TYPE_IPV4 "...."),
	REFUSED(BAD_TUNNEL, GRE, 0, "\x40\0" TYPE_IPV4 "........"),
	REFUSED(BAD_TUNNEL, GRE, 0, "\x20\0" TYPE_IPV4 "123"),
	REFUSED(BAD_TUNNEL, GRE, 0, "\x10\x01\x88\x0b\0\x04\0\x07\0\0\0\x01"),
	REFUSED(BAD_TUNNEL, GRE, 0,
	    "\x30\x01\x88\x0b\0\x05\0\x07\0\0\0\x01\xff\x03\0\x21"),
	/* PPTP with less than IP says it has, and octets behind it */
	REFUSED(BAD_IP, GRE, 0,
	    "\x30\x01\x88\x0b\0\x18\0\x07\0\0\0\x01\xff\x03\0\x21"
	    "\x45\0\0\x28\0\0\0\0\x40\x06\0\0\x01\x01\x01\x01\x02\x02\x02"
	    "\x02" SEGMENT_HEADER),
	/* ERSPAN: of the other type's version */
	REFUSED(BAD_TUNNEL, GRE, 0,
	    "\x10\0\x88\xbe\0\0\0\x01\x20\x05\0\x07\0\0\0\x03"),
	REFUSED(BAD_TUNNEL, GRE, 0,
	    "\x10\0\x22\xeb\0\0\0\x01\x10\x05\0\x07\0\0\0\x03\0\0\0\0"),
	/* GENEVE: options beyond the end. NSH: a length of one word */
	REFUSED(BAD_TUNNEL, UDP, 6081,
	    "\x02\0\x65\x58\0\0\x07\0"
	    "1234"),
	REFUSED(BAD_TUNNEL, UDP, 4790,
	    "\x0c\0\0\x04\0\0\x07\0\x0f\xc1\x02\x03\0\0\x07\xff"),
	REFUSED(BAD_IP, IP4, 0, "\x55 what version is this"),
};

Test(tunnel, what_is_no_segment_inside_is_counted_under_its_reason)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		struct grown g = { 0 };
		struct counters c = { 0 };
		struct packet p;

		grow_bytes(&g, refused[i].bytes, refused[i].len);
		if (refused[i].port != 0)
			wrap_udp(&g, refused[i].port);
		wrap_ip(&g, 4, refused[i].protocol);
		cr_assert_eq(decode(&g, RAW, &c, &p), PACKET_NONE);
		cr_assert_eq(c.of[refused[i].counter], 1, "row %zu", i);
		cr_assert_eq(reasons(&c), 1, "row %zu", i);
	}
}

/* A port number promises nothing: these are others' datagrams. */
Test(tunnel, other_datagrams_on_these_ports_are_not_tcp)
{
	static const struct {
		uint16_t port;
		const char *head; /* eight octets, then a frame */
	} rows[] = {
		/* a name server's answer to a client there; no identifier; bits
		 * that nobody sets; a policy without its flag */
		{ 4789, "\xab\xcd\x81\x80\0\x01\0\x01" },
		{ 4789, "\0\0\0\0\0\0\x07\0" },
		{ 4789, "\x09\0\0\0\0\0\x07\0" },
		{ 4789, "\x08\0\0\0\0\0\x07\x01" },
		{ 4789, "\x08\0\0\x10\0\0\x07\0" },
		{ 8472, "\x48\0\0\0\0\0\x07\0" },
		{ 4790, "\x1c\0\0\x03\0\0\x07\0" }, /* version 1 */
		{ 4790, "\x0c\0\x01\x03\0\0\x07\0" },
		{ 6081, "\x40\0\x65\x58\0\0\x07\0" }, /* version 1 */
		{ 6081, "\0\x01\x65\x58\0\0\x07\0" },
		{ 6081, "\0\0\x65\x58\0\0\x07\x01" },
		{ 443, "\x08\0\0\0\0\0\x07\0" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct grown g = inner(4);
		struct counters c = { 0 };
		struct packet p;

		wrap(&g, ETHER(TYPE_IPV4));
		wrap_bytes(&g, rows[i].head, 8);
		wrap_udp(&g, rows[i].port);
		wrap_ip(&g, 4, UDP);
		cr_assert_eq(decode(&g, RAW, &c, &p), PACKET_NONE);
		cr_assert_eq(c.of[COUNTER_NOT_TCP], 1, "row %zu", i);
		cr_assert_eq(reasons(&c), 1);
		cr_assert_eq(c.of[COUNTER_TUNNELS], 0);
	}
}

static struct grown
vxlan(void)
{
	struct grown g = inner(4);

	wrap(&g, "\x08\0\0\0\0\0\x07\0" ETHER(TYPE_IPV4));
	wrap_udp(&g, 4789);
	wrap_ip(&g, 4, UDP);
	return g;
}

Test(tunnel, a_port_counts_where_it_is_the_destination)
{
	struct counters c = { 0 };
	struct grown g = vxlan();
	struct packet p;

	memcpy(g.bytes + 20, "\x12\xb5\xc0\x01", 4); /* 4789 to 49153 */
	cr_assert_eq(decode(&g, RAW, &c, &p), PACKET_NONE);
	cr_assert_eq(c.of[COUNTER_NOT_TCP], 1);
}

Test(tunnel, udp_says_how_long_it_is)
{
	static const struct {
		uint16_t length;
		enum counter counter; /* PACKETS: it is read */
	} rows[] = {
		{ 0, COUNTER_PACKETS }, /* segmentation offload */
		{ 7, COUNTER_NOT_TCP },
		{ 8, COUNTER_NOT_TCP },
		{ 8 + 8 + 14 + 44, COUNTER_PACKETS },
		{ 8 + 8 + 14 + 43, COUNTER_BAD_IP },
		{ 8 + 8 + 14 + 45, COUNTER_NOT_TCP },
		{ 65535, COUNTER_NOT_TCP },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct grown g = vxlan();
		struct counters c = { 0 };
		struct packet p;

		g.bytes[24] = (uint8_t)(rows[i].length >> 8);
		g.bytes[25] = (uint8_t)rows[i].length;
		decode(&g, RAW, &c, &p);
		cr_assert_eq(c.of[rows[i].counter], 1, "row %zu", i);
		cr_assert_eq(reasons(&c), rows[i].counter != COUNTER_PACKETS,
		    "row %zu", i);
	}
}

/* A packet of 80 kB before it is cut up: each length is 0. */
Test(tunnel, offloaded_segmentation_leaves_no_length_anywhere)
{
	for (uint8_t family = 4; family <= 6; family += 2) {
		struct grown g = inner(family);
		struct counters c = { 0 };
		struct packet p;

		memset(g.bytes + (family == 4 ? 2 : 4), 0, 2);
		if (family == 4)
			wrap(&g, "\0\0" TYPE_IPV4 "\0\0\x07\0");
		else
			wrap(&g, "\0\0" TYPE_IPV6 "\0\0\x07\0");
		wrap_udp(&g, 6081);
		memset(g.bytes + 4, 0, 2);
		wrap_ip(&g, 6, UDP);
		memset(g.bytes + 4, 0, 2);
		decode(&g, RAW, &c, &p);
		check_inside(&p, family, "offloaded");
	}
}

/* An inner length of 0 takes the outer one, and not what pads the frame. */
Test(tunnel, what_is_inside_ends_where_the_outside_says)
{
	struct counters c = { 0 };
	struct grown g = vxlan();
	struct packet p;

	memset(g.bytes + 20 + 8 + 8 + 14 + 2, 0, 2);
	grow(&g, "\xee\xee\xee\xee\xee\xee\xee");
	decode(&g, RAW, &c, &p);
	check_inside(&p, 4, "padded");
	cr_assert_eq(p.payload_bytes, 4);
}

/* ERSPAN's bit T: the mirror sent less than there was. */
Test(tunnel, a_mirror_that_cuts_is_as_a_capture_that_cuts)
{
	static const struct {
		const char *bytes;
		size_t len;
	} rows[] = {
		{ "\x10\0\x88\xbe\0\0\0\x01\x10\x05\x04\x07\0\0\0\x03", 16 },
		{ "\x10\0\x22\xeb\0\0\0\x01\x20\x05\x04\x07\0\0\0\x03\0\0\0\0",
		    20 },
	};

	for (size_t i = 0; i < 2; i++) {
		for (size_t sent = 0; sent <= 14 + 44; sent++) {
			struct grown g = inner(4);
			struct counters c = { 0 };
			struct packet p;

			wrap(&g, ETHER(TYPE_IPV4));
			g.len = sent;
			wrap_bytes(&g, rows[i].bytes, rows[i].len);
			wrap_ip(&g, 4, GRE);
			decode_guarded(&g, g.len, &c, &p);
			if (sent < 14 + 40) {
				cr_assert_eq(c.of[COUNTER_CUT_HEADER], 1);
				cr_assert_eq(reasons(&c), 1);
				continue;
			}
			check_inside(&p, 4, "cut");
			cr_assert_eq(p.payload_bytes, sent - 14 - 40);
			cr_assert_eq(c.of[COUNTER_SNAPPED], sent < 14 + 44);
		}
	}
}

/* Any tunnel within itself; the limit counts all of a frame. */
Test(tunnel, tunnels_within_tunnels_are_bounded)
{
	for (size_t i = 0; i < TUNNELS; i++) {
		const struct tunnel *t = &tunnels[i];

		for (unsigned nested = 1; nested <= 20; nested++) {
			struct grown g = tunnel_payload(t);
			struct counters c = { 0 };
			struct packet p;

			wrap_ip(&g, t->family, t->protocol);
			for (unsigned n = 1; n < nested; n++) {
				if (memcmp(t->name, "PPTP", 4) == 0 ||
				    strcmp(t->name, "GRE, in IPv4") == 0)
					break; /* lengths of their own */
				wrap_bytes(&g, t->bytes, t->len);
				if (t->port != 0)
					wrap_udp(&g, t->port);
				wrap_ip(&g, t->family, t->protocol);
			}
			decode(&g, RAW, &c, &p);
			if (reasons(&c) == 0) {
				check_inside(&p, t->family, t->name);
				cr_assert(c.of[COUNTER_TUNNELS] <= 8);
			} else {
				cr_assert_eq(c.of[COUNTER_BAD_TUNNEL], 1,
				    "%s, %u", t->name, nested);
				cr_assert(nested * t->count > 8, "%s, %u",
				    t->name, nested);
				cr_assert_eq(c.of[COUNTER_TUNNELS], 9);
			}
		}
	}
}

/* Without IP between them: headers that only lead to one another. */
Test(tunnel, service_headers_in_a_row_are_bounded)
{
	struct grown g = { 0 };
	struct counters c = { 0 };
	struct packet p;

	grow(&g, ETHER("\x89\x4f"));
	for (int i = 0; i < 200; i++)
		grow(&g, "\x0f\xc2\x02\x04\0\0\x07\xff");
	cr_assert_eq(decode(&g, ETHERNET, &c, &p), PACKET_NONE);
	cr_assert_eq(c.of[COUNTER_BAD_TUNNEL], 1);
	cr_assert_eq(reasons(&c), 1);

	g = inner(6);
	wrap(&g, ETHER("\x89\x4f") "\x0f\xc2\x02\x02\0\0\x07\xff");
	decode(&g, ETHERNET, &c, &p);
	check_inside(&p, 6, "NSH");
}

/* A mirror of a provider's link, and everything around it. */
Test(tunnel, different_tunnels_go_into_each_other)
{
	struct grown g = inner(6);
	struct counters c = { 0 };
	struct packet p;

	wrap_ip(&g, 4, IP6);
	wrap(&g, "\0\0\x65\x58\0\0\x07\0" ETHER(TYPE_IPV4));
	wrap_udp(&g, 6081);
	wrap_ip(&g, 6, UDP);
	wrap(&g, "\x08\0\0\0\0\0\x07\0" ETHER("\x81\0") "\0\x05" TYPE_IPV6);
	wrap_udp(&g, 4789);
	/* destination options in front of UDP */
	wrap(&g, "\x11\0\0\0\0\0\0\0");
	wrap_ip(&g, 6, 60);
	wrap(&g,
	    "\x10\0\x88\xbe\0\0\0\x01\x10\x05\0\x07\0\0\0\x03" ETHER(
		TYPE_IPV6));
	wrap_ip(&g, 4, GRE);
	wrap(&g, ETHER("\x88\x64") "\x11\0\0\x01\0\x2e\0\x21");
	decode(&g, ETHERNET, &c, &p);
	check_inside(&p, 6, "all of them");
	cr_assert_eq(c.of[COUNTER_TUNNELS], 4);
}
