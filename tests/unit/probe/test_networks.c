/* Countries and ASes, out of a table. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "probe/study/networks.h"

static char errbuf[NETWORKS_ERRBUF];

static struct networks *
load(const char *text, int *status)
{
	struct networks *n = networks_create();
	char path[] = "/tmp/striplight-test-XXXXXX";
	int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	*status = networks_add(n, path, errbuf);
	unlink(path);
	return n;
}

static struct place
find(const struct networks *n, const char *text)
{
	struct address address;
	struct place place;

	cr_assert(address_parse(text, &address));
	networks_find(n, &address, &place);
	return place;
}

Test(networks, the_longest_prefix_decides)
{
	int status;
	struct networks *n = load("# comment\n"
				  "192.0.2.0/24 DE AS64500 Example Net\n"
				  "192.0.2.128/25\tFR\t64501\n"
				  "2001:db8::/32 - AS64502\n",
	    &status);

	cr_assert_eq(status, 0, "%s", errbuf);
	cr_expect(networks_know_countries(n) && networks_know_as(n));
	cr_expect_str_eq(find(n, "192.0.2.1").as_name, "Example Net");
	cr_expect_str_eq(find(n, "192.0.2.129").country, "FR");
	cr_expect_eq(find(n, "192.0.2.129").as, 64501);
	cr_expect_eq(find(n, "2001:db8:ffff::1").as, 64502);
	cr_expect_str_eq(find(n, "2001:db8::1").country, "");
	cr_expect_eq(find(n, "198.51.100.1").as, 0);
	networks_destroy(n);
}

Test(networks, what_is_wrong_is_named_with_its_line)
{
	static const char *const wrong[] = { "192.0.2.0/24 DE AS1\nx DE AS1\n",
		"192.0.2.0/24 DE AS1\n192.0.2.0/24 de AS1\n",
		"192.0.2.0/24 DE AS1\n192.0.2.0/24 DE ASx\n",
		"192.0.2.0/24 DE AS1\n192.0.2.0/24 DE\n" };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		int status;
		struct networks *n = load(wrong[i], &status);

		cr_expect_eq(status, -1);
		cr_expect(strstr(errbuf, ":2: ") != NULL, "%s", errbuf);
		networks_destroy(n);
	}
}

Test(networks, without_a_table_nothing_is_known)
{
	cr_expect_eq(find(NULL, "192.0.2.1").as, 0);
	cr_expect_not(networks_know_as(NULL));
}
