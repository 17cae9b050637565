/*
 * rules/sts_txt.h - the TXT record that announces an MTA-STS policy.
 *
 * RFC 8461 3.1. The record only says that there is a policy and whether it
 * changed; that it vanished, or became invalid, never cancels a policy that
 * is known and has not expired (3.3, 5.1).
 */
#ifndef RULES_STS_TXT_H
#define RULES_STS_TXT_H

#include <stdbool.h>

#include "dissect/slice.h"
#include "sts_lint.h"

#define STS_ID_BYTES 33 /* 32 octets and a NUL */

struct sts_txt {
	bool strict_ok;	       /* valid by the grammar of RFC 8461 3.1 */
	bool tolerant_ok;      /* but for blanks or semicolons at the end */
	char id[STS_ID_BYTES]; /* has no order: compare for equality only */
};

/* One record, its strings joined. Returns tolerant_ok; `lint` may be NULL. */
bool sts_txt_parse(struct slice txt, struct sts_txt *, struct sts_lint_list *);

/*
 * Joins the character-strings of a TXT RR's data with nothing in between
 * (RFC 7208 3.3). False: the lengths do not add up, or `room` is too small.
 */
bool sts_txt_join(struct slice rdata, uint8_t *out, size_t room, size_t *len);

enum sts_txt_outcome {
	STS_TXT_FOUND,
	STS_TXT_ABSENT,	 /* an answer, no record of ours in it */
	STS_TXT_SEVERAL, /* suppressed: not exactly one */
	STS_TXT_INVALID, /* suppressed: exactly one, ill-formed */
	STS_TXT_UNKNOWN, /* no answer: proves nothing */
};

struct sts_txt_rrset {
	bool answered;		     /* false: SERVFAIL, timeout, bogus */
	const struct slice *records; /* joined; at the end of CNAMEs */
	size_t count;
};

/* What the TXT records of _mta-sts.DOMAIN say. `found` is filled for FOUND
 * and INVALID. A policy is available for FOUND only. */
enum sts_txt_outcome
sts_txt_select(const struct sts_txt_rrset *, struct sts_txt *found);

#endif
