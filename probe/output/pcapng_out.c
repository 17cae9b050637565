#include "pcapng_out.h"

#include <string.h>

enum {
	BLOCK_SECTION = 0x0a0d0d0a,
	BLOCK_INTERFACE = 1,
	BLOCK_PACKET = 6,
	OPTION_END = 0,
	OPTION_COMMENT = 1,
	OPTION_PROGRAM = 4,    /* of a section: shb_userappl */
	OPTION_RESOLUTION = 9, /* of an interface: if_tsresol */
};
#define COMMENT_MAX_BYTES 65535

static void
put_le(FILE *out, uint64_t value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		fputc((int)(value >> 8 * i & 0xff), out);
}

static size_t
padded(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

static void
put_padded(FILE *out, struct slice s)
{
	fwrite(s.ptr, 1, s.len, out);
	put_le(out, 0, (int)(padded(s.len) - s.len));
}

/* A text as an option; "" is none. */
static struct slice
option_text(const char *text)
{
	return slice_first(slice_str(text), COMMENT_MAX_BYTES);
}

static size_t
option_bytes(struct slice text)
{
	return text.len == 0 ? 0 : 4 + padded(text.len);
}

static void
put_option(FILE *out, unsigned code, struct slice text)
{
	if (text.len == 0)
		return;
	put_le(out, code, 2);
	put_le(out, text.len, 2);
	put_padded(out, text);
}

/* Head and tail of a block with `body` octets between them. */
static void
block_open(FILE *out, uint32_t type, size_t body)
{
	put_le(out, type, 4);
	put_le(out, 12 + body, 4);
}

static void
block_close(FILE *out, size_t body)
{
	put_le(out, OPTION_END, 4);
	put_le(out, 12 + body, 4);
}

void
pcapng_out_begin(FILE *out, const char *program, const char *comment)
{
	struct slice about = option_text(comment), by = option_text(program);
	size_t body = 16 + option_bytes(about) + option_bytes(by) + 4;

	block_open(out, BLOCK_SECTION, body);
	put_le(out, 0x1a2b3c4d, 4);
	put_le(out, 1, 2);
	put_le(out, 0, 2);
	put_le(out, UINT64_MAX, 8); /* the section's length is not told */
	put_option(out, OPTION_COMMENT, about);
	put_option(out, OPTION_PROGRAM, by);
	block_close(out, body);
}

void
pcapng_out_interface(FILE *out, uint32_t link_type, const char *comment)
{
	static const uint8_t nanoseconds = 9;
	struct slice about = option_text(comment);
	struct slice resolution = slice_of(&nanoseconds, 1);
	size_t body = 8 + option_bytes(about) + option_bytes(resolution) + 4;

	block_open(out, BLOCK_INTERFACE, body);
	put_le(out, link_type, 2);
	put_le(out, 0, 2);
	put_le(out, 0, 4); /* no snaplen */
	put_option(out, OPTION_COMMENT, about);
	put_option(out, OPTION_RESOLUTION, resolution);
	block_close(out, body);
}

void
pcapng_out_packet(FILE *out, const struct pcapng_packet *p)
{
	struct slice comment = option_text(p->comment);
	size_t body = 20 + padded(p->bytes.len) + option_bytes(comment) + 4;

	block_open(out, BLOCK_PACKET, body);
	put_le(out, p->interface, 4);
	put_le(out, (uint64_t)p->capture_ts_ns >> 32, 4);
	put_le(out, (uint64_t)p->capture_ts_ns & 0xffffffff, 4);
	put_le(out, p->bytes.len, 4);
	put_le(out, p->wire_bytes, 4);
	put_padded(out, p->bytes);
	put_option(out, OPTION_COMMENT, comment);
	block_close(out, body);
}
