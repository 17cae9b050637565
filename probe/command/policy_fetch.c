/* `policy fetch`, `policy refresh`: what domains demand, asked of them. */
#include "policy_fetch.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
	OPTION_LIST = 256,
	OPTION_RESOLVER,
	OPTION_TRUST_ANCHOR,
	OPTION_TRUST,
	OPTION_PARALLEL,
	OPTION_TIMEOUT,
	OPTION_PRIVATE,
	OPTION_PORT,
};

#define LINE_MAX_BYTES 1024
#define PARALLEL_MAX 64

struct fetching {
	struct fetch_options options;
	const char *list;
	const struct common_options *common;
	struct store *store;
	char (*domains)[DOMAIN_TEXT_BYTES];
	size_t count, room;
	char (*changed)[DOMAIN_TEXT_BYTES];
	size_t changed_count;
	size_t done, failures; /* unobtainable, or lookup failed */
	bool progress, bad_name, stopped;
};

/* --- the command line ---------------------------------------------------- */

static const struct option_row rows[] = {
	{ "list", OPTION_LIST, "FILE",
	    "domains from a file as well, one a line; - is standard input" },
	{ "resolver", OPTION_RESOLVER, "R",
	    "resolv.conf (default), recursive, or an address, with @port or "
	    "without" },
	{ "trust-anchor", OPTION_TRUST_ANCHOR, "FILE",
	    "DS or DNSKEY records for DNSSEC (default: the root's)" },
	{ "trust", OPTION_TRUST, "FILE|DIR",
	    "CA certificates (default: the system's)" },
	{ "parallel", OPTION_PARALLEL, "N",
	    "domains at a time (default 8, at most 64)" },
	{ "timeout", OPTION_TIMEOUT, "SECONDS",
	    "for one policy to come (default 60, as RFC 8461 suggests)" },
	{ "private-addresses", OPTION_PRIVATE, NULL,
	    "connect to addresses that are not of the public Internet: in a "
	    "laboratory" },
	{ "https-port", OPTION_PORT, "PORT",
	    "ask for policies there: in a laboratory" },
	{ 0 },
};

static bool
number(const char *text, unsigned long least, unsigned long most, unsigned *out)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (errno != 0 || *end != '\0' || end == text || text[0] == '-' ||
	    n < least || n > most) {
		complain("policy: \"%s\" is not a number from %lu to %lu", text,
		    least, most);
		return false;
	}
	*out = (unsigned)n;
	return true;
}

static int
fetch_option(void *context, int letter, const char *value)
{
	struct fetching *f = context;
	struct fetch_options *o = &f->options;

	switch (letter) {
	case OPTION_LIST:
		f->list = value;
		return 0;
	case OPTION_RESOLVER:
		o->dns.resolver = value;
		return 0;
	case OPTION_TRUST_ANCHOR:
		o->dns.trust_anchor = value;
		return 0;
	case OPTION_TRUST:
		o->https.trust = value;
		return 0;
	case OPTION_PARALLEL:
		return number(value, 1, PARALLEL_MAX, &o->parallel) ? 0 : -1;
	case OPTION_TIMEOUT:
		return number(value, 1, 600, &o->https.seconds) ? 0 : -1;
	case OPTION_PORT:
		return number(value, 1, 65535, &o->https.port) ? 0 : -1;
	default:
		o->https.private_addresses = true;
		return 0;
	}
}

/* --- which domains ------------------------------------------------------- */

static bool
add_domain(struct fetching *f, const char *domain)
{
	if (f->count == f->room) {
		size_t room = f->room ? f->room * 2 : 64;
		void *more = realloc(f->domains, room * sizeof(*f->domains));

		if (more == NULL) {
			complain("%s", strerror(errno));
			return false;
		}
		f->domains = more;
		f->room = room;
	}
	snprintf(f->domains[f->count++], DOMAIN_TEXT_BYTES, "%s", domain);
	return true;
}

static int
on_due(void *context, const char *domain)
{
	return add_domain(context, domain) ? 0 : 1;
}

static bool
add_named(struct fetching *f, const char *text)
{
	char domain[DOMAIN_TEXT_BYTES];

	if (policy_domain(text, domain) == 0)
		return add_domain(f, domain);
	f->bad_name = true;
	return true;
}

/* What is wrong with one line does not keep the others back. */
static bool
add_listed(struct fetching *f)
{
	bool standard = strcmp(f->list, "-") == 0, good = true;
	FILE *in = standard ? stdin : fopen(f->list, "r");
	char line[LINE_MAX_BYTES];

	if (in == NULL) {
		complain("%s: %s", f->list, strerror(errno));
		return false;
	}
	while (good && fgets(line, sizeof(line), in) != NULL) {
		line[strcspn(line, "# \t\r\n")] = '\0';
		if (line[0] != '\0')
			good = add_named(f, line);
	}
	if (ferror(in)) {
		complain("%s: %s", f->list, strerror(errno));
		good = false;
	}
	if (!standard)
		fclose(in);
	return good;
}

