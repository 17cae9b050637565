#include <criterion/criterion.h>

#include "rules/sts_txt.h"
#include "unit/guarded.h"

struct txt_row {
	const char *source;
	char source_says, rfc;
	const char *input;
	size_t len;
};

static const struct txt_row txt_rows[] = {
#define ROW(source, says, rfc, input) \
	{ source, says, rfc, input, sizeof(input) - 1 },
#include "unit/rules/vectors/sts_txt.inc"
#undef ROW
};

static bool
strict(const char *txt)
{
	struct sts_txt out;

	sts_txt_parse(slice_str(txt), &out, NULL);
	return out.strict_ok;
}

static const struct sts_lint *
first_finding(const char *txt)
{
	static struct sts_lint_list lint;
	struct sts_txt out;

	sts_txt_parse(slice_str(txt), &out, &lint);
	cr_assert_gt(lint.count, 0, "\"%s\"", txt);
	return &lint.rows[0];
}

Test(sts_txt, known_records_are_judged_by_the_grammar)
{
	for (size_t i = 0; i < sizeof(txt_rows) / sizeof(txt_rows[0]); i++) {
		const struct txt_row *row = &txt_rows[i];
		struct guarded g = guarded_copy(row->input, row->len);
		struct sts_lint_list lint;
		struct sts_txt out;
		bool tolerated = sts_txt_parse(g.bytes, &out, &lint);

		cr_expect_eq(out.strict_ok, row->rfc == 'A', "%s: \"%s\"",
		    row->source, row->input);
		cr_expect_eq(tolerated, out.tolerant_ok);
		cr_expect(tolerated || !out.strict_ok);
		cr_expect(out.strict_ok || lint.count > 0, "%s: \"%s\"",
		    row->source, row->input);
		cr_expect(!tolerated || out.id[0] != '\0');
		guarded_free(&g);
	}
}

/* "All entries except for the first SHALL be ignored" (RFC 8461 3.1): so the
 * first one decides, even when a later one would do. */
Test(sts_txt, the_first_of_two_ids_decides)
{
	struct sts_txt out;

	cr_expect(
	    sts_txt_parse(slice_str("v=STSv1; id=foo; id=bar"), &out, NULL));
	cr_expect_str_eq(out.id, "foo");
	cr_expect(strict("v=STSv1;id=a;id=bad_id"));
	cr_expect_not(strict("v=STSv1;id=bad_id;id=b"));
}

Test(sts_txt, id_has_1_to_32_letters_and_digits)
{
	struct sts_txt out;

	cr_expect(
	    sts_txt_parse(slice_str(
			      "v=STSv1; id=abcdefghijabcdefghijabcdefghij12;"),
		&out, NULL));
	cr_expect_str_eq(out.id, "abcdefghijabcdefghijabcdefghij12");
	cr_expect_not(strict("v=STSv1; id=abcdefghijabcdefghijabcdefghij123;"));
	cr_expect_not(strict("v=STSv1; id=;"));
	cr_expect_not(strict("v=STSv1; id=a-b"));
}

Test(sts_txt, an_extension_has_a_name_of_at_most_32_octets)
{
	cr_expect(strict("v=STSv1; a_-.567890123456789012345678901=x:/<>; "
			 "id=a"));
	cr_expect(strict("v=STSv1; a2345678901234567890123456789012=1; id=a"));
	cr_expect_not(
	    strict("v=STSv1; a23456789012345678901234567890123=1; id=a"));
	cr_expect_not(strict("v=STSv1; _a=1; id=a"));
	cr_expect_not(strict("v=STSv1; =1; id=a"));
	cr_expect_not(strict("v=STSv1; a=\303\270; id=a"));
}

Test(sts_txt, too_many_semicolons_are_tolerated_at_the_end_only)
{
	struct sts_txt out;

	cr_expect(sts_txt_parse(slice_str("v=STSv1; id=a; ;;"), &out, NULL));
	cr_expect_not(out.strict_ok);
	cr_expect(sts_txt_parse(slice_str("v=STSv1; id=a \t"), &out, NULL));
	cr_expect_not(out.strict_ok);
	cr_expect_not(sts_txt_parse(slice_str("v=STSv1;; id=a"), &out, NULL));
	cr_expect_not(sts_txt_parse(slice_str("v=STSv1;"), &out, NULL));
	cr_expect_not(sts_txt_parse(slice_str("v=STSv1;;;"), &out, NULL));
}

