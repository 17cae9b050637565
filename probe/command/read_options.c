#include "read_options.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	OPTION_POLICY = 300,
	OPTION_RULES,
	OPTION_KEEP_ADDRESSES,
	OPTION_EVE,
	OPTION_ALERT_FROM,
	OPTION_ALERT_ONCE,
	OPTION_FACTS,
	OPTION_PORTS,
	OPTION_ANY_PORT,
	OPTION_NO_ANY_PORT,
	OPTION_TRUST,
	OPTION_VANTAGE,
	OPTION_PRIOR,
	OPTION_ISOLATED,
	OPTION_SEPARATE,
	OPTION_STRICT,
	OPTION_REASSEMBLER,
	OPTION_CROSS_CHECK,
	OPTION_BUDGET, /* and so on, one a row of `budgets` */
};

/*
 * Everything that is bounded: option, default, what is shed first, and the
 * counter that tells of it. The first five are shared out among the shards,
 * a sixty-fourth each: what one pair of addresses does falls into one of them.
 */
static const struct {
	const char *option, *value_name, *help;
	size_t offset;
	size_t standard;
} budgets[] = {
	{ "max-flows", "N",
	    "TCP flows at a time (262,144); those of which only the start was "
	    "seen go first, then those that nobody answers, inside TLS, not "
	    "yet SMTP, greeted, negotiating: flow.evicted_*",
	    offsetof(struct run_options, shards.budgets.flows), 262144 },
	{ "max-out-of-order", "BYTES",
	    "segments that wait (64M), half of it for negotiations only; the "
	    "hole before them is given up, or the segment: "
	    "tcp.segment_memcap_drop",
	    offsetof(struct run_options, shards.budgets.out_of_order_bytes),
	    64 << 20 },
	{ "max-fragments", "BYTES",
	    "incomplete IP datagrams (16M); the oldest go first: "
	    "defrag.memcap",
	    offsetof(struct run_options, shards.budgets.fragment_bytes),
	    16 << 20 },
	{ "max-negotiations", "BYTES",
	    "what is kept of dialogues until it is decided on, lines and "
	    "segments (128M); long replies and second copies find no room "
	    "from half of it on (smtp.memcap, tcp.watch_memcap), from three "
	    "quarters on those go that nobody answers, and the longest "
	    "(flow.evicted_*), then later ones are not kept (smtp.memcap)",
	    offsetof(struct run_options, shards.budgets.negotiation_bytes),
	    128 << 20 },
	{ "max-dns-queries", "N",
	    "DNS queries that wait for their answer (65,536); the oldest go "
	    "first: dns.memcap",
	    offsetof(struct run_options, shards.budgets.dns_queries), 65536 },
	{ "max-open", "BYTES",
	    "facts of sessions that have not ended (256M); nothing more is "
	    "kept of any that then needs room: unjudged.over-limit",
	    offsetof(struct run_options, judge.open_bytes), 256 << 20 },
	{ "max-profiles", "N",
	    "lines of history a capture adds (32,768); the highest hashes "
	    "stay: profiles_shed",
	    offsetof(struct run_options, judge.profiles), 32768 },
	{ "max-dns", "N",
	    "answers of DNS that are remembered of a capture (32,768); the "
	    "highest hashes stay, MX, TXT and TLSA before addresses: dns_shed",
	    offsetof(struct run_options, judge.dns), 32768 },
	{ "max-attempts", "N",
	    "sessions a capture adds by which others are explained: TLS that "
	    "failed, and mail in clear that may be a retry (32,768); failures "
	    "stay longest, then the highest hashes: attempts_shed",
	    offsetof(struct run_options, judge.attempts), 32768 },
	{ "max-clear", "N",
	    "lines a capture adds of clear text to domains that forbid it "
	    "(32,768); the lowest addresses of clients stay: clear_shed",
	    offsetof(struct run_options, judge.clear), 32768 },
	{ "max-cross-check", "BYTES",
	    "negotiations that are compared (64M); later ones are not: "
	    "crosscheck.memcap",
	    offsetof(struct run_options, cross_check_bytes), 64 << 20 },
	{ "max-kept", "N",
	    "sessions that are kept in all (100,000); the highest identities "
	    "stay: kept_shed",
	    offsetof(struct run_options, kept_max), 100000 },
};
#define BUDGETS (sizeof(budgets) / sizeof(*budgets))

