/*
 * Octets of the negotiation that came twice with different contents (design
 * 5): two readings of one dialogue. What the client said next shows which of
 * them it obeyed.
 */
#include <stdio.h>
#include <stdlib.h>

#include "ehlo.h"
#include "trial.h"
#include "wording.h"

static bool
is_damaged(const struct session_copies *c)
{
	return c->first.sum == SUM_WRONG || c->later.sum == SUM_WRONG;
}

/* The one with the wrong checksum, else the later one. */
static const struct segment_copy *
suspect_of(const struct session_copies *c)
{
	return c->first.sum == SUM_WRONG ? &c->first : &c->later;
}

/* Is what differs just the word by which TLS is offered or asked for? */
static bool
is_on_offer(const struct session *s, const struct session_copies *c)
{
	if (c->dir == TO_SERVER)
		return s->starttls_sent &&
		    ehlo_starttls_covered(c->stream_offset, c->extent,
			s->starttls_offset, 0, STARTTLS_BYTES);
	for (unsigned i = 1; i < s->lines_kept; i++) {
		const struct ehlo_line *line = &s->lines[i];

		if (ehlo_line_offers_starttls(
			slice_of(line->text, line->length)) &&
		    ehlo_starttls_covered(c->stream_offset, c->extent,
			line->stream_offset,
			(size_t)line->whole_length - line->length,
			line->whole_length))
			return true;
	}
	return false;
}

/* The pair that tells most: with right sums, on the offer, or the first. */
static const struct session_copies *
best_copies(const struct session *s)
{
	const struct session_copies *best = &s->copies[0];

	for (unsigned i = 0; i < s->copy_count && i < COPIES_MAX; i++) {
		const struct session_copies *c = &s->copies[i];

		if (!is_damaged(c))
			return c;
		if (!is_on_offer(s, best) && is_on_offer(s, c))
			best = c;
	}
	return best;
}

static void
weigh_copies(struct trial *trial)
{
	const struct session *s = trial->session;
	const struct session_copies *c = best_copies(s);
	enum evidence_code code = EVIDENCE_COPIES_DIFFER;
	struct evidence *e;

	if (is_damaged(c))
		code = is_on_offer(s, c) ? EVIDENCE_COPY_ON_OFFER :
					   EVIDENCE_COPY_DAMAGED;
	else if (c->value & COPIES_SIGHTINGS)
		code = EVIDENCE_SECOND_SIGHTING;
	e = trial_evidence(trial, code, suspect_of(c)->frame);
	snprintf(e->detail, sizeof(e->detail),
	    "frames %llu and %llu, %llu octet%s from offset %llu",
	    (unsigned long long)c->first.frame,
	    (unsigned long long)c->later.frame, (unsigned long long)c->extent,
	    c->extent == 1 ? "" : "s", (unsigned long long)c->stream_offset);
	/* Of sightings under two pairs of addresses they are not known. */
	if (c->first.ttl != 0 || c->later.ttl != 0)
		snprintf(e->detail + strlen(e->detail),
		    sizeof(e->detail) - strlen(e->detail),
		    "; TTL %u and %u, IP-ID %u and %u", c->first.ttl,
		    c->later.ttl, c->first.ip_id, c->later.ip_id);
}

/* What stands between two places of capture is a box of somebody's (design 3);
 * copies in one place somebody forged. */
static void
name_cause(struct incident *in, const struct session_copies *c)
{
	if (c->value & COPIES_SIGHTINGS)
		in->cause = CAUSE_KNOWN_BOX;
	else if (in->kind != KIND_SEGMENT_FORGED)
		in->also |= 1u << KIND_SEGMENT_FORGED;
}

/* No kind says what the copies were for. */
static enum verdict
judge_forged(struct trial *trial)
{
	const struct session *s = trial->session;
	const struct session_copies *c = best_copies(s);
	const struct segment_copy *shown = suspect_of(c);
	struct incident *in = trial->out;

	in->kind = KIND_SEGMENT_FORGED;
	in->frame = shown->frame;
	in->seen_capture = c->capture;
	in->capture_ts_ns = shown->capture_ts_ns;
	in->stream_offset = c->stream_offset;
	snprintf(in->seen, sizeof(in->seen), "%s", s->other.text);
	if (is_damaged(c))
		wording_discarded(s, c, is_on_offer(s, c), in);
	else
		wording_forged(s, c, in);
	name_cause(in, c);
	return trial_conclude(trial);
}

