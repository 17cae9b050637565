#include <stdio.h>
#include <stdlib.h>

#include "tally_state.h"

const uint64_t sensitivity_sessions[SENSITIVITY_SESSIONS] = { 1, 2, 5, 10 };
const double sensitivity_percents[SENSITIVITY_PERCENTS] = { 0, 10, 50, 90,
	100 };

static const struct {
	const char *name, *plural;
} units[] = {
	[UNIT_SESSION] = { "session", "sessions" },
	[UNIT_SERVER] = { "server", "servers" },
	[UNIT_SERVICE] = { "service", "services" },
	[UNIT_PATH] = { "path", "paths" },
};
static const char *const bys[] = {
	[BY_NOTHING] = "",
	[BY_COUNTRY] = "country",
	[BY_AS] = "as",
	[BY_PREFIX] = "prefix",
	[BY_PRODUCT] = "product",
	[BY_MASK] = "mask",
	[BY_PORT] = "port",
	[BY_DAY] = "day",
	[BY_MONTH] = "month",
};

const char *
unit_name(enum unit unit)
{
	return units[unit].name;
}

const char *
unit_plural(enum unit unit)
{
	return units[unit].plural;
}

const char *
by_name(enum by by)
{
	return bys[by];
}

bool
by_parse(const char *name, enum by *out)
{
	for (int i = BY_NOTHING + 1; i < BYS; i++)
		if (strcmp(name, bys[i]) == 0) {
			*out = (enum by)i;
			return true;
		}
	return false;
}

int
tally_fail(struct study_tally *t, const char *text)
{
	snprintf(t->error, sizeof(t->error), "%s", text);
	return 1;
}

const char *
tally_error(const struct study_tally *t)
{
	return t->error;
}

/* --- names of places ----------------------------------------------------- */

struct address
tally_network(const struct address *a, unsigned bits)
{
	struct address out = *a;

	for (unsigned i = bits; i < 128; i += 8 - i % 8)
		out.octets[i / 8] &= (uint8_t)(0xff00 >> i % 8);
	return out;
}

const struct place *
tally_place(struct study_tally *t, const struct address *address)
{
	if (address_compare(address, &t->place_of) != 0 ||
	    address->family != t->place_of.family) {
		networks_find(t->question->networks, address, &t->place);
		t->place_of = *address;
	}
	return &t->place;
}

void
tally_name_as(const struct place *place, char out[GROUP_NAME_BYTES])
{
	if (place->as == 0)
		snprintf(out, GROUP_NAME_BYTES, "unknown");
	else
		snprintf(out, GROUP_NAME_BYTES, "AS%u%s%s", place->as,
		    place->as_name[0] ? " " : "", place->as_name);
}

void
tally_name_prefix(const struct address *a, unsigned bits,
    char out[GROUP_NAME_BYTES])
{
	struct address network = tally_network(a, bits);
	char text[ADDRESS_TEXT_BYTES];

	if (a->family == 0)
		snprintf(out, GROUP_NAME_BYTES, "unknown");
	else
		snprintf(out, GROUP_NAME_BYTES, "%s/%u",
		    address_format(&network, text), bits);
}

/* --- the answer ---------------------------------------------------------- */

static void
measure(const struct question *q, struct group *g,
    const struct site_entry *entries, size_t count)
{
	struct cluster *list = calloc(count ? count : 1, sizeof(*list));

	for (size_t i = 0; list != NULL && i < count; i++) {
		list[i] = entries[i].cluster;
		g->clusters += list[i].units > 0;
		g->clusters_affected += list[i].hits > 0;
		g->clusters_full += list[i].units > 0 &&
		    list[i].hits == list[i].units;
	}
	g->design_effect = 1;
	if (q->independent) {
		g->has_interval = g->counts.judged > 0;
		g->interval =
		    interval_wilson(g->counts.affected, g->counts.judged);
	} else if (list != NULL) {
		g->interval =
		    interval_clustered(list, count, &g->design_effect);
		g->has_interval = g->clusters >= INTERVAL_CLUSTERS_MIN;
	}
	if (q->vantages < 2)
		g->has_interval = false;
	free(list);
}

