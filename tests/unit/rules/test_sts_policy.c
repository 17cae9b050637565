#include <criterion/criterion.h>
#include <stdio.h>

#include "rules/sts_policy.h"
#include "unit/guarded.h"

struct body_row {
	const char *source;
	char source_says, rfc;
	const char *input;
	size_t len;
};

static const struct body_row body_rows[] = {
#define ROW(source, says, rfc, input) \
	{ source, says, rfc, input, sizeof(input) - 1 },
#include "unit/rules/vectors/sts_body.inc"
#undef ROW
};

/* A, R or S as the tables have it. */
static char
verdict(const struct sts_policy *policy, const struct sts_lint_list *lint)
{
	if (!policy->strict_ok)
		return 'R';
	for (unsigned i = 0; i < lint->count; i++)
		if (lint->rows[i].severity == STS_WARNING)
			return 'S';
	return 'A';
}

static bool
has_severity(const struct sts_lint_list *lint, enum sts_severity severity)
{
	for (unsigned i = 0; i < lint->count; i++)
		if (lint->rows[i].severity == severity)
			return true;
	return false;
}

static char
judge(const char *body)
{
	struct sts_lint_list lint;
	struct sts_policy policy;

	sts_policy_parse(slice_str(body), &policy, &lint);
	return verdict(&policy, &lint);
}

Test(sts_policy, known_bodies_are_judged_by_the_grammar)
{
	for (size_t i = 0; i < sizeof(body_rows) / sizeof(body_rows[0]); i++) {
		const struct body_row *row = &body_rows[i];
		struct guarded g = guarded_copy(row->input, row->len);
		struct sts_policy policy;
		struct sts_lint_list lint;
		bool tolerated = sts_policy_parse(g.bytes, &policy, &lint);

		cr_expect_eq(verdict(&policy, &lint), row->rfc, "%s: \"%s\"",
		    row->source, row->input);
		cr_expect_eq(tolerated, policy.tolerant_ok);
		cr_expect_eq(tolerated, !has_severity(&lint, STS_ERROR));
		cr_expect(tolerated || !policy.strict_ok);
		cr_expect(!tolerated || policy.mode == STS_NONE ||
		    policy.mx_count > 0);
		guarded_free(&g);
	}
}

Test(sts_policy, what_it_says_is_kept)
{
	struct sts_policy policy;

	cr_assert(sts_policy_parse(slice_str("version: STSv1\r\n"
					     "mode: enforce\r\n"
					     "mx: mail.example.com\r\n"
					     "mx: *.Example.NET\r\n"
					     "max_age: 604800\r\n"),
	    &policy, NULL));
	cr_expect(policy.strict_ok);
	cr_expect_eq(policy.mode, STS_ENFORCE);
	cr_expect_eq(policy.max_age_s, 604800);
	cr_expect_eq(policy.mx_count, 2);
	cr_expect_str_eq(policy.mx[0], "mail.example.com");
	cr_expect_str_eq(policy.mx[1], "*.example.net");
	cr_expect_str_eq(sts_mode_name(policy.mode), "enforce");
}

/* A policy that the large senders enforce must not be invisible to us. */
Test(sts_policy, blank_lines_at_the_end_are_tolerated)
{
	struct sts_policy policy;
	struct sts_lint_list lint;

	cr_expect(sts_policy_parse(
	    slice_str("version: STSv1\r\nmode: testing\r\nmx: a.example\r\n"
		      "max_age: 604800\r\n\r\n \t\n"),
	    &policy, &lint));
	cr_expect_not(policy.strict_ok);
	cr_expect_eq(policy.mode, STS_TESTING);
	cr_assert_eq(lint.count, 1);
	cr_expect_eq(lint.rows[0].severity, STS_TOLERATED);
	cr_expect_str_eq(lint.rows[0].code, "final-blank-line");
	cr_expect_eq(lint.rows[0].line, 5);
}

