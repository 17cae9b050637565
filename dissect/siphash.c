#include "siphash.h"

#include <string.h>

struct state {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t
rotl(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

/* Written out: compilers make one load of it. */
static inline uint64_t
load_le64(const uint8_t *p)
{
	return p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 |
	    (uint64_t)p[3] << 24 | (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 |
	    (uint64_t)p[6] << 48 | (uint64_t)p[7] << 56;
}

static inline uint64_t
load_le(const uint8_t *p, size_t octets)
{
	uint64_t value = 0;

	for (size_t i = 0; i < octets; i++)
		value |= (uint64_t)p[i] << (8 * i);
	return value;
}

static inline void
rounds(struct state *s, int n)
{
	while (n-- > 0) {
		s->v0 += s->v1;
		s->v1 = rotl(s->v1, 13) ^ s->v0;
		s->v0 = rotl(s->v0, 32);
		s->v2 += s->v3;
		s->v3 = rotl(s->v3, 16) ^ s->v2;
		s->v0 += s->v3;
		s->v3 = rotl(s->v3, 21) ^ s->v0;
		s->v2 += s->v1;
		s->v1 = rotl(s->v1, 17) ^ s->v2;
		s->v2 = rotl(s->v2, 32);
	}
}

static inline uint64_t
hash(int c, int d, const uint8_t key[16], const uint8_t *in, size_t len)
{
	uint64_t k0 = load_le64(key), k1 = load_le64(key + 8), m;
	struct state s = {
		k0 ^ UINT64_C(0x736f6d6570736575),
		k1 ^ UINT64_C(0x646f72616e646f6d),
		k0 ^ UINT64_C(0x6c7967656e657261),
		k1 ^ UINT64_C(0x7465646279746573),
	};
	size_t left = len;

	for (; left >= 8; left -= 8, in += 8) {
		m = load_le64(in);
		s.v3 ^= m;
		rounds(&s, c);
		s.v0 ^= m;
	}
	m = load_le(in, left) | (uint64_t)len << 56;
	s.v3 ^= m;
	rounds(&s, c);
	s.v0 ^= m;
	s.v2 ^= 0xff;
	rounds(&s, d);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

uint64_t
siphash13(const uint8_t key[16], const void *bytes, size_t len)
{
	return hash(1, 3, key, bytes, len);
}

uint64_t
siphash(int c, int d, const uint8_t key[16], const void *bytes, size_t len)
{
	return hash(c, d, key, bytes, len);
}
