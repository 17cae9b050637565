/*
 * probe/install/fragments.h - the rows of settings.def and commands.def, as
 * manual pages, an example file and shell completion say them.
 */
#ifndef PROBE_INSTALL_FRAGMENTS_H
#define PROBE_INSTALL_FRAGMENTS_H

#include <stdio.h>

/* mdoc(7): every command with its options; the options that all have; the
 * keys of the configuration file. */
void manual_commands(FILE *);
void manual_common(FILE *);
void manual_keys(FILE *);
/* Every key with its default, as a comment. */
void example_keys(FILE *);
/* bash: the names of commands; what may stand behind one; what an option
 * takes. */
void completion_names(FILE *);
void completion_words(FILE *);
void completion_values(FILE *);

#endif
