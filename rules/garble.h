/*
 * rules/garble.h - is one of the words of an EHLO reply an overwritten
 * STARTTLS?
 *
 * A word that nobody registered is not yet one (design 4.2): its form, its
 * length, the keywords that are missing and the place it stands in decide.
 */
#ifndef RULES_GARBLE_H
#define RULES_GARBLE_H

#include "product.h"

struct garble {
	bool found;
	unsigned index;		     /* of the line, from 0 */
	enum evidence_code evidence; /* what the word is */
	enum slot slot;
	const struct product *product; /* whose order says so; or NULL */
	const struct mask *mask;       /* that it resembles; or NULL */
	unsigned others_masked;	       /* other words that a mask covers */
	unsigned considered;	       /* odd words that were looked at */
};

/* Looks at the session's last answer to EHLO, unless STARTTLS stands in it. */
struct garble garble_find(const struct registry *, const struct session *);

/* One character repeated, X, X, ... and a letter that counts, or eight octets
 * and more of two characters. */
bool garble_is_mask(struct slice text);
/* `2`, `0`, `*` and blanks only, as Postfix asks of a greeting (smtp_proto.c),
 * or a run of one character; rows of dashes are decoration. */
bool garble_is_masked_greeting(struct slice text);
/* The mask of the data files that `text` fits as the first one that its reply
 * or command has; NULL: none. */
const struct mask *garble_mask(const struct registry *, struct slice text);

#endif
