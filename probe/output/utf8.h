/*
 * probe/output/utf8.h - characters of UTF-8, RFC 3629.
 */
#ifndef PROBE_OUTPUT_UTF8_H
#define PROBE_OUTPUT_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* The length of the character at `p`, of which `left` octets are there, and
 * its code point; 0: it is none. */
size_t utf8_decode(const uint8_t *p, size_t left, uint32_t *value);

#endif
