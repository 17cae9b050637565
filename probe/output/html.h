/*
 * probe/output/html.h - HTML in which text is nothing but text.
 *
 * What stands on a page may have been written by the attacker that it is
 * about. So markup is constant strings, and all else goes through here: what
 * has a meaning in HTML is escaped; control octets, what is no UTF-8, and
 * characters that turn or hide other characters (bidirectional controls,
 * zero-width ones) are written out, visibly.
 */
#ifndef PROBE_OUTPUT_HTML_H
#define PROBE_OUTPUT_HTML_H

#include <stdio.h>

#include "dissect/slice.h"

/* Both within elements and within quoted attributes. */
void html_text(FILE *, const char *text);

/*
 * Writes `markup`, a constant, with what stands for its directives: %s a text,
 * escaped; %u an unsigned, %g a double. There are no others,
 * and no widths.
 */
void html_print(FILE *, const char *markup, ...)
    __attribute__((format(printf, 2, 3)));

/* A string of JSON that stands in a <script> element, where "<" could end it:
 * that is written as \u003c. `json` is whole and valid. */
void html_json(FILE *, struct slice json);

#endif
