/*
 * probe/output/alerts.h - which incidents are alerted, and the EVE file that
 * they go to.
 *
 * One alert an act: the first of a campaign, one that is surer than what its
 * campaign was alerted with, and of an incident that was alerted what it comes
 * to in the end, if that is another thing. All others are counted. An output
 * that does not take a line is owed it, and gets it when it is told of that
 * incident again. Not thread-safe.
 */
#ifndef PROBE_OUTPUT_ALERTS_H
#define PROBE_OUTPUT_ALERTS_H

#include "json.h"
#include "store/alert.h"

struct alerts;

struct alerts_options {
	const char *path; /* of the EVE file, "-": stdout; NULL: none */
	bool possible;	  /* severity 3, too */
	bool repeat;	  /* every incident of a campaign */
};

/* Also told of each alert: syslog. False with errno: it was not taken. */
typedef bool alert_fn(void *context, const struct incident *, bool stored);

/* Opens the file; NULL with errno. `options` and `also`, which may be NULL,
 * are borrowed. */
struct alerts *
alerts_create(const struct alerts_options *, alert_fn *also, void *context);
void alerts_destroy(struct alerts *);

/* Known from an earlier run, and what was made of it then. */
void alerts_known(struct alerts *, const struct incident *,
    const struct alert_mark *);
/* An incident, or a new revision; `stored` false is said in the alert. `mark`
 * gets what it is alerted with by now. False: an output is owed that. */
bool alerts_tell(struct alerts *, const struct incident *, bool stored,
    struct alert_mark *mark);
/* Past every choice: for a test of the outputs. False: not all took it. */
bool alerts_send(struct alerts *, const struct incident *, bool stored);
/* Another event, one line of JSON. */
void alerts_write(struct alerts *, const struct json *);
/* The file was moved away: a new one. -1: it cannot be opened (errno), and the
 * old one is written on. A file that was deleted is noticed without. */
int alerts_reopen(struct alerts *);

/* From now on what is alerted is chosen and counted as ever, and sent to
 * nobody; what an output is owed is. False: that is over, and nothing of what
 * alerts_tell() or alerts_known() were told is known any more. */
void alerts_hold(struct alerts *, bool hold);

struct alerts_totals {
	uint64_t held; /* alerts that were sent to nobody */
	uint64_t alerted, repeated, suppressed, minor;
	uint64_t untaken; /* times that an output did not take a line */
};
const struct alerts_totals *alerts_totals(const struct alerts *);
/* What the last line that was not taken failed of: "eve.json: No space left on
 * device". */
const char *alerts_fault(const struct alerts *);

#endif
