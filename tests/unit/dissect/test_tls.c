/* Records and handshake messages; dialogues with TLS are in test_smtp_tls.c. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "dissect/tls.h"
#include "unit/dissect/hello.h"
#include "unit/guarded.h"

struct bench {
	struct counters counters;
	struct fact_pool *pool;
	struct fact_log log;
	struct tls *tls;
	char text[4096];
	size_t len;
};

static void
take(void *context, const struct publication *p, struct slice facts)
{
	struct bench *b = context;
	struct slice bytes;
	struct fact fact;

	(void)p;
	while (fact_decode(&facts, &fact, &bytes))
		b->len += (size_t)snprintf(b->text + b->len,
		    sizeof(b->text) - b->len, "%s %x %u@%u\n",
		    fact_code_name((enum fact_code)fact.code),
		    (unsigned)fact.value, (unsigned)bytes.len,
		    (unsigned)fact.stream_offset);
}

static void
begin(struct bench *b, size_t budget)
{
	memset(b, 0, sizeof(*b));
	b->pool = fact_pool_create(budget, &b->counters, take, b);
	fact_log_open(&b->log, b->pool, 1);
	b->tls = tls_open(&b->log);
	cr_assert_not_null(b->tls);
}

static enum tls_progress
feed(struct bench *b, enum dir dir, struct slice bytes)
{
	struct guarded g = guarded_copy(bytes.ptr, bytes.len);
	struct origin at = { 0 };
	size_t taken = 0;
	enum tls_progress progress =
	    tls_feed(b->tls, &b->log, dir, g.bytes, &at, &taken);

	cr_assert_leq(taken, bytes.len);
	if (progress == TLS_HANDSHAKE)
		cr_assert_eq(taken, bytes.len);
	guarded_free(&g);
	return progress;
}
#define FEED(b, dir, literal) \
	feed(b, dir, slice_of(literal, sizeof(literal) - 1))

static const char *
finish(struct bench *b)
{
	tls_close(b->tls, &b->log);
	fact_log_publish(&b->log, DECISION_CLOSED);
	cr_assert_eq(fact_pool_used(b->pool), 0);
	fact_pool_destroy(b->pool);
	return b->text;
}

/* A ClientHello with these extensions and nothing else that is optional. */
static struct slice
client_hello(const char *extensions, size_t len)
{
	static uint8_t out[512];
	uint8_t head[] = "\x16\x03\x01\0\0\x01\0\0\0\x03\x03" RANDOM_32
			 "\0\0\x02\x13\x01\x01\0\0\0";
	size_t total = sizeof(head) - 1 + len;

	head[4] = (uint8_t)(total - 5);
	head[8] = (uint8_t)(total - 9);
	head[sizeof(head) - 2] = (uint8_t)len;
	memcpy(out, head, sizeof(head) - 1);
	memcpy(out + sizeof(head) - 1, extensions, len);
	return slice_of(out, total);
}
#define HELLO(literal) client_hello(literal, sizeof(literal) - 1)

