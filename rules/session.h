/*
 * rules/session.h - one session, folded from its facts.
 *
 * Facts go in one by one, live or out of the database, and give the same
 * session. Everything is bounded; what did not fit is counted. No opinion
 * lives here: that is judge.h.
 */
#ifndef RULES_SESSION_H
#define RULES_SESSION_H

#include "incident.h"
#include "profile.h"
#include "tally.h"

#define EHLO_LINES_MAX 256
#define EHLO_LINE_KEEP_BYTES 128
#define PENDING_RCPT_MAX 64

struct ehlo_line {
	uint64_t frame, stream_offset;
	int64_t capture_ts_ns;
	uint32_t capture;
	uint16_t flags; /* of the fact */
	uint16_t code;
	uint16_t length;       /* of the text after code and separator */
	uint16_t whole_length; /* of the line without its end */
	uint8_t lead[4];       /* code and separator as they arrived */
	uint8_t lead_length;
	uint8_t text[EHLO_LINE_KEEP_BYTES]; /* after code and separator */
};

/* What is kept of the text. */
static inline struct slice
ehlo_line_kept(const struct ehlo_line *line)
{
	return slice_first(slice_of(line->text, sizeof(line->text)),
	    line->length);
}

/* Octets of the negotiation that came twice with different contents. */
struct session_copies {
	struct segment_copy first, later;
	uint64_t stream_offset, extent;
	uint32_t capture;
	uint32_t value; /* COPIES_* */
	uint8_t dir;
};
#define COPIES_MAX 8

/*
 * Lines that tell what an end of the dialogue got in place of what the other
 * one said. Of commands the text is all of the line, and `code` the answer's;
 * 0: none was seen.
 */
enum place {
	PLACE_GREETING, /* its first line */
	PLACE_HELLO,	/* no command, before EHLO or HELO was said */
	PLACE_COMMAND,	/* no command, as long as STARTTLS, behind an offer */
	PLACE_REFUSAL,	/* the answer to STARTTLS, when it is an error */
	PLACES
};

/* A line beside STARTTLS that belongs to neither side, or the first of them. */
struct extra_octets {
	unsigned lines;
	uint64_t octets, frame, stream_offset;
	int64_t capture_ts_ns;
	uint32_t capture;
	char text[128]; /* escaped; the first line */
};

/* A line, or what else decides, and where it stands. */
struct placed_text {
	uint64_t frame, stream_offset;
	int64_t capture_ts_ns;
	uint32_t capture;
	char text[128]; /* escaped */
};

/* Headers of a segment that do not go on as those of its direction. */
struct header_step {
	uint64_t frame;
	uint8_t dir;
	uint8_t bits; /* 1 << (code - FACT_TTL_STEP) */
};
#define HEADER_STEPS_MAX 8

/* RFC 8446 4.1.3: what a server says that was asked for less than it has. */
enum sentinel {
	SENTINEL_NONE,
	SENTINEL_TLS11, /* it has TLS 1.2 or above, and took less */
	SENTINEL_TLS12, /* it has TLS 1.3, and took TLS 1.2 */
};

/* What the last answer to EHLO, and the one to STARTTLS, say when the copies
 * are read that came later. */
struct other_reading {
	bool answered, offered, complete;
	unsigned line_count, lines_kept;
	uint16_t starttls_code;
	uint8_t places; /* 1 << enum place: of other_placed */
	char text[128]; /* of the first line that differs, escaped */
};

/* An answer of DNS that was laid beside the session; dns_seen.h reads it. */
struct session_answer {
	uint64_t frame;
	int64_t capture_ts_ns;
	uint32_t value;	    /* of the fact */
	struct slice bytes; /* borrowed from the facts that were folded */
};
#define SESSION_ANSWERS_MAX 32
#define SESSION_CHAIN_MAX 10

