/* The server's side of a dialogue: replies, and what they decide. */
#include "smtp_session.h"

#include <ctype.h>

#include "redact.h"

/* Mails whose acceptance is published as it comes; later ones only count. */
#define MAILS_PUBLISHED 16

/* What a reply does to the dialogue. */
enum action {
	ACTION_NONE,
	ACTION_HELLO, /* EHLO, HELO answered */
	ACTION_TLS,   /* go ahead */
	ACTION_CLEAR, /* STARTTLS refused */
	ACTION_AUTH_GOES_ON,
	ACTION_AUTH_ENDS,
	ACTION_MAIL,
	ACTION_BODY, /* send the message */
	ACTION_NO_BODY,
	ACTION_CHUNK_REFUSED,
	ACTION_MESSAGE, /* the message is answered */
};

#define ANY_CLASS 0
#define NO_DECISION DECISIONS

/*
 * The state machine of a dialogue: what a reply to a verb does. The first
 * row that fits holds; `class` is the reply's first digit.
 */
static const struct {
	uint8_t about; /* enum verb */
	uint8_t class;
	uint8_t action;
	uint8_t decision;
} transitions[] = {
	{ VERB_EHLO, ANY_CLASS, ACTION_HELLO, DECISION_EHLO_ANSWERED },
	{ VERB_LHLO, ANY_CLASS, ACTION_HELLO, DECISION_EHLO_ANSWERED },
	{ VERB_HELO, ANY_CLASS, ACTION_HELLO, DECISION_EHLO_ANSWERED },
	{ VERB_STARTTLS, 2, ACTION_TLS, DECISION_STARTTLS_ANSWERED },
	{ VERB_STARTTLS, ANY_CLASS, ACTION_CLEAR, DECISION_STARTTLS_ANSWERED },
	{ VERB_AUTH, 3, ACTION_AUTH_GOES_ON, NO_DECISION },
	{ VERB_AUTH, 2, ACTION_AUTH_ENDS, DECISION_AUTH_ACCEPTED },
	{ VERB_AUTH, ANY_CLASS, ACTION_AUTH_ENDS, NO_DECISION },
	{ VERB_MAIL, 2, ACTION_MAIL, DECISION_MAIL_ACCEPTED },
	{ VERB_DATA, 3, ACTION_BODY, DECISION_DATA_ACCEPTED },
	{ VERB_DATA, ANY_CLASS, ACTION_NO_BODY, NO_DECISION },
	{ VERB_BDAT, 2, ACTION_NONE, DECISION_DATA_ACCEPTED },
	{ VERB_BDAT, 5, ACTION_CHUNK_REFUSED, NO_DECISION },
	{ VERB_BODY, 2, ACTION_MESSAGE, DECISION_MESSAGE_ACCEPTED },
	{ VERB_BODY, ANY_CLASS, ACTION_MESSAGE, NO_DECISION },
};

struct reply_line {
	uint16_t code; /* 0: it has none */
	bool last;     /* nothing, or a blank behind three digits */
	bool more;     /* a hyphen; neither: nobody can say */
	bool odd;
};

static struct reply_line
parse_reply_line(struct slice line)
{
	struct reply_line r = { 0, false, false, false };
	size_t digits = 0;

	while (digits < line.len && digits < 3 && isdigit(line.ptr[digits]))
		r.code = (uint16_t)(r.code * 10 + line.ptr[digits++] - '0');
	/* An overwritten digit does not make `2X0-STARTTLS` the last line. */
	r.more = (line.len > digits && line.ptr[digits] == '-') ||
	    (line.len > 3 && line.ptr[3] == '-');
	r.last = digits == 3 && (line.len == 3 || isblank(line.ptr[3]));
	r.odd = digits != 3 || r.code < 200 || r.code > 599 ||
	    (line.len > 3 && line.ptr[3] != ' ' && line.ptr[3] != '-');
	if (digits == 0)
		r.code = 0;
	return r;
}

/*
 * One-sided, nobody says what is answered: the usual order of a delivery
 * does. A greeting, an answer of several lines, MAIL, RCPT, DATA, the message.
 */
