#include "tally.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tally_state.h"

/* Where the AS is not known, a network is what was handed out as one: as wide
 * as most of them, for narrower ones are alike within it. */
#define CLUSTER_BITS_V4 16
#define CLUSTER_BITS_V6 32

struct study_tally *
tally_create(const struct question *question)
{
	struct study_tally *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->question = question;
	if (group_table_init(&t->groups) && site_table_init(&t->sites))
		return t;
	tally_destroy(t);
	return NULL;
}

void
tally_destroy(struct study_tally *t)
{
	if (t == NULL)
		return;
	group_table_free(&t->groups);
	site_table_free(&t->sites);
	free(t->open);
	free(t->result.groups);
	free(t->result.full);
	free(t);
}

enum study_order
tally_order(const struct question *q)
{
	return q->unit == UNIT_SERVER ? STUDY_BY_SERVER :
	    q->unit == UNIT_SERVICE   ? STUDY_BY_NAME :
	    q->unit == UNIT_PATH      ? STUDY_BY_NETWORK :
					STUDY_ANY_ORDER;
}

/* --- where it is, and which group that makes ----------------------------- */

static struct site
site_of(struct study_tally *t, const struct address *address)
{
	struct site site = { .address = *address };

	site.as = tally_place(t, address)->as;
	if (site.as != 0)
		return site;
	site.bits = address->family == 4 ? CLUSTER_BITS_V4 : CLUSTER_BITS_V6;
	site.address = tally_network(address, site.bits);
	return site;
}

static void
name_time(int64_t ns, const char *format, char out[GROUP_NAME_BYTES])
{
	time_t seconds = (time_t)(ns / 1000000000);
	struct tm utc;

	if (ns == 0 || gmtime_r(&seconds, &utc) == NULL ||
	    strftime(out, GROUP_NAME_BYTES, format, &utc) == 0)
		snprintf(out, GROUP_NAME_BYTES, "unknown");
}

static void
name_group(struct study_tally *t, const struct study_row *row,
    char out[GROUP_NAME_BYTES])
{
	const struct question *q = t->question;
	const struct address *a = &row->server.address;

	switch (q->by) {
	case BY_COUNTRY:
		snprintf(out, GROUP_NAME_BYTES, "%s",
		    tally_place(t, a)->country[0] ? tally_place(t, a)->country :
						    "unknown");
		break;
	case BY_AS:
		tally_name_as(tally_place(t, a), out);
		break;
	case BY_PREFIX:
		tally_name_prefix(a, q->prefix_bits[a->family == 6], out);
		break;
	case BY_PRODUCT:
		snprintf(out, GROUP_NAME_BYTES, "%s",
		    row->product[0] ? row->product : "unknown");
		break;
	case BY_PORT:
		snprintf(out, GROUP_NAME_BYTES, "%u", row->server.port);
		break;
	case BY_DAY:
		name_time(row->at_ns, "%Y-%m-%d", out);
		break;
	case BY_MONTH:
		name_time(row->at_ns, "%Y-%m", out);
		break;
	default:
		out[0] = '\0';
		break;
	}
}

/* --- the end of a unit --------------------------------------------------- */

static bool
is_affected(const struct open_unit *u, uint64_t sessions, double percent)
{
	return u->judged > 0 && u->hits >= sessions &&
	    (double)u->hits * 100 >= percent * (double)u->judged;
}

static void
add_counts(struct counts *c, const struct open_unit *u, uint64_t weight,
    bool affected)
{
	c->sessions += u->sessions;
	c->units += u->observable > 0 ? weight : 0;
	c->judged += u->judged > 0 ? weight : 0;
	c->offered += u->offered > 0 ? weight : 0;
	c->used += u->used > 0 ? weight : 0;
	c->refused += u->refused > 0 ? weight : 0;
	c->broken += u->broken > 0 ? weight : 0;
	if (!affected) {
		c->absent += u->judged > 0 && u->offered == 0 && u->hits == 0 ?
		    weight :
		    0;
		return;
	}
	c->affected += weight;
	if (u->garbled > 0)
		c->garbled += weight;
	else if (u->stripped > 0)
		c->stripped += weight;
	else
		c->otherwise += weight;
}

