#include <sys/wait.h>

#include "fixture.h"

TestSuite(schema, .init = fixture_make, .fini = fixture_remove);

Test(schema, a_new_database_says_whose_it_is_and_of_which_version)
{
	store_close(open_store(STORE_WRITE));
	cr_expect_eq(raw_count("PRAGMA application_id"), 0x7374726c);
	cr_expect_gt(raw_count("PRAGMA user_version"), 0);
	cr_expect_str_eq(raw_text(
			     "SELECT value FROM meta WHERE key = 'program'"),
	    "striplight " STRIPLIGHT_VERSION);
}

Test(schema, opening_it_again_changes_nothing)
{
	char *before, *after;

	store_close(open_store(STORE_WRITE));
	before = dump();
	store_close(open_store(STORE_WRITE));
	after = dump();
	cr_expect_str_eq(before, after);
	free(before);
	free(after);
}

Test(schema, every_table_is_strict)
{
	store_close(open_store(STORE_WRITE));
	cr_expect_gt(raw_count("SELECT count(*) FROM pragma_table_list"
			       " WHERE schema = 'main' AND strict"),
	    10);
	cr_expect_eq(raw_count("SELECT count(*) FROM pragma_table_list"
			       " WHERE schema = 'main' AND NOT strict"
			       " AND name NOT LIKE 'sqlite_%'"),
	    0);
}

/* A dump is a function of what was read, not of the order in which it was:
 * no row numbers. Four tables are keyed otherwise and say why. */
Test(schema, rows_have_natural_keys)
{
	store_close(open_store(STORE_WRITE));
	cr_expect_str_eq(
	    raw_text("SELECT group_concat(name, ' ') FROM (SELECT name FROM"
		     " pragma_table_list WHERE schema = 'main' AND NOT wr"
		     " AND name NOT LIKE 'sqlite_%' ORDER BY name)"),
	    "keyword_list run study_source word");
}

/* What a step failed half-way leaves behind: nothing. */
Test(schema, a_failed_step_leaves_the_older_version)
{
	raw("PRAGMA application_id = 0x7374726c;"
	    "CREATE TABLE revision (theirs TEXT)");
	cr_expect_null(store_open(path, STORE_WRITE, errbuf));
	cr_expect_not_null(strstr(errbuf, "already exists"), "%s", errbuf);
	cr_expect_eq(raw_count("SELECT count(*) FROM sqlite_schema"), 1);
	cr_expect_eq(raw_count("PRAGMA user_version"), 0);
}

Test(schema, an_older_one_is_updated_by_who_writes_only)
{
	raw("PRAGMA application_id = 0x7374726c; CREATE TABLE old (a)");
	cr_expect_null(store_open(path, STORE_READ, errbuf));
	cr_expect_not_null(strstr(errbuf, "made by an older striplight"));
	cr_expect_eq(raw_count("PRAGMA user_version"), 0);
	store_close(open_store(STORE_WRITE));
	cr_expect_gt(raw_count("PRAGMA user_version"), 0);
	store_close(open_store(STORE_READ));
}

Test(schema, programs_that_create_it_at_once_do_not_collide)
{
	pid_t children[4];

	for (int i = 0; i < 4; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			struct store *s = store_open(path, STORE_WRITE, errbuf);

			if (s == NULL)
				fprintf(stderr, "%s\n", errbuf);
			_exit(s == NULL);
		}
	}
	for (int i = 0; i < 4; i++) {
		int status;

		cr_assert_eq(waitpid(children[i], &status, 0), children[i]);
		cr_expect_eq(status, 0);
	}
	free(dump());
}
