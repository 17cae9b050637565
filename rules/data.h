/*
 * rules/data.h - the data files of this folder as they were built in.
 */
#ifndef RULES_DATA_H
#define RULES_DATA_H

#include <stddef.h>

struct rules_file {
	const char *name; /* "keywords.tsv" */
	const unsigned char *bytes;
	size_t len;
};

/* Ends with a row whose name is NULL. */
extern const struct rules_file rules_builtin[];

#endif
