/*
 * probe/output/ranking.h - which names come how often.
 */
#ifndef PROBE_OUTPUT_RANKING_H
#define PROBE_OUTPUT_RANKING_H

#include <stddef.h>
#include <stdint.h>

struct ranked {
	char *name;
	uint64_t count;
};

/* Zeroed to begin with. */
struct ranking {
	struct ranked *list;
	size_t count, room;
};

/* -1: there is no memory. */
int ranking_add(struct ranking *, const char *name);
/* Equal names become one; the most frequent come first, then by name. Nothing
 * is added after it. */
void ranking_sort(struct ranking *);
void ranking_free(struct ranking *);

#endif
