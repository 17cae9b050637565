/*
 * dissect/reassembly.h - what an engine of TCP reassembly delivers.
 *
 * Engines only deliver; what the bytes mean is the listener's affair. Bytes
 * of a direction come in stream order, each once, in place (borrowed), and
 * never change afterwards. Between the directions the order follows the
 * acknowledgement numbers (design 5).
 */
#ifndef DISSECT_REASSEMBLY_H
#define DISSECT_REASSEMBLY_H

#include "fact.h"
#include "packet.h"

/* Where bytes come from. */
struct origin {
	uint64_t frame;	    /* that completed them, within its capture */
	uint64_t run_frame; /* the same, within the run */
	int64_t capture_ts_ns;
	uint64_t stream_offset; /* of the first byte, from 0 after the SYN */
	uint32_t capture;
	bool one_sided; /* the peer has not been captured at all */
};

/* What the listener wants of the flow from now on. */
enum interest {
	INTEREST_NEGOTIATION, /* every byte, in acknowledgement order */
	INTEREST_BYTES,	      /* every byte, replies behind what they answer;
				 * sums need not be verified */
	INTEREST_OPAQUE,      /* in-sequence bytes as they come; nothing is
				 * worth waiting for or keeping */
	INTEREST_NONE,	      /* forget the flow */
};

enum worth {
	WORTH_OPAQUE,  /* nothing more can be learned of it */
	WORTH_UNKNOWN, /* may turn out not to be SMTP */
	WORTH_GREETED,
	WORTH_NEGOTIATING, /* what the program exists for */
	WORTHS
};

struct flow_start {
	struct flow_identity identity; /* client is who sent the SYN, or the
					 * higher port where nobody saw one */
	bool midstream;
};

/* What is known of a direction's sequence numbers. */
struct sent {
	uint32_t base;	/* of stream offset 0 */
	uint32_t next;	/* of the first octet that was not delivered */
	uint32_t acked; /* by the peer, highest; if has_acked */
	bool has_acked;
};

/* Does a segment bring what a session's watch wants to see? */
static inline bool
segment_tells(const struct packet *p)
{
	return p->payload_wire_bytes > 0 || p->flags & (TCP_FIN | TCP_RST);
}

/* Callbacks get the `session` that opened() gave. */
struct stream_listener {
	void *context;
	/* First payload or SYN of a flow. NULL: not interested, forget it. */
	void *(*opened)(void *context, const struct flow_start *,
	    const struct origin *);
	enum interest (*bytes)(void *context, void *session, enum dir,
	    struct slice, const struct origin *);
	/* `missing` octets never came, or were cut by snaplen. */
	enum interest (*gap)(void *context, void *session, enum dir,
	    uint64_t missing, bool snapped, const struct origin *);
	/* The last call, unless it lingers; `acked[dir]`: how far the peer
	 * acknowledged dir. */
	void (*closed)(void *context, void *session, enum ending, enum dir who,
	    const uint64_t acked[2], const struct origin *);
	/* When room runs out, which sessions go first. */
	enum worth (*worth)(void *context, void *session);
	/* How many octets it holds of what may become scarce: see
	 * native_relieve(). */
	size_t (*held_bytes)(void *context, void *session);
	/* How far each direction has been acknowledged; before bytes() and
	 * gap() are called. This and those that follow may be NULL. */
	void (*acked)(void *context, void *session, const uint64_t acked[2]);
	/*
	 * Every segment of a session that brings octets or an end, as it came,
	 * after they were delivered; of an opaque session only those that
	 * repeat something.
	 */
	void (*segment)(void *context, void *session, enum dir,
	    const struct packet *, enum sum, const struct sent *);
	/* Asked before closed(): should it linger, for copies that come late
	 * (a forged reply is often faster than a whole dialogue)? Then
	 * forgotten() is the last call, and segment() goes on until then. */
	bool (*lingers)(void *context, void *session);
	void (*forgotten)(void *context, void *session);
};

#endif
