#include "judge.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "ehlo.h"
#include "garble.h"
#include "trial.h"
#include "wording.h"

/* Of MANY_SESSIONS at most one in so many may lack the offer: where more do,
 * one of several servers behind the address may be without TLS. */
#define RARELY_MISSING 10
/* So many sessions alike look like configuration and not like an act. */
#define STABLE_SESSIONS 5

struct evidence *
trial_evidence(struct trial *trial, enum evidence_code code, uint64_t frame)
{
	struct incident *in = trial->out;
	struct evidence *e;

	if (in->evidence_count == INCIDENT_EVIDENCE_MAX)
		return &in->evidence[INCIDENT_EVIDENCE_MAX - 1];
	e = &in->evidence[in->evidence_count++];
	e->code = code;
	e->weight = evidence_weight(code);
	e->frame = frame;
	return e;
}

static double
support_of(const struct incident *in)
{
	double sum = 0;

	for (unsigned i = 0; i < in->evidence_count; i++)
		if (incident_evidence_counts(in, i))
			sum += in->evidence[i].weight;
	return sum;
}

/* The surest that the evidence lets a verdict be. */
static enum certainty
admitted(const struct incident *in)
{
	enum certainty most = CERTAINTY_POSSIBLE;

	for (unsigned i = 0; i < in->evidence_count; i++)
		if (evidence_admits(in->evidence[i].code) > most)
			most = evidence_admits(in->evidence[i].code);
	return most;
}

static enum certainty
certainty_of(double confidence)
{
	return confidence >= JUDGE_LIKELY ? CERTAINTY_LIKELY :
	    confidence >= JUDGE_POSSIBLE  ? CERTAINTY_POSSIBLE :
					    CERTAINTY_NONE;
}

enum verdict
trial_conclude(struct trial *trial)
{
	struct incident *in = trial->out;
	enum certainty most = admitted(in);

	in->prior = trial->context->prior;
	in->support = support_of(in);
	in->confidence = incident_posterior(in->support, in->prior);
	if (most < CERTAINTY_LIKELY && in->confidence > JUDGE_NOT_ADMITTED_MAX)
		in->confidence = JUDGE_NOT_ADMITTED_MAX;
	in->certainty = certainty_of(in->confidence);
	if (most == CERTAINTY_DEMONSTRATED) {
		in->certainty = most;
		if (in->confidence < JUDGE_DEMONSTRATED)
			in->confidence = JUDGE_DEMONSTRATED;
	}
	return in->certainty >= CERTAINTY_POSSIBLE ? VERDICT_INCIDENT :
						     VERDICT_EVIDENCE;
}

/* --- history ------------------------------------------------------------- */

/* As strong as design 4.6 asks for `likely`. */
static bool
offered_often(const struct trial *trial)
{
	const struct history *h = &trial->history;
	uint64_t near = h->same_offered + h->network_offered;
	uint64_t missing = h->same_missing + h->network_missing;
	int64_t at_ns = trial->session->lines[0].capture_ts_ns;

	return near >= MANY_SESSIONS && h->same_offered > 0 &&
	    missing * RARELY_MISSING <= near && h->first_offered_ns < at_ns &&
	    h->last_offered_ns > at_ns &&
	    h->last_offered_ns - h->first_offered_ns >= SEVERAL_DAYS_NS;
}

static void
weigh_offers(struct trial *trial)
{
	const struct history *h = &trial->history;
	struct evidence *e;

	if (history_offered(h) == 0)
		return;
	if (offered_often(trial))
		e = trial_evidence(trial, EVIDENCE_OFFERED_OFTEN, 0);
	else if (h->same_offered > 0)
		e = trial_evidence(trial, EVIDENCE_OFFERED_TO_SAME_CLIENT, 0);
	else if (h->network_offered >= SOME_SESSIONS && h->network_list)
		e = trial_evidence(trial, EVIDENCE_OFFERED_TO_NEIGHBOURS, 0);
	else if (h->network_offered > 0)
		e = trial_evidence(trial, EVIDENCE_OFFERED_TO_ONE_NEIGHBOUR, 0);
	else
		e = trial_evidence(trial, EVIDENCE_OFFERED_TO_OTHERS, 0);
	snprintf(e->detail, sizeof(e->detail),
	    "%llu session%s with this client, %llu with its network, "
	    "%llu with others; %s",
	    (unsigned long long)h->same_offered,
	    h->same_offered == 1 ? "" : "s",
	    (unsigned long long)h->network_offered,
	    (unsigned long long)h->other_offered,
	    h->before && h->after ? "before and after" :
		h->before	  ? "all before" :
				    "all after");
	if (h->same_list) {
		e = trial_evidence(trial, EVIDENCE_ONLY_DIFFERENCE, 0);
		snprintf(e->detail, sizeof(e->detail),
		    "all other keywords are the same, in the same order");
	}
}

