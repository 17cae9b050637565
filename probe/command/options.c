#include "options.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "options_help.h"

/* What getopt_long() calls an option: its row, and whether --no-NAME. */
enum { ROW_BASE = 1000, ROW_NEGATED = 1000 };
#define NEGATED_BYTES 48

/* Nothing from a file name or the wire may steer a terminal. */
static void
write_safely(const char *text)
{
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x20 || c == 0x7f)
			fprintf(stderr, "\\x%02X", c);
		else
			fputc(c, stderr);
	}
}

void
complain(const char *format, ...)
{
	char text[2048];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	fputs("striplight: ", stderr);
	write_safely(text);
	fputc('\n', stderr);
}

void
complain_at(const char *path, unsigned line, const char *text)
{
	write_safely(path);
	fprintf(stderr, ":%u: ", line);
	write_safely(text);
	fputc('\n', stderr);
}

static void
print_usage(enum command command)
{
	fprintf(stderr, "usage: striplight %s\n", command_row(command)->usage);
}

int
usage_error(enum command command, const char *format, ...)
{
	char text[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	complain("%s: %s", command_row(command)->name, text);
	print_usage(command);
	return STATUS_ERROR;
}

/* --- what all commands have ---------------------------------------------- */

/* False: it is the command's own. */
static bool
set_common(struct common_options *o, enum setting_id id,
    const struct setting_value *value)
{
	switch ((int)id) {
	case SET_DB:
		o->db = value->text;
		return true;
	case SET_CONFIG:
		o->config = value->text;
		return true;
	case SET_NO_COLOR:
		o->color = false;
		return true;
	case SET_QUIET:
		o->quiet = true;
		return true;
	case SET_VERBOSE:
		o->verbose = true;
		return true;
	case SET_FORMAT:
		o->format = (enum format)value->number;
		return true;
	case SET_CHECK_CONFIG:
	case SET_DUMP_CONFIG:
	case SET_HELP:
		return true;
	default:
		/* What is said of the place, config.c keeps. */
		return setting(id)->kind == VALUE_SITE;
	}
}

/* Who takes values. */
struct taker {
	struct common_options *common;
	set_fn set;
	void *context;
};

static int
take(const struct taker *t, enum setting_id id,
    const struct setting_value *value, char wrong[SETTING_WRONG_BYTES])
{
	if (set_common(t->common, id, value) || t->set == NULL)
		return 0;
	return t->set(t->context, id, value, wrong);
}

static const char *
environment(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && value[0] != '\0' ? value : NULL;
}

void
options_defaults(enum command command, struct common_options *common,
    set_fn set, void *context)
{
	struct taker taker = { common, set, context };
	const char *db = environment("STRIPLIGHT_DB");

	memset(common, 0, sizeof(*common));
	common->color = isatty(STDOUT_FILENO) &&
	    environment("NO_COLOR") == NULL;
	common->config = environment("STRIPLIGHT_CONFIG");
	for (int i = 0; i < SETTINGS; i++) {
		enum setting_id id = (enum setting_id)i;
		const char *standard = setting(id)->standard;
		char wrong[SETTING_WRONG_BYTES];
		struct setting_value value;

		/* A test looks whether every default is a value. */
		if (standard != NULL && setting_is_for(id, command) &&
		    setting_parse(id, standard, &value, wrong))
			take(&taker, id, &value, wrong);
	}
	if (db != NULL)
		common->db = db;
}

/* --- the command line ---------------------------------------------------- */

/* One of the command line. */
struct given {
	enum setting_id id;
	struct setting_value value;
};

struct line {
	enum command command;
	struct given *given;
	size_t count;
};

/* Rows for getopt_long(), and its letters. `negated` has room for the names
 * of what --no-NAME is. */
static void
list_options(enum command command, struct option *out, char *letters,
    char (*negated)[NEGATED_BYTES])
{
	strcpy(letters, ":");
	for (int i = 0; i < SETTINGS; i++) {
		const struct setting *s = setting((enum setting_id)i);
		int wants = s->argument ? required_argument : no_argument;

		if (s->name == NULL ||
		    !setting_is_for((enum setting_id)i, command))
			continue;
		*out++ = (struct option){ s->name, wants, NULL, ROW_BASE + i };
		if (s->kind == VALUE_SWITCH) {
			snprintf(*negated, NEGATED_BYTES, "no-%s", s->name);
			*out++ = (struct option){ *negated++, wants, NULL,
				ROW_BASE + ROW_NEGATED + i };
		}
		if (s->letter != 0)
			snprintf(letters + strlen(letters), 3, "%c%s",
			    s->letter, s->argument ? ":" : "");
	}
	*out = (struct option){ NULL, 0, NULL, 0 };
}

static int
row_of_letter(enum command command, int letter)
{
	int i = 0;

	while (setting((enum setting_id)i)->letter != letter ||
	    !setting_is_for((enum setting_id)i, command))
		i++;
	return i;
}

static void
unknown_option(enum command command, const char *given)
{
	const char *best;
	char name[64];

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(given, "="), given);
	if (optopt != 0 && optopt < ROW_BASE) {
		usage_error(command, "unknown option -%c", optopt);
		return;
	}
	best = setting_nearest_option(name + 2, command);
	if (word_distance(name + 2, best) <= 2)
		usage_error(command, "unknown option %s; did you mean --%s?",
		    given, best);
	else
		usage_error(command, "unknown option %s", given);
}

