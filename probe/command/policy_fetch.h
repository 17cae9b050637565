/*
 * probe/command/policy_fetch.h - what was fetched, kept and told.
 */
#ifndef PROBE_COMMAND_POLICY_FETCH_H
#define PROBE_COMMAND_POLICY_FETCH_H

#include "policy_file.h"
#include "probe/fetch/fetch.h"
#include "store/store.h"

/* Keeps what was fetched at `at_ns`; `events` gets STS_EVENT_* of what is to
 * be told, `changed` whether sessions must be judged again. -1: the store
 * failed, store_error() says why. */
int policy_keep(struct store *, const struct fetched *, int64_t at_ns,
    unsigned *events, bool *changed);

/* One object, or a line and more, on stdout. -1: it could not be written. */
int policy_tell_json(const struct fetched *, unsigned events);
void policy_tell_text(const struct fetched *, unsigned events);

/* What is known of a domain beside its policies: the last look, events, MX
 * hosts, reports of others. `found` (may be NULL) says whether there is any. */
int policy_tell_known(struct store *, const char *domain, bool as_json,
    bool *found);

/* The sub-commands, in striplight-fetch (fetcher.h); argv[0] is their own
 * name. */
int policy_fetch(int argc, char **argv);
int policy_refresh(int argc, char **argv);

#endif
