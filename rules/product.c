#include "product.h"

#include "ehlo.h"

#define STARTTLS_BYTES 8
#define NEIGHBOURS_MIN 2	/* known keywords before an order tells much */

static struct slice
line_text(const struct ehlo_line *line)
{
	size_t kept = line->length;

	if (kept > sizeof(line->text))
		kept = sizeof(line->text);
	return slice_of(line->text, kept);
}

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

/* Does every keyword that is not odd stand in the product's order? */
static bool
order_fits(const struct product *product, const struct session *s,
    const bool *odd, unsigned *known)
{
	int last = -1;

	*known = 0;
	for (unsigned i = 1; i < s->lines_kept; i++) {
		int place;

		if (odd != NULL && odd[i])
			continue;
		place = place_of(product, line_text(&s->lines[i]));
		if (place < last)	/* also when it is not in there */
			return false;
		last = place;
		(*known)++;
	}
	return *known >= NEIGHBOURS_MIN;
}

static bool
contains_word(const char *text, struct slice word)
{
	size_t len = strlen(text);

	for (size_t i = 0; i + word.len <= len; i++)
		if (slice_equal_nocase(slice_of(text + i, word.len), word))
			return true;
	return false;
}

static bool
greeting_names(const struct product *product, const struct session *s)
{
	const char *words = product->greeting_words;

	while (*words != '\0') {
		size_t n = strcspn(words, " ");

		if (n > 0 && contains_word(s->greeting, slice_of(words, n)))
			return true;
		words += n + (words[n] == ' ');
	}
	return false;
}

static const struct product *
product_of_reply(const struct registry *registry, const struct session *s,
    const bool *odd)
{
	const struct product *products, *found = NULL;
	size_t count = registry_products(registry, &products);
	unsigned known;

	for (size_t i = 0; i < count; i++)
		if (greeting_names(&products[i], s))
			return &products[i];
	for (size_t i = 0; i < count; i++) {
		if (!order_fits(&products[i], s, odd, &known))
			continue;
		if (found != NULL)
			return NULL;
		found = &products[i];
	}
	return found;
}

const struct product *
product_of(const struct registry *registry, const struct session *s)
{
	return product_of_reply(registry, s, NULL);
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
		    place_of(product, line_text(&s->lines[i]));

		if (place >= 0)
			return place;
	}
	return step < 0 ? -1 : (int)product->keyword_count;
}

/* Odd lines of STARTTLS's length that stand in the same slot as `index`. */
static unsigned
odd_companions(const struct session *s, const bool *odd, unsigned index)
{
	unsigned count = 0, first = index, last = index;

	while (first > 1 && odd[first - 1])
		first--;
	while (last + 1 < s->lines_kept && odd[last + 1])
		last++;
	for (unsigned i = first; i <= last; i++)
		count += s->lines[i].length == STARTTLS_BYTES;
	return count;
}

static enum slot
slot_in(const struct product *product, const struct session *s,
    const bool *odd, unsigned index)
{
	int before = neighbour(product, s, odd, index, -1);
	int behind = neighbour(product, s, odd, index, +1);
	unsigned others = 0;
	bool starttls = false;

	for (int i = before + 1; i < behind; i++) {
		const char *keyword = product->keywords[i];

		if (strcmp(keyword, "STARTTLS") == 0)
			starttls = true;
		/* X-words are offered to partners only (XFORWARD). */
		else if (strlen(keyword) == STARTTLS_BYTES && keyword[0] != 'X')
			others++;
	}
	if (!starttls)
		return others > 0 ? SLOT_OTHER : SLOT_NONE;
	/* As many overwritten words as candidates: each has its own. */
	if (others == 0 || odd_companions(s, odd, index) > others)
		return SLOT_STARTTLS;
	return SLOT_SHARED;
}

enum slot
product_slot(const struct registry *registry, const struct session *s,
    const bool odd[EHLO_LINES_MAX], unsigned index,
    const struct product **product)
{
	const struct product *products;
	size_t count = registry_products(registry, &products);
	enum slot best = SLOT_UNKNOWN;
	unsigned known;

	*product = product_of_reply(registry, s, odd);
	if (*product != NULL && order_fits(*product, s, odd, &known))
		return slot_in(*product, s, odd, index);
	/* Several orders fit: what all of them say, or it stays unknown. */
	*product = NULL;
	for (size_t i = 0; i < count; i++) {
		enum slot slot;

		if (!order_fits(&products[i], s, odd, &known))
			continue;
		slot = slot_in(&products[i], s, odd, index);
		if (best != SLOT_UNKNOWN && best != slot)
			return SLOT_SHARED;
		best = slot;
	}
	return best;
}
