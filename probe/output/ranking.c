#include "ranking.h"

#include <stdlib.h>
#include <string.h>

int
ranking_add(struct ranking *r, const char *name)
{
	char *copy = strdup(name);

	if (copy == NULL)
		return -1;
	if (r->count == r->room) {
		size_t room = r->room ? r->room * 2 : 64;
		struct ranked *more = realloc(r->list, room * sizeof(*more));

		if (more == NULL) {
			free(copy);
			return -1;
		}
		r->list = more;
		r->room = room;
	}
	r->list[r->count++] = (struct ranked){ copy, 1 };
	return 0;
}

static int
by_name(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int
by_count(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return by_name(a, b);
}

void
ranking_sort(struct ranking *r)
{
	size_t kept = 0;

	if (r->count == 0)
		return;
	qsort(r->list, r->count, sizeof(*r->list), by_name);
	for (size_t i = 1; i < r->count; i++) {
		if (by_name(&r->list[kept], &r->list[i]) == 0) {
			r->list[kept].count += r->list[i].count;
			free(r->list[i].name);
		} else {
			r->list[++kept] = r->list[i];
		}
	}
	r->count = kept + 1;
	qsort(r->list, r->count, sizeof(*r->list), by_count);
}

void
ranking_free(struct ranking *r)
{
	for (size_t i = 0; i < r->count; i++)
		free(r->list[i].name);
	free(r->list);
	*r = (struct ranking){ 0 };
}
