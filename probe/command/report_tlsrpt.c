/* `report tlsrpt`: RFC 8460 JSON of what was seen. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <zlib.h>

#include "policy_file.h"
#include "report.h"
#include "report_count.h"
#include "rules/judge.h"

#define NS_PER_S INT64_C(1000000000)
#define DAY_S 86400

struct reporting {
	char domain[DOMAIN_TEXT_BYTES]; /* "": all */
	char sender[DOMAIN_TEXT_BYTES];
	int64_t day_ns;	 /* -1: all */
	const char *out; /* folder; NULL: standard output */
	bool plain;	 /* not gzipped */
	struct common_options common;
	struct store *store;
	struct world *world;
	uint64_t unsplit, written;
	bool failed;
};

/* --- the object (RFC 8460 4.4) -------------------------------------------- */

static void
put_strings(struct json *json, const struct report_policy *policy)
{
	const char *line = policy->tlsa;
	char text[STS_MX_BYTES + 32];

	json_array_open(json, "policy-string");
	if (policy->mechanism == MECHANISM_DANE) {
		while (*line != '\0') {
			size_t n = strcspn(line, "\n");

			json_slice(json, NULL,
			    slice_of((const uint8_t *)line, n));
			line += n + (line[n] != '\0');
		}
		json_array_close(json);
		return;
	}
	json_text(json, NULL, "version: STSv1");
	snprintf(text, sizeof(text), "mode: %s",
	    sts_mode_name(policy->sts.mode));
	json_text(json, NULL, text);
	for (unsigned i = 0; i < policy->sts.mx_count; i++) {
		snprintf(text, sizeof(text), "mx: %s", policy->sts.mx[i]);
		json_text(json, NULL, text);
	}
	snprintf(text, sizeof(text), "max_age: %u", policy->sts.max_age_s);
	json_text(json, NULL, text);
	json_array_close(json);
}

static void
put_policy(struct json *json, const char *domain,
    const struct report_policy *policy)
{
	json_object_open(json, "policy");
	json_text(json, "policy-type",
	    !policy->found			    ? "no-policy-found" :
		policy->mechanism == MECHANISM_DANE ? "tlsa" :
						      "sts");
	if (policy->found)
		put_strings(json, policy);
	json_text(json, "policy-domain", domain);
	if (policy->found && policy->mechanism == MECHANISM_STS) {
		json_array_open(json, "mx-host");
		for (unsigned i = 0; i < policy->sts.mx_count; i++)
			json_text(json, NULL, policy->sts.mx[i]);
		json_array_close(json);
	}
	json_object_close(json);
	json_object_open(json, "summary");
	json_unsigned(json, "total-successful-session-count",
	    policy->successes);
	json_unsigned(json, "total-failure-session-count", policy->failures);
	json_object_close(json);
}

/* The senders' addresses are theirs: they stay out. */
static void
put_details(struct json *json, const struct report_policy *policy)
{
	if (policy->detail_count == 0)
		return;
	json_array_open(json, "failure-details");
	for (unsigned i = 0; i < policy->detail_count; i++) {
		const struct report_detail *d = &policy->details[i];

		json_object_open(json, NULL);
		json_text(json, "result-type", tls_result_name(d->result));
		json_text(json, "receiving-ip", d->receiving_ip);
		if (d->helo[0] != '\0')
			json_text(json, "receiving-mx-helo", d->helo);
		json_unsigned(json, "failed-session-count", d->sessions);
		json_text(json, "failure-reason-code", d->reason);
		json_object_close(json);
	}
	json_array_close(json);
}

static void
put_time(struct json *json, const char *key, int64_t ns)
{
	char text[TIME_TEXT_BYTES];

	json_text(json, key, policy_time(ns, text));
}

static void
put_report(struct json *json, const struct reporting *r,
    const struct report_day *day)
{
	char text[DOMAIN_TEXT_BYTES + TIME_TEXT_BYTES + 16];
	char at[TIME_TEXT_BYTES];

	json_object_open(json, NULL);
	json_text(json, "organization-name",
	    "striplight: observations from the side, not a sender's report");
	json_object_open(json, "date-range");
	put_time(json, "start-datetime", day->day_ns);
	put_time(json, "end-datetime", day->day_ns + (DAY_S - 1) * NS_PER_S);
	json_object_close(json);
	snprintf(text, sizeof(text), "postmaster@%s", r->sender);
	json_text(json, "contact-info", text);
	snprintf(text, sizeof(text), "observed_%s_%s",
	    policy_time(day->day_ns, at), day->domain);
	json_text(json, "report-id", text);
	json_array_open(json, "policies");
	for (size_t i = 0; i < day->policy_count; i++) {
		json_object_open(json, NULL);
		put_policy(json, day->domain, day->policies[i]);
		put_details(json, day->policies[i]);
		json_object_close(json);
	}
	json_array_close(json);
	json_object_close(json);
}

/* --- where it goes -------------------------------------------------------- */

/* sender "!" policy-domain "!" begin "!" end ".json" (RFC 8460 5.1), written
 * beside its place and moved there whole. */
