/*
 * EHLO that came to nothing, so that the client said HELO, which knows no
 * STARTTLS (RFC 5321 3.2, 4.1.4): the command or its answer overwritten, a
 * refusal from a server that speaks ESMTP, a close, or a greeting that tells
 * the client not to try.
 */
#include <ctype.h>
#include <stdio.h>

#include "misquote.h"
#include "trial.h"
#include "wording.h"

#define VERB_BYTES 4
/* Blanks or other octets of one kind that no text ends in. */
#define FILLED_MIN 32

/* --- what stands where --------------------------------------------------- */

/* All of its lines are masked. */
static const struct ehlo_line *
masked_greeting(const struct session *s)
{
	return s->greeting_code == 220 && s->greeting_masked ?
	    session_line_in(s, PLACE_GREETING) :
	    NULL;
}

/* EHLO with a few bits or letters wrong. */
static bool
is_near_hello(struct slice verb)
{
	static const char hello[] = "EHLO";
	unsigned same = 0;

	for (size_t i = 0; i < VERB_BYTES; i++)
		same += ascii_upper(verb.ptr[i]) == (uint8_t)hello[i];
	return same >= 2;
}

/* XXXX relay.example.net: four octets and an argument. */
static enum evidence_code
weigh_hello(const struct ehlo_line *line)
{
	struct slice text = ehlo_line_kept(line);
	struct slice verb = slice_first(text, VERB_BYTES);
	bool plain = true;

	/* Where the verb was blanked, the blank behind it was too. */
	if (text.len < VERB_BYTES + 2 ||
	    (line->flags & FACT_REDACTED &&
		text.ptr[VERB_BYTES] == REDACTED_OCTET) ||
	    (text.ptr[VERB_BYTES] != ' ' &&
		!(text.ptr[VERB_BYTES] == verb.ptr[0] && garble_is_mask(text))))
		return EVIDENCE_CODES;
	if (garble_is_mask(verb))
		return EVIDENCE_HELLO_MASKED;
	for (size_t i = 0; i < VERB_BYTES; i++)
		plain &= isalnum(verb.ptr[i]) != 0;
	return plain || is_near_hello(verb) ? EVIDENCE_HELLO_WORD :
					      EVIDENCE_HELLO_MASKED;
}

/* XXXX and a name: what a client says that then leaves. Whatever else scanners
 * send to see what answers ("HEAD / HTTP/1.1", NULs) is told from EHLO by the
 * HELO that follows only. */
static bool
speaks_for_itself(const struct ehlo_line *line)
{
	struct slice text = ehlo_line_kept(line);
	uint8_t c = ascii_upper(text.ptr[0]);

	return (c == 'X' || c == '*') && text.ptr[VERB_BYTES] == ' ' &&
	    weigh_hello(line) == EVIDENCE_HELLO_MASKED;
}

/* The line that stands for EHLO, unless the server took it for a command of
 * its own; NOOP it takes. */
static const struct ehlo_line *
overwritten_hello(const struct session *s)
{
	const struct ehlo_line *line = session_line_in(s, PLACE_HELLO);

	if (line == NULL || s->ehlo_sent || weigh_hello(line) == EVIDENCE_CODES)
		return NULL;
	if (slice_equal_nocase(slice_first(ehlo_line_kept(line), VERB_BYTES),
		slice_str("NOOP")))
		/* A client that was answered 250 goes on with MAIL. */
		return !s->helo_sent && s->mail_tried_clear ? line : NULL;
	if (!s->helo_sent && !speaks_for_itself(line))
		return NULL;
	return line->code == 0 || line->code >= 500 ? line : NULL;
}

/* The first line of a refusal; a whole one. */
static const struct ehlo_line *
refusal(const struct session *s)
{
	const struct ehlo_line *line = &s->lines[0];

	return s->ehlo_sent && s->ehlo_answered && s->lines_kept > 0 &&
		line->code >= 500 && line->code <= 599 ?
	    line :
	    NULL;
}

