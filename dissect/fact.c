#include "fact.h"

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

/* Written out: compilers make one store, or one load, of each. */
static uint8_t *
put_le16(uint8_t *out, uint16_t value)
{
	out[0] = (uint8_t)value;
	out[1] = (uint8_t)(value >> 8);
	return out + 2;
}

static uint8_t *
put_le32(uint8_t *out, uint32_t value)
{
	out[0] = (uint8_t)value;
	out[1] = (uint8_t)(value >> 8);
	out[2] = (uint8_t)(value >> 16);
	out[3] = (uint8_t)(value >> 24);
	return out + 4;
}

static uint8_t *
put_le64(uint8_t *out, uint64_t value)
{
	put_le32(out, (uint32_t)value);
	return put_le32(out + 4, (uint32_t)(value >> 32));
}

static uint16_t
get_le16(const uint8_t *in)
{
	return (uint16_t)(in[0] | in[1] << 8);
}

static uint32_t
get_le32(const uint8_t *in)
{
	return in[0] | (uint32_t)in[1] << 8 | (uint32_t)in[2] << 16 |
	    (uint32_t)in[3] << 24;
}

static uint64_t
get_le64(const uint8_t *in)
{
	return get_le32(in) | (uint64_t)get_le32(in + 4) << 32;
}

void
fact_encode(const struct fact *fact, struct slice bytes, uint8_t *out)
{
	out = put_le16(out, fact->code);
	*out++ = fact->dir;
	*out++ = fact->about;
	out = put_le16(out, fact->flags);
	out = put_le16(out, fact->observability);
	out = put_le16(out, fact->line);
	out = put_le16(out, fact->reserved);
	out = put_le32(out, fact->value);
	out = put_le64(out, fact->session);
	out = put_le64(out, fact->frame);
	out = put_le64(out, (uint64_t)fact->capture_ts_ns);
	out = put_le64(out, fact->stream_offset);
	out = put_le64(out, fact->extent);
	out = put_le32(out, fact->capture);
	out = put_le32(out, (uint32_t)bytes.len);
	if (bytes.len > 0)
		memcpy(out, bytes.ptr, bytes.len);
}

bool
fact_decode(struct slice *in, struct fact *fact, struct slice *bytes)
{
	const uint8_t *p = in->ptr;

	if (in->len < FACT_HEADER_BYTES)
		return false;
	fact->code = get_le16(p);
	fact->dir = p[2];
	fact->about = p[3];
	fact->flags = get_le16(p + 4);
	fact->observability = get_le16(p + 6);
	fact->line = get_le16(p + 8);
	fact->reserved = get_le16(p + 10);
	fact->value = get_le32(p + 12);
	fact->session = get_le64(p + 16);
	fact->frame = get_le64(p + 24);
	fact->capture_ts_ns = (int64_t)get_le64(p + 32);
	fact->stream_offset = get_le64(p + 40);
	fact->extent = get_le64(p + 48);
	fact->capture = get_le32(p + 56);
	fact->length = get_le32(p + 60);
	if (fact->code >= FACT_CODES || fact->dir > TO_CLIENT ||
	    fact->about >= VERBS ||
	    fact->length > in->len - FACT_HEADER_BYTES ||
	    (fact->code == FACT_CLOSED && fact->value >= ENDINGS))
		return false;
	*bytes = slice_of(in->ptr + FACT_HEADER_BYTES, fact->length);
	*in = slice_after(*in, FACT_HEADER_BYTES + fact->length);
	return true;
}

size_t
fact_mark_acked(uint8_t *encoded, const uint64_t acked[2])
{
	uint64_t offset = get_le64(encoded + 40);
	uint64_t extent = get_le64(encoded + 48);

	if (extent > 0 && offset + extent <= acked[encoded[2]])
		encoded[4] |= FACT_ACKED;
	return FACT_HEADER_BYTES + get_le32(encoded + 60);
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
