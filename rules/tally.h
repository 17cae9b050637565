/*
 * rules/tally.h - sessions counted on three axes, each of which adds up to
 * all sessions (interface.md, `stats`), and the reasons for no verdict.
 */
#ifndef RULES_TALLY_H
#define RULES_TALLY_H

#include <stdint.h>

enum offered {
	OFFERED_YES,
	OFFERED_NO,
	OFFERED_NOT_ASKED,
	OFFERED_UNSEEN,
	OFFERED_VALUES
};
enum used {
	USED_TLS,
	USED_IMPLICIT,
	USED_REFUSED,
	USED_BROKEN,
	USED_NOT_TRIED,
	USED_UNSEEN,
	USED_VALUES
};
enum mail {
	MAIL_NONE,
	MAIL_ENVELOPE,
	MAIL_CONTENT,
	MAIL_ACCEPTED,
	MAIL_OPAQUE,
	MAIL_VALUES
};
enum unjudged {
	UNJUDGED_GAP,
	UNJUDGED_MIDSTREAM,
	UNJUDGED_ONE_SIDED,
	UNJUDGED_SNAPLEN,
	UNJUDGED_EVICTED,
	UNJUDGED_OVER_LIMIT,
	UNJUDGED_VALUES
};

struct tally {
	uint64_t sessions;
	uint64_t offered[OFFERED_VALUES];
	uint64_t used[USED_VALUES];
	uint64_t mail[MAIL_VALUES];
	uint64_t unjudged[UNJUDGED_VALUES];
	uint64_t kept, kept_shed; /* sessions kept; shed by --max-kept */
	uint64_t profiles_shed;
	uint64_t dns_shed; /* answers of DNS that are not remembered */
	uint64_t attempts_shed;
	uint64_t clear_shed; /* clear text to `enforce` that is not listed */
};

void tally_add(struct tally *sum, const struct tally *more);
/* The axes as a table, with the names as on screen, in JSON and in SQL. Each of
 * the first three adds up to `sessions`; the last stands beside them. */
enum axis { AXIS_OFFERED, AXIS_USED, AXIS_MAIL, AXIS_UNJUDGED, AXES };
const char *axis_name(enum axis);
int axis_values(enum axis);
const char *axis_value_name(enum axis, int value);
uint64_t *axis_counts(struct tally *, enum axis);

#endif
