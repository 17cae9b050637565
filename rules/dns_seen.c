#include "dns_seen.h"

#include <stdio.h>

#include "dissect/dns_fact.h"
#include "trust.h"

/* enum dns_type of dissect/dns.h, as stored facts have them. */
enum {
	TYPE_A = 1,
	TYPE_MX = 15,
	TYPE_TXT = 16,
	TYPE_AAAA = 28,
	TYPE_TLSA = 52
};

#define RCODE_NOERROR 0
#define RCODE_NXDOMAIN 3

/* One answer, taken apart as far as its question. */
struct answer {
	const struct session_answer *seen;
	struct dns_asked asked;
	struct slice records;
	unsigned rcode;
	bool own, second;
};

static bool
read_answer(const struct session *s, unsigned i, struct answer *a)
{
	a->seen = &s->answers[i];
	a->records = a->seen->bytes;
	if (!dns_asked_decode(&a->records, &a->asked))
		return false;
	a->rcode = a->seen->value & DNS_ANSWER_RCODE;
	a->second = a->seen->value & DNS_ANSWER_SECOND;
	a->own = address_compare(&a->asked.client.address,
		     &s->flow.client.address) == 0;
	return true;
}

static void
keep_name(char out[DOMAIN_TEXT_BYTES], struct slice name)
{
	snprintf(out, DOMAIN_TEXT_BYTES, "%.*s",
	    (int)(name.len < DOMAIN_TEXT_BYTES ? name.len : 0),
	    (const char *)name.ptr);
}

static bool
is_address(uint16_t type)
{
	return type == TYPE_A || type == TYPE_AAAA;
}

/* --- routes -------------------------------------------------------------- */

static struct dns_route *
find_route(struct dns_route *routes, unsigned count, const char *domain,
    const char *mx)
{
	for (unsigned i = 0; i < count; i++)
		if (strcmp(routes[i].domain, domain) == 0 &&
		    strcmp(routes[i].mx, mx) == 0)
			return &routes[i];
	return NULL;
}

static void
add_route(struct dns_route *routes, unsigned *count, const struct dns_route *r)
{
	struct dns_route *known = find_route(routes, *count, r->domain, r->mx);

	if (known != NULL)
		known->own |= r->own;
	else if (*count < DNS_ROUTES_MAX)
		routes[(*count)++] = *r;
}

/* Whose MX the host is. */
static void
add_domains(const struct session *s, const struct dns_route *host,
    struct dns_route *routes, unsigned *count)
{
	struct dns_route route = *host;
	struct dns_said said;
	struct answer a;
	bool any = false;

	for (unsigned i = 0; i < s->answer_count; i++) {
		if (!read_answer(s, i, &a) || a.asked.type != TYPE_MX)
			continue;
		while (dns_said_decode(&a.records, &said)) {
			if (said.type != TYPE_MX || !said.in_answer ||
			    !slice_equal(said.value, slice_str(host->mx)))
				continue;
			keep_name(route.domain, a.asked.name);
			route.own = a.own;
			route.frame = a.seen->frame;
			add_route(routes, count, &route);
			any = true;
		}
	}
	if (!any)
		add_route(routes, count, host);
}

/* The name to which the address belongs: behind a CNAME it is still the one
 * that was asked for. */
static struct slice
name_of(const struct answer *a, const struct dns_said *said)
{
	return said->in_answer && is_address(a->asked.type) ? a->asked.name :
							      said->owner;
}

static void
own_first(struct dns_route *routes, unsigned count)
{
	for (unsigned i = 1; i < count; i++)
		for (unsigned j = i;
		     j > 0 && routes[j].own && !routes[j - 1].own; j--) {
			struct dns_route swap = routes[j];

			routes[j] = routes[j - 1];
			routes[j - 1] = swap;
		}
}

unsigned
dns_routes(const struct session *s, struct dns_route routes[DNS_ROUTES_MAX])
{
	char server[ADDRESS_TEXT_BYTES];
	struct dns_said said;
	struct answer a;
	unsigned count = 0;

	address_format(&s->flow.server.address, server);
	for (unsigned i = 0; i < s->answer_count; i++) {
		if (!read_answer(s, i, &a))
			continue;
		while (dns_said_decode(&a.records, &said)) {
			struct dns_route host = { .own = a.own,
				.frame = a.seen->frame };

			if (!is_address(said.type) ||
			    !slice_equal(said.value, slice_str(server)))
				continue;
			keep_name(host.mx, name_of(&a, &said));
			add_domains(s, &host, routes, &count);
		}
	}
	own_first(routes, count);
	return count;
}

/* --- what domains say of themselves -------------------------------------- */

static bool
asks_for(const struct answer *a, uint16_t type, const char *label,
    const char *name)
{
	size_t n = strlen(label);

	return a->asked.type == type && a->asked.name.len > n &&
	    memcmp(a->asked.name.ptr, label, n) == 0 &&
	    slice_equal(slice_after(a->asked.name, n), slice_str(name));
}

/* RFC 8461 3.1: of several records those count that begin so. */
static bool
is_sts(struct slice value)
{
	static const char lead[] = "v=STSv1;";

	return value.len > sizeof(lead) - 1 &&
	    memcmp(value.ptr, lead, sizeof(lead) - 1) == 0;
}

