#include "campaigns.h"

#include <stdio.h>
#include <stdlib.h>

#include <xxhash.h>

#include "mx_book.h"

#define MASK_BYTES 48 /* of what is shown of it */
#define KEYS_MAX (2 + DNS_ROUTES_MAX)

struct member {
	char id[INCIDENT_ID_BYTES];
	uint32_t parent; /* towards the campaign's root: union-find */
	enum kind kind;
	enum certainty certainty;
	bool now, suppressed;
	int64_t capture_ts_ns;
	/* Kind, mask and: server, client network, each domain that it is MX of. */
	uint64_t keys[KEYS_MAX];
	unsigned key_count;
	struct endpoint client, server;
	char mask[MASK_BYTES], seen[MASK_BYTES];
};

/* What is known of the campaign whose root is the member of the same index. */
struct campaign_sum {
	struct incident_campaign told;
	uint32_t first;	       /* earliest member */
	enum certainty before; /* the surest that was known before */
	bool weighed, alerted;
};

struct campaigns {
	struct member *members; /* by id, once all are here */
	struct campaign_sum *sums;
	uint32_t *by_root; /* by root, then time */
	size_t count, room;
	struct mx_book *mx_book; /* while they are joined */
};

enum key_of_what { KEY_SERVER, KEY_NETWORK, KEY_DOMAIN };

static void
add_key(struct member *m, const char *mask, enum key_of_what which,
    const void *what, size_t bytes)
{
	uint64_t seed = XXH3_64bits(mask, strlen(mask));

	m->keys[m->key_count++] = XXH3_64bits_withSeed(what, bytes,
	    seed ^ ((uint64_t)which << 8 | (uint64_t)m->kind));
}

/* Of garbage nobody knows, what it reads; of what is gone nothing remains. */
static const char *
mask_of(const struct incident *in)
{
	if (in->resembles[0] != '\0' || in->kind != KIND_STARTTLS_GARBLED)
		return in->resembles;
	return in->seen;
}

static void
add_keys(const struct campaigns *c, struct member *m, const struct incident *in)
{
	struct address network = address_network(&in->client.address);
	struct dns_route routes[DNS_ROUTES_MAX];
	unsigned count = mx_book_find(c->mx_book, &in->server.address,
	    in->capture_ts_ns, routes);
	const char *mask = mask_of(in);

	add_key(m, mask, KEY_SERVER, &in->server.address,
	    sizeof(in->server.address));
	add_key(m, mask, KEY_NETWORK, &network, sizeof(network));
	for (unsigned i = 0; i < count; i++)
		add_key(m, mask, KEY_DOMAIN, routes[i].domain,
		    strlen(routes[i].domain));
}

static int
on_trace(void *context, const struct incident *in)
{
	struct campaigns *c = context;
	struct member *m;

	if (c->count == CAMPAIGN_INCIDENTS_MAX)
		return 0;
	if (c->count == c->room) {
		size_t room = c->room ? c->room * 2 : 64;
		struct member *more = realloc(c->members, room * sizeof(*more));

		if (more == NULL)
			return 1;
		c->members = more;
		c->room = room;
	}
	m = &c->members[c->count++];
	memset(m, 0, sizeof(*m));
	strcpy(m->id, in->id);
	m->kind = in->kind;
	m->certainty = in->certainty;
	m->suppressed = in->words.suppressed_by != 0;
	m->capture_ts_ns = in->capture_ts_ns;
	m->client = in->client;
	m->server = in->server;
	snprintf(m->mask, sizeof(m->mask), "%.47s", in->resembles);
	snprintf(m->seen, sizeof(m->seen), "%.47s", in->seen);
	add_keys(c, m, in);
	return 0;
}

/* --- who belongs together ------------------------------------------------ */

static uint32_t
root_of(struct member *members, uint32_t i)
{
	while (members[i].parent != i) {
		members[i].parent = members[members[i].parent].parent;
		i = members[i].parent;
	}
	return i;
}

struct key {
	uint64_t key;
	uint32_t member;
};

static int
key_compare(const void *a, const void *b)
{
	const struct key *l = a, *r = b;

	return l->key < r->key ? -1 : l->key > r->key;
}

