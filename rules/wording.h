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
/* The offer came, but `how` hides it; `octets` stand before it. */
void wording_hidden(const struct session *, enum evidence_code how,
    uint64_t octets, struct incident *);
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

/* STARTTLS offered and then refused; and what became of it elsewhere. */
void wording_refused(const struct session *, const struct tls_history *,
    struct incident *);
/* Less than the client asks for. */
void wording_downgraded(const struct session *, struct incident *);
/* The ClientHello, seen twice. */
void wording_hello_altered(const struct session *, struct incident *);
/* "TLS 1.2" */
const char *wording_tls_version(uint16_t);

/* Escapes what is not printable ASCII as \xNN; returns `out`. */
char *wording_escape(struct slice, char *out, size_t room);

#endif
