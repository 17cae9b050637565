#include "fragment.h"

#include <stdlib.h>

#include "siphash.h"

#define WAIT_NS (INT64_C(30) * 1000000000)

/* Offsets count in units of eight octets (RFC 791 3.1, RFC 8200 4.5). */
#define UNIT_BYTES 8
#define CHUNK_UNITS 64
#define CHUNK_BYTES (CHUNK_UNITS * UNIT_BYTES)
#define CHUNKS_MAX ((DATAGRAM_MAX_BYTES + CHUNK_BYTES) / CHUNK_BYTES)
#define CHUNKS_START 4 /* an Ethernet frame's worth */
/* What malloc() adds to a piece of memory, so that the budget holds. */
#define MALLOC_BYTES 16
/* The smallest incomplete datagram: how many may there be at most? */
#define DATAGRAM_LEAST_BYTES 768

/*
 * A stretch of a datagram, and which units of it are here. A list of pieces,
 * as an obvious alternative, lets a flood of tiny ones make every further
 * fragment walk past them all.
 */
struct chunk {
	uint64_t units; /* bit n: unit n is here */
	uint8_t bytes[CHUNK_BYTES];
};

/* A datagram of which parts are missing. */
struct datagram {
	struct datagram *next; /* in its bucket */
	struct datagram *older, *newer;
	struct address src, dst;
	uint64_t hash;
	uint32_t id;
	uint8_t protocol; /* IPv6: set by the fragment at 0 */
	int64_t first_ns; /* on the capture's clock */
	uint32_t total;	  /* 0: the last fragment is not here yet */
	uint32_t top;	  /* behind the highest octet that came */
	uint32_t units;	  /* that are here */
	uint32_t room;	  /* of `chunks` */
	bool discarded;	  /* overlap in IPv6, or nonsense */
	size_t held_bytes;
	struct chunk **chunks; /* NULL where nothing of it is here */
};

struct fragments {
	size_t budget_bytes, held_bytes;
	struct counters *counters;
	struct datagram *oldest, *youngest;
	struct datagram **buckets;
	size_t bucket_mask;
	uint8_t key[16];
	uint8_t protocol; /* of what is in `whole` */
	uint8_t whole[CHUNKS_MAX * CHUNK_BYTES];
};

struct fragments *
fragments_create(size_t budget_bytes, const uint8_t key[16],
    struct counters *counters)
{
	struct fragments *f = calloc(1, sizeof(*f));
	size_t buckets = 16;

	if (f == NULL)
		return NULL;
	while (buckets < budget_bytes / DATAGRAM_LEAST_BYTES)
		buckets *= 2;
	f->buckets = calloc(buckets, sizeof(struct datagram *));
	if (f->buckets == NULL) {
		free(f);
		return NULL;
	}
	f->bucket_mask = buckets - 1;
	f->budget_bytes = budget_bytes;
	f->counters = counters;
	memcpy(f->key, key, sizeof(f->key));
	return f;
}

/* --- datagrams ----------------------------------------------------------- */

/* By protocol as well in IPv4 (RFC 791 2.3); in IPv6 the fragments may differ
 * in it, and the first one's counts (RFC 8200 4.5). */
static uint64_t
hash_of(const struct fragments *f, const struct packet *p)
{
	uint64_t words[5] = { 0 };

	memcpy(words, p->src.address.octets, 16);
	memcpy(words + 2, p->dst.address.octets, 16);
	words[4] = p->src.address.family;
	if (p->src.address.family == 4)
		words[4] |= (uint64_t)p->protocol << 8;
	return siphash13(f->key, words, 5, p->fragment_id);
}

static struct datagram *
find(const struct fragments *f, uint64_t hash, const struct packet *p)
{
	struct datagram *d = f->buckets[hash & f->bucket_mask];
	bool by_protocol = p->src.address.family == 4;

	while (d != NULL &&
	    (d->hash != hash || d->id != p->fragment_id ||
		(by_protocol && d->protocol != p->protocol) ||
		address_compare(&d->src, &p->src.address) != 0 ||
		address_compare(&d->dst, &p->dst.address) != 0))
		d = d->next;
	return d;
}

static void
hold(struct fragments *f, struct datagram *d, size_t bytes)
{
	d->held_bytes += bytes;
	f->held_bytes += bytes;
}

/* Only the name stays, so that later fragments of it are known. */
static void
forget_bytes(struct fragments *f, struct datagram *d)
{
	for (uint32_t i = 0; i < d->room; i++)
		free(d->chunks[i]);
	free(d->chunks);
	d->chunks = NULL;
	d->room = 0;
	f->held_bytes -= d->held_bytes;
	d->held_bytes = 0;
	hold(f, d, sizeof(*d) + MALLOC_BYTES);
}