static int
compare_domains(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void
drop_repeated(struct fetching *f)
{
	size_t kept = 0;

	if (f->count == 0)
		return;
	qsort(f->domains, f->count, sizeof(*f->domains), compare_domains);
	for (size_t i = 1; i < f->count; i++)
		if (strcmp(f->domains[kept], f->domains[i]) != 0)
			memmove(f->domains[++kept], f->domains[i],
			    sizeof(*f->domains));
	f->count = kept + 1;
}

/* --- fetching ------------------------------------------------------------ */

static int64_t
wall_clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void
tell(struct fetching *f, const struct fetched *fetched, unsigned events)
{
	if (f->progress)
		fputs("\r\x1b[K", stderr);
	if (f->common->format == FORMAT_JSON)
		f->stopped |= policy_tell_json(fetched, events) != 0;
	else if (!f->common->quiet)
		policy_tell_text(fetched, events);
	if (f->progress)
		fprintf(stderr, "%zu of %zu domains, %zu failed", f->done,
		    f->count, f->failures);
	if (f->progress && f->done == f->count)
		fputs("\r\x1b[K", stderr);
}

static void
on_fetched(void *context, const struct fetched *fetched)
{
	struct fetching *f = context;
	unsigned events = 0;
	bool changed = false;

	f->done++;
	f->failures += fetched->state == STS_UNOBTAINABLE ||
	    fetched->state == STS_LOOKUP_FAILED;
	if (f->stopped)
		return;
	if (policy_keep(f->store, fetched, wall_clock_ns(), &events,
		&changed) != 0) {
		complain("%s", store_error(f->store));
		f->stopped = true;
		return;
	}
	if (changed)
		snprintf(f->changed[f->changed_count++], DOMAIN_TEXT_BYTES,
		    "%s", fetched->domain);
	tell(f, fetched, events);
}

static int
fetch_all(struct fetching *f, struct fetch *fetch)
{
	const char **names = calloc(f->count, sizeof(*names));
	uint64_t changed = 0;
	int status = STATUS_ERROR;

	f->changed = calloc(f->count, sizeof(*f->changed));
	if (names == NULL || f->changed == NULL) {
		complain("%s", strerror(errno));
		goto out;
	}
	for (size_t i = 0; i < f->count; i++)
		names[i] = f->domains[i];
	fetch_domains(fetch, names, f->count, on_fetched, f);
	if (f->stopped)
		goto out;
	if (policy_judge_domains(f->store, f->changed, f->changed_count,
		&changed) != 0)
		goto out;
	if (!f->common->quiet && f->common->format == FORMAT_TEXT)
		policy_say_changed(changed);
	status = f->failures > 0 ? STATUS_NO : STATUS_OK;
out:
	free(names);
	free(f->changed);
	return status;
}

static int
run(struct fetching *f)
{
	char errbuf[FETCH_ERRBUF];
	struct fetch *fetch;
	int status;

	drop_repeated(f);
	if (f->count == 0) {
		if (!f->common->quiet && !f->bad_name)
			fprintf(stderr, "striplight: nothing is due\n");
		return f->bad_name ? STATUS_ERROR : STATUS_OK;
	}
	fetch = fetch_create(&f->options, errbuf);
	if (fetch == NULL) {
		complain("%s", errbuf);
		return STATUS_ERROR;
	}
	if (!fetch_validates(fetch))
		complain("no trust anchor for DNSSEC (package dns-root-data, "
			 "or --trust-anchor): no TLSA record counts");
	f->progress = !f->common->quiet && isatty(STDERR_FILENO);
	status = fetch_all(f, fetch);
	fetch_destroy(fetch);
	return f->bad_name ? STATUS_ERROR : status;
}

static void
fetching_init(struct fetching *f, const struct common_options *common)
{
	*f = (struct fetching){ .common = common };
	f->options.dns.resolver = "resolv.conf";
	f->options.https.port = 443;
	f->options.https.seconds = 60;
	f->options.parallel = 8;
}

/* With the store open, as all of it needs it. */
static int
run_with_store(struct fetching *f, bool due)
{
	char errbuf[STORE_ERRBUF];
	int status = STATUS_ERROR;

	/* DNS comes before the policy, and MX hosts beside it. */
	f->options.domain_seconds = f->options.https.seconds + 15;
	f->store = store_open(f->common->db, STORE_WRITE, errbuf);
	if (f->store == NULL)
		complain("%s", errbuf);
	else if (due &&
	    store_each_due(f->store, wall_clock_ns(), on_due, f) < 0)
		complain("%s", store_error(f->store));
	else
		status = run(f);
	store_close(f->store);
	free(f->domains);
	return status;
}

int
policy_fetch(int argc, char **argv)
{
	static const struct command_syntax syntax = { "policy fetch",
		"policy fetch [OPTIONS] DOMAIN ...",
		"Asks DNS and the policy hosts what domains demand of those "
		"who send to them: the MTA-STS record and policy (RFC 8461), "
		"MX hosts with their TLSA records, validated (RFC 7672), and "
		"the address of reports (RFC 8460). Answers are kept with the "
		"time for which they hold; kept sessions are judged again. "
		"Exit status 1: of some domains no policy is known although "
		"there may be one.",
		rows, fetch_option };
	struct common_options common;
	struct fetching f;
	int operand, status;
	bool good = true;

	fetching_init(&f, &common);
	operand = policy_options(&syntax, &common, &f, argc, argv, &status);
	if (operand < 0)
		return status;
	if (operand == argc && f.list == NULL)
		return usage_error(&syntax, "wants a DOMAIN");
	for (; good && operand < argc; operand++)
		good = add_named(&f, argv[operand]);
	if (good && f.list != NULL)
		good = add_listed(&f);
	if (good)
		return run_with_store(&f, false);
	free(f.domains);
	return STATUS_ERROR;
}

int
policy_refresh(int argc, char **argv)
{
	static const struct command_syntax syntax = { "policy refresh",
		"policy refresh [OPTIONS]",
		"Does what policy fetch does for all domains that are due: "
		"those with a known policy daily, or after half of a shorter "
		"max_age, failures after an hour. Made for a timer.",
		rows, fetch_option };
	struct common_options common;
	struct fetching f;
	int operand, status;

	fetching_init(&f, &common);
	operand = policy_options(&syntax, &common, &f, argc, argv, &status);
	if (operand < 0)
		return status;
	if (operand != argc || f.list != NULL)
		return usage_error(&syntax, "takes no domains");
	return run_with_store(&f, true);
}
