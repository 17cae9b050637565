#include "capture_clock.h"

#include "packet.h"

static void
follow(struct capture_clock *clock, int64_t median_ns)
{
	int64_t ahead = elapsed_ns(clock->at_ns, median_ns);
	int64_t behind = elapsed_ns(median_ns, clock->at_ns);

	if (!clock->started) {
		clock->started = 1;
		clock->at_ns = median_ns;
	} else if (ahead > CAPTURE_CLOCK_STEP_NS ||
	    behind > CAPTURE_CLOCK_STEP_NS) {
		if (++clock->strays < CAPTURE_CLOCK_STRAYS)
			return;
		clock->at_ns = median_ns;
	} else if (ahead > 0) {
		clock->passed_ns += ahead;
		clock->at_ns = median_ns;
	}
	clock->strays = 0;
}

void
capture_clock_stamp(struct capture_clock *clock, int64_t capture_ts_ns)
{
	int64_t *stamps = clock->stamps;
	unsigned i = clock->stamp_count++;

	/* Stamps come in order nearly always: this is one comparison. */
	for (; i > 0 && stamps[i - 1] > capture_ts_ns; i--)
		stamps[i] = stamps[i - 1];
	stamps[i] = capture_ts_ns;
	if (clock->stamp_count < CAPTURE_CLOCK_FRAMES)
		return;
	clock->stamp_count = 0;
	follow(clock, stamps[CAPTURE_CLOCK_FRAMES / 2]);
}
