/* Whose policy a session falls under, where no recipient says it. */
#include <criterion/criterion.h>

#include "unit/rules/answers.h"
#include "unit/rules/judging.h"

#define OTHER_CLIENT "192.0.2.99"
#define POLICY(mx) \
	"version: STSv1\r\nmode: enforce\r\nmx: " mx "\r\nmax_age: 86400\r\n"

static void
begin_under(const char *policy)
{
	begin(CLIENT, SERVER);
	world.domain[0] = "example.org";
	world.body[0] = policy;
	dialogue_greet(&d, &replies[REPLY_POSTFIX], "XXXXXXXX", 8);
}

static void
look_up(const char *asker)
{
	answer(&d, asker, DNS_MX, "example.org", 0, "MX " MX);
	answer(&d, asker, DNS_A, MX, 0, "A " SERVER);
}

static void
convict(void)
{
	cr_assert_eq(conclude(), VERDICT_INCIDENT);
}

/* It knew the policy, and did as RFC 8461 5 says. */
Test(judge_policy, a_client_that_leaves_met_the_policy_of_the_mx_it_got)
{
	begin_under(POLICY(MX));
	dialogue_say(&d, C("QUIT\r\n"), S("221 Bye\r\n"));
	look_up(CLIENT);
	convict();
	cr_assert_eq(in.policy_count, 1);
	cr_expect_str_eq(in.policies[0].domain, "example.org");
	cr_expect_eq(in.policies[0].basis, BASIS_DNS_MX);
	cr_expect_eq(in.policies[0].result, POLICY_MET);
}

/* The offer was gone, and who knows what was promised left for that: a
 * downgrade that came to nothing is one (RFC 8461 5). */
static enum verdict
leave_without_offer(const char *policy, const char *asker)
{
	begin(CLIENT, SERVER);
	world.domain[0] = "example.org";
	world.body[0] = policy;
	dialogue_greet(&d, &replies[REPLY_POSTFIX], NULL, 0);
	dialogue_say(&d, C("QUIT\r\n"), S("221 Bye\r\n"));
	look_up(asker);
	return conclude();
}

Test(judge_policy, a_client_that_left_for_want_of_an_offer_is_told)
{
	cr_assert_eq(leave_without_offer(POLICY(MX), CLIENT), VERDICT_INCIDENT);
	cr_expect_eq(in.kind, KIND_STARTTLS_STRIPPED);
	cr_expect_eq(in.certainty, CERTAINTY_POSSIBLE);
	cr_expect_eq(in.outcome, OUTCOME_STOPPED);
	cr_expect_eq(in.policies[0].result, POLICY_MET);
	expect_evidence(&in, "policy-unmet");
	cr_expect_not_null(strstr(in.observed, "left without"));
}

Test(judge_policy, a_client_that_left_may_have_meant_another_domain)
{
	cr_expect_neq(leave_without_offer(POLICY(MX), OTHER_CLIENT),
	    VERDICT_INCIDENT);
	cr_expect_neq(leave_without_offer(TESTING, CLIENT), VERDICT_INCIDENT);
	cr_expect_neq(leave_without_offer(POLICY("other.example"),
			  OTHER_CLIENT),
	    VERDICT_INCIDENT);
}

/* It was offered: why the client left nobody knows. */
Test(judge_policy, a_client_that_left_an_intact_offer_is_not_told)
{
	begin(CLIENT, SERVER);
	world.domain[0] = "example.org";
	world.body[0] = POLICY(MX);
	dialogue_greet(&d, &replies[REPLY_POSTFIX], "STARTTLS", 8);
	dialogue_say(&d, C("QUIT\r\n"), S("221 Bye\r\n"));
	look_up(CLIENT);
	cr_expect_neq(conclude(), VERDICT_INCIDENT);
}

Test(judge_policy, what_another_client_asked_for_chooses_no_policy)
{
	begin_under(POLICY(MX));
	dialogue_say(&d, C("QUIT\r\n"), S("221 Bye\r\n"));
	look_up(OTHER_CLIENT);
	convict();
	cr_assert_eq(in.policy_count, 0);
}

