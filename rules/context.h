/*
 * rules/context.h - what rules may ask of the world besides the session.
 *
 * probe/ fills it from the store. Answers are borrowed until the next call of
 * the same function.
 */
#ifndef RULES_CONTEXT_H
#define RULES_CONTEXT_H

#include "dns_seen.h"
#include "incident.h"
#include "profile.h"
#include "registry.h"
#include "site.h"
#include "sts_policy.h"

struct policy_in_force {
	struct sts_policy policy;
	bool assumed;	  /* nobody observed when it held */
	int64_t added_ns; /* capture-independent: for provenance only */
};

/*
 * The validated TLSA records of an MX host, "3 1 1 hex" a line, and where
 * CNAMEs lead from the host, validated too, and from the domain; "": nowhere.
 */
struct tlsa_in_force {
	const char *records, *canonical, *next_hop;
	bool mx_secure; /* the MX records are validated as well */
};

struct context {
	const struct registry *registry;
	double prior;		 /* of tampering, before any evidence */
	const struct site *site; /* NULL: the operator said nothing */
	void *world;
	/* The policy of `domain` (lower case) that held at `at_ns`; false:
	 * none is known. */
	bool (*policy)(void *world, const char *domain, int64_t at_ns,
	    struct policy_in_force *out);
	/* Profiles of `server`, oldest first; their number. */
	size_t (*profiles)(void *world, const struct endpoint *server,
	    const struct profile **out);
	/* Attempts with `server`, by first_ns; their number. NULL: nobody
	 * knows of other sessions. */
	size_t (*attempts)(void *world, const struct endpoint *server,
	    const struct attempt **out);
	/* The name that the operator or fetched records give `server`; NULL:
	 * none, or several. */
	const char *(*mx_name)(void *world, const struct endpoint *server,
	    int64_t at_ns);
	/* Whose MX `server` was by fetched records; their number, 0 also for a
	 * provider's. NULL: nobody knows. */
	unsigned (*mx_of)(void *world, const struct endpoint *server,
	    int64_t at_ns, struct dns_route out[DNS_ROUTES_MAX]);
	/* What `server` demanded at `at_ns` as an MX of `domain`, from records
	 * that were validated; NULL: nobody knows. */
	enum dane_state (*dane)(void *world, const char *domain,
	    const struct endpoint *server, int64_t at_ns, bool *assumed);
	/* The records of `host` as an MX of `domain`; false: none are known to
	 * have been there. */
	bool (*tlsa)(void *world, const char *domain, const char *host,
	    int64_t at_ns, struct tlsa_in_force *out);
};

#endif
