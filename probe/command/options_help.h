/*
 * probe/command/options_help.h - what --help prints.
 */
#ifndef PROBE_COMMAND_OPTIONS_HELP_H
#define PROBE_COMMAND_OPTIONS_HELP_H

#include "settings.h"

/* Of one command, 80 columns wide, on stdout. */
void options_help(enum command);

#endif
