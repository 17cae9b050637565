#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>
#include <zstd.h>

#include "probe/capture/stream.h"

#define TEXT "220 mx1.example.org ESMTP Postfix\r\n"
#define BIG (3 * 128 * 1024 + 17) /* several input buffers, and a rest */

static char errbuf[STREAM_ERRBUF];

struct bytes {
	uint8_t *ptr;
	size_t len;
};

static struct bytes
gzip(const void *from, size_t len)
{
	struct bytes out = { malloc(len + len / 100 + 64), 0 };
	z_stream z = { .next_in = (uint8_t *)from, .avail_in = (uInt)len };

	deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
	z.next_out = out.ptr;
	z.avail_out = (uInt)(len + len / 100 + 64);
	cr_assert_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	out.len = z.total_out;
	deflateEnd(&z);
	return out;
}

static struct bytes
zstd(const void *from, size_t len)
{
	size_t room = ZSTD_compressBound(len);
	ZSTD_CCtx *c = ZSTD_createCCtx();
	struct bytes out = { malloc(room), 0 };

	ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
	out.len = ZSTD_compress2(c, out.ptr, room, from, len);
	cr_assert_not(ZSTD_isError(out.len));
	ZSTD_freeCCtx(c);
	return out;
}

/* Takes both over. */
static struct bytes
joined(struct bytes a, struct bytes b)
{
	struct bytes out = { malloc(a.len + b.len), a.len + b.len };

	memcpy(out.ptr, a.ptr, a.len);
	memcpy(out.ptr + a.len, b.ptr, b.len);
	free(a.ptr);
	free(b.ptr);
	return out;
}

/* Octets that do not compress: what is compressed is as long. */
static uint8_t *
noise(size_t len)
{
	uint8_t *out = malloc(len);
	uint64_t x = 88172645463325252u;

	for (size_t i = 0; i < len; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		out[i] = (uint8_t)x;
	}
	return out;
}

/* Reads all of it in pieces of `piece`; the stream stays open. */
static size_t
read_all(struct stream *s, uint8_t *out, size_t room, size_t piece)
{
	size_t have = 0;

	for (;;) {
		size_t want = piece < room - have ? piece : room - have;
		ssize_t n = stream_read(s, out + have, want);

		have += n > 0 ? (size_t)n : 0;
		if (n < (ssize_t)want || want == 0)
			return have;
	}
}

static void
expect_bytes(struct bytes file, const void *expected, size_t len,
    const char *compression)
{
	static const size_t pieces[] = { 1, 7, 4096, 1 << 20 };
	uint8_t *out = malloc(len + 4096);

	for (size_t i = len > 100000; i < 4; i++) {
		struct stream *s = stream_over(file.ptr, file.len, errbuf);
		size_t n;

		cr_assert_not_null(s, "%s", errbuf);
		n = read_all(s, out, len + 4096, pieces[i]);
		cr_expect_eq(n, len, "%zu of %zu by %zu", n, len, pieces[i]);
		cr_expect_eq(memcmp(out, expected, len), 0);
		cr_expect_str_eq(stream_error(s), "");
		cr_expect_str_eq(stream_compression(s), compression);
		cr_expect_eq(stream_position(s), file.len);
		stream_close(s);
	}
	free(out);
}

Test(stream, plain_octets_come_as_they_are)
{
	uint8_t *big = noise(BIG);

	expect_bytes((struct bytes){ (uint8_t *)TEXT, strlen(TEXT) }, TEXT,
	    strlen(TEXT), "");
	expect_bytes((struct bytes){ big, BIG }, big, BIG, "");
	free(big);
}

Test(stream, gzip_and_zstd_are_told_by_their_first_octets)
{
	struct bytes z = gzip(TEXT, strlen(TEXT));
	struct bytes zs = zstd(TEXT, strlen(TEXT));

	expect_bytes(z, TEXT, strlen(TEXT), "gzip");
	expect_bytes(zs, TEXT, strlen(TEXT), "zstd");
	free(z.ptr);
	free(zs.ptr);
}

Test(stream, large_ones_too)
{
	uint8_t *big = noise(BIG);
	struct bytes z = gzip(big, BIG), zs = zstd(big, BIG);

	expect_bytes(z, big, BIG, "gzip");
	expect_bytes(zs, big, BIG, "zstd");
	free(z.ptr);
	free(zs.ptr);
	free(big);
}

/* gzip -c a >> b, and what pigz and zstd --rsyncable write. */
Test(stream, members_and_frames_may_follow_each_other)
{
	struct bytes (*const compress[])(const void *, size_t) = { gzip, zstd };
	uint8_t *big = noise(BIG);

	for (int i = 0; i < 2; i++) {
		struct bytes all = compress[i]("", 0);

		all = joined(all, compress[i](big, BIG / 3));
		all = joined(all, compress[i]("", 0));
		all = joined(all, compress[i](big + BIG / 3, BIG - BIG / 3));
		expect_bytes(all, big, BIG, i ? "zstd" : "gzip");
		free(all.ptr);
	}
	free(big);
}

