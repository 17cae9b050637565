#include "body_digest.h"

void
body_digest_begin(struct body_digest *d, const uint8_t key[16], bool dots)
{
	*d = (struct body_digest){ .in_header = true, .dots = dots };
	siphash_stream_begin(&d->whole, key);
	siphash_stream_begin(&d->content, key);
}

/* RFC 5322 2.1: an empty line ends the header. */
static void
add(struct body_digest *d, uint8_t c)
{
	siphash_stream_add(&d->whole, c);
	if (!d->in_header)
		siphash_stream_add(&d->content, c);
	if (c == '\n') {
		d->in_header = d->in_header && d->in_line;
		d->in_line = false;
	} else if (c != '\r') {
		d->in_line = true;
	}
}

/* A dot that begins a line is stuffed, or with CR LF it is the end: it waits
 * until what follows tells. */
static void
add_stuffed(struct body_digest *d, uint8_t c)
{
	static const uint8_t end[] = { '.', '\r', '\n' };

	if (!d->in_line && c == end[d->held]) {
		d->held++;
		if (d->held == sizeof(end))
			d->held = 0;
		return;
	}
	if (d->held == 2)
		add(d, '\r');
	d->held = 0;
	add(d, c);
}

void
body_digest_add(struct body_digest *d, struct slice bytes)
{
	for (size_t i = 0; i < bytes.len; i++) {
		if (d->dots)
			add_stuffed(d, bytes.ptr[i]);
		else
			add(d, bytes.ptr[i]);
	}
}

void
body_digest_end(const struct body_digest *d, uint8_t out[BODY_DIGEST_BYTES])
{
	uint64_t sums[2] = { siphash_stream_sum(&d->whole),
		siphash_stream_sum(&d->content) };

	for (int i = 0; i < BODY_DIGEST_BYTES; i++)
		out[i] = (uint8_t)(sums[i / 8] >> 8 * (i % 8));
}
