/*
 * probe/pipeline/identity.h - names that stay the same whoever reads what.
 */
#ifndef PROBE_PIPELINE_IDENTITY_H
#define PROBE_PIPELINE_IDENTITY_H

#include "rules/incident.h"

/* Five-tuple and both initial sequence numbers; lacking those, the capture's
 * hash and the first frame (design 2). */
void session_identity(const struct flow_identity *, const char *capture_hash,
    uint64_t first_frame, uint8_t identity[16]);
/* Of the `ordinal`-th act in a session, from 0. */
void incident_identity(const uint8_t session[16], unsigned ordinal,
    char id[INCIDENT_ID_BYTES]);

#endif
