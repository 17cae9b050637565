#include "dns_book.h"

#include <stdio.h>
#include <stdlib.h>

#include <xxhash.h>

#include "dissect/dns.h"
#include "dissect/dns_fact.h"

#define BUCKETS 4096
#define NONE UINT32_MAX

struct entry {
	uint64_t order; /* decides what stays, and which are equal */
	struct fact fact;
	struct dns_asked asked; /* its name borrows from `bytes` */
	uint8_t *bytes;
	size_t records_at;
};

/* What an entry is found by: its question, or a value in it. */
struct link {
	uint64_t key;
	uint32_t entry, next;
};

struct dns_book {
	size_t max, count, room;
	struct entry *entries;
	struct link *links;
	size_t link_count, link_room;
	uint32_t buckets[BUCKETS];
	uint64_t floor, shed;
};

/* While answers are chosen for a session. */
struct telling {
	const struct dns_book *book;
	const struct dns_concern *concern;
	uint32_t chosen[DNS_BOOK_TOLD_MAX];
	unsigned count;
};

struct dns_book *
dns_book_create(size_t answers_max)
{
	struct dns_book *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	b->max = answers_max;
	memset(b->buckets, 0xff, sizeof(b->buckets));
	return b;
}

void
dns_book_destroy(struct dns_book *b)
{
	if (b == NULL)
		return;
	for (size_t i = 0; i < b->count; i++)
		free(b->entries[i].bytes);
	free(b->entries);
	free(b->links);
	free(b);
}

uint64_t
dns_book_shed(const struct dns_book *b)
{
	return b->shed;
}

/* --- what entries are found by ------------------------------------------- */

#define BY_VALUE 0 /* no type of DNS */

static uint64_t
key_of(uint16_t type, struct slice text)
{
	return XXH3_64bits_withSeed(text.ptr, text.len, type);
}

static void
add_link(struct dns_book *b, uint64_t key, size_t entry)
{
	uint32_t *bucket = &b->buckets[key % BUCKETS];

	if (b->link_count == b->link_room) {
		size_t room = b->link_room ? b->link_room * 2 : 256;
		struct link *more = realloc(b->links, room * sizeof(*more));

		if (more == NULL)
			return;
		b->links = more;
		b->link_room = room;
	}
	b->links[b->link_count] =
	    (struct link){ key, (uint32_t)entry, *bucket };
	*bucket = (uint32_t)b->link_count++;
}

static struct slice
records_of(const struct entry *e)
{
	return slice_after(slice_of(e->bytes, e->fact.length), e->records_at);
}

static bool
is_value(const struct dns_said *said)
{
	return said->type == DNS_A || said->type == DNS_AAAA ||
	    said->type == DNS_MX;
}

static void
link_entry(struct dns_book *b, size_t i)
{
	const struct entry *e = &b->entries[i];
	struct slice records = records_of(e);
	struct dns_said said;

	add_link(b, key_of(e->asked.type, e->asked.name), i);
	while (dns_said_decode(&records, &said))
		if (is_value(&said))
			add_link(b, key_of(BY_VALUE, said.value), i);
}

static void
link_all(struct dns_book *b)
{
	b->link_count = 0;
	memset(b->buckets, 0xff, sizeof(b->buckets));
	for (size_t i = 0; i < b->count; i++)
		link_entry(b, i);
}

/* --- adding -------------------------------------------------------------- */

/* The same asker, question and records: times to live count down, and the
 * order of the records is nobody's. */
static uint64_t
order_of(const struct fact *fact, const struct dns_asked *asked,
    struct slice records)
{
	uint64_t sum = XXH3_64bits_withSeed(asked->client.address.octets, 16,
	    fact->value & ~(uint32_t)DNS_ANSWER_TCP);
	struct dns_said said;

	sum += key_of(asked->type, asked->name);
	while (dns_said_decode(&records, &said))
		sum += XXH3_64bits_withSeed(said.owner.ptr, said.owner.len,
		    key_of(said.type, said.value) + said.in_answer);
	sum = XXH3_64bits(&sum, sizeof(sum)) >> 1;
	return asked->type == DNS_A || asked->type == DNS_AAAA ?
	    sum :
	    sum | UINT64_C(1) << 63;
}

