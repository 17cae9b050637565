#include "sts_txt.h"

#include "sts_grammar.h"

#define VERSION_TAG "v=STSv1"
#define ID_MAX_BYTES 32 /* RFC 8461 3.1 */

struct parser {
	struct sts_txt *out;
	struct sts_lint_list *lint;
	struct slice all, rest;
	bool errors, tolerated, id_seen;
};

static void
report(struct parser *p, enum sts_severity severity, size_t offset,
    const char *code, const char *text)
{
	p->errors |= severity == STS_ERROR;
	p->tolerated |= severity == STS_TOLERATED;
	sts_lint_add(p->lint, severity, 1, (unsigned)offset + 1, code,
	    "%s (RFC 8461 3.1)", text);
}

static size_t
offset_of(const struct parser *p)
{
	return p->all.len - p->rest.len;
}

static size_t
skip_wsp(struct parser *p)
{
	size_t n = 0;

	while (n < p->rest.len && sts_is_wsp(p->rest.ptr[n]))
		n++;
	p->rest = slice_after(p->rest, n);
	return n;
}

static bool
at_semicolon(const struct parser *p)
{
	return p->rest.len > 0 && p->rest.ptr[0] == ';';
}

/* "v=STSv1" as a whole token: "v=STSv10" is another version. */
static bool
is_announcement(struct slice txt)
{
	struct slice tag = slice_str(VERSION_TAG);

	return slice_equal(slice_first(txt, tag.len), tag) &&
	    (txt.len == tag.len || txt.ptr[tag.len] == ';' ||
		sts_is_wsp(txt.ptr[tag.len]));
}

static void
parse_id(struct parser *p, struct slice value, size_t offset)
{
	size_t i = 0;

	if (p->id_seen) {
		report(p, STS_NOTE, offset, "duplicate-field",
		    "id was given before; only the first counts");
		return;
	}
	p->id_seen = true;
	while (
	    i < value.len && i < ID_MAX_BYTES && sts_is_alphanum(value.ptr[i]))
		i++;
	if (i == 0 || i < value.len) {
		report(p, STS_ERROR, offset + i, "bad-id",
		    "id is not 1 to 32 letters and digits");
		return;
	}
	memcpy(p->out->id, value.ptr, value.len);
	p->out->id[value.len] = '\0';
}

static void
check_extension_value(struct parser *p, struct slice value, size_t offset)
{
	if (value.len == 0)
		report(p, STS_ERROR, offset, "empty-value",
		    "a field has no value");
	for (size_t i = 0; i < value.len; i++) {
		uint8_t c = value.ptr[i];

		if (c < 0x21 || c > 0x7E || c == '=') {
			report(p, STS_ERROR, offset + i, "bad-value",
			    "a value has a character that it must not have");
			return;
		}
	}
}

/* Up to the next blank or semicolon. */
static void
parse_field(struct parser *p)
{
	size_t offset = offset_of(p), len = 0;
	struct slice token, name, value;
	const uint8_t *equals;

	while (len < p->rest.len && p->rest.ptr[len] != ';' &&
	    !sts_is_wsp(p->rest.ptr[len]))
		len++;
	token = slice_first(p->rest, len);
	p->rest = slice_after(p->rest, len);
	equals = memchr(token.ptr, '=', token.len);
	if (equals == NULL) {
		report(p, STS_ERROR, offset, "no-equals",
		    "a field is not \"name=value\"");
		return;
	}
	name = slice_first(token, (size_t)(equals - token.ptr));
	value = slice_after(token, name.len + 1);
	if (slice_equal(name, slice_str("id")))
		parse_id(p, value, offset + name.len + 1);
	else if (name.len == 0 || sts_field_name_length(name) < name.len)
		report(p, STS_ERROR, offset, "bad-name",
		    "a field's name has a character that it must not have, "
		    "or is too long");
	else
		check_extension_value(p, value, offset + name.len + 1);
}

/*
 * *WSP ";" *WSP. False: nothing follows. Semicolons and blanks that are too
 * many are tolerated at the end only.
 */
