/*
 * dissect/native.h - our own engine of TCP reassembly.
 *
 * IPv4 and IPv6, out of order, overlapping, midstream and one-sided, bounded
 * in flows and octets. In-sequence bytes are handed on in place and at once,
 * except that inside a negotiation a segment that acknowledges peer bytes not
 * yet seen waits for them (design 5), and behind it a reply does. Sessions
 * linger for a little while after their end (reassembly.h). A flow belongs to
 * one engine, an engine to one shard; not thread-safe.
 */
#ifndef DISSECT_NATIVE_H
#define DISSECT_NATIVE_H

#include "packet.h"
#include "reassembly.h"

struct native_config {
	size_t flows_max; /* at least 1 */
	size_t out_of_order_bytes_max;
	bool any_port; /* follow flows off the mail ports */
	/* Is SMTP spoken on this port? Borrowed, one bit a port. */
	const uint8_t *mail_ports; /* 8192 octets */
	const uint8_t *key;	   /* of the flow hash, 16 octets */
};

struct native;

/* Everything is borrowed for the engine's life; NULL: no memory. */
struct native *native_create(const struct native_config *,
    const struct stream_listener *, struct counters *);
void native_destroy(struct native *);
/* A segment that will come soon; see flow_table.h. */
void native_expect(const struct native *, struct packet *);
void native_fetch(const struct native *, struct packet *);
/* What opened() gave for its flow, as far as is known: an address to fetch
 * from, that may be stale. */
const void *native_session(const struct native *, const struct packet *);
/* A decoded segment (PACKET_TCP). */
void native_segment(struct native *, const struct packet *);
/* Ends what has been idle for too long at `clock_ns` (capture_clock.h). */
void native_expire(struct native *, int64_t clock_ns);
/* Something that sessions hold becomes scarce: ends the one that is worth
 * least, and among the longest idle of equals the one that holds most. False:
 * nobody holds any but ordinary sessions that may go on. */
bool native_relieve(struct native *, int64_t clock_ns);
/* Ends all flows: the capture is over. */
void native_finish(struct native *);

#endif
