#include "mx_book.h"

#include <stdio.h>
#include <stdlib.h>

/* As far back as an answer is believed to tell what was before. */
#define BEFORE_NS (INT64_C(31) * 86400 * 1000000000)

/* One address of one MX host of one domain. */
struct pair {
	struct address address;
	uint32_t domain, host; /* offsets of texts */
	int64_t from_ns, until_ns;
};

struct mx_book {
	struct pair *pairs; /* by address */
	size_t count, room;
	char *texts;
	size_t text_bytes, text_room;
};

/* UINT32_MAX: there is no room. */
static uint32_t
keep_text(struct mx_book *b, const char *text)
{
	size_t n = strlen(text) + 1, at = b->text_bytes;

	if (at + n > b->text_room) {
		size_t room = 2 * b->text_room + 4096;
		char *more = realloc(b->texts, room);

		if (more == NULL)
			return UINT32_MAX;
		b->texts = more;
		b->text_room = room;
	}
	memcpy(b->texts + at, text, n);
	b->text_bytes += n;
	return (uint32_t)at;
}

static void
add_pair(struct mx_book *b, const struct pair *pair)
{
	if (b->count == b->room) {
		size_t room = b->room ? 2 * b->room : 64;
		struct pair *more = realloc(b->pairs, room * sizeof(*more));

		if (more == NULL)
			return;
		b->pairs = more;
		b->room = room;
	}
	b->pairs[b->count++] = *pair;
}

static int
on_host(void *context, const struct mail_host *host)
{
	struct mx_book *b = context;
	struct pair pair = { .from_ns = host->from_ns,
		.until_ns = host->until_ns };
	const char *at = host->addresses;

	if (*at == '\0' || b->count >= MX_BOOK_MAX)
		return b->count >= MX_BOOK_MAX;
	pair.domain = keep_text(b, host->domain);
	pair.host = keep_text(b, host->host);
	if (pair.domain == UINT32_MAX || pair.host == UINT32_MAX)
		return 1;
	while (*at != '\0' && b->count < MX_BOOK_MAX) {
		char text[ADDRESS_TEXT_BYTES];
		size_t n = strcspn(at, " ");

		snprintf(text, sizeof(text), "%.*s", (int)n, at);
		if (address_parse(text, &pair.address))
			add_pair(b, &pair);
		at += n + (at[n] == ' ');
	}
	return 0;
}

static int
by_address(const void *a, const void *b)
{
	const struct pair *left = a, *right = b;

	return address_compare(&left->address, &right->address);
}

struct mx_book *
mx_book_create(struct store *store)
{
	struct mx_book *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	if (store_each_mail_host(store, NULL, on_host, b) < 0) {
		mx_book_destroy(b);
		return NULL;
	}
	if (b->count > 0)
		qsort(b->pairs, b->count, sizeof(*b->pairs), by_address);
	return b;
}

void
mx_book_destroy(struct mx_book *b)
{
	if (b == NULL)
		return;
	free(b->pairs);
	free(b->texts);
	free(b);
}

static size_t
first_of(const struct mx_book *b, const struct address *address)
{
	size_t low = 0, high = b->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (address_compare(&b->pairs[middle].address, address) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The next pair from `*i` on that had the address; NULL: there is none. */
static const struct pair *
next_at(const struct mx_book *b, const struct address *address, int64_t at_ns,
    size_t *i)
{
	while (*i < b->count &&
	    address_compare(&b->pairs[*i].address, address) == 0) {
		const struct pair *pair = &b->pairs[(*i)++];

		if (at_ns < pair->until_ns &&
		    at_ns >= pair->from_ns - BEFORE_NS)
			return pair;
	}
	return NULL;
}

static bool
is_told(const struct dns_route *routes, unsigned count, const char *domain,
    const char *host)
{
	for (unsigned i = 0; i < count; i++)
		if (strcmp(routes[i].domain, domain) == 0 &&
		    strcmp(routes[i].mx, host) == 0)
			return true;
	return false;
}

unsigned
mx_book_find(const struct mx_book *b, const struct address *address,
    int64_t at_ns, struct dns_route out[DNS_ROUTES_MAX])
{
	size_t i = first_of(b, address);
	const struct pair *pair;
	unsigned count = 0;

	while ((pair = next_at(b, address, at_ns, &i)) != NULL) {
		const char *domain = b->texts + pair->domain;
		const char *host = b->texts + pair->host;

		if (is_told(out, count, domain, host))
			continue;
		if (count == DNS_ROUTES_MAX)
			return 0;
		memset(&out[count], 0, sizeof(*out));
		snprintf(out[count].domain, DOMAIN_TEXT_BYTES, "%s", domain);
		snprintf(out[count].mx, DOMAIN_TEXT_BYTES, "%s", host);
		count++;
	}
	return count;
}

const char *
mx_book_name(const struct mx_book *b, const struct address *address,
    int64_t at_ns)
{
	size_t i = first_of(b, address);
	const char *name = NULL;
	const struct pair *pair;

	while ((pair = next_at(b, address, at_ns, &i)) != NULL) {
		const char *host = b->texts + pair->host;

		if (name != NULL && strcmp(name, host) != 0)
			return NULL;
		name = host;
	}
	return name;
}
