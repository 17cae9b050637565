#include "policy_result.h"

#include "trust.h"

#define TLS_1_2 0x0303

/* Mail in clear is clear whatever else was lost; anything else needs that all
 * was seen. */
static enum policy_result
result_of(const struct session *s, uint16_t least_version,
    enum policy_result after_handshake)
{
	if (s->tls_established)
		return s->tls_version != 0 && s->tls_version < least_version ?
		    POLICY_UNMET :
		    after_handshake;
	if (s->mail_clear)
		return POLICY_UNMET;
	return session_outcome(s) & OUTCOME_STOPPED ? POLICY_MET :
						      POLICY_UNKNOWN;
}

/* RFC 8461 4.2. */
static enum policy_result
certificate_result(const struct session *s, const char *mx)
{
	if (mx == NULL || s->chain_count == 0 ||
	    s->chain_result == CHAIN_DAMAGED)
		return POLICY_NOT_VISIBLE;
	if (!trust_names(s->chain[0], mx))
		return POLICY_UNMET;
	/* Nobody looked where it leads. */
	if (s->chain_result == CHAIN_UNKNOWN)
		return POLICY_NOT_VISIBLE;
	return s->chain_result == CHAIN_TRUSTED ? POLICY_MET : POLICY_UNMET;
}

enum policy_result
policy_result_sts(const struct session *s, const char *mx)
{
	return result_of(s, TLS_1_2, certificate_result(s, mx));
}

enum policy_result
policy_result_dane(const struct session *s, enum dane_state state,
    enum dns_tlsa records)
{
	static const enum policy_result results[] = {
		[DNS_TLSA_NONE] = POLICY_NOT_VISIBLE,
		[DNS_TLSA_MATCHED] = POLICY_MET,
		[DNS_TLSA_UNMATCHED] = POLICY_UNMET,
	};

	if (state == DANE_UNKNOWN)
		return POLICY_UNKNOWN;
	return result_of(s, 0,
	    state == DANE_TLS ? POLICY_MET : results[records]);
}
