#include "product.h"

#include "ehlo.h"

#define NEIGHBOURS_MIN 2   /* known keywords before an order tells much */
#define NEIGHBOURS_SURE 5  /* before it tells whose reply it is */
#define BLOCK_LINES_MAX 16 /* odd lines in a row that are compared */

/* A keyword's place in the order, -1: not in it. `AUTH=LOGIN`, the form from
 * before RFC 2554, stands in the order as AUTH=. */
static int
place_of(const struct product *product, struct slice text)
{
	struct slice keyword = ehlo_keyword(text);
	size_t blank = 0;

	while (blank < text.len && text.ptr[blank] != ' ')
		blank++;
	for (unsigned i = 0; i < product->keyword_count; i++) {
		struct slice known = slice_str(product->keywords[i]);

		if (slice_equal_nocase(slice_first(text, blank), known))
			return (int)i;
		if (keyword.len < text.len && text.ptr[keyword.len] == '=' &&
		    slice_equal_nocase(slice_first(text, keyword.len + 1),
			known))
			return (int)i;
	}
	for (unsigned i = 0; i < product->keyword_count; i++)
		if (slice_equal_nocase(keyword,
			slice_str(product->keywords[i])))
			return (int)i;
	return -1;
}

/* `word` without case; its `_` stands for a blank. */
static bool
contains_word(struct slice text, struct slice word)
{
	for (size_t i = 0; i + word.len <= text.len; i++) {
		size_t n = 0;

		while (n < word.len &&
		    ascii_upper(text.ptr[i + n]) ==
			(word.ptr[n] == '_' ? ' ' : ascii_upper(word.ptr[n])))
			n++;
		if (n == word.len)
			return true;
	}
	return false;
}

/*
 * A phrase may also stand in the first line of the answer to EHLO, behind
 * the client's own name: single words would be found in that.
 */
bool
product_greets(const struct product *product, const struct session *s)
{
	const char *words = product->greeting_words;

	while (*words != '\0') {
		struct slice word = slice_of(words, strcspn(words, " "));
		bool phrase = memchr(word.ptr, '_', word.len) != NULL;

		if (word.len > 0 &&
		    (contains_word(slice_str(s->greeting), word) ||
			(phrase && s->lines_kept > 0 &&
			    contains_word(ehlo_line_kept(&s->lines[0]), word))))
			return true;
		words += word.len + (words[word.len] == ' ');
	}
	return false;
}

/*
 * Does every keyword that is not odd stand in the product's order? Where the
 * greeting names the product, a filter's or a newer version's keywords do
 * not disturb.
 */
static bool
order_fits(const struct product *product, const struct session *s,
    const bool *odd, unsigned *known)
{
	bool named = product_greets(product, s);
	int last = -1;

	*known = 0;
	for (unsigned i = 1; i < s->lines_kept; i++) {
		int place;

		if (odd != NULL && odd[i])
			continue;
		place = place_of(product, ehlo_line_kept(&s->lines[i]));
		if (place < 0 && named)
			continue;
		if (place < 0 || place < last)
			return false;
		last = place;
		(*known)++;
	}
	return *known >= NEIGHBOURS_MIN;
}

static const struct product *
product_of_reply(const struct registry *registry, const struct session *s,
    const bool *odd)
{
	const struct product *products, *found = NULL;
	size_t count = registry_products(registry, &products);
	unsigned known, most_known = 0;

	/* A host may be called after another product than it runs: the one
	 * with most of the keywords. */
	for (size_t i = 0; i < count; i++) {
		if (!product_greets(&products[i], s))
			continue;
		if (!order_fits(&products[i], s, odd, &known))
			known = 0;
		if (found == NULL || known > most_known) {
			found = &products[i];
			most_known = known;
		}
	}
	if (found != NULL)
		return found;
	for (size_t i = 0; i < count; i++) {
		if (!order_fits(&products[i], s, odd, &known))
			continue;
		if (found != NULL)
			return NULL;
		found = &products[i];
	}
	return found;
}

