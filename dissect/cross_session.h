/*
 * dissect/cross_session.h - a connection that both engines see; private to
 * cross_*.c.
 */
#ifndef DISSECT_CROSS_SESSION_H
#define DISSECT_CROSS_SESSION_H

#include "cross_check.h"
#include "nids.h"

#define CROSS_STREAM_MAX 65536 /* octets of a direction that are compared */

/* What was seen of a connection that explains a difference, besides NIDS_*. */
enum {
	REASON_IPV6 = 1 << NIDS_REASONS,
	REASON_MIDSTREAM = 1 << (NIDS_REASONS + 1),
	REASON_ONE_SIDED = 1 << (NIDS_REASONS + 2),
	REASON_REUSED = 1 << (NIDS_REASONS + 3),
	REASON_SYN_DATA = 1 << (NIDS_REASONS + 4),
	REASON_EARLY = 1 << (NIDS_REASONS + 5),
	REASON_URGENT = 1 << (NIDS_REASONS + 6),
	REASON_RESET = 1 << (NIDS_REASONS + 7), /* and native went on */
	/* These are found out when it is compared. */
	REASON_NO_HANDSHAKE = 1 << (NIDS_REASONS + 8),
	REASON_COPIES = 1 << (NIDS_REASONS + 9),
	REASON_GAP = 1 << (NIDS_REASONS + 10),
	REASON_SNAPPED = 1 << (NIDS_REASONS + 11),
};

struct octets {
	uint8_t *bytes;
	uint32_t len, room;
};

/* Of each octet that the packets carry: the first copy, and after it whether
 * there was one, or one that differs. */
enum { OCTET_UNSEEN, OCTET_SEEN, OCTET_DIFFERS };

/* How far the handshake has come that libnids wants to see. */
enum { STEP_NONE, STEP_SYN, STEP_SYN_ACK, STEP_ESTABLISHED };

struct cross_session {
	struct cross_session *next; /* in its bucket */
	struct cross_session *older, *newer;
	/* The lower end first; `isn` and `carried` by which of them sends. */
	struct endpoint ends[2];
	uint32_t isn[2];
	bool has_isn[2];
	struct octets carried[2]; /* two octets each */
	struct octets native[2], libnids[2];
	struct flow_identity identity; /* native's */
	unsigned reasons;
	uint8_t step, client; /* which end sent the SYN */
	bool native_holds, libnids_holds;
	bool libnids_opened;
	bool reset;		/* a RST came */
	bool gap[2], snap[2];	/* native stopped being comparable here */
	bool over;		/* the negotiation is */
	bool decided, given_up; /* for want of room */
	bool listed;		/* in the table, and not only held */
};

#define CROSS_BUCKETS 65536
#define CROSS_LINE_MAX 2048

struct cross_check {
	const struct shard_config *config;
	cross_report_fn *report;
	void *context;
	uint8_t mail_ports[8192];
	struct nids_engine *libnids;
	struct counters libnids_counters; /* native's are those of the run */
	size_t budget_bytes, used_bytes;
	/* From the longest untouched; what is held is not shed. */
	struct cross_session *oldest, *youngest;
	const struct cross_session *current; /* is not shed either */
	bool odd_fragments;		     /* came in this capture */
	struct cross_totals totals;
	uint8_t line[2][CROSS_LINE_MAX];
	struct cross_session *buckets[CROSS_BUCKETS];
};

/* Where the directions of a session that is not the same differ. */
struct cross_finding {
	unsigned shape; /* 0: they do not */
	uint64_t offset;
	enum known_difference known; /* KNOWN_DIFFERENCES: it is new */
};

/* cross_table.c. A session lives while it is in the table or held. */
void cross_order_ends(const struct endpoint *, const struct endpoint *,
    struct endpoint ends[2]);
/* By the ends in order; what is found or added is the youngest. */
struct cross_session *
cross_find(struct cross_check *, const struct endpoint ends[2]);
struct cross_session *
cross_add(struct cross_check *, const struct endpoint ends[2]);
/* Another connection on the same ports. NULL: no room for it. */
struct cross_session *
cross_replace(struct cross_check *, struct cross_session *);
bool cross_is_held(const struct cross_session *);
/* Who held it does so no more. */
void cross_let_go(struct cross_check *, struct cross_session *);
void cross_free_session(struct cross_check *, struct cross_session *);
void cross_free_streams(struct cross_check *, struct cross_session *);
/* Room for `len` in all; what is new in it is 0. False: there is none. */
bool cross_grow(struct cross_check *, struct octets *, size_t len);
/* Up to CROSS_STREAM_MAX. False: there is no room. */
bool cross_append(struct cross_check *, struct octets *, struct slice);
/* For want of room the session is not compared. */
void cross_give_up(struct cross_check *, struct cross_session *);

/* cross_compare.c */
struct cross_finding cross_compare(const struct cross_session *, enum dir);
/* The line at `offset` of one engine, redacted, into room for CROSS_LINE_MAX;
 * empty where it may not be shown. `how`: REDACT_*. */
struct slice cross_excerpt(const struct cross_session *, bool of_libnids,
    enum dir, uint64_t offset, unsigned how, uint8_t *room);

#endif
