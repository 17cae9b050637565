#include "address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

int
address_compare(const struct address *a, const struct address *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->octets, b->octets, sizeof(a->octets));
}

const char *
address_format(const struct address *address, char text[ADDRESS_TEXT_BYTES])
{
	int family = address->family == 6 ? AF_INET6 : AF_INET;

	if (inet_ntop(family, address->octets, text, ADDRESS_TEXT_BYTES) ==
	    NULL)
		text[0] = '\0';
	return text;
}

const char *
endpoint_format(const struct endpoint *endpoint, char text[ENDPOINT_TEXT_BYTES])
{
	char address[ADDRESS_TEXT_BYTES];

	address_format(&endpoint->address, address);
	snprintf(text, ENDPOINT_TEXT_BYTES,
	    endpoint->address.family == 6 ? "[%s]:%u" : "%s:%u", address,
	    (unsigned)endpoint->port);
	return text;
}

bool
address_parse(const char *text, struct address *out)
{
	memset(out, 0, sizeof(*out));
	out->family = 4;
	if (inet_pton(AF_INET, text, out->octets) == 1)
		return true;
	out->family = 6;
	return inet_pton(AF_INET6, text, out->octets) == 1;
}

struct address
address_network(const struct address *address)
{
	struct address network = *address;
	size_t kept = address->family == 6 ? 6 : 3;

	memset(network.octets + kept, 0, sizeof(network.octets) - kept);
	return network;
}
