/*
 * probe/output/dialogue.h - the dialogue of a kept session, as it went.
 *
 * Made from the facts that the store keeps of it: redacted, so neither bodies
 * nor credentials can stand in it.
 */
#ifndef PROBE_OUTPUT_DIALOGUE_H
#define PROBE_OUTPUT_DIALOGUE_H

#include <stdio.h>

#include "rules/incident.h"

/* Lines of a dialogue that are shown unless all are wanted. */
#define DIALOGUE_LINES 60

enum dialogue_sort {
	DIALOGUE_LINE,		/* of SMTP */
	DIALOGUE_NOTE,		/* what happened in between, in words */
	DIALOGUE_OTHER_READING, /* a heading: what follows was read with the
				 * copies that came later */
};

/* Texts are printable ASCII, but for the sign of blanked octets: other octets
 * of the wire stand as \xNN. */
struct dialogue_line {
	enum dialogue_sort sort;
	char who; /* 'C'lient, 'S'erver, ' ' */
	uint64_t frame;
	uint32_t capture; /* index among the session's captures */
	int64_t capture_ts_ns;
	uint64_t at_frame;   /* of the line before */
	uint32_t at_capture; /* likewise */
	const char *text;
	const char *tampered; /* goes on from `text`: what was altered */
	const char *remark;   /* on what is marked; "": nothing is */
	bool in_clear;	      /* here mail begins without encryption */
	bool doubtful;	      /* here the capture does not have all */
	struct slice octets;  /* of a tampered line, none of them blanked;
			       * else empty */
};

/*
 * Tells the dialogue line by line; `facts` as in struct sighting, `blank` is
 * what stands for blanked octets. What the callback gets is borrowed for its
 * call; stops when it returns something else than 0, and returns that.
 */
typedef int dialogue_fn(void *context, const struct dialogue_line *);
int dialogue_each(const struct incident *, struct slice facts,
    const char *blank, dialogue_fn *, void *context);

/*
 * Prints one line of SMTP a line, with frame and time where they change, and
 * marks what the incident is about. `facts` as in struct sighting. At most
 * `lines_max` lines; how many more there are is said.
 */
void dialogue_print(FILE *, const struct incident *, struct slice facts,
    unsigned lines_max);

/* The frames of the deciding capture that the session spans; false: none. */
bool dialogue_frames(const struct incident *, struct slice facts,
    uint64_t *first, uint64_t *last);

#endif
