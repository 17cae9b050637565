/* What a session adds to the counts and to its server's history. */
#include <ctype.h>
#include <stdio.h>

#include "ehlo.h"
#include "session.h"

#define OBS_PARTIAL                                                      \
	(OBS_MIDSTREAM | OBS_GAP_TO_SERVER | OBS_GAP_TO_CLIENT |         \
	    OBS_ONE_SIDED | OBS_SNAPLEN | OBS_OVER_LIMIT | OBS_EVICTED | \
	    OBS_LOST_SYNC)

static bool
cut_short(const struct session *s)
{
	return s->ending == ENDING_CAPTURE_END || s->ending == ENDING_EVICTED;
}

/* Midstream inside TLS: what was said before is not in the capture. */
static bool
opaque_from_the_start(const struct session *s)
{
	return s->implicit_tls && (s->observability & OBS_MIDSTREAM);
}

bool
session_absence_seen(const struct session *s)
{
	/* Also the command: without it the answer may be another's. */
	uint16_t blind = OBS_GAP_TO_CLIENT | OBS_GAP_TO_SERVER | OBS_SNAPLEN |
	    OBS_OVER_LIMIT | OBS_ONE_SIDED | OBS_LOST_SYNC | OBS_MIDSTREAM;

	return s->ehlo_complete && !(s->ehlo_observability & blind) &&
	    s->lines_kept == s->line_count;
}

static enum offered
offered_value(const struct session *s)
{
	bool partial = s->observability & OBS_PARTIAL;

	if (s->offered || s->first_offered)
		return OFFERED_YES;
	if (opaque_from_the_start(s))
		return OFFERED_UNSEEN;
	if (s->ehlo_complete)
		return session_absence_seen(s) ? OFFERED_NO : OFFERED_UNSEEN;
	if (s->ehlo_answered)
		return OFFERED_NO;
	if (s->helo_sent)
		return OFFERED_NOT_ASKED;
	if (s->ehlo_sent)
		return partial || cut_short(s) ? OFFERED_UNSEEN :
						 OFFERED_NOT_ASKED;
	return partial ? OFFERED_UNSEEN : OFFERED_NOT_ASKED;
}

static enum used
used_value(const struct session *s)
{
	if (opaque_from_the_start(s))
		return USED_UNSEEN;
	if (s->implicit_tls)
		return USED_IMPLICIT;
	if (s->tls_established)
		return USED_TLS;
	if (s->starttls_sent && s->starttls_code == 220)
		return cut_short(s) ? USED_UNSEEN : USED_BROKEN;
	if (s->starttls_sent && s->starttls_code != 0)
		return USED_REFUSED;
	if (s->starttls_sent)
		return cut_short(s) || (s->observability & OBS_PARTIAL) ?
		    USED_UNSEEN :
		    USED_BROKEN;
	if (s->mail_tried_clear || s->helo_sent || s->quit_sent)
		return USED_NOT_TRIED;
	return s->observability & (OBS_PARTIAL & ~OBS_OVER_LIMIT) ?
	    USED_UNSEEN :
	    USED_NOT_TRIED;
}

static enum mail
mail_value(const struct session *s)
{
	if (s->tls_established || s->implicit_tls)
		return MAIL_OPAQUE;
	if (s->accepted_clear)
		return MAIL_ACCEPTED;
	if (s->data_clear && s->body_bytes > 0)
		return MAIL_CONTENT;
	return s->mail_clear || s->rcpt_clear ? MAIL_ENVELOPE : MAIL_NONE;
}

