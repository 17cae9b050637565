/*
 * probe/command/retention_options.h - how much a database may hold, as options.
 */
#ifndef PROBE_COMMAND_RETENTION_OPTIONS_H
#define PROBE_COMMAND_RETENTION_OPTIONS_H

#include "options.h"
#include "store/retention.h"

/* Takes one of the limits; false: it is none. */
bool retention_set(struct retention_limits *, enum setting_id,
    const struct setting_value *);

#endif
