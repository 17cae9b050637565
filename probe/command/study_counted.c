/*
 * What `read` and `watch` have counted, as rows of a study.
 *
 * Kept sessions are rows of their own, each once, however many captures saw
 * it. Profiles are rows of sessions that are alike, less the kept ones among
 * them. What captures counted beyond these is of no known server: it has a
 * row a capture, so that no denominator is too small.
 */
#include "study.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "probe/study/judging.h"

/* A kept session that its server's profiles count too. */
struct taken {
	uint64_t group, exact; /* hashes of what names a profile */
	bool used;
};

struct found {
	uint8_t session[16];
	enum certainty certainty;
	enum kind kind;
	char mask[32];
};

/* What one capture counted beyond what has rows. */
struct rest {
	char hash[CAPTURE_HASH_BYTES];
	int64_t first_ns;
	uint64_t offered[OFFERED_VALUES];
};

struct counted {
	struct store *store;
	const struct registry *registry;
	struct study_source source;
	XXH3_state_t *hash;
	struct found *found;
	size_t found_count, found_room;
	struct taken *taken;
	size_t taken_count, taken_room;
	struct rest *rest; /* by hash */
	size_t rest_count, rest_room;
	struct profile *group; /* of one server, client and period */
	size_t group_count, group_room;
	uint8_t last[16]; /* session */
	bool any, failed;
	struct session session;
};

/* Room for one more of `size` octets; NULL: no memory. */
static void *
one_more(struct counted *c, void *list, size_t count, size_t *room, size_t size)
{
	void *bigger;

	if (count < *room)
		return list;
	bigger = realloc(list, (*room + 64) * 2 * size);
	if (bigger == NULL) {
		c->failed = true;
		return NULL;
	}
	*room = (*room + 64) * 2;
	return bigger;
}

static int
add_row(struct counted *c, const struct study_row *row)
{
	return store_study_add(c->store, c->source.number, c->source.records++,
	    row);
}

/* --- what was found ------------------------------------------------------ */

static int
on_incident(void *context, const struct incident *in)
{
	struct counted *c = context;
	struct found *more = one_more(c, c->found, c->found_count,
	    &c->found_room, sizeof(*more));

	if (more == NULL)
		return -1;
	c->found = more;
	more += c->found_count++;
	memcpy(more->session, in->session, sizeof(more->session));
	more->certainty = in->certainty;
	more->kind = in->kind;
	memcpy(more->mask, in->resembles, sizeof(more->mask));
	return 0;
}

/* Of several acts in one session the surest one stands for it. */
static int
compare_found(const void *a, const void *b)
{
	const struct found *x = a, *y = b;
	int order = memcmp(x->session, y->session, sizeof(x->session));

	return order != 0 ? order : (int)y->certainty - (int)x->certainty;
}

