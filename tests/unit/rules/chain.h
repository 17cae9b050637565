/*
 * Certificates made by the test: a CA of its own, and what it signs, or
 * nobody does. Keys are P-256, made once.
 */
#ifndef TESTS_UNIT_RULES_CHAIN_H
#define TESTS_UNIT_RULES_CHAIN_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "dissect/slice.h"

struct made {
	X509 *x509;
	EVP_PKEY *key;
	uint8_t der[2048];
	size_t length;
};

/* What a certificate is like; 0: what a test wants mostly. */
struct making {
	const char *subject;   /* common name */
	const char *names;     /* "DNS:a,DNS:b"; NULL: no subjectAltName */
	const struct made *by; /* NULL: by itself */
	bool ca;
	int64_t from_s, until_s; /* 0: around 2026 */
};

/* What was made goes when the test ends. */
#define MADE_MAX 64
static struct {
	X509 *x509;
	EVP_PKEY *key;
	X509_STORE *store;
} made_list[MADE_MAX];
static size_t made_count;

static inline void
made_free(void)
{
	while (made_count > 0) {
		made_count--;
		X509_free(made_list[made_count].x509);
		EVP_PKEY_free(made_list[made_count].key);
		X509_STORE_free(made_list[made_count].store);
	}
}

static inline void
made_keep(X509 *x509, EVP_PKEY *key, X509_STORE *store)
{
	if (made_count == MADE_MAX || (made_count == 0 && atexit(made_free)))
		abort();
	made_list[made_count].x509 = x509;
	made_list[made_count].key = key;
	made_list[made_count++].store = store;
}

static inline void
made_extension(X509 *x509, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	if (e == NULL || X509_add_ext(x509, e, -1) != 1)
		abort();
	X509_EXTENSION_free(e);
}

static inline struct made
make_certificate(struct making how)
{
	static long serial;
	struct made m = { X509_new(), EVP_EC_gen("P-256"), { 0 }, 0 };
	const struct made *by = how.by != NULL ? how.by : &m;
	X509_NAME *name = X509_get_subject_name(m.x509);
	uint8_t *der = m.der;

	X509_set_version(m.x509, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(m.x509), ++serial);
	ASN1_TIME_set(X509_getm_notBefore(m.x509),
	    (time_t)(how.from_s ? how.from_s : 1735689600));
	ASN1_TIME_set(X509_getm_notAfter(m.x509),
	    (time_t)(how.until_s ? how.until_s : 1893456000));
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
	    (const unsigned char *)how.subject, -1, -1, 0);
	X509_set_issuer_name(m.x509, X509_get_subject_name(by->x509));
	X509_set_pubkey(m.x509, m.key);
	made_extension(m.x509, NID_basic_constraints,
	    how.ca ? "critical,CA:TRUE" : "CA:FALSE");
	if (how.names != NULL)
		made_extension(m.x509, NID_subject_alt_name, how.names);
	if (X509_sign(m.x509, by->key, EVP_sha256()) == 0)
		abort();
	m.length = (size_t)i2d_X509(m.x509, &der);
	made_keep(m.x509, m.key, NULL);
	return m;
}

static inline struct slice
made_slice(const struct made *m)
{
	return slice_of(m->der, m->length);
}

static inline X509_STORE *
store_with(const struct made *ca)
{
	X509_STORE *store = X509_STORE_new();

	if (X509_STORE_add_cert(store, ca->x509) != 1)
		abort();
	made_keep(NULL, NULL, store);
	return store;
}

/* "3 1 1 hex" of a certificate. */
static inline const char *
tlsa_text(const struct made *m, unsigned usage, unsigned selector,
    unsigned matching, char out[512])
{
	unsigned char *chosen = NULL, digest[64];
	int length = selector == 0 ?
	    i2d_X509(m->x509, &chosen) :
	    i2d_X509_PUBKEY(X509_get_X509_PUBKEY(m->x509), &chosen);
	unsigned bytes = 0;
	int n = sprintf(out, "%u %u %u ", usage, selector, matching);

	EVP_Digest(chosen, (size_t)length, digest, &bytes,
	    matching == 1 ? EVP_sha256() : EVP_sha512(), NULL);
	for (unsigned i = 0; i < bytes; i++)
		n += sprintf(out + n, "%02x", digest[i]);
	OPENSSL_free(chosen);
	return out;
}

#endif
