#include "pairing.h"

#include <stdlib.h>

#define SECOND_NS INT64_C(1000000000)
/* So near in time must sessions be that only time tells apart. */
#define SAME_MOMENT_NS (2 * SECOND_NS)
/* A proxy that keeps a mail for longer is a mail server, and another day's
 * session with the same words another session. */
#define SAME_HOUR_NS (600 * SECOND_NS)
/* One HELO name serves many sessions. */
#define SAME_HELO_NS (10 * SECOND_NS)
/* Sessions that look alike and are told apart by the times between them. */
#define IN_STEP_MAX 64

struct entry {
	uint64_t key;
	size_t at;
};

static int
entry_compare(const void *a, const void *b)
{
	const struct entry *l = a, *r = b;

	if (l->key != r->key)
		return l->key < r->key ? -1 : 1;
	return l->at < r->at ? -1 : l->at > r->at;
}

/* The sessions that are not paired yet and can be known by this. */
static size_t
entries_of(const struct collection *c, enum pairing by, struct entry *out)
{
	size_t n = 0;

	for (size_t i = 0; i < c->count; i++)
		if (!c->list[i].paired && c->list[i].keys[by] != 0)
			out[n++] = (struct entry){ c->list[i].keys[by], i };
	if (n > 0)
		qsort(out, n, sizeof(*out), entry_compare);
	return n;
}

struct matching {
	struct collection *near, *far;
	struct pairs *out;
	enum pairing by;
};

/* How far apart in time, once the clocks are set alike. */
static int64_t
apart_ns(const struct matching *m, size_t near, size_t far)
{
	int64_t apart = m->far->list[far].first_ns -
	    m->near->list[near].first_ns - m->out->offset_ns;

	return apart < 0 ? -apart : apart;
}

static void
pair_up(struct matching *m, size_t near, size_t far)
{
	m->near->list[near].paired = m->far->list[far].paired = true;
	m->out->list[m->out->count++] = (struct pair){ near, far, m->by };
}

static bool
may_be_one(const struct matching *m, size_t near, size_t far)
{
	if (m->by < PAIRED_BY_ADDRESSES || !m->out->has_offset)
		return true;
	return apart_ns(m, near, far) <=
	    (m->by == PAIRED_BY_HELO ? SAME_HELO_NS : SAME_HOUR_NS);
}

/* The only one of `count` that began at the same moment; count: none did, or
 * several. */
static size_t
at_the_moment(const struct matching *m, size_t own, bool own_is_near,
    const struct entry *others, size_t count)
{
	size_t found = count;

	for (size_t i = 0; i < count; i++) {
		int64_t apart = own_is_near ? apart_ns(m, own, others[i].at) :
					      apart_ns(m, others[i].at, own);

		if (apart > SAME_MOMENT_NS)
			continue;
		if (found < count)
			return count;
		found = i;
	}
	return found;
}

/* What is left of a group, in the order in which it came. */
static size_t
unpaired(const struct collection *c, const struct entry *group, size_t count,
    size_t *out)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		if (!c->list[group[i].at].paired)
			out[n++] = group[i].at;
	return n;
}

/* How long after its forerunner a session began, at least. */
static int64_t
least_gap_ns(const struct collection *c, const size_t *list, size_t count)
{
	int64_t least = INT64_MAX;

	for (size_t i = 1; i < count; i++) {
		int64_t gap =
		    c->list[list[i]].first_ns - c->list[list[i - 1]].first_ns;

		least = gap < least ? gap : least;
	}
	return least;
}

/*
 * As many here as there, which began at the same moments by clocks that agree,
 * to within half of the shortest time between them: the retries of one sender.
 * Each is its counterpart's in order. Where the clocks may be anything, mail
 * that somebody sends every minute could be a minute's other one.
 */
static bool
in_step(const struct matching *m, const size_t *near, const size_t *far,
    size_t count)
{
	int64_t gap = least_gap_ns(m->near, near, count);
	int64_t least = INT64_MAX, most = INT64_MIN;

	for (size_t i = 0; i < count; i++) {
		int64_t shift = m->far->list[far[i]].first_ns -
		    m->near->list[near[i]].first_ns;

		least = shift < least ? shift : least;
		most = shift > most ? shift : most;
	}
	least -= m->out->offset_ns;
	most -= m->out->offset_ns;
	return gap > 0 && most - least < gap / 2 && least >= -SAME_MOMENT_NS &&
	    most <= SAME_MOMENT_NS;
}

