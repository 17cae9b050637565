/* striplight show: one incident, with everything that it stands on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "incident_find.h"
#include "incident_json.h"
#include "labels.h"
#include "options.h"
#include "probe/output/dialogue.h"
#include "probe/output/style.h"
#include "probe/output/verdict.h"

#define OTHERS_SHOWN 5

struct showing {
	struct common_options common;
	bool full;
	struct store *store;
	struct json json;
	struct incident incident;
	struct campaigns *campaigns;
	unsigned others; /* of the campaign, that were told */
	struct sighting_facts seen;
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

/* How often this kind was right here. */
static int
show_labels(struct showing *s)
{
	uint64_t counts[KINDS][LABELS];
	char text[256];
	size_t n;

	if (store_count_labels(s->store, NULL, counts) != 0)
		return -1;
	n = (size_t)snprintf(text, sizeof(text),
	    "Of the %s incidents that were labelled here: ",
	    kind_name(s->incident.kind));
	if (labels_text(counts[s->incident.kind], text + n, sizeof(text) - n))
		verdict_labels(stdout, text);
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
	if (status == 0)
		status = show_labels(s);
	if (!dialogue_frames(&s->incident, facts, &first, &last))
		first = last = 0;
	verdict_wireshark(stdout, &s->incident, first, last);
	return status;
}

static int
show_json(struct showing *s)
{
	int status = incident_json(&s->json, s->store, s->campaigns,
	    &s->incident, &s->seen);

	return status != 0 ? status : json_write(&s->json, stdout);
}

static int
find_and_show(struct showing *s, const char *prefix)
{
	int status =
	    incident_find(s->store, COMMAND_SHOW, prefix, &s->incident);

	if (status != STATUS_OK)
		return status;
	s->campaigns = campaigns_find(s->store);
	if (s->campaigns == NULL ||
	    sighting_facts_load(s->store, &s->incident, &s->seen) < 0)
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
