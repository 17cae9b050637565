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
		    &trial->session->flow.server, trial->session->first_ns);
	return name == NULL || sts_policy_matches(policy, name);
}

void
trial_policy(struct trial *trial, const struct policy_verdict *verdict)
{
	struct incident *in = trial->out;
	struct policy_verdict *v = in->policies;

	while (v < in->policies + in->policy_count &&
	    (v->mechanism != verdict->mechanism ||
		strcmp(v->domain, verdict->domain) != 0))
		v++;
	if (v == in->policies + INCIDENT_POLICIES_MAX)
		return;
	if (v == in->policies + in->policy_count)
		in->policy_count++;
	*v = *verdict;
}

void
trial_policy_sts(struct trial *trial, const char *domain,
    const struct policy_in_force *force, enum policy_basis basis,
    enum policy_result result)
{
	struct policy_verdict v = { .mechanism = MECHANISM_STS,
		.basis = basis,
		.assumed = force->assumed,
		.result = result };

	snprintf(v.domain, sizeof(v.domain), "%.255s", domain);
	snprintf(v.mode, sizeof(v.mode), "%s",
	    sts_mode_name(force->policy.mode));
	trial_policy(trial, &v);
}

/* A domain that may be the session's, and how that is known. */
struct claim {
	const char *domain;
	const char *mx; /* the name that its server goes by; NULL: unknown */
	enum policy_basis basis;
	int64_t at_ns;
};

/* Was the client told that there is no policy? */
static void
weigh_denial(struct trial *trial, const struct claim *claim)
{
	struct evidence *e;
	bool asked;
	uint64_t frame = 0;

	if (dns_sts(trial->session, claim->domain, &asked, &frame) !=
		DNS_STS_NONE ||
	    !asked)
		return;
	e = trial_evidence(trial, EVIDENCE_POLICY_DENIED, frame);
	snprintf(e->detail, sizeof(e->detail), "_mta-sts.%.200s",
	    claim->domain);
}

static void
judge_sts(struct trial *trial, const struct claim *claim)
{
	const struct context *context = trial->context;
	struct policy_in_force force;

	if (!context->policy(context->world, claim->domain, claim->at_ns,
		&force) ||
	    force.policy.mode == STS_NONE)
		return;
	if (!force.assumed)
		weigh_denial(trial, claim);
	if (claim->mx != NULL ? sts_policy_matches(&force.policy, claim->mx) :
				policy_applies(trial, &force.policy))
		trial_policy_sts(trial, claim->domain, &force, claim->basis,
		    policy_result_sts(trial->session, claim->mx));
}

static void
judge_dane(struct trial *trial, const struct claim *claim)
{
	const struct context *context = trial->context;
	const struct session *s = trial->session;
	struct policy_verdict v = { .mechanism = MECHANISM_DANE,
		.basis = claim->basis };
	enum dane_state state;

	if (context->dane == NULL)
		return;
	state = context->dane(context->world, claim->domain, &s->flow.server,
	    claim->at_ns, &v.assumed);
	if (state == DANE_NONE)
		return;
	snprintf(v.domain, sizeof(v.domain), "%.255s", claim->domain);
	snprintf(v.mode, sizeof(v.mode), "%s", dane_state_name(state));
	v.result = policy_result_dane(s, state,
	    claim->mx != NULL ? trial_tlsa(trial, claim->domain, claim->mx) :
				DNS_TLSA_NONE);
	trial_policy(trial, &v);
}

/* Is it known that the client was on the way to this domain? It got the MX
 * itself, or it named the host; what others asked for says nothing else. */
static enum policy_basis
basis_of(const struct session *s, const struct dns_route *route, bool *known)
{
	bool named = s->sni[0] != '\0' && strcmp(s->sni, route->mx) == 0;

	*known = route->domain[0] != '\0' &&
	    (named || (route->own && s->sni[0] == '\0'));
	return named && !route->own ? BASIS_SNI : BASIS_DNS_MX;
}

static void
judge_route(struct trial *trial, const struct dns_route *route,
    enum policy_basis basis)
{
	const struct claim claim = { route->domain, route->mx, basis,
		trial->session->first_ns };

