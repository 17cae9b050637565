#include "garble.h"

#include <ctype.h>

#include "ehlo.h"

#define WHOLE_LINE_BYTES 12 /* "250-STARTTLS" */
/* Odd words whose place is looked up. No server has so many; who sends more
 * wants to cost time, and the others are judged by their form. */
#define PLACES_MAX 32
#define RESIZED_MIN 3
#define ASTERISKS_MIN 3
#define MASKED_RUN_MIN 8
#define PATTERN_MIN 8
#define KEYWORD_MIN 3 /* of those that have parameters */
#define PART_MIN 4

/* What a word looks like, whatever its place. */
enum form {
	FORM_ORDINARY, /* known, redacted, or of another length */
	FORM_WORD,     /* a keyword that nobody knows, or prose */
	FORM_NOISE,    /* letters and digits that nobody makes a word of, or a
			* keyword filled up with blanks */
	FORM_PRIVATE,  /* the same, beginning with X */
	FORM_MASK,     /* X-counter, or one character repeated */
	FORM_ILLEGAL,  /* octets that no keyword may have */
	FORM_NEAR,     /* STARTTLS with a few errors */
};

static bool
is_run(struct slice text)
{
	for (size_t i = 1; i < text.len; i++)
		if (text.ptr[i] != text.ptr[0])
			return false;
	return text.len > 1;
}

/* X, X, ..., and a last letter that counts the masked lines; OK has room for
 * one X only. */
static bool
is_x_counter(struct slice text)
{
	uint8_t last = text.len > 1 ? text.ptr[text.len - 1] : 0;

	if (last == 0 ||
	    (text.len > 2 && !is_run(slice_first(text, text.len - 1))))
		return false;
	return (text.ptr[0] == 'X' && isupper(last) && last != 'X') ||
	    (text.ptr[0] == 'x' && islower(last) && last != 'x');
}

static const struct mask *
mask_of(const struct registry *registry, struct slice text, unsigned nth)
{
	const struct mask *masks;
	size_t count = registry_masks(registry, &masks);

	for (size_t i = 0; i < count; i++) {
		const struct mask *m = &masks[i];

		if (m->grammar == MASK_X_COUNTER && is_x_counter(text) &&
		    text.ptr[text.len - 1] == 'A' + nth)
			return m;
		if (m->grammar == MASK_RUN && is_run(text) &&
		    text.ptr[0] == (uint8_t)m->run)
			return m;
	}
	return NULL;
}

/* XxXxXxXx, XOXOOXXO: two characters make no word of eight. */
static bool
is_pattern(struct slice text)
{
	uint8_t first = ascii_upper(text.len > 0 ? text.ptr[0] : 0);
	uint8_t other = first;

	for (size_t i = 1; i < text.len; i++) {
		uint8_t c = ascii_upper(text.ptr[i]);

		if (other == first)
			other = c;
		if (c != first && c != other)
			return false;
	}
	return text.len >= PATTERN_MIN;
}

bool
garble_is_mask(struct slice text)
{
	return is_run(text) || is_x_counter(text) || is_pattern(text);
}

bool
garble_is_masked_greeting(struct slice text)
{
	size_t asterisks = 0, i;

	for (i = 0; i < text.len && strchr("20* \t", text.ptr[i]) != NULL &&
	     text.ptr[i] != '\0';
	     i++)
		asterisks += text.ptr[i] == '*';
	if (i == text.len && asterisks >= ASTERISKS_MIN)
		return true;
	return text.len >= MASKED_RUN_MIN && isalnum(text.ptr[0]) &&
	    garble_is_mask(text);
}

const struct mask *
garble_mask(const struct registry *registry, struct slice text)
{
	return mask_of(registry, text, 0);
}

/* Ends in STARTTLS: XSTARTTLS, NOSTARTTLS are words of somebody's own. */
static bool
only_quotes_starttls(struct slice word)
{
	return word.len > STARTTLS_BYTES &&
	    slice_equal_nocase(slice_after(word, word.len - STARTTLS_BYTES),
		slice_str("STARTTLS"));
}

