/*
 * dissect/cross_check.h - libnids as second opinion on the native engine.
 *
 * Native decides; libnids gets the same packets. Of each SMTP session the
 * octets of the negotiation, up to 64 KiB a direction, are compared when the
 * negotiation is over, and again at the session's end if they differ. What
 * differs is either explained by a row of cross_check.def, or it is new: a
 * fault in one of the engines, or an attack on one of them.
 *
 * One for all shards, on one thread, since libnids is one for the process.
 */
#ifndef DISSECT_CROSS_CHECK_H
#define DISSECT_CROSS_CHECK_H

#include "shard.h"

enum known_difference {
#define KNOWN(id, name, shapes, reason, text) KNOWN_##id,
#include "cross_check.def"
#undef KNOWN
	KNOWN_DIFFERENCES
};

/* What libnids delivered of a direction, as a bit each. */
enum {
	CROSS_NOTHING = 1 << 0,
	CROSS_LESS = 1 << 1,
	CROSS_MORE = 1 << 2,
	CROSS_OTHER = 1 << 3,
	CROSS_HOLE = 1 << 4,
};

/* A new difference. */
struct cross_difference {
	struct flow_identity identity;
	enum dir dir;
	uint64_t stream_offset;
	unsigned shape; /* CROSS_* */
	/* The line at that offset as each engine has it, redacted, borrowed;
	 * empty where it may hold a credential or part of a message. */
	struct slice native, libnids;
};
typedef void cross_report_fn(void *context, const struct cross_difference *);

struct cross_check;
struct cross_session;

/* `config` is borrowed; `budget_bytes` bounds everything that is kept: idle
 * connections go first, then a session is not compared (COUNTER_CROSS_MEMCAP).
 * NULL: no memory, or libnids is in use. */
struct cross_check *cross_check_create(const struct shard_config *,
    size_t budget_bytes, cross_report_fn *, void *context);
void cross_check_destroy(struct cross_check *);
/* Each packet, before native gets it. */
void cross_check_packet(struct cross_check *, const struct packet *);
/* A segment that native's own defragmentation gave. */
void cross_check_joined(struct cross_check *, const struct packet *);

/* What native tells its listener. NULL: not compared, which the calls below
 * accept. `interest` is what the listener wanted next. */
struct cross_session *
cross_check_opened(struct cross_check *, const struct flow_start *);
void cross_check_bytes(struct cross_check *, struct cross_session *, enum dir,
    struct slice, enum interest, struct counters *);
void cross_check_gap(struct cross_check *, struct cross_session *, enum dir,
    bool snapped, enum interest, struct counters *);
struct cross_end {
	bool one_sided;
	bool is_smtp; /* else it is not compared */
};
void cross_check_closed(struct cross_check *, struct cross_session *,
    const struct cross_end *, struct counters *);

/* As nids_engine_expire(). */
void cross_check_expire(struct cross_check *, int64_t clock_ns);
/* The capture is over, and native has ended all its flows. */
void cross_check_finish(struct cross_check *);

/* "ipv6"; "it knows IPv4 only". */
const char *cross_check_known_name(enum known_difference);
const char *cross_check_known_text(enum known_difference);
/* Sessions of the whole run: `known` by the first row that explains one. */
struct cross_totals {
	uint64_t sessions, agree, unknown;
	uint64_t known[KNOWN_DIFFERENCES];
};
const struct cross_totals *cross_check_totals(const struct cross_check *);

#endif
