/*
 * Records of others, and what the dissector and the rules make of them. The
 * first octet says whether the rest is a line of JSON or a transcript.
 */
#include <stdlib.h>

#include "probe/study/judging.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static struct record record;
static struct judging *judging;

static void
judge(void)
{
	char errbuf[REGISTRY_ERRBUF];
	struct study_row row;

	if (judging == NULL)
		judging =
		    judging_create(registry_load(NULL, errbuf), PRIOR_READ);
	if (judging == NULL)
		abort();
	judging_take(judging, &record, &row);
	/* What was not seen is never an absence. */
	if (!(row.state & STUDY_SMTP) && row.state & STUDY_JUDGED &&
	    row.certainty == CERTAINTY_NONE)
		abort();
}

static void
read_lines(struct slice text)
{
	char errbuf[RECORD_ERRBUF];

	record_begin(&record);
	while (text.len > 0) {
		const uint8_t *end = memchr(text.ptr, '\n', text.len);
		size_t n = end ? (size_t)(end - text.ptr) + 1 : text.len;

		record_add_line(&record, slice_first(text, n), errbuf);
		text = slice_after(text, n);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct slice text = slice_of(bytes, len);
	char errbuf[RECORD_ERRBUF];

	if (len > 0 && bytes[0] == '{') {
		if (record_parse_json(text, &record, errbuf) &&
		    !record.about_file)
			judge();
	} else {
		read_lines(text);
		if (record_finish(&record))
			judge();
	}
	return 0;
}
