#include "judge_loop.h"

#include <stdlib.h>

#include <xxhash.h>

#include "beside.h"
#include "open_sessions.h"
#include "rules/chain.h"
#include "sightings.h"
#include "yield.h"

#define NS_PER_DAY (INT64_C(86400) * 1000000000)

struct judge_loop {
	struct judge_budgets budgets;
	struct judge_trust *trust;
	const struct context *context;
	fact_fn *facts;
	void *facts_context;
	struct open_sessions *open;
	struct sightings *sightings;
	struct yield **yields; /* by capture ordinal */
	size_t yield_count;
	bool watching;
	uint64_t sessions, suspects, strays;
	struct session session; /* that is being folded */
	struct incident incident;
	uint8_t differing[SIGHTINGS_MAX_BYTES]; /* in which sightings do */
	struct beside beside;			/* of the session at hand */
};

struct judge_loop *
judge_loop_create(const struct judge_budgets *budgets,
    struct judge_trust *trust, const struct context *context, fact_fn *facts,
    void *facts_context)
{
	struct judge_loop *loop = calloc(1, sizeof(*loop));

	if (loop == NULL)
		return NULL;
	loop->budgets = *budgets;
	loop->trust = trust;
	loop->context = context;
	loop->facts = facts;
	loop->facts_context = facts_context;
	loop->open = open_sessions_create(budgets->open_bytes);
	loop->sightings = sightings_create();
	if (loop->open == NULL || loop->sightings == NULL) {
		judge_loop_destroy(loop);
		return NULL;
	}
	return loop;
}

void
judge_loop_destroy(struct judge_loop *loop)
{
	if (loop == NULL)
		return;
	open_sessions_destroy(loop->open);
	sightings_destroy(loop->sightings);
	for (size_t i = 0; i < loop->yield_count; i++)
		yield_destroy(loop->yields[i]);
	free(loop->yields);
	free(loop);
}

/* --- a session has ended ------------------------------------------------- */

static struct yield *
yield_of(struct judge_loop *loop, uint32_t ordinal)
{
	if (ordinal >= loop->yield_count) {
		size_t count = (size_t)ordinal + 1;
		struct yield **more =
		    realloc(loop->yields, count * sizeof(*more));

		if (more == NULL)
			return NULL;
		memset(more + loop->yield_count, 0,
		    (count - loop->yield_count) * sizeof(*more));
		loop->yields = more;
		loop->yield_count = count;
	}
	if (loop->yields[ordinal] == NULL)
		loop->yields[ordinal] = yield_create(&loop->budgets);
	return loop->yields[ordinal];
}

static void
fold(struct judge_loop *loop, const struct open_session *open,
    struct slice last)
{
	struct slice parts[2] = { slice_of(open->facts, open->length), last };
	struct slice bytes;
	struct fact fact;

	session_init(&loop->session, open->handle);
	for (int i = open->cut ? 1 : 0; i < 2; i++)
		while (fact_decode(&parts[i], &fact, &bytes))
			session_fold(&loop->session, &fact, bytes);
	if (open->cut)
		loop->session.observability |= OBS_OVER_LIMIT;
}

/* Not the identity, which may need the capture's hash, but as good for
 * choosing which sessions stay. */
static uint64_t
order_of(const struct session *s)
{
	uint8_t identity[FLOW_IDENTITY_BYTES];

	flow_identity_encode(&s->flow, identity);
	return XXH3_64bits_withSeed(identity, sizeof(identity),
	    s->flow.has_client_isn ? 0 : s->first_frame);
}

/* Facts as they are stored: no handle, captures counted from the first. */
static bool
copy_facts(struct kept_session *kept, const struct open_session *open,
    uint32_t first_capture)
{
	struct slice in = slice_of(open->facts, open->length), bytes;
	struct fact fact;
	uint8_t *out = malloc((size_t)open->length + 1);

	if (out == NULL)
		return false;
	kept->facts = out;
	kept->captures = 1;
	*out++ = FACT_FORMAT_VERSION;
	while (fact_decode(&in, &fact, &bytes)) {
		/* Never more, or its header could grow. */
		fact.capture -= fact.capture < first_capture ? fact.capture :
							       first_capture;
		if (fact.capture + 1 > kept->captures)
			kept->captures = fact.capture + 1;
		out += fact_encode(&fact, bytes, out);
	}
	kept->facts_bytes = (size_t)(out - kept->facts);
	return true;
}