Test(tls, three_octets_tell_a_record)
{
	static const struct {
		const char *bytes;
		size_t len;
		bool record;
	} rows[] = { { "\x16\x03\x01", 3, true }, { "\x14\x03\x04", 3, true },
		{ "\x17\x03", 2, true }, { "\x15", 1, true }, { "", 0, false },
		{ "\x13\x03\x01", 3, false }, { "\x18\x03\x01", 3, false },
		{ "\x16\x02\x00", 3, false }, { "\x16\x03\x05", 3, false },
		{ "220", 3, false }, { "EHL", 3, false } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		cr_assert_eq(tls_looks_like_record(
				 slice_of(rows[i].bytes, rows[i].len)),
		    rows[i].record, "row %zu", i);
}

/* RFC 8446 4.2.1; RFC 8701: GREASE is no version. */
Test(tls, the_highest_version_offered_is_told)
{
	static const struct {
		const char *extensions;
		size_t len;
		const char *wanted;
	} rows[] = {
#define ROW(literal, wanted) { literal, sizeof(literal) - 1, wanted }
		ROW("", "tls-client-hello 303 32@5\n"),
		ROW("\0\x2b\0\x03\x02\x03\x04", "tls-client-hello 304 32@5\n"),
		ROW("\0\x2b\0\x09\x08\xfa\xfa\x03\x04\x03\x03\x03\x02",
		    "tls-client-hello 304 32@5\n"),
		ROW("\0\x2b\0\x03\x02\x03\x01", "tls-client-hello 301 32@5\n"),
		ROW("\0\x2b\0\x01\0", "tls-client-hello 303 32@5\n"),
		ROW("\0\x2b\0\xff\x02\x03\x04", "tls-client-hello 303 32@5\n"),
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct bench b;

		begin(&b, 1 << 20);
		feed(&b, TO_SERVER,
		    client_hello(rows[i].extensions, rows[i].len));
		cr_assert_str_eq(finish(&b), rows[i].wanted, "row %zu", i);
	}
}

Test(tls, names_and_protocols_are_told_as_they_are_asked_for)
{
	struct bench b;

	begin(&b, 1 << 20);
	feed(&b, TO_SERVER,
	    HELLO("\0\0\0\x0a\0\x08\0\0\x05mx.ab"
		  "\0\x10\0\x0b\0\x09\x04smtp\x03two"));
	cr_assert_str_eq(finish(&b),
	    "tls-client-hello 303 32@5\n"
	    "tls-sni 0 5@5\n"
	    "tls-alpn 0 4@5\n"
	    "tls-alpn 0 3@5\n");
}

/* Cut behind every octet, and every octet replaced: no read past the end. */
Test(tls, damaged_hellos_are_read_as_far_as_they_go)
{
	static const char client[] = CLIENT_HELLO;
	static const char server[] = SERVER_HELLO_13 CERTIFICATES;

	for (size_t i = 0; i < sizeof(client) - 1; i++) {
		for (int value = 0; value < 256; value += 51) {
			uint8_t copy[sizeof(client)];
			struct bench b;

			memcpy(copy, client, sizeof(client));
			copy[i] = (uint8_t)value;
			begin(&b, 1 << 20);
			feed(&b, TO_SERVER, slice_of(copy, sizeof(client) - 1));
			finish(&b);
		}
	}
	for (size_t i = 0; i < sizeof(server) - 1; i++) {
		for (int value = 0; value < 256; value += 51) {
			uint8_t copy[sizeof(server)];
			struct bench b;

			memcpy(copy, server, sizeof(server));
			copy[i] = (uint8_t)value;
			begin(&b, 1 << 20);
			feed(&b, TO_CLIENT, slice_of(copy, sizeof(server) - 1));
			finish(&b);
		}
	}
}

Test(tls, a_message_may_run_over_records)
{
	static const char hello[] = CLIENT_HELLO;
	struct bench b;

	begin(&b, 1 << 20);
	for (size_t i = 5; i < sizeof(hello) - 1; i++) {
		uint8_t record[6] = { 0x16, 3, 1, 0, 1, (uint8_t)hello[i] };

		feed(&b, TO_SERVER, slice_of(record, sizeof(record)));
	}
	cr_assert_str_eq(finish(&b),
	    "tls-client-hello 303 32@5\n"
	    "tls-sni 0 14@5\n"
	    "tls-alpn 0 4@5\n");
}

/* A chain of 40,000 octets is longer than is kept; what follows is read. */
Test(tls, a_message_that_is_too_long_is_skipped)
{
	static uint8_t record[5 + 16000];
	struct bench b;

	begin(&b, 1 << 20);
	for (int i = 0; i < 3; i++) {
		size_t octets = i < 2 ? 16000 : 40004 - 32000;

		memset(record, 0, sizeof(record));
		memcpy(record, "\x16\x03\x03", 3);
		record[3] = (uint8_t)(octets >> 8);
		record[4] = (uint8_t)octets;
		if (i == 0)
			memcpy(record + 5, "\x0b\0\x9c\x40", 4);
		feed(&b, TO_CLIENT, slice_of(record, 5 + octets));
	}
	FEED(&b, TO_CLIENT, SERVER_HELLO_12);
	cr_assert_str_eq(finish(&b),
	    "tls-server-hello 303 32@5\n"
	    "tls-cipher c02f 0@5\n");
}

/* RFC 8446 5.1, RFC 5246 6.2.3 bound a record. */
Test(tls, a_record_beyond_all_bounds_loses_the_direction)
{
	struct bench b;

	begin(&b, 1 << 20);
	FEED(&b, TO_CLIENT, RECORD("\x16", "\x50\0") "x");
	cr_assert(tls_is_lost(b.tls, TO_CLIENT));
	cr_assert_not(tls_is_lost(b.tls, TO_SERVER));
	cr_assert_eq(FEED(&b, TO_CLIENT, "whatever"), TLS_HANDSHAKE);
	finish(&b);
}

Test(tls, a_chain_is_told_up_to_ten_certificates)
{
	uint8_t record[5 + 4 + 3 + 12 * 4] =
	    "\x16\x03\x03\0\x37\x0b\0\0\x33\0\0\x30";
	struct bench b;

	for (size_t i = 0; i < 12; i++)
		memcpy(record + 12 + 4 * i, "\0\0\x01X", 4);
	begin(&b, 1 << 20);
	feed(&b, TO_CLIENT, slice_of(record, sizeof(record)));
	finish(&b);
	for (size_t i = 0, lines = 0; i <= b.len; i++) {
		lines += b.text[i] == '\n';
		if (i == b.len)
			cr_assert_eq(lines, TLS_CHAIN_MAX);
	}
}

/* RFC 8446 4.1.4: the first ServerHello only asks for another hello. */
Test(tls, a_hello_retry_request_chooses_nothing)
{
	struct bench b;

	begin(&b, 1 << 20);
	FEED(&b, TO_CLIENT,
	    RECORD("\x16", "\0\x2a") "\x02\0\0\x26\x03\x03"
				     "\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d"
				     "\x8c\x02\x1e\x65\xb8\x91"
				     "\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e"
				     "\x09\xe2\xc8\xa8\x33\x9c"
				     "\0\x13\x01\0");
	FEED(&b, TO_CLIENT, CHANGE_CIPHER);
	FEED(&b, TO_SERVER, CHANGE_CIPHER APPLICATION_40);
	cr_assert_eq(FEED(&b, TO_CLIENT, SERVER_HELLO_13), TLS_HANDSHAKE);
	cr_assert_str_eq(finish(&b),
	    "tls-server-hello 304 32@5\n"
	    "tls-cipher 1301 0@5\n");
}

/* An encrypted alert is short; a Finished is not. */
Test(tls, in_tls_1_3_a_short_record_of_the_client_ends_no_handshake)
{
	struct bench b;

	begin(&b, 1 << 20);
	FEED(&b, TO_CLIENT, SERVER_HELLO_13 APPLICATION_40);
	cr_assert_eq(FEED(&b, TO_SERVER, CHANGE_CIPHER APPLICATION_3),
	    TLS_HANDSHAKE);
	cr_assert_eq(FEED(&b, TO_SERVER, APPLICATION_40), TLS_ESTABLISHED);
	finish(&b);
}

Test(tls, in_tls_1_2_an_encrypted_alert_ends_no_handshake)
{
	struct bench b;

	begin(&b, 1 << 20);
	FEED(&b, TO_CLIENT, SERVER_HELLO_12 CHANGE_CIPHER FINISHED_12);
	cr_assert_eq(FEED(&b, TO_SERVER, CHANGE_CIPHER ALERT_ENCRYPTED),
	    TLS_HANDSHAKE);
	cr_assert_eq(FEED(&b, TO_SERVER, FINISHED_12), TLS_ESTABLISHED);
	finish(&b);
}

/* Messages go unread, but when the handshake ends is still known. */
Test(tls, without_room_for_a_message_records_are_still_followed)
{
	struct bench b;

	begin(&b, 2048 + 8192 + 512);
	FEED(&b, TO_CLIENT, SERVER_HELLO_12);
	FEED(&b, TO_CLIENT, RECORD("\x16", "\x10\0") "\x0b\0\x0f\xfc");
	for (int i = 0; i < 4092 / 12; i++)
		FEED(&b, TO_CLIENT, "twelveoctets");
	FEED(&b, TO_CLIENT, CHANGE_CIPHER FINISHED_12);
	cr_assert_eq(FEED(&b, TO_SERVER, CHANGE_CIPHER FINISHED_12),
	    TLS_ESTABLISHED);
	finish(&b);
}
