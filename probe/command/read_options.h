/*
 * probe/command/read_options.h - what `read` can be told.
 */
#ifndef PROBE_COMMAND_READ_OPTIONS_H
#define PROBE_COMMAND_READ_OPTIONS_H

#include "options.h"
#include "probe/pipeline/run.h"

#define READ_POLICIES_MAX 64

struct read_options {
	struct common_options common;
	struct run_options run;
	const char *policies[READ_POLICIES_MAX]; /* "[DOMAIN=]FILE" */
	unsigned policy_count;
	const char *rules; /* NULL: built in */
	const char *eve;   /* NULL: none */
	const char *trust;
	double prior;
	bool alert_possible, alert_once, facts, isolated, strict, threads_given;
	bool cross_check;
};

/* What is so when nothing is said. */
void read_options_defaults(struct read_options *);
/* Takes one value, as set_fn; `context` is a struct read_options. For commands
 * that have these settings as well. */
int read_options_set(void *context, enum setting_id,
    const struct setting_value *, char wrong[SETTING_WRONG_BYTES]);
/* libnids keeps global state: it is one, and on one thread. Where it is chosen,
 * `*threads` becomes 1, and who `asked` for more is told. -1: it
 * is to be compared with itself, which was said. */
int read_options_check_engine(const struct read_options *, enum command,
    unsigned *threads, bool asked);
/* As options_parse(): the index of the first operand, or below 0. */
int read_options_parse(struct read_options *, int argc, char **argv);

#endif
