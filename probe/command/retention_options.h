/*
 * probe/command/retention_options.h - how much a database may hold, as options.
 */
#ifndef PROBE_COMMAND_RETENTION_OPTIONS_H
#define PROBE_COMMAND_RETENTION_OPTIONS_H

#include "options.h"
#include "store/retention.h"

#define RETENTION_OPTIONS 5

/* Rows with the letters from `letter` on. */
void
retention_option_rows(struct option_row rows[RETENTION_OPTIONS], int letter);
/* The `i`-th of them was met; 0, or -1 after printing what is wrong. */
int retention_option(const char *command, struct retention_limits *, int i,
    const char *value);

#endif
