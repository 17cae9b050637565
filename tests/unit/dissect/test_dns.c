/* Messages of DNS: what is read of them, and what hostile ones come to. */
#include <criterion/criterion.h>

#include "dissect/dns.h"
#include "unit/guarded.h"

#define HEAD(flags, answers) "\x12\x34" flags "\0\1\0" answers "\0\0\0\0"
#define EXAMPLE "\7Example\3org\0"
#define MX_QUESTION EXAMPLE "\0\x0f\0\1"
#define RECORD(owner, type, length, data) \
	owner "\0" type "\0\1\0\0\1\x2c\0" length data
#define BYTES(text) slice_of(text, sizeof(text) - 1)

static unsigned
records_of(struct slice s, struct dns_record *last, bool *damaged)
{
	struct dns_message m;
	struct dns_record record;
	unsigned seen = 0, count = 0;
	size_t at;

	cr_assert_eq(dns_message_parse(s, &m), PARSE_OK);
	at = m.records_at;
	while (dns_record_next(&m, &at, &seen, &record, damaged)) {
		*last = record;
		count++;
	}
	return count;
}

Test(dns, a_query_says_what_is_asked)
{
	struct dns_message m;

	cr_assert_eq(dns_message_parse(BYTES(HEAD("\1\0", "\0") MX_QUESTION),
			 &m),
	    PARSE_OK);
	cr_assert_eq(m.id, 0x1234);
	cr_assert_not(m.response);
	cr_assert_eq(m.type, DNS_MX);
	cr_assert_str_eq(m.name, "example.org");
}

Test(dns, records_of_mail_are_read)
{
	static const struct {
		const char *bytes;
		size_t len;
		uint16_t type;
		const char *value;
	} rows[] = {
#define ROW(type, bytes, value) { bytes, sizeof(bytes) - 1, type, value }
		ROW(DNS_A, RECORD("\xc0\x0c", "\1", "\4", "\xc6\x33\x64\x19"),
		    "198.51.100.25"),
		ROW(DNS_AAAA,
		    RECORD("\xc0\x0c", "\x1c", "\x10",
			"\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"),
		    "2001:db8::1"),
		ROW(DNS_MX,
		    RECORD("\xc0\x0c", "\x0f", "\7", "\0\x0a\2MX\xc0\x0c"),
		    "mx.example.org"),
		ROW(DNS_MX, RECORD("\xc0\x0c", "\x0f", "\3", "\0\0\0"), "."),
		ROW(DNS_CNAME, RECORD("\xc0\x0c", "\5", "\5", "\2mx\xc0\x14"),
		    "mx.org"),
		ROW(DNS_TXT,
		    RECORD("\xc0\x0c", "\x10", "\x10", "\x0av=STSv1; i\4d=1;"),
		    "v=STSv1; id=1;"),
		ROW(DNS_TLSA,
		    RECORD("\xc0\x0c", "\x34", "\5", "\3\1\1\xab\xcd"),
		    "3 1 1 abcd"),
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		static const char head[] = HEAD("\x85\x80", "\1") MX_QUESTION;
		uint8_t whole[256];
		struct dns_record record;
		bool damaged;

		memcpy(whole, head, sizeof(head) - 1);
		memcpy(whole + sizeof(head) - 1, rows[i].bytes, rows[i].len);
		cr_assert_eq(records_of(slice_of(whole,
					    sizeof(head) - 1 + rows[i].len),
				 &record, &damaged),
		    1, "row %zu", i);
		cr_assert_not(damaged);
		cr_assert_eq(record.type, rows[i].type);
		cr_assert_eq(record.ttl_s, 300);
		cr_assert_str_eq(record.owner, "example.org");
		cr_assert_str_eq(record.value, rows[i].value);
	}
}

Test(dns, no_compression_leads_forward_or_round)
{
	static const struct slice rows[] = {
		/* To itself; to the record's own name; forward; 01 labels. */
		{ (const uint8_t *)HEAD("\1\0", "\0") "\xc0\x0c\0\x0f\0\1",
		    18 },
		{ (const uint8_t *)HEAD("\1\0", "\0") "\2mx\xc0\x0c\0\x0f\0\1",
		    21 },
		{ (const uint8_t *)HEAD("\1\0", "\0") "\xc0\x12\0\x0f\0\1\2mx",
		    22 },
		{ (const uint8_t *)HEAD("\1\0", "\0") "\x41"
						      "a\0\0\x0f\0\1",
		    19 },
	};
	struct dns_message m;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		cr_assert_eq(dns_message_parse(rows[i], &m), PARSE_MALFORMED,
		    "row %zu", i);
}

Test(dns, a_name_is_never_longer_than_255_octets)
{
	uint8_t whole[12 + 8 * 64 + 5] = { 0, 1, 1, 0, 0, 1 };
	struct dns_message m;
	size_t at = 12;

	for (int i = 0; i < 4; i++, at += 64) {
		whole[at] = 63;
		memset(whole + at + 1, 'a', 63);
	}
	whole[at] = 0;
	whole[at + 2] = DNS_MX;
	whole[at + 4] = 1;
	cr_assert_eq(dns_message_parse(slice_of(whole, at + 5), &m),
	    PARSE_MALFORMED);
	/* Two octets less, and it is one of 255. */
	whole[12 + 3 * 64] = 61;
	whole[at - 2] = 0;
	memset(whole + at - 1, 0, 4);
	whole[at] = DNS_MX;
	whole[at + 2] = 1;
	cr_assert_eq(dns_message_parse(slice_of(whole, at + 3), &m), PARSE_OK);
	cr_assert_eq(strlen(m.name), 253);
}

Test(dns, odd_names_and_other_classes_are_left_out)
{
	struct dns_record record;
	bool damaged;

	/* A label with a dot in it would pass for two. */
	cr_assert_eq(records_of(BYTES(HEAD("\x81\x80",
				    "\2") MX_QUESTION RECORD("\xc0\x0c", "\x0f",
				    "\6", "\0\1\1.\xc0\x0c") RECORD("\xc0\x0c",
				    "\x0f", "\6", "\0\1\1a\xc0\x0c")),
			 &record, &damaged),
	    1);
	cr_assert_not(damaged);
	cr_assert_str_eq(record.value, "a.example.org");
}

Test(dns, lengths_that_lie_are_damage)
{
	struct dns_record record;
	bool damaged = false;

	cr_assert_eq(records_of(BYTES(HEAD("\x81\x80", "\1")
					MX_QUESTION RECORD("\xc0\x0c", "\1",
					    "\x20", "\1\2\3\4")),
			 &record, &damaged),
	    0);
	cr_assert(damaged);
}

Test(dns, no_message_is_read_past_its_end)
{
	static const char whole[] = HEAD("\x85\x80", "\3")
	    MX_QUESTION RECORD("\xc0\x0c", "\x0f", "\7", "\0\x0a\2mx\xc0\x0c")
		RECORD("\xc0\x0c", "\x10", "\6", "\5v=STS")
		    RECORD("\xc0\x0c", "\x34", "\5", "\3\1\1\xab\xcd");

	for (size_t n = 0; n < sizeof(whole); n++) {
		struct guarded g = guarded_copy(whole, n);
		struct dns_message m;
		struct dns_record record;
		unsigned seen = 0;
		bool damaged;

		if (dns_message_parse(g.bytes, &m) == PARSE_OK) {
			size_t at = m.records_at;

			while (
			    dns_record_next(&m, &at, &seen, &record, &damaged))
				;
			cr_assert_eq(damaged, n < sizeof(whole) - 1);
		}
		guarded_free(&g);
	}
}
