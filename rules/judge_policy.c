/* What the recipients' domains demand, weighed. */
#include <stdio.h>

#include "policy_result.h"
#include "trial.h"

#define MX_PORT 25

/*
 * A recipient's domain says which policy a sender must follow (RFC 8461 3.4),
 * but only at its MX: not at a submission server, and not after AUTH.
 */
static bool
at_an_mx(const struct session *s)
{
	return s->flow.server.port == MX_PORT && !s->auth_clear;
}

/* A name known for the server that the policy does not list is a smart
 * host's: it is not the domain's MX. */
static bool
policy_applies(const struct trial *trial, const struct sts_policy *policy)
{
	const struct context *context = trial->context;
	const char *name = NULL;

	if (context->mx_name != NULL)
		name = context->mx_name(context->world,
		    &trial->session->flow.server);
	return name == NULL || sts_policy_matches(policy, name);
}

static struct policy_verdict *
add_verdict(struct trial *trial, enum policy_mechanism mechanism,
    const char *domain, const char *mode, bool assumed)
{
	struct incident *in = trial->out;
	struct policy_verdict *v = &in->policies[in->policy_count];

	if (in->policy_count == INCIDENT_POLICIES_MAX)
		return NULL;
	in->policy_count++;
	memset(v, 0, sizeof(*v));
	v->mechanism = mechanism;
	snprintf(v->domain, sizeof(v->domain), "%s", domain);
	snprintf(v->mode, sizeof(v->mode), "%s", mode);
	v->assumed = assumed;
	v->basis = BASIS_RCPT;
	return v;
}

static void
judge_sts(struct trial *trial, const char *domain, int64_t at_ns)
{
	const struct context *context = trial->context;
	struct policy_in_force force;
	struct policy_verdict *v;

	if (!context->policy(context->world, domain, at_ns, &force) ||
	    force.policy.mode == STS_NONE ||
	    !policy_applies(trial, &force.policy))
		return;
	v = add_verdict(trial, MECHANISM_STS, domain,
	    sts_mode_name(force.policy.mode), force.assumed);
	if (v != NULL)
		v->result = policy_result_sts(trial->session);
}

static void
judge_dane(struct trial *trial, const char *domain, int64_t at_ns)
{
	const struct context *context = trial->context;
	const struct session *s = trial->session;
	struct policy_verdict *v;
	enum dane_state state;
	bool assumed = false;

	if (context->dane == NULL)
		return;
	state = context->dane(context->world, domain, &s->flow.server, at_ns,
	    &assumed);
	if (state == DANE_NONE)
		return;
	v = add_verdict(trial, MECHANISM_DANE, domain, dane_state_name(state),
	    assumed);
	if (v != NULL)
		v->result = policy_result_dane(s, state);
}

void
trial_policies(struct trial *trial)
{
	const struct session *s = trial->session;
	int64_t at_ns = s->mail_ns ? s->mail_ns : s->last_ns;

	if (!at_an_mx(s))
		return;
	for (unsigned i = 0; i < s->domain_count; i++) {
		judge_sts(trial, s->rcpt_domains[i], at_ns);
		judge_dane(trial, s->rcpt_domains[i], at_ns);
	}
}

static enum evidence_code
code_of(const struct policy_verdict *v, bool content)
{
	if (content)
		return EVIDENCE_POLICY_BESIDE_CONTENT;
	if (v->mechanism == MECHANISM_DANE)
		return EVIDENCE_DANE_UNMET;
	return strcmp(v->mode, "enforce") == 0 ? EVIDENCE_POLICY_UNMET :
						 EVIDENCE_POLICY_TESTING_UNMET;
}

/* The strongest unmet demand, as evidence; of equal ones the first. */
void
trial_weigh_policies(struct trial *trial, bool content)
{
	struct incident *in = trial->out;
	const struct policy_verdict *unmet = NULL;
	struct evidence *e;

	for (unsigned i = 0; i < in->policy_count; i++) {
		const struct policy_verdict *v = &in->policies[i];

		if (v->result == POLICY_UNMET &&
		    (unmet == NULL ||
			evidence_weight(code_of(v, content)) >
			    evidence_weight(code_of(unmet, content))))
			unmet = v;
	}
	if (unmet == NULL)
		return;
	e = trial_evidence(trial, code_of(unmet, content),
	    trial->session->mail_frame);
	snprintf(e->detail, sizeof(e->detail),
	    "%.120s: %s%s, validity %s, chosen by RCPT TO; %s", unmet->domain,
	    unmet->mechanism == MECHANISM_DANE ? "DANE, " : "", unmet->mode,
	    unmet->assumed ? "assumed" : "observed",
	    "a smart host would not be its MX");
}