static const struct option_row own_rows[] = {
	{ "threads", 'j', "N",
	    "threads in all (default: the cores there are)" },
	{ "policy", OPTION_POLICY, "[DOMAIN=]FILE",
	    "an MTA-STS policy, added as by policy add; may be repeated "
	    "(without DOMAIN the file is called after it: example.org.txt)" },
	{ "prior", OPTION_PRIOR, "P",
	    "how probable tampering is before any evidence (1/30)" },
	{ "ports", OPTION_PORTS, "LIST", "mail ports (25,587,2525)" },
	{ "any-port", OPTION_ANY_PORT, NULL,
	    "SMTP on other ports too, by its greeting (default)" },
	{ "no-any-port", OPTION_NO_ANY_PORT, NULL, "mail ports only" },
	{ "facts", OPTION_FACTS, NULL,
	    "print what was understood, one JSON object a fact" },
	{ "eve", OPTION_EVE, "FILE|-", "append alerts as EVE JSON" },
	{ "alert-from", OPTION_ALERT_FROM, "WORD",
	    "likely (default) or possible: what --eve writes" },
	{ "alert-once", OPTION_ALERT_ONCE, NULL,
	    "of the repetitions of one act only the first, with their count: "
	    "see incidents --campaigns" },
	{ "keep-addresses", OPTION_KEEP_ADDRESSES, NULL,
	    "keep local parts of mail addresses (never bodies, never "
	    "credentials)" },
	{ "isolated", OPTION_ISOLATED, NULL,
	    "use nothing but the files given, and known policies; write "
	    "nothing" },
	{ "separate", OPTION_SEPARATE, NULL,
	    "files given together do not share flows" },
	{ "reassembler", OPTION_REASSEMBLER, "WORD",
	    "native (default), or libnids: the classic engine, IPv4 and whole "
	    "connections, on one thread" },
	{ "cross-check", OPTION_CROSS_CHECK, NULL,
	    "have libnids read each negotiation too, on one thread, and say "
	    "where the engines differ" },
	{ "vantage", OPTION_VANTAGE, "NAME", "where this was captured" },
	{ "rules", OPTION_RULES, "DIR",
	    "keywords.tsv, products.tsv, masks.tsv instead of the built-in "
	    "ones" },
	{ "trust", OPTION_TRUST, "FILE|DIR",
	    "CA certificates, PEM, that chains are verified against (default: "
	    "the system's)" },
	{ "strict", OPTION_STRICT, NULL,
	    "exit status 2 when sessions could not be judged, or the engines "
	    "differ in a way that is not known" },
};
#define OWN_ROWS (sizeof(own_rows) / sizeof(*own_rows))

static int
say(const char *option, const char *value, const char *remedy)
{
	complain("read: --%s: \"%s\" %s", option, value, remedy);
	return -1;
}

/* "64M": octets or a count, at least 1. */
static int
parse_size(const char *option, const char *text, size_t *out)
{
	char *end;
	unsigned long long value;
	unsigned shift = 0;

	errno = 0;
	value = strtoull(text, &end, 10);
	switch (toupper((unsigned char)*end)) {
	case 'G':
		shift += 10; /* fall through */
	case 'M':
		shift += 10; /* fall through */
	case 'K':
		shift += 10;
		end++;
		break;
	}
	if (!isdigit((unsigned char)text[0]) || *end != '\0' || errno != 0 ||
	    value == 0 || value > SIZE_MAX / 2 >> shift)
		return say(option, text, "is not a size; write 4096, 64M, 1G");
	*out = (size_t)value << shift;
	return 0;
}

static int
parse_prior(const char *text, double *out)
{
	char *end;
	double value = strtod(text, &end);

	if (*end == '/' && end != text) {
		double divisor = strtod(end + 1, &end);

		value = divisor > 0 ? value / divisor : -1;
	}
	if (*end != '\0' || end == text || !(value > 0) || !(value < 1))
		return say("prior", text,
		    "is not between 0 and 1; write 0.03 or 1/30");
	*out = value;
	return 0;
}

static int
parse_ports(const char *text, struct shard_config *out)
{
	const char *at = text;

	out->mail_port_count = 0;
	for (;;) {
		char *end;
		unsigned long port = strtoul(at, &end, 10);

		if (end == at || port == 0 || port > 65535 ||
		    (*end != ',' && *end != '\0') ||
		    out->mail_port_count == MAIL_PORTS_MAX)
			return say("ports", text,
			    "is not a list of ports; write 25,587");
		out->mail_ports[out->mail_port_count++] = (uint16_t)port;
		if (*end == '\0')
			return 0;
		at = end + 1;
	}
}

static int
parse_threads(const char *text, unsigned *out)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (end == text || *end != '\0' || value == 0 || value > 256)
		return say("threads", text, "is not a number from 1 to 256");
	*out = (unsigned)value;
	return 0;
}

static int
add_policy(struct read_options *o, const char *text)
{
	if (text[0] == '\0' || text[0] == '=' || text[strlen(text) - 1] == '=')
		return say("policy", text,
		    "does not say whose it is; write "
		    "example.org=mta-sts.txt");
	if (o->policy_count == READ_POLICIES_MAX)
		return say("policy", text, "is one too many; use policy add");
	o->policies[o->policy_count++] = text;
	return 0;
}

static int
readable(const char *option, const char *path)
{
	if (access(path, R_OK) == 0)
		return 0;
	complain("read: --%s: %s: %s", option, path, strerror(errno));
	return -1;
}

static int
parse_alert_from(struct read_options *o, const char *text)
{
	o->alert_possible = strcmp(text, "possible") == 0;
	if (o->alert_possible || strcmp(text, "likely") == 0)
		return 0;
	return say("alert-from", text, "is neither likely nor possible");
}

