/*
 * rules/policy_result.h - did a session give what its receiver demands?
 *
 * Per mechanism, never a merged "TLS is fine": a session may satisfy the one
 * and fail the other (RFC 8461 2). What the packets do not show is "not
 * visible", also where nothing speaks against it.
 */
#ifndef RULES_POLICY_RESULT_H
#define RULES_POLICY_RESULT_H

#include "dane.h"
#include "session.h"
#include "sts_policy.h"

/*
 * RFC 8461 5, 7.2, for a session with a recipient in the policy's domain:
 *
 *   mail accepted in clear             unmet
 *   TLS 1.0 or 1.1                     unmet (RFC 8996: not to be used)
 *   TLS 1.2 and above                  not visible: name and chain are for
 *                                      who sees the certificate
 *   left without mail after EHLO       met: the sender did as it must
 *   anything else, or not all seen     unknown
 *
 * The same for `testing`: what differs is what is made of it. Not for `none`.
 */
enum policy_result policy_result_sts(const struct session *);

/*
 * RFC 7672 2.2: DANE_TLS demands TLS and no certificate, DANE_AUTHENTICATE
 * both. DANE_UNKNOWN: a sender must defer, and nobody knows what it got.
 */
enum policy_result policy_result_dane(const struct session *, enum dane_state);

#endif
