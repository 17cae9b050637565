#include "fixture.h"

TestSuite(store, .init = fixture_make, .fini = fixture_remove);

/* What must be left alone: its octets, and nothing new beside it. */
struct before {
	uint8_t bytes[65536];
	size_t len;
};

static void
read_bytes(struct before *b)
{
	FILE *f = fopen(path, "rb");

	cr_assert_not_null(f);
	b->len = fread(b->bytes, 1, sizeof(b->bytes), f);
	fclose(f);
}

static void
expect_refused(const char *words, const char *more)
{
	static const enum store_mode modes[] = { STORE_READ, STORE_WRITE };
	static struct before before, after;

	read_bytes(&before);
	for (size_t i = 0; i < 2; i++) {
		cr_expect_null(store_open(path, modes[i], errbuf));
		cr_expect_not_null(strstr(errbuf, path), "%s", errbuf);
		cr_expect_not_null(strstr(errbuf, words), "%s", errbuf);
		cr_expect_not_null(strstr(errbuf, more), "%s", errbuf);
		read_bytes(&after);
		cr_expect_eq(before.len, after.len);
		cr_expect_eq(memcmp(before.bytes, after.bytes, before.len), 0);
	}
}

Test(store, another_programs_database_is_refused_and_untouched)
{
	raw("CREATE TABLE visits (url TEXT); INSERT INTO visits VALUES ('x')");
	expect_refused("another program", "--db");
}

Test(store, an_application_id_is_enough_to_be_another_programs)
{
	raw("PRAGMA application_id = 252006674");
	expect_refused("another program", "--db");
}

Test(store, a_version_without_tables_is_another_programs)
{
	raw("PRAGMA user_version = 1");
	expect_refused("another program", "--db");
}

Test(store, a_newer_version_is_refused_and_untouched)
{
	store_close(open_store(STORE_WRITE));
	raw("UPDATE meta SET value = 'striplight 99.1' WHERE key = 'program'");
	raw("PRAGMA user_version = 99; PRAGMA journal_mode = DELETE");
	expect_refused("striplight 99.1 (schema 99)", "use the newer program");
}

/* steps[-1] would have been the next one to run. */
Test(store, a_negative_version_is_refused)
{
	store_close(open_store(STORE_WRITE));
	raw("PRAGMA user_version = -1; PRAGMA journal_mode = DELETE");
	expect_refused("schema -1", "--db");
}

Test(store, a_text_file_is_refused_and_untouched)
{
	FILE *f = fopen(path, "w");

	for (int i = 0; i < 200; i++)
		fputs("Dear reader, this is no database.\n", f);
	fclose(f);
	expect_refused("not a database", "--db");
}

/* Whose message the reader's word "read a capture" is must not be guessed
 * from the message, which has the path in it. */
Test(store, a_path_cannot_talk_the_store_into_writing)
{
	char odd[64];

	snprintf(odd, sizeof(odd), "%s/read a capture", folder);
	raw("CREATE TABLE visits (url TEXT)");
	cr_assert_eq(rename(path, odd), 0);
	cr_expect_null(store_open(odd, STORE_WRITE, errbuf));
	cr_expect_not_null(strstr(errbuf, "another program"));
	cr_assert_eq(rename(odd, path), 0);
	cr_expect_str_eq(raw_text("PRAGMA journal_mode"), "delete");
}

/* Their program was killed: what waits in its WAL stays there. */
Test(store, another_programs_wal_is_left_alone)
{
	static const char *const ends[] = { "", "-wal" };
	char from[80], to[200];
	struct stat st;
	sqlite3 *db = raw_open(path);

	sqlite3_exec(db, "PRAGMA journal_mode = WAL; CREATE TABLE t (a)", NULL,
	    NULL, NULL);
	for (int i = 0; i < 2; i++) {
		snprintf(from, sizeof(from), "%s%s", path, ends[i]);
		snprintf(to, sizeof(to), "cp %s %s/before.db%s", from, folder,
		    ends[i]);
		cr_assert_eq(system(to), 0);
	}
	sqlite3_close(db);
	snprintf(from, sizeof(from), "%s/before.db", folder);
	cr_expect_null(store_open(from, STORE_WRITE, errbuf));
	snprintf(to, sizeof(to), "%s-wal", from);
	cr_expect_eq(stat(to, &st), 0);
	cr_expect_gt(st.st_size, 0);
	unlink(to);
	snprintf(to, sizeof(to), "%s-shm", from);
	unlink(to);
}

Test(store, what_is_not_there_is_not_made_by_who_reads)
{
	cr_expect_null(store_open(path, STORE_READ, errbuf));
	cr_expect_not_null(strstr(errbuf, "no such database"));
	cr_expect_not_null(strstr(errbuf, "read a capture first"));
	cr_expect_eq(access(path, F_OK), -1);
}

Test(store, an_empty_file_becomes_a_database_for_who_writes_only)
{
	fclose(fopen(path, "w"));
	cr_expect_null(store_open(path, STORE_READ, errbuf));
	cr_expect_not_null(strstr(errbuf, "an empty database"));
	store_close(open_store(STORE_WRITE));
	store_close(open_store(STORE_READ));
}

