#include "tls.h"

enum {
	RECORD_CHANGE_CIPHER_SPEC = 20,
	RECORD_ALERT = 21,
	RECORD_HANDSHAKE = 22,
	RECORD_APPLICATION_DATA = 23,
};

enum {
	MESSAGE_CLIENT_HELLO = 1,
	MESSAGE_SERVER_HELLO = 2,
	MESSAGE_CERTIFICATE = 11,
};

enum {
	EXTENSION_SERVER_NAME = 0,
	EXTENSION_ALPN = 16,
	EXTENSION_SUPPORTED_VERSIONS = 43,
};

#define VERSION_1_2 0x0303
#define VERSION_1_3 0x0304
#define HEADER_BYTES 5
#define MESSAGE_HEADER_BYTES 4
/* RFC 5246 6.2.3, the longest of all versions. */
#define RECORD_MAX_BYTES (16384 + 2048)
#define RANDOM_BYTES 32
/* RFC 8446 5.2: an encrypted alert is a record of 2 + 1 + 16 octets; the
 * Finished of TLS 1.3 never has fewer than 4 + 32 + 1 + 16. */
#define ENCRYPTED_ALERT_MAX 32
#define MESSAGE_START_BYTES 2048

/* RFC 8446 4.1.3: a ServerHello with this random asks for another hello. */
static const uint8_t hello_retry_random[RANDOM_BYTES] = { 0xcf, 0x21, 0xad,
	0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8,
	0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09,
	0xe2, 0xc8, 0xa8, 0x33, 0x9c };

struct tls_side {
	uint8_t header[HEADER_BYTES];
	uint8_t header_have;
	uint8_t type;
	uint32_t left;		 /* of the record's body */
	uint8_t *message;	 /* handshake octets not yet read */
	uint64_t message_offset; /* of its first octet */
	uint32_t have, room;
	uint32_t skip;	/* of a message that is too long */
	bool ciphered;	/* ChangeCipherSpec was sent (TLS 1.2) */
	bool confirmed; /* and a record under the new keys followed */
	uint8_t alert_level;
	bool alert;	    /* the record is as long as an alert in clear */
	bool unread;	    /* no room: its messages are skipped */
	bool gap_in_record; /* the rest of the record is not read */
	bool after_gap;	    /* a header must follow, or it is lost */
	bool lost;	    /* after a gap, or beyond all lengths */
};

struct tls {
	struct tls_side sides[2];
	uint16_t version;	/* chosen; 0: no ServerHello yet */
	uint8_t session_id[33]; /* length first; the client's */
};

bool
tls_looks_like_record(struct slice s)
{
	if (s.len == 0 || s.ptr[0] < RECORD_CHANGE_CIPHER_SPEC ||
	    s.ptr[0] > RECORD_APPLICATION_DATA)
		return false;
	if (s.len > 1 && s.ptr[1] != 3)
		return false;
	return s.len < 3 || s.ptr[2] <= 4;
}

struct tls *
tls_open(struct fact_log *log)
{
	struct tls *tls = fact_pool_take(log->pool, sizeof(*tls));

	if (tls != NULL)
		memset(tls, 0, sizeof(*tls));
	return tls;
}

void
tls_close(struct tls *tls, struct fact_log *log)
{
	if (tls == NULL)
		return;
	for (int dir = 0; dir < 2; dir++)
		fact_pool_give(log->pool, tls->sides[dir].message,
		    tls->sides[dir].room);
	fact_pool_give(log->pool, tls, sizeof(*tls));
}

bool
tls_is_lost(const struct tls *tls, enum dir dir)
{
	return tls->sides[dir].lost;
}

uint32_t
tls_hand_over(const struct tls *tls, enum dir dir, uint8_t header[5],
    uint8_t *have, uint8_t *type)
{
	const struct tls_side *side = &tls->sides[dir];

	memcpy(header, side->header, HEADER_BYTES);
	*have = side->header_have;
	*type = side->type;
	return side->left;
}

/* --- messages ------------------------------------------------------------ */

static void
say(struct fact_log *log, enum fact_code code, enum dir dir, uint32_t value,
    struct slice bytes, const struct origin *at)
{
	struct fact fact = { .code = (uint16_t)code,
		.dir = (uint8_t)dir,
		.value = value };

	fact_log_append(log, &fact, bytes, at);
}

