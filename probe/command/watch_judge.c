/* The judge of `watch`: what the engine published, stored and reported. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "config.h"
#include "options.h"
#include "probe/watch/monitor.h"
#include "probe/output/notify.h"
#include "probe/output/syslog.h"
#include "retention_options.h"
#include "store/retention.h"
#include "trust_store.h"
#include "watch.h"
#include "watch_health.h"
#include "watch_learn.h"

#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)
/* Incidents that come together are committed together (design 8). */
#define GROUP_NS (20 * NS_PER_MS)
#define FLUSH_NS NS_PER_S
/* Another program that writes is not waited for longer: packets come. */
#define STORE_WAIT_MS 200
/* What is old goes in small steps, and then not for a while. */
#define PRUNE_STEP_NS (100 * NS_PER_MS)
#define PRUNE_EVERY_NS (60 * NS_PER_S)
/* Records between two looks at the clock. */
#define RECORDS_AT_ONCE 256
/* Of so many sessions most with one side only: the mirror shows no more. */
#define ONE_SIDED_SESSIONS 20

struct judging {
	struct watching *watching;
	struct registry *registry;
	struct judge_trust trust;
	struct store *store;
	struct world *world;
	struct live *live;
	struct live_options live_options;
	struct alerts *alerts;
	struct alerts_options alerts_options;
	int orders, answers;
	int64_t urgent_ns, flushed_ns; /* monotonic; urgent 0: it is not */
	bool failing;		       /* the store: it was said */
	bool owing;		       /* to an output: it was said */
	bool ending, settling, distrusted, one_sided;
	struct retention_limits keep; /* as the file says now */
	struct retention *retention;
	int64_t prune_due_ns;
	struct syslog syslog;
	struct watch_health health;
	struct watch_learn learn;
};

static int64_t
monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static int64_t
wall_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void
answer(const struct judging *j, char what)
{
	if (write(j->answers, &what, 1) < 0)
		complain("the monitor is not reached: %s", strerror(errno));
}

static bool
on_incident(void *context, const struct incident *in, bool stored,
    struct alert_mark *mark)
{
	struct judging *j = context;
	bool taken;

	watch_health_incident(&j->health, in);
	taken = alerts_tell(j->alerts, in, stored, mark);
	if (!taken && !j->owing)
		complain("%s; alerts wait until it takes them",
		    alerts_fault(j->alerts));
	j->owing |= !taken;
	return taken;
}

/* --- setting up ---------------------------------------------------------- */

static int
on_alerted(void *context, const struct incident *in,
    const struct alert_mark *mark)
{
	struct judging *j = context;

	/* What nobody was told while it learned is as good as new. */
	if (mark->revision != 0 ||
	    !watch_learn_covers(&j->learn, in->capture_ts_ns))
		alerts_known(j->alerts, in, mark);
	return 0;
}

static int
open_outputs(struct judging *j)
{
	const struct read_options *o = &j->watching->options.read;
	const char *eve = o->eve;
	char errbuf[SYSLOG_ERRBUF];

	if (syslog_open(&j->syslog, j->watching->options.syslog, errbuf) != 0) {
		complain("--syslog: %s", errbuf);
		return -1;
	}
	if (eve == NULL && o->common.format == FORMAT_JSON)
		eve = "-";
	j->alerts_options = (struct alerts_options){ .path = eve,
		.possible = o->alert_possible,
		.repeat = j->watching->options.repeat };
	j->alerts = alerts_create(&j->alerts_options, syslog_alert, &j->syslog);
	if (j->alerts != NULL)
		return 0;
	complain("%s: %s; --eve wants a file that can be written",
	    eve == NULL ? "memory" : eve, strerror(errno));
	return -1;
}

/* The folder of a file; "." if it names none. */
static void
folder_of(const char *path, char out[1024])
{
	char *slash;

	snprintf(out, 1024, "%s", path == NULL ? "." : path);
	slash = strrchr(out, '/');
	if (slash == NULL)
		snprintf(out, 1024, ".");
	else
		slash[slash == out] = '\0';
}

