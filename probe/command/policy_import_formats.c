/* The files that `policy import` reads. */
#include <inttypes.h>
#include <stdlib.h>

#include "policy_import.h"
#include "store/resolver_cache.h"
#include "store/store.h"

#define NS_PER_S INT64_C(1000000000)

static const char *
text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* --- JSON Lines ---------------------------------------------------------- */

/* As `policy export` writes them; `policy` in place of `body` will do. Or a
 * TLS report, as `report tlsrpt` writes them. */
static void
json_line(struct import *import, const char *place, const json_t *line)
{
	const json_t *from = json_object_get(line, "from");
	const json_t *until = json_object_get(line, "until");
	const char *domain = text_of(line, "domain");
	const char *body = text_of(line, "body");
	const char *source = text_of(line, "source");
	char made[IMPORT_BODY_BYTES];
	struct policy_row row = { .from_ns = INT64_MIN, .until_ns = INT64_MAX };

	if (json_is_array(json_object_get(line, "policies"))) {
		import_tls_report(import, line);
		return;
	}
	if (domain == NULL) {
		import_complain(import, place,
		    "has no \"domain\"; wanted is an object with domain, body "
		    "(or policy), from, until");
		return;
	}
	if (!import_domain(import, place, domain, row.domain))
		return;
	if ((from != NULL && !import_time(from, &row.from_ns)) ||
	    (until != NULL && !import_time(until, &row.until_ns)) ||
	    row.from_ns >= row.until_ns) {
		import_complain(import, place,
		    "from and until are no times in order (RFC 3339)");
		return;
	}
	row.assumed = from == NULL;
	snprintf(row.source, sizeof(row.source), "%s",
	    source != NULL ? source : "jsonl");
	row.body = body != NULL ?
	    slice_str(body) :
	    import_body(json_object_get(line, "policy"), made);
	import_policy(import, place, &row);
}

void
import_json_lines(struct import *import, const char *text, size_t len)
{
	unsigned number = 0;

	import->exact = true;
	while (len > 0 && !import->failed) {
		const char *end = memchr(text, '\n', len);
		size_t n = end != NULL ? (size_t)(end - text) : len;
		json_error_t error;
		char place[40];
		json_t *line;

		number++;
		if (n > 0) {
			line =
			    json_loadb(text, n, JSON_REJECT_DUPLICATES, &error);
			snprintf(place, sizeof(place), "%u", number);
			if (line == NULL) {
				snprintf(place, sizeof(place), "%u:%d", number,
				    error.column);
				import_complain(import, place, "not JSON: %s",
				    error.text);
			} else {
				json_line(import, place, line);
			}
			json_decref(line);
		}
		n += end != NULL;
		text += n;
		len -= n;
	}
}

/* --- postfix-mta-sts-resolver -------------------------------------------- */

static int
on_resolver_row(void *context, const struct resolver_row *row)
{
	struct import *import = context;
	struct policy_row policy = { .source = "resolver" };
	struct sts_policy parsed;
	char body[IMPORT_BODY_BYTES], place[40];
	json_error_t error;
	json_t *fields;

	snprintf(place, sizeof(place), "row %" PRId64, row->row);
	fields =
	    json_loadb((const char *)row->body.ptr, row->body.len, 0, &error);
	if (fields == NULL) {
		import_complain(import, place, "pol_body is not JSON: %s",
		    error.text);
	} else if (row->fetched_s < 0 || row->fetched_s > INT64_C(6500000000)) {
		import_complain(import, place, "ts is no time");
	} else if (import_domain(import, place, row->domain, policy.domain)) {
		policy.body = import_body(fields, body);
		policy.from_ns = row->fetched_s * NS_PER_S;
		policy.until_ns = policy.from_ns;
		if (sts_policy_parse(policy.body, &parsed, NULL))
			policy.until_ns += parsed.max_age_s * NS_PER_S;
		import_policy(import, place, &policy);
	}
	json_decref(fields);
	return import->failed;
}

void
import_resolver(struct import *import)
{
	char errbuf[STORE_ERRBUF];

	if (resolver_cache_each(import->path, on_resolver_row, import,
		errbuf) == -1) {
		complain("%s", errbuf);
		import->failed = true;
	}
}

