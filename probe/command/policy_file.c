#include "policy_file.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "config.h"
#include "probe/pipeline/retrospect.h"
#include "rules/host_name.h"
#include "rules/judge.h"

#define NS_PER_S 1000000000
/* More than any policy: what is over 64 KiB is still shown as too long. */
#define FILE_MAX_BYTES (1u << 20)

static int
read_all(struct policy_file *file, FILE *from)
{
	file->bytes = malloc(FILE_MAX_BYTES);
	if (file->bytes == NULL) {
		complain("%s: %s", file->name, strerror(errno));
		return -1;
	}
	file->len = fread(file->bytes, 1, FILE_MAX_BYTES, from);
	if (ferror(from)) {
		complain("%s: %s", file->name, strerror(errno));
		return -1;
	}
	if (file->len == FILE_MAX_BYTES) {
		complain("%s: not a policy (1 MiB or more)", file->name);
		return -1;
	}
	return 0;
}

int
policy_file_load(struct policy_file *file, const char *path)
{
	bool standard = strcmp(path, "-") == 0;
	FILE *from = standard ? stdin : fopen(path, "rb");
	int status;

	file->name = standard ? "stdin" : path;
	file->bytes = NULL;
	if (from == NULL) {
		complain("%s: %s", path, strerror(errno));
		return -1;
	}
	status = read_all(file, from);
	if (!standard)
		fclose(from);
	if (status == 0)
		sts_policy_parse(slice_of(file->bytes, file->len),
		    &file->policy, &file->lint);
	else
		policy_file_free(file);
	return status;
}

void
policy_file_free(struct policy_file *file)
{
	free(file->bytes);
	file->bytes = NULL;
}

void
policy_file_complain(const struct policy_file *file, enum sts_severity most)
{
	for (unsigned i = 0; i < file->lint.count; i++) {
		const struct sts_lint *l = &file->lint.rows[i];

		if (l->severity <= most)
			complain("%s:%u:%u: %s%s", file->name, l->line,
			    l->column,
			    l->severity == STS_ERROR ? "" : "warning: ",
			    l->text);
	}
	if (file->lint.unlisted > 0)
		complain("%s: %u more findings", file->name,
		    file->lint.unlisted);
}

void
policy_json(struct json *json, const struct sts_policy *policy)
{
	json_object_open(json, "policy");
	json_text(json, "version", "STSv1");
	json_text(json, "mode", sts_mode_name(policy->mode));
	json_unsigned(json, "max_age", policy->max_age_s);
	json_array_open(json, "mx");
	for (unsigned i = 0; i < policy->mx_count; i++)
		json_text(json, NULL, policy->mx[i]);
	json_array_close(json);
	json_object_close(json);
}

const char *
policy_summary(const struct sts_policy *policy, char out[POLICY_SUMMARY_BYTES])
{
	snprintf(out, POLICY_SUMMARY_BYTES, "%s, %u mx, max_age %u s",
	    sts_mode_name(policy->mode), policy->mx_count + policy->mx_unlisted,
	    policy->max_age_s);
	return out;
}

int
policy_options(enum command command, struct common_options *common, set_fn set,
    void *context, int argc, char **argv, int *status)
{
	int operand = options_parse(command, common, set, context, argc, argv);

	*status = operand == -1 ? STATUS_OK : STATUS_ERROR;
	return operand;
}

int
policy_json_finish(struct json *json, int status)
{
	if (json_write(json, stdout) != 0) {
		complain("the result could not be written: %s",
		    strerror(errno));
		status = STATUS_ERROR;
	}
	json_free(json);
	return status;
}

int
policy_domain(const char *text, char domain[DOMAIN_TEXT_BYTES])
{
	struct slice name = slice_str(text);

	if (host_name_normalize(name, domain))
		return 0;
	if (name.len > 1 && name.ptr[name.len - 1] == '.')
		name.len--;
	complain("domain \"%s\" %s", text,
	    host_name_fault_text(host_name_check(name, NULL)));
	return STATUS_ERROR;
}

int
policy_judge_again(struct store *store, struct world *world, const char *domain,
    uint64_t *changed)
{
	struct retrospect retrospect = { .store = store, .world = world };

	*changed = 0;
	if (store_begin(store) != 0)
		return -1;
	if (retrospect_domain(&retrospect, domain) != 0) {
		store_rollback(store);
		return -1;
	}
	*changed = retrospect.written;
	return store_commit(store);
}

static int
judge_all(struct retrospect *retrospect, char (*domains)[DOMAIN_TEXT_BYTES],
    size_t count)
{
	for (size_t i = 0; i < count; i++) {
		bool has = false;

		if (store_has_recipient(retrospect->store, domains[i], &has) !=
			0 ||
		    (has && retrospect_domain(retrospect, domains[i]) != 0))
			return -1;
	}
	return 0;
}

int
policy_judge_domains(struct store *store, char (*domains)[DOMAIN_TEXT_BYTES],
    size_t count, uint64_t *changed)
{
	char errbuf[STORE_ERRBUF + REGISTRY_ERRBUF];
	struct registry *registry = registry_load(NULL, errbuf);
	struct retrospect retrospect = { .store = store };
	int status = -1;

	if (registry != NULL)
		retrospect.world =
		    world_create(store, registry, PRIOR_READ, errbuf);
	if (retrospect.world != NULL)
		world_set_site(retrospect.world, config_site());
	if (retrospect.world == NULL) {
		complain("%s", errbuf);
	} else if (store_begin(store) != 0 ||
	    judge_all(&retrospect, domains, count) != 0 ||
	    store_commit(store) != 0) {
		complain("%s", store_error(store));
		store_rollback(store);
	} else {
		status = 0;
	}
	*changed = retrospect.written;
	world_destroy(retrospect.world);
	registry_free(registry);
	return status;
}

void
policy_say_changed(uint64_t changed)
{
	if (changed > 0)
		printf("%llu verdict%s changed: striplight incidents\n",
		    (unsigned long long)changed,
		    changed == 1 ? " has" : "s have");
}

const char *
policy_time(int64_t ns, char out[TIME_TEXT_BYTES])
{
	time_t seconds = (time_t)(ns / NS_PER_S - (ns % NS_PER_S < 0));
	struct tm tm;

	if (ns == INT64_MIN || ns == INT64_MAX ||
	    gmtime_r(&seconds, &tm) == NULL ||
	    strftime(out, TIME_TEXT_BYTES, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		return NULL;
	return out;
}

void
policy_row_json(struct json *json, const struct policy_row *row,
    const struct sts_policy *policy, bool whole)
{
	char from[TIME_TEXT_BYTES], until[TIME_TEXT_BYTES];

	json_object_open(json, NULL);
	json_text(json, "domain", row->domain);
	if (policy_time(row->from_ns, from) != NULL)
		json_text(json, "from", from);
	if (policy_time(row->until_ns, until) != NULL)
		json_text(json, "until", until);
	json_text(json, "validity", row->assumed ? "assumed" : "observed");
	json_text(json, "source", row->source);
	if (policy->tolerant_ok)
		policy_json(json, policy);
	if (whole)
		json_slice(json, "body", row->body);
	json_object_close(json);
}
