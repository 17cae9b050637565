/*
 * probe/output/stats_event.h - health as Suricata's EVE `stats` event.
 *
 * Suricata's names where it has them, with its meaning; everything else in our
 * own object `downgrade`, so that without it the event is valid under
 * Suricata's schema.
 */
#ifndef PROBE_OUTPUT_STATS_EVENT_H
#define PROBE_OUTPUT_STATS_EVENT_H

#include "health.h"
#include "json.h"

/* Appends the whole object; the caller resets and writes. */
void
stats_event(struct json *, const struct health *, const struct health_signs *);

#endif