Test(sts_txt, findings_have_a_place_and_cite_the_rfc)
{
	static const struct {
		const char *txt, *code;
		enum sts_severity severity;
		unsigned column;
	} rows[] = {
		{ "v=STSv10; id=a", "bad-version", STS_ERROR, 1 },
		{ "v=STSv1", "missing-id", STS_ERROR, 8 },
		{ "v=STSv1; id=a_b", "bad-id", STS_ERROR, 14 },
		{ "v=STSv1; id=", "bad-id", STS_ERROR, 13 },
		{ "v=STSv1; id=a b", "no-semicolon", STS_ERROR, 15 },
		{ "v=STSv1; id", "no-equals", STS_ERROR, 10 },
		{ "v=STSv1; id=a; x==", "bad-value", STS_ERROR, 18 },
		{ "v=STSv1; id=a; x=", "empty-value", STS_ERROR, 18 },
		{ "v=STSv1; id=a; 1%=a", "bad-name", STS_ERROR, 16 },
		{ "v=STSv1;; id=a", "empty-field", STS_ERROR, 9 },
		{ "v=STSv1; id=a;;", "empty-field", STS_TOLERATED, 15 },
		{ "v=STSv1; id=a ", "final-blanks", STS_TOLERATED, 14 },
		{ "v=STSv1; id=a; id=b", "duplicate-field", STS_NOTE, 19 },
		{ "v=STSv1 ; id=a", "blank-before-semicolon", STS_NOTE, 8 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct sts_lint *l = first_finding(rows[i].txt);

		cr_expect_str_eq(l->code, rows[i].code, "\"%s\": %s",
		    rows[i].txt, l->code);
		cr_expect_eq(l->severity, rows[i].severity, "\"%s\"",
		    rows[i].txt);
		cr_expect_eq(l->line, 1);
		cr_expect_eq(l->column, rows[i].column, "\"%s\": column %u",
		    rows[i].txt, l->column);
		cr_expect(strstr(l->text, "(RFC 8461 3.1)") != NULL, "%s",
		    l->text);
	}
}

/* --- sets of records ----------------------------------------------------- */

static enum sts_txt_outcome
select_of(const char *a, const char *b, struct sts_txt *found)
{
	struct slice records[2];
	size_t count = 0;

	if (a != NULL)
		records[count++] = slice_str(a);
	if (b != NULL)
		records[count++] = slice_str(b);
	return sts_txt_select(&(struct sts_txt_rrset){ true, records, count },
	    found);
}

/* mox, eff-backend, chasquid: one of ours counts; others do not disturb. */
Test(sts_txt, exactly_one_record_announces_a_policy)
{
	struct sts_txt found;

	cr_expect_eq(select_of("v=STSv1; id=1", NULL, &found), STS_TXT_FOUND);
	cr_expect_str_eq(found.id, "1");
	cr_expect_eq(select_of("v=STSv1; id=1", "other", &found),
	    STS_TXT_FOUND);
	cr_expect_eq(select_of("other", "v=STSv1; id=2", &found),
	    STS_TXT_FOUND);
	cr_expect_str_eq(found.id, "2");
	cr_expect_eq(select_of("abc", "def", &found), STS_TXT_ABSENT);
	cr_expect_eq(select_of("abc", NULL, &found), STS_TXT_ABSENT);
	cr_expect_eq(select_of(NULL, NULL, &found), STS_TXT_ABSENT);
}

/* RFC 8461 3.1: "If the number of resulting records is not one, or if the
 * resulting record is syntactically invalid, senders MUST assume the
 * recipient domain does not have an available MTA-STS Policy". */
Test(sts_txt, two_records_suppress_the_policy)
{
	struct sts_txt found;

	cr_expect_eq(select_of("v=STSv1; id=1", "v=STSv1; id=2", &found),
	    STS_TXT_SEVERAL);
	cr_expect_eq(select_of("v=STSv1; id=1234", "v=STSv1; id=5678", &found),
	    STS_TXT_SEVERAL);
	cr_expect_eq(select_of("v=STSv1; id=1", "v=STSv1;id=1", &found),
	    STS_TXT_SEVERAL);
	cr_expect_str_eq(found.id, "");
	cr_expect_eq(select_of("v=STSv1; bad", NULL, &found), STS_TXT_INVALID);
	cr_expect_eq(select_of("v=STSv1; id=20 24", NULL, &found),
	    STS_TXT_INVALID);
}

/* Erratum 6285, to the letter. */
Test(sts_txt, a_blank_before_the_semicolon_counts_alone_only)
{
	struct sts_txt found;

	cr_expect_eq(select_of("v=STSv1 ; id=1", NULL, &found), STS_TXT_FOUND);
	cr_expect_eq(select_of("v=STSv1 ; id=1", "v=STSv1 ; id=2", &found),
	    STS_TXT_ABSENT);
	cr_expect_eq(select_of("v=STSv1 ; id=1", "v=STSv1; id=2", &found),
	    STS_TXT_FOUND);
	cr_expect_str_eq(found.id, "2");
}

/* mox, tlspol, chasquid: SERVFAIL is a temporary error, never "none". */
Test(sts_txt, no_answer_proves_nothing)
{
	struct sts_txt found;

	cr_expect_eq(sts_txt_select(&(struct sts_txt_rrset){ .answered =
								 false },
			 &found),
	    STS_TXT_UNKNOWN);
}

Test(sts_txt, character_strings_join_with_nothing_in_between)
{
	static const char rdata[] = "\014v=STSv1; id=\010policy1;";
	struct guarded g = guarded_copy(rdata, sizeof(rdata) - 1);
	uint8_t joined[64];
	struct sts_txt out;
	size_t len;

	cr_assert(sts_txt_join(g.bytes, joined, sizeof(joined), &len));
	cr_expect(sts_txt_parse(slice_of(joined, len), &out, NULL));
	cr_expect_str_eq(out.id, "policy1");
	cr_expect_not(sts_txt_join(slice_first(g.bytes, 20), joined,
			  sizeof(joined), &len),
	    "a string is cut");
	cr_expect_not(sts_txt_join(g.bytes, joined, 19, &len), "no room");
	cr_expect(sts_txt_join(g.bytes, joined, 20, &len), "just enough");
	guarded_free(&g);
}

Test(sts_txt, every_prefix_of_a_record_can_be_parsed)
{
	static const char txt[] = "v=STSv1 \t; x.y=a:b; id=20160831085700Z ;; ";

	for (size_t len = 0; len < sizeof(txt); len++) {
		struct guarded g = guarded_copy(txt, len);
		struct sts_txt out;

		sts_txt_parse(g.bytes, &out, NULL);
		cr_expect(!out.strict_ok || out.tolerant_ok);
		guarded_free(&g);
	}
}
