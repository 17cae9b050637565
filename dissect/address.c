#include "address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
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

bool
address_is_in(const struct address *a, const struct address *network,
    unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (a->family != network->family ||
	    memcmp(a->octets, network->octets, whole) != 0)
		return false;
	return rest == 0 ||
	    (a->octets[whole] ^ network->octets[whole]) >> (8 - rest) == 0;
}

bool
network_parse(const char *text, struct address *network, unsigned *bits)
{
	const char *slash = strchr(text, '/');
	size_t n = slash == NULL ? strlen(text) : (size_t)(slash - text);
	char address[ADDRESS_TEXT_BYTES];
	unsigned most;
	char *end;

	if (n >= sizeof(address))
		return false;
	memcpy(address, text, n);
	address[n] = '\0';
	if (!address_parse(address, network))
		return false;
	most = network->family == 4 ? 32 : 128;
	*bits = most;
	if (slash != NULL) {
		if (slash[1] < '0' || slash[1] > '9')
			return false;
		*bits = (unsigned)strtoul(slash + 1, &end, 10);
		if (*end != '\0' || *bits > most)
			return false;
	}
	for (unsigned bit = *bits; bit < most; bit++)
		if (network->octets[bit / 8] >> (7 - bit % 8) & 1)
			return false;
	return true;
}
