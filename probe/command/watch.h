/*
 * probe/command/watch.h - what the three processes of `watch` are told, and
 * the two that the monitor starts.
 */
#ifndef PROBE_COMMAND_WATCH_H
#define PROBE_COMMAND_WATCH_H

#include <assert.h>

#include "probe/capture/capture.h"
#include "probe/capture/interface.h"
#include "probe/output/alerts.h"
#include "probe/output/health.h"
#include "probe/pipeline/channels.h"
#include "probe/pipeline/live.h"
#include "probe/watch/confine.h"
#include "watch_options.h"

static_assert(WATCH_THREADS_MAX <= INTERFACE_SOCKETS_MAX &&
	WATCH_THREADS_MAX <= CHANNELS_MAX &&
	WATCH_THREADS_MAX <= HEALTH_THREADS_MAX,
    "a thread has a socket of each interface, a channel, and its counts");

struct watching {
	struct watch_options options;
	int64_t started_ns; /* wall clock */
	unsigned source_count;
	struct live_source sources[LIVE_SOURCES_MAX];
	char paths[LIVE_SOURCES_MAX][1024];
	/* Open here, until a process has them that reads them. */
	struct interface *interfaces[LIVE_SOURCES_MAX][WATCH_THREADS_MAX];
	struct capture *replays[LIVE_SOURCES_MAX];
	uint32_t fanout_key;		    /* fanout.h */
	unsigned indexes[LIVE_SOURCES_MAX]; /* of interfaces, as opened */
	bool waiting; /* for one that could not be opened: it was said */
	struct channels *channels; /* one a thread */
	int notify;		   /* notify_connect() */
	int64_t watchdog_ns;	   /* notify_watchdog_ns() */
};

/* In a process of their own; monitor.h says what they return. */
int watch_engine(void *watching);
int watch_judge(void *watching, int orders, int answers);

#endif
