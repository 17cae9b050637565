/*
 * probe/output/verdict.h - one incident in full, for somebody who must act.
 */
#ifndef PROBE_OUTPUT_VERDICT_H
#define PROBE_OUTPUT_VERDICT_H

#include <stdio.h>

#include "account.h"

/* Kind, certainty, who with whom; what was observed, what it means, what else
 * it could be, and what to do next. */
void verdict_head(FILE *, const struct incident *);
/* Evidence for and against with its reasons, the sum, and what it stands on. */
void verdict_evidence(FILE *, const struct incident *);
/* A display filter that finds the session; `first` and `last` are frames of
 * the capture, both 0: not known. */
void verdict_wireshark(FILE *, const struct incident *, uint64_t first,
    uint64_t last);
/* One line about an earlier revision. */
void verdict_revision(FILE *, const struct incident *);

void verdict_word(FILE *, const struct said *);
/* How often the kind was right here. */
void verdict_labels(FILE *, const char *text);

/* The campaign that the incident belongs to; then each of its others. */
void verdict_campaign(FILE *, const struct incident *);
void verdict_other(FILE *, const struct incident *other);

#endif
