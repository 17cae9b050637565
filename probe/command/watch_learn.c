#include "watch_learn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "probe/output/style.h"

#define NS_PER_S INT64_C(1000000000)
#define NS_PER_DAY (86400 * NS_PER_S)
/* Acts that are told one by one, of those that are told apart. */
#define ACTS_TOLD 5
#define ACTS_MAX 1024

/* Of one kind and mask at one server. */
struct act {
	struct endpoint server;
	enum kind kind;
	char mask[32];
	uint64_t incidents;
};

struct rates {
	const struct learning *of;
	struct tally tally;
	uint64_t incidents, grave; /* grave: they would be alerts */
	struct act acts[ACTS_MAX];
	size_t act_count;
};

/* --- when ---------------------------------------------------------------- */

int
watch_learn_begin(struct watch_learn *l, struct store *store, int64_t length_ns,
    int64_t wall_ns)
{
	struct learning before;
	char until[32];

	if (store_learning(store, &l->of) != 0)
		return -1;
	before = l->of;
	if (length_ns == 0 && (l->of.until_ns == 0 || l->of.over))
		return 0;
	/* A clock that was wrong then says nothing now. */
	if (l->of.until_ns == 0 || l->of.since_ns > wall_ns)
		l->of.since_ns = wall_ns;
	l->of.until_ns = length_ns == 0 ? wall_ns : l->of.since_ns + length_ns;
	l->of.over &= l->of.until_ns <= wall_ns;
	if ((before.since_ns != l->of.since_ns ||
		before.until_ns != l->of.until_ns ||
		before.over != l->of.over) &&
	    store_learning_put(store, &l->of) != 0)
		return -1;
	l->active = !l->of.over;
	if (l->active && l->of.until_ns > wall_ns)
		complain("learning until %s: incidents are kept, and not "
			 "alerted (striplight incidents lists them)",
		    style_rfc3339(l->of.until_ns, until));
	return 0;
}

bool
watch_learn_covers(const struct watch_learn *l, int64_t capture_ts_ns)
{
	return capture_ts_ns >= l->of.since_ns &&
	    capture_ts_ns < l->of.until_ns;
}

/* --- what was usual ------------------------------------------------------ */

static int
on_capture(void *context, const struct capture_row *row)
{
	struct rates *r = context;

	if (row->last_ns >= r->of->since_ns &&
	    (strcmp(row->format, "interface") == 0 ||
		strcmp(row->format, "replay") == 0))
		tally_add(&r->tally, &row->tally);
	return 0;
}

static int
on_incident(void *context, const struct incident *in)
{
	struct rates *r = context;
	struct act *act = r->acts;

	if (in->words.suppressed_by != 0)
		return 0;
	r->incidents++;
	r->grave += incident_severity(in) <= 2;
	for (; act < r->acts + r->act_count; act++)
		if (act->kind == in->kind &&
		    endpoint_equal(&act->server, &in->server) &&
		    strcmp(act->mask, in->resembles) == 0)
			break;
	if (act == r->acts + ACTS_MAX)
		return 0;
	if (act == r->acts + r->act_count) {
		r->act_count++;
		act->kind = in->kind;
		act->server = in->server;
		snprintf(act->mask, sizeof(act->mask), "%.31s", in->resembles);
	}
	act->incidents++;
	return 0;
}

static int
more_first(const void *left, const void *right)
{
	const struct act *a = left, *b = right;

	return (a->incidents < b->incidents) - (a->incidents > b->incidents);
}

static void
tell(struct rates *r)
{
	double days =
	    (double)(r->of->until_ns - r->of->since_ns) / (double)NS_PER_DAY;
	char since[32];

	complain("learned since %s, %.1f days: %llu sessions, %llu offered "
		 "STARTTLS, %llu used TLS; %llu incidents (%.1f a day), %llu "
		 "of them alerts from now on",
	    style_rfc3339(r->of->since_ns, since), days,
	    (unsigned long long)r->tally.sessions,
	    (unsigned long long)r->tally.offered[OFFERED_YES],
	    (unsigned long long)r->tally.used[USED_TLS],
	    (unsigned long long)r->incidents, (double)r->incidents / days,
	    (unsigned long long)r->grave);
	qsort(r->acts, r->act_count, sizeof(*r->acts), more_first);
	for (size_t i = 0; i < r->act_count && i < ACTS_TOLD; i++) {
		const struct act *act = &r->acts[i];
		char address[ADDRESS_TEXT_BYTES];

		complain("  %llu %s at %s port %u%s%s",
		    (unsigned long long)act->incidents, kind_name(act->kind),
		    address_format(&act->server.address, address),
		    act->server.port, act->mask[0] == '\0' ? "" : ", mask ",
		    act->mask);
	}
	if (r->incidents > 0)
		complain("say what is yours before it is alerted: striplight "
			 "incidents --campaigns, incidents suppress, or box = "
			 "in the configuration");
}

static int
report(const struct learning *of, struct store *store)
{
	struct incident_filter filter = { .since_ns = of->since_ns,
		.until_ns = of->until_ns };
	struct rates *r = calloc(1, sizeof(*r));
	int status = -1;

	if (r == NULL)
		return -1;
	r->of = of;
	if (store_each_capture(store, on_capture, r) == 0 &&
	    store_each_incident(store, &filter, on_incident, r) == 0) {
		tell(r);
		status = 0;
	}
	free(r);
	return status;
}

bool
watch_learn_ends(struct watch_learn *l, struct store *store, int64_t wall_ns)
{
	struct learning over = l->of;

	if (!l->active || wall_ns < l->of.until_ns ||
	    wall_ns - l->tried_ns < NS_PER_S)
		return false;
	l->tried_ns = wall_ns;
	over.over = true;
	/* What cannot be noted is not told: it would be told again and again. */
	if (store_learning_put(store, &over) != 0)
		return false;
	if (report(&l->of, store) != 0)
		complain("what was learned cannot be told: %s",
		    store_error(store));
	l->of = over;
	l->active = false;
	return true;
}
