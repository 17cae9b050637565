/*
 * rules/host_name.h - is this a host name, and how is it compared?
 *
 * Letters, digits, hyphens (RFC 952, RFC 1123 2.1), labels of 1 to 63 octets
 * and 253 in all (RFC 1035 2.3.4), in A-label form. A name whose last label
 * is a number is an address, whatever it looks like (RFC 1123 2.1).
 */
#ifndef RULES_HOST_NAME_H
#define RULES_HOST_NAME_H

#include <stdbool.h>

#include "dissect/slice.h"

#define HOST_NAME_MAX_BYTES 253 /* without the final dot */
#define HOST_NAME_BYTES 256	/* room for any, and a NUL */

enum host_name_fault {
	HOST_NAME_OK,
	HOST_NAME_EMPTY,     /* nothing, or an empty label */
	HOST_NAME_TOO_LONG,  /* a label over 63, or all over 253 */
	HOST_NAME_HYPHEN,    /* a label begins or ends with one */
	HOST_NAME_CHARACTER, /* anything but letters, digits, hyphens */
	HOST_NAME_NON_ASCII, /* a U-label: wants its A-label */
	HOST_NAME_NUMERIC,   /* dotted quad: the last label is a number */
};

/*
 * The grammar of `Domain` (RFC 5321 4.1.2), no final dot; `at` (may be NULL)
 * is set to the offset of the fault. HOST_NAME_NUMERIC keeps to that grammar.
 */
enum host_name_fault host_name_check(struct slice, size_t *at);
/* "is empty", "has a label over 63 octets", ... */
const char *host_name_fault_text(enum host_name_fault);

/* One final dot is allowed. */
bool host_name_valid(struct slice);
/* Lower case, final dot stripped. False, `out` empty: not valid. */
bool host_name_normalize(struct slice, char out[HOST_NAME_BYTES]);

#endif
