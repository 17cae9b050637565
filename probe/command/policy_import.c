/* `policy import`: policies from files of other programs. */
#include "policy_import.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include <zlib.h>

#include "rules/host_name.h"
#include "store/store.h"

#define COMPLAINTS_MAX 20
#define INPUT_MAX_BYTES (256u << 20) /* also unpacked */

void
import_complain(struct import *import, const char *place, const char *format,
    ...)
{
	char text[512];
	va_list arguments;

	if (import->bad++ >= COMPLAINTS_MAX)
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	complain("%s: %s: %s", import->path, place, text);
}

bool
import_domain(struct import *import, const char *place, const char *text,
    char domain[DOMAIN_TEXT_BYTES])
{
	struct slice name = slice_str(text);

	if (host_name_normalize(name, domain))
		return true;
	import_complain(import, place, "domain \"%.100s\" %s; left out", text,
	    host_name_fault_text(host_name_check(name, NULL)));
	return false;
}

static void
remember_domain(struct import *import, const char *domain)
{
	if (import->domain_count > 0 &&
	    strcmp(import->domains[import->domain_count - 1], domain) == 0)
		return;
	if (import->domain_count == import->domain_room) {
		size_t room = import->domain_room ? import->domain_room * 2 :
						    256;
		void *more =
		    realloc(import->domains, room * sizeof(*import->domains));

		if (more == NULL) {
			complain("%s: %s", import->path, strerror(errno));
			import->failed = true;
			return;
		}
		import->domains = more;
		import->domain_room = room;
	}
	snprintf(import->domains[import->domain_count++], DOMAIN_TEXT_BYTES,
	    "%s", domain);
}

void
import_policy(struct import *import, const char *place, struct policy_row *row)
{
	struct sts_lint_list lint;
	struct sts_policy policy;
	bool changed = false;

	if (import->failed)
		return;
	if (!sts_policy_parse(row->body, &policy, &lint)) {
		unsigned at = 0;

		while (
		    at + 1 < lint.count && lint.rows[at].severity != STS_ERROR)
			at++;
		import_complain(import, place, "the policy of %.100s: %s",
		    row->domain,
		    lint.count > 0 ? lint.rows[at].text : "is none");
		return;
	}
	if ((import->exact ?
		    store_add_policy :
		    store_observe_policy)(import->store, row, &changed) != 0) {
		complain("%s", store_error(import->store));
		import->failed = true;
		return;
	}
	import->policies++;
	import->versions += changed;
	remember_domain(import, row->domain);
}

bool
import_time(const json_t *value, int64_t *ns)
{
	char text[40];

	if (json_is_integer(value)) {
		json_int_t seconds = json_integer_value(value);

		*ns = seconds * INT64_C(1000000000);
		return seconds >= 0 && seconds < INT64_C(6500000000);
	}
	if (!json_is_string(value) || json_string_length(value) > 35)
		return false;
	snprintf(text, sizeof(text), "%s", json_string_value(value));
	/* "+0000" is what EFF's list writes. */
	if (strlen(text) > 5 && strcmp(text + strlen(text) - 5, "+0000") == 0)
		strcpy(text + strlen(text) - 5, "Z");
	return time_parse(text, ns);
}

struct slice
import_body(const json_t *policy, char body[IMPORT_BODY_BYTES])
{
	const char *mode = json_string_value(json_object_get(policy, "mode"));
	const json_t *mx = json_object_get(policy, "mx");
	const json_t *age = json_object_get(policy, "max_age");
	FILE *out = fmemopen(body, IMPORT_BODY_BYTES, "w");
	bool whole;

	if (out == NULL)
		return slice_of(NULL, 0);
	fputs("version: STSv1\r\n", out);
	if (mode != NULL)
		fprintf(out, "mode: %s\r\n", mode);
	for (size_t i = 0; i < json_array_size(mx); i++) {
		const char *one = json_string_value(json_array_get(mx, i));

		fprintf(out, "mx: %s\r\n", one != NULL ? one : "");
	}
	if (json_is_string(mx))
		fprintf(out, "mx: %s\r\n", json_string_value(mx));
	if (json_is_string(age))
		fprintf(out, "max_age: %s\r\n", json_string_value(age));
	else if (json_is_integer(age))
		fprintf(out, "max_age: %" JSON_INTEGER_FORMAT "\r\n",
		    json_integer_value(age));
	whole = fflush(out) == 0;
	whole &= ftell(out) < IMPORT_BODY_BYTES - 1;
	fclose(out);
	return slice_of((uint8_t *)body, whole ? strlen(body) : 0);
}

/* --- which format it is -------------------------------------------------- */

/* The whole file, unpacked; NULL after saying why. */
static char *
read_input(const char *path, size_t *len)
{
	bool standard = strcmp(path, "stdin") == 0;
	gzFile in = standard ? gzdopen(0, "rb") : gzopen(path, "rb");
	size_t room = 1u << 16;
	char *text = malloc(room);
	int got = 1;

	*len = 0;
	while (
	    in != NULL && text != NULL && got > 0 && room < INPUT_MAX_BYTES) {
		char *more;

		got = gzread(in, text + *len, (unsigned)(room - *len));
		if (got > 0)
			*len += (size_t)got;
		if (*len < room)
			continue;
		more = realloc(text, room * 2);
		if (more == NULL)
			break;
		text = more;
		room *= 2;
	}
	if (in == NULL || text == NULL || got != 0) {
		complain("%s: %s", path,
		    room >= INPUT_MAX_BYTES   ? "over 128 MiB; split it" :
			in != NULL && got < 0 ? "cannot be unpacked" :
						strerror(errno));
		free(text);
		text = NULL;
	}
	if (in != NULL)
		gzclose(in);
	return text;
}

