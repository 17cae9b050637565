/*
 * Frames: the first octet chooses the link type, the rest is what was
 * captured. What is decoded lies within the frame, every frame is counted
 * once, and fragments come together to what a plain reckoning makes of them.
 */
#include <stdlib.h>

#include "dissect/fragment.h"
#include "dissect/outer.h"
#include "dissect/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(bool condition)
{
	if (!condition)
		abort();
}

static bool
inside(struct slice part, struct slice whole)
{
	return part.len == 0 ||
	    (part.ptr >= whole.ptr &&
		part.len <= whole.len - (size_t)(part.ptr - whole.ptr));
}

/* Every frame gives a segment, a fragment, or one reason why not. */
static void
check_counted(const struct counters *c, enum packet_kind kind)
{
	static const enum counter reasons[] = { COUNTER_NOT_IP, COUNTER_NOT_TCP,
		COUNTER_UNKNOWN_LINK, COUNTER_CUT_HEADER, COUNTER_BAD_LINK,
		COUNTER_BAD_IP, COUNTER_BAD_TUNNEL, COUNTER_BAD_TCP };
	uint64_t sum = 0;

	for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
		sum += c->of[reasons[i]];
	must(c->of[COUNTER_PACKETS] == 1);
	must(sum == (kind == PACKET_NONE));
	must(c->of[COUNTER_SEGMENTS] == (kind == PACKET_TCP));
}

static void
check_packet(const struct packet *p, struct slice frame, uint32_t wire_bytes)
{
	static const uint8_t key[16] = { 1 };

	must(inside(slice_of(p->payload, p->payload_bytes), frame));
	must(p->payload_bytes <= p->payload_wire_bytes);
	/* Of what a mirror cut, the headers within say how long it was. */
	must(p->payload_wire_bytes <= wire_bytes ||
	    p->payload_wire_bytes <= UINT16_MAX + 64);
	must(p->src.address.family == 4 || p->src.address.family == 6);
	must(p->src.address.family == p->dst.address.family);
	must(packet_shard(p, key) < SHARD_COUNT);
	if (p->kind != PACKET_TCP)
		return;
	must(p->tcp_header_bytes >= 20 && p->tcp_header_bytes <= 60);
	/* The capture may end among the options. */
	must(!p->header_cut || p->payload_bytes == 0);
	must(inside(slice_of(p->tcp, p->header_cut ? 20 : p->tcp_header_bytes),
	    frame));
	packet_sum(p);
}

static void
fuzz_frame(uint8_t choice, struct slice in)
{
	static const uint32_t links[] = { 0, 1, 9, 12, 14, 50, 101, 104, 108,
		113, 228, 229, 276, 147 };
	uint32_t link_type = links[choice % (sizeof(links) / sizeof(*links))];
	uint32_t cut = choice / 64 * 7u; /* octets beyond the snaplen */
	struct frame frame = { .bytes = in,
		.link_type = link_type,
		.wire_bytes = (uint32_t)in.len + cut };
	struct counters counters = { 0 };
	struct packet packet;
	enum packet_kind kind = packet_decode(&frame, &counters, &packet);

	must(kind == packet.kind);
	check_counted(&counters, kind);
	must(packet_link_known(link_type) ||
	    counters.of[COUNTER_UNKNOWN_LINK] == 1);
	if (kind != PACKET_NONE)
		check_packet(&packet, in, frame.wire_bytes);
}

/*
 * Fragments: four octets say identification, offset in eights, length in
 * eights and whether more follow; the octet at `at` of fragment n is made of
 * both. Whatever comes out whole holds no octet that nobody sent.
 */
#define BUDGET 4096
#define PLACES 512

struct model {
	/* By identification: which contents were sent for this place? */
	uint8_t sent[4][PLACES][32];
};

static void
fuzz_fragments(struct slice in, uint8_t family)
{
	static const uint8_t key[16] = "any key will do";
	struct model *model = calloc(1, sizeof(*model));
	struct counters counters = { 0 };
	struct fragments *f = fragments_create(BUDGET, key, &counters);
	struct cursor c = cursor_over(in);
	uint8_t serial = 0;

	must(f != NULL && model != NULL);
	while (c.rest.len >= 4) {
		uint32_t id = cursor_u8(&c) % 4, at = cursor_u8(&c) % 16 * 8u;
		uint32_t len = cursor_u8(&c) % 20 + 1;
		bool more = cursor_u8(&c) & 1;
		struct packet p = { .fragment_id = id,
			.fragment_offset = at,
			.payload_bytes = more ? len / 2 * 8 : len,
			.more_fragments = more,
			.protocol = 6,
			.capture_ts_ns = serial,
			.kind = PACKET_FRAGMENT };
		uint8_t *payload = malloc(p.payload_bytes + 1);
		struct slice whole;

		must(payload != NULL);
		memset(payload, ++serial, p.payload_bytes);
		p.payload = payload;
		p.payload_wire_bytes = p.payload_bytes;
		p.src.address.family = p.dst.address.family = family;
		for (uint32_t i = 0; i < p.payload_bytes; i++)
			model->sent[id][at + i][serial / 8] |=
			    (uint8_t)(1 << serial % 8);
		if (fragments_add(f, &p, &whole)) {
			must(whole.len > 0 && whole.len <= PLACES);
			for (size_t i = 0; i < whole.len; i++)
				must(model->sent[id][i][whole.ptr[i] / 8] >>
					(whole.ptr[i] % 8) &
				    1);
			memset(model->sent[id], 0, sizeof(model->sent[id]));
		}
		free(payload);
	}
	fragments_finish(f);
	fragments_destroy(f);
	free(model);
}

/* Raw IP, each packet behind an octet that says how long it is: fragments
 * around, within, and in each other. */
static void
fuzz_outer(struct slice in)
{
	static const uint8_t key[16] = "any key will do";
	struct counters counters = { 0 };
	struct outer *outer = outer_create(BUDGET, key, &counters);
	struct cursor c = cursor_over(in);
	struct joined *joined = NULL;

	must(outer != NULL);
	while (c.rest.len > 0) {
		uint8_t len = cursor_u8(&c);
		struct frame frame = { .bytes = slice_first(c.rest, len),
			.link_type = 101 };
		struct packet p;

		frame.wire_bytes = (uint32_t)frame.bytes.len;
		cursor_take(&c, frame.bytes.len);
		packet_decode(&frame, &counters, &p);
		if (p.kind == PACKET_OUTER_FRAGMENT)
			must(outer_add(outer, &p, &joined) == p.kind);
		must(p.kind != PACKET_OUTER_FRAGMENT);
		if (p.kind == PACKET_TCP)
			packet_sum(&p);
	}
	joined_free(&joined);
	outer_expire(outer, INT64_MAX);
	outer_destroy(outer);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_of(data, size);

	if (size == 0)
		return 0;
	if (data[0] == 255)
		fuzz_fragments(slice_after(in, 1), 4);
	else if (data[0] == 254)
		fuzz_fragments(slice_after(in, 1), 6);
	else if (data[0] == 253)
		fuzz_outer(slice_after(in, 1));
	else
		fuzz_frame(data[0], slice_after(in, 1));
	return 0;
}
