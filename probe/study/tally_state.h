/*
 * probe/study/tally_state.h - a tally on its way; private to
 * probe/study/tally*.c.
 */
#ifndef PROBE_STUDY_TALLY_STATE_H
#define PROBE_STUDY_TALLY_STATE_H

#include "probe/study/tally_table.h"

#define BUCKETS 4096

/* What is known of the unit at hand, in one group. */
struct open_unit {
	uint32_t group, next; /* in its bucket, from 1 */
	struct site site;
	uint64_t sessions, observable, judged, offered, used, refused, broken;
	uint64_t hits, garbled, stripped;
	char mask[32];
};

struct study_tally {
	const struct question *question;
	struct group_table groups;
	struct site_table sites;
	struct open_unit *open;
	size_t open_count, open_room;
	uint32_t buckets[BUCKETS];
	struct study_row last; /* names the unit at hand */
	bool any;
	/* Of the last address that was asked for. */
	struct address place_of;
	struct place place;
	struct tally_result result;
	char error[256];
};

/* Always 1. */
int tally_fail(struct study_tally *, const char *text);
/* Closes what is open. 0, or 1 after tally_fail(). */
int tally_end_units(struct study_tally *);
struct address tally_network(const struct address *, unsigned bits);
/* Borrowed until the next call. */
const struct place *tally_place(struct study_tally *, const struct address *);
void tally_name_as(const struct place *, char out[GROUP_NAME_BYTES]);
void tally_name_prefix(const struct address *, unsigned bits,
    char out[GROUP_NAME_BYTES]);

#endif
