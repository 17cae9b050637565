#include "dns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <unbound.h>

#define CLASS_IN 1
#define RCODE_NAME_ERROR 3

struct dns {
	struct ub_ctx *unbound;
	bool validates;
};

struct dns_question {
	dns_fn *fn;
	void *context;
	int id;
};

/* Debian's packages unbound and dns-root-data. */
static const char *
root_anchor(void)
{
	static const char *const files[] = { "/usr/share/dns/root.key",
		"/var/lib/unbound/root.key" };

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		if (access(files[i], R_OK) == 0)
			return files[i];
	return NULL;
}

static int
point_at(struct ub_ctx *unbound, const char *resolver)
{
	if (strcmp(resolver, "recursive") == 0)
		return 0;
	if (strcmp(resolver, "resolv.conf") == 0)
		return ub_ctx_resolvconf(unbound, NULL);
	return ub_ctx_set_fwd(unbound, resolver);
}

/*
 * What a resolver here may do. A zone of one's own may lie on this machine;
 * a forged NXDOMAIN must not be believed for long.
 */
static int
configure(struct dns *dns, const struct dns_options *o)
{
	static const char *const settings[][2] = {
		{ "do-not-query-localhost:", "no" },
		{ "cache-max-negative-ttl:", "60" },
		{ "qname-minimisation:", "no" },
	};
	const char *anchor = o->trust_anchor != NULL ? o->trust_anchor :
						       root_anchor();
	int code = ub_ctx_async(dns->unbound, 1);

	for (size_t i = 0;
	     code == 0 && i < sizeof(settings) / sizeof(*settings); i++)
		code = ub_ctx_set_option(dns->unbound, settings[i][0],
		    settings[i][1]);
	dns->validates = anchor != NULL;
	if (code == 0 && anchor != NULL)
		code = ub_ctx_add_ta_file(dns->unbound, anchor);
	return code == 0 ? point_at(dns->unbound, o->resolver) : code;
}

struct dns *
dns_create(const struct dns_options *o, char errbuf[DNS_ERRBUF])
{
	struct dns *dns = calloc(1, sizeof(*dns));
	int code = UB_NOMEM;

	if (o->trust_anchor != NULL && access(o->trust_anchor, R_OK) != 0) {
		snprintf(errbuf, DNS_ERRBUF, "%.200s: cannot be read",
		    o->trust_anchor);
		free(dns);
		return NULL;
	}
	if (dns != NULL)
		dns->unbound = ub_ctx_create();
	if (dns != NULL && dns->unbound != NULL)
		code = configure(dns, o);
	if (code == 0)
		return dns;
	snprintf(errbuf, DNS_ERRBUF,
	    "the resolver \"%.100s\" cannot be used: %s; wanted is "
	    "resolv.conf, recursive, or an address such as 192.0.2.53 or "
	    "192.0.2.53@5353",
	    o->resolver, ub_strerror(code));
	dns_destroy(dns);
	return NULL;
}

void
dns_destroy(struct dns *dns)
{
	if (dns == NULL)
		return;
	if (dns->unbound != NULL)
		ub_ctx_delete(dns->unbound);
	free(dns);
}

int
dns_descriptor(struct dns *dns)
{
	return ub_fd(dns->unbound);
}

void
dns_process(struct dns *dns)
{
	if (ub_poll(dns->unbound))
		ub_process(dns->unbound);
}

bool
dns_validates(const struct dns *dns)
{
	return dns->validates;
}

static int
compare_records(const void *a, const void *b)
{
	const struct slice *l = a, *r = b;
	int order = memcmp(l->ptr, r->ptr, l->len < r->len ? l->len : r->len);

	return order != 0 ? order : (l->len > r->len) - (l->len < r->len);
}

/* Servers and resolvers turn a set of records round at will: sorted, the same
 * set is the same answer, and MX records come by preference (RFC 1035 3.3.9).
 */
static void
take_records(const struct ub_result *result, struct dns_answer *answer)
{
	for (int i = 0;
	     result->data[i] != NULL && answer->count < DNS_RECORDS_MAX; i++)
		answer->records[answer->count++] =
		    slice_of((const uint8_t *)result->data[i],
			(size_t)result->len[i]);
	qsort(answer->records, answer->count, sizeof(*answer->records),
	    compare_records);
}

static void
read_result(int error, const struct ub_result *result,
    struct dns_answer *answer)
{
	answer->outcome = DNS_FAILED;
	if (error != 0 || result == NULL) {
		snprintf(answer->why, sizeof(answer->why), "%s",
		    ub_strerror(error));
		return;
	}
	answer->secure = result->secure != 0;
	answer->bogus = result->bogus != 0;
	if (result->canonname != NULL)
		answer->canonical = result->canonname;
	if (result->bogus)
		snprintf(answer->why, sizeof(answer->why),
		    "does not validate (DNSSEC): %.90s",
		    result->why_bogus != NULL ? result->why_bogus : "");
	else if (result->rcode != 0 && result->rcode != RCODE_NAME_ERROR)
		snprintf(answer->why, sizeof(answer->why), "%s",
		    result->rcode == 2 ? "SERVFAIL" : "the server refuses");
	else if (!result->havedata)
		answer->outcome = DNS_NOTHING;
	else
		answer->outcome = DNS_ANSWER;
	if (answer->outcome == DNS_ANSWER)
		take_records(result, answer);
}

static void
on_result(void *context, int error, struct ub_result *result)
{
	struct dns_question *question = context;
	struct dns_answer answer = { .canonical = "" };
	dns_fn *fn = question->fn;
	void *their_context = question->context;

	read_result(error, result, &answer);
	free(question);
	fn(their_context, &answer);
	ub_resolve_free(result);
}

struct dns_question *
dns_ask(struct dns *dns, const char *name, int type, dns_fn *fn, void *context)
{
	struct dns_question *question = calloc(1, sizeof(*question));

	if (question == NULL)
		return NULL;
	question->fn = fn;
	question->context = context;
	if (ub_resolve_async(dns->unbound, name, type, CLASS_IN, question,
		on_result, &question->id) == 0)
		return question;
	free(question);
	return NULL;
}

void
dns_cancel(struct dns *dns, struct dns_question *question)
{
	ub_cancel(dns->unbound, question->id);
	free(question);
}
