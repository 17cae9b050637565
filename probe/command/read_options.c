#include "read_options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Where the bounds go. */
static const struct {
	enum setting_id id;
	size_t offset;
} budgets[] = {
	{ SET_MAX_FLOWS, offsetof(struct run_options, shards.budgets.flows) },
	{ SET_MAX_OUT_OF_ORDER,
	    offsetof(struct run_options, shards.budgets.out_of_order_bytes) },
	{ SET_MAX_FRAGMENTS,
	    offsetof(struct run_options, shards.budgets.fragment_bytes) },
	{ SET_MAX_NEGOTIATIONS,
	    offsetof(struct run_options, shards.budgets.negotiation_bytes) },
	{ SET_MAX_DNS_QUERIES,
	    offsetof(struct run_options, shards.budgets.dns_queries) },
	{ SET_MAX_OPEN, offsetof(struct run_options, judge.open_bytes) },
	{ SET_MAX_PROFILES, offsetof(struct run_options, judge.profiles) },
	{ SET_MAX_DNS, offsetof(struct run_options, judge.dns) },
	{ SET_MAX_ATTEMPTS, offsetof(struct run_options, judge.attempts) },
	{ SET_MAX_CLEAR, offsetof(struct run_options, judge.clear) },
	{ SET_MAX_CROSS_CHECK,
	    offsetof(struct run_options, cross_check_bytes) },
	{ SET_MAX_KEPT, offsetof(struct run_options, kept_max) },
};

static int
set_budget(struct run_options *run, enum setting_id id, uint64_t size)
{
	for (size_t i = 0; i < sizeof(budgets) / sizeof(*budgets); i++)
		if (budgets[i].id == id)
			*(size_t *)(void *)((char *)run + budgets[i].offset) =
			    (size_t)size;
	return 0;
}

static int
set_ports(struct shard_config *out, const char *text,
    char wrong[SETTING_WRONG_BYTES])
{
	out->mail_port_count = 0;
	while (text != NULL) {
		if (out->mail_port_count == MAIL_PORTS_MAX) {
			snprintf(wrong, SETTING_WRONG_BYTES,
			    "is a list of more than %d ports", MAIL_PORTS_MAX);
			return -1;
		}
		out->mail_ports[out->mail_port_count++] =
		    (uint16_t)setting_port(text, &text);
	}
	return 0;
}

static int
add_policy(struct read_options *o, const char *text,
    char wrong[SETTING_WRONG_BYTES])
{
	if (text[0] == '\0' || text[0] == '=' ||
	    text[strlen(text) - 1] == '=') {
		snprintf(wrong, SETTING_WRONG_BYTES,
		    "does not say whose it is; write "
		    "example.org=mta-sts.txt");
		return -1;
	}
	if (o->policy_count == READ_POLICIES_MAX) {
		snprintf(wrong, SETTING_WRONG_BYTES,
		    "is one too many; use policy add");
		return -1;
	}
	o->policies[o->policy_count++] = text;
	return 0;
}

static int
set_trust(struct read_options *o, const char *path,
    char wrong[SETTING_WRONG_BYTES])
{
	o->trust = path;
	if (access(path, R_OK) == 0)
		return 0;
	snprintf(wrong, SETTING_WRONG_BYTES, "cannot be read: %s",
	    strerror(errno));
	return -1;
}

int
read_options_set(void *context, enum setting_id id,
    const struct setting_value *value, char wrong[SETTING_WRONG_BYTES])
{
	struct read_options *o = context;
	bool yes = value->number != 0;

	switch ((int)id) {
	case SET_THREADS:
		o->threads_given = true;
		o->run.threads = (unsigned)value->number;
		return 0;
	case SET_POLICY:
		return add_policy(o, value->text, wrong);
	case SET_RULES:
		o->rules = value->text;
		return 0;
	case SET_KEEP_ADDRESSES:
		o->run.shards.smtp.keep_addresses = yes;
		return 0;
	case SET_EVE:
		o->eve = value->text;
		return 0;
	case SET_ALERT_FROM:
		o->alert_possible = yes; /* the second word */
		return 0;
	case SET_ALERT_ONCE:
		o->alert_once = yes;
		return 0;
	case SET_FACTS:
		o->facts = true;
		return 0;
	case SET_PORTS:
		return set_ports(&o->run.shards, value->text, wrong);
	case SET_ANY_PORT:
		o->run.shards.any_port = yes;
		return 0;
	case SET_TRUST:
		return set_trust(o, value->text, wrong);
	case SET_VANTAGE:
		o->run.vantage = value->text;
		return 0;
	case SET_PRIOR:
		o->prior = value->chance;
		return 0;
	case SET_ISOLATED:
		o->isolated = true;
		return 0;
	case SET_SEPARATE:
		o->run.separate = true;
		return 0;
	case SET_STRICT:
		o->strict = true;
		return 0;
	case SET_CROSS_CHECK:
		o->cross_check = true;
		return 0;
	case SET_REASSEMBLER:
		o->run.shards.reassembler = yes ? REASSEMBLER_LIBNIDS :
						  REASSEMBLER_NATIVE;
		return 0;
	default:
		return set_budget(&o->run, id, value->number);
	}
}

static void
clear(struct read_options *o)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	memset(o, 0, sizeof(*o));
	o->run.threads = cores > 0 && cores < 256 ? (unsigned)cores : 1;
	o->run.vantage = "";
}

void
read_options_defaults(struct read_options *o)
{
	clear(o);
	options_defaults(COMMAND_READ, &o->common, read_options_set, o);
}

int
read_options_check_engine(const struct read_options *o, enum command command,
    unsigned *threads, bool asked)
{
	bool libnids = o->run.shards.reassembler == REASSEMBLER_LIBNIDS;

	if (o->cross_check && libnids) {
		usage_error(command,
		    "--cross-check compares native with libnids; leave "
		    "--reassembler libnids out");
		return -1;
	}
	if (!o->cross_check && !libnids)
		return 0;
	if (asked && *threads > 1)
		complain("%s: %s works on one thread; -j %u is left aside",
		    command_row(command)->name,
		    libnids ? "--reassembler libnids" : "--cross-check",
		    *threads);
	*threads = 1;
	return 0;
}

int
read_options_parse(struct read_options *o, int argc, char **argv)
{
	int first;

	clear(o);
	first = options_parse(COMMAND_READ, &o->common, read_options_set, o,
	    argc, argv);
	if (first < 0)
		return first;
	if (first == argc) {
		usage_error(COMMAND_READ, "nothing to read");
		return -2;
	}
	if (read_options_check_engine(o, COMMAND_READ, &o->run.threads,
		o->threads_given) != 0)
		return -2;
	o->run.judge.kept = o->run.kept_max;
	return first;
}
