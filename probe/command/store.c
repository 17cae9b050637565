/* striplight store: is the database sound, and how does it stay small. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "options.h"
#include "probe/output/json.h"
#include "probe/output/style.h"
#include "retention_options.h"
#include "store/size.h"

struct keeping {
	struct common_options common;
	struct retention_limits limits;
	struct store *store;
	bool compact;
	uint64_t damages;
	struct json json;
};

struct measure {
	struct store_size size;
	struct store_content content;
};

static int
measure(struct store *s, struct measure *m)
{
	return store_measure_bytes(s, &m->size) != 0 ?
	    -1 :
	    store_measure_content(s, &m->content);
}

static int64_t
wall_clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int
on_setting(void *context, enum setting_id id, const struct setting_value *value,
    char wrong[SETTING_WRONG_BYTES])
{
	struct keeping *k = context;

	(void)wrong;
	if (!retention_set(&k->limits, id, value))
		k->compact |= id == SET_COMPACT;
	return 0;
}

static int
failed(struct keeping *k)
{
	complain("%s", store_error(k->store));
	return STATUS_ERROR;
}

static int
finish(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	complain("standard output cannot be written");
	return STATUS_ERROR;
}

/* --- check --------------------------------------------------------------- */

static int
on_damage(void *context, const char *text)
{
	struct keeping *k = context;
	char safe[SAFE_BYTES];

	if (k->common.format == FORMAT_JSON)
		json_text(&k->json, NULL, text);
	else
		printf("%sdamaged%s      %s\n", style(TONE_RED), style_end(),
		    style_safe(text, safe));
	k->damages++;
	return 0;
}

static void
print_size(const struct keeping *k, const struct measure *m)
{
	char a[32], b[32], path[SAFE_BYTES];

	printf("%s: %s", style_safe(k->common.db, path),
	    style_bytes(m->size.database_bytes, a));
	printf(", %s free in it", style_bytes(m->size.free_bytes, a));
	printf(", and %s of write-ahead log\n",
	    style_bytes(m->size.log_bytes, a));
	if (m->content.oldest_ns <= m->content.newest_ns)
		printf("from         %s to %s UTC\n",
		    style_time(m->content.oldest_ns, a),
		    style_time(m->content.newest_ns, b));
	for (int i = 0; i < RETAINED_REST; i++)
		printf("%-12s %s\n", retained_name((enum retained)i),
		    style_count(m->content.rows[i], a));
}

static void
put_size(struct json *j, const struct measure *m)
{
	char time[32];

	json_unsigned(j, "bytes", m->size.database_bytes);
	json_unsigned(j, "free_bytes", m->size.free_bytes);
	json_unsigned(j, "log_bytes", m->size.log_bytes);
	if (m->content.oldest_ns <= m->content.newest_ns) {
		json_text(j, "oldest",
		    style_rfc3339(m->content.oldest_ns, time));
		json_text(j, "newest",
		    style_rfc3339(m->content.newest_ns, time));
	}
	json_object_open(j, "rows");
	for (int i = 0; i < RETAINED_REST; i++)
		json_unsigned(j, retained_name((enum retained)i),
		    m->content.rows[i]);
	json_object_close(j);
}

static int
check(struct keeping *k)
{
	bool json = k->common.format == FORMAT_JSON;
	struct measure m;

	if (measure(k->store, &m) != 0)
		return failed(k);
	if (json) {
		json_object_open(&k->json, NULL);
		json_text(&k->json, "database", k->common.db);
		put_size(&k->json, &m);
		json_array_open(&k->json, "damages");
	} else if (!k->common.quiet) {
		print_size(k, &m);
	}
	if (store_check(k->store, on_damage, k) != 0)
		return failed(k);
	if (json) {
		json_array_close(&k->json);
		json_object_close(&k->json);
		json_write(&k->json, stdout);
	} else if (k->damages == 0 && !k->common.quiet) {
		printf("sound        every page, and every row has what it "
		       "refers to\n");
	}
	return finish(k->damages == 0 ? STATUS_OK : STATUS_NO);
}

/* --- prune --------------------------------------------------------------- */

