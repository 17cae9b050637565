#include "json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "utf8.h"

void
json_init(struct json *j)
{
	memset(j, 0, sizeof(*j));
}

void
json_free(struct json *j)
{
	free(j->text);
	json_init(j);
}

void
json_reset(struct json *j)
{
	j->length = 0;
	j->comma = false;
}

static void
put(struct json *j, const char *text, size_t len)
{
	if (j->length + len > j->room) {
		size_t room = j->room ? j->room : 1024;
		char *more;

		while (room < j->length + len)
			room *= 2;
		more = realloc(j->text, room);
		if (more == NULL) {
			j->failed = true;
			return;
		}
		j->text = more;
		j->room = room;
	}
	memcpy(j->text + j->length, text, len);
	j->length += len;
}

static void
put_char(struct json *j, char c)
{
	put(j, &c, 1);
}

static void
put_escaped(struct json *j, uint8_t c)
{
	static const char short_forms[] = "btnvfr";
	char text[8];

	if (c == '"' || c == '\\') {
		text[0] = '\\';
		text[1] = (char)c;
		put(j, text, 2);
	} else if (c >= 8 && c <= 13 && c != 11) {
		text[0] = '\\';
		text[1] = short_forms[c - 8];
		put(j, text, 2);
	} else {
		put(j, text,
		    (size_t)snprintf(text, sizeof(text), "\\u%04x", c));
	}
}

static void
put_string(struct json *j, struct slice s)
{
	size_t plain = 0, i = 0;

	put_char(j, '"');
	while (i < s.len) {
		uint8_t c = s.ptr[i];
		uint32_t value;
		size_t n = utf8_decode(s.ptr + i, s.len - i, &value);

		if (n > 0 && c >= 0x20 && c != '"' && c != '\\' && c != 0x7f) {
			i += n;
			continue;
		}
		put(j, (const char *)s.ptr + plain, i - plain);
		if (n == 0)
			put(j, "\xef\xbf\xbd", 3); /* U+FFFD */
		else
			put_escaped(j, c);
		plain = ++i;
	}
	put(j, (const char *)s.ptr + plain, i - plain);
	put_char(j, '"');
}

static void
begin(struct json *j, const char *key)
{
	if (j->comma)
		put_char(j, ',');
	j->comma = true;
	if (key != NULL) {
		put_string(j, slice_str(key));
		put_char(j, ':');
	}
}

void
json_object_open(struct json *j, const char *key)
{
	begin(j, key);
	put_char(j, '{');
	j->comma = false;
}

void
json_object_close(struct json *j)
{
	put_char(j, '}');
	j->comma = true;
}

void
json_array_open(struct json *j, const char *key)
{
	begin(j, key);
	put_char(j, '[');
	j->comma = false;
}

void
json_array_close(struct json *j)
{
	put_char(j, ']');
	j->comma = true;
}

void
json_text(struct json *j, const char *key, const char *value)
{
	json_slice(j, key, slice_str(value));
}

void
json_slice(struct json *j, const char *key, struct slice value)
{
	begin(j, key);
	put_string(j, value);
}

void
json_unsigned(struct json *j, const char *key, uint64_t value)
{
	char digits[24];
	size_t n = sizeof(digits);

	begin(j, key);
	do {
		digits[--n] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	put(j, digits + n, sizeof(digits) - n);
}

void
json_signed(struct json *j, const char *key, int64_t value)
{
	char text[32];

	begin(j, key);
	put(j, text,
	    (size_t)snprintf(text, sizeof(text), "%lld", (long long)value));
}

void
json_number(struct json *j, const char *key, double value, int decimals)
{
	char text[64];
	int n;

	begin(j, key);
	if (!isfinite(value))
		value = 0;
	n = snprintf(text, sizeof(text), "%.*f", decimals, value);
	if (strchr(text, '.') != NULL) {
		while (text[n - 1] == '0')
			n--;
		n -= text[n - 1] == '.';
	}
	if (n == 2 && memcmp(text, "-0", 2) == 0)
		n = snprintf(text, sizeof(text), "0");
	put(j, text, (size_t)n);
}

void
json_bool(struct json *j, const char *key, bool value)
{
	begin(j, key);
	put(j, value ? "true" : "false", value ? 4 : 5);
}

void
json_eve_time(struct json *j, const char *key, int64_t ns)
{
	/* Before 1970, too, the fraction counts up from the second. */
	int64_t fraction = (ns % 1000000000 + 1000000000) % 1000000000;
	time_t seconds = (time_t)(ns / 1000000000 - (ns % 1000000000 < 0));
	struct tm utc;
	char text[64];
	size_t n;

	gmtime_r(&seconds, &utc);
	n = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(text + n, sizeof(text) - n, ".%06d+0000",
	    (int)(fraction / 1000));
	json_text(j, key, text);
}

int
json_write(struct json *j, FILE *out)
{
	put_char(j, '\n');
	if (j->failed)
		return -1;
	return fwrite(j->text, 1, j->length, out) == j->length ? 0 : -1;
}
