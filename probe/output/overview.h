/*
 * probe/output/overview.h - what a page says of all incidents together, and of
 * the captures that they were seen in.
 */
#ifndef PROBE_OUTPUT_OVERVIEW_H
#define PROBE_OUTPUT_OVERVIEW_H

#include "chart.h"
#include "ranking.h"
#include "totals.h"

struct overview {
	struct totals totals;
	struct moment *moments;
	size_t count, room;
	struct ranking domains, servers, clients;
	/* What became of mail, the worst of each incident. */
	uint64_t credentials, content, envelope, spared;
	uint64_t sides[SIDE_CLIENT_OF_TAP + 1], known, demanded;
	struct incident gravest;
	bool failed; /* memory ran out */
};

/* What it takes is given back by overview_free(). */
void overview_init(struct overview *);
void overview_add(struct overview *, const struct incident *);
void overview_free(struct overview *);

/* In words: what was read, what was found, what became of the mail, whose
 * doing it may be, what to do first. */
void overview_summary(FILE *, struct overview *);
void overview_kinds(FILE *, const struct overview *);
void overview_time(FILE *, struct overview *);
/* Whose mail, which servers, which clients. */
void overview_affected(FILE *, struct overview *);
/* Sessions that were not judged, and why. */
void overview_unjudged(FILE *, struct overview *);

/* A campaign as a row of its table, as the first of its incidents. */
void overview_campaign_head(FILE *);
void overview_campaign(FILE *, const struct incident *first);
/* Likewise a capture, and clear text where a policy forbids it. */
void overview_capture_head(FILE *);
void overview_capture(FILE *, const struct capture_row *);
void overview_clear_head(FILE *);
void overview_clear(FILE *, const struct clear_enforce_row *);
void overview_table_end(FILE *);

#endif
