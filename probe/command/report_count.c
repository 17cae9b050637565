#include "report_count.h"

#include <stdio.h>
#include <stdlib.h>

#include "rules/session.h"

#define DAY_NS (INT64_C(86400) * 1000000000)

struct counting {
	struct store *store;
	struct world *world;
	const char *domain;
	struct report_day *days; /* by day */
	size_t day_count;
	struct mail_host *hosts;
	size_t host_count;
	uint8_t session[16]; /* the last one: a sighting is no session */
	bool any, failed;
	uint64_t *unsplit;
	struct session folded;
	/* Whom the successes of an address are for. */
	const struct mail_host *host;
	struct address server;
};

/* --- days and policies --------------------------------------------------- */

static struct report_day *
day_of(struct counting *c, int64_t at_ns)
{
	int64_t day_ns = at_ns - at_ns % DAY_NS;
	struct report_day *more;
	size_t i = c->day_count;

	for (size_t j = 0; j < c->day_count; j++)
		if (c->days[j].day_ns == day_ns)
			return &c->days[j];
	more = realloc(c->days, (c->day_count + 1) * sizeof(*more));
	if (more == NULL) {
		c->failed = true;
		return NULL;
	}
	c->days = more;
	for (; i > 0 && more[i - 1].day_ns > day_ns; i--)
		more[i] = more[i - 1];
	c->day_count++;
	more[i] = (struct report_day){ .domain = c->domain, .day_ns = day_ns };
	return &more[i];
}

static bool
same_policy(const struct report_policy *a, const struct report_policy *b)
{
	if (a->mechanism != b->mechanism || a->found != b->found)
		return false;
	if (!a->found)
		return true;
	if (a->mechanism == MECHANISM_DANE)
		return strcmp(a->tlsa, b->tlsa) == 0;
	if (a->sts.mode != b->sts.mode ||
	    a->sts.max_age_s != b->sts.max_age_s ||
	    a->sts.mx_count != b->sts.mx_count)
		return false;
	for (unsigned i = 0; i < a->sts.mx_count; i++)
		if (strcmp(a->sts.mx[i], b->sts.mx[i]) != 0)
			return false;
	return true;
}

/* `wanted` is taken over, or freed. */
static struct report_policy *
policy_of(struct counting *c, struct report_day *day,
    struct report_policy *wanted)
{
	struct report_policy **more;

	for (size_t i = 0; i < day->policy_count; i++)
		if (same_policy(day->policies[i], wanted)) {
			free(wanted);
			return day->policies[i];
		}
	more = realloc(day->policies, (day->policy_count + 1) * sizeof(*more));
	if (more == NULL) {
		free(wanted);
		c->failed = true;
		return NULL;
	}
	day->policies = more;
	more[day->policy_count++] = wanted;
	return wanted;
}

static struct report_policy *
sts_policy_at(struct counting *c, struct report_day *day, int64_t at_ns)
{
	const struct context *context = world_context(c->world);
	struct report_policy *wanted = calloc(1, sizeof(*wanted));
	struct policy_in_force force;

	if (wanted == NULL) {
		c->failed = true;
		return NULL;
	}
	wanted->mechanism = MECHANISM_STS;
	/* RFC 8460 4.2: of mode `none` there is nothing to report. */
	if (context->policy(context->world, c->domain, at_ns, &force) &&
	    force.policy.mode != STS_NONE) {
		wanted->found = true;
		wanted->sts = force.policy;
	}
	return policy_of(c, day, wanted);
}

/* That of the host which has the server's address; NULL: it has none. */
static struct report_policy *
dane_policy_at(struct counting *c, struct report_day *day,
    const struct mail_host *host)
{
	struct report_policy *wanted;
	enum dane_state state = host != NULL ? dane_state_parse(host->dane) :
					       DANE_NONE;

	if (state != DANE_TLS && state != DANE_AUTHENTICATE)
		return NULL;
	wanted = calloc(1, sizeof(*wanted));
	if (wanted == NULL) {
		c->failed = true;
		return NULL;
	}
	wanted->mechanism = MECHANISM_DANE;
	wanted->found = true;
	strcpy(wanted->tlsa, host->tlsa);
	return policy_of(c, day, wanted);
}

