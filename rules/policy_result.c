#include "policy_result.h"

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

enum policy_result
policy_result_sts(const struct session *s)
{
	return result_of(s, TLS_1_2, POLICY_NOT_VISIBLE);
}

enum policy_result
policy_result_dane(const struct session *s, enum dane_state state)
{
	if (state == DANE_UNKNOWN)
		return POLICY_UNKNOWN;
	return result_of(s, 0,
	    state == DANE_TLS ? POLICY_MET : POLICY_NOT_VISIBLE);
}
