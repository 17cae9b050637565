#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "probe/command/config.h"
#include "probe/command/options.h"

/* What a command was told, in the order in which it was. */
struct told {
	unsigned count;
	enum setting_id ids[64];
	uint64_t numbers[64];
};

static char path[] = "/tmp/striplight-options.XXXXXX";

static int
on_setting(void *context, enum setting_id id, const struct setting_value *value,
    char wrong[SETTING_WRONG_BYTES])
{
	struct told *told = context;

	(void)wrong;
	cr_assert_lt(told->count, 64);
	told->ids[told->count] = id;
	told->numbers[told->count++] = value->number;
	return 0;
}

static void
write_file(const char *text)
{
	FILE *file = fopen(path, "w");

	cr_assert_not_null(file);
	fputs(text, file);
	fclose(file);
}

/* As `store prune` with this file, which has settings that are LIVE. */
static void
start(struct told *told, const char *text, const char *option)
{
	static struct common_options common;
	char *argv[] = { (char *)"prune", (char *)"--config", path,
		(char *)option, NULL };

	cr_assert_geq(mkstemp(path), 0);
	write_file(text);
	cr_assert_gt(options_parse(COMMAND_STORE_PRUNE, &common, on_setting,
			 told, option == NULL ? 3 : 4, argv),
	    0);
	*told = (struct told){ 0 };
}

static void
stop(void)
{
	unlink(path);
}

Test(options, what_is_other_than_before_is_handed_on, .fini = stop)
{
	struct told told = { 0 };

	start(&told, "retention.rows = 5\nretention.incidents = 6\n", NULL);
	write_file("retention.incidents = 7\nretention.rows = 5\n");
	cr_assert_eq(options_reload(on_setting, &told), 0);
	cr_assert_eq(told.count, 1);
	cr_assert_eq(told.ids[0], SET_KEEP_INCIDENTS);
	cr_assert_eq(told.numbers[0], 7);
	cr_assert_eq(options_reload(on_setting, &told), 0);
	cr_assert_eq(told.count, 1, "nothing has changed since");
}

Test(options, what_is_gone_goes_back_to_its_default, .fini = stop)
{
	struct told told = { 0 };

	start(&told, "retention.rows = 5\n", NULL);
	write_file("");
	cr_assert_eq(options_reload(on_setting, &told), 0);
	cr_assert_eq(told.count, 1);
	cr_assert_eq(told.ids[0], SET_KEEP_ROWS);
	cr_assert_eq(told.numbers[0], 1000000);
}

Test(options, a_file_that_is_wrong_changes_nothing, .fini = stop)
{
	struct told told = { 0 };

	start(&told, "retention.rows = 5\nhome.domain = a.example\n", NULL);
	write_file("retention.rows = 6\nhome.domain = b.example\nx = y\n");
	cr_assert_eq(options_reload(on_setting, &told), -1);
	cr_assert_eq(told.count, 0);
	cr_assert_str_eq(config_site()->domains[0], "a.example");
	unlink(path);
	cr_assert_eq(options_reload(on_setting, &told), -1);
	cr_assert_str_eq(config_site()->domains[0], "a.example");
}

Test(options, the_place_is_another_with_the_file, .fini = stop)
{
	struct told told = { 0 };

	start(&told, "home.domain = a.example\n", NULL);
	write_file("home.domain = b.example\nhome.domain = c.example\n");
	cr_assert_eq(options_reload(on_setting, &told), 0);
	cr_assert_eq(config_site()->domain_count, 2);
	cr_assert_str_eq(config_site()->domains[1], "c.example");
}

Test(options, the_command_line_goes_on_winning, .fini = stop)
{
	struct told told = { 0 };

	start(&told, "retention.rows = 5\n", "--keep-rows=8");
	write_file("retention.rows = 9\n");
	cr_assert_eq(options_reload(on_setting, &told), 0);
	cr_assert_eq(told.count, 0);
}

Test(options, what_wants_a_new_start_is_not_handed_on, .fini = stop)
{
	struct told told = { 0 };

	start(&told, "db = a.db\n", NULL);
	write_file("db = b.db\nretention.rows = 3\n");
	cr_assert_eq(options_reload(on_setting, &told), 0);
	cr_assert_eq(told.count, 1);
	cr_assert_eq(told.ids[0], SET_KEEP_ROWS);
}
