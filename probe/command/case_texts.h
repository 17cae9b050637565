/*
 * probe/command/case_texts.h - what a case says to people: how to check it, a
 * page, and a letter for whoever the mail was for.
 */
#ifndef PROBE_COMMAND_CASE_TEXTS_H
#define PROBE_COMMAND_CASE_TEXTS_H

#include <stdio.h>

#include "case_packets.h"

typedef void case_text_fn(FILE *, const struct incident *,
    const struct sighting_facts *, const struct case_packets *);
case_text_fn case_readme, case_letter, case_page;

#endif
