#include <criterion/criterion.h>

#include "rules/sts_look.h"

#define NS_PER_S INT64_C(1000000000)
#define DAY_S 86400

/* Fetched at 0, to hold for ten days. */
static const struct sts_before enforce = { .looked = true,
	.state = STS_VALID,
	.known = true,
	.mode = STS_ENFORCE,
	.max_age_s = 10 * DAY_S,
	.until_ns = 10 * DAY_S * NS_PER_S };

static unsigned
events(const struct sts_before *before, enum sts_state state,
    enum sts_mode mode, bool same, int64_t day)
{
	struct sts_found found = { day * DAY_S * NS_PER_S, state, mode, same };

	return sts_look_events(before, &found);
}

Test(sts_look, nothing_is_told_of_what_stays)
{
	cr_expect_eq(events(&enforce, STS_VALID, STS_ENFORCE, true, 1), 0);
}

Test(sts_look, a_policy_that_demands_less_is_weaker)
{
	struct sts_before testing = enforce;

	testing.mode = STS_TESTING;
	cr_expect_eq(events(&enforce, STS_VALID, STS_TESTING, false, 1),
	    STS_EVENT_WEAKENED);
	cr_expect_eq(events(&enforce, STS_VALID, STS_NONE, false, 1),
	    STS_EVENT_WEAKENED);
	cr_expect_eq(events(&testing, STS_VALID, STS_NONE, false, 1),
	    STS_EVENT_WEAKENED);
	cr_expect_eq(events(&testing, STS_VALID, STS_ENFORCE, false, 1),
	    STS_EVENT_CHANGED);
	cr_expect_eq(events(&enforce, STS_VALID, STS_ENFORCE, false, 1),
	    STS_EVENT_CHANGED);
}

/* RFC 8461 3.3, 5.1: what is known holds on. */
Test(sts_look, what_is_gone_and_still_holds_is_told)
{
	cr_expect_eq(events(&enforce, STS_ABSENT, 0, false, 1),
	    STS_EVENT_VANISHED);
	cr_expect_eq(events(&enforce, STS_UNOBTAINABLE, 0, false, 1),
	    STS_EVENT_UNOBTAINABLE);
	cr_expect_eq(events(&enforce, STS_LOOKUP_FAILED, 0, false, 1),
	    STS_EVENT_UNANSWERED);
	cr_expect_eq(events(&enforce, STS_ABSENT, 0, false, 9),
	    STS_EVENT_VANISHED | STS_EVENT_EXPIRING);
}

Test(sts_look, a_policy_of_mode_none_may_go)
{
	struct sts_before none = enforce;

	none.mode = STS_NONE;
	cr_expect_eq(events(&none, STS_ABSENT, 0, false, 1), 0);
}

Test(sts_look, nothing_vanishes_that_was_not_there)
{
	struct sts_before never = { .looked = false }, absent = never;

	absent.looked = true;
	absent.state = STS_ABSENT;
	cr_expect_eq(events(&never, STS_ABSENT, 0, false, 1), 0);
	cr_expect_eq(events(&never, STS_VALID, STS_ENFORCE, false, 1), 0);
	cr_expect_eq(events(&absent, STS_VALID, STS_ENFORCE, false, 1),
	    STS_EVENT_APPEARED);
	cr_expect_eq(events(&absent, STS_LOOKUP_FAILED, 0, false, 1), 0);
}

static int64_t
due_after_s(enum sts_state state, uint32_t max_age_s)
{
	struct sts_found found = { 1000 * NS_PER_S, state, STS_ENFORCE, true };

	return sts_look_due(&found, max_age_s) / NS_PER_S - 1000;
}

Test(sts_look, the_next_look_comes_before_the_policy_expires)
{
	cr_expect_eq(due_after_s(STS_VALID, 604800), DAY_S);
	cr_expect_eq(due_after_s(STS_VALID, 7200), 3600);
	cr_expect_eq(due_after_s(STS_VALID, 0), 300);
	cr_expect_eq(due_after_s(STS_ABSENT, 0), DAY_S);
	cr_expect_eq(due_after_s(STS_UNOBTAINABLE, 0), 3600);
	cr_expect_eq(due_after_s(STS_LOOKUP_FAILED, 0), 3600);
}

Test(sts_look, names_and_states_are_pairs)
{
	enum sts_state state;

	for (int i = STS_VALID; i <= STS_LOOKUP_FAILED; i++) {
		cr_expect(
		    sts_state_parse(sts_state_name((enum sts_state)i), &state));
		cr_expect_eq((int)state, i);
	}
	cr_expect_not(sts_state_parse("", &state));
	cr_expect_str_eq(sts_event_name(2), "policy-weakened");
}
