/*
 * EXPECT(talk, "facts"): the turns give these facts, and the very same ones
 * when they come whole, octet by octet, cut anywhere, and at the edge of a
 * page behind which nothing can be read.
 */
#ifndef TESTS_UNIT_DISSECT_EXPECT_H
#define TESTS_UNIT_DISSECT_EXPECT_H

#include <criterion/criterion.h>

#include "unit/dissect/dialogue.h"
#include "unit/guarded.h"

#define TURNS(talk) talk, sizeof(talk) / sizeof(*(talk))
#define EXPECT(talk, expected)                                               \
	expect_facts((struct dialogue){ .ending = ENDING_FIN }, TURNS(talk), \
	    expected)
/* The same with members of struct dialogue set. */
#define EXPECT_WITH(settings, talk, expected) \
	expect_facts((struct dialogue)settings, TURNS(talk), expected)
#define WITH(...)                                 \
	{                                         \
		.ending = ENDING_FIN, __VA_ARGS__ \
	}

static inline struct slice
at_page_end(struct slice bytes)
{
	static struct guarded guarded;

	if (guarded.pages != NULL)
		guarded_free(&guarded);
	guarded = guarded_copy(bytes.ptr, bytes.len);
	return guarded.bytes;
}

/* Runs `turns` cut up in a way, and compares with what came before. */
static inline void
expect_same(struct dialogue how, const struct dialogue *first,
    const struct turn *turns, size_t count, enum cutting cutting, size_t cut_at)
{
	how.cutting = cutting;
	how.cut_at = cut_at;
	dialogue_run(&how, turns, count);
	cr_assert_str_eq(how.text, first->text, "cutting %d at %zu gives\n%s",
	    (int)cutting, cut_at, how.text);
	cr_assert_eq(how.facts_len, first->facts_len);
	cr_assert(slice_equal(slice_of(how.facts, how.facts_len),
		      slice_of(first->facts, first->facts_len)),
	    "cutting %d at %zu changes a place", (int)cutting, cut_at);
	dialogue_free(&how);
}

static inline void
expect_facts(struct dialogue how, const struct turn *turns, size_t count,
    const char *expected)
{
	struct dialogue whole = how, guarded = how;
	size_t octets = 0;

	dialogue_run(&whole, turns, count);
	if (expected != NULL)
		cr_assert_str_eq(whole.text, expected, "not\n%s\nbut\n%s",
		    expected, whole.text);
	guarded.place = at_page_end;
	expect_same(guarded, &whole, turns, count, CUT_NONE, 0);
	expect_same(how, &whole, turns, count, CUT_OCTETS, 0);
	for (size_t i = 0; i < count; i++)
		octets += turns[i].len;
	for (size_t cut = 1; cut < octets && cut < 1500; cut++)
		expect_same(how, &whole, turns, count, CUT_ONCE, cut);
	for (size_t piece = 2; piece < 8; piece++)
		expect_same(how, &whole, turns, count, CUT_EVERY, piece);
	dialogue_free(&whole);
}

#endif
