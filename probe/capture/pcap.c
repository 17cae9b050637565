/*
 * Classic pcap: draft-ietf-opsawg-pcap, and the record header of 24 octets
 * that some Linux distributions wrote (magic 0xa1b2cd34).
 */
#include "format.h"

#define NS_PER_S INT64_C(1000000000)

static enum capture_result
next(struct capture *c, struct frame *frame)
{
	size_t header = c->kuznetsov ? 24 : 16;
	struct slice record = capture_peek(c, header);
	uint32_t seconds, fraction, captured, wire;

	if (record.len < header)
		return record.len == 0 ? CAPTURE_END : capture_cut(c);
	seconds = capture_u32(c, record.ptr);
	fraction = capture_u32(c, record.ptr + 4);
	captured = capture_u32(c, record.ptr + 8);
	wire = capture_u32(c, record.ptr + 12);
	if (captured > FRAME_MAX_BYTES)
		return capture_fail(c,
		    "damaged at byte %llu: frame %llu claims %u bytes; read "
		    "up to there",
		    (unsigned long long)c->offset,
		    (unsigned long long)c->frames + 1, captured);
	record = capture_peek(c, header + captured);
	if (record.len < header + captured)
		return capture_cut(c);
	capture_take(c, header + captured);
	return capture_describe_frame(c, frame, slice_after(record, header),
	    wire, c->link_type,
	    (int64_t)seconds * NS_PER_S +
		(int64_t)fraction * (c->nanoseconds ? 1 : 1000));
}

const struct format format_pcap = { "pcap", next };
