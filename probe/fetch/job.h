/*
 * probe/fetch/job.h - one domain that is being looked at; private to
 * probe/fetch/.
 *
 * Questions that depend on nothing are asked at once, the others when what
 * they depend on is answered. A job is done when nothing is under way.
 */
#ifndef PROBE_FETCH_JOB_H
#define PROBE_FETCH_JOB_H

#include "fetch.h"

struct job;

/* A question of a job's, and what it is about. */
struct job_question {
	struct job *job;
	struct dns_question *dns; /* NULL: answered */
	unsigned host;		  /* of the MX hosts */
};

struct job_host {
	struct job_question a, aaaa, tlsa;
	char alias_of[HOST_NAME_BYTES]; /* where a CNAME leads; "": none */
	bool secure, failed;		/* of its addresses */
	bool at_canonical;		/* TLSA was asked there first */
};

struct job {
	struct dns *dns;
	struct https *https;
	bool private_addresses;
	int64_t deadline_ms;
	unsigned pending;
	struct job_question txt, mx, tlsrpt, a, aaaa;
	struct job_host hosts[FETCH_HOSTS_MAX];
	struct https_get *get;
	char policy_host[HOST_NAME_BYTES + 8];
	bool looked; /* the state is known */
	bool addresses_failed;
	unsigned address_count, private_count;
	struct address addresses[HTTPS_ADDRESSES_MAX];
	uint8_t *body;
	struct fetched out;
};

/* `domain` is borrowed; NULL: no memory. */
struct job *job_create(struct dns *, struct https *, bool private_addresses,
    const char *domain);
/* Tells, and frees it; what is still under way counts as unanswered. */
void job_finish(struct job *, fetched_fn *, void *context);

/* What both halves of it share. */
bool job_ask(struct job_question *, const char *name, int type, dns_fn *);
void job_take_addresses(const struct dns_answer *, int type,
    struct address *addresses, unsigned *count);
/* The MX half: RFC 7672 2.2. */
void job_ask_mail_hosts(struct job *);

#endif