/* Of two sessions the one of the higher order stays: rather what is an incident
 * than what carries evidence, and rather that than one without an offer. */
static uint64_t
worth_of(const struct session *s, enum verdict verdict)
{
	uint64_t rank = verdict == VERDICT_INCIDENT ? 2 :
	    verdict == VERDICT_EVIDENCE		    ? 1 :
						      0;

	return rank << 62 | order_of(s) >> 2;
}

static void
keep_session(struct judge_loop *loop, struct yield *yield,
    struct open_session *open, struct slice last, enum verdict verdict)
{
	const struct session *s = &loop->session;
	struct kept_session kept = { .flow = s->flow,
		.unfinished = !s->closed,
		.capture = s->capture,
		.order = worth_of(s, verdict),
		.first_frame = s->first_frame,
		.first_ns = s->first_ns,
		.deciding_ns = s->last_ns,
		.domain_count = s->domain_count };

	open_session_keep(loop->open, open, last);
	open_session_keep(loop->open, open,
	    slice_of(loop->beside.facts, loop->beside.length));
	if (open->cut || !copy_facts(&kept, open, s->capture)) {
		yield_tally(yield)->kept_shed++;
		return;
	}
	if (s->lines_kept > 0)
		kept.deciding_ns = s->lines[s->lines_kept - 1].capture_ts_ns;
	if (verdict >= VERDICT_EVIDENCE && loop->incident.capture_ts_ns != 0)
		kept.deciding_ns = loop->incident.capture_ts_ns;
	if (s->domain_count > 0) {
		kept.domains = malloc(s->domain_count * sizeof(*kept.domains));
		if (kept.domains == NULL)
			kept.domain_count = 0;
		else
			memcpy(kept.domains, s->rcpt_domains,
			    s->domain_count * sizeof(*kept.domains));
	}
	yield_kept(yield, &kept);
}

static bool
demands_tls(const struct context *context, const struct session *s,
    const char *domain)
{
	struct policy_in_force force;
	enum dane_state dane = DANE_NONE;
	bool assumed;

	if (context->policy(context->world, domain, s->mail_ns, &force) &&
	    force.policy.mode == STS_ENFORCE)
		return true;
	if (context->dane != NULL)
		dane = context->dane(context->world, domain, &s->flow.server,
		    s->mail_ns, &assumed);
	return dane == DANE_TLS || dane == DANE_AUTHENTICATE;
}

static void
note_attempt(struct judge_loop *loop, struct yield *yield)
{
	const struct session *s = &loop->session;
	struct kept_attempt kept = { .flow = s->flow,
		.order = order_of(s) >> 1 };

	if (!session_attempt(s, &kept.attempt))
		return;
	if (kept.attempt.result == ATTEMPT_FAILED)
		kept.order |= UINT64_C(1) << 63;
	yield_attempt(yield, &kept);
}

/* Design 3: not an incident, but counted by peer and day. */
static void
count_clear(struct judge_loop *loop, struct yield *yield)
{
	const struct session *s = &loop->session;

	if (!s->offered || s->starttls_sent || !s->mail_clear || s->auth_clear)
		return;
	for (unsigned i = 0; i < s->domain_count; i++) {
		int64_t day = s->mail_ns -
		    ((s->mail_ns % NS_PER_DAY) + NS_PER_DAY) % NS_PER_DAY;

		if (demands_tls(loop->context, s, s->rcpt_domains[i]))
			yield_clear(yield, &s->flow.client.address,
			    s->rcpt_domains[i], day);
	}
}

static void
end_session(struct judge_loop *loop, struct open_session *open,
    struct slice last)
{
	struct session *s = &loop->session;
	enum verdict verdict = VERDICT_NOTHING;
	struct profile profile;
	struct yield *yield;
	enum unjudged why;

