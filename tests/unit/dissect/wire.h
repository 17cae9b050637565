/*
 * TCP segments between two ends, and what an engine makes of them.
 *
 *	struct wire w = wire_open((struct wire){ 0 });
 *	wire_shake(&w);
 *	c(&w, 0, 0, "EHLO a\r\n");	client's octets from offset 0, the
 *					server's acknowledged up to 0
 *	cr_assert_str_eq(wire_close(&w), "C@0 EHLO a\n...");
 *
 * Offsets are stream offsets: 0 is the first octet behind the SYN.
 */
#ifndef TESTS_UNIT_DISSECT_WIRE_H
#define TESTS_UNIT_DISSECT_WIRE_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "dissect/native.h"

#define WIRE_TEXT_BYTES 65536

struct wire {
	/* How it is set up; 0 is what a test wants mostly. */
	size_t flows_max;
	size_t out_of_order_bytes_max;
	uint32_t client_isn, server_isn;
	uint16_t client_port, server_port;
	bool any_port, v6;
	enum interest (*interest)(struct wire *, enum dir, struct slice);
	enum worth worth;
	size_t held_bytes; /* by each session */
	/* Takes the segments instead of an engine of this wire's own. */
	void (*sink)(void *context, const struct packet *);
	void *sink_context;

	/* What the next segment is like. */
	bool bad_sum;
	size_t snapped; /* octets that the capture cut off */
	uint8_t ttl;	/* 0: 64 */
	uint16_t ip_id;
	uint32_t ts_value; /* 0: no timestamp option */
	uint16_t urgent;   /* pointer */
	bool refused;	   /* opened() says no */

	struct native *native;
	struct counters counters;
	uint8_t mail_ports[8192], key[16];
	int64_t now_ns;
	int64_t clock_zero_ns; /* capture time at which the clock began */
	uint64_t frame;
	unsigned sessions;
	uint64_t delivered[2];
	char *text;
	size_t len;
};

static inline void
wire_note(struct wire *w, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	w->len += (size_t)vsnprintf(w->text + w->len, WIRE_TEXT_BYTES - w->len,
	    format, args);
	va_end(args);
	if (w->len >= WIRE_TEXT_BYTES)
		abort();
}

static inline char
wire_mark(enum dir dir)
{
	return dir == TO_SERVER ? 'C' : 'S';
}

static inline void *
wire_opened(void *context, const struct flow_start *start,
    const struct origin *at)
{
	struct wire *w = context;

	(void)at;
	if (w->refused)
		return NULL;
	w->sessions++;
	if (start->midstream)
		wire_note(w, "midstream\n");
	w->delivered[0] = w->delivered[1] = 0;
	return w;
}

static inline enum interest
wire_bytes(void *context, void *session, enum dir dir, struct slice bytes,
    const struct origin *at)
{
	struct wire *w = context;

	(void)session;
	/* What reassembly.h promises: in order, and each octet once. */
	if (bytes.len == 0 || at->stream_offset != w->delivered[dir])
		abort();
	w->delivered[dir] += bytes.len;
	wire_note(w, "%c@%llu%s %.*s\n", wire_mark(dir),
	    (unsigned long long)at->stream_offset,
	    at->one_sided ? " alone" : "", (int)bytes.len, bytes.ptr);
	return w->interest ? w->interest(w, dir, bytes) : INTEREST_NEGOTIATION;
}

static inline enum interest
wire_gap(void *context, void *session, enum dir dir, uint64_t missing,
    bool snapped, const struct origin *at)
{
	struct wire *w = context;

	(void)session;
	if (missing == 0 || at->stream_offset != w->delivered[dir])
		abort();
	w->delivered[dir] += missing;
	wire_note(w, "%c@%llu %s %llu\n", wire_mark(dir),
	    (unsigned long long)at->stream_offset, snapped ? "cut" : "gap",
	    (unsigned long long)missing);
	return w->interest ? w->interest(w, dir, slice_of(NULL, 0)) :
			     INTEREST_NEGOTIATION;
}