/* RFC 8701: 0x0a0a, 0x1a1a, ... mean nothing. */
static bool
is_grease(uint32_t value)
{
	return (value & 0x0f0f) == 0x0a0a && value >> 8 == (value & 0xff);
}

static uint32_t
highest_version(struct cursor list)
{
	struct cursor versions =
	    cursor_over(cursor_take(&list, cursor_u8(&list)));
	uint32_t highest = 0;

	while (versions.rest.len >= 2) {
		uint32_t version = cursor_be16(&versions);

		if (!is_grease(version) && version > highest)
			highest = version;
	}
	return highest;
}

static void
say_server_name(struct fact_log *log, struct cursor body,
    const struct origin *at)
{
	struct cursor list =
	    cursor_over(cursor_take(&body, cursor_be16(&body)));

	while (list.rest.len > 0 && !list.short_read) {
		uint8_t type = cursor_u8(&list);
		struct slice name = cursor_take(&list, cursor_be16(&list));

		if (type == 0 && name.len > 0 && name.len <= 255) {
			say(log, FACT_TLS_SNI, TO_SERVER, 0, name, at);
			return;
		}
	}
}

static void
say_protocols(struct fact_log *log, struct cursor body, const struct origin *at)
{
	struct cursor list =
	    cursor_over(cursor_take(&body, cursor_be16(&body)));

	for (int i = 0; i < 8 && list.rest.len > 0; i++) {
		struct slice name = cursor_take(&list, cursor_u8(&list));

		if (!list.short_read && name.len > 0)
			say(log, FACT_TLS_ALPN, TO_SERVER, 0, name, at);
	}
}

static void
read_client_hello(struct tls *tls, struct fact_log *log, struct cursor in,
    const struct origin *at)
{
	uint32_t version = cursor_be16(&in);
	struct slice random = cursor_take(&in, RANDOM_BYTES);
	struct slice id = cursor_take(&in, cursor_u8(&in));
	struct cursor extensions, copy;

	cursor_take(&in, cursor_be16(&in)); /* cipher suites */
	cursor_take(&in, cursor_u8(&in));   /* compression methods */
	if (in.short_read)
		return;
	tls->session_id[0] = id.len <= 32 ? (uint8_t)id.len : 0;
	memcpy(tls->session_id + 1, id.ptr, tls->session_id[0]);
	extensions = cursor_over(cursor_take(&in, cursor_be16(&in)));
	for (copy = extensions; copy.rest.len >= 4 && !copy.short_read;) {
		uint32_t type = cursor_be16(&copy);
		struct slice body = cursor_take(&copy, cursor_be16(&copy));

		if (type == EXTENSION_SUPPORTED_VERSIONS) {
			uint32_t highest = highest_version(cursor_over(body));

			version = highest ? highest : version;
		}
	}
	say(log, FACT_TLS_CLIENT_HELLO, TO_SERVER, version, random, at);
	while (extensions.rest.len >= 4 && !extensions.short_read) {
		uint32_t type = cursor_be16(&extensions);
		struct slice body =
		    cursor_take(&extensions, cursor_be16(&extensions));

		if (type == EXTENSION_SERVER_NAME)
			say_server_name(log, cursor_over(body), at);
		else if (type == EXTENSION_ALPN)
			say_protocols(log, cursor_over(body), at);
	}
}

static void
read_server_hello(struct tls *tls, struct fact_log *log, struct cursor in,
    const struct origin *at)
{
	uint32_t version = cursor_be16(&in), cipher;
	struct slice random = cursor_take(&in, RANDOM_BYTES);
	struct slice id = cursor_take(&in, cursor_u8(&in));
	struct fact fact = { .code = FACT_TLS_SERVER_HELLO, .dir = TO_CLIENT };
	struct cursor extensions;

	cipher = cursor_be16(&in);
	cursor_u8(&in);
	if (in.short_read)
		return;
	extensions = cursor_over(cursor_take(&in, cursor_be16(&in)));
	while (extensions.rest.len >= 4 && !extensions.short_read) {
		uint32_t type = cursor_be16(&extensions);
		struct cursor body = cursor_over(
		    cursor_take(&extensions, cursor_be16(&extensions)));

		if (type == EXTENSION_SUPPORTED_VERSIONS)
			version = cursor_be16(&body);
	}
	if (memcmp(random.ptr, hello_retry_random, RANDOM_BYTES) == 0)
		return;
	tls->version = (uint16_t)version;
	fact.value = version;
	if (version <= VERSION_1_2 && id.len > 0 &&
	    slice_equal(id, slice_of(tls->session_id + 1, tls->session_id[0])))
		fact.flags |= FACT_RESUMED;
	fact_log_append(log, &fact, random, at);
	say(log, FACT_TLS_CIPHER, TO_CLIENT, cipher, slice_of(NULL, 0), at);
}