/* Why nothing can be said of the offer; in order of what explains most. */
static enum unjudged
unjudged_value(const struct session *s)
{
	static const struct {
		uint16_t bits;
		enum unjudged reason;
	} order[] = {
		{ OBS_SNAPLEN, UNJUDGED_SNAPLEN },
		{ OBS_OVER_LIMIT, UNJUDGED_OVER_LIMIT },
		{ OBS_EVICTED, UNJUDGED_EVICTED },
		{ OBS_MIDSTREAM, UNJUDGED_MIDSTREAM },
		{ OBS_ONE_SIDED, UNJUDGED_ONE_SIDED },
		{ OBS_GAP_TO_CLIENT | OBS_GAP_TO_SERVER | OBS_LOST_SYNC,
		    UNJUDGED_GAP },
	};
	uint16_t seen = s->ehlo_complete ? s->ehlo_observability :
					   s->observability;

	for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++)
		if (seen & order[i].bits)
			return order[i].reason;
	if (s->lines_kept < s->line_count)
		return UNJUDGED_OVER_LIMIT;
	/* Nothing is missing but the rest: the capture ends too early. */
	return s->ending == ENDING_EVICTED ? UNJUDGED_EVICTED : UNJUDGED_GAP;
}

bool
session_unjudged(const struct session *s, enum unjudged *why)
{
	if (offered_value(s) != OFFERED_UNSEEN)
		return false;
	*why = unjudged_value(s);
	return true;
}

void
session_tally(const struct session *s, struct tally *tally)
{
	tally->sessions++;
	tally->offered[offered_value(s)]++;
	tally->used[used_value(s)]++;
	tally->mail[mail_value(s)]++;
}

static enum ending_class
class_of(const struct session *s)
{
	if (s->tls_established && session_tls_broken(s))
		return CLASS_TLS_BROKEN;
	switch (used_value(s)) {
	case USED_TLS:
	case USED_IMPLICIT:
		return CLASS_TLS;
	case USED_REFUSED:
		return CLASS_REFUSED;
	case USED_BROKEN:
		return CLASS_TLS_BROKEN;
	default:
		return s->mail_clear ? CLASS_CLEAR_MAIL : CLASS_CLEAR_NONE;
	}
}

/* The keyword of line `index` of the reply; empty: STARTTLS, which is left
 * out, so that an answer with it and one without compare equal when nothing
 * else differs. */
static struct slice
listed_keyword(const struct session *s, unsigned index)
{
	struct slice text = ehlo_line_kept(&s->lines[index]);

	return ehlo_line_offers_starttls(text) ? slice_first(text, 0) :
						 ehlo_keyword(text);
}

/* `left_out` NULL: all lines count. */
static uint64_t
keywords_hash(const struct session *s, const bool *left_out)
{
	uint64_t hash = 0;

	for (unsigned i = 1; s->ehlo_complete && i < s->lines_kept; i++) {
		struct slice word = listed_keyword(s, i);

		if ((left_out != NULL && left_out[i]) || word.len == 0)
			continue;
		hash = ehlo_hash(hash, word);
		hash = ehlo_hash(hash, slice_str("\n"));
	}
	return hash;
}

void
session_keywords(const struct session *s, struct keyword_list *out)
{
	size_t n = 0;

	out->hash = keywords_hash(s, NULL);
	for (unsigned i = 1; s->ehlo_complete && i < s->lines_kept; i++) {
		struct slice word = listed_keyword(s, i);

		if (word.len == 0 || n + word.len + 2 > sizeof(out->keywords))
			continue;
		if (n > 0)
			out->keywords[n++] = ' ';
		for (size_t j = 0; j < word.len; j++) {
			uint8_t c = ascii_upper(word.ptr[j]);

			out->keywords[n++] = isgraph(c) ? (char)c : '?';
		}
	}
	out->keywords[n] = '\0';
}

unsigned
session_offer_line(const struct session *s)
{
	unsigned i = 1;

	while (i < s->lines_kept &&
	    !ehlo_line_offers_starttls(ehlo_line_kept(&s->lines[i])))
		i++;
	return i;
}