/* Who was affected, by how it looked; the denominators are everybody's. */
static int
add_mask(struct study_tally *t, const struct open_unit *u, uint64_t weight)
{
	uint32_t group = group_table_find(&t->groups,
	    u->mask[0] ? u->mask : "none that is known");

	if (group == 0)
		return tally_fail(t, "too many masks, or no memory");
	add_counts(&t->groups.list[group].counts, u, weight, true);
	if (!site_table_add(&t->sites, group, &u->site, 0, weight))
		return tally_fail(t, "too many networks, or no memory");
	return 0;
}

static int
end_one(struct study_tally *t, const struct open_unit *u)
{
	const struct question *q = t->question;
	uint64_t weight = q->unit == UNIT_SESSION ? u->sessions : 1;
	bool affected = q->unit == UNIT_SESSION ?
	    u->hits > 0 :
	    is_affected(u, q->least_sessions, q->least_percent);
	uint64_t judged = u->judged > 0 ? weight : 0;

	if (u->group != 0)
		add_counts(&t->groups.list[u->group].counts, u, weight,
		    affected);
	if (judged > 0 && u->group != 0 &&
	    !site_table_add(&t->sites, u->group, &u->site, judged,
		affected ? weight : 0))
		return tally_fail(t,
		    "more than 2 million networks in groups: --by something "
		    "coarser, or fewer --prefix-bits");
	return 0;
}

/* The whole unit, whatever groups it was in. */
static int
end_whole(struct study_tally *t, const struct open_unit *u)
{
	const struct question *q = t->question;
	uint64_t weight = q->unit == UNIT_SESSION ? u->sessions : 1;
	bool affected = q->unit == UNIT_SESSION ?
	    u->hits > 0 :
	    is_affected(u, q->least_sessions, q->least_percent);

	add_counts(&t->groups.list[0].counts, u, weight, affected);
	for (int k = 0; k < SENSITIVITY_SESSIONS; k++)
		for (int p = 0; p < SENSITIVITY_PERCENTS; p++)
			t->result.sensitivity[k][p] +=
			    is_affected(u, sensitivity_sessions[k],
				sensitivity_percents[p]) ?
			    weight :
			    0;
	if (u->judged > 0 &&
	    !site_table_add(&t->sites, 0, &u->site, weight,
		affected ? weight : 0))
		return tally_fail(t,
		    "more than 2 million networks, or no memory");
	return affected && q->by == BY_MASK ? add_mask(t, u, weight) : 0;
}

static void
merge(struct open_unit *whole, const struct open_unit *part)
{
	whole->sessions += part->sessions;
	whole->observable += part->observable;
	whole->judged += part->judged;
	whole->offered += part->offered;
	whole->used += part->used;
	whole->refused += part->refused;
	whole->broken += part->broken;
	whole->hits += part->hits;
	whole->garbled += part->garbled;
	whole->stripped += part->stripped;
	if (whole->mask[0] == '\0')
		memcpy(whole->mask, part->mask, sizeof(whole->mask));
}

static uint64_t
hash_site(const struct site *s)
{
	uint64_t low, high;

	if (s->as != 0)
		return s->as * UINT64_C(0x9e3779b97f4a7c15) >> 32;
	memcpy(&low, s->address.octets, 8);
	memcpy(&high, s->address.octets + 8, 8);
	return (low * UINT64_C(0x9e3779b97f4a7c15) ^ high) >> 32;
}

static int
compare_open(const void *a, const void *b)
{
	const struct site *x = &((const struct open_unit *)a)->site;
	const struct site *y = &((const struct open_unit *)b)->site;

	if (x->as != y->as)
		return x->as < y->as ? -1 : 1;
	return x->as != 0 ? 0 : address_compare(&x->address, &y->address);
}

/* Of a server or service all that is open is one unit; of paths, those with
 * one network. */
int
tally_end_units(struct study_tally *t)
{
	bool paths = t->question->unit == UNIT_PATH;
	size_t i = 0;

	for (size_t j = 0; j < t->open_count; j++)
		t->buckets[hash_site(&t->open[j].site) % BUCKETS] = 0;
	if (paths && t->open_count > 1)
		qsort(t->open, t->open_count, sizeof(*t->open), compare_open);
	while (i < t->open_count) {
		struct open_unit whole = t->open[i];
		size_t first = i;

		if (end_one(t, &t->open[i]) != 0)
			return 1;
		for (i++; i < t->open_count &&
		     (!paths ||
			 compare_open(&t->open[first], &t->open[i]) == 0);
		     i++) {
			if (end_one(t, &t->open[i]) != 0)
				return 1;
			merge(&whole, &t->open[i]);
		}
		if (end_whole(t, &whole) != 0)
			return 1;
	}
	t->open_count = 0;
	return 0;
}

