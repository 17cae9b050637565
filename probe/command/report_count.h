/*
 * probe/command/report_count.h - sessions of a domain, by day and policy.
 *
 * Only sessions whose domain was known before STARTTLS: by RCPT TO in clear
 * (kept sessions), by the MX that the client was given where it left without
 * mail for want of TLS (those that a policy judged), or because the server has
 * the address of an MX host that lies in the domain and is nobody else's.
 */
#ifndef PROBE_COMMAND_REPORT_COUNT_H
#define PROBE_COMMAND_REPORT_COUNT_H

#include "probe/pipeline/world.h"
#include "rules/tls_report.h"

#define REPORT_DETAILS_MAX 64 /* kinds of failure of one policy and day */

struct report_detail {
	enum tls_result result;
	char receiving_ip[ADDRESS_TEXT_BYTES];
	char helo[DOMAIN_TEXT_BYTES]; /* of the greeting; "": unknown */
	char reason[48];
	uint64_t sessions;
};

/* One policy that held on that day. */
struct report_policy {
	enum policy_mechanism mechanism;
	bool found; /* false: there is no policy */
	struct sts_policy sts;
	char tlsa[2048]; /* a record a line */
	uint64_t successes, failures;
	unsigned detail_count;
	struct report_detail details[REPORT_DETAILS_MAX];
};

struct report_day {
	const char *domain;
	int64_t day_ns;
	size_t policy_count;
	struct report_policy **policies;
};
typedef int report_day_fn(void *context, const struct report_day *);

/*
 * Each day of `domain` with a session, oldest first. `unsplit` is added to by
 * sessions that cannot be told to one day. -1: the store or memory failed;
 * else what the callback returned.
 */
int report_each_day(struct store *, struct world *, const char *domain,
    report_day_fn *, void *context, uint64_t *unsplit);

#endif
