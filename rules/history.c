#include "history.h"

bool
history_near_in_time(const struct profile *p, int64_t at_ns)
{
	return p->last_ns >= at_ns - COMPARABLE_NS &&
	    p->first_ns <= at_ns + COMPARABLE_NS;
}

static bool
comparable(const struct profile *p, const struct profile *own, int64_t at_ns)
{
	return p->verb == own->verb && history_near_in_time(p, at_ns);
}

static enum kin
kin_of(const struct profile *p, const struct profile *own)
{
	struct address left = address_network(&p->client);
	struct address right = address_network(&own->client);

	if (address_compare(&p->client, &own->client) == 0)
		return KIN_SAME;
	return address_compare(&left, &right) == 0 ? KIN_NETWORK : KIN_OTHER;
}

static uint64_t
distance_ns(int64_t a, int64_t b)
{
	return a > b ? (uint64_t)a - (uint64_t)b : (uint64_t)b - (uint64_t)a;
}

static void
note_nearest(struct history *h, enum kin kin, int64_t offered_ns, int64_t at_ns)
{
	if (h->nearest_offered_ns != 0 &&
	    (kin > h->nearest_kin ||
		(kin == h->nearest_kin &&
		    distance_ns(offered_ns, at_ns) >=
			distance_ns(h->nearest_offered_ns, at_ns))))
		return;
	h->nearest_offered_ns = offered_ns;
	h->nearest_kin = kin;
}

static void
note_times(struct history *h, const struct profile *p, enum kin kin,
    int64_t at_ns)
{
	if (kin != KIN_OTHER) {
		if (h->first_offered_ns == 0 ||
		    p->first_ns < h->first_offered_ns)
			h->first_offered_ns = p->first_ns;
		if (p->last_ns > h->last_offered_ns)
			h->last_offered_ns = p->last_ns;
	}
	h->before |= p->first_ns < at_ns;
	h->after |= p->last_ns > at_ns;
	/* Only of the first and the last session is the time known. */
	note_nearest(h, kin, p->first_ns, at_ns);
	note_nearest(h, kin, p->last_ns, at_ns);
}

static void
note_list(struct history *h, bool equal, enum kin kin)
{
	h->same_list |= equal && kin == KIN_SAME;
	h->network_list |= equal && kin != KIN_OTHER;
	h->any_list |= equal;
}

static void
note_identity(struct history *h, const struct profile *p,
    const struct profile *own, enum kin kin)
{
	if (p->home_hash != 0) {
		h->with_home += p->sessions;
		h->same_home += p->home_hash == own->home_hash ? p->sessions :
								 0;
	}
	if (kin != KIN_OTHER && p->server_ttl != 0) {
		h->with_ttl += p->sessions;
		h->same_ttl += p->server_ttl == own->server_ttl ? p->sessions :
								  0;
		h->usual_ttl = p->server_ttl;
	}
}

void
history_ask(const struct context *context, const struct profile *own,
    uint64_t clean_hash, int64_t at_ns, struct history *h)
{
	const struct profile *profiles;
	size_t count =
	    context->profiles(context->world, &own->server, &profiles);
	uint64_t *offered[] = { &h->same_offered, &h->network_offered,
		&h->other_offered };
	uint64_t *missing[] = { &h->same_missing, &h->network_missing,
		&h->other_missing };

	memset(h, 0, sizeof(*h));
	for (size_t i = 0; i < count; i++) {
		const struct profile *p = &profiles[i];
		enum kin kin = kin_of(p, own);

		if (!comparable(p, own, at_ns))
			continue;
		if (p->offered) {
			*offered[kin] += p->sessions;
			note_times(h, p, kin, at_ns);
			note_list(h, p->keywords_hash == clean_hash, kin);
			note_identity(h, p, own, kin);
		} else {
			*missing[kin] += p->sessions;
			if (p->keywords_hash == own->keywords_hash)
				h->same_reply += p->sessions;
		}
	}
	/* The session itself is among them if it was seen well enough. */
	if (h->same_missing > 0) {
		h->same_missing--;
		h->same_reply -= h->same_reply > 0;
	}
}

