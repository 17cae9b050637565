#include "retention_options.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* "30" or "30d" is days, "12h" hours; "4G" is a size, "100000" a number. */
enum unit { UNIT_AGE, UNIT_ROWS, UNIT_BYTES };

static const struct {
	const char *name, *value_name, *help;
	enum unit unit;
	size_t offset;
} table[RETENTION_OPTIONS] = {
	{ "keep-history", "DAYS",
	    "age of kept sessions without an incident, of profiles, attempts "
	    "and counts (30; 0: for good)",
	    UNIT_AGE, offsetof(struct retention_limits, history_ns) },
	{ "keep-evidence", "DAYS",
	    "age of incidents, their evidence and their sessions (180; 0: for "
	    "good)",
	    UNIT_AGE, offsetof(struct retention_limits, evidence_ns) },
	{ "keep-rows", "N",
	    "kept sessions, profiles and attempts, of each (1,000,000; 0: no "
	    "limit); the oldest go, but no session of an incident",
	    UNIT_ROWS, offsetof(struct retention_limits, rows) },
	{ "keep-incidents", "N",
	    "incidents (100,000; 0: no limit); the oldest go first", UNIT_ROWS,
	    offsetof(struct retention_limits, incidents) },
	{ "keep-bytes", "BYTES",
	    "size of the database with its write-ahead log (4G; 0: no limit); "
	    "history goes first, then incidents, the oldest first",
	    UNIT_BYTES, offsetof(struct retention_limits, bytes) },
};

void
retention_option_rows(struct option_row rows[RETENTION_OPTIONS], int letter)
{
	for (int i = 0; i < RETENTION_OPTIONS; i++)
		rows[i] = (struct option_row){ table[i].name, letter + i,
			table[i].value_name, table[i].help };
}

/* What the letter behind a number makes of it; 0: no such letter. */
static uint64_t
factor(enum unit unit, char letter)
{
	static const struct {
		enum unit unit;
		char letter;
		uint64_t factor;
	} units[] = {
		{ UNIT_AGE, '\0', UINT64_C(86400) * 1000000000 },
		{ UNIT_AGE, 'D', UINT64_C(86400) * 1000000000 },
		{ UNIT_AGE, 'H', UINT64_C(3600) * 1000000000 },
		{ UNIT_ROWS, '\0', 1 },
		{ UNIT_BYTES, '\0', 1 },
		{ UNIT_BYTES, 'K', UINT64_C(1) << 10 },
		{ UNIT_BYTES, 'M', UINT64_C(1) << 20 },
		{ UNIT_BYTES, 'G', UINT64_C(1) << 30 },
		{ UNIT_BYTES, 'T', UINT64_C(1) << 40 },
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (units[i].unit == unit &&
		    units[i].letter == toupper((unsigned char)letter))
			return units[i].factor;
	return 0;
}

static int
say(const char *command, int i, const char *value)
{
	static const char *const remedy[] = {
		[UNIT_AGE] = "is not a number of days; write 30, or 12h",
		[UNIT_ROWS] = "is not a number",
		[UNIT_BYTES] = "is not a size of 4M or more; write 500M, 4G",
	};

	complain("%s: --%s: \"%s\" %s", command, table[i].name, value,
	    remedy[table[i].unit]);
	return -1;
}

int
retention_option(const char *command, struct retention_limits *limits, int i,
    const char *value)
{
	enum unit unit = table[i].unit;
	char *end;
	unsigned long long number;
	uint64_t times, result;

	errno = 0;
	number = strtoull(value, &end, 10);
	times = factor(unit, *end);
	if (!isdigit((unsigned char)value[0]) || errno != 0 || times == 0 ||
	    (*end != '\0' && end[1] != '\0') || number > INT64_MAX / times)
		return say(command, i, value);
	result = number * times;
	if (unit == UNIT_BYTES && result > 0 && result < RETENTION_BYTES_MIN)
		return say(command, i, value);
	memcpy((char *)limits + table[i].offset, &result, sizeof(result));
	return 0;
}
