#include "verdict.h"

static bool
same_evidence(const struct incident *a, const struct incident *b)
{
	if (a->evidence_count != b->evidence_count)
		return false;
	for (unsigned i = 0; i < a->evidence_count; i++) {
		const struct evidence *l = &a->evidence[i];
		const struct evidence *r = &b->evidence[i];

		if (l->code != r->code || l->weight != r->weight ||
		    l->frame != r->frame || strcmp(l->detail, r->detail) != 0)
			return false;
	}
	return true;
}

static bool
same_policies(const struct incident *a, const struct incident *b)
{
	if (a->policy_count != b->policy_count)
		return false;
	for (unsigned i = 0; i < a->policy_count; i++) {
		const struct policy_verdict *l = &a->policies[i];
		const struct policy_verdict *r = &b->policies[i];

		if (l->mechanism != r->mechanism ||
		    strcmp(l->domain, r->domain) != 0 ||
		    strcmp(l->mode, r->mode) != 0 || l->assumed != r->assumed ||
		    l->result != r->result || l->basis != r->basis)
			return false;
	}
	return true;
}

/* In whatever order: they are read by role and identity. */
static bool
same_sessions(const struct incident *a, const struct incident *b)
{
	unsigned found = 0;

	for (unsigned i = 0; i < a->session_count; i++) {
		for (unsigned j = 0; j < b->session_count; j++) {
			const struct incident_session *l = &a->sessions[i];
			const struct incident_session *r = &b->sessions[j];

			found += memcmp(l->session, r->session, 16) == 0 &&
			    strcmp(l->role, r->role) == 0 &&
			    endpoint_equal(&l->client, &r->client) &&
			    l->first_ns == r->first_ns;
		}
	}
	return a->session_count == b->session_count &&
	    found == a->session_count;
}

/* Whose session, where in which capture, and what stood there. */
static bool
same_place(const struct incident *a, const struct incident *b)
{
	if (a->domain_count != b->domain_count ||
	    a->domains_unlisted != b->domains_unlisted)
		return false;
	for (unsigned i = 0; i < a->domain_count; i++)
		if (strcmp(a->rcpt_domains[i], b->rcpt_domains[i]) != 0)
			return false;
	if (a->rcpt_count != b->rcpt_count)
		return false;
	for (unsigned i = 0; i < a->rcpt_count; i++)
		if (strcmp(a->rcpt_to[i], b->rcpt_to[i]) != 0)
			return false;
	return endpoint_equal(&a->client, &b->client) &&
	    endpoint_equal(&a->server, &b->server) && a->frame == b->frame &&
	    a->capture_ts_ns == b->capture_ts_ns &&
	    a->stream_offset == b->stream_offset &&
	    a->seen_line == b->seen_line && a->ehlo_frame == b->ehlo_frame &&
	    strcmp(a->capture_hash, b->capture_hash) == 0 &&
	    strcmp(a->seen, b->seen) == 0 &&
	    strcmp(a->expected, b->expected) == 0 &&
	    strcmp(a->helo, b->helo) == 0 &&
	    strcmp(a->server_name, b->server_name) == 0 &&
	    strcmp(a->product, b->product) == 0 &&
	    strcmp(a->queue_id, b->queue_id) == 0 &&
	    strcmp(a->mail_from, b->mail_from) == 0;
}

bool
verdict_same(const struct incident *a, const struct incident *b)
{
	return a->state == b->state && a->kind == b->kind &&
	    a->also == b->also && a->certainty == b->certainty &&
	    a->confidence == b->confidence && a->support == b->support &&
	    a->prior == b->prior && a->cause == b->cause &&
	    a->side == b->side && a->direction == b->direction &&
	    strcmp(a->box, b->box) == 0 && a->outcome == b->outcome &&
	    a->retrospect == b->retrospect && a->unseen == b->unseen &&
	    a->resembles_samples == b->resembles_samples &&
	    strcmp(a->resembles, b->resembles) == 0 &&
	    strcmp(a->observed, b->observed) == 0 &&
	    strcmp(a->benign, b->benign) == 0 &&
	    strcmp(a->next_step, b->next_step) == 0 && same_place(a, b) &&
	    same_evidence(a, b) && same_policies(a, b) && same_sessions(a, b);
}
