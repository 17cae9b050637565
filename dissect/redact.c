#include "redact.h"

#include <ctype.h>

static bool
blank(uint8_t *line, size_t from, size_t to)
{
	if (from >= to)
		return false;
	memset(line + from, REDACTED_OCTET, to - from);
	return true;
}

bool
redact_all(uint8_t *line, size_t len)
{
	return blank(line, 0, len);
}

/* What ends an address in running text, looking to the left of an `@`. */
static bool
ends_local_part(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '<' || c == '>' || c == '(' ||
	    c == '[' || c == ',' || c == ';' || c == ':' || c == '"';
}

/*
 * Blanks what stands before each `@`, back to `from` or to what ends it. A
 * quoted local part may contain anything (RFC 5321 4.1.2): back to its quote.
 */
static bool
blank_local_parts(uint8_t *line, size_t from, size_t len)
{
	size_t floor = from;
	bool changed = false;

	for (size_t at = from; at < len; at++) {
		size_t start = at;

		if (line[at] != '@')
			continue;
		if (start > floor && line[start - 1] == '"') {
			start--;
			while (start > floor && line[start - 1] != '"')
				start--;
			start -= start > floor;
		}
		while (start > floor && !ends_local_part(line[start - 1]))
			start--;
		changed |= blank(line, start, at);
		floor = at + 1;
	}
	return changed;
}

static size_t
find_nocase(const uint8_t *line, size_t len, const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; i + n <= len; i++)
		if (slice_equal_nocase(slice_of(line + i, n), slice_str(word)))
			return i;
	return len;
}

/*
 * The path of MAIL and RCPT: from the bracket (or the colon) to the last `@`
 * before it closes is the local part, source route and all; what is no
 * address at all goes whole.
 */
static bool
blank_path(uint8_t *line, size_t len, size_t *end)
{
	size_t from = 0, to, at = SIZE_MAX;
	bool bracket = false, quoted = false;

	while (from < len && line[from] != ':')
		from++;
	from += from < len;
	while (from < len && line[from] == ' ')
		from++;
	if (from < len && line[from] == '<') {
		bracket = true;
		from++;
	}
	for (to = from; to < len; to++) {
		if (line[to] == '"')
			quoted = !quoted;
		if (line[to] == '\\' && quoted && to + 1 < len)
			to++;
		else if (line[to] == '@')
			at = to;
		else if (!quoted && line[to] == (bracket ? '>' : ' '))
			break;
	}
	*end = to;
	return blank(line, from, at == SIZE_MAX ? to : at);
}

/* xtext and other values that name mailboxes, up to the next blank. */
static bool
blank_parameter(uint8_t *line, size_t from, size_t len, const char *name)
{
	size_t at = from + find_nocase(line + from, len - from, name), end;

	if (at >= len)
		return false;
	at += strlen(name);
	for (end = at; end < len && line[end] != ' ';)
		end++;
	return blank(line, at, end);
}

static bool
redact_envelope(uint8_t *line, size_t len, bool keep_addresses)
{
	static const char *const parameters[] = { " ORCPT=", " AUTH=",
		" ENVID=" };
	bool changed = false;
	size_t end = len;

	if (keep_addresses)
		return false;
	changed |= blank_path(line, len, &end);
	for (size_t i = 0; i < sizeof(parameters) / sizeof(*parameters); i++)
		changed |= blank_parameter(line, end, len, parameters[i]);
	return changed | blank_local_parts(line, end, len);
}

/* From the second blank on: AUTH PLAIN dGVzdA== loses its response. */
static bool
redact_auth(uint8_t *line, size_t len)
{
	size_t at = 0, blanks = 0;

	for (; at < len && blanks < 2; at++)
		blanks += line[at] == ' ' && at + 1 < len && line[at + 1] != ' ';
	return blanks == 2 && blank(line, at, len);
}

/* VRFY and EXPN name a user; ETRN and HELO a host. */
static bool
redact_argument(uint8_t *line, size_t len)
{
	size_t from = 0, to = len;

	while (from < len && line[from] != ' ')
		from++;
	from += from < len;
	for (size_t i = len; i-- > from;) {
		if (line[i] == '@') {
			to = i;
			break;
		}
	}
	return blank(line, from, to);
}

/*
 * A line that is no command: part of a message after a mishap, a credential
 * out of place, or an overwritten command. Its first word stays if it is as
 * short as a verb and in capitals, mask characters, or one character
 * repeated: base64 is none of these.
 */
static bool
redact_other(uint8_t *line, size_t len)
{
	size_t word = 0;
	bool run = true, plain = true;

	while (word < len && line[word] != ' ')
		word++;
	for (size_t i = 0; i < word; i++) {
		uint8_t c = line[i];

		run &= c == line[0];
		plain &= isupper(c) || c == '*' || c == '#' || c == '-' ||
		    c >= 0x80 || c < 0x20;
	}
	if (word > 12 || (!run && !plain))
		return blank(line, 0, len);
	return blank(line, word + 1, len);
}

bool
redact_command(uint8_t *line, size_t len, enum verb verb, bool keep_addresses)
{
	bool login;

	switch (verb) {
	case VERB_MAIL:
	case VERB_RCPT:
		return redact_envelope(line, len, keep_addresses);
	case VERB_AUTH:
		return redact_auth(line, len);
	case VERB_VRFY:
	case VERB_EXPN:
		return !keep_addresses && redact_argument(line, len);
	case VERB_XCLIENT:
	case VERB_XFORWARD:
		login = blank_parameter(line, 0, len, " LOGIN=");
		return (!keep_addresses && blank_local_parts(line, 0, len)) ||
		    login;
	case VERB_OTHER:
		return redact_other(line, len);
	default:
		return !keep_addresses && blank_local_parts(line, 0, len);
	}
}

/* Answers to VRFY and EXPN name people before and in the brackets. */
static bool
redact_name(uint8_t *line, size_t len)
{
	size_t to = len;

	for (size_t i = 4; i < len; i++)
		if (line[i] == '@')
			to = i;
	return blank(line, len < 4 ? len : 4, to);
}

bool
redact_reply(uint8_t *line, size_t len, enum verb about, bool keep_addresses)
{
	bool success = len > 3 && line[0] == '2';

	/* RFC 4954 4: the challenge; it may hold a name or a nonce. */
	if (len > 4 && memcmp(line, "334", 3) == 0)
		return blank(line, 4, len);
	if (keep_addresses)
		return false;
	/* What overwrote STARTTLS decides, whatever octets it is: an address
	 * would have a dot behind the at-sign. */
	if (about == VERB_EHLO && len == sizeof("250-STARTTLS") - 1 &&
	    memchr(line, '.', len) == NULL)
		return false;
	if ((about == VERB_VRFY || about == VERB_EXPN) && success)
		return redact_name(line, len);
	return blank_local_parts(line, 0, len);
}
