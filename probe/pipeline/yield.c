#include "yield.h"

#include <stdlib.h>

#include <xxhash.h>

struct slot {
	uint64_t order; /* hash of the key */
	struct profile profile;
};

/* Open addressing over elements whose first member is their key. */
struct index {
	uint32_t *places; /* of elements + 1; 0: empty */
	size_t mask;
};

struct yield {
	struct judge_budgets budgets;
	struct capture_yield out;
	struct slot *slots; /* profiles, in the order they came */
	size_t slot_count, slot_room;
	struct index by_order; /* of slots */
	size_t list_room;
	struct index by_hash;	/* of out.lists */
	uint64_t profile_floor; /* lower orders were shed */
	size_t kept_room, attempt_room, clear_room;
	uint64_t attempt_floor; /* as profile_floor */
	struct dns_book *dns;
	uint64_t dns_told; /* of what it shed: said in an earlier part */
	bool finished;
	uint64_t kept_floor;
};

struct yield *
yield_create(const struct judge_budgets *budgets)
{
	struct yield *y = calloc(1, sizeof(*y));

	if (y != NULL)
		y->budgets = *budgets;
	return y;
}

static void
kept_free(struct kept_session *k)
{
	free(k->facts);
	free(k->domains);
}

void
yield_destroy(struct yield *y)
{
	if (y == NULL)
		return;
	for (size_t i = 0; i < y->out.kept_count; i++)
		kept_free(&y->out.kept[i]);
	dns_book_destroy(y->dns);
	free(y->out.kept);
	free(y->out.profiles);
	free(y->out.attempts);
	free(y->out.clear);
	free(y->out.askers);
	free(y->out.lists);
	free(y->slots);
	free(y->by_order.places);
	free(y->by_hash.places);
	free(y);
}

bool
yield_is_urgent(const struct yield *y)
{
	return y->out.kept_count > 0 || y->out.attempt_count > 0;
}

struct yield *
yield_split(struct yield *y)
{
	struct yield *part = malloc(sizeof(*part));

	if (part == NULL)
		return NULL;
	*part = *y;
	*y = (struct yield){ .budgets = part->budgets, .dns = part->dns };
	if (y->dns != NULL) {
		uint64_t shed = dns_book_shed(y->dns);

		part->out.tally.dns_shed = shed - part->dns_told;
		y->dns_told = shed;
	}
	part->dns = NULL;
	return part;
}

struct tally *
yield_tally(struct yield *y)
{
	return &y->out.tally;
}

/* Room for one more element; false: no memory. */
static bool
grow(void **list, size_t size, size_t count, size_t *room)
{
	size_t more = *room ? *room * 2 : 64;
	void *bigger;

	if (count < *room)
		return true;
	bigger = realloc(*list, more * size);
	if (bigger == NULL)
		return false;
	*list = bigger;
	*room = more;
	return true;
}

/* --- profiles ------------------------------------------------------------ */

/* Everything but the counts, and of the times only the period. */
static uint64_t
profile_order(const struct profile *p)
{
	int64_t period_ns = profile_period_ns(p->first_ns);
	uint8_t key[80];
	uint8_t *k = key;

	memset(key, 0, sizeof(key));
	memcpy(k, p->server.address.octets, 16);
	memcpy(k + 16, p->client.octets, 16);
	k += 32;
	*k++ = p->server.address.family;
	*k++ = p->client.family;
	*k++ = (uint8_t)(p->server.port >> 8);
	*k++ = (uint8_t)p->server.port;
	*k++ = p->verb;
	*k++ = p->ending_class;
	*k++ = (uint8_t)(p->tls_version >> 8);
	*k++ = (uint8_t)p->tls_version;
	*k++ = p->offered;
	memcpy(k, &p->keywords_hash, 8);
	memcpy(k + 8, &p->certificate_hash, 8);
	memcpy(k + 16, &period_ns, 8);
	memcpy(k + 24, &p->home_hash, 8);
	k[32] = p->server_ttl;
	return XXH3_64bits(key, sizeof(key));
}

static uint64_t
key_of(const void *elements, size_t size, size_t i)
{
	uint64_t key;

	memcpy(&key, (const char *)elements + i * size, sizeof(key));
	return key;
}

