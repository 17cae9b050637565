#include "session.h"

#include <ctype.h>
#include <stdio.h>

#include "ehlo.h"
#include "session_fold.h"

void
session_init(struct session *s, uint64_t handle)
{
	memset(s, 0, offsetof(struct session, greeting));
	s->greeting[0] = s->greeting_name[0] = s->helo[0] = s->sni[0] = '\0';
	s->queue_id[0] = s->mail_from[0] = '\0';
	s->handle = handle;
}

/* Printable ASCII only: texts of sessions are shown and stored. */
static void
keep_text(char *out, size_t room, struct slice in)
{
	size_t n = 0;

	for (size_t i = 0; i < in.len && n + 1 < room; i++)
		out[n++] = isprint(in.ptr[i]) ? (char)in.ptr[i] : '?';
	out[n] = '\0';
}

static struct slice
first_word(struct slice text)
{
	size_t n = 0;

	while (n < text.len && text.ptr[n] == ' ')
		n++;
	text = slice_after(text, n);
	for (n = 0; n < text.len && text.ptr[n] != ' ';)
		n++;
	return slice_first(text, n);
}

static void
fold_opened(struct session *s, const struct fact *fact, struct slice bytes)
{
	flow_identity_decode(bytes, &s->flow);
	s->capture = fact->capture;
}

static void
fold_greeting(struct session *s, const struct fact *fact, struct slice bytes)
{
	struct slice text = slice_after(bytes, 4);

	session_keep_greeting(s, fact, bytes);
	s->greeted = true;
	s->greeted_first |= fact->stream_offset == 0 && fact->value == 220;
	s->greeting_code = (uint16_t)fact->value;
	if (fact->line <= 1) {
		struct slice name = first_word(text);

		/* `220 ESMTP ready` names nobody. */
		if (memchr(name.ptr, '.', name.len) != NULL)
			keep_text(s->greeting_name, sizeof(s->greeting_name),
			    name);
	}
	keep_text(s->greeting, sizeof(s->greeting), text);
}

/* --- commands ------------------------------------------------------------ */

/*
 * The recipient's domain, lower case, without final dot; empty for a literal,
 * for <Postmaster>, and for what is no LDH name. RFC 5321 4.1.2: a source
 * route is to be ignored, so the last `@` of the path decides.
 */
static void
rcpt_domain(struct slice command, char out[DOMAIN_TEXT_BYTES])
{
	const uint8_t *open = memchr(command.ptr, '<', command.len);
	size_t end, at = SIZE_MAX, n = 0;

	out[0] = '\0';
	if (open != NULL)
		command =
		    slice_after(command, (size_t)(open - command.ptr) + 1);
	for (end = 0; end < command.len && command.ptr[end] != '>'; end++) {
		if (open == NULL && at != SIZE_MAX && command.ptr[end] == ' ')
			break;
		if (command.ptr[end] == '@')
			at = end;
	}
	if (at == SIZE_MAX)
		return;
	for (size_t i = at + 1; i < end && n + 1 < DOMAIN_TEXT_BYTES; i++) {
		uint8_t c = command.ptr[i];

		if (!isalnum(c) && c != '-' && c != '.' && c != '_') {
			out[0] = '\0';
			return;
		}
		out[n++] = (char)tolower(c);
	}
	if (n > 0 && out[n - 1] == '.')
		n--;
	out[n] = '\0';
}

/* "<a@example.org>". False: without brackets or an address, or its local part
 * was blanked. */
static bool
kept_path(struct slice command, char out[PATH_TEXT_BYTES])
{
	const uint8_t *open = memchr(command.ptr, '<', command.len), *close;
	struct slice path;

	if (open == NULL)
		return false;
	path = slice_after(command, (size_t)(open - command.ptr));
	close = memchr(path.ptr, '>', path.len);
	if (close == NULL)
		return false;
	path = slice_first(path, (size_t)(close - path.ptr) + 1);
	if (path.len >= PATH_TEXT_BYTES ||
	    memchr(path.ptr, '@', path.len) == NULL ||
	    memchr(path.ptr, REDACTED_OCTET, path.len) != NULL)
		return false;
	keep_text(out, PATH_TEXT_BYTES, path);
	return true;
}

