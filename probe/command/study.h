/*
 * probe/command/study.h - what the sub-commands of `study` share.
 */
#ifndef PROBE_COMMAND_STUDY_H
#define PROBE_COMMAND_STUDY_H

#include "probe/command/options.h"
#include "rules/registry.h"
#include "store/study.h"

/* Each returns the exit status. */
int study_import(int argc, char **argv);
int study_table(int argc, char **argv);
int study_plot(int argc, char **argv);
int study_export(int argc, char **argv);

/* Everything that `read` and `watch` have counted, as a source that replaces
 * the one made before. 0, or -1 after saying why. */
int study_import_counted(struct store *, const struct registry *, bool quiet);

/* "striplight VERSION, rules DIGEST" */
void study_rules_text(const struct registry *, char out[64]);

#endif
