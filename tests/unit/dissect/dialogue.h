/*
 * A dialogue as people write it down, fed to the dissector in several ways.
 *
 *	static const struct turn talk[] = {
 *		S("220 mx ESMTP\r\n"), C("EHLO a\r\n"), C_GAP(12), ...
 *	};
 *
 * dialogue_run() gives the facts as text, one a line, decisions between
 * them. The same turns must give the same facts however they are cut.
 */
#ifndef TESTS_UNIT_DISSECT_DIALOGUE_H
#define TESTS_UNIT_DISSECT_DIALOGUE_H

#include <stdio.h>
#include <stdlib.h>

#include "dissect/smtp.h"

struct turn {
	enum dir dir;
	const char *bytes;
	size_t len;
	uint64_t missing; /* a gap of so many octets instead */
};
#define C(text)                                      \
	{                                            \
		TO_SERVER, text, sizeof(text) - 1, 0 \
	}
#define S(text)                                      \
	{                                            \
		TO_CLIENT, text, sizeof(text) - 1, 0 \
	}
#define C_GAP(octets)                    \
	{                                \
		TO_SERVER, "", 0, octets \
	}
#define S_GAP(octets)                    \
	{                                \
		TO_CLIENT, "", 0, octets \
	}

enum cutting {
	CUT_NONE,   /* a turn is a segment */
	CUT_OCTETS, /* an octet is a segment */
	CUT_ONCE,   /* before octet `cut_at` of all turns */
	CUT_EVERY,  /* into pieces of `cut_at` octets */
};

struct dialogue {
	struct smtp_options options;
	bool midstream, off_port, one_sided;
	enum cutting cutting;
	size_t cut_at;
	size_t budget_bytes; /* of the pool; 0: plenty */
	enum ending ending;
	/* Where a segment lies while it is fed; NULL: in exact heap room. */
	struct slice (*place)(struct slice);

	/* what came out */
	uint8_t *facts; /* encoded, in order */
	size_t facts_len;
	char *text;
	size_t text_len, text_room;
	enum interest interest;
	enum smtp_phase phase; /* before the end */
	struct counters counters;
};

static inline void
dialogue_print(struct dialogue *d, const char *text, size_t len)
{
	if (d->text_len + len + 1 > d->text_room) {
		d->text_room = (d->text_len + len + 1) * 2;
		d->text = realloc(d->text, d->text_room);
		if (d->text == NULL)
			abort();
	}
	memcpy(d->text + d->text_len, text, len);
	d->text_len += len;
	d->text[d->text_len] = '\0';
}

static inline void
dialogue_say(struct dialogue *d, const char *text)
{
	dialogue_print(d, text, strlen(text));
}

/* Blanked octets are `~`, what cannot be printed is `\xNN`. */
static inline void
dialogue_quote(struct dialogue *d, struct slice bytes)
{
	char out[8];

	dialogue_say(d, " |");
	for (size_t i = 0; i < bytes.len; i++) {
		uint8_t c = bytes.ptr[i];

		if (c == REDACTED_OCTET)
			dialogue_say(d, "~");
		else if (c >= ' ' && c <= '~')
			dialogue_print(d, (const char *)&bytes.ptr[i], 1);
		else {
			snprintf(out, sizeof(out), "\\x%02x", c);
			dialogue_say(d, out);
		}
	}
}

static inline void
dialogue_flags(struct dialogue *d, const struct fact *fact)
{
	static const struct {
		uint16_t bit;
		const char *name;
	} flags[] = { { FACT_LAST_LINE, " last" }, { FACT_CUT, " cut" },
		{ FACT_BARE_LF, " bare-lf" },
		{ FACT_UNFINISHED, " unfinished" },
		{ FACT_PIPELINED, " pipelined" }, { FACT_ODD_CODE, " odd" },
		{ FACT_RESUMED, " resumed" } };

	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		if (fact->flags & flags[i].bit)
			dialogue_say(d, flags[i].name);
}

static inline void
dialogue_fact(struct dialogue *d, const struct fact *fact, struct slice bytes)
{
	char head[128];
	bool line = fact->code == FACT_COMMAND || fact->code == FACT_REPLY ||
	    fact->code == FACT_EHLO_REPLY || fact->code == FACT_GREETING ||
	    fact->code == FACT_AUTH_EXCHANGE || fact->code == FACT_EXTRA_BYTES;

	if (fact->code == FACT_SESSION_OPENED ||
	    fact->code == FACT_ACKNOWLEDGED)
		return;
	snprintf(head, sizeof(head), "%c %s",
	    fact->dir == TO_SERVER ? 'C' : 'S',
	    fact_code_name((enum fact_code)fact->code));
	dialogue_say(d, head);
	if (fact->about != VERB_NONE) {
		dialogue_say(d, " ");
		dialogue_say(d, verb_name((enum verb)fact->about));
	}
	if (fact->code == FACT_CLOSED) {
		dialogue_say(d, " ");
		dialogue_say(d, ending_name((enum ending)fact->value));
	} else if (fact->code >= FACT_TLS_CLIENT_HELLO && fact->value > 0) {
		snprintf(head, sizeof(head), " 0x%x", (unsigned)fact->value);
		dialogue_say(d, head);
	}
	if (!line && fact->extent > 0) {
		snprintf(head, sizeof(head), " %llu",
		    (unsigned long long)fact->extent);
		dialogue_say(d, head);
	}
	dialogue_flags(d, fact);
	if (line || fact->code == FACT_TLS_SNI || fact->code == FACT_TLS_ALPN)
		dialogue_quote(d, bytes);
	dialogue_say(d, "\n");
}

