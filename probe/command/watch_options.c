#include "watch_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "retention_options.h"

#define SPEED_MAX 1e6

static int
refuse(char wrong[SETTING_WRONG_BYTES], const char *why)
{
	snprintf(wrong, SETTING_WRONG_BYTES, "%s", why);
	return -1;
}

static int
add_source(struct watch_options *o, bool replay, const char *value,
    char wrong[SETTING_WRONG_BYTES])
{
	if (o->source_count > 0 && o->replay != replay)
		return refuse(wrong,
		    "does not go together with the other; interfaces are "
		    "watched, or files replayed");
	if (o->source_count == LIVE_SOURCES_MAX)
		return refuse(wrong, "is one too many; 16 are possible");
	o->replay = replay;
	o->sources[o->source_count++] = value;
	return 0;
}

static int
set_speed(struct watch_options *o, const char *value,
    char wrong[SETTING_WRONG_BYTES])
{
	char *end;

	o->speed = 0;
	if (strcmp(value, "max") == 0)
		return 0;
	o->speed = strtod(value, &end);
	if (end == value || *end != '\0' || !(o->speed > 0) ||
	    o->speed > SPEED_MAX)
		return refuse(wrong,
		    "is not a speed; write 1, 0.5, 10, or max");
	return 0;
}

static int
set(void *context, enum setting_id id, const struct setting_value *value,
    char wrong[SETTING_WRONG_BYTES])
{
	struct watch_options *o = context;
	bool yes = value->number != 0;

	switch ((int)id) {
	case SET_INTERFACE:
		return add_source(o, false, value->text, wrong);
	case SET_REPLAY:
		return add_source(o, true, value->text, wrong);
	case SET_FILTER:
		o->filter = value->text;
		return 0;
	case SET_SPEED:
		return set_speed(o, value->text, wrong);
	case SET_WATCH_PRIOR:
		o->read.prior = value->chance;
		return 0;
	case SET_WATCH_ANY_PORT:
		o->read.run.shards.any_port = yes;
		return 0;
	case SET_TUNNELS:
		o->tunnels = yes;
		return 0;
	case SET_WATCH_THREADS:
		o->threads = (unsigned)value->number;
		return 0;
	case SET_BUFFER:
		o->buffer_bytes = (size_t)value->number;
		return 0;
	case SET_SNAPLEN:
		o->snaplen = (size_t)value->number;
		return 0;
	case SET_ALERT_ALL:
		o->repeat = yes;
		return 0;
	case SET_LEARN:
		o->learn_ns = (int64_t)value->number;
		return 0;
	case SET_TEST_ALERT:
		o->test_alert = yes;
		return 0;
	case SET_USER:
		o->user = value->text;
		return 0;
	case SET_SYSLOG:
		o->syslog = value->text;
		return 0;
	case SET_METRICS:
		o->metrics = value->text;
		return 0;
	case SET_STATS_INTERVAL:
		o->stats_interval_s = (unsigned)value->number;
		return 0;
	default:
		if (retention_set(&o->keep, id, value))
			return 0;
		return read_options_set(&o->read, id, value, wrong);
	}
}

int
watch_options_parse(struct watch_options *o, int argc, char **argv)
{
	int first;

	memset(o, 0, sizeof(*o));
	o->read.run.vantage = "";
	first =
	    options_parse(COMMAND_WATCH, &o->read.common, set, o, argc, argv);
	if (first < 0)
		return first;
	if (first < argc) {
		usage_error(COMMAND_WATCH,
		    "\"%s\" is too much; interfaces go with -i", argv[first]);
		return -2;
	}
	if (o->source_count == 0 && !o->test_alert) {
		usage_error(COMMAND_WATCH, "nothing to watch");
		return -2;
	}
	if (o->replay && o->filter != NULL) {
		usage_error(COMMAND_WATCH, "-f is for interfaces");
		return -2;
	}
	if (read_options_check_engine(&o->read, COMMAND_WATCH, &o->threads,
		true) != 0)
		return -2;
	/* A file is read in its order. */
	if (o->replay)
		o->threads = 1;
	o->read.run.judge.kept = o->read.run.kept_max;
	return first;
}
