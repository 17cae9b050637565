#include "dane.h"

#include <string.h>

static const char *const states[] = { "none", "tls", "authenticate",
	"unknown" };

const char *
dane_state_name(enum dane_state state)
{
	return states[state];
}

enum dane_state
dane_state_parse(const char *name)
{
	for (unsigned i = 0; i < sizeof(states) / sizeof(*states); i++)
		if (strcmp(states[i], name) == 0)
			return (enum dane_state)i;
	return DANE_UNKNOWN;
}

bool
dane_usable(struct slice rdata)
{
	size_t bytes;

	if (rdata.len < 4 || (rdata.ptr[0] != 2 && rdata.ptr[0] != 3) ||
	    rdata.ptr[1] > 1)
		return false;
	bytes = rdata.len - 3;
	return rdata.ptr[2] == 0 || (rdata.ptr[2] == 1 && bytes == 32) ||
	    (rdata.ptr[2] == 2 && bytes == 64);
}

static void
add_name(struct dane_names *names, const char *name)
{
	if (name[0] != '\0')
		names->name[names->count++] = name;
}

struct dane_names
dane_names(const struct dane_way *way)
{
	struct dane_names names = { .count = 0 };

	add_name(&names, way->base_expanded);
	add_name(&names, way->base);
	if (way->mx_secure) {
		add_name(&names, way->next_hop);
		add_name(&names, way->next_hop_expanded);
	}
	return names;
}
