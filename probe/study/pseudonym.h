/*
 * probe/study/pseudonym.h - addresses and names that can be published.
 *
 * Addresses by Crypto-PAn: J. Xu, J. Fan, M. H. Ammar, S. B. Moon,
 * "Prefix-Preserving IP Address Anonymization", ICNP 2002; AES-128, two
 * addresses that share n bits have pseudonyms that share n bits. IPv6 is the
 * same over 128 bits. Names by HMAC-SHA-256 (RFC 2104), cut to 64 bits.
 *
 * A key is 32 octets: 16 for AES and 16 for the pad, as in the authors' own
 * program; names have a key that is derived from both.
 */
#ifndef PROBE_STUDY_PSEUDONYM_H
#define PROBE_STUDY_PSEUDONYM_H

#include "dissect/address.h"
#include "dissect/slice.h"

#define PSEUDONYM_KEY_BYTES 32
#define PSEUDONYM_NAME_BYTES 17 /* 16 hex digits and a NUL */

struct pseudonyms;

/* NULL: no memory, or no AES. */
struct pseudonyms *pseudonyms_create(const uint8_t key[PSEUDONYM_KEY_BYTES]);
void pseudonyms_destroy(struct pseudonyms *);
/* False: AES failed; `out` is then empty. */
bool pseudonym_address(struct pseudonyms *, const struct address *,
    struct address *out);
bool pseudonym_name(struct pseudonyms *, const char *name,
    char out[PSEUDONYM_NAME_BYTES]);

/* 64 hex digits, blanks around them, or 32 octets. False: it is neither. */
bool pseudonym_key_parse(struct slice, uint8_t key[PSEUDONYM_KEY_BYTES]);

#endif
