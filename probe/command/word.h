/*
 * probe/command/word.h - incidents ack, label and suppress: what the operator
 * says of what was found.
 */
#ifndef PROBE_COMMAND_WORD_H
#define PROBE_COMMAND_WORD_H

#include <stdbool.h>

/* "ack", "label", "suppress"? */
bool word_is_command(const char *name);
/* `argv` begins with that word; the exit status. */
int word_command(int argc, char **argv);

#endif
