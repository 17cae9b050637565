/*
 * rules/tls_report.h - the words of RFC 8460, SMTP TLS reporting.
 */
#ifndef RULES_TLS_REPORT_H
#define RULES_TLS_REPORT_H

#include "sts_txt.h"

/* RFC 8460 4.3, in its order. */
enum tls_result {
	TLS_RESULT_NONE,
	TLS_STARTTLS_NOT_SUPPORTED,
	TLS_CERTIFICATE_HOST_MISMATCH,
	TLS_CERTIFICATE_EXPIRED,
	TLS_CERTIFICATE_NOT_TRUSTED,
	TLS_VALIDATION_FAILURE,
	TLS_TLSA_INVALID,
	TLS_DNSSEC_INVALID,
	TLS_DANE_REQUIRED,
	TLS_STS_POLICY_FETCH_ERROR,
	TLS_STS_POLICY_INVALID,
	TLS_STS_WEBPKI_INVALID,
};
/* "starttls-not-supported"; "" for NONE. */
const char *tls_result_name(enum tls_result);

/* Is this a record of _smtp._tls.DOMAIN by RFC 8460 3's grammar? `txt` has
 * its strings joined. */
bool tlsrpt_txt_valid(struct slice txt);
/* What the TXT records of _smtp._tls.DOMAIN say; `found` gets the one that
 * counts when it is FOUND. */
enum sts_txt_outcome
tlsrpt_txt_select(const struct sts_txt_rrset *, struct slice *found);

#endif
