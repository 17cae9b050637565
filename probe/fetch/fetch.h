/*
 * probe/fetch/fetch.h - what many domains demand of those who send to them.
 *
 * For each: the TXT record of _mta-sts and the policy behind it (RFC 8461 3),
 * its MX hosts with their addresses and TLSA records (RFC 7672 2), and the TXT
 * record of _smtp._tls (RFC 8460 3). A few domains at a time; every domain
 * ends, by an answer or by its time limit. One thread.
 */
#ifndef PROBE_FETCH_FETCH_H
#define PROBE_FETCH_FETCH_H

#include "dns.h"
#include "https.h"
#include "rules/dane.h"
#include "rules/sts_look.h"

#define FETCH_HOSTS_MAX 16 /* MX hosts of a domain that are looked at */
#define FETCH_TLSA_BYTES 2048
#define FETCH_ERRBUF 256

struct fetch_options {
	struct dns_options dns;
	struct https_options https;
	unsigned parallel;	 /* domains at a time */
	unsigned domain_seconds; /* for one domain in all */
};

struct fetched_host {
	char name[HOST_NAME_BYTES]; /* lower case, no final dot */
	unsigned preference;
	char canonical[HOST_NAME_BYTES]; /* where a CNAME, validated, leads */
	enum dane_state dane;
	char tlsa[FETCH_TLSA_BYTES];	 /* "3 1 1 hex" a line ... */
	char tlsa_base[HOST_NAME_BYTES]; /* ... and whose they are */
	unsigned address_count;
	struct address addresses[HTTPS_ADDRESSES_MAX];
};

/* Borrowed for the callback. */
struct fetched {
	const char *domain; /* as it was given */
	enum sts_state state;
	enum tls_result result; /* of a policy that cannot be had */
	char why[256];		/* in words; "": nothing is to be said */
	char txt_id[STS_ID_BYTES];
	struct slice body;	  /* for STS_VALID */
	struct sts_policy policy; /* for STS_VALID */
	bool mx_answered, mx_secure;
	char next_hop[HOST_NAME_BYTES]; /* where a CNAME leads from it */
	unsigned host_count;
	struct fetched_host hosts[FETCH_HOSTS_MAX];
	char tlsrpt[512]; /* "": none */
};
typedef void fetched_fn(void *context, const struct fetched *);

struct fetch;
/* NULL with a message. */
struct fetch *
fetch_create(const struct fetch_options *, char errbuf[FETCH_ERRBUF]);
/* The callback gets each of them once, in the order in which they end. */
void fetch_domains(struct fetch *, const char *const *domains, size_t count,
    fetched_fn *, void *context);
void fetch_destroy(struct fetch *);
/* False: there is no trust anchor, and so no DANE. */
bool fetch_validates(const struct fetch *);

#endif
