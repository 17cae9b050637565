#include "fact.h"

#include <endian.h>

static const char *const code_names[FACT_CODES] = {
#define FACT(id, name, text) name,
#include "fact.def"
#undef FACT
};

static const char *const verb_names[VERBS] = { "none", "ehlo", "helo",
	"starttls", "mail", "rcpt", "data", "bdat", "rset", "noop", "quit",
	"auth", "vrfy", "expn", "help", "etrn", "xclient", "xforward", "lhlo",
	"other", "body" };

static const char *const ending_names[ENDINGS] = { "fin", "rst", "expired",
	"capture-end", "evicted", "reused" };

static const char *const decision_names[DECISIONS] = { "ehlo-answered",
	"starttls-answered", "after-220", "handshake-ended", "auth-accepted",
	"mail-accepted", "data-accepted", "message-accepted", "closed",
	"expired", "dns-answered" };

static uint8_t *
put_le16(uint8_t *out, uint16_t value)
{
	value = htole16(value);
	memcpy(out, &value, sizeof(value));
	return out + sizeof(value);
}

static uint8_t *
put_le32(uint8_t *out, uint32_t value)
{
	value = htole32(value);
	memcpy(out, &value, sizeof(value));
	return out + sizeof(value);
}

static uint8_t *
put_le64(uint8_t *out, uint64_t value)
{
	value = htole64(value);
	memcpy(out, &value, sizeof(value));
	return out + sizeof(value);
}

static uint16_t
get_le16(const uint8_t *in)
{
	uint16_t value;

	memcpy(&value, in, sizeof(value));
	return le16toh(value);
}

static uint32_t
get_le32(const uint8_t *in)
{
	uint32_t value;

	memcpy(&value, in, sizeof(value));
	return le32toh(value);
}

static uint64_t
get_le64(const uint8_t *in)
{
	uint64_t value;

	memcpy(&value, in, sizeof(value));
	return le64toh(value);
}

/*
 * A header is five words of 64 bits, each written and read as one, so that
 * what was just written is read without waiting. Numbers that do not fit have
 * their upper halves in two words more.
 *
 *   code:8 about:8 dir:1 wide:1 0:14 flags:16 observability:16
 *   value:32 line:16 capture:16
 *   capture_ts_ns:64
 *   frame:32 stream_offset:32
 *   extent:32 length:16 reserved:16
 *   wide: frame:32 stream_offset:32
 *         extent:32 capture:16 length:16
 */
#define WORDS 5
#define WIDE_WORDS 2
#define DIR_BIT 16
#define WIDE_BIT 17
#define FORM_MASK 0xffff0000 /* both, and what is 0 */

static uint64_t
upper_halves(const struct fact *fact, size_t length)
{
	return fact->frame >> 32 | fact->stream_offset >> 32 |
	    fact->extent >> 32 | fact->capture >> 16 | length >> 16;
}

size_t
fact_encode(const struct fact *fact, struct slice bytes, uint8_t *out)
{
	uint8_t *begin = out;
	bool wide = upper_halves(fact, bytes.len) != 0;

	out = put_le64(out,
	    (uint64_t)fact->code | (uint64_t)fact->about << 8 |
		(uint64_t)fact->dir << DIR_BIT | (uint64_t)wide << WIDE_BIT |
		(uint64_t)fact->flags << 32 |
		(uint64_t)fact->observability << 48);
	out = put_le64(out,
	    (uint64_t)fact->value | (uint64_t)fact->line << 32 |
		(uint64_t)(fact->capture & 0xffff) << 48);
	out = put_le64(out, (uint64_t)fact->capture_ts_ns);
	out = put_le64(out,
	    (fact->frame & UINT32_MAX) | fact->stream_offset << 32);
	out = put_le64(out,
	    (fact->extent & UINT32_MAX) | (uint64_t)(bytes.len & 0xffff) << 32 |
		(uint64_t)fact->reserved << 48);
	if (wide) {
		out = put_le64(out,
		    fact->frame >> 32 | fact->stream_offset >> 32 << 32);
		out = put_le64(out,
		    fact->extent >> 32 | (uint64_t)(fact->capture >> 16) << 32 |
			(uint64_t)(bytes.len >> 16) << 48);
	}
	if (bytes.len > 0)
		memcpy(out, bytes.ptr, bytes.len);
	return (size_t)(out - begin) + bytes.len;
}

static bool
is_wide(const uint8_t *encoded)
{
	return get_le64(encoded) >> WIDE_BIT & 1;
}

static size_t
header_bytes(const uint8_t *encoded)
{
	return (is_wide(encoded) ? WORDS + WIDE_WORDS : WORDS) *
	    sizeof(uint64_t);
}

/* What of a header's numbers is in its last two words. */
static void
decode_wide(const uint8_t *p, struct fact *fact)
{
	uint64_t place = get_le64(p), extent = get_le64(p + 8);

	fact->frame |= place << 32;
	fact->stream_offset |= place >> 32 << 32;
	fact->extent |= extent << 32;
	fact->capture |= (uint32_t)(extent >> 32) << 16;
	fact->length |= (uint32_t)(extent >> 48) << 16;
}

