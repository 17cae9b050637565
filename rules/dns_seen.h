/*
 * rules/dns_seen.h - what the answers laid beside a session say of its server.
 *
 * DNS seen on the wire may accuse and never acquits (design 4.7): whoever is
 * on the way can write it as well as anything else.
 */
#ifndef RULES_DNS_SEEN_H
#define RULES_DNS_SEEN_H

#include "dane.h"
#include "session.h"

/* An MX host that leads to the session's server, and whose it is. */
struct dns_route {
	char domain[DOMAIN_TEXT_BYTES]; /* "": nobody's MX was asked for */
	char mx[DOMAIN_TEXT_BYTES];
	bool own;	/* the session's client asked for it */
	uint64_t frame; /* of the answer that names the host */
};
#define DNS_ROUTES_MAX 8

/* The client's own first. */
unsigned dns_routes(const struct session *, struct dns_route[DNS_ROUTES_MAX]);

/* What `_mta-sts.` of a domain was answered. */
enum dns_sts {
	DNS_STS_UNSEEN, /* nobody asked */
	DNS_STS_PUBLISHED,
	DNS_STS_NONE, /* no such name, or no record that is one of RFC 8461 */
};
/* `asked_by_client`: it was the session's client. */
enum dns_sts dns_sts(const struct session *, const char *domain,
    bool *asked_by_client, uint64_t *frame);

/* Is there a usable TLSA record for the host's port 25 that was not denied;
 * does one of them match? `frame`: of the answer. */
enum dns_tlsa { DNS_TLSA_NONE, DNS_TLSA_MATCHED, DNS_TLSA_UNMATCHED };
enum dns_tlsa dns_tlsa(const struct session *, const char *mx,
    const struct dane_names *, uint64_t *frame);
/* The name that a CNAME leads to from `name`, as it was answered; "": none. */
void dns_expanded(const struct session *, const char *name,
    char out[DOMAIN_TEXT_BYTES]);

/*
 * The answer that gave the server's address for `mx`, or the route's MX for
 * its domain, has nothing in common with another one to the same question.
 * `second`: both answer one query. False: there is no such other answer.
 */
struct dns_contradiction {
	bool second;
	uint64_t frame, other_frame;
	char other[DOMAIN_TEXT_BYTES]; /* what the other one gives */
};
bool dns_contradicts_address(const struct session *, const char *mx,
    struct dns_contradiction *);
bool dns_contradicts_mx(const struct session *, const struct dns_route *,
    struct dns_contradiction *);

#endif
