#include "counters.h"

static const struct {
	const char *name;
	enum counter_class class;
	const char *text;
} rows[COUNTERS] = {
#define COUNTER(id, name, class, text) { name, COUNTER_CLASS_##class, text },
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

enum counter_class
counter_class(enum counter which)
{
	return rows[which].class;
}

const char *counter_class_name(enum counter_class class)
{
	static const char *const names[] = { "traffic", "undecoded", "lost",
		"evicted", "odd" };

	return names[class];
}
