/* striplight show: one incident, with everything that it stands on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "probe/output/dialogue.h"
#include "probe/output/eve.h"
#include "probe/output/facts.h"
#include "probe/output/style.h"
#include "probe/output/verdict.h"
#include "probe/pipeline/campaigns.h"
#include "sighting_facts.h"

#define CANDIDATES_SHOWN 5
#define OTHERS_SHOWN 5

struct showing {
	struct common_options common;
	bool full;
	struct store *store;
	struct json json;
	struct incident incident;
	struct campaigns *campaigns;
	unsigned others; /* of the campaign, that were told */
	unsigned matches;
	char candidates[CANDIDATES_SHOWN][INCIDENT_ID_BYTES];
	struct sighting_facts seen;
	char paths[4][1024]; /* of its captures */
};

static int
on_setting(void *context, enum setting_id id, const struct setting_value *value,
    char wrong[SETTING_WRONG_BYTES])
{
	struct showing *s = context;

	(void)value;
	(void)wrong;
	s->full |= id == SET_FULL;
	return 0;
}

static int
on_match(void *context, const struct incident *in)
{
	struct showing *s = context;

	if (s->matches == 0)
		s->incident = *in;
	if (s->matches < CANDIDATES_SHOWN)
		memcpy(s->candidates[s->matches], in->id, sizeof(in->id));
	s->matches++;
	return 0;
}

/* --- the dialogue that was kept ------------------------------------------ */

static int
on_capture(void *context, const struct capture_row *row)
{
	struct showing *s = context;

	for (int i = 0; i < 4; i++)
		if (strcmp(s->seen.captures[i], row->hash) == 0)
			snprintf(s->paths[i], sizeof(s->paths[i]), "%s",
			    row->path);
	return 0;
}

static int
load_dialogue(struct showing *s)
{
	if (sighting_facts_load(s->store, &s->incident, &s->seen) < 0)
		return -1;
	return s->seen.facts.len == 0 ?
	    0 :
	    store_each_capture(s->store, on_capture, s);
}

/* --- as text ------------------------------------------------------------- */

static int
on_revision_text(void *context, const struct incident *in)
{
	const struct showing *s = context;

	if (s->incident.revision > 1)
		verdict_revision(stdout, in);
	return 0;
}

/* All that was said, when it was more than once. */
static int
on_word_text(void *context, const struct word *word)
{
	const struct showing *s = context;

	if (s->incident.words.count > 1)
		verdict_word(stdout,
		    &(struct said){ word_verb_name(word->verb),
			label_name(word->label), word->note, word->user,
			word->said_ns });
	return 0;
}

/* Who else is hit. */
static int
on_other_text(void *context, const struct incident *other)
{
	struct showing *s = context;

	if (s->others == 0)
		verdict_campaign(stdout, &s->incident);
	if (s->others++ < OTHERS_SHOWN || s->full)
		verdict_other(stdout, other);
	return 0;
}

static int
show_text(struct showing *s)
{
	struct slice facts = s->seen.facts;
	uint64_t first = 0, last = 0;
	int status;

	verdict_head(stdout, &s->incident);
	if (facts.len == 0)
		printf("  The dialogue is not kept any more (--max-kept).\n");
	else
		dialogue_print(stdout, &s->incident, facts,
		    s->full ? UINT32_MAX : DIALOGUE_LINES);
	verdict_evidence(stdout, &s->incident);
	campaigns_others(s->campaigns, &s->incident, on_other_text, s);
	status =
	    store_each_revision(s->store, s->incident.id, on_revision_text, s);
	if (status == 0)
		status =
		    store_each_word(s->store, s->incident.id, on_word_text, s);
	if (!dialogue_frames(&s->incident, facts, &first, &last))
		first = last = 0;
	verdict_wireshark(stdout, &s->incident, first, last);
	return status;
}

/* --- as JSON ------------------------------------------------------------- */

static void
put_dialogue(struct showing *s)
{
	struct slice facts = slice_after(s->seen.facts, 1);
	struct slice bytes;
	struct fact fact;

	json_array_open(&s->json, "dialogue");
	while (fact_decode(&facts, &fact, &bytes))
		facts_json(&s->json, &fact, bytes, s->paths[fact.capture & 3]);
	json_array_close(&s->json);
}

static int
on_revision_json(void *context, const struct incident *in)
{
	struct showing *s = context;

	json_object_open(&s->json, NULL);
	json_unsigned(&s->json, "revision", in->revision);
	json_text(&s->json, "state", incident_state_name(in->state));
	json_text(&s->json, "kind", kind_name(in->kind));
	json_text(&s->json, "certainty", certainty_name(in->certainty));
	json_number(&s->json, "support", in->support, 2);
	json_number(&s->json, "confidence", in->confidence, 2);
	json_text(&s->json, "provenance", in->provenance);
	json_object_close(&s->json);
	return 0;
}

static int
on_word_json(void *context, const struct word *word)
{
	struct showing *s = context;

	json_object_open(&s->json, NULL);
	json_text(&s->json, "verb", word_verb_name(word->verb));
	if (word->label != LABEL_NONE)
		json_text(&s->json, "label", label_name(word->label));
	if (word->note[0] != '\0')
		json_text(&s->json, "note", word->note);
	if (word->until_ns != INT64_MAX)
		json_eve_time(&s->json, "until", word->until_ns);
	json_text(&s->json, "user", word->user);
	json_signed(&s->json, "uid", word->uid);
	json_eve_time(&s->json, "said", word->said_ns);
	json_object_close(&s->json);
	return 0;
}