static void
weigh_against(struct trial *trial)
{
	const struct history *h = &trial->history;
	uint64_t offered = history_offered(h);
	struct evidence *e;

	if (offered > 0 && !h->any_list)
		trial_evidence(trial, EVIDENCE_OTHER_DIFFERENCES, 0);
	if (offered > 0 && h->same_offered == 0 && h->same_missing > 0) {
		e = trial_evidence(trial,
		    h->same_missing >= STABLE_SESSIONS ?
			EVIDENCE_STABLE_PER_CLIENT :
			EVIDENCE_SAME_PER_CLIENT,
		    0);
		snprintf(e->detail, sizeof(e->detail),
		    "%llu other sessions of this client without the offer",
		    (unsigned long long)h->same_missing);
	}
	if (h->same_offered > 0 && h->same_missing > 0) {
		e = trial_evidence(trial,
		    h->after ? EVIDENCE_COMES_AND_GOES :
			       EVIDENCE_SINCE_THEN_NEVER,
		    0);
		snprintf(e->detail, sizeof(e->detail),
		    "%llu with, %llu without",
		    (unsigned long long)h->same_offered,
		    (unsigned long long)h->same_missing + 1);
	}
	if (offered == 0 &&
	    h->same_missing + h->network_missing + h->other_missing >= 3)
		trial_evidence(trial, EVIDENCE_NEVER_OFFERED, 0);
}

/* --- the kinds ----------------------------------------------------------- */

static void
weigh_command(struct trial *trial)
{
	const struct session *s = trial->session;
	struct evidence *e;

	if (!s->starttls_unoffered || s->starttls_code == 0)
		return;
	if (s->starttls_code == 220) {
		e = trial_evidence(trial, EVIDENCE_COMMAND_ACCEPTED,
		    s->starttls_frame);
		snprintf(e->detail, sizeof(e->detail), "answered 220%s",
		    s->tls_established ? ", and TLS began" : "");
	} else if (s->starttls_code == 500 || s->starttls_code == 502 ||
	    s->starttls_code == 503) {
		/* 503: Exim's "STARTTLS command used when not advertised". */
		trial_evidence(trial, EVIDENCE_COMMAND_UNKNOWN,
		    s->starttls_frame);
	}
}

void
trial_describe_line(struct trial *trial, const struct ehlo_line *line)
{
	struct incident *in = trial->out;

	wording_line(line, in->seen, sizeof(in->seen));
	in->frame = line->frame;
	in->seen_capture = line->capture;
	in->capture_ts_ns = line->capture_ts_ns;
	in->stream_offset = line->stream_offset;
}

static void
describe_line(struct trial *trial, unsigned index)
{
	const struct session *s = trial->session;
	const struct ehlo_line *line = &s->lines[index];
	struct incident *in = trial->out;

	trial_describe_line(trial, line);
	in->seen_line = index + 1;
	/* The code of the reply: the line's own may be overwritten. */
	snprintf(in->expected, sizeof(in->expected), "%03u%cSTARTTLS",
	    s->lines[0].code % 1000, line->flags & FACT_LAST_LINE ? ' ' : '-');
}

