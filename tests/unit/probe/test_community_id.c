#include <criterion/criterion.h>

#include "probe/output/community_id.h"

/* Published: corelight/community-id-spec (baseline), pycommunityid (README). */
static const struct {
	const char *client;
	uint16_t client_port;
	const char *server;
	uint16_t server_port;
	uint16_t seed;
	const char *id;
} rows[] = {
	{ "128.232.110.120", 34855, "66.35.250.204", 80, 0,
	    "1:LQU9qZlK+B5F3KDmev6m5PMibrg=" },
	{ "128.232.110.120", 34855, "66.35.250.204", 80, 1,
	    "1:3V71V58M3Ksw/yuFALMcW0LAHvc=" },
	{ "2001:470:e5bf:dead:4957:2174:e82c:4887", 63943,
	    "2607:f8b0:400c:c03::1a", 25, 0, "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4=" },
	{ "127.0.0.1", 1234, "10.0.0.1", 80, 0,
	    "1:mgRgpIZSu0KHDp/QrtcWZpkJpMU=" },
	{ "10.0.0.1", 10, "10.0.0.2", 20, 0, "1:9j2Dzwrw7T9E+IZi4b4IVT66HBI=" },
};

static struct endpoint
endpoint(const char *text, uint16_t port)
{
	struct endpoint e = { .port = port };

	cr_assert(address_parse(text, &e.address));
	return e;
}

Test(community_id, is_that_of_the_reference)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct endpoint a =
		    endpoint(rows[i].client, rows[i].client_port);
		struct endpoint b =
		    endpoint(rows[i].server, rows[i].server_port);
		char id[COMMUNITY_ID_BYTES];

		community_id(&a, &b, rows[i].seed, id);
		cr_expect_str_eq(id, rows[i].id);
		community_id(&b, &a, rows[i].seed, id);
		cr_expect_str_eq(id, rows[i].id, "whoever began");
	}
}
