/*
 * dissect/capture_clock.h - how much time has passed in a capture.
 *
 * Idle flows and incomplete datagrams are given up by capture time, and time
 * stamps are the word of whoever captured: a damaged record, an interface
 * whose clock is hours ahead of another one's, a clock that was set. Taken at
 * its highest stamp, one frame from the far future ends every session, and
 * nothing ever expires behind it; nor does it after a clock went back.
 *
 * So this clock never goes back, and believes only majorities. It follows the
 * median stamp of a few frames. Where that leaves the neighbourhood of what
 * it was, in either direction, it takes several such medians in a row to
 * follow it there, and no time passes by the jump: nobody can tell a pause
 * from a clock that was set, and idle times count on from there. Pauses of up
 * to CAPTURE_CLOCK_STEP_NS are taken at their word.
 *
 * It depends on the stamps and their order only, never on threads.
 */
#ifndef DISSECT_CAPTURE_CLOCK_H
#define DISSECT_CAPTURE_CLOCK_H

#include <stdint.h>

/* What a quiet network may pause; a third of the least patience that there is
 * with anybody who has said something (15 min, native.c). */
#define CAPTURE_CLOCK_STEP_NS (INT64_C(300) * 1000000000)
/* Stamps of which the median counts: odd, so that there is one. */
#define CAPTURE_CLOCK_FRAMES 15
/* Medians elsewhere, in a row, that are a jump. */
#define CAPTURE_CLOCK_STRAYS 4

struct capture_clock {
	int64_t passed_ns; /* since the first frame: what to ask for */
	int64_t at_ns;	   /* the stamp that is believed */
	int64_t stamps[CAPTURE_CLOCK_FRAMES]; /* sorted */
	uint8_t stamp_count, strays;
	uint8_t started; /* at_ns is set */
};

/* All zeroes is a clock at the beginning of a capture. */
void capture_clock_stamp(struct capture_clock *, int64_t capture_ts_ns);

#endif
