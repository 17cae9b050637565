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

static inline void
mix(struct state *s)
{
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

static inline struct state
begin(const uint8_t key[16])
{
	uint64_t k0 = load_le64(key), k1 = load_le64(key + 8);

	return (struct state){
		k0 ^ UINT64_C(0x736f6d6570736575),
		k1 ^ UINT64_C(0x646f72616e646f6d),
		k0 ^ UINT64_C(0x6c7967656e657261),
		k1 ^ UINT64_C(0x7465646279746573),
	};
}

/* Octets that fill no word, and the length. */
static inline uint64_t
last_word(const uint8_t *in, size_t len)
{
	uint64_t word = (uint64_t)len << 56;

	for (size_t i = 0; i < len % 8; i++)
		word |= (uint64_t)in[len / 8 * 8 + i] << (8 * i);
	return word;
}

static inline void
absorb(struct state *s, uint64_t word, int rounds)
{
	s->v3 ^= word;
	for (int i = 0; i < rounds; i++)
		mix(s);
	s->v0 ^= word;
}

static inline uint64_t
finish(struct state *s, int rounds)
{
	s->v2 ^= 0xff;
	for (int i = 0; i < rounds; i++)
		mix(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

uint64_t
siphash13(const uint8_t key[16], const uint64_t *words, size_t count,
    uint32_t rest)
{
	uint64_t last = (uint64_t)(8 * count + 4) << 56 | rest;
	struct state s = begin(key);

	for (size_t i = 0; i < count; i++)
		absorb(&s, words[i], 1);
	absorb(&s, last, 1);
	return finish(&s, 3);
}

uint64_t
siphash(int c, int d, const uint8_t key[16], const void *bytes, size_t len)
{
	struct state s = begin(key);
	const uint8_t *in = bytes;

	for (size_t i = 0; i < len / 8; i++)
		absorb(&s, load_le64(in + 8 * i), c);
	absorb(&s, last_word(in, len), c);
	return finish(&s, d);
}

void
siphash_stream_begin(struct siphash_stream *out, const uint8_t key[16])
{
	struct state s = begin(key);

	*out = (struct siphash_stream){ { s.v0, s.v1, s.v2, s.v3 }, 0, 0 };
}

void
siphash_stream_add(struct siphash_stream *stream, uint8_t octet)
{
	uint64_t *v = stream->v;
	struct state s = { v[0], v[1], v[2], v[3] };

	stream->word |= (uint64_t)octet << (8 * (stream->length++ % 8));
	if (stream->length % 8 != 0)
		return;
	absorb(&s, stream->word, 1);
	*stream = (struct siphash_stream){ { s.v0, s.v1, s.v2, s.v3 }, 0,
		stream->length };
}

uint64_t
siphash_stream_sum(const struct siphash_stream *stream)
{
	const uint64_t *v = stream->v;
	struct state s = { v[0], v[1], v[2], v[3] };

	absorb(&s, stream->word | stream->length << 56, 1);
	return finish(&s, 3);
}
