/* STARTTLS and what comes after it: extra octets, TLS, records counted. */
#include "smtp_session.h"

#include "redact.h"

#define EXTRA_KEPT_BYTES 256

/* What stands where TLS should begin; its first line shows what it is. */
void
smtp_say_extra(struct smtp_session *s, enum dir dir, struct slice bytes,
    uint64_t extent, uint16_t flags, const struct origin *at)
{
	uint8_t copy[EXTRA_KEPT_BYTES];
	struct fact fact = { .code = FACT_EXTRA_BYTES,
		.dir = (uint8_t)dir,
		.flags = flags,
		.extent = extent };
	struct slice kept = slice_first(bytes, sizeof(copy));
	const uint8_t *end = kept.len > 0 ? memchr(kept.ptr, '\n', kept.len) :
					    NULL;
	unsigned how;

	if (end != NULL)
		kept.len = (size_t)(end - kept.ptr);
	if (kept.len > 0 && kept.ptr[kept.len - 1] == '\r')
		kept.len--;
	if (kept.len > 0)
		memcpy(copy, kept.ptr, kept.len);
	how = smtp_redaction(s, flags);
	if (end == NULL && (dir == TO_SERVER || bytes.len > sizeof(copy)))
		how |= REDACT_OPEN_END;
	if (dir == TO_SERVER ?
		redact_command(copy, kept.len, smtp_verb(kept), how) :
		redact_reply(copy, kept.len, VERB_NONE, how))
		fact.flags |= FACT_REDACTED;
	smtp_say(s, &fact, slice_of(copy, kept.len), at);
}

/* TLS begins; the first octets of its record may have waited as a line. */
void
smtp_begin_tls(struct smtp_session *s, enum dir dir, const struct origin *at)
{
	struct partial head = s->partial[dir];
	struct origin where = *at;

	s->partial[dir] = (struct partial){ 0 };
	if (s->mode == MODE_TLS_NEXT)
		smtp_say_unfinished(s, TO_CLIENT, at);
	/* A reply in clear may have ended an earlier handshake. */
	tls_close(s->tls, s->log);
	s->tls = NULL;
	/* Midstream, the handshake is over: there is nothing to read. */
	s->mode = MODE_OPAQUE;
	if (!(s->implicit && s->midstream)) {
		s->tls = tls_open(s->log);
		if (s->tls != NULL)
			s->mode = MODE_TLS;
		else
			s->log->observability |= OBS_OVER_LIMIT;
	}
	where.stream_offset = head.offset;
	if (head.have > 0)
		smtp_session_feed(s, dir, slice_of(head.bytes, head.have),
		    &where);
	fact_pool_give(s->log->pool, head.bytes, FACT_LINE_MAX_BYTES);
}

/* Clear text again: a refusal, or a fallback on the same connection. */
static void
leave_tls(struct smtp_session *s)
{
	s->partial[TO_SERVER].after_gap = tls_is_lost(s->tls, TO_SERVER);
	tls_close(s->tls, s->log);
	s->tls = NULL;
	s->mode = MODE_COMMAND;
}

static void
established(struct smtp_session *s, enum dir dir, const struct origin *at)
{
	struct fact fact = { .code = FACT_TLS_ESTABLISHED,
		.dir = (uint8_t)dir };

	s->established = s->negotiated = true;
	for (int d = 0; d < 2; d++) {
		struct opaque *o = &s->opaque[d];

		o->left = tls_hand_over(s->tls, (enum dir)d, o->header,
		    &o->have, &o->last_type);
		o->lost = tls_is_lost(s->tls, (enum dir)d);
	}
	tls_close(s->tls, s->log);
	s->tls = NULL;
	s->mode = MODE_OPAQUE;
	smtp_say(s, &fact, slice_of(NULL, 0), at);
	smtp_publish(s, DECISION_HANDSHAKE_ENDED);
}

size_t
smtp_feed_tls(struct smtp_session *s, enum dir dir, struct slice bytes,
    const struct origin *at)
{
	struct origin where = *at;
	size_t taken = 0;

	if (s->partial[dir].length > 0) /* a line among the records */
		return smtp_feed_line(s, dir, bytes, at->stream_offset, at);
	switch (tls_feed(s->tls, s->log, dir, bytes, at, &taken)) {
	case TLS_ESTABLISHED:
		where.stream_offset += taken;
		established(s, dir, &where);
		break;
	case TLS_NOT_TLS:
		/* The other side's next octets tell for it, if it is seen. */
		if (dir == TO_SERVER || tls_is_lost(s->tls, TO_SERVER))
			leave_tls(s);
		else if (taken < bytes.len)
			taken += smtp_feed_line(s, dir,
			    slice_after(bytes, taken),
			    at->stream_offset + taken, at);
		break;
	case TLS_HANDSHAKE:
		break;
	}
	return taken;
}