static inline void
wire_closed(void *context, void *session, enum ending ending, enum dir who,
    const uint64_t acked[2], const struct origin *at)
{
	struct wire *w = context;

	(void)session;
	(void)at;
	wire_note(w, "%s by %c, acked %llu %llu\n", ending_name(ending),
	    wire_mark(who), (unsigned long long)acked[TO_SERVER],
	    (unsigned long long)acked[TO_CLIENT]);
}

static inline enum worth
wire_worth(void *context, void *session)
{
	(void)session;
	return ((struct wire *)context)->worth;
}

static inline size_t
wire_held(void *context, void *session)
{
	(void)session;
	return ((struct wire *)context)->held_bytes;
}

static inline void
wire_open(struct wire *w)
{
	struct stream_listener listener = { .context = w,
		.opened = wire_opened,
		.bytes = wire_bytes,
		.gap = wire_gap,
		.closed = wire_closed,
		.worth = wire_worth,
		.held_bytes = wire_held };
	struct native_config config = {
		.flows_max = w->flows_max ? w->flows_max : 64,
		.out_of_order_bytes_max = w->out_of_order_bytes_max ?
		    w->out_of_order_bytes_max :
		    1 << 20,
		.any_port = w->any_port,
		.mail_ports = w->mail_ports,
		.key = w->key,
	};

	w->mail_ports[25 / 8] |= 1 << 25 % 8;
	w->client_port = w->client_port ? w->client_port : 40000;
	w->server_port = w->server_port ? w->server_port : 25;
	w->text = calloc(1, WIRE_TEXT_BYTES);
	w->native = native_create(&config, &listener, &w->counters);
	if (w->text == NULL || w->native == NULL)
		abort();
}

static inline void
put_be(uint8_t *out, uint64_t value, int octets)
{
	for (int i = 0; i < octets; i++)
		out[i] = (uint8_t)(value >> (8 * (octets - 1 - i)));
}

