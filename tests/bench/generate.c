/*
 * tests/bench/generate - writes the captures that speed is measured with.
 *
 *	generate [--scale N] [--out FOLDER] [WORKLOAD ...]
 *
 * The same octets on every machine. At scale 1: mix is 1 GB of mail, noise
 * 1 GB of which a twentieth is mail, many 1,000,000 short sessions, crowd the
 * same with 300,000 of them open at a time, lossy is mix on a bad network,
 * foreign 1 GB of anything but mail on a thousand ports. See run beside this
 * file.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conversation.h"

/* Of a workload, which kinds in a row of twenty; the number is the weight. */
struct workload {
	const char *name;
	uint32_t conversations, at_a_time, servers; /* at scale 1 */
	bool lossy;
	uint8_t of_twenty[KINDS];
};

static const struct workload workloads[] = {
	{ "mix", 9980, 2000, 100, false,
	    { [KIND_STARTTLS] = 12,
		[KIND_CLEAR] = 6,
		[KIND_STRIPPED] = 1,
		[KIND_GARBLED] = 1 } },
	{ "noise", 8280, 2000, 100, false,
	    { [KIND_STARTTLS] = 1, [KIND_WEB] = 10, [KIND_QUIC] = 9 } },
	{ "many", 1000000, 2000, 1000, false, { [KIND_SHORT] = 20 } },
	{ "crowd", 1000000, 300000, 1000, false, { [KIND_SHORT] = 20 } },
	{ "lossy", 9980, 2000, 100, true,
	    { [KIND_STARTTLS] = 12,
		[KIND_CLEAR] = 6,
		[KIND_STRIPPED] = 1,
		[KIND_GARBLED] = 1 } },
	{ "foreign", 40000, 4000, 1000, false,
	    { [KIND_HTTP] = 4,
		[KIND_SSH] = 2,
		[KIND_SQL] = 2,
		[KIND_FTP] = 2,
		[KIND_POP] = 2,
		[KIND_TUNNEL] = 4,
		[KIND_SCAN] = 4 } },
};
#define WORKLOADS (sizeof(workloads) / sizeof(workloads[0]))

static uint32_t
bulk_of(enum kind kind, uint64_t *random)
{
	switch (kind) {
	case KIND_STARTTLS:
	case KIND_WEB:
	case KIND_QUIC:
		return random_between(random, 20000, 200000);
	case KIND_SHORT:
	case KIND_FTP:
	case KIND_SCAN:
		return 0;
	case KIND_HTTP:
	case KIND_SSH:
	case KIND_SQL:
	case KIND_POP:
	case KIND_TUNNEL:
		return random_between(random, 2000, 60000);
	default:
		return random_between(random, 5000, 100000);
	}
}

static enum kind
kind_of(const struct workload *load, uint32_t number)
{
	uint32_t left = number % 20;
	int kind = 0;

	while (left >= load->of_twenty[kind])
		left -= load->of_twenty[kind++];
	return (enum kind)kind;
}

/* As many as `scale` wants of `count`, at least one. */
static uint32_t
scaled(uint32_t count, double scale)
{
	double want = count * scale;

	return want < 1 ? 1 : (uint32_t)(want + 0.5);
}

static bool
begin_next(struct conversation *c, const struct workload *load, uint32_t number,
    uint32_t servers, uint64_t *random)
{
	enum kind kind = kind_of(load, number);

	conversation_begin(c, kind, number, servers, bulk_of(kind, random),
	    random);
	return !load->lossy || conversation_suffer(c, number);
}

static bool
is_mail(enum kind kind)
{
	return kind <= KIND_SHORT;
}

static int
write_frames(const struct workload *load, double scale, struct wire *wire)
{
	uint32_t total = scaled(load->conversations, scale), begun = 0;
	uint32_t open = 0, most = scaled(load->at_a_time, scale);
	uint32_t servers = scaled(load->servers, scale);
	uint64_t counts[KINDS] = { 0 }, mails = 0, random = 25;
	struct conversation *table = calloc(most, sizeof(*table));

	if (table == NULL)
		return -1;
	conversation_prepare(&random);
	while (open > 0 || begun < total) {
		uint32_t i;

		for (; open < most && begun < total; open++, begun++) {
			counts[kind_of(load, begun)]++;
			mails += is_mail(kind_of(load, begun));
			if (!begin_next(&table[open], load, begun, servers,
				&random))
				return -1;
		}
		i = random_between(&random, 0, open - 1);
		if (!conversation_step(&table[i], wire, &random)) {
			conversation_end(&table[i]);
			table[i] = table[--open];
		}
	}
	free(table);
	printf("%s: %llu bytes, %llu frames, %llu sessions of mail (%llu "
	       "garbled, %llu stripped)\n",
	    load->name, (unsigned long long)wire_bytes(wire),
	    (unsigned long long)wire_frames(wire), (unsigned long long)mails,
	    (unsigned long long)counts[KIND_GARBLED],
	    (unsigned long long)counts[KIND_STRIPPED]);
	return 0;
}

/* Written beside its name and then renamed: a capture is there whole or not
 * at all. */
static int
write_workload(const struct workload *load, double scale, const char *folder)
{
	char path[4096], part[4200];
	struct wire *wire;
	int status;

	snprintf(path, sizeof(path), "%s/%s.pcap", folder, load->name);
	snprintf(part, sizeof(part), "%s.part", path);
	wire = wire_create(part);
	if (wire == NULL) {
		fprintf(stderr, "generate: %s: %s\n", part, strerror(errno));
		return -1;
	}
	status = write_frames(load, scale, wire);
	if (wire_close(wire) != 0 || (status == 0 && rename(part, path) != 0))
		status = -1;
	if (status != 0) {
		fprintf(stderr, "generate: %s: %s\n", path, strerror(errno));
		remove(part);
	}
	return status;
}

static int
usage(void)
{
	fprintf(stderr,
	    "usage: generate [--scale N] [--out FOLDER] "
	    "[mix|noise|many|crowd|lossy|foreign ...]\n");
	return 2;
}

static bool
is_wanted(const struct workload *load, char **names, int count)
{
	for (int i = 0; i < count; i++)
		if (strcmp(names[i], load->name) == 0)
			return true;
	return count == 0;
}

int
main(int argc, char **argv)
{
	const char *folder = ".";
	double scale = 1;
	int first = 1, found = 0;

	for (; first + 1 < argc && argv[first][0] == '-'; first += 2) {
		if (strcmp(argv[first], "--scale") == 0)
			scale = strtod(argv[first + 1], NULL);
		else if (strcmp(argv[first], "--out") == 0)
			folder = argv[first + 1];
		else
			return usage();
	}
	if (!(scale > 0 && scale <= 16))
		return usage();
	for (size_t i = 0; i < WORKLOADS; i++)
		found += is_wanted(&workloads[i], argv + first, argc - first);
	if (found < argc - first)
		return usage();
	for (size_t i = 0; i < WORKLOADS; i++)
		if (is_wanted(&workloads[i], argv + first, argc - first) &&
		    write_workload(&workloads[i], scale, folder) != 0)
			return 1;
	return 0;
}