static inline void
dialogue_publish(void *context, const struct publication *p, struct slice facts)
{
	struct dialogue *d = context;
	struct slice bytes;
	struct fact fact;

	d->facts = realloc(d->facts, d->facts_len + facts.len + 1);
	if (d->facts == NULL)
		abort();
	if (facts.len > 0)
		memcpy(d->facts + d->facts_len, facts.ptr, facts.len);
	d->facts_len += facts.len;
	while (fact_decode(&facts, &fact, &bytes))
		dialogue_fact(d, &fact, bytes);
	if (facts.len > 0)
		abort(); /* a publication is whole facts */
	dialogue_say(d, "-- ");
	dialogue_say(d, decision_name((enum decision)p->decision));
	dialogue_say(d, "\n");
}

/* Feeds one segment from a place of its own, so that every read past its end
 * is seen. */
static inline void
dialogue_feed(struct dialogue *d, struct smtp_session *s, enum dir dir,
    struct slice bytes, const struct origin *at)
{
	uint8_t *copy;

	if (d->interest == INTEREST_NONE || bytes.len == 0)
		return;
	if (d->place != NULL) {
		d->interest = smtp_session_feed(s, dir, d->place(bytes), at);
		return;
	}
	copy = malloc(bytes.len);
	if (copy == NULL)
		abort();
	memcpy(copy, bytes.ptr, bytes.len);
	d->interest = smtp_session_feed(s, dir, slice_of(copy, bytes.len), at);
	free(copy);
}

static inline size_t
dialogue_piece(const struct dialogue *d, size_t done, size_t left)
{
	size_t n = left;

	if (d->cutting == CUT_OCTETS)
		n = 1;
	else if (d->cutting == CUT_EVERY)
		n = d->cut_at;
	else if (d->cutting == CUT_ONCE && done < d->cut_at)
		n = d->cut_at - done;
	return n < left ? n : left;
}

static inline void
dialogue_turns(struct dialogue *d, struct smtp_session *s,
    const struct turn *turns, size_t count, struct origin *at)
{
	uint64_t offsets[2] = { 0, 0 };
	size_t done = 0;

	for (size_t i = 0; i < count; i++) {
		const struct turn *t = &turns[i];
		struct slice rest = slice_of(t->bytes, t->len);

		at->frame++;
		at->capture_ts_ns++;
		at->one_sided = d->one_sided;
		while (rest.len > 0) {
			size_t n = dialogue_piece(d, done, rest.len);

			at->stream_offset = offsets[t->dir];
			dialogue_feed(d, s, t->dir, slice_first(rest, n), at);
			rest = slice_after(rest, n);
			offsets[t->dir] += n;
			done += n;
		}
		if (t->missing > 0 && d->interest != INTEREST_NONE) {
			at->stream_offset = offsets[t->dir];
			d->interest =
			    smtp_session_gap(s, t->dir, t->missing, false, at);
			offsets[t->dir] += t->missing;
		}
	}
	at->stream_offset = offsets[TO_SERVER];
}

/* The result belongs to `d`: dialogue_free(). */
static inline const char *
dialogue_run(struct dialogue *d, const struct turn *turns, size_t count)
{
	size_t budget = d->budget_bytes ? d->budget_bytes : 1 << 20;
	struct fact_pool *pool =
	    fact_pool_create(budget, &d->counters, dialogue_publish, d);
	void *place = malloc(smtp_session_bytes());
	struct flow_start start = { .midstream = d->midstream };
	struct origin at = { 0 };
	struct smtp_session *s;
	struct fact_log log;

	if (pool == NULL || place == NULL)
		abort();
	d->interest = INTEREST_NEGOTIATION;
	start.identity.on_mail_port = !d->off_port;
	start.identity.client.address.family = 4;
	start.identity.server.address.family = 4;
	fact_log_open(&log, pool, 1);
	if (d->midstream)
		log.observability |= OBS_MIDSTREAM;
	s = smtp_session_open(place, &log, &d->options, &start);
	dialogue_say(d, "");
	dialogue_turns(d, s, turns, count, &at);
	d->phase = smtp_session_phase(s);
	smtp_session_close(s, d->ending, TO_SERVER, &at);
	smtp_session_publish(s);
	fact_log_close(&log);
	free(place);
	if (fact_pool_used(pool) != 0)
		abort(); /* what was borrowed has come back */
	fact_pool_destroy(pool);
	return d->text;
}

static inline void
dialogue_free(struct dialogue *d)
{
	free(d->facts);
	free(d->text);
	d->facts = NULL;
	d->text = NULL;
	d->facts_len = d->text_len = d->text_room = 0;
}

#endif
