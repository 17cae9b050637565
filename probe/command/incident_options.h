/*
 * probe/command/incident_options.h - which incidents a command line means:
 * what `incidents` and `report html` have in common.
 */
#ifndef PROBE_COMMAND_INCIDENT_OPTIONS_H
#define PROBE_COMMAND_INCIDENT_OPTIONS_H

#include "options.h"
#include "store/store.h"

struct incident_options {
	struct incident_filter filter;
	struct address server, client;
};

/* As a set_fn; what is none of these is left alone. */
int incident_setting(struct incident_options *, enum setting_id,
    const struct setting_value *, char wrong[SETTING_WRONG_BYTES]);

#endif
