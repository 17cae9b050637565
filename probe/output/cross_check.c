#include "cross_check.h"

#include "style.h"

#define EXCERPT_BYTES 160

/* `~` for what was blanked, and as text of a message quotes it otherwise. */
static void
quote(struct slice line, char *out, size_t room)
{
	size_t n = 0;

	if (line.len == 0) {
		snprintf(out, room, "(not shown)");
		return;
	}
	out[n++] = '"';
	for (size_t i = 0; i < line.len && n + 8 < room; i++) {
		uint8_t c = line.ptr[i];

		if (c == 0xff)
			out[n++] = '~';
		else if (c >= ' ' && c <= '~' && c != '"' && c != '\\')
			out[n++] = (char)c;
		else
			n += (size_t)snprintf(out + n, room - n, "\\x%02x", c);
	}
	snprintf(out + n, room - n, "\"");
}

static const char *
shape_text(unsigned shape)
{
	switch (shape) {
	case CROSS_NOTHING:
		return "nothing";
	case CROSS_LESS:
		return "no more";
	case CROSS_MORE:
		return "more";
	default:
		return "other octets";
	}
}

const char *
cross_check_text(const struct cross_difference *d, char out[CROSS_TEXT_BYTES])
{
	char client[ENDPOINT_TEXT_BYTES], server[ENDPOINT_TEXT_BYTES];
	char native[EXCERPT_BYTES], libnids[EXCERPT_BYTES];

	quote(d->native, native, sizeof(native));
	quote(d->libnids, libnids, sizeof(libnids));
	snprintf(out, CROSS_TEXT_BYTES,
	    "cross-check: session %s -> %s, to the %s, stream offset %llu: "
	    "libnids delivers %s; native has %s, libnids %s",
	    endpoint_format(&d->identity.client, client),
	    endpoint_format(&d->identity.server, server),
	    d->dir == TO_SERVER ? "server" : "client",
	    (unsigned long long)d->stream_offset, shape_text(d->shape), native,
	    libnids);
	return out;
}

void
cross_check_summary(FILE *out, const struct cross_totals *t)
{
	char a[32], b[32], c[32], d[32];
	uint64_t known = t->sessions - t->agree - t->unknown;

	fprintf(out,
	    "\nSecond engine, libnids: %s negotiation%s compared, %s agree, "
	    "%s differ%s as known,\n%s in a new way\n",
	    style_count(t->sessions, a), t->sessions == 1 ? "" : "s",
	    style_count(t->agree, b), style_count(known, c),
	    known == 1 ? "s" : "", style_count(t->unknown, d));
	for (int i = 0; i < KNOWN_DIFFERENCES; i++)
		if (t->known[i] > 0)
			fprintf(out, "  %-13s%10s   %s\n",
			    cross_check_known_name((enum known_difference)i),
			    style_count(t->known[i], a),
			    cross_check_known_text((enum known_difference)i));
}