/* --- EFF's list ---------------------------------------------------------- */

/*
 * An mx that begins with a dot is a suffix: of any depth by the list's schema,
 * of one label by its rules. One label can be demanded by both.
 */
static json_t *
eff_patterns(const json_t *mxs)
{
	json_t *out = json_array();

	for (size_t i = 0; i < json_array_size(mxs); i++) {
		const char *mx = json_string_value(json_array_get(mxs, i));

		if (mx != NULL)
			json_array_append_new(out,
			    json_sprintf("%s%s", mx[0] == '.' ? "*" : "", mx));
	}
	return out;
}

static const json_t *
eff_definition(struct import *import, const json_t *root, const char *domain,
    const json_t *definition)
{
	const char *alias = text_of(definition, "policy-alias");

	if (alias == NULL)
		return definition;
	definition =
	    json_object_get(json_object_get(root, "policy-aliases"), alias);
	if (definition != NULL && text_of(definition, "policy-alias") == NULL)
		return definition;
	import_complain(import, domain, "policy-alias \"%.60s\" %s; left out",
	    alias,
	    definition == NULL ? "is not defined" : "is an alias itself");
	return NULL;
}

static void
eff_policy(struct import *import, const char *domain, const json_t *definition,
    struct policy_row *row)
{
	const char *mode = text_of(definition, "mode");
	char body[IMPORT_BODY_BYTES];
	int64_t age = (row->until_ns - row->from_ns) / NS_PER_S;
	json_t *policy;

	if (mode == NULL)
		mode = "testing";
	if (strcmp(mode, "testing") != 0 && strcmp(mode, "enforce") != 0) {
		import_complain(import, domain,
		    "mode \"%.20s\" is neither testing nor enforce; left out",
		    mode);
		return;
	}
	if (!import_domain(import, domain, domain, row->domain))
		return;
	policy = json_pack("{s:s, s:o, s:I}", "mode", mode, "mx",
	    eff_patterns(json_object_get(definition, "mxs")), "max_age",
	    (json_int_t)(age > STS_MAX_AGE_MAX_S ? STS_MAX_AGE_MAX_S : age));
	row->body = import_body(policy, body);
	import_policy(import, domain, row);
	json_decref(policy);
}

void
import_eff(struct import *import, const json_t *root)
{
	struct policy_row row = { .assumed = true, .source = "eff" };
	const char *domain;
	json_t *definition;

	if (!import_time(json_object_get(root, "timestamp"), &row.from_ns) ||
	    !import_time(json_object_get(root, "expires"), &row.until_ns)) {
		import_complain(import, "timestamp, expires",
		    "missing or no time: a list without its dates holds "
		    "nothing");
		return;
	}
	if (row.until_ns <= row.from_ns) {
		/* Loads, and demands nothing of anybody. */
		complain("%s: the list had expired when it was made; nothing "
			 "in it holds",
		    import->path);
		row.until_ns = row.from_ns;
	}
	json_object_foreach(json_object_get(root, "policies"), domain,
	    definition)
	{
		const json_t *found =
		    eff_definition(import, root, domain, definition);

		if (found != NULL)
			eff_policy(import, domain, found, &row);
	}
}

/* --- TLS reports of others ----------------------------------------------- */

/* One string, an array of them, or a JSON array in a string (Microsoft): an
 * array to give back. */
static json_t *
strings_of(const json_t *value)
{
	json_t *out = json_array(), *inner;

	if (json_is_string(value))
		json_array_append_new(out,
		    json_string(json_string_value(value)));
	else
		for (size_t i = 0; i < json_array_size(value); i++)
			json_array_append(out, json_array_get(value, i));
	if (json_array_size(out) == 1) {
		inner = json_loads(json_string_value(json_array_get(out, 0)) ?
			json_string_value(json_array_get(out, 0)) :
			"",
		    0, NULL);
		if (json_is_array(inner)) {
			json_decref(out);
			return inner;
		}
		json_decref(inner);
	}
	return out;
}