static void
weigh_garble(struct trial *trial, const struct garble *garble)
{
	const struct session *s = trial->session;
	const struct ehlo_line *line = &s->lines[garble->index];
	struct incident *in = trial->out;
	struct evidence *e =
	    trial_evidence(trial, garble->evidence, line->frame);

	snprintf(e->detail, sizeof(e->detail), "line %u of %u%s%s%s%s",
	    garble->index + 1, s->line_count, garble->mask ? ", mask " : "",
	    garble->mask ? garble->mask->name : "",
	    garble->product ? ", in the order of " : "",
	    garble->product ? garble->product->name : "");
	if (garble->mask != NULL) {
		snprintf(in->resembles, sizeof(in->resembles), "%s",
		    garble->mask->name);
		in->resembles_samples = garble->mask->samples;
	}
	if (garble->others_masked > 0) {
		e = trial_evidence(trial, EVIDENCE_OTHERS_MASKED, line->frame);
		snprintf(e->detail, sizeof(e->detail), "%u of %u lines",
		    garble->others_masked, s->line_count);
	}
	describe_line(trial, garble->index);
}

/* Other sessions of the server show the same word, as far as they lack the
 * offer, and none has it. */
static bool
always_so(const struct history *h)
{
	return history_offered(h) == 0 && h->other_missing > 0 &&
	    h->same_reply >=
	    h->same_missing + h->network_missing + h->other_missing;
}

static enum verdict
judge_garbled(struct trial *trial, const struct garble *garble)
{
	const struct session *s = trial->session;
	struct incident *in = trial->out;
	struct profile own, clean;
	bool sure;

	in->kind = KIND_STARTTLS_GARBLED;
	in->side = SIDE_SERVER_OF_TAP;
	weigh_garble(trial, garble);
	/* Where the word itself tells little, a promise of TLS weighs as
	 * much as where nothing stands in its place. */
	sure = admitted(in) >= CERTAINTY_LIKELY;
	weigh_command(trial);
	if (session_profile(s, &own) &&
	    session_profile_without(s, garble->index, &clean)) {
		history_ask(trial->context, &own, clean.keywords_hash,
		    s->lines[0].capture_ts_ns, &trial->history);
		weigh_offers(trial);
		if (always_so(&trial->history))
			trial_evidence(trial, EVIDENCE_ALWAYS_SO, 0);
	}
	trial_policies(trial);
	trial_weigh_policies(trial, sure);
	wording_garbled(s, garble, &trial->history, in);
	return trial_conclude(trial);
}

/* The server's other replies have this word and STARTTLS beside it: then it
 * stands for nothing (design 4.2). */
static bool
is_servers_own_word(struct trial *trial)
{
	const struct session *s = trial->session;
	struct history history;
	struct profile own;

	if (!session_profile(s, &own))
		return false;
	history_ask(trial->context, &own, own.keywords_hash,
	    s->lines[0].capture_ts_ns, &history);
	return history.any_list;
}

static enum verdict
judge_stripped(struct trial *trial)
{
	const struct session *s = trial->session;
	struct incident *in = trial->out;
	struct profile own;
	bool accepted = s->starttls_unoffered && s->starttls_code == 220;

	in->kind = KIND_STARTTLS_STRIPPED;
	in->side = accepted ? SIDE_SERVER_OF_TAP : SIDE_UNDETERMINED;
	weigh_command(trial);
	if (session_profile(s, &own)) {
		history_ask(trial->context, &own, own.keywords_hash,
		    s->lines[0].capture_ts_ns, &trial->history);
		weigh_offers(trial);
		weigh_against(trial);
	}
	trial_policies(trial);
	trial_weigh_policies(trial, false);
	if (support_of(in) <= 0)
		return VERDICT_NOTHING;
	describe_line(trial, s->lines_kept - 1);
	in->seen_line = 0;
	in->expected[0] = '\0';
	wording_stripped(s, &trial->history, accepted, in);
	return trial_conclude(trial);
}

/* Is all that history says for it later than the session? */
static bool
rests_on_later(const struct trial *trial)
{
	const struct history *h = &trial->history;

	if (trial->tls.first_done_ns != 0)
		return trial->tls.first_done_ns >= trial->session->first_ns;
	if (history_has_answered(h))
		return !h->answered_before;
	if (h->same_offered + h->network_offered > 0)
		return h->first_offered_ns >=
		    trial->session->lines[0].capture_ts_ns;
	return history_offered(h) > 0 && !h->before;
}