static int
confine(struct judging *j)
{
	static char db[1024], eve[1024], metrics[1024];
	const struct watch_options *o = &j->watching->options;
	const char *const folders[] = { db, eve, metrics, NULL };
	struct confine_user user = { .given = false };
	char errbuf[CONFINE_ERRBUF];

	if (o->user != NULL && !confine_user_find(o->user, &user)) {
		complain("--user: nobody here is called \"%s\"", o->user);
		return -1;
	}
	folder_of(o->read.common.db, db);
	folder_of(o->read.eve == NULL ? o->read.common.db : o->read.eve, eve);
	folder_of(o->metrics == NULL ? o->read.common.db : o->metrics, metrics);
	/* SQLite sorts what is large in a file. */
	setenv("SQLITE_TMPDIR", db, 1);
	if (confine_judge(&user, folders, errbuf) == 0)
		return 0;
	complain("the judge cannot be confined: %s", errbuf);
	return -1;
}

static int
open_world(struct judging *j)
{
	const struct read_options *o = &j->watching->options.read;
	char errbuf[STORE_ERRBUF];

	j->registry = registry_load(o->rules, errbuf);
	if (j->registry != NULL)
		j->store = store_open(o->common.db, STORE_WRITE, errbuf);
	if (j->store != NULL)
		j->world =
		    world_create(j->store, j->registry, o->prior, errbuf);
	if (j->world == NULL) {
		complain("%s", errbuf);
		return -1;
	}
	j->keep = j->watching->options.keep;
	j->retention = retention_create(j->store, &j->keep);
	if (j->retention == NULL) {
		complain("%s", store_error(j->store));
		return -1;
	}
	store_set_patience(j->store, STORE_WAIT_MS);
	world_set_site(j->world, config_site());
	return trust_store_load(o->trust, &j->trust);
}

static int
set_up(struct judging *j)
{
	const struct watching *w = j->watching;
	const struct read_options *o = &w->options.read;

	if (confine(j) != 0 || open_outputs(j) != 0 || open_world(j) != 0)
		return -1;
	j->live_options = (struct live_options){ .judge = o->run.judge,
		.trust = &j->trust,
		.vantage = o->run.vantage,
		.sessions_max = o->run.shards.budgets.flows,
		.kept_max = o->run.kept_max,
		.started_ns = w->started_ns,
		.source_count = w->source_count,
		.sources = w->sources };
	j->live =
	    live_create(&j->live_options, j->store, j->world, on_incident, j);
	if (j->live == NULL) {
		complain("out of memory");
		return -1;
	}
	if (watch_learn_begin(&j->learn, j->store,
		j->watching->options.learn_ns, wall_ns()) != 0 ||
	    store_each_alerted(j->store, on_alerted, j) != 0) {
		complain("%s", store_error(j->store));
		return -1;
	}
	alerts_hold(j->alerts, j->learn.active);
	return 0;
}

/* --- writing ------------------------------------------------------------- */

static void
warn_one_sided(struct judging *j)
{
	struct live_totals totals;

	if (j->one_sided)
		return;
	live_totals(j->live, &totals);
	if (totals.tally.sessions < ONE_SIDED_SESSIONS ||
	    totals.tally.unjudged[UNJUDGED_ONE_SIDED] * 2 <=
		totals.tally.sessions)
		return;
	j->one_sided = true;
	complain("most sessions show one direction only: does the mirror port "
		 "copy both? These cannot be judged");
}

static void
note_taken(struct judging *j)
{
	struct live_totals totals;

	live_totals(j->live, &totals);
	if (j->owing && !totals.untold)
		complain("alerts are taken again");
	j->owing &= totals.untold;
}

