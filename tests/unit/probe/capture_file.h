/*
 * Capture files in either byte order, octet by octet, and what a reader makes
 * of them.
 */
#ifndef TESTS_UNIT_PROBE_CAPTURE_FILE_H
#define TESTS_UNIT_PROBE_CAPTURE_FILE_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "probe/capture/capture.h"

enum order { BIG_ENDIAN_FILE, LITTLE_ENDIAN_FILE };

struct file {
	enum order order;
	size_t len;
	uint8_t bytes[1 << 16];
};

static inline void
put_octets(struct file *f, const void *octets, size_t n)
{
	cr_assert_leq(f->len + n, sizeof(f->bytes));
	memcpy(f->bytes + f->len, octets, n);
	f->len += n;
}

static inline void
put_number(struct file *f, uint64_t value, int octets)
{
	for (int i = 0; i < octets; i++) {
		int shift = f->order == LITTLE_ENDIAN_FILE ?
		    8 * i :
		    8 * (octets - 1 - i);
		uint8_t octet = (uint8_t)(value >> shift);

		put_octets(f, &octet, 1);
	}
}

#define P16(value) put_number(f, value, 2)
#define P32(value) put_number(f, value, 4)

/* --- pcap ---------------------------------------------------------------- */

static inline void
pcap_header(struct file *f, uint32_t magic, uint32_t link_type)
{
	P32(magic);
	P16(2);
	P16(4);
	P32(0);
	P32(0);
	P32(262144);
	P32(link_type);
}

static inline void
pcap_record(struct file *f, uint32_t seconds, uint32_t fraction,
    const char *bytes, uint32_t wire)
{
	P32(seconds);
	P32(fraction);
	P32((uint32_t)strlen(bytes));
	P32(wire);
	put_octets(f, bytes, strlen(bytes));
}

/* --- pcapng -------------------------------------------------------------- */

static inline size_t
block_begin(struct file *f, uint32_t type)
{
	P32(type);
	P32(0);
	return f->len - 8;
}

/* Pads, and writes the length in both places. */
static inline void
block_end(struct file *f, size_t from)
{
	size_t total, end;

	while (f->len % 4 != 0)
		put_octets(f, "\0", 1);
	total = f->len - from + 4;
	P32((uint32_t)total);
	end = f->len;
	f->len = from + 4;
	P32((uint32_t)total);
	f->len = end;
}

static inline void
section(struct file *f, enum order order)
{
	size_t at;

	f->order = order;
	at = block_begin(f, 0x0a0d0d0a);
	P32(0x1a2b3c4d);
	P16(1);
	P16(0);
	put_number(f, UINT64_MAX, 8);
	block_end(f, at);
}

/* `resolution` below 0: no such option; `offset_s` 0: none. */
static inline void
interface(struct file *f, uint16_t link_type, uint32_t snaplen, int resolution,
    int64_t offset_s)
{
	size_t at = block_begin(f, 1);

	P16(link_type);
	P16(0);
	P32(snaplen);
	P16(2); /* if_name: of no interest, and padded */
	P16(5);
	put_octets(f, "eth0\0\0\0\0", 8);
	if (resolution >= 0) {
		uint8_t octet = (uint8_t)resolution;

		P16(9);
		P16(1);
		put_octets(f, &octet, 1);
		put_octets(f, "\0\0\0", 3);
	}
	if (offset_s != 0) {
		P16(14);
		P16(8);
		put_number(f, (uint64_t)offset_s, 8);
	}
	P16(0);
	P16(0);
	block_end(f, at);
}

static inline void
enhanced(struct file *f, uint32_t id, uint64_t ticks, const char *bytes,
    uint32_t wire)
{
	size_t at = block_begin(f, 6);

	P32(id);
	P32((uint32_t)(ticks >> 32));
	P32((uint32_t)ticks);
	P32((uint32_t)strlen(bytes));
	P32(wire);
	put_octets(f, bytes, strlen(bytes));
	block_end(f, at);
}

static inline void
simple(struct file *f, const char *bytes, uint32_t wire)
{
	size_t at = block_begin(f, 3);

	P32(wire);
	put_octets(f, bytes, strlen(bytes));
	block_end(f, at);
}

