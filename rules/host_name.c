#include "host_name.h"

#define LABEL_MAX_BYTES 63 /* RFC 1035 2.3.4 */

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool
is_let_dig(uint8_t c)
{
	uint8_t upper = ascii_upper(c);

	return is_digit(c) || (upper >= 'A' && upper <= 'Z');
}

/* `at` is the offset of the fault within the label. */
static enum host_name_fault
check_label(struct slice label, size_t *at)
{
	*at = 0;
	if (label.len == 0)
		return HOST_NAME_EMPTY;
	for (*at = 0; *at < label.len; (*at)++) {
		uint8_t c = label.ptr[*at];

		if (c >= 0x80)
			return HOST_NAME_NON_ASCII;
		if (!is_let_dig(c) && c != '-')
			return HOST_NAME_CHARACTER;
	}
	*at = 0;
	if (label.len > LABEL_MAX_BYTES)
		return HOST_NAME_TOO_LONG;
	if (label.ptr[0] == '-')
		return HOST_NAME_HYPHEN;
	*at = label.len - 1;
	return label.ptr[*at] == '-' ? HOST_NAME_HYPHEN : HOST_NAME_OK;
}

static bool
all_digits(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_digit(s.ptr[i]))
			return false;
	return true;
}

static struct slice
first_label(struct slice name)
{
	const uint8_t *dot = name.len ? memchr(name.ptr, '.', name.len) : NULL;

	return dot ? slice_first(name, (size_t)(dot - name.ptr)) : name;
}

enum host_name_fault
host_name_check(struct slice name, size_t *at)
{
	enum host_name_fault fault;
	struct slice rest = name, label;
	size_t offset = 0, in_label;

	for (;;) {
		label = first_label(rest);
		fault = check_label(label, &in_label);
		if (fault != HOST_NAME_OK)
			break;
		if (label.len == rest.len) {
			in_label = 0;
			if (name.len > HOST_NAME_MAX_BYTES)
				fault = HOST_NAME_TOO_LONG;
			else if (all_digits(label))
				fault = HOST_NAME_NUMERIC;
			break;
		}
		rest = slice_after(rest, label.len + 1);
		offset += label.len + 1;
	}
	if (at != NULL)
		*at = offset + in_label;
	return fault;
}

const char *
host_name_fault_text(enum host_name_fault fault)
{
	static const char *const texts[] = {
		[HOST_NAME_OK] = "is a host name",
		[HOST_NAME_EMPTY] = "has an empty label",
		[HOST_NAME_TOO_LONG] = "is longer than a host name may be",
		[HOST_NAME_HYPHEN] = "has a hyphen at the edge of a label",
		[HOST_NAME_CHARACTER] = "has a character that no host name has",
		[HOST_NAME_NON_ASCII] = "is not in A-label (xn--) form",
		[HOST_NAME_NUMERIC] = "is an address, not a host name",
	};

	return texts[fault];
}

static struct slice
without_final_dot(struct slice name)
{
	if (name.len > 0 && name.ptr[name.len - 1] == '.')
		name.len--;
	return name;
}

bool
host_name_valid(struct slice name)
{
	return host_name_check(without_final_dot(name), NULL) == HOST_NAME_OK;
}

bool
host_name_normalize(struct slice name, char out[HOST_NAME_BYTES])
{
	out[0] = '\0';
	if (!host_name_valid(name))
		return false;
	name = without_final_dot(name);
	for (size_t i = 0; i < name.len; i++) {
		uint8_t c = name.ptr[i];

		out[i] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
	}
	out[name.len] = '\0';
	return true;
}
