/*
 * Was the client led to another server? Answers of DNS that contradict each
 * other, or the policy that is known of the domain (RFC 8461 4.1, 10.2; RFC
 * 5452); or another server answers at the address, and from elsewhere. DNS on
 * the wire accuses, and never acquits (design 4.7).
 */
#include <stdio.h>

#include "garble.h"
#include "trial.h"
#include "trust.h"
#include "wording.h"

/* Did the session show that the server is not who is behind the name? Where
 * TLS 1.3 hides the certificate it did not. */
static bool
is_stranger(const struct session *s, const char *mx)
{
	if (s->chain_count > 0)
		return !trust_names(s->chain[0], mx);
	return !s->offered && session_absence_seen(s);
}

static bool
weigh_answers(struct trial *trial, const struct dns_route *route)
{
	const struct session *s = trial->session;
	struct dns_contradiction c;
	struct evidence *e;
	bool mx = dns_contradicts_mx(s, route, &c);

	if (!mx && !dns_contradicts_address(s, route->mx, &c))
		return false;
	e = trial_evidence(trial,
	    c.second ? EVIDENCE_DNS_ANSWERED_TWICE : EVIDENCE_DNS_DIFFERS,
	    c.frame);
	snprintf(e->detail, sizeof(e->detail),
	    "%.80s: frame %llu leads to this server, frame %llu to %.80s",
	    mx ? route->domain : route->mx, (unsigned long long)c.frame,
	    (unsigned long long)c.other_frame, c.other);
	if (is_stranger(s, route->mx))
		trial_evidence(trial, EVIDENCE_SERVER_STRANGE, 0);
	return true;
}

/* An MX host that the domain's policy does not list: RFC 8461 4.1 has the
 * sender pass it over. */
static bool
weigh_policy(struct trial *trial, const struct dns_route *route)
{
	const struct session *s = trial->session;
	const struct context *context = trial->context;
	struct policy_in_force force;
	struct evidence *e;

	if (route->domain[0] == '\0' ||
	    !context->policy(context->world, route->domain, s->first_ns,
		&force) ||
	    force.policy.mode == STS_NONE ||
	    sts_policy_matches(&force.policy, route->mx))
		return false;
	e = trial_evidence(trial,
	    force.policy.mode == STS_ENFORCE ? EVIDENCE_MX_NOT_IN_POLICY :
					       EVIDENCE_MX_NOT_IN_TESTING,
	    route->frame);
	snprintf(e->detail, sizeof(e->detail),
	    "%.100s was given %.100s as its MX", route->domain, route->mx);
	trial_policy_sts(trial, route->domain, &force, BASIS_DNS_MX,
	    POLICY_UNMET);
	return true;
}

static enum verdict
judge_route(struct trial *trial, const struct dns_route *route)
{
	const struct session *s = trial->session;
	struct incident *in = trial->out;
	bool answers = weigh_answers(trial, route);
	bool policy = weigh_policy(trial, route);

	if (!answers && !policy)
		return VERDICT_NOTHING;
	in->kind = KIND_SERVER_REDIRECTED;
	in->side = SIDE_UNDETERMINED;
	in->frame = s->first_frame;
	in->capture_ts_ns = s->first_ns;
	snprintf(in->expected, sizeof(in->expected), "%.60s", route->mx);
	wording_redirected(s, route->domain, route->mx, answers, in);
	return trial_conclude(trial);
}

/*
 * Everything by which a server may be known differs from what is seen at this
 * address at other times: the domain that it says it is of, its keywords, and
 * where its packets come from. One of them alone is ordinary life: backends,
 * updates, routes.
 */
static bool
is_another(const struct history *h, const struct profile *own)
{
	return own->home_hash != 0 && h->with_home > 0 && h->same_home == 0 &&
	    !h->any_list && own->server_ttl != 0 && h->with_ttl > 0 &&
	    h->same_ttl == 0;
}

static void
weigh_another(struct trial *trial, const struct profile *own)
{
	const struct session *s = trial->session;
	const struct history *h = &trial->history;
	struct evidence *e = trial_evidence(trial,
	    h->before && h->after ? EVIDENCE_IDENTITY_COMES_AND_GOES :
				    EVIDENCE_IDENTITY_CHANGED,
	    s->lines[0].frame);

	snprintf(e->detail, sizeof(e->detail),
	    "%llu session%s with that one, %s; none of them with this one",
	    (unsigned long long)h->with_home, h->with_home == 1 ? "" : "s",
	    h->before && h->after ? "before and after" :
		h->before	  ? "all before" :
				    "all after");
	e = trial_evidence(trial, EVIDENCE_PATH_CHANGED, s->lines[0].frame);
	snprintf(e->detail, sizeof(e->detail), "TTL %u, and %u at other times",
	    own->server_ttl, h->usual_ttl);
	trial_evidence(trial, EVIDENCE_SERVER_STRANGE, 0);
	trial_policies(trial);
	trial_weigh_policies(trial, true);
}

/* Where the server takes the command that it does not offer, it was not
 * replaced by one that has no TLS. Only sessions that are kept in any case may
 * be judged by history, or the order of captures would decide (design 4.4). */
static enum verdict
judge_another(struct trial *trial)
{
	const struct session *s = trial->session;
	struct incident *in = trial->out;
	struct profile own;

	if (!session_clear_without_offer(s) || !session_absence_seen(s) ||
	    s->starttls_code == 220 || !session_profile(s, &own))
		return VERDICT_NOTHING;
	trial_start_over(trial);
	history_ask(trial->context, &own, own.keywords_hash,
	    s->lines[0].capture_ts_ns, &trial->history);
	/* What stands in the offer's place explains more. */
	if (!is_another(&trial->history, &own) ||
	    garble_find(trial->context->registry, s).found)
		return VERDICT_NOTHING;
	in->kind = KIND_SERVER_REDIRECTED;
	in->side = SIDE_UNDETERMINED;
	trial_describe_line(trial, &s->lines[0]);
	in->seen_line = 1;
	weigh_another(trial, &own);
	wording_another(s, &trial->history, in);
	return trial_conclude(trial);
}

enum verdict
trial_redirected(struct trial *trial)
{
	const struct session *s = trial->session;
	struct dns_route routes[DNS_ROUTES_MAX];
	unsigned count = s->answer_count > 0 ? dns_routes(s, routes) : 0;

	for (unsigned i = 0; i < count && routes[i].own; i++) {
		enum verdict verdict;

		trial_start_over(trial);
		verdict = judge_route(trial, &routes[i]);
		if (verdict != VERDICT_NOTHING)
			return verdict;
	}
	return judge_another(trial);
}
