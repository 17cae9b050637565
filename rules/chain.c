#include "chain.h"

#include <stdio.h>

#include "ehlo.h"

#define NS_PER_S INT64_C(1000000000)
#define RETRY_NS (60 * NS_PER_S)
#define CHAIN_NS (6 * 3600 * NS_PER_S)

/* Mail in clear where TLS was offered or not asked about. */
static bool
went_clear(const struct session *s)
{
	return s->mail_clear && !s->starttls_sent && !s->auth_clear &&
	    (s->offered || s->ehlo_answers == 0);
}

static void
list_domains(const struct session *s, char *out, size_t room)
{
	size_t n = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < s->domain_count; i++) {
		size_t more = strlen(s->rcpt_domains[i]) + (n > 0);

		if (n + more + 1 > room)
			return;
		n += (size_t)snprintf(out + n, room - n, "%s%s",
		    n > 0 ? " " : "", s->rcpt_domains[i]);
	}
}

static uint64_t
helo_hash(const struct session *s)
{
	return s->helo[0] == '\0' ? 0 : ehlo_hash(0, slice_str(s->helo));
}

bool
session_attempt(const struct session *s, struct attempt *out)
{
	bool failed = session_starttls_failed(s);

	if (!failed && !went_clear(s))
		return false;
	memset(out, 0, sizeof(*out));
	out->server = s->flow.server;
	out->client = s->flow.client;
	out->helo_hash = helo_hash(s);
	out->first_ns = s->first_ns;
	out->last_ns = s->last_ns;
	out->first_frame = s->first_frame;
	out->result = failed	 ? ATTEMPT_FAILED :
	    s->ehlo_answers == 0 ? ATTEMPT_HELO :
				   ATTEMPT_CLEAR;
	out->outcome = session_outcome(s);
	strcpy(out->queue_id, s->queue_id);
	list_domains(s, out->domains, sizeof(out->domains));
	return true;
}

/* --- chains -------------------------------------------------------------- */

static enum likeness
likeness_of(const struct attempt *a, const struct session *s)
{
	struct address left = address_network(&a->client.address);
	struct address right = address_network(&s->flow.client.address);
	bool network = address_compare(&left, &right) == 0;
	bool helo = a->helo_hash != 0 && a->helo_hash == helo_hash(s);

	return network && helo ? LIKENESS_BOTH :
	    network || helo    ? LIKENESS_ONE :
				 LIKENESS_NONE;
}

/* Below 0: it began before; above: after. Many a clock ticks every 10 ms, or
 * once a second, and then what stands later in the capture is later. */
static int
order_of(const struct attempt *a, const struct session *s)
{
	if (a->first_ns != s->first_ns)
		return a->first_ns < s->first_ns ? -1 : 1;
	return a->first_frame < s->first_frame ?
	    -1 :
	    a->first_frame > s->first_frame;
}

/* Another sighting of it may have another clock; a port is not used again
 * within a minute (TIME-WAIT, RFC 9293 3.6.1). */
static bool
is_itself(const struct attempt *a, const struct session *s)
{
	return endpoint_equal(&a->client, &s->flow.client) &&
	    a->first_ns > s->first_ns - RETRY_NS &&
	    a->first_ns < s->first_ns + RETRY_NS;
}

/* The first thing that this sender did afterwards. */
static void
find_retry(const struct attempt *attempts, size_t count,
    const struct session *s, struct chain *out)
{
	for (size_t i = 0; i < count; i++) {
		const struct attempt *a = &attempts[i];
		enum likeness likeness = likeness_of(a, s);

		if (order_of(a, s) <= 0 || likeness == LIKENESS_NONE ||
		    is_itself(a, s))
			continue;
		if (a->first_ns > s->last_ns + RETRY_NS)
			return;
		/* Of several in its network the sender itself is meant. */
		if (likeness > out->likeness) {
			out->retry = a->result != ATTEMPT_FAILED ? a : NULL;
			out->likeness = likeness;
		}
	}
}

/* Failures of this sender that no retry in clear of its own followed. */
static void
find_earlier(const struct attempt *attempts, size_t count,
    const struct session *s, struct chain *out)
{
	for (size_t i = count; i-- > 0;) {
		const struct attempt *a = &attempts[i];

		if (order_of(a, s) >= 0 || is_itself(a, s) ||
		    likeness_of(a, s) != LIKENESS_BOTH)
			continue;
		if (a->result != ATTEMPT_FAILED ||
		    a->first_ns < s->first_ns - CHAIN_NS ||
		    out->earlier_count == CHAIN_EARLIER_MAX)
			return;
		out->earlier[out->earlier_count++] = a;
	}
}

void
chain_find(const struct attempt *attempts, size_t count,
    const struct session *s, struct chain *out)
{
	memset(out, 0, sizeof(*out));
	find_retry(attempts, count, s, out);
	if (out->retry != NULL && out->likeness == LIKENESS_BOTH)
		find_earlier(attempts, count, s, out);
}

static void
add_domains(struct session *s, const char *list)
{
	while (*list != '\0' && s->domain_count < INCIDENT_DOMAINS_MAX) {
		size_t n = strcspn(list, " ");

		snprintf(s->rcpt_domains[s->domain_count++], DOMAIN_TEXT_BYTES,
		    "%.*s", (int)n, list);
		list += n + (list[n] == ' ');
	}
}

void
session_with_retry(const struct session *s, const struct attempt *retry,
    struct session *out)
{
	*out = *s;
	out->tls_established = false;
	out->mail_tried_clear = true;
	out->mail_clear = out->rcpt_clear = retry->outcome &
	    OUTCOME_ENVELOPE_EXPOSED;
	out->data_clear = retry->outcome & OUTCOME_CONTENT_EXPOSED;
	out->body_bytes = out->data_clear;
	out->accepted_clear = retry->outcome & OUTCOME_ACCEPTED;
	out->mail_ns = retry->first_ns;
	strcpy(out->queue_id, retry->queue_id);
	out->domain_count = out->domains_unlisted = 0;
	add_domains(out, retry->domains);
}
