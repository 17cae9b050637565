#include "smtp.h"

#include <ctype.h>

#include "redact.h"
#include "smtp_session.h"

size_t
smtp_session_bytes(void)
{
	return sizeof(struct smtp_session);
}

struct smtp_session *
smtp_session_open(void *place, struct fact_log *log,
    const struct smtp_options *options, const struct flow_start *start)
{
	struct smtp_session *s = place;

	memset(s, 0, sizeof(*s));
	s->log = log;
	s->options = options;
	s->flow = start->identity;
	s->midstream = start->midstream;
	s->mode = start->midstream ? MODE_LOST : MODE_COMMAND;
	return s;
}

bool
smtp_session_recognised(const struct smtp_session *s)
{
	return s->recognised;
}

enum smtp_phase
smtp_session_phase(const struct smtp_session *s)
{
	if (s->mode == MODE_OPAQUE)
		return SMTP_PHASE_OPAQUE;
	if (!s->recognised || (!s->greeted && !s->midstream))
		return SMTP_PHASE_UNKNOWN;
	if (s->negotiated)
		return SMTP_PHASE_MAIL;
	return s->ehlo_answered || s->pending_used > 0 ?
	    SMTP_PHASE_NEGOTIATING :
	    SMTP_PHASE_GREETED;
}

size_t
smtp_session_held_bytes(const struct smtp_session *s)
{
	size_t held = s->log->room;

	for (int dir = 0; dir < 2; dir++)
		if (s->partial[dir].bytes != NULL)
			held += FACT_LINE_MAX_BYTES;
	return held;
}

void
smtp_say(struct smtp_session *s, struct fact *fact, struct slice bytes,
    const struct origin *at)
{
	if (!s->opened) {
		struct fact opened = { .code = FACT_SESSION_OPENED };
		uint8_t identity[FLOW_IDENTITY_BYTES];

		s->opened = true;
		flow_identity_encode(&s->flow, identity);
		fact_log_append(s->log, &opened,
		    slice_of(identity, sizeof(identity)), at);
	}
	fact_log_append(s->log, fact, bytes, at);
}

void
smtp_publish(struct smtp_session *s, enum decision decision)
{
	if (s->recognised)
		fact_log_publish(s->log, decision);
}

struct flow_start
smtp_session_start(const struct smtp_session *s)
{
	return (struct flow_start){ s->flow, s->midstream };
}

bool
smtp_session_on_mail_port(const struct smtp_session *s)
{
	return s->flow.on_mail_port;
}

void
smtp_session_note(struct smtp_session *s, struct fact *fact, struct slice bytes,
    const struct origin *at)
{
	s->recognised |= s->flow.on_mail_port;
	if (s->recognised)
		smtp_say(s, fact, bytes, at);
}

unsigned
smtp_redaction(const struct smtp_session *s, uint16_t fact_flags)
{
	const uint16_t unsure = OBS_GAP_TO_SERVER | OBS_GAP_TO_CLIENT;
	unsigned how = 0;

	if (s->options->keep_addresses)
		how |= REDACT_KEEP_ADDRESSES;
	if (fact_flags & (FACT_CUT | FACT_UNFINISHED))
		how |= REDACT_OPEN_END;
	if (s->negotiated || (s->midstream && !s->first_words) ||
	    s->log->observability & unsure)
		how |= REDACT_WORDS;
	return how;
}

size_t
smtp_line_head(const struct smtp_session *s, enum dir dir, struct slice bytes,
    uint8_t head[3])
{
	const struct partial *p = &s->partial[dir];
	size_t n = 0;

	while (n < 3 && n < p->have) {
		head[n] = p->bytes[n];
		n++;
	}
	for (size_t i = 0; n < 3 && i < bytes.len; i++)
		head[n++] = bytes.ptr[i];
	return n;
}

/* Off the mail ports: a greeting that says SMTP, or else the client's EHLO
 * will tell; anything but a greeting is another protocol. */
