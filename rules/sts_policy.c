#include "sts_policy.h"

#include <stdarg.h>

#include "sts_grammar.h"

#define VERSION_TEXT "STSv1"
#define MAX_AGE_DIGITS_MAX 10 /* RFC 8461 3.2 */
#define MAX_AGE_WEEK_S (7u * 86400u)

struct place {
	unsigned line, column;
};

struct parser {
	struct sts_policy *out;
	struct sts_lint_list *lint;
	bool errors, tolerated;
	unsigned line;
	unsigned seen; /* 1 << index in `fields` */
	struct place mode_at, max_age_at;
	bool mx_faulty; /* already said why there is none */
};

/* Found on the current line. The verdict does not depend on whether there is
 * a list, or room in it. */
static void __attribute__((format(printf, 5, 6)))
report(struct parser *p, enum sts_severity severity, unsigned column,
    const char *code, const char *format, ...)
{
	va_list args;

	p->errors |= severity == STS_ERROR;
	p->tolerated |= severity == STS_TOLERATED;
	va_start(args, format);
	sts_lint_vadd(p->lint, severity, p->line, column, code, format, args);
	va_end(args);
}

static const char *const mode_names[] = { "none", "testing", "enforce" };

const char *
sts_mode_name(enum sts_mode mode)
{
	return mode_names[mode];
}

/* --- values -------------------------------------------------------------- */

static void
parse_version(struct parser *p, struct slice value, unsigned column)
{
	char quote[STS_QUOTE_BYTES];

	if (!slice_equal(value, slice_str(VERSION_TEXT)))
		report(p, STS_ERROR, column, "bad-version",
		    "version \"%s\" is not " VERSION_TEXT " (RFC 8461 3.2)",
		    sts_quote(value, quote));
}

static void
parse_mode(struct parser *p, struct slice value, unsigned column)
{
	char quote[STS_QUOTE_BYTES];

	p->mode_at = (struct place){ p->line, column };
	for (int mode = STS_NONE; mode <= STS_ENFORCE; mode++)
		if (slice_equal(value, slice_str(mode_names[mode]))) {
			p->out->mode = (enum sts_mode)mode;
			return;
		}
	report(p, STS_ERROR, column, "bad-mode",
	    "mode \"%s\" is neither enforce, testing nor none (RFC 8461 3.2)",
	    sts_quote(value, quote));
}

static void
parse_max_age(struct parser *p, struct slice value, unsigned column)
{
	char quote[STS_QUOTE_BYTES];
	uint64_t seconds = 0;
	size_t i = 0;

	p->max_age_at = (struct place){ p->line, column };
	while (i < value.len && i < MAX_AGE_DIGITS_MAX && value.ptr[i] >= '0' &&
	    value.ptr[i] <= '9')
		seconds = seconds * 10 + (uint64_t)(value.ptr[i++] - '0');
	if (i < value.len || value.len == 0) {
		report(p, STS_ERROR, column, "bad-max-age",
		    i == MAX_AGE_DIGITS_MAX ?
			"max_age \"%s\" has more than 10 digits "
			"(RFC 8461 3.2)" :
			"max_age \"%s\" is not a number of seconds "
			"(RFC 8461 3.2)",
		    sts_quote(value, quote));
		return;
	}
	if (seconds > STS_MAX_AGE_MAX_S) {
		report(p, STS_WARNING, column, "max-age-over-maximum",
		    "max_age %llu is over the maximum, counted as %u "
		    "(RFC 8461 3.2)",
		    (unsigned long long)seconds, STS_MAX_AGE_MAX_S);
		seconds = STS_MAX_AGE_MAX_S;
	}
	p->out->max_age_s = (uint32_t)seconds;
}

static struct slice
without_wildcard(struct slice pattern)
{
	if (pattern.len >= 2 && pattern.ptr[0] == '*' && pattern.ptr[1] == '.')
		return slice_after(pattern, 2);
	return pattern;
}

static void
keep_mx(struct parser *p, struct slice pattern, unsigned column)
{
	struct sts_policy *out = p->out;
	char *to = out->mx[out->mx_count];

	if (out->mx_count == STS_MX_MAX) {
		if (out->mx_unlisted++ == 0)
			report(p, STS_WARNING, column, "too-many-mx",
			    "only the first %d mx are kept here", STS_MX_MAX);
		return;
	}
	for (size_t i = 0; i < pattern.len; i++) {
		uint8_t c = pattern.ptr[i];

		to[i] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
	}
	to[pattern.len] = '\0';
	for (unsigned i = 0; i < out->mx_count; i++)
		if (strcmp(out->mx[i], to) == 0) {
			report(p, STS_NOTE, column, "duplicate-mx",
			    "this mx was already listed");
			return;
		}
	out->mx_count++;
}

