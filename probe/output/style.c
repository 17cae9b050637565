#include "style.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "utf8.h"

#define COLUMNS_MIN 40
#define COLUMNS_MAX 160 /* wider, and the eye loses the line */

static bool colored;

void
style_color(bool on)
{
	colored = on;
}

const char *
style(enum tone tone)
{
	static const char *const escapes[] = { "", "\033[31m", "\033[33m",
		"\033[2m", "\033[1m" };

	return colored ? escapes[tone] : "";
}

const char *
style_end(void)
{
	return colored ? "\033[0m" : "";
}

bool
style_utf8(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

int
style_columns(void)
{
	const char *said = getenv("COLUMNS");
	int columns = said == NULL ? 0 : atoi(said);
	struct winsize size;

	if (columns <= 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
		columns = size.ws_col;
	return columns <= 0	  ? 0 :
	    columns < COLUMNS_MIN ? COLUMNS_MIN :
	    columns > COLUMNS_MAX ? COLUMNS_MAX :
				    columns;
}

/* Where text is wrapped. */
static int
text_columns(void)
{
	int columns = style_columns();

	return columns > 0 ? columns : 100;
}

int
style_length(struct slice text)
{
	int columns = 0;
	uint32_t value;

	while (text.len > 0) {
		size_t n = utf8_decode(text.ptr, text.len, &value);

		text = slice_after(text, n > 0 ? n : 1);
		columns++;
	}
	return columns;
}

const char *
style_count(uint64_t value, char out[32])
{
	char digits[24];
	int n = snprintf(digits, sizeof(digits), "%llu",
		(unsigned long long)value),
	    j = 0;

	for (int i = 0; i < n; i++) {
		if (i > 0 && (n - i) % 3 == 0)
			out[j++] = ',';
		out[j++] = digits[i];
	}
	out[j] = '\0';
	return out;
}

const char *
style_bytes(uint64_t bytes, char out[32])
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB" };
	double value = (double)bytes;
	int unit = 0;

	while (value >= 1000 && unit < 4) {
		value /= 1000;
		unit++;
	}
	snprintf(out, 32, unit == 0 ? "%.0f %s" : "%.1f %s", value,
	    units[unit]);
	return out;
}

static void
format_time(int64_t ns, const char *format, char out[32])
{
	time_t seconds = (time_t)(ns / 1000000000 - (ns % 1000000000 < 0));
	struct tm utc;

	gmtime_r(&seconds, &utc);
	strftime(out, 32, format, &utc);
}

const char *
style_time(int64_t ns, char out[32])
{
	format_time(ns, "%Y-%m-%d %H:%M:%S", out);
	return out;
}

const char *
style_rfc3339(int64_t ns, char out[32])
{
	format_time(ns, "%Y-%m-%dT%H:%M:%SZ", out);
	return out;
}

const char *
style_clock(int64_t ns, char out[32])
{
	int64_t millis = (ns % 1000000000 + 1000000000) % 1000000000 / 1000000;
	size_t n;

	format_time(ns, "%H:%M:%S", out);
	n = strlen(out);
	snprintf(out + n, 32 - n, ".%03d", (int)millis);
	return out;
}

const char *
style_safe(const char *text, char out[SAFE_BYTES])
{
	size_t n = 0;

	for (; *text != '\0' && n + 5 < SAFE_BYTES; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x20 || c == 0x7f)
			n += (size_t)snprintf(out + n, SAFE_BYTES - n,
			    "\\x%02X", c);
		else
			out[n++] = (char)c;
	}
	out[n] = '\0';
	return out;
}

void
style_paragraph(FILE *out, const char *label, int indent, const char *text)
{
	int width = text_columns() - 1, column = indent;

	fprintf(out, "%s%-*s%s", style(TONE_BOLD), indent, label, style_end());
	while (*text != '\0') {
		struct slice word = slice_of(text, strcspn(text, " "));
		int n = style_length(word);

		if (column > indent && column + 1 + n > width) {
			fprintf(out, "\n%*s", indent, "");
			column = indent;
		} else if (column > indent) {
			fputc(' ', out);
			column++;
		}
		column = style_put(out, word, column, indent, width);
		text += word.len;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}

int
style_put(FILE *out, struct slice text, int column, int indent, int width)
{
	uint32_t value;

	while (text.len > 0) {
		size_t n = utf8_decode(text.ptr, text.len, &value);

		if (width > 0 && column >= width) {
			fprintf(out, "\n%*s", indent, "");
			column = indent;
		}
		n = n > 0 ? n : 1;
		fwrite(text.ptr, 1, n, out);
		text = slice_after(text, n);
		column++;
	}
	return column;
}
