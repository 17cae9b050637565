#include "site.h"

#include <stdio.h>
#include <strings.h>

static bool
is_home(const struct site *site, const struct address *address)
{
	for (unsigned i = 0; i < site->network_count; i++)
		if (address_is_in(address, &site->networks[i].address,
			site->networks[i].bits))
			return true;
	return false;
}

/* A domain's subdomains are its own. */
static bool
is_own_domain(const struct site *site, const char *domain)
{
	size_t length = strlen(domain);

	for (unsigned i = 0; i < site->domain_count; i++) {
		size_t n = strlen(site->domains[i]);

		if (length >= n &&
		    strcasecmp(domain + length - n, site->domains[i]) == 0 &&
		    (length == n || domain[length - n - 1] == '.'))
			return true;
	}
	return false;
}

static bool
is_to_own_domain(const struct site *site, const struct incident *in)
{
	for (unsigned i = 0; i < in->domain_count; i++)
		if (is_own_domain(site, in->rcpt_domains[i]))
			return true;
	return false;
}

enum direction
site_direction(const struct site *site, const struct incident *in)
{
	bool client = is_home(site, &in->client.address);
	bool server = is_home(site, &in->server.address);

	if (site->network_count == 0)
		return is_to_own_domain(site, in) ? DIRECTION_INBOUND :
						    DIRECTION_UNKNOWN;
	if (client)
		return server ? DIRECTION_INTERNAL : DIRECTION_OUTBOUND;
	return server ? DIRECTION_INBOUND : DIRECTION_EXTERNAL;
}

/* What is proven to have been done on one side no box on the other one did. */
static bool
stands_before(const struct site_box *box, const struct incident *in)
{
	bool server = address_is_in(&in->server.address, &box->network.address,
	    box->network.bits);
	bool client = address_is_in(&in->client.address, &box->network.address,
	    box->network.bits);

	if (box->side == SIDE_UNDETERMINED)
		return server || client;
	if (in->side != SIDE_UNDETERMINED && in->side != box->side)
		return false;
	return box->side == SIDE_SERVER_OF_TAP ? server : client;
}

const struct site_box *
site_box_of(const struct site *site, const struct incident *in)
{
	for (unsigned i = 0; i < site->box_count; i++) {
		const struct site_box *box = &site->boxes[i];

		if (in->capture_ts_ns >= box->from_ns &&
		    in->capture_ts_ns < box->until_ns && stands_before(box, in))
			return box;
	}
	return NULL;
}

const char *
site_peer_name(const struct site *site, const struct address *address)
{
	for (unsigned i = 0; i < site->peer_count; i++)
		if (address_compare(&site->peers[i].address, address) == 0)
			return site->peers[i].name;
	return NULL;
}

void
site_apply(const struct site *site, struct incident *in)
{
	const struct site_box *box = site_box_of(site, in);

	in->direction = site_direction(site, in);
	if (box == NULL)
		return;
	in->cause = CAUSE_KNOWN_BOX;
	snprintf(in->box, sizeof(in->box), "%s", box->name);
	snprintf(in->benign, sizeof(in->benign),
	    "the box that the operator declared to stand there: %s", box->name);
}
