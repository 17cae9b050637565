/*
 * probe/command/watch_options.h - what `watch` can be told.
 */
#ifndef PROBE_COMMAND_WATCH_OPTIONS_H
#define PROBE_COMMAND_WATCH_OPTIONS_H

#include "probe/pipeline/live.h"
#include "read_options.h"
#include "store/retention.h"

#define WATCH_THREADS_MAX 16

struct watch_options {
	struct read_options read;	       /* what it shares with `read` */
	const char *sources[LIVE_SOURCES_MAX]; /* interfaces or files */
	unsigned source_count;
	bool replay;
	unsigned threads;   /* that capture */
	double speed;	    /* of a replay; 0: as fast as possible */
	const char *filter; /* NULL: the default one */
	size_t buffer_bytes;
	size_t snaplen;
	bool tunnels;
	bool repeat;	  /* every incident of a campaign */
	int64_t learn_ns; /* 0: not at all */
	bool test_alert;
	const char *user;    /* NULL: as it was started */
	const char *syslog;  /* where to (syslog.h); NULL: nowhere */
	const char *metrics; /* file for Prometheus; NULL: none */
	unsigned stats_interval_s;
	struct retention_limits keep;
};

/* As options_parse(); nothing is left over. */
int watch_options_parse(struct watch_options *, int argc, char **argv);

#endif
