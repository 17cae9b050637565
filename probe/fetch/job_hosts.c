/* One domain: its MX hosts, their addresses, their TLSA records. */
#include <stdio.h>
#include <stdlib.h>

#include "job.h"

#define MAIL_PORT 25

static struct job *
answered(void *context, unsigned *host)
{
	struct job_question *question = context;

	question->dns = NULL;
	question->job->pending--;
	*host = question->host;
	return question->job;
}

/* --- TLSA (RFC 7672 2.2.2, 2.2.3) ---------------------------------------- */

static void
write_tlsa(struct slice rdata, char out[FETCH_TLSA_BYTES])
{
	size_t at = strlen(out);

	/* 3 numbers of up to 3 digits, blanks, hex, newline, NUL. */
	if (rdata.len < 4 || at + 16 + 2 * rdata.len > FETCH_TLSA_BYTES)
		return;
	at += (size_t)sprintf(out + at, "%s%u %u %u ", at > 0 ? "\n" : "",
	    rdata.ptr[0], rdata.ptr[1], rdata.ptr[2]);
	for (size_t i = 3; i < rdata.len; i++)
		at += (size_t)sprintf(out + at, "%02x", rdata.ptr[i]);
}

static void
take_tlsa(struct fetched_host *host, const struct dns_answer *answer,
    const char *base)
{
	host->dane = DANE_TLS;
	snprintf(host->tlsa_base, sizeof(host->tlsa_base), "%s", base);
	for (size_t i = 0; i < answer->count; i++) {
		if (dane_usable(answer->records[i]))
			host->dane = DANE_AUTHENTICATE;
		write_tlsa(answer->records[i], host->tlsa);
	}
}

static void ask_tlsa(struct job *job, unsigned i, const char *name);

static void
on_tlsa(void *context, const struct dns_answer *answer)
{
	unsigned i;
	struct job *job = answered(context, &i);
	struct job_host *state = &job->hosts[i];
	struct fetched_host *host = &job->out.hosts[i];

	if (answer->outcome == DNS_FAILED) {
		host->dane = DANE_UNKNOWN;
	} else if (answer->outcome == DNS_ANSWER && answer->secure) {
		take_tlsa(host, answer,
		    state->at_canonical ? host->canonical : host->name);
	} else if (state->at_canonical) {
		/* Where the CNAME leads there is nothing: the name itself. */
		state->at_canonical = false;
		ask_tlsa(job, i, host->name);
	}
}

static void
ask_tlsa(struct job *job, unsigned i, const char *name)
{
	char owner[HOST_NAME_BYTES + 16];

	snprintf(owner, sizeof(owner), "_%u._tcp.%s", MAIL_PORT, name);
	if (!job_ask(&job->hosts[i].tlsa, owner, DNS_TLSA, on_tlsa))
		job->out.hosts[i].dane = DANE_UNKNOWN;
}

/*
 * RFC 7672 2.2.2: a host whose address records are not validated has no TLSA
 * records to ask for, but where an insecure CNAME leads away from it.
 */
static void
host_addressed(struct job *job, unsigned i)
{
	struct job_host *state = &job->hosts[i];
	struct fetched_host *host = &job->out.hosts[i];
	bool alias = state->alias_of[0] != '\0';

	if (state->secure)
		strcpy(host->canonical, state->alias_of);
	if (host->address_count == 0 && state->failed)
		host->dane = DANE_UNKNOWN;
	else if (state->secure && alias) {
		state->at_canonical = true;
		ask_tlsa(job, i, host->canonical);
	} else if (state->secure || alias)
		ask_tlsa(job, i, host->name);
}

/* Where a CNAME leads from `name`; "": nowhere. */
static void
read_alias(const struct dns_answer *answer, const char *name,
    char out[HOST_NAME_BYTES])
{
	if (!host_name_normalize(slice_str(answer->canonical), out) ||
	    strcmp(out, name) == 0)
		out[0] = '\0';
}

