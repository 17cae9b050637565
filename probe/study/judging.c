#include "judging.h"

#include <stdio.h>
#include <stdlib.h>

#include "dissect/smtp.h"
#include "rules/product.h"

#define POOL_BYTES (1 << 20)

struct judging {
	const struct registry *registry;
	struct context context;
	struct fact_pool *pool;
	struct counters counters;
	struct smtp_options options;
	void *place; /* of the dissector's session */
	struct session session;
	struct incident incident;
};

/* --- a record by itself -------------------------------------------------- */

static bool
no_policy(void *world, const char *domain, int64_t at_ns,
    struct policy_in_force *out)
{
	(void)world;
	(void)domain;
	(void)at_ns;
	(void)out;
	return false;
}

static size_t
no_profiles(void *world, const struct endpoint *server,
    const struct profile **out)
{
	(void)world;
	(void)server;
	*out = NULL;
	return 0;
}

static void
fold(void *context, const struct publication *publication, struct slice facts)
{
	struct judging *j = context;
	struct slice bytes;
	struct fact fact;

	(void)publication;
	while (fact_decode(&facts, &fact, &bytes))
		session_fold(&j->session, &fact, bytes);
}

struct judging *
judging_create(const struct registry *registry, double prior)
{
	struct judging *j = calloc(1, sizeof(*j));

	if (j == NULL)
		return NULL;
	j->registry = registry;
	j->context = (struct context){ .registry = registry,
		.prior = prior,
		.policy = no_policy,
		.profiles = no_profiles };
	j->pool = fact_pool_create(POOL_BYTES, &j->counters, fold, j);
	j->place = malloc(smtp_session_bytes());
	if (j->pool != NULL && j->place != NULL)
		return j;
	judging_destroy(j);
	return NULL;
}

void
judging_destroy(struct judging *j)
{
	if (j == NULL)
		return;
	free(j->place);
	fact_pool_destroy(j->pool);
	free(j);
}

/* --- turns --------------------------------------------------------------- */

/* What a record has no octets of. */
static void
note(struct judging *j, enum fact_code code, uint32_t value,
    const struct origin *at)
{
	struct fact fact = { .code = (uint16_t)code,
		.dir = code == FACT_TLS_CLIENT_HELLO ? TO_SERVER : TO_CLIENT,
		.value = value,
		.frame = at->frame,
		.capture_ts_ns = at->capture_ts_ns };

	session_fold(&j->session, &fact, slice_of(NULL, 0));
}

static void
note_tls(struct judging *j, const struct record *r, const struct origin *at)
{
	if (r->tls == RECORD_TLS_UNKNOWN)
		return;
	if (r->implicit_tls)
		note(j, FACT_IMPLICIT_TLS, 0, at);
	note(j, FACT_TLS_CLIENT_HELLO, 0, at);
	if (r->tls != RECORD_TLS_REACHED)
		return;
	note(j, FACT_TLS_SERVER_HELLO, r->tls_version, at);
	note(j, FACT_TLS_ESTABLISHED, 0, at);
}

/* The client is not known: the flow has no first sequence numbers either, so
 * that none of this becomes anybody's history. */
static void
dissect(struct judging *j, const struct record *r)
{
	struct flow_start start = { .identity = { .server = r->server,
					.on_mail_port = true } };
	struct origin at = { .capture_ts_ns = r->at_ns };
	uint64_t offset[2] = { 0, 0 };
	struct smtp_session *smtp;
	struct fact_log log;

	if (start.identity.server.address.family == 0)
		start.identity.server.address.family = 4;
	start.identity.client.address.family =
	    start.identity.server.address.family;
	session_init(&j->session, 1);
	fact_log_open(&log, j->pool, 1);
	smtp = smtp_session_open(j->place, &log, &j->options, &start);
	for (unsigned i = 0; i < r->turn_count; i++) {
		enum dir dir = r->turns[i].dir;

		at.frame = at.run_frame = i + 1;
		at.stream_offset = offset[dir];
		smtp_session_feed(smtp, dir, record_said(r, i), &at);
		offset[dir] += r->turns[i].length;
	}
	at.frame++;
	smtp_session_close(smtp, r->whole ? ENDING_FIN : ENDING_CAPTURE_END,
	    TO_SERVER, &at);
	smtp_session_publish(smtp);
	fact_log_close(&log);
	note_tls(j, r, &at);
}

/* Granted, and nobody has said what came of it. */
static void
forget_unknown_tls(struct session *s, const struct record *r)
{
	if (r->tls == RECORD_TLS_UNKNOWN && s->starttls_code == 220)
		s->ending = ENDING_CAPTURE_END;
}

/* --- rows ---------------------------------------------------------------- */

static bool
is_counted(struct tally *tally, enum axis axis, int value)
{
	return axis_counts(tally, axis)[value] > 0;
}

static uint32_t
state_of(const struct session *s, bool found)
{
	struct tally tally = { 0 };
	uint32_t state = 0;
	bool offered, judged;

	session_tally(s, &tally);
	offered = is_counted(&tally, AXIS_OFFERED, OFFERED_YES);
	/* An answer that is no 250 tells of no keyword. */
	judged = offered || found ||
	    (is_counted(&tally, AXIS_OFFERED, OFFERED_NO) &&
		session_absence_seen(s));
	if (s->greeted || s->implicit_tls || s->tls_established)
		state |= STUDY_SMTP;
	if (judged)
		state |= STUDY_JUDGED;
	if (offered)
		state |= STUDY_OFFERED;
	if (is_counted(&tally, AXIS_USED, USED_TLS))
		state |= STUDY_USED;
	if (is_counted(&tally, AXIS_USED, USED_REFUSED) && offered)
		state |= STUDY_REFUSED;
	if (is_counted(&tally, AXIS_USED, USED_BROKEN) && offered)
		state |= STUDY_BROKEN;
	if (s->rcpt_clear || s->tls_established || s->implicit_tls)
		state |= STUDY_CARRIES;
	return state;
}

void
study_row_of(const struct session *s, const struct registry *registry,
    const struct incident *found, struct study_row *out)
{
	const struct product *product = product_of(registry, s);

	memset(out, 0, sizeof(*out));
	out->server = s->flow.server;
	out->at_ns = s->first_ns;
	out->sessions = 1;
	out->state = state_of(s, found != NULL);
	if (product != NULL)
		snprintf(out->product, sizeof(out->product), "%s",
		    product->name);
	if (found == NULL)
		return;
	out->certainty = found->certainty;
	out->kind = found->kind;
	snprintf(out->mask, sizeof(out->mask), "%s", found->resembles);
}

void
judging_take(struct judging *j, const struct record *r, struct study_row *out)
{
	const struct incident *found = NULL;
	enum unjudged why;

	dissect(j, r);
	forget_unknown_tls(&j->session, r);
	if (r->spoke && rules_have_a_say(&j->session) &&
	    rules_judge(&j->session, &j->context, &j->incident, &why) ==
		VERDICT_INCIDENT)
		found = &j->incident;
	study_row_of(&j->session, j->registry, found, out);
	if (!r->spoke && r->tls != RECORD_TLS_REACHED)
		out->state = 0;
	out->server = r->server;
	snprintf(out->name, sizeof(out->name), "%s", r->name);
	out->at_ns = r->at_ns;
}
