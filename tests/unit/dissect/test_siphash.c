#include <criterion/criterion.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "dissect/siphash.h"

static const uint8_t key[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
	14, 15 };

/* The paper's appendix A: key 00..0f, message 00..0e. */
Test(siphash, the_papers_own_vector_comes_out)
{
	uint8_t message[15];

	for (uint8_t i = 0; i < 15; i++)
		message[i] = i;
	cr_assert_eq(siphash(2, 4, key, message, 15),
	    UINT64_C(0xa129ca6149be45e5));
	cr_assert_eq(siphash(2, 4, key, message, 0),
	    UINT64_C(0x726fdb47dd0e0e31));
}

static uint64_t
openssl_siphash(unsigned c, unsigned d, const uint8_t *message, size_t len)
{
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
	EVP_MAC_CTX *context = EVP_MAC_CTX_new(mac);
	size_t size = 8, written = 0;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
		OSSL_PARAM_construct_uint(OSSL_MAC_PARAM_C_ROUNDS, &c),
		OSSL_PARAM_construct_uint(OSSL_MAC_PARAM_D_ROUNDS, &d),
		OSSL_PARAM_construct_end(),
	};
	uint8_t out[8];
	uint64_t value = 0;

	cr_assert_eq(EVP_MAC_init(context, key, 16, params), 1);
	cr_assert_eq(EVP_MAC_update(context, message, len), 1);
	cr_assert_eq(EVP_MAC_final(context, out, &written, sizeof(out)), 1);
	cr_assert_eq(written, 8);
	for (int i = 7; i >= 0; i--)
		value = value << 8 | out[i];
	EVP_MAC_CTX_free(context);
	EVP_MAC_free(mac);
	return value;
}

Test(siphash, every_length_agrees_with_openssl)
{
	uint8_t message[300];

	for (size_t i = 0; i < sizeof(message); i++)
		message[i] = (uint8_t)(i * 37);
	for (size_t len = 0; len < sizeof(message); len++) {
		cr_assert_eq(siphash(1, 3, key, message, len),
		    openssl_siphash(1, 3, message, len), "%zu octets", len);
		cr_assert_eq(siphash(2, 4, key, message, len),
		    openssl_siphash(2, 4, message, len), "%zu octets", len);
	}
}

Test(siphash, words_are_octets_laid_out_little_endian)
{
	uint64_t words[4] = { 0 };
	uint8_t message[36];
	uint32_t rest = 0;

	for (size_t i = 0; i < sizeof(message); i++)
		message[i] = (uint8_t)(i * 37);
	for (size_t i = 0; i < 32; i++)
		words[i / 8] |= (uint64_t)message[i] << i % 8 * 8;
	for (size_t count = 0; count <= 4; count++) {
		rest = 0;
		for (size_t i = 0; i < 4; i++)
			rest |= (uint32_t)message[8 * count + i] << 8 * i;
		cr_assert_eq(siphash13(key, words, count, rest),
		    openssl_siphash(1, 3, message, 8 * count + 4), "%zu words",
		    count);
	}
}
