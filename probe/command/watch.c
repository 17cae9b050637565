/* striplight watch: interfaces, day and night. This file is the monitor's:
 * what it opens for the others, and what it says at the start. */
#include "watch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "options.h"
#include "probe/output/notify.h"
#include "probe/output/syslog.h"
#include "probe/watch/monitor.h"
#include "rules/judge.h"

#define CHANNEL_BYTES (8u << 20)
/* A frame of Ethernet with a VLAN tag. */
#define SNAPLEN_SHORT 1518

static void
say(const char *text)
{
	complain("%s", text);
}

/* --- what the engine reads ----------------------------------------------- */

static void
close_sources(void *context)
{
	struct watching *w = context;

	for (unsigned i = 0; i < LIVE_SOURCES_MAX; i++) {
		for (unsigned t = 0; t < WATCH_THREADS_MAX; t++) {
			interface_close(w->interfaces[i][t]);
			w->interfaces[i][t] = NULL;
		}
		if (w->replays[i] != NULL)
			capture_close(w->replays[i]);
		w->replays[i] = NULL;
	}
}

static void
make_filter(const struct watch_options *o, const char *name,
    char out[INTERFACE_FILTER_BYTES])
{
	const struct shard_config *shards = &o->read.run.shards;
	struct interface_traffic traffic = { .ports = shards->mail_ports,
		.port_count = shards->mail_port_count,
		.any_port = shards->any_port,
		.tunnels = o->tunnels };

	if (o->filter == NULL)
		interface_filter(&traffic, name, out);
	else
		snprintf(out, INTERFACE_FILTER_BYTES, "%s", o->filter);
}

/* A socket for each thread. -1: `errbuf` says why not. */
static int
open_interface(struct watching *w, unsigned i, char errbuf[INTERFACE_ERRBUF])
{
	const struct watch_options *o = &w->options;
	char filter[INTERFACE_FILTER_BYTES];
	struct interface_options options = { .filter = filter,
		.buffer_bytes = o->buffer_bytes / o->threads,
		.snaplen = (unsigned)o->snaplen };
	struct interface **sockets = w->interfaces[i];

	make_filter(o, o->sources[i], filter);
	for (unsigned t = 0; t < o->threads; t++) {
		sockets[t] = interface_open(o->sources[i], &options, errbuf);
		if (sockets[t] == NULL)
			return -1;
	}
	w->indexes[i] = interface_index(o->sources[i]);
	w->sources[i].link_type = interface_link_type(sockets[0]);
	return o->threads == 1 ?
	    0 :
	    interface_share(sockets, o->threads, w->fanout_key, errbuf);
}

static int
open_source(struct watching *w, unsigned i, char errbuf[INTERFACE_ERRBUF])
{
	bool is_capture;

	if (!w->options.replay)
		return open_interface(w, i, errbuf);
	w->replays[i] =
	    capture_open(w->options.sources[i], &is_capture, errbuf);
	return w->replays[i] == NULL ? -1 : 0;
}

static int
open_sources(void *context)
{
	struct watching *w = context;
	char errbuf[INTERFACE_ERRBUF];

	for (unsigned i = 0; i < w->source_count; i++) {
		if (open_source(w, i, errbuf) != 0) {
			if (!w->waiting)
				complain("%s: %s", w->options.sources[i],
				    errbuf);
			close_sources(w);
			w->waiting = true;
			return -1;
		}
	}
	if (w->waiting)
		complain("watching again");
	w->waiting = false;
	return 0;
}

/* One that went away and came back is another one of the same name. */
static bool
sources_changed(void *context)
{
	const struct watching *w = context;

	for (unsigned i = 0; i < w->source_count && !w->options.replay; i++) {
		unsigned index = interface_index(w->options.sources[i]);

		if (index != 0 && index != w->indexes[i])
			return true;
	}
	return false;
}

/* --- at the start -------------------------------------------------------- */

static void
name_sources(struct watching *w)
{
	const struct watch_options *o = &w->options;

	w->source_count = o->source_count;
	for (unsigned i = 0; i < w->source_count; i++) {
		snprintf(w->paths[i], sizeof(w->paths[i]), "%s%s",
		    o->replay ? "" : INTERFACE_PREFIX, o->sources[i]);
		w->sources[i].path = w->paths[i];
		w->sources[i].format = o->replay ? "replay" : "interface";
	}
}

static int
check_filter(const struct watch_options *o)
{
	char filter[INTERFACE_FILTER_BYTES], errbuf[INTERFACE_ERRBUF];

	make_filter(o, "", filter);
	if (!interface_filter_check(filter, errbuf)) {
		complain("watch: -f: %s; see pcap-filter(7)", errbuf);
		return -1;
	}
	if (o->read.common.verbose)
		complain("filter: %s", filter);
	return 0;
}