	fold(loop, open, last);
	loop->sessions++;
	yield = yield_of(loop, s->capture);
	if (yield == NULL)
		return;
	session_tally(s, yield_tally(yield));
	beside_answers(&loop->beside, yield_dns(yield), s);
	beside_verification(&loop->beside, loop->trust, loop->context, s);
	/* Of two versions of a reply nobody knows which the server's is. */
	if (s->copy_count == 0 && session_profile(s, &profile) &&
	    yield_profile(yield, &profile) &&
	    !yield_has_keywords(yield, profile.keywords_hash)) {
		struct keyword_list list;

		session_keywords(s, &list);
		yield_keywords(yield, &list);
	}
	count_clear(loop, yield);
	note_attempt(loop, yield);
	if (rules_have_a_say(s))
		verdict = rules_judge(s, loop->context, &loop->incident, &why);
	else if (session_unjudged(s, &why))
		verdict = VERDICT_UNJUDGED;
	if (verdict == VERDICT_UNJUDGED)
		yield_tally(yield)->unjudged[why]++;
	if (verdict == VERDICT_INCIDENT)
		loop->suspects++;
	if (verdict == VERDICT_INCIDENT || verdict == VERDICT_EVIDENCE ||
	    session_clear_without_offer(s) || open->yielded)
		keep_session(loop, yield, open, last, verdict);
}

/*
 * Watching: what is known of a session that goes on. A retry in clear is told
 * too, for the session that failed before it waits for that.
 */
static void
judge_so_far(struct judge_loop *loop, struct open_session *open,
    uint32_t decision)
{
	struct session *s = &loop->session;
	uint32_t length = open->length;
	struct yield *yield;
	enum unjudged why;

	fold(loop, open, slice_of(NULL, 0));
	yield = yield_of(loop, s->capture);
	if (yield == NULL || open->cut)
		return;
	if (decision == DECISION_MAIL_ACCEPTED)
		note_attempt(loop, yield);
	if (!rules_have_a_say(s))
		return;
	beside_answers(&loop->beside, yield_dns(yield), s);
	beside_verification(&loop->beside, loop->trust, loop->context, s);
	if (rules_judge(s, loop->context, &loop->incident, &why) !=
	    VERDICT_INCIDENT)
		return;
	keep_session(loop, yield, open, slice_of(NULL, 0), VERDICT_INCIDENT);
	open->length = length; /* what stands beside it is laid there anew */
	open->yielded = true;
}

/* --- one session, seen twice --------------------------------------------- */

/* Is it another sighting of one that is open? */
static void
note_sighting(struct judge_loop *loop, struct open_session *open,
    struct slice facts)
{
	uint64_t twin = sightings_open(loop->sightings, open->handle, facts);
	struct open_session *other =
	    twin ? open_sessions_known(loop->open, twin) : NULL;

	open->noted = true;
	if (other == NULL || other->twin != 0)
		return;
	open->twin = twin;
	other->twin = open->handle;
}

/* The sighting that ends first waits for the other one. False: there is none
 * to wait for. */
static bool
hand_over(struct judge_loop *loop, struct open_session *open, struct slice last)
{
	struct open_session *other = open->twin && open->twin_facts == NULL ?
	    open_sessions_known(loop->open, open->twin) :
	    NULL;

	if (other == NULL)
		return false;
	open_session_keep(loop->open, open, last);
	if (open->cut)
		return false;
	other->twin_facts = open->facts;
	other->twin_length = open->length;
	other->twin_room = open->room;
	open->facts = NULL;
	open->length = open->room = 0;
	return true;
}

static void
swap_sightings(struct open_session *open)
{
	struct open_session before = *open;

	open->facts = before.twin_facts;
	open->length = before.twin_length;
	open->room = before.twin_room;
	open->twin_facts = before.facts;
	open->twin_length = before.length;
	open->twin_room = before.room;
}

/*
 * Judged is what came to the client; what the other sighting says otherwise
 * stands beside it.
 */
static void
end_both(struct judge_loop *loop, struct open_session *open, struct slice last)
{
	struct slice own, twin;

	open_session_keep(loop->open, open, last);
	own = slice_of(open->facts, open->length);
	twin = slice_of(open->twin_facts, open->twin_length);
	if (!open->cut && !sightings_is_nearer(own, twin)) {
		swap_sightings(open);
		own = slice_of(open->facts, open->length);
		twin = slice_of(open->twin_facts, open->twin_length);
	}
	if (!open->cut)
		open_session_keep(loop->open, open,
		    slice_of(loop->differing,
			sightings_compare(own, twin, loop->differing)));
	end_session(loop, open, slice_of(NULL, 0));
}

