#include "certificate.h"

#include <ctype.h>
#include <stdio.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/x509v3.h>

/* Names come from whoever made the certificate. */
static void
keep_printable(char *out, size_t room, const unsigned char *in, int len)
{
	size_t n = 0;

	for (int i = 0; i < len && n + 1 < room; i++)
		out[n++] = isprint(in[i]) ? (char)in[i] : '?';
	out[n] = '\0';
}

static void
read_common_name(X509 *x509, struct certificate *out)
{
	X509_NAME *subject = X509_get_subject_name(x509);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	ASN1_STRING *text;

	if (at < 0)
		return;
	text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
	keep_printable(out->common_name, sizeof(out->common_name),
	    ASN1_STRING_get0_data(text), ASN1_STRING_length(text));
}

static void
read_names(X509 *x509, struct certificate *out)
{
	GENERAL_NAMES *names =
	    X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);

	for (int i = 0; i < sk_GENERAL_NAME_num(names) &&
	     out->name_count < CERTIFICATE_NAMES_MAX;
	     i++) {
		GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type != GEN_DNS)
			continue;
		keep_printable(out->names[out->name_count++], 256,
		    ASN1_STRING_get0_data(name->d.dNSName),
		    ASN1_STRING_length(name->d.dNSName));
	}
	GENERAL_NAMES_free(names);
}

static int64_t
seconds_of(const ASN1_TIME *when)
{
	struct tm utc;

	return ASN1_TIME_to_tm(when, &utc) == 1 ? (int64_t)timegm(&utc) : 0;
}

bool
certificate_describe(struct slice der, struct certificate *out)
{
	const unsigned char *p = der.ptr;
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned bytes = 0;
	X509 *x509;

	memset(out, 0, sizeof(*out));
	x509 = d2i_X509(NULL, &p, (long)der.len);
	if (x509 == NULL)
		return false;
	read_common_name(x509, out);
	read_names(x509, out);
	out->not_before_s = seconds_of(X509_get0_notBefore(x509));
	out->not_after_s = seconds_of(X509_get0_notAfter(x509));
	out->self_issued = X509_NAME_cmp(X509_get_subject_name(x509),
			       X509_get_issuer_name(x509)) == 0;
	X509_free(x509);
	if (EVP_Digest(der.ptr, der.len, digest, &bytes, EVP_sha256(), NULL) !=
	    1)
		return false;
	for (unsigned i = 0; i < bytes; i++)
		snprintf(out->sha256 + 2 * i, 3, "%02x", digest[i]);
	return true;
}
