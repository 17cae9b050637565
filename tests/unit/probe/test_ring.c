#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "probe/pipeline/ring.h"

#define RING_BYTES 4096
#define LARGEST 900 /* with its header below a quarter of the ring */

static size_t
length_of(uint64_t n)
{
	return (size_t)(n * 2654435761u >> 7) % (LARGEST + 1);
}

/* Every field and every octet tells which record it is. */
static void
write_record(struct ring *ring, uint64_t n)
{
	uint8_t facts[LARGEST];
	struct publication p = { .batch = n,
		.capture_frame = n * 3,
		.session = ~n,
		.shard = (uint32_t)n % 64,
		.ordinal = (uint32_t)n,
		.decision = (uint32_t)n % DECISIONS,
		.facts_bytes = (uint32_t)length_of(n) };

	memset(facts, (int)n, sizeof(facts));
	ring_write(ring, &p, slice_of(facts, p.facts_bytes));
}

static void
expect_record(struct ring *ring, uint64_t n)
{
	struct publication p;
	struct slice facts;

	cr_assert(ring_peek(ring, &p, &facts), "record %llu",
	    (unsigned long long)n);
	cr_assert_eq(p.batch, n);
	cr_assert_eq(p.capture_frame, n * 3);
	cr_assert_eq(p.session, ~n);
	cr_assert_eq(p.shard, n % 64);
	cr_assert_eq(p.ordinal, (uint32_t)n);
	cr_assert_eq(p.decision, n % DECISIONS);
	cr_assert_eq(facts.len, length_of(n));
	for (size_t i = 0; i < facts.len; i++)
		cr_assert_eq(facts.ptr[i], (uint8_t)n);
}

Test(ring, an_empty_one_has_nothing)
{
	struct ring *ring = ring_create(RING_BYTES);
	struct publication p;
	struct slice facts;

	cr_assert_not_null(ring);
	cr_expect_not(ring_peek(ring, &p, &facts));
	ring_destroy(ring);
}

Test(ring, records_come_out_as_they_went_in_and_in_order)
{
	struct ring *ring = ring_create(RING_BYTES);
	uint64_t in = 0, out = 0;

	/* One, two, three waiting: records lie at every place, and run over
	 * the end at every rest. */
	for (int round = 0; round < 5000; round++) {
		for (int i = 0; i <= round % 3; i++)
			write_record(ring, in++);
		while (out < in) {
			expect_record(ring, out++);
			ring_drop(ring);
		}
	}
	ring_destroy(ring);
}

Test(ring, peeking_again_gives_the_same)
{
	struct ring *ring = ring_create(RING_BYTES);

	for (uint64_t n = 0; n < 200; n++) {
		write_record(ring, n);
		expect_record(ring, n);
		expect_record(ring, n);
		ring_drop(ring);
	}
	ring_destroy(ring);
}

#define RECORDS 200000

static void *
writer(void *ring)
{
	for (uint64_t n = 0; n < RECORDS; n++)
		write_record(ring, n);
	ring_flush(ring); /* what is less than a quarter wakes nobody */
	return NULL;
}

/* Both sides wait for the other all the time, and nobody sleeps for ever. */
Test(ring, a_writer_and_a_reader_wait_for_each_other, .timeout = 120)
{
	struct ring *ring = ring_create(RING_BYTES);
	pthread_t thread;

	cr_assert_eq(pthread_create(&thread, NULL, writer, ring), 0);
	for (uint64_t n = 0; n < RECORDS; n++) {
		struct publication p;
		struct slice facts;

		while (!ring_peek(ring, &p, &facts))
			ring_wait(ring);
		if (n % 64 == 0)
			expect_record(ring, n);
		cr_assert_eq(p.batch, n);
		ring_drop(ring);
	}
	pthread_join(thread, NULL);
	ring_destroy(ring);
}

/* The reader that holds a record has it until it drops it. */
Test(ring, a_full_ring_keeps_what_the_reader_holds, .timeout = 60)
{
	struct ring *ring = ring_create(RING_BYTES);
	struct publication p;
	struct slice facts;
	pthread_t thread;

	cr_assert_eq(pthread_create(&thread, NULL, writer, ring), 0);
	while (!ring_peek(ring, &p, &facts))
		ring_wait(ring);
	for (int i = 0; i < 20; i++) {
		usleep(1000);
		expect_record(ring, 0);
	}
	for (uint64_t n = 0; n < RECORDS; n++) {
		while (!ring_peek(ring, &p, &facts))
			ring_wait(ring);
		cr_assert_eq(p.batch, n);
		ring_drop(ring);
	}
	pthread_join(thread, NULL);
	ring_destroy(ring);
}