static enum verb
guess_about(struct smtp_session *s, const struct reply_line *r)
{
	enum verb about = (enum verb)s->guess;

	if (!s->ehlo_answered && s->greeted && r->code == 250)
		return r->more ? VERB_EHLO : VERB_HELO;
	if (s->greeted && r->code == 220)
		return VERB_STARTTLS;
	if (r->code == 354)
		return VERB_DATA;
	if (r->code == 221)
		return VERB_QUIT;
	if (r->code == 235 || r->code == 334)
		return VERB_AUTH;
	if (s->ehlo_answered && about == VERB_NONE && r->code == 250)
		return VERB_MAIL;
	return about;
}

static void
guess_next(struct smtp_session *s, enum verb answered, uint16_t code)
{
	switch (answered) {
	case VERB_MAIL:
	case VERB_RCPT:
		s->guess = code < 300 ? VERB_RCPT : s->guess;
		break;
	case VERB_DATA:
		s->guess = code == 354 ? VERB_BODY : VERB_NONE;
		break;
	default:
		s->guess = VERB_NONE;
		break;
	}
}

/* An empty line is answered with 500 by some servers and ignored by others. */
static void
skip_optional(struct smtp_session *s, uint16_t code)
{
	while (s->pending_used > 0 && smtp_pending_first(s) == VERB_NONE &&
	    code != 0 && (code < 500 || code > 502))
		smtp_pending_pop(s);
}

/*
 * After a gap the count of commands and replies may be off. 354 answers DATA
 * and nothing else, 220 STARTTLS, and neither is DATA answered with 250.
 * False: this is no answer to what is pending.
 */
static bool
realign(struct smtp_session *s, uint16_t code)
{
	enum verb sure = code == 354 ? VERB_DATA :
	    code == 220		     ? VERB_STARTTLS :
				       VERB_NONE;
	bool there = false;

	if (!(s->log->observability & (OBS_GAP_TO_SERVER | OBS_GAP_TO_CLIENT)))
		return true;
	for (unsigned i = 0; i < s->pending_used; i++)
		there |=
		    s->pending[(s->pending_first + i) % PENDING_VERBS].verb ==
		    sure;
	while (sure != VERB_NONE && there && smtp_pending_first(s) != sure)
		smtp_pending_pop(s);
	return smtp_pending_first(s) != VERB_DATA || code / 100 != 2;
}

/* What the first line of a reply answers. */
static enum verb
about_of(struct smtp_session *s, const struct reply_line *r, bool one_sided)
{
	if (s->unmatched > 0)
		return VERB_NONE;
	skip_optional(s, r->code);
	s->reply_foreign = !realign(s, r->code);
	if (s->reply_foreign)
		return VERB_NONE;
	if (s->pending_used > 0)
		return smtp_pending_first(s);
	/* Only DATA is answered so; a gap has swallowed it. */
	if (r->code == 354)
		return VERB_DATA;
	switch (s->mode) {
	case MODE_BODY:
	case MODE_BODY_LOST:
		/* A message whose end was not captured. */
		return VERB_BODY;
	case MODE_STARTTLS_WAIT:
		return VERB_STARTTLS;
	case MODE_AUTH:
		return VERB_AUTH;
	default:
		break;
	}
	if (one_sided || s->midstream)
		return guess_about(s, r);
	/* The first answer of several lines is EHLO's, also to one that the
	 * capture does not have. */
	if (s->log->observability & OBS_GAP_TO_SERVER && s->greeted &&
	    !s->ehlo_answered && r->code == 250 && r->more)
		return VERB_EHLO;
	return VERB_NONE;
}

static bool
is_greeting(const struct smtp_session *s, const struct reply_line *r)
{
	if (s->greeted)
		return false;
	/* From the middle, or behind a gap that may have swallowed it, what
	 * comes is as well an answer. */
	if (!s->midstream && !(s->log->observability & OBS_GAP_TO_CLIENT))
		return true;
	return r->code == 220 && s->pending_used == 0 && !s->ehlo_answered;
}