Test(store, it_is_in_wal_mode_with_one_writer_and_readers_beside)
{
	struct store *writer = open_store(STORE_WRITE), *reader;
	struct capture_row row = sample_capture("aa");

	cr_assert_eq(store_capture_begin(writer, &row), 0);
	reader = open_store(STORE_READ);
	cr_expect_not(store_capture_known(reader, "aa"));
	cr_assert_eq(store_capture_commit(writer), 0);
	cr_expect(store_capture_known(reader, "aa"));
	store_close(reader);
	store_close(writer);
	cr_expect_str_eq(raw_text("PRAGMA journal_mode"), "wal");
}

Test(store, scratch_is_in_memory)
{
	struct store *s = store_open("", STORE_SCRATCH, errbuf);
	struct capture_row row = sample_capture("aa");

	cr_assert_not_null(s, "%s", errbuf);
	cr_expect_eq(store_capture_begin(s, &row), 0);
	cr_expect_eq(store_capture_commit(s), 0);
	cr_expect(store_capture_known(s, "aa"));
	store_close(s);
}

Test(store, odd_paths_are_taken_as_they_are)
{
	static const char *const odd[] = { "a?mode=ro", "b#c", "d%41", "e f",
		"g&h=1" };
	char name[256];

	for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
		/* Two slashes: not the name of a host. */
		snprintf(name, sizeof(name), "/%s/%s", folder, odd[i]);
		store_close(store_open(name, STORE_WRITE, errbuf));
		cr_expect_str_eq(errbuf, "");
		cr_expect_eq(access(name + 1, F_OK), 0, "%s", name);
		unlink(name);
	}
}

Test(store, a_path_that_is_too_long_is_not_cut)
{
	char name[1300];

	memset(name, '/', sizeof(name));
	snprintf(name + 1150, sizeof(name) - 1150, "%s", path);
	cr_expect_null(store_open(name, STORE_WRITE, errbuf));
	cr_expect_not_null(strstr(errbuf, "too long"));
}

Test(store, a_folder_that_is_not_there_names_the_option)
{
	cr_expect_null(store_open("/nowhere/at/all.db", STORE_WRITE, errbuf));
	cr_expect_not_null(strstr(errbuf, "/nowhere/at/all.db"));
	cr_expect_not_null(strstr(errbuf, "name another place with --db"));
}

/* --- a folder that cannot be written; root may always, so not as root ---- */

static bool
as_nobody(void)
{
	if (geteuid() == 0) {
		cr_assert_eq(chown(path, 65534, 65534), 0);
		cr_assert_eq(chown(folder, 65534, 65534), 0);
		cr_assert_eq(seteuid(65534), 0);
	}
	return chmod(folder, 0500) == 0;
}

static void
as_before(void)
{
	chmod(folder, 0700);
	if (getuid() == 0)
		cr_assert_eq(seteuid(0), 0);
}

Test(store, a_read_only_folder_is_read_and_nothing_is_left_in_it)
{
	struct store *s = open_store(STORE_WRITE);
	struct capture_row row = sample_capture("aa");
	char name[80];

	cr_assert_eq(store_capture_begin(s, &row), 0);
	cr_assert_eq(store_capture_commit(s), 0);
	store_close(s);
	cr_assert(as_nobody());
	s = open_store(STORE_READ);
	cr_expect(store_capture_known(s, "aa"));
	snprintf(name, sizeof(name), "%s-shm", path);
	cr_expect_eq(access(name, F_OK), -1);
	store_close(s);
	cr_expect_null(store_open(path, STORE_WRITE, errbuf));
	cr_expect_not_null(strstr(errbuf, "--db"), "%s", errbuf);
	as_before();
}

/* A writer was killed, or is at work: immutable would show an older state as
 * if it were the latest. */
Test(store, a_read_only_folder_with_a_waiting_wal_is_not_immutable)
{
	struct store *writer, *s;
	struct capture_row row = sample_capture("aa");

	for (int i = 0; i < 2; i++) {
		writer = open_store(STORE_WRITE);
		snprintf(row.hash, sizeof(row.hash), i ? "bb" : "aa");
		cr_assert_eq(store_capture_begin(writer, &row), 0);
		cr_assert_eq(store_capture_commit(writer), 0);
		if (i == 0)
			store_close(writer); /* the second waits */
	}
	cr_assert(as_nobody());
	s = open_store(STORE_READ);
	cr_expect(store_capture_known(s, "aa"));
	cr_expect(store_capture_known(s, "bb"), "committed, and not seen");
	store_close(s);
	as_before();
	store_close(writer);
}

/* Not after an hour of reading. */
Test(store, a_read_only_database_is_told_when_it_is_opened)
{
	store_close(open_store(STORE_WRITE));
	chmod(path, 0400);
	cr_assert(as_nobody());
	chmod(folder, 0700);
	cr_expect_null(store_open(path, STORE_WRITE, errbuf));
	cr_expect_not_null(strstr(errbuf, "may not be written"), "%s", errbuf);
	as_before();
}

Test(store, each_run_is_noted)
{
	struct store *s = open_store(STORE_WRITE);

	cr_expect_eq(store_note_run(s, "striplight 0", "case.pcap"), 0);
	cr_expect_eq(store_note_run(s, "striplight 0", "case.pcap"), 0);
	store_close(s);
	cr_expect_eq(raw_count("SELECT count(*) FROM run WHERE program ="
			       " 'striplight 0' AND arguments = 'case.pcap'"
			       " AND started LIKE '20__-__-__T__:__:__Z'"),
	    2);
}