/* STAR, TTLS: the rest of it is gone. START is a word of its own. */
static bool
is_part_of_starttls(struct slice text)
{
	struct slice whole = slice_str("STARTTLS");

	return text.len >= PART_MIN && text.len < whole.len &&
	    !slice_equal_nocase(text, slice_str("START")) &&
	    (slice_equal_nocase(text, slice_first(whole, text.len)) ||
		slice_equal_nocase(text,
		    slice_after(whole, whole.len - text.len)));
}

static bool
is_near_miss(struct slice text)
{
	unsigned distance = ehlo_distance_to_starttls(text);

	if (distance == 0 || only_quotes_starttls(text))
		return false;
	/* Of equal length three errors still leave five letters in place. */
	if (text.len == STARTTLS_BYTES)
		return distance <= 3 || ehlo_half_in_place(text);
	return distance <= 1 || is_part_of_starttls(text);
}

/* What a server may say in words: "Welcome!", "10.0.0.1", "12:34:56". No
 * keyword, but nothing that only a damaged line could hold. */
static bool
is_prose(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] >= 0x80 || text.ptr[i] == '\0' ||
		    (!isalnum(text.ptr[i]) &&
			strchr(" .,:;!?'()/-_", text.ptr[i]) == NULL))
			return false;
	return true;
}

/* "2.1.5 Ok" answers another command (RFC 2034). */
static bool
is_enhanced_code(struct slice text)
{
	return text.len > 5 && isdigit(text.ptr[0]) && text.ptr[1] == '.' &&
	    isdigit(text.ptr[2]) && text.ptr[3] == '.' && isdigit(text.ptr[4]);
}

/* "AUTHX 12": a keyword and its parameter; "AUTHX   " has none. */
static bool
has_parameter(struct slice text)
{
	struct slice keyword = ehlo_keyword(text);
	struct slice rest = slice_after(text, keyword.len);

	if (!ehlo_keyword_legal(keyword) || keyword.len < KEYWORD_MIN)
		return false;
	for (size_t i = 0; i < rest.len && rest.ptr[0] == ' '; i++)
		if (rest.ptr[i] != ' ')
			return true;
	return false;
}

/* Keywords are words, or short for some: not digits among letters, capitals
 * among small letters, or one vowel in eight. */
static bool
is_noise(struct slice word)
{
	unsigned digits = 0, vowels = 0, humps = 0;

	for (size_t i = 0; i < word.len; i++) {
		uint8_t c = word.ptr[i];

		digits += isdigit(c) != 0;
		vowels += c != '\0' && strchr("AEIOUYaeiouy", c) != NULL;
		humps += i > 0 && isupper(c) && islower(word.ptr[i - 1]);
	}
	return digits >= 3 || humps >= 2 || vowels <= 1;
}

/* A keyword, and blanks to the length of STARTTLS. */
static bool
is_filled_up(struct slice text)
{
	size_t n = ehlo_keyword(text).len;

	if (text.len != STARTTLS_BYTES || n == 0 || n == text.len)
		return false;
	while (n < text.len && text.ptr[n] == ' ')
		n++;
	return n == text.len;
}

/* In place of a command a proxy writes the same. */
static bool
is_padded_noop(struct slice text)
{
	return is_filled_up(text) &&
	    slice_equal_nocase(ehlo_keyword(text), slice_str("NOOP"));
}

