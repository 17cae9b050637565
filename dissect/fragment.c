#include "fragment.h"

#include <stdlib.h>

#define DATAGRAM_MAX_BYTES 65535
#define WAIT_NS (INT64_C(30) * 1000000000)
#define PIECES_MAX 512 /* more is an attack on the list's length */

struct piece {
	struct piece *next; /* by offset */
	uint32_t offset, length;
	uint8_t bytes[];
};

/* A datagram of which parts are missing. */
struct datagram {
	struct datagram *next; /* youngest first */
	struct address src, dst;
	uint32_t id;
	uint8_t protocol; /* IPv6: set by the fragment at 0 */
	int64_t first_ns;
	uint32_t total; /* 0: the last piece is not here yet */
	uint32_t have;	/* octets, overlaps counted once */
	uint32_t top;	/* behind the highest octet that came */
	unsigned piece_count;
	bool discarded; /* overlap in IPv6, or nonsense */
	size_t held_bytes;
	struct piece *pieces;
};

struct fragments {
	size_t budget_bytes, held_bytes;
	struct counters *counters;
	struct datagram *datagrams;
	uint8_t protocol; /* of what is in `whole` */
	uint8_t whole[DATAGRAM_MAX_BYTES];
};

struct fragments *
fragments_create(size_t budget_bytes, struct counters *counters)
{
	struct fragments *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	f->budget_bytes = budget_bytes;
	f->counters = counters;
	return f;
}

static void
datagram_free(struct fragments *f, struct datagram **link)
{
	struct datagram *d = *link;

	*link = d->next;
	f->held_bytes -= d->held_bytes;
	while (d->pieces != NULL) {
		struct piece *piece = d->pieces;

		d->pieces = piece->next;
		free(piece);
	}
	free(d);
}

void
fragments_expire(struct fragments *f, int64_t now_ns)
{
	struct datagram **link = &f->datagrams;

	while (*link != NULL) {
		struct datagram *d = *link;

		/* A clock that jumped back makes everything old as well. */
		if (now_ns != INT64_MAX &&
		    elapsed_ns(d->first_ns, now_ns) < WAIT_NS &&
		    elapsed_ns(now_ns, d->first_ns) < WAIT_NS) {
			link = &d->next;
			continue;
		}
		count(f->counters, COUNTER_FRAGMENTS_LOST);
		datagram_free(f, link);
	}
}

void
fragments_destroy(struct fragments *f)
{
	if (f == NULL)
		return;
	while (f->datagrams != NULL)
		datagram_free(f, &f->datagrams);
	free(f);
}

/* The oldest datagrams go until there is room. */
static bool
make_room(struct fragments *f, size_t bytes)
{
	while (f->held_bytes + bytes > f->budget_bytes) {
		struct datagram **link = &f->datagrams;

		if (*link == NULL)
			return false;
		while ((*link)->next != NULL)
			link = &(*link)->next;
		count(f->counters, COUNTER_FRAGMENTS_EVICTED);
		datagram_free(f, link);
	}
	return true;
}

/* By protocol as well in IPv4 (RFC 791 2.3); in IPv6 the fragments may differ
 * in it, and the first one's counts (RFC 8200 4.5). */
static struct datagram **
find(struct fragments *f, const struct packet *p)
{
	bool by_protocol = p->src.address.family == 4;
	struct datagram **link = &f->datagrams;

	for (; *link != NULL; link = &(*link)->next) {
		struct datagram *d = *link;

		if (d->id == p->fragment_id &&
		    (!by_protocol || d->protocol == p->protocol) &&
		    address_compare(&d->src, &p->src.address) == 0 &&
		    address_compare(&d->dst, &p->dst.address) == 0)
			break;
	}
	return link;
}

static struct datagram *
open_datagram(struct fragments *f, const struct packet *p)
{
	struct datagram *d;

	if (!make_room(f, sizeof(*d)))
		return NULL;
	d = calloc(1, sizeof(*d));
	if (d == NULL)
		return NULL;
	d->src = p->src.address;
	d->dst = p->dst.address;
	d->id = p->fragment_id;
	d->protocol = p->protocol;
	d->first_ns = p->capture_ts_ns;
	d->held_bytes = sizeof(*d);
	f->held_bytes += d->held_bytes;
	d->next = f->datagrams;
	f->datagrams = d;
	return d;
}

