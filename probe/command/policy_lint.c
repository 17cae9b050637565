/* `policy lint` and `policy match`: what needs no database. */
#include "policy_file.h"
#include "rules/sts_txt.h"

/* --- lint ---------------------------------------------------------------- */

struct lint_options {
	const char *txt;
};

/* What was looked at, and what came of it. */
struct lint_result {
	const char *name;
	bool valid; /* by the RFC's grammar */
	bool tolerated;
	const struct sts_lint_list *lint;
	const struct sts_policy *policy; /* NULL: a record */
	const struct sts_txt *txt;	 /* NULL: a policy */
};

static int
lint_setting(void *context, enum setting_id id,
    const struct setting_value *value, char wrong[SETTING_WRONG_BYTES])
{
	struct lint_options *options = context;

	(void)id;
	(void)wrong;
	options->txt = value->text;
	return 0;
}

/* A breach of the grammar is why `valid` is false; what some senders overlook
 * weighs less, and what keeps to the grammar is none. */
static const char *
finding_label(enum sts_severity severity)
{
	static const char *const labels[] = {
		[STS_ERROR] = "error",
		[STS_TOLERATED] = "warning",
		[STS_WARNING] = "warning",
		[STS_NOTE] = "note",
	};

	return labels[severity];
}

static void
findings_json(struct json *json, const char *key,
    const struct sts_lint_list *lint, enum sts_severity least,
    enum sts_severity most)
{
	json_array_open(json, key);
	for (unsigned i = 0; i < lint->count; i++) {
		const struct sts_lint *l = &lint->rows[i];

		if (l->severity < least || l->severity > most)
			continue;
		json_object_open(json, NULL);
		json_unsigned(json, "line", l->line);
		json_unsigned(json, "column", l->column);
		json_text(json, "severity", finding_label(l->severity));
		json_text(json, "code", l->code);
		json_text(json, "text", l->text);
		json_object_close(json);
	}
	json_array_close(json);
}

static int
lint_json(const struct lint_result *r, int status)
{
	struct json json;

	json_init(&json);
	json_object_open(&json, NULL);
	json_bool(&json, "valid", r->valid);
	json_bool(&json, "tolerated", r->tolerated);
	findings_json(&json, "errors", r->lint, STS_ERROR, STS_TOLERATED);
	findings_json(&json, "warnings", r->lint, STS_WARNING, STS_NOTE);
	if (r->lint->unlisted > 0)
		json_unsigned(&json, "unlisted", r->lint->unlisted);
	if (r->tolerated && r->policy != NULL)
		policy_json(&json, r->policy);
	if (r->tolerated && r->txt != NULL) {
		json_object_open(&json, "record");
		json_text(&json, "version", "STSv1");
		json_text(&json, "id", r->txt->id);
		json_object_close(&json);
	}
	json_object_close(&json);
	return policy_json_finish(&json, status);
}

static void
lint_text(const struct lint_result *r)
{
	char summary[POLICY_SUMMARY_BYTES];

	for (unsigned i = 0; i < r->lint->count; i++) {
		const struct sts_lint *l = &r->lint->rows[i];
		bool error = l->severity == STS_ERROR;

		printf("%s:%u:%u: %s%s%s\n", r->name, l->line, l->column,
		    error ? "" : finding_label(l->severity), error ? "" : ": ",
		    l->text);
	}
	if (r->lint->unlisted > 0)
		printf("%s: %u more findings\n", r->name, r->lint->unlisted);
	printf("%s: ", r->name);
	if (!r->valid)
		printf("not valid by RFC 8461%s\n",
		    r->tolerated ? ", but some senders take it" : "");
	else if (r->txt != NULL)
		printf("valid by RFC 8461: id %s\n", r->txt->id);
	else
		printf("valid by RFC 8461: %s%s\n",
		    policy_summary(r->policy, summary),
		    r->tolerated ? "" : ", but too long for most senders");
}

static int
lint_print(const struct lint_result *r, const struct common_options *common)
{
	int status = r->valid ? STATUS_OK : STATUS_NO;

	if (common->format == FORMAT_JSON)
		return lint_json(r, status);
	if (!common->quiet)
		lint_text(r);
	return status;
}