/* Where `key` stands, or would. */
static uint32_t *
index_place(const struct index *index, const void *elements, size_t size,
    uint64_t key)
{
	size_t i = key & index->mask;

	while (index->places[i] != 0 &&
	    key_of(elements, size, index->places[i] - 1) != key)
		i = (i + 1) & index->mask;
	return &index->places[i];
}

static bool
index_rebuild(struct index *index, const void *elements, size_t size,
    size_t count)
{
	size_t room = 256;
	uint32_t *places;

	while (room < count * 4)
		room *= 2;
	places = calloc(room, sizeof(*places));
	if (places == NULL)
		return false;
	free(index->places);
	index->places = places;
	index->mask = room - 1;
	for (size_t i = 0; i < count; i++)
		*index_place(index, elements, size, key_of(elements, size, i)) =
		    (uint32_t)i + 1;
	return true;
}

/* The last of `count` elements is new. False: no memory, it is forgotten. */
static bool
index_add(struct index *index, const void *elements, size_t size, size_t *count)
{
	size_t last = *count - 1;

	if (index->places == NULL || *count * 2 > index->mask) {
		if (!index_rebuild(index, elements, size, *count)) {
			--*count;
			return false;
		}
		return true;
	}
	*index_place(index, elements, size, key_of(elements, size, last)) =
	    (uint32_t)last + 1;
	return true;
}

/* --- lists of keywords --------------------------------------------------- */

static int
list_lowest_first(const void *a, const void *b)
{
	uint64_t left = ((const struct keyword_list *)a)->hash;
	uint64_t right = ((const struct keyword_list *)b)->hash;

	return left < right ? -1 : left > right;
}

static struct keyword_list *
find_list(const struct yield *y, uint64_t hash)
{
	uint32_t place;

	if (y->by_hash.places == NULL)
		return NULL;
	place = *index_place(&y->by_hash, y->out.lists, sizeof(*y->out.lists),
	    hash);
	return place == 0 ? NULL : &y->out.lists[place - 1];
}

bool
yield_has_keywords(const struct yield *y, uint64_t hash)
{
	return find_list(y, hash) != NULL;
}

void
yield_keywords(struct yield *y, const struct keyword_list *list)
{
	if (!grow((void **)&y->out.lists, sizeof(*list), y->out.list_count,
		&y->list_room))
		return;
	y->out.lists[y->out.list_count++] = *list;
	index_add(&y->by_hash, y->out.lists, sizeof(*list), &y->out.list_count);
}

/* Of the lists those stay that a profile names: no more than profiles. */
static void
shed_lists(struct yield *y)
{
	bool *named = calloc(y->out.list_count + 1, sizeof(*named));
	size_t n = 0;

	if (named == NULL)
		return;
	for (size_t i = 0; i < y->slot_count; i++) {
		const struct keyword_list *list =
		    find_list(y, y->slots[i].profile.keywords_hash);

		if (list != NULL)
			named[list - y->out.lists] = true;
	}
	for (size_t i = 0; i < y->out.list_count; i++)
		if (named[i])
			y->out.lists[n++] = y->out.lists[i];
	y->out.list_count = n;
	free(named);
}

static int
slot_highest_first(const void *a, const void *b)
{
	uint64_t left = ((const struct slot *)a)->order;
	uint64_t right = ((const struct slot *)b)->order;

	return left > right ? -1 : left < right;
}

/* About the order of the store's key: rows of one server come together, so
 * that they go into its tree in one place. */
static int
slot_by_server(const void *a, const void *b)
{
	const struct slot *left = a, *right = b;
	const struct profile *l = &left->profile, *r = &right->profile;
	int order = address_compare(&l->server.address, &r->server.address);

	if (order == 0)
		order = l->server.port - r->server.port;
	if (order == 0)
		order = address_compare(&l->client, &r->client);
	return order ? order : slot_highest_first(a, b);
}

/*
 * The profiles of the highest keys stay. One that was shed can never come
 * back with a part of its count, for the floor only rises: whatever the
 * order, the same profiles stay, with whole counts.
 */
