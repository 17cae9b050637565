#include "conversation.h"

#include <string.h>

#include "loss.h"

#define POOL_BYTES 65536
#define RECORD_MAX 16401 /* 16 KiB, a content type, a tag: RFC 8446 5.2 */
#define DATAGRAM_BYTES 1252
#define ACK_EVERY 2 /* segments, RFC 9293 3.8.6.3 */

enum act {
	END,
	SYN,
	SYN_ACK,
	REFUSE, /* an RST in answer to a SYN */
	ACK,
	FIN,
	TEXT,
	CLIENT_HELLO,
	SERVER_HELLO, /* and the rest of its flight */
	RECORD,	      /* one of TLS, of `size` octets */
	ALERT,
	MESSAGE,   /* bulk of text, then the final dot */
	TLS,	   /* bulk of records */
	DATAGRAMS, /* bulk of UDP */
};

/* In texts $ is the server's number and # the client's. */
struct step {
	enum act act;
	enum side from;
	uint32_t size;
	const char *text;
};

#define OPEN                                              \
	{ SYN, CLIENT, 0, 0 }, { SYN_ACK, SERVER, 0, 0 }, \
	{                                                 \
		ACK, CLIENT, 0, 0                         \
	}
#define C(text)                       \
	{                             \
		TEXT, CLIENT, 0, text \
	}
#define S(text)                       \
	{                             \
		TEXT, SERVER, 0, text \
	}
#define CLOSE                                                                \
	{ FIN, SERVER, 0, 0 }, { FIN, CLIENT, 0, 0 }, { ACK, SERVER, 0, 0 }, \
	{                                                                    \
		END, 0, 0, 0                                                 \
	}
#define HELLO                                                              \
	S("220 mx$.example.net ESMTP Postfix\r\n"), { ACK, CLIENT, 0, 0 }, \
	    C("EHLO out#.example.org\r\n")
/* Postfix's order of keywords; `offer` stands where STARTTLS does. */
#define EHLO_REPLY(offer)                             \
	S("250-mx$.example.net\r\n250-PIPELINING\r\n" \
	  "250-SIZE 52428800\r\n250-ETRN\r\n" offer   \
	  "250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250 DSN\r\n")
#define MAIL                                                                \
	C("MAIL FROM:<news@out#.example.org> SIZE=40000\r\n"),              \
	    S("250 2.1.0 Ok\r\n"), C("RCPT TO:<list@mx$.example.net>\r\n"), \
	    S("250 2.1.5 Ok\r\n"), C("DATA\r\n"),                           \
	    S("354 End data with <CR><LF>.<CR><LF>\r\n"),                   \
	    { MESSAGE, CLIENT, 0, 0 },                                      \
	    S("250 2.0.0 Ok: queued as 4F1C2A0#\r\n"), C("QUIT\r\n"),       \
	    S("221 2.0.0 Bye\r\n")

static const struct step starttls[] = { OPEN, HELLO,
	EHLO_REPLY("250-STARTTLS\r\n"), C("STARTTLS\r\n"),
	S("220 2.0.0 Ready to start TLS\r\n"), { CLIENT_HELLO, CLIENT, 0, 0 },
	{ SERVER_HELLO, SERVER, 1100, 0 }, { RECORD, CLIENT, 74, 0 },
	{ RECORD, CLIENT, 41, 0 }, { RECORD, SERVER, 180, 0 },
	{ RECORD, CLIENT, 120, 0 }, { RECORD, SERVER, 90, 0 },
	{ TLS, CLIENT, 0, 0 }, { RECORD, SERVER, 60, 0 },
	{ ALERT, CLIENT, 0, 0 }, { ALERT, SERVER, 0, 0 }, CLOSE };
static const struct step clear[] = { OPEN, HELLO,
	EHLO_REPLY("250-STARTTLS\r\n"), MAIL, CLOSE };
static const struct step stripped[] = { OPEN, HELLO, EHLO_REPLY(""), MAIL,
	CLOSE };
static const struct step garbled[] = { OPEN, HELLO,
	EHLO_REPLY("250-XXXXXXXA\r\n"), MAIL, CLOSE };
static const struct step brief[] = { OPEN, HELLO,
	EHLO_REPLY("250-STARTTLS\r\n"), C("QUIT\r\n"), S("221 2.0.0 Bye\r\n"),
	CLOSE };
static const struct step web[] = { OPEN, { CLIENT_HELLO, CLIENT, 0, 0 },
	{ SERVER_HELLO, SERVER, 1100, 0 }, { RECORD, CLIENT, 74, 0 },
	{ RECORD, CLIENT, 400, 0 }, { TLS, SERVER, 0, 0 },
	{ ALERT, CLIENT, 0, 0 }, CLOSE };
