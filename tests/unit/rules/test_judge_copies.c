/* Two contents of the same octets: what the copies were for, and how sure. */
#include <criterion/criterion.h>

#include "unit/rules/judging.h"

#define GREETING S("220 mx.example.org ESMTP Postfix\r\n"), C("EHLO a\r\n")
#define OFFERED S("250-mx.example.org\r\n250-STARTTLS\r\n250 DSN\r\n")
#define GARBLED S("250-mx.example.org\r\n250-XXXXXXXX\r\n250 DSN\r\n")
#define MAIL C("MAIL FROM:<a@example.net>\r\n"), S("250 Ok\r\n"), C("QUIT\r\n")

/* Where in its stream the server of GREETING, OFFERED says STARTTLS. */
#define OFFER_AT                                       \
	(sizeof("220 mx.example.org ESMTP Postfix\r\n" \
		"250-mx.example.org\r\n250-") -        \
	    1)

/* The dissector tells of two copies that differ in these octets. */
static void
say_copies_at(enum dir dir, uint64_t from, uint64_t extent, uint32_t value,
    enum sum first_sum, enum sum later_sum)
{
	const struct segment_copy first = { .frame = 3,
		.ttl = 57,
		.sum = (uint8_t)first_sum };
	const struct segment_copy later = { .frame = 9,
		.ttl = 63,
		.sum = (uint8_t)later_sum };
	struct fact fact = { .code = FACT_COPIES_DIFFER,
		.dir = (uint8_t)dir,
		.value = value,
		.extent = extent,
		.stream_offset = from,
		.frame = 9 };
	uint8_t bytes[2 * SEGMENT_COPY_BYTES];

	segment_copy_encode(&first, bytes);
	segment_copy_encode(&later, bytes + SEGMENT_COPY_BYTES);
	session_fold(&d.session, &fact, slice_of(bytes, sizeof(bytes)));
}

/* Of some octets of the EHLO reply. */
static void
say_copies(uint32_t value, enum sum first_sum, enum sum later_sum)
{
	say_copies_at(TO_CLIENT, 60, 8, value, first_sum, later_sum);
}

/* And reads the later ones. */
static void
read_other(enum fact_code code, enum verb about, uint32_t value,
    const char *const *lines, uint16_t count)
{
	for (uint16_t i = 0; i < count; i++) {
		struct fact fact = { .code = (uint16_t)code,
			.dir = TO_CLIENT,
			.about = (uint8_t)about,
			.value = value,
			.line = (uint16_t)(i + 1),
			.frame = 9,
			.flags = (uint16_t)(FACT_OTHER_READING |
			    (i + 1 == count ? FACT_LAST_LINE : 0)) };

		session_fold(&d.session, &fact, slice_str(lines[i]));
	}
}

static const char *const offered_lines[] = { "250-mx.example.org",
	"250-STARTTLS", "250 DSN" };
static const char *const garbled_lines[] = { "250-mx.example.org",
	"250-XXXXXXXX", "250 DSN" };
static const char *const stripped_lines[] = { "250-mx.example.org", "250 DSN" };

static bool
has(enum evidence_code code)
{
	for (unsigned i = 0; i < in.evidence_count; i++)
		if (in.evidence[i].code == code)
			return true;
	return false;
}

Test(judge_copies, a_forged_reply_that_was_obeyed_is_what_it_was_for)
{
	begin(CLIENT, SERVER);
	dialogue_say(&d, GREETING, GARBLED, MAIL);
	say_copies(COPIES_ACKED, SUM_RIGHT, SUM_RIGHT);
	read_other(FACT_EHLO_REPLY, VERB_EHLO, 250, offered_lines, 3);
	cr_assert_eq(conclude(), VERDICT_INCIDENT);
	cr_assert_eq(in.kind, KIND_STARTTLS_GARBLED);
	cr_assert_eq(in.also, 1u << KIND_SEGMENT_FORGED);
	cr_assert_eq(in.certainty, CERTAINTY_DEMONSTRATED);
	cr_assert_geq(in.confidence, JUDGE_DEMONSTRATED);
	cr_assert(has(EVIDENCE_COPIES_DIFFER));
	cr_assert_str_eq(in.seen, "250-XXXXXXXX");
	cr_assert_eq(in.frame, 3);
}

/* The genuine copy came first, and the client obeyed the other one. */
Test(judge_copies, the_copy_that_was_obeyed_is_judged)
{
	begin(CLIENT, SERVER);
	dialogue_say(&d, GREETING, OFFERED, MAIL);
	say_copies(0, SUM_RIGHT, SUM_RIGHT);
	read_other(FACT_EHLO_REPLY, VERB_EHLO, 250, garbled_lines, 3);
	cr_assert_eq(conclude(), VERDICT_INCIDENT);
	cr_assert_eq(in.kind, KIND_STARTTLS_GARBLED);
	cr_assert_str_eq(in.seen, "250-XXXXXXXX");
	cr_assert_eq(in.frame, 9);
}

