/* Crypto-PAn against the vectors that its authors and others published. */
#include <criterion/criterion.h>

#include "probe/study/pseudonym.h"

/* sample.cpp of Crypto-PAn 1.0. */
static const uint8_t key[PSEUDONYM_KEY_BYTES] = { 21, 34, 23, 141, 51, 164, 207,
	128, 19, 10, 91, 22, 73, 144, 125, 16, 216, 152, 143, 131, 121, 121,
	101, 39, 98, 87, 76, 45, 42, 132, 34, 2 };

static void
expect(const char *from, const char *to)
{
	struct pseudonyms *p = pseudonyms_create(key);
	struct address in, out;
	char text[ADDRESS_TEXT_BYTES];

	cr_assert(address_parse(from, &in));
	cr_assert(pseudonym_address(p, &in, &out));
	cr_expect_str_eq(address_format(&out, text), to, "%s: %s, not %s", from,
	    text, to);
	pseudonyms_destroy(p);
}

Test(pseudonym, ipv4_is_as_the_authors_publish_it)
{
	static const char *const vectors[][2] = {
		{ "128.11.68.132", "135.242.180.132" },
		{ "129.118.74.4", "134.136.186.123" },
		{ "130.132.252.244", "133.68.164.234" },
		{ "141.223.7.43", "141.167.8.160" },
		{ "141.233.145.108", "141.129.237.235" },
		{ "152.163.225.39", "151.140.114.167" },
		{ "156.29.3.236", "147.225.12.42" },
		{ "165.247.96.84", "162.9.99.234" },
		{ "166.107.77.190", "160.132.178.185" },
		{ "192.102.249.13", "252.138.62.131" },
		{ "192.215.32.125", "252.43.47.189" },
		{ "192.233.80.103", "252.25.108.8" },
		{ "192.41.57.43", "252.222.221.184" },
		{ "193.150.244.223", "253.169.52.216" },
		{ "195.205.63.100", "255.186.223.5" },
		{ "198.200.171.101", "249.199.68.213" },
		{ "198.26.132.101", "249.36.123.202" },
		{ "198.36.213.5", "249.7.21.132" },
		{ "198.51.77.238", "249.18.186.254" },
		{ "199.217.79.101", "248.38.184.213" },
		{ "202.49.198.20", "245.206.7.234" },
	};

	for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++)
		expect(vectors[i][0], vectors[i][1]);
}

/* The same key, as yacryptopan publishes it. */
Test(pseudonym, ipv6_is_as_others_have_it)
{
	expect("::1", "78ff:f001:9fc0:20df:8380:b1f1:704:ed");
	expect("::2", "78ff:f001:9fc0:20df:8380:b1f1:704:ef");
	expect("::ffff", "78ff:f001:9fc0:20df:8380:b1f1:704:f838");
	expect("2001:db8::1", "4401:2bc:603f:d91d:27f:ff8e:e6f1:dc1e");
	expect("2001:db8::2", "4401:2bc:603f:d91d:27f:ff8e:e6f1:dc1c");
}

static unsigned
shared_bits(const struct address *a, const struct address *b)
{
	unsigned n = 0;

	while (n < 128 &&
	    ((a->octets[n / 8] ^ b->octets[n / 8]) >> (7 - n % 8) & 1) == 0)
		n++;
	return n;
}

Test(pseudonym, as_many_bits_are_shared_as_before)
{
	struct pseudonyms *p = pseudonyms_create(key);
	struct address a, b, x, y;

	cr_assert(address_parse("192.0.2.1", &a));
	for (unsigned bit = 0; bit < 32; bit++) {
		b = a;
		b.octets[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
		cr_assert(pseudonym_address(p, &a, &x));
		cr_assert(pseudonym_address(p, &b, &y));
		cr_expect_eq(shared_bits(&x, &y), bit);
	}
	pseudonyms_destroy(p);
}

Test(pseudonym, names_depend_on_the_key_and_on_nothing_else)
{
	uint8_t other[PSEUDONYM_KEY_BYTES] = { 1 };
	struct pseudonyms *p = pseudonyms_create(key);
	struct pseudonyms *q = pseudonyms_create(other);
	char a[PSEUDONYM_NAME_BYTES], b[PSEUDONYM_NAME_BYTES];

	cr_assert(pseudonym_name(p, "mx.example.org", a));
	cr_assert(pseudonym_name(p, "mx.example.org", b));
	cr_expect_str_eq(a, b);
	cr_expect_eq(strlen(a), 16);
	cr_assert(pseudonym_name(q, "mx.example.org", b));
	cr_expect_str_neq(a, b);
	cr_assert(pseudonym_name(p, "mx.example.net", b));
	cr_expect_str_neq(a, b);
	pseudonyms_destroy(p);
	pseudonyms_destroy(q);
}

Test(pseudonym, keys_are_octets_or_hex)
{
	uint8_t out[PSEUDONYM_KEY_BYTES];

	cr_expect(pseudonym_key_parse(slice_of(key, sizeof(key)), out));
	cr_expect_eq(memcmp(out, key, sizeof(key)), 0);
	cr_expect(
	    pseudonym_key_parse(slice_str("1522178d33a4cf80130a5b1649907d10"
					  "d8988f8379796527"
					  "62574c2d2A842202\n"),
		out));
	cr_expect_eq(memcmp(out, key, sizeof(key)), 0);
	cr_expect_not(pseudonym_key_parse(slice_str("1522"), out));
	cr_expect_not(
	    pseudonym_key_parse(slice_str("zz22178d33a4cf80130a5b1649907d10"
					  "d8988f837979652762574c2d2a842202"),
		out));
}