static struct entry *
find_equal(const struct dns_book *b, uint64_t order,
    const struct dns_asked *asked)
{
	uint64_t key = key_of(asked->type, asked->name);

	for (uint32_t l = b->buckets[key % BUCKETS]; l != NONE;
	     l = b->links[l].next)
		if (b->entries[b->links[l].entry].order == order)
			return &b->entries[b->links[l].entry];
	return NULL;
}

static int
highest_first(const void *a, const void *b)
{
	uint64_t left = ((const struct entry *)a)->order;
	uint64_t right = ((const struct entry *)b)->order;

	return left > right ? -1 : left < right;
}

static void
shed(struct dns_book *b)
{
	qsort(b->entries, b->count, sizeof(*b->entries), highest_first);
	while (b->count > b->max) {
		free(b->entries[--b->count].bytes);
		b->shed++;
	}
	b->floor = b->count > 0 ? b->entries[b->count - 1].order : UINT64_MAX;
	link_all(b);
}

static bool
grow(struct dns_book *b)
{
	size_t room = b->room ? b->room * 2 : 64;
	struct entry *more;

	if (b->count < b->room)
		return true;
	more = realloc(b->entries, room * sizeof(*more));
	if (more == NULL)
		return false;
	b->entries = more;
	b->room = room;
	return true;
}

void
dns_book_add(struct dns_book *b, const struct fact *fact, struct slice bytes)
{
	struct slice records = bytes;
	struct entry e = { .fact = *fact }, *equal;

	if (bytes.len > DNS_FACT_MAX_BYTES ||
	    !dns_asked_decode(&records, &e.asked))
		return;
	e.order = order_of(fact, &e.asked, records);
	equal = find_equal(b, e.order, &e.asked);
	if (equal != NULL) {
		equal->fact.extent++;
		equal->asked.last_ns = fact->capture_ts_ns;
		return;
	}
	e.bytes = e.order < b->floor ? NULL : malloc(bytes.len);
	if (e.bytes == NULL || !grow(b)) {
		free(e.bytes);
		b->shed++;
		return;
	}
	memcpy(e.bytes, bytes.ptr, bytes.len);
	e.fact.length = (uint32_t)bytes.len;
	e.records_at = bytes.len - records.len;
	e.asked.name.ptr = e.bytes + (e.asked.name.ptr - bytes.ptr);
	b->entries[b->count++] = e;
	link_entry(b, b->count - 1);
	if (b->count >= 2 * b->max + 64)
		shed(b);
}

/* --- telling ------------------------------------------------------------- */

static bool
is_own(const struct telling *t, const struct entry *e)
{
	return address_compare(&e->asked.client.address, &t->concern->client) ==
	    0;
}

static void
choose(struct telling *t, uint32_t entry)
{
	for (unsigned i = 0; i < t->count; i++)
		if (t->chosen[i] == entry)
			return;
	if (t->count < DNS_BOOK_TOLD_MAX)
		t->chosen[t->count++] = entry;
}

/* The client's own, then others', the latest first, no more than `most`. */
static void
choose_all(struct telling *t, uint16_t type, struct slice text, unsigned most)
{
	const struct dns_book *b = t->book;
	uint64_t key = key_of(type, text);
	unsigned before = t->count;

	for (int own = 1; own >= 0; own--)
		for (uint32_t l = b->buckets[key % BUCKETS];
		     l != NONE && t->count < before + most;
		     l = b->links[l].next)
			if (b->links[l].key == key &&
			    is_own(t, &b->entries[b->links[l].entry]) == own)
				choose(t, b->links[l].entry);
}

static void
choose_about(struct telling *t, uint16_t type, const char *label,
    struct slice name)
{
	char text[2 * DNS_NAME_BYTES];
	int n = snprintf(text, sizeof(text), "%s%.*s", label, (int)name.len,
	    (const char *)name.ptr);

	choose_all(t, type, slice_of(text, (size_t)n), 4);
}

/* What else is known of an MX host: whose it is, and its TLSA records. */
static void
choose_host(struct telling *t, struct slice host)
{
	choose_all(t, t->concern->server.family == 4 ? DNS_A : DNS_AAAA, host,
	    6);
	choose_all(t, BY_VALUE, host, 6);
	choose_about(t, DNS_TLSA, "_25._tcp.", host);
}

