/*
 * STARTTLS was offered and then refused. A server whose own TLS is broken
 * does the same (Postfix and Exim without a certificate go on offering it), so
 * one session alone is at most `possible`.
 */
#include <stdio.h>

#include "trial.h"
#include "wording.h"

/* Of MANY_SESSIONS at most one in so many may have failed. */
#define RARELY_FAILED 10
#define STABLE_FAILURES 5

static int64_t
at_ns(const struct trial *trial)
{
	return trial->session->lines[0].capture_ts_ns;
}

/* As strong as design 4.6 asks for `likely`. */
static bool
began_often(const struct trial *trial)
{
	const struct tls_history *h = &trial->tls;
	uint64_t near = h->done[KIN_SAME] + h->done[KIN_NETWORK];
	uint64_t failed = h->failed[KIN_SAME] + h->failed[KIN_NETWORK];

	return near >= MANY_SESSIONS && h->done[KIN_SAME] > 0 &&
	    (failed + h->failed[KIN_OTHER]) * RARELY_FAILED <= near &&
	    h->first_done_ns < at_ns(trial) && h->last_done_ns > at_ns(trial) &&
	    h->last_done_ns - h->first_done_ns >= SEVERAL_DAYS_NS;
}

static uint64_t
sum_of(const uint64_t by_kin[KINS])
{
	return by_kin[KIN_SAME] + by_kin[KIN_NETWORK] + by_kin[KIN_OTHER];
}

/* Nobody ever got TLS there, for days: that is nobody's attack on one. */
static bool
fails_for_all(const struct tls_history *h)
{
	return sum_of(h->done) == 0 && sum_of(h->failed) >= STABLE_FAILURES &&
	    h->last_failed_ns - h->first_failed_ns >= SEVERAL_DAYS_NS;
}

static enum cause
cause_of(const struct tls_history *h)
{
	if (!fails_for_all(h))
		return CAUSE_UNKNOWN;
	return h->failed[KIN_OTHER] > 0 ? CAUSE_SERVER_ITSELF :
					  CAUSE_PEERS_INCOMPATIBLE;
}

static bool
weigh_done(struct trial *trial, bool suspicious)
{
	static const enum evidence_code by_kin[KINS] = {
		EVIDENCE_TLS_WITH_SAME_CLIENT, EVIDENCE_TLS_WITH_NEIGHBOURS,
		EVIDENCE_TLS_WITH_OTHERS
	};
	const struct tls_history *h = &trial->tls;
	enum kin kin = KIN_SAME;
	struct evidence *e;

	while (kin < KINS && h->done[kin] == 0)
		kin++;
	if (kin == KINS)
		return false;
	e = trial_evidence(trial,
	    suspicious && began_often(trial) ? EVIDENCE_TLS_OFTEN : by_kin[kin],
	    0);
	snprintf(e->detail, sizeof(e->detail),
	    "%llu session%s with this client, %llu with its network, %llu with "
	    "others; %llu failed",
	    (unsigned long long)h->done[KIN_SAME],
	    h->done[KIN_SAME] == 1 ? "" : "s",
	    (unsigned long long)h->done[KIN_NETWORK],
	    (unsigned long long)h->done[KIN_OTHER],
	    (unsigned long long)sum_of(h->failed));
	return true;
}

void
trial_tls_history(struct trial *trial, bool suspicious)
{
	const struct tls_history *h = &trial->tls;
	struct profile own;
	struct evidence *e;

	if (!session_profile(trial->own, &own))
		return;
	tls_history_ask(trial->context, &own, at_ns(trial), &trial->tls);
	if (weigh_done(trial, suspicious) || !fails_for_all(h))
		return;
	trial->out->cause = cause_of(h);
	e = trial_evidence(trial, EVIDENCE_FAILS_FOR_ALL, 0);
	snprintf(e->detail, sizeof(e->detail),
	    "%llu sessions with this client, %llu with its network, %llu with "
	    "others",
	    (unsigned long long)h->failed[KIN_SAME],
	    (unsigned long long)h->failed[KIN_NETWORK],
	    (unsigned long long)h->failed[KIN_OTHER]);
}