/* Of a mask the networks are everybody's, with those hits that have it. */
static void
measure_mask(struct study_tally *t, struct group *g,
    const struct site_entry *hits, size_t hit_count)
{
	const struct site_entry *all = t->sites.entries;
	struct site_entry *list = calloc(t->sites.count, sizeof(*list));
	size_t n = 0, at = 0;

	for (; list != NULL && n < t->sites.count && all[n].group == 1; n++) {
		list[n] = all[n];
		list[n].cluster.hits = 0;
		if (at < hit_count && all[n].site.as == hits[at].site.as &&
		    (all[n].site.as != 0 ||
			address_compare(&all[n].site.address,
			    &hits[at].site.address) == 0))
			list[n].cluster.hits = hits[at++].cluster.hits;
	}
	if (list != NULL)
		measure(t->question, g, list, n);
	free(list);
}

static void
set_mask_denominators(struct study_tally *t)
{
	const struct counts *all = &t->groups.list[0].counts;

	for (size_t i = 1; i < t->groups.count; i++) {
		struct counts *c = &t->groups.list[i].counts;

		c->units = all->units;
		c->judged = all->judged;
		c->offered = all->offered;
		c->used = all->used;
		c->refused = all->refused;
		c->broken = all->broken;
		c->absent = all->absent;
		c->sessions = all->sessions;
	}
}

static void
measure_all(struct study_tally *t)
{
	const struct site_entry *e = t->sites.entries;
	size_t i = 0;

	for (uint32_t g = 0; g < t->groups.count; g++) {
		size_t first;

		while (i < t->sites.count && e[i].group < g + 1)
			i++;
		first = i;
		while (i < t->sites.count && e[i].group == g + 1)
			i++;
		if (g > 0 && t->question->by == BY_MASK)
			measure_mask(t, &t->groups.list[g], e + first,
			    i - first);
		else
			measure(t->question, &t->groups.list[g], e + first,
			    i - first);
	}
}

static int
compare_full(const void *a, const void *b)
{
	const struct full_network *x = a, *y = b;

	if (x->units != y->units)
		return x->units > y->units ? -1 : 1;
	return strcmp(x->name, y->name);
}

static void
list_full(struct study_tally *t)
{
	const struct site_entry *e = t->sites.entries;
	struct full_network *list =
	    calloc(t->groups.list[0].clusters_full + 1, sizeof(*list));
	size_t n = 0;

	t->result.full = list;
	for (size_t i = 0;
	     list != NULL && i < t->sites.count && e[i].group == 1; i++) {
		if (e[i].cluster.units == 0 ||
		    e[i].cluster.hits != e[i].cluster.units)
			continue;
		list[n].units = e[i].cluster.units;
		if (e[i].site.as != 0)
			tally_name_as(tally_place(t, &e[i].site.address),
			    list[n].name);
		else
			tally_name_prefix(&e[i].site.address, e[i].site.bits,
			    list[n].name);
		n++;
	}
	if (n > 1)
		qsort(list, n, sizeof(*list), compare_full);
	t->result.full_count = n;
}

static int
compare_groups(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	if (x->counts.affected != y->counts.affected)
		return x->counts.affected > y->counts.affected ? -1 : 1;
	if (x->counts.judged != y->counts.judged)
		return x->counts.judged > y->counts.judged ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(((const struct group *)a)->name,
	    ((const struct group *)b)->name);
}

const struct tally_result *
tally_finish(struct study_tally *t)
{
	struct tally_result *r = &t->result;
	enum by by = t->question->by;

	if (tally_end_units(t) != 0)
		return NULL;
	site_table_sort(&t->sites);
	if (by == BY_MASK)
		set_mask_denominators(t);
	measure_all(t);
	list_full(t);
	r->group_count = t->groups.count - 1;
	r->groups = calloc(r->group_count + 1, sizeof(*r->groups));
	if (r->groups == NULL || r->full == NULL) {
		tally_fail(t, "out of memory");
		return NULL;
	}
	r->total = t->groups.list[0];
	memcpy(r->groups, t->groups.list + 1,
	    r->group_count * sizeof(*r->groups));
	if (r->group_count > 1)
		qsort(r->groups, r->group_count, sizeof(*r->groups),
		    by == BY_DAY || by == BY_MONTH ? compare_names :
						     compare_groups);
	return r;
}

static struct interval
share_between(uint64_t low, uint64_t more, uint64_t all)
{
	if (all == 0)
		return (struct interval){ 0, 1 };
	return (struct interval){ (double)low / (double)all,
		(double)(low + more) / (double)all };
}

struct interval
counts_bounds(const struct counts *c)
{
	return share_between(c->affected, c->units - c->judged, c->units);
}

struct interval
counts_removal_bounds(const struct counts *c)
{
	return share_between(c->stripped, c->units - c->judged + c->absent,
	    c->units);
}
