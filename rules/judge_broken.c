/*
 * 220 to STARTTLS, and then TLS came to nothing, or was cut before it can have
 * carried a mail; and the sender came back in clear. Servers that crash and
 * peers without a common version or cipher look the same once.
 */
#include <stdio.h>

#include "trial.h"
#include "wording.h"

/* A client that sends in clear so much oftener than its TLS fails does not
 * come back for that. */
#define CLEAR_ANYWAY_TIMES 3

static void
describe(struct trial *trial)
{
	const struct placed_text *end = &trial->session->end;
	struct incident *in = trial->out;

	in->kind = KIND_TLS_SESSION_BROKEN;
	in->frame = end->frame;
	in->seen_capture = end->capture;
	in->capture_ts_ns = end->capture_ts_ns;
	in->stream_offset = end->stream_offset;
}

static void
weigh_retry(struct trial *trial)
{
	const struct chain *chain = &trial->chain;
	const struct attempt *retry = chain->retry;
	struct evidence *e;

	if (retry == NULL) {
		trial_evidence(trial, EVIDENCE_CUT, trial->session->end.frame);
		return;
	}
	e = trial_evidence(trial,
	    chain->likeness == LIKENESS_BOTH ? EVIDENCE_CUT_THEN_CLEAR :
					       EVIDENCE_CUT_THEN_SIMILAR,
	    trial->session->end.frame);
	snprintf(e->detail, sizeof(e->detail),
	    "in clear from port %u %.1f s after the cut%s", retry->client.port,
	    (double)(retry->first_ns - trial->session->last_ns) / 1e9,
	    chain->earlier_count == 0 ? "" : "; it was not the first to fail");
}

/* Whether somebody said why. What a sentinel leads to is no disagreement. */
static bool
weigh_alert(struct trial *trial)
{
	const struct session *s = trial->session;
	struct evidence *e;

	if (!s->alert || s->sentinel != SENTINEL_NONE)
		return false;
	e = trial_evidence(trial, EVIDENCE_ALERT, s->end.frame);
	snprintf(e->detail, sizeof(e->detail), "the %s says %s",
	    s->alert_dir == TO_CLIENT ? "server" : "client",
	    wording_alert(s->alert_description));
	return true;
}

static bool
weigh_reset(struct trial *trial)
{
	const struct session *s = trial->session;

	if (s->behind_reset_frame != 0) {
		trial_evidence(trial, EVIDENCE_RESET_DISOWNED,
		    s->behind_reset_frame);
		return true;
	}
	if (s->reset_out_of_place_frame == 0)
		return false;
	trial_evidence(trial, EVIDENCE_RESET_OUT_OF_PLACE,
	    s->reset_out_of_place_frame);
	return true;
}

static void
weigh_habit(struct trial *trial)
{
	const struct tls_history *h = &trial->tls;
	uint64_t clear = h->clear[KIN_SAME];
	uint64_t failed = h->failed[KIN_SAME] + 1;
	struct evidence *e;

	if (trial->chain.retry == NULL || clear <= failed * CLEAR_ANYWAY_TIMES)
		return;
	e = trial_evidence(trial, EVIDENCE_CLEAR_ANYWAY, 0);
	snprintf(e->detail, sizeof(e->detail),
	    "%llu sessions in clear, and TLS failed in %llu",
	    (unsigned long long)clear, (unsigned long long)failed);
}

/* One cut may be an accident; the same again, or a reset that its receiver
 * would not take, is seldom one. */
static bool
is_suspicious(const struct trial *trial, bool alert, bool reset)
{
	return trial->chain.likeness == LIKENESS_BOTH &&
	    trial->chain.retry != NULL && !alert &&
	    (reset || trial->chain.earlier_count > 0);
}

enum verdict
trial_broken(struct trial *trial)
{
	const struct session *s = trial->session;
	bool alert, reset;

	if (!session_tls_broken(trial->own))
		return VERDICT_NOTHING;
	describe(trial);
	weigh_retry(trial);
	if (trial->chain.retry != NULL && trial_sentinel(trial))
		trial->out->also |= 1u << KIND_TLS_VERSION_DOWNGRADED;
	alert = weigh_alert(trial);
	reset = weigh_reset(trial);
	trial_headers(trial, s->starttls_frame + 1, s->end.frame,
	    s->closed_dir);
	trial_tls_history(trial, is_suspicious(trial, alert, reset));
	weigh_habit(trial);
	trial_policies(trial);
	trial_weigh_policies(trial, true);
	wording_broken(trial->own, s, &trial->chain, &trial->tls, trial->out);
	return trial_conclude(trial);
}
