/*
 * probe/command/case_packets.h - the packets of an incident's session, out of
 * the captures in which it was seen, for a case file.
 */
#ifndef PROBE_COMMAND_CASE_PACKETS_H
#define PROBE_COMMAND_CASE_PACKETS_H

#include "probe/output/digest.h"
#include "sighting_facts.h"

/* A capture of the session. */
struct case_capture {
	struct capture_row row;
	char sha256[DIGEST_TEXT_BYTES]; /* of the file as it is on disk; "":
					 * it is not there any more */
	char fault[600]; /* why no packet comes from it; "": some do */
	int64_t back_ns; /* by how much its clock goes back at most */
};

struct case_packets {
	struct case_capture captures[4];
	unsigned capture_count;
	bool raw;
	uint8_t key[DIGEST_BYTES]; /* of the hashes of what is blanked */
	uint64_t packets, blanked, left_out, fragments;
	char *pcapng; /* owned; NULL: there are none */
	size_t pcapng_bytes;
};

/* Finds the captures by their paths, sees to it that their content is what was
 * read, and takes the session's packets out of them. `raw` and `key` are set.
 * -1: the store failed, or memory ran out. */
int case_packets_load(struct case_packets *, struct store *,
    const struct incident *, const struct sighting_facts *);
void case_packets_free(struct case_packets *);

#endif
