/*
 * probe/output/dialogue.h - the dialogue of a kept session, as it went.
 *
 * Made from the facts that the store keeps of it: redacted, so neither bodies
 * nor credentials can stand in it.
 */
#ifndef PROBE_OUTPUT_DIALOGUE_H
#define PROBE_OUTPUT_DIALOGUE_H

#include <stdio.h>

#include "rules/incident.h"

/* Lines of a dialogue that are shown unless all are wanted. */
#define DIALOGUE_LINES 60

/*
 * Prints one line of SMTP a line, with frame and time where they change, and
 * marks what the incident is about. `facts` as in struct sighting. At most
 * `lines_max` lines; how many more there are is said.
 */
void dialogue_print(FILE *, const struct incident *, struct slice facts,
    unsigned lines_max);

/* The frames of the deciding capture that the session spans; false: none. */
bool dialogue_frames(const struct incident *, struct slice facts,
    uint64_t *first, uint64_t *last);

#endif
