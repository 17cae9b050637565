#include "html.h"

#include <stdarg.h>
#include <string.h>

#include "utf8.h"

/* Characters that change how others are shown, or show nothing (Unicode 15
 * general category Cf and the separators of lines and paragraphs). */
static bool
is_hidden(uint32_t c)
{
	return c == 0xad || c == 0x61c || c == 0x180e ||
	    (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	    (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
	    (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe007f);
}

static void
put_character(FILE *out, const uint8_t *p, size_t n, uint32_t c)
{
	switch (c) {
	case '<':
		fputs("&lt;", out);
		break;
	case '>':
		fputs("&gt;", out);
		break;
	case '&':
		fputs("&amp;", out);
		break;
	case '"':
		fputs("&quot;", out);
		break;
	case '\'':
		fputs("&#39;", out);
		break;
	default:
		if (c < 0x20 || (c >= 0x7f && c < 0xa0))
			fprintf(out, "\\x%02X", (unsigned)c);
		else if (is_hidden(c))
			fprintf(out, "\\u{%X}", (unsigned)c);
		else
			fwrite(p, 1, n, out);
	}
}

void
html_text(FILE *out, const char *text)
{
	const uint8_t *p = (const uint8_t *)text;
	size_t left = strlen(text);

	while (left > 0) {
		uint32_t value;
		size_t n = utf8_decode(p, left, &value);

		if (n == 0) {
			fprintf(out, "\\x%02X", *p);
			n = 1;
		} else {
			put_character(out, p, n, value);
		}
		p += n;
		left -= n;
	}
}

void
html_print(FILE *out, const char *markup, ...)
{
	va_list arguments;

	va_start(arguments, markup);
	for (const char *p = markup; *p != '\0'; p++) {
		if (*p != '%') {
			fputc(*p, out);
			continue;
		}
		switch (*++p) {
		case 's':
			html_text(out, va_arg(arguments, const char *));
			break;
		case 'u':
			fprintf(out, "%u", va_arg(arguments, unsigned));
			break;
		case 'g':
			fprintf(out, "%.4g", va_arg(arguments, double));
			break;
		default:
			fputc(*p, out);
		}
	}
	va_end(arguments);
}

void
html_json(FILE *out, struct slice json)
{
	while (json.len > 0) {
		const uint8_t *end = memchr(json.ptr, '<', json.len);
		size_t n = end == NULL ? json.len : (size_t)(end - json.ptr);

		fwrite(json.ptr, 1, n, out);
		if (end != NULL)
			fputs("\\u003c", out);
		json = slice_after(json, n + (end != NULL));
	}
}