Test(judge_copies, an_offer_that_one_copy_lacks_was_removed)
{
	begin(CLIENT, SERVER);
	dialogue_say(&d, GREETING, OFFERED, MAIL);
	say_copies(0, SUM_RIGHT, SUM_RIGHT);
	read_other(FACT_EHLO_REPLY, VERB_EHLO, 250, stripped_lines, 2);
	cr_assert_eq(conclude(), VERDICT_INCIDENT);
	cr_assert_eq(in.kind, KIND_STARTTLS_STRIPPED);
	cr_assert_eq(in.certainty, CERTAINTY_DEMONSTRATED);
}

Test(judge_copies, a_forged_reply_that_nobody_obeyed_is_an_attempt)
{
	begin(CLIENT, SERVER);
	dialogue_say(&d, GREETING, OFFERED, C("STARTTLS\r\n"),
	    S("220 go ahead\r\n"));
	say_copies(COPIES_ACKED, SUM_RIGHT, SUM_RIGHT);
	read_other(FACT_EHLO_REPLY, VERB_EHLO, 250, garbled_lines, 3);
	cr_assert_eq(conclude(), VERDICT_INCIDENT);
	cr_assert_eq(in.kind, KIND_SEGMENT_FORGED);
	cr_assert_eq(in.certainty, CERTAINTY_DEMONSTRATED);
	cr_assert_eq(in.frame, 9);
	cr_assert_not_null(strstr(in.observed,
	    "two versions, of which the first one offers STARTTLS"));
}

/* The client obeyed a refusal that came beside the server's 220. */
Test(judge_copies, a_refusal_in_one_of_two_answers_is_what_they_are_for)
{
	static const char *const lines[] = { "220 go ahead" };

	begin(CLIENT, SERVER);
	dialogue_say(&d, GREETING, OFFERED, C("STARTTLS\r\n"),
	    S("454 not now\r\n"), MAIL);
	say_copies(0, SUM_RIGHT, SUM_RIGHT);
	read_other(FACT_REPLY, VERB_STARTTLS, 220, lines, 1);
	cr_assert_eq(conclude(), VERDICT_INCIDENT);
	cr_assert_eq(in.kind, KIND_STARTTLS_REFUSED);
	cr_assert_eq(in.also, 1u << KIND_SEGMENT_FORGED);
	cr_assert_eq(in.certainty, CERTAINTY_DEMONSTRATED);
}

/* The same, and the refusal is what was captured later. */
Test(judge_copies, a_later_refusal_that_was_obeyed_is_judged)
{
	static const char *const lines[] = { "454 not now" };

	begin(CLIENT, SERVER);
	dialogue_say(&d, GREETING, OFFERED, C("STARTTLS\r\n"),
	    S("220 go ahead\r\n"), MAIL);
	say_copies(COPIES_SIGHTINGS, SUM_RIGHT, SUM_RIGHT);
	read_other(FACT_REPLY, VERB_STARTTLS, 454, lines, 1);
	cr_assert_eq(conclude(), VERDICT_INCIDENT);
	cr_assert_eq(in.kind, KIND_STARTTLS_REFUSED);
	cr_assert_str_eq(in.seen, "454 not now");
	cr_assert_eq(in.certainty, CERTAINTY_DEMONSTRATED);
}

/* `text` came in a copy of the client's octets at `offset`. */
static void
read_other_command(uint64_t offset, const char *text)
{
	struct fact fact = { .code = FACT_COMMAND,
		.dir = TO_SERVER,
		.about = VERB_OTHER,
		.stream_offset = offset,
		.frame = 9,
		.flags = FACT_OTHER_READING };

	session_fold(&d.session, &fact, slice_str(text));
}

#define EHLO_BYTES (sizeof("EHLO a\r\n") - 1)

Test(judge_copies, starttls_that_arrives_as_another_word_was_overwritten)
{
	static const char *const words[] = { "XXXXXXXX", "QZKWVPDJ", "STARTULS",
		"XSTARTTL" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		begin(CLIENT, SERVER);
		dialogue_say(&d, GREETING, OFFERED, C("STARTTLS\r\n"),
		    S("500 unknown\r\n"), MAIL);
		say_copies(COPIES_SIGHTINGS, SUM_RIGHT, SUM_RIGHT);
		read_other_command(EHLO_BYTES, words[i]);
		cr_assert_eq(conclude(), VERDICT_INCIDENT);
		cr_assert_eq(in.kind, KIND_STARTTLS_COMMAND_GARBLED, "%s",
		    words[i]);
		cr_assert_eq(in.certainty, CERTAINTY_DEMONSTRATED);
		cr_assert_str_eq(in.seen, words[i]);
		cr_assert_str_eq(in.expected, "STARTTLS");
	}
}