/* A few keywords are in somebody's order by chance. */
static bool
is_sure(const struct product *product, const struct session *s, unsigned known)
{
	return known >= NEIGHBOURS_SURE || product_greets(product, s);
}

const struct product *
product_of(const struct registry *registry, const struct session *s)
{
	const struct product *p = product_of_reply(registry, s, NULL);
	unsigned known;

	if (p == NULL || product_greets(p, s))
		return p;
	if (!order_fits(p, s, NULL, &known) || !is_sure(p, s, known))
		return NULL;
	return p;
}

/* The nearest keyword of the order before or behind line `index`. */
static int
neighbour(const struct product *product, const struct session *s,
    const bool *odd, unsigned index, int step)
{
	for (int i = (int)index + step; i >= 1 && i < (int)s->lines_kept;
	     i += step) {
		int place = odd[i] ?
		    -1 :
		    place_of(product, ehlo_line_kept(&s->lines[i]));

		if (place >= 0)
			return place;
	}
	return step < 0 ? -1 : (int)product->keyword_count;
}

/*
 * The odd lines around one of them, and the keywords of the order that may
 * have stood there: what lies between two neighbours. `head[l][k]` is how
 * many of the first l lines can at most be given a keyword of the first k,
 * each its own and in order; `tail` the same from the end.
 */
struct block {
	const struct ehlo_line *lines;
	unsigned line_count, keyword_count;
	const char (*keywords)[32];
	uint8_t head[BLOCK_LINES_MAX + 1][PRODUCT_KEYWORDS_MAX + 1];
	uint8_t tail[BLOCK_LINES_MAX + 1][PRODUCT_KEYWORDS_MAX + 1];
};

/* Who overwrites keeps the length: of the word, or with its parameters. */
static bool
may_have_been(const struct ehlo_line *line, const char *keyword)
{
	size_t length = strlen(keyword);

	if (line->length == STARTTLS_BYTES)
		/* X-words are offered to partners only (XFORWARD). */
		return length == STARTTLS_BYTES && keyword[0] != 'X';
	return line->length == length || line->length >= length + 2;
}

static uint8_t
most(uint8_t a, uint8_t b)
{
	return a > b ? a : b;
}

static void
align(struct block *b)
{
	unsigned lines = b->line_count, keywords = b->keyword_count;

	memset(b->head, 0, sizeof(b->head));
	memset(b->tail, 0, sizeof(b->tail));
	for (unsigned l = 0; l < lines; l++) {
		for (unsigned k = 0; k < keywords; k++) {
			bool fits = may_have_been(&b->lines[l], b->keywords[k]);

			b->head[l + 1][k + 1] = most(b->head[l][k] + fits,
			    most(b->head[l + 1][k], b->head[l][k + 1]));
		}
	}
	for (unsigned l = lines; l-- > 0;) {
		for (unsigned k = keywords; k-- > 0;) {
			bool fits = may_have_been(&b->lines[l], b->keywords[k]);

			b->tail[l][k] = most(b->tail[l + 1][k + 1] + fits,
			    most(b->tail[l + 1][k], b->tail[l][k + 1]));
		}
	}
}

/* What line `l` can be where as many lines as possible have a keyword. */
static enum slot
slot_in_block(struct block *b, unsigned l)
{
	bool starttls = false, other = false;

	align(b);
	for (unsigned k = 0; k < b->keyword_count; k++) {
		if (!may_have_been(&b->lines[l], b->keywords[k]) ||
		    b->head[l][k] + 1 + b->tail[l + 1][k + 1] < b->tail[0][0])
			continue;
		if (strcmp(b->keywords[k], "STARTTLS") == 0)
			starttls = true;
		else
			other = true;
	}
	if (starttls)
		return other ? SLOT_SHARED : SLOT_STARTTLS;
	return other ? SLOT_OTHER : SLOT_NONE;
}