/* What a pattern that keeps to the grammar may still not be meant to say. */
static void
lint_mx(struct parser *p, struct slice pattern, enum host_name_fault fault,
    unsigned column)
{
	struct slice domain = without_wildcard(pattern);
	char quote[STS_QUOTE_BYTES];

	if (fault == HOST_NAME_NUMERIC)
		report(p, STS_WARNING, column, "mx-is-address",
		    "mx \"%s\" %s: it matches nothing (RFC 8461 3.2)",
		    sts_quote(pattern, quote), host_name_fault_text(fault));
	else if (memchr(domain.ptr, '.', domain.len) != NULL)
		return;
	else if (domain.len < pattern.len)
		report(p, STS_NOTE, column, "wide-wildcard",
		    "mx \"%s\" allows everything right below one label "
		    "(RFC 8461 10.4)",
		    sts_quote(pattern, quote));
	else
		report(p, STS_NOTE, column, "mx-single-label",
		    "mx \"%s\" has a single label", sts_quote(pattern, quote));
}

static void
parse_mx(struct parser *p, struct slice value, unsigned column)
{
	struct slice domain = without_wildcard(value);
	char quote[STS_QUOTE_BYTES];
	enum host_name_fault fault;
	size_t at;

	fault = host_name_check(domain, &at);
	if (fault != HOST_NAME_OK && fault != HOST_NAME_NUMERIC) {
		p->mx_faulty = true;
		column += (unsigned)(value.len - domain.len + at);
		report(p, STS_ERROR, column, "bad-mx",
		    "mx \"%s\" %s (RFC 8461 3.2)", sts_quote(value, quote),
		    host_name_fault_text(fault));
		return;
	}
	lint_mx(p, value, fault, column);
	keep_mx(p, value, column);
}

/* --- extensions ---------------------------------------------------------- */

/* sts-policy-ext-value; blanks at either end are already off. */
static void
check_extension_value(struct parser *p, struct slice value, unsigned column)
{
	for (size_t i = 0, step; i < value.len; i += step) {
		uint8_t c = value.ptr[i];

		step = sts_utf8_length(slice_after(value, i));
		if (step == 0) {
			report(p, STS_ERROR, column + (unsigned)i, "not-utf-8",
			    "octet 0x%02X is not UTF-8 (RFC 8461 3.2)", c);
			return;
		}
		if (c < ' ' || c == 0x7F) {
			report(p, STS_ERROR, column + (unsigned)i,
			    "control-character",
			    "control character 0x%02X in a value "
			    "(RFC 8461 3.2)",
			    c);
			return;
		}
	}
}

static bool
check_field_name(struct parser *p, struct slice name)
{
	size_t good = sts_field_name_length(name);
	char quote[STS_QUOTE_BYTES];
	bool blank;

	if (good > 0 && good == name.len)
		return true;
	blank = good < name.len && sts_is_wsp(name.ptr[good]);
	report(p, STS_ERROR, (unsigned)good + 1,
	    blank ? "misplaced-blank" : "bad-key",
	    "\"%s\" is not a field's name (RFC 8461 3.2)",
	    sts_quote(name, quote));
	return false;
}

/* --- fields -------------------------------------------------------------- */

typedef void parse_value_fn(struct parser *, struct slice, unsigned column);

enum { FIELD_VERSION, FIELD_MODE, FIELD_MAX_AGE, FIELD_MX, FIELDS };

static const struct field {
	const char *name;
	bool repeats;
	parse_value_fn *parse;
} fields[FIELDS] = {
	[FIELD_VERSION] = { "version", false, parse_version },
	[FIELD_MODE] = { "mode", false, parse_mode },
	[FIELD_MAX_AGE] = { "max_age", false, parse_max_age },
	[FIELD_MX] = { "mx", true, parse_mx },
};

/*
 * "If any field other than mx is duplicated, all entries except for the
 * first SHALL be ignored": ignored is what they mean, not how they are
 * written. The first decides even when it is wrong.
 */
static void
parse_known(struct parser *p, int index, struct slice value, unsigned column)
{
	bool again = p->seen & 1u << index;

	p->seen |= 1u << index;
	if (!again || fields[index].repeats) {
		fields[index].parse(p, value, column);
		return;
	}
	report(p, STS_NOTE, 1, "duplicate-field",
	    "%s was given before; only the first counts (RFC 8461 3.2)",
	    fields[index].name);
	check_extension_value(p, value, column);
}

static void
parse_field(struct parser *p, struct slice key, struct slice value,
    unsigned column)
{
	for (int i = 0; i < FIELDS; i++) {
		struct slice name = slice_str(fields[i].name);

		if (slice_equal(key, name)) {
			parse_known(p, i, value, column);
			return;
		}
		if (slice_equal_nocase(key, name))
			report(p, STS_NOTE, 1, "field-case",
			    "a field that is not \"%s\": names are "
			    "case-sensitive (RFC 8461 3.2)",
			    fields[i].name);
	}
	check_extension_value(p, value, column);
}

