/* Facts as bytes: there and back, and what is refused. */
#include <criterion/criterion.h>

#include "dissect/fact.h"
#include "unit/guarded.h"

static const struct fact sample = { .code = FACT_EHLO_REPLY,
	.dir = TO_CLIENT,
	.about = VERB_EHLO,
	.flags = FACT_LAST_LINE | FACT_RESUMED,
	.observability = OBS_SNAPLEN | OBS_LOST_SYNC,
	.line = 0xfedc,
	.reserved = 0x7654,
	.value = 0x89abcdef,
	.frame = 0xfffffffe,
	.capture_ts_ns = -5,
	.stream_offset = 1,
	.extent = 0x10000,
	.capture = 0xfffe,
	.length = 5 };
#define SAMPLE_BYTES 45
#define SAMPLE_WIDE_BYTES 61

/* Numbers that need more room, one at a time and all together. */
static struct fact
wide_sample(unsigned which)
{
	struct fact wide = sample;

	if (which == 0 || which == 4)
		wide.frame = UINT64_MAX - 1;
	if (which == 1 || which == 4)
		wide.stream_offset = UINT64_C(0x8123456700000001);
	if (which == 2 || which == 4)
		wide.extent = UINT64_C(1) << 40;
	if (which == 3 || which == 4)
		wide.capture = 0xfffffffe;
	return wide;
}

static void
check_equal(const struct fact *a, const struct fact *b)
{
	cr_assert_eq(a->code, b->code);
	cr_assert_eq(a->dir, b->dir);
	cr_assert_eq(a->about, b->about);
	cr_assert_eq(a->flags, b->flags);
	cr_assert_eq(a->observability, b->observability);
	cr_assert_eq(a->line, b->line);
	cr_assert_eq(a->reserved, b->reserved);
	cr_assert_eq(a->value, b->value);
	cr_assert_eq(a->frame, b->frame);
	cr_assert_eq(a->capture_ts_ns, b->capture_ts_ns);
	cr_assert_eq(a->stream_offset, b->stream_offset);
	cr_assert_eq(a->extent, b->extent);
	cr_assert_eq(a->capture, b->capture);
	cr_assert_eq(a->length, b->length);
}

Test(fact, every_field_comes_back)
{
	uint8_t encoded[2 * SAMPLE_BYTES];
	struct slice in = slice_of(encoded, sizeof(encoded)), bytes;
	struct fact out;

	cr_assert_eq(fact_encode(&sample, slice_str("hello"), encoded),
	    SAMPLE_BYTES);
	fact_encode(&sample, slice_str("again"), encoded + SAMPLE_BYTES);
	cr_assert(fact_decode(&in, &out, &bytes));
	check_equal(&out, &sample);
	cr_assert(slice_equal(bytes, slice_str("hello")));
	cr_assert(fact_decode(&in, &out, &bytes));
	cr_assert(slice_equal(bytes, slice_str("again")));
	cr_assert_eq(in.len, 0);
	cr_assert_not(fact_decode(&in, &out, &bytes));
}

Test(fact, numbers_of_any_size_come_back)
{
	for (unsigned i = 0; i < 5; i++) {
		const struct fact wide = wide_sample(i);
		uint8_t encoded[SAMPLE_WIDE_BYTES];
		struct slice in = slice_of(encoded, sizeof(encoded)), bytes;
		struct fact out;

		cr_assert_eq(fact_encode(&wide, slice_str("hello"), encoded),
		    SAMPLE_WIDE_BYTES);
		cr_assert(fact_decode(&in, &out, &bytes));
		check_equal(&out, &wide);
		cr_assert(slice_equal(bytes, slice_str("hello")));
		cr_assert_eq(in.len, 0);
	}
}

Test(fact, many_octets_come_back)
{
	static uint8_t encoded[FACT_HEADER_MAX_BYTES + 70000], many[70000];
	struct slice in, bytes;
	struct fact out;

	memset(many, 'x', sizeof(many));
	in = slice_of(encoded,
	    fact_encode(&sample, slice_of(many, sizeof(many)), encoded));
	cr_assert(fact_decode(&in, &out, &bytes));
	cr_assert_eq(out.length, sizeof(many));
	cr_assert(slice_equal(bytes, slice_of(many, sizeof(many))));
	cr_assert_eq(in.len, 0);
}

