/*
 * probe/output/contrast.h - what two captures of one dialogue differ in.
 */
#ifndef PROBE_OUTPUT_CONTRAST_H
#define PROBE_OUTPUT_CONTRAST_H

#include <stdio.h>

#include "json.h"
#include "rules/contrast.h"
#include "rules/incident.h"

/* One of the two captures, and the session in it. */
struct contrast_side {
	const char *name; /* "near", "far" */
	const char *path;
	struct endpoint client, server;
};

/* A session that both have. */
struct contrast_told {
	struct contrast_side client, server; /* as the tap lies to them */
	enum pairing by;
	struct contrast contrast;
	const struct incident *incident; /* NULL: the rules have no kind */
};

/* "same", "benign", "altered", or "unsure": different, and nobody can say
 * whether they are one session. */
const char *contrast_verdict(const struct contrast_told *);
void contrast_print(FILE *, const struct contrast_told *);
/* One object. */
void contrast_json(struct json *, const struct contrast_told *);

#endif