static void
drop(struct fragments *f, struct datagram *d)
{
	struct datagram **link = &f->buckets[d->hash & f->bucket_mask];

	while (*link != d)
		link = &(*link)->next;
	*link = d->next;
	*(d->older != NULL ? &d->older->newer : &f->oldest) = d->newer;
	*(d->newer != NULL ? &d->newer->older : &f->youngest) = d->older;
	forget_bytes(f, d);
	f->held_bytes -= d->held_bytes;
	free(d);
}

/* The oldest go until there is room. False: `keep` was among them, or there
 * is not so much room at all: then nobody has to go for it. */
static bool
make_room(struct fragments *f, const struct datagram *keep, size_t bytes)
{
	if (bytes > f->budget_bytes) {
		count(f->counters, COUNTER_FRAGMENTS_EVICTED);
		return false;
	}
	while (f->held_bytes + bytes > f->budget_bytes) {
		struct datagram *d = f->oldest;

		count(f->counters, COUNTER_FRAGMENTS_EVICTED);
		drop(f, d);
		if (d == keep)
			return false;
	}
	return true;
}

static struct datagram *
open_datagram(struct fragments *f, uint64_t hash, const struct packet *p)
{
	struct datagram **bucket = &f->buckets[hash & f->bucket_mask], *d;

	if (!make_room(f, NULL, sizeof(*d) + MALLOC_BYTES))
		return NULL;
	d = calloc(1, sizeof(*d));
	if (d == NULL) {
		count(f->counters, COUNTER_FRAGMENTS_EVICTED);
		return NULL;
	}
	d->hash = hash;
	d->src = p->src.address;
	d->dst = p->dst.address;
	d->id = p->fragment_id;
	d->protocol = p->protocol;
	d->first_ns = p->clock_ns;
	hold(f, d, sizeof(*d) + MALLOC_BYTES);
	d->next = *bucket;
	*bucket = d;
	d->older = f->youngest;
	*(d->older != NULL ? &d->older->newer : &f->oldest) = d;
	f->youngest = d;
	return d;
}

void
fragments_expire(struct fragments *f, int64_t clock_ns)
{
	while (f->oldest != NULL &&
	    elapsed_ns(f->oldest->first_ns, clock_ns) >= WAIT_NS) {
		if (!f->oldest->discarded)
			count(f->counters, COUNTER_FRAGMENTS_LOST);
		drop(f, f->oldest);
	}
}

void
fragments_finish(struct fragments *f)
{
	while (f->oldest != NULL) {
		if (!f->oldest->discarded)
			count(f->counters, COUNTER_FRAGMENTS_LOST);
		drop(f, f->oldest);
	}
}

void
fragments_destroy(struct fragments *f)
{
	if (f == NULL)
		return;
	while (f->oldest != NULL)
		drop(f, f->oldest);
	free(f->buckets);
	free(f);
}

/* --- what is in them ----------------------------------------------------- */

/* Room for chunks up to the octet before `end`. */
static bool
reserve(struct fragments *f, struct datagram *d, uint32_t end)
{
	uint32_t want = (end + CHUNK_BYTES - 1) / CHUNK_BYTES, room = d->room;
	struct chunk **chunks;

	if (want <= room)
		return true;
	room = room ? room : CHUNKS_START;
	while (room < want)
		room *= 2;
	chunks = realloc(d->chunks, room * sizeof(struct chunk *));
	if (chunks == NULL)
		return false;
	memset(chunks + d->room, 0, (room - d->room) * sizeof(struct chunk *));
	hold(f, d,
	    (room - d->room) * sizeof(struct chunk *) +
		(d->room ? 0 : MALLOC_BYTES));
	d->chunks = chunks;
	d->room = room;
	return true;
}

static struct chunk *
chunk_at(struct fragments *f, struct datagram *d, uint32_t offset)
{
	struct chunk **place = &d->chunks[offset / CHUNK_BYTES];

	if (*place == NULL) {
		*place = malloc(sizeof(struct chunk));
		if (*place == NULL)
			return NULL;
		(*place)->units = 0;
		hold(f, d, sizeof(struct chunk) + MALLOC_BYTES);
	}
	return *place;
}

/* The most that the fragment may need: all its chunks, and a longer list. */
static size_t
most_room(const struct packet *p)
{
	size_t chunks = p->payload_bytes / CHUNK_BYTES + 2;

	return chunks * (sizeof(struct chunk) + MALLOC_BYTES) +
	    CHUNKS_MAX * sizeof(struct chunk *) + MALLOC_BYTES;
}

/* What came of the units of a fragment. */
struct overlap {
	uint32_t fresh; /* units that were not here */
	uint32_t known;
	bool differs;
};

/*
 * Octets [from, to) of the datagram, within one chunk: what is here stays.
 * The last unit of a datagram may be short; as no fragment reaches behind the
 * end, it is as short whenever it comes.
 */
