#include "tally.h"

#include <stddef.h>

static const char *const offered_names[] = { "yes", "no", "not-asked",
	"unseen" };
static const char *const used_names[] = { "tls", "implicit", "refused",
	"broken", "not-tried", "unseen" };
static const char *const mail_names[] = { "none", "envelope", "content",
	"accepted", "opaque" };
static const char *const unjudged_names[] = { "gap", "midstream", "one-sided",
	"snaplen", "evicted", "over-limit" };

static const struct {
	const char *name;
	const char *const *values;
	int count;
	size_t offset;
} axes[AXES] = {
	[AXIS_OFFERED] = { "offered", offered_names, OFFERED_VALUES,
	    offsetof(struct tally, offered) },
	[AXIS_USED] = { "used", used_names, USED_VALUES,
	    offsetof(struct tally, used) },
	[AXIS_MAIL] = { "mail", mail_names, MAIL_VALUES,
	    offsetof(struct tally, mail) },
	[AXIS_UNJUDGED] = { "unjudged", unjudged_names, UNJUDGED_VALUES,
	    offsetof(struct tally, unjudged) },
};

void
tally_add(struct tally *sum, const struct tally *more)
{
	sum->sessions += more->sessions;
	for (int i = 0; i < OFFERED_VALUES; i++)
		sum->offered[i] += more->offered[i];
	for (int i = 0; i < USED_VALUES; i++)
		sum->used[i] += more->used[i];
	for (int i = 0; i < MAIL_VALUES; i++)
		sum->mail[i] += more->mail[i];
	for (int i = 0; i < UNJUDGED_VALUES; i++)
		sum->unjudged[i] += more->unjudged[i];
	sum->kept += more->kept;
	sum->kept_shed += more->kept_shed;
	sum->profiles_shed += more->profiles_shed;
	sum->dns_shed += more->dns_shed;
	sum->attempts_shed += more->attempts_shed;
	sum->clear_shed += more->clear_shed;
}

const char *
axis_name(enum axis axis)
{
	return axes[axis].name;
}

int
axis_values(enum axis axis)
{
	return axes[axis].count;
}

const char *
axis_value_name(enum axis axis, int value)
{
	return axes[axis].values[value];
}

uint64_t *
axis_counts(struct tally *tally, enum axis axis)
{
	return (uint64_t *)(void *)((char *)tally + axes[axis].offset);
}
