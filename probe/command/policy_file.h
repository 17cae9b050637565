/*
 * probe/command/policy_file.h - what the sub-commands of `policy` share.
 */
#ifndef PROBE_COMMAND_POLICY_FILE_H
#define PROBE_COMMAND_POLICY_FILE_H

#include "probe/command/options.h"
#include "probe/output/json.h"
#include "probe/pipeline/world.h"

/* A policy as its .well-known/mta-sts.txt serves it. */
struct policy_file {
	const char *name; /* as it was named */
	char *bytes;
	size_t len;
	struct sts_policy policy;
	struct sts_lint_list lint;
};

/* `path` "-" is standard input. 0, or -1 after saying why on stderr; what is
 * wrong with the policy is in `lint`. */
int policy_file_load(struct policy_file *, const char *path);
void policy_file_free(struct policy_file *);

/* "policy.txt:3:6: max_age ...", up to and with severity `most`, on stderr. */
void policy_file_complain(const struct policy_file *, enum sts_severity most);

/* 0, or the exit status after saying why `text` is no domain. */
int policy_domain(const char *text, char domain[DOMAIN_TEXT_BYTES]);
/*
 * Judges the kept sessions with recipients in `domain` again, now that its
 * policy is known (design 4.4); `changed` gets how many verdicts are others
 * than before. -1: the store failed, store_error() says why.
 */
int policy_judge_again(struct store *, struct world *, const char *domain,
    uint64_t *changed);

/* The object `policy`: version, mode, max_age, mx. */
void policy_json(struct json *, const struct sts_policy *);
/* The same for many domains, with the built-in rules and the prior of `read`;
 * only those with kept sessions cost anything. 0, or -1 after saying why. */
int policy_judge_domains(struct store *, char (*domains)[DOMAIN_TEXT_BYTES],
    size_t count, uint64_t *changed);
/* "2 verdicts have changed: striplight incidents"; nothing for none. */
void policy_say_changed(uint64_t changed);

/* "enforce, 2 mx, max_age 604800 s" */
#define POLICY_SUMMARY_BYTES 80
const char *
policy_summary(const struct sts_policy *, char out[POLICY_SUMMARY_BYTES]);

/* As options_parse(). Below 0: return `*status`. */
int policy_options(enum command, struct common_options *, set_fn, void *context,
    int argc, char **argv, int *status);
/* Writes the line, frees `json`; `status`, or STATUS_ERROR when it failed. */
int policy_json_finish(struct json *, int status);

#define TIME_TEXT_BYTES 32
/* RFC 3339 with seconds, or NULL for an end that is open. */
const char *policy_time(int64_t ns, char out[TIME_TEXT_BYTES]);
/* A row as `list` and `export` write it: one object into `json`. */
void policy_row_json(struct json *, const struct policy_row *,
    const struct sts_policy *, bool whole);

/* The sub-commands; argv[0] is their own name. */
int policy_add(int argc, char **argv);
int policy_import(int argc, char **argv);
int policy_export(int argc, char **argv);
int policy_list(int argc, char **argv);
int policy_show(int argc, char **argv);
int policy_lint(int argc, char **argv);
int policy_match(int argc, char **argv);

#endif