/* One that the peer acknowledged as a whole. */
Test(fact, what_was_acknowledged_is_marked)
{
	for (unsigned i = 0; i < 6; i++) {
		const struct fact fact = i < 5 ? wide_sample(i) : sample;
		uint64_t end = fact.stream_offset + fact.extent;

		for (unsigned short_of = 0; short_of < 2; short_of++) {
			const uint64_t acked[2] = { UINT64_MAX,
				end - short_of };
			uint8_t encoded[SAMPLE_WIDE_BYTES];
			struct slice in, bytes;
			struct fact out;

			in = slice_of(encoded,
			    fact_encode(&fact, slice_str("hello"), encoded));
			cr_assert_eq(fact_mark_acked(encoded, acked), in.len);
			cr_assert(fact_decode(&in, &out, &bytes));
			cr_assert_eq(!(out.flags & FACT_ACKED), short_of);
			out.flags &= (uint16_t)~FACT_ACKED;
			check_equal(&out, &fact);
		}
	}
}

/* Stored facts outlive the program: the form may not change unnoticed. */
Test(fact, the_stored_form_is_little_endian_and_fixed)
{
	static const uint8_t wanted[] = "\x04\x01\x01\0\x01\x01\x90\0"
					"\xef\xcd\xab\x89\xdc\xfe\xfe\xff"
					"\xfb\xff\xff\xff\xff\xff\xff\xff"
					"\xfe\xff\xff\xff\x01\0\0\0"
					"\0\0\x01\0\x05\0\x54\x76hello";
	static const uint8_t wanted_wide[] = "\x04\x01\x03\0\x01\x01\x90\0"
					     "\xef\xcd\xab\x89\xdc\xfe\xfe\xff"
					     "\xfb\xff\xff\xff\xff\xff\xff\xff"
					     "\xfe\xff\xff\xff\x01\0\0\0"
					     "\0\0\0\0\x05\0\x54\x76"
					     "\xff\xff\xff\xff\x67\x45\x23\x81"
					     "\0\x01\0\0\xff\xff\0\0hello";
	const struct fact wide = wide_sample(4);
	uint8_t encoded[SAMPLE_WIDE_BYTES];

	fact_encode(&sample, slice_str("hello"), encoded);
	cr_assert_eq(memcmp(encoded, wanted, SAMPLE_BYTES), 0);
	fact_encode(&wide, slice_str("hello"), encoded);
	cr_assert_eq(memcmp(encoded, wanted_wide, SAMPLE_WIDE_BYTES), 0);
}

Test(fact, every_code_verb_ending_and_decision_has_a_name_of_its_own)
{
	for (int i = 0; i < FACT_CODES; i++)
		for (int j = 0; j < i; j++)
			cr_assert_str_neq(fact_code_name((enum fact_code)i),
			    fact_code_name((enum fact_code)j));
	for (int i = 0; i < VERBS; i++)
		for (int j = 0; j < i; j++)
			cr_assert_str_neq(verb_name((enum verb)i),
			    verb_name((enum verb)j));
	for (int i = 0; i < ENDINGS; i++)
		cr_assert_not_null(ending_name((enum ending)i));
	for (int i = 0; i < DECISIONS; i++)
		cr_assert_not_null(decision_name((enum decision)i));
}

Test(fact, a_record_that_is_cut_is_refused_and_left_alone)
{
	for (unsigned i = 0; i < 2; i++) {
		const struct fact fact = i ? wide_sample(4) : sample;
		uint8_t encoded[SAMPLE_WIDE_BYTES];
		size_t whole = fact_encode(&fact, slice_str("hello"), encoded);

		for (size_t len = 0; len < whole; len++) {
			struct guarded g = guarded_copy(encoded, len);
			struct slice in = g.bytes, bytes;
			struct fact out;

			cr_assert_not(fact_decode(&in, &out, &bytes), "%zu",
			    len);
			cr_assert_eq(in.len, len);
			guarded_free(&g);
		}
	}
}

