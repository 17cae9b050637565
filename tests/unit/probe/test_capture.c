#include <zlib.h>
#include <zstd.h>

#include "capture_file.h"

static struct file file, *f = &file;

static void
begin(void)
{
	f->order = LITTLE_ENDIAN_FILE;
	f->len = 0;
	pcap_header(f, 0xa1b2c3d4, 1);
	pcap_record(f, 3, 0, "first", 5);
	pcap_record(f, 1, 0, "second", 6);
}

static void
expect_refused(const void *bytes, size_t len, const char *words)
{
	struct reading r = read_octets(bytes, len);

	cr_expect_null(r.capture);
	cr_expect_not(r.is_capture);
	cr_expect_not_null(strstr(errbuf, words), "%s", errbuf);
	end_reading(&r);
}

Test(capture, what_is_none_is_told_with_its_first_octets)
{
	expect_refused("Dear reader,\n", 13,
	    "not a capture (starts with \"Dear rea\"); pcap, pcapng, and gz or "
	    "zst of these can be read");
	expect_refused("\x7f"
		       "ELF\x02\x01\"\\",
	    8, "(starts with \"\\x7FELF\\x02\\x01\\x22\\x5C\")");
	expect_refused("a", 1, "(starts with \"a\")");
	expect_refused("", 0, "an empty file, no capture");
}

Test(capture, it_describes_itself)
{
	struct capture_info info, compressed;
	uint8_t zipped[4096];
	size_t len;
	struct reading r;
	struct frame frame;

	begin();
	r = read_file_whole(f);
	while (capture_next(r.capture, &frame) == CAPTURE_FRAME)
		continue;
	capture_describe(r.capture, &info);
	expect_end(&r);
	cr_expect_eq(info.frames, 2);
	cr_expect_eq(info.first_ns, 1000000000, "the lowest");
	cr_expect_eq(info.last_ns, 3000000000, "the highest");
	cr_expect_eq(info.bytes, f->len);
	len = ZSTD_compress(zipped, sizeof(zipped), f->bytes, f->len, 3);
	r = read_octets(zipped, len);
	while (capture_next(r.capture, &frame) == CAPTURE_FRAME)
		continue;
	capture_describe(r.capture, &compressed);
	expect_end(&r);
	cr_expect_str_eq(compressed.format, "pcap in zstd");
	cr_expect_str_eq(compressed.hash, info.hash);
	cr_expect_eq(compressed.bytes, info.bytes);
	cr_expect_eq(compressed.position, len);
}

Test(capture, a_cut_compressed_one_says_how_far_it_was_read)
{
	static struct file big;
	uint8_t zipped[16384];
	z_stream z = { .next_out = zipped, .avail_out = sizeof(zipped) };
	struct reading r;
	struct frame frame;
	size_t n = 0;

	big.order = LITTLE_ENDIAN_FILE;
	pcap_header(&big, 0xa1b2c3d4, 1);
	for (unsigned i = 0; i < 500; i++) {
		char text[16];

		snprintf(text, sizeof(text), "%08x", i * 2654435761u);
		pcap_record(&big, i, i * 1299709u, text, 8);
	}
	z.next_in = big.bytes;
	z.avail_in = (uInt)big.len;
	deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
	cr_assert_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	r = read_octets(zipped, z.total_out / 2);
	deflateEnd(&z);
	cr_assert_not_null(r.capture, "%s", errbuf);
	while (capture_next(r.capture, &frame) == CAPTURE_FRAME)
		n++;
	cr_expect_lt(n, 500);
	cr_expect_gt(n, 100);
	expect_fault(&r, "the gzip data ends too early at byte");
}

/* Other threads work on its frames while the reader goes on; each block is
 * held once, as a batch holds it. */
Test(capture, a_held_block_keeps_its_frames)
{
	size_t room = 3 << 20, len = 24;
	uint8_t *many = malloc(room);
	struct block *held[64];
	struct slice bytes[64];
	struct frame frame;
	struct reading r;
	size_t count = 0, blocks = 0;

	begin();
	memcpy(many, f->bytes, 24);
	for (unsigned i = 0; len + 50016 < room; i++) {
		f->len = 0;
		P32(i);
		P32(0);
		P32(50000);
		P32(50000);
		memcpy(many + len, f->bytes, 16);
		memset(many + len + 16, (int)i, 50000);
		len += 50016;
	}
	r = read_octets(many, len);
	while (capture_next(r.capture, &frame) == CAPTURE_FRAME) {
		struct block *block = capture_block(r.capture);

		if (blocks == 0 || held[blocks - 1] != block)
			held[blocks++] = block_hold(block);
		bytes[count++] = frame.bytes;
	}
	cr_assert_gt(count, 50);
	cr_expect_gt(blocks, 5);
	expect_end(&r);
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < bytes[i].len; j += 9999)
			cr_expect_eq(bytes[i].ptr[j], i);
	while (blocks > 0)
		block_release(held[--blocks]);
	free(many);
}

/* Nobody can look further than its octets; whatever they are. */
Test(capture, whatever_is_in_it_the_reader_comes_to_an_end)
{
	uint64_t x = 88172645463325252u;

	for (int round = 0; round < 20000; round++) {
		struct reading r;
		struct frame frame;
		int frames = 0;

		f->len = 0;
		if (round % 2) {
			section(f, (enum order)(round / 2 % 2));
			interface(f, 1, 0, 9, 0);
			enhanced(f, 0, 1, "first", 5);
			simple(f, "second", 6);
			obsolete(f, 0, 1, "third");
		} else {
			begin();
		}
		for (int i = 0; i < 3; i++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			f->bytes[8 + x % (f->len - 8)] = (uint8_t)(x >> 32);
		}
		r = read_octets(f->bytes, f->len);
		while (r.capture != NULL && frames < 10 &&
		    capture_next(r.capture, &frame) == CAPTURE_FRAME)
			frames++;
		cr_expect_lt(frames, 10);
		end_reading(&r);
	}
}