Test(sts_policy, blank_lines_elsewhere_are_not)
{
	cr_expect_not(
	    sts_policy_parse(slice_str("\nversion: STSv1\nmode: none\n"
				       "max_age: 1\n"),
		&(struct sts_policy){ 0 }, NULL));
	cr_expect_not(
	    sts_policy_parse(slice_str("version: STSv1\n\nmode: none\n"
				       "max_age: 1\n"),
		&(struct sts_policy){ 0 }, NULL));
}

Test(sts_policy, max_age_over_a_year_is_capped)
{
	struct sts_policy policy;

	cr_expect(sts_policy_parse(
	    slice_str("version: STSv1\nmode: none\nmax_age: 9999999999\n"),
	    &policy, NULL));
	cr_expect(policy.strict_ok);
	cr_expect_eq(policy.max_age_s, STS_MAX_AGE_MAX_S);
}

/* RFC 8461 3.2: "If any field other than "mx" is duplicated, all entries
 * except for the first SHALL be ignored." So the first decides, also when
 * only a later one is good. */
Test(sts_policy, the_first_of_two_equal_fields_decides)
{
	struct sts_policy policy;

	cr_expect(sts_policy_parse(
	    slice_str("version: STSv1\nmode: testing\nmode: enforce\n"
		      "mx: a.example\nmax_age: 1\nmax_age: 2\n"),
	    &policy, NULL));
	cr_expect_eq(policy.mode, STS_TESTING);
	cr_expect_eq(policy.max_age_s, 1);
	cr_expect_eq(judge("version: STSv1\nmode: bogus\nmode: enforce\n"
			   "mx: a.example\nmax_age: 1\n"),
	    'R');
	cr_expect_eq(judge("version: STSv1\nmode: none\nmax_age: 1\n"
			   "max_age:\n"),
	    'R', "ignored, but still to be well-formed");
}

Test(sts_policy, a_body_over_64_kib_is_not_used)
{
	static const char start[] = "version: STSv1\nmode: enforce\n"
				    "mx: a.example\nmax_age: 604800\nx: ";
	static char body[STS_BODY_MAX_BYTES + 1];
	struct sts_lint_list lint;
	struct sts_policy policy;

	memset(body, 'y', sizeof(body));
	memcpy(body, start, sizeof(start) - 1);
	cr_expect_not(
	    sts_policy_parse(slice_of(body, sizeof(body)), &policy, &lint));
	cr_expect_eq(verdict(&policy, &lint), 'S');
	cr_expect_str_eq(lint.rows[0].code, "body-too-long");
	cr_expect(
	    sts_policy_parse(slice_of(body, sizeof(body) - 1), &policy, &lint));
	cr_expect_eq(verdict(&policy, &lint), 'A');
}

Test(sts_policy, keeps_64_patterns_and_counts_the_others)
{
	static char body[8192];
	struct sts_lint_list lint;
	struct sts_policy policy;
	size_t n;

	n = (size_t)sprintf(body, "version: STSv1\nmode: enforce\n");
	for (int i = 0; i < STS_MX_MAX + 2; i++)
		n += (size_t)sprintf(body + n, "mx: mx%d.example\n", i);
	sprintf(body + n, "max_age: 604800\n");
	cr_expect(sts_policy_parse(slice_str(body), &policy, &lint));
	cr_expect(policy.strict_ok);
	cr_expect_eq(policy.mx_count, STS_MX_MAX);
	cr_expect_eq(policy.mx_unlisted, 2);
	cr_assert_eq(lint.count, 1);
	cr_expect_str_eq(lint.rows[0].code, "too-many-mx");
}

Test(sts_policy, the_longest_pattern_fits)
{
	char host[256], body[400], mx[300];
	struct sts_policy policy;

	memset(host, 'a', sizeof(host));
	host[63] = host[127] = host[191] = '.';
	host[253] = '\0';
	snprintf(mx, sizeof(mx), "*.%s", host);
	snprintf(body, sizeof(body),
	    "version: STSv1\nmode: enforce\nmx: %s\nmax_age: 1\n", mx);
	cr_expect(sts_policy_parse(slice_str(body), &policy, NULL));
	cr_expect_str_eq(policy.mx[0], mx);
}