static bool
greeting_may_follow(const struct smtp_session *s, struct slice bytes)
{
	static const char *const codes[] = { "220", "554", "421" };

	uint8_t head[3];
	size_t n = smtp_line_head(s, TO_CLIENT, bytes, head);

	if (s->greeted)
		return true;
	for (size_t i = 0; i < 3; i++)
		if (memcmp(head, codes[i], n) == 0)
			return true;
	return false;
}

bool
smtp_is_named(struct slice line)
{
	for (size_t i = 0; i + 4 <= line.len; i++)
		if (slice_equal_nocase(slice_of(line.ptr + i, 4),
			slice_str("SMTP")))
			return true;
	return false;
}

/* --- lines --------------------------------------------------------------- */

void
smtp_give_partial(struct smtp_session *s, enum dir dir)
{
	struct partial *p = &s->partial[dir];

	fact_pool_give(s->log->pool, p->bytes, FACT_LINE_MAX_BYTES);
	p->bytes = NULL;
	p->have = 0;
	p->length = 0;
}

/* Most gaps end with a line, some within one: is this a line's start? */
static bool
begins_line(enum dir dir, struct slice line)
{
	if (line.len > 0 && line.ptr[line.len - 1] == '\r')
		line.len--;
	if (dir == TO_SERVER)
		return smtp_verb(line) != VERB_OTHER;
	return line.len >= 3 && line.ptr[0] >= '2' && line.ptr[0] <= '5' &&
	    isdigit(line.ptr[1]) && isdigit(line.ptr[2]) &&
	    (line.len == 3 || line.ptr[3] == ' ' || line.ptr[3] == '-');
}

static void
take_line(struct smtp_session *s, enum dir dir, struct slice line,
    uint64_t extent, uint16_t flags, uint64_t offset, const struct origin *at)
{
	struct origin where;

	if (s->partial[dir].after_gap) {
		s->partial[dir].after_gap = false;
		if (!begins_line(dir, line))
			return;
	}
	if (offset != at->stream_offset) {
		where = *at;
		where.stream_offset = offset;
		at = &where;
	}
	if (!(flags & (FACT_UNFINISHED | FACT_CUT))) {
		if (line.len > 0 && line.ptr[line.len - 1] == '\r')
			line.len--;
		else
			flags |= FACT_BARE_LF;
	}
	if (dir == TO_CLIENT && !s->recognised && smtp_is_named(line))
		s->recognised = true;
	/* RFC 3207 4: behind the 220 the server waits for the ClientHello. */
	if (dir == TO_CLIENT && s->mode == MODE_TLS_NEXT)
		smtp_say_extra(s, dir, line, extent, flags, at);
	else if (dir == TO_SERVER)
		smtp_client_line(s, line, extent, flags, at);
	else
		smtp_server_line(s, line, extent, flags, at);
}

/* Keeps what came of a line until the rest of it does. */
void
smtp_keep_partial(struct smtp_session *s, enum dir dir, struct slice bytes,
    uint64_t offset, const struct origin *at)
{
	struct partial *p = &s->partial[dir];

	if (p->length == 0)
		p->offset = offset;
	/* A reply may make of half a line what waited for it. */
	if (p->length == 0 && dir == TO_SERVER) {
		s->wait_frame = at->frame;
		s->wait_ns = at->capture_ts_ns;
	}
	p->length += bytes.len;
	if (p->bytes == NULL)
		p->bytes = fact_pool_take(s->log->pool, FACT_LINE_MAX_BYTES);
	if (p->bytes == NULL) {
		s->log->observability |= OBS_OVER_LIMIT;
		return;
	}
	bytes = slice_first(bytes, FACT_LINE_MAX_BYTES - p->have);
	if (bytes.len > 0)
		memcpy(p->bytes + p->have, bytes.ptr, bytes.len);
	p->have += (uint32_t)bytes.len;
}