/* RFC 5246 7.4.2; TLS 1.3 sends it encrypted, so it never gets here. */
static void
read_certificate(struct fact_log *log, struct cursor in,
    const struct origin *at)
{
	struct cursor list = cursor_over(cursor_take(&in, cursor_be24(&in)));

	for (uint16_t i = 1; i <= TLS_CHAIN_MAX && list.rest.len > 0; i++) {
		struct slice der = cursor_take(&list, cursor_be24(&list));
		struct fact fact = { .code = FACT_TLS_CERTIFICATE,
			.dir = TO_CLIENT,
			.line = i };

		if (list.short_read || der.len == 0)
			return;
		fact_log_append(log, &fact, der, at);
	}
}

static void
read_message(struct tls *tls, struct fact_log *log, enum dir dir,
    struct slice message, const struct origin *at)
{
	struct cursor body = cursor_over(slice_after(message, 4));

	switch (message.ptr[0]) {
	case MESSAGE_CLIENT_HELLO:
		if (dir == TO_SERVER)
			read_client_hello(tls, log, body, at);
		break;
	case MESSAGE_SERVER_HELLO:
		if (dir == TO_CLIENT)
			read_server_hello(tls, log, body, at);
		break;
	case MESSAGE_CERTIFICATE:
		if (dir == TO_CLIENT)
			read_certificate(log, body, at);
		break;
	default:
		break;
	}
}

/* --- records ------------------------------------------------------------- */

/* Appends to the message that is coming in. False: there is no room. */
static bool
keep_message(struct tls_side *side, struct fact_log *log, struct slice bytes)
{
	size_t want = side->have + bytes.len, room = side->room;
	uint8_t *bigger;

	if (want > room) {
		room = room ? room : MESSAGE_START_BYTES;
		while (room < want)
			room *= 2;
		bigger = fact_pool_take(log->pool, room);
		if (bigger == NULL)
			return false;
		if (side->have > 0)
			memcpy(bigger, side->message, side->have);
		fact_pool_give(log->pool, side->message, side->room);
		side->message = bigger;
		side->room = (uint32_t)room;
	}
	memcpy(side->message + side->have, bytes.ptr, bytes.len);
	side->have = (uint32_t)want;
	return true;
}

/* Octets of the message that is coming in, as far as its header tells. */
static uint32_t
message_bytes(const struct tls_side *side)
{
	const uint8_t *m = side->message;

	return side->have < MESSAGE_HEADER_BYTES ? MESSAGE_HEADER_BYTES :
						   MESSAGE_HEADER_BYTES +
		((uint32_t)m[1] << 16 | (uint32_t)m[2] << 8 | m[3]);
}

/* Takes octets up to the end of one message, header or skipped stretch; how
 * many. */
static size_t
take_message(struct tls *tls, struct fact_log *log, enum dir dir,
    struct slice bytes, const struct origin *at)
{
	struct tls_side *side = &tls->sides[dir];
	struct origin where = *at;
	size_t n;

	if (side->skip > 0) {
		n = side->skip < bytes.len ? side->skip : bytes.len;
		side->skip -= (uint32_t)n;
		return n;
	}
	if (side->have == 0)
		side->message_offset = at->stream_offset;
	bytes = slice_first(bytes, message_bytes(side) - side->have);
	if (!keep_message(side, log, bytes)) {
		side->unread = true;
		return bytes.len;
	}
	if (side->have < MESSAGE_HEADER_BYTES ||
	    side->have < message_bytes(side)) {
		if (side->have == MESSAGE_HEADER_BYTES &&
		    message_bytes(side) > TLS_MESSAGE_MAX_BYTES) {
			side->skip = message_bytes(side) - side->have;
			side->have = 0;
		}
		return bytes.len;
	}
	where.stream_offset = side->message_offset;
	read_message(tls, log, dir, slice_of(side->message, side->have),
	    &where);
	side->have = 0;
	return bytes.len;
}

static void
take_handshake(struct tls *tls, struct fact_log *log, enum dir dir,
    struct slice bytes, const struct origin *at)
{
	struct origin where = *at;

