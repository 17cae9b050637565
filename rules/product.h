/*
 * rules/product.h - which server software answers, and what it puts where.
 *
 * Servers list their EHLO keywords in a fixed order of their own
 * (products.tsv), and who overwrites a keyword keeps its place. So the
 * neighbours of an odd word say which keyword stood there.
 */
#ifndef RULES_PRODUCT_H
#define RULES_PRODUCT_H

#include "registry.h"
#include "session.h"

enum slot {
	SLOT_UNKNOWN,  /* no product's order fits the reply, or
				 * several that disagree */
	SLOT_STARTTLS, /* of that length, only STARTTLS fits */
	SLOT_SHARED,   /* STARTTLS or another of the same length; a
				 * shorter word that fits no other */
	SLOT_OTHER,    /* another one, and STARTTLS does not */
	SLOT_NONE,     /* nothing of that length */
};

/* The product that the greeting names, or else the only one whose order the
 * whole reply follows over five keywords; NULL: not known. */
const struct product *
product_of(const struct registry *, const struct session *);

/* Does the greeting, or the first line of the EHLO reply, name it? */
bool product_greets(const struct product *, const struct session *);

/*
 * What stood in line `index` of the EHLO reply (from 0, the greeting line)?
 * `odd` marks the lines whose keywords are overwritten or unknown. `product`
 * gets who decided it: the product that the greeting names, or whose order a
 * reply of some length follows; NULL when a few keywords are all there is.
 */
enum slot product_slot(const struct registry *, const struct session *,
    const bool odd[EHLO_LINES_MAX], unsigned index,
    const struct product **product);

#endif