static void
pair_in_step(struct matching *m, const struct entry *near, size_t near_count,
    const struct entry *far, size_t far_count)
{
	size_t a[IN_STEP_MAX], b[IN_STEP_MAX], count;

	if (near_count > IN_STEP_MAX || far_count > IN_STEP_MAX)
		return;
	count = unpaired(m->near, near, near_count, a);
	if (count == 0 || count != unpaired(m->far, far, far_count, b) ||
	    !in_step(m, a, b, count))
		return;
	for (size_t i = 0; i < count; i++)
		if (!may_be_one(m, a[i], b[i]))
			return;
	for (size_t i = 0; i < count; i++)
		pair_up(m, a[i], b[i]);
}

/* Several look alike: time tells, if it does so from both sides. */
static void
pair_group(struct matching *m, const struct entry *near, size_t near_count,
    const struct entry *far, size_t far_count)
{
	for (size_t i = 0; i < near_count; i++) {
		size_t j = m->out->has_offset ?
		    at_the_moment(m, near[i].at, true, far, far_count) :
		    far_count;

		if (j < far_count &&
		    at_the_moment(m, far[j].at, false, near, near_count) == i)
			pair_up(m, near[i].at, far[j].at);
	}
	pair_in_step(m, near, near_count, far, far_count);
	for (size_t i = 0; i < near_count; i++)
		m->near->list[near[i].at].ambiguous = true;
	for (size_t i = 0; i < far_count; i++)
		m->far->list[far[i].at].ambiguous = true;
}

static size_t
end_of_group(const struct entry *entries, size_t from, size_t count)
{
	size_t end = from;

	while (end < count && entries[end].key == entries[from].key)
		end++;
	return end;
}

static void
match(struct matching *m, struct entry *near, struct entry *far)
{
	size_t near_count = entries_of(m->near, m->by, near);
	size_t far_count = entries_of(m->far, m->by, far);

	for (size_t i = 0, j = 0; i < near_count && j < far_count;) {
		size_t i_end = end_of_group(near, i, near_count);
		size_t j_end = end_of_group(far, j, far_count);

		if (near[i].key != far[j].key) {
			if (near[i].key < far[j].key)
				i = i_end;
			else
				j = j_end;
			continue;
		}
		if (i_end - i > 1 || j_end - j > 1)
			pair_group(m, near + i, i_end - i, far + j, j_end - j);
		else if (may_be_one(m, near[i].at, far[j].at))
			pair_up(m, near[i].at, far[j].at);
		i = i_end;
		j = j_end;
	}
}

static int
ns_compare(const void *a, const void *b)
{
	int64_t l = *(const int64_t *)a, r = *(const int64_t *)b;

	return l < r ? -1 : l > r;
}

/* The median over all pairs so far: one session that hung moves it little. */
static void
learn_offset(struct matching *m, int64_t *room)
{
	size_t n = m->out->count;

	for (size_t i = 0; i < n; i++)
		room[i] = m->far->list[m->out->list[i].far].first_ns -
		    m->near->list[m->out->list[i].near].first_ns;
	if (n == 0)
		return;
	qsort(room, n, sizeof(*room), ns_compare);
	m->out->offset_ns = room[n / 2];
	m->out->has_offset = true;
}

static int
near_first(const void *a, const void *b)
{
	const struct pair *l = a, *r = b;

	return l->near < r->near ? -1 : l->near > r->near;
}

int
pairs_find(struct collection *near, struct collection *far, struct pairs *out)
{
	struct matching m = { .near = near, .far = far, .out = out };
	struct entry *a = calloc(near->count + 1, sizeof(*a));
	struct entry *b = calloc(far->count + 1, sizeof(*b));
	int64_t *times = calloc(near->count + 1, sizeof(*times));
	int status = -1;

	memset(out, 0, sizeof(*out));
	out->list = calloc(near->count + 1, sizeof(*out->list));
	if (a == NULL || b == NULL || times == NULL || out->list == NULL)
		goto out;
	for (int by = 0; by < PAIRINGS; by++) {
		m.by = (enum pairing)by;
		match(&m, a, b);
		if (pairing_is_sure(m.by))
			learn_offset(&m, times);
	}
	if (out->count > 0)
		qsort(out->list, out->count, sizeof(*out->list), near_first);
	status = 0;
out:
	free(a);
	free(b);
	free(times);
	return status;
}

void
pairs_free(struct pairs *pairs)
{
	free(pairs->list);
	memset(pairs, 0, sizeof(*pairs));
}
