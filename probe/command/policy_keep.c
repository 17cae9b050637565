/* What `policy fetch` found goes into the store. */
#include <stdio.h>

#include "policy_fetch.h"

#define NS_PER_S INT64_C(1000000000)
/* MX hosts are asked for daily; a day late is not yet unknown. */
#define HOSTS_HOLD_NS (2 * 86400 * NS_PER_S)

struct known {
	int64_t at_ns;
	struct sts_before before;
	int64_t fetched_ns;
	const struct fetched *fetched;
	bool same; /* body as what was fetched */
};

static int
on_look(void *context, const struct policy_look *look)
{
	struct known *known = context;

	known->before.looked =
	    sts_state_parse(look->state, &known->before.state);
	known->fetched_ns = look->fetched_ns;
	return 0;
}

/* The newest that holds now is the last one. */
static int
on_version(void *context, const struct policy_row *row)
{
	struct known *known = context;
	struct sts_policy policy;

	if (known->at_ns < row->from_ns || known->at_ns >= row->until_ns ||
	    !sts_policy_parse(row->body, &policy, NULL))
		return 0;
	known->before.known = true;
	known->before.mode = policy.mode;
	known->before.max_age_s = policy.max_age_s;
	known->before.until_ns = row->until_ns;
	known->same = slice_equal(row->body, known->fetched->body);
	return 0;
}

static int
keep_policy(struct store *store, const struct fetched *f, int64_t at_ns,
    bool *changed)
{
	struct policy_row row = { .from_ns = at_ns,
		.until_ns = at_ns + f->policy.max_age_s * NS_PER_S,
		.source = "fetch",
		.body = f->body };

	snprintf(row.domain, sizeof(row.domain), "%s", f->domain);
	return store_observe_policy(store, &row, changed);
}

static int
keep_look(struct store *store, const struct fetched *f,
    const struct sts_found *found, int64_t fetched_ns)
{
	struct policy_look look = { .looked_ns = found->at_ns,
		.due_ns = sts_look_due(found, f->policy.max_age_s),
		.fetched_ns = f->state == STS_VALID ? found->at_ns :
						      fetched_ns };

	snprintf(look.domain, sizeof(look.domain), "%s", f->domain);
	snprintf(look.state, sizeof(look.state), "%s",
	    sts_state_name(f->state));
	snprintf(look.result, sizeof(look.result), "%s",
	    tls_result_name(f->result));
	snprintf(look.detail, sizeof(look.detail), "%s", f->why);
	snprintf(look.txt_id, sizeof(look.txt_id), "%s", f->txt_id);
	snprintf(look.tlsrpt, sizeof(look.tlsrpt), "%s", f->tlsrpt);
	return store_put_policy_look(store, &look);
}

static int
keep_host(struct store *store, const struct fetched *f,
    const struct fetched_host *from, int64_t at_ns)
{
	struct mail_host host = { .from_ns = at_ns,
		.until_ns = at_ns + HOSTS_HOLD_NS,
		.preference = from->preference,
		.mx_secure = f->mx_secure };
	char text[ADDRESS_TEXT_BYTES];
	size_t n = 0;

	snprintf(host.domain, sizeof(host.domain), "%s", f->domain);
	snprintf(host.host, sizeof(host.host), "%s", from->name);
	snprintf(host.dane, sizeof(host.dane), "%s",
	    dane_state_name(from->dane));
	snprintf(host.tlsa, sizeof(host.tlsa), "%s", from->tlsa);
	snprintf(host.tlsa_base, sizeof(host.tlsa_base), "%s", from->tlsa_base);
	snprintf(host.canonical, sizeof(host.canonical), "%s", from->canonical);
	snprintf(host.next_hop, sizeof(host.next_hop), "%s", f->next_hop);
	for (unsigned i = 0; i < from->address_count; i++)
		n += (size_t)snprintf(host.addresses + n,
		    sizeof(host.addresses) - n, "%s%s", i > 0 ? " " : "",
		    address_format(&from->addresses[i], text));
	return store_observe_mail_host(store, &host);
}

static int
keep_events(struct store *store, const struct fetched *f,
    const struct known *known, unsigned events)
{
	struct policy_event event = { .at_ns = known->at_ns };

	snprintf(event.domain, sizeof(event.domain), "%s", f->domain);
	for (unsigned bit = 0; bit < STS_EVENT_BITS; bit++) {
		if (!(events & 1u << bit))
			continue;
		snprintf(event.event, sizeof(event.event), "%s",
		    sts_event_name(bit));
		if (f->state == STS_VALID)
			snprintf(event.detail, sizeof(event.detail),
			    "%s, was %s", sts_mode_name(f->policy.mode),
			    known->before.known ?
				sts_mode_name(known->before.mode) :
				"none known");
		else
			snprintf(event.detail, sizeof(event.detail),
			    "%s still holds; now: %s %.180s",
			    sts_mode_name(known->before.mode),
			    sts_state_name(f->state), f->why);
		if (store_add_policy_event(store, &event) != 0)
			return -1;
	}
	return 0;
}

static int
keep_all(struct store *store, const struct fetched *f, struct known *known,
    unsigned *events, bool *changed)
{
	struct sts_found found = { .at_ns = known->at_ns, .state = f->state };

	if (store_each_policy_look(store, f->domain, on_look, known) != 0 ||
	    store_each_policy(store, f->domain, on_version, known) != 0)
		return -1;
	if (f->state == STS_VALID) {
		found.mode = f->policy.mode;
		found.same = known->same;
		if (keep_policy(store, f, known->at_ns, changed) != 0)
			return -1;
	}
	*events = sts_look_events(&known->before, &found);
	for (unsigned i = 0; i < f->host_count; i++)
		if (keep_host(store, f, &f->hosts[i], known->at_ns) != 0)
			return -1;
	*changed |= f->host_count > 0;
	return keep_events(store, f, known, *events) != 0 ||
		keep_look(store, f, &found, known->fetched_ns) != 0 ?
	    -1 :
	    0;
}

int
policy_keep(struct store *store, const struct fetched *f, int64_t at_ns,
    unsigned *events, bool *changed)
{
	struct known known = { .at_ns = at_ns, .fetched = f };

	*changed = false;
	if (store_begin(store) != 0)
		return -1;
	if (keep_all(store, f, &known, events, changed) != 0) {
		store_rollback(store);
		return -1;
	}
	return store_commit(store);
}