static bool
is_sqlite(const char *path)
{
	char head[16] = "";
	FILE *in = fopen(path, "rb");
	bool is = in != NULL && fread(head, 1, 16, in) == 16 &&
	    memcmp(head, "SQLite format 3", 16) == 0;

	if (in != NULL)
		fclose(in);
	return is;
}

static void
import_json(struct import *import, const char *text, size_t len,
    const char *format)
{
	json_error_t error;
	json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	const json_t *policies = json_object_get(root, "policies");

	if (root == NULL) {
		char place[32];

		snprintf(place, sizeof(place), "%d:%d", error.line,
		    error.column);
		import_complain(import, place, "not JSON: %s", error.text);
	} else if (strcmp(format, "eff") == 0 ||
	    (format[0] == '\0' && json_is_object(policies))) {
		import_eff(import, root);
	} else {
		import_tls_report(import, root);
	}
	json_decref(root);
}

/* One document, over however many lines; else a line is one. */
static bool
is_one_document(const char *text, size_t len)
{
	const char *end = memchr(text, '\n', len);
	size_t n = end != NULL ? (size_t)(end - text) : len;
	json_t *first = json_loadb(text, n, 0, NULL);
	bool whole = json_object_get(first, "policies") != NULL;

	for (; whole && n < len; n++)
		whole = strchr(" \t\r\n", text[n]) != NULL;
	whole |= first == NULL;
	json_decref(first);
	return whole;
}

static int
import_file(struct import *import, const char *format)
{
	char *text;
	size_t len;

	if (strcmp(format, "resolver") == 0 ||
	    (format[0] == '\0' && is_sqlite(import->path))) {
		import_resolver(import);
		return import->failed ? STATUS_ERROR : STATUS_OK;
	}
	text = read_input(import->path, &len);
	if (text == NULL)
		return STATUS_ERROR;
	if (strcmp(format, "jsonl") == 0 ||
	    (format[0] == '\0' && !is_one_document(text, len)))
		import_json_lines(import, text, len);
	else
		import_json(import, text, len, format);
	free(text);
	return import->failed ? STATUS_ERROR : STATUS_OK;
}

/* --- the command --------------------------------------------------------- */

static int
import_setting(void *context, enum setting_id id,
    const struct setting_value *value, char wrong[SETTING_WRONG_BYTES])
{
	(void)wrong;
	if (id == SET_IMPORT_FORMAT)
		*(const char **)context = value->text;
	return 0;
}

static void
say_counts(const struct import *import, uint64_t changed, bool quiet)
{
	if (import->bad > COMPLAINTS_MAX)
		complain("%s: %llu more that are left out", import->path,
		    (unsigned long long)(import->bad - COMPLAINTS_MAX));
	if (quiet)
		return;
	printf("%s: %llu policies, %llu of them new", import->path,
	    (unsigned long long)import->policies,
	    (unsigned long long)import->versions);
	if (import->reports > 0)
		printf("; %llu rows of a TLS report",
		    (unsigned long long)import->reports);
	if (import->bad > 0)
		printf("; %llu left out", (unsigned long long)import->bad);
	putchar('\n');
	policy_say_changed(changed);
}

static int
import_into(struct import *import, const char *format, bool quiet)
{
	uint64_t changed = 0;
	int status;

	if (store_begin(import->store) != 0)
		goto failed;
	status = import_file(import, format);
	if (status != STATUS_OK) {
		store_rollback(import->store);
		return status;
	}
	if (store_commit(import->store) != 0)
		goto failed;
	if (policy_judge_domains(import->store, import->domains,
		import->domain_count, &changed) != 0)
		return STATUS_ERROR;
	say_counts(import, changed, quiet);
	return import->bad > 0 ? STATUS_ERROR : STATUS_OK;
failed:
	complain("%s", store_error(import->store));
	return STATUS_ERROR;
}

int
policy_import(int argc, char **argv)
{
	char errbuf[STORE_ERRBUF];
	struct common_options common;
	const char *format = "";
	struct store *store;
	int operand, status, worst = STATUS_OK;

	operand = policy_options(COMMAND_POLICY_IMPORT, &common, import_setting,
	    &format, argc, argv, &status);
	if (operand < 0)
		return status;
	if (operand == argc)
		return usage_error(COMMAND_POLICY_IMPORT, "wants a FILE");
	store = store_open(common.db, STORE_WRITE, errbuf);
	if (store == NULL) {
		complain("%s", errbuf);
		return STATUS_ERROR;
	}
	for (; operand < argc; operand++) {
		struct import import = { .path = strcmp(argv[operand], "-") ==
				0 ?
			    "stdin" :
			    argv[operand],
			.store = store };

		status = import_into(&import, format, common.quiet);
		worst = status > worst ? status : worst;
		free(import.domains);
	}
	store_close(store);
	return worst;
}
