/*
 * probe/output/style.h - numbers, times, colours and widths on screen.
 *
 * Colour carries meaning, and nothing is lost without it: red what was
 * tampered with, yellow doubt, dim what is context.
 */
#ifndef PROBE_OUTPUT_STYLE_H
#define PROBE_OUTPUT_STYLE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "dissect/slice.h"

enum tone { TONE_PLAIN, TONE_RED, TONE_YELLOW, TONE_DIM, TONE_BOLD };

/* For the whole program; off until it is set. */
void style_color(bool on);
/* The escape that begins a tone, "" without colour. */
const char *style(enum tone);
const char *style_end(void);
/* Can the terminal show more than ASCII? */
bool style_utf8(void);

/* Each returns `out`. "9,979"; "1.0 GB"; "2026-03-01 10:15:02"; with
 * milliseconds: "10:15:02.114". */
const char *style_count(uint64_t, char out[32]);
const char *style_bytes(uint64_t, char out[32]);
const char *style_time(int64_t ns, char out[32]);
const char *style_clock(int64_t ns, char out[32]);
/* "2026-03-01T10:15:02Z" */
const char *style_rfc3339(int64_t ns, char out[32]);

/* A file's name or another's text without what steers a terminal: control
 * octets become \xNN. Returns `out`. */
#define SAFE_BYTES 1200
const char *style_safe(const char *text, char out[SAFE_BYTES]);

/* How wide the screen is, as $COLUMNS or the terminal says, within reason; 0:
 * it is none, lines may be as long as they are. */
int style_columns(void);
/* How many columns a text takes. */
int style_length(struct slice text);
/* The text from `column` on, broken where `width` ends (0: nowhere) and gone on
 * with at `indent`. Returns the column behind it. */
int style_put(FILE *, struct slice text, int column, int indent, int width);

/* Text wrapped to the width: the first line behind `label`, the others
 * indented by `indent` columns, where the text begins. */
void style_paragraph(FILE *, const char *label, int indent, const char *text);

#endif
