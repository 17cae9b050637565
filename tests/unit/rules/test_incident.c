#include <criterion/criterion.h>

#include "rules/incident.h"

static struct incident in;

static unsigned
severity(enum certainty certainty, uint32_t outcome, const char *mode,
    enum policy_result result)
{
	memset(&in, 0, sizeof(in));
	in.certainty = certainty;
	in.outcome = outcome;
	if (mode != NULL) {
		in.policy_count = 2;
		strcpy(in.policies[0].mode, "none");
		in.policies[0].result = POLICY_UNMET;
		strcpy(in.policies[1].mode, mode);
		in.policies[1].result = result;
	}
	return incident_severity(&in);
}

/* The table of interface.md. */
Test(incident, severity_is_certainty_exposure_and_policy)
{
	static const struct {
		enum certainty certainty;
		uint32_t outcome;
		const char *mode;
		enum policy_result result;
		unsigned severity;
	} rows[] = {
		{ CERTAINTY_DEMONSTRATED, OUTCOME_CONTENT_EXPOSED, NULL, 0, 1 },
		{ CERTAINTY_DEMONSTRATED, OUTCOME_CREDENTIALS_EXPOSED, NULL, 0,
		    1 },
		{ CERTAINTY_DEMONSTRATED, OUTCOME_ENVELOPE_EXPOSED, NULL, 0,
		    2 },
		{ CERTAINTY_DEMONSTRATED, OUTCOME_ENCRYPTED, NULL, 0, 2 },
		{ CERTAINTY_LIKELY, OUTCOME_CONTENT_EXPOSED | OUTCOME_ACCEPTED,
		    NULL, 0, 1 },
		{ CERTAINTY_LIKELY, OUTCOME_CREDENTIALS_EXPOSED, NULL, 0, 1 },
		{ CERTAINTY_LIKELY, OUTCOME_ENVELOPE_EXPOSED, "enforce",
		    POLICY_UNMET, 2 },
		{ CERTAINTY_LIKELY, OUTCOME_STOPPED, NULL, 0, 2 },
		{ CERTAINTY_LIKELY, 0, NULL, 0, 2 },
		{ CERTAINTY_POSSIBLE, OUTCOME_CONTENT_EXPOSED, "enforce",
		    POLICY_UNMET, 2 },
		{ CERTAINTY_POSSIBLE, OUTCOME_CONTENT_EXPOSED, "enforce",
		    POLICY_MET, 3 },
		{ CERTAINTY_POSSIBLE, OUTCOME_CONTENT_EXPOSED, "enforce",
		    POLICY_NOT_VISIBLE, 3 },
		{ CERTAINTY_POSSIBLE, OUTCOME_CONTENT_EXPOSED, "testing",
		    POLICY_UNMET, 3 },
		{ CERTAINTY_POSSIBLE, OUTCOME_CONTENT_EXPOSED, NULL, 0, 3 },
		{ CERTAINTY_POSSIBLE, OUTCOME_ENVELOPE_EXPOSED, "enforce",
		    POLICY_UNMET, 3 },
		{ CERTAINTY_POSSIBLE, OUTCOME_CREDENTIALS_EXPOSED, NULL, 0, 3 },
		{ CERTAINTY_POSSIBLE, 0, NULL, 0, 3 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		cr_expect_eq(severity(rows[i].certainty, rows[i].outcome,
				 rows[i].mode, rows[i].result),
		    rows[i].severity, "row %zu", i);
}

Test(incident, kinds_have_names_that_read_back)
{
	for (int i = 0; i < KINDS; i++) {
		enum kind kind = KINDS;

		cr_expect(kind_parse(kind_name((enum kind)i), &kind));
		cr_expect_eq((int)kind, i);
		cr_expect_str_not_empty(kind_text(kind));
		cr_expect_str_not_empty(kind_source(kind));
		cr_expect_not_null(strstr(kind_attack(kind), "T1557"));
		for (int j = 0; j < i; j++)
			cr_expect_neq(kind_signature_id(kind),
			    kind_signature_id((enum kind)j));
	}
	cr_expect_str_eq(kind_name(KIND_STARTTLS_GARBLED), "starttls-garbled");
	cr_expect_str_eq(kind_name(KIND_STARTTLS_STRIPPED),
	    "starttls-stripped");
	cr_expect_eq(kind_signature_id(KIND_STARTTLS_GARBLED), 1846101);
}

Test(incident, what_is_no_name_does_not_read)
{
	static const char *const words[] = { "", "starttls", "STARTTLS-GARBLED",
		"starttls-garbled ", "starttls-garble" };
	enum evidence_code code = EVIDENCE_CODES;
	enum certainty certainty = CERTAINTY_NONE;
	enum kind kind = KINDS;

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		cr_expect_not(kind_parse(words[i], &kind), "%s", words[i]);
		cr_expect_not(evidence_parse(words[i], &code), "%s", words[i]);
		cr_expect_not(certainty_parse(words[i], &certainty), "%s",
		    words[i]);
	}
	cr_expect_eq(kind, KINDS);
	cr_expect_eq(code, EVIDENCE_CODES);
}

Test(incident, evidence_has_names_that_read_back_and_a_reason)
{
	for (int i = 0; i < EVIDENCE_CODES; i++) {
		enum evidence_code code = EVIDENCE_CODES;

		cr_expect(evidence_parse(evidence_name((enum evidence_code)i),
		    &code));
		cr_expect_eq((int)code, i);
		cr_expect_str_not_empty(evidence_why(code));
		cr_expect_neq(evidence_weight(code), 0, "%s",
		    evidence_name(code));
		cr_expect_str_not_empty(
		    evidence_group_name(evidence_group(code)));
	}
}

/* What a policy, a mask that may be another's, or history of few sessions
 * says may not reach 0.7 under the prior of `read` (design 4). */
Test(incident, weights_keep_what_is_not_admitted_below_likely)
{
	static const enum evidence_code rows[] = { EVIDENCE_POLICY_UNMET,
		EVIDENCE_POLICY_TESTING_UNMET, EVIDENCE_MASK_AMBIGUOUS,
		EVIDENCE_WORD_AMBIGUOUS, EVIDENCE_UNKNOWN_WORD,
		EVIDENCE_OFFERED_TO_SAME_CLIENT, EVIDENCE_ONLY_DIFFERENCE,
		EVIDENCE_OFFERED_TO_NEIGHBOURS, EVIDENCE_OFFERED_TO_OTHERS };

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		cr_expect_lt(evidence_weight(rows[i]), 1.83, "%s",
		    evidence_name(rows[i]));
}

Test(incident, certainties_read_back_in_order)
{
	static const char *const names[] = { "none", "possible", "likely",
		"demonstrated" };

	for (int i = 0; i < 4; i++) {
		enum certainty certainty;

		cr_expect_str_eq(certainty_name((enum certainty)i), names[i]);
		cr_expect(certainty_parse(names[i], &certainty));
		cr_expect_eq((int)certainty, i);
	}
}

/* Every bit that a fact may carry has the word of `unjudged`. */
Test(incident, what_was_not_seen_has_a_name)
{
	static const struct {
		uint16_t bit;
		const char *name;
	} rows[] = {
		{ OBS_MIDSTREAM, "midstream" },
		{ OBS_GAP_TO_SERVER, "gap" },
		{ OBS_GAP_TO_CLIENT, "gap" },
		{ OBS_ONE_SIDED, "one-sided" },
		{ OBS_SNAPLEN, "snaplen" },
		{ OBS_OVER_LIMIT, "over-limit" },
		{ OBS_EVICTED, "evicted" },
		{ OBS_LOST_SYNC, "gap" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		cr_expect_str_eq(unseen_name(rows[i].bit), rows[i].name);
	cr_expect_str_eq(unseen_name(1 << 15), "unknown");
}

Test(incident, the_words_of_interface_md_are_the_names)
{
	static const char *const outcomes[] = { "envelope-exposed",
		"content-exposed", "accepted", "credentials-exposed",
		"encrypted", "stopped" };

	for (unsigned i = 0; i < OUTCOME_BITS; i++)
		cr_expect_str_eq(outcome_name(i), outcomes[i]);
	cr_expect_str_eq(cause_name(CAUSE_UNKNOWN), "unknown");
	cr_expect_str_eq(cause_name(CAUSE_PEERS_INCOMPATIBLE),
	    "peers-incompatible");
	cr_expect_str_eq(side_name(SIDE_SERVER_OF_TAP), "server-side-of-tap");
	cr_expect_str_eq(side_name(SIDE_UNDETERMINED), "undetermined");
	cr_expect_str_eq(incident_state_name(STATE_WITHDRAWN), "withdrawn");
	cr_expect_str_eq(policy_result_name(POLICY_NOT_VISIBLE), "not-visible");
	cr_expect_str_eq(policy_basis_name(BASIS_DNS_MX), "dns-mx");
	cr_expect_str_eq(evidence_group_name(GROUP_SIGHTING), "sighting");
}