static bool
is_filled(const struct ehlo_line *line)
{
	struct slice text = ehlo_line_kept(line);
	size_t n = 1;

	while (n < text.len &&
	    text.ptr[text.len - 1 - n] == text.ptr[text.len - 1])
		n++;
	return text.len > 0 && n >= FILLED_MIN && n < text.len;
}

/* Came in answer to EHLO, and is no reply. */
static const struct ehlo_line *
answer_without_code(const struct session *s)
{
	const struct ehlo_line *line = &s->lines[0];

	return s->lines_kept > 0 && line->code == 0 && line->length > 0 &&
		line->flags & FACT_ODD_CODE &&
		!(line->flags & FACT_UNFINISHED) ?
	    line :
	    NULL;
}

/* --- what it weighs ------------------------------------------------------ */

/* RFC 5321 4.2.2: 501 and 504 are errors in parameters, of which EHLO has the
 * client's name. */
static bool
speaks_of_name(uint16_t code)
{
	return code == 501 || code == 504;
}

/* 500 and 502 say that EHLO is not known (RFC 5321 4.2.4). Other errors may
 * concern the client's name, but then HELO meets them too. */
static enum evidence_code
weigh_refusal(const struct session *s, const struct ehlo_line *line)
{
	bool unknown = line->code == 500 || line->code == 502;

	if (s->helo_sent ? !s->helo_answered : !unknown)
		return EVIDENCE_CODES;
	if (!unknown && speaks_of_name(line->code))
		return EVIDENCE_EHLO_REFUSED_NAME;
	return s->greets_esmtp ? EVIDENCE_EHLO_REFUSED_BY_ESMTP :
				 EVIDENCE_EHLO_REFUSED;
}

struct blocked {
	enum block how;
	enum evidence_code evidence;
	const struct ehlo_line *line; /* NULL: there is none */
	struct slice quoted;
};

static bool
find_refused(const struct session *s, struct blocked *b)
{
	b->line = refusal(s);
	if (b->line == NULL)
		return false;
	b->evidence = error_misquotes(b->line, "EHLO", s->helo, &b->quoted);
	b->how = BLOCK_QUOTED;
	if (b->evidence != EVIDENCE_CODES)
		return true;
	b->evidence = weigh_refusal(s, b->line);
	b->how = BLOCK_REFUSED;
	if (b->evidence != EVIDENCE_CODES && is_filled(b->line)) {
		b->evidence = EVIDENCE_EHLO_ANSWER_FILLED;
		b->how = BLOCK_ANSWER;
	}
	return b->evidence != EVIDENCE_CODES;
}

/* The way that tells most. False: none is seen. */
static bool
find_block(const struct session *s, struct blocked *b)
{
	memset(b, 0, sizeof(*b));
	/* Whoever got an answer with keywords in the end was not kept from
	 * it. */
	if (s->ehlo_complete && answer_without_code(s) == NULL)
		return false;
	b->how = BLOCK_COMMAND;
	b->line = overwritten_hello(s);
	if (b->line != NULL) {
		b->evidence = weigh_hello(b->line);
		return true;
	}
	if (find_refused(s, b))
		return true;
	b->how = BLOCK_ANSWER;
	b->line = answer_without_code(s);
	b->evidence = EVIDENCE_EHLO_ANSWER_OVERWRITTEN;
	if (b->line != NULL)
		return true;
	b->how = BLOCK_GREETING;
	b->line = masked_greeting(s);
	b->evidence = EVIDENCE_GREETING_MASKED;
	if (b->line != NULL && s->helo_sent && !s->ehlo_sent &&
	    !(s->observability & (OBS_GAP_TO_SERVER | OBS_MIDSTREAM)))
		return true;
	b->how = BLOCK_CUT;
	b->line = session_line_in(s, PLACE_GREETING);
	b->evidence = EVIDENCE_EHLO_CUT;
	return b->line != NULL && session_ehlo_cut(s);
}

bool
blocked_has_a_say(const struct session *s)
{
	struct blocked b;

	/* Most sessions are answered. */
	return !s->tls_established && !(s->ehlo_complete && s->offered) &&
	    find_block(s, &b);
}

