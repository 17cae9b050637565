/*
 * dissect/address.h - who talks to whom: addresses, endpoints, their text.
 */
#ifndef DISSECT_ADDRESS_H
#define DISSECT_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* 4 or 6; the unused octets of an IPv4 address are zero, so that memcmp works. */
struct address {
	uint8_t octets[16];
	uint8_t family;
};

struct endpoint {
	struct address address;
	uint16_t port;
};

#define ADDRESS_TEXT_BYTES 46  /* INET6_ADDRSTRLEN */
#define ENDPOINT_TEXT_BYTES 56 /* "[v6]:port" and a NUL */

int address_compare(const struct address *, const struct address *);

static inline bool
endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && a->address.family == b->address.family &&
	    memcmp(a->address.octets, b->address.octets, 16) == 0;
}

/* RFC 5952 text; returns `text`. */
const char *
address_format(const struct address *, char text[ADDRESS_TEXT_BYTES]);
/* "192.0.2.1:25", "[2001:db8::1]:25"; returns `text`. */
const char *
endpoint_format(const struct endpoint *, char text[ENDPOINT_TEXT_BYTES]);
/* False when `text` is no address. */
bool address_parse(const char *text, struct address *);

/*
 * The client network of a profile: /24 of IPv4, /48 of IPv6. The rest of the
 * octets become zero.
 */
struct address address_network(const struct address *);
/* Is it in the network of so many bits? Families never mix. */
bool address_is_in(const struct address *, const struct address *network,
    unsigned bits);
/* "192.0.2.0/24", or an address alone (all bits). False: it is neither, or it
 * has bits behind the network's. */
bool network_parse(const char *text, struct address *network, unsigned *bits);

#endif
