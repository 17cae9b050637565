/*
 * Every parser of MTA-STS: the first octet chooses. What must hold of any
 * answer is asserted, so that the fuzzer finds contradictions, not only
 * reads out of bounds.
 */
#include <stdlib.h>

#include "rules/sts_policy.h"
#include "rules/sts_txt.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(bool condition)
{
	if (!condition)
		abort();
}

static void
check_lint(const struct sts_lint_list *lint)
{
	must(lint->count <= STS_LINT_MAX);
	for (unsigned i = 0; i < lint->count; i++) {
		must(lint->rows[i].line > 0 && lint->rows[i].column > 0);
		must(lint->rows[i].code != NULL);
		for (const char *c = lint->rows[i].text; *c != '\0'; c++)
			must(*c >= ' ' && *c <= '~');
	}
}

static void
fuzz_body(struct slice in)
{
	struct sts_lint_list lint;
	struct sts_policy policy;

	must(sts_policy_parse(in, &policy, &lint) == policy.tolerant_ok);
	check_lint(&lint);
	must(policy.mx_count <= STS_MX_MAX);
	must(policy.max_age_s <= STS_MAX_AGE_MAX_S);
	must(policy.strict_ok || lint.count > 0);
	if (!policy.tolerant_ok)
		return;
	must(policy.mode == STS_NONE || policy.mx_count > 0);
	/* A pattern that was accepted matches what it was made for. */
	for (unsigned i = 0; i < policy.mx_count; i++) {
		char *mx = policy.mx[i];
		enum sts_match m;

		if (mx[0] == '*')
			mx[0] = 'a';
		m = sts_mx_match(slice_str(mx), slice_str(mx));
		must(m == STS_MATCH_YES ||
		    host_name_check(slice_str(mx), NULL) != HOST_NAME_OK);
	}
}

static void
fuzz_txt(struct slice in)
{
	struct slice records[2] = { in, slice_str("v=STSv1; id=1") };
	struct sts_lint_list lint;
	struct sts_txt txt;

	must(sts_txt_parse(in, &txt, &lint) == txt.tolerant_ok);
	check_lint(&lint);
	must(!txt.tolerant_ok || txt.id[0] != '\0');
	must(txt.strict_ok || lint.count > 0);
	for (size_t count = 0; count <= 2; count++)
		sts_txt_select(&(struct sts_txt_rrset){ true, records, count },
		    &txt);
}

static void
fuzz_join(struct slice in)
{
	uint8_t joined[300];
	size_t len;

	if (sts_txt_join(in, joined, sizeof(joined), &len))
		fuzz_txt(slice_of(joined, len));
	must(len <= sizeof(joined));
}

static void
fuzz_match(struct slice in)
{
	size_t half = in.len / 2;
	char normal[HOST_NAME_BYTES];

	sts_mx_match(slice_first(in, half), slice_after(in, half));
	sts_content_type_ok(in);
	if (host_name_normalize(in, normal)) {
		must(host_name_valid(slice_str(normal)));
		must(sts_mx_match(in, slice_str(normal)) == STS_MATCH_YES);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const targets[])(
	    struct slice) = { fuzz_body, fuzz_txt, fuzz_join, fuzz_match };
	struct slice in = slice_of(data, size);

	if (size > 0)
		targets[data[0] % 4](slice_after(in, 1));
	return 0;
}
