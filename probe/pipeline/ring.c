#include "ring.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/*
 * Positions count up for ever; position & mask is the place. A record that
 * would run over the end is put at the start instead, and a filler of the
 * rest's size says so.
 */
struct ring {
	size_t mask;
	_Alignas(64) _Atomic uint64_t written;
	_Alignas(64) _Atomic uint64_t dropped;
	pthread_mutex_t lock;
	pthread_cond_t moved;
	_Atomic int sleepers;
	uint8_t *bytes;
};

struct record {
	uint32_t size; /* with header and padding */
	uint32_t is_filler;
	struct publication publication;
};

static size_t
padded(size_t bytes)
{
	return (bytes + 7) & ~(size_t)7;
}

struct ring *
ring_create(size_t bytes)
{
	struct ring *ring = calloc(1, sizeof(*ring));

	assert((bytes & (bytes - 1)) == 0);
	if (ring == NULL)
		return NULL;
	ring->bytes = malloc(bytes);
	if (ring->bytes == NULL) {
		free(ring);
		return NULL;
	}
	ring->mask = bytes - 1;
	pthread_mutex_init(&ring->lock, NULL);
	pthread_cond_init(&ring->moved, NULL);
	return ring;
}

void
ring_destroy(struct ring *ring)
{
	if (ring == NULL)
		return;
	pthread_mutex_destroy(&ring->lock);
	pthread_cond_destroy(&ring->moved);
	free(ring->bytes);
	free(ring);
}

/* Wakes the other side, if it sleeps. Not for each record: two threads that
 * take turns at every one do nothing else. */
static void
announce(struct ring *ring)
{
	if (atomic_load(&ring->sleepers) == 0)
		return;
	pthread_mutex_lock(&ring->lock);
	pthread_cond_broadcast(&ring->moved);
	pthread_mutex_unlock(&ring->lock);
}

/* Sleeps while `position` stays at `seen`. */
static void
sleep_while(struct ring *ring, _Atomic uint64_t *position, uint64_t seen)
{
	pthread_mutex_lock(&ring->lock);
	atomic_fetch_add(&ring->sleepers, 1);
	while (atomic_load(position) == seen)
		pthread_cond_wait(&ring->moved, &ring->lock);
	atomic_fetch_sub(&ring->sleepers, 1);
	pthread_mutex_unlock(&ring->lock);
}

static void
wait_for_room(struct ring *ring, uint64_t end)
{
	for (;;) {
		uint64_t dropped = atomic_load(&ring->dropped);

		if (end - dropped <= ring->mask + 1)
			return;
		sleep_while(ring, &ring->dropped, dropped);
	}
}

void
ring_write(struct ring *ring, const struct publication *publication,
    struct slice facts)
{
	size_t size = padded(sizeof(struct record) + facts.len);
	uint64_t at =
	    atomic_load_explicit(&ring->written, memory_order_relaxed);
	size_t place = at & ring->mask, rest = ring->mask + 1 - place;
	struct record record = { (uint32_t)size, 0, *publication };

	assert(size <= (ring->mask + 1) / 4);
	if (rest < size) {
		wait_for_room(ring, at + rest + size);
		if (rest >= 2 * sizeof(uint32_t)) {
			uint32_t filler[2] = { (uint32_t)rest, 1 };

			memcpy(ring->bytes + place, filler, sizeof(filler));
		}
		at += rest;
		place = 0;
	} else {
		wait_for_room(ring, at + size);
	}
	memcpy(ring->bytes + place, &record, sizeof(record));
	if (facts.len > 0)
		memcpy(ring->bytes + place + sizeof(record), facts.ptr,
		    facts.len);
	atomic_store(&ring->written, at + size);
	if (at + size - atomic_load(&ring->dropped) > (ring->mask + 1) / 4)
		announce(ring);
}

void
ring_flush(struct ring *ring)
{
	announce(ring);
}

bool
ring_peek(struct ring *ring, struct publication *publication,
    struct slice *facts)
{
	uint64_t at =
	    atomic_load_explicit(&ring->dropped, memory_order_relaxed);
	struct record record;
	uint32_t head[2];

	if (atomic_load(&ring->written) == at)
		return false;
	/* Places are multiples of 8, so a filler's head always fits. */
	memcpy(head, ring->bytes + (at & ring->mask), sizeof(head));
	if (head[1]) {
		at += head[0];
		atomic_store(&ring->dropped, at);
	}
	memcpy(&record, ring->bytes + (at & ring->mask), sizeof(record));
	*publication = record.publication;
	*facts = slice_of(ring->bytes + (at & ring->mask) + sizeof(record),
	    record.publication.facts_bytes);
	return true;
}

void
ring_drop(struct ring *ring)
{
	uint64_t at =
	    atomic_load_explicit(&ring->dropped, memory_order_relaxed);
	uint32_t size;

	memcpy(&size, ring->bytes + (at & ring->mask), sizeof(size));
	at += size;
	atomic_store(&ring->dropped, at);
	/* Half is room for the largest record, wherever it has to begin. */
	if (atomic_load(&ring->written) - at <= (ring->mask + 1) / 2)
		announce(ring);
}

void
ring_wait(struct ring *ring)
{
	sleep_while(ring, &ring->written,
	    atomic_load_explicit(&ring->dropped, memory_order_relaxed));
}
