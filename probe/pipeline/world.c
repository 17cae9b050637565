#include "world.h"

#include <stdio.h>
#include <stdlib.h>

#include <xxhash.h>

#include "mx_book.h"

#define NS_PER_S INT64_C(1000000000)
#define ATTEMPTS_MAX 65536
#define PROFILES_MAX 16384 /* of one server, in one judgement */

/* What the store knows of a domain. Bodies are parsed when they are asked
 * for: a parsed one is a hundred times as long. */
struct known_version {
	int64_t from_ns, until_ns;
	bool assumed;
	bool stated; /* by the operator: its dates are meant */
	struct slice body;
};

struct known_domain {
	char domain[DOMAIN_TEXT_BYTES]; /* "": nobody's yet */
	struct known_version *versions; /* by from */
	size_t version_count;
	struct mail_host *hosts;
	size_t host_count;
};
#define DOMAINS_KEPT 512

struct world {
	struct store *store;
	struct context context, bare;
	struct known_domain *domains; /* DOMAINS_KEPT, by a hash of the name */
	bool any_policy, any_host;    /* else nobody need be asked */
	struct mx_book *mx_book;      /* NULL: nobody asked yet */
	struct endpoint server;	      /* whose profiles these are */
	bool has_server;
	struct profile *profiles;
	size_t profile_count, profile_room;
	struct endpoint attempted; /* whose attempts these are */
	bool has_attempted;
	struct attempt *attempts;
	size_t attempt_count, attempt_room;
};

static void
forget_domain(struct known_domain *d)
{
	for (size_t i = 0; i < d->version_count; i++)
		free((void *)d->versions[i].body.ptr);
	free(d->versions);
	free(d->hosts);
	memset(d, 0, sizeof(*d));
}

static int
on_version(void *context, const struct policy_row *row)
{
	struct known_domain *d = context;
	struct known_version *more =
	    realloc(d->versions, (d->version_count + 1) * sizeof(*more));
	uint8_t *body = malloc(row->body.len + 1);

	if (more != NULL)
		d->versions = more;
	if (more == NULL || body == NULL) {
		free(body);
		return 0;
	}
	if (row->body.len > 0)
		memcpy(body, row->body.ptr, row->body.len);
	more[d->version_count++] = (struct known_version){ row->from_ns,
		row->until_ns, row->assumed, strcmp(row->source, "file") == 0,
		slice_of(body, row->body.len) };
	return 0;
}

static int
on_host(void *context, const struct mail_host *host)
{
	struct known_domain *d = context;
	struct mail_host *more =
	    realloc(d->hosts, (d->host_count + 1) * sizeof(*more));

	if (more == NULL)
		return 0;
	d->hosts = more;
	d->hosts[d->host_count++] = *host;
	return 0;
}

static const struct known_domain *
ask_domain(struct world *w, const char *domain)
{
	uint64_t hash = XXH3_64bits(domain, strlen(domain));
	struct known_domain *d = &w->domains[hash % DOMAINS_KEPT];

	if (strcmp(d->domain, domain) == 0)
		return d;
	forget_domain(d);
	if (w->any_policy &&
	    store_each_policy(w->store, domain, on_version, d) != 0)
		return d;
	if (w->any_host &&
	    store_each_mail_host(w->store, domain, on_host, d) != 0)
		return d;
	snprintf(d->domain, sizeof(d->domain), "%s", domain);
	return d;
}

/*
 * The newest that holds at the time. Before the first time that somebody
 * looked, the policy that was found then is assumed, for as long as a policy
 * may be kept: captures are older than the question.
 */
static const struct known_version *
version_at(const struct known_domain *d, int64_t at_ns, bool *assumed)
{
	const struct known_version *v = d->versions;

	for (size_t i = d->version_count; i-- > 0;)
		if (at_ns >= v[i].from_ns && at_ns < v[i].until_ns) {
			*assumed = v[i].assumed;
			return &v[i];
		}
	*assumed = true;
	return d->version_count > 0 && !v[0].stated && at_ns < v[0].from_ns &&
		v[0].from_ns - at_ns < STS_MAX_AGE_MAX_S * NS_PER_S ?
	    &v[0] :
	    NULL;
}

static bool
find_policy(void *context, const char *domain, int64_t at_ns,
    struct policy_in_force *out)
{
	struct world *w = context;
	const struct known_version *version;