/* One line that is not blank, without its end. */
static void
parse_line(struct parser *p, struct slice line)
{
	const uint8_t *colon = memchr(line.ptr, ':', line.len);
	char quote[STS_QUOTE_BYTES];
	struct slice key, value;

	if (sts_is_wsp(line.ptr[0])) {
		report(p, STS_ERROR, 1, "misplaced-blank",
		    "a line may not begin with a blank (RFC 8461 3.2)");
		return;
	}
	if (colon == NULL) {
		report(p, STS_ERROR, 1, "no-colon",
		    "\"%s\" is not \"key: value\" (RFC 8461 3.2)",
		    sts_quote(line, quote));
		return;
	}
	key = slice_first(line, (size_t)(colon - line.ptr));
	if (!check_field_name(p, key))
		return;
	value = slice_after(line, key.len + 1);
	while (value.len > 0 && sts_is_wsp(value.ptr[0]))
		value = slice_after(value, 1);
	if (value.len == 0)
		report(p, STS_ERROR, (unsigned)line.len + 1, "empty-value",
		    "%s has no value (RFC 8461 3.2)", sts_quote(key, quote));
	else
		parse_field(p, key, value,
		    (unsigned)(line.len - value.len) + 1);
}

/* --- the body ------------------------------------------------------------ */

/* Takes a line off `rest`: up to LF or CRLF (erratum 6253), or to the end. A
 * CR elsewhere stays, and is a control character. */
static struct slice
take_line(struct slice *rest)
{
	const uint8_t *lf = memchr(rest->ptr, '\n', rest->len);
	size_t len = lf ? (size_t)(lf - rest->ptr) : rest->len;
	struct slice line = slice_first(*rest, len);

	*rest = slice_after(*rest, len + (lf != NULL));
	if (lf != NULL && line.len > 0 && line.ptr[line.len - 1] == '\r')
		line.len--;
	return line;
}

/* Blank lines are an error between fields; at the end, where an editor or a
 * web server leaves them, most senders overlook them. */
static void
report_blank_lines(struct parser *p, unsigned first, bool at_end)
{
	unsigned line = p->line;

	if (first == 0)
		return;
	p->line = first;
	if (at_end)
		report(p, STS_TOLERATED, 1, "final-blank-line",
		    "a blank line at the end: most senders overlook it, the "
		    "grammar does not (RFC 8461 3.2)");
	else
		report(p, STS_ERROR, 1, "blank-line",
		    "a blank line (RFC 8461 3.2)");
	p->line = line;
}

static void
parse_lines(struct parser *p, struct slice rest)
{
	unsigned blank = 0; /* the first of a run of blank lines */

	while (rest.len > 0) {
		struct slice line = take_line(&rest);

		p->line++;
		while (line.len > 0 && sts_is_wsp(line.ptr[line.len - 1]))
			line.len--;
		if (line.len == 0) {
			if (blank == 0)
				blank = p->line;
			continue;
		}
		report_blank_lines(p, blank, false);
		blank = 0;
		parse_line(p, line);
	}
	report_blank_lines(p, blank, true);
}

/* What only the whole can tell. */
static void
check_whole(struct parser *p)
{
	struct sts_policy *out = p->out;

	if (p->line == 0)
		p->line = 1;
	for (int i = 0; i < FIELD_MX; i++)
		if (!(p->seen & 1u << i))
			report(p, STS_ERROR, 1, "missing-field",
			    "there is no %s (RFC 8461 3.2)", fields[i].name);
	if (out->mx_count == 0 && out->mode != STS_NONE && !p->mx_faulty) {
		p->line = p->mode_at.line;
		report(p, STS_ERROR, p->mode_at.column, "no-mx",
		    "mode %s without any mx (RFC 8461 3.2)",
		    sts_mode_name(out->mode));
	}
	if (!p->errors && out->mode != STS_NONE &&
	    out->max_age_s < MAX_AGE_WEEK_S) {
		p->line = p->max_age_at.line;
		report(p, STS_NOTE, p->max_age_at.column, "short-max-age",
		    out->max_age_s == 0 ?
			"max_age 0: nobody keeps this policy (RFC 8461 3.2)" :
			"max_age under a week: an attacker has not long to "
			"wait (RFC 8461 3.2, 10.2)");
	}
}

bool
sts_policy_parse(struct slice body, struct sts_policy *out,
    struct sts_lint_list *lint)
{
	static const uint8_t mark[] = { 0xEF, 0xBB, 0xBF };
	struct parser p = { .out = out, .lint = lint };

	memset(out, 0, sizeof(*out));
	if (lint != NULL)
		lint->count = lint->unlisted = 0;
	p.line = 1;
	if (body.len > STS_BODY_MAX_BYTES)
		report(&p, STS_WARNING, 1, "body-too-long",
		    "%zu octets: senders stop at %u (RFC 8461 3.3)", body.len,
		    STS_BODY_MAX_BYTES);
	if (slice_equal(slice_first(body, sizeof(mark)),
		slice_of(mark, sizeof(mark)))) {
		report(&p, STS_ERROR, 1, "byte-order-mark",
		    "a byte order mark before the first field "
		    "(RFC 8461 3.2)");
		body = slice_after(body, sizeof(mark));
	}
	p.line = 0;
	parse_lines(&p, body);
	check_whole(&p);
	if (lint != NULL)
		sts_lint_sort(lint);
	out->strict_ok = !p.errors && !p.tolerated;
	out->tolerant_ok = !p.errors && body.len <= STS_BODY_MAX_BYTES;
	return out->tolerant_ok;
}
