/*
 * dissect/body_digest.h - a message's digest, for those who ask whether two
 * captures show the same one.
 *
 * Keyed (siphash.h): without the key, which does not outlive its run, it tells
 * nothing of a message, not even to who guesses its text. Of the message as
 * the sender wrote it: dots are unstuffed (RFC 5321 4.5.2) and the end of DATA
 * is left out, so that DATA and BDAT give the same.
 */
#ifndef DISSECT_BODY_DIGEST_H
#define DISSECT_BODY_DIGEST_H

#include <stdbool.h>

#include "siphash.h"
#include "slice.h"

struct body_digest {
	struct siphash_stream whole, content; /* all; behind the header */
	bool in_header, in_line, dots;
	uint8_t held; /* of a dot, CR and LF at the start of a line */
};

/* `dots`: of DATA, where a dot may be stuffed; false: of BDAT. */
void body_digest_begin(struct body_digest *, const uint8_t key[16], bool dots);
void body_digest_add(struct body_digest *, struct slice);

/* Bytes of FACT_BODY_DIGEST: of the whole message, then of what stands behind
 * its header, which a relay may add to. Little-endian. */
#define BODY_DIGEST_BYTES 16
void
body_digest_end(const struct body_digest *, uint8_t out[BODY_DIGEST_BYTES]);

#endif
