#include <criterion/criterion.h>

#include "probe/fetch/reachable.h"

static bool
is_public(const char *text)
{
	struct address address;

	cr_assert(address_parse(text, &address), "%s", text);
	return address_is_public(&address);
}

Test(reachable, the_public_internet_is)
{
	static const char *const yes[] = { "1.1.1.1", "9.255.255.255",
		"11.0.0.0", "100.63.255.255", "100.128.0.0", "126.0.0.1",
		"172.15.0.1", "172.32.0.1", "192.167.0.1", "198.17.0.1",
		"223.255.255.255", "2600::1", "2003::1", "3fff:ffff::1" };

	for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++)
		cr_expect(is_public(yes[i]), "%s", yes[i]);
}

Test(reachable, nothing_of_ones_own_network_is)
{
	static const char *const no[] = { "0.0.0.0", "10.1.2.3", "100.64.0.1",
		"100.127.255.255", "127.0.0.1", "169.254.169.254", "172.16.0.1",
		"172.31.255.255", "192.0.0.1", "192.0.2.1", "192.168.1.1",
		"198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1",
		"224.0.0.1", "255.255.255.255", "::", "::1", "::ffff:10.0.0.1",
		"64:ff9b::a00:1", "fc00::1", "fe80::1", "ff02::1",
		"2001:db8::1", "2002:a00:1::1", "2001::1" };

	for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++)
		cr_expect_not(is_public(no[i]), "%s", no[i]);
}