static void
shed_profiles(struct yield *y)
{
	size_t max = y->budgets.profiles;

	if (y->slot_count <= max)
		return;
	qsort(y->slots, y->slot_count, sizeof(*y->slots), slot_highest_first);
	y->out.tally.profiles_shed += y->slot_count - max;
	y->slot_count = max;
	y->profile_floor = max > 0 ? y->slots[max - 1].order : UINT64_MAX;
	index_rebuild(&y->by_order, y->slots, sizeof(*y->slots), y->slot_count);
	shed_lists(y);
	index_rebuild(&y->by_hash, y->out.lists, sizeof(*y->out.lists),
	    y->out.list_count);
}

static struct slot *
find_slot(const struct yield *y, uint64_t order)
{
	uint32_t place;

	if (y->by_order.places == NULL)
		return NULL;
	place = *index_place(&y->by_order, y->slots, sizeof(*y->slots), order);
	return place == 0 ? NULL : &y->slots[place - 1];
}

bool
yield_profile(struct yield *y, const struct profile *p)
{
	uint64_t order = profile_order(p);
	struct slot *slot;

	if (order < y->profile_floor)
		return false;
	slot = find_slot(y, order);
	if (slot != NULL) {
		struct profile *known = &slot->profile;

		known->sessions += p->sessions;
		if (p->first_ns < known->first_ns)
			known->first_ns = p->first_ns;
		if (p->last_ns > known->last_ns)
			known->last_ns = p->last_ns;
		return false;
	}
	if (!grow((void **)&y->slots, sizeof(*y->slots), y->slot_count,
		&y->slot_room))
		return false;
	y->slots[y->slot_count++] = (struct slot){ order, *p };
	if (!index_add(&y->by_order, y->slots, sizeof(*y->slots),
		&y->slot_count))
		return false;
	if (y->slot_count >= 2 * y->budgets.profiles + 64)
		shed_profiles(y);
	return order >= y->profile_floor;
}

/* --- kept sessions ------------------------------------------------------- */

static int
kept_highest_first(const void *a, const void *b)
{
	const struct kept_session *l = a, *r = b;

	if (l->order != r->order)
		return l->order > r->order ? -1 : 1;
	return l->first_frame < r->first_frame ?
	    -1 :
	    l->first_frame > r->first_frame;
}

static void
shed_kept(struct yield *y)
{
	size_t max = y->budgets.kept;

	if (y->out.kept_count > 0) /* else there is no list to sort */
		qsort(y->out.kept, y->out.kept_count, sizeof(*y->out.kept),
		    kept_highest_first);
	while (y->out.kept_count > max) {
		kept_free(&y->out.kept[--y->out.kept_count]);
		y->out.tally.kept_shed++;
	}
	if (y->out.kept_count == max)
		y->kept_floor = max > 0 ? y->out.kept[max - 1].order :
					  UINT64_MAX;
}

void
yield_kept(struct yield *y, const struct kept_session *kept)
{
	struct kept_session copy = *kept;

	if (copy.order < y->kept_floor ||
	    !grow((void **)&y->out.kept, sizeof(copy), y->out.kept_count,
		&y->kept_room)) {
		y->out.tally.kept_shed++;
		kept_free(&copy);
		return;
	}
	y->out.kept[y->out.kept_count++] = copy;
	if (y->out.kept_count >= 2 * y->budgets.kept + 64)
		shed_kept(y);
}

/* --- attempts ------------------------------------------------------------ */

static int
attempt_highest_first(const void *a, const void *b)
{
	const struct kept_attempt *l = a, *r = b;

	if (l->order != r->order)
		return l->order > r->order ? -1 : 1;
	return l->attempt.first_frame < r->attempt.first_frame ?
	    -1 :
	    l->attempt.first_frame > r->attempt.first_frame;
}

static void
shed_attempts(struct yield *y)
{
	size_t max = y->budgets.attempts;

	if (y->out.attempt_count > 0)
		qsort(y->out.attempts, y->out.attempt_count,
		    sizeof(*y->out.attempts), attempt_highest_first);
	if (y->out.attempt_count <= max)
		return;
	y->out.tally.attempts_shed += y->out.attempt_count - max;
	y->out.attempt_count = max;
	y->attempt_floor = max > 0 ? y->out.attempts[max - 1].order :
				     UINT64_MAX;
}