Test(judge_copies, another_command_in_two_versions_is_not_starttls)
{
	begin(CLIENT, SERVER);
	dialogue_say(&d, GREETING, OFFERED, C("STARTTLS\r\n"),
	    S("500 unknown\r\n"), MAIL);
	say_copies(COPIES_SIGHTINGS, SUM_RIGHT, SUM_RIGHT);
	read_other_command(EHLO_BYTES + 10, "XXXX FROM:<a@example.net>");
	cr_assert_eq(conclude(), VERDICT_INCIDENT);
	cr_assert_eq(in.kind, KIND_SEGMENT_FORGED);
}

Test(judge_copies, ehlo_that_arrives_as_another_word_was_overwritten)
{
	begin(CLIENT, SERVER);
	dialogue_say(&d, GREETING, S("500 unknown\r\n"), C("HELO a\r\n"),
	    S("250 mx.example.org\r\n"), MAIL);
	say_copies(COPIES_SIGHTINGS, SUM_RIGHT, SUM_RIGHT);
	read_other_command(0, "XXXX a");
	cr_assert_eq(conclude(), VERDICT_INCIDENT);
	cr_assert_eq(in.kind, KIND_EHLO_BLOCKED);
	cr_assert_eq(in.certainty, CERTAINTY_DEMONSTRATED);
	cr_assert_str_eq(in.expected, "EHLO");
}

Test(judge_copies, an_answer_to_ehlo_that_arrives_as_a_refusal_was_overwritten)
{
	static const char *const lines[] = { "502 not implemented      " };

	begin(CLIENT, SERVER);
	dialogue_say(&d, GREETING, OFFERED, C("HELO a\r\n"),
	    S("250 mx.example.org\r\n"), MAIL);
	say_copies(0, SUM_RIGHT, SUM_RIGHT);
	read_other(FACT_EHLO_REPLY, VERB_EHLO, 502, lines, 1);
	cr_assert_eq(conclude(), VERDICT_INCIDENT);
	cr_assert_eq(in.kind, KIND_EHLO_BLOCKED);
	cr_assert_eq(in.also, 1u << KIND_SEGMENT_FORGED);
	cr_assert_eq(in.certainty, CERTAINTY_DEMONSTRATED);
}

Test(judge_copies, two_answers_to_starttls_are_told)
{
	static const char *const lines[] = { "454 not now" };

	begin(CLIENT, SERVER);
	dialogue_say(&d, GREETING, OFFERED, C("STARTTLS\r\n"),
	    S("220 go ahead\r\n"));
	say_copies(0, SUM_RIGHT, SUM_RIGHT);
	read_other(FACT_REPLY, VERB_STARTTLS, 454, lines, 1);
	cr_assert_eq(conclude(), VERDICT_INCIDENT);
	cr_assert_eq(in.kind, KIND_SEGMENT_FORGED);
	cr_assert_not_null(
	    strstr(in.observed, "first 220, later \"454 not now\""));
}

/* Thrown away by whom it was for: a candidate, and no incident. */
Test(judge_copies, a_damaged_copy_is_only_a_candidate)
{
	begin(CLIENT, SERVER);
	dialogue_say(&d, GREETING, OFFERED, C("STARTTLS\r\n"),
	    S("220 go ahead\r\n"));
	say_copies(0, SUM_WRONG, SUM_RIGHT);
	cr_assert_eq(conclude(), VERDICT_EVIDENCE);
	cr_assert_lt(in.confidence, JUDGE_POSSIBLE);
	cr_assert(has(EVIDENCE_COPY_DAMAGED));
}

