#include "ehlo.h"

#include <ctype.h>

struct slice
ehlo_keyword(struct slice text)
{
	size_t n = 0;

	while (n < text.len && text.ptr[n] != ' ' && text.ptr[n] != '=')
		n++;
	return slice_first(text, n);
}

bool
ehlo_line_offers_starttls(struct slice text)
{
	size_t n = STARTTLS_BYTES;

	/* RFC 3207 4.1: no parameters, but some servers pad the line. */
	return slice_equal_nocase(slice_first(text, n),
		   slice_str("STARTTLS")) &&
	    (text.len == n || text.ptr[n] == ' ' || text.ptr[n] == '\t');
}

bool
ehlo_starttls_covered(uint64_t from, uint64_t extent, uint64_t line,
    size_t before, size_t length)
{
	uint64_t word = line + before, end = from + extent;

	return (from == line || from == word) &&
	    (end == word + STARTTLS_BYTES || end == line + length);
}

bool
ehlo_keyword_legal(struct slice keyword)
{
	if (keyword.len == 0 || keyword.ptr[0] == '-')
		return false;
	for (size_t i = 0; i < keyword.len; i++) {
		uint8_t c = keyword.ptr[i];

		/* The underscore is no keyword by the grammar, but Exim has
		 * sent PIPE_CONNECT for years. */
		if (c >= 0x80 || (!isalnum(c) && c != '-' && c != '_'))
			return false;
	}
	return true;
}

unsigned
ehlo_distance_to_starttls(struct slice word)
{
	static const char target[] = "STARTTLS";
	unsigned row[STARTTLS_BYTES + 1];

	if (word.len < STARTTLS_BYTES - 3 || word.len > STARTTLS_BYTES + 3)
		return 4;
	for (unsigned j = 0; j <= STARTTLS_BYTES; j++)
		row[j] = j;
	for (unsigned i = 1; i <= word.len; i++) {
		unsigned diagonal = row[0];

		row[0] = i;
		for (unsigned j = 1; j <= STARTTLS_BYTES; j++) {
			unsigned above = row[j];
			unsigned best = diagonal +
			    (ascii_upper(word.ptr[i - 1]) != target[j - 1]);

			if (above + 1 < best)
				best = above + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			diagonal = above;
			row[j] = best;
		}
	}
	return row[STARTTLS_BYTES] > 3 ? 4 : row[STARTTLS_BYTES];
}

bool
ehlo_half_in_place(struct slice word)
{
	static const char target[] = "STARTTLS";
	unsigned right = 0;

	for (size_t i = 0; word.len == STARTTLS_BYTES && i < word.len; i++)
		right += ascii_upper(word.ptr[i]) == (uint8_t)target[i];
	return right >= STARTTLS_BYTES / 2;
}

uint64_t
ehlo_hash(uint64_t hash, struct slice bytes)
{
	if (hash == 0)
		hash = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < bytes.len; i++)
		hash = (hash ^ bytes.ptr[i]) * UINT64_C(0x100000001b3);
	return hash;
}