void
yield_attempt(struct yield *y, const struct kept_attempt *attempt)
{
	if (attempt->order < y->attempt_floor ||
	    !grow((void **)&y->out.attempts, sizeof(*attempt),
		y->out.attempt_count, &y->attempt_room)) {
		y->out.tally.attempts_shed++;
		return;
	}
	y->out.attempts[y->out.attempt_count++] = *attempt;
	if (y->out.attempt_count >= 2 * y->budgets.attempts + 64)
		shed_attempts(y);
}

/* --- clear text against a policy ----------------------------------------- */

static int
clear_compare(const void *a, const void *b)
{
	const struct clear_enforce *l = a, *r = b;
	int order = address_compare(&l->client, &r->client);

	if (order == 0)
		order = strcmp(l->domain, r->domain);
	if (order == 0)
		order = l->day_start_ns < r->day_start_ns ?
		    -1 :
		    l->day_start_ns > r->day_start_ns;
	return order;
}

static void
join_clear(struct yield *y)
{
	struct clear_enforce *list = y->out.clear;
	size_t n = 0;

	if (y->out.clear_count == 0)
		return;
	qsort(list, y->out.clear_count, sizeof(*list), clear_compare);
	for (size_t i = 1; i < y->out.clear_count; i++) {
		if (clear_compare(&list[n], &list[i]) == 0)
			list[n].sessions += list[i].sessions;
		else
			list[++n] = list[i];
	}
	y->out.clear_count = n + 1;
}

/* Those of the lowest clients stay: the same ones in whatever order they
 * came. A row that was shed is shed again when it comes again. */
static void
shed_clear(struct yield *y)
{
	size_t max = y->budgets.clear;

	join_clear(y);
	while (y->out.clear_count > max)
		y->out.tally.clear_shed +=
		    y->out.clear[--y->out.clear_count].sessions;
}

void
yield_clear(struct yield *y, const struct address *client, const char *domain,
    int64_t day_start_ns)
{
	struct clear_enforce row = { *client, "", day_start_ns, 1 };

	strncpy(row.domain, domain, sizeof(row.domain) - 1);
	if (y->out.clear_count == y->clear_room && y->clear_room >= 4096)
		shed_clear(y);
	if (!grow((void **)&y->out.clear, sizeof(row), y->out.clear_count,
		&y->clear_room))
		return;
	y->out.clear[y->out.clear_count++] = row;
}

/* --- answers of DNS ------------------------------------------------------ */

void
yield_answer(struct yield *y, const struct fact *fact, struct slice bytes)
{
	if (y->dns == NULL)
		y->dns = dns_book_create(y->budgets.dns);
	if (y->dns != NULL)
		dns_book_add(y->dns, fact, bytes);
}

const struct dns_book *
yield_dns(const struct yield *y)
{
	return y->dns;
}

static void
take_dns(struct yield *y)
{
	y->out.tally.dns_shed = dns_book_shed(y->dns);
	y->out.askers = dns_book_askers(y->dns, &y->out.asker_count);
}

/* --- the end ------------------------------------------------------------- */

const struct capture_yield *
yield_finish(struct yield *y)
{
	if (y->finished)
		return &y->out;
	y->finished = true;
	if (y->dns != NULL)
		take_dns(y);
	dns_book_destroy(y->dns);
	y->dns = NULL;
	shed_kept(y);
	shed_attempts(y);
	shed_clear(y);
	shed_profiles(y);
	shed_lists(y);
	if (y->out.list_count > 0)
		qsort(y->out.lists, y->out.list_count, sizeof(*y->out.lists),
		    list_lowest_first);
	if (y->slot_count > 0)
		qsort(y->slots, y->slot_count, sizeof(*y->slots),
		    slot_by_server);
	y->out.profiles = malloc(
	    (y->slot_count ? y->slot_count : 1) * sizeof(*y->out.profiles));
	for (size_t i = 0; y->out.profiles != NULL && i < y->slot_count; i++)
		y->out.profiles[y->out.profile_count++] = y->slots[i].profile;
	free(y->slots);
	free(y->by_order.places);
	free(y->by_hash.places);
	y->slots = NULL;
	y->by_order.places = y->by_hash.places = NULL;
	for (size_t i = 0; i < y->out.kept_count; i++)
		y->out.tally.kept += !y->out.kept[i].unfinished;
	return &y->out;
}