bool
fact_decode(struct slice *in, struct fact *fact, struct slice *bytes)
{
	const uint8_t *p = in->ptr;
	uint64_t kind, value, place, extent;
	size_t header;

	if (in->len < WORDS * sizeof(uint64_t) ||
	    in->len < (header = header_bytes(p)))
		return false;
	kind = get_le64(p);
	value = get_le64(p + 8);
	place = get_le64(p + 24);
	extent = get_le64(p + 32);
	fact->code = kind & 0xff;
	fact->about = (uint8_t)(kind >> 8);
	fact->dir = kind >> DIR_BIT & 1;
	fact->flags = (uint16_t)(kind >> 32);
	fact->observability = (uint16_t)(kind >> 48);
	fact->value = (uint32_t)value;
	fact->line = (uint16_t)(value >> 32);
	fact->capture = (uint32_t)(value >> 48);
	fact->session = 0;
	fact->capture_ts_ns = (int64_t)get_le64(p + 16);
	fact->frame = place & UINT32_MAX;
	fact->stream_offset = place >> 32;
	fact->extent = extent & UINT32_MAX;
	fact->length = (uint32_t)(extent >> 32) & 0xffff;
	fact->reserved = (uint16_t)(extent >> 48);
	if (is_wide(p))
		decode_wide(p + WORDS * sizeof(uint64_t), fact);
	if (fact->code >= FACT_CODES || fact->about >= VERBS ||
	    (kind & FORM_MASK) >> (WIDE_BIT + 1) != 0 ||
	    fact->length > in->len - header ||
	    (fact->code == FACT_CLOSED && fact->value >= ENDINGS))
		return false;
	*bytes = slice_of(p + header, fact->length);
	*in = slice_after(*in, header + fact->length);
	return true;
}

size_t
fact_mark_acked(uint8_t *encoded, const uint64_t acked[2])
{
	uint64_t kind = get_le64(encoded), place = get_le64(encoded + 24);
	uint64_t last = get_le64(encoded + 32);
	uint64_t offset = place >> 32, extent = last & UINT32_MAX;
	size_t length = last >> 32 & 0xffff;

	if (is_wide(encoded)) {
		place = get_le64(encoded + 40);
		last = get_le64(encoded + 48);
		offset |= place >> 32 << 32;
		extent |= last << 32;
		length |= last >> 48 << 16;
	}
	if (extent > 0 && offset + extent <= acked[kind >> DIR_BIT & 1])
		put_le64(encoded, kind | (uint64_t)FACT_ACKED << 32);
	return header_bytes(encoded) + length;
}

static uint8_t *
put_endpoint(uint8_t *out, const struct endpoint *endpoint)
{
	*out++ = endpoint->address.family;
	memcpy(out, endpoint->address.octets, 16);
	return put_le16(out + 16, endpoint->port);
}

static const uint8_t *
get_endpoint(const uint8_t *in, struct endpoint *endpoint)
{
	endpoint->address.family = *in++;
	memcpy(endpoint->address.octets, in, 16);
	endpoint->port = get_le16(in + 16);
	return in + 18;
}

void
flow_identity_encode(const struct flow_identity *id,
    uint8_t out[FLOW_IDENTITY_BYTES])
{
	uint8_t bits = (uint8_t)(id->has_client_isn | id->has_server_isn << 1 |
	    id->on_mail_port << 2);

	out = put_endpoint(out, &id->client);
	out = put_endpoint(out, &id->server);
	out = put_le32(out, id->has_client_isn ? id->client_isn : 0);
	out = put_le32(out, id->has_server_isn ? id->server_isn : 0);
	put_le16(out, bits);
}

static bool
family_known(const struct endpoint *endpoint)
{
	return endpoint->address.family == 4 || endpoint->address.family == 6;
}

bool
flow_identity_decode(struct slice in, struct flow_identity *id)
{
	const uint8_t *p = in.ptr;
	uint16_t bits;

	memset(id, 0, sizeof(*id));
	if (in.len != FLOW_IDENTITY_BYTES)
		return false;
	p = get_endpoint(p, &id->client);
	p = get_endpoint(p, &id->server);
	id->client_isn = get_le32(p);
	id->server_isn = get_le32(p + 4);
	bits = get_le16(p + 8);
	id->has_client_isn = bits & 1;
	id->has_server_isn = bits & 2;
	id->on_mail_port = bits & 4;
	return family_known(&id->client) && family_known(&id->server);
}

void
segment_copy_encode(const struct segment_copy *copy,
    uint8_t out[SEGMENT_COPY_BYTES])
{
	out = put_le64(out, copy->frame);
	out = put_le64(out, (uint64_t)copy->capture_ts_ns);
	out = put_le32(out, copy->seq);
	out = put_le32(out, copy->ack);
	out = put_le32(out, copy->length);
	out = put_le32(out, copy->has_ts ? copy->ts_value : 0);
	out = put_le16(out, copy->ip_id);
	out = put_le16(out, copy->window);
	*out++ = copy->ttl;
	*out++ = copy->tcp_flags;
	*out++ = copy->sum;
	*out = copy->has_ts;
}

bool
segment_copy_decode(struct slice *in, struct segment_copy *copy)
{
	const uint8_t *p = in->ptr;

	if (in->len < SEGMENT_COPY_BYTES)
		return false;
	copy->frame = get_le64(p);
	copy->capture_ts_ns = (int64_t)get_le64(p + 8);
	copy->seq = get_le32(p + 16);
	copy->ack = get_le32(p + 20);
	copy->length = get_le32(p + 24);
	copy->ts_value = get_le32(p + 28);
	copy->ip_id = get_le16(p + 32);
	copy->window = get_le16(p + 34);
	copy->ttl = p[36];
	copy->tcp_flags = p[37];
	copy->sum = p[38];
	copy->has_ts = p[39] & 1;
	*in = slice_after(*in, SEGMENT_COPY_BYTES);
	return copy->sum <= SUM_WRONG;
}

const char *
fact_code_name(enum fact_code code)
{
	return code_names[code];
}

const char *
verb_name(enum verb verb)
{
	return verb_names[verb];
}

const char *
ending_name(enum ending ending)
{
	return ending_names[ending];
}

const char *
decision_name(enum decision decision)
{
	return decision_names[decision];
}
