/*
 * rules/sts_grammar.h - what the grammars of RFC 8461 3.1 and 3.2 share.
 */
#ifndef RULES_STS_GRAMMAR_H
#define RULES_STS_GRAMMAR_H

#include <stdbool.h>

#include "dissect/slice.h"

static inline bool
sts_is_wsp(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static inline bool
sts_is_alphanum(uint8_t c)
{
	return (c >= '0' && c <= '9') ||
	    (ascii_upper(c) >= 'A' && ascii_upper(c) <= 'Z');
}

/* How many octets at the beginning can be an extension's name (sts-ext-name,
 * sts-policy-ext-name): the name is good when these are all of it. */
size_t sts_field_name_length(struct slice);

/*
 * Octets of the well-formed UTF-8 character that begins the slice, 0: none
 * does (RFC 3629 4: no overlong forms, no surrogates, nothing above
 * U+10FFFF).
 */
size_t sts_utf8_length(struct slice);

#endif
