#include "settings.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/retention.h"

#define ON(command) (UINT64_C(1) << COMMAND_##command)
#define EVERY ((UINT64_C(1) << COMMANDS) - 1)
#define SEEING (ON(READ) | ON(WATCH))
#define ASKING (COUNTING | ON(STUDY_EXPORT))
#define COUNTING (ON(STUDY_TABLE) | ON(STUDY_PLOT))
#define FETCHING (ON(POLICY_FETCH) | ON(POLICY_REFRESH))

static const struct command_row command_rows[] = {
#define COMMAND(id, name, usage, prints, summary, about) \
	{ name, usage, prints, summary, about },
#include "commands.def"
#undef COMMAND
};

static const struct setting settings[] = {
#define SETTING(id, commands, name, letter, argument, kind, least, most, \
    flags, standard, key, help, manual)                                  \
	{ commands, name, letter, argument, kind, least, most, flags,    \
		standard, key, help, manual },
#include "settings.def"
#undef SETTING
};

const struct command_row *
command_row(enum command command)
{
	return &command_rows[command];
}

const struct setting *
setting(enum setting_id id)
{
	return &settings[id];
}

bool
setting_is_for(enum setting_id id, enum command command)
{
	return settings[id].commands >> command & 1;
}

int
setting_of_key(const char *key, enum command command)
{
	for (int i = 0; i < SETTINGS; i++)
		if (settings[i].key != NULL &&
		    strcmp(settings[i].key, key) == 0 &&
		    (command == COMMANDS ||
			setting_is_for((enum setting_id)i, command)))
			return i;
	return -1;
}

static const char *
nearer(const char *word, const char *best, const char *other)
{
	if (other == NULL)
		return best;
	return best == NULL ||
		word_distance(word, other) < word_distance(word, best) ?
	    other :
	    best;
}

const char *
setting_nearest_key(const char *key)
{
	const char *best = NULL;

	for (int i = 0; i < SETTINGS; i++)
		best = nearer(key, best, settings[i].key);
	return best;
}

const char *
setting_nearest_option(const char *name, enum command command)
{
	const char *best = NULL;

	for (int i = 0; i < SETTINGS; i++)
		if (setting_is_for((enum setting_id)i, command))
			best = nearer(name, best, settings[i].name);
	return best;
}

/* A long number is read by its groups: 262,144. */
static void
write_grouped(const char *digits, char *out, size_t room)
{
	size_t n = strlen(digits), used = 0;

	for (size_t i = 0; i < n && used + 2 < room; i++) {
		if (i > 0 && n > 4 && (n - i) % 3 == 0)
			out[used++] = ',';
		out[used++] = digits[i];
	}
	out[used] = '\0';
}

const char *
setting_help(enum setting_id id, char out[SETTING_HELP_BYTES])
{
	const struct setting *s = &settings[id];
	const char *place = strstr(s->help, "{}");
	char standard[64];

	if (place == NULL || s->standard == NULL) {
		snprintf(out, SETTING_HELP_BYTES, "%s", s->help);
		return out;
	}
	if (s->standard[strspn(s->standard, "0123456789")] == '\0')
		write_grouped(s->standard, standard, sizeof(standard));
	else
		snprintf(standard, sizeof(standard), "%s", s->standard);
	snprintf(out, SETTING_HELP_BYTES, "%.*s%s%s", (int)(place - s->help),
	    s->help, standard, place + 2);
	return out;
}

/* --- values -------------------------------------------------------------- */

static bool
parse_number(const char *text, uint64_t least, uint64_t most, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 10);
	return isdigit((unsigned char)text[0]) && *end == '\0' && errno == 0 &&
	    *out >= least && *out <= most;
}

