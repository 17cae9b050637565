/*
 * probe/study/judging.h - a record becomes facts, and goes through the rules.
 *
 * The turns of a record are fed to the same dissector that reads packets, so
 * that they are redacted and told apart as those are; what TLS was, which no
 * record has the octets of, is told by facts of its own. Each record stands
 * for itself: no history, no policy. So a STARTTLS that is simply not there
 * accuses nobody, and what was not asked, cut off or never said is unjudged.
 */
#ifndef PROBE_STUDY_JUDGING_H
#define PROBE_STUDY_JUDGING_H

#include "probe/study/record.h"
#include "rules/judge.h"
#include "store/study.h"

struct judging;

/* `registry` is borrowed; NULL: no memory. */
struct judging *judging_create(const struct registry *, double prior);
void judging_destroy(struct judging *);
/* Fills `out`; the record is borrowed for the call. */
void
judging_take(struct judging *, const struct record *, struct study_row *out);

/*
 * The row of a session that has been judged, also one out of the database;
 * `found` NULL: nothing was. Name, time and number of sessions are those of
 * the session itself: "", its first fact, and 1.
 */
void study_row_of(const struct session *, const struct registry *,
    const struct incident *found, struct study_row *out);

#endif
