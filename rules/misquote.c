#include "misquote.h"

#include <ctype.h>

#include "ehlo.h"
#include "garble.h"

static bool
is_mark(uint8_t c)
{
	return c == '"' || c == '\'' || c == '`';
}

/* Not in an address or a host name: those are whole words here. */
static bool
is_separator(uint8_t c)
{
	return c == ' ' || c == '\t' || is_mark(c) || c == ':' || c == ',' ||
	    c == ';' || c == '(' || c == ')' || c == '[' || c == ']' ||
	    c == '<' || c == '>';
}

/* Takes the next word off `text`, with what stood before it. */
static bool
next_word(struct slice *text, struct slice *word, uint8_t *before)
{
	size_t n = 0;

	while (text->len > 0 && is_separator(text->ptr[0])) {
		if (text->ptr[0] != ' ' || *before == 0)
			*before = text->ptr[0];
		*text = slice_after(*text, 1);
	}
	while (n < text->len && !is_separator(text->ptr[n]))
		n++;
	*word = slice_first(*text, n);
	*text = slice_after(*text, n);
	return n > 0;
}

/* Error texts are sentences: what is no word of one was not theirs. */
static bool
is_alien(struct slice word)
{
	bool lower = false;

	for (size_t i = 0; i < word.len; i++) {
		if (word.ptr[i] < 0x20 || word.ptr[i] >= 0x7f)
			return true;
		lower |= islower(word.ptr[i]) != 0;
	}
	return garble_is_mask(word) && (isalnum(word.ptr[0]) || lower);
}

/* Capitals and digits only, as no sentence has in the midst of it. */
static bool
is_shouted(struct slice word)
{
	for (size_t i = 0; i < word.len; i++)
		if (!isupper(word.ptr[i]) && !isdigit(word.ptr[i]))
			return false;
	return true;
}

/* "... XXXX relay.example.net ..." */
static bool
has_argument(struct slice rest, struct slice argument)
{
	while (rest.len > 0 && rest.ptr[0] == ' ')
		rest = slice_after(rest, 1);
	return argument.len > 0 &&
	    slice_equal_nocase(slice_first(rest, argument.len), argument);
}

static enum evidence_code
quotation(struct slice word, uint8_t before, struct slice rest,
    struct slice argument)
{
	bool marked = is_mark(before) && rest.len > 0 &&
	    (is_mark(rest.ptr[0]) || rest.ptr[0] == ' ');
	bool placed = before == ':' || has_argument(rest, argument) ||
	    (rest.len > 0 && rest.ptr[0] == ':');

	if ((marked || placed) &&
	    (is_alien(word) || (marked && garble_is_mask(word))))
		return EVIDENCE_ERROR_QUOTES_MASK;
	return marked && is_shouted(word) ? EVIDENCE_ERROR_QUOTES_WORD :
					    EVIDENCE_CODES;
}

enum evidence_code
error_misquotes(const struct ehlo_line *error, const char *sent,
    const char *argument, struct slice *quoted)
{
	struct slice rest = ehlo_line_kept(error);
	enum evidence_code found = EVIDENCE_CODES;
	struct slice word;
	uint8_t before = 0;

	/* Blanked octets are no quotation. */
	if (error->flags & FACT_REDACTED)
		return EVIDENCE_CODES;
	for (; next_word(&rest, &word, &before); before = 0) {
		if (slice_equal_nocase(word, slice_str(sent)))
			return EVIDENCE_CODES;
		if (found != EVIDENCE_CODES || word.len != strlen(sent))
			continue;
		found = quotation(word, before, rest, slice_str(argument));
		if (found != EVIDENCE_CODES)
			*quoted = word;
	}
	return found;
}
