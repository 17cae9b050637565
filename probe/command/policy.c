/* `policy add`, `list`, `show`: the known MTA-STS policies. */
#include "fetcher.h"
#include "policy_fetch.h"

#include "store/store.h"

/* --- rows, shown --------------------------------------------------------- */

struct listing {
	const struct common_options *common;
	struct json json;
	bool whole; /* body and patterns too */
	bool failed;
	unsigned rows;
};

static void
row_text(const struct policy_row *row, const struct sts_policy *policy,
    bool whole)
{
	char from[TIME_TEXT_BYTES], until[TIME_TEXT_BYTES];
	char summary[POLICY_SUMMARY_BYTES];

	printf("%s  %s  ", row->domain, policy_summary(policy, summary));
	if (row->assumed)
		printf("validity assumed");
	else
		printf("%s to %s",
		    policy_time(row->from_ns, from) ? from : "ever before",
		    policy_time(row->until_ns, until) ? until :
							"further notice");
	printf("  (%s)\n", row->source);
	for (unsigned i = 0; whole && i < policy->mx_count; i++)
		printf("    mx: %s\n", policy->mx[i]);
}

static int
list_row(void *context, const struct policy_row *row)
{
	struct listing *listing = context;
	struct sts_policy policy;

	listing->rows++;
	sts_policy_parse(row->body, &policy, NULL);
	if (listing->common->format == FORMAT_JSON) {
		json_reset(&listing->json);
		policy_row_json(&listing->json, row, &policy, listing->whole);
		listing->failed = json_write(&listing->json, stdout) != 0;
	} else if (!listing->common->quiet)
		row_text(row, &policy, listing->whole);
	return listing->failed;
}

/* The policies of `domain`, NULL: all. */
static int
list_policies(const char *domain, struct listing *listing)
{
	char errbuf[STORE_ERRBUF];
	struct store *store;
	int status = STATUS_OK;

	store = store_open(listing->common->db, STORE_READ, errbuf);
	if (store == NULL) {
		complain("%s", errbuf);
		return STATUS_ERROR;
	}
	json_init(&listing->json);
	if (store_each_policy(store, domain, list_row, listing) < 0) {
		complain("%s", store_error(store));
		status = STATUS_ERROR;
	} else if (listing->whole && domain != NULL) {
		bool found = false;

		if (policy_tell_known(store, domain,
			listing->common->format == FORMAT_JSON, &found) < 0)
			status = STATUS_ERROR;
		listing->rows += found;
	}
	if (listing->failed) {
		complain("the result could not be written");
		status = STATUS_ERROR;
	}
	json_free(&listing->json);
	store_close(store);
	return status;
}

int
policy_list(int argc, char **argv)
{
	struct common_options common;
	struct listing listing = { .common = &common };
	int operand, status;

	operand = policy_options(COMMAND_POLICY_LIST, &common, NULL, NULL, argc,
	    argv, &status);
	if (operand < 0)
		return status;
	if (operand != argc)
		return usage_error(COMMAND_POLICY_LIST, "takes no operand");
	return list_policies(NULL, &listing);
}

/* Whole, as `import` takes it: how it is printed is not a choice. */
int
policy_export(int argc, char **argv)
{
	struct common_options common;
	struct listing listing = { .common = &common, .whole = true };
	int operand, status;

	operand = policy_options(COMMAND_POLICY_EXPORT, &common, NULL, NULL,
	    argc, argv, &status);
	if (operand < 0)
		return status;
	if (operand != argc)
		return usage_error(COMMAND_POLICY_EXPORT, "takes no operand");
	common.format = FORMAT_JSON;
	return list_policies(NULL, &listing);
}

int
policy_show(int argc, char **argv)
{
	char domain[DOMAIN_TEXT_BYTES];
	struct common_options common;
	struct listing listing = { .common = &common, .whole = true };
	int operand, status;

	operand = policy_options(COMMAND_POLICY_SHOW, &common, NULL, NULL, argc,
	    argv, &status);
	if (operand < 0)
		return status;
	if (argc - operand != 1)
		return usage_error(COMMAND_POLICY_SHOW, "wants one DOMAIN");
	if (policy_domain(argv[operand], domain) != 0)
		return STATUS_ERROR;
	status = list_policies(domain, &listing);
	if (status != STATUS_OK || listing.rows > 0)
		return status;
	if (!common.quiet)
		complain("%s: no policy is known", domain);
	return STATUS_NO;
}

