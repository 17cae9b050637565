/* study import: scan results and transcripts, ten million at a time. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "probe/capture/stream.h"
#include "probe/output/progress.h"
#include "probe/output/style.h"
#include "probe/study/judging.h"
#include "study.h"

#define BLOCK_BYTES (256 * 1024)
/* zgrab2 keeps whole certificate chains; a line beyond this is left out. */
#define LINE_MAX_BYTES (8 * 1024 * 1024)
#define RECORDS_A_COMMIT 50000
#define COMPLAINTS_MAX 20

static volatile sig_atomic_t stop;

struct importing {
	struct common_options common;
	const char *vantage, *label;
	bool counted;
	double prior;
	struct registry *registry;
	struct judging *judging;
	struct store *store;
	struct record *record;
	bool incomplete; /* some file was not read to its end */

	/* Of the file at hand. */
	const char *path;
	struct stream *stream;
	struct study_source source;
	XXH3_state_t *hash; /* of what was taken */
	uint64_t taken;	    /* octets of content, up to which rows stand */
	uint64_t resume_at; /* 0: from the start */
	uint64_t line_number, found, committed;
	bool text, any, in_transcript, moved, failed;
	uint64_t transcript_line;
	char *line;
	size_t length, room;
	bool too_long;
	struct progress progress;
};

static void
on_signal(int signal)
{
	(void)signal;
	stop = 1;
}

/* --- what is wrong with it ----------------------------------------------- */

static void
complain_line(struct importing *im, uint64_t line, const char *text)
{
	im->source.malformed++;
	if (im->source.malformed > COMPLAINTS_MAX)
		return;
	progress_end(&im->progress);
	complain_at(im->path, (unsigned)line, text);
	if (im->source.malformed == COMPLAINTS_MAX)
		complain("%s: further ones are only counted", im->path);
}

static int
store_fails(struct importing *im)
{
	progress_end(&im->progress);
	complain("%s", store_error(im->store));
	store_rollback(im->store);
	im->failed = true;
	return -1;
}

/* --- rows ---------------------------------------------------------------- */

static void
hash_text(XXH3_state_t *state, char hex[CAPTURE_HASH_BYTES])
{
	XXH128_canonical_t canonical;

	XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state));
	for (int i = 0; i < 16; i++)
		snprintf(hex + 2 * i, 3, "%02x", canonical.digest[i]);
}

static int
commit(struct importing *im)
{
	im->source.offset = im->taken;
	hash_text(im->hash, im->source.prefix);
	if (store_study_save(im->store, &im->source) != 0 ||
	    store_commit(im->store) != 0 || store_begin(im->store) != 0)
		return store_fails(im);
	im->committed = im->source.records;
	return 0;
}

static int
add_record(struct importing *im)
{
	struct study_row row;

	if (im->record->about_file) {
		snprintf(im->source.label, sizeof(im->source.label), "%s",
		    im->record->label);
		return 0;
	}
	judging_take(im->judging, im->record, &row);
	im->found += row.certainty != CERTAINTY_NONE;
	if (store_study_add(im->store, im->source.number, im->source.records++,
		&row) != 0)
		return store_fails(im);
	progress_records(&im->progress, stream_position(im->stream),
	    im->source.records, im->found);
	return 0;
}

static int
take_json(struct importing *im, struct slice line)
{
	char errbuf[RECORD_ERRBUF];

	if (im->too_long) {
		complain_line(im, im->line_number,
		    "longer than 8 MiB: left out");
		return 0;
	}
	if (line.len == 0)
		return 0;
	if (record_parse_json(line, im->record, errbuf))
		return add_record(im);
	complain_line(im, im->line_number, errbuf);
	return 0;
}

static int
end_transcript(struct importing *im)
{
	bool good = im->in_transcript && record_finish(im->record);

	im->in_transcript = false;
	return good ? add_record(im) : 0;
}

static int
take_text(struct importing *im, struct slice line)
{
	char errbuf[RECORD_ERRBUF];

	if (line.len == 0)
		return end_transcript(im);
	if (!im->in_transcript)
		record_begin(im->record);
	im->in_transcript = true;
	if (!record_add_line(im->record, line, errbuf))
		complain_line(im, im->line_number, errbuf);
	return 0;
}

/* --- lines --------------------------------------------------------------- */

/* The content's first octet that is no blank says what it is. */
static void
tell_format(struct importing *im, struct slice line)
{
	im->any = true;
	im->text = line.ptr[0] != '{';
	snprintf(im->source.format, sizeof(im->source.format), "%s",
	    im->text ? "transcript" : "zgrab2");
}

static int
take_line(struct importing *im)
{
	struct slice line = slice_of(im->line, im->length);
	int status;

	im->line_number++;
	while (line.len > 0 && strchr("\r\n \t", line.ptr[line.len - 1]))
		line.len--;
	if (!im->any && line.len > 0)
		tell_format(im, line);
	status = im->text ? take_text(im, line) : take_json(im, line);
	im->length = 0;
	im->too_long = false;
	/* Where a record has just ended, an import can go on. */
	if (status == 0 && !im->in_transcript &&
	    im->source.records - im->committed >= RECORDS_A_COMMIT)
		status = commit(im);
	return status;
}

