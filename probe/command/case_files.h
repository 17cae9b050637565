/*
 * probe/command/case_files.h - the files of a case, as a folder or as a zip,
 * with a manifest of their SHA-256 hashes.
 */
#ifndef PROBE_COMMAND_CASE_FILES_H
#define PROBE_COMMAND_CASE_FILES_H

#include <stdbool.h>
#include <stdio.h>

#define CASE_FILES_MAX 12

struct case_file {
	const char *name;
	char *text; /* owned */
	size_t length;
	FILE *open; /* while it is written */
};

/* Zeroed to begin with. */
struct case_files {
	struct case_file list[CASE_FILES_MAX];
	unsigned count;
};

/* A file to be written to; it is closed by the next one, or by the end. NULL:
 * there is no memory. */
FILE *case_file(struct case_files *, const char *name);
/*
 * The manifest, then all of them as `path`, which must not be there yet; it
 * gets its name when it is whole. -1 after saying what is wrong.
 */
int case_files_write(struct case_files *, const char *path, bool zip);
void case_files_free(struct case_files *);

#endif
