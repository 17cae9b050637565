/*
 * probe/output/community_id.h - Community ID v1, by which tools agree on a
 * flow (github.com/corelight/community-id-spec).
 */
#ifndef PROBE_OUTPUT_COMMUNITY_ID_H
#define PROBE_OUTPUT_COMMUNITY_ID_H

#include "dissect/address.h"

#define COMMUNITY_ID_BYTES 40

/* Of a TCP flow, whoever is which end; "" when hashing failed. */
void community_id(const struct endpoint *, const struct endpoint *,
    uint16_t seed, char out[COMMUNITY_ID_BYTES]);

#endif
