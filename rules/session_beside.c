/* The chain, and what the judge laid beside a session: facts that are none of
 * its packets'. */
#include <stdio.h>

#include "ehlo.h"
#include "session_fold.h"

void
session_fold_certificate(struct session *s, const struct fact *fact,
    struct slice bytes)
{
	if (fact->line <= 1) {
		s->certificate_hash = ehlo_hash(0, bytes);
		s->chain_count = 0;
		s->chain_frame = fact->frame;
		s->chain_offset = fact->stream_offset;
		s->chain_ns = fact->capture_ts_ns;
		s->chain_capture = fact->capture;
	}
	if (s->chain_count < SESSION_CHAIN_MAX)
		s->chain[s->chain_count++] = bytes;
}

bool
session_fold_beside(struct session *s, const struct fact *fact,
    struct slice bytes)
{
	if (fact->code == FACT_CHAIN_VERIFIED) {
		s->chain_result = fact->value;
		snprintf(s->trust, sizeof(s->trust), "%.*s", (int)bytes.len,
		    (const char *)bytes.ptr);
		return true;
	}
	if (fact->code != FACT_DNS_ANSWER)
		return false;
	if (s->answer_count < SESSION_ANSWERS_MAX)
		s->answers[s->answer_count++] =
		    (struct session_answer){ fact->frame, fact->capture_ts_ns,
			    fact->value, bytes };
	return true;
}