/* What the client did instead belongs to it (design 4.5). */
static void
weigh_retry(struct trial *trial)
{
	const struct attempt *retry = trial->chain.retry;
	struct evidence *e;

	if (retry == NULL || trial->chain.likeness != LIKENESS_BOTH)
		return;
	e = trial_evidence(trial, EVIDENCE_EHLO_CUT_THEN_HELO,
	    trial->session->end.frame);
	snprintf(e->detail, sizeof(e->detail),
	    "HELO and mail in clear from port %u %.1f s later",
	    retry->client.port,
	    (double)(retry->first_ns - trial->session->last_ns) / 1e9);
}

/* Of a server that refuses EHLO day after day it is the server's way. */
static void
weigh_habit(struct trial *trial)
{
	const struct history *h = &trial->history;
	struct evidence *e;

	if (history_has_answered(h) || h->unanswered < SOME_SESSIONS ||
	    h->last_unanswered_ns - h->first_unanswered_ns < SEVERAL_DAYS_NS)
		return;
	e = trial_evidence(trial, EVIDENCE_EHLO_NEVER_ANSWERED, 0);
	snprintf(e->detail, sizeof(e->detail),
	    "%llu other sessions over %lld days",
	    (unsigned long long)h->unanswered,
	    (long long)((h->last_unanswered_ns - h->first_unanswered_ns) /
		NS_PER_DAY));
}

static void
weigh_answered(struct trial *trial)
{
	const struct history *h = &trial->history;
	struct evidence *e;

	if (!history_has_answered(h))
		return;
	e = trial_evidence(trial,
	    h->answered[KIN_SAME] > 0 ? EVIDENCE_EHLO_ANSWERED :
					EVIDENCE_EHLO_ANSWERED_OTHERS,
	    0);
	snprintf(e->detail, sizeof(e->detail),
	    "%llu session%s with this client, %llu with its network, "
	    "%llu with others",
	    (unsigned long long)h->answered[KIN_SAME],
	    h->answered[KIN_SAME] == 1 ? "" : "s",
	    (unsigned long long)h->answered[KIN_NETWORK],
	    (unsigned long long)h->answered[KIN_OTHER]);
}

static void
describe(struct trial *trial, const struct blocked *b)
{
	struct incident *in = trial->out;
	const struct mask *mask = NULL;

	trial_describe_line(trial, b->line);
	in->side = SIDE_SERVER_OF_TAP;
	if (b->how == BLOCK_COMMAND) {
		in->side = SIDE_CLIENT_OF_TAP;
		snprintf(in->expected, sizeof(in->expected), "EHLO");
		mask = garble_mask(trial->context->registry,
		    slice_first(ehlo_line_kept(b->line), VERB_BYTES));
	} else if (b->how == BLOCK_QUOTED) {
		mask = garble_mask(trial->context->registry, b->quoted);
	}
	if (mask == NULL)
		return;
	snprintf(in->resembles, sizeof(in->resembles), "%s", mask->name);
	in->resembles_samples = mask->samples;
}

enum verdict
trial_blocked(struct trial *trial)
{
	const struct session *s = trial->session;
	struct evidence *e;
	struct blocked b;

	if (!blocked_has_a_say(s) || !find_block(s, &b))
		return VERDICT_NOTHING;
	trial->out->kind = KIND_EHLO_BLOCKED;
	e = trial_evidence(trial, b.evidence, b.line->frame);
	if (b.line->code != 0 && b.how != BLOCK_GREETING && b.how != BLOCK_CUT)
		snprintf(e->detail, sizeof(e->detail), "%s %u",
		    s->ehlo_sent ? "EHLO answered" : "answered", b.line->code);
	describe(trial, &b);
	history_answered(trial->context, s, b.line->capture_ts_ns,
	    &trial->history);
	weigh_answered(trial);
	if (b.how == BLOCK_CUT)
		weigh_retry(trial);
	if (b.how == BLOCK_CUT || b.how == BLOCK_REFUSED)
		weigh_habit(trial);
	trial_policies(trial);
	trial_weigh_policies(trial,
	    evidence_admits(b.evidence) >= CERTAINTY_LIKELY);
	wording_blocked(s, b.how, b.quoted, &trial->history, trial->out);
	return trial_conclude(trial);
}