/* The judge takes every record for hostile (design 6). */
Test(fact, hostile_records_are_refused)
{
	static const struct {
		size_t at;
		uint8_t value;
		bool fine;
	} rows[] = {
		{ 0, FACT_CODES, false }, /* code */
		{ 1, VERBS, false },	  /* verb */
		{ 1, VERBS - 1, true },
		{ 2, 3, false }, /* wide, and too short for that */
		{ 2, 5, false }, /* what is always 0 */
		{ 3, 1, false },
		{ 2, 0, true },	  /* direction */
		{ 36, 6, false }, /* length beyond the end */
		{ 37, 0xff, false },
		{ 36, 4, true },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		uint8_t encoded[SAMPLE_BYTES];
		struct slice in = slice_of(encoded, sizeof(encoded)), bytes;
		struct fact out;

		fact_encode(&sample, slice_str("hello"), encoded);
		encoded[rows[i].at] = rows[i].value;
		cr_assert_eq(fact_decode(&in, &out, &bytes), rows[i].fine,
		    "row %zu", i);
		if (!rows[i].fine)
			cr_assert_eq(in.len, sizeof(encoded));
	}
}

/* Its name is looked up in a table. */
Test(fact, an_ending_that_does_not_exist_is_refused)
{
	for (uint32_t value = 0; value < ENDINGS + 3; value++) {
		struct fact closed = { .code = FACT_CLOSED, .value = value };
		uint8_t encoded[FACT_HEADER_MAX_BYTES];
		struct slice in, bytes;

		in = slice_of(encoded,
		    fact_encode(&closed, slice_of(NULL, 0), encoded));
		cr_assert_eq(fact_decode(&in, &closed, &bytes),
		    value < ENDINGS);
	}
}

Test(fact, identities_come_back)
{
	for (unsigned bits = 0; bits < 8; bits++) {
		struct flow_identity id = { .client_isn = 0xdeadbeef,
			.server_isn = 7,
			.has_client_isn = bits & 1,
			.has_server_isn = bits & 2,
			.on_mail_port = bits & 4 };
		uint8_t encoded[FLOW_IDENTITY_BYTES];
		struct flow_identity out;

		address_parse("192.0.2.1", &id.client.address);
		address_parse("2001:db8::1", &id.server.address);
		id.client.port = 40000;
		id.server.port = 25;
		flow_identity_encode(&id, encoded);
		cr_assert(
		    flow_identity_decode(slice_of(encoded, sizeof(encoded)),
			&out));
		cr_assert(endpoint_equal(&out.client, &id.client));
		cr_assert(endpoint_equal(&out.server, &id.server));
		cr_assert_eq(out.has_client_isn, id.has_client_isn);
		cr_assert_eq(out.has_server_isn, id.has_server_isn);
		cr_assert_eq(out.on_mail_port, id.on_mail_port);
		cr_assert_eq(out.client_isn, bits & 1 ? 0xdeadbeef : 0);
		cr_assert_eq(out.server_isn, bits & 2 ? 7 : 0);
	}
}

Test(fact, hostile_identities_are_refused)
{
	struct flow_identity id = { .client.address.family = 4,
		.server.address.family = 6 };
	uint8_t encoded[FLOW_IDENTITY_BYTES + 1] = { 0 };
	struct flow_identity out;

	flow_identity_encode(&id, encoded);
	cr_assert_not(flow_identity_decode(slice_of(encoded, 47), &out));
	cr_assert_not(flow_identity_decode(slice_of(encoded, 49), &out));
	cr_assert_not(flow_identity_decode(slice_of(NULL, 0), &out));
	encoded[0] = 5;
	cr_assert_not(flow_identity_decode(slice_of(encoded, 48), &out));
	encoded[0] = 4;
	encoded[19] = 0;
	cr_assert_not(flow_identity_decode(slice_of(encoded, 48), &out));
}
