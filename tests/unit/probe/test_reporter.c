#include "probe/command/reporter.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "health.h"

TestSuite(reporter);

#define S INT64_C(1000000000)

Test(reporter, it_is_due_at_once_and_then_on_its_interval)
{
	struct reporter_options options = { .interval_ns = 10 * S,
		.notify = -1 };
	struct reporter r;

	reporter_init(&r, &options, NOW_NS, 5 * S);
	cr_expect(reporter_is_due(&r, 5 * S));
	reporter_tell(&r, NOW_NS, 5 * S);
	cr_expect_not(reporter_is_due(&r, 15 * S - 1));
	cr_expect(reporter_is_due(&r, 15 * S));
	reporter_free(&r);
}

static bool
says(const struct json *j, const char *word)
{
	return memmem(j->text, j->length, word, strlen(word)) != NULL;
}

/* What the signs speak of is what happened since it was told last. */
Test(reporter, what_was_told_before_is_no_news)
{
	struct reporter_options options = { .interval_ns = S, .notify = -1 };
	struct reporter r;
	const struct json *j;

	reporter_init(&r, &options, NOW_NS - S, 0);
	r.now = sample_health();
	r.now.interfaces[0].lost = 50000;
	j = reporter_tell(&r, NOW_NS, S);
	cr_expect(says(j, "\"kernel-loss\""));
	j = reporter_tell(&r, NOW_NS + S, 2 * S);
	cr_expect_not(says(j, "\"kernel-loss\""));
	cr_expect(says(j, "\"link-silent\""));
	reporter_free(&r);
}

Test(reporter, the_file_comes_back_when_its_folder_does)
{
	char folder[] = "/tmp/striplight-test-XXXXXX", path[64];
	struct reporter_options options = { .metrics = path,
		.interval_ns = S,
		.notify = -1 };
	struct reporter r;

	cr_assert_not_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/a/striplight.prom", folder);
	reporter_init(&r, &options, NOW_NS, 0);
	reporter_tell(&r, NOW_NS, 0);
	cr_expect(r.fault);
	snprintf(path, sizeof(path), "%s/striplight.prom", folder);
	reporter_tell(&r, NOW_NS, 0);
	cr_expect_not(r.fault);
	cr_expect_eq(access(path, R_OK), 0);
	unlink(path);
	rmdir(folder);
	reporter_free(&r);
}

Test(reporter, the_system_says_what_it_knows)
{
	struct health_interface lo = { .name = "lo" }, none = { .name = "no" };

	reporter_look_at_link(&none);
	cr_expect_not(none.up);
	cr_expect_not(none.link_known);
	if (access("/sys/class/net/lo/operstate", R_OK) == 0) {
		reporter_look_at_link(&lo);
		cr_expect(lo.link_known);
	}
	cr_expect_gt(reporter_memory(getpid()), 100000);
	cr_expect_eq(reporter_memory(0x7ffffff0), 0);
}
