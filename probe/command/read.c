/* striplight read: from captures to incidents. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "options.h"
#include "policy_file.h"
#include "probe/capture/capture.h"
#include "probe/capture/sources.h"
#include "probe/output/cross_check.h"
#include "probe/output/eve.h"
#include "probe/output/facts.h"
#include "probe/output/progress.h"
#include "probe/output/style.h"
#include "probe/output/text.h"
#include "probe/pipeline/campaigns.h"
#include "probe/pipeline/run.h"
#include "read_options.h"
#include "trust_store.h"

static volatile sig_atomic_t stop;

static void
on_signal(int signal)
{
	(void)signal;
	stop = 1;
}

struct reading {
	struct read_options options;
	struct registry *registry;
	struct judge_trust trust;
	struct store *store;
	struct world *world;
	struct run *run;
	struct cross_check *cross_check; /* NULL: not asked for */
	struct sources sources;
	struct progress progress;
	struct capture *capture; /* that is being read */
	struct json json;
	FILE *eve;	  /* NULL: no alerts are written */
	uint64_t skipped; /* no captures, in folders */
	bool fault;	  /* something named could not be read */
	bool failed;	  /* the machine failed; it was said */
	bool unwritten;	  /* standard output, which was not said */
};

/* --- a capture, as the pipeline asks for it ------------------------------ */

static int
source_next(void *capture, struct frame *frame)
{
	switch (capture_next(capture, frame)) {
	case CAPTURE_FRAME:
		return 1;
	case CAPTURE_END:
		return 0;
	default:
		return -1;
	}
}

static struct block *
source_block(void *capture)
{
	return capture_block(capture);
}

static void
source_describe(void *capture, struct capture_row *row)
{
	struct capture_info info;

	capture_describe(capture, &info);
	snprintf(row->hash, sizeof(row->hash), "%s", info.hash);
	snprintf(row->format, sizeof(row->format), "%s", info.format);
	snprintf(row->link_types, sizeof(row->link_types), "%s",
	    info.link_types);
	snprintf(row->fault, sizeof(row->fault), "%.255s",
	    capture_fault(capture));
	row->bytes = info.bytes;
	row->packets = info.frames;
	row->first_ns = info.first_ns;
	row->last_ns = info.last_ns;
}

static void
on_tick(void *context, uint64_t packets, uint64_t sessions, uint64_t incidents)
{
	struct reading *r = context;
	struct capture_info info;

	if (!r->progress.shown)
		return;
	capture_describe(r->capture, &info);
	progress_update(&r->progress, info.position, packets, sessions,
	    incidents);
}

static void
on_fact(void *context, const struct fact *fact, struct slice bytes)
{
	struct reading *r = context;

	json_reset(&r->json);
	facts_json(&r->json, fact, bytes, run_path(r->run, fact->capture));
	r->unwritten |= json_write(&r->json, stdout) != 0;
}

static void
on_difference(void *context, const struct cross_difference *difference)
{
	char text[CROSS_TEXT_BYTES];

	(void)context;
	complain("%s", cross_check_text(difference, text));
}

/* Frames of a kind of link that nobody here reads: said, not passed over. */
static bool
links_are_known(const struct capture_info *info)
{
	char types[64], *save = NULL;
	bool known = info->frames == 0;

	snprintf(types, sizeof(types), "%s", info->link_types);
	for (char *word = strtok_r(types, " ", &save); word != NULL;
	     word = strtok_r(NULL, " ", &save))
		known |= packet_link_known((uint32_t)strtoul(word, NULL, 10));
	return known;
}

static void
report_capture(struct reading *r, const struct source *source,
    enum run_result result)
{
	struct capture_info info;

	capture_describe(r->capture, &info);
	if (result == RUN_DAMAGED) {
		complain("%s: %s", source->path, capture_fault(r->capture));
		r->fault |= source->folder == NULL;
	} else if (!links_are_known(&info) && source->folder == NULL) {
		complain("%s: link type %s is not read; Ethernet, Linux "
			 "cooked, raw IP, loopback and PPP are",
		    source->path, info.link_types);
		r->fault = true;
	} else if (result == RUN_KNOWN && r->options.common.verbose) {
		complain("%s: the same content as a file before; skipped",
		    source->path);
	}
}