/* As tapes and some loggers leave it; gzip(1) ignores it too. */
Test(stream, what_follows_the_last_gzip_member_is_padding)
{
	static const size_t sizes[] = { 1, 2, 512, 400000 };

	for (size_t i = 0; i < 4; i++) {
		struct bytes zeros = { calloc(sizes[i], 1), sizes[i] };
		struct bytes all = joined(gzip(TEXT, strlen(TEXT)), zeros);
		struct stream *s = stream_over(all.ptr, all.len, errbuf);
		uint8_t out[128];

		cr_expect_eq(read_all(s, out, sizeof(out), sizeof(out)),
		    strlen(TEXT));
		cr_expect_str_eq(stream_error(s), "", "%zu: %s", sizes[i],
		    stream_error(s));
		stream_close(s);
		free(all.ptr);
	}
}

static void
expect_cut_is_told(struct bytes whole, const char *compression)
{
	char words[64];

	snprintf(words, sizeof(words), "the %s data ends too early",
	    compression);
	for (size_t len = 4; len < whole.len; len++) {
		/* In a block of its own, for the sanitizer's sake. */
		uint8_t *cut = malloc(len), out[128];
		struct stream *s;
		size_t n;

		memcpy(cut, whole.ptr, len);
		s = stream_over(cut, len, errbuf);
		cr_assert_not_null(s, "%s", errbuf);
		n = read_all(s, out, sizeof(out), 16);
		cr_expect_leq(n, strlen(TEXT));
		cr_expect_eq(memcmp(out, TEXT, n), 0);
		cr_expect_str_eq(stream_error(s), words, "%zu of %zu", len,
		    whole.len);
		stream_close(s);
		free(cut);
	}
}

Test(stream, a_cut_at_any_octet_is_told)
{
	struct bytes z = gzip(TEXT, strlen(TEXT));
	struct bytes zs = zstd(TEXT, strlen(TEXT));

	expect_cut_is_told(z, "gzip");
	expect_cut_is_told(zs, "zstd");
	free(z.ptr);
	free(zs.ptr);
}

Test(stream, damage_is_told_and_what_came_before_is_good)
{
	uint8_t *big = noise(BIG), *out = malloc(BIG + 1);

	for (int i = 0; i < 2; i++) {
		struct bytes z = i ? zstd(big, BIG) : gzip(big, BIG);
		struct stream *s;
		size_t n;

		memset(z.ptr + z.len / 2, 0xff, 2000);
		s = stream_over(z.ptr, z.len, errbuf);
		n = read_all(s, out, BIG + 1, 4096);
		cr_expect_lt(n, BIG);
		cr_expect_gt(n, 1000);
		cr_expect_not_null(strstr(stream_error(s),
				       i ? "damaged zstd" : "damaged gzip"),
		    "\"%s\"", stream_error(s));
		/* gzip copies it before its sum is wrong. */
		cr_expect_eq(memcmp(out, big, n / 3), 0);
		cr_expect_eq(stream_read(s, out, 16), -1);
		stream_close(s);
		free(z.ptr);
	}
	free(big);
	free(out);
}

Test(stream, the_hash_is_that_of_the_decompressed_content)
{
	struct bytes files[] = { { (uint8_t *)TEXT, strlen(TEXT) },
		gzip(TEXT, strlen(TEXT)), zstd(TEXT, strlen(TEXT)),
		{ (uint8_t *)TEXT, strlen(TEXT) - 1 } };
	char hashes[4][STREAM_HASH_BYTES];
	uint8_t out[128];

	for (int i = 0; i < 4; i++) {
		struct stream *s =
		    stream_over(files[i].ptr, files[i].len, errbuf);

		read_all(s, out, sizeof(out), 3);
		stream_hash(s, hashes[i]);
		stream_close(s);
	}
	cr_expect_eq(strlen(hashes[0]), 32);
	cr_expect_str_eq(hashes[0], hashes[1]);
	cr_expect_str_eq(hashes[0], hashes[2]);
	cr_expect_str_neq(hashes[0], hashes[3]);
	free(files[1].ptr);
	free(files[2].ptr);
}

Test(stream, an_empty_one_is_at_its_end)
{
	struct stream *s = stream_over("", 0, errbuf);
	uint8_t out[4];

	cr_assert_not_null(s);
	cr_expect_eq(stream_read(s, out, 4), 0);
	cr_expect_str_eq(stream_error(s), "");
	stream_close(s);
}

Test(stream, what_cannot_be_opened_is_told_without_the_path)
{
	cr_expect_null(stream_open("/nowhere/case.pcap", errbuf));
	cr_expect_str_eq(errbuf, "No such file or directory");
	cr_expect_null(stream_open("/tmp", errbuf));
	cr_expect_str_eq(errbuf, "Is a directory");
}

/* A pipe gives what it has, not what was asked for. */
Test(stream, a_pipe_in_small_pieces_is_read_whole)
{
	struct bytes z = zstd(TEXT, strlen(TEXT));
	uint8_t out[128];
	struct stream *s;
	int ends[2];

	cr_assert_eq(pipe(ends), 0);
	if (fork() == 0) {
		for (size_t i = 0; i < z.len; i++) {
			if (write(ends[1], z.ptr + i, 1) != 1)
				_exit(1);
			usleep(200);
		}
		_exit(0);
	}
	close(ends[1]);
	cr_assert_eq(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	s = stream_open("-", errbuf);
	cr_assert_not_null(s, "%s", errbuf);
	cr_expect_eq(read_all(s, out, sizeof(out), sizeof(out)), strlen(TEXT));
	cr_expect_str_eq(stream_error(s), "");
	cr_expect_eq(stream_size(s), 0);
	stream_close(s);
	free(z.ptr);
}
