/*
 * probe/fetch/dns.h - questions to DNS, validated (libunbound).
 *
 * Questions are asked, answers come by callback from dns_process(). Not
 * thread-safe; libunbound has a thread of its own behind it.
 */
#ifndef PROBE_FETCH_DNS_H
#define PROBE_FETCH_DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dissect/slice.h"

#define DNS_ERRBUF 256

struct dns;
struct dns_options {
	/* "resolv.conf", "recursive", or an address, with @port or without. */
	const char *resolver;
	const char *trust_anchor; /* file of DS or DNSKEY; NULL: the root's */
};

/* NULL with a message that says what to do. */
struct dns *dns_create(const struct dns_options *, char errbuf[DNS_ERRBUF]);
void dns_destroy(struct dns *);
/* Readable when dns_process() has something to do. */
int dns_descriptor(struct dns *);
void dns_process(struct dns *);
/* Are answers validated? False: there is no trust anchor. */
bool dns_validates(const struct dns *);

enum { DNS_A = 1, DNS_MX = 15, DNS_TXT = 16, DNS_AAAA = 28, DNS_TLSA = 52 };

enum dns_outcome {
	DNS_ANSWER,
	DNS_NOTHING, /* NXDOMAIN or no such records */
	DNS_FAILED,  /* SERVFAIL, no answer, or one that does not validate */
};
#define DNS_RECORDS_MAX 32

/* Borrowed for the callback. */
struct dns_answer {
	enum dns_outcome outcome;
	bool secure;	       /* validated, also that there is nothing */
	bool bogus;	       /* why it failed: DNSSEC */
	const char *canonical; /* at the end of CNAMEs; "": the name itself */
	char why[128];	       /* for DNS_FAILED */
	size_t count;	       /* beyond the maximum: left out */
	struct slice records[DNS_RECORDS_MAX]; /* sorted by their octets */
};
typedef void dns_fn(void *context, const struct dns_answer *);

/* One question that is under way. */
struct dns_question;
/* NULL: no memory, or no name. The callback is never called from in here. */
struct dns_question *
dns_ask(struct dns *, const char *name, int type, dns_fn *, void *context);
/* No callback any more. */
void dns_cancel(struct dns *, struct dns_question *);

#endif
