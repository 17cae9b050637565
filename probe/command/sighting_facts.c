#include "sighting_facts.h"

#include <stdlib.h>
#include <string.h>

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

void
sighting_facts_free(struct sighting_facts *f)
{
	free((void *)f->facts.ptr);
	memset(f, 0, sizeof(*f));
}
