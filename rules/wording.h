/*
 * rules/wording.h - the sentences of an incident.
 *
 * They say what the packets show and no more; who did it, and how probable it
 * is, stands elsewhere.
 */
#ifndef RULES_WORDING_H
#define RULES_WORDING_H

#include "garble.h"
#include "history.h"
#include "incident.h"

/* Fills observed, benign and next_step. */
void wording_garbled(const struct session *, const struct garble *,
    const struct history *, struct incident *);
/* `command_accepted`: the server took STARTTLS all the same. */
void wording_stripped(const struct session *, const struct history *,
    bool command_accepted, struct incident *);

/* Escapes what is not printable ASCII as \xNN; returns `out`. */
char *wording_escape(struct slice, char *out, size_t room);

#endif
