/*
 * probe/capture/interface.h - frames of a network interface, through libpcap.
 *
 * Opening wants CAP_NET_RAW; reading wants nothing but what was opened, so
 * that another process may do it, after a fork, that can open nothing. A
 * block of the ring is handed on when it is full or INTERFACE_TIMEOUT_MS old.
 */
#ifndef PROBE_CAPTURE_INTERFACE_H
#define PROBE_CAPTURE_INTERFACE_H

#include "dissect/packet.h"

#define INTERFACE_ERRBUF 512
#define INTERFACE_FILTER_BYTES 4096
#define INTERFACE_TIMEOUT_MS 10

struct interface_options {
	const char *filter;  /* tcpdump's language */
	size_t buffer_bytes; /* of the ring, each interface */
	unsigned snaplen;
};

struct interface;

/* NULL with a message that does not name the interface. */
struct interface *interface_open(const char *name,
    const struct interface_options *, char errbuf[INTERFACE_ERRBUF]);
void interface_close(struct interface *);

uint32_t interface_link_type(const struct interface *);
/* To poll; -1: it cannot be, and is to be read every now and then. */
int interface_descriptor(const struct interface *);
/* Which one has this name now; 0: none. */
unsigned interface_index(const char *name);

/* So many at most, numbered on; borrowed for the call, their capture and
 * run_number are 0. */
#define INTERFACE_FRAMES_MAX 64
/*
 * `count` of one interface, opened alike, share its packets from here on, each
 * those of its pairs of addresses (fanout.h). Called alike for several
 * interfaces, with one `key`, the n-th of each has the same pairs. What came
 * before is forgotten. -1 with a message: the kernel does not do it.
 */
#define INTERFACE_SOCKETS_MAX 16
int interface_share(struct interface *const *, unsigned count, uint32_t key,
    char errbuf[INTERFACE_ERRBUF]);

typedef void
interface_fn(void *context, const struct frame *frames, size_t count);
/* What is there, in as many calls as it takes, but no more than so many: a
 * flood does not keep the reader from all else. How many frames; -1: it is
 * down, and may come up again. */
#define INTERFACE_READ_MAX 4096
int interface_read(struct interface *, interface_fn *, void *context);

struct interface_losses {
	uint64_t packets; /* that the filter let through */
	uint64_t drops;	  /* for want of room in the ring */
	uint64_t interface_drops;
};
/* Since it was opened; false: it does not say. */
bool interface_losses(struct interface *, struct interface_losses *);

/* What a filter lets through. */
struct interface_traffic {
	const uint16_t *ports;
	unsigned port_count;
	bool any_port; /* all TCP */
	bool tunnels;  /* and what may hold it */
};
/* All interfaces at once, as libpcap calls it. Their frames come without link
 * headers, and so without VLAN tags. */
#define INTERFACE_ANY "any"
/* The default filter of an interface: mail ports, DNS, fragments but the
 * first; each also behind one or two VLAN tags. */
void interface_filter(const struct interface_traffic *, const char *name,
    char out[INTERFACE_FILTER_BYTES]);
/* Is it tcpdump's language? False: `errbuf` says what is wrong. */
bool interface_filter_check(const char *filter, char errbuf[INTERFACE_ERRBUF]);
/* Of the offloads that join packets before they are captured, those that are
 * on ("gro, lro"); "": none, or the interface does not say. */
void interface_joins(const char *name, char out[64]);

#endif