static bool
take_delimiter(struct parser *p)
{
	size_t start = offset_of(p), blanks = skip_wsp(p);
	bool empty_field = false;

	if (p->rest.len == 0) {
		if (blanks > 0)
			report(p, STS_TOLERATED, start, "final-blanks",
			    "blanks at the end without a semicolon");
		return false;
	}
	if (!at_semicolon(p)) {
		report(p, STS_ERROR, offset_of(p), "no-semicolon",
		    "fields are separated by semicolons");
		while (p->rest.len > 0 && !at_semicolon(p))
			p->rest = slice_after(p->rest, 1);
		return p->rest.len > 0;
	}
	p->rest = slice_after(p->rest, 1);
	start = offset_of(p);
	skip_wsp(p);
	while (at_semicolon(p)) {
		empty_field = true;
		p->rest = slice_after(p->rest, 1);
		skip_wsp(p);
	}
	if (empty_field)
		report(p, p->rest.len ? STS_ERROR : STS_TOLERATED, start,
		    "empty-field", "an empty field");
	return p->rest.len > 0;
}

bool
sts_txt_parse(struct slice txt, struct sts_txt *out, struct sts_lint_list *lint)
{
	struct parser p = { .out = out, .lint = lint, .all = txt, .rest = txt };

	memset(out, 0, sizeof(*out));
	if (lint != NULL)
		lint->count = lint->unlisted = 0;
	if (!is_announcement(txt)) {
		report(&p, STS_ERROR, 0, "bad-version",
		    "the record does not begin with \"" VERSION_TAG ";\"");
		return false;
	}
	p.rest = slice_after(txt, strlen(VERSION_TAG));
	if (p.rest.len > 0 && sts_is_wsp(p.rest.ptr[0]))
		report(&p, STS_NOTE, offset_of(&p), "blank-before-semicolon",
		    "beside another record this one would be discarded: it "
		    "does not begin with \"" VERSION_TAG ";\"");
	while (take_delimiter(&p))
		if (!at_semicolon(&p))
			parse_field(&p);
	if (!p.id_seen)
		report(&p, STS_ERROR, txt.len, "missing-id", "there is no id");
	out->strict_ok = !p.errors && !p.tolerated;
	out->tolerant_ok = !p.errors;
	return out->tolerant_ok;
}

bool
sts_txt_join(struct slice rdata, uint8_t *out, size_t room, size_t *len)
{
	struct cursor c = cursor_over(rdata);

	*len = 0;
	while (c.rest.len > 0) {
		struct slice part = cursor_take(&c, cursor_u8(&c));

		if (c.short_read || part.len > room - *len)
			return false;
		if (part.len > 0)
			memcpy(out + *len, part.ptr, part.len);
		*len += part.len;
	}
	return true;
}

/*
 * "If multiple TXT records are returned by the resolver, records that do not
 * begin with "v=STSv1;" are discarded": to the letter, "v=STSv1 ;" is valid
 * alone and discarded in company (erratum 6285). Two good records suppress
 * the policy, even with the same id.
 */
enum sts_txt_outcome
sts_txt_select(const struct sts_txt_rrset *set, struct sts_txt *found)
{
	struct slice start = slice_str(VERSION_TAG ";"), one = { NULL, 0 };
	size_t count = 0;

	memset(found, 0, sizeof(*found));
	if (!set->answered)
		return STS_TXT_UNKNOWN;
	for (size_t i = 0; i < set->count; i++) {
		struct slice txt = set->records[i];

		if (set->count == 1 ?
			!is_announcement(txt) :
			!slice_equal(slice_first(txt, start.len), start))
			continue;
		one = txt;
		count++;
	}
	if (count == 0)
		return STS_TXT_ABSENT;
	if (count > 1)
		return STS_TXT_SEVERAL;
	return sts_txt_parse(one, found, NULL) ? STS_TXT_FOUND :
						 STS_TXT_INVALID;
}
