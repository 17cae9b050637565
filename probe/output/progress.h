/*
 * probe/output/progress.h - how far a long read is, on a terminal only.
 */
#ifndef PROBE_OUTPUT_PROGRESS_H
#define PROBE_OUTPUT_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	bool shown; /* stderr is a terminal, and nobody said -q */
	bool drawn;
	const char *title;
	uint64_t size; /* octets; 0: unknown */
	int64_t started_ms, drawn_ms;
};

/* `title` is borrowed. */
void
progress_start(struct progress *, bool quiet, const char *title, uint64_t size);
/* At most five times a second. */
void progress_update(struct progress *, uint64_t position, uint64_t packets,
    uint64_t sessions, uint64_t incidents);
/* The same of a file of records. */
void progress_records(struct progress *, uint64_t position, uint64_t records,
    uint64_t found);
/* Takes the line away. */
void progress_end(struct progress *);

#endif