static void
print_removed(const struct keeping *k, const struct retention_totals *totals,
    const struct store_size *before, const struct store_size *after)
{
	char a[32], b[32], path[SAFE_BYTES];
	bool any = false;

	printf("%s: %s before, %s now\n", style_safe(k->common.db, path),
	    style_bytes(before->database_bytes + before->log_bytes, a),
	    style_bytes(after->database_bytes + after->log_bytes, b));
	for (int i = 0; i < RETAINED_SORTS; i++) {
		if (totals->removed[i] == 0)
			continue;
		printf("  %-10s %s removed\n", retained_name((enum retained)i),
		    style_count(totals->removed[i], a));
		any = true;
	}
	if (!any)
		printf("  nothing was too old, or too much\n");
	if (after->free_bytes > after->database_bytes / 4)
		printf("  %s of it is free and will be written again; "
		       "--compact gives it back now\n",
		    style_bytes(after->free_bytes, a));
	if (totals->log_held > 0)
		printf("  another program reads in it just now: what was freed "
		       "is given back when it has ended\n");
}

static void
put_removed(struct keeping *k, const struct retention_totals *totals,
    const struct measure *after)
{
	struct json *j = &k->json;

	json_object_open(j, NULL);
	json_text(j, "database", k->common.db);
	json_object_open(j, "removed");
	for (int i = 0; i < RETAINED_SORTS; i++)
		json_unsigned(j, retained_name((enum retained)i),
		    totals->removed[i]);
	json_object_close(j);
	put_size(j, after);
	json_object_close(j);
	json_write(j, stdout);
}

static int
prune(struct keeping *k)
{
	struct store_size before;
	struct measure after;
	struct retention *r = NULL;
	int64_t now_ns = wall_clock_ns();
	bool more = true;
	int status = store_measure_bytes(k->store, &before);

	if (status == 0)
		r = retention_create(k->store, &k->limits);
	if (r == NULL)
		return failed(k);
	while (status == 0 && more)
		status = retention_step(r, now_ns, &more);
	if (status == 0 && k->compact)
		status = store_compact(k->store);
	if (status == 0)
		status = measure(k->store, &after);
	if (status != 0) {
		retention_destroy(r);
		return failed(k);
	}
	if (k->common.format == FORMAT_JSON)
		put_removed(k, retention_totals(r), &after);
	else if (!k->common.quiet)
		print_removed(k, retention_totals(r), &before, &after.size);
	retention_destroy(r);
	return finish(STATUS_OK);
}

/* --- the two of them ----------------------------------------------------- */

static int
run(enum command command, enum store_mode mode, int (*work)(struct keeping *),
    int argc, char **argv)
{
	struct keeping k = { 0 };
	char errbuf[STORE_ERRBUF];
	int first, status = STATUS_ERROR;

	first = options_parse(command, &k.common, on_setting, &k, argc, argv);
	if (first < 0)
		return first == -1 ? STATUS_OK : STATUS_ERROR;
	if (first < argc)
		return usage_error(command,
		    "\"%s\" is too much; the database "
		    "is named with --db",
		    argv[first]);
	style_color(k.common.color);
	/* Nothing is made here that is not there. */
	k.store = store_open(k.common.db, STORE_READ, errbuf);
	if (k.store != NULL && mode == STORE_WRITE) {
		store_close(k.store);
		k.store = store_open(k.common.db, STORE_WRITE, errbuf);
	}
	if (k.store == NULL) {
		complain("%s", errbuf);
		return STATUS_ERROR;
	}
	json_init(&k.json);
	status = work(&k);
	json_free(&k.json);
	store_close(k.store);
	return status;
}

static int
command_check(int argc, char **argv)
{
	return run(COMMAND_STORE_CHECK, STORE_READ, check, argc, argv);
}

static int
command_prune(int argc, char **argv)
{
	return run(COMMAND_STORE_PRUNE, STORE_WRITE, prune, argc, argv);
}

int
command_store(int argc, char **argv)
{
	struct common_options common;
	int first;

	if (argc > 1 && strcmp(argv[1], "check") == 0)
		return command_check(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "prune") == 0)
		return command_prune(argc - 1, argv + 1);
	first = options_parse(COMMAND_STORE, &common, NULL, NULL, argc, argv);
	if (first < 0)
		return first == -1 ? STATUS_OK : STATUS_ERROR;
	return usage_error(COMMAND_STORE, "check or prune?");
}
