#include "dns.h"

#include <stdio.h>

#define CLASS_IN 1
#define HEADER_BYTES 12
/* A pointer costs two octets, so no name that fits has more of them. */
#define POINTERS_MAX 127

/* RFC 1035 4.1.1 */
enum {
	FLAG_RESPONSE = 0x8000,
	FLAGS_OPCODE = 0x7800,
	FLAG_AUTHORITATIVE = 0x0400,
	FLAG_TRUNCATED = 0x0200,
	FLAG_AUTHENTIC = 0x0020, /* RFC 4035 3.2.3 */
	FLAGS_RCODE = 0x000f,
};

const char *
dns_type_name(uint16_t type)
{
	switch (type) {
	case DNS_A:
		return "A";
	case DNS_CNAME:
		return "CNAME";
	case DNS_MX:
		return "MX";
	case DNS_TXT:
		return "TXT";
	case DNS_AAAA:
		return "AAAA";
	case DNS_TLSA:
		return "TLSA";
	default:
		return NULL;
	}
}

/* --- names --------------------------------------------------------------- */

/* Letters become lower case; 0: it is none that names are written with. */
static char
name_character(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
	    c == '_')
		return (char)c;
	return '\0';
}

/* False: the name is too long. An odd one is read to its end, `*odd`. */
static bool
add_label(char out[DNS_NAME_BYTES], size_t *length, struct slice label,
    bool *odd)
{
	if (*length + label.len + 1 > DNS_NAME_BYTES - 2)
		return false;
	if (*length > 0)
		out[(*length)++] = '.';
	for (size_t i = 0; i < label.len; i++) {
		char c = name_character(label.ptr[i]);

		*odd |= c == '\0';
		out[(*length)++] = c;
	}
	return true;
}

/*
 * RFC 1035 4.1.4. `at` goes behind the name as it stands there; false: it is
 * damaged. Each pointer must go further back than the last one went.
 */
static bool
read_name(struct slice whole, size_t *at, char out[DNS_NAME_BYTES], bool *odd)
{
	size_t here = *at, before = *at, length = 0;
	bool jumped = false;

	*odd = false;
	for (unsigned pointers = 0; pointers <= POINTERS_MAX;) {
		struct cursor c = cursor_over(slice_after(whole, here));
		uint8_t head = cursor_u8(&c);
		struct slice label;

		if (c.short_read)
			return false;
		if (head >= 0xc0) {
			size_t target = (size_t)(head & 0x3f) << 8 |
			    cursor_u8(&c);

			if (c.short_read || target >= before)
				return false;
			if (!jumped)
				*at = here + 2;
			jumped = true;
			here = before = target;
			pointers++;
			continue;
		}
		if (head >= 0x40) /* 01 and 10 were never given out */
			return false;
		here += 1u + head;
		if (head == 0) {
			if (!jumped)
				*at = here;
			if (length == 0)
				out[length++] = '.';
			out[length] = '\0';
			return true;
		}
		label = cursor_take(&c, head);
		if (c.short_read || !add_label(out, &length, label, odd))
			return false;
	}
	return false;
}

/* --- the message --------------------------------------------------------- */

enum parse
dns_message_parse(struct slice whole, struct dns_message *out)
{
	struct cursor c = cursor_over(whole);
	uint16_t flags, questions;
	size_t at = HEADER_BYTES;
	bool odd = false;

	memset(out, 0, sizeof(*out));
	out->whole = whole;
	out->id = cursor_be16(&c);
	flags = cursor_be16(&c);
	questions = cursor_be16(&c);
	out->answers = cursor_be16(&c);
	out->others = cursor_be16(&c);
	out->others += cursor_be16(&c);
	if (c.short_read)
		return PARSE_NEED_MORE;
	out->response = flags & FLAG_RESPONSE;
	out->authoritative = flags & FLAG_AUTHORITATIVE;
	out->truncated = flags & FLAG_TRUNCATED;
	out->authentic = flags & FLAG_AUTHENTIC;
	out->rcode = flags & FLAGS_RCODE;
	if (flags & FLAGS_OPCODE || questions != 1 ||
	    !read_name(whole, &at, out->name, &odd) || odd)
		return PARSE_MALFORMED;
	c = cursor_over(slice_after(whole, at));
	out->type = cursor_be16(&c);
	if (cursor_be16(&c) != CLASS_IN || c.short_read)
		return PARSE_MALFORMED;
	out->records_at = at + 4;
	return PARSE_OK;
}

