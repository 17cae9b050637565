#include "contrast_versions.h"

#include "ehlo.h"

#define CODE_OCTETS 4 /* of a reply's line, before its text */
#define WORD_OCTETS (sizeof("STARTTLS") - 1)

/* Does it offer or ask for TLS? Then `word` is where the keyword begins. */
static bool
speaks_of_tls(const struct told *line, uint64_t *word)
{
	uint64_t begin = line->fact.stream_offset;
	bool offers = line->fact.code == FACT_EHLO_REPLY &&
	    ehlo_line_offers_starttls(slice_after(line->bytes, CODE_OCTETS));
	bool asks = line->fact.code == FACT_COMMAND &&
	    line->fact.about == VERB_STARTTLS;

	*word = begin + (offers ? CODE_OCTETS : 0);
	return offers || asks;
}

/* Two hits at random do not fall on both ends of a word. */
static bool
covers_the_offer(struct slice facts, const struct fact *versions)
{
	uint64_t from = versions->stream_offset, word;
	uint64_t end = from + versions->extent;
	struct told line;

	while (fact_decode(&facts, &line.fact, &line.bytes)) {
		uint64_t begin = line.fact.stream_offset;

		if (line.fact.dir == versions->dir &&
		    speaks_of_tls(&line, &word) &&
		    (from == begin || from == word) &&
		    (end == word + WORD_OCTETS ||
			end == begin + line.bytes.len))
			return true;
	}
	return false;
}

enum difference_code
difference_of_versions(const struct told *told, struct slice facts)
{
	struct slice copies = told->bytes;
	struct segment_copy first, later;

	if (told->fact.code != FACT_COPIES_DIFFER ||
	    !segment_copy_decode(&copies, &first) ||
	    !segment_copy_decode(&copies, &later))
		return DIFFERENCES;
	if (first.sum != SUM_WRONG && later.sum != SUM_WRONG)
		return DIFFERENCE_SECOND_VERSION;
	return first.sum != later.sum && covers_the_offer(facts, &told->fact) ?
	    DIFFERENCE_DISCARDED_VERSION :
	    DIFFERENCES;
}

bool
has_versions(struct slice facts, const struct fact *at)
{
	struct slice rest = facts;
	struct told told;

	while (fact_decode(&rest, &told.fact, &told.bytes))
		if (difference_of_versions(&told, facts) < DIFFERENCES &&
		    told.fact.dir == at->dir &&
		    told.fact.stream_offset < at->stream_offset + at->extent &&
		    at->stream_offset <
			told.fact.stream_offset + told.fact.extent)
			return true;
	return false;
}
