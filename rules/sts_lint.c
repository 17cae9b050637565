#include "sts_lint.h"

#include <stdio.h>

void
sts_lint_vadd(struct sts_lint_list *list, enum sts_severity severity,
    unsigned line, unsigned column, const char *code, const char *format,
    va_list args)
{
	struct sts_lint *row;

	if (list == NULL)
		return;
	if (list->count == STS_LINT_MAX) {
		list->unlisted++;
		return;
	}
	row = &list->rows[list->count++];
	row->severity = severity;
	row->line = line;
	row->column = column;
	row->code = code;
	vsnprintf(row->text, sizeof(row->text), format, args);
}

void
sts_lint_add(struct sts_lint_list *list, enum sts_severity severity,
    unsigned line, unsigned column, const char *code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	sts_lint_vadd(list, severity, line, column, code, format, args);
	va_end(args);
}

static bool
comes_before(const struct sts_lint *a, const struct sts_lint *b)
{
	return a->line != b->line ? a->line < b->line : a->column < b->column;
}

void
sts_lint_sort(struct sts_lint_list *list)
{
	for (unsigned i = 1; i < list->count; i++) {
		struct sts_lint row = list->rows[i];
		unsigned k = i;

		for (; k > 0 && comes_before(&row, &list->rows[k - 1]); k--)
			list->rows[k] = list->rows[k - 1];
		list->rows[k] = row;
	}
}

const char *
sts_quote(struct slice bytes, char out[STS_QUOTE_BYTES])
{
	enum { LONGEST = 4, DOTS = 3 }; /* "\xNN", "..." */
	size_t n = 0;

	for (size_t i = 0; i < bytes.len; i++) {
		uint8_t c = bytes.ptr[i];

		if (n + LONGEST + DOTS >= STS_QUOTE_BYTES) {
			memcpy(out + n, "...", DOTS);
			n += DOTS;
			break;
		}
		if (c >= ' ' && c <= '~' && c != '\\')
			out[n++] = (char)c;
		else
			n += (size_t)snprintf(out + n, LONGEST + 1, "\\x%02X",
			    c);
	}
	out[n] = '\0';
	return out;
}
