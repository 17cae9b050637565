/*
 * tests/bench/hostile - writes captures that mean harm, and friendly ones to
 * measure them by.
 *
 *	hostile [--frames N] [--at-a-time N] [--victim own|shared] NAME FILE
 *
 * The same octets on every machine; about N frames. With a victim, one session
 * whose STARTTLS is garbled runs from the first to the last of them: it has
 * come to its EHLO when they begin, and goes on every now and then, at
 * addresses of its own, or at those from which everything else comes as well.
 * `hostile` without arguments lists the names. See growth beside this file,
 * and tests/run/floods.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conversation.h"

#define VICTIM_STEPS 27 /* frames of a garbled session with a short mail */
#define VICTIM_BEGUN 6	/* up to its EHLO */
#define VICTIM_BYTES 600
#define SEGMENT_BYTES 100
/* More than any queue of segments holds. */
#define WINDOW_SEGMENTS 300

struct hostile {
	struct wire *wire;
	uint64_t random, frames, victim_at;
	uint32_t at_a_time;
	struct ends ends; /* of the flow at hand */
	uint32_t seq[2];  /* next, by side */
	uint32_t serial;
	bool victim, shared;
	struct conversation prey;
	struct conversation *table; /* of the friendly ones */
	uint32_t open;
};

static const struct line {
	enum side from;
	const char *text;
} dialogue[] = {
	{ SERVER, "220 mx.example.net ESMTP Postfix\r\n" },
	{ CLIENT, "EHLO out.example.org\r\n" },
	{ SERVER,
	    "250-mx.example.net\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n"
	    "250-ETRN\r\n250-STARTTLS\r\n250-ENHANCEDSTATUSCODES\r\n"
	    "250-8BITMIME\r\n250 DSN\r\n" },
	{ CLIENT, "QUIT\r\n" },
	{ SERVER, "221 2.0.0 Bye\r\n" },
};
#define LINES (sizeof(dialogue) / sizeof(*dialogue))

/* --- frames -------------------------------------------------------------- */

/* A frame has been written: is it the victim's turn? */
static void
after_frame(struct hostile *h)
{
	if (!h->victim || wire_frames(h->wire) < h->victim_at)
		return;
	h->victim = conversation_step(&h->prey, h->wire, &h->random);
	h->victim_at += h->frames / (VICTIM_STEPS - VICTIM_BEGUN + 1);
}

/* What is said but not sent (`lost`) counts in the stream all the same. */
static void
say(struct hostile *h, enum side from, uint8_t flags, const void *payload,
    size_t len, bool lost)
{
	if (!lost) {
		wire_tcp(h->wire, &h->ends, from, h->seq[from],
		    h->seq[1 - from], flags, payload, len);
		after_frame(h);
	}
	h->seq[from] += (uint32_t)len + (flags & (WIRE_SYN | WIRE_FIN) ? 1 : 0);
}

/* Another flow to a mail server, from anywhere. */
static void
next_flow(struct hostile *h, bool ipv6)
{
	uint64_t bits = next_random(&h->random);

	h->serial++;
	memset(&h->ends, 0, sizeof(h->ends));
	if (h->shared) {
		h->ends = h->prey.ends;
	} else {
		/* 10.0.0.0/8, or a /64 of RFC 5180's. */
		h->ends.ipv6 = ipv6;
		memcpy(h->ends.address[CLIENT],
		    ipv6 ? "\x20\1\0\2\0\7" : "\x0a", ipv6 ? 6 : 1);
		memcpy(h->ends.address[SERVER],
		    ipv6 ? "\x20\1\0\2\0\1" : "\xc6\x13\0\1", ipv6 ? 6 : 4);
		memcpy(h->ends.address[CLIENT] + (ipv6 ? 13 : 1), &bits, 3);
	}
	h->ends.port[SERVER] = 25;
	h->ends.port[CLIENT] = (uint16_t)(1024 + (bits >> 32) % 60000);
	/* Not the victim's own. */
	if (h->ends.port[CLIENT] == h->prey.ends.port[CLIENT])
		h->ends.port[CLIENT]++;
	h->seq[CLIENT] = (uint32_t)next_random(&h->random);
	h->seq[SERVER] = (uint32_t)next_random(&h->random);
}