static enum form
form_of(const struct registry *registry, const struct ehlo_line *line)
{
	struct slice text = ehlo_line_kept(line);

	/* An unfinished STARTTL is no near miss. */
	if (line->flags & (FACT_REDACTED | FACT_CUT | FACT_UNFINISHED))
		return FORM_ORDINARY;
	if (registry_knows(registry, ehlo_keyword(text)))
		return FORM_ORDINARY;
	if (is_near_miss(text))
		return FORM_NEAR;
	if (garble_is_mask(text))
		return FORM_MASK;
	if (text.len != STARTTLS_BYTES)
		return FORM_ORDINARY;
	if (is_padded_noop(text))
		return FORM_ILLEGAL;
	/* What damaged CHUNKING did not damage STARTTLS. */
	if (registry_resembles(registry, text))
		return FORM_ORDINARY;
	if (has_parameter(text) || is_enhanced_code(text))
		return FORM_ORDINARY;
	if (!ehlo_keyword_legal(text))
		return is_prose(text) ? FORM_WORD : FORM_ILLEGAL;
	if (ascii_upper(text.ptr[0]) == 'X')
		return FORM_PRIVATE;
	return is_noise(text) ? FORM_NOISE : FORM_WORD;
}

/* 8BITMIME twice: one of the two is written over something else. */
static bool
stands_twice(const struct session *s, unsigned index)
{
	struct slice text = ehlo_line_kept(&s->lines[index]);

	if (text.len != STARTTLS_BYTES)
		return false;
	for (unsigned i = 1; i < s->lines_kept; i++)
		if (i != index &&
		    slice_equal_nocase(text, ehlo_line_kept(&s->lines[i])))
			return true;
	return false;
}

/* HELP and four blanks, from a server that pads no other line. */
static bool
is_padded_alone(const struct session *s, unsigned index)
{
	if (!is_filled_up(ehlo_line_kept(&s->lines[index])))
		return false;
	for (unsigned i = 0; i < s->lines_kept; i++) {
		struct slice text = ehlo_line_kept(&s->lines[i]);

		if (i != index && text.len > 0 && text.ptr[text.len - 1] == ' ')
			return false;
	}
	return true;
}

/* The whole line, code and separator with it: its code is none. */
static bool
whole_line_overwritten(const struct ehlo_line *line)
{
	return line->flags & FACT_ODD_CODE &&
	    line->whole_length == WHOLE_LINE_BYTES &&
	    (line->code < 200 || line->code > 599);
}

/*
 * The evidence that form and place make together; EVIDENCE_CODES: none.
 */
static enum evidence_code
weigh(enum form form, enum slot slot)
{
	static const enum evidence_code table[][5] = {
		/* UNKNOWN, STARTTLS, SHARED, OTHER, NONE */
		[FORM_WORD] = { EVIDENCE_UNKNOWN_WORD, EVIDENCE_SLOT,
		    EVIDENCE_WORD_AMBIGUOUS, EVIDENCE_CODES, EVIDENCE_CODES },
		[FORM_NOISE] = { EVIDENCE_NOISE, EVIDENCE_SLOT, EVIDENCE_NOISE,
		    EVIDENCE_CODES, EVIDENCE_CODES },
		[FORM_PRIVATE] = { EVIDENCE_CODES, EVIDENCE_WORD_AMBIGUOUS,
		    EVIDENCE_UNKNOWN_WORD, EVIDENCE_CODES, EVIDENCE_CODES },
		[FORM_MASK] = { EVIDENCE_MASK_AMBIGUOUS, EVIDENCE_MASK_GRAMMAR,
		    EVIDENCE_MASK_AMBIGUOUS, EVIDENCE_SLOT_OF_OTHER,
		    EVIDENCE_CODES },
		[FORM_ILLEGAL] = { EVIDENCE_NOT_A_KEYWORD,
		    EVIDENCE_NOT_A_KEYWORD, EVIDENCE_MASK_AMBIGUOUS,
		    EVIDENCE_SLOT_OF_OTHER, EVIDENCE_UNKNOWN_WORD },
		[FORM_NEAR] = { EVIDENCE_NEAR_MISS, EVIDENCE_NEAR_MISS,
		    EVIDENCE_NEAR_MISS, EVIDENCE_NEAR_MISS,
		    EVIDENCE_NEAR_MISS },
	};

	return form == FORM_ORDINARY ? EVIDENCE_CODES : table[form][slot];
}

