/*
 * dissect/certificate.h - what an X.509 certificate says of itself.
 *
 * The only file here that uses OpenSSL. It parses and does not judge: chains
 * and names are verified elsewhere.
 */
#ifndef DISSECT_CERTIFICATE_H
#define DISSECT_CERTIFICATE_H

#include "slice.h"

#define CERTIFICATE_NAMES_MAX 16

struct certificate {
	char common_name[256]; /* of the subject; "": none */
	unsigned name_count;   /* dNSNames of subjectAltName, RFC 5280 */
	char names[CERTIFICATE_NAMES_MAX][256];
	int64_t not_before_s, not_after_s; /* since 1970, UTC */
	char sha256[65];		   /* of the DER, hex */
	bool self_issued;		   /* subject and issuer are the same */
};

/* False: `der` is no certificate. Texts are printable ASCII. */
bool certificate_describe(struct slice der, struct certificate *);

#endif