Test(sts_policy, findings_have_a_place_and_cite_the_rfc)
{
#define END "mx: a.example\nmax_age: 604800\n"
	/* The first finding; others may follow from it. */
	static const struct {
		const char *body, *code;
		enum sts_severity severity;
		unsigned line, column;
		const char *text;
	} rows[] = {
		{ "version: STSv1\nmode: none\nmax_age: forty\n", "bad-max-age",
		    STS_ERROR, 3, 10,
		    "max_age \"forty\" is not a number of seconds "
		    "(RFC 8461 3.2)" },
		{ "version: STSv1\nmode: none\nmax_age: 12345678901\n",
		    "bad-max-age", STS_ERROR, 3, 10,
		    "max_age \"12345678901\" has more than 10 digits "
		    "(RFC 8461 3.2)" },
		{ "version: STSv2\nmode: enforce\n" END, "bad-version",
		    STS_ERROR, 1, 10, NULL },
		{ "version: STSv1\nmode:\tEnforce\n" END, "bad-mode", STS_ERROR,
		    2, 7, NULL },
		{ "version: STSv1\nmode: enforce\nmx: b.*.example\n" END,
		    "bad-mx", STS_ERROR, 3, 7, NULL },
		{ "version: STSv1\nmode: enforce\nmx: *.b..example\n" END,
		    "bad-mx", STS_ERROR, 3, 9, NULL },
		{ "version: STSv1\nmode: enforce\nmx: b\303\270.example\n" END,
		    "bad-mx", STS_ERROR, 3, 6,
		    "mx \"b\\xC3\\xB8.example\" is not in A-label (xn--) form "
		    "(RFC 8461 3.2)" },
		{ "version: STSv1\nmode: enforce\nmx : b.example\n" END,
		    "misplaced-blank", STS_ERROR, 3, 3, NULL },
		{ "version: STSv1\n mode: enforce\n" END, "misplaced-blank",
		    STS_ERROR, 2, 1, NULL },
		{ "version: STSv1\nmode: enforce\n# no\n" END, "no-colon",
		    STS_ERROR, 3, 1, NULL },
		{ "version: STSv1\nmode: enforce\n#: no\n" END, "bad-key",
		    STS_ERROR, 3, 1, NULL },
		{ "version: STSv1\nmode: enforce\nnote: \n" END, "empty-value",
		    STS_ERROR, 3, 6, NULL },
		{ "version: STSv1\nmode: enforce\nnote: a\tb\n" END,
		    "control-character", STS_ERROR, 3, 8, NULL },
		{ "version: STSv1\nmode: enforce\nnote: a\300\200\n" END,
		    "not-utf-8", STS_ERROR, 3, 8, NULL },
		{ "version: STSv1\nmode: enforce\n\n" END, "blank-line",
		    STS_ERROR, 3, 1, NULL },
		{ "\357\273\277version: STSv1\nmode: enforce\n" END,
		    "byte-order-mark", STS_ERROR, 1, 1, NULL },
		{ "mode: enforce\n" END, "missing-field", STS_ERROR, 3, 1,
		    "there is no version (RFC 8461 3.2)" },
		{ "version: STSv1\nmode: testing\nmax_age: 604800\n", "no-mx",
		    STS_ERROR, 2, 7,
		    "mode testing without any mx (RFC 8461 3.2)" },
		{ "version: STSv1\nmode: enforce\nmx: 192.0.2.1\n" END,
		    "mx-is-address", STS_WARNING, 3, 5, NULL },
		{ "version: STSv1\nmode: none\nmax_age: 31557601\n",
		    "max-age-over-maximum", STS_WARNING, 3, 10, NULL },
		{ "version: STSv1\nmode: enforce\nmode: none\n" END,
		    "duplicate-field", STS_NOTE, 3, 1, NULL },
		{ "version: STSv1\nmode: enforce\nMode: none\n" END,
		    "field-case", STS_NOTE, 3, 1, NULL },
		{ "version: STSv1\nmode: enforce\nmx: A.example\n" END,
		    "duplicate-mx", STS_NOTE, 4, 5, NULL },
		{ "version: STSv1\nmode: enforce\nmx: *.com\n" END,
		    "wide-wildcard", STS_NOTE, 3, 5, NULL },
		{ "version: STSv1\nmode: enforce\nmx: mail\n" END,
		    "mx-single-label", STS_NOTE, 3, 5, NULL },
		{ "version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 9\n",
		    "short-max-age", STS_NOTE, 4, 10, NULL },
	};
#undef END

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sts_lint_list lint;
		struct sts_policy policy;
		const struct sts_lint *l = &lint.rows[0];

		sts_policy_parse(slice_str(rows[i].body), &policy, &lint);
		cr_assert_gt(lint.count, 0, "\"%s\"", rows[i].body);
		cr_expect_str_eq(l->code, rows[i].code, "\"%s\": %s",
		    rows[i].body, l->code);
		cr_expect_eq(l->severity, rows[i].severity, "%s", l->code);
		cr_expect_eq(l->line, rows[i].line, "%s: line %u", l->code,
		    l->line);
		cr_expect_eq(l->column, rows[i].column, "%s: column %u",
		    l->code, l->column);
		if (rows[i].text != NULL)
			cr_expect_str_eq(l->text, rows[i].text, "%s", l->text);
	}
}

