/* striplight report case: one incident, for somebody who was not there. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "case_files.h"
#include "case_packets.h"
#include "case_texts.h"
#include "incident_find.h"
#include "incident_json.h"
#include "options.h"
#include "probe/output/blanking.h"
#include "report.h"

#define PATH_BYTES 1200

struct reporting {
	struct common_options common;
	const char *path;
	bool zip;
	struct store *store;
	struct campaigns *campaigns;
	struct incident incident;
	struct sighting_facts seen;
	struct case_packets packets;
	struct case_files files;
	struct json json;
	char name[PATH_BYTES];
};

static int
on_setting(void *context, enum setting_id id, const struct setting_value *value,
    char wrong[SETTING_WRONG_BYTES])
{
	struct reporting *r = context;

	(void)wrong;
	if (id == SET_CASE)
		r->path = value->text;
	r->zip |= id == SET_ZIP;
	r->packets.raw |= id == SET_RAW;
	return 0;
}

/* --- what is kept with --keep-addresses, and is not handed on ------------- */

/* What stands before an @, as far as a local part may reach. */
static void
blank_local_parts(char *text)
{
	for (char *at = strchr(text, '@'); at != NULL; at = strchr(at + 1, '@'))
		for (char *p = at;
		     p > text && strchr(" <>:,;\"", p[-1]) == NULL; p--)
			p[-1] = BLANK_OCTET;
}

static void
blank_incident(struct incident *in)
{
	in->mail_from[0] = '\0';
	in->rcpt_count = 0;
	blank_local_parts(in->observed);
	blank_local_parts(in->seen);
	blank_local_parts(in->queue_id);
	for (unsigned i = 0; i < in->evidence_count; i++)
		blank_local_parts(in->evidence[i].detail);
}

/* --- the files ------------------------------------------------------------ */

static int
add_json(struct reporting *r)
{
	FILE *out = case_file(&r->files, "incident.json");

	if (out == NULL ||
	    incident_json(&r->json, r->store, r->campaigns, &r->incident,
		&r->seen) != 0)
		return -1;
	return json_write(&r->json, out);
}

static int
add_packets(struct reporting *r)
{
	FILE *out;

	if (r->packets.pcapng == NULL)
		return 0;
	out = case_file(&r->files, "packets.pcapng");
	return out != NULL &&
		fwrite(r->packets.pcapng, 1, r->packets.pcapng_bytes, out) ==
		    r->packets.pcapng_bytes ?
	    0 :
	    -1;
}

static int
add_text(struct reporting *r, const char *name, case_text_fn *write)
{
	FILE *out = case_file(&r->files, name);

	if (out == NULL)
		return -1;
	write(out, &r->incident, &r->seen, &r->packets);
	return 0;
}

static int
gather(struct reporting *r)
{
	r->campaigns = campaigns_find(r->store);
	if (r->campaigns == NULL ||
	    sighting_facts_load(r->store, &r->incident, &r->seen) != 0)
		return -1;
	if (!r->packets.raw) {
		blank_incident(&r->incident);
		if (sighting_facts_redact(&r->seen) != 0)
			return -1;
	}
	if (case_packets_load(&r->packets, r->store, &r->incident, &r->seen) !=
	    0)
		return -1;
	campaigns_mark(r->campaigns, &r->incident);
	return add_text(r, "README.txt", case_readme) != 0 ||
		add_text(r, "for-the-recipient.txt", case_letter) != 0 ||
		add_text(r, "page.html", case_page) != 0 || add_json(r) != 0 ||
		add_packets(r) != 0 ?
	    -1 :
	    0;
}

/* --- beside them ---------------------------------------------------------- */

static void
key_name(const struct reporting *r, char path[PATH_BYTES + 8])
{
	snprintf(path, PATH_BYTES + 8, "%s.key", r->name);
}

/* Who has it and the capture can check the hashes of what is blanked; who has
 * not cannot guess at it. So it is no part of the case. */
