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
	.value = 0x89abcdef,
	.session = UINT64_C(0x8123456789abcdef),
	.frame = UINT64_MAX - 1,
	.capture_ts_ns = -5,
	.stream_offset = 1,
	.extent = UINT64_C(1) << 40,
	.capture = 0xfffffffe,
	.length = 5 };

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
	cr_assert_eq(a->session, b->session);
	cr_assert_eq(a->frame, b->frame);
	cr_assert_eq(a->capture_ts_ns, b->capture_ts_ns);
	cr_assert_eq(a->stream_offset, b->stream_offset);
	cr_assert_eq(a->extent, b->extent);
	cr_assert_eq(a->capture, b->capture);
	cr_assert_eq(a->length, b->length);
}

Test(fact, every_field_comes_back)
{
	uint8_t encoded[2 * (FACT_HEADER_BYTES + 5)];
	struct slice in = slice_of(encoded, sizeof(encoded)), bytes;
	struct fact out;

	fact_encode(&sample, slice_str("hello"), encoded);
	fact_encode(&sample, slice_str("again"),
	    encoded + FACT_HEADER_BYTES + 5);
	cr_assert(fact_decode(&in, &out, &bytes));
	check_equal(&out, &sample);
	cr_assert(slice_equal(bytes, slice_str("hello")));
	cr_assert(fact_decode(&in, &out, &bytes));
	cr_assert(slice_equal(bytes, slice_str("again")));
	cr_assert_eq(in.len, 0);
	cr_assert_not(fact_decode(&in, &out, &bytes));
}

/* Stored facts outlive the program: the form may not change unnoticed. */
Test(fact, the_stored_form_is_little_endian_and_fixed)
{
	static const uint8_t wanted[] =
	    "\x04\0\x01\x01\x01\x01\x90\0\xdc\xfe\0\0"
	    "\xef\xcd\xab\x89"
	    "\xef\xcd\xab\x89\x67\x45\x23\x81"
	    "\xfe\xff\xff\xff\xff\xff\xff\xff"
	    "\xfb\xff\xff\xff\xff\xff\xff\xff"
	    "\x01\0\0\0\0\0\0\0"
	    "\0\0\0\0\0\x01\0\0"
	    "\xfe\xff\xff\xff\x05\0\0\0hello";
	uint8_t encoded[FACT_HEADER_BYTES + 5];

	fact_encode(&sample, slice_str("hello"), encoded);
	cr_assert_eq(memcmp(encoded, wanted, sizeof(encoded)), 0);
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
	uint8_t encoded[FACT_HEADER_BYTES + 5];

	fact_encode(&sample, slice_str("hello"), encoded);
	for (size_t len = 0; len < sizeof(encoded); len++) {
		struct guarded g = guarded_copy(encoded, len);
		struct slice in = g.bytes, bytes;
		struct fact out;

		cr_assert_not(fact_decode(&in, &out, &bytes), "%zu", len);
		cr_assert_eq(in.len, len);
		guarded_free(&g);
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
		{ 1, 1, false },
		{ 2, 2, false }, /* direction */
		{ 2, 0, true },
		{ 3, VERBS, false }, /* verb */
		{ 3, VERBS - 1, true },
		{ 60, 6, false }, /* length beyond the end */
		{ 63, 0xff, false },
		{ 60, 4, true },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		uint8_t encoded[FACT_HEADER_BYTES + 5];
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
		uint8_t encoded[FACT_HEADER_BYTES];
		struct slice in = slice_of(encoded, sizeof(encoded)), bytes;

		fact_encode(&closed, slice_of(NULL, 0), encoded);
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
