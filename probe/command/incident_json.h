/*
 * probe/command/incident_json.h - one incident with all that belongs to it, as
 * JSON: for `show` and for case files.
 */
#ifndef PROBE_COMMAND_INCIDENT_JSON_H
#define PROBE_COMMAND_INCIDENT_JSON_H

#include "probe/output/json.h"
#include "probe/pipeline/campaigns.h"
#include "sighting_facts.h"

/* The alert as everywhere, with members more in `downgrade`: revisions, who
 * else is hit, what the operator said, the dialogue. The json is emptied
 * before. -1: the store failed. */
int incident_json(struct json *, struct store *, const struct campaigns *,
    const struct incident *, const struct sighting_facts *);

#endif
