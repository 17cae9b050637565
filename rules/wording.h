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

/* Octets beside STARTTLS that go in `dir`. */
void wording_injected(const struct session *, enum dir, struct incident *);
/* Copies that differ, where no kind says what for; and the sentence about them
 * that another kind's `observed` gets. */
void wording_forged(const struct session *, const struct session_copies *,
    struct incident *);
void wording_copies(const struct session_copies *, struct incident *);

/* Escapes what is not printable ASCII as \xNN; returns `out`. */
char *wording_escape(struct slice, char *out, size_t room);

#endif
