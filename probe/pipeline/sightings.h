/*
 * probe/pipeline/sightings.h - one session seen twice in one capture, under
 * two pairs of addresses: before and behind a device that translates them.
 *
 * Both initial sequence numbers are the session's own (design 2); a translator
 * leaves them, as a rule. What the two sightings say alike is one session;
 * what they say differently was changed between them. Sightings under one pair
 * of addresses never come here: the engine sees them as copies.
 */
#ifndef PROBE_PIPELINE_SIGHTINGS_H
#define PROBE_PIPELINE_SIGHTINGS_H

#include "dissect/fact.h"

struct sightings; /* which sessions are open, by sequence numbers; bounded */

struct sightings *sightings_create(void);
void sightings_destroy(struct sightings *);
/*
 * A session has been opened: `facts` begin with FACT_SESSION_OPENED. Returns
 * the handle of a session of the same capture with the same sequence numbers
 * and other addresses, opened not long before; 0: none is known.
 */
uint64_t
sightings_open(struct sightings *, uint64_t handle, struct slice facts);

/*
 * Of two sightings: how `twin` differs from `own`. Appends to `out` facts that
 * are flagged FACT_OTHER_READING (groups of lines that `own` does not have)
 * behind one FACT_COPIES_DIFFER with COPIES_SIGHTINGS; nothing when they are
 * alike, or when the capture does not have all of either. Returns octets
 * written, never more than SIGHTINGS_MAX_BYTES.
 */
#define SIGHTINGS_MAX_BYTES 65536
size_t sightings_compare(struct slice own, struct slice twin, uint8_t *out);

/* Is `own` the sighting nearer to the client? The server's greeting comes to
 * the other one first. */
bool sightings_is_nearer(struct slice own, struct slice twin);

#endif
