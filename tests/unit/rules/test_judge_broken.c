/* tls-session-broken: 220, TLS that comes to nothing, and what follows. */
#include "rules/judge.h"

#include "rules/chain.h"
#include "rules/ehlo.h"

#include "unit/rules/judging.h"

#define TLS_1_3 0x0304
#define HANDSHAKE_FAILURE 0x0228

static void
accept_starttls(void)
{
	greet();
	dialogue_say(&d, C("STARTTLS\r\n"), S("220 2.0.0 Ready\r\n"));
	dialogue_fact(&d, FACT_TLS_CLIENT_HELLO, TLS_1_3, "");
}

static void
cut(void)
{
	accept_starttls();
	dialogue_close_as(&d, ENDING_RST);
}

/* The handshake ends; then so many octets go to the server. */
static void
cut_inside(uint64_t octets, enum ending ending)
{
	struct fact fact = { .code = FACT_OPAQUE_END,
		.dir = TO_SERVER,
		.extent = octets };

	accept_starttls();
	dialogue_fact(&d, FACT_TLS_ESTABLISHED, 0, "");
	session_fold(&d.session, &fact, slice_of(NULL, 0));
	dialogue_close_as(&d, ending);
}

/* A session of `client`, so many seconds from this one's end. */
static struct attempt *
attempt(const char *client, double seconds, enum attempt_result result)
{
	struct attempt *a = &world.attempts[world.attempt_count++];

	cr_assert(world.attempt_count <= 8);
	cr_assert(address_parse(client, &a->client.address));
	a->client.port = 40113;
	a->server = d.session.flow.server;
	a->helo_hash = ehlo_hash(0, slice_str(d.session.helo));
	a->first_ns = d.session.last_ns + (int64_t)(seconds * 1e9);
	a->last_ns = a->first_ns;
	a->result = (uint8_t)result;
	if (result == ATTEMPT_CLEAR) {
		a->outcome = OUTCOME_ENVELOPE_EXPOSED |
		    OUTCOME_CONTENT_EXPOSED | OUTCOME_ACCEPTED;
		strcpy(a->queue_id, "4F1A2");
		strcpy(a->domains, "example.org example.com");
	}
	return a;
}

Test(judge_broken, a_cut_and_a_retry_in_clear_are_possible_and_no_more)
{
	cut();
	attempt(CLIENT, 0.5, ATTEMPT_CLEAR);
	cr_assert_eq(judge(), VERDICT_INCIDENT);
	cr_expect_eq(in.kind, KIND_TLS_SESSION_BROKEN);
	cr_expect_eq(in.certainty, CERTAINTY_POSSIBLE);
	cr_expect_eq(in.outcome,
	    OUTCOME_ENVELOPE_EXPOSED | OUTCOME_CONTENT_EXPOSED |
		OUTCOME_ACCEPTED);
	cr_expect_str_eq(in.queue_id, "4F1A2");
	cr_expect_eq(in.domain_count, 2);
	cr_expect_str_eq(in.rcpt_domains[1], "example.com");
	cr_assert_eq(in.session_count, 2);
	cr_expect_str_eq(in.sessions[1].role, "retry");
	cr_expect_eq(in.sessions[1].client.port, 40113);
	expect_evidence(&in, "cut-then-clear");
}

Test(judge_broken, a_cut_alone_is_evidence_only)
{
	cut();
	cr_expect_eq(judge(), VERDICT_EVIDENCE);
	expect_evidence(&in, "cut");
	cr_expect_eq(in.outcome, OUTCOME_STOPPED);
	cr_expect_eq(in.session_count, 1);
	/* What failed again did not come back in clear. */
	attempt(CLIENT, 1, ATTEMPT_FAILED);
	attempt(CLIENT, 2, ATTEMPT_CLEAR);
	cr_expect_eq(judge(), VERDICT_EVIDENCE);
}

