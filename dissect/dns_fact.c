#include "dns_fact.h"

/* Little-endian, as all of a fact is. */
static uint8_t *
put_le(uint8_t *out, uint64_t value, int octets)
{
	for (int i = 0; i < octets; i++)
		out[i] = (uint8_t)(value >> 8 * i);
	return out + octets;
}

static uint64_t
get_le(struct cursor *in, unsigned octets)
{
	struct slice taken = cursor_take(in, octets);
	uint64_t value = 0;

	for (size_t i = 0; i < taken.len; i++)
		value |= (uint64_t)taken.ptr[i] << 8 * i;
	return value;
}

static uint8_t *
put_bytes(uint8_t *out, struct slice bytes)
{
	if (bytes.len > 0)
		memcpy(out, bytes.ptr, bytes.len);
	return out + bytes.len;
}

static uint8_t *
put_end(uint8_t *out, const struct endpoint *end)
{
	*out++ = end->address.family;
	out = put_bytes(out, slice_of(end->address.octets, 16));
	return put_le(out, end->port, 2);
}

/* False: of no known family. */
static bool
get_end(struct cursor *in, struct endpoint *end)
{
	struct slice octets;

	end->address.family = cursor_u8(in);
	octets = cursor_take(in, 16);
	memset(end->address.octets, 0, 16);
	if (octets.len == 16)
		memcpy(end->address.octets, octets.ptr, 16);
	end->port = (uint16_t)get_le(in, 2);
	return end->address.family == 4 || end->address.family == 6;
}

size_t
dns_asked_encode(const struct dns_asked *asked, uint8_t *out)
{
	uint8_t *start = out;

	out = put_end(out, &asked->client);
	out = put_end(out, &asked->resolver);
	out = put_le(out, asked->type, 2);
	out = put_le(out, (uint64_t)asked->last_ns, 8);
	out = put_le(out, asked->name.len, 1);
	return (size_t)(put_bytes(out, asked->name) - start);
}

size_t
dns_said_encode(const struct dns_said *said, uint8_t *out, size_t room)
{
	uint8_t *start = out;

	if (10 + said->owner.len + said->value.len > room)
		return 0;
	out = put_le(out, said->type, 2);
	out = put_le(out, said->ttl_s, 4);
	out = put_le(out, said->in_answer, 1);
	out = put_le(out, said->owner.len, 1);
	out = put_bytes(out, said->owner);
	out = put_le(out, said->value.len, 2);
	return (size_t)(put_bytes(out, said->value) - start);
}

bool
dns_asked_decode(struct slice *in, struct dns_asked *asked)
{
	struct cursor c = cursor_over(*in);
	bool known = get_end(&c, &asked->client);

	known = get_end(&c, &asked->resolver) && known;
	asked->type = (uint16_t)get_le(&c, 2);
	asked->last_ns = (int64_t)get_le(&c, 8);
	asked->name = cursor_take(&c, cursor_u8(&c));
	if (c.short_read || !known)
		return false;
	*in = c.rest;
	return true;
}

bool
dns_said_decode(struct slice *in, struct dns_said *said)
{
	struct cursor c = cursor_over(*in);

	said->type = (uint16_t)get_le(&c, 2);
	said->ttl_s = (uint32_t)get_le(&c, 4);
	said->in_answer = cursor_u8(&c) != 0;
	said->owner = cursor_take(&c, cursor_u8(&c));
	said->value = cursor_take(&c, (size_t)get_le(&c, 2));
	if (c.short_read)
		return false;
	*in = c.rest;
	return true;
}