static void
flush(struct judging *j, bool all)
{
	int64_t now = monotonic_ns();

	j->urgent_ns = 0;
	j->flushed_ns = now;
	if (live_flush(j->live, now, all) != 0) {
		if (!j->failing)
			complain("%s; alerts go on, and are stored when it "
				 "can be",
			    store_error(j->store));
		j->failing = true;
		return;
	}
	if (j->failing)
		complain("%s: can be written again",
		    j->watching->options.read.common.db);
	j->failing = false;
	note_taken(j);
	warn_one_sided(j);
}

/* --- keeping small, and telling how it goes ------------------------------ */

static void
prune_if_due(struct judging *j)
{
	int64_t now = monotonic_ns();
	bool more = false;

	if (j->failing || now < j->prune_due_ns)
		return;
	/* It is busy, or full: that comes to light when something is stored. */
	if (retention_step(j->retention, wall_ns(), &more) != 0)
		more = false;
	j->prune_due_ns = now + (more ? PRUNE_STEP_NS : PRUNE_EVERY_NS);
}

static void
learn_if_over(struct judging *j)
{
	if (j->failing || !watch_learn_ends(&j->learn, j->store, wall_ns()))
		return;
	alerts_hold(j->alerts, false);
	if (store_each_alerted(j->store, on_alerted, j) != 0)
		complain("%s; what was alerted before may be alerted again",
		    store_error(j->store));
}

static void
tell_health(struct judging *j)
{
	const struct watch_health_sources sources = { .live = j->live,
		.store = j->store,
		.retention = j->retention,
		.alerts = j->alerts,
		.learn = &j->learn,
		.failing = j->failing };

	alerts_write(j->alerts,
	    watch_health_tell(&j->health, &sources, monotonic_ns()));
}

/* What waits for its time; a store that fails is asked once a second. */
static void
flush_if_due(struct judging *j, bool drained)
{
	int64_t now = monotonic_ns();

	if (live_is_urgent(j->live) && j->urgent_ns == 0)
		j->urgent_ns = now;
	if (now - j->flushed_ns >= FLUSH_NS ||
	    (j->urgent_ns != 0 && !j->failing &&
		(drained || now - j->urgent_ns >= GROUP_NS)))
		flush(j, false);
	prune_if_due(j);
	learn_if_over(j);
	if (reporter_is_due(&j->health.reporter, now))
		tell_health(j);
	reporter_feed_watchdog(&j->health.reporter, now);
}

/* --- reading ------------------------------------------------------------- */

static void
take_counts(struct judging *j, unsigned reader,
    const struct channel_counts *counts)
{
	if (counts->source >= j->watching->source_count)
		return;
	watch_health_counts(&j->health, reader, counts, monotonic_ns());
	live_count(j->live, reader, counts->source, &counts->counters);
}

/* What is to come in order waits for what may come before it, but not for an
 * engine that has ended. */
static int64_t
due_ns(const struct judging *j)
{
	return j->ending || j->settling ? INT64_MAX : wall_ns();
}

/* True: nothing is left that is due. */
static bool
take_records(struct judging *j)
{
	int64_t due = due_ns(j), now = monotonic_ns();
	struct channel_counts counts;
	struct publication publication;
	struct slice facts;
	unsigned reader;
	bool sound = true;

	for (int i = 0; i < RECORDS_AT_ONCE && sound; i++) {
		switch (channels_read(j->watching->channels, due, now, &reader,
		    &publication, &facts, &counts)) {
		case CHANNEL_NOTHING:
			return true;
		case CHANNEL_PUBLICATION:
			sound = live_take(j->live, reader, &publication, facts);
			break;
		case CHANNEL_COUNTS:
			take_counts(j, reader, &counts);
			break;
		case CHANNEL_BROKEN:
			sound = false;
			break;
		}
	}
	if (sound)
		return false;
	/* An engine that was taken over, or is wrong: a new one is asked for,
	 * and of this one nothing more is read. */
	if (!j->distrusted)
		answer(j, JUDGE_DISTRUSTS);
	j->distrusted = true;
	return true;
}