/* Damage does not begin and end with the word: somebody tried. */
Test(judge_copies, a_damaged_copy_of_just_the_offer_is_an_attempt)
{
	static const struct {
		uint64_t from, extent;
		bool offer;
	} cases[] = {
		{ OFFER_AT, 8, true },
		{ OFFER_AT - 4, 12, true }, /* with its code */
		{ OFFER_AT, 7, false },
		{ OFFER_AT + 1, 7, false },
		{ OFFER_AT + 1, 1, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		begin(CLIENT, SERVER);
		dialogue_say(&d, GREETING, OFFERED, C("STARTTLS\r\n"),
		    S("220 go ahead\r\n"));
		say_copies_at(TO_CLIENT, cases[i].from, cases[i].extent, 0,
		    SUM_WRONG, SUM_RIGHT);
		cr_assert_eq(conclude(),
		    cases[i].offer ? VERDICT_INCIDENT : VERDICT_EVIDENCE,
		    "case %zu", i);
		cr_assert_eq(in.kind, KIND_SEGMENT_FORGED);
		cr_assert_neq(in.certainty, CERTAINTY_DEMONSTRATED);
		cr_assert_eq(has(EVIDENCE_COPY_ON_OFFER), cases[i].offer);
	}
}

Test(judge_copies, a_damaged_command_is_an_attempt_where_it_is_just_that)
{
	begin(CLIENT, SERVER);
	dialogue_say(&d, GREETING, OFFERED, C("STARTTLS\r\n"),
	    S("220 go ahead\r\n"));
	say_copies_at(TO_SERVER, sizeof("EHLO a\r\n") - 1, 8, 0, SUM_RIGHT,
	    SUM_WRONG);
	cr_assert_eq(conclude(), VERDICT_INCIDENT);
	cr_assert(has(EVIDENCE_COPY_ON_OFFER));
}

/* Whatever else there is has had an effect. */
Test(judge_copies, an_attempt_is_no_cover_for_a_refusal)
{
	begin(CLIENT, SERVER);
	dialogue_say(&d, GREETING, OFFERED, C("STARTTLS\r\n"),
	    S("454 4.7.0 TLS not available\r\n"), MAIL);
	say_copies_at(TO_CLIENT, OFFER_AT, 8, 0, SUM_WRONG, SUM_RIGHT);
	cr_assert_eq(conclude(), VERDICT_INCIDENT);
	cr_assert_eq(in.kind, KIND_STARTTLS_REFUSED);
}

/* It does not hide what else is wrong with the session. */
Test(judge_copies, a_damaged_copy_beside_a_garbled_offer_is_no_cover)
{
	begin(CLIENT, SERVER);
	dialogue_say(&d, GREETING, GARBLED, MAIL);
	say_copies(0, SUM_RIGHT, SUM_WRONG);
	cr_assert_eq(conclude(), VERDICT_INCIDENT);
	cr_assert_eq(in.kind, KIND_STARTTLS_GARBLED);
	cr_assert_neq(in.certainty, CERTAINTY_DEMONSTRATED);
}

Test(judge_copies, two_sightings_name_the_box_between_them)
{
	begin(CLIENT, SERVER);
	dialogue_say(&d, GREETING, OFFERED, MAIL);
	say_copies(COPIES_SIGHTINGS, SUM_RIGHT, SUM_RIGHT);
	read_other(FACT_EHLO_REPLY, VERB_EHLO, 250, garbled_lines, 3);
	cr_assert_eq(conclude(), VERDICT_INCIDENT);
	cr_assert_eq(in.kind, KIND_STARTTLS_GARBLED);
	cr_assert_eq(in.also, 0);
	cr_assert_eq(in.cause, CAUSE_KNOWN_BOX);
	cr_assert_eq(in.certainty, CERTAINTY_DEMONSTRATED);
	cr_assert(has(EVIDENCE_SECOND_SIGHTING));
}

/* Also where it is not the offer that was changed. */
Test(judge_copies, two_sightings_of_anything_name_the_box)
{
	begin(CLIENT, SERVER);
	dialogue_say(&d, GREETING, OFFERED, MAIL);
	say_copies(COPIES_SIGHTINGS, SUM_RIGHT, SUM_RIGHT);
	cr_assert_eq(conclude(), VERDICT_INCIDENT);
	cr_assert_eq(in.kind, KIND_SEGMENT_FORGED);
	cr_assert_eq(in.cause, CAUSE_KNOWN_BOX);
}

/* The sentence is about the pair that counts. */
Test(judge_copies, a_damaged_copy_before_a_right_one_is_not_the_one_told)
{
	begin(CLIENT, SERVER);
	dialogue_say(&d, GREETING, OFFERED, MAIL);
	say_copies(0, SUM_WRONG, SUM_RIGHT);
	d.session.copies[0].first.frame = 77;
	say_copies(0, SUM_RIGHT, SUM_RIGHT);
	cr_assert_eq(conclude(), VERDICT_INCIDENT);
	cr_assert_eq(in.certainty, CERTAINTY_DEMONSTRATED);
	cr_assert_null(strstr(in.observed, "77"));
	cr_assert_not_null(strstr(in.observed, "frames 3 and 9"));
}

Test(judge_copies, more_copies_than_are_kept_are_counted)
{
	begin(CLIENT, SERVER);
	dialogue_say(&d, GREETING, OFFERED, MAIL);
	for (int i = 0; i < 3 * COPIES_MAX; i++)
		say_copies(0, SUM_RIGHT, SUM_RIGHT);
	cr_assert_eq(d.session.copy_count, 3 * COPIES_MAX);
	cr_assert_eq(conclude(), VERDICT_INCIDENT);
	cr_assert_eq(in.kind, KIND_SEGMENT_FORGED);
}
