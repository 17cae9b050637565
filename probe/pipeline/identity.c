#include "identity.h"

#include <stdio.h>

#include <xxhash.h>

void
session_identity(const struct flow_identity *flow, const char *capture_hash,
    uint64_t first_frame, uint8_t identity[16])
{
	uint8_t key[FLOW_IDENTITY_BYTES + 64] = { 0 };
	size_t n = FLOW_IDENTITY_BYTES;
	XXH128_canonical_t canonical;

	flow_identity_encode(flow, key);
	if (!flow->has_client_isn || !flow->has_server_isn)
		n += (size_t)snprintf((char *)key + n, sizeof(key) - n,
		    "%s/%llu", capture_hash, (unsigned long long)first_frame);
	XXH128_canonicalFromHash(&canonical, XXH3_128bits(key, n));
	memcpy(identity, canonical.digest, 16);
}

void
incident_identity(const uint8_t session[16], unsigned ordinal,
    char id[INCIDENT_ID_BYTES])
{
	uint8_t key[17];
	XXH128_canonical_t canonical;

	memcpy(key, session, 16);
	key[16] = (uint8_t)ordinal;
	XXH128_canonicalFromHash(&canonical, XXH3_128bits(key, sizeof(key)));
	for (int i = 0; i < 16; i++)
		snprintf(id + 2 * i, 3, "%02x", canonical.digest[i]);
}
