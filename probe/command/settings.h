/*
 * probe/command/settings.h - the commands and everything that can be set: the
 * rows of commands.def and settings.def. Command lines and the configuration
 * file are read by them, --help, the manual pages, the example file and shell
 * completion are made of them. Nothing here prints or keeps anything.
 */
#ifndef PROBE_COMMAND_SETTINGS_H
#define PROBE_COMMAND_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PRINTS_JSON = 1u << 0, PRINTS_CSV = 1u << 1 };

#define COMMAND(id, name, usage, prints, summary, about) COMMAND_##id,
enum command {
#include "commands.def"
	COMMANDS
};
#undef COMMAND

struct command_row {
	const char *name;    /* "read"; a sub-command: "policy add" */
	const char *usage;   /* "read [OPTIONS] FILE|DIR|- ..." */
	unsigned prints;     /* beside text: PRINTS_* */
	const char *summary; /* in the list of commands */
	const char *about;   /* paragraphs, an empty line between them */
};

const struct command_row *command_row(enum command);

#define SETTING(id, commands, name, letter, argument, kind, least, most, \
    flags, standard, key, help, manual)                                  \
	SET_##id,
enum setting_id {
#include "settings.def"
	SETTINGS
};
#undef SETTING

enum value_kind {
	VALUE_FLAG,   /* yes, or nothing; in the file yes or no */
	VALUE_SWITCH, /* the same, and --no-NAME */
	VALUE_NUMBER, /* from `least` to `most` */
	VALUE_SIZE,   /* 4096, 64M, 1G; not below `least` */
	VALUE_AGE,    /* 30 or 30d are days, 12h hours */
	VALUE_CHANCE, /* above 0, below 1: 0.03, 1/30 */
	VALUE_TIME,   /* RFC 3339, or a date */
	VALUE_WORD,   /* one of the words of `argument` */
	VALUE_PORTS,  /* 25,587 */
	VALUE_KIND,   /* of incident */
	VALUE_FILE,
	VALUE_FOLDER,
	VALUE_TEXT,
	VALUE_SITE, /* what config.c reads of the operator's place */
};

enum {
	MANY = 1u << 0, /* may come again */
	LIVE = 1u << 1, /* taken up when the file is read again */
	ZERO = 1u << 2, /* 0 stands for no limit */
};

struct setting {
	uint64_t commands; /* ON(): those that have it */
	const char *name;  /* of the option, without --; NULL: only a key */
	int letter;	   /* 'j'; 0: none */
	const char *argument;
	enum value_kind kind;
	uint64_t least, most;
	unsigned flags;
	const char *standard; /* as it would be written; NULL: none */
	const char *key;      /* in the file; NULL: only an option */
	const char *help;     /* {} is the default */
	const char *manual;   /* what the manual says behind that; NULL */
};

const struct setting *setting(enum setting_id);
bool setting_is_for(enum setting_id, enum command);
/* The row of a key: the command's own; with COMMANDS the first. -1: none. */
int setting_of_key(const char *key, enum command);
/* The key, or the command's option, that is written most like this. */
const char *setting_nearest_key(const char *key);
const char *setting_nearest_option(const char *name, enum command);
/* The help with its default, in `out`. */
#define SETTING_HELP_BYTES 512
const char *setting_help(enum setting_id, char out[SETTING_HELP_BYTES]);

/* A value, understood. */
struct setting_value {
	const char *text; /* as it was written; the reader's */
	uint64_t number;  /* NUMBER, SIZE; AGE: nanoseconds; FLAG, SWITCH: 1 or
			   * 0; WORD: which */
	double chance;	  /* CHANCE */
	int64_t time_ns;  /* TIME */
};

/* False: `text` is none; `wrong` says what it should be ("is not a size; write
 * 4096, 64M, 1G"), to stand behind it. */
#define SETTING_WRONG_BYTES 160
bool setting_parse(enum setting_id, const char *text, struct setting_value *,
    char wrong[SETTING_WRONG_BYTES]);

/* The next port of a VALUE_PORTS, and where the one behind it begins; NULL
 * instead: this was the last. 0: not a port. */
unsigned setting_port(const char *text, const char **next);

/* How unlike two short words are: letters to change, add or take away. */
unsigned word_distance(const char *, const char *);

/* RFC 3339, or a date alone (midnight UTC). False: not a time. */
bool time_parse(const char *text, int64_t *ns);

#endif
