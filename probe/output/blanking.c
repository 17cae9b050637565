#include "blanking.h"

#include <string.h>

#define TLS_HEADER_BYTES 5 /* RFC 8446 5.1 */
#define TLS_ALERT 21
#define TLS_HANDSHAKE 22
#define TLS_CHANGE_CIPHER_SPEC 20

static bool
is_line(const struct fact *fact)
{
	return fact->code == FACT_GREETING || fact->code == FACT_COMMAND ||
	    fact->code == FACT_REPLY || fact->code == FACT_EHLO_REPLY ||
	    fact->code == FACT_AUTH_EXCHANGE || fact->code == FACT_EXTRA_BYTES;
}

static bool
is_blanked(const struct fact *fact, struct slice bytes, size_t at)
{
	return fact->flags & FACT_REDACTED && bytes.ptr[at] == REDACTED_OCTET;
}

/* The line and the payload, where they overlap: [from, until) of the stream. */
static bool
overlap(const struct stretch *s, const struct fact *fact, uint64_t *from,
    uint64_t *until)
{
	uint64_t end = s->stream_offset + s->payload.len;
	uint64_t line_end = fact->stream_offset + fact->extent;

	*from = s->stream_offset > fact->stream_offset ? s->stream_offset :
							 fact->stream_offset;
	*until = end < line_end ? end : line_end;
	return *from < *until;
}

/* What follows the line's text is its end and nothing else. */
static bool
fits(const struct fact *fact, struct slice bytes, uint64_t at, uint8_t octet)
{
	if (at >= bytes.len)
		return fact->flags & FACT_CUT || octet == '\r' || octet == '\n';
	return is_blanked(fact, bytes, (size_t)at) || bytes.ptr[at] == octet;
}

static void
show_line(const struct stretch *s, const struct fact *fact, struct slice bytes,
    bool *shown)
{
	uint64_t from, until;

	if (!overlap(s, fact, &from, &until))
		return;
	for (uint64_t o = from; o < until; o++)
		if (!fits(fact, bytes, o - fact->stream_offset,
			s->payload.ptr[o - s->stream_offset]))
			return;
	for (uint64_t o = from; o < until; o++) {
		uint64_t at = o - fact->stream_offset;
		uint8_t octet = s->payload.ptr[o - s->stream_offset];

		shown[o - s->stream_offset] = at < bytes.len ?
		    !is_blanked(fact, bytes, (size_t)at) :
		    octet == '\r' || octet == '\n';
	}
}

/* Heads of records, and what is not application data; a head that is cut by
 * the end of a segment ends what is known. */
static void
show_records(const struct stretch *s, struct record_walk *walk, bool *shown)
{
	const uint8_t *p = s->payload.ptr;
	size_t at = 0, left;

	if (s->stream_offset > walk->end)
		return;
	left = (size_t)(walk->end - s->stream_offset);
	if (left > s->payload.len)
		left = s->payload.len;
	memset(shown, walk->type <= TLS_HANDSHAKE, left);
	for (at = left; at + TLS_HEADER_BYTES <= s->payload.len; at += left) {
		uint8_t type = p[at];

		if (type < TLS_CHANGE_CIPHER_SPEC || type > TLS_HANDSHAKE + 1 ||
		    p[at + 1] != 3)
			return;
		left = TLS_HEADER_BYTES + ((size_t)p[at + 3] << 8 | p[at + 4]);
		walk->type = type;
		walk->end = s->stream_offset + at + left;
		if (left > s->payload.len - at)
			left = s->payload.len - at;
		memset(shown + at, 1, TLS_HEADER_BYTES);
		memset(shown + at + TLS_HEADER_BYTES, type <= TLS_HANDSHAKE,
		    left - TLS_HEADER_BYTES);
	}
}

/* Where TLS begins in that direction; UINT64_MAX: nowhere. */
static uint64_t
tls_offset(enum dir dir, struct slice facts)
{
	enum fact_code first = dir == TO_SERVER ? FACT_TLS_CLIENT_HELLO :
						  FACT_TLS_SERVER_HELLO;
	struct slice bytes;
	struct fact fact;

	while (fact_decode(&facts, &fact, &bytes))
		if (fact.code == first)
			return fact.stream_offset;
	return UINT64_MAX;
}

void
blanking_shown(const struct stretch *s, struct slice facts,
    struct record_walk *walk, bool *shown)
{
	uint64_t tls = tls_offset(s->dir, facts);
	struct slice rest = facts, bytes;
	struct fact fact;

	memset(shown, 0, s->payload.len);
	if (s->stream_offset >= tls) {
		if (walk->end < tls)
			walk->end = tls;
		show_records(s, walk, shown);
		return;
	}
	while (fact_decode(&rest, &fact, &bytes))
		if (is_line(&fact) && fact.dir == s->dir)
			show_line(s, &fact, bytes, shown);
}