static void
add_session(struct incident *in, const struct attempt *a, const char *role)
{
	struct incident_session *out = &in->sessions[in->session_count];

	if (in->session_count == INCIDENT_SESSIONS_MAX)
		return;
	in->session_count++;
	memset(out, 0, sizeof(*out));
	memcpy(out->session, a->session, sizeof(out->session));
	strcpy(out->role, role);
	out->client = a->client;
	out->first_ns = a->first_ns;
}

/* The tampered session, and those that belong to it. */
static void
list_sessions(const struct trial *trial)
{
	const struct chain *chain = &trial->chain;
	struct attempt own = { .client = trial->own->flow.client,
		.first_ns = trial->own->first_ns };

	trial->out->session_count = 0;
	add_session(trial->out, &own, "tampered");
	for (unsigned i = 0; i < chain->earlier_count; i++)
		add_session(trial->out, chain->earlier[i], "failed");
	if (chain->retry != NULL)
		add_session(trial->out, chain->retry, "retry");
}

static void
describe_session(const struct trial *trial)
{
	const struct session *s = trial->session;
	const struct product *product;
	struct incident *in = trial->out;

	list_sessions(trial);
	in->state = s->closed ? STATE_FINAL : STATE_OPEN;
	in->client = s->flow.client;
	in->server = s->flow.server;
	in->unseen =
	    (uint16_t)(s->observability | (s->midstream ? OBS_MIDSTREAM : 0));
	in->outcome = session_outcome(s);
	in->retrospect = rests_on_later(trial);
	in->ehlo_frame = s->lines_kept > 0 ? s->lines[0].frame : 0;
	strcpy(in->helo, s->helo);
	strcpy(in->server_name, s->greeting_name);
	strcpy(in->queue_id, s->queue_id);
	strcpy(in->mail_from, s->mail_from);
	in->rcpt_count = s->rcpt_count;
	memcpy(in->rcpt_to, s->rcpt_to, s->rcpt_count * sizeof(in->rcpt_to[0]));
	product = product_of(trial->context->registry, s);
	if (product != NULL)
		strcpy(in->product, product->name);
	in->domain_count = s->domain_count;
	in->domains_unlisted = s->domains_unlisted;
	memcpy(in->rcpt_domains, s->rcpt_domains,
	    s->domain_count * sizeof(in->rcpt_domains[0]));
}

/* RFC 5321 4.1.1.1: the first line is a name and no keyword. A server that
 * leaves its name out may mean it as an offer: nothing is missing there. */
static bool
offered_on_first_line(const struct session *s)
{
	return ehlo_line_offers_starttls(ehlo_line_kept(&s->lines[0]));
}

/* What the packets themselves told stays. */
void
trial_start_over(struct trial *trial)
{
	memset(trial->out, 0, sizeof(*trial->out));
	memset(&trial->history, 0, sizeof(trial->history));
	memset(&trial->tls, 0, sizeof(trial->tls));
	if (trial->weigh_first != NULL)
		trial->weigh_first(trial);
}

/* A word that makes no incident does not hide that the offer is missing. */
enum verdict
trial_offer(struct trial *trial)
{
	enum verdict garbled = VERDICT_NOTHING, stripped;
	struct garble garble =
	    garble_find(trial->context->registry, trial->session);

	garble.found = garble.found && !is_servers_own_word(trial);
	if (garble.found) {
		garbled = judge_garbled(trial, &garble);
		if (garbled == VERDICT_INCIDENT)
			return garbled;
		trial_start_over(trial);
	}
	if (session_absence_seen(trial->session)) {
		stripped = judge_stripped(trial);
		if (stripped == VERDICT_INCIDENT || !garble.found)
			return stripped;
		trial_start_over(trial);
	}
	return garble.found ? judge_garbled(trial, &garble) : garbled;
}

static bool
lacks_offer(const struct session *s)
{
	return s->lines_kept > 0 && !s->offered && s->ehlo_answers > 0 &&
	    !offered_on_first_line(s);
}

