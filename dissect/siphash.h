/*
 * dissect/siphash.h - SipHash-1-3, the keyed hash of everything whose keys
 * come from the network (Aumasson and Bernstein, INDOCRYPT 2012).
 */
#ifndef DISSECT_SIPHASH_H
#define DISSECT_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t siphash13(const uint8_t key[16], const void *bytes, size_t len);
/* `c` rounds a word and `d` at the end: for the published test vectors. */
uint64_t
siphash(int c, int d, const uint8_t key[16], const void *bytes, size_t len);

#endif
