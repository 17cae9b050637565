/*
 * The certificate against what is demanded of it: by an MTA-STS policy (RFC
 * 8461 4.2) or by TLSA records (RFC 7672 3). Where it is not visible (TLS
 * 1.3, resumption, anonymous ciphers) nothing is said.
 */
#include <stdio.h>

#include "trial.h"
#include "trust.h"
#include "wording.h"

#define NS_PER_S INT64_C(1000000000)

/* What the certificate is measured by, and what came of it. */
struct demand {
	struct dns_route route;
	struct policy_in_force force;
	bool policy;	/* `force` is one */
	bool published; /* a policy is, but it is not known */
	bool named;	/* the certificate names the MX host */
	enum dns_tlsa tlsa;
	bool validated; /* the TLSA records are */
	uint64_t frame; /* of the answer that demands it */
};

/* Which policy demands it of this host; false: none. */
static bool
demanded_by_policy(const struct trial *trial, struct demand *d)
{
	const struct session *s = trial->session;
	const struct context *context = trial->context;
	bool asked;

	if (d->route.domain[0] == '\0')
		return false;
	d->policy = context->policy(context->world, d->route.domain,
	    s->chain_ns, &d->force);
	if (d->policy)
		return d->force.policy.mode != STS_NONE &&
		    sts_policy_matches(&d->force.policy, d->route.mx);
	d->published = dns_sts(s, d->route.domain, &asked, &d->frame) ==
	    DNS_STS_PUBLISHED;
	return d->published;
}

/* RFC 7672 2.2.1: one record that matches is enough. */
static enum dns_tlsa
match_validated(const struct session *s, const char *records,
    const struct dane_names *names)
{
	enum dns_tlsa result = DNS_TLSA_NONE;

	while (*records != '\0') {
		size_t n = strcspn(records, "\n");
		struct tlsa tlsa;

		if (tlsa_parse(slice_of(records, n), &tlsa)) {
			if (tlsa_matches(&tlsa, s->chain, s->chain_count, names,
				s->chain_ns / NS_PER_S))
				return DNS_TLSA_MATCHED;
			result = DNS_TLSA_UNMATCHED;
		}
		records += n + (records[n] == '\n');
	}
	return result;
}

/* Only what was validated says which name will do (design 4.7). */
enum dns_tlsa
trial_tlsa(const struct trial *trial, const char *domain, const char *mx)
{
	const struct session *s = trial->session;
	const struct context *context = trial->context;
	struct tlsa_in_force force;
	struct dane_names names;

	if (s->chain_count == 0 || context->tlsa == NULL || domain[0] == '\0' ||
	    !context->tlsa(context->world, domain, mx, s->chain_ns, &force))
		return DNS_TLSA_NONE;
	names = dane_names(&(struct dane_way){ .mx_secure = force.mx_secure,
	    .next_hop = domain,
	    .next_hop_expanded = force.next_hop,
	    .base = mx,
	    .base_expanded = force.canonical });
	return match_validated(s, force.records, &names);
}

/* Nobody validated what was seen: no name that may do is refused. */
static enum dns_tlsa
match_seen(const struct session *s, const struct dns_route *route,
    uint64_t *frame)
{
	char mx[DOMAIN_TEXT_BYTES], domain[DOMAIN_TEXT_BYTES];
	struct dane_names names;

	dns_expanded(s, route->mx, mx);
	dns_expanded(s, route->domain, domain);
	names = dane_names(&(struct dane_way){ .mx_secure = true,
	    .next_hop = route->domain,
	    .next_hop_expanded = domain,
	    .base = route->mx,
	    .base_expanded = mx });
	return dns_tlsa(s, route->mx, &names, frame);
}

static bool
meets_policy(const struct session *s, const struct demand *d)
{
	return d->named &&
	    (s->chain_result == CHAIN_TRUSTED ||
		s->chain_result == CHAIN_UNKNOWN);
}

/* With SNI it is known which of the names the client meant. */
static bool
is_meant(const struct session *s, const struct dns_route *route)
{
	return s->sni[0] == '\0' || strcmp(s->sni, route->mx) == 0;
}

enum measured { NOT_DEMANDED, MET, NOT_MET };

/* DANE goes before MTA-STS (RFC 8461 2), and what was validated before what
 * was seen (design 4.7). */
static enum measured
measure(const struct trial *trial, struct demand *d)
{
	const struct session *s = trial->session;

	d->frame = d->route.frame;
	d->named = trust_names(s->chain[0], d->route.mx);
	d->tlsa = trial_tlsa(trial, d->route.domain, d->route.mx);
	d->validated = d->tlsa != DNS_TLSA_NONE;
	if (d->validated)
		return d->tlsa == DNS_TLSA_MATCHED ? MET : NOT_MET;
	if (demanded_by_policy(trial, d))
		return meets_policy(s, d) ? MET : NOT_MET;
	d->policy = d->published = false;
	d->tlsa = match_seen(s, &d->route, &d->frame);
	return d->tlsa == DNS_TLSA_NONE ? NOT_DEMANDED :
	    d->tlsa == DNS_TLSA_MATCHED ? MET :
					  NOT_MET;
}

/*
 * The demand that is not met. Of domains that other clients asked for nobody
 * knows whether this session was for them, and where one that the client did
 * ask for is met the session may have been for that one.
 */
static bool
find_unmet(const struct trial *trial, struct demand *out)
{
	const struct session *s = trial->session;
	struct dns_route routes[DNS_ROUTES_MAX];
	unsigned count = dns_routes(s, routes);
	bool found = false;

	for (unsigned i = 0; i < count && routes[i].own; i++) {
		struct demand d = { .route = routes[i] };
		enum measured measured =
		    is_meant(s, &d.route) ? measure(trial, &d) : NOT_DEMANDED;

		if (measured == MET)
			return false;
		if (measured == NOT_MET && !found) {
			*out = d;
			found = true;
		}
	}
	return found;
}

