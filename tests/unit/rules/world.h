/*
 * What rules may ask of the world, told by the test: policies, profiles, a
 * name for the server. `struct fake_world` starts as { 0 }.
 */
#ifndef TESTS_UNIT_RULES_WORLD_H
#define TESTS_UNIT_RULES_WORLD_H

#include "rules/judge.h"
#include "unit/rules/dialogue.h"

#define READ_PRIOR (1.0 / 30)

#define POLICY_OF(mode) \
	"version: STSv1\nmode: " mode "\nmx: *.example.org\nmax_age: 604800\n"

struct fake_world {
	struct context context;
	const char *domain[4], *body[4]; /* policies */
	bool observed;		   /* ... whose validity somebody observed */
	int64_t from_ns, until_ns; /* 0: always */
	struct profile profiles[32];
	size_t profile_count;
	struct attempt attempts[8]; /* by first_ns */
	size_t attempt_count;
	const char *mx_name;
	const char *fetched;   /* the MX host that has the server's address */
	enum dane_state dane;  /* of every domain, everywhere */
	const char *tlsa;      /* of every host, validated; NULL: none */
	const char *canonical; /* where a CNAME leads from every host ... */
	const char *next_hop;  /* ... and from every domain; NULL: nowhere */
	bool mx_insecure;      /* its domain's MX records are not validated */
	struct endpoint asked; /* whose profiles were wanted last */
};

static inline bool
fake_policy(void *world, const char *domain, int64_t at_ns,
    struct policy_in_force *out)
{
	struct fake_world *w = world;

	if ((w->from_ns != 0 && at_ns < w->from_ns) ||
	    (w->until_ns != 0 && at_ns >= w->until_ns))
		return false;
	for (int i = 0; i < 4; i++) {
		if (w->domain[i] == NULL || strcmp(w->domain[i], domain) != 0)
			continue;
		out->assumed = !w->observed;
		return sts_policy_parse(slice_str(w->body[i]), &out->policy,
		    NULL);
	}
	return false;
}

static inline size_t
fake_profiles(void *world, const struct endpoint *server,
    const struct profile **out)
{
	struct fake_world *w = world;

	w->asked = *server;
	*out = w->profiles;
	return w->profile_count;
}

static inline size_t
fake_attempts(void *world, const struct endpoint *server,
    const struct attempt **out)
{
	struct fake_world *w = world;

	(void)server;
	*out = w->attempts;
	return w->attempt_count;
}

static inline const char *
fake_mx_name(void *world, const struct endpoint *server, int64_t at_ns)
{
	(void)server;
	(void)at_ns;
	return ((struct fake_world *)world)->mx_name;
}

/* The one host, MX of the first policy's domain. */
static inline unsigned
fake_mx_of(void *world, const struct endpoint *server, int64_t at_ns,
    struct dns_route out[DNS_ROUTES_MAX])
{
	struct fake_world *w = world;

	(void)server;
	(void)at_ns;
	if (w->fetched == NULL)
		return 0;
	memset(&out[0], 0, sizeof(out[0]));
	strcpy(out[0].domain, w->domain[0]);
	strcpy(out[0].mx, w->fetched);
	return 1;
}

static inline enum dane_state
fake_dane(void *world, const char *domain, const struct endpoint *server,
    int64_t at_ns, bool *assumed)
{
	(void)domain;
	(void)server;
	(void)at_ns;
	*assumed = false;
	return ((struct fake_world *)world)->dane;
}

static inline bool
fake_tlsa(void *world, const char *domain, const char *host, int64_t at_ns,
    struct tlsa_in_force *out)
{
	const struct fake_world *w = world;

	(void)domain;
	(void)host;
	(void)at_ns;
	*out = (struct tlsa_in_force){ w->tlsa,
		w->canonical != NULL ? w->canonical : "",
		w->next_hop != NULL ? w->next_hop : "", !w->mx_insecure };
	return w->tlsa != NULL;
}

static inline const struct registry *
builtin_registry(void)
{
	static struct registry *registry;
	char errbuf[REGISTRY_ERRBUF];

	if (registry == NULL)
		registry = registry_load(NULL, errbuf);
	if (registry == NULL)
		abort();
	return registry;
}

static inline const struct context *
fake_context(struct fake_world *w)
{
	w->context.registry = builtin_registry();
	if (w->context.prior == 0)
		w->context.prior = READ_PRIOR;
	w->context.world = w;
	w->context.policy = fake_policy;
	w->context.profiles = fake_profiles;
	w->context.attempts = fake_attempts;
	w->context.mx_name = fake_mx_name;
	w->context.mx_of = fake_mx_of;
	w->context.dane = fake_dane;
	w->context.tlsa = fake_tlsa;
	return &w->context;
}

/*
 * Sessions like `like` (whose garbled line `left_out` is none of its
 * keywords; UINT32_MAX: all are) from `client`, `days` away, with STARTTLS.
 * The profile can be changed before the next call.
 */
static inline struct profile *
fake_offers(struct fake_world *w, const struct session *like, unsigned left_out,
    const char *client, double days, uint64_t sessions)
{
	struct profile *p = &w->profiles[w->profile_count++];

	if (w->profile_count > 32 ||
	    !session_profile_without(like, left_out, p) ||
	    !address_parse(client, &p->client))
		abort();
	p->first_ns += (int64_t)(days * (double)DAY_NS);
	p->last_ns = p->first_ns;
	p->sessions = sessions;
	p->offered = true;
	p->ending_class = CLASS_TLS;
	return p;
}

/* The same sessions, had they not been offered STARTTLS. */
static inline struct profile *
without_offer(struct profile *p)
{
	p->offered = false;
	return p;
}

/* The session's own profile: history has seen it too. */
static inline struct profile *
fake_itself(struct fake_world *w, const struct session *s)
{
	struct profile *p = &w->profiles[w->profile_count++];

	if (w->profile_count > 32 || !session_profile(s, p))
		abort();
	return p;
}

static inline const struct evidence *
evidence_in(const struct incident *in, enum evidence_code code)
{
	for (unsigned i = 0; i < in->evidence_count; i++)
		if (in->evidence[i].code == code)
			return &in->evidence[i];
	return NULL;
}

/* The codes of its evidence, in order, one blank between. */
static inline void
expect_evidence(const struct incident *incident, const char *codes)
{
	char have[512] = "";

	for (unsigned i = 0; i < incident->evidence_count; i++) {
		strcat(have, i ? " " : "");
		strcat(have, evidence_name(incident->evidence[i].code));
	}
	cr_expect_str_eq(have, codes, "wants \"%s\", got \"%s\"", codes, have);
}

#endif
