/* RFC 8461 4.1: which MX hosts a policy allows. */
#include "sts_grammar.h"
#include "sts_policy.h"

static bool
has_non_ascii(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] >= 0x80)
			return true;
	return false;
}

static bool
pattern_valid(struct slice pattern, bool *wildcard, struct slice *domain)
{
	enum host_name_fault fault;

	*wildcard = pattern.len >= 2 && pattern.ptr[0] == '*' &&
	    pattern.ptr[1] == '.';
	*domain = slice_after(pattern, *wildcard ? 2 : 0);
	fault = host_name_check(*domain, NULL);
	return fault == HOST_NAME_OK || fault == HOST_NAME_NUMERIC;
}

enum sts_match
sts_mx_match(struct slice host, struct slice pattern)
{
	const uint8_t *dot;
	struct slice domain;
	bool wildcard;

	if (has_non_ascii(host) || has_non_ascii(pattern))
		return STS_MATCH_NON_ASCII;
	if (!pattern_valid(pattern, &wildcard, &domain))
		return STS_MATCH_INVALID;
	if (!host_name_valid(host))
		return STS_MATCH_NO;
	if (host.ptr[host.len - 1] == '.')
		host.len--;
	if (wildcard) {
		/* One label, the left-most: never none, never two. */
		dot = memchr(host.ptr, '.', host.len);
		if (dot == NULL)
			return STS_MATCH_NO;
		host = slice_after(host, (size_t)(dot - host.ptr) + 1);
	}
	return slice_equal_nocase(host, domain) ? STS_MATCH_YES : STS_MATCH_NO;
}

bool
sts_policy_matches_by(const struct sts_policy *policy, const char *mx_host,
    unsigned *by)
{
	struct slice host = slice_str(mx_host);

	for (unsigned i = 0; i < policy->mx_count; i++)
		if (sts_mx_match(host, slice_str(policy->mx[i])) ==
		    STS_MATCH_YES) {
			if (by != NULL)
				*by = i;
			return true;
		}
	return false;
}

bool
sts_policy_matches(const struct sts_policy *policy, const char *mx_host)
{
	return sts_policy_matches_by(policy, mx_host, NULL);
}

/* RFC 9110 8.3.1: type and subtype without case, parameters after ";". */
bool
sts_content_type_ok(struct slice value)
{
	const uint8_t *semicolon =
	    value.len ? memchr(value.ptr, ';', value.len) : NULL;

	if (semicolon != NULL)
		value.len = (size_t)(semicolon - value.ptr);
	while (value.len > 0 && sts_is_wsp(value.ptr[0]))
		value = slice_after(value, 1);
	while (value.len > 0 && sts_is_wsp(value.ptr[value.len - 1]))
		value.len--;
	return slice_equal_nocase(value, slice_str("text/plain"));
}