/* Is the offer missing in one reading only, and did the client do as that one
 * says? Then that is what happened to it. */
static bool
is_offer_lost(const struct session *s)
{
	return s->other.answered && s->offered != s->other.offered &&
	    !s->starttls_sent;
}

/* Both readings say what was said; this one says what it came to. */
static enum verdict
judge_reading(struct trial *trial, bool other,
    enum verdict (*judge)(struct trial *))
{
	const struct session *s = trial->session, *own = trial->own;
	const struct session_copies *c = best_copies(s);
	struct session *read = NULL;
	enum verdict verdict;

	if (other) {
		read = malloc(sizeof(*read));
		if (read == NULL)
			return VERDICT_NOTHING;
		session_other_reading(s, read);
		trial->session = trial->own = read;
	}
	verdict = judge(trial);
	trial->session = s;
	trial->own = own;
	free(read);
	if (verdict == VERDICT_INCIDENT) {
		wording_copies(c, trial->out);
		name_cause(trial->out, c);
	}
	return verdict;
}

/* Is EHLO answered with keywords in one reading only, and did the client say
 * HELO, as the other one has it? */
static bool
is_ehlo_lost(const struct session *s)
{
	return s->other.answered && s->ehlo_complete != s->other.complete &&
	    s->helo_sent;
}

/* Did a refusal come in one reading only, and did the client obey it? */
static bool
is_refusal_forged(const struct session *s)
{
	return s->other.starttls_code == 220 && session_starttls_refused(s);
}

static bool
is_refusal_in_other(const struct session *s)
{
	return s->starttls_code == 220 && s->other.starttls_code >= 400 &&
	    s->offered && !s->client_hello &&
	    (s->mail_tried_clear || s->auth_clear);
}

static bool
is_in_other(const struct session *s, enum place place)
{
	return s->other.places >> place & 1;
}

/* A ClientHello that left the client otherwise than it came to the server. */
static bool
is_hello_altered(const struct session *s, const struct session_copies *c)
{
	return s->client_hello && c->dir == TO_SERVER &&
	    c->value & COPIES_SIGHTINGS &&
	    c->stream_offset >= s->client_hello_offset;
}

static enum verdict
judge_altered_hello(struct trial *trial)
{
	const struct session_copies *c = best_copies(trial->session);
	enum verdict verdict = trial_hello_altered(trial, c);

	if (verdict == VERDICT_INCIDENT) {
		wording_copies(c, trial->out);
		name_cause(trial->out, c);
	}
	return verdict;
}

/* What the copies were for, if a kind says it; the copies speak for it. */
static enum verdict
judge_purpose(struct trial *trial)
{
	const struct session *s = trial->session;

	if (is_ehlo_lost(s))
		return judge_reading(trial, s->ehlo_complete, trial_blocked);
	if (is_offer_lost(s))
		return judge_reading(trial, s->offered, trial_offer);
	if (is_in_other(s, PLACE_HELLO))
		return judge_reading(trial, true, trial_blocked);
	if (is_in_other(s, PLACE_COMMAND) && !s->tls_established)
		return judge_reading(trial, true, trial_command);
	if (is_refusal_forged(s))
		return judge_reading(trial, false, trial_refused);
	if (is_refusal_in_other(s))
		return judge_reading(trial, true, trial_refused);
	if (is_hello_altered(s, best_copies(s)))
		return judge_altered_hello(trial);
	return VERDICT_NOTHING;
}

enum verdict
trial_copies(struct trial *trial)
{
	if (trial->session->copy_count == 0 ||
	    is_damaged(best_copies(trial->session)))
		return VERDICT_NOTHING;
	trial->weigh_first = weigh_copies;
	trial_start_over(trial);
	if (judge_purpose(trial) == VERDICT_INCIDENT)
		return VERDICT_INCIDENT;
	trial_start_over(trial);
	return judge_forged(trial);
}

enum verdict
trial_discarded(struct trial *trial)
{
	if (trial->session->copy_count == 0 ||
	    !is_damaged(best_copies(trial->session)))
		return VERDICT_NOTHING;
	trial->weigh_first = weigh_copies;
	trial_start_over(trial);
	return judge_forged(trial);
}