/* --- hosts --------------------------------------------------------------- */

static int
on_host(void *context, const struct mail_host *host)
{
	struct counting *c = context;
	struct mail_host *more =
	    realloc(c->hosts, (c->host_count + 1) * sizeof(*more));

	if (more == NULL) {
		c->failed = true;
		return 1;
	}
	c->hosts = more;
	c->hosts[c->host_count++] = *host;
	return 0;
}

static const struct mail_host *
host_at(const struct counting *c, const struct address *server, int64_t at_ns)
{
	for (size_t i = 0; i < c->host_count; i++)
		if (at_ns >= c->hosts[i].from_ns &&
		    at_ns < c->hosts[i].until_ns &&
		    mail_host_has_address(&c->hosts[i], server))
			return &c->hosts[i];
	return NULL;
}

/* --- failures: kept sessions whose domain is known ----------------------- */

static void
describe_failure(const struct session *s, struct report_detail *d)
{
	memset(d, 0, sizeof(*d));
	d->result = TLS_STARTTLS_NOT_SUPPORTED;
	address_format(&s->flow.server.address, d->receiving_ip);
	snprintf(d->helo, sizeof(d->helo), "%s", s->greeting_name);
	if (s->starttls_code == 220) {
		d->result = TLS_VALIDATION_FAILURE;
		snprintf(d->reason, sizeof(d->reason),
		    "handshake not completed");
	} else if (s->starttls_code != 0) {
		snprintf(d->reason, sizeof(d->reason), "STARTTLS answered %u",
		    s->starttls_code);
	} else {
		snprintf(d->reason, sizeof(d->reason),
		    "no STARTTLS in the EHLO reply as it arrived");
	}
}

static void
add_failure(struct report_policy *policy, const struct report_detail *like)
{
	struct report_detail *d = policy->details;

	policy->failures++;
	for (unsigned i = 0; i < policy->detail_count; i++, d++)
		if (d->result == like->result &&
		    strcmp(d->receiving_ip, like->receiving_ip) == 0 &&
		    strcmp(d->helo, like->helo) == 0 &&
		    strcmp(d->reason, like->reason) == 0) {
			d->sessions++;
			return;
		}
	if (policy->detail_count == REPORT_DETAILS_MAX)
		return;
	*d = *like;
	d->sessions = 1;
	policy->detail_count++;
}

static void
count_session(struct counting *c, const struct session *s, int64_t at_ns)
{
	struct report_policy *policies[2];
	struct report_detail detail;
	struct report_day *day;
	bool failed = !s->tls_established && (!s->offered || s->starttls_sent);

	/* A client that was offered TLS and did not ask has not failed. */
	if (s->flow.server.port != 25 || s->auth_clear ||
	    (!failed && !s->tls_established))
		return;
	day = day_of(c, at_ns);
	if (day == NULL)
		return;
	policies[0] = sts_policy_at(c, day, at_ns);
	policies[1] =
	    dane_policy_at(c, day, host_at(c, &s->flow.server.address, at_ns));
	describe_failure(s, &detail);
	for (int i = 0; i < 2; i++) {
		if (policies[i] == NULL)
			continue;
		if (failed)
			add_failure(policies[i], &detail);
		else
			policies[i]->successes++;
	}
}

static int
on_sighting(void *context, const struct sighting *sighting)
{
	struct counting *c = context;

	if (c->any && memcmp(c->session, sighting->session, 16) == 0)
		return 0;
	memcpy(c->session, sighting->session, 16);
	c->any = true;
	session_fold_stored(&c->folded, sighting->facts);
	if (c->folded.mail_ns > 0)
		count_session(c, &c->folded, c->folded.mail_ns);
	else if (session_outcome(&c->folded) & OUTCOME_STOPPED)
		count_session(c, &c->folded, c->folded.first_ns);
	return c->failed;
}