static void
read_source(struct reading *r, struct source *source)
{
	char errbuf[CAPTURE_ERRBUF];
	struct run_source run_source = { .path = source->path,
		.next = source_next,
		.block = source_block,
		.describe = source_describe };
	struct capture_info info;
	enum run_result result;

	r->capture = capture_open(source->path, &source->is_capture, errbuf);
	if (r->capture == NULL) {
		if (source->folder != NULL && !source->is_capture) {
			r->skipped++;
			return;
		}
		complain("%s: %s", source->path, errbuf);
		r->fault |= source->folder == NULL;
		return;
	}
	source->is_capture = true;
	capture_describe(r->capture, &info);
	progress_start(&r->progress, r->options.common.quiet, source->path,
	    info.size);
	run_source.capture = r->capture;
	result = run_capture(r->run, &run_source, &stop, on_tick, r);
	progress_end(&r->progress);
	if (result == RUN_STOPPED)
		complain("%s: interrupted; nothing of this capture is kept",
		    source->path);
	else
		report_capture(r, source, result);
	capture_close(r->capture);
	r->capture = NULL;
}

/* --- what was found ------------------------------------------------------ */

struct finding {
	struct reading *reading;
	struct incident_groups groups;
	struct campaigns *campaigns;
	struct incident incident; /* with its campaign */
	uint64_t suppressed, repeated;
	bool likely, unwritten;
};

static int
on_now(void *context, const struct incident *in)
{
	campaigns_now(context, in);
	return 0;
}

static int
on_incident(void *context, const struct incident *in)
{
	struct finding *f = context;
	struct reading *r = f->reading;

	text_group_add(&f->groups, in);
	f->likely |= in->certainty >= CERTAINTY_LIKELY;
	f->suppressed += in->words.suppressed_by != 0;
	if (r->eve == NULL ||
	    (in->words.suppressed_by != 0 && r->options.eve != NULL) ||
	    (incident_severity(in) > 2 && !r->options.alert_possible))
		return 0;
	if (r->options.alert_once && !campaigns_alert(f->campaigns, in)) {
		f->repeated++;
		return 0;
	}
	f->incident = *in;
	campaigns_mark(f->campaigns, &f->incident);
	json_reset(&r->json);
	eve_alert(&r->json, &f->incident);
	f->unwritten |= json_write(&r->json, r->eve) != 0;
	return 0;
}

static void
close_eve(struct reading *r, struct finding *f)
{
	if (r->eve == NULL)
		return;
	f->unwritten |= fflush(r->eve) != 0;
	if (r->eve == stdout) {
		r->unwritten |= f->unwritten;
		return;
	}
	if (f->unwritten) {
		complain("%s: %s; the alerts in it are not complete",
		    r->options.eve, strerror(errno));
		r->failed = true;
	}
	fclose(r->eve);
	r->eve = NULL;
}

static bool
report(struct reading *r)
{
	struct finding f = { .reading = r };
	struct incident_filter filter = { 0 };
	const struct capture_row *rows;
	size_t count = run_captures(r->run, &rows);

	filter.captures = rows;
	filter.capture_count = count;
	f.campaigns = campaigns_find(r->store);
	if (f.campaigns == NULL ||
	    store_each_incident(r->store, &filter, on_now, f.campaigns) < 0 ||
	    store_each_incident(r->store, &filter, on_incident, &f) < 0) {
		complain("%s", store_error(r->store));
		r->failed = true;
	}
	if (!r->options.common.quiet && !r->options.facts && r->eve != stdout &&
	    count > 0) {
		text_read_summary(stdout, rows, count, &f.groups);
		if (r->cross_check != NULL)
			cross_check_summary(stdout,
			    cross_check_totals(r->cross_check));
	}
	if (f.repeated > 0 && !r->options.common.quiet)
		complain("%llu incidents repeat an act that is alerted once: "
			 "striplight incidents --campaigns",
		    (unsigned long long)f.repeated);
	campaigns_free(f.campaigns);
	if (f.suppressed > 0 && !r->options.common.quiet)
		complain("%llu of the incidents suppressed by your rules: "
			 "listed, not alerted (striplight incidents suppress "
			 "--list)",
		    (unsigned long long)f.suppressed);
	if (r->skipped > 0 && !r->options.common.quiet)
		complain("%llu file%s no captures: skipped",
		    (unsigned long long)r->skipped,
		    r->skipped == 1 ? " in folders is" : "s in folders are");
	close_eve(r, &f);
	text_groups_free(&f.groups);
	return f.likely;
}

