/*
 * probe/command/incident_find.h - the incident that a person means.
 */
#ifndef PROBE_COMMAND_INCIDENT_FIND_H
#define PROBE_COMMAND_INCIDENT_FIND_H

#include "options.h"
#include "store/store.h"

/* By its id, or the beginning of it. STATUS_OK; else what is wrong was said,
 * with the usage of `command`: STATUS_NO, there is none; STATUS_ERROR, there
 * are several, it is no id, or the store failed. */
int incident_find(struct store *, enum command, const char *prefix,
    struct incident *out);

#endif
