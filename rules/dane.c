#include "dane.h"

static const char *const names[] = { "none", "tls", "authenticate", "unknown" };

const char *
dane_state_name(enum dane_state state)
{
	return names[state];
}

enum dane_state
dane_state_parse(const char *name)
{
	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(names[i], name) == 0)
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
