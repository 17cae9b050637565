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

/* Servers take tabs for spaces, so what hides behind one is no secret less. */
static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* Where the word that begins at `from` ends. */
static size_t
word_end(const uint8_t *line, size_t from, size_t len)
{
	while (from < len && !is_blank(line[from]))
		from++;
	return from;
}

static size_t
skip_blanks(const uint8_t *line, size_t from, size_t len)
{
	while (from < len && is_blank(line[from]))
		from++;
	return from;
}

/* What ends an address in running text, looking to the left of an `@`. */
static bool
ends_local_part(uint8_t c)
{
	return is_blank(c) || c == '<' || c == '>' || c == '(' || c == '[' ||
	    c == ',' || c == ';' || c == ':' || c == '"';
}

/* Does a quoted string begin or end here? Not with a quoted quote. */
static bool
is_quote(const uint8_t *line, size_t at, size_t floor)
{
	size_t slashes = 0;

	while (at > floor + slashes && line[at - slashes - 1] == '\\')
		slashes++;
	return line[at] == '"' && slashes % 2 == 0;
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

	if (from >= len || memchr(line + from, '@', len - from) == NULL)
		return false;
	for (size_t at = from; at < len; at++) {
		size_t start = at;

		if (line[at] != '@')
			continue;
		if (start > floor && line[start - 1] == '"') {
			start--;
			while (
			    start > floor && !is_quote(line, start - 1, floor))
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

/*
 * Where the path of MAIL and RCPT begins: behind FROM: or TO:, and where the
 * client left these out, as servers let it, behind the verb.
 */
static size_t
path_start(const uint8_t *line, size_t len)
{
	static const char *const words[] = { "FROM", "TO" };
	size_t from = skip_blanks(line, word_end(line, 0, len), len);

	for (size_t i = 0; i < 2; i++) {
		size_t n = strlen(words[i]);
		struct slice rest = slice_of(line + from, len - from);

		if (!slice_equal_nocase(slice_first(rest, n),
			slice_str(words[i])) ||
		    (rest.len > n && rest.ptr[n] != ':' && rest.ptr[n] != '<' &&
			!is_blank(rest.ptr[n])))
			continue;
		from = skip_blanks(line, from + n, len);
		from += from < len && line[from] == ':';
		break;
	}
	return skip_blanks(line, from, len);
}

/*
 * From the bracket (or where it should be) to the last `@` before it closes
 * is the local part, source route and all; what is no address at all goes
 * whole.
 */
static bool
blank_path(uint8_t *line, size_t len, size_t *end)
{
	size_t from = path_start(line, len), to, at = SIZE_MAX;
	bool bracket = from < len && line[from] == '<', quoted = false;

	from += bracket;
	for (to = from; to < len; to++) {
		if (line[to] == '"')
			quoted = !quoted;
		if (line[to] == '\\' && quoted && to + 1 < len)
			to++;
		else if (line[to] == '@')
			at = to;
		else if (!quoted &&
		    (bracket ? line[to] == '>' : is_blank(line[to])))
			break;
	}
	*end = to;
	return blank(line, from, at == SIZE_MAX ? to : at);
}

/* What stands behind NAME=, as often as it does. */
static bool
blank_parameters(uint8_t *line, size_t from, size_t len, const char *name)
{
	size_t n = strlen(name), to;
	bool changed = false;

	for (; from < len; from = skip_blanks(line, to, len)) {
		to = word_end(line, from, len);
		if (slice_equal_nocase(slice_first(slice_of(line + from,
						       to - from),
					   n),
			slice_str(name)))
			changed |= blank(line, from + n, to);
	}
	return changed;
}

static bool
redact_envelope(uint8_t *line, size_t len)
{
	/* RFC 3461 4, RFC 4954 5; xtext hides an `@`. */
	static const char *const parameters[] = { "ORCPT=", "AUTH=", "ENVID=" };
	bool changed = false;
	size_t end = len;

	changed |= blank_path(line, len, &end);
	end += end < len && line[end] == '>';
	for (size_t i = 0; i < sizeof(parameters) / sizeof(*parameters); i++)
		changed |= blank_parameters(line, end, len, parameters[i]);
	return changed | blank_local_parts(line, end, len);
}

/* RFC 4422 3.1: 20 capitals, digits, hyphens, underscores; small letters are
 * taken for capitals, and a mixture of the two for base64. */
static bool
is_mechanism(struct slice word)
{
	bool upper = false, lower = false, other = word.len > 20;

	for (size_t i = 0; i < word.len; i++) {
		uint8_t c = word.ptr[i];

		upper |= isupper(c) != 0;
		lower |= islower(c) != 0;
		other |= !isalnum(c) && c != '-' && c != '_' && c != '*' &&
		    c != '#';
	}
	return !other && !(upper && lower);
}

/* AUTH PLAIN dGVzdA== loses its response, AUTH dGVzdA== all. */
static bool
redact_auth(uint8_t *line, size_t len)
{
	size_t from = skip_blanks(line, word_end(line, 0, len), len);
	size_t to = word_end(line, from, len);

	if (!is_mechanism(slice_of(line + from, to - from)))
		to = from;
	return blank(line, skip_blanks(line, to, len), len);
}

/* Words behind a verb that takes none worth knowing. */
static bool
redact_words(uint8_t *line, size_t len)
{
	return blank(line, skip_blanks(line, word_end(line, 0, len), len), len);
}

/* VRFY and EXPN name a user, or a user at a host. */
static bool
redact_argument(uint8_t *line, size_t len)
{
	size_t from = skip_blanks(line, word_end(line, 0, len), len), to = len;

	for (size_t i = len; i-- > from;) {
		if (line[i] == '@') {
			to = i;
			break;
		}
	}
	return blank(line, from, to);
}

/* EHLO and the longest domain (RFC 5321 4.5.3.1.2): no mask of a command is
 * longer. */
#define EHLO_MAX_BYTES 260

/* A command with at most three of eight octets wrong is nobody's secret. */
static bool
is_nearly(const char *command, const uint8_t *word, size_t len)
{
	unsigned right = 0;

	if (len != strlen(command))
		return false;
	for (size_t i = 0; i < len; i++)
		right += toupper(word[i]) == command[i];
	return right + len * 3 / 8 >= len;
}

/*
 * A line that is no command: part of a message after a mishap, a credential
 * out of place, or an overwritten command. Its first word stays if it is one
 * character repeated, or as short as a verb and in capitals or mask
 * characters: base64 is none of these.
 */
static bool
redact_other(uint8_t *line, size_t len)
{
	size_t word = word_end(line, 0, len);
	bool run = true, plain = true;

	for (size_t i = 0; i < word; i++) {
		uint8_t c = line[i];

		run &= c == line[0];
		plain &= isupper(c) || c == '*' || c == '#' || c == '-' ||
		    c >= 0x80 || c < 0x20;
	}
	if (word > (run ? EHLO_MAX_BYTES : 12) ||
	    (!run && !plain && !is_nearly("STARTTLS", line, word) &&
		!is_nearly("EHLO", line, word)))
		return blank(line, 0, len);
	return blank(line, skip_blanks(line, word, len), len);
}

/* BDAT 86 LAST; whatever else stands there may be anything. */
static bool
redact_chunk(uint8_t *line, size_t len)
{
	size_t from = skip_blanks(line, word_end(line, 0, len), len);

	while (from < len && isdigit(line[from]))
		from++;
	from = skip_blanks(line, from, len);
	if (slice_equal_nocase(slice_first(slice_of(line + from, len - from),
				   4),
		slice_str("LAST")))
		from += 4;
	return blank(line, from, len);
}

/* The last word of a line whose end nobody saw may be a local part that has
 * not come to its `@`. */
static bool
blank_last_word(uint8_t *line, size_t from, size_t len)
{
	size_t start = len;

	while (start > from && line[start - 1] != '@' &&
	    !ends_local_part(line[start - 1]))
		start--;
	/* Behind an `@` stands the domain. */
	return (start == from || line[start - 1] != '@') &&
	    blank(line, start, len);
}

/* In an EHLO reply a lone word is a keyword and stays. */
static bool
redact_open_end(uint8_t *line, size_t len, enum verb about)
{
	size_t from = len < 4 ? len : 4;
	bool hello = about == VERB_EHLO || about == VERB_LHLO;

	if (hello && word_end(line, from, len) == len &&
	    memchr(line, '@', len) == NULL)
		return false;
	return blank_last_word(line, from, len);
}

static bool
redact_addresses(uint8_t *line, size_t len, enum verb verb)
{
	switch (verb) {
	case VERB_MAIL:
	case VERB_RCPT:
		return redact_envelope(line, len);
	case VERB_VRFY:
	case VERB_EXPN:
		return redact_argument(line, len);
	default:
		return blank_local_parts(line, 0, len);
	}
}

bool
redact_command(uint8_t *line, size_t len, enum verb verb, unsigned how)
{
	bool changed = false;

	switch (verb) {
	case VERB_AUTH:
		return redact_auth(line, len);
	case VERB_OTHER:
		return how & REDACT_WORDS ? blank(line, 0, len) :
					    redact_other(line, len);
	case VERB_BDAT:
		return redact_chunk(line, len);
	case VERB_DATA:
	case VERB_RSET:
	case VERB_NOOP:
	case VERB_QUIT:
	case VERB_HELP:
		if (how & REDACT_WORDS)
			return redact_words(line, len);
		break;
	case VERB_XCLIENT:
	case VERB_XFORWARD:
		changed = blank_parameters(line, 0, len, "LOGIN=");
		break;
	default:
		break;
	}
	if (how & REDACT_KEEP_ADDRESSES)
		return changed;
	changed |= redact_addresses(line, len, verb);
	if (how & REDACT_OPEN_END)
		changed |= blank_last_word(line, word_end(line, 0, len), len);
	return changed;
}

/* RFC 2034 4: where the text begins, behind code and enhanced status. */
static size_t
text_start(const uint8_t *line, size_t len)
{
	size_t from = len < 4 ? len : 4, to = from, dots = 0;

	while (to < len && (isdigit(line[to]) || line[to] == '.'))
		dots += line[to++] == '.';
	if (dots != 2 || (to < len && !is_blank(line[to])))
		return from;
	return skip_blanks(line, to, len);
}

/* Answers to VRFY and EXPN name people, before and in the brackets; those
 * that refuse repeat what was asked. */
static bool
redact_name(uint8_t *line, size_t len)
{
	size_t to = len;

	for (size_t i = 4; i < len; i++)
		if (line[i] == '@')
			to = i;
	return blank(line, text_start(line, len), to);
}

/* "550 <postmaster>: unknown", "550 postmaster... User unknown": an address
 * of this very host needs no `@`. */
static bool
blank_bare_mailboxes(uint8_t *line, size_t len)
{
	bool changed = false;

	for (size_t i = text_start(line, len); i < len; i++) {
		size_t to = i + 1;

		if (line[i] == '<') {
			while (to < len && line[to] != '>' && line[to] != '@')
				to++;
			changed |= blank(line, i + 1, to);
		} else if (i + 3 <= len && memcmp(line + i, "...", 3) == 0) {
			changed |= blank_last_word(line, 4, i);
		}
	}
	return changed;
}

/* "250-": no part of an address, though an atom may hold each of its octets. */
static size_t
code_bytes(const uint8_t *line, size_t len)
{
	return len > 4 && isdigit(line[0]) && isdigit(line[1]) &&
		isdigit(line[2]) && (line[3] == '-' || line[3] == ' ') ?
	    4 :
	    0;
}

/* What overwrote STARTTLS decides, whatever octets it is; an address has a
 * dot behind the at-sign. */
static bool
is_overwritten_keyword(const uint8_t *line, size_t len)
{
	size_t at = 0;

	if (len != sizeof("250-STARTTLS") - 1)
		return false;
	while (at < len && line[at] != '@')
		at++;
	return memchr(line + at, '.', len - at) == NULL;
}

bool
redact_reply(uint8_t *line, size_t len, enum verb about, unsigned how)
{
	bool changed = false;

	/* RFC 4954 4: a challenge may hold a name or a nonce, and what comes
	 * after it the name of who was let in. */
	if (len > 4 && memcmp(line, "334", 3) == 0)
		return blank(line, 4, len);
	if (len > 4 &&
	    (about == VERB_AUTH || memcmp(line, "235", 3) == 0 ||
		memcmp(line, "535", 3) == 0))
		return blank(line, text_start(line, len), len);
	if (how & REDACT_KEEP_ADDRESSES)
		return false;
	if (about == VERB_EHLO && is_overwritten_keyword(line, len))
		return false;
	if (about == VERB_VRFY || about == VERB_EXPN)
		return redact_name(line, len);
	if (about == VERB_MAIL || about == VERB_RCPT)
		changed = blank_bare_mailboxes(line, len);
	if (len > 0 && memchr(line, '@', len) != NULL)
		changed |= blank_local_parts(line, code_bytes(line, len), len);
	if (how & REDACT_OPEN_END)
		changed |= redact_open_end(line, len, about);
	return changed;
}
