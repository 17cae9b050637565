/* tls-version-downgraded: the server's mark, and what the client offers. */
#include "rules/judge.h"

#include "unit/rules/judging.h"

#define TLS_1_1 0x0302
#define TLS_1_2 0x0303
#define TLS_1_3 0x0304
#define MARK_TLS12 "DOWNGRD\1"
#define MARK_TLS11 "DOWNGRD"
#define NO_MARK "DOWNGRE\1"

/* STARTTLS accepted, then both hellos; `mark` ends the server's random. */
static enum verdict
judge_hellos(uint16_t offered, uint16_t chosen, const char *mark)
{
	struct fact hello = { .code = FACT_TLS_SERVER_HELLO,
		.dir = TO_CLIENT,
		.value = chosen,
		.length = 32 };
	uint8_t random[32] = { 1, 2, 3 };

	memcpy(random + 24, mark, strlen(mark) < 8 ? strlen(mark) : 8);
	greet();
	dialogue_say(&d, C("STARTTLS\r\n"), S("220 2.0.0 Ready\r\n"));
	if (offered != 0)
		dialogue_fact(&d, FACT_TLS_CLIENT_HELLO, offered, "");
	hello.frame = 9;
	session_fold(&d.session, &hello, slice_of(random, sizeof(random)));
	dialogue_fact(&d, FACT_TLS_ESTABLISHED, 0, "");
	return conclude();
}

Test(judge_downgrade, a_mark_though_the_client_offers_more_demonstrates_it)
{
	cr_assert_eq(judge_hellos(TLS_1_3, TLS_1_2, MARK_TLS12),
	    VERDICT_INCIDENT);
	cr_expect_eq(in.kind, KIND_TLS_VERSION_DOWNGRADED);
	cr_expect_eq(in.certainty, CERTAINTY_DEMONSTRATED);
	cr_expect_eq(in.side, SIDE_SERVER_OF_TAP);
	cr_expect_eq(in.frame, 9);
	expect_evidence(&in, "sentinel");
	cr_assert_eq(judge_hellos(TLS_1_3, TLS_1_1, MARK_TLS11),
	    VERDICT_INCIDENT);
	cr_assert_eq(judge_hellos(TLS_1_2, TLS_1_1, MARK_TLS11),
	    VERDICT_INCIDENT);
}

Test(judge_downgrade, who_offers_no_more_is_told_nothing_new)
{
	cr_expect_eq(judge_hellos(TLS_1_2, TLS_1_2, MARK_TLS12),
	    VERDICT_NOTHING);
	cr_expect_eq(judge_hellos(TLS_1_1, TLS_1_1, MARK_TLS11),
	    VERDICT_NOTHING);
}

Test(judge_downgrade, a_server_without_the_newer_version_does_not_mark)
{
	cr_expect_eq(judge_hellos(TLS_1_3, TLS_1_2, ""), VERDICT_NOTHING);
	cr_expect_eq(judge_hellos(TLS_1_3, TLS_1_2, NO_MARK), VERDICT_NOTHING);
}

Test(judge_downgrade, a_mark_that_does_not_fit_the_version_is_chance)
{
	cr_expect_eq(judge_hellos(TLS_1_3, TLS_1_1, MARK_TLS12),
	    VERDICT_NOTHING);
	cr_expect_eq(judge_hellos(TLS_1_3, TLS_1_2, MARK_TLS11),
	    VERDICT_NOTHING);
	cr_expect_eq(judge_hellos(TLS_1_3, TLS_1_3, MARK_TLS12),
	    VERDICT_NOTHING);
}

Test(judge_downgrade, without_the_client_hello_nobody_knows)
{
	cr_expect_eq(judge_hellos(0, TLS_1_2, MARK_TLS12), VERDICT_NOTHING);
}

/* Octets that the client sent came otherwise to the server, `offset` octets
 * from its first one. */
static enum verdict
judge_sightings(uint64_t offset, uint32_t value)
{
	struct segment_copy copy = { .frame = 7 };
	uint8_t bytes[2 * SEGMENT_COPY_BYTES];
	struct fact fact = { .code = FACT_COPIES_DIFFER,
		.dir = TO_SERVER,
		.value = value,
		.frame = 8,
		.stream_offset = offset,
		.extent = 2,
		.length = sizeof(bytes) };

	judge_hellos(TLS_1_3, TLS_1_2, "");
	d.session.client_hello_offset = 40;
	segment_copy_encode(&copy, bytes);
	copy.frame = 8;
	segment_copy_encode(&copy, bytes + SEGMENT_COPY_BYTES);
	session_fold(&d.session, &fact, slice_of(bytes, sizeof(bytes)));
	return judge();
}

Test(judge_downgrade, a_hello_that_two_sightings_show_otherwise)
{
	cr_assert_eq(judge_sightings(60, COPIES_SIGHTINGS), VERDICT_INCIDENT);
	cr_expect_eq(in.kind, KIND_TLS_VERSION_DOWNGRADED);
	cr_expect_eq(in.certainty, CERTAINTY_DEMONSTRATED);
	expect_evidence(&in, "second-sighting hello-altered");
	cr_expect_eq(in.cause, CAUSE_KNOWN_BOX);
}

Test(judge_downgrade, what_differs_before_the_hello_is_another_act)
{
	cr_assert_eq(judge_sightings(30, COPIES_SIGHTINGS), VERDICT_INCIDENT);
	cr_expect_eq(in.kind, KIND_SEGMENT_FORGED);
	cr_assert_eq(judge_sightings(60, 0), VERDICT_INCIDENT);
	cr_expect_eq(in.kind, KIND_SEGMENT_FORGED);
}
