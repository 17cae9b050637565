/*
 * probe/output/alerts.h - which incidents are alerted, and the EVE file that
 * they go to.
 *
 * One alert an act: the first of a campaign, one that is surer than what its
 * campaign was alerted with, and of an incident that was alerted what it comes
 * to in the end, if that is another thing. All others are counted. Not
 * thread-safe.
 */
#ifndef PROBE_OUTPUT_ALERTS_H
#define PROBE_OUTPUT_ALERTS_H

#include "json.h"
#include "rules/incident.h"

struct alerts;

struct alerts_options {
	const char *path; /* of the EVE file, "-": stdout; NULL: none */
	bool possible;	  /* severity 3, too */
	bool repeat;	  /* every incident of a campaign */
};

/* Also told of each alert: syslog and what else there is. */
typedef void alert_fn(void *context, const struct incident *, bool stored);

/* Opens the file; NULL with errno. `options` and `also`, which may be NULL,
 * are borrowed. */
struct alerts *
alerts_create(const struct alerts_options *, alert_fn *also, void *context);
void alerts_destroy(struct alerts *);

/* Known from an earlier run: it was alerted then, or its campaign. */
void alerts_known(struct alerts *, const struct incident *);
/* An incident, or a new revision; `stored` false is said in the alert. True:
 * it was alerted. */
bool alerts_tell(struct alerts *, const struct incident *, bool stored);
/* Past every choice: for a test of the outputs. */
void alerts_send(struct alerts *, const struct incident *, bool stored);
/* Another event, one line of JSON. */
void alerts_write(struct alerts *, const struct json *);
/* The file was moved away: a new one. -1: it cannot be opened (errno), and the
 * old one is written on. */
int alerts_reopen(struct alerts *);

struct alerts_totals {
	uint64_t alerted, repeated, suppressed, minor;
	uint64_t unwritten; /* lines that could not be */
};
const struct alerts_totals *alerts_totals(const struct alerts *);

#endif
