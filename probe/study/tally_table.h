/*
 * probe/study/tally_table.h - groups by name, and the networks that units of
 * a group are in; private to probe/study/tally*.c.
 */
#ifndef PROBE_STUDY_TALLY_TABLE_H
#define PROBE_STUDY_TALLY_TABLE_H

#include "probe/study/tally.h"

/* Where a unit is: its AS, or where that is not known a wide prefix. */
struct site {
	uint32_t as; /* 0: `address` is a network of `bits` */
	uint8_t bits;
	struct address address; /* of an AS: one of its servers */
};

struct site_entry {
	uint32_t group; /* from 1; 0: free */
	struct site site;
	struct cluster cluster;
};

struct site_table {
	struct site_entry *entries;
	size_t count, mask;
};

struct group_table {
	struct group *list; /* [0] is the total */
	size_t count, room;
	uint32_t *places;
	size_t mask;
};

#define SITES_MAX ((size_t)1 << 21)
#define GROUPS_MAX ((size_t)1 << 17)

bool site_table_init(struct site_table *);
void site_table_free(struct site_table *);
/* False: there are SITES_MAX, or no memory. */
bool site_table_add(struct site_table *, uint32_t group, const struct site *,
    uint64_t units, uint64_t hits);
/* By group; the table can only be walked from then on. */
void site_table_sort(struct site_table *);

bool group_table_init(struct group_table *);
void group_table_free(struct group_table *);
/* The index of the group, new or not; 0: there are GROUPS_MAX, or no
 * memory. */
uint32_t group_table_find(struct group_table *, const char *name);

#endif