static int
write_key(const struct reporting *r)
{
	char path[PATH_BYTES + 8];
	FILE *out;

	key_name(r, path);
	out = fopen(path, "wx");
	if (out == NULL) {
		complain("%s: cannot be written, or is there already", path);
		return -1;
	}
	chmod(path, 0600);
	for (int i = 0; i < DIGEST_BYTES; i++)
		fprintf(out, "%02x", r->packets.key[i]);
	fputc('\n', out);
	if (fclose(out) != 0) {
		complain("%s: cannot be written", path);
		return -1;
	}
	if (!r->common.quiet)
		complain("%s checks what is blanked: keep it with the capture "
			 "and do not hand it on",
		    path);
	return 0;
}

static void
say_what_is_missing(const struct reporting *r)
{
	for (unsigned i = 0; i < r->packets.capture_count; i++)
		if (r->packets.captures[i].fault[0] != '\0')
			complain("%s: %s: its packets are not in the case",
			    r->packets.captures[i].row.path,
			    r->packets.captures[i].fault);
	if (r->packets.raw && r->packets.pcapng != NULL)
		complain("%s holds packets as they were: addresses, "
			 "credentials and messages may be in them",
		    r->name);
}

static int
write_case(struct reporting *r)
{
	char key[PATH_BYTES + 8];

	if (gather(r) != 0) {
		complain("%s",
		    store_error(r->store)[0] ? store_error(r->store) :
					       "out of memory");
		return STATUS_ERROR;
	}
	if (r->packets.blanked > 0 && write_key(r) != 0)
		return STATUS_ERROR;
	if (case_files_write(&r->files, r->name, r->zip) != 0) {
		key_name(r, key);
		if (r->packets.blanked > 0)
			unlink(key);
		return STATUS_ERROR;
	}
	say_what_is_missing(r);
	if (!r->common.quiet)
		printf("%s\n", r->name);
	return STATUS_OK;
}

/* That untouched packets were handed on stays in the database. */
static int
report_incident(struct reporting *r, const char *prefix)
{
	char errbuf[STORE_ERRBUF];
	int status;

	r->store = store_open(r->common.db,
	    r->packets.raw ? STORE_WRITE : STORE_READ, errbuf);
	if (r->store == NULL) {
		complain("%s", errbuf);
		return STATUS_ERROR;
	}
	status =
	    incident_find(r->store, COMMAND_REPORT_CASE, prefix, &r->incident);
	if (status != STATUS_OK)
		return status;
	if (r->packets.raw &&
	    store_note_run(r->store, "striplight report case --raw",
		r->incident.id) != 0) {
		complain("%s", store_error(r->store));
		return STATUS_ERROR;
	}
	if (r->path != NULL)
		snprintf(r->name, sizeof(r->name), "%s", r->path);
	else
		snprintf(r->name, sizeof(r->name), "case-%.8s%s",
		    r->incident.id, r->zip ? ".zip" : "");
	return write_case(r);
}

int
report_case(int argc, char **argv)
{
	struct reporting *r = calloc(1, sizeof(*r));
	int first, status = STATUS_ERROR;

	if (r == NULL || digest_key(r->packets.key) != 0) {
		complain("out of memory, or of random numbers");
		free(r);
		return STATUS_ERROR;
	}
	json_init(&r->json);
	first = options_parse(COMMAND_REPORT_CASE, &r->common, on_setting, r,
	    argc, argv);
	if (first < 0)
		status = first == -1 ? STATUS_OK : STATUS_ERROR;
	else if (first + 1 != argc)
		status = usage_error(COMMAND_REPORT_CASE, "name one incident");
	else
		status = report_incident(r, argv[first]);
	case_files_free(&r->files);
	case_packets_free(&r->packets);
	sighting_facts_free(&r->seen);
	campaigns_free(r->campaigns);
	store_close(r->store);
	json_free(&r->json);
	free(r);
	return status;
}
