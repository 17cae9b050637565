/*
 * probe/command/options.h - what all commands' command lines share.
 */
#ifndef PROBE_COMMAND_OPTIONS_H
#define PROBE_COMMAND_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_CSV };

struct common_options {
	const char *db; /* --db, $STRIPLIGHT_DB, "striplight.db" */
	bool quiet, verbose;
	bool color; /* stdout is a terminal, no NO_COLOR */
	enum format format;
	const char *config; /* --config, $STRIPLIGHT_CONFIG; NULL: none */
};

/* Exit statuses (interface.md). */
enum { STATUS_OK = 0, STATUS_NO = 1, STATUS_ERROR = 2 };

/*
 * Parses with getopt_long; sub-commands add rows of their own. A row with
 * `value_name` takes a value. `help` is what --help prints.
 */
struct option_row {
	const char *name;	/* "db" */
	int letter;		/* 'i', or a number above 255 for none */
	const char *value_name; /* "PATH"; NULL: a flag */
	const char *help;
};

struct command_syntax {
	const char *name;	       /* "read" */
	const char *usage;	       /* "read [OPTIONS] FILE|DIR|- ..." */
	const char *summary;	       /* a paragraph for --help */
	const struct option_row *rows; /* own ones; ends with name NULL */
	/* An own option was met; 0, or -1 after printing what is wrong. */
	int (*option)(void *context, int letter, const char *value);
};

void common_options_init(struct common_options *);
/*
 * Index in argv of the first operand; -1: --help was printed, exit 0;
 * -2: wrong usage, or a configuration file that is, was said on stderr,
 * exit 2.
 */
int options_parse(const struct command_syntax *, struct common_options *,
    void *context, int argc, char **argv);

/* "striplight: " and the message on stderr; untrusted bytes are escaped. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* "FILE:LINE: text": a file of the user's is wrong. */
void complain_at(const char *path, unsigned line, const char *text);
/* The same with the command's usage line; returns STATUS_ERROR. */
int usage_error(const struct command_syntax *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* How unlike two short words are: letters to change, add or take away. */
unsigned word_distance(const char *, const char *);

/* RFC 3339, or a date alone (midnight UTC). False: not a time. */
bool time_parse(const char *text, int64_t *ns);
/* The same for an option's value: -1 after saying what is wrong. */
int option_time(const char *command, int64_t *ns, const char *text);

/* The commands; each returns the exit status. */
int command_read(int argc, char **argv);
int command_incidents(int argc, char **argv);
int command_show(int argc, char **argv);
int command_compare(int argc, char **argv);
int command_stats(int argc, char **argv);
int command_store(int argc, char **argv);
int command_policy(int argc, char **argv);
int command_report(int argc, char **argv);
int command_rules(int argc, char **argv);

#endif