/* One line, or what there is of it; how many octets were taken. */
size_t
smtp_feed_line(struct smtp_session *s, enum dir dir, struct slice bytes,
    uint64_t offset, const struct origin *at)
{
	struct partial *p = &s->partial[dir];
	const uint8_t *lf = memchr(bytes.ptr, '\n', bytes.len);
	size_t n = lf == NULL ? bytes.len : (size_t)(lf - bytes.ptr) + 1;
	struct slice line = slice_of(bytes.ptr, n - 1);

	if (lf == NULL) {
		smtp_keep_partial(s, dir, bytes, offset, at);
		return n;
	}
	if (p->length == 0) {
		take_line(s, dir, slice_first(line, FACT_LINE_MAX_BYTES), n,
		    line.len > FACT_LINE_MAX_BYTES ? FACT_CUT : 0, offset, at);
		return n;
	}
	smtp_keep_partial(s, dir, line, offset, at);
	line = slice_of(p->bytes, p->have);
	/* Taken from the session: a handler may start a new partial line. */
	{
		uint8_t *room = p->bytes;
		uint64_t length = p->length + 1, from = p->offset;
		uint16_t flags = p->have < p->length ? FACT_CUT : 0;

		p->bytes = NULL;
		p->have = 0;
		p->length = 0;
		take_line(s, dir, line, length, flags, from, at);
		fact_pool_give(s->log->pool, room, FACT_LINE_MAX_BYTES);
	}
	return n;
}

/* A line that never ended is told as far as it went. */
void
smtp_say_unfinished(struct smtp_session *s, enum dir dir,
    const struct origin *at)
{
	struct partial p = s->partial[dir];

	s->partial[dir] = (struct partial){ 0 };
	s->partial[dir].after_gap = p.after_gap;
	if (p.have > 0 && s->mode != MODE_TLS && s->mode != MODE_OPAQUE &&
	    s->mode != MODE_DATA_WAIT)
		take_line(s, dir, slice_of(p.bytes, p.have), p.length,
		    FACT_UNFINISHED, p.offset, at);
	fact_pool_give(s->log->pool, p.bytes, FACT_LINE_MAX_BYTES);
}

/* --- what waits for a reply ---------------------------------------------- */

/* DATA is unanswered. Octets wait; more than fit can only be a message. */
static size_t
feed_data_wait(struct smtp_session *s, enum dir dir, struct slice bytes,
    const struct origin *at)
{
	struct partial *p = &s->partial[dir];

	if (at->one_sided || p->length + bytes.len > FACT_LINE_MAX_BYTES) {
		s->mode = MODE_BODY;
		smtp_release_waiting(s, at);
		return 0;
	}
	smtp_keep_partial(s, dir, bytes, at->stream_offset, at);
	return bytes.len;
}

/* --- octets and holes, by mode ------------------------------------------- */

static size_t
feed_lines(struct smtp_session *s, enum dir dir, struct slice bytes,
    const struct origin *at)
{
	if (smtp_record_start(s, dir, bytes) == PARSE_OK) {
		smtp_meet_tls(s, dir, at);
		return 0;
	}
	return smtp_feed_line(s, dir, bytes, at->stream_offset, at);
}

static size_t
feed_lost_body(struct smtp_session *s, enum dir dir, struct slice bytes,
    const struct origin *at)
{
	(void)dir;
	if (s->body_bytes == 0)
		s->body_offset = at->stream_offset;
	s->body_bytes += bytes.len;
	return bytes.len;
}

static size_t
feed_opaque(struct smtp_session *s, enum dir dir, struct slice bytes,
    const struct origin *at)
{
	(void)at;
	smtp_count_records(&s->opaque[dir], bytes);
	return bytes.len;
}

/* Somewhere in the hole a line ends and another begins. */
static void
lose_lines(struct smtp_session *s, uint64_t missing, const struct origin *at)
{
	(void)missing;
	(void)at;
	smtp_give_partial(s, TO_SERVER);
	s->partial[TO_SERVER].after_gap = true;
	s->pending_unsure = true;
}

/* What of the message was seen, waited or is missing, is counted; where it
 * ends the server says. */
static void
lose_body(struct smtp_session *s, uint64_t missing, const struct origin *at)
{
	const struct partial *p = &s->partial[TO_SERVER];

	if (s->body_bytes == 0)
		s->body_offset = p->length > 0 ? p->offset : at->stream_offset;
	s->body_bytes += p->length + missing;
	smtp_give_partial(s, TO_SERVER);
	s->mode = MODE_BODY_LOST;
	s->log->observability |= OBS_LOST_SYNC;
}

