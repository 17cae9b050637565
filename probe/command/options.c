#include "options.h"

#include <ctype.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "config.h"

#define ROWS_MAX 64
#define HELP_COLUMN 30 /* where explanations begin */

enum {
	OPTION_DB = 1000,
	OPTION_NO_COLOR,
	OPTION_FORMAT,
	OPTION_CONFIG,
};

static const struct option_row common_rows[] = {
	{ "db", OPTION_DB, "PATH",
	    "the database (default: striplight.db here, or $STRIPLIGHT_DB)" },
	{ "config", OPTION_CONFIG, "FILE",
	    "what you say of your place: home networks, own domains, known "
	    "boxes, peers (or $STRIPLIGHT_CONFIG)" },
	{ "format", OPTION_FORMAT, "text|json|csv",
	    "how results are printed (table is text)" },
	{ "quiet", 'q', NULL, "results and errors only" },
	{ "verbose", 'v', NULL, "more of what is going on" },
	{ "no-color", OPTION_NO_COLOR, NULL, "no colours (also NO_COLOR)" },
	{ "help", 'h', NULL, "this text" },
	{ NULL, 0, NULL, NULL },
};

void
common_options_init(struct common_options *o)
{
	const char *db = getenv("STRIPLIGHT_DB");
	const char *no_color = getenv("NO_COLOR");

	memset(o, 0, sizeof(*o));
	o->db = db != NULL && db[0] != '\0' ? db : "striplight.db";
	o->config = getenv("STRIPLIGHT_CONFIG");
	if (o->config != NULL && o->config[0] == '\0')
		o->config = NULL;
	o->color = isatty(STDOUT_FILENO) &&
	    (no_color == NULL || no_color[0] == '\0');
}

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

