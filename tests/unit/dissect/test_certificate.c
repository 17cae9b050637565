/* Certificates are made here: a stored one would be one more to explain. */
#include <criterion/criterion.h>

#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "dissect/certificate.h"
#include "unit/guarded.h"

static void
add_name(X509_NAME *name, const char *text, int len)
{
	cr_assert_eq(X509_NAME_add_entry_by_NID(name, NID_commonName,
			 MBSTRING_ASC, (const unsigned char *)text, len, -1, 0),
	    1);
}

/* A certificate of `subject` by `issuer`, valid for 1970-01-02 to -03, with
 * `names` as dNSNames; its DER, guarded. */
static struct guarded
make(const char *subject, int subject_len, const char *issuer,
    const char *const *names, size_t name_count)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x509 = X509_new();
	GENERAL_NAMES *san = sk_GENERAL_NAME_new_null();
	unsigned char *der = NULL;
	struct guarded g;
	int len;

	X509_set_version(x509, 2);
	ASN1_TIME_set(X509_getm_notBefore(x509), 86400);
	ASN1_TIME_set(X509_getm_notAfter(x509), 2 * 86400);
	if (subject != NULL)
		add_name(X509_get_subject_name(x509), subject, subject_len);
	if (issuer != NULL)
		add_name(X509_get_issuer_name(x509), issuer, -1);
	for (size_t i = 0; i < name_count; i++) {
		GENERAL_NAME *name = GENERAL_NAME_new();
		ASN1_IA5STRING *text = ASN1_IA5STRING_new();

		ASN1_STRING_set(text, names[i], -1);
		GENERAL_NAME_set0_value(name, i == 1 ? GEN_EMAIL : GEN_DNS,
		    text);
		sk_GENERAL_NAME_push(san, name);
	}
	if (name_count > 0)
		X509_add1_ext_i2d(x509, NID_subject_alt_name, san, 0, 0);
	X509_set_pubkey(x509, key);
	X509_sign(x509, key, EVP_sha256());
	len = i2d_X509(x509, &der);
	cr_assert_gt(len, 0);
	g = guarded_copy(der, (size_t)len);
	OPENSSL_free(der);
	GENERAL_NAMES_free(san);
	X509_free(x509);
	EVP_PKEY_free(key);
	return g;
}

Test(certificate, names_dates_and_fingerprint_are_told)
{
	static const char *const names[] = { "mx.example.org",
		"postmaster@example.org", "*.example.org" };
	struct guarded g = make("mx.example.org", -1, "ca", names, 3);
	struct certificate out;
	unsigned char digest[32];

	cr_assert(certificate_describe(g.bytes, &out));
	cr_assert_str_eq(out.common_name, "mx.example.org");
	cr_assert_eq(out.name_count, 2);
	cr_assert_str_eq(out.names[0], "mx.example.org");
	cr_assert_str_eq(out.names[1], "*.example.org");
	cr_assert_eq(out.not_before_s, 86400);
	cr_assert_eq(out.not_after_s, 2 * 86400);
	cr_assert_not(out.self_issued);
	EVP_Digest(g.bytes.ptr, g.bytes.len, digest, NULL, EVP_sha256(), NULL);
	for (size_t i = 0; i < 32; i++) {
		char hex[3];

		snprintf(hex, sizeof(hex), "%02x", digest[i]);
		cr_assert_eq(memcmp(out.sha256 + 2 * i, hex, 2), 0);
	}
	guarded_free(&g);
}

Test(certificate, one_without_names_is_still_one)
{
	struct guarded g = make(NULL, 0, NULL, NULL, 0);
	struct certificate out;

	cr_assert(certificate_describe(g.bytes, &out));
	cr_assert_str_eq(out.common_name, "");
	cr_assert_eq(out.name_count, 0);
	cr_assert(out.self_issued);
	guarded_free(&g);
}

/* Whoever made it chose the octets: a NUL ends no name, nothing is printed
 * that a terminal obeys. */
Test(certificate, names_are_made_printable)
{
	struct guarded g = make("a\0b\x1b[1m", 7, "ca", NULL, 0);
	struct certificate out;

	cr_assert(certificate_describe(g.bytes, &out));
	cr_assert_str_eq(out.common_name, "a?b?[1m");
	guarded_free(&g);
}

Test(certificate, no_more_names_are_kept_than_there_is_room_for)
{
	const char *names[CERTIFICATE_NAMES_MAX + 10];
	struct certificate out;
	struct guarded g;
	char longest[400];

	memset(longest, 'x', sizeof(longest));
	longest[399] = '\0';
	for (size_t i = 0; i < CERTIFICATE_NAMES_MAX + 10; i++)
		names[i] = longest;
	g = make("mx", -1, "mx", names, CERTIFICATE_NAMES_MAX + 10);
	cr_assert(certificate_describe(g.bytes, &out));
	cr_assert_eq(out.name_count, CERTIFICATE_NAMES_MAX);
	cr_assert_eq(strlen(out.names[CERTIFICATE_NAMES_MAX - 1]), 255);
	cr_assert(out.self_issued);
	guarded_free(&g);
}

Test(certificate, what_is_cut_or_damaged_is_refused_or_read_in_bounds)
{
	static const char *const names[] = { "mx.example.org" };
	struct guarded whole = make("mx", -1, "ca", names, 1);
	struct certificate out;

	for (size_t len = 0; len < whole.bytes.len; len++) {
		struct guarded g = guarded_copy(whole.bytes.ptr, len);

		cr_assert_not(certificate_describe(g.bytes, &out), "%zu", len);
		guarded_free(&g);
	}
	for (size_t i = 0; i < whole.bytes.len; i++) {
		struct guarded g =
		    guarded_copy(whole.bytes.ptr, whole.bytes.len);

		g.pages[g.bytes.ptr - g.pages + (ptrdiff_t)i] ^= 0x41;
		certificate_describe(g.bytes, &out);
		guarded_free(&g);
	}
	guarded_free(&whole);
}
