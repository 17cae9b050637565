/* Fragments around what they carry: together before there is a shard. */
#include <criterion/criterion.h>

#include "dissect/outer.h"
#include "unit/dissect/tunnels.h"

enum { RAW = 101, DESTINATION = 60 };

struct desk {
	struct outer *outer;
	struct joined *joined;
	struct counters counters;
	struct packet packet;
	uint16_t id;
};

static void
desk_begin(struct desk *d, size_t budget_bytes)
{
	static const uint8_t key[16] = "a key for tests";

	*d = (struct desk){ .id = 7 };
	d->outer = outer_create(budget_bytes, key, &d->counters);
	cr_assert_not_null(d->outer);
}

static void
desk_end(struct desk *d)
{
	joined_free(&d->joined);
	cr_assert_null(d->joined);
	outer_destroy(d->outer);
}

/* A fragment's frame: [from, to) of `whole`, which begins with `protocol`. */
static struct grown
fragment(const struct desk *d, const struct grown *whole, uint8_t family,
    uint8_t protocol, size_t from, size_t to)
{
	struct grown g = { 0 };
	bool more = to < whole->len;

	grow_bytes(&g, whole->bytes + from, to - from);
	if (family == 4) {
		wrap_ip(&g, 4, protocol);
		g.bytes[4] = (uint8_t)(d->id >> 8);
		g.bytes[5] = (uint8_t)d->id;
		g.bytes[6] = (uint8_t)(from / 8 >> 8 | (more ? 0x20 : 0));
		g.bytes[7] = (uint8_t)(from / 8);
	} else {
		uint8_t header[8] = { protocol, 0, (uint8_t)(from >> 8),
			(uint8_t)(from | more), 0, 0, (uint8_t)(d->id >> 8),
			(uint8_t)d->id };

		wrap_bytes(&g, header, sizeof(header));
		wrap_ip(&g, 6, 44);
	}
	return g;
}

static enum packet_kind
add(struct desk *d, const struct grown *g)
{
	if (decode(g, RAW, &d->counters, &d->packet) == PACKET_OUTER_FRAGMENT)
		outer_add(d->outer, &d->packet, &d->joined);
	return d->packet.kind;
}

static void
check_segment(const struct desk *d, uint8_t family, const char *name)
{
	const struct packet *p = &d->packet;

	cr_assert_eq(p->kind, PACKET_TCP, "%s", name);
	cr_assert_eq(p->number, 7);
	cr_assert_eq(p->src.address.family, family, "%s", name);
	cr_assert_eq(p->src.port, 40000);
	cr_assert_eq(p->ttl, 64, "%s", name);
	cr_assert_eq(p->payload_bytes, 4);
	cr_assert_eq(p->payload_wire_bytes, 4);
	cr_assert_eq(memcmp(p->payload, "QUIT", 4), 0);
}

/* Cut at every place, and the later part first as well. */
static void
in_two(const struct tunnel *t, uint8_t family, bool reversed)
{
	struct grown whole = tunnel_payload(t);

	for (size_t at = 8; at < whole.len; at += 8) {
		struct desk d;
		struct grown parts[2];

		desk_begin(&d, 1 << 16);
		parts[reversed] =
		    fragment(&d, &whole, family, t->protocol, 0, at);
		parts[!reversed] =
		    fragment(&d, &whole, family, t->protocol, at, whole.len);
		cr_assert_eq(add(&d, &parts[0]), PACKET_NONE);
		add(&d, &parts[1]);
		if (!reversed || t->protocol != UDP) {
			check_segment(&d, t->family, t->name);
			cr_assert_eq(d.counters.of[COUNTER_FRAGMENTS_JOINED],
			    1);
			cr_assert_eq(reasons(&d.counters), 0);
		} else {
			/* Nobody can know what it was the rest of. */
			cr_assert_eq(d.packet.kind, PACKET_NONE);
			cr_assert_eq(d.counters.of[COUNTER_NOT_TCP], 1);
			outer_expire(d.outer, INT64_MAX);
			cr_assert_eq(d.counters.of[COUNTER_FRAGMENTS_LOST], 1);
		}
		cr_assert_eq(d.counters.of[COUNTER_FRAGMENTS], 2);
		desk_end(&d);
	}
}