/* Cisco's letters come with the length of what they hide: four X-letters are
 * HELP or VRFY. Six may be an imitation. */
static bool
is_counted_keyword(struct slice text)
{
	return !is_run(text) &&
	    (text.len > STARTTLS_BYTES || text.len == strlen("HELP"));
}

/* A mask of another length than STARTTLS: a proxy need not keep it. */
static bool
is_resized(const struct ehlo_line *line, enum form form)
{
	return form == FORM_MASK && !is_counted_keyword(ehlo_line_kept(line)) &&
	    line->length != STARTTLS_BYTES && line->length >= RESIZED_MIN &&
	    !whole_line_overwritten(line) &&
	    (isalnum(line->text[0]) || line->text[0] == '*');
}

static void
consider(const struct registry *registry, const struct session *s,
    const bool *odd, unsigned index, enum form form, unsigned nth_masked,
    struct garble *best)
{
	const struct product *product = NULL;
	enum slot slot = best->considered++ < PLACES_MAX ?
	    product_slot(registry, s, odd, index, &product) :
	    SLOT_UNKNOWN;
	enum evidence_code evidence = weigh(form, slot);

	/* Of another length the place alone says what a mask hides, and only
	 * of a product that is known. */
	if (is_resized(&s->lines[index], form) &&
	    (product == NULL || slot != SLOT_SHARED))
		return;
	/* Orders that fit an unknown server agree by chance sometimes. */
	if (product == NULL && evidence == EVIDENCE_WORD_AMBIGUOUS)
		evidence = EVIDENCE_UNKNOWN_WORD;
	if (product == NULL && evidence == EVIDENCE_SLOT)
		evidence = form == FORM_NOISE ? EVIDENCE_NOISE :
						EVIDENCE_WORD_AMBIGUOUS;
	if (evidence == EVIDENCE_CODES)
		return;
	if (best->found &&
	    evidence_weight(evidence) <= evidence_weight(best->evidence))
		return;
	best->found = true;
	best->index = index;
	best->evidence = evidence;
	best->slot = slot;
	best->product = product;
	best->mask =
	    mask_of(registry, ehlo_line_kept(&s->lines[index]), nth_masked);
}

struct garble
garble_find(const struct registry *registry, const struct session *s)
{
	struct garble best = { 0 };
	enum form forms[EHLO_LINES_MAX];
	bool odd[EHLO_LINES_MAX] = { false };
	unsigned masked = 0, nth = 0;

	if (s->offered || s->lines_kept < 2)
		return best;
	for (unsigned i = 1; i < s->lines_kept; i++) {
		forms[i] = form_of(registry, &s->lines[i]);
		if (whole_line_overwritten(&s->lines[i]))
			forms[i] = FORM_ILLEGAL;
		else if (forms[i] == FORM_ORDINARY && stands_twice(s, i))
			forms[i] = FORM_WORD;
		else if (forms[i] == FORM_ORDINARY && is_padded_alone(s, i))
			forms[i] = FORM_NOISE;
		odd[i] = forms[i] != FORM_ORDINARY;
		masked += forms[i] == FORM_MASK;
	}
	for (unsigned i = 1; i < s->lines_kept; i++) {
		bool whole = whole_line_overwritten(&s->lines[i]);

		if (odd[i] &&
		    (forms[i] == FORM_NEAR || whole ||
			is_resized(&s->lines[i], forms[i]) ||
			s->lines[i].length == STARTTLS_BYTES))
			consider(registry, s, odd, i, forms[i], nth, &best);
		nth += is_x_counter(ehlo_line_kept(&s->lines[i]));
	}
	if (best.found && masked > 0)
		best.others_masked = masked - (forms[best.index] == FORM_MASK);
	return best;
}
