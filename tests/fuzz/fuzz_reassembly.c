/*
 * Reassembly: three octets at the head set the engine up, then segments of
 * one or several flows, each of eight octets that say who sends what: octets
 * of a stream that is known in advance, or forged ones.
 *
 * Whatever is sent: each octet of a direction is delivered once and in order,
 * gaps included; without forgery all that is delivered is what the sender
 * sent; no callback comes for a session that is closed; the budgets hold.
 */
#include <stdlib.h>

#include "dissect/native.h"

#define FLOWS 4
#define SESSIONS_MAX 512

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(bool condition)
{
	if (!condition)
		abort();
}

struct session {
	uint64_t offset[2];
	bool open, lingers; /* it lingers when it is not open any more */
	uint8_t interest;
};

struct world {
	struct session sessions[SESSIONS_MAX];
	size_t opened, open;
	bool honest; /* nobody forges */
	bool begins; /* every flow is seen from its SYN */
	size_t flows_max;
};

/* What a stream says at an offset. */
static uint8_t
octet_at(enum dir dir, uint64_t offset)
{
	return (uint8_t)(offset * 7 + (offset >> 8) * 3 + (dir ? 91 : 17));
}

static void *
on_opened(void *context, const struct flow_start *start,
    const struct origin *at)
{
	struct world *w = context;
	struct session *s;

	(void)start;
	(void)at;
	if (w->opened == SESSIONS_MAX)
		return NULL;
	s = &w->sessions[w->opened++];
	*s = (struct session){ .open = true,
		.interest = (uint8_t)(w->opened % 3) };
	must(++w->open <= w->flows_max);
	return s;
}

/* Interest changes on the way, as that of a dialogue does. */
static enum interest
interest_of(struct session *s)
{
	uint64_t seen = s->offset[0] + s->offset[1];

	if (s->interest == 0)
		return seen < 60 ? INTEREST_NEGOTIATION : INTEREST_BYTES;
	if (s->interest == 1)
		return seen < 60 ? INTEREST_NEGOTIATION : INTEREST_OPAQUE;
	return INTEREST_NEGOTIATION;
}

static enum interest
on_bytes(void *context, void *session, enum dir dir, struct slice bytes,
    const struct origin *at)
{
	struct world *w = context;
	struct session *s = session;

	must(s->open && bytes.len > 0);
	must(at->stream_offset == s->offset[dir]);
	for (size_t i = 0; w->honest && w->begins && i < bytes.len; i++)
		must(bytes.ptr[i] == octet_at(dir, s->offset[dir] + i));
	s->offset[dir] += bytes.len;
	return interest_of(s);
}

static enum interest
on_gap(void *context, void *session, enum dir dir, uint64_t missing,
    bool snapped, const struct origin *at)
{
	struct session *s = session;

	(void)context;
	(void)snapped;
	must(s->open && missing > 0);
	must(at->stream_offset == s->offset[dir]);
	s->offset[dir] += missing;
	return interest_of(s);
}

static void
on_closed(void *context, void *session, enum ending ending, enum dir who,
    const uint64_t acked[2], const struct origin *at)
{
	struct world *w = context;
	struct session *s = session;

	(void)who;
	(void)acked;
	(void)at;
	must(s->open && ending < ENDINGS);
	s->open = false;
	if (!s->lingers)
		w->open--;
}

static void
on_segment(void *context, void *session, enum dir dir, const struct packet *p,
    enum sum sum, const struct sent *sent)
{
	struct session *s = session;

	(void)context;
	must(segment_tells(p));
	(void)sent;
	must(s->open || s->lingers);
	must(dir <= TO_CLIENT && sum <= SUM_UNCHECKED);
}

static bool
on_lingers(void *context, void *session)
{
	struct session *s = session;

	(void)context;
	must(s->open && !s->lingers);
	s->lingers = s->offset[0] & 1;
	return s->lingers;
}

static void
on_forgotten(void *context, void *session)
{
	struct world *w = context;
	struct session *s = session;

	must(!s->open && s->lingers);
	s->lingers = false;
	w->open--;
}

static size_t
held_bytes(void *context, void *session)
{
	(void)context;
	return ((struct session *)session)->interest;
}

static enum worth
worth_of(void *context, void *session)
{
	struct session *s = session;

	(void)context;
	must(s->open);
	return (enum worth)((s->offset[0] + s->offset[1]) / 16 % WORTHS);
}

static void
on_acked(void *context, void *session, const uint64_t acked[2])
{
	(void)context;
	(void)acked;
	must(((struct session *)session)->open);
}