/* The policy that the sender had on that day. */
static void
reported_policy(struct import *import, const char *place,
    const struct tls_report_row *report, const json_t *policy)
{
	struct policy_row row = { .from_ns = report->start_ns,
		.until_ns = report->end_ns + NS_PER_S };
	json_t *strings = strings_of(json_object_get(policy, "policy-string"));
	char body[IMPORT_BODY_BYTES];
	size_t len = 0;

	for (size_t i = 0; i < json_array_size(strings); i++) {
		const char *line =
		    json_string_value(json_array_get(strings, i));
		int n = snprintf(body + len, sizeof(body) - len, "%s\r\n",
		    line != NULL ? line : "");

		len += n < 0 || (size_t)n >= sizeof(body) - len ? 0 : (size_t)n;
	}
	json_decref(strings);
	if (len == 0)
		return;
	strcpy(row.domain, report->domain);
	snprintf(row.source, sizeof(row.source), "tlsrpt:%.24s",
	    report->organization);
	row.body = slice_of((uint8_t *)body, len);
	import_policy(import, place, &row);
}

static uint64_t
count_of(const json_t *summary, const char *key)
{
	json_int_t n = json_integer_value(json_object_get(summary, key));

	return n > 0 ? (uint64_t)n : 0;
}

static void
reported(struct import *import, const char *place,
    struct tls_report_row *report, const json_t *entry)
{
	const json_t *policy = json_object_get(entry, "policy");
	const json_t *summary = json_object_get(entry, "summary");
	const json_t *details = json_object_get(entry, "failure-details");
	const char *domain = text_of(policy, "policy-domain");
	const char *type = text_of(policy, "policy-type");
	char *dumped;

	if (type == NULL || !json_is_object(summary)) {
		import_complain(import, place,
		    "has no policy-type or no summary (RFC 8460 4.4); left "
		    "out");
		return;
	}
	/* Some leave the domain out where they found no policy. */
	report->domain[0] = '\0';
	if (domain != NULL &&
	    !import_domain(import, place, domain, report->domain))
		return;
	snprintf(report->policy_type, sizeof(report->policy_type), "%s", type);
	report->successes = count_of(summary, "total-successful-session-count");
	report->failures = count_of(summary, "total-failure-session-count");
	dumped = json_array_size(details) > 0 ?
	    json_dumps(details, JSON_COMPACT) :
	    NULL;
	report->details = dumped;
	if (store_put_tls_report(import->store, report) != 0) {
		complain("%s", store_error(import->store));
		import->failed = true;
	}
	free(dumped);
	import->reports++;
	if (strcmp(type, "sts") == 0 && domain != NULL)
		reported_policy(import, place, report, policy);
}

void
import_tls_report(struct import *import, const json_t *root)
{
	const json_t *range = json_object_get(root, "date-range");
	const json_t *policies = json_object_get(root, "policies");
	const char *organization = text_of(root, "organization-name");
	const char *id = text_of(root, "report-id");
	struct tls_report_row report = { 0 };

	if (!json_is_array(policies) || organization == NULL || id == NULL) {
		import_complain(import, "1",
		    "not a TLS report: organization-name, report-id and an "
		    "array of policies are wanted (RFC 8460 4.4)");
		return;
	}
	if (!import_time(json_object_get(range, "start-datetime"),
		&report.start_ns) ||
	    !import_time(json_object_get(range, "end-datetime"),
		&report.end_ns) ||
	    report.end_ns <= report.start_ns) {
		import_complain(import, "date-range",
		    "start-datetime and end-datetime are no times in order "
		    "(RFC 3339)");
		return;
	}
	/* Midnight after the last day: its last second is meant. */
	if (report.end_ns % (86400 * NS_PER_S) == 0)
		report.end_ns -= NS_PER_S;
	snprintf(report.organization, sizeof(report.organization), "%s",
	    organization);
	snprintf(report.report_id, sizeof(report.report_id), "%s", id);
	for (size_t i = 0; i < json_array_size(policies); i++) {
		char place[40];

		snprintf(place, sizeof(place), "policies[%zu]", i);
		reported(import, place, &report, json_array_get(policies, i));
	}
}