/* RFC 9293 3.1, counted anew here: the dissector's own sum is under test. */
static inline uint16_t
wire_sum(const struct packet *p, const uint8_t *tcp, size_t len)
{
	size_t octets = p->src.address.family == 6 ? 16 : 4;
	uint32_t sum = 6 + (uint32_t)len;

	for (size_t i = 0; i < octets; i++)
		sum += (uint32_t)(p->src.address.octets[i] +
			   p->dst.address.octets[i])
		    << (i % 2 ? 0 : 8);
	for (size_t i = 0; i < len; i++)
		sum += (uint32_t)tcp[i] << (i % 2 ? 0 : 8);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* The IPv4 header that belongs before a segment, which is `len` long. */
static inline void
wire_ipv4(const struct packet *p, size_t len, uint8_t out[20])
{
	memset(out, 0, 20);
	out[0] = 0x45;
	put_be(out + 2, 20 + len, 2);
	put_be(out + 4, p->number, 2);
	out[8] = 64;
	out[9] = 6;
	memcpy(out + 12, p->src.address.octets, 4);
	memcpy(out + 16, p->dst.address.octets, 4);
}

/* One segment with everything said. `seq` and `ack` are sequence numbers. */
static inline void
wire_segment(struct wire *w, enum dir dir, uint8_t flags, uint32_t seq,
    uint32_t ack, struct slice payload)
{
	size_t head = w->ts_value ? 32 : 20, kept = payload.len - w->snapped;
	uint8_t *tcp = calloc(1, head + payload.len);
	struct packet p = { .number = ++w->frame,
		.run_number = w->frame,
		.capture_ts_ns = ++w->now_ns,
		.clock_ns = w->now_ns - w->clock_zero_ns };
	struct endpoint *client = dir == TO_SERVER ? &p.src : &p.dst;
	struct endpoint *server = dir == TO_SERVER ? &p.dst : &p.src;
	uint8_t *exact;

	if (tcp == NULL)
		abort();
	client->address.family = server->address.family = w->v6 ? 6 : 4;
	client->address.octets[0] = 192;
	client->address.octets[3] = 1;
	server->address.octets[0] = 198;
	server->address.octets[3] = 2;
	put_be(tcp, dir == TO_SERVER ? w->client_port : w->server_port, 2);
	put_be(tcp + 2, dir == TO_SERVER ? w->server_port : w->client_port, 2);
	put_be(tcp + 4, seq, 4);
	put_be(tcp + 8, ack, 4);
	tcp[12] = (uint8_t)(head / 4 << 4);
	tcp[13] = flags;
	put_be(tcp + 14, 64240, 2); /* window */
	put_be(tcp + 18, w->urgent, 2);
	if (w->ts_value) {
		memcpy(tcp + 20, "\1\1\10\12", 4);
		put_be(tcp + 24, w->ts_value, 4);
	}
	if (payload.len > 0)
		memcpy(tcp + head, payload.ptr, payload.len);
	put_be(tcp + 16, wire_sum(&p, tcp, head + payload.len) ^ w->bad_sum, 2);
	exact = malloc(20 + head + kept);
	if (exact == NULL)
		abort();
	wire_ipv4(&p, head + payload.len, exact);
	memcpy(exact + 20, tcp, head + kept);
	p.ip = w->v6 ? NULL : exact;
	if (packet_decode_tcp(slice_of(exact + 20, head + kept),
		(uint32_t)(head + payload.len), &w->counters, &p) != PACKET_TCP)
		abort();
	p.ttl = w->ttl ? w->ttl : 64;
	p.ip_id = w->ip_id;
	p.has_ts = w->ts_value != 0;
	p.ts_value = w->ts_value;
	if (w->sink != NULL)
		w->sink(w->sink_context, &p);
	else
		native_segment(w->native, &p);
	free(exact);
	free(tcp);
}

static inline uint32_t
wire_base(const struct wire *w, enum dir dir)
{
	return (dir == TO_SERVER ? w->client_isn : w->server_isn) + 1;
}

static inline void
wire_send(struct wire *w, enum dir dir, uint8_t flags, uint64_t offset,
    uint64_t acked, const char *text)
{
	wire_segment(w, dir, flags, wire_base(w, dir) + (uint32_t)offset,
	    wire_base(w, dir_peer(dir)) + (uint32_t)acked, slice_str(text));
}

static inline void
c(struct wire *w, uint64_t offset, uint64_t acked, const char *text)
{
	wire_send(w, TO_SERVER, TCP_ACK, offset, acked, text);
}

static inline void
s(struct wire *w, uint64_t offset, uint64_t acked, const char *text)
{
	wire_send(w, TO_CLIENT, TCP_ACK, offset, acked, text);
}

static inline void
wire_syn(struct wire *w)
{
	wire_segment(w, TO_SERVER, TCP_SYN, w->client_isn, 0,
	    slice_of(NULL, 0));
}

static inline void
wire_syn_ack(struct wire *w)
{
	wire_segment(w, TO_CLIENT, TCP_SYN | TCP_ACK, w->server_isn,
	    w->client_isn + 1, slice_of(NULL, 0));
}

static inline void
wire_shake(struct wire *w)
{
	wire_syn(w);
	wire_syn_ack(w);
	c(w, 0, 0, "");
}

static inline uint64_t
wire_counted(const struct wire *w, enum counter counter)
{
	return w->counters.of[counter];
}

/* The end of the capture; what was delivered since the beginning. */
static inline const char *
wire_finish(struct wire *w)
{
	native_finish(w->native);
	return w->text;
}

static inline void
wire_free(struct wire *w)
{
	native_destroy(w->native);
	free(w->text);
}

#endif