static int
wrong_value(enum command command, enum setting_id id, const char *text,
    const char *wrong)
{
	return usage_error(command, "--%s: \"%s\" %s", setting(id)->name, text,
	    wrong);
}

static int
add_given(struct line *line, enum setting_id id, bool negated, const char *text)
{
	struct given *given = &line->given[line->count++];
	char wrong[SETTING_WRONG_BYTES];

	given->id = id;
	if (setting(id)->argument == NULL)
		text = negated ? "no" : "yes";
	else if (id == SET_FORMAT && strcmp(text, "table") == 0)
		text = "text"; /* what interface.md calls it for incidents */
	if (setting_parse(id, text, &given->value, wrong))
		return 0;
	return wrong_value(line->command, id, text, wrong);
}

static bool
is_given(const struct line *line, enum setting_id id)
{
	for (size_t i = 0; i < line->count; i++)
		if (line->given[i].id == id)
			return true;
	return false;
}

/* 0 with `line` filled, else STATUS_ERROR after saying what is wrong. */
static int
read_line(struct line *line, int argc, char **argv)
{
	struct option rows[2 * SETTINGS + 1];
	char letters[2 * SETTINGS + 2], negated[SETTINGS][NEGATED_BYTES];
	int letter, status = 0;

	list_options(line->command, rows, letters, negated);
	optind = 1;
	opterr = 0;
	while (status == 0 && !is_given(line, SET_HELP) &&
	    (letter = getopt_long(argc, argv, letters, rows, NULL)) != -1) {
		int row = letter - ROW_BASE;

		if (letter == ':')
			return usage_error(line->command, "%s wants a value",
			    argv[optind - 1]);
		if (letter == '?') {
			unknown_option(line->command, argv[optind - 1]);
			return STATUS_ERROR;
		}
		if (row < 0)
			row = row_of_letter(line->command, letter);
		status = add_given(line, (enum setting_id)(row % ROW_NEGATED),
		    row >= ROW_NEGATED, optarg);
	}
	return status;
}

/* --- what is in force, and by what --------------------------------------- */

/* A value in force. */
struct effective {
	enum setting_id id;
	const struct setting_value *value;
	const char *path; /* the file that says so; NULL: another does */
	unsigned line;
	const char *origin; /* "--ports", "$STRIPLIGHT_DB", "default" */
};

typedef int (*effective_fn)(void *context, const struct effective *);

static int
each_given(const struct line *line, enum setting_id id, effective_fn each,
    void *context)
{
	char origin[64];
	struct effective e = { .id = id, .origin = origin };
	int status = 0;

	snprintf(origin, sizeof(origin), "--%s", setting(id)->name);
	for (size_t i = 0; i < line->count && status == 0; i++) {
		e.value = &line->given[i].value;
		if (line->given[i].id == id)
			status = each(context, &e);
	}
	return status;
}

/* 1: the file does not say anything of it. */
static int
each_of_file(const struct config *config, enum setting_id id, effective_fn each,
    void *context)
{
	const char *key = setting(id)->key;
	struct effective e = { .id = id };
	const struct config_value *value;
	int status = 1;

	if (config == NULL || key == NULL)
		return 1;
	e.path = config_path(config);
	for (size_t i = 0; (value = config_value(config, i)) != NULL; i++) {
		if (strcmp(value->key, key) != 0)
			continue;
		e.value = &value->value;
		e.line = value->line;
		status = each(context, &e);
		if (status != 0)
			return status;
	}
	return status;
}

static int
default_of(enum setting_id id, effective_fn each, void *context)
{
	const char *db = id == SET_DB ? environment("STRIPLIGHT_DB") : NULL;
	const char *text = db != NULL ? db : setting(id)->standard;
	char wrong[SETTING_WRONG_BYTES];
	struct setting_value value;
	struct effective e = { .id = id,
		.value = &value,
		.origin = db != NULL ? "$STRIPLIGHT_DB" : "default" };

	if (text == NULL || !setting_parse(id, text, &value, wrong))
		return 0;
	return each(context, &e);
}

/* Every value in force: of the line, else of the environment, else of the
 * file, else the default. Stops with the first status that is not 0. */
static int
each_effective(const struct line *line, const struct config *config,
    effective_fn each, void *context)
{
	int status = 0;

	for (int i = 0; i < SETTINGS && status == 0; i++) {
		enum setting_id id = (enum setting_id)i;

		if (!setting_is_for(id, line->command))
			continue;
		if (is_given(line, id))
			status = each_given(line, id, each, context);
		else if (id == SET_DB && environment("STRIPLIGHT_DB") != NULL)
			status = default_of(id, each, context);
		else if ((status = each_of_file(config, id, each, context)) ==
		    1)
			status = default_of(id, each, context);
	}
	return status;
}

struct taking {
	const struct taker *taker;
	enum command command;
};