/* What the letter behind a number makes of it; 0: no such letter. */
static uint64_t
factor(enum value_kind kind, char letter)
{
	static const struct {
		enum value_kind kind;
		char letter;
		uint64_t factor;
	} units[] = {
		{ VALUE_AGE, '\0', UINT64_C(86400) * 1000000000 },
		{ VALUE_AGE, 'D', UINT64_C(86400) * 1000000000 },
		{ VALUE_AGE, 'H', UINT64_C(3600) * 1000000000 },
		{ VALUE_SIZE, '\0', 1 },
		{ VALUE_SIZE, 'K', UINT64_C(1) << 10 },
		{ VALUE_SIZE, 'M', UINT64_C(1) << 20 },
		{ VALUE_SIZE, 'G', UINT64_C(1) << 30 },
		{ VALUE_SIZE, 'T', UINT64_C(1) << 40 },
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (units[i].kind == kind &&
		    units[i].letter == toupper((unsigned char)letter))
			return units[i].factor;
	return 0;
}

static bool
parse_units(const struct setting *s, const char *text, uint64_t *out)
{
	char *end;
	uint64_t value, times;

	errno = 0;
	value = strtoull(text, &end, 10);
	times = factor(s->kind, *end);
	if (!isdigit((unsigned char)text[0]) || errno != 0 || times == 0 ||
	    (*end != '\0' && end[1] != '\0') || value > INT64_MAX / times)
		return false;
	*out = value * times;
	if (value == 0)
		return s->flags & ZERO;
	return *out >= s->least;
}

static bool
parse_chance(const char *text, double *out)
{
	char *end;
	double value = strtod(text, &end);

	if (*end == '/' && end != text) {
		double divisor = strtod(end + 1, &end);

		value = divisor > 0 ? value / divisor : -1;
	}
	*out = value;
	return *end == '\0' && end != text && value > 0 && value < 1;
}

/* Which of the words of "native|libnids". */
static bool
parse_word(const char *words, const char *text, uint64_t *out)
{
	size_t n = strlen(text);

	for (*out = 0;; words++, ++*out) {
		size_t length = strcspn(words, "|");

		if (length == n && memcmp(words, text, n) == 0)
			return true;
		words += length;
		if (*words == '\0')
			return false;
	}
}

unsigned
setting_port(const char *text, const char **next)
{
	char *end;
	unsigned long port = strtoul(text, &end, 10);

	*next = *end == ',' ? end + 1 : NULL;
	if (!isdigit((unsigned char)text[0]) || port > 65535 ||
	    (*end != ',' && *end != '\0'))
		return 0;
	return (unsigned)port;
}

static bool
are_ports(const char *text)
{
	while (text != NULL)
		if (setting_port(text, &text) == 0)
			return false;
	return true;
}

/* What a value should have been. */
static void
say_wrong(const struct setting *s, char wrong[SETTING_WRONG_BYTES])
{
	static const char *const remedies[] = {
		[VALUE_FLAG] = "is neither yes nor no",
		[VALUE_SWITCH] = "is neither yes nor no",
		[VALUE_SIZE] = "is not a size; write 4096, 64M, 1G",
		[VALUE_AGE] = "is not a number of days; write 30, or 12h",
		[VALUE_CHANCE] = "is not between 0 and 1; write 0.03 or 1/30",
		[VALUE_TIME] = "is not a time; write 2026-03-01 or "
			       "2026-03-01T10:15:00Z",
		[VALUE_PORTS] = "is not a list of ports; write 25,587",
	};
	const char *bar;

	if (s->kind == VALUE_NUMBER && s->most < INT64_MAX)
		snprintf(wrong, SETTING_WRONG_BYTES,
		    "is not a number from %llu to %llu",
		    (unsigned long long)s->least, (unsigned long long)s->most);
	else if (s->kind == VALUE_NUMBER)
		snprintf(wrong, SETTING_WRONG_BYTES, "is not a number");
	else if (s->kind == VALUE_SIZE && s->least > 0)
		snprintf(wrong, SETTING_WRONG_BYTES,
		    "is not a size of %lluM or more; write 500M, 4G",
		    (unsigned long long)s->least >> 20);
	else if (s->kind != VALUE_WORD)
		snprintf(wrong, SETTING_WRONG_BYTES, "%s", remedies[s->kind]);
	else if (bar = strchr(s->argument, '|'), strchr(bar + 1, '|') == NULL)
		snprintf(wrong, SETTING_WRONG_BYTES, "is neither %.*s nor %s",
		    (int)(bar - s->argument), s->argument, bar + 1);
	else
		snprintf(wrong, SETTING_WRONG_BYTES, "is none of %s",
		    s->argument);
}

bool
setting_parse(enum setting_id id, const char *text, struct setting_value *out,
    char wrong[SETTING_WRONG_BYTES])
{
	const struct setting *s = &settings[id];
	bool good = true;

	*out = (struct setting_value){ .text = text };
	switch (s->kind) {
	case VALUE_FLAG:
	case VALUE_SWITCH:
		good = parse_word("no|yes", text, &out->number);
		break;
	case VALUE_NUMBER:
		good = parse_number(text, s->least, s->most, &out->number);
		break;
	case VALUE_SIZE:
	case VALUE_AGE:
		good = parse_units(s, text, &out->number);
		break;
	case VALUE_CHANCE:
		good = parse_chance(text, &out->chance);
		break;
	case VALUE_TIME:
		good = time_parse(text, &out->time_ns);
		break;
	case VALUE_WORD:
		good = parse_word(s->argument, text, &out->number);
		break;
	case VALUE_PORTS:
		good = are_ports(text);
		break;
	case VALUE_KIND:
	case VALUE_FILE:
	case VALUE_FOLDER:
	case VALUE_TEXT:
	case VALUE_SITE:
		break;
	}
	if (!good)
		say_wrong(s, wrong);
	return good;
}

bool
time_parse(const char *text, int64_t *ns)
{
	struct tm utc = { 0 }, date;
	const char *rest = strptime(text, "%Y-%m-%d", &utc);
	int64_t fraction = 0;
	time_t seconds;

	date = utc;
	/* What nanoseconds in 64 bits hold; strptime() takes 30 February. */
	if (rest == NULL || utc.tm_year < 70 || utc.tm_year > 190 ||
	    timegm(&date) < 0 || date.tm_mday != utc.tm_mday)
		return false;
	if (*rest == 'T' || *rest == 't' || *rest == ' ') {
		rest = strptime(rest + 1, "%H:%M:%S", &utc);
		if (rest == NULL)
			return false;
		if (*rest == '.') {
			int64_t unit = 100000000;

			for (rest++; isdigit((unsigned char)*rest); rest++) {
				fraction += (*rest - '0') * unit;
				unit /= 10;
			}
		}
	}
	seconds = timegm(&utc);
	if (*rest == 'Z' || *rest == 'z') {
		rest++;
	} else if (*rest == '+' || *rest == '-') {
		int hours, minutes, sign = *rest == '-' ? 1 : -1;

		if (sscanf(rest + 1, "%2d:%2d", &hours, &minutes) != 2 ||
		    strlen(rest) != 6)
			return false;
		seconds += sign * (hours * 3600 + minutes * 60);
		rest += 6;
	}
	if (*rest != '\0')
		return false;
	*ns = (int64_t)seconds * 1000000000 + fraction;
	return true;
}

unsigned
word_distance(const char *a, const char *b)
{
	unsigned row[32], n = (unsigned)strlen(b);

	if (n >= 32)
		return 99;
	for (unsigned j = 0; j <= n; j++)
		row[j] = j;
	for (; *a != '\0'; a++) {
		unsigned diagonal = row[0]++;

		for (unsigned j = 1; j <= n; j++) {
			unsigned above = row[j];
			unsigned best = diagonal + (*a != b[j - 1]);

			best = above + 1 < best ? above + 1 : best;
			best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
			diagonal = above;
			row[j] = best;
		}
	}
	return row[n];
}
