#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef STRIPLIGHT_XXHASH_DISPATCHES
#include <xxh_x86dispatch.h> /* the same hash, by what the processor has */
#else
#include <xxhash.h>
#endif
#include <zlib.h>
#include <zstd.h>

#define IN_BYTES (128 * 1024)

enum compression { PLAIN, GZIP, ZSTD };

struct stream {
	int fd;
	const uint8_t *memory; /* instead of a file */
	size_t memory_left;
	enum compression compression;
	uint8_t *in; /* octets of the file, not yet used */
	size_t in_have, in_used;
	bool in_end;
	z_stream gzip;
	ZSTD_DStream *zstd;
	bool frame_open; /* inside a member or frame */
	XXH3_state_t *hash;
	uint64_t position, size;
	char error[STREAM_ERRBUF];
};

/* More octets of the file behind those that are left; -1: an error. */
static int
fill(struct stream *s)
{
	ssize_t n;

	if (s->in_end || s->in_have - s->in_used == IN_BYTES)
		return 0;
	if (s->in_used > 0) {
		memmove(s->in, s->in + s->in_used, s->in_have - s->in_used);
		s->in_have -= s->in_used;
		s->in_used = 0;
	}
	if (s->memory != NULL) {
		n = (ssize_t)(IN_BYTES - s->in_have < s->memory_left ?
			IN_BYTES - s->in_have :
			s->memory_left);
		if (n > 0)
			memcpy(s->in + s->in_have, s->memory, (size_t)n);
		s->memory += n;
		s->memory_left -= (size_t)n;
	} else {
		do
			n = read(s->fd, s->in + s->in_have,
			    IN_BYTES - s->in_have);
		while (n < 0 && errno == EINTR);
	}
	if (n < 0) {
		snprintf(s->error, sizeof(s->error), "%s", strerror(errno));
		return -1;
	}
	s->in_end = n == 0;
	s->in_have += (size_t)n;
	s->position += (uint64_t)n;
	return 0;
}

static int
detect(struct stream *s)
{
	static const uint8_t gzip_magic[] = { 0x1f, 0x8b };
	static const uint8_t zstd_magic[] = { 0x28, 0xb5, 0x2f, 0xfd };

	while (s->in_have < 4 && !s->in_end)
		if (fill(s) != 0)
			return -1;
	if (s->in_have >= 2 && memcmp(s->in, gzip_magic, 2) == 0) {
		s->compression = GZIP;
		/* 16: gzip headers only, with their checksums. */
		if (inflateInit2(&s->gzip, 15 + 16) != Z_OK)
			goto memory;
	} else if (s->in_have >= 4 && memcmp(s->in, zstd_magic, 4) == 0) {
		s->compression = ZSTD;
		s->zstd = ZSTD_createDStream();
		if (s->zstd == NULL)
			goto memory;
		ZSTD_initDStream(s->zstd);
	}
	return 0;
memory:
	snprintf(s->error, sizeof(s->error), "out of memory");
	return -1;
}

static struct stream *
start(int fd, const void *bytes, size_t len, char errbuf[STREAM_ERRBUF])
{
	struct stream *s = calloc(1, sizeof(*s));
	struct stat st;

	snprintf(errbuf, STREAM_ERRBUF, "out of memory");
	if (s == NULL)
		return NULL;
	s->fd = fd;
	s->memory = bytes;
	s->memory_left = len;
	s->in = malloc(IN_BYTES);
	s->hash = XXH3_createState();
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		s->size = (uint64_t)st.st_size;
	if (s->in == NULL || s->hash == NULL) {
		stream_close(s);
		return NULL;
	}
	XXH3_128bits_reset(s->hash);
	if (detect(s) != 0) {
		snprintf(errbuf, STREAM_ERRBUF, "%s", s->error);
		stream_close(s);
		return NULL;
	}
	errbuf[0] = '\0';
	return s;
}

struct stream *
stream_open(const char *path, char errbuf[STREAM_ERRBUF])
{
	struct stat st;
	int fd = 0;

	if (strcmp(path, "-") != 0) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0) {
			snprintf(errbuf, STREAM_ERRBUF, "%s", strerror(errno));
			return NULL;
		}
		if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
			snprintf(errbuf, STREAM_ERRBUF, "%s", strerror(EISDIR));
			close(fd);
			return NULL;
		}
	}
	return start(fd, NULL, 0, errbuf);
}

struct stream *
stream_over(const void *bytes, size_t len, char errbuf[STREAM_ERRBUF])
{
	return start(-1, bytes, len, errbuf);
}

void
stream_close(struct stream *s)
{
	if (s == NULL)
		return;
	if (s->compression == GZIP)
		inflateEnd(&s->gzip);
	ZSTD_freeDStream(s->zstd);
	XXH3_freeState(s->hash);
	if (s->fd > 0)
		close(s->fd);
	free(s->in);
	free(s);
}

