/* What crosses, and what a writer that lies can do: nothing. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe/pipeline/channel.h"

#define BYTES (1u << 20)

static enum channel_record
next(struct channel *c, struct publication *p, struct slice *facts)
{
	static struct channel_counts counts;

	return channel_read(c, p, facts, &counts);
}

static void
publish(struct channel *c, uint64_t number, size_t length)
{
	static uint8_t bytes[65536];
	struct publication p = { .session = number,
		.facts_bytes = (uint32_t)length };

	memset(bytes, (int)(number & 0xff), length);
	channel_publish(c, &p, slice_of(bytes, length));
}

Test(channel, what_one_process_publishes_another_reads, .timeout = 60)
{
	struct channel *c = channel_create(BYTES);
	struct publication p;
	struct slice facts;
	uint64_t seen = 0;
	pid_t writer;

	cr_assert_not_null(c);
	writer = fork();
	if (writer == 0) {
		/* Many times round, and more than fits: it waits. */
		for (uint64_t i = 1; i <= 2000; i++)
			publish(c, i, (size_t)(i * 37 % 8000));
		channel_flush(c);
		_exit(0);
	}
	channel_attach(c);
	while (seen < 2000) {
		if (next(c, &p, &facts) != CHANNEL_PUBLICATION)
			continue;
		cr_assert_eq(p.session, ++seen);
		cr_assert_eq(facts.len, seen * 37 % 8000);
		for (size_t i = 0; i < facts.len; i++)
			cr_assert_eq(facts.ptr[i], seen & 0xff);
	}
	cr_assert_eq(next(c, &p, &facts), CHANNEL_NOTHING);
	waitpid(writer, NULL, 0);
	channel_destroy(c);
}

Test(channel, another_reader_goes_on_where_one_was_killed)
{
	struct channel *c = channel_create(BYTES);
	struct publication p;
	struct slice facts;
	pid_t reader;

	for (uint64_t i = 1; i <= 10; i++)
		publish(c, i, 100);
	reader = fork();
	if (reader == 0) {
		channel_attach(c);
		for (int i = 0; i < 4; i++)
			next(c, &p, &facts);
		_exit(0);
	}
	waitpid(reader, NULL, 0);
	channel_attach(c);
	cr_assert_eq(next(c, &p, &facts), CHANNEL_PUBLICATION);
	cr_assert_eq(p.session, 5);
	channel_restart(c);
	cr_assert_eq(next(c, &p, &facts), CHANNEL_NOTHING);
	channel_destroy(c);
}

/* The shared memory of a channel: the only mapping of its name. */
static uint8_t *
shared_memory(size_t *length)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	uint8_t *start = NULL;
	char line[512];

	while (fgets(line, sizeof(line), maps) != NULL) {
		unsigned long from, to;

		if (strstr(line, "memfd:striplight") == NULL)
			continue;
		cr_assert_eq(sscanf(line, "%lx-%lx", &from, &to), 2);
		start = (uint8_t *)from;
		*length = to - from;
	}
	fclose(maps);
	cr_assert_not_null(start);
	return start;
}

/* Whatever a writer does to the memory, reading it ends, and gives records
 * within their bounds or none. */
Test(channel, no_number_in_it_is_believed, .timeout = 60)
{
	unsigned broken = 0;

	srandom(6);
	for (int round = 0; round < 300; round++) {
		struct channel *c = channel_create(BYTES);
		struct publication p;
		struct slice facts;
		size_t length;
		uint8_t *memory = shared_memory(&length);

		channel_attach(c);
		for (uint64_t i = 1; i <= 20; i++)
			publish(c, i, 300);
		/* Positions stand in front, heads behind. */
		for (int i = 0; i < 1 + round % 8; i++)
			memory[random() % (round % 2 ? 256 : 8000)] =
			    (uint8_t)random();
		for (int i = 0; i < 100000; i++) {
			enum channel_record record = next(c, &p, &facts);
			uint8_t sum = 0;

			if (record == CHANNEL_BROKEN) {
				broken++;
				break;
			}
			if (record == CHANNEL_NOTHING)
				break;
			if (record != CHANNEL_PUBLICATION)
				continue;
			cr_assert_leq(facts.len, CHANNEL_RECORD_MAX);
			for (size_t j = 0; j < facts.len; j++)
				sum ^= facts.ptr[j];
			(void)sum;
		}
		channel_destroy(c);
	}
	cr_assert_gt(broken, 20);
}
