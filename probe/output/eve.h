/*
 * probe/output/eve.h - an incident as Suricata's EVE JSON, which EveBox,
 * Filebeat and every EVE pipeline read, plus our own object `downgrade`.
 */
#ifndef PROBE_OUTPUT_EVE_H
#define PROBE_OUTPUT_EVE_H

#include "json.h"
#include "rules/incident.h"

/* Appends the whole object; the caller resets and writes. */
void eve_alert(struct json *, const struct incident *);
/* The same with `downgrade` still open, for who adds members of his own. */
void eve_alert_open(struct json *, const struct incident *);
void eve_alert_close(struct json *);

/* A campaign, as the first of its incidents: what and how often, one object. */
void eve_campaign(struct json *, const struct incident *first);

#endif