	if (!w->any_policy)
		return false;
	version = version_at(ask_domain(w, domain), at_ns, &out->assumed);
	/* What a newer grammar refuses says nothing any more. */
	return version != NULL &&
	    sts_policy_parse(version->body, &out->policy, NULL);
}

/* Two times of asking are a day apart; a month is as far as one is believed
 * to tell what was before. */
#define HOSTS_ASSUMED_NS (31 * 86400 * NS_PER_S)

static bool
host_holds(const struct known_domain *d, const struct mail_host *host,
    int64_t at_ns, bool *assumed)
{
	const struct mail_host *first = host;

	if (at_ns >= host->from_ns && at_ns < host->until_ns)
		return true;
	while (first > d->hosts && strcmp(first[-1].host, host->host) == 0)
		first--;
	*assumed |= first == host;
	return first == host && at_ns < host->from_ns &&
	    host->from_ns - at_ns < HOSTS_ASSUMED_NS;
}

bool
mail_host_has_address(const struct mail_host *host,
    const struct address *address)
{
	char text[ADDRESS_TEXT_BYTES];
	const char *at;
	size_t n;

	address_format(address, text);
	n = strlen(text);
	for (at = host->addresses; (at = strstr(at, text)) != NULL; at += n)
		if ((at == host->addresses || at[-1] == ' ') &&
		    (at[n] == '\0' || at[n] == ' '))
			return true;
	return false;
}

/*
 * The host that has the server's address says what it demands. Where none
 * has it, they all must demand something: addresses come and go.
 */
static enum dane_state
find_dane(void *context, const char *domain, const struct endpoint *server,
    int64_t at_ns, bool *assumed)
{
	struct world *w = context;
	const struct known_domain *d;
	enum dane_state least = DANE_NONE;
	bool first = true;

	*assumed = false;
	if (!w->any_host)
		return DANE_NONE;
	d = ask_domain(w, domain);
	for (size_t i = 0; i < d->host_count; i++) {
		const struct mail_host *host = &d->hosts[i];
		enum dane_state state = dane_state_parse(host->dane);
		bool back = false;

		if (!host_holds(d, host, at_ns, &back))
			continue;
		if (mail_host_has_address(host, &server->address)) {
			*assumed = back;
			return state;
		}
		*assumed |= back;
		if (first || state < least)
			least = state;
		first = false;
	}
	return least;
}

static bool
find_tlsa(void *context, const char *domain, const char *name, int64_t at_ns,
    struct tlsa_in_force *out)
{
	struct world *w = context;
	const struct known_domain *d;

	if (!w->any_host)
		return false;
	d = ask_domain(w, domain);
	for (size_t i = 0; i < d->host_count; i++) {
		const struct mail_host *host = &d->hosts[i];
		bool assumed = false;

		if (strcmp(host->host, name) == 0 &&
		    dane_state_parse(host->dane) == DANE_AUTHENTICATE &&
		    host_holds(d, host, at_ns, &assumed)) {
			*out = (struct tlsa_in_force){ host->tlsa,
				host->canonical, host->next_hop,
				host->mx_secure };
			return true;
		}
	}
	return false;
}

/* Read when it is first asked for. */
static const struct mx_book *
mx_book_of(struct world *w)
{
	if (w->mx_book == NULL && w->any_host)
		w->mx_book = mx_book_create(w->store);
	return w->mx_book;
}

static const char *
find_name(void *context, const struct endpoint *server, int64_t at_ns)
{
	struct world *w = context;
	const char *name = w->context.site == NULL ?
	    NULL :
	    site_peer_name(w->context.site, &server->address);
	const struct mx_book *book = mx_book_of(w);

	return name == NULL && book != NULL ?
	    mx_book_name(book, &server->address, at_ns) :
	    name;
}

static unsigned
find_mx_of(void *context, const struct endpoint *server, int64_t at_ns,
    struct dns_route out[DNS_ROUTES_MAX])
{
	const struct mx_book *book = mx_book_of(context);

	return book == NULL ? 0 :
			      mx_book_find(book, &server->address, at_ns, out);
}

static int
on_profile(void *context, const struct profile *profile)
{
	struct world *w = context;

	if (w->profile_count == PROFILES_MAX)
		return 0;
	if (w->profile_count == w->profile_room) {
		size_t room = w->profile_room ? w->profile_room * 2 : 64;
		struct profile *more =
		    realloc(w->profiles, room * sizeof(*more));

		if (more == NULL)
			return 0;
		w->profiles = more;
		w->profile_room = room;
	}
	w->profiles[w->profile_count++] = *profile;
	return 0;
}