static int
take_effective(void *context, const struct effective *e)
{
	const struct taking *t = context;
	char wrong[SETTING_WRONG_BYTES], text[SETTING_WRONG_BYTES + 256];

	if (take(t->taker, e->id, e->value, wrong) == 0)
		return 0;
	if (e->path == NULL)
		return wrong_value(t->command, e->id, e->value->text, wrong);
	snprintf(text, sizeof(text), "%s: \"%.200s\" %s", setting(e->id)->key,
	    e->value->text, wrong);
	complain_at(e->path, e->line, text);
	return STATUS_ERROR;
}

/* As the file would have it, so that it can be kept as one. */
static int
print_effective(void *context, const struct effective *e)
{
	(void)context;
	if (setting(e->id)->key == NULL)
		return 0;
	if (e->path != NULL)
		printf("# %s:%u\n", e->path, e->line);
	else if (e->origin != NULL)
		printf("# %s\n", e->origin);
	printf("%s = %s\n", setting(e->id)->key, e->value->text);
	return 0;
}

/* -1: done, -2: wrong; else 0. */
static int
settle(const struct line *line, const struct taker *taker)
{
	struct taking taking = { taker, line->command };
	unsigned prints = command_row(line->command)->prints;
	const char *path = taker->common->config;

	for (size_t i = 0; i < line->count; i++)
		if (line->given[i].id == SET_CONFIG)
			path = line->given[i].value.text;
	if (path != NULL) {
		struct config *config = config_read(path);

		if (config == NULL)
			return -2;
		config_adopt(config);
	}
	if (each_effective(line, config_current(), take_effective, &taking) !=
	    0)
		return -2;
	if (taker->common->format == FORMAT_CSV && !(prints & PRINTS_CSV)) {
		usage_error(line->command,
		    "csv is for incidents; this prints text or json");
		return -2;
	}
	if (is_given(line, SET_DUMP_CONFIG))
		each_effective(line, config_current(), print_effective, NULL);
	return is_given(line, SET_DUMP_CONFIG) ||
		is_given(line, SET_CHECK_CONFIG) ?
	    -1 :
	    0;
}

/* --- the file, read again ------------------------------------------------ */

/* The line that a running command was started with. */
static struct line started;

/* Its n-th value; NULL behind the last. */
static const struct config_value *
value_of(const struct config *config, const char *key, size_t n)
{
	const struct config_value *value;

	for (size_t i = 0; (value = config_value(config, i)) != NULL; i++)
		if (strcmp(value->key, key) == 0 && n-- == 0)
			return value;
	return NULL;
}

/* In which line it is another; 0: it is not. A line that is gone: 1. */
static unsigned
changed_in(const struct config *before, const struct config *now,
    const char *key)
{
	for (size_t n = 0;; n++) {
		const struct config_value *a = value_of(before, key, n);
		const struct config_value *b = value_of(now, key, n);

		if (a == NULL && b == NULL)
			return 0;
		if (a == NULL || b == NULL ||
		    strcmp(a->value.text, b->value.text) != 0)
			return b == NULL ? 1 : b->line;
	}
}

static void
hand_on(const struct config *now, enum setting_id id, unsigned line,
    struct taking *taking)
{
	const struct setting *s = setting(id);
	char text[128];

	if (!(s->flags & LIVE)) {
		snprintf(text, sizeof(text), "%s: the change wants a new start",
		    s->key);
		complain_at(config_path(now), line, text);
	} else if (each_of_file(now, id, take_effective, taking) == 1) {
		default_of(id, take_effective, taking);
	}
}

int
options_reload(set_fn set, void *context)
{
	struct taker taker = { NULL, set, context };
	struct taking taking = { &taker, started.command };
	const struct config *before = config_current();
	struct config *now;

	if (before == NULL)
		return 0;
	now = config_read(config_path(before));
	if (now == NULL) {
		complain("the configuration stays as it was");
		return -1;
	}
	for (int i = 0; i < SETTINGS; i++) {
		enum setting_id id = (enum setting_id)i;
		const char *key = setting(id)->key;
		unsigned line;

		if (key == NULL || !setting_is_for(id, started.command) ||
		    is_given(&started, id))
			continue;
		line = changed_in(before, now, key);
		if (line > 0)
			hand_on(now, id, line, &taking);
	}
	config_adopt(now);
	return 0;
}

/* --- all of it ------------------------------------------------------------ */

int
options_parse(enum command command, struct common_options *common, set_fn set,
    void *context, int argc, char **argv)
{
	struct line line = { .command = command };
	struct taker taker = { common, set, context };
	int status;

	line.given = calloc((size_t)argc + 1, sizeof(*line.given));
	if (line.given == NULL) {
		complain("out of memory");
		return -2;
	}
	options_defaults(command, common, set, context);
	status = read_line(&line, argc, argv) != 0 ? -2 : 0;
	if (status == 0 && is_given(&line, SET_HELP)) {
		options_help(command);
		status = -1;
	} else if (status == 0) {
		status = settle(&line, &taker);
	}
	free(started.given);
	started = line;
	return status < 0 ? status : optind;
}
