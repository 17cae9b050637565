/*
 * probe/output/pcapng_out.h - packets with comments, as pcapng
 * (draft-ietf-opsawg-pcapng), which no library that we have can write.
 */
#ifndef PROBE_OUTPUT_PCAPNG_OUT_H
#define PROBE_OUTPUT_PCAPNG_OUT_H

#include <stdio.h>

#include "dissect/slice.h"

/* The section, with a comment on all of it. Little-endian. */
void pcapng_out_begin(FILE *, const char *program, const char *comment);
/* Where packets came from, numbered from 0 in this order; times in ns. */
void pcapng_out_interface(FILE *, uint32_t link_type, const char *comment);

struct pcapng_packet {
	uint32_t interface;
	int64_t capture_ts_ns;
	struct slice bytes;
	uint32_t wire_bytes;
	const char *comment; /* "": none */
};
void pcapng_out_packet(FILE *, const struct pcapng_packet *);

#endif
