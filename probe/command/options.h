/*
 * probe/command/options.h - what all commands' command lines share.
 */
#ifndef PROBE_COMMAND_OPTIONS_H
#define PROBE_COMMAND_OPTIONS_H

#include "settings.h"

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_CSV };

struct common_options {
	const char *db; /* --db, $STRIPLIGHT_DB, or the file's */
	bool quiet, verbose;
	bool color; /* stdout is a terminal, no NO_COLOR */
	enum format format;
	const char *config; /* --config, $STRIPLIGHT_CONFIG; NULL: none */
};

/* Exit statuses (interface.md). */
enum { STATUS_OK = 0, STATUS_NO = 1, STATUS_ERROR = 2 };

/*
 * Takes one value of a setting that is the command's own; `text` in it lives
 * as long as the program. 0, or -1 with `wrong` saying what only the command
 * can know of the value ("is not a domain"), to stand behind it.
 */
typedef int (*set_fn)(void *context, enum setting_id,
    const struct setting_value *, char wrong[SETTING_WRONG_BYTES]);

/* Sets what is so when nothing is said: the defaults of the command's rows,
 * and the environment's. */
void
options_defaults(enum command, struct common_options *, set_fn, void *context);
/*
 * The defaults, then the configuration file, then the command line, which
 * replaces what the file says of the same setting. `set` may be NULL: the
 * command has no settings of its own.
 *
 * Index in argv of the first operand; -1: all is done, exit 0 (--help,
 * --check-config, --dump-config); -2: wrong usage, or a configuration file
 * that is, was said on stderr, exit 2.
 */
int options_parse(enum command, struct common_options *, set_fn, void *context,
    int argc, char **argv);

/*
 * Reads the configuration file again that options_parse() read, and hands on
 * what is LIVE and other than before; of the rest says that it wants a new
 * start. The command line goes on winning. A file that is wrong changes
 * nothing: -1 after saying so. 0: it is in force, and config_site() another.
 */
int options_reload(set_fn, void *context);

/* "striplight: " and the message on stderr; untrusted bytes are escaped. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* "FILE:LINE: text": a file of the user's is wrong. */
void complain_at(const char *path, unsigned line, const char *text);
/* The same with the command's usage line; returns STATUS_ERROR. */
int usage_error(enum command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The commands; each returns the exit status. */
int command_read(int argc, char **argv);
int command_watch(int argc, char **argv);
int command_incidents(int argc, char **argv);
int command_show(int argc, char **argv);
int command_compare(int argc, char **argv);
int command_stats(int argc, char **argv);
int command_store(int argc, char **argv);
int command_policy(int argc, char **argv);
int command_report(int argc, char **argv);
int command_study(int argc, char **argv);
int command_rules(int argc, char **argv);

#endif