static int
parse_reassembler(const char *text, enum reassembler *out)
{
	*out = strcmp(text, "libnids") == 0 ? REASSEMBLER_LIBNIDS :
					      REASSEMBLER_NATIVE;
	if (*out == REASSEMBLER_LIBNIDS || strcmp(text, "native") == 0)
		return 0;
	return say("reassembler", text, "is neither native nor libnids");
}

static int
on_option(void *context, int letter, const char *value)
{
	struct read_options *o = context;

	if (letter >= OPTION_BUDGET) {
		unsigned i = (unsigned)(letter - OPTION_BUDGET);

		return parse_size(budgets[i].option, value,
		    (size_t *)(void *)((char *)&o->run + budgets[i].offset));
	}
	switch (letter) {
	case 'j':
		o->threads_given = true;
		return parse_threads(value, &o->run.threads);
	case OPTION_POLICY:
		return add_policy(o, value);
	case OPTION_RULES:
		o->rules = value;
		return 0;
	case OPTION_KEEP_ADDRESSES:
		o->run.shards.smtp.keep_addresses = true;
		return 0;
	case OPTION_EVE:
		o->eve = value;
		return 0;
	case OPTION_ALERT_FROM:
		return parse_alert_from(o, value);
	case OPTION_ALERT_ONCE:
		o->alert_once = true;
		return 0;
	case OPTION_FACTS:
		o->facts = true;
		return 0;
	case OPTION_PORTS:
		return parse_ports(value, &o->run.shards);
	case OPTION_ANY_PORT:
	case OPTION_NO_ANY_PORT:
		o->run.shards.any_port = letter == OPTION_ANY_PORT;
		return 0;
	case OPTION_TRUST:
		o->trust = value;
		return readable("trust", value);
	case OPTION_VANTAGE:
		o->run.vantage = value;
		return 0;
	case OPTION_PRIOR:
		return parse_prior(value, &o->prior);
	case OPTION_ISOLATED:
		o->isolated = true;
		return 0;
	case OPTION_SEPARATE:
		o->run.separate = true;
		return 0;
	case OPTION_STRICT:
		o->strict = true;
		return 0;
	case OPTION_CROSS_CHECK:
		o->cross_check = true;
		return 0;
	case OPTION_REASSEMBLER:
		return parse_reassembler(value, &o->run.shards.reassembler);
	default:
		return -1;
	}
}

void
read_options_defaults(struct read_options *o)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	memset(o, 0, sizeof(*o));
	common_options_init(&o->common);
	o->run.threads = cores > 0 && cores < 256 ? (unsigned)cores : 1;
	o->run.vantage = "";
	o->run.shards.any_port = true;
	parse_ports("25,587,2525", &o->run.shards);
	o->prior = PRIOR_READ;
	for (size_t i = 0; i < BUDGETS; i++)
		*(size_t *)(void *)((char *)&o->run + budgets[i].offset) =
		    budgets[i].standard;
}

/* libnids keeps global state: it is one, and on one thread. */
static void
use_one_thread(struct read_options *o, const char *option)
{
	if (o->threads_given && o->run.threads > 1)
		complain("read: %s works on one thread; -j %u is left aside",
		    option, o->run.threads);
	o->run.threads = 1;
}

int
read_options_parse(struct read_options *o, int argc, char **argv)
{
	struct option_row rows[OWN_ROWS + BUDGETS + 1] = { { 0 } };
	struct command_syntax syntax = { "read",
		"read [OPTIONS] FILE|DIR|- ...",
		"Reads captures (pcap, pcapng, and gz or zst of these; a "
		"folder recursively, - is\nstandard input), judges the SMTP "
		"sessions in them, and keeps what it finds in the\n"
		"database. Reading the same capture again adds nothing.\n\n"
		"Exit status: 0 no incident of `likely` or above, 1 there is "
		"one, 2 something could\nnot be read to its end.",
		rows, on_option };
	int first;

	memcpy(rows, own_rows, sizeof(own_rows));
	for (size_t i = 0; i < BUDGETS; i++)
		rows[OWN_ROWS + i] = (struct option_row){ budgets[i].option,
			OPTION_BUDGET + (int)i, budgets[i].value_name,
			budgets[i].help };
	read_options_defaults(o);
	first = options_parse(&syntax, &o->common, o, argc, argv);
	if (first < 0)
		return first;
	if (first == argc) {
		usage_error(&syntax, "nothing to read");
		return -2;
	}
	if (o->common.format == FORMAT_CSV) {
		usage_error(&syntax, "csv is for incidents");
		return -2;
	}
	if (o->cross_check &&
	    o->run.shards.reassembler == REASSEMBLER_LIBNIDS) {
		usage_error(&syntax,
		    "--cross-check compares native with libnids; leave "
		    "--reassembler libnids out");
		return -2;
	}
	o->run.judge.kept = o->run.kept_max;
	if (o->run.shards.reassembler == REASSEMBLER_LIBNIDS)
		use_one_thread(o, "--reassembler libnids");
	if (o->cross_check)
		use_one_thread(o, "--cross-check");
	return first;
}