/* What makes a sensor blind, or busier than it looks. */
static void
warn(const struct watching *w)
{
	const struct watch_options *o = &w->options;

	if (o->read.common.quiet || o->replay)
		return;
	if (o->filter == NULL && o->read.run.shards.any_port)
		complain("--any-port: all TCP is captured");
	if (o->filter == NULL && o->tunnels)
		complain("--tunnels: everything that may hold a tunnel is "
			 "captured");
	if (o->snaplen < SNAPLEN_SHORT)
		complain("--snaplen %zu: longer packets are cut, and their "
			 "sessions not judged",
		    o->snaplen);
	for (unsigned i = 0; i < w->source_count; i++) {
		char joins[64];

		interface_joins(o->sources[i], joins);
		if (joins[0] != '\0')
			complain("%s: %s joins packets before they are "
				 "captured, which hides forged ones: ethtool "
				 "-K %s gro off lro off",
			    o->sources[i], joins, o->sources[i]);
	}
}

/* --- a test -------------------------------------------------------------- */

static void
test_incident(struct incident *in, double prior, int64_t now_ns)
{
	static const struct address client = { { 192, 0, 2, 1 }, 4 };
	static const struct address server = { { 198, 51, 100, 1 }, 4 };

	memset(in, 0, sizeof(*in));
	strcpy(in->id, "00000000000000000000000000000000");
	in->revision = 1;
	in->state = STATE_FINAL;
	in->kind = KIND_STARTTLS_STRIPPED;
	in->certainty = CERTAINTY_LIKELY;
	in->confidence = JUDGE_LIKELY;
	in->prior = prior;
	in->outcome = OUTCOME_CONTENT_EXPOSED;
	in->capture_ts_ns = now_ns;
	in->client = (struct endpoint){ client, 40000 };
	in->server = (struct endpoint){ server, 25 };
	strcpy(in->observed,
	    "This is a test alert, sent by watch --test-alert: nothing "
	    "happened");
	strcpy(in->benign, "a test");
	strcpy(in->next_step, "nothing is to be done");
	snprintf(in->provenance, sizeof(in->provenance), "striplight %s, test",
	    STRIPLIGHT_VERSION);
	in->session_count = 1;
	strcpy(in->sessions[0].role, "tampered");
	in->sessions[0].client = in->client;
	in->sessions[0].first_ns = now_ns;
}

static int
test_alert(const struct watching *w)
{
	static struct incident in;
	const char *eve = w->options.read.eve;
	struct alerts_options options = { .path = eve == NULL ? "-" : eve };
	struct syslog syslog;
	char errbuf[SYSLOG_ERRBUF];
	struct alerts *alerts;
	bool sent;

	if (syslog_open(&syslog, w->options.syslog, errbuf) != 0) {
		complain("--syslog: %s", errbuf);
		return STATUS_ERROR;
	}
	alerts = alerts_create(&options, syslog_alert, &syslog);

	if (alerts == NULL) {
		syslog_close(&syslog);
		complain("%s: cannot be written", options.path);
		return STATUS_ERROR;
	}
	test_incident(&in, w->options.read.prior, w->started_ns);
	sent = alerts_send(alerts, &in, true);
	if (!sent)
		complain("%s", alerts_fault(alerts));
	if (sent && syslog_is_refused(&syslog)) {
		complain("--syslog: %s takes nothing", syslog.target);
		sent = false;
	}
	syslog_close(&syslog);
	alerts_destroy(alerts);
	return sent ? STATUS_OK : STATUS_ERROR;
}

int
command_watch(int argc, char **argv)
{
	static struct watching w;
	struct monitor_job job = { .context = &w,
		.open = open_sources,
		.close = close_sources,
		.changed = sources_changed,
		.engine = watch_engine,
		.judge = watch_judge,
		.say = say };
	int first = watch_options_parse(&w.options, argc, argv);
	char errbuf[CONFINE_ERRBUF];
	struct timespec now;
	int status;

	if (first < 0)
		return first == -1 ? STATUS_OK : STATUS_ERROR;
	clock_gettime(CLOCK_REALTIME, &now);
	w.started_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	if (w.options.test_alert)
		return test_alert(&w);
	if (getrandom(&w.fanout_key, sizeof(w.fanout_key), 0) !=
	    (ssize_t)sizeof(w.fanout_key)) {
		complain("getrandom: %s", strerror(errno));
		return STATUS_ERROR;
	}
	w.notify = notify_connect();
	w.watchdog_ns = notify_watchdog_ns();
	name_sources(&w);
	if (check_filter(&w.options) != 0)
		return STATUS_ERROR;
	warn(&w);
	w.channels = channels_create(w.options.threads, CHANNEL_BYTES);
	if (w.channels == NULL || confine_monitor(errbuf) != 0) {
		complain("watch: %s",
		    w.channels == NULL ? "out of memory" : errbuf);
		channels_destroy(w.channels);
		return STATUS_ERROR;
	}
	status = monitor_run(&job);
	close_sources(&w);
	channels_destroy(w.channels);
	return status;
}
