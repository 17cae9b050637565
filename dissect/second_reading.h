/*
 * dissect/second_reading.h - the negotiation once more, with the copies that
 * came later (design 5).
 *
 * A delivered octet cannot be taken back. Where a segment watch kept copies
 * that differ, the dialogue is read again over its tape, from which the first
 * copies that are contradicted are left out; the lines that this touches
 * become facts flagged FACT_OTHER_READING. A reply of which one line differs
 * is told whole.
 */
#ifndef DISSECT_SECOND_READING_H
#define DISSECT_SECOND_READING_H

#include "segment_watch.h"
#include "smtp.h"

/*
 * Appends to `log`, the session's own. `start` is how the session was opened;
 * `mail_ports` as the engine has them. Says nothing when there are no copies
 * that differ, or no memory: the facts about the copies stand by themselves.
 */
void second_reading(const struct segment_watch *, const struct flow_start *,
    const struct smtp_options *, const uint8_t *mail_ports,
    struct fact_log *log);

#endif