Test(judge_policy, unless_the_client_names_the_host)
{
	begin_under(POLICY(MX));
	dialogue_say(&d, C("QUIT\r\n"), S("221 Bye\r\n"));
	dialogue_fact(&d, FACT_TLS_SNI, 0, MX);
	look_up(OTHER_CLIENT);
	convict();
	cr_assert_eq(in.policy_count, 1);
	cr_expect_eq(in.policies[0].basis, BASIS_SNI);
}

Test(judge_policy, a_host_that_the_policy_does_not_list_is_under_none)
{
	begin_under(POLICY("*.example.net"));
	dialogue_say(&d, C("QUIT\r\n"), S("221 Bye\r\n"));
	look_up(CLIENT);
	convict();
	cr_assert_eq(in.policy_count, 0);
}

/* The policy was fetched, and is known to have been there. */
Test(judge_policy, a_known_policy_that_dns_denied_the_client_is_told)
{
	begin_under(POLICY(MX));
	dialogue_say(&d, C("QUIT\r\n"), S("221 Bye\r\n"));
	look_up(CLIENT);
	answer(&d, CLIENT, DNS_TXT, "_mta-sts.example.org", 3, "");
	world.observed = true;
	convict();
	cr_expect_not_null(evidence_in(&in, EVIDENCE_POLICY_DENIED));
}

Test(judge_policy, a_policy_that_was_assumed_may_as_well_not_have_been)
{
	begin_under(POLICY(MX));
	dialogue_say(&d, C("QUIT\r\n"), S("221 Bye\r\n"));
	look_up(CLIENT);
	answer(&d, CLIENT, DNS_TXT, "_mta-sts.example.org", 3, "");
	convict();
	cr_expect_null(evidence_in(&in, EVIDENCE_POLICY_DENIED));
}

/* A recipient says more than the way to the server. */
Test(judge_policy, recipients_choose_before_dns)
{
	begin_under(POLICY(MX));
	dialogue_say(&d, C("MAIL FROM:<a@example.net>\r\n"), S("250 Ok\r\n"),
	    C("RCPT TO:<b@example.com>\r\n"), S("250 Ok\r\n"));
	look_up(CLIENT);
	convict();
	cr_assert_eq(in.policy_count, 0);
}

/* --- without answers of DNS ----------------------------------------------- */

static void
expect_one(enum policy_basis basis, enum policy_result result)
{
	convict();
	cr_assert_eq(in.policy_count, 1);
	cr_expect_str_eq(in.policies[0].domain, "example.org");
	cr_expect_eq(in.policies[0].basis, basis);
	cr_expect_eq(in.policies[0].result, result);
}

Test(judge_policy, fetched_records_know_whose_mx_a_server_is)
{
	begin_under(POLICY(MX));
	dialogue_say(&d, C("QUIT\r\n"), S("221 Bye\r\n"));
	world.fetched = MX;
	expect_one(BASIS_DNS_MX, POLICY_MET);
}

Test(judge_policy, the_host_that_the_client_named_is_what_it_looked_for)
{
	begin_under(POLICY("*.example.org"));
	dialogue_say(&d, C("QUIT\r\n"), S("221 Bye\r\n"));
	dialogue_fact(&d, FACT_TLS_SNI, 0, "mx2.example.org");
	world.fetched = MX;
	/* Not the one that was fetched, but its name says whose it is. */
	expect_one(BASIS_SNI, POLICY_MET);
}

Test(judge_policy, a_name_that_no_policy_lists_chooses_none)
{
	begin_under(POLICY(MX));
	dialogue_say(&d, C("QUIT\r\n"), S("221 Bye\r\n"));
	dialogue_fact(&d, FACT_TLS_SNI, 0, "mx2.example.org");
	convict();
	cr_assert_eq(in.policy_count, 0);
}

/* RFC 8461 3.4: what is handed to a smart host is not under the policies of
 * its recipients. */
Test(judge_policy, a_server_with_another_name_is_a_smart_host)
{
	static const char *const names[] = { NULL, MX, "relay.example.net" };

	for (size_t i = 0; i < 3; i++) {
		begin_under(POLICY(MX));
		dialogue_say(&d, C("MAIL FROM:<a@example.net>\r\n"),
		    S("250 Ok\r\n"), C("RCPT TO:<b@example.org>\r\n"),
		    S("250 Ok\r\n"));
		world.mx_name = names[i];
		convict();
		cr_expect_eq(in.policy_count, i < 2 ? 1 : 0, "row %zu", i);
	}
}
