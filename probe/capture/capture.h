/*
 * probe/capture/capture.h - frames of a capture file, one after the other.
 *
 * pcap in both byte orders, with microseconds or nanoseconds, and pcapng with
 * its sections, interfaces and time resolutions, are walked in place; what
 * else libpcap can read goes through libpcap. Frames lie in blocks that are
 * counted by reference: who needs a frame for longer than until the next call
 * holds its block.
 */
#ifndef PROBE_CAPTURE_CAPTURE_H
#define PROBE_CAPTURE_CAPTURE_H

#include "dissect/packet.h"

#include "stream.h"

#define CAPTURE_ERRBUF 512

struct capture;
struct block;

enum capture_result {
	CAPTURE_FRAME,
	CAPTURE_END,
	CAPTURE_FAULT, /* damaged or unreadable; capture_fault() says how */
};

/* NULL with a message that does not name the path: "No such file ...", "not
 * a capture (starts with ...)". `is_capture` tells, for folders, a file that
 * is none from one that is damaged. */
struct capture *
capture_open(const char *path, bool *is_capture, char errbuf[CAPTURE_ERRBUF]);
/* The same over an open stream, which it takes over. */
struct capture *
capture_over(struct stream *, bool *is_capture, char errbuf[CAPTURE_ERRBUF]);
void capture_close(struct capture *);

/* Fills all of `frame` but `capture` and `run_number`. After END and FAULT
 * it gives the same again. */
enum capture_result capture_next(struct capture *, struct frame *);
const char *capture_fault(const struct capture *);

/* Where the last frame lies. */
struct block *capture_block(struct capture *);
struct block *block_hold(struct block *);
void block_release(struct block *);

struct capture_info {
	char format[32];     /* "pcap", "pcapng", "pcap (nanoseconds)", ...,
				 * with " in gzip" or " in zstd" behind */
	char link_types[64]; /* numbers, blanks between */
	uint64_t frames;
	int64_t first_ns, last_ns;    /* lowest and highest; 0 with no frame */
	uint64_t position, size;      /* octets of the file; size 0: unknown */
	uint64_t bytes;		      /* decompressed, so far */
	char hash[STREAM_HASH_BYTES]; /* of all octets, after the end */
};
void capture_describe(const struct capture *, struct capture_info *);

#endif
