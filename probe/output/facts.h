/*
 * probe/output/facts.h - a fact as a JSON object, for `read --facts`.
 */
#ifndef PROBE_OUTPUT_FACTS_H
#define PROBE_OUTPUT_FACTS_H

#include "dissect/fact.h"
#include "json.h"

/* Appends the object; the caller resets and writes. Facts out of the store
 * have no session handle, and none is written. */
void facts_json(struct json *, const struct fact *, struct slice bytes,
    const char *pcap_filename);
/*
 * Bytes from the wire as text: what is not printable ASCII as \xNN, and, when
 * the fact is redacted, a bullet (U+2022) for each blanked octet. Returns the
 * length; `out` ends in NUL.
 */
size_t
facts_text(const struct fact *, struct slice bytes, char *out, size_t room);

#endif
