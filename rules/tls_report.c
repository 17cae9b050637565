#include "tls_report.h"

#include "sts_grammar.h"

#define VERSION_TAG "v=TLSRPTv1"

const char *
tls_result_name(enum tls_result result)
{
	static const char *const names[] = { "", "starttls-not-supported",
		"certificate-host-mismatch", "certificate-expired",
		"certificate-not-trusted", "validation-failure", "tlsa-invalid",
		"dnssec-invalid", "dane-required", "sts-policy-fetch-error",
		"sts-policy-invalid", "sts-webpki-invalid" };

	return names[result];
}

static bool
is_hex(uint8_t c)
{
	return (c >= '0' && c <= '9') ||
	    (ascii_upper(c) >= 'A' && ascii_upper(c) <= 'F');
}

/* RFC 3986, with "!", "," and ";" percent-encoded (RFC 8460 3). */
static bool
uri_valid(struct slice uri)
{
	static const char marks[] = "-._~:/?#[]@$&'()*+=%";
	size_t scheme = 0;

	while (scheme < uri.len &&
	    (sts_is_alphanum(uri.ptr[scheme]) ||
		memchr("+-.", uri.ptr[scheme], 3) != NULL))
		scheme++;
	if (scheme == 0 || scheme + 1 >= uri.len || uri.ptr[scheme] != ':')
		return false;
	for (size_t i = scheme; i < uri.len; i++) {
		uint8_t c = uri.ptr[i];

		if (!sts_is_alphanum(c) &&
		    memchr(marks, c, sizeof(marks) - 1) == NULL)
			return false;
		if (c == '%' &&
		    (i + 2 >= uri.len || !is_hex(uri.ptr[i + 1]) ||
			!is_hex(uri.ptr[i + 2])))
			return false;
	}
	return true;
}

static struct slice
trimmed(struct slice s)
{
	while (s.len > 0 && sts_is_wsp(s.ptr[0]))
		s = slice_after(s, 1);
	while (s.len > 0 && sts_is_wsp(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

/* Takes what stands before `separator`, or all of it. */
static struct slice
take_part(struct slice *rest, char separator)
{
	const uint8_t *at =
	    rest->len > 0 ? memchr(rest->ptr, separator, rest->len) : NULL;
	size_t n = at != NULL ? (size_t)(at - rest->ptr) : rest->len;
	struct slice part = slice_first(*rest, n);

	*rest = slice_after(*rest, at != NULL ? n + 1 : n);
	return part;
}

static bool
uris_valid(struct slice value)
{
	bool more = true;

	while (more) {
		more = value.len > 0 &&
		    memchr(value.ptr, ',', value.len) != NULL;
		if (!uri_valid(trimmed(take_part(&value, ','))))
			return false;
	}
	return true;
}

static bool
extension_value_valid(struct slice value)
{
	for (size_t i = 0; i < value.len; i++)
		if (value.ptr[i] < 0x21 || value.ptr[i] > 0x7E ||
		    value.ptr[i] == '=')
			return false;
	return value.len > 0;
}

static bool
field_valid(struct slice field, bool *rua)
{
	struct slice value = field, name = take_part(&value, '=');

	if (name.len == field.len)
		return false;
	if (slice_equal(name, slice_str("rua"))) {
		*rua = true;
		return uris_valid(value);
	}
	return name.len > 0 && sts_field_name_length(name) == name.len &&
	    extension_value_valid(value);
}

bool
tlsrpt_txt_valid(struct slice txt)
{
	struct slice tag = slice_str(VERSION_TAG), rest = txt;
	bool rua = false;

	if (!slice_equal(trimmed(take_part(&rest, ';')), tag) ||
	    !slice_equal(slice_first(txt, tag.len), tag))
		return false;
	while (rest.len > 0) {
		struct slice field = trimmed(take_part(&rest, ';'));

		if (field.len == 0 ? rest.len > 0 : !field_valid(field, &rua))
			return false;
	}
	return rua &&
	    !(txt.ptr[txt.len - 1] == ';' && txt.len > 1 &&
		txt.ptr[txt.len - 2] == ';');
}

/* RFC 8460 3: records that do not begin with "v=TLSRPTv1;" are discarded;
 * more or less than one is none. */
enum sts_txt_outcome
tlsrpt_txt_select(const struct sts_txt_rrset *set, struct slice *found)
{
	struct slice start = slice_str(VERSION_TAG ";");
	size_t count = 0;

	*found = slice_of(NULL, 0);
	if (!set->answered)
		return STS_TXT_UNKNOWN;
	for (size_t i = 0; i < set->count; i++)
		if (slice_equal(slice_first(set->records[i], start.len),
			start)) {
			*found = set->records[i];
			count++;
		}
	if (count != 1)
		return count == 0 ? STS_TXT_ABSENT : STS_TXT_SEVERAL;
	return tlsrpt_txt_valid(*found) ? STS_TXT_FOUND : STS_TXT_INVALID;
}