static const struct step quic[] = { { DATAGRAMS, SERVER, 0, 0 },
	{ END, 0, 0, 0 } };

static const struct step http[] = { OPEN,
	C("GET /$ HTTP/1.1\r\nHost: www$.example.net\r\n\r\n"),
	S("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n"),
	{ MESSAGE, SERVER, 0, 0 }, CLOSE };
static const struct step ssh[] = { OPEN, S("SSH-2.0-OpenSSH_9.2p1\r\n"),
	C("SSH-2.0-OpenSSH_9.2p1\r\n"), { TLS, CLIENT, 0, 0 },
	{ RECORD, SERVER, 400, 0 }, CLOSE };
static const struct step sql[] = { OPEN,
	S("J\1\2\n8.0.36\1\x0b\1\1\2\3\4\5\6\7\x08"),
	C("\x20\1\1\1\x85\xa6\xff\1guest"), { MESSAGE, SERVER, 0, 0 }, CLOSE };
static const struct step ftp[] = { OPEN, S("220 (vsFTPd 3.0.3)\r\n"),
	C("USER anonymous\r\n"), S("331 Please specify the password.\r\n"),
	C("PASS guest#\r\n"), S("230 Login successful.\r\n"), C("PASV\r\n"),
	S("227 Entering Passive Mode (198,18,0,1,156,64)\r\n"), C("QUIT\r\n"),
	S("221 Goodbye.\r\n"), CLOSE };
static const struct step pop[] = { OPEN, S("+OK Dovecot ready.\r\n"),
	C("USER guest#\r\n"), S("+OK\r\n"), C("PASS guest\r\n"),
	S("+OK Logged in.\r\n"), C("RETR 1\r\n"), { MESSAGE, SERVER, 0, 0 },
	C("QUIT\r\n"), S("+OK Logging out.\r\n"), CLOSE };
static const struct step scan[] = { { SYN, CLIENT, 0, 0 },
	{ REFUSE, SERVER, 0, 0 }, { END, 0, 0, 0 } };

/* Port 0: any but those of mail. */
static const struct {
	const struct step *steps;
	uint16_t port;
} scripts[KINDS] = {
	[KIND_STARTTLS] = { starttls, 25 },
	[KIND_CLEAR] = { clear, 25 },
	[KIND_STRIPPED] = { stripped, 25 },
	[KIND_GARBLED] = { garbled, 25 },
	[KIND_SHORT] = { brief, 25 },
	[KIND_WEB] = { web, 443 },
	[KIND_QUIC] = { quic, 443 },
	[KIND_HTTP] = { http, 0 },
	[KIND_SSH] = { ssh, 0 },
	[KIND_SQL] = { sql, 0 },
	[KIND_FTP] = { ftp, 21 },
	[KIND_POP] = { pop, 110 },
	[KIND_TUNNEL] = { web, 0 },
	[KIND_SCAN] = { scan, 0 },
};

/* Random octets, and lines of 76 letters, CR and LF. */
static uint8_t noise_pool[POOL_BYTES], line_pool[POOL_BYTES];

void
conversation_prepare(uint64_t *random)
{
	for (size_t i = 0; i < POOL_BYTES; i++) {
		uint64_t bits = next_random(random);

		noise_pool[i] = (uint8_t)bits;
		line_pool[i] = (uint8_t)(i % 78 == 76 ? '\r' :
			i % 78 == 77		      ? '\n' :
				       "etaoinshrdlucmfw"[bits >> 60]);
	}
}

static void
set_address(struct ends *ends, enum side side, uint32_t number)
{
	/* Both are set aside for benchmarks: RFC 2544, RFC 5180. */
	static const uint8_t ipv4[] = { 198, 18 },
			     ipv6[] = { 0x20, 0x01, 0, 2 };
	uint8_t *a = ends->address[side];

	memset(a, 0, 16);
	if (ends->ipv6) {
		memcpy(a, ipv6, sizeof(ipv6));
		a[6] = (uint8_t)side;
		a[7] = (uint8_t)(number >> 8);
		a[15] = (uint8_t)number;
	} else {
		memcpy(a, ipv4, sizeof(ipv4));
		a[1] = (uint8_t)(ipv4[1] + (int)side);
		a[2] = (uint8_t)(number >> 8);
		a[3] = (uint8_t)number;
	}
}

/* 3000 to 4023: as many services, none of them mail. */
static uint16_t
port_of(enum kind kind, uint32_t server)
{
	if (scripts[kind].port != 0)
		return scripts[kind].port;
	return (uint16_t)(3000 + (server * 8 + kind) % 1024);
}

bool
conversation_suffer(struct conversation *c, uint64_t seed)
{
	c->loss = loss_create(seed);
	return c->loss != NULL;
}

