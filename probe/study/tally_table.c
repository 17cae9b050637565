#include "tally_table.h"

#include <stdio.h>
#include <stdlib.h>

#include <xxhash.h>

#define START 1024

/* --- networks ------------------------------------------------------------ */

bool
site_table_init(struct site_table *t)
{
	t->entries = calloc(START, sizeof(*t->entries));
	t->mask = START - 1;
	t->count = 0;
	return t->entries != NULL;
}

void
site_table_free(struct site_table *t)
{
	free(t->entries);
}

static bool
same_site(const struct site *a, const struct site *b)
{
	return a->as == b->as &&
	    (a->as != 0 ||
		(a->bits == b->bits &&
		    address_compare(&a->address, &b->address) == 0));
}

static struct site_entry *
place_of(struct site_table *t, uint32_t group, const struct site *site)
{
	uint64_t hash = site->as != 0 ?
	    XXH3_64bits_withSeed(&site->as, sizeof(site->as), group) :
	    XXH3_64bits_withSeed(&site->address, sizeof(site->address), group);
	size_t i = hash & t->mask;

	while (t->entries[i].group != 0 &&
	    (t->entries[i].group != group ||
		!same_site(&t->entries[i].site, site)))
		i = (i + 1) & t->mask;
	return &t->entries[i];
}

static bool
grow_sites(struct site_table *t)
{
	struct site_table bigger = { .mask = t->mask * 2 + 1,
		.count = t->count };

	bigger.entries = calloc(bigger.mask + 1, sizeof(*bigger.entries));
	if (bigger.entries == NULL)
		return false;
	for (size_t i = 0; i <= t->mask; i++) {
		struct site_entry *e = &t->entries[i];

		if (e->group != 0)
			*place_of(&bigger, e->group, &e->site) = *e;
	}
	free(t->entries);
	*t = bigger;
	return true;
}

bool
site_table_add(struct site_table *t, uint32_t group, const struct site *site,
    uint64_t units, uint64_t hits)
{
	struct site_entry *e;

	if (t->count * 4 > t->mask * 3 && !grow_sites(t))
		return false;
	e = place_of(t, group + 1, site);
	if (e->group == 0) {
		if (t->count == SITES_MAX)
			return false;
		t->count++;
		e->group = group + 1;
		e->site = *site;
	}
	e->cluster.units += units;
	e->cluster.hits += hits;
	return true;
}

static int
compare_entries(const void *a, const void *b)
{
	const struct site_entry *x = a, *y = b;

	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	if (x->site.as != y->site.as)
		return x->site.as < y->site.as ? -1 : 1;
	return address_compare(&x->site.address, &y->site.address);
}

void
site_table_sort(struct site_table *t)
{
	size_t n = 0;

	for (size_t i = 0; i <= t->mask; i++)
		if (t->entries[i].group != 0)
			t->entries[n++] = t->entries[i];
	qsort(t->entries, n, sizeof(*t->entries), compare_entries);
}

/* --- groups -------------------------------------------------------------- */

bool
group_table_init(struct group_table *t)
{
	t->room = START;
	t->list = calloc(t->room, sizeof(*t->list));
	t->places = calloc(START, sizeof(*t->places));
	t->mask = START - 1;
	t->count = 1;
	return t->list != NULL && t->places != NULL;
}

void
group_table_free(struct group_table *t)
{
	free(t->list);
	free(t->places);
}

static uint32_t *
group_place(const struct group_table *t, const char *name)
{
	size_t i = XXH3_64bits(name, strlen(name)) & t->mask;

	while (
	    t->places[i] != 0 && strcmp(t->list[t->places[i]].name, name) != 0)
		i = (i + 1) & t->mask;
	return &t->places[i];
}

static bool
grow_groups(struct group_table *t)
{
	struct group *list;

	if (t->count == t->room) {
		list = realloc(t->list, t->room * 2 * sizeof(*list));
		if (list == NULL)
			return false;
		memset(list + t->room, 0, t->room * sizeof(*list));
		t->list = list;
		t->room *= 2;
	}
	if (t->count * 2 > t->mask) {
		free(t->places);
		t->mask = t->mask * 2 + 1;
		t->places = calloc(t->mask + 1, sizeof(*t->places));
		if (t->places == NULL)
			return false;
		for (uint32_t i = 1; i < t->count; i++)
			*group_place(t, t->list[i].name) = i;
	}
	return true;
}

uint32_t
group_table_find(struct group_table *t, const char *name)
{
	uint32_t *place;

	if (!grow_groups(t))
		return 0;
	place = group_place(t, name);
	if (*place != 0)
		return *place;
	if (t->count == GROUPS_MAX)
		return 0;
	*place = (uint32_t)t->count++;
	snprintf(t->list[*place].name, GROUP_NAME_BYTES, "%s", name);
	return *place;
}
