#include "community_id.h"

#include <string.h>

#include <openssl/evp.h>

static size_t
put(uint8_t *out, const struct endpoint *e)
{
	size_t n = e->address.family == 6 ? 16 : 4;

	memcpy(out, e->address.octets, n);
	return n;
}

void
community_id(const struct endpoint *a, const struct endpoint *b, uint16_t seed,
    char out[COMMUNITY_ID_BYTES])
{
	int order = memcmp(a->address.octets, b->address.octets, 16);
	uint8_t key[64], digest[EVP_MAX_MD_SIZE];
	unsigned digest_bytes = 0;
	size_t n = 0;

	if (order > 0 || (order == 0 && a->port > b->port)) {
		const struct endpoint *swap = a;

		a = b;
		b = swap;
	}
	key[n++] = (uint8_t)(seed >> 8);
	key[n++] = (uint8_t)seed;
	n += put(key + n, a);
	n += put(key + n, b);
	key[n++] = 6; /* TCP */
	key[n++] = 0;
	key[n++] = (uint8_t)(a->port >> 8);
	key[n++] = (uint8_t)a->port;
	key[n++] = (uint8_t)(b->port >> 8);
	key[n++] = (uint8_t)b->port;
	out[0] = '\0';
	if (EVP_Digest(key, n, digest, &digest_bytes, EVP_sha1(), NULL) != 1)
		return;
	memcpy(out, "1:", 2);
	EVP_EncodeBlock((unsigned char *)out + 2, digest, (int)digest_bytes);
}
