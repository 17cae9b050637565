/*
 * probe/command/reporter.h - a sensor's health, told on an interval and when
 * asked: an EVE event, a file for Prometheus, a line for the service manager.
 *
 * Who runs the sensor fills in the numbers; what the system knows of its
 * interfaces and of its memory is read here.
 */
#ifndef PROBE_COMMAND_REPORTER_H
#define PROBE_COMMAND_REPORTER_H

#include <sys/types.h>

#include "probe/output/health.h"
#include "probe/output/json.h"

struct reporter_options {
	const char *metrics; /* file; NULL: none */
	int64_t interval_ns;
	int notify;	     /* notify_connect() */
	int64_t watchdog_ns; /* notify_watchdog_ns(), of the first process */
};

struct reporter {
	struct reporter_options options;
	struct health before, now;
	struct json json;
	int64_t due_ns, fed_ns;	   /* monotonic */
	struct health_signs signs; /* as told last */
	bool fault;		   /* of the file: it was said */
};

void reporter_init(struct reporter *, const struct reporter_options *,
    int64_t started_ns, int64_t monotonic_ns);
void reporter_free(struct reporter *);
/* Is it time to fill in `now` and to tell it? */
bool reporter_is_due(const struct reporter *, int64_t monotonic_ns);
/* An interface, of which the rest is known: is it up, and what came in at all?
 * Not of a file that is replayed. */
void reporter_look_at_link(struct health_interface *);
/* Memory of a process and of those that it started; 0: unknown. */
uint64_t reporter_memory(pid_t);
/* Writes the file and tells the manager; the event, for who wants it, until
 * the next call. */
const struct json *
reporter_tell(struct reporter *, int64_t wall_ns, int64_t monotonic_ns);
/* What was told last, as a line on stderr. */
void reporter_say(const struct reporter *);
/* The sensor lives: called at least every second. */
void reporter_feed_watchdog(struct reporter *, int64_t monotonic_ns);

#endif
