/* striplight compare: two captures of the same traffic, from both sides. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "options.h"
#include "probe/capture/capture.h"
#include "probe/output/contrast.h"
#include "probe/output/style.h"
#include "probe/pipeline/dissection.h"
#include "probe/pipeline/pairing.h"
#include "probe/pipeline/sightings.h"
#include "probe/pipeline/world.h"
#include "read_options.h"
#include "rules/judge.h"

enum { NEAR, FAR, SIDES };

static const char *const names[SIDES] = { "near", "far" };

struct comparing {
	struct common_options common;
	struct read_options read; /* for its defaults */
	uint8_t digest_key[16];
	const char *paths[SIDES];
	struct collection sides[SIDES];
	struct pairs pairs;
	int client_side; /* which of the two is nearer to the clients */
	struct registry *registry;
	struct store *scratch;
	struct world *world;
	struct json json;
	bool fault, failed;
	uint64_t same, benign, altered, unsure;
	/* Of the session at hand. */
	struct session session;
	struct incident incident;
	struct contrast_told told;
	uint8_t differing[SIGHTINGS_MAX_BYTES];
};

static int
on_setting(void *context, enum setting_id id, const struct setting_value *value,
    char wrong[SETTING_WRONG_BYTES])
{
	struct comparing *c = context;

	(void)value;
	(void)wrong;
	c->read.run.shards.smtp.keep_addresses |= id == SET_COMPARE_ADDRESSES;
	return 0;
}

/* --- reading ------------------------------------------------------------- */

static int
read_frames(struct comparing *c, int side, struct capture *capture)
{
	static const struct frame_holder holder = { block_hold, block_release };
	struct dissection *dissection = dissection_create(&c->read.run.shards,
	    1, &holder, collection_take, &c->sides[side]);
	enum capture_result result;
	struct frame frame;

	if (dissection == NULL) {
		complain("out of memory");
		return -1;
	}
	while ((result = capture_next(capture, &frame)) == CAPTURE_FRAME) {
		frame.capture = 0;
		frame.run_number = frame.number;
		dissection_frame(dissection, &frame, capture_block(capture));
	}
	dissection_end_capture(dissection, false);
	dissection_destroy(dissection);
	if (result == CAPTURE_FAULT) {
		complain("%s: %s", c->paths[side], capture_fault(capture));
		c->fault = true;
	}
	collection_finish(&c->sides[side]);
	return 0;
}

static int
read_side(struct comparing *c, int side)
{
	char errbuf[CAPTURE_ERRBUF];
	bool is_capture;
	struct capture *capture =
	    capture_open(c->paths[side], &is_capture, errbuf);
	int status;

	if (capture == NULL) {
		complain("%s: %s", c->paths[side], errbuf);
		return -1;
	}
	status = read_frames(c, side, capture);
	capture_close(capture);
	if (status == 0 && c->sides[side].count == 0) {
		complain("%s: no SMTP session in it", c->paths[side]);
		return -1;
	}
	if (c->sides[side].shed > 0)
		complain("%s: %llu sessions found no room and are not compared",
		    c->paths[side], (unsigned long long)c->sides[side].shed);
	return status;
}

/* --- one pair ------------------------------------------------------------ */

/* Who asks waits longer for the answer than who stands by the server. */
static void
find_client_side(struct comparing *c)
{
	int64_t nearer_ns = 0;

	for (size_t i = 0; i < c->pairs.count; i++) {
		const struct pair *p = &c->pairs.list[i];

		if (pairing_is_sure(p->by))
			nearer_ns +=
			    contrast_nearer_ns(collected_facts(
						   &c->sides[FAR].list[p->far]),
				collected_facts(&c->sides[NEAR].list[p->near]));
	}
	c->client_side = nearer_ns >= 0 ? NEAR : FAR;
}

static void
fold(struct session *s, struct slice facts)
{
	struct slice bytes;
	struct fact fact;

	while (fact_decode(&facts, &fact, &bytes))
		session_fold(s, &fact, bytes);
}

/* The kind that the rules have for it, judged as what came to the client, with
 * what the other sighting says otherwise beside it. That no kind says what a
 * difference is for is said by the difference itself. */
static bool
find_kind(struct comparing *c, struct slice client, struct slice server)
{
	enum unjudged why;

	session_init(&c->session, 0);
	fold(&c->session, client);
	fold(&c->session,
	    slice_of(c->differing,
		sightings_compare(client, server, c->differing)));
	return rules_judge(&c->session, world_context_bare(c->world),
		   &c->incident, &why) == VERDICT_INCIDENT &&
	    c->incident.certainty == CERTAINTY_DEMONSTRATED &&
	    c->incident.kind != KIND_SEGMENT_FORGED;
}

static struct contrast_side
side_of(const struct comparing *c, int side, const struct collected *s)
{
	return (struct contrast_side){ names[side], c->paths[side],
		s->flow.client, s->flow.server };
}