Test(outer, every_tunnel_may_come_in_fragments)
{
	for (size_t i = 0; i < TUNNELS; i++) {
		for (uint8_t family = 4; family <= 6; family += 2) {
			in_two(&tunnels[i], family, false);
			in_two(&tunnels[i], family, true);
		}
	}
}

Test(outer, what_came_whole_stays_until_it_is_freed)
{
	struct desk d;
	struct grown whole = tunnel_payload(&tunnels[0]);
	struct packet first;

	desk_begin(&d, 1 << 16);
	for (int i = 0; i < 2; i++) {
		struct grown a = fragment(&d, &whole, 4, IP4, 0, 24);
		struct grown b = fragment(&d, &whole, 4, IP4, 24, whole.len);

		add(&d, &a);
		add(&d, &b);
		if (i == 0)
			first = d.packet;
		memset(whole.bytes + 40, '!', 4);
	}
	cr_assert_eq(memcmp(first.payload, "QUIT", 4), 0);
	cr_assert_eq(memcmp(d.packet.payload, "!!!!", 4), 0);
	desk_end(&d);
}

/* Only UDP to a tunnel's port is worth keeping. */
Test(outer, fragments_of_other_datagrams_are_not_tcp)
{
	static const struct {
		uint8_t protocol;
		uint16_t port;
	} rows[] = { { 17, 443 }, { 1, 4789 }, { 58, 4789 }, { 50, 4789 } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		for (uint8_t family = 4; family <= 6; family += 2) {
			struct grown whole = inner(4);
			struct grown a, b;
			struct desk d;

			wrap_udp(&whole, rows[i].port);
			desk_begin(&d, 1 << 16);
			a = fragment(&d, &whole, family, rows[i].protocol, 0,
			    16);
			b = fragment(&d, &whole, family, rows[i].protocol, 16,
			    whole.len);
			cr_assert_eq(add(&d, &a), PACKET_NONE);
			cr_assert_eq(add(&d, &b), PACKET_NONE);
			cr_assert_eq(d.counters.of[COUNTER_NOT_TCP], 2);
			outer_expire(d.outer, INT64_MAX);
			cr_assert_eq(d.counters.of[COUNTER_FRAGMENTS_LOST], 0);
			desk_end(&d);
		}
	}
}

/* RFC 6891: with EDNS an answer is longer than many a path. */
Test(outer, fragments_of_dns_become_its_message)
{
	for (uint8_t family = 4; family <= 6; family += 2) {
		struct grown whole = inner(4);
		struct grown a, b;
		size_t message = whole.len;
		struct desk d;

		wrap_udp(&whole, 53);
		desk_begin(&d, 1 << 16);
		a = fragment(&d, &whole, family, 17, 0, 16);
		b = fragment(&d, &whole, family, 17, 16, whole.len);
		cr_assert_eq(add(&d, &a), PACKET_NONE);
		cr_assert_eq(add(&d, &b), PACKET_DNS);
		cr_assert_eq(d.packet.dst.port, 53);
		cr_assert_eq(d.packet.payload_bytes, message);
		cr_assert_eq(d.packet.payload_wire_bytes, message);
		cr_assert_eq(d.counters.of[COUNTER_DNS_DATAGRAMS], 1);
		desk_end(&d);
	}
}

/* RFC 791 2.3: one identification for each protocol. */
Test(outer, identifications_of_two_protocols_are_two_datagrams)
{
	struct desk d;
	struct grown ip = tunnel_payload(&tunnels[0]), gre = ip, a, b;

	desk_begin(&d, 1 << 16);
	wrap(&gre, "\0\0" TYPE_IPV4);
	a = fragment(&d, &ip, 4, IP4, 0, 24);
	cr_assert_eq(add(&d, &a), PACKET_NONE);
	b = fragment(&d, &gre, 4, GRE, 24, gre.len);
	cr_assert_eq(add(&d, &b), PACKET_NONE);
	a = fragment(&d, &ip, 4, IP4, 24, ip.len);
	add(&d, &a);
	check_segment(&d, 4, "IP in IP");
	b = fragment(&d, &gre, 4, GRE, 0, 24);
	add(&d, &b);
	check_segment(&d, 4, "GRE");
	cr_assert_eq(d.counters.of[COUNTER_FRAGMENTS_OVERLAP], 0);
	desk_end(&d);
}

/* RFC 8200 4.5: what is cut may begin with headers of the destination's, and
 * what it begins with the first fragment says, whatever the others do. */
