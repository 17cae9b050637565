/* What is known of a domain's policy beside the policy itself, told. */
#include <errno.h>
#include <stdio.h>

#include "policy_fetch.h"

/* --- just fetched -------------------------------------------------------- */

/* A host that DNS names and the policy does not: senders skip it (RFC 8461
 * 4.1), whoever wrote it there. */
static bool
not_allowed(const struct fetched *f, const struct fetched_host *host)
{
	return f->state == STS_VALID && f->policy.mode != STS_NONE &&
	    !sts_policy_matches(&f->policy, host->name);
}

static unsigned
hosts_with_dane(const struct fetched *f)
{
	unsigned n = 0;

	for (unsigned i = 0; i < f->host_count; i++)
		n += f->hosts[i].dane == DANE_TLS ||
		    f->hosts[i].dane == DANE_AUTHENTICATE;
	return n;
}

static void
tell_state(const struct fetched *f)
{
	char summary[POLICY_SUMMARY_BYTES];

	switch (f->state) {
	case STS_VALID:
		printf("%s", policy_summary(&f->policy, summary));
		break;
	case STS_ABSENT:
		printf("no policy");
		break;
	case STS_UNOBTAINABLE:
		printf("published, but not to be had: %s: %s",
		    tls_result_name(f->result), f->why);
		break;
	case STS_LOOKUP_FAILED:
		printf("unknown, the lookup failed: %s", f->why);
		break;
	}
}

void
policy_tell_text(const struct fetched *f, unsigned events)
{
	printf("%s  ", f->domain);
	tell_state(f);
	if (!f->mx_answered)
		printf("; MX unknown");
	else
		printf("; DANE at %u of %u MX", hosts_with_dane(f),
		    f->host_count);
	putchar('\n');
	for (unsigned bit = 0; bit < STS_EVENT_BITS; bit++)
		if (events & 1u << bit)
			printf("    ! %s\n", sts_event_name(bit));
	for (unsigned i = 0; i < f->host_count; i++)
		if (not_allowed(f, &f->hosts[i]))
			printf("    ! MX %s is none that the policy allows\n",
			    f->hosts[i].name);
}

static void
text_unless_empty(struct json *json, const char *key, const char *text)
{
	if (text[0] != '\0')
		json_text(json, key, text);
}

/* "3 1 1 aa\n2 1 1 bb" as an array. */
static void
put_parts(struct json *json, const char *key, const char *text, char separator)
{
	json_array_open(json, key);
	while (*text != '\0') {
		const char *end = strchrnul(text, separator);

		json_slice(json, NULL,
		    slice_of((const uint8_t *)text, (size_t)(end - text)));
		text = *end != '\0' ? end + 1 : end;
	}
	json_array_close(json);
}

static void
put_fetched_host(struct json *json, const struct fetched *f,
    const struct fetched_host *host)
{
	char text[ADDRESS_TEXT_BYTES];

	json_object_open(json, NULL);
	json_text(json, "host", host->name);
	json_unsigned(json, "preference", host->preference);
	text_unless_empty(json, "canonical", host->canonical);
	json_text(json, "dane", dane_state_name(host->dane));
	put_parts(json, "tlsa", host->tlsa, '\n');
	text_unless_empty(json, "tlsa_base", host->tlsa_base);
	json_array_open(json, "addresses");
	for (unsigned i = 0; i < host->address_count; i++)
		json_text(json, NULL,
		    address_format(&host->addresses[i], text));
	json_array_close(json);
	if (f->state == STS_VALID)
		json_bool(json, "allowed", !not_allowed(f, host));
	json_object_close(json);
}

int
policy_tell_json(const struct fetched *f, unsigned events)
{
	struct json json;

	json_init(&json);
	json_object_open(&json, NULL);
	json_text(&json, "domain", f->domain);
	json_text(&json, "state", sts_state_name(f->state));
	text_unless_empty(&json, "result", tls_result_name(f->result));
	text_unless_empty(&json, "detail", f->why);
	text_unless_empty(&json, "id", f->txt_id);
	if (f->state == STS_VALID)
		policy_json(&json, &f->policy);
	if (f->mx_answered) {
		json_bool(&json, "mx_secure", f->mx_secure);
		text_unless_empty(&json, "next_hop", f->next_hop);
		json_array_open(&json, "mx");
		for (unsigned i = 0; i < f->host_count; i++)
			put_fetched_host(&json, f, &f->hosts[i]);
		json_array_close(&json);
	}
	text_unless_empty(&json, "tlsrpt", f->tlsrpt);
	json_array_open(&json, "events");
	for (unsigned bit = 0; bit < STS_EVENT_BITS; bit++)
		if (events & 1u << bit)
			json_text(&json, NULL, sts_event_name(bit));
	json_array_close(&json);
	json_object_close(&json);
	return policy_json_finish(&json, STATUS_OK) == STATUS_OK ? 0 : -1;
}

/* --- kept ---------------------------------------------------------------- */

struct telling {
	struct json *json; /* NULL: text */
	bool found;
};

static const char *
time_or_never(int64_t ns, char out[TIME_TEXT_BYTES])
{
	const char *text = ns > 0 ? policy_time(ns, out) : NULL;

	return text != NULL ? text : "never";
}