struct session {
	struct flow_identity flow;
	uint64_t handle;
	uint32_t capture; /* of the first fact */
	uint64_t first_frame, last_frame;
	int64_t first_ns, last_ns;
	uint16_t observability;	     /* OBS_* of all facts so far */
	uint16_t ehlo_observability; /* when the last EHLO was answered */
	bool closed;
	uint8_t ending;	    /* enum ending */
	uint8_t closed_dir; /* who ended it */
	struct placed_text end;

	bool greeted, greets_esmtp, ehlo_sent, helo_sent, quit_sent;
	bool midstream;	    /* TCP's handshake was not captured */
	bool greeted_first; /* with the first octets of the server's side */
	bool begins;	    /* ... and the client's follow: all is here */
	uint8_t places;	    /* 1 << enum place, of which a line was kept */
	unsigned commands_since_hello;
	bool command_follows_hello; /* that of PLACE_COMMAND, at once */
	uint16_t greeting_code;
	bool greeting_masked; /* in all of its lines */

	/* Replies to MAIL and RCPT with an enhanced status code, and without. */
	unsigned enhanced, plain;

	bool ehlo_asked_again; /* since the last answer began */
	bool ehlo_answered;    /* a final line was seen */
	bool ehlo_complete;    /* and it was a 250 */
	bool helo_answered;
	unsigned ehlo_answers; /* replies to EHLO, as the reply's
					 * first line counts them */
	uint64_t ehlo_offset;  /* of the last EHLO, in its stream */
	bool offered;	       /* STARTTLS, intact, in that answer */
	bool first_offered;    /* ... in any earlier answer */
	unsigned line_count;   /* of that answer, also those not kept */
	unsigned lines_kept;

	bool starttls_sent;
	uint64_t starttls_offset; /* in its stream */
	bool starttls_unoffered;  /* sent after a whole answer without it */
	bool starttls_argument;	  /* sent with one, which RFC 3207 4 forbids */
	uint16_t starttls_code;	  /* of its answer; 0: none seen */
	uint64_t starttls_frame;  /* of the answer */
	struct placed_text starttls_answer;
	bool client_hello, server_hello, tls_established, implicit_tls, not_tls;
	uint16_t tls_version, tls_offered; /* chosen; the highest offered */
	uint64_t client_hello_offset;
	enum sentinel sentinel;
	struct placed_text server_hello_place;
	bool alert; /* one in the clear: the first */
	uint8_t alert_dir, alert_description;
	uint64_t opaque_bytes[2]; /* inside TLS, by direction */
	uint64_t certificate_hash;
	uint32_t chain_result; /* enum chain_result of trust.h ... */
	char trust[17];	       /* ... by this store; "": by none */
	unsigned chain_count, answer_count;
	uint64_t chain_frame, chain_offset;
	int64_t chain_ns;
	uint32_t chain_capture;

	bool auth_clear, mail_clear, rcpt_clear, data_clear, accepted_clear;
	bool mail_tried_clear; /* MAIL was sent, whatever the answer */
	uint64_t mail_frame;
	int64_t mail_ns;
	uint64_t body_bytes;
	unsigned domain_count, domains_unlisted;
	unsigned pending_first, pending_count; /* unanswered RCPTs: a ring */
	unsigned rcpt_count;

	struct extra_octets extra[2];	   /* by direction */
	uint8_t server_ttl;		   /* of its first octets; 0: unknown */
	unsigned step_count;		   /* at most HEADER_STEPS_MAX */
	uint64_t reset_out_of_place_frame; /* 0: there is none */
	uint64_t behind_reset_frame;	   /* likewise: its sender goes on */
	struct other_reading other;
	unsigned copy_count; /* also those not kept */