Test(sts_policy, findings_come_in_the_order_of_their_places)
{
	struct sts_lint_list lint;
	struct sts_policy policy;

	sts_policy_parse(slice_str("version: STSv1\nmode: enforce\n"
				   "mx: a.example\nmax_age: 1\n\n"),
	    &policy, &lint);
	cr_assert_eq(lint.count, 2);
	cr_expect_str_eq(lint.rows[0].code, "short-max-age");
	cr_expect_str_eq(lint.rows[1].code, "final-blank-line");
}

Test(sts_policy, findings_beyond_the_list_are_counted_and_still_decide)
{
	static char body[8192];
	struct sts_lint_list lint;
	struct sts_policy policy;

	strcpy(body, "version: STSv1\nmode: none\nmax_age: 1\n");
	for (int i = 0; i < 40; i++)
		strcat(body, "mode: none\n");
	strcat(body, "garbage\n");
	cr_expect_not(sts_policy_parse(slice_str(body), &policy, &lint));
	cr_expect_eq(lint.count, STS_LINT_MAX);
	cr_expect_eq(lint.unlisted, 41 - STS_LINT_MAX);
}

/* RFC 3629: overlong forms, surrogates and what is above U+10FFFF are none. */
Test(sts_policy, an_extension_is_utf_8)
{
#define WITH(value) "version: STSv1\nmode: none\nmax_age: 1\nx: " value "\n"
	cr_expect_eq(judge(WITH("caf\303\251 \342\202\254 \360\237\220\242")),
	    'A');
	cr_expect_eq(judge(WITH("\364\217\277\277")), 'A');
	cr_expect_eq(judge(WITH("a:b=c;d")), 'A');
	cr_expect_eq(judge(WITH("\300\257")), 'R');
	cr_expect_eq(judge(WITH("\340\200\257")), 'R');
	cr_expect_eq(judge(WITH("\355\240\200")), 'R');
	cr_expect_eq(judge(WITH("\364\220\200\200")), 'R');
	cr_expect_eq(judge(WITH("\303")), 'R');
	cr_expect_eq(judge(WITH("\377")), 'R');
#undef WITH
}

Test(sts_policy, every_prefix_of_a_body_can_be_parsed)
{
	static const char body[] = "version: STSv1\r\nmode: enforce\t\r\n"
				   "mx: *.example.com\nx_y: \360\237\220\242\n"
				   "max_age: 31557601\r\n\r\n \t";

	for (size_t len = 0; len < sizeof(body); len++) {
		struct guarded g = guarded_copy(body, len);
		struct sts_policy policy;

		sts_policy_parse(g.bytes, &policy, NULL);
		cr_expect(!policy.strict_ok || policy.tolerant_ok);
		guarded_free(&g);
	}
}

/* --- matching ------------------------------------------------------------ */

static const struct {
	const char *source;
	char source_says, rfc;
	const char *host, *pattern;
} match_rows[] = {
#define ROW(source, says, rfc, host, pattern) \
	{ source, says, rfc, host, pattern },
#include "unit/rules/vectors/sts_match.inc"
#undef ROW
};