static int
by_address(const void *a, const void *b)
{
	return address_compare(a, b);
}

static void
on_address(void *context, const struct dns_answer *answer, int type)
{
	unsigned i;
	struct job *job = answered(context, &i);
	struct job_host *state = &job->hosts[i];
	struct fetched_host *host = &job->out.hosts[i];

	state->failed |= answer->outcome == DNS_FAILED;
	if (answer->outcome == DNS_ANSWER) {
		state->secure |= answer->secure;
		read_alias(answer, host->name, state->alias_of);
	}
	job_take_addresses(answer, type, host->addresses, &host->address_count);
	if (state->a.dns != NULL || state->aaaa.dns != NULL)
		return;
	/* A and AAAA answers come in either order. */
	qsort(host->addresses, host->address_count, sizeof(*host->addresses),
	    by_address);
	host_addressed(job, i);
}

static void
on_a(void *context, const struct dns_answer *answer)
{
	on_address(context, answer, DNS_A);
}

static void
on_aaaa(void *context, const struct dns_answer *answer)
{
	on_address(context, answer, DNS_AAAA);
}

/* --- MX ------------------------------------------------------------------ */

/* RFC 1035 3.1; libunbound hands on names without compression. */
static bool
read_name(struct slice wire, char out[HOST_NAME_BYTES])
{
	struct cursor c = cursor_over(wire);
	char text[HOST_NAME_BYTES + 1];
	size_t len = 0;

	for (;;) {
		struct slice label = cursor_take(&c, cursor_u8(&c));

		if (c.short_read || len + label.len + 1 > HOST_NAME_BYTES)
			return false;
		if (label.len == 0)
			break;
		memcpy(text + len, label.ptr, label.len);
		len += label.len;
		text[len++] = '.';
	}
	return host_name_normalize(slice_of((uint8_t *)text, len), out);
}

static void
add_host(struct job *job, const char *name, unsigned preference)
{
	struct fetched_host *host = &job->out.hosts[job->out.host_count];

	if (job->out.host_count == FETCH_HOSTS_MAX)
		return;
	snprintf(host->name, sizeof(host->name), "%s", name);
	host->preference = preference;
	job->out.host_count++;
}

static void
ask_hosts(struct job *job)
{
	for (unsigned i = 0; i < job->out.host_count; i++) {
		const char *name = job->out.hosts[i].name;

		if (!job_ask(&job->hosts[i].a, name, DNS_A, on_a) ||
		    !job_ask(&job->hosts[i].aaaa, name, DNS_AAAA, on_aaaa))
			job->out.hosts[i].dane = DANE_UNKNOWN;
	}
}

/* A null MX (RFC 7505) is a name that is none, and gives no host. */
static void
on_mx(void *context, const struct dns_answer *answer)
{
	unsigned ignored;
	struct job *job = answered(context, &ignored);
	char name[HOST_NAME_BYTES];

	if (answer->outcome == DNS_FAILED)
		return;
	job->out.mx_answered = true;
	job->out.mx_secure = answer->secure;
	read_alias(answer, job->out.domain, job->out.next_hop);
	/* RFC 5321 5.1: without MX records the domain is its own host, or what
	 * a CNAME leads to from it. */
	if (answer->outcome == DNS_NOTHING)
		add_host(job,
		    job->out.next_hop[0] != '\0' ? job->out.next_hop :
						   job->out.domain,
		    0);
	for (size_t i = 0; i < answer->count; i++) {
		struct slice rdata = answer->records[i];

		if (rdata.len > 2 && read_name(slice_after(rdata, 2), name))
			add_host(job, name,
			    (unsigned)rdata.ptr[0] << 8 | rdata.ptr[1]);
	}
	ask_hosts(job);
}

void
job_ask_mail_hosts(struct job *job)
{
	job_ask(&job->mx, job->out.domain, DNS_MX, on_mx);
}