static bool
join(struct campaigns *c)
{
	size_t n = 0, count = 0;
	struct key *keys;

	for (size_t i = 0; i < c->count; i++)
		count += c->members[i].key_count;
	keys = calloc(count + 1, sizeof(*keys));
	if (keys == NULL)
		return false;
	for (uint32_t i = 0; i < c->count; i++)
		for (unsigned k = 0; k < c->members[i].key_count; k++)
			keys[n++] = (struct key){ c->members[i].keys[k], i };
	qsort(keys, count, sizeof(*keys), key_compare);
	for (size_t i = 1; i < count; i++) {
		uint32_t a = root_of(c->members, keys[i - 1].member);
		uint32_t b = root_of(c->members, keys[i].member);

		if (keys[i - 1].key == keys[i].key)
			c->members[a > b ? a : b].parent = a > b ? b : a;
	}
	for (uint32_t i = 0; i < c->count; i++)
		c->members[i].parent = root_of(c->members, i);
	free(keys);
	return true;
}

/* --- what they come to --------------------------------------------------- */

/* qsort() hands no context on: indexes are sorted as what they stand for. */
struct standing {
	uint32_t root, member;
	int64_t capture_ts_ns;
	struct address address;
};

static int
place_compare(const void *a, const void *b)
{
	const struct standing *l = a, *r = b;
	int order = address_compare(&l->address, &r->address);

	if (l->root != r->root)
		return l->root < r->root ? -1 : 1;
	if (order != 0)
		return order;
	if (l->capture_ts_ns != r->capture_ts_ns)
		return l->capture_ts_ns < r->capture_ts_ns ? -1 : 1;
	return l->member < r->member ? -1 : l->member > r->member;
}

/* Sorted by root and `address`: which of the ends, or none of them. */
static void
sort_places(const struct campaigns *c, struct standing *places, int end)
{
	static const struct address none = { { 0 }, 0 };

	for (uint32_t i = 0; i < c->count; i++) {
		const struct member *m = &c->members[i];

		places[i] = (struct standing){ m->parent, i, m->capture_ts_ns,
			end == 0     ? m->client.address :
			    end == 1 ? m->server.address :
				       none };
	}
	qsort(places, c->count, sizeof(*places), place_compare);
}

static void
count_ends(struct campaigns *c, const struct standing *places, int end)
{
	for (size_t i = 0; i < c->count; i++) {
		struct incident_campaign *told = &c->sums[places[i].root].told;
		bool more = i == 0 || places[i - 1].root != places[i].root ||
		    address_compare(&places[i - 1].address,
			&places[i].address) != 0;

		if (end == 0)
			told->clients += more;
		else
			told->servers += more;
	}
}

static void
sum_up(struct campaigns *c, const struct standing *places)
{
	for (size_t i = 0; i < c->count; i++) {
		const struct standing *p = &places[i];
		struct campaign_sum *sum = &c->sums[p->root];

		c->by_root[i] = p->member;
		if (sum->told.incidents++ == 0) {
			sum->first = p->member;
			sum->told.first_ns = p->capture_ts_ns;
			strcpy(sum->told.id, c->members[p->member].id);
		}
		sum->told.last_ns = p->capture_ts_ns;
	}
}

static int
by_id(const void *a, const void *b)
{
	return strcmp(((const struct member *)a)->id,
	    ((const struct member *)b)->id);
}

struct campaigns *
campaigns_find(struct store *store)
{
	struct campaigns *c = calloc(1, sizeof(*c));
	struct standing *places = NULL;
	bool ok = false;

	if (c == NULL || (c->mx_book = mx_book_create(store)) == NULL ||
	    store_each_trace(store, on_trace, c) != 0)
		goto out;
	if (c->count > 0)
		qsort(c->members, c->count, sizeof(*c->members), by_id);
	for (uint32_t i = 0; i < c->count; i++)
		c->members[i].parent = i;
	places = calloc(c->count + 1, sizeof(*places));
	c->sums = calloc(c->count + 1, sizeof(*c->sums));
	c->by_root = calloc(c->count + 1, sizeof(*c->by_root));
	if (places == NULL || c->sums == NULL || c->by_root == NULL || !join(c))
		goto out;
	for (int end = 0; end < 2; end++) {
		sort_places(c, places, end);
		count_ends(c, places, end);
	}
	sort_places(c, places, 2);
	sum_up(c, places);
	ok = true;
out:
	free(places);
	if (c != NULL) {
		mx_book_destroy(c->mx_book);
		c->mx_book = NULL;
	}
	if (!ok) {
		campaigns_free(c);
		return NULL;
	}
	return c;
}

