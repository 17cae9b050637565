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
	"expired" };

static uint8_t *
put_le(uint8_t *out, uint64_t value, int octets)
{
	for (int i = 0; i < octets; i++)
		out[i] = (uint8_t)(value >> (8 * i));
	return out + octets;
}

static uint64_t
get_le(const uint8_t **in, int octets)
{
	uint64_t value = 0;

	for (int i = 0; i < octets; i++)
		value |= (uint64_t)(*in)[i] << (8 * i);
	*in += octets;
	return value;
}

void
fact_encode(const struct fact *fact, struct slice bytes, uint8_t *out)
{
	out = put_le(out, fact->code, 2);
	out = put_le(out, fact->dir, 1);
	out = put_le(out, fact->about, 1);
	out = put_le(out, fact->flags, 2);
	out = put_le(out, fact->observability, 2);
	out = put_le(out, fact->line, 2);
	out = put_le(out, fact->reserved, 2);
	out = put_le(out, fact->value, 4);
	out = put_le(out, fact->session, 8);
	out = put_le(out, fact->frame, 8);
	out = put_le(out, (uint64_t)fact->capture_ts_ns, 8);
	out = put_le(out, fact->stream_offset, 8);
	out = put_le(out, fact->extent, 8);
	out = put_le(out, fact->capture, 4);
	out = put_le(out, bytes.len, 4);
	if (bytes.len > 0)
		memcpy(out, bytes.ptr, bytes.len);
}

bool
fact_decode(struct slice *in, struct fact *fact, struct slice *bytes)
{
	const uint8_t *p = in->ptr;

	if (in->len < FACT_HEADER_BYTES)
		return false;
	fact->code = (uint16_t)get_le(&p, 2);
	fact->dir = (uint8_t)get_le(&p, 1);
	fact->about = (uint8_t)get_le(&p, 1);
	fact->flags = (uint16_t)get_le(&p, 2);
	fact->observability = (uint16_t)get_le(&p, 2);
	fact->line = (uint16_t)get_le(&p, 2);
	fact->reserved = (uint16_t)get_le(&p, 2);
	fact->value = (uint32_t)get_le(&p, 4);
	fact->session = get_le(&p, 8);
	fact->frame = get_le(&p, 8);
	fact->capture_ts_ns = (int64_t)get_le(&p, 8);
	fact->stream_offset = get_le(&p, 8);
	fact->extent = get_le(&p, 8);
	fact->capture = (uint32_t)get_le(&p, 4);
	fact->length = (uint32_t)get_le(&p, 4);
	if (fact->code >= FACT_CODES || fact->dir > TO_CLIENT ||
	    fact->about >= VERBS ||
	    fact->length > in->len - FACT_HEADER_BYTES ||
	    (fact->code == FACT_CLOSED && fact->value >= ENDINGS))
		return false;
	*bytes = slice_of(in->ptr + FACT_HEADER_BYTES, fact->length);
	*in = slice_after(*in, FACT_HEADER_BYTES + fact->length);
	return true;
}

static uint8_t *
put_endpoint(uint8_t *out, const struct endpoint *endpoint)
{
	*out++ = endpoint->address.family;
	memcpy(out, endpoint->address.octets, 16);
	return put_le(out + 16, endpoint->port, 2);
}

static void
get_endpoint(const uint8_t **in, struct endpoint *endpoint)
{
	endpoint->address.family = (uint8_t)get_le(in, 1);
	memcpy(endpoint->address.octets, *in, 16);
	*in += 16;
	endpoint->port = (uint16_t)get_le(in, 2);
}

void
flow_identity_encode(const struct flow_identity *id,
    uint8_t out[FLOW_IDENTITY_BYTES])
{
	uint8_t bits = (uint8_t)(id->has_client_isn | id->has_server_isn << 1 |
	    id->on_mail_port << 2);

	out = put_endpoint(out, &id->client);
	out = put_endpoint(out, &id->server);
	out = put_le(out, id->has_client_isn ? id->client_isn : 0, 4);
	out = put_le(out, id->has_server_isn ? id->server_isn : 0, 4);
	put_le(out, bits, 2);
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
	uint64_t bits;

	memset(id, 0, sizeof(*id));
	if (in.len != FLOW_IDENTITY_BYTES)
		return false;
	get_endpoint(&p, &id->client);
	get_endpoint(&p, &id->server);
	id->client_isn = (uint32_t)get_le(&p, 4);
	id->server_isn = (uint32_t)get_le(&p, 4);
	bits = get_le(&p, 2);
	id->has_client_isn = bits & 1;
	id->has_server_isn = bits & 2;
	id->on_mail_port = bits & 4;
	return family_known(&id->client) && family_known(&id->server);
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