/* --- setting up ---------------------------------------------------------- */

/* Whose policy the file is: "DOMAIN=FILE", or a file called after it. */
static const char *
policy_path(const char *text, char domain[DOMAIN_TEXT_BYTES])
{
	const char *equals = strchr(text, '='), *slash = strchr(text, '/');
	const char *path = text, *name = strrchr(text, '/');
	size_t n;

	if (equals != NULL && (slash == NULL || equals < slash)) {
		path = equals + 1;
		name = text;
		n = (size_t)(equals - text);
	} else {
		name = name == NULL ? text : name + 1;
		n = strlen(name);
		if (n > 4 && strcmp(name + n - 4, ".txt") == 0)
			n -= 4;
	}
	snprintf(domain, DOMAIN_TEXT_BYTES, "%.*s", (int)n, name);
	return path;
}

static int
add_policy(struct reading *r, const char *text)
{
	char named[DOMAIN_TEXT_BYTES];
	struct policy_row row = { .from_ns = INT64_MIN,
		.until_ns = INT64_MAX,
		.assumed = true,
		.source = "file" };
	struct policy_file file;
	const char *path = policy_path(text, named);
	int status = -1;

	if (policy_domain(named, row.domain) != 0 ||
	    policy_file_load(&file, path) != 0)
		return -1;
	row.body = slice_of(file.bytes, file.len);
	if (!file.policy.tolerant_ok)
		policy_file_complain(&file, STS_ERROR);
	else if (store_add_policy(r->store, &row, NULL) != 0)
		complain("%s", store_error(r->store));
	else
		status = 0;
	policy_file_free(&file);
	return status;
}

static int
add_policies(struct reading *r)
{
	for (unsigned i = 0; i < r->options.policy_count; i++)
		if (add_policy(r, r->options.policies[i]) != 0)
			return -1;
	return 0;
}

/* Sessions that were kept before: their servers need not be in what was read
 * now. */
static int
judge_policies_again(struct reading *r)
{
	char domain[DOMAIN_TEXT_BYTES];
	uint64_t changed;

	for (unsigned i = 0; i < r->options.policy_count; i++) {
		char named[DOMAIN_TEXT_BYTES];

		policy_path(r->options.policies[i], named);
		if (policy_domain(named, domain) != 0 ||
		    policy_judge_again(r->store, r->world, domain, &changed) !=
			0)
			return -1;
	}
	return 0;
}

static int
copy_policy(void *scratch, const struct policy_row *row)
{
	return store_add_policy(scratch, row, NULL);
}

/* --isolated: nothing but the files given, and the policies that are known. */
static struct store *
open_scratch(const char *db, char errbuf[STORE_ERRBUF])
{
	struct store *scratch = store_open("", STORE_SCRATCH, errbuf), *known;
	char ignored[STORE_ERRBUF];

	if (scratch == NULL || access(db, F_OK) != 0)
		return scratch;
	known = store_open(db, STORE_READ, ignored);
	if (known != NULL)
		store_each_policy(known, NULL, copy_policy, scratch);
	store_close(known);
	return scratch;
}

/* "The key comes from the input": the same files give the same order. */
static void
key_from_sources(struct reading *r)
{
	uint8_t *key = r->options.run.shards.key;

	memset(key, 0, 16);
	memcpy(key, "striplight", 10);
	for (size_t i = 0; i < r->sources.count && i < 1; i++) {
		uint64_t first = (uint64_t)r->sources.list[i].first_ns;

		memcpy(key + 8, &first, sizeof(first));
	}
}

/* Before anything is read: who asked for alerts must get them. */
static int
open_eve(struct reading *r)
{
	const char *path = r->options.eve;

	if (r->options.common.format == FORMAT_JSON && !r->options.facts) {
		r->options.alert_possible = true;
		r->eve = stdout;
	} else if (path != NULL && strcmp(path, "-") == 0) {
		r->eve = stdout;
	} else if (path != NULL) {
		r->eve = fopen(path, "a");
		if (r->eve == NULL) {
			complain("%s: %s; --eve wants a file that can be "
				 "written",
			    path, strerror(errno));
			return -1;
		}
	}
	return 0;
}