static int
keep_part(struct importing *im, struct slice part)
{
	if (im->length + part.len > LINE_MAX_BYTES) {
		im->too_long = true;
		return 0;
	}
	if (im->length + part.len > im->room) {
		size_t room = (im->length + part.len) * 2;
		char *bigger = realloc(im->line, room);

		if (bigger == NULL) {
			complain("out of memory");
			im->failed = true;
			return -1;
		}
		im->line = bigger;
		im->room = room;
	}
	memcpy(im->line + im->length, part.ptr, part.len);
	im->length += part.len;
	return 0;
}

static int
take_block(struct importing *im, struct slice block)
{
	while (block.len > 0) {
		const uint8_t *end = memchr(block.ptr, '\n', block.len);
		size_t n = end ? (size_t)(end - block.ptr) + 1 : block.len;

		if (keep_part(im, slice_first(block, n)) != 0)
			return -1;
		XXH3_128bits_update(im->hash, block.ptr, n);
		im->taken += n;
		block = slice_after(block, n);
		if (end != NULL && (take_line(im) != 0 || stop))
			return -1;
	}
	return 0;
}

/* --- going on where an import was stopped -------------------------------- */

/* What stands already is not taken again, only compared; -1: the content is
 * another now. */
static int
skip_block(struct importing *im, struct slice *block)
{
	size_t n = slice_first(*block, im->resume_at - im->taken).len;
	char prefix[CAPTURE_HASH_BYTES];

	XXH3_128bits_update(im->hash, block->ptr, n);
	for (size_t i = 0; i < n; i++)
		im->line_number += block->ptr[i] == '\n';
	im->taken += n;
	*block = slice_after(*block, n);
	if (im->taken < im->resume_at)
		return 0;
	hash_text(im->hash, prefix);
	return strcmp(prefix, im->source.prefix) == 0 ? 0 : -1;
}

static int
open_source(struct importing *im)
{
	bool found = false;

	if (store_begin(im->store) != 0 ||
	    store_study_resume(im->store, im->path, &im->source, &found) != 0)
		return store_fails(im);
	if (found && im->source.offset > 0 && !im->moved) {
		im->resume_at = im->source.offset;
		im->committed = im->source.records;
		im->any = true;
		im->text = strcmp(im->source.format, "transcript") == 0;
		return 0;
	}
	if (found && store_study_drop(im->store, im->source.number) != 0)
		return store_fails(im);
	memset(&im->source, 0, sizeof(im->source));
	snprintf(im->source.path, sizeof(im->source.path), "%s", im->path);
	snprintf(im->source.vantage, sizeof(im->source.vantage), "%s",
	    im->vantage);
	snprintf(im->source.label, sizeof(im->source.label), "%s", im->label);
	study_rules_text(im->registry, im->source.rules);
	im->source.vantages = 1;
	return store_study_open(im->store, &im->source) == 0 ? 0 :
							       store_fails(im);
}

/* --- a file -------------------------------------------------------------- */

/* The same content, imported before, makes room for this one. */
static int
close_source(struct importing *im)
{
	int64_t known;

	stream_hash(im->stream, im->source.hash);
	im->source.offset = im->taken;
	if (store_study_known(im->store, im->source.hash, &known) != 0 ||
	    (known != 0 && store_study_drop(im->store, known) != 0) ||
	    store_study_save(im->store, &im->source) != 0 ||
	    store_commit(im->store) != 0)
		return store_fails(im);
	if (im->common.quiet)
		return 0;
	progress_end(&im->progress);
	printf("%s: %llu records, %llu suspicious, %llu malformed%s%s%s\n",
	    im->path, (unsigned long long)im->source.records,
	    (unsigned long long)im->found,
	    (unsigned long long)im->source.malformed,
	    known != 0 ? "; known already, replaced" : "",
	    im->source.label[0] ? "; labelled " : "", im->source.label);
	return 0;
}

static int
stopped(struct importing *im)
{
	progress_end(&im->progress);
	if (im->length == 0 && !im->in_transcript && commit(im) != 0)
		return -1;
	store_rollback(im->store);
	complain("%s: stopped after %llu records; the same command goes on "
		 "from there",
	    im->path, (unsigned long long)im->committed);
	im->incomplete = true;
	return -1;
}

static int
read_damaged(struct importing *im)
{
	progress_end(&im->progress);
	complain("%s: %s; what came before counts only once the file can be "
		 "read to its end",
	    im->path, stream_error(im->stream));
	store_rollback(im->store);
	im->incomplete = true;
	return -1;
}

