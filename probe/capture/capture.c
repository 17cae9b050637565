#include "capture.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "format.h"

/* Fits the second-level cache together with what the work needs. */
#define BLOCK_BYTES (256 * 1024)

static struct block *
block_create(size_t room)
{
	struct block *b = malloc(sizeof(*b) + room);

	if (b == NULL)
		return NULL;
	atomic_init(&b->holders, 1);
	b->room = room;
	b->have = 0;
	return b;
}

struct block *
block_hold(struct block *b)
{
	atomic_fetch_add(&b->holders, 1);
	return b;
}

void
block_release(struct block *b)
{
	if (b != NULL && atomic_fetch_sub(&b->holders, 1) == 1)
		free(b);
}

struct block *
capture_block(struct capture *c)
{
	return c->copies != NULL ? c->copies : c->block;
}

/*
 * Room for `count` octets from `used` on: the rest moves to the front, of
 * this block if nobody else holds it, else of a new one.
 */
static bool
make_room(struct capture *c, size_t count)
{
	struct block *old = c->block, *new = old;
	size_t rest = old->have - c->used;

	if (c->used + count <= old->room)
		return true;
	if (atomic_load(&old->holders) > 1 || count > old->room)
		new = block_create(count > BLOCK_BYTES ? count : BLOCK_BYTES);
	if (new == NULL)
		return false;
	memmove(new->bytes, old->bytes + c->used, rest);
	new->have = rest;
	c->used = 0;
	if (new != old) {
		c->block = new;
		block_release(old);
	}
	return true;
}

void
capture_fill(struct capture *c, size_t count)
{
	while (c->block->have - c->used < count && !c->stream_end) {
		struct block *b;
		ssize_t n;
		size_t want;

		if (!make_room(c, count)) {
			c->stream_end = true;
			break;
		}
		b = c->block;
		want = b->room - b->have;
		n = stream_read(c->stream, b->bytes + b->have, want);
		if (n < (ssize_t)want)
			c->stream_end = true;
		b->have += n > 0 ? (size_t)n : 0;
	}
}

enum capture_result
capture_fail(struct capture *c, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(c->fault, sizeof(c->fault), format, arguments);
	va_end(arguments);
	c->faulty = true;
	return CAPTURE_FAULT;
}

/* "81,920" */
static const char *
grouped(uint64_t value, char out[32])
{
	char digits[24];
	int n = snprintf(digits, sizeof(digits), "%llu",
		(unsigned long long)value),
	    j = 0;

	for (int i = 0; i < n; i++) {
		if (i > 0 && (n - i) % 3 == 0)
			out[j++] = ',';
		out[j++] = digits[i];
	}
	out[j] = '\0';
	return out;
}

enum capture_result
capture_cut(struct capture *c)
{
	char at[32], of[32], frame[32];
	uint64_t rest = c->block->have - c->used, size = stream_size(c->stream);
	bool plain = stream_compression(c->stream)[0] == '\0';

	if (stream_error(c->stream)[0] != '\0')
		return capture_fail(c,
		    "%s at byte %s (frame %s): read up to "
		    "there",
		    stream_error(c->stream), grouped(c->offset + rest, at),
		    grouped(c->frames + 1, frame));
	if (!plain || size == 0)
		return capture_fail(c,
		    "cut at byte %s (frame %s): read up "
		    "to there",
		    grouped(c->offset, at), grouped(c->frames + 1, frame));
	return capture_fail(c,
	    "cut at byte %s of %s (frame %s): read up to "
	    "there",
	    grouped(c->offset, at), grouped(size, of),
	    grouped(c->frames + 1, frame));
}

/* Another than the frame before had. */
void
capture_note_link_type(struct capture *c, uint32_t link_type)
{
	c->last_link_type = link_type;
	for (unsigned i = 0; i < c->link_type_count; i++)
		if (c->link_types[i] == link_type)
			return;
	if (c->link_type_count < 8)
		c->link_types[c->link_type_count++] = link_type;
}

enum capture_result
capture_frame(struct capture *c, struct frame *frame, uint32_t captured,
    uint32_t wire, uint32_t link_type, int64_t ts_ns)
{
	struct slice bytes = capture_peek(c, captured);

	if (bytes.len < captured)
		return capture_cut(c);
	capture_take(c, captured);
	return capture_describe_frame(c, frame, bytes, wire, link_type, ts_ns);
}

enum capture_result
capture_copied(struct capture *c, struct frame *frame, struct slice bytes,
    uint32_t wire, uint32_t link_type, int64_t ts_ns)
{
	struct block *b = c->copies;

	if (b == NULL || b->room - b->have < bytes.len) {
		b = block_create(BLOCK_BYTES + bytes.len);
		if (b == NULL)
			return capture_fail(c, "out of memory");
		block_release(c->copies);
		c->copies = b;
	}
	if (bytes.len > 0)
		memcpy(b->bytes + b->have, bytes.ptr, bytes.len);
	bytes = slice_of(b->bytes + b->have, bytes.len);
	b->have += bytes.len;
	return capture_describe_frame(c, frame, bytes, wire, link_type, ts_ns);
}

enum capture_result
capture_next(struct capture *c, struct frame *frame)
{
	enum capture_result result;

	if (c->ended || c->faulty)
		return c->faulty ? CAPTURE_FAULT : CAPTURE_END;
	result = c->format->next(c, frame);
	if (result == CAPTURE_END) {
		c->ended = true;
		if (stream_error(c->stream)[0] != '\0')
			return capture_cut(c);
	}
	return result;
}

const char *
capture_fault(const struct capture *c)
{
	return c->fault;
}

