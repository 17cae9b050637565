#include "incident_find.h"

#include <stdio.h>
#include <string.h>

#define CANDIDATES_SHOWN 5

struct finding {
	struct incident *out;
	unsigned matches;
	char candidates[CANDIDATES_SHOWN][INCIDENT_ID_BYTES];
};

static int
on_match(void *context, const struct incident *in)
{
	struct finding *f = context;

	if (f->matches == 0)
		*f->out = *in;
	if (f->matches < CANDIDATES_SHOWN)
		memcpy(f->candidates[f->matches], in->id, sizeof(in->id));
	f->matches++;
	return 0;
}

static int
say_ambiguous(const struct finding *f, const char *prefix)
{
	complain("\"%s\" begins %u incidents; which one?", prefix, f->matches);
	for (unsigned i = 0; i < f->matches && i < CANDIDATES_SHOWN; i++)
		fprintf(stderr, "  %s\n", f->candidates[i]);
	return STATUS_ERROR;
}

int
incident_find(struct store *store, enum command command, const char *prefix,
    struct incident *out)
{
	char lower[INCIDENT_ID_BYTES] = "";
	struct incident_filter filter = { .all = true, .id_prefix = lower };
	struct finding f = { .out = out };

	if (prefix[0] == '\0' ||
	    prefix[strspn(prefix, "0123456789abcdefABCDEF")] != '\0')
		return usage_error(command, "\"%s\" is not an incident's id",
		    prefix);
	for (size_t i = 0; prefix[i] != '\0' && i + 1 < sizeof(lower); i++)
		lower[i] = (char)(prefix[i] >= 'A' && prefix[i] <= 'F' ?
			prefix[i] + 'a' - 'A' :
			prefix[i]);
	if (store_each_incident(store, &filter, on_match, &f) < 0) {
		complain("%s", store_error(store));
		return STATUS_ERROR;
	}
	if (f.matches > 1)
		return say_ambiguous(&f, prefix);
	if (f.matches == 0) {
		complain("no incident \"%s\"; striplight incidents --all "
			 "lists them",
		    prefix);
		return STATUS_NO;
	}
	return STATUS_OK;
}