static void
count_and_show(struct comparing *c)
{
	const struct contrast_told *t = &c->told;
	bool sure = pairing_is_sure(t->by);

	c->same += t->contrast.count == 0;
	c->altered += sure && t->contrast.altered;
	c->benign += sure && t->contrast.count > 0 && !t->contrast.altered;
	c->unsure += !sure && t->contrast.count > 0;
	if (c->common.format == FORMAT_JSON) {
		json_reset(&c->json);
		contrast_json(&c->json, t);
		c->failed |= json_write(&c->json, stdout) != 0;
	} else if (t->contrast.count > 0 && !c->common.quiet &&
	    (t->contrast.altered || c->common.verbose)) {
		contrast_print(stdout, t);
	}
}

static int
compare_pair(struct comparing *c, const struct pair *pair)
{
	const struct collected *both[SIDES] = {
		&c->sides[NEAR].list[pair->near], &c->sides[FAR].list[pair->far]
	};
	int client = c->client_side, server = !client;
	struct slice sent = collected_facts(both[client]);
	struct slice came = collected_facts(both[server]);

	c->told =
	    (struct contrast_told){ .client = side_of(c, client, both[client]),
		    .server = side_of(c, server, both[server]),
		    .by = pair->by };
	if (!contrast_find(sent, came, pair->by, &c->told.contrast)) {
		complain("out of memory");
		return -1;
	}
	if (c->told.contrast.altered && pairing_is_sure(pair->by) &&
	    find_kind(c, sent, came))
		c->told.incident = &c->incident;
	count_and_show(c);
	return 0;
}

/* --- all of them --------------------------------------------------------- */

struct unmatched {
	uint64_t ambiguous, alone;
};

static struct unmatched
unmatched_of(const struct collection *side)
{
	struct unmatched u = { 0, 0 };

	for (size_t i = 0; i < side->count; i++) {
		u.ambiguous += !side->list[i].paired && side->list[i].ambiguous;
		u.alone += !side->list[i].paired && !side->list[i].ambiguous;
	}
	return u;
}

static void
print_unmatched(const struct comparing *c, int side)
{
	struct unmatched u = unmatched_of(&c->sides[side]);
	char a[32], b[32], path[SAFE_BYTES];

	if (u.alone + u.ambiguous == 0)
		return;
	printf("  not matched         %7s   only in %s%s%s%s\n",
	    style_count(u.alone + u.ambiguous, a),
	    style_safe(c->paths[side], path), u.ambiguous ? "; " : "",
	    u.ambiguous ? style_count(u.ambiguous, b) : "",
	    u.ambiguous ? " could be several of the other's" : "");
	for (size_t i = 0; c->common.verbose && i < c->sides[side].count; i++) {
		const struct collected *s = &c->sides[side].list[i];
		char client[ENDPOINT_TEXT_BYTES], server[ENDPOINT_TEXT_BYTES];

		if (!s->paired)
			printf("    #%-6llu %s %s %s %s%s\n",
			    (unsigned long long)s->first_frame,
			    style_time(s->first_ns, a),
			    endpoint_format(&s->flow.client, client),
			    style_utf8() ? "→" : "->",
			    endpoint_format(&s->flow.server, server),
			    s->ambiguous ? "  ambiguous" : "");
	}
}

static void
print_clocks(const struct comparing *c)
{
	double seconds = (double)c->pairs.offset_ns / 1e9;

	if (!c->pairs.has_offset)
		return;
	printf(
	    "  clocks                        far shows %.3f s %s than near\n",
	    seconds < 0 ? -seconds : seconds, seconds < 0 ? "less" : "more");
}

static void
print_count(const char *label, uint64_t n, const char *what)
{
	char count[32];

	printf("  %-18s  %7s   %s\n", label, style_count(n, count), what);
}

static void
print_summary(const struct comparing *c)
{
	char near[SAFE_BYTES], far[SAFE_BYTES], count[32];

	printf("%snear %s (%s's side), far %s (%s's side): %s session%s in "
	       "both\n",
	    c->altered + c->benign + c->unsure > 0 && !c->common.quiet ? "\n" :
									 "",
	    style_safe(c->paths[NEAR], near),
	    c->client_side == NEAR ? "client" : "server",
	    style_safe(c->paths[FAR], far),
	    c->client_side == NEAR ? "server" : "client",
	    style_count(c->pairs.count, count), c->pairs.count == 1 ? "" : "s");
	print_count("came as sent", c->same, "");
	if (c->altered > 0)
		print_count("altered between", c->altered, "demonstrated");
	if (c->benign > 0)
		print_count("differ honestly", c->benign,
		    "what a relay does for reasons of its own; -v shows it");
	if (c->unsure > 0)
		print_count("differ, unsure", c->unsure,
		    "matched by HELO and time only: look yourself (-v)");
	print_unmatched(c, NEAR);
	print_unmatched(c, FAR);
	print_clocks(c);
}