	/* From here on only what a text has, the first `..._count` of others,
	 * and `places`, are set. */
	char greeting[256]; /* its last line's text, printable */
	char greeting_name[DOMAIN_TEXT_BYTES];
	char helo[DOMAIN_TEXT_BYTES];
	char sni[DOMAIN_TEXT_BYTES];
	char queue_id[64];
	/* Paths as sent, where their local parts were kept; the first ones. */
	char mail_from[PATH_TEXT_BYTES];
	struct header_step steps[HEADER_STEPS_MAX];
	struct ehlo_line placed[PLACES], other_placed[PLACES];
	struct placed_text other_answer; /* to STARTTLS */
	struct session_copies copies[COPIES_MAX];
	struct slice chain[SESSION_CHAIN_MAX]; /* DER, borrowed as above */
	struct session_answer answers[SESSION_ANSWERS_MAX];
	char rcpt_domains[INCIDENT_DOMAINS_MAX][DOMAIN_TEXT_BYTES];
	char pending[PENDING_RCPT_MAX][DOMAIN_TEXT_BYTES];
	char rcpt_to[INCIDENT_RCPTS_MAX][PATH_TEXT_BYTES];
	struct ehlo_line lines[EHLO_LINES_MAX]; /* of the last answer */
	struct ehlo_line other_lines[EHLO_LINES_MAX];
};

void session_init(struct session *, uint64_t handle);
/* The bytes of certificates and DNS answers are borrowed for as long as the
 * session is asked of them. */
void session_fold(struct session *, const struct fact *, struct slice bytes);
/* Begins anew with all facts of a stored session, encoded, their version
 * first; of another version: none. */
void session_fold_stored(struct session *, struct slice facts);
/* Adds one session, as far as it is known, to the axes. Whether it is unjudged
 * is the verdict's to say: a masked keyword shows through many a gap. */
void session_tally(const struct session *, struct tally *);
/* Could the capture have shown an offer in the last answer to EHLO? Without
 * that, its absence proves nothing (design 4.3). */
bool session_absence_seen(const struct session *);
/* True, and why, when the capture cannot show whether STARTTLS was offered. */
bool session_unjudged(const struct session *, enum unjudged *why);
/* OUTCOME_* of what is known so far. */
uint32_t session_outcome(const struct session *);
/* The line of the reply (from 0) with the offer; `lines_kept`: none of those
 * that are kept. */
unsigned session_offer_line(const struct session *);
enum offer session_offer(const struct session *);
/*
 * The profile that this session adds to, with `sessions` 1. False: it was not
 * seen well enough to be history (incomplete, one-sided, with gaps).
 */
bool session_profile(const struct session *, struct profile *);
/* Does a line of a reply begin with an enhanced status code (RFC 2034)? */
bool session_reply_enhanced(struct slice reply);
/* The list that the profile's `keywords_hash` names. */
void session_keywords(const struct session *, struct keyword_list *);
/* The same with line `index` (from 0) of the reply left out of the list. */
bool session_profile_without(const struct session *, unsigned index,
    struct profile *);
/* ... and with every line left out that `left_out` marks. */
bool session_profile_of_lines(const struct session *,
    const bool left_out[EHLO_LINES_MAX], struct profile *);
/* The session as the other reading has it: the answers that differ are put in
 * place of the first reading's. */
void session_other_reading(const struct session *, struct session *out);
/* Offered, asked for as RFC 3207 says, and answered with anything but 220. */
bool session_starttls_refused(const struct session *);
/* Offered, 220, and TLS came to nothing, or it ended before it can have carried
 * a mail, and not as a client ends it. */
bool session_tls_broken(const struct session *);
/* EHLO was answered by the end of the connection, of which all was seen. */
bool session_ehlo_cut(const struct session *);
/* Refused or broken. */
bool session_starttls_failed(const struct session *);
/* MAIL accepted, or a body sent, in clear after an EHLO reply without an intact
 * STARTTLS: such a session is kept even when nothing speaks against it yet
 * (design 4.6). */
bool session_clear_without_offer(const struct session *);

/* NULL: there was none. */
static inline const struct ehlo_line *
session_line_in(const struct session *s, enum place place)
{
	return s->places >> place & 1 ? &s->placed[place] : NULL;
}

#endif