/* --- records ------------------------------------------------------------- */

static bool
put_address(struct slice data, uint8_t family, struct dns_record *out)
{
	struct address address = { .family = family };

	if (data.len != (family == 4 ? 4 : 16))
		return false;
	memcpy(address.octets, data.ptr, data.len);
	address_format(&address, out->value);
	return true;
}

/* `at` is where the name begins, and it must end with the record. */
static bool
put_name(struct slice whole, size_t at, size_t end, struct dns_record *out)
{
	bool odd;

	return read_name(whole, &at, out->value, &odd) && at == end && !odd;
}

/* RFC 1035 3.3.14: character-strings. */
static bool
put_text(struct slice data, struct dns_record *out)
{
	struct cursor c = cursor_over(data);

	while (c.rest.len > 0) {
		struct slice part = cursor_take(&c, cursor_u8(&c));

		if (c.short_read ||
		    out->value_len + part.len >= DNS_VALUE_MAX_BYTES)
			return false;
		if (part.len > 0)
			memcpy(out->value + out->value_len, part.ptr, part.len);
		out->value_len += part.len;
	}
	out->value[out->value_len] = '\0';
	return true;
}

static bool
put_tlsa(struct slice data, struct dns_record *out)
{
	size_t n;

	if (data.len < 4 || 12 + 2 * data.len >= DNS_VALUE_MAX_BYTES)
		return false;
	n = (size_t)sprintf(out->value, "%u %u %u ", data.ptr[0], data.ptr[1],
	    data.ptr[2]);
	for (size_t i = 3; i < data.len; i++)
		n += (size_t)sprintf(out->value + n, "%02x", data.ptr[i]);
	return true;
}

/* False: of another type, or not as its type wants it. */
static bool
put_value(struct slice whole, size_t at, size_t length, struct dns_record *out)
{
	struct slice data = slice_first(slice_after(whole, at), length);
	bool understood = false;

	out->value_len = 0;
	switch (out->type) {
	case DNS_A:
		understood = put_address(data, 4, out);
		break;
	case DNS_AAAA:
		understood = put_address(data, 6, out);
		break;
	case DNS_CNAME:
		understood = put_name(whole, at, at + length, out);
		break;
	case DNS_MX:
		understood = length > 2 &&
		    put_name(whole, at + 2, at + length, out);
		break;
	case DNS_TXT:
		return put_text(data, out);
	case DNS_TLSA:
		understood = put_tlsa(data, out);
		break;
	}
	if (understood)
		out->value_len = strlen(out->value);
	return understood;
}

bool
dns_record_next(const struct dns_message *m, size_t *at, unsigned *seen,
    struct dns_record *out, bool *damaged)
{
	*damaged = false;
	while (*seen < m->answers + m->others && *seen < DNS_RECORDS_MAX) {
		struct cursor c;
		uint16_t class, length;
		bool odd;

		*damaged = true;
		if (!read_name(m->whole, at, out->owner, &odd))
			return false;
		c = cursor_over(slice_after(m->whole, *at));
		out->type = cursor_be16(&c);
		class = cursor_be16(&c);
		out->ttl_s = cursor_be32(&c);
		length = cursor_be16(&c);
		cursor_take(&c, length);
		if (c.short_read)
			return false;
		*damaged = false;
		out->in_answer = *seen < m->answers;
		*at += 10;
		++*seen;
		if (class == CLASS_IN && !odd &&
		    put_value(m->whole, *at, length, out)) {
			*at += length;
			return true;
		}
		*at += length;
	}
	return false;
}