void
trial_headers(struct trial *trial, uint64_t first_frame, uint64_t last_frame,
    enum dir dir)
{
	static const char *const names[] = { "TTL", "IP-ID", "clock" };
	const struct session *s = trial->session;
	struct evidence *e;

	for (unsigned i = 0; i < s->step_count; i++) {
		const struct header_step *step = &s->steps[i];
		size_t n = 0;

		if (step->frame < first_frame || step->frame > last_frame ||
		    step->dir != dir || !(step->bits & 7))
			continue;
		e = trial_evidence(trial, EVIDENCE_OTHER_HEADERS, step->frame);
		for (unsigned bit = 0; bit < 3; bit++)
			if (step->bits >> bit & 1)
				n += (size_t)snprintf(e->detail + n,
				    sizeof(e->detail) - n, "%s%s",
				    n > 0 ? ", " : "", names[bit]);
		return;
	}
}

/* --- the refusal --------------------------------------------------------- */

/* RFC 5321 4.2.2: the command is not known, or not to this server. */
static bool
disowns(const struct session *s)
{
	return s->starttls_code == 500 || s->starttls_code == 502;
}

static bool
asks_to_wait(const struct session *s)
{
	return s->starttls_code == 421 ||
	    (s->starttls_code >= 450 && s->starttls_code <= 452);
}

/* Is it written otherwise than all of the server's other replies? */
static bool
in_other_words(const struct session *s)
{
	bool enhanced =
	    session_reply_enhanced(slice_str(s->starttls_answer.text));

	return enhanced ? s->enhanced == 0 && s->plain > 1 :
			  s->plain == 0 && s->enhanced > 1;
}

static enum evidence_code
refusal_code(const struct session *s)
{
	if (disowns(s))
		return EVIDENCE_OFFER_DISOWNED;
	if (in_other_words(s))
		return EVIDENCE_OTHER_WORDS;
	return s->mail_tried_clear || s->auth_clear ?
	    EVIDENCE_REFUSED_THEN_CLEAR :
	    EVIDENCE_REFUSED_THEN_LEFT;
}

/* Whether it weighs as few servers' doing. */
static bool
weigh_refusal(struct trial *trial)
{
	const struct session *s = trial->session;
	enum evidence_code code = refusal_code(s);
	struct evidence *e = trial_evidence(trial, code, s->starttls_frame);

	snprintf(e->detail, sizeof(e->detail), "\"%.120s\"",
	    s->starttls_answer.text);
	if (asks_to_wait(s))
		trial_evidence(trial, EVIDENCE_ASKED_TO_WAIT,
		    s->starttls_frame);
	return code == EVIDENCE_OFFER_DISOWNED || code == EVIDENCE_OTHER_WORDS;
}

static void
describe(struct trial *trial)
{
	const struct placed_text *answer = &trial->session->starttls_answer;
	struct incident *in = trial->out;

	in->kind = KIND_STARTTLS_REFUSED;
	in->frame = answer->frame;
	in->seen_capture = answer->capture;
	in->capture_ts_ns = answer->capture_ts_ns;
	in->stream_offset = answer->stream_offset;
	snprintf(in->seen, sizeof(in->seen), "%s", answer->text);
	snprintf(in->expected, sizeof(in->expected), "220");
	/* What comes to the tap was said, or caused, before it. */
	in->side = SIDE_SERVER_OF_TAP;
}

enum verdict
trial_refused(struct trial *trial)
{
	bool suspicious;

	if (!session_starttls_refused(trial->own))
		return VERDICT_NOTHING;
	describe(trial);
	suspicious = weigh_refusal(trial);
	trial_headers(trial, trial->session->starttls_frame,
	    trial->session->starttls_frame, TO_CLIENT);
	trial_tls_history(trial, suspicious);
	trial_policies(trial);
	trial_weigh_policies(trial, true);
	wording_refused(trial->session, &trial->tls, trial->out);
	return trial_conclude(trial);
}
