/*
 * rules/trust.h - is a server's chain of certificates what was demanded?
 *
 * The only file of rules/ that uses OpenSSL. Chains are verified against a
 * store that is handed in, as of the time at which they were captured; names
 * by RFC 8461 4.2 and RFC 6125: dNSNames of subjectAltName only, never the
 * subject (but below a TLSA record), a wildcard only as the whole left-most
 * label. No I/O.
 */
#ifndef RULES_TRUST_H
#define RULES_TRUST_H

#include <openssl/x509_vfy.h>

#include "dane.h"
#include "dissect/slice.h"

enum chain_result {
	CHAIN_UNKNOWN,	 /* no certificate was seen, or nobody looked */
	CHAIN_TRUSTED,	 /* leads to a CA of the store, and is in date */
	CHAIN_EXPIRED,	 /* leads there, but is out of date */
	CHAIN_UNTRUSTED, /* leads to no CA of the store */
	CHAIN_DAMAGED,	 /* the first certificate cannot be read */
	CHAIN_RESULTS
};

/* `chain` as the server sent it, its own certificate first; DER. */
enum chain_result trust_verify(X509_STORE *, const struct slice *chain,
    unsigned count, int64_t at_s);
/* Is `host` one of the names of the certificate? */
bool trust_names(struct slice der, const char *host);
/* "mx.example.org, *.example.net", or "subject mail" where there are none:
 * printable; returns `out`. */
char *trust_describe(struct slice der, char *out, size_t room);

/* A TLSA record (RFC 6698 2.1). */
struct tlsa {
	uint8_t usage, selector, matching;
	uint8_t data[512];
	size_t length;
};

/* "3 1 1 hex". False: not so, or not usable for SMTP (RFC 7672 3.1: usage 2
 * or 3; a digest has its length). */
bool tlsa_parse(struct slice text, struct tlsa *);
/*
 * RFC 7672 3.1: with usage 3 the server's own certificate, of which neither
 * name nor date count; with usage 2 another one of the chain that leads to
 * it, in date, and it has one of the names (3.2.3: in its subject, if there is
 * no dNSName).
 */
bool tlsa_matches(const struct tlsa *, const struct slice *chain,
    unsigned count, const struct dane_names *, int64_t at_s);

#endif