	judge_sts(trial, &claim);
	judge_dane(trial, &claim);
}

/* Its own answers, and SNI; their number. */
static unsigned
judge_seen_routes(struct trial *trial)
{
	const struct session *s = trial->session;
	struct dns_route routes[DNS_ROUTES_MAX];
	unsigned count = s->answer_count > 0 ? dns_routes(s, routes) : 0;
	unsigned judged = 0;

	for (unsigned i = 0; i < count; i++) {
		bool known;
		enum policy_basis basis = basis_of(s, &routes[i], &known);

		if (known)
			judge_route(trial, &routes[i], basis);
		judged += known;
	}
	return judged;
}

/* Fetched records know the server, or the host that the client named. */
static unsigned
judge_fetched_routes(struct trial *trial)
{
	const struct session *s = trial->session;
	const struct context *context = trial->context;
	struct dns_route routes[DNS_ROUTES_MAX];
	unsigned count = context->mx_of == NULL ?
	    0 :
	    context->mx_of(context->world, &s->flow.server, s->first_ns,
		routes);
	unsigned judged = 0;

	for (unsigned i = 0; i < count; i++) {
		if (s->sni[0] != '\0' && strcmp(s->sni, routes[i].mx) != 0)
			continue;
		judge_route(trial, &routes[i],
		    s->sni[0] != '\0' ? BASIS_SNI : BASIS_DNS_MX);
		judged++;
	}
	return judged;
}

/* A host that bears the name of a domain that has a policy, and which that
 * policy lists: mx.example.org of example.org. */
static void
judge_named_host(struct trial *trial)
{
	const struct session *s = trial->session;
	struct claim claim = { s->sni, s->sni, BASIS_SNI, s->first_ns };

	while ((claim.domain = strchr(claim.domain, '.')) != NULL) {
		claim.domain++;
		judge_sts(trial, &claim);
	}
}

/* Where no recipient shows: it left before, or went on inside TLS. */
static void
judge_routes(struct trial *trial)
{
	if (judge_seen_routes(trial) == 0 && judge_fetched_routes(trial) == 0)
		judge_named_host(trial);
}

void
trial_policies(struct trial *trial)
{
	const struct session *s = trial->session;

	if (!at_an_mx(s))
		return;
	for (unsigned i = 0; i < s->domain_count; i++) {
		const struct claim claim = { s->rcpt_domains[i], NULL,
			BASIS_RCPT, s->mail_ns ? s->mail_ns : s->last_ns };

		judge_sts(trial, &claim);
		judge_dane(trial, &claim);
	}
	if (s->domain_count == 0)
		judge_routes(trial);
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

/* Is the promise of TLS broken? Also where a sender that knows of it left for
 * that, and so did as it must. */
static bool
is_broken(const struct session *s, const struct policy_verdict *v)
{
	return v->result == POLICY_UNMET ||
	    (v->result == POLICY_MET && !s->offered &&
		session_absence_seen(s) &&
		session_outcome(s) & OUTCOME_STOPPED);
}

/* The strongest broken promise, as evidence; of equal ones the first. */
void
trial_weigh_policies(struct trial *trial, bool content)
{
	struct incident *in = trial->out;
	const struct policy_verdict *broken = NULL;
	struct evidence *e;

	for (unsigned i = 0; i < in->policy_count; i++) {
		const struct policy_verdict *v = &in->policies[i];

		if (is_broken(trial->session, v) &&
		    (broken == NULL ||
			evidence_weight(code_of(v, content)) >
			    evidence_weight(code_of(broken, content))))
			broken = v;
	}
	if (broken == NULL)
		return;
	e = trial_evidence(trial, code_of(broken, content),
	    trial->session->mail_frame);
	snprintf(e->detail, sizeof(e->detail),
	    "%.120s: %s%s, validity %s, chosen by %s; %s", broken->domain,
	    broken->mechanism == MECHANISM_DANE ? "DANE, " : "", broken->mode,
	    broken->assumed ? "assumed" : "observed",
	    broken->basis == BASIS_RCPT	      ? "RCPT TO" :
		broken->basis == BASIS_DNS_MX ? "the MX that the client got" :
						"SNI",
	    "a smart host would not be its MX");
}
