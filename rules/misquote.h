/*
 * rules/misquote.h - what an error text quotes of the command that it answers.
 *
 * Many servers repeat what they did not understand: "500 5.5.1 Command
 * unrecognized: "XXXXXXXX"" (Sendmail), "502 unrecognized command 'XXXX'".
 * Where that is not what was sent, it was overwritten between the place of
 * the capture and the server.
 */
#ifndef RULES_MISQUOTE_H
#define RULES_MISQUOTE_H

#include "session.h"

/*
 * Does `error` quote another word than `sent`, as long as it is?
 * ERROR_QUOTES_MASK or ERROR_QUOTES_WORD, and `quoted` borrows from `error`;
 * EVIDENCE_CODES: no. A word is a quotation if it stands in quotation marks
 * or, for a mask, before or behind a colon or before `argument` (empty: the
 * command has none).
 */
enum evidence_code error_misquotes(const struct ehlo_line *error,
    const char *sent, const char *argument, struct slice *quoted);

#endif
