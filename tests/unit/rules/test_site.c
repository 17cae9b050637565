/* What the operator says of his place. */
#include <criterion/criterion.h>

#include "rules/site.h"

static struct site_network
network(const char *text)
{
	struct site_network n;

	cr_assert(network_parse(text, &n.address, &n.bits), "%s", text);
	return n;
}

static struct incident
incident(const char *client, const char *server)
{
	struct incident in = { .capture_ts_ns = 100 };

	cr_assert(address_parse(client, &in.client.address));
	cr_assert(address_parse(server, &in.server.address));
	return in;
}

Test(site, direction_is_told_by_both_ends)
{
	static const struct {
		const char *client, *server;
		enum direction direction;
	} cases[] = {
		{ "192.0.2.1", "198.51.100.1", DIRECTION_OUTBOUND },
		{ "198.51.100.1", "192.0.2.1", DIRECTION_INBOUND },
		{ "192.0.2.1", "2001:db8::1", DIRECTION_INTERNAL },
		{ "192.0.3.1", "2001:db9::1", DIRECTION_EXTERNAL },
	};
	static struct site site;

	site.networks[site.network_count++] = network("192.0.2.0/24");
	site.networks[site.network_count++] = network("2001:db8::/32");
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct incident in = incident(cases[i].client, cases[i].server);

		cr_expect_eq(site_direction(&site, &in), cases[i].direction,
		    "case %zu", i);
	}
}

Test(site, without_networks_own_recipients_tell_of_inbound_only)
{
	static struct site site;
	struct incident in = incident("192.0.2.1", "198.51.100.1");

	strcpy(site.domains[site.domain_count++], "example.org");
	strcpy(in.rcpt_domains[0], "notexample.org");
	in.domain_count = 1;
	cr_expect_eq(site_direction(&site, &in), DIRECTION_UNKNOWN);
	strcpy(in.rcpt_domains[0], "mail.example.org");
	cr_expect_eq(site_direction(&site, &in), DIRECTION_INBOUND);
}

Test(site, a_box_is_the_cause_where_and_when_it_stands)
{
	static struct site site;
	struct incident in = incident("192.0.2.1", "198.51.100.1");
	struct site_box *box = &site.boxes[site.box_count++];

	*box = (struct site_box){ .network = network("198.51.100.0/24"),
		.side = SIDE_SERVER_OF_TAP,
		.from_ns = 100,
		.until_ns = 200,
		.name = "ASA" };
	site_apply(&site, &in);
	cr_expect_eq(in.cause, CAUSE_KNOWN_BOX);
	cr_expect_str_eq(in.box, "ASA");
	/* Done on the client's side: not by this one. */
	in.side = SIDE_CLIENT_OF_TAP;
	cr_expect_null(site_box_of(&site, &in));
	in.side = SIDE_SERVER_OF_TAP;
	cr_expect_not_null(site_box_of(&site, &in));
	in.capture_ts_ns = 99;
	cr_expect_null(site_box_of(&site, &in));
	in.capture_ts_ns = 200;
	cr_expect_null(site_box_of(&site, &in));
	/* It stands before servers, not before this client. */
	in = incident("198.51.100.1", "192.0.2.1");
	cr_expect_null(site_box_of(&site, &in));
}

Test(site, networks_end_where_they_say)
{
	struct site_network n = network("192.0.2.128/25");
	struct address a;
	unsigned bits;

	cr_assert(address_parse("192.0.2.128", &a));
	cr_expect(address_is_in(&a, &n.address, n.bits));
	cr_assert(address_parse("192.0.2.127", &a));
	cr_expect_not(address_is_in(&a, &n.address, n.bits));
	n = network("0.0.0.0/0");
	cr_expect(address_is_in(&a, &n.address, n.bits));
	cr_assert(address_parse("2001:db8::1", &a));
	cr_expect_not(address_is_in(&a, &n.address, n.bits));
	cr_expect_not(network_parse("192.0.2.1/24", &a, &bits));
	cr_expect_not(network_parse("192.0.2.0/33", &a, &bits));
	cr_expect_not(network_parse("192.0.2.0/", &a, &bits));
	cr_expect_not(network_parse("192.0.2.0/2x", &a, &bits));
	cr_expect(network_parse("2001:db8::/32", &a, &bits));
	cr_expect_eq(bits, 32);
}
