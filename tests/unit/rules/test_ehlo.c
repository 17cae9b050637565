#include <criterion/criterion.h>

#include "rules/ehlo.h"
#include "unit/guarded.h"

static bool
offers(const char *text)
{
	return ehlo_line_offers_starttls(slice_str(text));
}

Test(ehlo, starttls_is_offered_by_the_whole_word_in_any_case)
{
	static const char *const yes[] = { "STARTTLS", "starttls", "StartTls",
		"sTARTTLS", "STARTTLS ", "STARTTLS   ", "STARTTLS\t",
		"STARTTLS now" };

	for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++)
		cr_expect(offers(yes[i]), "\"%s\"", yes[i]);
}

Test(ehlo, a_word_that_only_contains_starttls_offers_nothing)
{
	static const char *const no[] = { "", "STARTTL", "STARTTLSX",
		"XSTARTTLS", "NOSTARTTLS", "X-ANONYMOUSTLS", "TLS",
		"XSECURITY=NONE,STARTTLS", "STARTTLS=NONE", "AUTH STARTTLS",
		" STARTTLS", "STARTTLX", "XXXXXXXA", "START TLS" };

	for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++)
		cr_expect_not(offers(no[i]), "\"%s\"", no[i]);
}

Test(ehlo, a_keyword_ends_at_a_blank_or_an_equals_sign)
{
	static const char *const rows[][2] = {
		{ "SIZE 10240000", "SIZE" },
		{ "AUTH=LOGIN PLAIN", "AUTH" },
		{ "XSECURITY=NONE,STARTTLS", "XSECURITY" },
		{ "PIPELINING", "PIPELINING" },
		{ "", "" },
		{ " SIZE", "" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct guarded g = guarded_copy(rows[i][0], strlen(rows[i][0]));

		cr_expect(slice_equal(ehlo_keyword(g.bytes),
			      slice_str(rows[i][1])),
		    "\"%s\"", rows[i][0]);
		guarded_free(&g);
	}
}

/* RFC 5321 4.1.1.1: (ALPHA / DIGIT) *(ALPHA / DIGIT / "-"), and the
 * underscore that Exim had in PIPE_CONNECT. */
Test(ehlo, legal_keywords_are_letters_digits_and_hyphens)
{
	static const char *const legal[] = { "A", "8BITMIME", "X-EXPS",
		"PIPE_CONNECT", "coremail", "12345678" };
	static const char *const illegal[] = { "", "-SIZE", "********",
		"STAR=TLS", "STAR TLS", "STAR\tTLS", "STAR\xffTLS",
		"STAR\x01TLS", "STAR.TLS" };

	for (size_t i = 0; i < sizeof(legal) / sizeof(*legal); i++)
		cr_expect(ehlo_keyword_legal(slice_str(legal[i])), "\"%s\"",
		    legal[i]);
	for (size_t i = 0; i < sizeof(illegal) / sizeof(*illegal); i++)
		cr_expect_not(ehlo_keyword_legal(slice_str(illegal[i])),
		    "\"%s\"", illegal[i]);
}

Test(ehlo, distance_counts_substitutions_insertions_and_deletions)
{
	static const struct {
		const char *word;
		unsigned distance;
	} rows[] = {
		{ "STARTTLS", 0 },
		{ "starttls", 0 },
		{ "STARTTLX", 1 },
		{ "XTARTTLS", 1 },
		{ "STARTLS", 1 },
		{ "STARTTTLS", 1 },
		{ "STARTTSL", 2 },
		{ "TSARTTLS", 2 },
		{ "STARTSSL", 3 },
		{ "STARTXXX", 3 },
		{ "STARXXXX", 4 },
		{ "XXXXXXXA", 4 },
		{ "TLS", 4 },
		{ "", 4 },
		{ "CHUNKING", 4 },
		{ "STARTTLS-NOT-HERE", 4 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct guarded g =
		    guarded_copy(rows[i].word, strlen(rows[i].word));

		cr_expect_eq(ehlo_distance_to_starttls(g.bytes),
		    rows[i].distance, "\"%s\": %u", rows[i].word,
		    ehlo_distance_to_starttls(g.bytes));
		guarded_free(&g);
	}
}

Test(ehlo, half_of_the_letters_must_be_in_place)
{
	static const char *const yes[] = { "STARTTLS", "STARXXXX", "xxxxttls",
		"XTXRXTXS" };
	static const char *const no[] = { "STAXXXXX", "XSTARTTL", "STARTTL",
		"STARTTLSX", "STAR", "" };

	for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++)
		cr_expect(ehlo_half_in_place(slice_str(yes[i])), "%s", yes[i]);
	for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++)
		cr_expect_not(ehlo_half_in_place(slice_str(no[i])), "%s",
		    no[i]);
}

Test(ehlo, a_hash_goes_on_where_it_stopped)
{
	uint64_t whole = ehlo_hash(0, slice_str("SIZE\nDSN\n"));
	uint64_t parts =
	    ehlo_hash(ehlo_hash(0, slice_str("SIZE\n")), slice_str("DSN\n"));

	cr_expect_eq(whole, parts);
	cr_expect_neq(whole, ehlo_hash(0, slice_str("DSN\nSIZE\n")));
}