static void
shake_hands(struct hostile *h)
{
	say(h, CLIENT, WIRE_SYN, NULL, 0, false);
	say(h, SERVER, WIRE_SYN | WIRE_ACK, NULL, 0, false);
	say(h, CLIENT, WIRE_ACK, NULL, 0, false);
}

static void
say_line(struct hostile *h, const struct line *line)
{
	say(h, line->from, WIRE_ACK | WIRE_PSH, line->text, strlen(line->text),
	    false);
}

/* A session that has come to the reply to its EHLO. */
static void
begin_session(struct hostile *h)
{
	next_flow(h, false);
	shake_hands(h);
	say_line(h, &dialogue[0]);
	say_line(h, &dialogue[1]);
}

/* --- floods -------------------------------------------------------------- */

static void
flood_syn(struct hostile *h)
{
	next_flow(h, h->serial % 5 == 0);
	say(h, CLIENT, WIRE_SYN, NULL, 0, false);
}

static void
flood_syn_ack(struct hostile *h)
{
	next_flow(h, h->serial % 5 == 0);
	say(h, SERVER, WIRE_SYN | WIRE_ACK, NULL, 0, false);
}

/* At flows that there are not, and, blindly, at one that there is. */
static void
flood_rst(struct hostile *h)
{
	next_flow(h, false);
	if (h->victim && h->serial % 2)
		h->ends = h->prey.ends;
	say(h, h->serial % 4 < 2 ? CLIENT : SERVER, WIRE_RST, NULL, 0, false);
}

/* One segment each, amid a flow of which there was nothing before. */
static void
flood_data(struct hostile *h)
{
	static const struct line lines[] = {
		{ CLIENT, "EHLO out.example.org\r\n" },
		{ SERVER, "220 mx.example.net ESMTP Postfix\r\n" },
		{ CLIENT, "MAIL FROM:<a@example.org>\r\n" },
		{ SERVER, "250-mx.example.net\r\n250 STARTTLS\r\n" },
		{ CLIENT, "and so on" },
	};

	next_flow(h, false);
	say_line(h, &lines[h->serial % 5]);
}

/* Everybody shakes hands and waits. */
static void
flood_silent(struct hostile *h)
{
	next_flow(h, h->serial % 5 == 0);
	shake_hands(h);
}

/* Whatever adds or XORs address and port finds all of these in one place. */
static void
flood_collide(struct hostile *h)
{
	uint32_t n = h->serial % 60000;

	next_flow(h, false);
	h->ends.address[CLIENT][1] = 0;
	h->ends.address[CLIENT][2] = (uint8_t)(n >> 8);
	h->ends.address[CLIENT][3] = (uint8_t)n;
	h->ends.port[CLIENT] = (uint16_t)(61000 - n);
	say(h, CLIENT, WIRE_SYN, NULL, 0, false);
	say(h, SERVER, WIRE_SYN | WIRE_ACK, NULL, 0, false);
}

/* --- streams ------------------------------------------------------------- */

/* A dialogue, an octet a segment. */
static void
stream_tiny(struct hostile *h)
{
	next_flow(h, false);
	shake_hands(h);
	for (size_t i = 0; i < LINES; i++)
		for (const char *c = dialogue[i].text; *c != '\0'; c++)
			say(h, dialogue[i].from, WIRE_ACK | WIRE_PSH, c, 1,
			    false);
}

/* Lines of an EHLO reply that never ends. */
static void
fill_lines(uint8_t *out)
{
	memset(out, 'X', SEGMENT_BYTES);
	memcpy(out, "250-", 4);
	memcpy(out + SEGMENT_BYTES - 2, "\r\n", 2);
}

/* Every second segment does not come. */
static void
stream_withheld(struct hostile *h)
{
	uint8_t out[SEGMENT_BYTES];

	fill_lines(out);
	begin_session(h);
	for (int i = 0; i < 2 * WINDOW_SEGMENTS; i++)
		say(h, SERVER, WIRE_ACK, out, sizeof(out), i % 2 == 0);
}

