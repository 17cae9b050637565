/*
 * probe/output/page.h - one HTML file that needs nothing but itself.
 *
 * Style and script stand in it, and its Content-Security-Policy allows these
 * two, by their hashes, and nothing else: no request to anywhere, no other
 * script, whatever else may have got in.
 */
#ifndef PROBE_OUTPUT_PAGE_H
#define PROBE_OUTPUT_PAGE_H

#include <stdio.h>

#include "dissect/slice.h"

void page_open(FILE *, const char *title, const char *lead);
void page_close(FILE *);

/* A part with a heading; `id` is what page_contents() links to. */
struct page_part {
	const char *id, *title;
};
/* Links to the parts; ends with a row whose id is NULL. */
void page_contents(FILE *, const struct page_part *);
void page_part_open(FILE *, const struct page_part *);
void page_part_close(FILE *);

/* What the words on these pages mean. */
void page_words(FILE *);

/* Base64, RFC 4648 4. */
void page_base64(FILE *, struct slice);

#endif
