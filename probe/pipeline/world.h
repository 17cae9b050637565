/*
 * probe/pipeline/world.h - the context of a verdict, answered from the store.
 */
#ifndef PROBE_PIPELINE_WORLD_H
#define PROBE_PIPELINE_WORLD_H

#include "rules/context.h"
#include "store/store.h"

struct world;

/* `store` and `registry` are borrowed; NULL with a message. Policies are read
 * when their domain is asked for; profiles of one server at a time. */
struct world *world_create(struct store *, const struct registry *,
    double prior, char errbuf[STORE_ERRBUF]);
void world_destroy(struct world *);
/* What the operator says of his place; borrowed, NULL: nothing. */
void world_set_site(struct world *, const struct site *);
/* Forgets the profiles it holds: the store has changed. */
void world_refresh(struct world *);
/* ... and policies and hosts: others may have written, too. */
void world_reload(struct world *);
/* With history, and without: what a session says by itself. */
const struct context *world_context(const struct world *);
const struct context *world_context_bare(const struct world *);

/* Is it one of the host's, "192.0.2.1 2001:db8::1"? */
bool mail_host_has_address(const struct mail_host *, const struct address *);

#endif
