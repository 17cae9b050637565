/*
 * probe/output/text.h - counts and lists of incidents, for people.
 */
#ifndef PROBE_OUTPUT_TEXT_H
#define PROBE_OUTPUT_TEXT_H

#include <stdio.h>

#include "rules/incident.h"
#include "store/store.h"

/* Incidents that look alike - kind, certainty, what was seen - as one row. */
struct incident_group {
	struct incident first;
	uint64_t incidents, clients, servers;
};
struct incident_groups {
	struct incident_group *list;
	size_t count, room;
	uint64_t incidents;
};

/* An incident_fn; `context` is the groups. */
int text_group_add(void *groups, const struct incident *);
void text_groups_free(struct incident_groups *);

/* What a read has found: sessions, the three axes, what could not be judged,
 * and the incidents by group. */
void text_read_summary(FILE *, const struct capture_row *, size_t count,
    const struct incident_groups *);
/* One line an incident; text_table_head() once before them. */
void text_table_head(FILE *);
void text_table_row(FILE *, const struct incident *);
/* The same of campaigns, each as the first of its incidents. */
void text_campaign_head(FILE *);
void text_campaign_row(FILE *, const struct incident *);
void text_csv_head(FILE *);
void text_csv_row(FILE *, const struct incident *);
/* The colour that fits a certainty. */
const char *text_certainty_style(enum certainty);

#endif