enum offer
session_offer(const struct session *s)
{
	unsigned line = session_offer_line(s);
	unsigned upper = 0;
	struct slice text;

	if (!s->offered)
		return OFFER_NONE;
	if (line >= s->lines_kept)
		return OFFER_SOMEHOW;
	text = ehlo_line_kept(&s->lines[line]);
	for (size_t i = 0; i < STARTTLS_BYTES; i++)
		upper += isupper(text.ptr[i]) != 0;
	return upper == STARTTLS_BYTES ? OFFER_CAPITALS :
	    upper == 0		       ? OFFER_SMALL :
					 OFFER_MIXED;
}

bool
session_profile(const struct session *s, struct profile *out)
{
	return session_profile_of_lines(s, NULL, out);
}

bool
session_profile_without(const struct session *s, unsigned index,
    struct profile *out)
{
	bool left_out[EHLO_LINES_MAX] = { false };

	if (index < EHLO_LINES_MAX)
		left_out[index] = true;
	return session_profile_of_lines(s, left_out, out);
}

/* EHLO refused or cut off, and not for what the client said. */
static bool
ehlo_came_to_nothing(const struct session *s)
{
	const struct ehlo_line *line = &s->lines[0];

	return session_ehlo_cut(s) ||
	    (s->ehlo_sent && s->ehlo_answered && !s->ehlo_complete &&
		s->lines_kept > 0 && (line->code == 500 || line->code == 502));
}

/* Such a session has no keywords: HELO is all that the server takes. */
static bool
fallback_profile(const struct session *s, struct profile *out)
{
	if (s->observability || !s->flow.has_client_isn ||
	    !s->flow.has_server_isn)
		return false;
	memset(out, 0, sizeof(*out));
	out->server = s->flow.server;
	out->client = s->flow.client.address;
	out->verb = VERB_HELO;
	out->ending_class = (uint8_t)class_of(s);
	out->first_ns = out->last_ns = s->first_ns;
	out->sessions = 1;
	return true;
}

/*
 * A pool of servers behind one address gives each its name, but one domain
 * (mx1.example.org, mx2.example.org): what is left of the name without its
 * host. A claim, like all that a server says of itself.
 */
static uint64_t
home_hash(const struct session *s)
{
	uint8_t name[EHLO_LINE_KEEP_BYTES];
	const struct ehlo_line *line = &s->lines[0];
	size_t n = 0, dots = 0, first = 0;

	while (n < line->length && n < sizeof(name) && line->text[n] != ' ') {
		name[n] = ascii_upper(line->text[n]);
		if (name[n] == '.' && dots++ == 0)
			first = n + 1;
		n++;
	}
	if (dots == 0 || name[0] == '[')
		return 0;
	if (dots == 1)
		first = 0;
	return ehlo_hash(0, slice_of(name + first, n - first));
}

bool
session_profile_of_lines(const struct session *s,
    const bool left_out[EHLO_LINES_MAX], struct profile *out)
{
	uint16_t blind = OBS_MIDSTREAM | OBS_GAP_TO_SERVER | OBS_GAP_TO_CLIENT |
	    OBS_ONE_SIDED | OBS_SNAPLEN | OBS_OVER_LIMIT | OBS_LOST_SYNC;

	if (!s->ehlo_complete || s->ehlo_observability & blind ||
	    !s->flow.has_client_isn || !s->flow.has_server_isn)
		return ehlo_came_to_nothing(s) && fallback_profile(s, out);
	memset(out, 0, sizeof(*out));
	out->server = s->flow.server;
	out->client = s->flow.client.address;
	out->verb = VERB_EHLO;
	out->ending_class = (uint8_t)class_of(s);
	out->tls_version = s->tls_established ? s->tls_version : 0;
	out->offered = (uint8_t)session_offer(s);
	out->certificate_hash = s->certificate_hash;
	out->home_hash = home_hash(s);
	out->server_ttl = s->server_ttl;
	out->first_ns = out->last_ns =
	    s->lines[s->lines_kept - 1].capture_ts_ns;
	out->sessions = 1;
	out->keywords_hash = keywords_hash(s, left_out);
	return true;
}
