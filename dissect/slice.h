/*
 * dissect/slice.h - borrowed bytes, and a cursor that reads them safely.
 *
 * A slice does not own what it points to and does not outlive the call it was
 * handed to. Every integer on the wire is big-endian; it becomes host order
 * here and nowhere else. A cursor that ran out stays so (`short_read`), hence
 * a parser may read a whole header and check once.
 */
#ifndef DISSECT_SLICE_H
#define DISSECT_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
	const uint8_t *ptr;
	size_t len;
};

struct cursor {
	struct slice rest;
	bool short_read;
};

/* What a parser says of bytes that may not have come in whole yet. */
enum parse {
	PARSE_OK,
	PARSE_NEED_MORE,
	PARSE_MALFORMED,
};

static inline struct slice
slice_of(const void *ptr, size_t len)
{
	return (struct slice){ ptr, len };
}

/* For literals and other NUL-terminated strings of our own, never the wire's. */
static inline struct slice
slice_str(const char *text)
{
	return slice_of(text, strlen(text));
}

static inline bool
slice_equal(struct slice a, struct slice b)
{
	return a.len == b.len &&
	    (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline uint8_t
ascii_upper(uint8_t c)
{
	return c >= 'a' && c <= 'z' ? (uint8_t)(c - 'a' + 'A') : c;
}

/* ASCII letters compare without case, as SMTP's keywords do (RFC 5321 2.4). */
static inline bool
slice_equal_nocase(struct slice a, struct slice b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (ascii_upper(a.ptr[i]) != ascii_upper(b.ptr[i]))
			return false;
	return true;
}

/* Drops the first `count` bytes, or all there are. */
static inline struct slice
slice_after(struct slice s, size_t count)
{
	if (count > s.len)
		count = s.len;
	return (struct slice){ s.len ? s.ptr + count : s.ptr, s.len - count };
}

static inline struct slice
slice_first(struct slice s, size_t count)
{
	return (struct slice){ s.ptr, count < s.len ? count : s.len };
}

static inline struct cursor
cursor_over(struct slice s)
{
	return (struct cursor){ s, false };
}

/* An empty slice, and `short_read`, when fewer than `count` are left. */
static inline struct slice
cursor_take(struct cursor *c, size_t count)
{
	struct slice taken = { c->rest.ptr, count };

	if (c->short_read || c->rest.len < count) {
		c->short_read = true;
		return (struct slice){ c->rest.ptr, 0 };
	}
	c->rest = slice_after(c->rest, count);
	return taken;
}

/* Written out: compilers make one load and a swap of it. The caller has seen
 * to it that the octets are there. */
static inline uint16_t
be16_at(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t
be32_at(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
}

static inline uint8_t
cursor_u8(struct cursor *c)
{
	const uint8_t *p = cursor_take(c, 1).ptr;

	return c->short_read ? 0 : p[0];
}

static inline uint16_t
cursor_be16(struct cursor *c)
{
	const uint8_t *p = cursor_take(c, 2).ptr;

	return c->short_read ? 0 : be16_at(p);
}

static inline uint32_t
cursor_be24(struct cursor *c)
{
	const uint8_t *p = cursor_take(c, 3).ptr;

	if (c->short_read)
		return 0;
	return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

static inline uint32_t
cursor_be32(struct cursor *c)
{
	const uint8_t *p = cursor_take(c, 4).ptr;

	return c->short_read ? 0 : be32_at(p);
}

#endif