bool
trial_certificate_demanded(const struct session *s,
    const struct context *context)
{
	struct trial trial = { .session = s, .context = context };
	struct dns_route routes[DNS_ROUTES_MAX];
	unsigned count;

	if (s->chain_count == 0 || s->answer_count == 0)
		return false;
	count = dns_routes(s, routes);
	for (unsigned i = 0; i < count && routes[i].own; i++) {
		struct demand d = { .route = routes[i] };

		if (measure(&trial, &d) != NOT_DEMANDED)
			return true;
	}
	return false;
}

/* --- evidence ------------------------------------------------------------ */

static void
weigh_content(struct trial *trial, const struct demand *d)
{
	const struct session *s = trial->session;
	bool trusted = s->chain_result == CHAIN_TRUSTED ||
	    s->chain_result == CHAIN_EXPIRED;
	enum evidence_code code = EVIDENCE_CERTIFICATE_EXPIRED;
	struct evidence *e;

	if (d->tlsa == DNS_TLSA_UNMATCHED)
		return;
	if (!d->named)
		code = trusted ? EVIDENCE_CERTIFICATE_OTHER_NAME :
				 EVIDENCE_CERTIFICATE_FOREIGN;
	else if (!trusted)
		code = EVIDENCE_CERTIFICATE_UNTRUSTED;
	e = trial_evidence(trial, code, s->chain_frame);
	snprintf(e->detail, sizeof(e->detail), "the client looked for %.120s",
	    d->route.mx);
}

static void
weigh_demand(struct trial *trial, const struct demand *d)
{
	enum evidence_code code = EVIDENCE_TLSA_UNMATCHED;
	struct evidence *e;

	if (d->validated)
		code = EVIDENCE_DANE_CERTIFICATE;
	else if (d->published)
		code = EVIDENCE_POLICY_PUBLISHED;
	else if (d->policy)
		code = d->force.policy.mode == STS_ENFORCE ?
		    EVIDENCE_CERTIFICATE_POLICY :
		    EVIDENCE_CERTIFICATE_POLICY_TESTING;
	e = trial_evidence(trial, code, d->frame);
	snprintf(e->detail, sizeof(e->detail),
	    "%.100s, whose MX %.80s the client was given%s",
	    d->route.domain[0] != '\0' ? d->route.domain : "some domain",
	    d->route.mx,
	    !d->policy		 ? "" :
		d->force.assumed ? "; validity assumed" :
				   "; validity observed");
}

/* A change is evidence and no more (design 3): certificates are renewed, and
 * each of several servers may have its own. */
static void
weigh_certificates(struct trial *trial)
{
	struct certificate_history h;
	enum evidence_code code = EVIDENCE_CERTIFICATE_CHANGED;
	struct evidence *e;

	certificate_history_ask(trial->context, trial->session, &h);
	if (h.other > 0 && h.same == 0 && h.other_before && h.other_after)
		code = EVIDENCE_CERTIFICATE_BETWEEN;
	else if (h.other == 0 &&
	    h.last_same_ns - h.first_same_ns >= SEVERAL_DAYS_NS)
		code = EVIDENCE_CERTIFICATE_AS_ALWAYS;
	else if (h.other == 0 || h.same > 0)
		return;
	e = trial_evidence(trial, code, 0);
	snprintf(e->detail, sizeof(e->detail),
	    "%llu other sessions with this certificate, %llu with others",
	    (unsigned long long)h.same, (unsigned long long)h.other);
}

static void
describe(struct trial *trial, const struct demand *d)
{
	const struct session *s = trial->session;
	struct incident *in = trial->out;

	in->frame = s->chain_frame;
	in->seen_capture = s->chain_capture;
	in->capture_ts_ns = s->chain_ns;
	in->stream_offset = s->chain_offset;
	in->side = SIDE_SERVER_OF_TAP;
	trust_describe(s->chain[0], in->seen, sizeof(in->seen));
	snprintf(in->expected, sizeof(in->expected), "%.60s", d->route.mx);
}

static void
add_dane(struct trial *trial, const struct demand *d)
{
	struct policy_verdict v = { .mechanism = MECHANISM_DANE,
		.basis = BASIS_DNS_MX,
		.result = POLICY_UNMET };

	snprintf(v.domain, sizeof(v.domain), "%s", d->route.domain);
	snprintf(v.mode, sizeof(v.mode), "%s",
	    dane_state_name(DANE_AUTHENTICATE));
	trial_policy(trial, &v);
}

enum verdict
trial_certificate(struct trial *trial)
{
	const struct session *s = trial->session;
	struct demand d;

	if (s->chain_count == 0 || s->answer_count == 0 ||
	    !find_unmet(trial, &d))
		return VERDICT_NOTHING;
	trial->out->kind = KIND_CERTIFICATE_MISMATCH;
	trial_policies(trial);
	describe(trial, &d);
	weigh_content(trial, &d);
	weigh_demand(trial, &d);
	weigh_certificates(trial);
	if (d.policy)
		trial_policy_sts(trial, d.route.domain, &d.force, BASIS_DNS_MX,
		    POLICY_UNMET);
	if (d.validated)
		add_dane(trial, &d);
	wording_certificate(s, d.route.mx, d.named,
	    d.tlsa == DNS_TLSA_UNMATCHED, trial->out);
	return trial_conclude(trial);
}