/* The first of a window comes last, and so on to its end. */
static void
stream_backwards(struct hostile *h)
{
	uint8_t out[SEGMENT_BYTES];
	uint32_t base;

	fill_lines(out);
	begin_session(h);
	base = h->seq[SERVER];
	for (uint32_t i = WINDOW_SEGMENTS; i > 0; i--) {
		h->seq[SERVER] = base + (i - 1) * SEGMENT_BYTES;
		say(h, SERVER, WIRE_ACK, out, sizeof(out), false);
	}
}

/* Each segment repeats all but an octet of the one before it. */
static void
stream_overlap(struct hostile *h)
{
	uint8_t out[SEGMENT_BYTES];

	fill_lines(out);
	begin_session(h);
	for (int i = 0; i < WINDOW_SEGMENTS; i++) {
		say(h, SERVER, WIRE_ACK, out, sizeof(out), false);
		h->seq[SERVER] -= SEGMENT_BYTES - 1;
	}
}

/* The same behind a hole, so that all of them wait. */
static void
stream_overlap_waiting(struct hostile *h)
{
	uint8_t out[SEGMENT_BYTES];

	fill_lines(out);
	begin_session(h);
	say(h, SERVER, WIRE_ACK, out, 1, true);
	for (int i = 0; i < WINDOW_SEGMENTS; i++) {
		say(h, SERVER, WIRE_ACK, out, sizeof(out), false);
		h->seq[SERVER] -= SEGMENT_BYTES - 1;
	}
}

/* --- fragments ----------------------------------------------------------- */

/* A segment in fragments of `len` octets, `step` apart, the last first. */
static void
send_fragments(struct hostile *h, bool ipv6, uint32_t len, uint32_t step)
{
	static const uint8_t text[1200] = "EHLO out.example.org\r\n";
	uint8_t bytes[WIRE_TCP_BYTES + sizeof(text)];
	uint32_t total;

	next_flow(h, ipv6);
	total = (uint32_t)wire_segment(h->wire, bytes, &h->ends, CLIENT,
	    h->seq[CLIENT], h->seq[SERVER], WIRE_ACK, text, sizeof(text));
	for (uint32_t at = total / step * step;; at -= step) {
		uint32_t rest = total - at, n = len < rest ? len : rest;
		struct wire_fragment f = { h->serial, at, n, at + n < total };

		if (n > 0) {
			wire_fragment(h->wire, &h->ends, CLIENT, &f, bytes);
			after_frame(h);
		}
		if (at == 0)
			break;
	}
}

static void
fragments_tiny4(struct hostile *h)
{
	send_fragments(h, false, 8, 8);
}

static void
fragments_tiny6(struct hostile *h)
{
	send_fragments(h, true, 8, 8);
}

static void
fragments_overlap4(struct hostile *h)
{
	send_fragments(h, false, 64, 8);
}

static void
fragments_overlap6(struct hostile *h)
{
	send_fragments(h, true, 64, 8);
}

/* Of each datagram only one fragment, far from its beginning every time. */
static void
fragments_incomplete(struct hostile *h)
{
	static const uint8_t bytes[65536];
	struct wire_fragment f = { 0, 8 * (h->serial % 8000), 8, true };

	next_flow(h, h->serial % 2);
	f.id = h->serial;
	wire_fragment(h->wire, &h->ends, CLIENT, &f, bytes);
	after_frame(h);
}

/* --- friendly ------------------------------------------------------------ */

static void
friendly(struct hostile *h, enum kind kind, uint32_t bulk_bytes)
{
	uint32_t i;

	while (h->open < h->at_a_time)
		conversation_begin(&h->table[h->open++], kind, h->serial++,
		    1000, bulk_bytes, &h->random);
	i = random_between(&h->random, 0, h->open - 1);
	if (!conversation_step(&h->table[i], h->wire, &h->random))
		h->table[i] = h->table[--h->open];
	after_frame(h);
}

static void
friendly_short(struct hostile *h)
{
	friendly(h, KIND_SHORT, 0);
}

static void
friendly_mail(struct hostile *h)
{
	friendly(h, KIND_CLEAR, 60000);
}

