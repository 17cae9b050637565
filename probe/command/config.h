/*
 * probe/command/config.h - the configuration file: what the operator says of
 * his place.
 *
 *	# comments, and lines of key = value; a key may come again
 *	home.network = 192.0.2.0/24
 *	home.domain = example.org
 *	box = 198.51.100.0/24 side server from 2026-01-01 until 2026-07-01 ASA
 *	peer = 198.51.100.25 mx1.example.org
 *
 * Strict: an unknown key or a value that makes no sense is an error, with the
 * file's name and the line.
 */
#ifndef PROBE_COMMAND_CONFIG_H
#define PROBE_COMMAND_CONFIG_H

#include "rules/site.h"

/* 0, or -1 after saying on stderr what is wrong. */
int config_load(const char *path);
/* What the file said; NULL: none was loaded. One for the program. */
const struct site *config_site(void);

#endif