/* --- successes: profiles of servers that are the domain's alone ----------- */

/* "mx1.example.org" lies in "example.org", "mxexample.org" does not. */
static bool
lies_in(const char *host, const char *domain)
{
	size_t h = strlen(host), d = strlen(domain);

	return h >= d && strcmp(host + h - d, domain) == 0 &&
	    (h == d || host[h - d - 1] == '.');
}

struct sharing {
	const char *domain;
	const struct address *server;
	bool shared;
};

static int
on_anybodys_host(void *context, const struct mail_host *host)
{
	struct sharing *s = context;

	s->shared = strcmp(host->domain, s->domain) != 0 &&
	    mail_host_has_address(host, s->server);
	return s->shared;
}

static int
on_tls_day(void *context, int64_t day_ns, uint64_t sessions)
{
	struct counting *c = context;
	struct report_day *day;
	struct report_policy *policy;
	int64_t noon_ns = day_ns + DAY_NS / 2;

	if (day_ns < 0) {
		*c->unsplit += sessions;
		return 0;
	}
	if (host_at(c, &c->server, noon_ns) == NULL)
		return 0;
	day = day_of(c, day_ns);
	if (day == NULL)
		return 1;
	policy = sts_policy_at(c, day, noon_ns);
	if (policy != NULL)
		policy->successes += sessions;
	policy = dane_policy_at(c, day, c->host);
	if (policy != NULL)
		policy->successes += sessions;
	return c->failed;
}

static int
count_address(struct counting *c, const char *text)
{
	struct sharing sharing = { .domain = c->domain, .server = &c->server };

	if (!address_parse(text, &c->server))
		return 0;
	if (store_each_mail_host(c->store, NULL, on_anybodys_host, &sharing) <
	    0)
		return -1;
	return sharing.shared ?
	    0 :
	    store_each_tls_day(c->store, &c->server, on_tls_day, c);
}

/* An address of several hosts, or of one at several times, counts once. */
static bool
counted_before(const struct counting *c, size_t host, const char *text)
{
	struct address address;

	if (!address_parse(text, &address))
		return true;
	for (size_t i = 0; i < host; i++)
		if (mail_host_has_address(&c->hosts[i], &address))
			return true;
	return false;
}

static int
count_successes(struct counting *c)
{
	for (size_t i = 0; i < c->host_count; i++) {
		char addresses[sizeof(c->hosts[i].addresses)], *rest = NULL;

		if (!lies_in(c->hosts[i].host, c->domain))
			continue;
		c->host = &c->hosts[i];
		strcpy(addresses, c->host->addresses);
		for (char *one = strtok_r(addresses, " ", &rest); one != NULL;
		     one = strtok_r(NULL, " ", &rest))
			if (!counted_before(c, i, one) &&
			    count_address(c, one) < 0)
				return -1;
	}
	return 0;
}

/* --- all of it ----------------------------------------------------------- */

static void
free_days(struct counting *c)
{
	for (size_t i = 0; i < c->day_count; i++) {
		for (size_t j = 0; j < c->days[i].policy_count; j++)
			free(c->days[i].policies[j]);
		free(c->days[i].policies);
	}
	free(c->days);
	free(c->hosts);
	free(c);
}

int
report_each_day(struct store *store, struct world *world, const char *domain,
    report_day_fn *fn, void *context, uint64_t *unsplit)
{
	struct sighting_filter filter = { .domain = domain };
	struct counting *c = calloc(1, sizeof(*c));
	int status = -1;

	if (c == NULL)
		return -1;
	c->store = store;
	c->world = world;
	c->domain = domain;
	c->unsplit = unsplit;
	if (store_each_mail_host(store, domain, on_host, c) >= 0 &&
	    store_each_sighting(store, &filter, on_sighting, c) >= 0 &&
	    count_successes(c) == 0 && !c->failed)
		status = 0;
	for (size_t i = 0; status == 0 && i < c->day_count; i++)
		status = fn(context, &c->days[i]);
	free_days(c);
	return status;
}
