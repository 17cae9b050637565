/*
 * A dialogue made up by chance: what both say, turn by turn. Whoever speaks
 * has heard all that was said before.
 */
#ifndef TESTS_UNIT_DISSECT_SCRIPT_H
#define TESTS_UNIT_DISSECT_SCRIPT_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "chance.h"
#include "dissect/fact.h"
#include "hello.h"

#define SCRIPT_STREAM_BYTES 65536
#define SCRIPT_TURNS_MAX 64

struct script {
	uint8_t stream[2][SCRIPT_STREAM_BYTES];
	uint32_t len[2]; /* by direction */
	struct {
		enum dir dir;
		uint32_t from, to; /* stream offsets */
	} turns[SCRIPT_TURNS_MAX];
	unsigned count;
	unsigned settled; /* the turn that ends the negotiation */
	bool tls;	  /* by TLS */
};

static inline void
script_add(struct script *s, enum dir dir, const void *bytes, size_t len)
{
	if (s->count == SCRIPT_TURNS_MAX ||
	    len > SCRIPT_STREAM_BYTES - s->len[dir])
		abort();
	memcpy(s->stream[dir] + s->len[dir], bytes, len);
	/* Two sayings in a row are one turn. */
	if (s->count == 0 || s->turns[s->count - 1].dir != dir) {
		s->turns[s->count].dir = dir;
		s->turns[s->count++].from = s->len[dir];
	}
	s->len[dir] += (uint32_t)len;
	s->turns[s->count - 1].to = s->len[dir];
}
#define script_octets(s, dir, literal) \
	script_add(s, dir, literal, sizeof(literal) - 1)

static inline void
script_say(struct script *s, enum dir dir, const char *format, ...)
{
	char line[4096];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	script_add(s, dir, line, strlen(line));
}

static inline void
script_ehlo(struct script *s, struct chance *c, bool starttls)
{
	static const char *const keywords[] = { "PIPELINING", "SIZE 10240000",
		"VRFY", "ETRN", "XXXXXXXA", "ENHANCEDSTATUSCODES", "8BITMIME",
		"DSN", "SMTPUTF8", "CHUNKING", "AUTH PLAIN LOGIN", "STARTTLX" };
	uint32_t count = chance_below(c, 12);
	uint32_t at = chance_below(c, count + 1);

	script_say(s, TO_SERVER, "EHLO client%u.example.net\r\n",
	    chance_below(c, 1000));
	script_say(s, TO_CLIENT, "250-mx.example.org\r\n");
	for (uint32_t i = 0; i < count; i++) {
		if (starttls && i == at)
			script_say(s, TO_CLIENT, "250-STARTTLS\r\n");
		script_say(s, TO_CLIENT, "250-%s\r\n",
		    keywords[chance_below(c,
			sizeof(keywords) / sizeof(*keywords))]);
	}
	script_say(s, TO_CLIENT, "250 %s\r\n",
	    starttls && at == count ? "STARTTLS" : "HELP");
}

/* With what is said next, by somebody else than before. */
static inline void
script_settle(struct script *s)
{
	if (s->settled > s->count)
		s->settled = s->count;
}

/* The handshake as in hello.h, and what is inside. */
static inline void
script_tls(struct script *s, struct chance *c)
{
	bool tls12 = chance_once_in(c, 2);

	s->tls = true;
	script_octets(s, TO_SERVER, CLIENT_HELLO);
	if (tls12) {
		script_octets(s, TO_CLIENT,
		    SERVER_HELLO_12 CERTIFICATES SERVER_DONE);
		script_octets(s, TO_SERVER, CHANGE_CIPHER FINISHED_12);
		script_settle(s);
		script_octets(s, TO_CLIENT, CHANGE_CIPHER FINISHED_12);
	} else {
		script_octets(s, TO_CLIENT,
		    SERVER_HELLO_13 CHANGE_CIPHER APPLICATION_40);
		script_settle(s);
		script_octets(s, TO_SERVER, CHANGE_CIPHER APPLICATION_40);
	}
	for (uint32_t i = chance_between(c, 1, 6); i > 0; i--) {
		enum dir dir = i % 2 ? TO_SERVER : TO_CLIENT;

		for (uint32_t n = chance_between(c, 1, 60); n > 0; n--)
			script_octets(s, dir, APPLICATION_40);
	}
}

static inline void
script_body(struct script *s, struct chance *c)
{
	for (uint32_t i = chance_below(c, 80); i > 0; i--) {
		static const char *const lines[] = { "Subject: a", "", "..",
			"RCPT TO:<nobody@example.org>", "250 ok", ".x",
			"a line of a message, as long as many are",
			"STARTTLS" };

		script_say(s, TO_SERVER, "%s\r\n",
		    lines[chance_below(c, sizeof(lines) / sizeof(*lines))]);
	}
	script_say(s, TO_SERVER, ".\r\n");
}

/* Mail in clear; at times everything before the body at once (RFC 2920). */
static inline void
script_mail(struct script *s, struct chance *c)
{
	bool pipelined = chance_once_in(c, 2);
	bool sent = !chance_once_in(c, 4);

	script_say(s, TO_SERVER, "MAIL FROM:<a@example.net>\r\n");
	if (!pipelined) {
		script_settle(s);
		script_say(s, TO_CLIENT, "250 2.1.0 Ok\r\n");
	}
	script_say(s, TO_SERVER, "RCPT TO:<b@example.org>\r\n");
	if (!pipelined)
		script_say(s, TO_CLIENT, "250 2.1.5 Ok\r\n");
	script_say(s, TO_SERVER, "DATA\r\n");
	if (pipelined) {
		script_settle(s);
		script_say(s, TO_CLIENT, "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n");
	}
	script_say(s, TO_CLIENT, sent ? "354 go on\r\n" : "451 later\r\n");
	if (sent) {
		script_body(s, c);
		script_say(s, TO_CLIENT, "250 2.0.0 queued as 4F\r\n");
	}
}

static inline void
script_write(struct script *s, struct chance *c)
{
	bool offered = !chance_once_in(c, 3), tls;

	s->count = 0;
	s->settled = SCRIPT_TURNS_MAX;
	s->tls = false;
	s->len[TO_SERVER] = s->len[TO_CLIENT] = 0;
	if (chance_once_in(c, 3))
		script_say(s, TO_CLIENT, "220-mx.example.org ESMTP\r\n");
	script_say(s, TO_CLIENT, "220 mx.example.org ready\r\n");
	script_ehlo(s, c, offered);
	tls = offered && !chance_once_in(c, 4);
	if (tls) {
		script_say(s, TO_SERVER, "STARTTLS\r\n");
		tls = !chance_once_in(c, 4);
		script_say(s, TO_CLIENT,
		    tls ? "220 go ahead\r\n" : "454 4.7.0 not now\r\n");
	}
	if (tls) {
		script_tls(s, c);
		return;
	}
	for (uint32_t i = chance_below(c, 3); i > 0; i--)
		script_mail(s, c);
	script_say(s, TO_SERVER, "QUIT\r\n");
	script_say(s, TO_CLIENT, "221 bye\r\n");
}

#endif
