/*
 * probe/output/health.h - how a sensor fares: what came in, what was lost, and
 * whether silence means that nobody sends mail or that nothing is seen.
 *
 * Numbers only grow, from the start of the program on; what is going on now is
 * in the difference between two of these. Nothing here reads a clock, a socket
 * or a file: who runs the sensor fills it in.
 */
#ifndef PROBE_OUTPUT_HEALTH_H
#define PROBE_OUTPUT_HEALTH_H

#include "store/retention.h"
#include "store/size.h"
#include "totals.h"

#define HEALTH_INTERFACES_MAX 16

/* An interface that is captured from. */
struct health_interface {
	char name[32];
	bool up;
	/* As libpcap's statistics have it: what passed the filter, of these
	 * what found no room in the kernel, and what the interface lost. */
	uint64_t received, lost, interface_lost;
	/* All that came in at the interface, of whatever protocol; link_known:
	 * the system says so. */
	bool link_known;
	uint64_t link_packets;
};

/* A thread that captures; of all interfaces. */
#define HEALTH_THREADS_MAX 16
struct health_thread {
	uint64_t received, lost;
};

struct health {
	int64_t started_ns, now_ns; /* wall clock */
	int64_t last_packet_ns;	    /* that passed the filter; 0: none yet */
	int64_t learning_until_ns;  /* nothing is alerted; 0: it is */
	bool engine_silent;	    /* it gives no sign of life */
	unsigned interface_count;
	struct health_interface interfaces[HEALTH_INTERFACES_MAX];
	unsigned thread_count;
	struct health_thread threads[HEALTH_THREADS_MAX];
	struct totals totals; /* incidents: those found since the start */
	uint64_t open_sessions;
	uint64_t alerts;	/* written to the outputs */
	uint64_t suppressed;	/* by a rule of the operator's */
	uint64_t held;		/* that were alerts, while it learns */
	uint64_t repeated;	/* of an act that is alerted once */
	uint64_t unstored;	/* alerted before they could be stored */
	uint64_t outbox;	/* batches that wait to be stored, now */
	uint64_t outbox_shed;	/* will not be: there was no room to wait */
	uint64_t store_faults;	/* times that the store failed */
	uint64_t output_faults; /* times that an output took no line */
	bool store_failing;	/* now */
	struct store_size store;
	struct retention_totals retention;
	uint64_t resident_bytes; /* of all its processes; 0: unknown */
};

enum health_state {
	HEALTH_WATCHING,
	HEALTH_QUIET, /* no mail, and no sign that any was missed */
	HEALTH_BLIND, /* mail may pass unseen; the reasons say why */
	HEALTH_STATES
};
const char *health_state_name(enum health_state);

/* Why it is blind, as bits. */
enum health_reason {
	BLIND_INTERFACE_DOWN,
	BLIND_LINK_SILENT,  /* nothing of any protocol arrives */
	BLIND_KERNEL_LOSS,  /* above HEALTH_LOSS_MAX */
	BLIND_CAPTURE_LOSS, /* the same, lost before the kernel */
	BLIND_ONE_SIDED,    /* above HEALTH_ONE_SIDED_MAX */
	BLIND_ENGINE_SILENT,
	BLIND_REASONS
};
/* "interface-down"; "an interface is down" */
const char *health_reason_name(enum health_reason);
const char *health_reason_text(enum health_reason);

#define HEALTH_LOSS_MAX 0.01
/* Of a few sessions the share says nothing. */
#define HEALTH_ONE_SIDED_MAX 0.5
#define HEALTH_SESSIONS_MIN 10

struct health_signs {
	enum health_state state;
	unsigned reasons; /* 1 << BLIND_* */
	/* Shares of what there was between the two, 0 to 1. Capture loss is
	 * estimated from octets that their receiver acknowledged and that
	 * never came by here. */
	double kernel_loss, capture_loss, one_sided;
	double packet_age_s; /* since the last one; -1: none yet */
};

/* What happened from `before` to `now`; the same twice: nothing. */
void health_assess(const struct health *before, const struct health *now,
    struct health_signs *);
/* One line for people: "watching eth1: 1,234 sessions, 3 incidents". */
#define HEALTH_LINE_BYTES 320
const char *health_line(const struct health *, const struct health_signs *,
    char out[HEALTH_LINE_BYTES]);

#endif
