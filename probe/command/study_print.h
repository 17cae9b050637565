/*
 * probe/command/study_print.h - the answer of a study, as a table.
 */
#ifndef PROBE_COMMAND_STUDY_PRINT_H
#define PROBE_COMMAND_STUDY_PRINT_H

#include "study_ask.h"

/* As the words of --format. */
enum print_format {
	PRINT_TEXT,
	PRINT_CSV,
	PRINT_JSON,
	PRINT_LATEX,
	PRINT_MARKDOWN,
};

/* The counts that stand beside a share, in the order of their columns. */
#define PRINT_COUNTS 10
void print_counts(const struct counts *, uint64_t out[PRINT_COUNTS]);
const char *print_count_name(int count);   /* "observable", "judged", ... */
double print_share(const struct counts *); /* affected of the judged */
const char *print_group_name(const struct group *);

/* One object, with everything that the other formats leave out; -1: it could
 * not be written. */
int print_json(const struct asking *, const struct tally_result *);

/* On standard output. An exit status. */
int print_result(const struct asking *, const struct tally_result *,
    enum print_format);

#endif