/* Of another length than STARTTLS, which may have stood there, and nothing
 * else that keeps its length did; a short line has no room for AUTH and a
 * mechanism. */
static bool
is_place_of_starttls(const struct block *b, const struct ehlo_line *line)
{
	bool starttls = false;

	for (unsigned k = 0; k < b->keyword_count; k++) {
		const char *keyword = b->keywords[k];
		bool offer = strcmp(keyword, "STARTTLS") == 0;

		starttls |= offer;
		/* X-words are offered to partners only (XCLIENT). */
		if (offer || keyword[0] == 'X')
			continue;
		if (strlen(keyword) == line->length ||
		    (line->length > STARTTLS_BYTES &&
			may_have_been(line, keyword)))
			return false;
	}
	return starttls;
}

/* A keyword that is not of the product's order? */
static bool
is_strange(const struct product *product, const struct session *s,
    unsigned index)
{
	return index > 0 && index < s->lines_kept &&
	    place_of(product, ehlo_line_kept(&s->lines[index])) < 0;
}

static enum slot
slot_in(const struct product *product, const struct session *s, const bool *odd,
    unsigned index)
{
	int before = neighbour(product, s, odd, index, -1);
	int behind = neighbour(product, s, odd, index, +1);
	unsigned first = index, last = index;
	struct block block;
	enum slot slot;

	while (first > 1 && odd[first - 1])
		first--;
	while (last + 1 < s->lines_kept && odd[last + 1])
		last++;
	/* So many tell nothing of each other: each for itself. */
	if (last - first >= BLOCK_LINES_MAX)
		first = last = index;
	block.lines = &s->lines[first];
	block.line_count = last - first + 1;
	block.keywords = &product->keywords[before + 1];
	block.keyword_count =
	    behind > before ? (unsigned)(behind - before - 1) : 0;
	if (s->lines[index].length != STARTTLS_BYTES)
		return is_place_of_starttls(&block, &s->lines[index]) ?
		    SLOT_SHARED :
		    SLOT_NONE;
	slot = slot_in_block(&block, index - first);
	/* Keywords that the order does not have stand around it: that may be
	 * another version's, and only a known place acquits. */
	return slot == SLOT_OTHER &&
		(is_strange(product, s, first - 1) ||
		    is_strange(product, s, last + 1)) ?
	    SLOT_UNKNOWN :
	    slot;
}

/* Several orders fit, and none is known to be the server's. */
static enum slot
slot_of_both(enum slot a, enum slot b)
{
	bool a_allows = a == SLOT_STARTTLS || a == SLOT_SHARED;
	bool b_allows = b == SLOT_STARTTLS || b == SLOT_SHARED;

	if (a == b)
		return a;
	return a_allows && b_allows ? SLOT_SHARED : SLOT_UNKNOWN;
}

static enum slot
slot_by_orders(const struct registry *registry, const struct session *s,
    const bool *odd, unsigned index)
{
	const struct product *products;
	size_t count = registry_products(registry, &products);
	enum slot best = SLOT_UNKNOWN;
	bool any = false;
	unsigned known;

	for (size_t i = 0; i < count; i++) {
		enum slot slot;

		if (!order_fits(&products[i], s, odd, &known))
			continue;
		slot = slot_in(&products[i], s, odd, index);
		best = any ? slot_of_both(best, slot) : slot;
		any = true;
	}
	/* Chance may accuse, but it acquits nobody. */
	return best == SLOT_OTHER || best == SLOT_NONE ? SLOT_UNKNOWN : best;
}

enum slot
product_slot(const struct registry *registry, const struct session *s,
    const bool odd[EHLO_LINES_MAX], unsigned index,
    const struct product **product)
{
	const struct product *p = product_of_reply(registry, s, odd);
	unsigned known;

	*product = NULL;
	if (p == NULL || !order_fits(p, s, odd, &known) ||
	    !is_sure(p, s, known))
		return slot_by_orders(registry, s, odd, index);
	*product = p;
	return slot_in(p, s, odd, index);
}
