/*
 * rules/ehlo.h - the text of one line of an EHLO reply, taken apart.
 *
 * RFC 5321 4.1.1.1: ehlo-keyword *(SP ehlo-param); whole tokens decide, so
 * XSTARTTLS and XSECURITY=NONE,STARTTLS offer nothing.
 */
#ifndef RULES_EHLO_H
#define RULES_EHLO_H

#include "dissect/slice.h"

#define STARTTLS_BYTES 8 /* of the keyword */

/* `text` is the line without code and separator, in all functions here. */

/* Up to the first blank or `=`. */
struct slice ehlo_keyword(struct slice text);
bool ehlo_line_offers_starttls(struct slice text);
/*
 * Do these octets begin with a line or its STARTTLS, and end with either? Who
 * overwrites the word does that; damage does not. `line` begins at that stream
 * offset, with so many octets before the word, and is `length` long.
 */
bool ehlo_starttls_covered(uint64_t from, uint64_t extent, uint64_t line,
    size_t before, size_t length);
/* Letters, digits and hyphens only, beginning with a letter or digit? */
bool ehlo_keyword_legal(struct slice keyword);
/* Substitutions, insertions and deletions between `word` and STARTTLS, case
 * apart; more than 3 is 4. */
unsigned ehlo_distance_to_starttls(struct slice word);
/* As long as STARTTLS, and half of its letters are where they belong. */
bool ehlo_half_in_place(struct slice word);
/* Continues a 64-bit hash; names lists and certificates, defends nobody. */
uint64_t ehlo_hash(uint64_t hash, struct slice bytes);

#endif
