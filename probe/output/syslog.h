/*
 * probe/output/syslog.h - alerts as syslog, RFC 5424, over a datagram socket.
 *
 * One message an alert: MSGID is the kind, structured data has what a filter
 * needs, the text is a line for people. Opening is apart from writing, so that
 * who writes needs no right to open sockets.
 */
#ifndef PROBE_OUTPUT_SYSLOG_H
#define PROBE_OUTPUT_SYSLOG_H

#include <sys/types.h>

#include "rules/incident.h"

#define SYSLOG_ERRBUF 256
/* `target`: "local" (/dev/log), "unix:PATH", "udp:HOST[:PORT]" (514; an IPv6
 * address in brackets). A connected socket that never blocks; -1 with what is
 * wrong. */
int syslog_connect(const char *target, char errbuf[SYSLOG_ERRBUF]);

/* RFC 5424 6.1: what every receiver should take is 2,048 octets. */
#define SYSLOG_BYTES 2048
struct syslog_from {
	const char *host; /* "" is written as - */
	pid_t pid;
};
/* The length; what is too long is cut in the text, not in the data. */
size_t syslog_format(const struct incident *, bool stored,
    const struct syslog_from *, int64_t now_ns, char out[SYSLOG_BYTES]);
/* False: it was not taken. */
bool syslog_send(int fd, const char *message, size_t length);

/* A syslog that alerts go to. */
struct syslog {
	const char *target;
	int fd; /* -1: none */
	char host[256];
};
/* `target` is borrowed; NULL: alerts go nowhere. -1: see syslog_connect(). */
int
syslog_open(struct syslog *, const char *target, char errbuf[SYSLOG_ERRBUF]);
/* Does the host at the other end say that nobody takes messages there? Of one
 * that says nothing, nobody knows. Waits a moment for it. */
bool syslog_is_refused(const struct syslog *);
void syslog_close(struct syslog *);
/* An alert_fn (alerts.h); `syslog` is one. To one that was started anew, by
 * way of its socket's name, as well. */
bool syslog_alert(void *syslog, const struct incident *, bool stored);

#endif
