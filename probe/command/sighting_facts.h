/*
 * probe/command/sighting_facts.h - what the store keeps of the session that an
 * incident is about, as the capture that it names saw it.
 */
#ifndef PROBE_COMMAND_SIGHTING_FACTS_H
#define PROBE_COMMAND_SIGHTING_FACTS_H

#include "store/store.h"

struct sighting_facts {
	struct slice facts; /* as in struct sighting, owned; empty: shed */
	unsigned capture_count;
	char captures[4][CAPTURE_HASH_BYTES];
};

/*
 * Sets in->seen_capture too. -1: the store failed, or memory ran out. Give
 * back what was loaded.
 */
int sighting_facts_load(struct store *, struct incident *in,
    struct sighting_facts *);
/* Blanks local parts that `read --keep-addresses` kept. -1: there is no memory;
 * then they are all gone. */
int sighting_facts_redact(struct sighting_facts *);
void sighting_facts_free(struct sighting_facts *);

#endif