static int
tell_look(void *context, const struct policy_look *look)
{
	struct telling *t = context;
	char looked[TIME_TEXT_BYTES], fetched[TIME_TEXT_BYTES];
	char due[TIME_TEXT_BYTES];

	t->found = true;
	time_or_never(look->looked_ns, looked);
	policy_time(look->due_ns, due);
	if (t->json == NULL) {
		printf("    looked at %s: %s%s%s%s%s; last fetched %s\n",
		    looked, look->state, look->result[0] ? ", " : "",
		    look->result, look->detail[0] ? ": " : "", look->detail,
		    time_or_never(look->fetched_ns, fetched));
		if (look->tlsrpt[0] != '\0')
			printf("    reports go to: %s\n", look->tlsrpt);
		return 0;
	}
	json_object_open(t->json, "look");
	json_text(t->json, "at", looked);
	json_text(t->json, "state", look->state);
	text_unless_empty(t->json, "result", look->result);
	text_unless_empty(t->json, "detail", look->detail);
	text_unless_empty(t->json, "id", look->txt_id);
	text_unless_empty(t->json, "tlsrpt", look->tlsrpt);
	if (look->fetched_ns > 0)
		json_text(t->json, "fetched",
		    time_or_never(look->fetched_ns, fetched));
	json_text(t->json, "due", due);
	json_object_close(t->json);
	return 0;
}

static int
tell_event(void *context, const struct policy_event *event)
{
	struct telling *t = context;
	char at[TIME_TEXT_BYTES];

	t->found = true;
	time_or_never(event->at_ns, at);
	if (t->json == NULL) {
		printf("    %s  %s: %s\n", at, event->event, event->detail);
		return 0;
	}
	json_object_open(t->json, NULL);
	json_text(t->json, "at", at);
	json_text(t->json, "event", event->event);
	text_unless_empty(t->json, "detail", event->detail);
	json_object_close(t->json);
	return 0;
}

/* By which other names a certificate may go (RFC 7672 3.2.2). */
static void
tell_names(const struct mail_host *host)
{
	if (host->next_hop[0] != '\0')
		printf("        the domain is an alias of %s\n",
		    host->next_hop);
	if (host->canonical[0] != '\0')
		printf("        the host is an alias of %s%s%s\n",
		    host->canonical,
		    host->tlsa_base[0] != '\0' ?
			"; TLSA records are those of " :
			"",
		    host->tlsa_base);
}

static int
tell_host(void *context, const struct mail_host *host)
{
	struct telling *t = context;
	char from[TIME_TEXT_BYTES], until[TIME_TEXT_BYTES];

	t->found = true;
	time_or_never(host->from_ns, from);
	time_or_never(host->until_ns, until);
	if (t->json == NULL) {
		printf("    MX %u %s  DANE: %s  %s  (%s to %s)\n",
		    host->preference, host->host, host->dane, host->addresses,
		    from, until);
		tell_names(host);
		return 0;
	}
	json_object_open(t->json, NULL);
	json_text(t->json, "host", host->host);
	json_unsigned(t->json, "preference", host->preference);
	json_bool(t->json, "mx_secure", host->mx_secure);
	text_unless_empty(t->json, "next_hop", host->next_hop);
	text_unless_empty(t->json, "canonical", host->canonical);
	json_text(t->json, "dane", host->dane);
	put_parts(t->json, "tlsa", host->tlsa, '\n');
	text_unless_empty(t->json, "tlsa_base", host->tlsa_base);
	put_parts(t->json, "addresses", host->addresses, ' ');
	json_text(t->json, "from", from);
	json_text(t->json, "until", until);
	json_object_close(t->json);
	return 0;
}

static int
tell_report(void *context, const struct tls_report_row *row)
{
	struct telling *t = context;
	char start[TIME_TEXT_BYTES], end[TIME_TEXT_BYTES];

	t->found = true;
	time_or_never(row->start_ns, start);
	time_or_never(row->end_ns, end);
	if (t->json == NULL) {
		printf("    %.10s  %s reports: %s, %llu sessions with TLS, "
		       "%llu failed\n",
		    start, row->organization, row->policy_type,
		    (unsigned long long)row->successes,
		    (unsigned long long)row->failures);
		return 0;
	}
	json_object_open(t->json, NULL);
	json_text(t->json, "organization", row->organization);
	json_text(t->json, "report_id", row->report_id);
	json_text(t->json, "policy_type", row->policy_type);
	json_text(t->json, "start", start);
	json_text(t->json, "end", end);
	json_unsigned(t->json, "successes", row->successes);
	json_unsigned(t->json, "failures", row->failures);
	json_object_close(t->json);
	return 0;
}

static void
list_open(struct telling *t, const char *key)
{
	if (t->json != NULL)
		json_array_open(t->json, key);
}

static void
list_close(struct telling *t)
{
	if (t->json != NULL)
		json_array_close(t->json);
}

static int
tell_known(struct store *store, const char *domain, struct telling *t)
{
	int status = store_each_policy_look(store, domain, tell_look, t);

	list_open(t, "events");
	if (status == 0)
		status = store_each_policy_event(store, domain, tell_event, t);
	list_close(t);
	list_open(t, "mx");
	if (status == 0)
		status = store_each_mail_host(store, domain, tell_host, t);
	list_close(t);
	list_open(t, "reports");
	if (status == 0)
		status = store_each_tls_report(store, domain, tell_report, t);
	list_close(t);
	return status;
}

int
policy_tell_known(struct store *store, const char *domain, bool as_json,
    bool *found)
{
	struct telling t = { .json = NULL };
	struct json json;
	int status;

	if (as_json) {
		json_init(&json);
		json_object_open(&json, NULL);
		json_text(&json, "domain", domain);
		t.json = &json;
	}
	status = tell_known(store, domain, &t);
	*found = t.found;
	if (!as_json)
		return status;
	json_object_close(&json);
	if (status == 0 && t.found && json_write(&json, stdout) != 0)
		complain("the result could not be written: %s",
		    strerror(errno));
	json_free(&json);
	return status;
}