static void
take_answers(struct judge_loop *loop, struct slice facts)
{
	struct slice bytes;
	struct fact fact;

	while (fact_decode(&facts, &fact, &bytes)) {
		struct yield *yield = yield_of(loop, fact.capture);

		if (yield != NULL && fact.code == FACT_DNS_ANSWER)
			yield_answer(yield, &fact, bytes);
	}
}

/* A judge that was started anew does not know how sessions began that are open
 * already: of these it says nothing. */
static struct open_session *
find_watched(struct judge_loop *loop, uint64_t handle, struct slice facts)
{
	struct open_session *open = open_sessions_known(loop->open, handle);
	struct slice bytes;
	struct fact first;

	if (open == NULL && fact_decode(&facts, &first, &bytes) &&
	    first.code == FACT_SESSION_OPENED)
		open = open_sessions_find(loop->open, handle);
	loop->strays += open == NULL;
	return open;
}

void
judge_loop_take(void *context, const struct publication *publication,
    struct slice facts)
{
	struct judge_loop *loop = context;
	struct open_session *open;

	if (loop->facts != NULL) {
		struct slice in = facts, bytes;
		struct fact fact;

		while (fact_decode(&in, &fact, &bytes)) {
			fact.session = publication->session;
			loop->facts(loop->facts_context, &fact, bytes);
		}
	}
	if (publication->decision == DECISION_DNS_ANSWERED) {
		take_answers(loop, facts);
		return;
	}
	open = loop->watching ?
	    find_watched(loop, publication->session, facts) :
	    open_sessions_find(loop->open, publication->session);
	if (open == NULL)
		return;
	if (!open->noted)
		note_sighting(loop, open, facts);
	/* Reading a file, nobody waits for an alert: a session is judged at
	 * its last decision point, when all of its facts are here. */
	if (publication->decision < DECISION_CLOSED) {
		open_session_keep(loop->open, open, facts);
		if (loop->watching)
			judge_so_far(loop, open, publication->decision);
		return;
	}
	if (open->twin_facts != NULL)
		end_both(loop, open, facts);
	else if (!hand_over(loop, open, facts))
		end_session(loop, open, facts);
	open_sessions_remove(loop->open, open);
}

uint64_t
judge_loop_sessions(const struct judge_loop *loop)
{
	return loop->sessions;
}

uint64_t
judge_loop_suspects(const struct judge_loop *loop)
{
	return loop->suspects;
}

const struct capture_yield *
judge_loop_yield(struct judge_loop *loop, uint32_t ordinal)
{
	if (ordinal >= loop->yield_count || loop->yields[ordinal] == NULL)
		return NULL;
	return yield_finish(loop->yields[ordinal]);
}

void
judge_loop_watch(struct judge_loop *loop, size_t sessions)
{
	loop->watching = true;
	open_sessions_bound(loop->open, sessions);
}

bool
judge_loop_is_urgent(const struct judge_loop *loop, uint32_t ordinal)
{
	return ordinal < loop->yield_count && loop->yields[ordinal] != NULL &&
	    yield_is_urgent(loop->yields[ordinal]);
}

struct yield *
judge_loop_part(struct judge_loop *loop, uint32_t ordinal)
{
	if (ordinal >= loop->yield_count || loop->yields[ordinal] == NULL)
		return NULL;
	return yield_split(loop->yields[ordinal]);
}

uint64_t
judge_loop_strays(const struct judge_loop *loop)
{
	return loop->strays;
}

static void
end_unfinished(void *context, struct open_session *open)
{
	struct judge_loop *loop = context;
	struct fact closed = { .code = FACT_CLOSED,
		.value = ENDING_EVICTED,
		.observability = OBS_EVICTED };
	uint8_t encoded[FACT_HEADER_MAX_BYTES];

	end_session(loop, open,
	    slice_of(encoded,
		fact_encode(&closed, slice_of(NULL, 0), encoded)));
}

void
judge_loop_end_all(struct judge_loop *loop, unsigned publisher)
{
	open_sessions_empty(loop->open, publisher, end_unfinished, loop);
}