/* Each moves octets from `in` to `out`; how many came out, -1: an error. */
static ssize_t
read_gzip(struct stream *s, uint8_t *out, size_t room)
{
	int status;

	s->gzip.next_in = s->in + s->in_used;
	s->gzip.avail_in = (uInt)(s->in_have - s->in_used);
	s->gzip.next_out = out;
	s->gzip.avail_out = (uInt)room;
	status = inflate(&s->gzip, Z_NO_FLUSH);
	/* Without progress nothing is learned: it may be the very end. */
	if (s->in_used != s->in_have - s->gzip.avail_in ||
	    s->gzip.avail_out < room)
		s->frame_open = status != Z_STREAM_END;
	s->in_used = s->in_have - s->gzip.avail_in;
	if (status == Z_STREAM_END) {
		/* Another member may follow; anything else is padding. */
		inflateReset(&s->gzip);
		if (s->in_have - s->in_used < 2 && fill(s) != 0)
			return -1;
		if (s->in_have - s->in_used < 2 || s->in[s->in_used] != 0x1f) {
			s->in_used = s->in_have;
			s->in_end = true;
		}
	} else if (status != Z_OK && status != Z_BUF_ERROR) {
		snprintf(s->error, sizeof(s->error), "damaged gzip data (%s)",
		    s->gzip.msg ? s->gzip.msg : "unknown");
		return -1;
	}
	return (ssize_t)(room - s->gzip.avail_out);
}

static ssize_t
read_zstd(struct stream *s, uint8_t *out, size_t room)
{
	ZSTD_inBuffer in = { s->in, s->in_have, s->in_used };
	ZSTD_outBuffer to = { out, room, 0 };
	size_t status = ZSTD_decompressStream(s->zstd, &to, &in);

	if (in.pos > s->in_used || to.pos > 0)
		s->frame_open = status != 0;
	s->in_used = in.pos;
	if (ZSTD_isError(status)) {
		snprintf(s->error, sizeof(s->error), "damaged zstd data (%s)",
		    ZSTD_getErrorName(status));
		return -1;
	}
	return (ssize_t)to.pos;
}

static ssize_t
read_plain(struct stream *s, uint8_t *out, size_t room)
{
	size_t n = s->in_have - s->in_used;

	if (n > room)
		n = room;
	memcpy(out, s->in + s->in_used, n);
	s->in_used += n;
	return (ssize_t)n;
}

/* Plain files go past the buffer, straight to where they are wanted. */
static ssize_t
read_direct(struct stream *s, uint8_t *out, size_t room)
{
	ssize_t n;

	do
		n = read(s->fd, out, room);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		snprintf(s->error, sizeof(s->error), "%s", strerror(errno));
	else if (n == 0)
		s->in_end = true;
	else
		s->position += (uint64_t)n;
	return n;
}

ssize_t
stream_read(struct stream *s, void *out, size_t room)
{
	size_t have = 0;

	while (have < room) {
		uint8_t *to = (uint8_t *)out + have;
		size_t before = s->in_used;
		ssize_t n;

		/* A decompressor may hold octets though its input ended. */
		if (s->in_used == s->in_have && s->in_end &&
		    s->compression == PLAIN)
			break;
		if (s->in_used == s->in_have && s->compression == PLAIN &&
		    s->memory == NULL) {
			n = read_direct(s, to, room - have);
		} else {
			if (s->in_used == s->in_have && !s->in_end &&
			    fill(s) != 0)
				return have > 0 ? (ssize_t)have : -1;
			/* Asked for more without any input, zstd would wait
			 * for another frame. */
			if (s->in_used == s->in_have)
				break;
			n = s->compression == GZIP ?
			    read_gzip(s, to, room - have) :
			    s->compression == ZSTD ?
			    read_zstd(s, to, room - have) :
			    read_plain(s, to, room - have);
			if (n == 0 && s->in_used == before && !s->in_end &&
			    fill(s) != 0)
				n = -1;
			else if (n == 0 && s->in_used == before && s->in_end)
				break;
		}
		if (n < 0)
			break;
		XXH3_128bits_update(s->hash, to, (size_t)n);
		have += (size_t)n;
	}
	if (have < room && s->error[0] == '\0' && s->frame_open)
		snprintf(s->error, sizeof(s->error),
		    "the %s data ends too early", stream_compression(s));
	if (have == 0 && s->error[0] != '\0')
		return -1;
	return (ssize_t)have;
}

const char *
stream_error(const struct stream *s)
{
	return s->error;
}

void
stream_hash(const struct stream *s, char hex[STREAM_HASH_BYTES])
{
	XXH128_hash_t hash = XXH3_128bits_digest(s->hash);

	snprintf(hex, STREAM_HASH_BYTES, "%016llx%016llx",
	    (unsigned long long)hash.high64, (unsigned long long)hash.low64);
}

uint64_t
stream_position(const struct stream *s)
{
	return s->position - (s->in_have - s->in_used);
}

uint64_t
stream_size(const struct stream *s)
{
	return s->size;
}

const char *
stream_compression(const struct stream *s)
{
	static const char *const names[] = { "", "gzip", "zstd" };

	return names[s->compression];
}
