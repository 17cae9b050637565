#include "keeping.h"

#include <stdio.h>

#include "identity.h"

void
keeping_sighting(const struct capture_names *names,
    const struct kept_session *kept, struct sighting *out)
{
	*out = (struct sighting){ .flow = kept->flow,
		.first_frame = kept->first_frame,
		.first_ns = kept->first_ns,
		.deciding_ns = kept->deciding_ns,
		.facts = slice_of(kept->facts, kept->facts_bytes),
		.domain_count = kept->domain_count };
	for (uint32_t i = 0; i < kept->captures && i < 4; i++) {
		const char *hash =
		    names->hash(names->context, kept->capture + i);

		if (hash[0] == '\0')
			break;
		snprintf(out->captures[out->capture_count++],
		    CAPTURE_HASH_BYTES, "%s", hash);
	}
	for (unsigned i = 0; i < kept->domain_count; i++)
		out->domains[i] = kept->domains[i];
	session_identity(&kept->flow, out->captures[0], kept->first_frame,
	    out->session);
}

static int
put_kept(struct store *store, const struct capture_names *names,
    const struct kept_session *kept)
{
	struct sighting sighting;

	keeping_sighting(names, kept, &sighting);
	return store_add_sighting(store, &sighting);
}

static int
put_attempt(struct store *store, const char *hash,
    const struct kept_attempt *kept)
{
	struct attempt attempt = kept->attempt;

	session_identity(&kept->flow, hash, kept->attempt.first_frame,
	    attempt.session);
	return store_add_attempt(store, &attempt);
}

int
keeping_put(struct store *store, const struct capture_names *names,
    uint32_t ordinal, const struct capture_yield *yield, bool grows)
{
	const char *hash = names->hash(names->context, ordinal);
	int (*put_profile)(struct store *, const struct profile *) =
	    grows ? store_merge_profile : store_add_profile;

	for (size_t i = 0; i < yield->list_count; i++)
		if (store_add_keywords(store, &yield->lists[i]) != 0)
			return -1;
	for (size_t i = 0; i < yield->profile_count; i++)
		if (put_profile(store, &yield->profiles[i]) != 0)
			return -1;
	for (size_t i = 0; i < yield->kept_count; i++)
		if (put_kept(store, names, &yield->kept[i]) != 0)
			return -1;
	for (size_t i = 0; i < yield->attempt_count; i++)
		if (put_attempt(store, hash, &yield->attempts[i]) != 0)
			return -1;
	for (size_t i = 0; i < yield->clear_count; i++) {
		const struct clear_enforce *c = &yield->clear[i];

		if (store_add_clear_enforce(store, &c->client, c->domain,
			c->day_start_ns, c->sessions) != 0)
			return -1;
	}
	for (size_t i = 0; i < yield->asker_count; i++) {
		const struct policy_asker *a = &yield->askers[i];

		if (store_add_policy_asker(store, &a->client, a->domain,
			a->last_ns) != 0)
			return -1;
	}
	return 0;
}