static void
say_reply(struct smtp_session *s, enum fact_code code, struct slice line,
    const struct reply_line *r, enum verb about, uint64_t extent,
    uint16_t flags, const struct origin *at)
{
	uint8_t copy[FACT_LINE_MAX_BYTES];
	struct fact fact = { .code = (uint16_t)code,
		.dir = TO_CLIENT,
		.about = (uint8_t)about,
		.flags = flags,
		.extent = extent,
		.value = r->code,
		.line = s->reply_line };

	if (smtp_terse(s))
		return;
	line = slice_first(line, sizeof(copy));
	if (line.len > 0)
		memcpy(copy, line.ptr, line.len);
	if (redact_reply(copy, line.len, about, smtp_redaction(s, flags)))
		fact.flags |= FACT_REDACTED;
	if (r->last && !r->odd && !(flags & FACT_UNFINISHED))
		fact.flags |= FACT_LAST_LINE;
	if (r->odd || (s->reply_line > 1 && r->code != s->reply_code))
		fact.flags |= FACT_ODD_CODE;
	smtp_say(s, &fact, slice_of(copy, line.len), at);
}

/* --- what a whole reply does --------------------------------------------- */

/*
 * A message is answered before its end was seen: the end is in a gap, or it
 * is one that the server takes for an end, or the server gave up early and
 * the client goes on sending. Only in the first two are its next octets
 * commands for sure.
 */
static void
leave_body(struct smtp_session *s, uint16_t code, const struct origin *at)
{
	bool sure = s->mode == MODE_BODY ? smtp_body_ends_loosely(s) :
					   code / 100 == 2;

	smtp_body_end(s, at);
	s->mode = sure ? MODE_COMMAND : MODE_LOST;
	if (!sure)
		s->log->observability |= OBS_LOST_SYNC;
}

/* RFC 3030 2: a refused chunk is sent all the same, unless the server does
 * not know BDAT and reads commands. */
static void
leave_chunk(struct smtp_session *s, uint16_t code, const struct origin *at)
{
	if (s->mode != MODE_CHUNK || code < 500 || code > 502)
		return;
	smtp_body_end(s, at);
	s->chunk_left = 0;
	s->mode = MODE_COMMAND;
}

static void
act(struct smtp_session *s, enum action action, uint16_t code,
    const struct origin *at)
{
	switch (action) {
	case ACTION_HELLO:
		s->ehlo_answered |= code == 250;
		break;
	case ACTION_TLS:
		/* A message that did not wait for it is over; and only the
		 * 220 is an invitation. */
		if (code == 220) {
			smtp_body_end(s, at);
			s->mode = MODE_TLS_NEXT;
		} else if (s->mode == MODE_STARTTLS_WAIT) {
			s->mode = MODE_COMMAND;
		}
		smtp_release_waiting(s, at);
		break;
	case ACTION_CLEAR:
		if (s->mode == MODE_STARTTLS_WAIT)
			s->mode = MODE_COMMAND;
		smtp_release_waiting(s, at);
		break;
	case ACTION_AUTH_GOES_ON:
		/* What the client has sent since may wait for an answer of
		 * its own. */
		if (s->mode == MODE_COMMAND || s->mode == MODE_LOST)
			s->mode = MODE_AUTH;
		break;
	case ACTION_AUTH_ENDS:
		if (s->mode == MODE_AUTH)
			s->mode = MODE_COMMAND;
		break;
	case ACTION_MAIL:
		s->negotiated = true;
		break;
	case ACTION_BODY:
		if (s->mode == MODE_COMMAND && s->pending_used == 0 &&
		    !at->one_sided) {
			smtp_body_begin(s, 0); /* DATA is in a gap */
			s->mode = MODE_BODY;
		}
		if (s->mode == MODE_DATA_WAIT)
			s->mode = MODE_BODY;
		smtp_release_waiting(s, at);
		break;
	case ACTION_NO_BODY:
		if (s->mode == MODE_DATA_WAIT || s->mode == MODE_BODY ||
		    s->mode == MODE_BODY_LOST)
			s->mode = MODE_COMMAND;
		s->body_bytes = 0;
		smtp_release_waiting(s, at);
		break;
	case ACTION_CHUNK_REFUSED:
		leave_chunk(s, code, at);
		break;
	case ACTION_MESSAGE:
		s->mails++;
		if (s->mode == MODE_BODY_LOST || s->mode == MODE_BODY)
			leave_body(s, code, at);
		leave_chunk(s, code, at);
		break;
	case ACTION_NONE:
		break;
	}
}