static void
put_unmatched(struct comparing *c, int side)
{
	struct unmatched u = unmatched_of(&c->sides[side]);

	json_object_open(&c->json, names[side]);
	json_text(&c->json, "pcap_filename", c->paths[side]);
	json_text(&c->json, "nearer_to",
	    side == c->client_side ? "client" : "server");
	json_unsigned(&c->json, "sessions", c->sides[side].count);
	json_unsigned(&c->json, "unmatched", u.alone);
	json_unsigned(&c->json, "ambiguous", u.ambiguous);
	json_unsigned(&c->json, "shed", c->sides[side].shed);
	json_object_close(&c->json);
}

static void
put_summary(struct comparing *c)
{
	json_reset(&c->json);
	json_object_open(&c->json, NULL);
	json_text(&c->json, "event_type", "comparison-summary");
	json_unsigned(&c->json, "sessions", c->pairs.count);
	json_unsigned(&c->json, "same", c->same);
	json_unsigned(&c->json, "altered", c->altered);
	json_unsigned(&c->json, "benign", c->benign);
	json_unsigned(&c->json, "unsure", c->unsure);
	json_object_open(&c->json, "downgrade");
	json_unsigned(&c->json, "altered", c->altered);
	json_object_close(&c->json);
	if (c->pairs.has_offset)
		json_number(&c->json, "clock_offset",
		    (double)c->pairs.offset_ns / 1e9, 6);
	put_unmatched(c, NEAR);
	put_unmatched(c, FAR);
	json_object_close(&c->json);
	c->failed |= json_write(&c->json, stdout) != 0;
}

static int
compare(struct comparing *c)
{
	if (read_side(c, NEAR) != 0 || read_side(c, FAR) != 0)
		return STATUS_ERROR;
	if (pairs_find(&c->sides[NEAR], &c->sides[FAR], &c->pairs) != 0) {
		complain("out of memory");
		return STATUS_ERROR;
	}
	find_client_side(c);
	for (size_t i = 0; i < c->pairs.count; i++)
		if (compare_pair(c, &c->pairs.list[i]) != 0)
			return STATUS_ERROR;
	if (c->common.format == FORMAT_JSON)
		put_summary(c);
	else
		print_summary(c);
	if (fflush(stdout) != 0 || ferror(stdout) || c->failed) {
		complain("standard output cannot be written");
		return STATUS_ERROR;
	}
	if (c->altered > 0)
		return STATUS_NO;
	if (c->pairs.count == 0) {
		complain("no session is in both captures");
		return STATUS_ERROR;
	}
	return c->fault ? STATUS_ERROR : STATUS_OK;
}

static int
set_up(struct comparing *c, char errbuf[STORE_ERRBUF])
{
	/* It dies with the run: digests tell of nothing outside of it. */
	if (getrandom(c->digest_key, sizeof(c->digest_key), 0) !=
	    (ssize_t)sizeof(c->digest_key)) {
		snprintf(errbuf, STORE_ERRBUF, "no random numbers to be had");
		return -1;
	}
	c->read.run.shards.smtp.digest_key = c->digest_key;
	for (int side = 0; side < SIDES; side++)
		collection_init(&c->sides[side], c->read.run.judge.open_bytes);
	c->registry = registry_load(NULL, errbuf);
	if (c->registry == NULL)
		return -1;
	c->scratch = store_open("", STORE_SCRATCH, errbuf);
	if (c->scratch == NULL)
		return -1;
	c->world = world_create(c->scratch, c->registry, PRIOR_READ, errbuf);
	return c->world != NULL ? 0 : -1;
}

static void
tear_down(struct comparing *c)
{
	world_destroy(c->world);
	store_close(c->scratch);
	registry_free(c->registry);
	pairs_free(&c->pairs);
	for (int side = 0; side < SIDES; side++)
		collection_free(&c->sides[side]);
	json_free(&c->json);
	free(c);
}

int
command_compare(int argc, char **argv)
{
	struct comparing *c = calloc(1, sizeof(*c));
	char errbuf[STORE_ERRBUF];
	int first, status = STATUS_ERROR;

	if (c == NULL) {
		complain("out of memory");
		return STATUS_ERROR;
	}
	read_options_defaults(&c->read);
	json_init(&c->json);
	first = options_parse(COMMAND_COMPARE, &c->common, on_setting, c, argc,
	    argv);
	if (first < 0) {
		status = first == -1 ? STATUS_OK : STATUS_ERROR;
	} else if (first + 2 != argc) {
		status = usage_error(COMMAND_COMPARE, "name two captures");
	} else {
		c->paths[NEAR] = argv[first];
		c->paths[FAR] = argv[first + 1];
		style_color(c->common.color);
		if (set_up(c, errbuf) != 0)
			complain("%s", errbuf);
		else
			status = compare(c);
	}
	tear_down(c);
	return status;
}
