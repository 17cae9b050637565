/*
 * rules/wording.h - the sentences of an incident.
 *
 * They say what the packets show and no more; who did it, and how probable it
 * is, stands elsewhere.
 */
#ifndef RULES_WORDING_H
#define RULES_WORDING_H

#include "chain.h"
#include "garble.h"
#include "history.h"
#include "incident.h"

/* Fills observed, benign and next_step. */
void wording_garbled(const struct session *, const struct garble *,
    const struct history *, struct incident *);
/* `command_accepted`: the server took STARTTLS all the same. */
void wording_stripped(const struct session *, const struct history *,
    bool command_accepted, struct incident *);

/* STARTTLS was overwritten: what the incident's line shows, and `quoted`, if
 * that is not empty, what the error text quotes in its place. */
void
wording_command(const struct session *, struct slice quoted, struct incident *);
/* Why EHLO came to nothing, of these the decisive one. */
enum block {
	BLOCK_COMMAND,	/* the command was overwritten */
	BLOCK_QUOTED,	/* ... as an error text shows */
	BLOCK_ANSWER,	/* its answer was */
	BLOCK_REFUSED,	/* it was refused */
	BLOCK_CUT,	/* it was answered by a close */
	BLOCK_GREETING, /* the client was told not to try */
};
void wording_blocked(const struct session *, enum block, struct slice quoted,
    const struct history *, struct incident *);

/* Octets beside STARTTLS that go in `dir`. */
void wording_injected(const struct session *, enum dir, struct incident *);
/* Copies that differ, where no kind says what for; and the sentence about them
 * that another kind's `observed` gets. */
void wording_forged(const struct session *, const struct session_copies *,
    struct incident *);
void wording_copies(const struct session_copies *, struct incident *);
/* A copy that its receiver threw away. `on_offer`: it overwrites the word. */
void wording_discarded(const struct session *, const struct session_copies *,
    bool on_offer, struct incident *);

/* wording_tls.c. STARTTLS offered and then refused; and what became of it
 * elsewhere. */
void wording_refused(const struct session *, const struct tls_history *,
    struct incident *);
/* TLS that was cut; `whole` is the session with what came after it. */
void wording_broken(const struct session *, const struct session *whole,
    const struct chain *, const struct tls_history *, struct incident *);
/* An alert's description (RFC 8446 6), in words. */
const char *wording_alert(uint8_t description);
/* ... and by its name there; "unknown". */
const char *wording_alert_name(uint8_t description);
/* Less than the client asks for. */
void wording_downgraded(const struct session *, struct incident *);
/* The ClientHello, seen twice. */
void wording_hello_altered(const struct session *, struct incident *);
/* "TLS 1.2" */
const char *wording_tls_version(uint16_t);

/* The line as it arrived, escaped; what was blanked is `*`. */
char *wording_line(const struct ehlo_line *, char *out, size_t room);
/* Adds to a text that ends in NUL. */
void wording_add(char *out, size_t room, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Adds to `observed` what the client did in the end, or that TLS began. */
void wording_what_followed(const struct session *, struct incident *);
void wording_tls_or_what_followed(const struct session *, struct incident *);
/* Escapes what is not printable ASCII as \xNN; returns `out`. */
char *wording_escape(struct slice, char *out, size_t room);
/* The certificate, described in `seen`, does not name `mx` (`named` false),
 * is not of its TLSA records (`tlsa`), or is not vouched for. */
void wording_certificate(const struct session *, const char *mx, bool named,
    bool tlsa, struct incident *);
/* `answers`: they contradict each other; else the policy of `domain`. */
void wording_redirected(const struct session *, const char *domain,
    const char *mx, bool answers, struct incident *);
/* At the same address another server answers; its first line is `seen`. */
void wording_another(const struct session *, const struct history *,
    struct incident *);

#endif