/* --- a row --------------------------------------------------------------- */

static bool
same_unit(const struct study_tally *t, const struct study_row *row)
{
	switch (t->question->unit) {
	case UNIT_SERVER:
		return t->any && endpoint_equal(&t->last.server, &row->server);
	case UNIT_SERVICE:
		return t->any && strcmp(t->last.name, row->name) == 0;
	case UNIT_PATH:
		return t->any &&
		    t->last.client_network.family ==
		    row->client_network.family &&
		    address_compare(&t->last.client_network,
			&row->client_network) == 0;
	default:
		return false;
	}
}

static bool
has_unit(const struct study_tally *t, const struct study_row *row)
{
	switch (t->question->unit) {
	case UNIT_SERVICE:
		return row->name[0] != '\0';
	case UNIT_SESSION:
		return true;
	default:
		return row->server.address.family != 0;
	}
}

static struct open_unit *
find_open(struct study_tally *t, uint32_t group, const struct site *site)
{
	bool paths = t->question->unit == UNIT_PATH;
	uint32_t *bucket = &t->buckets[hash_site(site) % BUCKETS];
	struct open_unit *u;

	for (uint32_t i = *bucket; paths && i != 0; i = t->open[i - 1].next) {
		struct open_unit like = { .site = *site };

		u = &t->open[i - 1];
		if (u->group == group && compare_open(u, &like) == 0)
			return u;
	}
	for (size_t i = 0; !paths && i < t->open_count; i++)
		if (t->open[i].group == group)
			return &t->open[i];
	if (t->open_count == t->open_room) {
		size_t room = t->open_room * 2 + 16;

		u = room <= SITES_MAX ? realloc(t->open, room * sizeof(*u)) :
					NULL;
		if (u == NULL)
			return NULL;
		t->open = u;
		t->open_room = room;
	}
	u = &t->open[t->open_count++];
	*u = (struct open_unit){ .group = group, .site = *site };
	if (paths) {
		u->next = *bucket;
		*bucket = (uint32_t)t->open_count;
	}
	return u;
}

static void
add_row(const struct question *q, struct open_unit *u,
    const struct study_row *row)
{
	uint64_t n = row->sessions;
	bool hit = row->certainty >= q->certainty &&
	    row->certainty != CERTAINTY_NONE;

	u->sessions += n;
	u->observable += row->state & STUDY_SMTP ? n : 0;
	u->judged += row->state & STUDY_JUDGED ? n : 0;
	u->offered += row->state & STUDY_OFFERED ? n : 0;
	u->used += row->state & STUDY_USED ? n : 0;
	u->refused += row->state & STUDY_REFUSED ? n : 0;
	u->broken += row->state & STUDY_BROKEN ? n : 0;
	if (!hit)
		return;
	u->hits += n;
	u->garbled += row->kind == KIND_STARTTLS_GARBLED ||
		row->kind == KIND_STARTTLS_COMMAND_GARBLED ?
	    n :
	    0;
	u->stripped += row->kind == KIND_STARTTLS_STRIPPED ? n : 0;
	if (u->mask[0] == '\0')
		memcpy(u->mask, row->mask, sizeof(u->mask));
}

int
tally_take(void *context, const struct study_row *row)
{
	struct study_tally *t = context;
	const struct question *q = t->question;
	char name[GROUP_NAME_BYTES];
	struct open_unit *u;
	struct site site;
	uint32_t group = 0;

	if (!(row->state & STUDY_SMTP)) {
		t->result.silent += row->sessions;
		return 0;
	}
	if (q->carrying && !(row->state & STUDY_CARRIES)) {
		t->result.cannot_carry += row->sessions;
		return 0;
	}
	if (!has_unit(t, row)) {
		t->result.nameless += row->sessions;
		return 0;
	}
	if (!same_unit(t, row) && tally_end_units(t) != 0)
		return 1;
	t->any = true;
	t->last = *row;
	if (q->by != BY_NOTHING && q->by != BY_MASK) {
		name_group(t, row, name);
		group = group_table_find(&t->groups, name);
		if (group == 0)
			return tally_fail(t,
			    "more than 131,072 groups: --by something "
			    "coarser, or fewer --prefix-bits");
	}
	site = site_of(t, &row->server.address);
	u = find_open(t, group, &site);
	if (u == NULL)
		return tally_fail(t, "no memory for this many paths");
	add_row(q, u, row);
	return 0;
}