static const struct {
	const char *name, *text;
	void (*write)(struct hostile *);
} harms[] = {
	{ "short", "friendly: greeting, EHLO, QUIT", friendly_short },
	{ "mail", "friendly: mail in clear", friendly_mail },
	{ "syn", "SYN from anywhere", flood_syn },
	{ "syn-ack", "SYN-ACK to anywhere", flood_syn_ack },
	{ "rst", "RST at flows and at none", flood_rst },
	{ "data", "single segments of SMTP amid nothing", flood_data },
	{ "silent", "handshakes and then silence", flood_silent },
	{ "collide", "flows of equal sums and low bits", flood_collide },
	{ "tiny", "dialogues, an octet a segment", stream_tiny },
	{ "withheld", "every second segment never comes", stream_withheld },
	{ "backwards", "the first of a window comes last", stream_backwards },
	{ "overlap", "each segment repeats 99 octets of 100", stream_overlap },
	{ "overlap-waiting", "the same behind a hole", stream_overlap_waiting },
	{ "fragments4", "IPv4 fragments of 8 octets", fragments_tiny4 },
	{ "fragments6", "IPv6 fragments of 8 octets", fragments_tiny6 },
	{ "fragments-overlap4", "IPv4 fragments that overlap seven times",
	    fragments_overlap4 },
	{ "fragments-overlap6", "IPv6 fragments that overlap seven times",
	    fragments_overlap6 },
	{ "incomplete", "datagrams of one fragment", fragments_incomplete },
};
#define HARMS (sizeof(harms) / sizeof(*harms))

static int
usage(void)
{
	fprintf(stderr,
	    "usage: hostile [--frames N] [--at-a-time N] "
	    "[--victim own|shared] NAME FILE\n");
	for (size_t i = 0; i < HARMS; i++)
		printf("%s\t%s\n", harms[i].name, harms[i].text);
	return 2;
}

static int
write_capture(struct hostile *h, void (*write)(struct hostile *),
    const char *path)
{
	h->wire = wire_create(path);
	h->table = calloc(h->at_a_time, sizeof(*h->table));
	if (h->wire == NULL || h->table == NULL) {
		fprintf(stderr, "hostile: %s: %s\n", path, strerror(errno));
		return 1;
	}
	conversation_prepare(&h->random);
	conversation_begin(&h->prey, KIND_GARBLED, 7, 1, VICTIM_BYTES,
	    &h->random);
	for (int i = 0; h->victim && i < VICTIM_BEGUN; i++)
		conversation_step(&h->prey, h->wire, &h->random);
	while (wire_frames(h->wire) < h->frames)
		write(h);
	while (h->victim)
		h->victim = conversation_step(&h->prey, h->wire, &h->random);
	printf("%llu %llu\n", (unsigned long long)wire_frames(h->wire),
	    (unsigned long long)wire_bytes(h->wire));
	free(h->table);
	if (wire_close(h->wire) != 0) {
		fprintf(stderr, "hostile: %s: %s\n", path, strerror(errno));
		return 1;
	}
	return 0;
}

int
main(int argc, char **argv)
{
	struct hostile h = { .random = 25,
		.frames = 100000,
		.at_a_time = 2000 };
	int first = 1;

	for (; first + 1 < argc && argv[first][0] == '-'; first += 2) {
		const char *value = argv[first + 1];

		if (strcmp(argv[first], "--frames") == 0) {
			h.frames = strtoull(value, NULL, 10);
		} else if (strcmp(argv[first], "--at-a-time") == 0) {
			h.at_a_time = (uint32_t)strtoul(value, NULL, 10);
		} else if (strcmp(argv[first], "--victim") == 0) {
			h.victim = true;
			h.shared = strcmp(value, "shared") == 0;
		} else {
			return usage();
		}
	}
	if (first + 2 != argc || h.frames == 0 || h.at_a_time == 0)
		return usage();
	for (size_t i = 0; i < HARMS; i++)
		if (strcmp(argv[first], harms[i].name) == 0)
			return write_capture(&h, harms[i].write,
			    argv[first + 1]);
	return usage();
}
