#include "smtp.h"

#include <ctype.h>

#include "redact.h"
#include "smtp_session.h"

#define MAILS_DETAILED 16
#define EXTRA_KEPT_BYTES 256

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

bool
smtp_terse(const struct smtp_session *s)
{
	return s->mails > MAILS_DETAILED;
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
smtp_recognise(struct smtp_session *s, const struct origin *at)
{
	(void)at;
	s->recognised = true;
}

/* Off the mail ports: a greeting that says SMTP, or else the client's EHLO
 * will tell; anything but a greeting is another protocol. */
static bool
greeting_may_follow(const struct smtp_session *s, struct slice bytes)
{
	static const char *const codes[] = { "220", "554", "421" };

	if (s->greeted || s->partial[TO_CLIENT].have > 0)
		return true;
	for (size_t i = 0; i < 3; i++)
		if (memcmp(bytes.ptr, codes[i], bytes.len < 3 ? bytes.len : 3) ==
		    0)
			return true;
	return false;
}

static bool
says_smtp(struct slice line)
{
	for (size_t i = 0; i + 4 <= line.len; i++)
		if (slice_equal_nocase(slice_of(line.ptr + i, 4),
			slice_str("SMTP")))
			return true;
	return false;
}

/* --- lines ------------------------------------------------------------------------ */

static void
give_partial(struct smtp_session *s, enum dir dir)
{
	struct partial *p = &s->partial[dir];

	fact_pool_give(s->log->pool, p->bytes, FACT_LINE_MAX_BYTES);
	p->bytes = NULL;
	p->have = 0;
	p->length = 0;
}

static void
take_line(struct smtp_session *s, enum dir dir, struct slice line,
    uint64_t extent, uint16_t flags, uint64_t offset, const struct origin *at)
{
	struct origin where = *at;

	where.stream_offset = offset;
	if (!(flags & FACT_UNFINISHED)) {
		if (line.len > 0 && line.ptr[line.len - 1] == '\r')
			line.len--;
		else if (!(flags & FACT_CUT))
			flags |= FACT_BARE_LF;
	}
	if (dir == TO_CLIENT && !s->recognised && says_smtp(line))
		smtp_recognise(s, at);
	if (dir == TO_SERVER)
		smtp_client_line(s, line, extent, flags, &where);
	else
		smtp_server_line(s, line, extent, flags, &where);
}

/* Keeps what came of a line until the rest of it does. */
static void
keep_partial(struct smtp_session *s, enum dir dir, struct slice bytes,
    uint64_t offset)
{
	struct partial *p = &s->partial[dir];

	if (p->length == 0)
		p->offset = offset;
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
static size_t
feed_line(struct smtp_session *s, enum dir dir, struct slice bytes,
    uint64_t offset, const struct origin *at)
{
	struct partial *p = &s->partial[dir];
	const uint8_t *lf = memchr(bytes.ptr, '\n', bytes.len);
	size_t n = lf == NULL ? bytes.len : (size_t)(lf - bytes.ptr) + 1;
	struct slice line = slice_of(bytes.ptr, n - 1);

	if (p->skipping) {
		p->skipping = lf == NULL;
		return n;
	}
	if (lf == NULL) {
		keep_partial(s, dir, bytes, offset);
		return n;
	}
	if (p->length == 0) {
		take_line(s, dir, line, n,
		    line.len > FACT_LINE_MAX_BYTES ? FACT_CUT : 0, offset, at);
		return n;
	}
	keep_partial(s, dir, line, offset);
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

/* --- TLS ---------------------------------------------------------------------------- */

static void
enter_tls(struct smtp_session *s, const struct origin *at)
{
	if (s->tls == NULL)
		s->tls = tls_open(s->log);
	s->mode = s->tls == NULL ? MODE_OPAQUE : MODE_TLS;
	if (s->tls == NULL)
		s->log->observability |= OBS_OVER_LIMIT;
	(void)at;
}

static void
established(struct smtp_session *s, enum dir dir, const struct origin *at)
{
	struct fact fact = { .code = FACT_TLS_ESTABLISHED,
		.dir = (uint8_t)dir };

	s->established = s->negotiated = true;
	for (int d = 0; d < 2; d++)
		s->opaque[d].left = tls_record_left(s->tls, (enum dir)d);
	tls_close(s->tls, s->log);
	s->tls = NULL;
	s->mode = MODE_OPAQUE;
	smtp_say(s, &fact, slice_of(NULL, 0), at);
	fact_log_publish(s->log, DECISION_HANDSHAKE_ENDED);
}

static size_t
feed_tls(struct smtp_session *s, enum dir dir, struct slice bytes,
    const struct origin *at)
{
	size_t taken = 0;

	switch (tls_feed(s->tls, s->log, dir, bytes, at, &taken)) {
	case TLS_ESTABLISHED:
		established(s, dir, at);
		break;
	case TLS_NOT_TLS:
		/* Clear text again: a refusal, or a fallback on the same
		 * connection. The other side's next octets tell for it. */
		if (dir == TO_SERVER)
			s->mode = MODE_COMMAND;
		if (taken < bytes.len)
			taken += feed_line(s, dir, slice_after(bytes, taken),
			    at->stream_offset + taken, at);
		break;
	case TLS_HANDSHAKE:
		break;
	}
	return taken;
}

/* Walks record headers; contents are nobody's business. */
static void
count_records(struct opaque *o, struct slice bytes)
{
	o->bytes += bytes.len;
	while (bytes.len > 0 && !o->lost) {
		size_t n = bytes.len < o->left ? bytes.len : o->left;

		o->left -= (uint32_t)n;
		bytes = slice_after(bytes, n);
		while (bytes.len > 0 && o->left == 0 && !o->lost) {
			o->header[o->have++] = bytes.ptr[0];
			bytes = slice_after(bytes, 1);
			o->lost = !tls_looks_like_record(slice_of(o->header,
			    o->have < 3 ? o->have : 3));
			if (o->have < sizeof(o->header))
				continue;
			o->last_type = o->header[0];
			o->left = (uint32_t)o->header[3] << 8 | o->header[4];
			o->have = 0;
		}
	}
}

/* --- what waits for a reply ----------------------------------------------------------- */

static void
say_extra(struct smtp_session *s, enum dir dir, struct slice bytes,
    uint64_t offset, const struct origin *at)
{
	uint8_t copy[EXTRA_KEPT_BYTES];
	struct fact fact = { .code = FACT_EXTRA_BYTES, .dir = (uint8_t)dir,
		.extent = bytes.len };
	struct slice kept = slice_first(bytes, sizeof(copy));
	const uint8_t *end = memchr(kept.ptr, '\n', kept.len);
	struct origin where = *at;

	/* The first line shows what it is. */
	if (end != NULL)
		kept.len = (size_t)(end - kept.ptr);
	if (kept.len > 0 && kept.ptr[kept.len - 1] == '\r')
		kept.len--;
	if (kept.len > 0)
		memcpy(copy, kept.ptr, kept.len);
	if (dir == TO_SERVER ?
		redact_command(copy, kept.len, smtp_verb(kept),
		    s->options->keep_addresses) :
		redact_reply(copy, kept.len, VERB_NONE,
		    s->options->keep_addresses))
		fact.flags |= FACT_REDACTED;
	where.stream_offset = offset;
	smtp_say(s, &fact, slice_of(copy, kept.len), &where);
}

/* Feeds what waited as what the reply has made of it. */
void
smtp_release_waiting(struct smtp_session *s, const struct origin *at)
{
	struct partial *p = &s->partial[TO_SERVER];
	struct partial waited = *p;
	struct origin where = *at;

	if (p->length == 0)
		return;
	*p = (struct partial){ 0 };
	where.stream_offset = waited.offset;
	if (s->mode == MODE_TLS_NEXT && waited.have > 0 &&
	    !tls_looks_like_record(slice_of(waited.bytes, waited.have)))
		say_extra(s, TO_SERVER, slice_of(waited.bytes, waited.have),
		    waited.offset, at);
	else if (waited.have > 0)
		smtp_session_feed(s, TO_SERVER,
		    slice_of(waited.bytes, waited.have), &where);
	fact_pool_give(s->log->pool, waited.bytes, FACT_LINE_MAX_BYTES);
}

/* DATA is unanswered. Octets wait; more than fit can only be a message. */
static size_t
feed_data_wait(struct smtp_session *s, struct slice bytes, uint64_t offset,
    const struct origin *at)
{
	struct partial *p = &s->partial[TO_SERVER];

	if (at->one_sided ||
	    p->length + bytes.len > FACT_LINE_MAX_BYTES) {
		s->mode = MODE_BODY;
		smtp_release_waiting(s, at);
		return 0;
	}
	keep_partial(s, TO_SERVER, bytes, offset);
	return bytes.len;
}

static size_t
feed_starttls_wait(struct smtp_session *s, struct slice bytes,
    uint64_t offset, const struct origin *at)
{
	struct partial *p = &s->partial[TO_SERVER];

	if (p->length == 0 && tls_looks_like_record(bytes)) {
		enter_tls(s, at);
		return 0;
	}
	if (at->one_sided || p->length + bytes.len > FACT_LINE_MAX_BYTES) {
		s->mode = MODE_COMMAND;
		smtp_release_waiting(s, at);
		return 0;
	}
	keep_partial(s, TO_SERVER, bytes, offset);
	return bytes.len;
}

/* After a 220 to STARTTLS: RFC 3207 4, the next octets are a ClientHello. */
static size_t
feed_tls_next(struct smtp_session *s, struct slice bytes, uint64_t offset,
    const struct origin *at)
{
	struct fact fact = { .code = FACT_NOT_TLS, .dir = TO_SERVER };
	struct origin where = *at;

	if (tls_looks_like_record(bytes)) {
		enter_tls(s, at);
		return 0;
	}
	where.stream_offset = offset;
	fact.extent = bytes.len;
	smtp_say(s, &fact, slice_of(NULL, 0), &where);
	s->mode = MODE_COMMAND;
	fact_log_publish(s->log, DECISION_AFTER_220);
	return 0;
}

/* --- octets come ------------------------------------------------------------------------- */

/* A ClientHello where a command should be. */
static bool
is_unasked_tls(const struct smtp_session *s, enum dir dir, struct slice bytes)
{
	return s->partial[dir].length == 0 && !s->partial[dir].skipping &&
	    bytes.ptr[0] >= 20 && bytes.ptr[0] <= 23 &&
	    tls_looks_like_record(bytes);
}

static void
meet_unasked_tls(struct smtp_session *s, enum dir dir,
    const struct origin *at)
{
	if (!s->greeted && s->pending_used == 0 && !s->ehlo_answered) {
		struct fact fact = { .code = FACT_IMPLICIT_TLS,
			.dir = (uint8_t)dir };

		s->implicit = true;
		smtp_say(s, &fact, slice_of(NULL, 0), at);
	}
	enter_tls(s, at);
	/* Midstream, the handshake is over: there is nothing to read. */
	if (s->implicit && s->midstream) {
		tls_close(s->tls, s->log);
		s->tls = NULL;
		s->mode = MODE_OPAQUE;
	}
}

static size_t
feed_client(struct smtp_session *s, struct slice bytes, uint64_t offset,
    const struct origin *at)
{
	struct origin where = *at;

	where.stream_offset = offset;
	switch (s->mode) {
	case MODE_BODY:
		return smtp_body(s, bytes, &where);
	case MODE_BODY_LOST:
		s->body_bytes += bytes.len;
		return bytes.len;
	case MODE_CHUNK:
		return smtp_chunk(s, bytes, &where);
	case MODE_DATA_WAIT:
		return feed_data_wait(s, bytes, offset, &where);
	case MODE_STARTTLS_WAIT:
		return feed_starttls_wait(s, bytes, offset, &where);
	case MODE_TLS_NEXT:
		return feed_tls_next(s, bytes, offset, &where);
	case MODE_TLS:
		return feed_tls(s, TO_SERVER, bytes, &where);
	case MODE_OPAQUE:
		count_records(&s->opaque[TO_SERVER], bytes);
		return bytes.len;
	default:
		if (is_unasked_tls(s, TO_SERVER, bytes)) {
			meet_unasked_tls(s, TO_SERVER, &where);
			return 0;
		}
		return feed_line(s, TO_SERVER, bytes, offset, &where);
	}
}

static size_t
feed_server(struct smtp_session *s, struct slice bytes, uint64_t offset,
    const struct origin *at)
{
	struct origin where = *at;

	where.stream_offset = offset;
	if (s->mode == MODE_OPAQUE) {
		count_records(&s->opaque[TO_CLIENT], bytes);
		return bytes.len;
	}
	if (s->mode == MODE_TLS)
		return feed_tls(s, TO_CLIENT, bytes, &where);
	if (is_unasked_tls(s, TO_CLIENT, bytes)) {
		meet_unasked_tls(s, TO_CLIENT, &where);
		return 0;
	}
	/* RFC 3207 4: behind the 220 the server waits for the ClientHello. */
	if (s->mode == MODE_TLS_NEXT && s->partial[TO_CLIENT].length == 0) {
		say_extra(s, TO_CLIENT, bytes, offset, at);
		return bytes.len;
	}
	return feed_line(s, TO_CLIENT, bytes, offset, &where);
}

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
	uint64_t offset = at->stream_offset;

	if (s->flow.on_mail_port && !s->recognised)
		smtp_recognise(s, at);
	if (!s->recognised &&
	    (dir == TO_SERVER ? !s->greeted : !greeting_may_follow(s, bytes)))
		return INTEREST_NONE;
	s->seen[dir] = true;
	while (bytes.len > 0) {
		size_t n = dir == TO_SERVER ?
		    feed_client(s, bytes, offset, at) :
		    feed_server(s, bytes, offset, at);

		offset += n;
		bytes = slice_after(bytes, n);
	}
	/* The client's first line was none of SMTP's. */
	if (!s->recognised && dir == TO_SERVER &&
	    s->partial[TO_SERVER].length == 0)
		return INTEREST_NONE;
	return interest_of(s);
}

/* Pending answers cannot be counted any more: what was asked last is what is
 * answered next, for nobody waits for more. */
static void
resynchronise(struct smtp_session *s, enum dir dir)
{
	enum verb last = VERB_NONE;

	if (s->pending_used > 0)
		last = (enum verb)s->pending[(s->pending_first +
			s->pending_used - 1u) % PENDING_VERBS].verb;
	s->pending_used = 0;
	s->reply_line = 0;
	if (dir == TO_CLIENT && last != VERB_NONE)
		smtp_pending_push(s, last);
}

static void
gap_in_client(struct smtp_session *s, uint64_t missing)
{
	switch (s->mode) {
	case MODE_BODY:
	case MODE_DATA_WAIT:
		s->mode = MODE_BODY_LOST;
		s->body_bytes += missing;
		s->log->observability |= OBS_LOST_SYNC;
		give_partial(s, TO_SERVER);
		return;
	case MODE_BODY_LOST:
		s->body_bytes += missing;
		return;
	case MODE_CHUNK:
		if (missing < s->chunk_left) {
			s->chunk_left -= missing;
			s->body_bytes += missing;
			return;
		}
		missing -= s->chunk_left;
		s->chunk_left = 0;
		s->mode = MODE_COMMAND;
		if (missing == 0)
			return;
		break;
	default:
		break;
	}
	give_partial(s, TO_SERVER);
	s->partial[TO_SERVER].skipping = true;
	resynchronise(s, TO_SERVER);
}

enum interest
smtp_session_gap(struct smtp_session *s, enum dir dir, uint64_t missing,
    bool snapped, const struct origin *at)
{
	struct fact fact = { .code = FACT_GAP, .dir = (uint8_t)dir,
		.extent = missing };

	if (s->flow.on_mail_port && !s->recognised)
		smtp_recognise(s, at);
	if (!s->recognised && !s->greeted)
		return INTEREST_NONE;
	if (s->mode == MODE_OPAQUE) {
		s->opaque[dir].bytes += missing;
		s->opaque[dir].lost = true;
		return INTEREST_OPAQUE;
	}
	s->log->observability |= (uint16_t)((dir == TO_SERVER ?
		OBS_GAP_TO_SERVER : OBS_GAP_TO_CLIENT) |
	    (snapped ? OBS_SNAPLEN : 0));
	smtp_say(s, &fact, slice_of(NULL, 0), at);
	if (s->mode == MODE_TLS) {
		tls_gap(s->tls, dir);
	} else if (dir == TO_SERVER) {
		gap_in_client(s, missing);
	} else {
		give_partial(s, TO_CLIENT);
		s->partial[TO_CLIENT].skipping = true;
		resynchronise(s, TO_CLIENT);
	}
	return interest_of(s);
}

/* --- the end ---------------------------------------------------------------------------------- */

/* A line that never ended is told as far as it went. */
static void
say_unfinished(struct smtp_session *s, enum dir dir, const struct origin *at)
{
	struct partial p = s->partial[dir];

	s->partial[dir] = (struct partial){ 0 };
	if (p.have > 0 && s->mode != MODE_TLS && s->mode != MODE_OPAQUE &&
	    s->mode != MODE_DATA_WAIT && !p.skipping)
		take_line(s, dir, slice_of(p.bytes, p.have), p.length,
		    FACT_UNFINISHED, p.offset, at);
	fact_pool_give(s->log->pool, p.bytes, FACT_LINE_MAX_BYTES);
}

static void
say_opaque(struct smtp_session *s, enum dir dir, const struct origin *at)
{
	struct opaque *o = &s->opaque[dir];
	struct fact fact = { .code = FACT_OPAQUE_END, .dir = (uint8_t)dir,
		.extent = o->bytes, .value = o->lost ? 0 : o->last_type };

	smtp_say(s, &fact, slice_of(NULL, 0), at);
}

void
smtp_session_close(struct smtp_session *s, enum ending ending, enum dir who,
    const struct origin *at)
{
	struct fact closed = { .code = FACT_CLOSED, .dir = (uint8_t)who,
		.value = ending };

	if (ending == ENDING_EVICTED)
		s->log->observability |= OBS_EVICTED;
	if (s->recognised) {
		say_unfinished(s, TO_SERVER, at);
		say_unfinished(s, TO_CLIENT, at);
		if (s->body_bytes > 0)
			smtp_body_end(s, at);
	}
	give_partial(s, TO_SERVER);
	give_partial(s, TO_CLIENT);
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
	fact_log_publish(s->log,
	    ending == ENDING_FIN || ending == ENDING_RST ||
		    ending == ENDING_REUSED ?
		DECISION_CLOSED :
		DECISION_EXPIRED);
}