Test(judge_broken, inside_tls_only_before_it_can_have_carried_a_mail)
{
	cut_inside(113, ENDING_RST);
	attempt(CLIENT, 0.5, ATTEMPT_CLEAR);
	cr_expect_eq(judge(), VERDICT_INCIDENT);
	cut_inside(286, ENDING_RST);
	attempt(CLIENT, 0.5, ATTEMPT_CLEAR);
	cr_expect_eq(judge(), VERDICT_NOTHING);
	/* A client that is done closes. */
	cut_inside(113, ENDING_FIN);
	attempt(CLIENT, 0.5, ATTEMPT_CLEAR);
	cr_expect_eq(judge(), VERDICT_NOTHING);
	cut_inside(113, ENDING_CAPTURE_END);
	attempt(CLIENT, 0.5, ATTEMPT_CLEAR);
	cr_expect_eq(judge(), VERDICT_INCIDENT);
}

Test(judge_broken, a_similar_sender_weighs_less)
{
	cut();
	attempt(NEIGHBOUR, 0.5, ATTEMPT_CLEAR)->helo_hash++;
	cr_expect_eq(judge(), VERDICT_EVIDENCE);
	expect_evidence(&in, "cut-then-similar");
	cut();
	attempt(STRANGER, 0.5, ATTEMPT_CLEAR)->helo_hash++;
	judge();
	expect_evidence(&in, "cut");
}

Test(judge_broken, the_sender_itself_goes_before_one_that_is_like_it)
{
	cut();
	attempt(NEIGHBOUR, 0.2, ATTEMPT_CLEAR)->helo_hash++;
	attempt(CLIENT, 0.5, ATTEMPT_CLEAR);
	cr_assert_eq(judge(), VERDICT_INCIDENT);
	expect_evidence(&in, "cut-then-clear");
	cr_expect_eq(in.sessions[1].first_ns, world.attempts[1].first_ns);
}

Test(judge_broken, an_alert_is_a_disagreement)
{
	accept_starttls();
	dialogue_fact(&d, FACT_TLS_ALERT, HANDSHAKE_FAILURE, "");
	dialogue_close(&d);
	attempt(CLIENT, 0.5, ATTEMPT_CLEAR);
	cr_expect_eq(judge(), VERDICT_EVIDENCE);
	expect_evidence(&in, "cut-then-clear alert");
	cr_expect_neq(strstr(in.benign, "no version, cipher"), NULL);
}

Test(judge_broken, the_same_for_days_is_the_peers_own)
{
	cut();
	attempt(CLIENT, 0.5, ATTEMPT_CLEAR);
	ended(CLIENT, -2, 4, CLASS_TLS_BROKEN);
	ended(CLIENT, 2, 4, CLASS_TLS_BROKEN);
	cr_expect_eq(judge(), VERDICT_EVIDENCE);
	expect_evidence(&in, "cut-then-clear fails-for-all");
	cr_expect_eq(in.cause, CAUSE_PEERS_INCOMPATIBLE);
}

Test(judge_broken, one_accident_among_many_sessions_stays_possible)
{
	cut();
	attempt(CLIENT, 0.5, ATTEMPT_CLEAR);
	ended(CLIENT, -3, 15, CLASS_TLS);
	ended(CLIENT, 3, 15, CLASS_TLS);
	cr_assert_eq(judge(), VERDICT_INCIDENT);
	cr_expect_eq(in.certainty, CERTAINTY_POSSIBLE);
}

Test(judge_broken, the_same_twice_among_many_is_likely)
{
	cut();
	attempt(CLIENT, -600, ATTEMPT_FAILED);
	attempt(CLIENT, 0.5, ATTEMPT_CLEAR);
	ended(CLIENT, -3, 15, CLASS_TLS);
	ended(CLIENT, 3, 15, CLASS_TLS);
	cr_assert_eq(judge(), VERDICT_INCIDENT);
	expect_evidence(&in, "cut-then-clear tls-often");
	cr_expect_eq(in.certainty, CERTAINTY_LIKELY);
	cr_assert_eq(in.session_count, 3);
	cr_expect_str_eq(in.sessions[1].role, "failed");
	cr_expect_str_eq(in.sessions[2].role, "retry");
}

