#include "counters.h"

static const struct {
	const char *name, *text;
} rows[COUNTERS] = {
#define COUNTER(id, name, text) { name, text },
#include "counters.def"
#undef COUNTER
};

void
counters_add(struct counters *sum, const struct counters *more)
{
	for (int i = 0; i < COUNTERS; i++)
		sum->of[i] += more->of[i];
}

const char *
counter_name(enum counter which)
{
	return rows[which].name;
}

const char *
counter_text(enum counter which)
{
	return rows[which].text;
}
