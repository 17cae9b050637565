/*
 * rules/sts_policy.h - MTA-STS policies: parse, lint, match (RFC 8461).
 *
 * A body is parsed once, into facts side by side: does it keep to the RFC's
 * grammar, would large senders take it, and what is there to say about it.
 * Detection rests on the second: a policy that others enforce must not be
 * invisible to us because of a blank line. No I/O, no allocation.
 */
#ifndef RULES_STS_POLICY_H
#define RULES_STS_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "dissect/slice.h"
#include "host_name.h"
#include "sts_lint.h"

#define STS_MX_MAX 64		     /* patterns that are kept */
#define STS_MX_BYTES HOST_NAME_BYTES /* "*." + 253 octets and a NUL */
#define STS_MAX_AGE_MAX_S 31557600u  /* RFC 8461 3.2: about one year */
#define STS_BODY_MAX_BYTES 65536u    /* RFC 8461 3.3: suggested limit */

enum sts_mode { STS_NONE, STS_TESTING, STS_ENFORCE };

struct sts_policy {
	bool strict_ok;	  /* valid by the grammar of RFC 8461 3.2 */
	bool tolerant_ok; /* large senders take it; else use nothing of
				 * what follows */
	enum sts_mode mode;
	uint32_t max_age_s; /* capped to STS_MAX_AGE_MAX_S */
	unsigned mx_count;
	unsigned mx_unlisted;		   /* patterns beyond STS_MX_MAX */
	char mx[STS_MX_MAX][STS_MX_BYTES]; /* lower case */
};

/* "none", "testing", "enforce": the RFC's words. */
const char *sts_mode_name(enum sts_mode);

/*
 * `body` as the server sent it. Returns tolerant_ok; `lint` may be NULL.
 * strict_ok with a row of severity STS_WARNING: the syntax passes, a value
 * is out of range or of no use.
 */
bool sts_policy_parse(struct slice body, struct sts_policy *,
    struct sts_lint_list *lint);

enum sts_match {
	STS_MATCH_NO,
	STS_MATCH_YES,
	STS_MATCH_INVALID,   /* the pattern is none: matches nothing */
	STS_MATCH_NON_ASCII, /* a U-label in either: convert to its A-label
				 * first; matches nothing as it is */
};

/*
 * RFC 8461 4.1, RFC 6125 6.4: without case; "*." stands for exactly one
 * label. `host` is the name in the MX RR, with or without its final dot.
 */
enum sts_match sts_mx_match(struct slice host, struct slice pattern);
/* Is `mx_host` allowed by one of the patterns? By which, if `by` is not
 * NULL. Says nothing of the mode. */
bool sts_policy_matches_by(const struct sts_policy *, const char *mx_host,
    unsigned *by);
bool sts_policy_matches(const struct sts_policy *, const char *mx_host);

/* Is a Content-Type header's value text/plain (RFC 8461 3.3)? */
bool sts_content_type_ok(struct slice value);

#endif