/* --- opening ------------------------------------------------------------- */

static const struct {
	uint8_t magic[4];
	bool swapped, nanoseconds, kuznetsov;
} pcap_magics[] = {
	{ { 0xa1, 0xb2, 0xc3, 0xd4 }, false, false, false },
	{ { 0xd4, 0xc3, 0xb2, 0xa1 }, true, false, false },
	{ { 0xa1, 0xb2, 0x3c, 0x4d }, false, true, false },
	{ { 0x4d, 0x3c, 0xb2, 0xa1 }, true, true, false },
	{ { 0xa1, 0xb2, 0xcd, 0x34 }, false, false, true },
	{ { 0x34, 0xcd, 0xb2, 0xa1 }, true, false, true },
};

/* "not a capture (starts with "Dear ")" */
static void
say_not_a_capture(struct slice head, char errbuf[CAPTURE_ERRBUF])
{
	char start[64];
	size_t n = 0;

	for (size_t i = 0; i < head.len && i < 8; i++) {
		uint8_t ch = head.ptr[i];

		if (ch >= 0x20 && ch < 0x7f && ch != '"' && ch != '\\')
			start[n++] = (char)ch;
		else
			n += (size_t)snprintf(start + n, sizeof(start) - n,
			    "\\x%02X", ch);
	}
	start[n] = '\0';
	snprintf(errbuf, CAPTURE_ERRBUF,
	    "not a capture (starts with \"%s\"); pcap, pcapng, and gz or zst "
	    "of these can be read",
	    start);
}

static bool
choose_format(struct capture *c, char errbuf[CAPTURE_ERRBUF], bool *is_capture)
{
	static const uint8_t pcapng[] = { 0x0a, 0x0d, 0x0d, 0x0a };
	struct slice head = capture_peek(c, 24);

	*is_capture = false;
	if (head.len == 0) {
		snprintf(errbuf, CAPTURE_ERRBUF, "%s",
		    stream_error(c->stream)[0] ? stream_error(c->stream) :
						 "an empty file, no capture");
		return false;
	}
	if (head.len >= 4 && memcmp(head.ptr, pcapng, 4) == 0) {
		c->format = &format_pcapng;
		return *is_capture = true;
	}
	for (size_t i = 0; i < sizeof(pcap_magics) / sizeof(*pcap_magics);
	     i++) {
		if (head.len < 4 ||
		    memcmp(head.ptr, pcap_magics[i].magic, 4) != 0)
			continue;
		*is_capture = true;
		if (head.len < 24) {
			snprintf(errbuf, CAPTURE_ERRBUF,
			    "cut inside the file header (%zu of 24 bytes)",
			    head.len);
			return false;
		}
		c->swapped = pcap_magics[i].swapped;
		c->nanoseconds = pcap_magics[i].nanoseconds;
		c->kuznetsov = pcap_magics[i].kuznetsov;
		c->snaplen = capture_u32(c, head.ptr + 16);
		/* The upper bits tell of a frame check sequence. */
		c->link_type = capture_u32(c, head.ptr + 20) & 0x03ffffff;
		capture_take(c, 24);
		c->format = &format_pcap;
		return true;
	}
	c->pcap = libpcap_open(c);
	if (c->pcap != NULL) {
		c->format = &format_libpcap;
		return *is_capture = true;
	}
	say_not_a_capture(capture_peek(c, 8), errbuf);
	return false;
}

struct capture *
capture_over(struct stream *stream, bool *is_capture,
    char errbuf[CAPTURE_ERRBUF])
{
	struct capture *c = calloc(1, sizeof(*c));

	snprintf(errbuf, CAPTURE_ERRBUF, "out of memory");
	*is_capture = true;
	if (c == NULL) {
		stream_close(stream);
		return NULL;
	}
	c->stream = stream;
	c->block = block_create(BLOCK_BYTES);
	if (c->block == NULL || !choose_format(c, errbuf, is_capture)) {
		capture_close(c);
		return NULL;
	}
	errbuf[0] = '\0';
	return c;
}

struct capture *
capture_open(const char *path, bool *is_capture, char errbuf[CAPTURE_ERRBUF])
{
	char why[STREAM_ERRBUF];
	struct stream *stream = stream_open(path, why);

	*is_capture = true;
	if (stream == NULL) {
		snprintf(errbuf, CAPTURE_ERRBUF, "%s", why);
		return NULL;
	}
	return capture_over(stream, is_capture, errbuf);
}

void
capture_close(struct capture *c)
{
	if (c == NULL)
		return;
	libpcap_close(c->pcap);
	stream_close(c->stream);
	block_release(c->block);
	block_release(c->copies);
	free(c->interfaces);
	free(c);
}

void
capture_describe(const struct capture *c, struct capture_info *info)
{
	const char *compression = stream_compression(c->stream);
	size_t n = 0;

	memset(info, 0, sizeof(*info));
	snprintf(info->format, sizeof(info->format), "%s%s%s%s",
	    c->format->name, c->nanoseconds ? " (nanoseconds)" : "",
	    compression[0] ? " in " : "", compression);
	for (unsigned i = 0;
	     i < c->link_type_count && n < sizeof(info->link_types) - 12; i++)
		n += (size_t)snprintf(info->link_types + n,
		    sizeof(info->link_types) - n, "%s%u", n ? " " : "",
		    c->link_types[i]);
	info->frames = c->frames;
	info->first_ns = c->first_ns;
	info->last_ns = c->last_ns;
	info->position = stream_position(c->stream);
	info->size = stream_size(c->stream);
	info->bytes = c->offset + (c->block->have - c->used);
	stream_hash(c->stream, info->hash);
}