static int
lint_txt(const char *text, const struct common_options *common)
{
	struct sts_lint_list lint;
	struct sts_txt txt;

	sts_txt_parse(slice_str(text), &txt, &lint);
	return lint_print(&(struct lint_result){ "txt", txt.strict_ok,
			      txt.tolerant_ok, &lint, NULL, &txt },
	    common);
}

static int
lint_file(const char *path, const struct common_options *common)
{
	struct policy_file file;
	int status;

	if (policy_file_load(&file, path) != 0)
		return STATUS_ERROR;
	status = lint_print(&(struct lint_result){ file.name,
				file.policy.strict_ok, file.policy.tolerant_ok,
				&file.lint, &file.policy, NULL },
	    common);
	policy_file_free(&file);
	return status;
}

int
policy_lint(int argc, char **argv)
{
	struct lint_options options = { 0 };
	struct common_options common;
	int operand, status;

	operand = policy_options(COMMAND_POLICY_LINT, &common, lint_setting,
	    &options, argc, argv, &status);
	if (operand < 0)
		return status;
	if (argc - operand != (options.txt == NULL))
		return usage_error(COMMAND_POLICY_LINT,
		    "wants either a FILE or --txt RECORD");
	return options.txt != NULL ? lint_txt(options.txt, &common) :
				     lint_file(argv[operand], &common);
}

/* --- match --------------------------------------------------------------- */

struct match_options {
	const char *policy;
};

static int
match_setting(void *context, enum setting_id id,
    const struct setting_value *value, char wrong[SETTING_WRONG_BYTES])
{
	struct match_options *options = context;

	(void)id;
	(void)wrong;
	options->policy = value->text;
	return 0;
}

static int
match_print(const char *host, const struct sts_policy *policy,
    const struct common_options *common)
{
	unsigned by;
	bool match = sts_policy_matches_by(policy, host, &by);
	int status = match ? STATUS_OK : STATUS_NO;
	struct json json;

	if (common->format == FORMAT_JSON) {
		json_init(&json);
		json_object_open(&json, NULL);
		json_text(&json, "mx", host);
		json_bool(&json, "match", match);
		if (match)
			json_text(&json, "pattern", policy->mx[by]);
		policy_json(&json, policy);
		json_object_close(&json);
		return policy_json_finish(&json, status);
	}
	if (common->quiet)
		return status;
	if (match)
		printf("%s matches mx: %s (mode %s)\n", host, policy->mx[by],
		    sts_mode_name(policy->mode));
	else
		printf("%s matches none of %u mx (mode %s)\n", host,
		    policy->mx_count, sts_mode_name(policy->mode));
	return status;
}

static int
match_file(const char *host, const char *path,
    const struct common_options *common)
{
	struct policy_file file;
	int status = STATUS_ERROR;

	if (policy_file_load(&file, path) != 0)
		return STATUS_ERROR;
	if (file.policy.tolerant_ok)
		status = match_print(host, &file.policy, common);
	else
		policy_file_complain(&file, STS_WARNING);
	policy_file_free(&file);
	return status;
}

int
policy_match(int argc, char **argv)
{
	struct match_options options = { 0 };
	struct common_options common;
	enum host_name_fault fault;
	struct slice name;
	int operand, status;

	operand = policy_options(COMMAND_POLICY_MATCH, &common, match_setting,
	    &options, argc, argv, &status);
	if (operand < 0)
		return status;
	if (argc - operand != 1 || options.policy == NULL)
		return usage_error(COMMAND_POLICY_MATCH,
		    "wants one MX and --policy FILE");
	name = slice_str(argv[operand]);
	if (name.len > 1 && name.ptr[name.len - 1] == '.')
		name.len--;
	fault = host_name_check(name, NULL);
	if (fault != HOST_NAME_OK) {
		complain("\"%s\" %s", argv[operand],
		    host_name_fault_text(fault));
		return STATUS_ERROR;
	}
	return match_file(argv[operand], options.policy, &common);
}