static int
take_all(struct importing *im, uint8_t *bytes)
{
	for (;;) {
		ssize_t n = stream_read(im->stream, bytes, BLOCK_BYTES);
		struct slice block = slice_of(bytes, n > 0 ? (size_t)n : 0);

		if (n < 0)
			return read_damaged(im);
		if (im->taken < im->resume_at && n > 0 &&
		    skip_block(im, &block) != 0) {
			im->moved = true;
			return -1;
		}
		if (take_block(im, block) != 0)
			return stop && !im->failed ? stopped(im) : -1;
		/* A short read is the end, or comes before what is wrong. */
		if (n == 0)
			break;
	}
	if (im->taken < im->resume_at) {
		im->moved = true;
		return -1;
	}
	if (im->length > 0 && take_line(im) != 0)
		return -1;
	return im->text ? end_transcript(im) : 0;
}

static int
nothing_in_it(struct importing *im)
{
	store_rollback(im->store);
	complain("%s: no record in it: neither zgrab2's JSON Lines nor "
		 "transcripts (striplight study import --help)",
	    im->path);
	im->incomplete = true;
	return -1;
}

static int
import_once(struct importing *im, uint8_t *bytes)
{
	char errbuf[STREAM_ERRBUF];

	im->taken = im->resume_at = im->line_number = im->found = 0;
	im->committed = 0;
	im->any = im->text = im->in_transcript = im->too_long = false;
	im->length = 0;
	XXH3_128bits_reset(im->hash);
	im->stream = stream_open(im->path, errbuf);
	if (im->stream == NULL) {
		complain("%s: %s", im->path, errbuf);
		im->incomplete = true;
		return -1;
	}
	progress_start(&im->progress, im->common.quiet, im->path,
	    stream_size(im->stream));
	if (open_source(im) != 0 || take_all(im, bytes) != 0)
		return -1;
	return im->source.records > 0 ? close_source(im) : nothing_in_it(im);
}

/* Twice, when the file is not the one that an import was stopped in. */
static void
import_file(struct importing *im, const char *path)
{
	uint8_t *bytes = malloc(BLOCK_BYTES);

	im->path = path;
	im->moved = false;
	im->hash = XXH3_createState();
	if (bytes == NULL || im->hash == NULL) {
		complain("out of memory");
		im->failed = true;
	} else if (import_once(im, bytes) != 0 && im->moved) {
		store_rollback(im->store);
		progress_end(&im->progress);
		stream_close(im->stream);
		complain("%s: not the file that an import was stopped in: "
			 "from its start",
		    path);
		import_once(im, bytes);
	}
	progress_end(&im->progress);
	stream_close(im->stream);
	im->stream = NULL;
	XXH3_freeState(im->hash);
	free(bytes);
}

/* --- the command --------------------------------------------------------- */

static int
import_setting(void *context, enum setting_id id,
    const struct setting_value *value, char wrong[SETTING_WRONG_BYTES])
{
	struct importing *im = context;

	(void)wrong;
	switch ((int)id) {
	case SET_STUDY_VANTAGE:
		im->vantage = value->text;
		break;
	case SET_STUDY_LABEL:
		im->label = value->text;
		break;
	case SET_STUDY_COUNTED:
		im->counted = true;
		break;
	case SET_STUDY_PRIOR:
		im->prior = value->chance;
		break;
	}
	return 0;
}

static int
import_all(struct importing *im, char **paths, int count)
{
	char errbuf[STORE_ERRBUF + REGISTRY_ERRBUF];

	im->registry = registry_load(NULL, errbuf);
	if (im->registry != NULL)
		im->store = store_open(im->common.db, STORE_WRITE, errbuf);
	if (im->store == NULL) {
		complain("%s", errbuf);
		return STATUS_ERROR;
	}
	im->judging = judging_create(im->registry, im->prior);
	im->record = malloc(sizeof(*im->record));
	if (im->judging == NULL || im->record == NULL) {
		complain("out of memory");
		return STATUS_ERROR;
	}
	for (int i = 0; i < count && !stop && !im->failed; i++)
		import_file(im, paths[i]);
	if (im->counted && !stop && !im->failed &&
	    study_import_counted(im->store, im->registry, im->common.quiet) !=
		0)
		im->failed = true;
	return im->failed || im->incomplete ? STATUS_ERROR : STATUS_OK;
}

int
study_import(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct importing im = { .vantage = "", .label = "" };
	int first, status;

	first = options_parse(COMMAND_STUDY_IMPORT, &im.common, import_setting,
	    &im, argc, argv);
	if (first < 0)
		return first == -1 ? STATUS_OK : STATUS_ERROR;
	if (first == argc && !im.counted)
		return usage_error(COMMAND_STUDY_IMPORT,
		    "name a file, or --counted");
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	status = import_all(&im, argv + first, argc - first);
	free(im.record);
	free(im.line);
	judging_destroy(im.judging);
	store_close(im.store);
	registry_free(im.registry);
	return status;
}