Test(outer, extension_headers_behind_the_fragment_header_are_walked)
{
	static const char options[] = "\x06\x01\x01\x0c............";

	for (size_t at = 8; at < 40; at += 8) {
		for (int reversed = 0; reversed < 2; reversed++) {
			struct grown whole = { 0 }, parts[2];
			struct desk d;

			grow_bytes(&whole, options, 16);
			grow(&whole, SEGMENT);
			desk_begin(&d, 1 << 16);
			parts[reversed] =
			    fragment(&d, &whole, 6, DESTINATION, 0, at);
			parts[!reversed] =
			    fragment(&d, &whole, 6, 51, at, whole.len);
			parts[0].bytes[7] = parts[1].bytes[7] = 64;
			add(&d, &parts[0]);
			add(&d, &parts[1]);
			check_segment(&d, 6, "destination options");
			cr_assert_eq(d.counters.of[COUNTER_TUNNELS], 0);
			desk_end(&d);
		}
	}
}

/* Fragments of TCP in a datagram that came in fragments: the shard's work. */
Test(outer, inner_fragments_are_handed_on)
{
	struct desk d;
	struct grown whole = { 0 }, a, b;

	grow_ipv4(&whole, 0, 0x2000, 8);
	grow(&whole, "\x9c\x40\0\x19\0\0\0\x01");
	desk_begin(&d, 1 << 16);
	a = fragment(&d, &whole, 6, IP4, 0, 16);
	b = fragment(&d, &whole, 6, IP4, 16, whole.len);
	add(&d, &a);
	cr_assert_eq(add(&d, &b), PACKET_FRAGMENT);
	cr_assert_eq(d.packet.src.address.family, 4);
	cr_assert_eq(d.packet.fragment_id, 0x1234);
	cr_assert_eq(d.packet.protocol, 6);
	cr_assert_eq(d.packet.payload_bytes, 8);
	cr_assert_eq(d.packet.payload[3], 25);
	desk_end(&d);
}

/* The last part of one is the last part of the next, which is ... */
Test(outer, one_frame_completes_no_endless_row)
{
	enum { ROW = 6 };
	struct grown whole = inner(4);
	struct grown last = { 0 };
	struct desk d;

	desk_begin(&d, 1 << 16);
	for (d.id = 0; d.id < ROW; d.id++) {
		struct grown first = fragment(&d, &whole, 4, IP4, 0, 24);

		last = fragment(&d, &whole, 4, IP4, 24, whole.len);
		cr_assert_eq(add(&d, &first), PACKET_NONE);
		/* What the next datagram carries is this one's. */
		whole = last;
	}
	cr_assert_eq(add(&d, &last), PACKET_NONE);
	cr_assert_eq(reasons(&d.counters), 1);
	cr_assert_eq(d.counters.of[COUNTER_BAD_TUNNEL], 1);
	cr_assert_eq(d.counters.of[COUNTER_FRAGMENTS_JOINED], 4);
	desk_end(&d);
}

Test(outer, a_fragment_that_was_cut_is_lost)
{
	struct desk d;
	struct grown whole = tunnel_payload(&tunnels[0]);
	struct grown a;

	desk_begin(&d, 1 << 16);
	a = fragment(&d, &whole, 4, IP4, 0, 24);
	cr_assert_eq(decode_cut(&a, RAW, a.len - 1, &d.counters, &d.packet),
	    PACKET_OUTER_FRAGMENT);
	cr_assert_eq(outer_add(d.outer, &d.packet, &d.joined), PACKET_NONE);
	cr_assert_eq(d.counters.of[COUNTER_FRAGMENTS_UNUSABLE], 1);
	desk_end(&d);
}

Test(outer, the_smallest_budget_joins_what_fits_it)
{
	struct desk d;
	struct grown whole = tunnel_payload(&tunnels[0]);

	desk_begin(&d, 0);
	for (d.id = 0; d.id < 200; d.id++) {
		struct grown a = fragment(&d, &whole, 4, IP4, 0, 24);

		cr_assert_eq(add(&d, &a), PACKET_NONE);
	}
	cr_assert(d.counters.of[COUNTER_FRAGMENTS_EVICTED] > 100);
	d.id = 199;
	whole = fragment(&d, &whole, 4, IP4, 24, whole.len);
	add(&d, &whole);
	check_segment(&d, 4, "the youngest");
	desk_end(&d);
}