/* One segment: head, flow and direction, place, length, what is odd. */
static void
send_segment(struct native *n, struct cursor *c, bool honest, uint64_t number)
{
	uint8_t who = cursor_u8(c), flags = cursor_u8(c) & 0x17;
	uint16_t offset = cursor_be16(c) % 512, acked = cursor_be16(c) % 512;
	uint8_t len = cursor_u8(c) % 100, odd = cursor_u8(c);
	enum dir dir = who & 1 ? TO_CLIENT : TO_SERVER;
	uint32_t isn = (who >> 4) * 0x0fffffffu, payload_bytes = len;
	uint8_t payload[128];
	struct packet p = { .kind = PACKET_TCP,
		.number = number,
		.run_number = number,
		.capture_ts_ns = (int64_t)number * (odd & 64 ? 1 << 28 : 1000),
		.seq = isn + 1 + offset,
		.ack = isn + 1 + acked,
		.flags = flags,
		.payload = payload,
		.tcp = payload,
		.payload_wire_bytes = len };
	struct endpoint *client = dir == TO_SERVER ? &p.src : &p.dst;
	struct endpoint *server = dir == TO_SERVER ? &p.dst : &p.src;

	if (odd & 128)
		p.capture_ts_ns = number & 1 ? INT64_MAX : INT64_MIN;
	if (flags & TCP_SYN) {
		p.seq = isn;
		p.payload_wire_bytes = payload_bytes = 0;
	}
	for (uint32_t i = 0; i < payload_bytes; i++)
		payload[i] = octet_at(dir, offset + i);
	if (!honest && odd & 1)
		p.seq += 0x1234567u * (odd >> 1);
	if (!honest && odd & 2)
		p.ack += 0x7654321u * (odd >> 2);
	if (!honest && odd & 4 && payload_bytes > 0)
		payload[0] ^= 0xff;
	/* Cut by snaplen, so that sums are not asked for either. */
	p.payload_bytes = odd & 8 ? payload_bytes / 2 : payload_bytes;
	client->address.family = server->address.family = 4;
	server->address.octets[0] = 1;
	client->port = 40000 + (who >> 1) % FLOWS;
	server->port = who & 8 ? 8025 : 25;
	native_segment(n, &p);
}

/* The handshake of every flow, so that offset 0 is where the streams begin. */
static void
shake(struct native *n, uint8_t who)
{
	for (int i = 0; i < 2; i++) {
		uint8_t bytes[8] = { (uint8_t)(who | i),
			i ? TCP_SYN | TCP_ACK : TCP_SYN };
		struct cursor c = cursor_over(slice_of(bytes, 8));

		send_segment(n, &c, true, 1);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world world;
	static const uint8_t key[16] = "0123456789abcdef";
	static uint8_t mail_ports[8192];
	struct stream_listener listener = { &world, on_opened, on_bytes, on_gap,
		on_closed, worth_of, held_bytes, on_acked, on_segment,
		on_lingers, on_forgotten };
	struct counters counters = { 0 };
	struct cursor c = cursor_over(slice_of(data, size));
	uint8_t setup = cursor_u8(&c), room = cursor_u8(&c);
	struct native_config config = {
		.flows_max = 1 + (setup >> 2 & 3),
		.out_of_order_bytes_max = room * 16u,
		.any_port = setup & 128,
		.mail_ports = mail_ports,
		.key = key,
	};
	struct native *n = native_create(&config, &listener, &counters);
	uint64_t number = 1;

	must(n != NULL);
	memset(&world, 0, sizeof(world));
	mail_ports[25 / 8] = 1 << 25 % 8;
	world.flows_max = config.flows_max;
	world.honest = setup & 1;
	/* One flow, one numbering, from its SYN to the end of the input. */
	world.begins = setup & 2;
	if (world.begins)
		shake(n, 0);
	while (c.rest.len >= 8) {
		struct cursor segment = cursor_over(cursor_take(&c, 8));
		uint8_t bytes[8];

		memcpy(bytes, segment.rest.ptr, 8);
		if (world.begins) {
			bytes[0] &= 1;
			bytes[1] &= TCP_ACK | TCP_FIN;
		}
		segment = cursor_over(slice_of(bytes, 8));
		send_segment(n, &segment, world.honest, ++number);
		/* A flow that expires may be picked up again midstream. */
		if (bytes[7] == 255 && !world.begins)
			native_expire(n, (int64_t)number << 34);
		if (bytes[7] == 254 && !world.begins)
			(void)native_relieve(n, (int64_t)number << 34);
	}
	native_finish(n);
	must(world.open == 0);
	native_destroy(n);
	return 0;
}
