/*
 * dissect/fact.h - the centre of the program: what the packets show.
 *
 * A fact is a flat record of fixed size followed by its bytes, without
 * pointers, so that it can go through a ring, a file or a shared page. All
 * rooms to the right of dissect/ know a session only by its facts. They are
 * redacted before they leave dissect/: no credential and no message body, and
 * no local part of an address unless the user asked for them.
 */
#ifndef DISSECT_FACT_H
#define DISSECT_FACT_H

#include "address.h"
#include "slice.h"

enum dir {
	TO_SERVER,
	TO_CLIENT,
};

static inline enum dir
dir_peer(enum dir dir)
{
	return dir == TO_SERVER ? TO_CLIENT : TO_SERVER;
}

enum fact_code {
#define FACT(id, name, text) FACT_##id,
#include "fact.def"
#undef FACT
	FACT_CODES
};

/* The commands of RFC 5321, 3207, 3030, 4954 and what else is told apart. */
enum verb {
	VERB_NONE,
	VERB_EHLO,
	VERB_HELO,
	VERB_STARTTLS,
	VERB_MAIL,
	VERB_RCPT,
	VERB_DATA,
	VERB_BDAT,
	VERB_RSET,
	VERB_NOOP,
	VERB_QUIT,
	VERB_AUTH,
	VERB_VRFY,
	VERB_EXPN,
	VERB_HELP,
	VERB_ETRN,
	VERB_XCLIENT,
	VERB_XFORWARD,
	VERB_LHLO,
	VERB_OTHER, /* a line that is none of these */
	VERB_BODY,  /* what a reply after the final dot of DATA answers */
	VERBS
};

enum ending {
	ENDING_FIN, /* closed by both, or by one and then silence */
	ENDING_RST,
	ENDING_EXPIRED,	    /* nothing for the idle time */
	ENDING_CAPTURE_END, /* the capture ends before the session */
	ENDING_EVICTED,	    /* shed for room */
	ENDING_REUSED,	    /* a new SYN on the same five-tuple */
	ENDINGS
};

/* Flags of a fact. */
enum {
	FACT_LAST_LINE = 1 << 0,  /* of a reply: code SP, or code alone */
	FACT_REDACTED = 1 << 1,	  /* octets were set to REDACTED_OCTET */
	FACT_CUT = 1 << 2,	  /* only the head of the line is kept */
	FACT_BARE_LF = 1 << 3,	  /* the line ended in LF without CR */
	FACT_UNFINISHED = 1 << 4, /* the line never ended */
	FACT_ACKED = 1 << 5,	  /* the peer had acknowledged it */
	FACT_PIPELINED = 1 << 6,  /* sent before the reply to the last */
	FACT_ODD_CODE = 1 << 7,	  /* not three digits, or unlike line 1 */
	FACT_RESUMED = 1 << 8,	  /* of tls-server-hello: session resumed */
	/* Read with the copies that came later (design 5): what the facts
	 * without this flag say of the same octets is the first reading. */
	FACT_OTHER_READING = 1 << 9,
};

/* Value of FACT_COPIES_DIFFER. */
enum {
	COPIES_SIGHTINGS = 1 << 0, /* one packet, seen on both sides of
				     * something that changed it */
	COPIES_ACKED = 1 << 1,	   /* the first one was acknowledged before */
};

/*
 * What the capture could not show of the session up to this fact. Absence
 * proves nothing in a stretch over which one of these holds (design 4.3).
 */
enum {
	OBS_MIDSTREAM = 1 << 0, /* the start was not captured */
	OBS_GAP_TO_SERVER = 1 << 1,
	OBS_GAP_TO_CLIENT = 1 << 2,
	OBS_ONE_SIDED = 1 << 3, /* the peer of this fact's direction
					 * has not been seen at all */
	OBS_SNAPLEN = 1 << 4,	/* a gap is a cut packet's */
	OBS_OVER_LIMIT = 1 << 5,
	OBS_EVICTED = 1 << 6,
	OBS_LOST_SYNC = 1 << 7, /* where a body ended is not known:
					 * what looks like commands there is
					 * not read */
};

/* Stands for an octet that was blanked, in facts flagged FACT_REDACTED. */
#define REDACTED_OCTET 0xff

/* The longest line that a fact keeps; the rest sets FACT_CUT. RFC 5321
 * 4.5.3.1 allows 512 for replies and commands, extensions more. */
#define FACT_LINE_MAX_BYTES 2048