Test(judge_broken, who_sends_in_clear_anyway_did_not_come_back)
{
	cut();
	attempt(CLIENT, 0.5, ATTEMPT_CLEAR);
	ended(CLIENT, -1, 4, CLASS_CLEAR_MAIL);
	cr_expect_eq(judge(), VERDICT_EVIDENCE);
	expect_evidence(&in, "cut-then-clear clear-anyway");
}

Test(judge_broken, a_reset_out_of_place_is_seldom_the_peers)
{
	struct fact reset = { .code = FACT_RST_OUT_OF_PLACE,
		.dir = TO_CLIENT,
		.frame = 12 };

	cut();
	session_fold(&d.session, &reset, slice_of(NULL, 0));
	cr_assert_eq(judge(), VERDICT_INCIDENT);
	expect_evidence(&in, "cut reset-out-of-place");
	cr_expect_eq(in.certainty, CERTAINTY_POSSIBLE);
}

Test(judge_broken, who_goes_on_behind_a_reset_did_not_send_it)
{
	struct fact behind = { .code = FACT_DATA_BEHIND_RST,
		.dir = TO_CLIENT,
		.frame = 12 };

	cut();
	attempt(CLIENT, 0.5, ATTEMPT_CLEAR);
	session_fold(&d.session, &behind, slice_of(NULL, 0));
	cr_assert_eq(judge(), VERDICT_INCIDENT);
	expect_evidence(&in, "cut-then-clear reset-disowned");
	cr_expect_eq(in.certainty, CERTAINTY_LIKELY);
}

Test(judge_broken, the_policy_is_that_of_the_retry)
{
	cut();
	attempt(CLIENT, 0.5, ATTEMPT_CLEAR);
	world.domain[0] = "example.org";
	world.body[0] = POLICY_OF("enforce");
	cr_assert_eq(judge(), VERDICT_INCIDENT);
	cr_assert_eq(in.policy_count, 1);
	cr_expect_eq(in.policies[0].result, POLICY_UNMET);
}

/* The clock of the capture ticks once a second. */
Test(judge_broken, at_the_same_time_what_stands_later_is_later)
{
	struct attempt *retry;

	cut();
	retry = attempt(CLIENT, 0, ATTEMPT_CLEAR);
	retry->first_ns = d.session.first_ns;
	retry->first_frame = d.session.first_frame + 20;
	cr_assert_eq(judge(), VERDICT_INCIDENT);
	cr_expect_eq(in.session_count, 2);
	retry->first_frame = 0;
	cr_expect_neq(judge(), VERDICT_INCIDENT);
}

Test(judge_broken, what_was_not_seen_in_full_accuses_nobody)
{
	accept_starttls();
	dialogue_say(&d, GAP(TO_CLIENT, 20));
	dialogue_close_as(&d, ENDING_RST);
	attempt(CLIENT, 0.5, ATTEMPT_CLEAR);
	cr_expect_neq(judge(), VERDICT_INCIDENT);
}

Test(judge_broken, an_attempt_says_what_others_need_to_know)
{
	struct attempt a;

	cut();
	cr_assert(session_attempt(&d.session, &a));
	cr_expect_eq(a.result, ATTEMPT_FAILED);
	memset(&d, 0, sizeof(d));
	dialogue_open(&d, CLIENT, SERVER);
	dialogue_greet(&d, &replies[REPLY_POSTFIX], "STARTTLS", 8);
	dialogue_say(&d, DELIVERY);
	dialogue_close(&d);
	cr_assert(session_attempt(&d.session, &a));
	cr_expect_eq(a.result, ATTEMPT_CLEAR);
	cr_expect_str_eq(a.domains, "example.org");
	cr_expect_str_eq(a.queue_id, "4F1A2");
	/* Where nothing was offered there is nothing to come back from. */
	memset(&d, 0, sizeof(d));
	dialogue_open(&d, CLIENT, SERVER);
	dialogue_greet(&d, &replies[REPLY_POSTFIX], NULL, 0);
	dialogue_say(&d, DELIVERY);
	dialogue_close(&d);
	cr_expect_not(session_attempt(&d.session, &a));
}
