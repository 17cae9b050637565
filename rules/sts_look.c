#include "sts_look.h"

#define NS_PER_S INT64_C(1000000000)
#define DAY_S 86400
#define AFTER_FAILURE_S 3600
#define AT_LEAST_S 300 /* RFC 8461 3.3 */

static const char *const states[] = { "valid", "none", "unobtainable",
	"lookup-failed" };

const char *
sts_state_name(enum sts_state state)
{
	return states[state];
}

bool
sts_state_parse(const char *name, enum sts_state *state)
{
	for (unsigned i = 0; i < sizeof(states) / sizeof(*states); i++)
		if (strcmp(states[i], name) == 0) {
			*state = (enum sts_state)i;
			return true;
		}
	return false;
}

const char *
sts_event_name(unsigned bit)
{
	static const char *const names[STS_EVENT_BITS] = { "policy-appeared",
		"policy-changed", "policy-weakened", "policy-vanished",
		"policy-unobtainable", "policy-unanswered", "policy-expiring" };

	return names[bit];
}

static unsigned
events_of_valid(const struct sts_before *before, const struct sts_found *found)
{
	if (!before->known)
		return before->looked && before->state == STS_ABSENT ?
		    STS_EVENT_APPEARED :
		    0;
	if (found->same)
		return 0;
	return found->mode < before->mode ? STS_EVENT_WEAKENED :
					    STS_EVENT_CHANGED;
}

unsigned
sts_look_events(const struct sts_before *before, const struct sts_found *found)
{
	static const unsigned lost[] = { [STS_ABSENT] = STS_EVENT_VANISHED,
		[STS_UNOBTAINABLE] = STS_EVENT_UNOBTAINABLE,
		[STS_LOOKUP_FAILED] = STS_EVENT_UNANSWERED };
	int64_t left_s = (before->until_ns - found->at_ns) / NS_PER_S;

	if (found->state == STS_VALID)
		return events_of_valid(before, found);
	if (!before->known || before->mode == STS_NONE)
		return 0;
	return lost[found->state] |
	    (left_s < before->max_age_s / 5 ? STS_EVENT_EXPIRING : 0);
}

int64_t
sts_look_due(const struct sts_found *found, uint32_t max_age_s)
{
	int64_t wait_s = DAY_S;

	if (found->state == STS_UNOBTAINABLE ||
	    found->state == STS_LOOKUP_FAILED)
		wait_s = AFTER_FAILURE_S;
	else if (found->state == STS_VALID && max_age_s / 2 < DAY_S)
		wait_s = max_age_s / 2;
	if (wait_s < AT_LEAST_S)
		wait_s = AT_LEAST_S;
	return found->at_ns + wait_s * NS_PER_S;
}
