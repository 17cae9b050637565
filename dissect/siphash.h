/*
 * dissect/siphash.h - SipHash-1-3, the keyed hash of everything whose keys
 * come from the network (Aumasson and Bernstein, INDOCRYPT 2012).
 */
#ifndef DISSECT_SIPHASH_H
#define DISSECT_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

/* Of `count` words and half a one, as a little-endian machine lays them out:
 * a flow's key is of fixed length, and every packet comes through here. */
uint64_t siphash13(const uint8_t key[16], const uint64_t *words, size_t count,
    uint32_t rest);
/* Of any octets, with `c` rounds a word and `d` at the end. */
uint64_t
siphash(int c, int d, const uint8_t key[16], const void *bytes, size_t len);

/* SipHash-1-3 of octets that come one by one. */
struct siphash_stream {
	uint64_t v[4], word, length;
};
void siphash_stream_begin(struct siphash_stream *, const uint8_t key[16]);
void siphash_stream_add(struct siphash_stream *, uint8_t octet);
/* As siphash(1, 3, ...) of all of them; the stream can go on. */
uint64_t siphash_stream_sum(const struct siphash_stream *);

#endif