	while (bytes.len > 0 && !tls->sides[dir].unread) {
		size_t n = take_message(tls, log, dir, bytes, &where);

		where.stream_offset += n;
		bytes = slice_after(bytes, n);
	}
}

static void
take_alert(struct tls *tls, struct fact_log *log, enum dir dir,
    struct slice bytes, const struct origin *at)
{
	struct tls_side *side = &tls->sides[dir];
	struct origin where = *at;

	/* RFC 8446 6: level and description; `left` counts these as well. */
	if (side->left == 2 && bytes.len == 1)
		side->alert_level = bytes.ptr[0];
	if (side->left > 2 || side->left < 1 || bytes.len < side->left)
		return;
	if (side->left == 2)
		side->alert_level = bytes.ptr[0];
	else
		where.stream_offset--;
	say(log, FACT_TLS_ALERT, dir,
	    (uint32_t)side->alert_level << 8 | bytes.ptr[side->left - 1],
	    slice_of(NULL, 0), &where);
}

void
tls_gap(struct tls *tls, enum dir dir, uint64_t missing)
{
	struct tls_side *side = &tls->sides[dir];

	/* The message that is incomplete ends in the gap, or it is the whole
	 * record's end that counts. */
	side->have = side->skip = 0;
	if (missing <= side->left) {
		side->left -= (uint32_t)missing;
		side->gap_in_record = side->left > 0;
		return;
	}
	side->left = 0;
	side->header_have = 0;
	side->after_gap = true;
}

static void
begin_record(struct tls *tls, enum dir dir)
{
	struct tls_side *side = &tls->sides[dir];

	side->type = side->header[0];
	side->left = (uint32_t)side->header[3] << 8 | side->header[4];
	side->header_have = 0;
	side->alert = side->type == RECORD_ALERT && side->left == 2;
	side->lost |= side->left > RECORD_MAX_BYTES;
	side->after_gap = side->gap_in_record = false;
	if (tls->version == 0)
		return;
	if (tls->version >= VERSION_1_3) {
		if (side->type == RECORD_APPLICATION_DATA &&
		    (dir == TO_CLIENT || side->left > ENCRYPTED_ALERT_MAX))
			side->confirmed = true;
	} else if (side->ciphered && side->type != RECORD_ALERT) {
		side->confirmed = true;
	} else if (side->type == RECORD_CHANGE_CIPHER_SPEC) {
		side->ciphered = true;
	}
}

/* Octets of a record's body. */
static void
take_body(struct tls *tls, struct fact_log *log, enum dir dir,
    struct slice bytes, const struct origin *at)
{
	struct tls_side *side = &tls->sides[dir];

	if (side->ciphered || side->confirmed || side->lost ||
	    side->gap_in_record)
		return;
	if (side->type == RECORD_HANDSHAKE)
		take_handshake(tls, log, dir, bytes, at);
	else if (side->alert)
		take_alert(tls, log, dir, bytes, at);
}

enum tls_progress
tls_feed(struct tls *tls, struct fact_log *log, enum dir dir,
    struct slice bytes, const struct origin *at, size_t *taken)
{
	struct tls_side *side = &tls->sides[dir];
	struct origin where = *at;
	size_t all = bytes.len;

	while (bytes.len > 0 && !side->lost) {
		struct slice body;

		*taken = all - bytes.len;
		if (side->left == 0) {
			side->header[side->header_have] = bytes.ptr[0];
			if (side->header_have < 3 &&
			    !tls_looks_like_record(slice_of(side->header,
				side->header_have + 1u))) {
				side->header_have = 0;
				if (!side->after_gap)
					return TLS_NOT_TLS;
				side->lost = true;
				break;
			}
			bytes = slice_after(bytes, 1);
			if (++side->header_have == HEADER_BYTES)
				begin_record(tls, dir);
			if (side->confirmed &&
			    tls->sides[dir_peer(dir)].confirmed) {
				*taken = all - bytes.len;
				return TLS_ESTABLISHED;
			}
			continue;
		}
		body = slice_first(bytes, side->left);
		where.stream_offset = at->stream_offset + (all - bytes.len);
		take_body(tls, log, dir, body, &where);
		side->left -= (uint32_t)body.len;
		bytes = slice_after(bytes, body.len);
	}
	*taken = all;
	return TLS_HANDSHAKE;
}
