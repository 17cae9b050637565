/*
 * probe/capture/format.h - what the readers of file formats share; private to
 * probe/capture.
 */
#ifndef PROBE_CAPTURE_FORMAT_H
#define PROBE_CAPTURE_FORMAT_H

#include <stdatomic.h>

#include "capture.h"

/* libpcap's MAXIMUM_SNAPLEN: a longer frame is a damaged length field. */
#define FRAME_MAX_BYTES 262144
/* mergecap gives each of the files that it joins one of its own. */
#define INTERFACES_MAX 65536

struct interface {
	uint32_t link_type, snaplen;
	uint64_t units; /* of time stamps, in a second */
	int64_t offset_s;
};

struct block {
	_Atomic unsigned holders;
	size_t room, have;
	uint8_t bytes[];
};

struct format {
	const char *name;
	/* The next frame, CAPTURE_END, or CAPTURE_FAULT after fault(). */
	enum capture_result (*next)(struct capture *, struct frame *);
};

extern const struct format format_pcap, format_pcapng, format_libpcap;

struct capture {
	struct stream *stream;
	const struct format *format;
	struct block *block;  /* in which the stream is read */
	struct block *copies; /* of frames from libpcap */
	size_t used;	      /* octets of the block behind us */
	uint64_t offset;      /* decompressed octets behind us */
	uint64_t frames;
	int64_t first_ns, last_ns;
	bool stream_end, ended, faulty;
	bool swapped; /* the writer's byte order is not big-endian */
	bool nanoseconds, kuznetsov;
	uint32_t link_type; /* pcap */
	uint32_t snaplen;
	struct interface *interfaces; /* pcapng, of this section */
	uint32_t interface_count;
	void *pcap; /* format_libpcap */
	uint32_t link_types[8], last_link_type;
	unsigned link_type_count;
	char fault[CAPTURE_ERRBUF];
};

/* Reads on, until the block has `count` octets that were not taken. */
void capture_fill(struct capture *, size_t count);

/* The next `count` octets without taking them; fewer at the end. Valid until
 * the next call. */
static inline struct slice
capture_peek(struct capture *c, size_t count)
{
	if (c->block->have - c->used < count)
		capture_fill(c, count);
	return slice_first(slice_of(c->block->bytes + c->used,
			       c->block->have - c->used),
	    count);
}

static inline void
capture_take(struct capture *c, size_t count)
{
	c->used += count;
	c->offset += count;
}
/* Always CAPTURE_FAULT. */
enum capture_result capture_fail(struct capture *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* "cut at byte 81,920 of 131,072 (frame 412): read up to there" */
enum capture_result capture_cut(struct capture *);
void capture_note_link_type(struct capture *, uint32_t link_type);

/* Always CAPTURE_FRAME. */
static inline enum capture_result
capture_describe_frame(struct capture *c, struct frame *frame,
    struct slice bytes, uint32_t wire, uint32_t link_type, int64_t ts_ns)
{
	frame->bytes = bytes;
	frame->wire_bytes = wire < bytes.len ? (uint32_t)bytes.len : wire;
	frame->link_type = link_type;
	frame->number = ++c->frames;
	frame->capture_ts_ns = ts_ns;
	if (c->frames == 1)
		c->first_ns = c->last_ns = ts_ns;
	if (ts_ns < c->first_ns)
		c->first_ns = ts_ns;
	if (ts_ns > c->last_ns)
		c->last_ns = ts_ns;
	if (c->frames == 1 || link_type != c->last_link_type)
		capture_note_link_type(c, link_type);
	return CAPTURE_FRAME;
}

/* Makes the frame of the next `captured` octets and takes them. */
enum capture_result capture_frame(struct capture *, struct frame *,
    uint32_t captured, uint32_t wire, uint32_t link_type, int64_t ts_ns);
/* The same for octets that lie elsewhere: copied into a block. */
enum capture_result capture_copied(struct capture *, struct frame *,
    struct slice, uint32_t wire, uint32_t link_type, int64_t ts_ns);
static inline uint32_t
capture_u32(const struct capture *c, const uint8_t *p)
{
	/* Both are one load: which one, is guessed right. */
	return c->swapped ?
	    (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | p[1] << 8 | p[0] :
	    be32_at(p);
}

static inline uint16_t
capture_u16(const struct capture *c, const uint8_t *p)
{
	return (uint16_t)(c->swapped ? p[1] << 8 | p[0] : be16_at(p));
}

/* Opens libpcap over what the stream has left; NULL: it cannot read it. */
void *libpcap_open(struct capture *);
void libpcap_close(void *);

#endif