static void
choose_hosts(struct telling *t, struct slice server)
{
	unsigned count;

	choose_all(t, BY_VALUE, server, 6);
	count = t->count;
	for (unsigned i = 0; i < count; i++) {
		const struct entry *e = &t->book->entries[t->chosen[i]];
		struct slice records = records_of(e);
		struct dns_said said;

		if (e->asked.type != DNS_MX)
			choose_host(t, e->asked.name);
		while (dns_said_decode(&records, &said))
			if (is_value(&said) && slice_equal(said.value, server))
				choose_host(t, said.owner);
	}
}

static size_t
write_facts(const struct telling *t, uint8_t *out)
{
	uint8_t bytes[DNS_FACT_MAX_BYTES];
	size_t length = 0;

	for (unsigned i = 0; i < t->count; i++) {
		const struct entry *e = &t->book->entries[t->chosen[i]];

		if (length + FACT_HEADER_MAX_BYTES + e->fact.length >
		    DNS_BOOK_TOLD_BYTES)
			continue;
		memcpy(bytes, e->bytes, e->fact.length);
		/* The same octets, but for the time. */
		dns_asked_encode(&e->asked, bytes);
		length += fact_encode(&e->fact, slice_of(bytes, e->fact.length),
		    out + length);
	}
	return length;
}

size_t
dns_book_tell(const struct dns_book *b, const struct dns_concern *concern,
    uint8_t *out)
{
	struct telling t = { .book = b, .concern = concern };
	char server[ADDRESS_TEXT_BYTES];
	unsigned count;

	if (b->count == 0)
		return 0;
	address_format(&concern->server, server);
	choose_hosts(&t, slice_str(server));
	count = t.count;
	for (unsigned i = 0; i < count; i++) {
		const struct entry *e = &b->entries[t.chosen[i]];

		if (e->asked.type != DNS_MX)
			continue;
		choose_all(&t, DNS_MX, e->asked.name, 4);
		choose_about(&t, DNS_TXT, "_mta-sts.", e->asked.name);
	}
	for (unsigned i = 0; i < concern->domain_count; i++) {
		struct slice domain = slice_str(concern->domains[i]);

		choose_all(&t, DNS_MX, domain, 4);
		choose_about(&t, DNS_TXT, "_mta-sts.", domain);
	}
	return write_facts(&t, out);
}

/* --- who asks for policies ----------------------------------------------- */

static bool
is_asker(const struct entry *e, struct policy_asker *out)
{
	static const char label[] = "_mta-sts.";
	const size_t n = sizeof(label) - 1;
	struct slice name = e->asked.name;

	if (e->asked.type != DNS_TXT || name.len <= n ||
	    name.len - n >= sizeof(out->domain) ||
	    memcmp(name.ptr, label, n) != 0)
		return false;
	memset(out, 0, sizeof(*out));
	out->client = e->asked.client.address;
	memcpy(out->domain, name.ptr + n, name.len - n);
	out->last_ns = e->asked.last_ns != 0 ? e->asked.last_ns :
					       e->fact.capture_ts_ns;
	return true;
}

static int
by_client(const void *a, const void *b)
{
	const struct policy_asker *l = a, *r = b;
	int order = address_compare(&l->client, &r->client);

	return order != 0 ? order : strcmp(l->domain, r->domain);
}

/* Sorted ones; the number that is left. */
static size_t
join_askers(struct policy_asker *list, size_t count)
{
	size_t n = 0;

	for (size_t i = 1; i < count; i++) {
		if (by_client(&list[n], &list[i]) != 0)
			list[++n] = list[i];
		else if (list[i].last_ns > list[n].last_ns)
			list[n].last_ns = list[i].last_ns;
	}
	return count > 0 ? n + 1 : 0;
}

struct policy_asker *
dns_book_askers(const struct dns_book *b, size_t *count)
{
	struct policy_asker one, *list;
	size_t n = 0;

	*count = 0;
	for (size_t i = 0; i < b->count; i++)
		n += is_asker(&b->entries[i], &one);
	list = n > 0 ? malloc(n * sizeof(*list)) : NULL;
	if (list == NULL)
		return NULL;
	n = 0;
	for (size_t i = 0; i < b->count; i++)
		if (is_asker(&b->entries[i], &one))
			list[n++] = one;
	qsort(list, n, sizeof(*list), by_client);
	*count = join_askers(list, n);
	return list;
}
