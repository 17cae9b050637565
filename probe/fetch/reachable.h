/*
 * probe/fetch/reachable.h - may the fetcher connect to an address?
 *
 * Whoever writes a domain's DNS chooses where the fetcher connects to: only
 * addresses of the public Internet, so that nobody can send it into the
 * network that it runs in (RFC 6890's registries).
 */
#ifndef PROBE_FETCH_REACHABLE_H
#define PROBE_FETCH_REACHABLE_H

#include "dissect/address.h"

bool address_is_public(const struct address *);

#endif
