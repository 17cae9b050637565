#include "incident_json.h"

#include <stdio.h>
#include <string.h>

#include "probe/output/eve.h"
#include "probe/output/facts.h"

struct telling {
	struct json *json;
	const struct incident *incident;
	const struct sighting_facts *seen;
	char paths[4][1024]; /* of its captures */
};

static int
on_capture(void *context, const struct capture_row *row)
{
	struct telling *s = context;

	for (unsigned i = 0; i < s->seen->capture_count; i++)
		if (strcmp(s->seen->captures[i], row->hash) == 0)
			snprintf(s->paths[i], sizeof(s->paths[i]), "%s",
			    row->path);
	return 0;
}

static void
put_dialogue(struct telling *s)
{
	struct slice facts = slice_after(s->seen->facts, 1);
	struct slice bytes;
	struct fact fact;

	json_array_open(s->json, "dialogue");
	while (fact_decode(&facts, &fact, &bytes))
		facts_json(s->json, &fact, bytes, s->paths[fact.capture & 3]);
	json_array_close(s->json);
}

static int
on_revision_json(void *context, const struct incident *in)
{
	struct telling *s = context;

	json_object_open(s->json, NULL);
	json_unsigned(s->json, "revision", in->revision);
	json_text(s->json, "state", incident_state_name(in->state));
	json_text(s->json, "kind", kind_name(in->kind));
	json_text(s->json, "certainty", certainty_name(in->certainty));
	json_number(s->json, "support", in->support, 2);
	json_number(s->json, "confidence", in->confidence, 2);
	json_text(s->json, "provenance", in->provenance);
	json_object_close(s->json);
	return 0;
}

static int
on_word_json(void *context, const struct word *word)
{
	struct telling *s = context;

	json_object_open(s->json, NULL);
	json_text(s->json, "verb", word_verb_name(word->verb));
	if (word->label != LABEL_NONE)
		json_text(s->json, "label", label_name(word->label));
	if (word->note[0] != '\0')
		json_text(s->json, "note", word->note);
	if (word->until_ns != INT64_MAX)
		json_eve_time(s->json, "until", word->until_ns);
	json_text(s->json, "user", word->user);
	json_signed(s->json, "uid", word->uid);
	json_eve_time(s->json, "said", word->said_ns);
	json_object_close(s->json);
	return 0;
}

static int
on_other_json(void *context, const struct incident *other)
{
	struct telling *s = context;
	char text[ADDRESS_TEXT_BYTES];

	json_object_open(s->json, NULL);
	json_text(s->json, "incident", other->id);
	json_eve_time(s->json, "timestamp", other->capture_ts_ns);
	json_text(s->json, "src_ip",
	    address_format(&other->client.address, text));
	json_text(s->json, "dest_ip",
	    address_format(&other->server.address, text));
	json_unsigned(s->json, "dest_port", other->server.port);
	json_text(s->json, "certainty", certainty_name(other->certainty));
	json_object_close(s->json);
	return 0;
}

int
incident_json(struct json *json, struct store *store,
    const struct campaigns *campaigns, const struct incident *in,
    const struct sighting_facts *seen)
{
	struct telling t = { .json = json, .incident = in, .seen = seen };
	int status;

	json_reset(json);
	eve_alert_open(json, in);
	json_array_open(json, "revisions");
	status = store_each_revision(store, in->id, on_revision_json, &t);
	json_array_close(json);
	if (in->campaign.incidents > 0) {
		json_array_open(json, "who_else");
		campaigns_others(campaigns, in, on_other_json, &t);
		json_array_close(json);
	}
	if (in->words.count > 0 && status == 0) {
		json_array_open(json, "words");
		status = store_each_word(store, in->id, on_word_json, &t);
		json_array_close(json);
	}
	if (seen->facts.len > 0 && status == 0 &&
	    seen->facts.ptr[0] == FACT_FORMAT_VERSION) {
		status = store_each_capture(store, on_capture, &t);
		put_dialogue(&t);
	}
	eve_alert_close(json);
	return status;
}