static enum sts_match
match(const char *host, const char *pattern)
{
	struct guarded h = guarded_copy(host, strlen(host));
	struct guarded p = guarded_copy(pattern, strlen(pattern));
	enum sts_match outcome = sts_mx_match(h.bytes, p.bytes);

	guarded_free(&h);
	guarded_free(&p);
	return outcome;
}

Test(sts_policy, known_hosts_match_as_the_rfc_says)
{
	static const char letters[] = {
		[STS_MATCH_NO] = 'N',
		[STS_MATCH_YES] = 'Y',
		[STS_MATCH_INVALID] = 'I',
		[STS_MATCH_NON_ASCII] = 'U',
	};

	for (size_t i = 0; i < sizeof(match_rows) / sizeof(match_rows[0]); i++)
		cr_expect_eq(letters[match(match_rows[i].host,
				 match_rows[i].pattern)],
		    match_rows[i].rfc, "%s: %s against %s",
		    match_rows[i].source, match_rows[i].host,
		    match_rows[i].pattern);
}

Test(sts_policy, a_wildcard_is_exactly_one_label)
{
	cr_expect_eq(match("mail.example.com.", "*.example.com"),
	    STS_MATCH_YES);
	cr_expect_eq(match("example.com", "*.example.com"), STS_MATCH_NO);
	cr_expect_eq(match("a.b.example.com", "*.example.com"), STS_MATCH_NO);
	cr_expect_eq(match(".example.com", "*.example.com"), STS_MATCH_NO);
	cr_expect_eq(match("", "*.example.com"), STS_MATCH_NO);
	cr_expect_eq(match(".", "*.example.com"), STS_MATCH_NO);
	cr_expect_eq(match("mail.example.com", "*"), STS_MATCH_INVALID);
	cr_expect_eq(match("mail.example.com", "*."), STS_MATCH_INVALID);
	cr_expect_eq(match("mail.example.com", "*.*.com"), STS_MATCH_INVALID);
	cr_expect_eq(match("mail.example.com", "m*.example.com"),
	    STS_MATCH_INVALID);
	cr_expect_eq(match("mail.example.com", "mail.example.com."),
	    STS_MATCH_INVALID);
	cr_expect_eq(match("192.0.2.1", "192.0.2.1"), STS_MATCH_NO);
}

Test(sts_policy, one_pattern_that_matches_is_enough)
{
	struct sts_policy policy;
	unsigned by = 99;

	cr_assert(sts_policy_parse(
	    slice_str("version: STSv1\nmode: enforce\nmx: mx1.example.org\n"
		      "mx: *.backup.example\nmax_age: 604800\n"),
	    &policy, NULL));
	cr_expect(sts_policy_matches(&policy, "MX1.example.org"));
	cr_expect(sts_policy_matches_by(&policy, "b.backup.example.", &by));
	cr_expect_eq(by, 1);
	cr_expect_not(sts_policy_matches(&policy, "mx2.example.org"));
	cr_expect_not(sts_policy_matches(&policy, ""));
}

/* --- the response -------------------------------------------------------- */

Test(sts_policy, is_served_as_text_plain)
{
	static const struct {
		bool ok;
		const char *value;
	} rows[] = {
		/* postfix-mta-sts-resolver, postfix-tlspol */
		{ true, "TEXT/PLAIN" },
		{ true, "text/plain;charset=utf-8" },
		{ true, "text/plain;charset=UTF-8" },
		{ true, "text/plain ; charset=UTF-8" },
		{ false, "application/octet-stream" },
		{ false, "application/octet-stream+text/plain" },
		{ false, "application/json+text/plain" },
		{ false, "" },
		{ true, "text/plain; charset=iso-8859-1" },
		{ false, "text/plainer" },
		{ false, "text/html; x=text/plain" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct guarded g =
		    guarded_copy(rows[i].value, strlen(rows[i].value));

		cr_expect_eq(sts_content_type_ok(g.bytes), rows[i].ok, "\"%s\"",
		    rows[i].value);
		guarded_free(&g);
	}
}
