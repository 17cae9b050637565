/*
 * probe/output/blanking.h - which octets of a packet may be handed on.
 *
 * Facts are redacted; packets are not. So an octet of a payload stays only
 * where a fact shows it, in a line whose other octets are as the fact has
 * them, or where it stands in a record of the TLS handshake. All else - local
 * parts, credentials, messages, what the facts do not know - is blanked at
 * equal length.
 */
#ifndef PROBE_OUTPUT_BLANKING_H
#define PROBE_OUTPUT_BLANKING_H

#include "dissect/fact.h"

#define BLANK_OCTET '#'

/* One payload of a session, and where it stands in its stream. */
struct stretch {
	enum dir dir;
	uint64_t stream_offset;
	struct slice payload;
};

/* Where the last TLS record of a direction ends; zeroed to begin with. */
struct record_walk {
	uint64_t end;
	uint8_t type;
};

/*
 * Sets shown[i] where octet i of the payload may be shown. `facts` are those
 * of the session, encoded, without their version. The
 * payloads of a direction come in the order of their frames.
 */
void blanking_shown(const struct stretch *, struct slice facts,
    struct record_walk *, bool *shown);

#endif