void
conversation_end(struct conversation *c)
{
	loss_destroy(c->loss);
	c->loss = NULL;
}

void
conversation_begin(struct conversation *c, enum kind kind, uint32_t number,
    uint32_t servers, uint32_t bulk_bytes, uint64_t *random)
{
	/* A client has 60,000 ports; another bank of clients takes over when
	 * they are spent, so that no five-tuple comes twice. */
	uint32_t bank = number / 60000;

	memset(c, 0, sizeof(*c));
	c->kind = (uint8_t)kind;
	c->server = random_between(random, 0, servers - 1);
	c->client = bank * 256 + random_between(random, 0, 255);
	c->ends.ipv6 = random_between(random, 1, 5) == 1;
	set_address(&c->ends, CLIENT, c->client);
	set_address(&c->ends, SERVER, c->server);
	c->ends.port[CLIENT] = (uint16_t)(4096 + number % 60000);
	c->ends.port[SERVER] = port_of(kind, c->server);
	c->seq[CLIENT] = (uint32_t)next_random(random);
	c->seq[SERVER] = (uint32_t)next_random(random);
	c->bulk_bytes = c->left = bulk_bytes;
}

static void
send_tcp(struct conversation *c, struct wire *w, enum side from, uint8_t flags,
    const void *payload, size_t len)
{
	enum act act = scripts[c->kind].steps[c->step].act;

	if (c->loss == NULL)
		wire_tcp(w, &c->ends, from, c->seq[from], c->seq[1 - from],
		    flags, payload, len);
	else
		loss_tcp(c->loss, w, &c->ends, from, c->seq[from],
		    c->seq[1 - from], flags, payload, len,
		    act == MESSAGE || act == TLS);
	c->seq[from] += (uint32_t)len + (flags & (WIRE_SYN | WIRE_FIN) ? 1 : 0);
}

static const uint8_t *
slice_of_pool(const uint8_t *pool, uint64_t *random)
{
	return pool + next_random(random) % (POOL_BYTES - WIRE_PAYLOAD_MAX);
}

/* --- what is said -------------------------------------------------------- */

static size_t
put_number(uint8_t *out, uint32_t number)
{
	char digits[10];
	size_t n = 0, len;

	do
		digits[n++] = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	for (len = 0; len < n; len++)
		out[len] = (uint8_t)digits[n - 1 - len];
	return len;
}

static void
send_text(struct conversation *c, struct wire *w, const struct step *step)
{
	uint8_t out[512];
	size_t n = 0;

	for (const char *p = step->text; *p != '\0'; p++) {
		if (*p == '$')
			n += put_number(out + n, c->server);
		else if (*p == '#')
			n += put_number(out + n, c->client);
		else
			out[n++] = (uint8_t)*p;
	}
	send_tcp(c, w, step->from, WIRE_ACK | WIRE_PSH, out, n);
}

static size_t
put_record(uint8_t *out, uint8_t type, const uint8_t *body, size_t len)
{
	const uint8_t header[] = { type, 3, 3, (uint8_t)(len >> 8),
		(uint8_t)len };

	memcpy(out, header, sizeof(header));
	memcpy(out + sizeof(header), body, len);
	return sizeof(header) + len;
}

/* A handshake message with a random, a session id and what follows them. */
static size_t
put_hello(uint8_t *out, uint8_t type, const char *tail, size_t tail_len,
    uint64_t *random)
{
	uint8_t body[256] = { type, 0, 0, 0, 3, 3 };
	size_t n = 6;

	memcpy(body + n, slice_of_pool(noise_pool, random), 32);
	n += 32;
	body[n++] = 32;
	memcpy(body + n, slice_of_pool(noise_pool, random), 32);
	n += 32;
	memcpy(body + n, tail, tail_len);
	n += tail_len;
	body[3] = (uint8_t)(n - 4);
	return put_record(out, 22, body, n);
}

#define TAIL(text) text, sizeof(text) - 1

static void
send_hello(struct conversation *c, struct wire *w, const struct step *step,
    uint64_t *random)
{
	uint8_t out[WIRE_PAYLOAD_MAX];
	size_t n;

	if (step->act == CLIENT_HELLO) {
		/* Three suites, no compression, SNI, TLS 1.3 or 1.2. */
		n = put_hello(out, 1,
		    TAIL("\0\6\x13\1\x13\2\x13\3\1\0\0\x22"
			 "\0\0\0\x13\0\x11\0\0\x0emx.example.net"
			 "\0\x2b\0\7\6\3\4\3\3\3\2"),
		    random);
	} else {
		n = put_hello(out, 2, TAIL("\x13\1\0\0\6\0\x2b\0\2\3\4"),
		    random);
		n += put_record(out + n, 20, (const uint8_t *)"\1", 1);
		n += put_record(out + n, 23, slice_of_pool(noise_pool, random),
		    step->size);
	}
	send_tcp(c, w, step->from, WIRE_ACK | WIRE_PSH, out, n);
}

