/*
 * rules/sts_lint.h - what is wrong, or odd, with an MTA-STS policy or record.
 *
 * Severity says who cares: an error is refused by every careful sender, a
 * tolerated breach of the grammar by some of them; a warning keeps to the
 * grammar, but the value is out of range or can be of no use; a note is
 * legal and probably not meant. Texts cite the RFC's section.
 */
#ifndef RULES_STS_LINT_H
#define RULES_STS_LINT_H

#include <stdarg.h>
#include <stdbool.h>

#include "dissect/slice.h"

#define STS_LINT_MAX 32
#define STS_LINT_TEXT_BYTES 160

enum sts_severity {
	STS_ERROR,
	STS_TOLERATED,
	STS_WARNING,
	STS_NOTE,
};

struct sts_lint {
	enum sts_severity severity;
	unsigned line, column;		/* from 1; columns count octets */
	const char *code;		/* stable, kebab-case */
	char text[STS_LINT_TEXT_BYTES]; /* printable ASCII */
};

struct sts_lint_list {
	unsigned count;
	unsigned unlisted; /* that found no room */
	struct sts_lint rows[STS_LINT_MAX];
};

/* NULL as the list: says nothing. A full list counts in `unlisted`. */
void sts_lint_add(struct sts_lint_list *, enum sts_severity, unsigned line,
    unsigned column, const char *code, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

void sts_lint_vadd(struct sts_lint_list *, enum sts_severity, unsigned line,
    unsigned column, const char *code, const char *format, va_list)
    __attribute__((format(printf, 6, 0)));

/* By line and column; what stands at one place keeps its order. */
void sts_lint_sort(struct sts_lint_list *);

#define STS_QUOTE_BYTES 64
/* For texts: the bytes with what is not printable ASCII as \xNN, cut with
 * "..." when they are long. Returns `out`. */
const char *sts_quote(struct slice, char out[STS_QUOTE_BYTES]);

#endif