static const struct found *
find_found(const struct counted *c, const uint8_t session[16])
{
	size_t low = 0, high = c->found_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (memcmp(c->found[middle].session, session, 16) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < c->found_count &&
		memcmp(c->found[low].session, session, 16) == 0 ?
	    &c->found[low] :
	    NULL;
}

/* --- captures ------------------------------------------------------------ */

static int
on_capture(void *context, const struct capture_row *row)
{
	struct counted *c = context;
	struct rest *more =
	    one_more(c, c->rest, c->rest_count, &c->rest_room, sizeof(*more));

	if (more == NULL)
		return -1;
	c->rest = more;
	more += c->rest_count++;
	memcpy(more->hash, row->hash, sizeof(more->hash));
	more->first_ns = row->first_ns;
	memcpy(more->offered, row->tally.offered, sizeof(more->offered));
	XXH3_128bits_update(c->hash, row->hash, strlen(row->hash));
	return 0;
}

static int
compare_rest(const void *a, const void *b)
{
	return strcmp(((const struct rest *)a)->hash,
	    ((const struct rest *)b)->hash);
}

static void
take_off(uint64_t *count, uint64_t less)
{
	*count -= less < *count ? less : *count;
}

static void
take_off_kept(struct counted *c, const char *capture)
{
	struct rest wanted, *rest;
	struct tally tally = { 0 };

	if (c->rest_count == 0)
		return;
	memcpy(wanted.hash, capture, sizeof(wanted.hash));
	rest = bsearch(&wanted, c->rest, c->rest_count, sizeof(*rest),
	    compare_rest);
	session_tally(&c->session, &tally);
	for (int i = 0; rest != NULL && i < OFFERED_VALUES; i++)
		take_off(&rest->offered[i], tally.offered[i]);
}

static int
add_rest(struct counted *c, const struct rest *rest)
{
	static const uint32_t states[OFFERED_VALUES] = {
		[OFFERED_YES] = STUDY_SMTP | STUDY_JUDGED | STUDY_OFFERED,
		[OFFERED_NO] = STUDY_SMTP | STUDY_JUDGED,
		[OFFERED_NOT_ASKED] = STUDY_SMTP,
		[OFFERED_UNSEEN] = STUDY_SMTP,
	};

	for (int i = 0; i < OFFERED_VALUES; i++) {
		struct study_row row = { .at_ns = rest->first_ns,
			.sessions = rest->offered[i],
			.state = states[i] };

		if (row.sessions > 0 && add_row(c, &row) != 0)
			return -1;
	}
	return 0;
}

/* --- kept sessions ------------------------------------------------------- */

static uint64_t
hash_group(const struct profile *p)
{
	struct {
		struct address server, client;
		uint16_t port;
		int64_t period;
	} of;

	memset(&of, 0, sizeof(of));
	of.server = p->server.address;
	of.client = p->client;
	of.port = p->server.port;
	of.period = profile_period_ns(p->first_ns);
	return XXH3_64bits(&of, sizeof(of));
}

static uint64_t
hash_exact(const struct profile *p)
{
	uint64_t of[4] = { p->keywords_hash, p->certificate_hash,
		p->ending_class,
		(uint64_t)p->tls_version << 1 | (p->offered != OFFER_NONE) };

	return XXH3_64bits_withSeed(of, sizeof(of), hash_group(p));
}

static int
note_taken(struct counted *c, const struct profile *p)
{
	struct taken *more = one_more(c, c->taken, c->taken_count,
	    &c->taken_room, sizeof(*more));

	if (more == NULL)
		return -1;
	c->taken = more;
	c->taken[c->taken_count++] =
	    (struct taken){ .group = hash_group(p), .exact = hash_exact(p) };
	return 0;
}

static int
compare_taken(const void *a, const void *b)
{
	const struct taken *x = a, *y = b;

	return (x->group > y->group) - (x->group < y->group);
}

static int
on_sighting(void *context, const struct sighting *sighting)
{
	struct counted *c = context;
	const struct found *found = find_found(c, sighting->session);
	struct incident in = { .state = STATE_FINAL };
	struct profile profile;
	struct study_row row;

	session_fold_stored(&c->session, sighting->facts);
	if (session_profile(&c->session, &profile)) {
		if (!c->any || memcmp(c->last, sighting->session, 16) != 0) {
			if (note_taken(c, &profile) != 0)
				return -1;
		}
	} else {
		take_off_kept(c, sighting->captures[0]);
	}
	if (c->any && memcmp(c->last, sighting->session, 16) == 0)
		return 0;
	c->any = true;
	memcpy(c->last, sighting->session, 16);
	if (found != NULL) {
		in.certainty = found->certainty;
		in.kind = found->kind;
		memcpy(in.resembles, found->mask, sizeof(in.resembles));
	}
	study_row_of(&c->session, c->registry, found != NULL ? &in : NULL,
	    &row);
	row.client_network = address_network(&c->session.flow.client.address);
	return add_row(c, &row);
}

/* --- profiles ------------------------------------------------------------ */

static uint32_t
state_of_profile(const struct profile *p)
{
	uint32_t state = STUDY_SMTP | STUDY_JUDGED;

	if (p->offered)
		state |= STUDY_OFFERED;
	if (p->ending_class == CLASS_TLS)
		state |= STUDY_USED | STUDY_CARRIES;
	if (p->ending_class == CLASS_CLEAR_MAIL)
		state |= STUDY_CARRIES;
	if (p->ending_class == CLASS_REFUSED && p->offered)
		state |= STUDY_REFUSED;
	if (p->ending_class == CLASS_TLS_BROKEN && p->offered)
		state |= STUDY_BROKEN;
	return state;
}

/* A kept session is one of the profile that is like it; where another vantage
 * stands for the period, of any. */
static void
take_off_one(struct counted *c, const struct taken *taken)
{
	struct profile *from = NULL;

	for (size_t i = 0; i < c->group_count; i++) {
		struct profile *p = &c->group[i];

		if (p->sessions == 0)
			continue;
		if (from == NULL || hash_exact(p) == taken->exact)
			from = p;
		if (hash_exact(p) == taken->exact)
			break;
	}
	if (from != NULL)
		from->sessions--;
}

static int
end_group(struct counted *c)
{
	struct taken wanted = { 0 };
	const struct taken *t = NULL;

	if (c->group_count > 0 && c->taken_count > 0) {
		wanted.group = hash_group(&c->group[0]);
		t = bsearch(&wanted, c->taken, c->taken_count, sizeof(*t),
		    compare_taken);
	}
	while (t != NULL && t > c->taken && t[-1].group == wanted.group)
		t--;
	for (; t != NULL && t < c->taken + c->taken_count &&
	     t->group == wanted.group;
	     t++)
		take_off_one(c, t);
	for (size_t i = 0; i < c->group_count; i++) {
		const struct profile *p = &c->group[i];
		struct study_row row = { .server = p->server,
			.client_network = address_network(&p->client),
			.at_ns = p->first_ns,
			.sessions = p->sessions,
			.state = state_of_profile(p) };

		if (p->sessions > 0 && add_row(c, &row) != 0)
			return -1;
	}
	c->group_count = 0;
	return 0;
}

static int
on_profile(void *context, const struct profile *p)
{
	struct counted *c = context;
	struct profile *more;

	if (c->group_count > 0 && hash_group(&c->group[0]) != hash_group(p) &&
	    end_group(c) != 0)
		return -1;
	more = one_more(c, c->group, c->group_count, &c->group_room,
	    sizeof(*more));
	if (more == NULL)
		return -1;
	c->group = more;
	c->group[c->group_count++] = *p;
	return 0;
}

/* --- all of it ----------------------------------------------------------- */

static int
on_source(void *context, const struct study_source *source)
{
	struct counted *c = context;

	/* There is at most one. */
	if (strcmp(source->format, "counted") == 0)
		c->source.number = source->number;
	return 0;
}

static int
open_counted(struct counted *c, const struct registry *registry)
{
	if (store_each_study_source(c->store, on_source, c) != 0 ||
	    (c->source.number != 0 &&
		store_study_drop(c->store, c->source.number) != 0))
		return -1;
	memset(&c->source, 0, sizeof(c->source));
	strcpy(c->source.path, "read and watch");
	strcpy(c->source.format, "counted");
	study_rules_text(registry, c->source.rules);
	if (store_study_loss(c->store, &c->source) != 0)
		return -1;
	return store_study_open(c->store, &c->source);
}

static int
add_kept(struct counted *c)
{
	struct incident_filter filter = { 0 };
	struct sighting_filter any = { 0 };

	if (store_each_capture(c->store, on_capture, c) != 0 ||
	    store_each_incident(c->store, &filter, on_incident, c) != 0)
		return -1;
	if (c->rest_count > 0)
		qsort(c->rest, c->rest_count, sizeof(*c->rest), compare_rest);
	if (c->found_count > 0)
		qsort(c->found, c->found_count, sizeof(*c->found),
		    compare_found);
	return store_each_sighting(c->store, &any, on_sighting, c);
}

static int
add_others(struct counted *c)
{
	if (c->taken_count > 0)
		qsort(c->taken, c->taken_count, sizeof(*c->taken),
		    compare_taken);
	if (store_each_counted_profile(c->store, on_profile, c) != 0 ||
	    end_group(c) != 0)
		return -1;
	for (size_t i = 0; i < c->rest_count; i++) {
		struct rest *rest = &c->rest[i];
		uint64_t sums[2];

		if (store_profile_sums(c->store, rest->hash, sums) != 0)
			return -1;
		take_off(&rest->offered[OFFERED_NO], sums[0]);
		take_off(&rest->offered[OFFERED_YES], sums[1]);
		if (add_rest(c, rest) != 0)
			return -1;
	}
	return 0;
}

static int
close_counted(struct counted *c)
{
	XXH128_canonical_t canonical;

	XXH3_128bits_update(c->hash, c->source.rules, strlen(c->source.rules));
	XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(c->hash));
	for (int i = 0; i < 16; i++)
		snprintf(c->source.hash + 2 * i, 3, "%02x",
		    canonical.digest[i]);
	if (store_study_save(c->store, &c->source) != 0)
		return -1;
	return store_commit(c->store);
}

int
study_import_counted(struct store *store, const struct registry *registry,
    bool quiet)
{
	struct counted *c = calloc(1, sizeof(*c));
	int status = -1;

	if (c != NULL)
		c->hash = XXH3_createState();
	if (c == NULL || c->hash == NULL) {
		complain("out of memory");
		free(c);
		return -1;
	}
	c->store = store;
	c->registry = registry;
	XXH3_128bits_reset(c->hash);
	if (store_begin(store) == 0 && open_counted(c, registry) == 0 &&
	    add_kept(c) == 0 && add_others(c) == 0)
		status = close_counted(c);
	if (status != 0) {
		complain("%s",
		    c->failed ? "out of memory" : store_error(store));
		store_rollback(store);
	} else if (!quiet) {
		printf("what was read and watched: %" PRIu64
		       " row%s of %zu capture%s\n",
		    c->source.records, c->source.records == 1 ? "" : "s",
		    c->rest_count, c->rest_count == 1 ? "" : "s");
	}
	XXH3_freeState(c->hash);
	free(c->found);
	free(c->taken);
	free(c->rest);
	free(c->group);
	free(c);
	return status;
}
