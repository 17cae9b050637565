/*
 * probe/command/labels.h - how often the operator found a kind to be true.
 *
 * The site's own rate of false alarms, with its interval (95 %, Wilson's; see
 * probe/study/interval.h). Shown and not believed: who labels picks what he
 * labels, so that these are shares of what he looked at, and no prior of a
 * session. He may set one from them (read --prior).
 */
#ifndef PROBE_COMMAND_LABELS_H
#define PROBE_COMMAND_LABELS_H

#include <stdio.h>

#include "probe/output/json.h"
#include "rules/incident.h"

/* "true 1, false 3, known 0: 75 % false alarms (30 to 95 %)"; false: none of
 * this kind is labelled, and nothing is printed. */
bool labels_text(const uint64_t counts[LABELS], char *out, size_t room);
/* All kinds that have labels, under a heading; nothing where none has. */
void labels_print(FILE *, const uint64_t counts[KINDS][LABELS]);
/* The member `labels` of the object that is open. */
void labels_json(struct json *, const uint64_t counts[KINDS][LABELS]);

#endif
