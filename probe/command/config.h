/*
 * probe/command/config.h - the configuration file: what the operator says of
 * his place, and whatever an option can say.
 *
 *	# comments, and lines of key = value; some keys may come again
 *	home.network = 192.0.2.0/24
 *	home.domain = example.org
 *	box = 198.51.100.0/24 side server from 2026-01-01 until 2026-07-01 ASA
 *	peer = 198.51.100.25 mx1.example.org
 *	max-flows = 1M
 *
 * The keys are those of settings.def. Strict: an unknown key or a value that
 * makes no sense is an error, with the file's name and the line, whichever
 * command reads it.
 */
#ifndef PROBE_COMMAND_CONFIG_H
#define PROBE_COMMAND_CONFIG_H

#include "rules/site.h"
#include "settings.h"

struct config;

/* A line; key and text live as long as the program. */
struct config_value {
	const char *key;
	unsigned line;
	struct setting_value value;
};

/* NULL after saying on stderr what is wrong. */
struct config *config_read(const char *path);
/* It is the program's from here on; what was before is gone, and with it what
 * config_site() gave. */
void config_adopt(struct config *);
/* NULL: there is none. */
const struct config *config_current(void);
const char *config_path(const struct config *);
/* NULL behind the last. */
const struct config_value *config_value(const struct config *, size_t i);
/* What the current one says of the place; NULL: there is none. */
const struct site *config_site(void);

#endif