static void
lose_chunk(struct smtp_session *s, uint64_t missing, const struct origin *at)
{
	uint64_t of_chunk = missing < s->chunk_left ? missing : s->chunk_left;

	if (s->body_bytes == 0)
		s->body_offset = at->stream_offset;
	s->chunk_left -= of_chunk;
	s->body_bytes += of_chunk;
	if (s->chunk_left > 0)
		return;
	smtp_body_end(s, at);
	s->mode = MODE_COMMAND;
	if (missing > of_chunk)
		lose_lines(s, missing - of_chunk, at);
}

/* Whatever it was, it was not seen to be no TLS. */
static void
lose_client_hello(struct smtp_session *s, uint64_t missing,
    const struct origin *at)
{
	smtp_give_partial(s, TO_SERVER);
	smtp_begin_tls(s, TO_SERVER, at);
	if (s->mode == MODE_TLS)
		tls_gap(s->tls, TO_SERVER, missing);
}

/*
 * The state machine, second part: what a mode makes of the client's octets, of
 * the server's, and of a hole among the client's. The third part, what a reply
 * does, is in smtp_server.c.
 */
static const struct {
	smtp_feed_fn *feed[2]; /* by direction */
	void (*lose)(struct smtp_session *, uint64_t, const struct origin *);
} modes[MODES] = {
	[MODE_COMMAND] = { { feed_lines, feed_lines }, lose_lines },
	[MODE_AUTH] = { { feed_lines, feed_lines }, lose_lines },
	[MODE_DATA_WAIT] = { { feed_data_wait, feed_lines }, lose_body },
	[MODE_BODY] = { { smtp_feed_body, feed_lines }, lose_body },
	[MODE_BODY_LOST] = { { feed_lost_body, feed_lines }, lose_body },
	[MODE_CHUNK] = { { smtp_feed_chunk, feed_lines }, lose_chunk },
	[MODE_STARTTLS_WAIT] = { { smtp_feed_starttls_wait, feed_lines },
	    lose_lines },
	[MODE_TLS_NEXT] = { { smtp_feed_tls_next, feed_lines },
	    lose_client_hello },
	[MODE_TLS] = { { smtp_feed_tls, smtp_feed_tls }, NULL },
	[MODE_OPAQUE] = { { feed_opaque, feed_opaque }, NULL },
	[MODE_LOST] = { { feed_lines, feed_lines }, lose_lines },
};

static enum interest
interest_of(const struct smtp_session *s)
{
	if (s->mode == MODE_OPAQUE)
		return INTEREST_OPAQUE;
	return s->negotiated ? INTEREST_BYTES : INTEREST_NEGOTIATION;
}

enum interest
smtp_session_feed(struct smtp_session *s, enum dir dir, struct slice bytes,
    const struct origin *at)
{
	struct origin where;

	s->recognised |= s->flow.on_mail_port;
	s->seen[dir] = true;
	while (bytes.len > 0) {
		size_t n;

		if (!s->recognised &&
		    (dir == TO_SERVER ? !s->greeted :
					!greeting_may_follow(s, bytes)))
			return INTEREST_NONE;
		n = modes[s->mode].feed[dir](s, dir, bytes, at);
		bytes = slice_after(bytes, n);
		if (n > 0 && bytes.len > 0) {
			if (at != &where)
				where = *at;
			where.stream_offset += n;
			at = &where;
		}
		/* The client's first line was none of SMTP's. */
		if (!s->recognised && dir == TO_SERVER &&
		    s->partial[TO_SERVER].length == 0)
			return INTEREST_NONE;
	}
	return interest_of(s);
}

/* Pending answers cannot be counted any more: what was asked last is what is
 * answered next, for hardly anybody waits for more. */