bool
rules_have_a_say(const struct session *s)
{
	return (!s->offered && s->ehlo_answers > 0) || s->copy_count > 0 ||
	    session_starttls_failed(s) || s->sentinel != SENTINEL_NONE ||
	    s->answer_count > 0 ||
	    s->extra[TO_SERVER].lines + s->extra[TO_CLIENT].lines > 0 ||
	    command_has_a_say(s) || blocked_has_a_say(s) || hidden_has_a_say(s);
}

static enum verdict
judge_missing(struct trial *trial)
{
	return lacks_offer(trial->session) ? trial_offer(trial) :
					     VERDICT_NOTHING;
}

/* What stands in the offer's place explains more than what DNS says. */
static enum verdict
judge_garbled_only(struct trial *trial)
{
	enum verdict verdict;
	struct garble garble;

	if (trial->session->answer_count == 0 || !lacks_offer(trial->session))
		return VERDICT_NOTHING; /* no other kind stands before it */
	garble = garble_find(trial->context->registry, trial->session);
	if (!garble.found || is_servers_own_word(trial))
		return VERDICT_NOTHING;
	verdict = judge_garbled(trial, &garble);
	return verdict == VERDICT_INCIDENT ? verdict : VERDICT_NOTHING;
}

bool
rules_demand_certificate(const struct session *s, const struct context *context)
{
	return trial_certificate_demanded(s, context);
}

/* In the order of kinds.def, what had no effect last: the first that makes an
 * incident names it. */
static enum verdict (*const steps[])(struct trial *) = { trial_injected,
	trial_copies, trial_command, trial_blocked, judge_garbled_only,
	trial_hidden, trial_refused, trial_broken, trial_downgraded,
	trial_certificate, trial_redirected, judge_missing, trial_discarded };
#define STEPS (sizeof(steps) / sizeof(*steps))

static enum verdict
take_step(struct trial *trial, size_t step)
{
	trial->weigh_first = NULL;
	trial_start_over(trial);
	return steps[step](trial);
}

static enum verdict
judge_all(struct trial *trial)
{
	size_t evidence = STEPS;

	for (size_t i = 0; i < STEPS; i++) {
		enum verdict verdict = take_step(trial, i);

		if (verdict == VERDICT_INCIDENT)
			return verdict;
		if (verdict == VERDICT_EVIDENCE && evidence == STEPS)
			evidence = i;
	}
	return evidence == STEPS ? VERDICT_NOTHING : take_step(trial, evidence);
}

static enum verdict
judge_and_describe(struct trial *trial, enum unjudged *why)
{
	enum verdict verdict = judge_all(trial);

	if (verdict == VERDICT_EVIDENCE || verdict == VERDICT_INCIDENT) {
		describe_session(trial);
		if (trial->context->site != NULL)
			site_apply(trial->context->site, trial->out);
	} else if (session_unjudged(trial->own, why)) {
		verdict = VERDICT_UNJUDGED;
	}
	return verdict;
}

/* What came of a failure in another session belongs to it. */
static void
find_chain(struct trial *trial)
{
	const struct context *context = trial->context;
	const struct attempt *attempts;
	size_t count;

	bool cut = session_ehlo_cut(trial->own);

	if (context->attempts == NULL ||
	    !(cut || session_starttls_failed(trial->own)))
		return;
	count = context->attempts(context->world, &trial->own->flow.server,
	    &attempts);
	chain_find(attempts, count, trial->own, &trial->chain);
	/* Who says EHLO again, and is answered, was not kept from it. */
	if (cut && trial->chain.retry != NULL &&
	    trial->chain.retry->result != ATTEMPT_HELO)
		trial->chain = (struct chain){ 0 };
}

enum verdict
rules_judge(const struct session *s, const struct context *context,
    struct incident *out, enum unjudged *why)
{
	struct trial trial = { .session = s,
		.own = s,
		.context = context,
		.out = out };
	struct session *whole = NULL;
	enum verdict verdict;

	find_chain(&trial);
	if (trial.chain.retry != NULL &&
	    (whole = malloc(sizeof(*whole))) != NULL) {
		session_with_retry(s, trial.chain.retry, whole);
		trial.session = whole;
	}
	verdict = judge_and_describe(&trial, why);
	free(whole);
	return verdict;
}
