#include "channel.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

/* How long a writer that has no room sleeps before it looks again by itself:
 * a reader that was killed wakes nobody. */
#define ROOM_PAUSE_MS 100

/* Positions count up for ever; position & mask is the place. */
struct shared {
	_Alignas(64) _Atomic uint64_t written; /* the writer's */
	_Alignas(64) _Atomic uint64_t taken;   /* the reader's */
	_Alignas(64) uint8_t bytes[];
};

struct channel {
	struct shared *shared;
	size_t size, mapped;
	int filled, room; /* eventfds */
	/* Each side's own, which the other one cannot touch. */
	uint64_t written, announced;
	uint64_t taken;
	bool broken;
	uint8_t *record; /* the reader's copy */
};

enum { RECORD_FILLER, RECORD_PUBLICATION, RECORD_COUNTS };

struct head {
	uint32_t size; /* with head and padding; a multiple of 8 */
	uint32_t kind;
};

struct channel *
channel_create(size_t bytes)
{
	struct channel *c = calloc(1, sizeof(*c));
	int memory = -1;

	if (c == NULL)
		return NULL;
	c->filled = c->room = -1;
	c->size = bytes;
	c->mapped = sizeof(struct shared) + bytes;
	c->shared = MAP_FAILED;
	c->record = malloc(CHANNEL_RECORD_MAX);
	memory = memfd_create("striplight", MFD_CLOEXEC);
	if (memory >= 0 && ftruncate(memory, (off_t)c->mapped) == 0)
		c->shared = mmap(NULL, c->mapped, PROT_READ | PROT_WRITE,
		    MAP_SHARED, memory, 0);
	c->filled = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	c->room = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (memory >= 0)
		close(memory);
	if (c->record != NULL && c->shared != MAP_FAILED && c->filled >= 0 &&
	    c->room >= 0)
		return c;
	channel_destroy(c);
	return NULL;
}

void
channel_destroy(struct channel *c)
{
	if (c == NULL)
		return;
	if (c->shared != MAP_FAILED)
		munmap(c->shared, c->mapped);
	if (c->filled >= 0)
		close(c->filled);
	if (c->room >= 0)
		close(c->room);
	free(c->record);
	free(c);
}

static void
wake(int event)
{
	uint64_t one = 1;

	/* It is full only if nobody has looked since very long ago. */
	if (write(event, &one, sizeof(one)) < 0)
		return;
}

static void
calm(int event)
{
	uint64_t count;

	if (read(event, &count, sizeof(count)) < 0)
		return;
}

/* --- writing ------------------------------------------------------------- */

void
channel_flush(struct channel *c)
{
	if (c->announced == c->written)
		return;
	c->announced = c->written;
	wake(c->filled);
}

static void
wait_for_room(struct channel *c, size_t bytes)
{
	struct pollfd room = { .fd = c->room, .events = POLLIN };

	while (c->written + bytes - atomic_load(&c->shared->taken) > c->size) {
		channel_flush(c);
		if (poll(&room, 1, ROOM_PAUSE_MS) > 0)
			calm(c->room);
	}
}

/* A record in two pieces. What would run over the end begins at the start. */
static void
put(struct channel *c, uint32_t kind, struct slice first, struct slice second)
{
	size_t size = (sizeof(struct head) + first.len + second.len + 7) &
	    ~(size_t)7;
	size_t place = c->written & (c->size - 1), rest = c->size - place;
	struct head head = { (uint32_t)size, kind };
	uint8_t *out;

	if (size > CHANNEL_RECORD_MAX)
		return;
	if (rest < size) {
		struct head filler = { (uint32_t)rest, RECORD_FILLER };

		wait_for_room(c, rest + size);
		memcpy(c->shared->bytes + place, &filler, sizeof(filler));
		c->written += rest;
		place = 0;
	} else {
		wait_for_room(c, size);
	}
	out = c->shared->bytes + place;
	memcpy(out, &head, sizeof(head));
	memcpy(out + sizeof(head), first.ptr, first.len);
	if (second.len > 0)
		memcpy(out + sizeof(head) + first.len, second.ptr, second.len);
	c->written += size;
	atomic_store(&c->shared->written, c->written);
	if (c->written - c->announced > c->size / 4)
		channel_flush(c);
}

void
channel_publish(struct channel *c, const struct publication *publication,
    struct slice facts)
{
	put(c, RECORD_PUBLICATION, slice_of(publication, sizeof(*publication)),
	    facts);
}

void
channel_count(struct channel *c, const struct channel_counts *counts)
{
	put(c, RECORD_COUNTS, slice_of(counts, sizeof(*counts)),
	    slice_of(NULL, 0));
}

/* --- reading ------------------------------------------------------------- */

int
channel_descriptor(const struct channel *c)
{
	return c->filled;
}

void
channel_attach(struct channel *c)
{
	c->taken = atomic_load(&c->shared->taken);
	c->broken = false;
	wake(c->filled); /* there may be something already */
}

void
channel_acknowledge(struct channel *c)
{
	calm(c->filled);
}

void
channel_restart(struct channel *c)
{
	c->taken = 0;
	c->broken = false;
	atomic_store(&c->shared->written, 0);
	atomic_store(&c->shared->taken, 0);
	calm(c->filled);
}

static void
take(struct channel *c, size_t bytes)
{
	uint64_t before = c->taken;

	c->taken += bytes;
	atomic_store(&c->shared->taken, c->taken);
	/* A writer without room is told at every eighth. */
	if (before / (c->size / 8) != c->taken / (c->size / 8))
		wake(c->room);
}

/* The next record, copied: the writer may change it while it is read. False:
 * there is none. */
static bool
copy_record(struct channel *c, struct head *head)
{
	for (;;) {
		uint64_t there = atomic_load(&c->shared->written) - c->taken;
		size_t place = c->taken & (c->size - 1);

		if (there == 0)
			return false;
		if (there > c->size || there < sizeof(*head) || place % 8 != 0)
			break;
		memcpy(head, c->shared->bytes + place, sizeof(*head));
		if (head->size < sizeof(*head) || head->size % 8 != 0 ||
		    head->size > there || head->size > c->size - place)
			break;
		if (head->kind == RECORD_FILLER) {
			take(c, head->size);
			continue;
		}
		if (head->size > CHANNEL_RECORD_MAX)
			break;
		memcpy(c->record, c->shared->bytes + place + sizeof(*head),
		    head->size - sizeof(*head));
		take(c, head->size);
		return true;
	}
	c->broken = true;
	return false;
}

enum channel_record
channel_read(struct channel *c, struct publication *publication,
    struct slice *facts, struct channel_counts *counts)
{
	struct head head;
	size_t length;

	if (c->broken || !copy_record(c, &head))
		return c->broken ? CHANNEL_BROKEN : CHANNEL_NOTHING;
	length = head.size - sizeof(head);
	if (head.kind == RECORD_COUNTS && length >= sizeof(*counts)) {
		memcpy(counts, c->record, sizeof(*counts));
		return CHANNEL_COUNTS;
	}
	if (head.kind == RECORD_PUBLICATION && length >= sizeof(*publication)) {
		memcpy(publication, c->record, sizeof(*publication));
		length -= sizeof(*publication);
		if (publication->facts_bytes <= length) {
			*facts = slice_of(c->record + sizeof(*publication),
			    publication->facts_bytes);
			return CHANNEL_PUBLICATION;
		}
	}
	c->broken = true;
	return CHANNEL_BROKEN;
}