static void
gap_in_server(struct smtp_session *s, const struct origin *at)
{
	enum verb last = smtp_pending_last(s);
	struct origin where = *at;

	smtp_give_partial(s, TO_CLIENT);
	s->partial[TO_CLIENT].after_gap = true;
	s->reply_line = 0;
	s->unmatched = 0;
	s->pending_used = 0;
	/* The answer to DATA may be what is missing. */
	if (s->mode == MODE_DATA_WAIT) {
		where.stream_offset = 0;
		lose_body(s, 0, &where);
		return;
	}
	if (last != VERB_NONE)
		smtp_pending_push(s, last);
	s->pending_unsure = true;
}

enum interest
smtp_session_gap(struct smtp_session *s, enum dir dir, uint64_t missing,
    bool snapped, const struct origin *at)
{
	struct fact fact = { .code = FACT_GAP,
		.dir = (uint8_t)dir,
		.extent = missing };

	s->recognised |= s->flow.on_mail_port;
	if (!s->recognised && !s->greeted)
		return INTEREST_NONE;
	if (s->mode == MODE_OPAQUE) {
		s->opaque[dir].bytes += missing;
		s->opaque[dir].lost = true;
		return INTEREST_OPAQUE;
	}
	s->log->observability |=
	    (uint16_t)((dir == TO_SERVER ? OBS_GAP_TO_SERVER :
					   OBS_GAP_TO_CLIENT) |
		(snapped ? OBS_SNAPLEN : 0));
	smtp_say(s, &fact, slice_of(NULL, 0), at);
	if (s->mode == MODE_TLS) {
		if (s->partial[dir].length > 0) { /* a line among records */
			smtp_give_partial(s, dir);
			s->partial[dir].after_gap = true;
		} else {
			tls_gap(s->tls, dir, missing);
		}
	} else if (dir == TO_SERVER) {
		smtp_digest_drop(s);
		modes[s->mode].lose(s, missing, at);
	} else {
		gap_in_server(s, at);
	}
	return interest_of(s);
}

/* --- the end ------------------------------------------------------------- */

static void
say_opaque(struct smtp_session *s, enum dir dir, const struct origin *at)
{
	struct opaque *o = &s->opaque[dir];
	struct fact fact = { .code = FACT_OPAQUE_END,
		.dir = (uint8_t)dir,
		.extent = o->bytes,
		.value = o->lost ? 0 : o->last_type };

	smtp_say(s, &fact, slice_of(NULL, 0), at);
}

void
smtp_session_close(struct smtp_session *s, enum ending ending, enum dir who,
    const struct origin *at)
{
	struct fact closed = { .code = FACT_CLOSED,
		.dir = (uint8_t)who,
		.value = ending };

	if (ending == ENDING_EVICTED)
		s->log->observability |= OBS_EVICTED;
	if (s->recognised) {
		/* Another STARTTLS may wait behind the first. */
		while (s->mode == MODE_STARTTLS_WAIT &&
		    s->partial[TO_SERVER].length > 0) {
			s->mode = MODE_COMMAND;
			smtp_release_waiting(s, at);
		}
		smtp_say_unfinished(s, TO_SERVER, at);
		smtp_say_unfinished(s, TO_CLIENT, at);
		if (s->body_bytes > 0)
			smtp_body_end(s, at);
	}
	smtp_digest_drop(s);
	smtp_give_partial(s, TO_SERVER);
	smtp_give_partial(s, TO_CLIENT);
	for (int dir = 0; s->recognised && dir < 2; dir++) {
		struct fact acked = { .code = FACT_ACKNOWLEDGED,
			.dir = (uint8_t)dir };
		struct origin where = *at;

		if (s->mode == MODE_OPAQUE)
			say_opaque(s, (enum dir)dir, at);
		where.stream_offset = s->log->acked[dir];
		smtp_say(s, &acked, slice_of(NULL, 0), &where);
	}
	tls_close(s->tls, s->log);
	s->tls = NULL;
	if (!s->recognised)
		return;
	smtp_say(s, &closed, slice_of(NULL, 0), at);
	s->ending = (uint8_t)ending;
}

void
smtp_session_publish(struct smtp_session *s)
{
	if (s->recognised)
		fact_log_publish(s->log,
		    s->ending == ENDING_FIN || s->ending == ENDING_RST ||
			    s->ending == ENDING_REUSED ?
			DECISION_CLOSED :
			DECISION_EXPIRED);
}
