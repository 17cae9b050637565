#include "digest.h"

#include <stdio.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

static const char *
hex(const uint8_t digest[DIGEST_BYTES], char out[DIGEST_TEXT_BYTES])
{
	for (int i = 0; i < DIGEST_BYTES; i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
	return out;
}

const char *
digest_text(struct slice s, char out[DIGEST_TEXT_BYTES])
{
	uint8_t digest[EVP_MAX_MD_SIZE];

	EVP_Digest(s.ptr, s.len, digest, NULL, EVP_sha256(), NULL);
	return hex(digest, out);
}

const char *
digest_keyed_text(const uint8_t key[DIGEST_BYTES], struct slice s,
    char out[DIGEST_TEXT_BYTES])
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned length;

	HMAC(EVP_sha256(), key, DIGEST_BYTES, s.ptr, s.len, digest, &length);
	return hex(digest, out);
}

int
digest_key(uint8_t key[DIGEST_BYTES])
{
	return RAND_bytes(key, DIGEST_BYTES) == 1 ? 0 : -1;
}

int
digest_file(const char *path, char out[DIGEST_TEXT_BYTES])
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	FILE *in = fopen(path, "rb");
	uint8_t block[65536], digest[EVP_MAX_MD_SIZE];
	int status = -1;
	size_t n;

	if (context == NULL || in == NULL ||
	    EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1)
		goto out;
	while ((n = fread(block, 1, sizeof(block), in)) > 0)
		EVP_DigestUpdate(context, block, n);
	if (!ferror(in) && EVP_DigestFinal_ex(context, digest, NULL) == 1) {
		hex(digest, out);
		status = 0;
	}
out:
	if (in != NULL)
		fclose(in);
	EVP_MD_CTX_free(context);
	return status;
}
