#include "contrast_versions.h"

#include "ehlo.h"

#define CODE_OCTETS 4 /* of a reply's line, before its text */

/* Is it just the word by which TLS is offered or asked for, or its line? */
static bool
covers_the_offer(struct slice facts, const struct fact *versions)
{
	struct slice bytes;
	struct fact line;

	while (fact_decode(&facts, &line, &bytes)) {
		bool asks = line.code == FACT_COMMAND &&
		    line.about == VERB_STARTTLS;
		bool offers = line.code == FACT_EHLO_REPLY &&
		    ehlo_line_offers_starttls(slice_after(bytes, CODE_OCTETS));

		if (line.dir == versions->dir && (asks || offers) &&
		    ehlo_starttls_covered(versions->stream_offset,
			versions->extent, line.stream_offset,
			offers ? CODE_OCTETS : 0, bytes.len))
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
