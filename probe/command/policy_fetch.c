/* `policy fetch`, `policy refresh`: what domains demand, asked of them. */
#include "policy_fetch.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 1024

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

static int
fetch_setting(void *context, enum setting_id id,
    const struct setting_value *value, char wrong[SETTING_WRONG_BYTES])
{
	struct fetching *f = context;
	struct fetch_options *o = &f->options;

	(void)wrong;
	switch ((int)id) {
	case SET_LIST:
		f->list = value->text;
		return 0;
	case SET_RESOLVER:
		o->dns.resolver = value->text;
		return 0;
	case SET_TRUST_ANCHOR:
		o->dns.trust_anchor = value->text;
		return 0;
	case SET_FETCH_TRUST:
		o->https.trust = value->text;
		return 0;
	case SET_PARALLEL:
		o->parallel = (unsigned)value->number;
		return 0;
	case SET_TIMEOUT:
		o->https.seconds = (unsigned)value->number;
		return 0;
	case SET_HTTPS_PORT:
		o->https.port = (unsigned)value->number;
		return 0;
	case SET_PRIVATE_ADDRESSES:
		o->https.private_addresses = true;
		return 0;
	default:
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
	struct common_options common;
	struct fetching f = { .common = &common };
	int operand, status;
	bool good = true;

	operand = policy_options(COMMAND_POLICY_FETCH, &common, fetch_setting,
	    &f, argc, argv, &status);
	if (operand < 0)
		return status;
	if (operand == argc && f.list == NULL)
		return usage_error(COMMAND_POLICY_FETCH, "wants a DOMAIN");
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
	struct common_options common;
	struct fetching f = { .common = &common };
	int operand, status;

	operand = policy_options(COMMAND_POLICY_REFRESH, &common, fetch_setting,
	    &f, argc, argv, &status);
	if (operand < 0)
		return status;
	if (operand != argc)
		return usage_error(COMMAND_POLICY_REFRESH, "takes no domains");
	return run_with_store(&f, true);
}
