/*
 * rules/policy_result.h - did a session give what its receiver demands?
 *
 * Per mechanism, never a merged "TLS is fine": a session may satisfy the one
 * and fail the other (RFC 8461 2). What the packets do not show is "not
 * visible", also where nothing speaks against it.
 */
#ifndef RULES_POLICY_RESULT_H
#define RULES_POLICY_RESULT_H

#include "dns_seen.h"
#include "sts_policy.h"

/*
 * RFC 8461 5, 7.2, for a session with a recipient in the policy's domain:
 *
 *   mail accepted in clear             unmet
 *   TLS 1.0 or 1.1                     unmet (RFC 8996: not to be used)
 *   TLS 1.2 and above                  what the certificate is: met where it
 *                                      leads to a CA that is trusted, is in
 *                                      date and names `mx` (4.2), else unmet;
 *                                      not visible where it does not show
 *   left without mail after EHLO       met: the sender did as it must
 *   anything else, or not all seen     unknown
 *
 * The same for `testing`: what differs is what is made of it. Not for `none`.
 * `mx`: the host that the client looked for; NULL: nobody knows.
 */
enum policy_result policy_result_sts(const struct session *, const char *mx);

/*
 * RFC 7672 2.2: DANE_TLS demands TLS and no certificate, DANE_AUTHENTICATE
 * both. DANE_UNKNOWN: a sender must defer, and nobody knows what it got.
 * `records`: what the chain is to them, DNS_TLSA_NONE where it does not show.
 */
enum policy_result policy_result_dane(const struct session *, enum dane_state,
    enum dns_tlsa records);

#endif