static int
on_other_json(void *context, const struct incident *other)
{
	struct showing *s = context;
	char text[ADDRESS_TEXT_BYTES];

	json_object_open(&s->json, NULL);
	json_text(&s->json, "incident", other->id);
	json_eve_time(&s->json, "timestamp", other->capture_ts_ns);
	json_text(&s->json, "src_ip",
	    address_format(&other->client.address, text));
	json_text(&s->json, "dest_ip",
	    address_format(&other->server.address, text));
	json_unsigned(&s->json, "dest_port", other->server.port);
	json_text(&s->json, "certainty", certainty_name(other->certainty));
	json_object_close(&s->json);
	return 0;
}

/* The alert as everywhere, with three members more in `downgrade`. */
static int
show_json(struct showing *s)
{
	int status;

	json_reset(&s->json);
	eve_alert_open(&s->json, &s->incident);
	json_array_open(&s->json, "revisions");
	status =
	    store_each_revision(s->store, s->incident.id, on_revision_json, s);
	json_array_close(&s->json);
	if (s->incident.campaign.incidents > 0) {
		json_array_open(&s->json, "who_else");
		campaigns_others(s->campaigns, &s->incident, on_other_json, s);
		json_array_close(&s->json);
	}
	if (s->incident.words.count > 0 && status == 0) {
		json_array_open(&s->json, "words");
		status =
		    store_each_word(s->store, s->incident.id, on_word_json, s);
		json_array_close(&s->json);
	}
	if (s->seen.facts.len > 0 &&
	    s->seen.facts.ptr[0] == FACT_FORMAT_VERSION)
		put_dialogue(s);
	eve_alert_close(&s->json);
	return status != 0 ? status : json_write(&s->json, stdout);
}

/* --- which one ----------------------------------------------------------- */

static bool
is_hex(const char *text)
{
	return text[0] != '\0' &&
	    text[strspn(text, "0123456789abcdefABCDEF")] == '\0';
}

static int
say_ambiguous(const struct showing *s, const char *prefix)
{
	complain("\"%s\" begins %u incidents; which one?", prefix, s->matches);
	for (unsigned i = 0; i < s->matches && i < CANDIDATES_SHOWN; i++)
		fprintf(stderr, "  %s\n", s->candidates[i]);
	return STATUS_ERROR;
}

static int
find_and_show(struct showing *s, const char *prefix)
{
	char lower[INCIDENT_ID_BYTES] = "";
	struct incident_filter filter = { .all = true, .id_prefix = lower };
	int status;

	for (size_t i = 0; prefix[i] != '\0' && i + 1 < sizeof(lower); i++)
		lower[i] = (char)(prefix[i] >= 'A' && prefix[i] <= 'F' ?
			prefix[i] + 'a' - 'A' :
			prefix[i]);
	if (store_each_incident(s->store, &filter, on_match, s) < 0)
		goto failed;
	if (s->matches > 1)
		return say_ambiguous(s, prefix);
	if (s->matches == 0) {
		complain("no incident \"%s\"; striplight incidents --all "
			 "lists them",
		    prefix);
		return STATUS_NO;
	}
	s->campaigns = campaigns_find(s->store);
	if (s->campaigns == NULL || load_dialogue(s) < 0)
		goto failed;
	campaigns_mark(s->campaigns, &s->incident);
	status = s->common.format == FORMAT_JSON ? show_json(s) : show_text(s);
	if (status < 0 && store_error(s->store)[0] != '\0')
		goto failed;
	if (status < 0 || fflush(stdout) != 0) {
		complain("standard output cannot be written");
		return STATUS_ERROR;
	}
	return STATUS_OK;
failed:
	complain("%s", store_error(s->store));
	return STATUS_ERROR;
}

int
command_show(int argc, char **argv)
{
	struct showing *s = calloc(1, sizeof(*s));
	char errbuf[STORE_ERRBUF];
	int first, status = STATUS_ERROR;

	if (s == NULL) {
		complain("out of memory");
		return STATUS_ERROR;
	}
	json_init(&s->json);
	first =
	    options_parse(COMMAND_SHOW, &s->common, on_setting, s, argc, argv);
	if (first < 0) {
		status = first == -1 ? STATUS_OK : STATUS_ERROR;
	} else if (first + 1 != argc) {
		status = usage_error(COMMAND_SHOW, "name one incident");
	} else if (!is_hex(argv[first])) {
		status = usage_error(COMMAND_SHOW,
		    "\"%s\" is not an incident's id", argv[first]);
	} else {
		style_color(s->common.color);
		s->store = store_open(s->common.db, STORE_READ, errbuf);
		if (s->store == NULL)
			complain("%s", errbuf);
		else
			status = find_and_show(s, argv[first]);
	}
	campaigns_free(s->campaigns);
	store_close(s->store);
	json_free(&s->json);
	sighting_facts_free(&s->seen);
	free(s);
	return status;
}
