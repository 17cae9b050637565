/*
 * STARTTLS overwritten on its way to the server (Durumeric et al., IMC 2015,
 * 4.1: XXXXXXXX arrives at 5,750 servers). Behind the tamperer a word stands
 * in its place that is none; before him the server's error text may quote one.
 */
#include <ctype.h>
#include <stdio.h>

#include "ehlo.h"
#include "misquote.h"
#include "trial.h"
#include "wording.h"

/* A near miss has five letters of STARTTLS in their place. */
#define NEAR_MISS_MAX 3

static struct slice
word_of(const struct ehlo_line *line)
{
	return slice_of(line->text, line->length);
}

static bool
is_blanked(const struct ehlo_line *line)
{
	return line->flags & FACT_REDACTED && line->text[0] == REDACTED_OCTET;
}

static bool
is_illegal(struct slice word)
{
	for (size_t i = 0; i < word.len; i++)
		if (word.ptr[i] < 0x20 || word.ptr[i] >= 0x7f)
			return true;
	return false;
}

/* "XADR bob": a command of somebody's own with what it is about, which may be
 * blanked; "NOOP    " is filled up and has none. */
static bool
has_argument(struct slice word)
{
	const uint8_t *blank = word.len > 0 ? memchr(word.ptr, ' ', word.len) :
					      NULL;
	size_t n = blank != NULL ? (size_t)(blank - word.ptr) : word.len;

	if (n == 0)
		return false;
	while (n < word.len && word.ptr[n] == ' ')
		n++;
	return n < word.len;
}

/* EVIDENCE_CODES: somebody's own command, or nothing that tells. */
static enum evidence_code
weigh_word(const struct session *s, const struct ehlo_line *line)
{
	struct slice word = word_of(line);
	bool readable = !is_blanked(line);

	if (has_argument(word))
		return EVIDENCE_CODES;
	if (readable && garble_is_mask(word))
		return EVIDENCE_COMMAND_MASKED;
	if (readable && is_illegal(word))
		return EVIDENCE_COMMAND_ILLEGAL;
	if (readable &&
	    (ehlo_distance_to_starttls(word) <= NEAR_MISS_MAX ||
		ehlo_half_in_place(word)))
		return EVIDENCE_COMMAND_NEAR_MISS;
	/* A scanner tries words, too, and nothing comes of them. */
	if (!s->command_follows_hello ||
	    !(s->mail_tried_clear || s->auth_clear))
		return EVIDENCE_CODES;
	return readable && ascii_upper(word.ptr[0]) == 'X' ?
	    EVIDENCE_COMMAND_PRIVATE :
	    EVIDENCE_COMMAND_WORD;
}

/* The line that stands for STARTTLS, if the server did not take it for a
 * command of its own. Who says STARTTLS after it has mistyped the first. */
static const struct ehlo_line *
overwritten(const struct session *s)
{
	const struct ehlo_line *line = session_line_in(s, PLACE_COMMAND);
	bool noop = line != NULL &&
	    slice_equal_nocase(slice_first(word_of(line), 4),
		slice_str("NOOP"));

	if (line == NULL || s->starttls_sent || s->tls_established)
		return NULL;
	return line->code == 0 || line->code >= 500 || noop ? line : NULL;
}

bool
command_has_a_say(const struct session *s)
{
	return overwritten(s) != NULL ||
	    (session_line_in(s, PLACE_REFUSAL) != NULL && !s->tls_established);
}

static enum verdict
judge_seen(struct trial *trial, const struct ehlo_line *line)
{
	enum evidence_code code = weigh_word(trial->session, line);
	struct incident *in = trial->out;
	const struct mask *mask;
	struct evidence *e;

	if (code == EVIDENCE_CODES)
		return VERDICT_NOTHING;
	in->kind = KIND_STARTTLS_COMMAND_GARBLED;
	e = trial_evidence(trial, code, line->frame);
	if (line->code != 0)
		snprintf(e->detail, sizeof(e->detail), "answered %u",
		    line->code);
	mask = is_blanked(line) ?
	    NULL :
	    garble_mask(trial->context->registry, word_of(line));
	if (mask != NULL) {
		snprintf(in->resembles, sizeof(in->resembles), "%s",
		    mask->name);
		in->resembles_samples = mask->samples;
	}
	in->side = SIDE_CLIENT_OF_TAP;
	trial_describe_line(trial, line);
	snprintf(in->expected, sizeof(in->expected), "STARTTLS");
	trial_policies(trial);
	trial_weigh_policies(trial, evidence_admits(code) >= CERTAINTY_LIKELY);
	wording_command(trial->session, slice_of(NULL, 0), in);
	return trial_conclude(trial);
}

static enum verdict
judge_quoted(struct trial *trial, const struct ehlo_line *error)
{
	struct incident *in = trial->out;
	struct slice quoted;
	enum evidence_code code =
	    error_misquotes(error, "STARTTLS", "", &quoted);
	struct evidence *e;

	if (code == EVIDENCE_CODES)
		return VERDICT_NOTHING;
	in->kind = KIND_STARTTLS_COMMAND_GARBLED;
	in->also = 1u << KIND_STARTTLS_REFUSED;
	e = trial_evidence(trial, code, error->frame);
	snprintf(e->detail, sizeof(e->detail), "answered %u", error->code);
	in->side = SIDE_SERVER_OF_TAP;
	trial_describe_line(trial, error);
	trial_policies(trial);
	trial_weigh_policies(trial, evidence_admits(code) >= CERTAINTY_LIKELY);
	wording_command(trial->session, quoted, in);
	return trial_conclude(trial);
}

enum verdict
trial_command(struct trial *trial)
{
	const struct session *s = trial->session;
	const struct ehlo_line *line = overwritten(s);
	const struct ehlo_line *error = session_line_in(s, PLACE_REFUSAL);

	if (line != NULL)
		return judge_seen(trial, line);
	if (error != NULL && !s->tls_established)
		return judge_quoted(trial, error);
	return VERDICT_NOTHING;
}
