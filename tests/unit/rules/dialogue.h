/*
 * A session as rules/ gets it: a dialogue, written as it went over the wire,
 * through the dissector, its facts folded.
 *
 *	static struct dialogue d;
 *
 *	dialogue_open(&d, "192.0.2.10", "198.51.100.25");
 *	dialogue_say(&d, S("220 mx.example.org ESMTP\r\n"), C("QUIT\r\n"));
 *	dialogue_close(&d);
 *
 * What rules cannot see of a capture is set before dialogue_open():
 * `midstream`, `one_sided`, `port`, `at_ns`. A dialogue is used once.
 */
#ifndef TESTS_UNIT_RULES_DIALOGUE_H
#define TESTS_UNIT_RULES_DIALOGUE_H

#include <stdlib.h>
#include <string.h>

#include "dissect/smtp.h"
#include "rules/session.h"

#define NOON_NS INT64_C(1772366400000000000) /* 2026-03-01T12:00:00Z */
#define SECOND_NS INT64_C(1000000000)
#define DAY_NS (86400 * SECOND_NS)

/* One segment, or octets that the capture does not have. */
struct said {
	enum dir dir;
	const char *bytes; /* NULL: a gap */
	size_t len;
	bool snapped; /* a gap is a cut packet's */
};

#define S(text)                                          \
	{                                                \
		TO_CLIENT, text, sizeof(text) - 1, false \
	}
#define C(text)                                          \
	{                                                \
		TO_SERVER, text, sizeof(text) - 1, false \
	}
#define GAP(dir, missing)                 \
	{                                 \
		dir, NULL, missing, false \
	}
#define SNAPPED(dir, missing)            \
	{                                \
		dir, NULL, missing, true \
	}

struct dialogue {
	struct session session;
	bool midstream, one_sided;
	uint16_t port; /* of the server; 0: 25 */
	int64_t at_ns; /* of the first segment; 0: NOON_NS */

	struct fact_pool *pool;
	struct counters counters;
	struct fact_log log;
	struct smtp_options options;
	struct smtp_session *smtp;
	struct origin origin;
	uint64_t offset[2];
};

static inline void
dialogue_fold(void *context, const struct publication *publication,
    struct slice facts)
{
	struct dialogue *d = context;
	struct slice bytes;
	struct fact fact;

	(void)publication;
	while (fact_decode(&facts, &fact, &bytes))
		session_fold(&d->session, &fact, bytes);
}

static inline void
dialogue_open(struct dialogue *d, const char *client, const char *server)
{
	struct flow_start start = { .midstream = d->midstream };

	if (!address_parse(client, &start.identity.client.address) ||
	    !address_parse(server, &start.identity.server.address))
		abort();
	start.identity.client.port = 40112;
	start.identity.server.port = d->port ? d->port : 25;
	start.identity.client_isn = 1000;
	start.identity.server_isn = 2000;
	start.identity.has_client_isn = start.identity.has_server_isn =
	    !d->midstream;
	start.identity.on_mail_port = true;

	session_init(&d->session, 1);
	d->pool = fact_pool_create(1 << 20, &d->counters, dialogue_fold, d);
	fact_log_open(&d->log, d->pool, 1);
	if (d->midstream)
		d->log.observability |= OBS_MIDSTREAM;
	if (d->one_sided)
		d->log.observability |= OBS_ONE_SIDED;
	d->smtp = smtp_session_open(malloc(smtp_session_bytes()), &d->log,
	    &d->options, &start);
	d->origin.capture_ts_ns = d->at_ns ? d->at_ns : NOON_NS;
	d->origin.one_sided = d->one_sided;
}

static inline void
dialogue_say_all(struct dialogue *d, const struct said *said, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		enum dir dir = said[i].dir;

		d->origin.frame++;
		d->origin.run_frame = d->origin.frame;
		d->origin.capture_ts_ns += SECOND_NS / 100;
		d->origin.stream_offset = d->offset[dir];
		if (said[i].bytes == NULL)
			smtp_session_gap(d->smtp, dir, said[i].len,
			    said[i].snapped, &d->origin);
		else
			smtp_session_feed(d->smtp, dir,
			    slice_of(said[i].bytes, said[i].len), &d->origin);
		d->offset[dir] += said[i].len;
	}
}

#define dialogue_say(d, ...)                                      \
	dialogue_say_all(d, (const struct said[]){ __VA_ARGS__ }, \
	    sizeof((const struct said[]){ __VA_ARGS__ }) /        \
		sizeof(struct said))

static inline void
dialogue_close_by(struct dialogue *d, enum ending ending, enum dir who)
{
	d->origin.frame++;
	smtp_session_close(d->smtp, ending, who, &d->origin);
	smtp_session_publish(d->smtp);
	free(d->smtp);
	fact_log_close(&d->log);
	fact_pool_destroy(d->pool);
}

static inline void
dialogue_close_as(struct dialogue *d, enum ending ending)
{
	dialogue_close_by(d, ending, TO_SERVER);
}

static inline void
dialogue_close(struct dialogue *d)
{
	dialogue_close_as(d, ENDING_FIN);
}

/* A fact that needs more than a dialogue: TLS, mostly. */
static inline void
dialogue_fact(struct dialogue *d, enum fact_code code, uint32_t value,
    const char *bytes)
{
	struct fact fact = { .code = (uint16_t)code,
		.value = value,
		.frame = ++d->origin.frame,
		.capture_ts_ns = d->origin.capture_ts_ns,
		.observability = d->log.observability };

	fact.length = (uint32_t)strlen(bytes);
	session_fold(&d->session, &fact, slice_str(bytes));
}

/* From MAIL to the answer to the message, then the client leaves. */
#define DELIVERY                                                         \
	C("MAIL FROM:<alice@example.net>\r\n"), S("250 2.1.0 Ok\r\n"),   \
	    C("RCPT TO:<bob@example.org>\r\n"), S("250 2.1.5 Ok\r\n"),   \
	    C("DATA\r\n"), S("354 End data with <CR><LF>.<CR><LF>\r\n"), \
	    C("Subject: hello\r\n\r\nhello\r\n.\r\n"),                   \
	    S("250 2.0.0 Ok: queued as 4F1A2\r\n"), C("QUIT\r\n"),       \
	    S("221 2.0.0 Bye\r\n")

#endif
