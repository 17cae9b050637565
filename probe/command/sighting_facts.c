#include "sighting_facts.h"

#include <stdlib.h>
#include <string.h>

#include "dissect/redact.h"

struct loading {
	struct incident *incident;
	struct sighting_facts *out;
};

static int
on_sighting(void *context, const struct sighting *sighting)
{
	const struct loading *l = context;
	uint8_t *copy;

	for (unsigned i = 0; i < sighting->capture_count; i++) {
		if (strcmp(sighting->captures[i], l->incident->capture_hash) !=
		    0)
			continue;
		copy = malloc(sighting->facts.len + 1);
		if (copy == NULL)
			return -1;
		memcpy(copy, sighting->facts.ptr, sighting->facts.len);
		l->out->facts = slice_of(copy, sighting->facts.len);
		l->out->capture_count = sighting->capture_count;
		memcpy(l->out->captures, sighting->captures,
		    sizeof(l->out->captures));
		l->incident->seen_capture = i;
		return 1;
	}
	return 0;
}

int
sighting_facts_load(struct store *store, struct incident *in,
    struct sighting_facts *out)
{
	struct sighting_filter filter = { .session = in->session };
	struct loading l = { in, out };

	memset(out, 0, sizeof(*out));
	return store_each_sighting(store, &filter, on_sighting, &l) < 0 ? -1 :
									  0;
}

static bool
redact(const struct fact *fact, uint8_t *line)
{
	switch (fact->code) {
	case FACT_COMMAND:
		return redact_command(line, fact->length,
		    (enum verb)fact->about, 0);
	case FACT_GREETING:
	case FACT_EHLO_REPLY:
	case FACT_REPLY:
		return redact_reply(line, fact->length, (enum verb)fact->about,
		    0);
	case FACT_EXTRA_BYTES:
		return fact->dir == TO_SERVER ?
		    redact_command(line, fact->length, VERB_OTHER, 0) :
		    redact_reply(line, fact->length, VERB_NONE, 0);
	default:
		return false;
	}
}

int
sighting_facts_redact(struct sighting_facts *f)
{
	struct slice rest = slice_after(f->facts, 1), bytes;
	/* A header may be longer than it was, not twice as long. */
	uint8_t *out = malloc(2 * f->facts.len + 1), *line;
	struct fact fact;
	size_t n = 1;

	if (f->facts.len == 0 || out == NULL) {
		free(out);
		sighting_facts_free(f);
		return out == NULL ? -1 : 0;
	}
	out[0] = f->facts.ptr[0];
	while (fact_decode(&rest, &fact, &bytes)) {
		/* Of our own copy. */
		line = (uint8_t *)bytes.ptr;
		if (redact(&fact, line))
			fact.flags |= FACT_REDACTED;
		n += fact_encode(&fact, bytes, out + n);
	}
	free((void *)f->facts.ptr);
	f->facts = slice_of(out, n);
	return 0;
}

void
sighting_facts_free(struct sighting_facts *f)
{
	free((void *)f->facts.ptr);
	memset(f, 0, sizeof(*f));
}
