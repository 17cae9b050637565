/*
 * dissect/redact.h - blanks what must not leave the dissector.
 *
 * By the grammar of commands and replies (RFC 5321, 3461, 4954): credentials
 * always, local parts of addresses unless they are wanted. Octets become
 * REDACTED_OCTET, so that lengths and places stay true. What decides about
 * STARTTLS - keywords, overwritten commands, domains, codes - stays readable.
 */
#ifndef DISSECT_REDACT_H
#define DISSECT_REDACT_H

#include "fact.h"

enum {
	REDACT_KEEP_ADDRESSES = 1 << 0,
	/* The line goes on where nobody saw it: its last word may be an
	 * address that is cut before its `@`. */
	REDACT_OPEN_END = 1 << 1,
	/* There are messages about: what looks like a command may be a line
	 * of one ("Help, I ..."). */
	REDACT_WORDS = 1 << 2,
};

/* All of them change `line` in place; true: something was blanked. */
bool redact_command(uint8_t *line, size_t len, enum verb, unsigned how);
/* `about`: the verb that the reply answers. */
bool redact_reply(uint8_t *line, size_t len, enum verb about, unsigned how);
/* A line of an AUTH exchange: nothing of it stays. */
bool redact_all(uint8_t *line, size_t len);

#endif
