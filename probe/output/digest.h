/*
 * probe/output/digest.h - SHA-256 of what is handed on, and under a key of
 * what is not.
 */
#ifndef PROBE_OUTPUT_DIGEST_H
#define PROBE_OUTPUT_DIGEST_H

#include "dissect/slice.h"

#define DIGEST_BYTES 32
#define DIGEST_TEXT_BYTES 65 /* hex, and a NUL */

/* Both return `out`. */
const char *digest_text(struct slice, char out[DIGEST_TEXT_BYTES]);
/* HMAC (RFC 2104): who does not have the key cannot try what short text it
 * may be of. */
const char *digest_keyed_text(const uint8_t key[DIGEST_BYTES], struct slice,
    char out[DIGEST_TEXT_BYTES]);
/* -1: the system has no random octets. */
int digest_key(uint8_t key[DIGEST_BYTES]);
/* Of a file as it lies on disk. -1: it cannot be read. */
int digest_file(const char *path, char out[DIGEST_TEXT_BYTES]);

#endif