struct fact {
	uint16_t code;		/* enum fact_code */
	uint8_t dir;		/* enum dir */
	uint8_t about;		/* enum verb */
	uint16_t flags;		/* FACT_* */
	uint16_t observability; /* OBS_* */
	uint16_t line;		/* within a reply, from 1; 0: not a line */
	uint16_t reserved;	/* 0 */
	uint32_t value;		/* reply code, TLS version, ... by code */
	uint64_t session;	/* handle, unique within a run; in no encoded
				 * fact: the publication has it */
	uint64_t frame;		/* from 1, within its capture */
	int64_t capture_ts_ns;	/* since 1970, UTC */
	uint64_t stream_offset; /* of the first byte, in its direction */
	uint64_t extent;	/* stream bytes that the fact spans */
	uint32_t capture;	/* ordinal of the capture within the run */
	uint32_t length;	/* of the bytes that follow */
};

/* Bytes of FACT_SESSION_OPENED, encoded by flow_identity_encode(). */
struct flow_identity {
	struct endpoint client, server;
	uint32_t client_isn, server_isn;
	bool has_client_isn, has_server_isn;
	bool on_mail_port;
};
#define FLOW_IDENTITY_BYTES 48

/* Is the TCP checksum of a segment right? Not known where the capture cut it,
 * and where offload leaves every sum of a direction wrong. */
enum sum {
	SUM_UNKNOWN,
	SUM_RIGHT,
	SUM_WRONG,
	SUM_UNCHECKED, /* nobody has looked yet; in no fact */
};

/* How a copy of some octets came. Two of them, encoded, are the bytes of
 * FACT_COPIES_DIFFER and of the steps: the earlier one first. */
struct segment_copy {
	uint64_t frame;
	int64_t capture_ts_ns;
	uint32_t seq, ack;
	uint32_t length; /* octets of payload on the wire */
	uint32_t ts_value;
	uint16_t ip_id, window;
	uint8_t ttl, tcp_flags;
	uint8_t sum; /* enum sum */
	bool has_ts; /* ts_value, RFC 7323 */
};
#define SEGMENT_COPY_BYTES 40

/* 40, and 16 more in a capture of 4 GiB or with as many frames. */
#define FACT_HEADER_MAX_BYTES 56
#define FACT_FORMAT_VERSION 2 /* the first byte of facts in a file */

/*
 * Little-endian, a header and then `bytes`; returns how many octets that
 * takes. `out` has room for FACT_HEADER_MAX_BYTES + bytes.len.
 */
size_t fact_encode(const struct fact *, struct slice bytes, uint8_t *out);
/*
 * Takes the next fact off `in`; its session is 0. False at the end, and when
 * what is left is no fact (an unknown code, verb or ending, or a length beyond
 * the end): `in` is then untouched. `bytes` borrows from `in`.
 */
bool fact_decode(struct slice *in, struct fact *, struct slice *bytes);

/*
 * Flags an encoded fact FACT_ACKED if the peer had acknowledged all of it:
 * `acked` are stream offsets, by direction. Returns how long the fact is.
 */
size_t fact_mark_acked(uint8_t *encoded, const uint64_t acked[2]);

void flow_identity_encode(const struct flow_identity *,
    uint8_t out[FLOW_IDENTITY_BYTES]);
/* False: of another length, or of no known address family. */
bool flow_identity_decode(struct slice, struct flow_identity *);

void segment_copy_encode(const struct segment_copy *,
    uint8_t out[SEGMENT_COPY_BYTES]);
/* Takes the next one off `in`; false: there is none. */
bool segment_copy_decode(struct slice *in, struct segment_copy *);

/* Names as in --facts and SQL; never NULL for a code below the count. */
const char *fact_code_name(enum fact_code);
const char *verb_name(enum verb);
const char *ending_name(enum ending);

/*
 * A decision point (design 4.1): what a session has come to when its facts
 * are published. rules_judge() runs there and nowhere else.
 */
enum decision {
	DECISION_EHLO_ANSWERED,
	DECISION_STARTTLS_ANSWERED,
	DECISION_AFTER_220, /* first bytes after it */
	DECISION_HANDSHAKE_ENDED,
	DECISION_AUTH_ACCEPTED, /* in clear */
	DECISION_MAIL_ACCEPTED,
	DECISION_DATA_ACCEPTED,
	DECISION_MESSAGE_ACCEPTED,
	DECISION_CLOSED,
	DECISION_EXPIRED,      /* also evicted, and the capture's end */
	DECISION_DNS_ANSWERED, /* of no session: its handle is 0 */
	DECISIONS
};
const char *decision_name(enum decision);

/*
 * What goes through the ring: the facts of one session since its last
 * decision point. The judge merges publications by (batch, frame, shard,
 * ordinal); those that no packet caused (expiry) have frame UINT64_MAX.
 */
struct publication {
	uint64_t batch;
	uint64_t capture_frame; /* order within the run, not the capture's */
	uint64_t session;
	uint32_t shard;
	uint32_t ordinal;     /* within (batch, frame, shard) */
	uint32_t decision;    /* enum decision */
	uint32_t facts_bytes; /* encoded facts that follow */
};

#endif
