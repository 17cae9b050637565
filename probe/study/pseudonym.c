#include "pseudonym.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#define BLOCK 16
#define BITS_MAX 128

struct pseudonyms {
	EVP_CIPHER_CTX *aes;
	uint8_t pad[BLOCK];
	uint8_t name_key[32];
};

static bool
encrypt(struct pseudonyms *p, uint8_t *blocks, int count)
{
	int n = 0;

	return EVP_EncryptUpdate(p->aes, blocks, &n, blocks, count * BLOCK) ==
	    1 &&
	    n == count * BLOCK;
}

static bool
hash(const uint8_t *key, int key_len, const void *bytes, size_t len,
    uint8_t out[32])
{
	unsigned n = 32;

	return HMAC(EVP_sha256(), key, key_len, bytes, len, out, &n) != NULL;
}

struct pseudonyms *
pseudonyms_create(const uint8_t key[PSEUDONYM_KEY_BYTES])
{
	static const char purpose[] = "striplight names";
	struct pseudonyms *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->aes = EVP_CIPHER_CTX_new();
	memcpy(p->pad, key + BLOCK, BLOCK);
	if (p->aes != NULL &&
	    EVP_EncryptInit_ex(p->aes, EVP_aes_128_ecb(), NULL, key, NULL) ==
		1 &&
	    EVP_CIPHER_CTX_set_padding(p->aes, 0) == 1 &&
	    encrypt(p, p->pad, 1) &&
	    hash(key, PSEUDONYM_KEY_BYTES, purpose, sizeof(purpose) - 1,
		p->name_key))
		return p;
	pseudonyms_destroy(p);
	return NULL;
}

void
pseudonyms_destroy(struct pseudonyms *p)
{
	if (p == NULL)
		return;
	EVP_CIPHER_CTX_free(p->aes);
	free(p);
}

/* The first `bits` of the address, and the pad behind them. */
static void
make_block(const struct pseudonyms *p, const uint8_t *octets, unsigned bits,
    uint8_t block[BLOCK])
{
	unsigned whole = bits / 8;
	uint8_t mask = (uint8_t)(0xff00 >> bits % 8);

	memcpy(block, p->pad, BLOCK);
	memcpy(block, octets, whole);
	if (bits % 8 != 0)
		block[whole] =
		    (uint8_t)((octets[whole] & mask) | (p->pad[whole] & ~mask));
}

bool
pseudonym_address(struct pseudonyms *p, const struct address *in,
    struct address *out)
{
	uint8_t blocks[BITS_MAX][BLOCK];
	unsigned bits = in->family == 4 ? 32 : 128;

	memset(out, 0, sizeof(*out));
	for (unsigned i = 0; i < bits; i++)
		make_block(p, in->octets, i, blocks[i]);
	if (!encrypt(p, blocks[0], (int)bits))
		return false;
	out->family = in->family;
	for (unsigned i = 0; i < bits; i++)
		out->octets[i / 8] |=
		    (uint8_t)((blocks[i][0] >> 7) << (7 - i % 8));
	for (unsigned i = 0; i < bits / 8; i++)
		out->octets[i] ^= in->octets[i];
	return true;
}

bool
pseudonym_name(struct pseudonyms *p, const char *name,
    char out[PSEUDONYM_NAME_BYTES])
{
	uint8_t digest[32];

	out[0] = '\0';
	if (!hash(p->name_key, sizeof(p->name_key), name, strlen(name), digest))
		return false;
	for (int i = 0; i < 8; i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
	return true;
}

static int
hex_digit(uint8_t c)
{
	return isdigit(c) ? c - '0' :
	    isxdigit(c)	  ? ascii_upper(c) - 'A' + 10 :
			    -1;
}

bool
pseudonym_key_parse(struct slice text, uint8_t key[PSEUDONYM_KEY_BYTES])
{
	if (text.len == PSEUDONYM_KEY_BYTES) {
		memcpy(key, text.ptr, PSEUDONYM_KEY_BYTES);
		return true;
	}
	while (text.len > 0 && isspace(text.ptr[text.len - 1]))
		text.len--;
	while (text.len > 0 && isspace(text.ptr[0]))
		text = slice_after(text, 1);
	if (text.len != 2 * PSEUDONYM_KEY_BYTES)
		return false;
	for (size_t i = 0; i < PSEUDONYM_KEY_BYTES; i++) {
		int high = hex_digit(text.ptr[2 * i]);
		int low = hex_digit(text.ptr[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		key[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}