/* --- how STARTTLS ended -------------------------------------------------- */

static void
widen(int64_t *first_ns, int64_t *last_ns, const struct profile *p)
{
	if (*first_ns == 0 || p->first_ns < *first_ns)
		*first_ns = p->first_ns;
	if (p->last_ns > *last_ns)
		*last_ns = p->last_ns;
}

static uint64_t *
count_of(struct tls_history *h, const struct profile *p, enum kin kin)
{
	switch (p->ending_class) {
	case CLASS_TLS:
		return &h->done[kin];
	case CLASS_TLS_BROKEN:
	case CLASS_REFUSED:
		return &h->failed[kin];
	case CLASS_CLEAR_MAIL:
		return p->offered ? &h->clear[kin] : NULL;
	default:
		return NULL;
	}
}

void
tls_history_ask(const struct context *context, const struct profile *own,
    int64_t at_ns, struct tls_history *h)
{
	const struct profile *profiles;
	size_t count =
	    context->profiles(context->world, &own->server, &profiles);
	uint64_t *mine;

	memset(h, 0, sizeof(*h));
	for (size_t i = 0; i < count; i++) {
		const struct profile *p = &profiles[i];
		enum kin kin = kin_of(p, own);
		uint64_t *sum = count_of(h, p, kin);

		if (sum == NULL || !comparable(p, own, at_ns))
			continue;
		*sum += p->sessions;
		if (sum == &h->failed[kin])
			widen(&h->first_failed_ns, &h->last_failed_ns, p);
		else if (sum == &h->done[kin] && kin != KIN_OTHER)
			widen(&h->first_done_ns, &h->last_done_ns, p);
	}
	/* The session itself is among them if it was seen well enough. */
	mine = count_of(h, own, KIN_SAME);
	if (mine != NULL && *mine > 0)
		--*mine;
}

/* Whether EHLO was answered with keywords or came to nothing. */
static void
note_answer(struct history *h, const struct profile *p,
    const struct profile *own, int64_t at_ns)
{
	if (p->verb == VERB_EHLO) {
		h->answered[kin_of(p, own)] += p->sessions;
		h->answered_before |= p->first_ns < at_ns;
		return;
	}
	h->unanswered += p->sessions;
	widen(&h->first_unanswered_ns, &h->last_unanswered_ns, p);
}

void
history_answered(const struct context *context, const struct session *s,
    int64_t at_ns, struct history *h)
{
	struct profile own = { .server = s->flow.server,
		.client = s->flow.client.address };
	const struct profile *profiles;
	size_t count =
	    context->profiles(context->world, &own.server, &profiles);

	memset(h, 0, sizeof(*h));
	for (size_t i = 0; i < count; i++)
		if (history_near_in_time(&profiles[i], at_ns))
			note_answer(h, &profiles[i], &own, at_ns);
	/* The session itself is among them if it was seen well enough. */
	h->unanswered -= h->unanswered > 0;
}

/* --- certificates -------------------------------------------------------- */

void
certificate_history_ask(const struct context *context, const struct session *s,
    struct certificate_history *h)
{
	const struct profile *profiles;
	struct profile own;
	size_t count =
	    context->profiles(context->world, &s->flow.server, &profiles);

	memset(h, 0, sizeof(*h));
	for (size_t i = 0; i < count; i++) {
		const struct profile *p = &profiles[i];

		if (p->certificate_hash == 0 ||
		    !history_near_in_time(p, s->chain_ns))
			continue;
		if (p->certificate_hash == s->certificate_hash) {
			h->same += p->sessions;
			widen(&h->first_same_ns, &h->last_same_ns, p);
			continue;
		}
		h->other += p->sessions;
		h->other_before |= p->first_ns < s->chain_ns;
		h->other_after |= p->last_ns > s->chain_ns;
	}
	/* The session itself is among them if it was seen well enough. */
	if (h->same > 0 && session_profile(s, &own))
		h->same--;
}
