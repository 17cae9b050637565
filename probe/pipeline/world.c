#include "world.h"

#include <stdio.h>
#include <stdlib.h>

#define PROFILES_MAX 16384 /* of one server, in one judgement */

struct known_policy {
	char domain[DOMAIN_TEXT_BYTES];
	int64_t from_ns, until_ns;
	bool assumed;
	struct sts_policy policy;
};

struct world {
	struct store *store;
	struct context context, bare;
	struct known_policy *policies; /* by domain, then from */
	size_t policy_count;
	bool failed;
	struct endpoint server; /* whose profiles these are */
	bool has_server;
	struct profile *profiles;
	size_t profile_count, profile_room;
};

static bool
append_policy(struct world *w, const char *domain, int64_t from_ns,
    int64_t until_ns, bool assumed, const struct sts_policy *policy)
{
	struct known_policy *more =
	    realloc(w->policies, (w->policy_count + 1) * sizeof(*more));

	if (more == NULL)
		return false;
	w->policies = more;
	more += w->policy_count++;
	snprintf(more->domain, sizeof(more->domain), "%s", domain);
	more->from_ns = from_ns;
	more->until_ns = until_ns;
	more->assumed = assumed;
	more->policy = *policy;
	return true;
}

static int
on_policy(void *context, const struct policy_row *row)
{
	struct world *w = context;
	struct sts_policy policy;

	/* What is stored was parsed when it came in; what a newer grammar
	 * refuses says nothing any more. */
	if (!sts_policy_parse(row->body, &policy, NULL))
		return 0;
	w->failed |= !append_policy(w, row->domain, row->from_ns, row->until_ns,
	    row->assumed, &policy);
	return 0;
}

/* The newest that holds at the time; the operator's own words come last. */
static bool
find_policy(void *context, const char *domain, int64_t at_ns,
    struct policy_in_force *out)
{
	struct world *w = context;

	for (size_t i = w->policy_count; i-- > 0;) {
		const struct known_policy *p = &w->policies[i];

		if (strcmp(p->domain, domain) != 0 || at_ns < p->from_ns ||
		    at_ns >= p->until_ns)
			continue;
		out->policy = p->policy;
		out->assumed = p->assumed;
		return true;
	}
	return false;
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

static size_t
no_profiles(void *context, const struct endpoint *server,
    const struct profile **out)
{
	(void)context;
	(void)server;
	*out = NULL;
	return 0;
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
		.profiles = find_profiles };
	w->bare = w->context;
	w->bare.profiles = no_profiles;
	if (store_each_policy(store, NULL, on_policy, w) < 0) {
		snprintf(errbuf, STORE_ERRBUF, "%s", store_error(store));
		world_destroy(w);
		return NULL;
	}
	if (w->failed) {
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
	free(w->policies);
	free(w->profiles);
	free(w);
}

void
world_refresh(struct world *w)
{
	w->has_server = false;
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