/* Walks record headers; contents are nobody's business. */
void
smtp_count_records(struct opaque *o, struct slice bytes)
{
	o->bytes += bytes.len;
	while (bytes.len > 0 && !o->lost) {
		size_t n = bytes.len < o->left ? bytes.len : o->left;

		o->left -= (uint32_t)n;
		bytes = slice_after(bytes, n);
		while (bytes.len > 0 && o->left == 0 && !o->lost) {
			o->header[o->have++] = bytes.ptr[0];
			bytes = slice_after(bytes, 1);
			o->lost = !tls_looks_like_record(
			    slice_of(o->header, o->have < 3 ? o->have : 3));
			if (o->have < sizeof(o->header))
				continue;
			o->last_type = o->header[0];
			o->left = (uint32_t)o->header[3] << 8 | o->header[4];
			o->have = 0;
		}
	}
}

/* Do the octets at the start of a line begin a TLS record? PARSE_NEED_MORE:
 * so far they do, and three are needed to tell. */
enum parse
smtp_record_start(const struct smtp_session *s, enum dir dir,
    struct slice bytes)
{
	const struct partial *p = &s->partial[dir];
	uint8_t head[3];
	size_t n;

	/* A line's start, most of the time: its first octet tells. */
	if (p->length == 0 && !tls_looks_like_record(slice_first(bytes, 1)))
		return PARSE_MALFORMED;
	n = smtp_line_head(s, dir, bytes, head);
	if (p->length > 2 || p->length != p->have ||
	    !tls_looks_like_record(slice_of(head, n)))
		return PARSE_MALFORMED;
	return n < 3 ? PARSE_NEED_MORE : PARSE_OK;
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
	*p = (struct partial){ .after_gap = waited.after_gap };
	where.stream_offset = waited.offset;
	where.frame = s->wait_frame;
	where.capture_ts_ns = s->wait_ns;
	if (s->mode == MODE_TLS_NEXT && waited.have > 0 &&
	    !tls_looks_like_record(slice_of(waited.bytes, waited.have)))
		smtp_say_extra(s, TO_SERVER,
		    slice_of(waited.bytes, waited.have), waited.length, 0,
		    &where);
	else if (waited.have > 0)
		smtp_session_feed(s, TO_SERVER,
		    slice_of(waited.bytes, waited.have), &where);
	fact_pool_give(s->log->pool, waited.bytes, FACT_LINE_MAX_BYTES);
}

size_t
smtp_feed_starttls_wait(struct smtp_session *s, enum dir dir,
    struct slice bytes, const struct origin *at)
{
	struct partial *p = &s->partial[dir];
	enum parse record = smtp_record_start(s, dir, bytes);

	if (record == PARSE_OK) {
		smtp_begin_tls(s, dir, at);
		return 0;
	}
	if (record == PARSE_MALFORMED &&
	    (at->one_sided || p->length + bytes.len > FACT_LINE_MAX_BYTES)) {
		s->mode = MODE_COMMAND;
		smtp_release_waiting(s, at);
		return 0;
	}
	smtp_keep_partial(s, dir, bytes, at->stream_offset, at);
	return bytes.len;
}

/* After a 220 to STARTTLS: RFC 3207 4, the next octets are a ClientHello. */
size_t
smtp_feed_tls_next(struct smtp_session *s, enum dir dir, struct slice bytes,
    const struct origin *at)
{
	struct partial *p = &s->partial[dir];
	struct fact fact = { .code = FACT_NOT_TLS, .dir = (uint8_t)dir };
	struct origin where = *at;

	switch (smtp_record_start(s, dir, bytes)) {
	case PARSE_OK:
		smtp_begin_tls(s, dir, at);
		return 0;
	case PARSE_NEED_MORE:
		smtp_keep_partial(s, dir, bytes, at->stream_offset, at);
		return bytes.len;
	case PARSE_MALFORMED:
		break;
	}
	smtp_say_unfinished(s, TO_CLIENT, at);
	if (p->length > 0)
		where.stream_offset = p->offset;
	smtp_say(s, &fact, slice_of(NULL, 0), &where);
	s->mode = MODE_COMMAND;
	smtp_publish(s, DECISION_AFTER_220);
	return 0;
}

/* A TLS record where a line should be. */
void
smtp_meet_tls(struct smtp_session *s, enum dir dir, const struct origin *at)
{
	const struct partial *p = &s->partial[dir];
	struct fact fact = { .code = FACT_IMPLICIT_TLS, .dir = (uint8_t)dir };
	struct origin where = *at;

	smtp_body_end(s, at); /* where a server's record comes into one */
	if (!s->greeted && s->pending_used == 0 && !s->ehlo_answered) {
		s->implicit = true;
		if (p->length > 0)
			where.stream_offset = p->offset;
		smtp_say(s, &fact, slice_of(NULL, 0), &where);
	}
	smtp_begin_tls(s, dir, at);
}