int
usage_error(const struct command_syntax *syntax, const char *format, ...)
{
	char text[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	complain("%s: %s", syntax->name, text);
	fprintf(stderr, "usage: striplight %s\n", syntax->usage);
	return STATUS_ERROR;
}

/* Words between `indent` and column 79; an empty line stays one. */
static void
print_wrapped(const char *text, int indent)
{
	int column = indent;

	while (*text != '\0') {
		int n = (int)strcspn(text, " \n");

		if (column > indent && column + 1 + n > 79) {
			printf("\n%*s", indent, "");
			column = indent;
		} else if (column > indent) {
			putchar(' ');
			column++;
		}
		printf("%.*s", n, text);
		column += n;
		text += n;
		if (text[0] == '\n' && text[1] == '\n') {
			printf("\n\n%*s", indent, "");
			column = indent;
			text++;
		}
		text += *text != '\0';
	}
	putchar('\n');
}

static void
print_row(const struct option_row *row)
{
	char left[64];

	snprintf(left, sizeof(left), "%s%c%s--%s%s%s",
	    row->letter < 256 ? "-" : "", row->letter < 256 ? row->letter : ' ',
	    row->letter < 256 ? ", " : "   ", row->name,
	    row->value_name ? " " : "", row->value_name ? row->value_name : "");
	printf("  %s", left);
	if (strlen(left) + 4 > HELP_COLUMN)
		printf("\n%*s", HELP_COLUMN, "");
	else
		printf("%*s", HELP_COLUMN - 2 - (int)strlen(left), "");
	print_wrapped(row->help, HELP_COLUMN);
}

static void
print_help(const struct command_syntax *syntax)
{
	printf("usage: striplight %s\n\n", syntax->usage);
	print_wrapped(syntax->summary, 0);
	putchar('\n');
	for (const struct option_row *r = syntax->rows;
	     r != NULL && r->name != NULL; r++)
		print_row(r);
	for (const struct option_row *r = common_rows; r->name != NULL; r++)
		print_row(r);
}

static size_t
add_rows(const struct option_row *rows, struct option *out, size_t n,
    char *letters)
{
	for (; rows != NULL && rows->name != NULL && n + 1 < ROWS_MAX; rows++) {
		out[n++] = (struct option){ rows->name,
			rows->value_name ? required_argument : no_argument,
			NULL, rows->letter };
		if (rows->letter < 256)
			snprintf(letters + strlen(letters), 3, "%c%s",
			    rows->letter, rows->value_name ? ":" : "");
	}
	return n;
}

/* 0, 1: an option of the command's own, -1: wrong. */
static int
common_option(struct common_options *o, int letter, const char *value)
{
	switch (letter) {
	case OPTION_DB:
		o->db = value;
		return 0;
	case OPTION_CONFIG:
		o->config = value;
		return 0;
	case OPTION_NO_COLOR:
		o->color = false;
		return 0;
	case 'q':
		o->quiet = true;
		return 0;
	case 'v':
		o->verbose = true;
		return 0;
	case OPTION_FORMAT:
		if (strcmp(value, "text") == 0 || strcmp(value, "table") == 0)
			o->format = FORMAT_TEXT;
		else if (strcmp(value, "json") == 0)
			o->format = FORMAT_JSON;
		else if (strcmp(value, "csv") == 0)
			o->format = FORMAT_CSV;
		else
			return -1;
		return 0;
	default:
		return 1;
	}
}

int
options_parse(const struct command_syntax *syntax,
    struct common_options *common, void *context, int argc, char **argv)
{
	struct option rows[ROWS_MAX] = { { 0 } };
	char letters[2 * ROWS_MAX + 2] = ":";
	size_t n = add_rows(syntax->rows, rows, 0, letters);
	int letter;

	add_rows(common_rows, rows, n, letters);
	optind = 1;
	opterr = 0;
	while ((letter = getopt_long(argc, argv, letters, rows, NULL)) != -1) {
		const char *given = argv[optind - 1];
		int status;

		if (letter == 'h') {
			print_help(syntax);
			return -1;
		}
		if (letter == ':') {
			usage_error(syntax, "%s wants a value", given);
			return -2;
		}
		if (letter == '?') {
			if (optopt != 0 && optopt < 256)
				usage_error(syntax, "unknown option -%c",
				    optopt);
			else
				usage_error(syntax, "unknown option %s", given);
			return -2;
		}
		status = common_option(common, letter, optarg);
		if (status < 0) {
			usage_error(syntax, "unknown format \"%s\"", optarg);
			return -2;
		}
		if (status > 0 &&
		    (syntax->option == NULL ||
			syntax->option(context, letter, optarg) != 0)) {
			fprintf(stderr, "usage: striplight %s\n",
			    syntax->usage);
			return -2;
		}
	}
	if (common->config != NULL && config_load(common->config) != 0)
		return -2;
	return optind;
}

bool
time_parse(const char *text, int64_t *ns)
{
	struct tm utc = { 0 }, date;
	const char *rest = strptime(text, "%Y-%m-%d", &utc);
	int64_t fraction = 0;
	time_t seconds;

	date = utc;
	/* What nanoseconds in 64 bits hold; strptime() takes 30 February. */
	if (rest == NULL || utc.tm_year < 70 || utc.tm_year > 190 ||
	    timegm(&date) < 0 || date.tm_mday != utc.tm_mday)
		return false;
	if (*rest == 'T' || *rest == 't' || *rest == ' ') {
		rest = strptime(rest + 1, "%H:%M:%S", &utc);
		if (rest == NULL)
			return false;
		if (*rest == '.') {
			int64_t unit = 100000000;

			for (rest++; isdigit((unsigned char)*rest); rest++) {
				fraction += (*rest - '0') * unit;
				unit /= 10;
			}
		}
	}
	seconds = timegm(&utc);
	if (*rest == 'Z' || *rest == 'z') {
		rest++;
	} else if (*rest == '+' || *rest == '-') {
		int hours, minutes, sign = *rest == '-' ? 1 : -1;

		if (sscanf(rest + 1, "%2d:%2d", &hours, &minutes) != 2 ||
		    strlen(rest) != 6)
			return false;
		seconds += sign * (hours * 3600 + minutes * 60);
		rest += 6;
	}
	if (*rest != '\0')
		return false;
	*ns = (int64_t)seconds * 1000000000 + fraction;
	return true;
}

int
option_time(const char *command, int64_t *ns, const char *text)
{
	if (time_parse(text, ns))
		return 0;
	complain("%s: \"%s\" is not a time; write 2026-03-01 or "
		 "2026-03-01T10:15:00Z",
	    command, text);
	return -1;
}

unsigned
word_distance(const char *a, const char *b)
{
	unsigned row[32], n = (unsigned)strlen(b);

	if (n >= 32)
		return 99;
	for (unsigned j = 0; j <= n; j++)
		row[j] = j;
	for (; *a != '\0'; a++) {
		unsigned diagonal = row[0]++;

		for (unsigned j = 1; j <= n; j++) {
			unsigned above = row[j];
			unsigned best = diagonal + (*a != b[j - 1]);

			best = above + 1 < best ? above + 1 : best;
			best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
			diagonal = above;
			row[j] = best;
		}
	}
	return row[n];
}