static void
decide(struct smtp_session *s, enum decision decision)
{
	if (decision == DECISION_MAIL_ACCEPTED) {
		if (s->mail_published)
			return;
		s->mail_published = true;
	}
	if (s->mails > MAILS_PUBLISHED)
		return;
	smtp_publish(s, decision);
}

static void
reply_complete(struct smtp_session *s, enum verb about, uint16_t code,
    const struct origin *at)
{
	if (s->mode == MODE_LOST && code != 220)
		s->mode = MODE_COMMAND;
	for (size_t i = 0; i < sizeof(transitions) / sizeof(*transitions);
	     i++) {
		if (transitions[i].about != about ||
		    (transitions[i].class != ANY_CLASS &&
			transitions[i].class != code / 100))
			continue;
		act(s, (enum action)transitions[i].action, code, at);
		if (transitions[i].decision != NO_DECISION)
			decide(s, (enum decision)transitions[i].decision);
		return;
	}
}

static void
reply_ends(struct smtp_session *s, bool greeting, enum verb about,
    uint16_t code, const struct origin *at)
{
	s->reply_line = 0;
	s->reply_doubtful = s->pending_unsure = false;
	if (greeting) {
		s->greeted = true;
		return;
	}
	if (s->unmatched > 0)
		s->unmatched--;
	else if (s->reply_foreign)
		s->reply_foreign = false;
	else if (s->pending_used > 0)
		smtp_pending_pop(s);
	else if (at->one_sided || s->midstream)
		guess_next(s, about, code);
	reply_complete(s, about, code, at);
}

void
smtp_reply_taken(struct smtp_session *s, const struct origin *at)
{
	if (s->reply_doubtful)
		reply_ends(s, false, (enum verb)s->reply_about, s->reply_code,
		    at);
}

void
smtp_server_line(struct smtp_session *s, struct slice line, uint64_t extent,
    uint16_t flags, const struct origin *at)
{
	struct reply_line r = parse_reply_line(line);
	bool greeting, hello;
	enum verb about;

	/* A whole line of another code begins another reply. */
	if (!r.odd && r.code != s->reply_code)
		smtp_reply_taken(s, at);
	greeting = is_greeting(s, &r);
	if (s->reply_line < UINT16_MAX)
		s->reply_line++;
	if (s->reply_line == 1) {
		s->reply_code = r.code;
		s->reply_about = greeting ?
		    VERB_NONE :
		    (uint8_t)about_of(s, &r, at->one_sided);
	}
	about = (enum verb)s->reply_about;
	hello = about == VERB_EHLO || about == VERB_LHLO;
	/* Midstream: the rest of a reply whose first lines are missing. */
	say_reply(s,
	    greeting  ? FACT_GREETING :
		hello ? FACT_EHLO_REPLY :
			FACT_REPLY,
	    line, &r, about, extent, flags, at);
	if (flags & FACT_UNFINISHED)
		return;
	if (greeting && s->mode == MODE_LOST && at->stream_offset == 0 &&
	    !s->seen[TO_SERVER] && smtp_is_named(line)) {
		s->first_words = true;
		s->mode = MODE_COMMAND;
	}
	/* Without a code a line neither ends a reply nor is one: empty lines
	 * are sent to derail parsers. */
	if (r.code == 0) {
		if (s->reply_line == 1)
			s->reply_line = 0;
		return;
	}
	if (greeting ? !r.more : r.last)
		reply_ends(s, greeting, about, r.code, at);
	else
		s->reply_doubtful = !greeting && !r.more;
}