enum dns_sts
dns_sts(const struct session *s, const char *domain, bool *asked_by_client,
    uint64_t *frame)
{
	enum dns_sts result = DNS_STS_UNSEEN;
	struct dns_said said;
	struct answer a;

	*asked_by_client = false;
	for (unsigned i = 0; i < s->answer_count; i++) {
		unsigned records = 0;

		if (!read_answer(s, i, &a) ||
		    !asks_for(&a, TYPE_TXT, "_mta-sts.", domain) ||
		    (a.rcode != RCODE_NOERROR && a.rcode != RCODE_NXDOMAIN))
			continue;
		while (dns_said_decode(&a.records, &said))
			records += said.type == TYPE_TXT && said.in_answer &&
			    is_sts(said.value);
		/* What the client itself was told decides. */
		if (*asked_by_client && !a.own)
			continue;
		*asked_by_client = a.own;
		*frame = a.seen->frame;
		result = records == 1 ? DNS_STS_PUBLISHED : DNS_STS_NONE;
	}
	return result;
}

enum dns_tlsa
dns_tlsa(const struct session *s, const char *mx,
    const struct dane_names *names, uint64_t *frame)
{
	enum dns_tlsa result = DNS_TLSA_NONE;
	struct dns_said said;
	struct answer a;

	for (unsigned i = 0; i < s->answer_count; i++) {
		if (!read_answer(s, i, &a) ||
		    !asks_for(&a, TYPE_TLSA, "_25._tcp.", mx))
			continue;
		while (dns_said_decode(&a.records, &said)) {
			struct tlsa tlsa;

			if (said.type != TYPE_TLSA || !said.in_answer ||
			    !tlsa_parse(said.value, &tlsa))
				continue;
			*frame = a.seen->frame;
			/* RFC 7672 2.2.1: one that matches is enough. */
			if (tlsa_matches(&tlsa, s->chain, s->chain_count, names,
				s->chain_ns / 1000000000))
				return DNS_TLSA_MATCHED;
			result = DNS_TLSA_UNMATCHED;
		}
	}
	return result;
}

void
dns_expanded(const struct session *s, const char *name,
    char out[DOMAIN_TEXT_BYTES])
{
	struct slice asked = slice_str(name);
	struct dns_said said;
	struct answer a;

	out[0] = '\0';
	for (unsigned i = 0; i < s->answer_count; i++) {
		if (!read_answer(s, i, &a) || !slice_equal(a.asked.name, asked))
			continue;
		while (dns_said_decode(&a.records, &said))
			if (said.in_answer && said.type == a.asked.type &&
			    !slice_equal(said.owner, asked))
				keep_name(out, said.owner);
	}
}

/* --- contradictions ------------------------------------------------------ */

/* Does the answer give `value`? `first`: one of its values of that type. */
static bool
gives(const struct answer *a, struct slice value, char first[DOMAIN_TEXT_BYTES])
{
	struct slice records = a->records;
	struct dns_said said;
	bool given = false;

	first[0] = '\0';
	while (dns_said_decode(&records, &said)) {
		if (said.type != a->asked.type || !said.in_answer)
			continue;
		given |= slice_equal(said.value, value);
		if (first[0] == '\0')
			keep_name(first, said.value);
	}
	return given;
}

/* Do the two have a value in common? Then it is one set, turned round. */
static bool
overlap(const struct answer *a, const struct answer *b)
{
	struct slice records = a->records;
	char first[DOMAIN_TEXT_BYTES];
	struct dns_said said;

	while (dns_said_decode(&records, &said))
		if (said.type == a->asked.type && gives(b, said.value, first))
			return true;
	return false;
}

static bool
one_exchange(const struct answer *a, const struct answer *b)
{
	return endpoint_equal(&a->asked.client, &b->asked.client) &&
	    endpoint_equal(&a->asked.resolver, &b->asked.resolver) &&
	    (a->second || b->second);
}

static void
compare(const struct answer *a, const struct answer *b,
    struct dns_contradiction *out, bool *found)
{
	char other[DOMAIN_TEXT_BYTES];
	bool second = one_exchange(a, b);

	if (a->seen == b->seen || a->asked.type != b->asked.type ||
	    !slice_equal(a->asked.name, b->asked.name) || overlap(a, b) ||
	    (*found && !second))
		return;
	gives(b, slice_str(""), other);
	if (other[0] == '\0') /* none at all contradicts nothing */
		return;
	*found = true;
	out->second = second;
	out->frame = a->seen->frame;
	out->other_frame = b->seen->frame;
	memcpy(out->other, other, sizeof(other));
}

/* The answers to `name` that give `value`, against all others to it. */
static bool
contradicted(const struct session *s, uint16_t type, const char *name,
    const char *value, struct dns_contradiction *out)
{
	char first[DOMAIN_TEXT_BYTES];
	struct answer a, b;
	bool found = false;

	for (unsigned i = 0; i < s->answer_count; i++) {
		if (!read_answer(s, i, &a) || a.asked.type != type ||
		    !slice_equal(a.asked.name, slice_str(name)) ||
		    !gives(&a, slice_str(value), first))
			continue;
		for (unsigned j = 0; j < s->answer_count; j++)
			if (read_answer(s, j, &b))
				compare(&a, &b, out, &found);
	}
	return found;
}

bool
dns_contradicts_address(const struct session *s, const char *mx,
    struct dns_contradiction *out)
{
	char server[ADDRESS_TEXT_BYTES];

	address_format(&s->flow.server.address, server);
	return contradicted(s,
	    s->flow.server.address.family == 4 ? TYPE_A : TYPE_AAAA, mx, server,
	    out);
}

bool
dns_contradicts_mx(const struct session *s, const struct dns_route *route,
    struct dns_contradiction *out)
{
	return route->domain[0] != '\0' &&
	    contradicted(s, TYPE_MX, route->domain, route->mx, out);
}