/* --- add ----------------------------------------------------------------- */

struct add_options {
	int64_t from_ns, until_ns;
	bool dated;
};

static int
add_setting(void *context, enum setting_id id,
    const struct setting_value *value, char wrong[SETTING_WRONG_BYTES])
{
	struct add_options *options = context;

	(void)wrong;
	if (id == SET_ADD_FROM)
		options->from_ns = value->time_ns;
	else
		options->until_ns = value->time_ns;
	options->dated = true;
	return 0;
}

static int
store_policy(const char *db, struct policy_row *row, uint64_t *changed)
{
	char errbuf[STORE_ERRBUF];
	struct store *store = store_open(db, STORE_WRITE, errbuf);
	int status = STATUS_OK;

	if (store == NULL) {
		complain("%s", errbuf);
		return STATUS_ERROR;
	}
	if (store_add_policy(store, row, NULL) != 0) {
		complain("%s", store_error(store));
		status = STATUS_ERROR;
	} else if (policy_judge_domains(store, &row->domain, 1, changed) != 0) {
		status = STATUS_ERROR;
	}
	store_close(store);
	return status;
}

static int
add_file(struct policy_row *row, const struct policy_file *file,
    const struct common_options *common)
{
	struct json json;
	uint64_t changed = 0;
	int status;

	/* Notes are for `lint` to say. */
	policy_file_complain(file, STS_WARNING);
	if (!file->policy.tolerant_ok) {
		complain("%s: not added", row->domain);
		return STATUS_ERROR;
	}
	row->body = slice_of(file->bytes, file->len);
	status = store_policy(common->db, row, &changed);
	if (status != STATUS_OK)
		return status;
	if (common->format == FORMAT_JSON) {
		json_init(&json);
		policy_row_json(&json, row, &file->policy, false);
		return policy_json_finish(&json, STATUS_OK);
	}
	if (!common->quiet)
		row_text(row, &file->policy, false);
	if (!common->quiet)
		policy_say_changed(changed);
	return STATUS_OK;
}

int
policy_add(int argc, char **argv)
{
	struct add_options options = { INT64_MIN, INT64_MAX, false };
	struct policy_row row = { .source = "file" };
	struct common_options common;
	struct policy_file file;
	int operand, status;

	operand = policy_options(COMMAND_POLICY_ADD, &common, add_setting,
	    &options, argc, argv, &status);
	if (operand < 0)
		return status;
	if (argc - operand != 2)
		return usage_error(COMMAND_POLICY_ADD,
		    "wants a DOMAIN and a FILE");
	if (options.from_ns >= options.until_ns)
		return usage_error(COMMAND_POLICY_ADD,
		    "--from is not before --until");
	if (policy_domain(argv[operand], row.domain) != 0 ||
	    policy_file_load(&file, argv[operand + 1]) != 0)
		return STATUS_ERROR;
	row.from_ns = options.from_ns;
	row.until_ns = options.until_ns;
	row.assumed = !options.dated;
	status = add_file(&row, &file, &common);
	policy_file_free(&file);
	return status;
}

/* --- dispatch ------------------------------------------------------------ */

int
command_policy(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int argc, char **argv);
	} commands[] = {
		{ "add", policy_add },
		{ "fetch", fetcher_run },
		{ "refresh", fetcher_run },
		{ "import", policy_import },
		{ "export", policy_export },
		{ "list", policy_list },
		{ "show", policy_show },
		{ "lint", policy_lint },
		{ "match", policy_match },
	};
	struct common_options common;
	int operand, status;

	for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(*commands);
	     i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	if (argc > 1 && argv[1][0] != '-')
		return usage_error(COMMAND_POLICY, "unknown sub-command \"%s\"",
		    argv[1]);
	operand = policy_options(COMMAND_POLICY, &common, NULL, NULL, argc,
	    argv, &status);
	if (operand < 0)
		return status;
	return usage_error(COMMAND_POLICY, "wants a sub-command");
}
