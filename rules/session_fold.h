/*
 * rules/session_fold.h - how facts become a session; private to session*.c.
 */
#ifndef RULES_SESSION_FOLD_H
#define RULES_SESSION_FOLD_H

#include "session.h"

typedef void fold_fn(struct session *, const struct fact *, struct slice);

/* session_copies.c. A line of an answer to EHLO: `bytes` is all of it, `text`
 * what stands behind its code. */
void session_keep_line(struct ehlo_line *, const struct fact *,
    struct slice bytes, struct slice text);
/* Some servers end lines in CR CR LF, and clients do not mind. */
struct slice session_line_text(struct slice bytes);
fold_fn session_fold_extra;
/* session_tls.c */
fold_fn session_fold_tls, session_fold_closed;
void session_fold_starttls_reply(struct session *, const struct fact *,
    struct slice bytes);
/* Where the fact stands, and `bytes` as they came. */
void
session_place(struct placed_text *, const struct fact *, struct slice bytes);
/* session_copies.c. As it came, but for what was blanked. */
void
session_show(const struct fact *, struct slice bytes, char *out, size_t room);
/* session_places.c. What stands where a line of consequence belongs. */
fold_fn session_keep_greeting, session_keep_command, session_keep_reply;
/* session_beside.c */
fold_fn session_fold_certificate;
/* True: the fact is none of the session's own packets. */
bool session_fold_beside(struct session *, const struct fact *, struct slice);
/* True: the fact told how packets came, or of the other reading. */
bool session_fold_copies(struct session *, const struct fact *, struct slice);

#endif
