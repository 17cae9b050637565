/*
 * probe/output/article.h - one incident on a page: in words, the dialogue with
 * what was altered marked, the evidence, and what the verdict stands on.
 */
#ifndef PROBE_OUTPUT_ARTICLE_H
#define PROBE_OUTPUT_ARTICLE_H

#include <stdio.h>

#include "rules/incident.h"

/*
 * Opened, some rows for its record, closed. `facts` as in struct sighting;
 * empty: they are not kept any more.
 */
void article_open(FILE *, const struct incident *, struct slice facts);
void article_record(FILE *, const char *label, const char *text);
void article_close(FILE *);

/* The incident's row in the table of all; article_row_head() its headings. */
#define ARTICLE_COLUMNS 6
void article_row_head(FILE *);
void article_row(FILE *, const struct incident *);

/* A certainty as it is marked everywhere on a page. */
void article_certainty(FILE *, const struct incident *);

#endif
