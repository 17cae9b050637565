/* draft-ietf-opsawg-pcapng: sections, interfaces, packets. */
#include <stdlib.h>

#include "format.h"

enum {
	BLOCK_SECTION = 0x0a0d0d0a,
	BLOCK_INTERFACE = 1,
	BLOCK_PACKET = 2, /* obsolete */
	BLOCK_SIMPLE = 3,
	BLOCK_ENHANCED = 6,
};

enum {
	OPTION_END = 0,
	OPTION_TSRESOL = 9,
	OPTION_TSOFFSET = 14,
};

#define BYTE_ORDER_MAGIC 0x1a2b3c4d
#define BLOCK_MAX_BYTES (16 << 20) /* libpcap's limit */
#define NS_PER_S 1000000000

static enum capture_result
damaged(struct capture *c, const char *what)
{
	return capture_fail(c, "damaged at byte %llu: %s; read up to there",
	    (unsigned long long)c->offset, what);
}

/* A new section begins: its own byte order, no interfaces yet. */
static bool
begin_section(struct capture *c, struct slice head)
{
	c->swapped = false;
	if (capture_u32(c, head.ptr + 8) != BYTE_ORDER_MAGIC) {
		c->swapped = true;
		if (capture_u32(c, head.ptr + 8) != BYTE_ORDER_MAGIC)
			return false;
	}
	c->interface_count = 0;
	return true;
}

/* if_tsresol: the upper bit chooses between powers of two and of ten. */
static uint64_t
units_of(uint8_t resolution)
{
	uint64_t units = 1;
	unsigned power = resolution & 0x7f;

	if (resolution & 0x80)
		return power < 63 ? UINT64_C(1) << power : 0;
	for (unsigned i = 0; i < power; i++) {
		if (units > UINT64_MAX / 10)
			return 0;
		units *= 10;
	}
	return units;
}

static void
read_options(struct capture *c, struct slice options, struct interface *in)
{
	while (options.len >= 4) {
		uint16_t code = capture_u16(c, options.ptr);
		uint16_t length = capture_u16(c, options.ptr + 2);
		struct slice value = slice_after(options, 4);

		if (code == OPTION_END || value.len < length)
			return;
		if (code == OPTION_TSRESOL && length >= 1) {
			uint64_t units = units_of(value.ptr[0]);

			in->units = units ? units : in->units;
		} else if (code == OPTION_TSOFFSET && length >= 8) {
			uint64_t first = capture_u32(c, value.ptr);
			uint64_t second = capture_u32(c, value.ptr + 4);

			in->offset_s = (int64_t)(c->swapped ?
				second << 32 | first :
				first << 32 | second);
		}
		options = slice_after(value, (length + 3u) & ~3u);
	}
}

static enum capture_result
add_interface(struct capture *c, struct slice body)
{
	struct interface *in, *more;

	if (body.len < 8)
		return damaged(c, "an interface description is too short");
	if (c->interface_count == INTERFACES_MAX)
		return damaged(c, "more interfaces than anybody has");
	more = realloc(c->interfaces, (c->interface_count + 1) * sizeof(*more));
	if (more == NULL)
		return capture_fail(c, "out of memory");
	c->interfaces = more;
	in = &c->interfaces[c->interface_count++];
	in->link_type = capture_u16(c, body.ptr);
	in->snaplen = capture_u32(c, body.ptr + 4);
	in->units = 1000000;
	in->offset_s = 0;
	read_options(c, slice_after(body, 8), in);
	return CAPTURE_FRAME;
}

static int64_t
time_of(const struct interface *in, uint32_t high, uint32_t low)
{
	uint64_t ticks = (uint64_t)high << 32 | low;
	unsigned __int128 rest = ticks % in->units;
	int64_t seconds = (int64_t)(ticks / in->units);

	/* Beyond what 64 bits of nanoseconds hold: a damaged stamp. */
	if (seconds > INT64_MAX / NS_PER_S - INT64_C(4000000000))
		seconds = 0;
	return (seconds + in->offset_s % INT64_C(4000000000)) * NS_PER_S +
	    (int64_t)(rest * NS_PER_S / in->units);
}

/* Takes the octets before the frame, the frame, and what is behind it. */
static enum capture_result
packet(struct capture *c, struct frame *frame, size_t before, uint32_t total,
    const struct interface *in, uint32_t captured, uint32_t wire, int64_t ts_ns)
{
	uint64_t end = c->offset + total;
	enum capture_result result;

	if (captured > FRAME_MAX_BYTES || before + captured + 4 > total)
		return damaged(c, "a packet is longer than its block");
	capture_take(c, before);
	result = capture_frame(c, frame, captured, wire, in->link_type, ts_ns);
	if (result == CAPTURE_FRAME)
		capture_take(c, (size_t)(end - c->offset));
	return result;
}

static enum capture_result
packet_block(struct capture *c, struct frame *frame, uint32_t type,
    struct slice block)
{
	const uint8_t *p = block.ptr + 8;
	uint32_t total = (uint32_t)block.len, id = 0;
	struct interface *in;

	if (total < (type == BLOCK_SIMPLE ? 16u : 32u))
		return damaged(c, "a packet block is too short");
	if (type == BLOCK_ENHANCED)
		id = capture_u32(c, p);
	else if (type == BLOCK_PACKET)
		id = capture_u16(c, p);
	if (id >= c->interface_count)
		return damaged(c,
		    "a packet of an interface that was not "
		    "described");
	in = &c->interfaces[id];
	if (type == BLOCK_SIMPLE) {
		uint32_t wire = capture_u32(c, p), captured = total - 16;

		if (captured > wire)
			captured = wire;
		if (in->snaplen > 0 && captured > in->snaplen)
			captured = in->snaplen;
		return packet(c, frame, 12, total, in, captured, wire, 0);
	}
	return packet(c, frame, 28, total, in, capture_u32(c, p + 12),
	    capture_u32(c, p + 16),
	    time_of(in, capture_u32(c, p + 4), capture_u32(c, p + 8)));
}

static enum capture_result
next(struct capture *c, struct frame *frame)
{
	for (;;) {
		struct slice head = capture_peek(c, 12), block;
		enum capture_result result;
		uint32_t type, total;

		if (head.len == 0)
			return CAPTURE_END;
		if (head.len < 12)
			return capture_cut(c);
		type = capture_u32(c, head.ptr);
		/* The same in both byte orders. */
		if (type == BLOCK_SECTION && !begin_section(c, head))
			return damaged(c, "a section without byte order");
		total = capture_u32(c, head.ptr + 4);
		if (total < 12 || total % 4 != 0 || total > BLOCK_MAX_BYTES)
			return damaged(c, "a block of impossible length");
		block = capture_peek(c, total);
		if (block.len < total)
			return capture_cut(c);
		/* As libpcap: who believes one of them reads on in the
		 * middle of something. */
		if (capture_u32(c, block.ptr + total - 4) != total)
			return damaged(c, "a block whose two lengths differ");
		if (type == BLOCK_ENHANCED || type == BLOCK_SIMPLE ||
		    type == BLOCK_PACKET)
			return packet_block(c, frame, type, block);
		if (type == BLOCK_INTERFACE) {
			result = add_interface(c,
			    slice_first(slice_after(block, 8), total - 12));
			if (result != CAPTURE_FRAME)
				return result;
		}
		capture_take(c, total);
	}
}

const struct format format_pcapng = { "pcapng", next };
