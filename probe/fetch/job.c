/* One domain: its record, and the policy behind it. */
#include "job.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "reachable.h"

#define RECORD_BYTES 4096 /* of a TXT record, joined */

bool
job_ask(struct job_question *question, const char *name, int type, dns_fn *fn)
{
	struct job *job = question->job;

	question->dns = dns_ask(job->dns, name, type, fn, question);
	job->pending += question->dns != NULL;
	return question->dns != NULL;
}

static struct job *
answered(void *context)
{
	struct job_question *question = context;

	question->dns = NULL;
	question->job->pending--;
	return question->job;
}

static void
conclude(struct job *job, enum sts_state state, enum tls_result result,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

static void
conclude(struct job *job, enum sts_state state, enum tls_result result,
    const char *format, ...)
{
	va_list arguments;

	job->looked = true;
	job->out.state = state;
	job->out.result = result;
	va_start(arguments, format);
	vsnprintf(job->out.why, sizeof(job->out.why), format, arguments);
	va_end(arguments);
}

/* --- the policy ---------------------------------------------------------- */

static void
take_policy(struct job *job, struct slice body)
{
	struct sts_lint_list lint;
	struct fetched *out = &job->out;

	job->body = malloc(body.len + 1);
	if (job->body == NULL) {
		conclude(job, STS_LOOKUP_FAILED, TLS_RESULT_NONE,
		    "out of memory");
		return;
	}
	if (body.len > 0)
		memcpy(job->body, body.ptr, body.len);
	out->body = slice_of(job->body, body.len);
	if (sts_policy_parse(out->body, &out->policy, &lint)) {
		conclude(job, STS_VALID, TLS_RESULT_NONE, "%s", "");
		return;
	}
	conclude(job, STS_UNOBTAINABLE, TLS_STS_POLICY_INVALID,
	    "the policy: line %u, column %u: %s",
	    lint.count > 0 ? lint.rows[0].line : 1,
	    lint.count > 0 ? lint.rows[0].column : 1,
	    lint.count > 0 ? lint.rows[0].text : "it is none");
}

static void
on_policy(void *context, const struct https_answer *answer)
{
	struct job *job = context;

	job->get = NULL;
	job->pending--;
	if (answer->result != TLS_RESULT_NONE)
		conclude(job, STS_UNOBTAINABLE, answer->result, "%s",
		    answer->why);
	else if (!answer->media_type_ok)
		conclude(job, STS_UNOBTAINABLE, TLS_STS_POLICY_FETCH_ERROR,
		    "media type \"%s\", not text/plain (RFC 8461 3.2)",
		    answer->media_type);
	else
		take_policy(job, answer->body);
}

static void
get_policy(struct job *job)
{
	if (job->address_count == 0 && job->addresses_failed) {
		conclude(job, STS_UNOBTAINABLE, TLS_STS_POLICY_FETCH_ERROR,
		    "no answer about addresses of %s", job->policy_host);
		return;
	}
	if (job->address_count == 0) {
		conclude(job, STS_UNOBTAINABLE, TLS_STS_POLICY_FETCH_ERROR,
		    job->private_count > 0 ? "%s has no public address" :
					     "%s has no address",
		    job->policy_host);
		return;
	}
	job->get = https_get(job->https, job->policy_host,
	    "/.well-known/mta-sts.txt", job->addresses, job->address_count,
	    on_policy, job);
	job->pending += job->get != NULL;
	if (job->get == NULL)
		conclude(job, STS_LOOKUP_FAILED, TLS_RESULT_NONE,
		    "out of memory");
}

void
job_take_addresses(const struct dns_answer *answer, int type,
    struct address *addresses, unsigned *count)
{
	size_t bytes = type == DNS_A ? 4 : 16;

	for (size_t i = 0; answer->outcome == DNS_ANSWER && i < answer->count;
	     i++) {
		struct address *address = &addresses[*count];

		if (*count == HTTPS_ADDRESSES_MAX)
			return;
		if (answer->records[i].len != bytes)
			continue;
		memset(address, 0, sizeof(*address));
		address->family = type == DNS_A ? 4 : 6;
		memcpy(address->octets, answer->records[i].ptr, bytes);
		++*count;
	}
}

static void
on_policy_address(struct job *job, const struct dns_answer *answer, int type)
{
	unsigned from = job->address_count, kept = from;

	job->addresses_failed |= answer->outcome == DNS_FAILED;
	job_take_addresses(answer, type, job->addresses, &job->address_count);
	for (unsigned i = from; i < job->address_count; i++) {
		if (job->private_addresses ||
		    address_is_public(&job->addresses[i]))
			job->addresses[kept++] = job->addresses[i];
		else
			job->private_count++;
	}
	job->address_count = kept;
	if (job->a.dns == NULL && job->aaaa.dns == NULL)
		get_policy(job);
}

static void
on_policy_a(void *context, const struct dns_answer *answer)
{
	on_policy_address(answered(context), answer, DNS_A);
}

static void
on_policy_aaaa(void *context, const struct dns_answer *answer)
{
	on_policy_address(answered(context), answer, DNS_AAAA);
}

/* --- the records --------------------------------------------------------- */

struct joined {
	uint8_t *bytes; /* DNS_RECORDS_MAX * RECORD_BYTES */
	struct slice records[DNS_RECORDS_MAX];
	struct sts_txt_rrset set;
};

/* What cannot be joined stays as an empty record: it is one that is there. */
static bool
join_records(struct joined *joined, const struct dns_answer *answer)
{
	joined->bytes = malloc((size_t)DNS_RECORDS_MAX * RECORD_BYTES);
	joined->set = (struct sts_txt_rrset){ .answered = answer->outcome !=
		    DNS_FAILED,
		.records = joined->records,
		.count = answer->outcome == DNS_ANSWER ? answer->count : 0 };
	for (size_t i = 0; joined->bytes != NULL && i < joined->set.count;
	     i++) {
		uint8_t *room = joined->bytes + i * RECORD_BYTES;
		size_t len = 0;

		if (!sts_txt_join(answer->records[i], room, RECORD_BYTES, &len))
			len = 0;
		joined->records[i] = slice_of(room, len);
	}
	return joined->bytes != NULL;
}

static void
found_record(struct job *job, const struct sts_txt *txt)
{
	strcpy(job->out.txt_id, txt->id);
	snprintf(job->policy_host, sizeof(job->policy_host), "mta-sts.%s",
	    job->out.domain);
	if (!job_ask(&job->a, job->policy_host, DNS_A, on_policy_a) ||
	    !job_ask(&job->aaaa, job->policy_host, DNS_AAAA, on_policy_aaaa))
		conclude(job, STS_LOOKUP_FAILED, TLS_RESULT_NONE,
		    "%s cannot be asked for", job->policy_host);
}

static void
on_txt(void *context, const struct dns_answer *answer)
{
	struct job *job = answered(context);
	struct joined joined;
	struct sts_txt txt;

	if (!join_records(&joined, answer)) {
		conclude(job, STS_LOOKUP_FAILED, TLS_RESULT_NONE,
		    "out of memory");
		return;
	}
	switch (sts_txt_select(&joined.set, &txt)) {
	case STS_TXT_FOUND:
		found_record(job, &txt);
		break;
	case STS_TXT_ABSENT:
		conclude(job, STS_ABSENT, TLS_RESULT_NONE, "%s", "");
		break;
	case STS_TXT_SEVERAL:
		conclude(job, STS_UNOBTAINABLE, TLS_STS_POLICY_INVALID,
		    "_mta-sts.%s has several records: senders must act as if "
		    "there were none (RFC 8461 3.1)",
		    job->out.domain);
		break;
	case STS_TXT_INVALID:
		conclude(job, STS_UNOBTAINABLE, TLS_STS_POLICY_INVALID,
		    "the record of _mta-sts.%s is not valid (RFC 8461 3.1)",
		    job->out.domain);
		break;
	case STS_TXT_UNKNOWN:
		conclude(job, STS_LOOKUP_FAILED,
		    answer->bogus ? TLS_DNSSEC_INVALID : TLS_RESULT_NONE,
		    "_mta-sts.%s: %s", job->out.domain, answer->why);
		break;
	}
	free(joined.bytes);
}

static void
on_tlsrpt(void *context, const struct dns_answer *answer)
{
	struct job *job = answered(context);
	struct joined joined;
	struct slice record;

	if (!join_records(&joined, answer))
		return;
	if (tlsrpt_txt_select(&joined.set, &record) == STS_TXT_FOUND)
		snprintf(job->out.tlsrpt, sizeof(job->out.tlsrpt), "%.*s",
		    (int)record.len, (const char *)record.ptr);
	free(joined.bytes);
}

/* --- a job's life -------------------------------------------------------- */

struct job *
job_create(struct dns *dns, struct https *https, bool private_addresses,
    const char *domain)
{
	struct job *job = calloc(1, sizeof(*job));
	char name[HOST_NAME_BYTES + 16];

	if (job == NULL)
		return NULL;
	job->dns = dns;
	job->https = https;
	job->private_addresses = private_addresses;
	job->out.domain = domain;
	job->txt.job = job->mx.job = job->tlsrpt.job = job->a.job =
	    job->aaaa.job = job;
	for (unsigned i = 0; i < FETCH_HOSTS_MAX; i++) {
		struct job_question of_host = { .job = job, .host = i };

		job->hosts[i].a = job->hosts[i].aaaa = job->hosts[i].tlsa =
		    of_host;
	}
	snprintf(name, sizeof(name), "_mta-sts.%s", domain);
	if (!job_ask(&job->txt, name, DNS_TXT, on_txt))
		conclude(job, STS_LOOKUP_FAILED, TLS_RESULT_NONE,
		    "%s cannot be asked for", name);
	snprintf(name, sizeof(name), "_smtp._tls.%s", domain);
	job_ask(&job->tlsrpt, name, DNS_TXT, on_tlsrpt);
	job_ask_mail_hosts(job);
	return job;
}

static void
cancel(struct job *job, struct job_question *question)
{
	if (question->dns != NULL)
		dns_cancel(job->dns, question->dns);
}

/* RFC 7672 2.1: who gets no answer about a host must not take it for one
 * without records. */
static void
cancel_host(struct job *job, unsigned i)
{
	struct job_host *host = &job->hosts[i];

	if (host->a.dns != NULL || host->aaaa.dns != NULL ||
	    host->tlsa.dns != NULL)
		job->out.hosts[i].dane = DANE_UNKNOWN;
	cancel(job, &host->a);
	cancel(job, &host->aaaa);
	cancel(job, &host->tlsa);
}

void
job_finish(struct job *job, fetched_fn *fn, void *context)
{
	bool published = job->out.txt_id[0] != '\0';

	if (!job->looked)
		conclude(job, published ? STS_UNOBTAINABLE : STS_LOOKUP_FAILED,
		    published ? TLS_STS_POLICY_FETCH_ERROR : TLS_RESULT_NONE,
		    "%s%s: no answer within the time limit",
		    published ? "" : "_mta-sts.",
		    published ? job->policy_host : job->out.domain);
	cancel(job, &job->txt);
	cancel(job, &job->mx);
	cancel(job, &job->tlsrpt);
	cancel(job, &job->a);
	cancel(job, &job->aaaa);
	for (unsigned i = 0; i < FETCH_HOSTS_MAX; i++)
		cancel_host(job, i);
	if (job->get != NULL)
		https_cancel(job->https, job->get);
	fn(context, &job->out);
	free(job->body);
	free(job);
}
