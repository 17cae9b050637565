/*
 * probe/study/plot.h - shares as pictures: SVG 1.1 without scripts or fonts of
 * its own.
 *
 * Readable in print and by the colour-blind: two colours of M. Okabe and K.
 * Ito's set (2002), which differ in lightness too, and nothing that only a
 * colour tells. Beside a share stands its 95 % interval (a dark whisker), or
 * where there is none, and behind it, what the unjudged allow (a pale band).
 */
#ifndef PROBE_STUDY_PLOT_H
#define PROBE_STUDY_PLOT_H

#include <stdio.h>

#include "probe/study/tally.h"

enum plot_kind {
	PLOT_BARS,	 /* groups, ranked */
	PLOT_SERIES,	 /* groups are times, in their order */
	PLOT_CUMULATIVE, /* of how many groups is the share at most this? */
};

#define PLOT_NOTES_MAX 6

struct plot {
	enum plot_kind kind;
	const char *title;
	const char *notes[PLOT_NOTES_MAX]; /* below it, a line each */
	int note_count;
	unsigned groups_most; /* of bars */
};

/* False: there is nothing to draw. */
bool plot_write(const struct plot *, const struct tally_result *, FILE *);

#endif