/* The Packet Block of before 2009. */
static inline void
obsolete(struct file *f, uint16_t id, uint64_t ticks, const char *bytes)
{
	size_t at = block_begin(f, 2);

	P16(id);
	P16(3); /* drops */
	P32((uint32_t)(ticks >> 32));
	P32((uint32_t)ticks);
	P32((uint32_t)strlen(bytes));
	P32((uint32_t)strlen(bytes));
	put_octets(f, bytes, strlen(bytes));
	block_end(f, at);
}

static inline void
other(struct file *f, uint32_t type, const char *bytes)
{
	size_t at = block_begin(f, type);

	put_octets(f, bytes, strlen(bytes));
	block_end(f, at);
}

/* --- reading ------------------------------------------------------------- */

static char errbuf[CAPTURE_ERRBUF];

/* NULL when it was refused. The octets are copied: nothing lies behind them
 * that the sanitizer would not see. */
struct reading {
	uint8_t *copy;
	struct capture *capture;
	bool is_capture;
};

static inline struct reading
read_octets(const uint8_t *bytes, size_t len)
{
	struct reading r = { .copy = malloc(len + !len) };
	char why[STREAM_ERRBUF];

	memcpy(r.copy, bytes, len);
	r.capture =
	    capture_over(stream_over(r.copy, len, why), &r.is_capture, errbuf);
	return r;
}

static inline struct reading
read_file_whole(const struct file *f)
{
	struct reading r = read_octets(f->bytes, f->len);

	cr_assert_not_null(r.capture, "%s", errbuf);
	return r;
}

static inline void
end_reading(struct reading *r)
{
	capture_close(r->capture);
	free(r->copy);
}

/* The next frame has these bytes, and came at that time. */
static inline void
expect_frame(struct reading *r, const char *bytes, int64_t ts_ns, uint32_t wire,
    uint32_t link_type)
{
	static struct frame frame;

	cr_assert_eq(capture_next(r->capture, &frame), CAPTURE_FRAME,
	    "\"%s\": %s", bytes, capture_fault(r->capture));
	cr_expect(slice_equal(frame.bytes, slice_str(bytes)), "\"%s\"", bytes);
	cr_expect_eq(frame.capture_ts_ns, ts_ns, "\"%s\": %lld", bytes,
	    (long long)frame.capture_ts_ns);
	cr_expect_eq(frame.wire_bytes, wire, "\"%s\"", bytes);
	cr_expect_eq(frame.link_type, link_type, "\"%s\"", bytes);
}

static inline void
expect_end(struct reading *r)
{
	struct frame frame;

	for (int i = 0; i < 2; i++)
		cr_expect_eq(capture_next(r->capture, &frame), CAPTURE_END,
		    "%s", capture_fault(r->capture));
	end_reading(r);
}

/* The fault has these words, and stays. */
static inline void
expect_fault(struct reading *r, const char *words)
{
	struct frame frame;

	for (int i = 0; i < 2; i++)
		cr_expect_eq(capture_next(r->capture, &frame), CAPTURE_FAULT);
	cr_expect_not_null(strstr(capture_fault(r->capture), words),
	    "\"%s\" is not in \"%s\"", words, capture_fault(r->capture));
	end_reading(r);
}

/*
 * The file cut at each octet from `from` on: the frames that end before are
 * read, and if octets of another are left the fault says where it begins.
 * `ends[i]` is the length of the file up to and with frame i.
 */
static inline void
expect_cut_anywhere(const struct file *f, size_t from, const size_t *ends,
    size_t frames)
{
	for (size_t len = from; len < f->len; len++) {
		struct reading r = read_octets(f->bytes, len);
		struct frame frame;
		enum capture_result result;
		size_t n = 0, whole = 0;

		cr_assert_not_null(r.capture, "%zu: %s", len, errbuf);
		while (
		    (result = capture_next(r.capture, &frame)) == CAPTURE_FRAME)
			n++;
		while (whole < frames && ends[whole] <= len)
			whole++;
		cr_expect_eq(n, whole, "%zu octets: %zu frames", len, n);
		if (result == CAPTURE_FAULT) {
			cr_expect_not_null(
			    strstr(capture_fault(r.capture), "cut at byte"));
			cr_expect_not_null(strstr(capture_fault(r.capture),
			    "read up to there"));
		}
		end_reading(&r);
	}
}

#endif