/* A new EHLO makes what was offered before void (RFC 5321 4.1.4); what the
 * last answer said stays known until there is another one. */
static void
fold_hello(struct session *s, uint8_t verb, struct slice bytes)
{
	struct slice name = first_word(slice_after(bytes, 4));

	keep_text(s->helo, sizeof(s->helo), name);
	if (verb != VERB_EHLO) {
		s->helo_sent = true;
		return;
	}
	s->ehlo_sent = s->ehlo_asked_again = true;
	s->ehlo_answered = s->ehlo_complete = false;
}

static void
fold_command(struct session *s, const struct fact *fact, struct slice bytes)
{
	unsigned slot;

	session_keep_command(s, fact, bytes);
	switch (fact->about) {
	case VERB_EHLO:
	case VERB_HELO:
		if (fact->about == VERB_EHLO)
			s->ehlo_offset = fact->stream_offset;
		fold_hello(s, fact->about, bytes);
		break;
	case VERB_STARTTLS:
		s->starttls_sent = true;
		s->starttls_offset = fact->stream_offset;
		s->starttls_unoffered = s->ehlo_complete && !s->offered;
		s->starttls_argument =
		    first_word(slice_after(bytes, strlen("STARTTLS"))).len > 0;
		break;
	case VERB_MAIL:
		s->mail_tried_clear = true;
		if (s->mail_from[0] == '\0')
			kept_path(bytes, s->mail_from);
		break;
	case VERB_RCPT:
		if (s->rcpt_count < INCIDENT_RCPTS_MAX &&
		    kept_path(bytes, s->rcpt_to[s->rcpt_count]))
			s->rcpt_count++;
		if (s->pending_count == PENDING_RCPT_MAX)
			break;
		slot =
		    (s->pending_first + s->pending_count++) % PENDING_RCPT_MAX;
		rcpt_domain(bytes, s->pending[slot]);
		break;
	case VERB_AUTH:
		s->auth_clear = true;
		break;
	case VERB_BDAT: /* its octets follow, whatever the answer */
		s->data_clear = true;
		break;
	case VERB_QUIT:
		s->quit_sent = true;
		break;
	default:
		break;
	}
}

static void
fold_auth(struct session *s, const struct fact *fact, struct slice bytes)
{
	(void)bytes;
	s->auth_clear |= fact->dir == TO_SERVER;
}

/* --- replies ------------------------------------------------------------- */

static void
keep_ehlo_line(struct session *s, const struct fact *fact, struct slice bytes,
    struct slice text)
{
	s->line_count++;
	if (s->lines_kept < EHLO_LINES_MAX)
		session_keep_line(&s->lines[s->lines_kept++], fact, bytes,
		    text);
}

/*
 * A new answer, or what comes behind a gap in the one before: that one stays,
 * what it showed was shown. Its next line may as well be the answer to the
 * next command, so it may offer but is no keyword of the list.
 */
static void
fold_ehlo_reply(struct session *s, const struct fact *fact, struct slice bytes)
{
	struct slice text = session_line_text(bytes);
	bool first = fact->line <= 1;
	bool goes_on = first && s->lines_kept > 0 && !s->ehlo_answered &&
	    !s->ehlo_asked_again;

	if (first && !goes_on) {
		s->line_count = s->lines_kept = 0;
		s->first_offered |= s->offered;
		s->offered = s->ehlo_answered = s->ehlo_complete = false;
		s->ehlo_asked_again = false;
		s->ehlo_answers++;
	}
	if ((!first || goes_on) && ehlo_line_offers_starttls(text))
		s->offered = true;
	if (!goes_on)
		keep_ehlo_line(s, fact, bytes, text);
	if (fact->flags & FACT_LAST_LINE) {
		s->ehlo_answered = true;
		s->ehlo_complete = fact->value == 250;
		s->ehlo_observability = s->observability;
	}
}