static void
put_units(struct chunk *chunk, uint32_t from, uint32_t to, const uint8_t *bytes,
    struct overlap *overlap)
{
	for (uint32_t at = from; at < to; at += UNIT_BYTES) {
		size_t n = to - at < UNIT_BYTES ? to - at : UNIT_BYTES;
		uint32_t place = at % CHUNK_BYTES;
		uint64_t bit = UINT64_C(1) << (place / UNIT_BYTES);

		if (chunk->units & bit) {
			overlap->known++;
			overlap->differs |= memcmp(chunk->bytes + place,
						bytes + (at - from), n) != 0;
			continue;
		}
		memcpy(chunk->bytes + place, bytes + (at - from), n);
		chunk->units |= bit;
		overlap->fresh++;
	}
}

/* False: no memory. */
static bool
insert(struct fragments *f, struct datagram *d, const struct packet *p,
    struct overlap *overlap)
{
	uint32_t start = p->fragment_offset, end = start + p->payload_bytes;

	if (!reserve(f, d, end))
		return false;
	for (uint32_t at = start; at < end;) {
		uint32_t border = at - at % CHUNK_BYTES + CHUNK_BYTES;
		uint32_t stop = border < end ? border : end;
		struct chunk *chunk = chunk_at(f, d, at);

		if (chunk == NULL)
			return false;
		put_units(chunk, at, stop, p->payload + (at - start), overlap);
		at = stop;
	}
	d->units += overlap->fresh;
	return true;
}

bool
fragments_awaited(const struct fragments *f, const struct packet *p)
{
	return find(f, hash_of(f, p), p) != NULL;
}

uint8_t
fragments_protocol(const struct fragments *f)
{
	return f->protocol;
}

static struct slice
join(struct fragments *f, const struct datagram *d)
{
	for (uint32_t at = 0; at < d->total; at += CHUNK_BYTES)
		memcpy(f->whole + at, d->chunks[at / CHUNK_BYTES]->bytes,
		    CHUNK_BYTES);
	return slice_of(f->whole, d->total);
}

static void
discard(struct fragments *f, struct datagram *d)
{
	count(f->counters, COUNTER_FRAGMENTS_DISCARDED);
	d->discarded = true;
	forget_bytes(f, d);
}

/* Notes where the datagram ends; false: fragments contradict each other.
 * Octets behind the end would be counted as some before it. */
static bool
note_end(struct datagram *d, const struct packet *p)
{
	uint32_t end = p->fragment_offset + p->payload_bytes;

	d->top = end > d->top ? end : d->top;
	if (!p->more_fragments) {
		if (d->total != 0 && d->total != end)
			return false;
		d->total = end;
	}
	return d->total == 0 || d->top <= d->total;
}

/* Cut by snaplen, empty, longer than IP allows, or no multiple of eight
 * before the last (RFC 791 2.3, RFC 8200 4.5): no datagram has room for it. */
static bool
is_usable(const struct packet *p)
{
	return p->payload_bytes == p->payload_wire_bytes &&
	    p->payload_bytes > 0 && p->fragment_offset % UNIT_BYTES == 0 &&
	    p->fragment_offset + p->payload_bytes <= DATAGRAM_MAX_BYTES &&
	    !(p->more_fragments && p->payload_bytes % UNIT_BYTES != 0);
}

static bool
has_first_unit(const struct datagram *d)
{
	return d->room > 0 && d->chunks[0] != NULL && d->chunks[0]->units & 1;
}

static bool
is_whole(const struct datagram *d)
{
	return d->total > 0 &&
	    d->units == (d->total + UNIT_BYTES - 1) / UNIT_BYTES;
}

bool
fragments_add(struct fragments *f, const struct packet *p,
    struct slice *datagram)
{
	uint64_t hash = hash_of(f, p);
	struct datagram *d = find(f, hash, p);
	struct overlap overlap = { 0 };

	if (!is_usable(p)) {
		count(f->counters, COUNTER_FRAGMENTS_UNUSABLE);
		return false;
	}
	if (d == NULL && (d = open_datagram(f, hash, p)) == NULL)
		return false;
	if (d->discarded)
		return false;
	if (!note_end(d, p)) {
		discard(f, d);
		return false;
	}
	if (!make_room(f, d, most_room(p)))
		return false;
	if (p->fragment_offset == 0 && !has_first_unit(d))
		d->protocol = p->protocol;
	if (!insert(f, d, p, &overlap)) {
		count(f->counters, COUNTER_FRAGMENTS_EVICTED);
		drop(f, d);
		return false;
	}
	if (overlap.known > 0 && (overlap.fresh > 0 || overlap.differs)) {
		count(f->counters, COUNTER_FRAGMENTS_OVERLAP);
		if (p->src.address.family == 6) {
			discard(f, d);
			return false;
		}
	}
	if (!is_whole(d))
		return false;
	*datagram = join(f, d);
	f->protocol = d->protocol;
	count(f->counters, COUNTER_FRAGMENTS_JOINED);
	drop(f, d);
	return true;
}
