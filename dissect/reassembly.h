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

/* Callbacks get the `session` that opened() gave. All are required. */
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
	/* How far `dir` has been acknowledged, before bytes() is called for
	 * the segment that carried the acknowledgement. */
	void (*acked)(void *context, void *session, enum dir, uint64_t offset);
	/*
	 * Every segment of a session, as it came, after what it brought was
	 * delivered; of an opaque one only those that repeat something.
	 * `base` is the sequence number of its direction's offset 0. This and
	 * the next two may be NULL.
	 */
	void (*segment)(void *context, void *session, enum dir,
	    const struct packet *, enum sum, uint32_t base);
	/* Asked before closed(): should it linger, for copies that come late
	 * (a forged reply is often faster than a whole dialogue)? Then
	 * forgotten() is the last call, and segment() goes on until then. */
	bool (*lingers)(void *context, void *session);
	void (*forgotten)(void *context, void *session);
};

#endif
