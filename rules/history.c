#include "history.h"

#include <stdlib.h>

#define NS_PER_DAY (INT64_C(86400) * 1000000000)
#define COMPARABLE_NS (7 * NS_PER_DAY)

static bool
comparable(const struct profile *p, const struct profile *own, int64_t at_ns)
{
	if (p->verb != own->verb)
		return false;
	return p->last_ns >= at_ns - COMPARABLE_NS &&
	    p->first_ns <= at_ns + COMPARABLE_NS;
}

static bool
same_network(const struct address *a, const struct address *b)
{
	struct address left = address_network(a), right = address_network(b);

	return address_compare(&left, &right) == 0;
}

static void
note_times(struct history *h, const struct profile *p, bool network,
    int64_t at_ns)
{
	int64_t near = at_ns;

	if (network) {
		if (h->first_offered_ns == 0 ||
		    p->first_ns < h->first_offered_ns)
			h->first_offered_ns = p->first_ns;
		if (p->last_ns > h->last_offered_ns)
			h->last_offered_ns = p->last_ns;
	}
	h->before |= p->first_ns < at_ns;
	h->after |= p->last_ns > at_ns;
	if (p->last_ns < at_ns)
		near = p->last_ns;
	else if (p->first_ns > at_ns)
		near = p->first_ns;
	if (h->nearest_offered_ns == 0 ||
	    llabs((long long)(near - at_ns)) <
		llabs((long long)(h->nearest_offered_ns - at_ns)))
		h->nearest_offered_ns = near;
}

static void
note_list(struct history *h, bool equal, bool same, bool network)
{
	h->same_list |= equal && same;
	h->network_list |= equal && network;
	h->any_list |= equal;
}

void
history_ask(const struct context *context, const struct profile *own,
    uint64_t clean_hash, int64_t at_ns, struct history *h)
{
	const struct profile *profiles;
	size_t count = context->profiles(context->world, &own->server,
	    &profiles);

	memset(h, 0, sizeof(*h));
	for (size_t i = 0; i < count; i++) {
		const struct profile *p = &profiles[i];
		bool same = address_compare(&p->client, &own->client) == 0;
		bool network = same_network(&p->client, &own->client);

		if (!comparable(p, own, at_ns))
			continue;
		if (p->offered) {
			*(same ? &h->same_offered :
				network ? &h->network_offered :
					  &h->other_offered) += p->sessions;
			note_times(h, p, network, at_ns);
			note_list(h, p->keywords_hash == clean_hash, same,
			    network);
		} else {
			*(same ? &h->same_missing :
				network ? &h->network_missing :
					  &h->other_missing) += p->sessions;
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
