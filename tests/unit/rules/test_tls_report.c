#include <criterion/criterion.h>

#include "rules/tls_report.h"

struct vector {
	const char *source;
	char source_says, rfc;
	const char *text;
};
static const struct vector vectors[] = {
#include "unit/rules/vectors/tlsrpt_txt.inc"
};
#define VECTORS (sizeof(vectors) / sizeof(*vectors))

Test(tls_report, records_are_judged_by_the_rfcs_grammar)
{
	for (size_t i = 0; i < VECTORS; i++)
		cr_expect_eq(tlsrpt_txt_valid(slice_str(vectors[i].text)),
		    vectors[i].rfc != 'R', "%s: %s", vectors[i].source,
		    vectors[i].text);
}

Test(tls_report, blanks_stand_where_the_grammar_has_them)
{
	cr_expect(tlsrpt_txt_valid(
	    slice_str("v=TLSRPTv1 ; rua=mailto:a@b.example , https://c/ ; ")));
	cr_expect_not(
	    tlsrpt_txt_valid(slice_str(" v=TLSRPTv1;rua=mailto:a@b.example")));
	cr_expect_not(
	    tlsrpt_txt_valid(slice_str("v=TLSRPTv1; ;rua=mailto:a@b.example")));
	cr_expect_not(tlsrpt_txt_valid(slice_str("")));
}

#define GOOD "v=TLSRPTv1; rua=mailto:tlsrpt@basic.example"

static enum sts_txt_outcome
select_of(size_t count, const char *a, const char *b)
{
	struct slice records[2] = { slice_str(a), slice_str(b) }, found;
	struct sts_txt_rrset set = { true, records, count };

	return tlsrpt_txt_select(&set, &found);
}

Test(tls_report, exactly_one_record_counts)
{
	struct sts_txt_rrset unanswered = { .answered = false };
	struct slice found;

	cr_expect_eq(select_of(1, GOOD, ""), STS_TXT_FOUND);
	cr_expect_eq(select_of(2, GOOD, "other"), STS_TXT_FOUND);
	cr_expect_eq(select_of(2, GOOD, GOOD), STS_TXT_SEVERAL);
	cr_expect_eq(select_of(1, "other", ""), STS_TXT_ABSENT);
	cr_expect_eq(select_of(0, "", ""), STS_TXT_ABSENT);
	cr_expect_eq(select_of(1, "v=TLSRPTv1; bad", ""), STS_TXT_INVALID);
	cr_expect_eq(tlsrpt_txt_select(&unanswered, &found), STS_TXT_UNKNOWN);
}

Test(tls_report, results_have_the_rfcs_names)
{
	cr_expect_str_eq(tls_result_name(TLS_RESULT_NONE), "");
	cr_expect_str_eq(tls_result_name(TLS_STARTTLS_NOT_SUPPORTED),
	    "starttls-not-supported");
	cr_expect_str_eq(tls_result_name(TLS_DNSSEC_INVALID), "dnssec-invalid");
	cr_expect_str_eq(tls_result_name(TLS_STS_WEBPKI_INVALID),
	    "sts-webpki-invalid");
}