static int
on_setting(void *context, enum setting_id id, const struct setting_value *value,
    char wrong[SETTING_WRONG_BYTES])
{
	struct judging *j = context;

	(void)wrong;
	retention_set(&j->keep, id, value);
	return 0;
}

static void
read_config(struct judging *j)
{
	if (options_reload(on_setting, j) != 0)
		return;
	world_set_site(j->world, config_site());
	retention_set_limits(j->retention, &j->keep);
}

static void
take_orders(struct judging *j)
{
	char orders[64];
	ssize_t n = read(j->orders, orders, sizeof(orders));

	if (n == 0) /* the monitor is gone, and the engine with it */
		j->ending = true;
	for (ssize_t i = 0; i < n; i++) {
		switch (orders[i]) {
		case MONITOR_ENGINE_GONE:
			j->settling = true;
			break;
		case MONITOR_HANGUP:
			if (alerts_reopen(j->alerts) != 0)
				complain("%s: %s; writing to the old one",
				    j->alerts_options.path, strerror(errno));
			read_config(j);
			world_reload(j->world);
			break;
		case MONITOR_TELL:
			tell_health(j);
			reporter_say(&j->health.reporter);
			break;
		case MONITOR_END:
			j->ending = true;
			break;
		}
	}
}

static void
engine_gone(struct judging *j)
{
	for (unsigned i = 0; i < j->watching->options.threads; i++)
		live_publisher_gone(j->live, i);
}

/* The engine is gone and all that it left was read. */
static void
settle(struct judging *j)
{
	engine_gone(j);
	channels_restart(j->watching->channels);
	j->settling = j->distrusted = false;
	answer(j, JUDGE_SETTLED);
}

static void
wait_for_something(const struct judging *j)
{
	const struct watching *w = j->watching;
	struct pollfd fds[1 + WATCH_THREADS_MAX] = { { .fd = j->orders,
	    .events = POLLIN } };
	int descriptors[WATCH_THREADS_MAX];
	unsigned count = w->options.threads;

	channels_descriptors(w->channels, descriptors);
	for (unsigned i = 0; i < count; i++)
		fds[1 + i] =
		    (struct pollfd){ .fd = descriptors[i], .events = POLLIN };
	poll(fds, 1 + count,
	    (int)((channels_wait(w->channels) ? CHANNELS_WAIT_NS / 2 :
						FLUSH_NS) /
		NS_PER_MS));
}

static void
judge(struct judging *j)
{
	bool drained = true;

	channels_attach(j->watching->channels);
	answer(j, JUDGE_READY);
	notify_send(j->watching->notify, "READY=1");
	while (!j->ending || !drained) {
		if (drained)
			wait_for_something(j);
		take_orders(j);
		channels_acknowledge(j->watching->channels);
		drained = j->distrusted || take_records(j);
		if (drained && j->settling)
			settle(j);
		flush_if_due(j, drained);
	}
	engine_gone(j);
	notify_send(j->watching->notify, "STOPPING=1");
	flush(j, true);
	tell_health(j);
}

static void
tear_down(struct judging *j)
{
	watch_health_free(&j->health);
	syslog_close(&j->syslog);
	retention_destroy(j->retention);
	live_destroy(j->live);
	alerts_destroy(j->alerts);
	trust_store_free(&j->trust);
	world_destroy(j->world);
	store_close(j->store);
	registry_free(j->registry);
}

int
watch_judge(void *context, int orders, int answers)
{
	static struct judging judging;
	struct judging *j = &judging;
	int status = STATUS_ERROR;

	j->watching = context;
	j->orders = orders;
	j->answers = answers;
	watch_health_init(&j->health, j->watching, monotonic_ns());
	fcntl(orders, F_SETFL, O_NONBLOCK);
	if (set_up(j) == 0) {
		judge(j);
		status = j->failing ? STATUS_ERROR : STATUS_OK;
	}
	tear_down(j);
	return status;
}
