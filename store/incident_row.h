/*
 * store/incident_row.h - a revision out of its rows; private to store/.
 */
#ifndef STORE_INCIDENT_ROW_H
#define STORE_INCIDENT_ROW_H

#include "statement.h"

/* Of `incident JOIN revision`, in the order that incident_row_read() wants. */
#define INCIDENT_COLUMNS                                                      \
	"revision.incident, revision.revision, state, kind, also, certainty," \
	" confidence, support, prior, cause, side, outcome, retrospect,"      \
	" observed, benign, next_step, resembles, samples, unseen, client,"   \
	" client_port, server, port, helo, server_name, product, queue_id,"   \
	" capture, pcap_filename, frame, revision.capture_ts_ns,"             \
	" stream_offset, seen, expected, seen_line, ehlo_frame, domains,"     \
	" domains_unlisted, provenance, incident.session, incident.ordinal,"  \
	" mail_from, rcpt_to, direction, box"

/* The same for incident_row_trace(). */
#define TRACE_COLUMNS                                                        \
	"id, kind, certainty, resembles, seen, client, client_port, server," \
	" port, incident.capture_ts_ns, state, outcome"

/* The revision that the statement stands on, with its evidence, policies and
 * sessions. -1: store_failed(). */
int incident_row_read(struct store *, sqlite3_stmt *, struct incident *);
/* What store_each_trace() tells of it. */
void incident_row_trace(sqlite3_stmt *, struct incident *);

#endif