/* Keeps octets [from, to) of the packet's fragment behind `link`. */
static struct piece **
put_piece(struct fragments *f, struct datagram *d, struct piece **link,
    const struct packet *p, uint32_t from, uint32_t to)
{
	struct piece *piece = malloc(sizeof(*piece) + (to - from));

	if (piece == NULL)
		return link;
	piece->offset = from;
	piece->length = to - from;
	memcpy(piece->bytes, p->payload + (from - p->fragment_offset),
	    to - from);
	piece->next = *link;
	*link = piece;
	d->have += piece->length;
	d->piece_count++;
	d->held_bytes += sizeof(*piece) + piece->length;
	f->held_bytes += sizeof(*piece) + piece->length;
	return &piece->next;
}

/* Fills the holes that the fragment covers; true: it overlapped something. */
static bool
insert(struct fragments *f, struct datagram *d, const struct packet *p)
{
	uint32_t at = p->fragment_offset, end = at + p->payload_bytes;
	struct piece **link = &d->pieces;
	bool overlap = false;

	while (at < end) {
		struct piece *piece = *link;

		if (piece == NULL || end <= piece->offset) {
			put_piece(f, d, link, p, at, end);
			return overlap;
		}
		if (at < piece->offset)
			link = put_piece(f, d, link, p, at, piece->offset);
		if (at < piece->offset + piece->length) {
			/* A repetition to the letter is no overlap. */
			overlap |= at != piece->offset ||
			    end != piece->offset + piece->length;
			at = piece->offset + piece->length;
		}
		link = &piece->next;
	}
	return overlap;
}

static struct slice
join(struct fragments *f, const struct datagram *d)
{
	for (const struct piece *p = d->pieces; p != NULL; p = p->next)
		memcpy(f->whole + p->offset, p->bytes, p->length);
	return slice_of(f->whole, d->total);
}

bool
fragments_awaited(struct fragments *f, const struct packet *p)
{
	return *find(f, p) != NULL;
}

uint8_t
fragments_protocol(const struct fragments *f)
{
	return f->protocol;
}

/* The most that the fragment may need: it fills every hole. */
static size_t
piece_room(const struct datagram *d, const struct packet *p)
{
	size_t holes = d == NULL ? 1 : d->piece_count + 1;

	return holes * sizeof(struct piece) + p->payload_bytes;
}

bool
fragments_add(struct fragments *f, const struct packet *p,
    struct slice *datagram)
{
	uint32_t end = p->fragment_offset + p->payload_bytes;
	struct datagram **link = find(f, p), *d = *link;

	/* Cut by snaplen, empty, longer than IP allows, or no multiple of
	 * eight before the last (RFC 791 2.3, RFC 8200 4.5): never whole. */
	if (p->payload_bytes < p->payload_wire_bytes || p->payload_bytes == 0 ||
	    end > DATAGRAM_MAX_BYTES ||
	    (p->more_fragments && p->payload_bytes % 8 != 0)) {
		count(f->counters, COUNTER_FRAGMENTS_LOST);
		return false;
	}
	if (d == NULL) {
		if (!make_room(f, sizeof(*d) + piece_room(NULL, p)) ||
		    (d = open_datagram(f, p)) == NULL)
			return false;
		link = &f->datagrams;
	} else if (f->held_bytes + piece_room(d, p) > f->budget_bytes) {
		count(f->counters, COUNTER_FRAGMENTS_EVICTED);
		datagram_free(f, link);
		return false;
	}
	if (d->discarded || d->piece_count >= PIECES_MAX)
		return false;
	if (!p->more_fragments) {
		d->discarded |= d->total != 0 && d->total != end;
		d->total = end;
	}
	/* Octets behind the end would be counted as some before it. */
	d->top = end > d->top ? end : d->top;
	d->discarded |= d->total != 0 && d->top > d->total;
	if (d->discarded)
		return false;
	if (p->fragment_offset == 0 &&
	    (d->pieces == NULL || d->pieces->offset > 0))
		d->protocol = p->protocol;
	if (insert(f, d, p)) {
		count(f->counters, COUNTER_FRAGMENTS_OVERLAP);
		d->discarded |= p->src.address.family == 6;
	}
	if (d->discarded || d->total == 0 || d->have < d->total)
		return false;
	*datagram = join(f, d);
	f->protocol = d->protocol;
	count(f->counters, COUNTER_FRAGMENTS_JOINED);
	datagram_free(f, link);
	return true;
}
