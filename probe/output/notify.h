/*
 * probe/output/notify.h - tells the service manager how it goes, as systemd's
 * sd_notify(3) does: datagrams to $NOTIFY_SOCKET. The library is not needed
 * for that, and a process without a right to open sockets can go on writing
 * to one that is open.
 */
#ifndef PROBE_OUTPUT_NOTIFY_H
#define PROBE_OUTPUT_NOTIFY_H

#include <stdint.h>

/* A connected socket; -1: nobody wants to know. */
int notify_connect(void);
/* How often WATCHDOG=1 is to come, in nanoseconds: half of what the manager
 * waits for it ($WATCHDOG_USEC); 0: it does not watch. */
int64_t notify_watchdog_ns(void);
/* "READY=1", "WATCHDOG=1", "STATUS=...", "STOPPING=1", one a line. Nothing
 * happens without a socket, or when the manager does not listen. */
void notify_send(int fd, const char *state);

#endif
