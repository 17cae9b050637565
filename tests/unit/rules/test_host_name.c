#include <criterion/criterion.h>
#include <stdio.h>

#include "rules/host_name.h"
#include "unit/guarded.h"

/* n octets of one letter. */
static char *
letters(char *to, char letter, size_t n)
{
	memset(to, letter, n);
	to[n] = '\0';
	return to;
}

/* 63 + 63 + 63 + `last` octets in four labels: 253 for 61. */
static char *
long_name(char *to, size_t last, bool final_dot)
{
	char *end = to;

	for (int i = 0; i < 3; i++) {
		letters(end, (char)('a' + i), 63);
		end += 63;
		*end++ = '.';
	}
	letters(end, 'd', last);
	if (final_dot)
		strcat(to, ".");
	return to;
}

/* The rows' origin: the validity tests of postfix-tlspol. */
Test(host_name, syntax_is_that_of_rfc_1123)
{
	static const struct {
		bool valid;
		const char *name;
	} rows[] = {
		{ true, "example.com" },
		{ true, "foo-bar.example.com" },
		{ true, "xn--d1acufc.xn--p1ai" },
		{ true, "test." },
		{ true, "localhost" },
		{ false, "" },
		{ false, "." },
		{ false, "-bad.com" },
		{ false, "bad-.com" },
		{ false, "ba..d.com" },
		{ false, "127.0.0.1" },
		{ false, "1.2.3.4" },
		{ false, "192.168.1.1" },
		{ false, "2001:db8::1" },
		{ false, "::ffff:127.0.0.1" },
		{ false, "bad_name.example" },
		{ false, "bad name.example" },
		{ true, "1and1.example" },
		{ true, "3com.com" },
		{ false, "m\303\270x.example" },
		{ false, "example.com.." },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct guarded g =
		    guarded_copy(rows[i].name, strlen(rows[i].name));

		cr_expect_eq(host_name_valid(g.bytes), rows[i].valid, "\"%s\"",
		    rows[i].name);
		guarded_free(&g);
	}
}

Test(host_name, a_label_has_at_most_63_octets)
{
	char name[128], label[80];

	snprintf(name, sizeof(name), "%s.com", letters(label, 'a', 63));
	cr_expect(host_name_valid(slice_str(name)));
	snprintf(name, sizeof(name), "%s.com", letters(label, 'a', 64));
	cr_expect_not(host_name_valid(slice_str(name)));
}

Test(host_name, a_name_has_at_most_253_octets_and_a_dot)
{
	char name[300];

	cr_expect_eq(strlen(long_name(name, 61, false)), 253);
	cr_expect(host_name_valid(slice_str(name)));
	cr_expect_eq(strlen(long_name(name, 61, true)), 254);
	cr_expect(host_name_valid(slice_str(name)));
	cr_expect_eq(strlen(long_name(name, 62, false)), 254);
	cr_expect_not(host_name_valid(slice_str(name)));
	cr_expect_eq(strlen(long_name(name, 62, true)), 255);
	cr_expect_not(host_name_valid(slice_str(name)));
}

Test(host_name, the_fault_is_told_with_its_place)
{
	static const struct {
		enum host_name_fault fault;
		size_t at;
		const char *name;
	} rows[] = {
		{ HOST_NAME_OK, 0, "mx.example" },
		{ HOST_NAME_EMPTY, 0, "" },
		{ HOST_NAME_EMPTY, 3, "mx..example" },
		{ HOST_NAME_EMPTY, 3, "mx." },
		{ HOST_NAME_HYPHEN, 3, "mx.-example" },
		{ HOST_NAME_HYPHEN, 10, "mx.example-" },
		{ HOST_NAME_CHARACTER, 5, "mx.ex ample" },
		{ HOST_NAME_CHARACTER, 0, "[192.0.2.1]" },
		{ HOST_NAME_NON_ASCII, 1, "m\303\270x.example" },
		{ HOST_NAME_NUMERIC, 8, "192.0.2.1" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t at = 999;

		cr_expect_eq(host_name_check(slice_str(rows[i].name), &at),
		    rows[i].fault, "\"%s\"", rows[i].name);
		if (rows[i].fault != HOST_NAME_OK)
			cr_expect_eq(at, rows[i].at, "\"%s\": at %zu",
			    rows[i].name, at);
		cr_expect_gt(strlen(host_name_fault_text(rows[i].fault)), 0);
	}
}

/*
 * The rows' origin: tlsrpt-reporter, test_normalize_domain_name.py. It hands
 * back what is no name; here it is refused, and `out` is empty: "", "." and
 * empty labels are no `Domain` (RFC 5321 4.1.2), and no policy has such a name
 * (RFC 8461 3.4).
 */
Test(host_name, is_compared_in_lower_case_without_the_final_dot)
{
	static const struct {
		const char *name, *out; /* NULL: refused */
	} rows[] = {
		{ "", NULL },
		{ ".", NULL },
		{ "example.com", "example.com" },
		{ "name.tld", "name.tld" },
		{ "Name.tld", "name.tld" },
		{ "NAME.tld", "name.tld" },
		{ "name.Tld", "name.tld" },
		{ "name.TLD", "name.tld" },
		{ "Name.Tld", "name.tld" },
		{ "NAME.TLD", "name.tld" },
		{ "name.tld.", "name.tld" },
		{ "Name.tld.", "name.tld" },
		{ "NAME.tld.", "name.tld" },
		{ "name.Tld.", "name.tld" },
		{ "name.TLD.", "name.tld" },
		{ "Name.Tld.", "name.tld" },
		{ "NAME.TLD.", "name.tld" },
		{ "name.tld..", NULL },
		{ "name.tld...", NULL },
	};
	char out[HOST_NAME_BYTES];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *wanted = rows[i].out == NULL ? "" : rows[i].out;

		cr_expect_eq(host_name_normalize(slice_str(rows[i].name), out),
		    rows[i].out != NULL, "\"%s\"", rows[i].name);
		cr_expect_str_eq(out, wanted, "\"%s\"", rows[i].name);
	}
}
