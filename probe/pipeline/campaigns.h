/*
 * probe/pipeline/campaigns.h - repetitions of one act (design 3): incidents
 * of one kind and mask that share a server, a client network, or a domain that
 * both servers are MX of by fetched records, and what shares one with these.
 *
 * A view, computed when it is asked for from what the store holds: the same
 * whatever the order in which captures were read. Bounded; what goes beyond
 * is in no campaign.
 */
#ifndef PROBE_PIPELINE_CAMPAIGNS_H
#define PROBE_PIPELINE_CAMPAIGNS_H

#include "store/store.h"

#define CAMPAIGN_INCIDENTS_MAX 262144

struct campaigns;

/* All incidents that stand. NULL: the store failed (store_error() says why) or
 * there is no memory ("" then). */
struct campaigns *campaigns_find(struct store *);
void campaigns_free(struct campaigns *);
/* Fills in->campaign; `incidents` stays 0 where an act was not repeated. */
void campaigns_mark(const struct campaigns *, struct incident *);

/* Those of more than one incident, largest first, each as the first of its
 * incidents: id, kind, resembles, seen, client, server, and campaign. */
typedef int campaign_fn(void *context, const struct incident *first);
int campaigns_each(const struct campaigns *, campaign_fn *, void *context);
/* The other incidents of its campaign, earliest first. */
int campaigns_others(const struct campaigns *, const struct incident *,
    incident_fn *, void *context);

/*
 * One alert a campaign: campaigns_now() is told of every incident that was
 * read now, then campaigns_alert() says, and notes, whether this one is to be
 * alerted: the first that is, unless one at least as sure was known before.
 */
void campaigns_now(struct campaigns *, const struct incident *);
bool campaigns_alert(struct campaigns *, const struct incident *);

#endif