static void
accept_rcpt(struct session *s, bool accepted)
{
	const char *domain = s->pending[s->pending_first];

	if (s->pending_count == 0) {
		s->rcpt_clear |= accepted;
		return;
	}
	s->pending_first = (s->pending_first + 1) % PENDING_RCPT_MAX;
	s->pending_count--;
	s->rcpt_clear |= accepted;
	if (!accepted || domain[0] == '\0')
		return;
	for (unsigned i = 0; i < s->domain_count; i++)
		if (strcmp(s->rcpt_domains[i], domain) == 0)
			return;
	if (s->domain_count == INCIDENT_DOMAINS_MAX) {
		s->domains_unlisted++;
		return;
	}
	strcpy(s->rcpt_domains[s->domain_count++], domain);
}

/*
 * The queue id in the answer to a message: "queued as 4F1A2" (Postfix), "OK
 * id=1rA2b3-..." (Exim), "4AN1x Message accepted for delivery" (Sendmail).
 */
static void
fold_queue_id(struct session *s, struct slice bytes)
{
	static const char *const leads[] = { "queued as ", "id=" };
	char text[512];

	keep_text(text, sizeof(text), slice_after(bytes, 4));
	for (size_t i = 0; i < sizeof(leads) / sizeof(*leads); i++) {
		const char *at = strstr(text, leads[i]);

		if (at != NULL) {
			at += strlen(leads[i]);
			keep_text(s->queue_id, sizeof(s->queue_id),
			    slice_of(at, strcspn(at, " ;,<>")));
			return;
		}
	}
	if (strstr(text, "Message accepted for delivery") != NULL) {
		char word[64];

		if (sscanf(text, "%*s %63s", word) == 1)
			strcpy(s->queue_id, word);
	}
}

bool
session_reply_enhanced(struct slice reply)
{
	const uint8_t *c = reply.ptr + 4;

	return reply.len >= 9 && (*c == '2' || *c == '4' || *c == '5') &&
	    c[1] == '.' && isdigit(c[2]) && (c[3] == '.' || isdigit(c[3]));
}

static void
note_style(struct session *s, struct slice bytes)
{
	if (session_reply_enhanced(bytes))
		s->enhanced++;
	else
		s->plain++;
}

static void
fold_reply(struct session *s, const struct fact *fact, struct slice bytes)
{
	bool positive = fact->value >= 200 && fact->value < 300;

	if (!(fact->flags & FACT_LAST_LINE))
		return;
	session_keep_reply(s, fact, bytes);
	switch (fact->about) {
	case VERB_HELO:
		s->helo_answered = positive;
		break;
	case VERB_STARTTLS:
		session_fold_starttls_reply(s, fact, bytes);
		break;
	case VERB_MAIL:
		note_style(s, bytes);
		if (positive && !s->mail_clear) {
			s->mail_clear = true;
			s->mail_frame = fact->frame;
			s->mail_ns = fact->capture_ts_ns;
		}
		break;
	case VERB_RCPT:
		note_style(s, bytes);
		accept_rcpt(s, positive);
		break;
	case VERB_DATA:
		s->data_clear |= fact->value == 354;
		break;
	case VERB_BODY:
		s->accepted_clear |= positive;
		if (positive)
			fold_queue_id(s, bytes);
		break;
	default:
		break;
	}
}

/* Answers are missing: whose the next ones are is not known any more. */
static void
fold_gap(struct session *s, const struct fact *fact, struct slice bytes)
{
	(void)bytes;
	if (fact->dir == TO_CLIENT)
		s->pending_count = 0;
}

static void
fold_body(struct session *s, const struct fact *fact, struct slice bytes)
{
	(void)bytes;
	s->body_bytes += fact->extent;
}

/* --- a fact -------------------------------------------------------------- */

static fold_fn *const folds[FACT_CODES] = {
	[FACT_SESSION_OPENED] = fold_opened,
	[FACT_GREETING] = fold_greeting,
	[FACT_COMMAND] = fold_command,
	[FACT_REPLY] = fold_reply,
	[FACT_EHLO_REPLY] = fold_ehlo_reply,
	[FACT_AUTH_EXCHANGE] = fold_auth,
	[FACT_BODY] = fold_body,
	[FACT_EXTRA_BYTES] = session_fold_extra,
	[FACT_GAP] = fold_gap,
	[FACT_NOT_TLS] = session_fold_tls,
	[FACT_TLS_CLIENT_HELLO] = session_fold_tls,
	[FACT_TLS_SNI] = session_fold_tls,
	[FACT_TLS_SERVER_HELLO] = session_fold_tls,
	[FACT_TLS_CERTIFICATE] = session_fold_tls,
	[FACT_TLS_ALERT] = session_fold_tls,
	[FACT_TLS_ESTABLISHED] = session_fold_tls,
	[FACT_IMPLICIT_TLS] = session_fold_tls,
	[FACT_OPAQUE_END] = session_fold_tls,
	[FACT_CLOSED] = session_fold_closed,
};