static void
send_record(struct conversation *c, struct wire *w, const struct step *step,
    uint64_t *random)
{
	uint8_t out[WIRE_PAYLOAD_MAX];
	bool alert = step->act == ALERT;

	send_tcp(c, w, step->from, WIRE_ACK | WIRE_PSH, out,
	    put_record(out, alert ? 21 : 23, slice_of_pool(noise_pool, random),
		alert ? 19 : step->size));
}

/* --- bulk ---------------------------------------------------------------- */

static size_t
fill_message(struct conversation *c, uint8_t *out, uint64_t *random)
{
	static const char dot[] = "\r\n.\r\n";
	size_t n = c->left < WIRE_PAYLOAD_MAX ? c->left : WIRE_PAYLOAD_MAX;

	memcpy(out, slice_of_pool(line_pool, random), n);
	c->left -= (uint32_t)n;
	/* The dot comes whole, with the last segment or alone. */
	if (c->left == 0 && n > sizeof(dot))
		memcpy(out + n - sizeof(dot) + 1, dot, sizeof(dot) - 1);
	return n;
}

/* Records run over segments, their headers stand wherever they fall. */
static size_t
fill_tls(struct conversation *c, uint8_t *out, uint64_t *random)
{
	size_t n = 0;

	while (c->left > 0 && n + 5 < WIRE_PAYLOAD_MAX) {
		size_t part;

		if (c->record_left == 0) {
			c->record_left = c->left < RECORD_MAX ? c->left :
								RECORD_MAX;
			memcpy(out + n, "\x17\3\3", 3);
			out[n + 3] = (uint8_t)(c->record_left >> 8);
			out[n + 4] = (uint8_t)c->record_left;
			n += 5;
		}
		part = WIRE_PAYLOAD_MAX - n;
		part = c->record_left < part ? c->record_left : part;
		memcpy(out + n, slice_of_pool(noise_pool, random), part);
		n += part;
		c->record_left -= (uint32_t)part;
		c->left -= (uint32_t)part;
	}
	return n;
}

/* One frame of bulk, or the peer's acknowledgement; false: it is all sent. */
static bool
send_bulk(struct conversation *c, struct wire *w, const struct step *step,
    uint64_t *random)
{
	uint8_t out[WIRE_PAYLOAD_MAX];
	size_t n;

	if (c->unacked == ACK_EVERY) {
		c->unacked = 0;
		send_tcp(c, w, 1 - step->from, WIRE_ACK, NULL, 0);
		return c->left > 0;
	}
	c->unacked++;
	if (step->act == DATAGRAMS) {
		n = c->left < DATAGRAM_BYTES ? c->left : DATAGRAM_BYTES;
		c->left -= (uint32_t)n;
		wire_udp(w, &c->ends, step->from,
		    slice_of_pool(noise_pool, random), n);
		c->unacked = 0;
		return c->left > 0;
	}
	n = step->act == TLS ? fill_tls(c, out, random) :
			       fill_message(c, out, random);
	send_tcp(c, w, step->from, WIRE_ACK, out, n);
	return c->left > 0 || c->unacked == ACK_EVERY;
}

bool
conversation_step(struct conversation *c, struct wire *w, uint64_t *random)
{
	const struct step *steps = scripts[c->kind].steps;
	const struct step *step = &steps[c->step];

	switch (step->act) {
	case SYN:
		send_tcp(c, w, step->from, WIRE_SYN, NULL, 0);
		break;
	case SYN_ACK:
		send_tcp(c, w, step->from, WIRE_SYN | WIRE_ACK, NULL, 0);
		break;
	case REFUSE:
		send_tcp(c, w, step->from, WIRE_RST | WIRE_ACK, NULL, 0);
		break;
	case ACK:
		send_tcp(c, w, step->from, WIRE_ACK, NULL, 0);
		break;
	case FIN:
		send_tcp(c, w, step->from, WIRE_FIN | WIRE_ACK, NULL, 0);
		break;
	case TEXT:
		send_text(c, w, step);
		break;
	case CLIENT_HELLO:
	case SERVER_HELLO:
		send_hello(c, w, step, random);
		break;
	case RECORD:
	case ALERT:
		send_record(c, w, step, random);
		break;
	case MESSAGE:
	case TLS:
	case DATAGRAMS:
		if (send_bulk(c, w, step, random))
			return true;
		break;
	case END:
		return false;
	}
	return steps[++c->step].act != END;
}
