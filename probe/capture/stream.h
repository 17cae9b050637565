/*
 * probe/capture/stream.h - the bytes of a capture, wherever they are.
 *
 * A file, standard input, or either of them compressed by gzip or zstd, which
 * is told by their first octets and not by the name. What comes out is hashed
 * on the way (XXH3-128): a capture is known by its decompressed content.
 */
#ifndef PROBE_CAPTURE_STREAM_H
#define PROBE_CAPTURE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define STREAM_ERRBUF 256
#define STREAM_HASH_BYTES 33 /* hex and a NUL */

struct stream;

/* `path` "-" is standard input. NULL with a message without the path. */
struct stream *stream_open(const char *path, char errbuf[STREAM_ERRBUF]);
/* Over bytes in memory, borrowed: for tests. */
struct stream *
stream_over(const void *bytes, size_t len, char errbuf[STREAM_ERRBUF]);
void stream_close(struct stream *);
/*
 * Fills `out` as far as there are bytes; fewer than `room` means the end.
 * -1: reading or decompressing failed; stream_error() says why, and what came
 * before is good.
 */
ssize_t stream_read(struct stream *, void *out, size_t room);
const char *stream_error(const struct stream *);

/* Of what was read so far. */
void stream_hash(const struct stream *, char hex[STREAM_HASH_BYTES]);
/* Octets of the file read, compressed as they are; its size, 0: unknown. */
uint64_t stream_position(const struct stream *);
uint64_t stream_size(const struct stream *);
/* "", "gzip" or "zstd". */
const char *stream_compression(const struct stream *);

#endif
