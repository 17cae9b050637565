/*
 * probe/watch/monitor.h - the process that holds the privilege.
 *
 * It opens what is to be captured from, starts an engine that reads it and a
 * judge that stores and reports, and starts them again when they end without
 * having been told to. It reads nothing that came from the network. What was
 * opened goes to the engine by fork, for libpcap's ring is memory as well as
 * a descriptor.
 */
#ifndef PROBE_WATCH_MONITOR_H
#define PROBE_WATCH_MONITOR_H

#include <stdbool.h>

/* How a child ended, beside the exit statuses of commands. */
enum { ENGINE_ENDED = 0 };

struct monitor_job {
	void *context;
	/* Opens what the engine reads; also before it is started again. -1:
	 * cannot be now, which was said. */
	int (*open)(void *context);
	/* Closes it here, where it is not needed. */
	void (*close)(void *context);
	/* Asked every second: is something else to be opened by now? */
	bool (*changed)(void *context);
	/* In a process of its own: the exit status. ENGINE_ENDED: there is
	 * nothing more to read, or SIGTERM came. */
	int (*engine)(void *context);
	/* The same; reads MONITOR_* from `orders`, writes JUDGE_* to
	 * `answers`. Signals are ignored there. */
	int (*judge)(void *context, int orders, int answers);
	/* Something that whoever runs it should know; a line. */
	void (*say)(const char *text);
};

/* Orders to the judge, an octet each. */
#define MONITOR_ENGINE_GONE 'g' /* answer when its records are dealt with */
#define MONITOR_HANGUP 'h'	/* SIGHUP: open outputs again */
#define MONITOR_TELL 'u'	/* SIGUSR1: tell what was counted */
#define MONITOR_END 'e'		/* write everything and end */
/* Answers. */
#define JUDGE_READY 'r'
#define JUDGE_SETTLED 's'   /* after MONITOR_ENGINE_GONE */
#define JUDGE_DISTRUSTS 'd' /* what the engine writes is nonsense */

/* Until there is nothing more to read, or SIGTERM or SIGINT. The exit status
 * of the command. */
int monitor_run(const struct monitor_job *);

#endif