static int
write_file(struct reporting *r, const struct json *json,
    const struct report_day *day)
{
	int64_t begin_s = day->day_ns / NS_PER_S;
	char path[1400], part[1400 + 8];
	gzFile out;
	int status;

	snprintf(path, sizeof(path),
	    "%.700s/%s!%s!%" PRId64 "!%" PRId64 ".json%s", r->out, r->sender,
	    day->domain, begin_s, begin_s + DAY_S - 1, r->plain ? "" : ".gz");
	snprintf(part, sizeof(part), "%s.part", path);
	/* "T": as it is. Gzipped, zlib writes no time of its own. */
	out = gzopen(part, r->plain ? "wbT" : "wb9");
	status = out != NULL &&
		gzwrite(out, json->text, (unsigned)json->length) ==
		    (int)json->length ?
	    0 :
	    -1;
	if (out != NULL && gzclose(out) != Z_OK)
		status = -1;
	if (status == 0)
		status = rename(part, path);
	if (status != 0) {
		complain("%s: %s", path, strerror(errno));
		unlink(part);
	} else if (!r->common.quiet) {
		printf("%s\n", path);
	}
	return status;
}

static int
on_day(void *context, const struct report_day *day)
{
	struct reporting *r = context;
	struct json json;
	int status;

	if (r->day_ns >= 0 && r->day_ns != day->day_ns)
		return 0;
	json_init(&json);
	put_report(&json, r, day);
	if (json.failed) {
		complain("out of memory");
		status = -1;
	} else if (r->out != NULL) {
		status = write_file(r, &json, day);
	} else {
		status = json_write(&json, stdout);
		if (status != 0)
			complain("the result could not be written: %s",
			    strerror(errno));
	}
	r->written += status == 0;
	r->failed |= status != 0;
	json_free(&json);
	return status != 0;
}

static int
on_domain(void *context, const char *domain)
{
	struct reporting *r = context;

	if (r->domain[0] != '\0' && strcmp(r->domain, domain) != 0)
		return 0;
	if (report_each_day(r->store, r->world, domain, on_day, r,
		&r->unsplit) >= 0 &&
	    !r->failed)
		return 0;
	if (!r->failed)
		complain("%s", store_error(r->store));
	r->failed = true;
	return 1;
}

/* --- the command ---------------------------------------------------------- */

static int
set_domain(char out[DOMAIN_TEXT_BYTES], const char *text,
    char wrong[SETTING_WRONG_BYTES])
{
	snprintf(wrong, SETTING_WRONG_BYTES, "is not a domain name");
	return policy_domain(text, out) == 0 ? 0 : -1;
}

static int
tlsrpt_setting(void *context, enum setting_id id,
    const struct setting_value *value, char wrong[SETTING_WRONG_BYTES])
{
	struct reporting *r = context;

	switch ((int)id) {
	case SET_REPORT_DOMAIN:
		return set_domain(r->domain, value->text, wrong);
	case SET_REPORT_SENDER:
		return set_domain(r->sender, value->text, wrong);
	case SET_REPORT_DAY:
		r->day_ns = value->time_ns;
		if (r->day_ns % (DAY_S * NS_PER_S) == 0)
			return 0;
		snprintf(wrong, SETTING_WRONG_BYTES,
		    "is not a day, such as 2026-03-01 (UTC)");
		return -1;
	case SET_REPORT_OUT:
		r->out = value->text;
		return 0;
	case SET_REPORT_PLAIN:
		r->plain = true;
		return 0;
	default:
		return 0;
	}
}

static int
report_all(struct reporting *r)
{
	if (store_each_known_domain(r->store, on_domain, r) < 0) {
		complain("%s", store_error(r->store));
		r->failed = true;
	}
	if (r->unsplit > 0 && !r->common.quiet)
		complain("%" PRIu64 " sessions with TLS are not counted: only "
			 "that they were within several days is known",
		    r->unsplit);
	if (r->failed)
		return STATUS_ERROR;
	if (r->written == 0 && !r->common.quiet)
		complain("no session of a known domain was seen%s",
		    r->day_ns >= 0 ? " on that day" : "");
	return r->written > 0 ? STATUS_OK : STATUS_NO;
}

static int
report_from(struct reporting *r)
{
	char errbuf[STORE_ERRBUF + REGISTRY_ERRBUF];
	struct registry *registry = registry_load(NULL, errbuf);
	int status = STATUS_ERROR;

	if (registry != NULL)
		r->store = store_open(r->common.db, STORE_READ, errbuf);
	if (r->store != NULL)
		r->world = world_create(r->store, registry, PRIOR_READ, errbuf);
	if (r->world == NULL)
		complain("%s", errbuf);
	else
		status = report_all(r);
	world_destroy(r->world);
	store_close(r->store);
	registry_free(registry);
	return status;
}

int
report_tlsrpt(int argc, char **argv)
{
	struct reporting r = { .day_ns = -1 };
	int operand, status;

	operand = policy_options(COMMAND_REPORT_TLSRPT, &r.common,
	    tlsrpt_setting, &r, argc, argv, &status);
	if (operand < 0)
		return status;
	if (operand != argc)
		return usage_error(COMMAND_REPORT_TLSRPT, "takes no operand");
	return report_from(&r);
}
