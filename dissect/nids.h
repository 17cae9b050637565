/*
 * dissect/nids.h - the classic engine of TCP reassembly: libnids.
 *
 * For who wants a second opinion that this project did not write. IPv4 only,
 * connections of which it sees the whole handshake, no gaps: behind an octet
 * that is not in the capture it delivers nothing more. Defragments by itself.
 *
 * libnids keeps global state, and knows no bound in octets but 64 KiB of
 * segments for each direction: one engine a process, on one thread, and
 * NIDS_STREAMS_MAX connections at most, whatever the budget of flows.
 */
#ifndef DISSECT_NIDS_H
#define DISSECT_NIDS_H

#include "packet.h"
#include "reassembly.h"

#define NIDS_STREAMS_MAX 16384

struct nids_config {
	size_t flows_max;
	bool any_port; /* follow flows off the mail ports */
	/* Is SMTP spoken on this port? Borrowed, one bit a port. */
	const uint8_t *mail_ports; /* 8192 octets */
	bool dns;		   /* follow DNS over TCP too */
};

/* Why libnids refuses what it does. */
enum {
	NIDS_SUM = 1 << 0, /* or a damaged TCP header */
	NIDS_CUT = 1 << 1, /* by snaplen, or a damaged IP header */
	NIDS_SOURCE_ROUTE = 1 << 2,
	NIDS_FRAGMENTS = 1 << 3, /* overlap, or make no datagram */
	NIDS_TABLE = 1 << 4,	 /* another connection was given up */
	NIDS_QUEUE = 1 << 5,	 /* all segments that waited, too */
	NIDS_WINDOW = 1 << 6,	 /* beyond the one that was offered */
	NIDS_TIMESTAMP = 1 << 7, /* older than the last (PAWS) */
	NIDS_REASONS = 8
};

struct nids_engine;

/* Everything is borrowed for the engine's life; NULL: no memory, or there is
 * one already. */
struct nids_engine *nids_engine_create(const struct nids_config *,
    const struct stream_listener *, struct counters *);
void nids_engine_destroy(struct nids_engine *);
/*
 * A decoded segment or a fragment; of IPv6, nothing happens. Returns NIDS_*:
 * what libnids refused. Sums are verified, but not those of a host whose SYN
 * came with a wrong one: it was captured before its network card filled them
 * in. IP headers' sums are not, as the native engine does it.
 */
unsigned nids_engine_packet(struct nids_engine *, const struct packet *);
/* Ends what has been idle for an hour at `clock_ns` (see capture_clock.h). */
void nids_engine_expire(struct nids_engine *, int64_t clock_ns);
/* Ends all flows, oldest first: the capture is over. */
void nids_engine_finish(struct nids_engine *);

#endif