void
campaigns_free(struct campaigns *c)
{
	if (c == NULL)
		return;
	free(c->members);
	free(c->sums);
	free(c->by_root);
	free(c);
}

/* --- answers ------------------------------------------------------------- */

static struct member *
find(const struct campaigns *c, const struct incident *in)
{
	struct member key;

	strcpy(key.id, in->id);
	return c->count == 0 ?
	    NULL :
	    bsearch(&key, c->members, c->count, sizeof(key), by_id);
}

void
campaigns_mark(const struct campaigns *c, struct incident *in)
{
	const struct member *m = find(c, in);

	memset(&in->campaign, 0, sizeof(in->campaign));
	if (m != NULL && c->sums[m->parent].told.incidents > 1)
		in->campaign = c->sums[m->parent].told;
}

static void
trace_of(const struct campaigns *c, uint32_t member, struct incident *out)
{
	const struct member *m = &c->members[member];

	memset(out, 0, sizeof(*out));
	strcpy(out->id, m->id);
	out->kind = m->kind;
	out->certainty = m->certainty;
	out->capture_ts_ns = m->capture_ts_ns;
	out->client = m->client;
	out->server = m->server;
	strcpy(out->resembles, m->mask);
	strcpy(out->seen, m->seen);
	out->campaign = c->sums[m->parent].told;
}

static int
largest_first(const void *a, const void *b)
{
	const struct campaign_sum *const *l = a, *const *r = b;

	if ((*l)->told.incidents != (*r)->told.incidents)
		return (*l)->told.incidents > (*r)->told.incidents ? -1 : 1;
	return strcmp((*l)->told.id, (*r)->told.id);
}

int
campaigns_each(const struct campaigns *c, campaign_fn *fn, void *context)
{
	const struct campaign_sum **list = calloc(c->count + 1, sizeof(*list));
	struct incident *in = malloc(sizeof(*in));
	size_t n = 0;
	int status = list == NULL || in == NULL ? -1 : 0;

	for (size_t i = 0; i < c->count && status == 0; i++)
		if (c->sums[i].told.incidents > 1)
			list[n++] = &c->sums[i];
	if (n > 0)
		qsort(list, n, sizeof(*list), largest_first);
	for (size_t i = 0; i < n && status == 0; i++) {
		trace_of(c, list[i]->first, in);
		status = fn(context, in);
	}
	free(in);
	free(list);
	return status;
}

int
campaigns_others(const struct campaigns *c, const struct incident *in,
    incident_fn *fn, void *context)
{
	const struct member *own = find(c, in);
	struct incident *other = malloc(sizeof(*other));
	int status = other == NULL ? -1 : 0;

	for (size_t i = 0; own != NULL && i < c->count && status == 0; i++) {
		const struct member *m = &c->members[c->by_root[i]];

		if (m == own || m->parent != own->parent)
			continue;
		trace_of(c, c->by_root[i], other);
		status = fn(context, other);
	}
	free(other);
	return status;
}

/* --- one alert ----------------------------------------------------------- */

void
campaigns_now(struct campaigns *c, const struct incident *in)
{
	struct member *m = find(c, in);

	if (m != NULL)
		m->now = true;
}

/* Once a campaign: all that was read now is known by then. */
static void
weigh_before(const struct campaigns *c, uint32_t root, struct campaign_sum *sum)
{
	if (sum->weighed)
		return;
	sum->weighed = true;
	for (size_t i = 0; i < c->count; i++) {
		const struct member *m = &c->members[i];

		if (m->parent == root && !m->now && !m->suppressed &&
		    m->certainty > sum->before)
			sum->before = m->certainty;
	}
}

bool
campaigns_alert(struct campaigns *c, const struct incident *in)
{
	const struct member *m = find(c, in);
	struct campaign_sum *sum;

	if (m == NULL || c->sums[m->parent].told.incidents < 2)
		return true;
	sum = &c->sums[m->parent];
	weigh_before(c, m->parent, sum);
	if (sum->alerted || in->certainty <= sum->before)
		return false;
	sum->alerted = true;
	return true;
}
