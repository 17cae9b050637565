#include "fetch.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "job.h"
#include "reachable.h"

#define WAIT_MS 200 /* until the time limits are looked at */

struct fetch {
	struct fetch_options options;
	struct dns *dns;
	struct https *https;
};

struct fetch *
fetch_create(const struct fetch_options *o, char errbuf[FETCH_ERRBUF])
{
	struct fetch *fetch = calloc(1, sizeof(*fetch));

	snprintf(errbuf, FETCH_ERRBUF, "out of memory");
	if (fetch == NULL)
		return NULL;
	fetch->options = *o;
	fetch->dns = dns_create(&o->dns, errbuf);
	if (fetch->dns != NULL)
		fetch->https = https_create(&o->https, errbuf);
	if (fetch->https != NULL)
		return fetch;
	fetch_destroy(fetch);
	return NULL;
}

void
fetch_destroy(struct fetch *fetch)
{
	if (fetch == NULL)
		return;
	https_destroy(fetch->https);
	dns_destroy(fetch->dns);
	free(fetch);
}

bool
fetch_validates(const struct fetch *fetch)
{
	return dns_validates(fetch->dns);
}

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* One that could not begin ends as one that nobody answered. */
static void
give_up(const char *domain, fetched_fn *fn, void *context)
{
	struct fetched *none = calloc(1, sizeof(*none));

	if (none == NULL)
		return;
	none->domain = domain;
	none->state = STS_LOOKUP_FAILED;
	snprintf(none->why, sizeof(none->why), "out of memory");
	fn(context, none);
	free(none);
}

static struct job *
begin(struct fetch *fetch, const char *domain, fetched_fn *fn, void *context)
{
	struct job *job = job_create(fetch->dns, fetch->https,
	    fetch->options.https.private_addresses, domain);

	if (job == NULL)
		give_up(domain, fn, context);
	else
		job->deadline_ms =
		    now_ms() + fetch->options.domain_seconds * INT64_C(1000);
	return job;
}

void
fetch_domains(struct fetch *fetch, const char *const *domains, size_t count,
    fetched_fn *fn, void *context)
{
	size_t next = 0, running = 0, room = fetch->options.parallel;
	struct job **jobs = calloc(room, sizeof(*jobs));

	while (jobs != NULL && (next < count || running > 0)) {
		for (; running < room && next < count; next++) {
			jobs[running] =
			    begin(fetch, domains[next], fn, context);
			running += jobs[running] != NULL;
		}
		https_wait(fetch->https, dns_descriptor(fetch->dns), WAIT_MS);
		dns_process(fetch->dns);
		https_process(fetch->https);
		for (size_t i = 0; i < running;) {
			if (jobs[i]->pending > 0 &&
			    now_ms() < jobs[i]->deadline_ms) {
				i++;
				continue;
			}
			job_finish(jobs[i], fn, context);
			jobs[i] = jobs[--running];
		}
	}
	free(jobs);
}
