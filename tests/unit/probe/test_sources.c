#include <sys/stat.h>
#include <unistd.h>

#include "capture_file.h"
#include "probe/capture/sources.h"

static char folder[64], why[SOURCES_ERRBUF];

static void
make(void)
{
	strcpy(folder, "/tmp/striplight-test-XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
	cr_assert_eq(chdir(folder), 0);
}

static void
unmake(void)
{
	char command[160];

	snprintf(command, sizeof(command), "chmod -R u+rwx %s; rm -r %s",
	    folder, folder);
	cr_assert_eq(system(command), 0);
}

TestSuite(sources, .init = make, .fini = unmake);

/* A capture with one frame at `seconds`; below 0: no capture. */
static void
put(const char *path, int seconds)
{
	static struct file f;
	FILE *out = fopen(path, "wb");

	f.order = LITTLE_ENDIAN_FILE;
	f.len = 0;
	pcap_header(&f, 0xa1b2c3d4, 1);
	pcap_record(&f, (uint32_t)seconds, 0, "frame", 5);
	if (seconds >= 0)
		fwrite(f.bytes, 1, f.len, out);
	fclose(out);
}

static void
expect_paths(const struct sources *s, const char *const *paths, size_t count)
{
	cr_assert_eq(s->count, count, "%zu", s->count);
	for (size_t i = 0; i < count; i++)
		cr_expect_str_eq(s->list[i].path, paths[i]);
}

Test(sources, a_folder_is_read_recursively_in_byte_order_of_paths)
{
	static const char *const expected[] = { "in/B.pcap", "in/a.b/c.pcap",
		"in/a.pcap", "in/a/deep/er/x.pcap", "in/b.pcap",
		"in/\xc3\xa9.pcap" };
	struct sources s = { 0 };
	const char *operand = "in";

	mkdir("in", 0755);
	mkdir("in/a", 0755);
	mkdir("in/a.b", 0755);
	mkdir("in/a/deep", 0755);
	mkdir("in/a/deep/er", 0755);
	mkdir("in/empty", 0755);
	for (int i = 5; i >= 0; i--)
		put(expected[i], 1);
	cr_assert_eq(sources_add(&s, operand, why), 0);
	expect_paths(&s, expected, 6);
	for (int i = 0; i < 6; i++)
		cr_expect_eq(s.list[i].folder, operand);
	sources_free(&s);
}

Test(sources, what_is_named_itself_is_taken_as_it_is)
{
	static const char *const expected[] = { "nowhere.pcap", "-" };
	struct sources s = { 0 };

	cr_expect_eq(sources_add(&s, "nowhere.pcap", why), 0);
	cr_expect_eq(sources_add(&s, "-", why), 0);
	expect_paths(&s, expected, 2);
	cr_expect_null(s.list[0].folder);
	sources_free(&s);
}

Test(sources, they_are_ordered_by_their_first_packet)
{
	static const char *const expected[] = { "c", "a", "b", "empty",
		"nowhere", "-" };
	struct sources s = { 0 };

	put("a", 7);
	put("b", 7);
	put("c", 3);
	put("empty", -1);
	sources_add(&s, "-", why);
	sources_add(&s, "nowhere", why);
	sources_add(&s, "empty", why);
	sources_add(&s, "b", why);
	sources_add(&s, "a", why);
	sources_add(&s, "c", why);
	sources_order(&s);
	expect_paths(&s, expected, 6);
	cr_expect(s.list[0].dated);
	cr_expect_eq(s.list[0].first_ns, 3000000000);
	cr_expect_not(s.list[3].dated);
	sources_free(&s);
}

Test(sources, links_are_followed_and_loops_end)
{
	static const char *const expected[] = { "in/a.pcap", "in/link.pcap" };
	struct sources s = { 0 };

	mkdir("in", 0755);
	put("in/a.pcap", 1);
	put("other.pcap", 1);
	cr_assert_eq(symlink("../other.pcap", "in/link.pcap"), 0);
	cr_assert_eq(symlink(".", "in/loop"), 0);
	cr_assert_eq(symlink("nowhere", "in/dangling"), 0);
	cr_expect_eq(sources_add(&s, "in", why), 0, "%s", why);
	expect_paths(&s, expected, 2);
	sources_free(&s);
}

Test(sources, a_folder_that_may_not_be_looked_into_is_told)
{
	static const char *const expected[] = { "in/a.pcap", "in/z/z.pcap" };
	struct sources s = { 0 };
	bool root = geteuid() == 0;

	mkdir("in", 0755);
	mkdir("in/closed", 0);
	mkdir("in/z", 0755);
	put("in/a.pcap", 1);
	put("in/z/z.pcap", 1);
	chmod(folder, 0755);
	if (root)
		cr_assert_eq(seteuid(65534), 0);
	cr_expect_eq(sources_add(&s, "in", why), -1);
	if (root)
		cr_assert_eq(seteuid(0), 0);
	cr_expect_str_eq(why, "in/closed: Permission denied");
	expect_paths(&s, expected, 2);
	sources_free(&s);
}

/* <(zcat a.pcap.gz): what is read for its date is gone. */
Test(sources, a_pipe_is_not_opened_for_its_date)
{
	static const char *const expected[] = { "a", "pipe" };
	struct sources s = { 0 };

	put("a", 7);
	cr_assert_eq(mkfifo("pipe", 0600), 0);
	sources_add(&s, "pipe", why);
	sources_add(&s, "a", why);
	sources_order(&s); /* would wait for a writer for ever */
	expect_paths(&s, expected, 2);
	sources_free(&s);
}