static void
note_observability(struct session *s, const struct fact *fact)
{
	/* A greeting, and then the client, each with the first octets of its
	 * side: nothing is missing but TCP's handshake. A 220 that answers
	 * STARTTLS is not followed by EHLO, nor does it speak of SMTP. */
	s->begins |= s->greeted_first && fact->code == FACT_COMMAND &&
	    fact->stream_offset == 0 &&
	    (s->greets_esmtp || fact->about == VERB_EHLO ||
		fact->about == VERB_HELO);
	s->midstream |= (fact->observability & OBS_MIDSTREAM) != 0;
	/* Once the peer has been seen, nothing is one-sided any more. */
	s->observability &= (uint16_t)~OBS_ONE_SIDED;
	s->observability |= fact->observability;
	if (s->begins)
		s->observability &= (uint16_t)~OBS_MIDSTREAM;
}

void
session_fold(struct session *s, const struct fact *fact, struct slice bytes)
{
	if (session_fold_copies(s, fact, bytes) ||
	    session_fold_beside(s, fact, bytes))
		return;
	if (s->first_frame == 0) {
		s->first_frame = fact->frame;
		s->first_ns = fact->capture_ts_ns;
		s->capture = fact->capture;
	}
	s->last_frame = fact->frame;
	s->last_ns = fact->capture_ts_ns;
	note_observability(s, fact);
	if (folds[fact->code] != NULL)
		folds[fact->code](s, fact, bytes);
}

void
session_fold_stored(struct session *s, struct slice facts)
{
	struct slice bytes;
	struct fact fact;

	session_init(s, 0);
	if (facts.len == 0 || facts.ptr[0] != FACT_FORMAT_VERSION)
		return;
	facts = slice_after(facts, 1);
	while (fact_decode(&facts, &fact, &bytes))
		session_fold(s, &fact, bytes);
}

/* The peers ended it, nothing went in clear, and it would have been seen. */
static bool
stopped(const struct session *s)
{
	uint16_t blind = OBS_GAP_TO_SERVER | OBS_GAP_TO_CLIENT | OBS_ONE_SIDED |
	    OBS_SNAPLEN | OBS_OVER_LIMIT | OBS_EVICTED | OBS_LOST_SYNC;

	return s->closed && s->ending != ENDING_CAPTURE_END &&
	    s->ending != ENDING_EVICTED && !(s->observability & blind) &&
	    s->ehlo_answered && !s->mail_tried_clear && !s->tls_established &&
	    !s->auth_clear;
}

uint32_t
session_outcome(const struct session *s)
{
	uint32_t outcome = 0;

	if (s->mail_clear || s->rcpt_clear)
		outcome |= OUTCOME_ENVELOPE_EXPOSED;
	/* What was accepted was sent, though one side of it be missing. */
	if ((s->data_clear && s->body_bytes > 0) || s->accepted_clear)
		outcome |= OUTCOME_CONTENT_EXPOSED;
	if (s->accepted_clear)
		outcome |= OUTCOME_ACCEPTED;
	if (s->auth_clear)
		outcome |= OUTCOME_CREDENTIALS_EXPOSED;
	if (s->tls_established)
		outcome |= OUTCOME_ENCRYPTED;
	if (stopped(s))
		outcome |= OUTCOME_STOPPED;
	return outcome;
}

bool
session_clear_without_offer(const struct session *s)
{
	/* A client that pipelines has said all before an answer comes. */
	return (s->mail_clear || (s->data_clear && s->body_bytes > 0)) &&
	    s->ehlo_answered && !s->offered;
}