static int
set_up(struct reading *r, char **paths)
{
	static const struct frame_holder holder = { block_hold, block_release };
	struct read_options *o = &r->options;
	char errbuf[STORE_ERRBUF + SOURCES_ERRBUF];

	if (open_eve(r) != 0)
		return -1;
	for (; *paths != NULL; paths++) {
		if (sources_add(&r->sources, *paths, errbuf) != 0) {
			complain("%s", errbuf);
			r->fault = true;
		}
	}
	sources_order(&r->sources);
	key_from_sources(r);
	r->registry = registry_load(o->rules, errbuf);
	if (r->registry == NULL)
		goto failed;
	r->store = o->isolated ? open_scratch(o->common.db, errbuf) :
				 store_open(o->common.db, STORE_WRITE, errbuf);
	if (r->store == NULL)
		goto failed;
	if (add_policies(r) != 0)
		return -1;
	r->world = world_create(r->store, r->registry, o->prior, errbuf);
	if (r->world == NULL)
		goto failed;
	world_set_site(r->world, config_site());
	if (trust_store_load(o->trust, &r->trust) != 0)
		return -1;
	o->run.trust = &r->trust;
	if (o->cross_check) {
		r->cross_check = cross_check_create(&o->run.shards,
		    o->run.cross_check_bytes, on_difference, r);
		o->run.shards.cross_check = r->cross_check;
	}
	r->run = o->cross_check && r->cross_check == NULL ?
	    NULL :
	    run_create(&o->run, r->store, r->world, &holder,
		o->facts ? on_fact : NULL, r);
	if (r->run != NULL)
		return 0;
	snprintf(errbuf, sizeof(errbuf), "out of memory");
failed:
	complain("%s", errbuf);
	return -1;
}

static void
tear_down(struct reading *r)
{
	if (r->eve != NULL && r->eve != stdout)
		fclose(r->eve);
	run_destroy(r->run);
	trust_store_free(&r->trust);
	cross_check_destroy(r->cross_check);
	world_destroy(r->world);
	store_close(r->store);
	registry_free(r->registry);
	sources_free(&r->sources);
	json_free(&r->json);
}

static bool
has_captures(const struct sources *sources, const char *folder)
{
	for (size_t i = 0; i < sources->count; i++)
		if (sources->list[i].folder == folder &&
		    sources->list[i].is_capture)
			return true;
	return false;
}

/* Somebody expected captures in a folder that was given. That it may not be
 * looked into was said before. */
static void
check_folders(struct reading *r, char **paths)
{
	for (; *paths != NULL; paths++) {
		struct stat st;

		if (stat(*paths, &st) == 0 && S_ISDIR(st.st_mode) &&
		    access(*paths, R_OK | X_OK) == 0 &&
		    !has_captures(&r->sources, *paths)) {
			complain("%s: no captures in this folder", *paths);
			r->fault = true;
		}
	}
}

static int
status_of(const struct reading *r, bool likely)
{
	if (stop)
		complain("interrupted; what was read before is kept");
	if (likely)
		return STATUS_NO;
	if (r->fault || r->failed || stop)
		return STATUS_ERROR;
	if (!r->options.strict)
		return STATUS_OK;
	return run_unjudged(r->run) > 0 ||
		(r->cross_check != NULL &&
		    cross_check_totals(r->cross_check)->unknown > 0) ?
	    STATUS_ERROR :
	    STATUS_OK;
}

static void
catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

int
command_read(int argc, char **argv)
{
	struct reading r = { 0 };
	int first = read_options_parse(&r.options, argc, argv);
	bool likely = false;
	int status;

	if (first < 0)
		return first == -1 ? STATUS_OK : STATUS_ERROR;
	style_color(r.options.common.color);
	json_init(&r.json);
	catch_signals();
	if (set_up(&r, argv + first) != 0) {
		tear_down(&r);
		return STATUS_ERROR;
	}
	for (size_t i = 0; i < r.sources.count && !stop; i++)
		read_source(&r, &r.sources.list[i]);
	if (run_finish(r.run) != 0 || judge_policies_again(&r) != 0) {
		complain("%s", store_error(r.store));
		r.failed = true;
	} else {
		if (!r.options.isolated)
			store_note_run(r.store,
			    "striplight " STRIPLIGHT_VERSION, argv[first]);
		likely = report(&r);
	}
	if (!stop)
		check_folders(&r, argv + first);
	if (fflush(stdout) != 0 || ferror(stdout) || r.unwritten) {
		complain("standard output cannot be written");
		r.failed = true;
	}
	status = status_of(&r, likely);
	tear_down(&r);
	return status;
}