static size_t
find_profiles(void *context, const struct endpoint *server,
    const struct profile **out)
{
	struct world *w = context;

	if (!w->has_server || !endpoint_equal(&w->server, server)) {
		w->profile_count = 0;
		w->server = *server;
		w->has_server =
		    store_each_profile(w->store, server, on_profile, w) == 0;
	}
	*out = w->profiles;
	return w->profile_count;
}

static int
on_attempt(void *context, const struct attempt *attempt)
{
	struct world *w = context;

	if (w->attempt_count == w->attempt_room) {
		size_t room = w->attempt_room ? w->attempt_room * 2 : 64;
		struct attempt *more =
		    realloc(w->attempts, room * sizeof(*more));

		if (more == NULL)
			return 0;
		w->attempts = more;
		w->attempt_room = room;
	}
	w->attempts[w->attempt_count++] = *attempt;
	return w->attempt_count == ATTEMPTS_MAX;
}

static size_t
find_attempts(void *context, const struct endpoint *server,
    const struct attempt **out)
{
	struct world *w = context;

	if (!w->has_attempted || !endpoint_equal(&w->attempted, server)) {
		w->attempt_count = 0;
		w->attempted = *server;
		w->has_attempted =
		    store_each_attempt(w->store, server, on_attempt, w) >= 0;
	}
	*out = w->attempts;
	return w->attempt_count;
}

static size_t
no_profiles(void *context, const struct endpoint *server,
    const struct profile **out)
{
	(void)context;
	(void)server;
	*out = NULL;
	return 0;
}

static int
say_yes(void *context, const struct policy_row *row)
{
	(void)row;
	*(bool *)context = true;
	return 1;
}

static int
say_host(void *context, const struct mail_host *host)
{
	(void)host;
	*(bool *)context = true;
	return 1;
}

struct world *
world_create(struct store *store, const struct registry *registry, double prior,
    char errbuf[STORE_ERRBUF])
{
	struct world *w = calloc(1, sizeof(*w));

	snprintf(errbuf, STORE_ERRBUF, "out of memory");
	if (w == NULL)
		return NULL;
	w->store = store;
	w->context = (struct context){ .registry = registry,
		.prior = prior,
		.world = w,
		.policy = find_policy,
		.profiles = find_profiles,
		.attempts = find_attempts,
		.mx_name = find_name,
		.mx_of = find_mx_of,
		.dane = find_dane,
		.tlsa = find_tlsa };
	w->bare = w->context;
	w->bare.profiles = no_profiles;
	w->bare.attempts = NULL;
	w->domains = calloc(DOMAINS_KEPT, sizeof(*w->domains));
	if (w->domains == NULL) {
		world_destroy(w);
		return NULL;
	}
	if (store_each_policy(store, NULL, say_yes, &w->any_policy) < 0 ||
	    store_each_mail_host(store, NULL, say_host, &w->any_host) < 0) {
		snprintf(errbuf, STORE_ERRBUF, "%s", store_error(store));
		world_destroy(w);
		return NULL;
	}
	return w;
}

void
world_destroy(struct world *w)
{
	if (w == NULL)
		return;
	for (size_t i = 0; w->domains != NULL && i < DOMAINS_KEPT; i++)
		forget_domain(&w->domains[i]);
	free(w->domains);
	mx_book_destroy(w->mx_book);
	free(w->profiles);
	free(w->attempts);
	free(w);
}

void
world_reload(struct world *w)
{
	for (size_t i = 0; i < DOMAINS_KEPT; i++)
		forget_domain(&w->domains[i]);
	mx_book_destroy(w->mx_book);
	w->mx_book = NULL;
	w->any_policy = w->any_host = false;
	store_each_policy(w->store, NULL, say_yes, &w->any_policy);
	store_each_mail_host(w->store, NULL, say_host, &w->any_host);
	world_refresh(w);
}

void
world_set_site(struct world *w, const struct site *site)
{
	w->context.site = w->bare.site = site;
}

void
world_refresh(struct world *w)
{
	w->has_server = w->has_attempted = false;
}

const struct context *
world_context(const struct world *w)
{
	return &w->context;
}

const struct context *
world_context_bare(const struct world *w)
{
	return &w->bare;
}
