/* STARTTLS's answer, TLS as far as it is in the clear, and the end. */
#include <ctype.h>
#include <stdio.h>

#include "ehlo.h"
#include "session_fold.h"

#define RANDOM_BYTES 32
/* RFC 8446 4.1.3: the last eight octets of the server's random. */
#define SENTINEL_TEXT "DOWNGRD"
#define SENTINEL_TEXT_BYTES 7

void
session_place(struct placed_text *out, const struct fact *fact,
    struct slice bytes)
{
	out->frame = fact->frame;
	out->stream_offset = fact->stream_offset;
	out->capture_ts_ns = fact->capture_ts_ns;
	out->capture = fact->capture;
	session_show(fact, bytes, out->text, sizeof(out->text));
}

void
session_fold_starttls_reply(struct session *s, const struct fact *fact,
    struct slice bytes)
{
	s->starttls_code = (uint16_t)fact->value;
	s->starttls_frame = fact->frame;
	session_place(&s->starttls_answer, fact, bytes);
}

static enum sentinel
sentinel_of(struct slice random)
{
	const uint8_t *end;

	if (random.len != RANDOM_BYTES)
		return SENTINEL_NONE;
	end = random.ptr + RANDOM_BYTES - 8;
	if (memcmp(end, SENTINEL_TEXT, SENTINEL_TEXT_BYTES) != 0)
		return SENTINEL_NONE;
	return end[SENTINEL_TEXT_BYTES] == 0 ? SENTINEL_TLS11 :
	    end[SENTINEL_TEXT_BYTES] == 1    ? SENTINEL_TLS12 :
					       SENTINEL_NONE;
}

static void
fold_hello(struct session *s, const struct fact *fact, struct slice bytes)
{
	if (fact->code == FACT_TLS_CLIENT_HELLO) {
		s->client_hello = true;
		s->tls_offered = (uint16_t)fact->value;
		s->client_hello_offset = fact->stream_offset;
		return;
	}
	s->server_hello = true;
	s->tls_version = (uint16_t)fact->value;
	s->sentinel = sentinel_of(bytes);
	session_place(&s->server_hello_place, fact, slice_first(bytes, 0));
}

static void
fold_alert(struct session *s, const struct fact *fact)
{
	if (s->alert)
		return;
	s->alert = true;
	s->alert_dir = fact->dir;
	s->alert_description = (uint8_t)fact->value;
}

static void
fold_name(struct session *s, struct slice bytes)
{
	size_t n = 0;

	for (; n < bytes.len && n + 1 < sizeof(s->sni); n++)
		s->sni[n] = isprint(bytes.ptr[n]) ? (char)bytes.ptr[n] : '?';
	s->sni[n] = '\0';
}

void
session_fold_tls(struct session *s, const struct fact *fact, struct slice bytes)
{
	switch (fact->code) {
	case FACT_TLS_CLIENT_HELLO:
	case FACT_TLS_SERVER_HELLO:
		fold_hello(s, fact, bytes);
		break;
	case FACT_TLS_SNI:
		fold_name(s, bytes);
		break;
	case FACT_TLS_CERTIFICATE:
		session_fold_certificate(s, fact, bytes);
		break;
	case FACT_TLS_ALERT:
		fold_alert(s, fact);
		break;
	case FACT_TLS_ESTABLISHED:
		s->tls_established = true;
		break;
	case FACT_IMPLICIT_TLS:
		s->implicit_tls = true;
		break;
	case FACT_NOT_TLS:
		s->not_tls = true;
		break;
	case FACT_OPAQUE_END:
		s->opaque_bytes[fact->dir] += fact->extent;
		break;
	default:
		break;
	}
}

void
session_fold_closed(struct session *s, const struct fact *fact,
    struct slice bytes)
{
	s->closed = true;
	s->ending = (uint8_t)fact->value;
	s->closed_dir = fact->dir;
	session_place(&s->end, fact, bytes);
}

/*
 * EHLO, MAIL, RCPT, DATA, a message with its header, and QUIT, in records that
 * cost 22 octets each: no delivery is shorter.
 */
#define MAIL_IN_TLS_MIN_BYTES 250

/* Without them an answer may be another command's. */
#define OBS_MISSING \
	(OBS_GAP_TO_SERVER | OBS_GAP_TO_CLIENT | OBS_LOST_SYNC | OBS_MIDSTREAM)

bool
session_starttls_refused(const struct session *s)
{
	return s->offered && s->starttls_sent && !s->starttls_argument &&
	    s->starttls_code != 0 && s->starttls_code != 220 &&
	    !s->tls_established && !(s->observability & OBS_MISSING);
}

/* Was it cut, and not ended by the client as one that is done ends it? */
static bool
was_cut(const struct session *s)
{
	return s->ending != ENDING_FIN || s->closed_dir == TO_CLIENT;
}

bool
session_tls_broken(const struct session *s)
{
	if (!s->offered || !s->starttls_sent || s->starttls_code != 220 ||
	    !s->closed || s->ending == ENDING_EVICTED ||
	    s->observability & OBS_MISSING)
		return false;
	return s->tls_established ?
	    s->opaque_bytes[TO_SERVER] < MAIL_IN_TLS_MIN_BYTES && was_cut(s) :
	    s->client_hello || (was_cut(s) && !s->mail_tried_clear);
}

bool
session_ehlo_cut(const struct session *s)
{
	return s->ehlo_sent && s->ehlo_answers == 0 && s->closed &&
	    (s->ending == ENDING_RST ||
		(s->ending == ENDING_FIN && s->closed_dir == TO_CLIENT)) &&
	    !s->quit_sent && !s->observability && s->greeting_code == 220;
}

bool
session_starttls_failed(const struct session *s)
{
	return session_starttls_refused(s) || session_tls_broken(s);
}
