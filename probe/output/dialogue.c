#include "dialogue.h"

#include <string.h>

#include "dissect/certificate.h"
#include "facts.h"
#include "rules/wording.h"
#include "style.h"

#define TEXT_BYTES (4 * FACT_LINE_MAX_BYTES + 64)

/* A dialogue as it is told. */
struct telling {
	const struct incident *incident;
	const char *blank; /* stands for blanked octets */
	dialogue_fn *each;
	void *context;
	struct slice facts;
	struct dialogue_line line;
	char text[TEXT_BYTES], tampered[TEXT_BYTES], remark[128];
	bool mail_said; /* "in clear" was said */
	bool established;
	bool other_said; /* the other reading has begun */
};

/* What is inside facts and no line of SMTP, in words; "": not shown. */
typedef void words_fn(const struct fact *, struct slice, char out[256]);

static void
words_body(const struct fact *fact, struct slice bytes, char out[256])
{
	char count[32];

	(void)bytes;
	snprintf(out, 256, "message, %s octets, not kept",
	    style_count(fact->extent, count));
}

static void
words_gap(const struct fact *fact, struct slice bytes, char out[256])
{
	char count[32];

	(void)bytes;
	snprintf(out, 256, "%s octets are missing in this capture",
	    style_count(fact->extent, count));
}

static void
words_extra(const struct fact *fact, struct slice bytes, char out[256])
{
	char text[TEXT_BYTES];

	facts_text(fact, slice_first(bytes, 100), text, sizeof(text));
	snprintf(out, 256, "beside STARTTLS, before TLS: \"%.200s\"", text);
}

/* The copies themselves stand in the other reading. */
static void
words_copies(const struct fact *fact, struct slice bytes, char out[256])
{
	struct segment_copy first, later;

	if (segment_copy_decode(&bytes, &first) &&
	    segment_copy_decode(&bytes, &later))
		snprintf(out, 256,
		    "%llu octets of frame %llu again, with other contents "
		    "(TTL %u, then %u)",
		    (unsigned long long)fact->extent,
		    (unsigned long long)first.frame, first.ttl, later.ttl);
}

static const char *
tls_name(uint32_t version, char out[16])
{
	if (version == 0x0300)
		return "SSL 3.0";
	snprintf(out, 16, version >> 8 == 3 ? "TLS 1.%d" : "TLS 0x%04x",
	    version >> 8 == 3 ? (int)(version & 0xff) - 1 : (int)version);
	return out;
}

static void
words_hello(const struct fact *fact, struct slice bytes, char out[256])
{
	char version[16];

	(void)bytes;
	snprintf(out, 256, "%s: %s%s",
	    fact->code == FACT_TLS_CLIENT_HELLO ?
		"TLS ClientHello, offers up to" :
		"TLS ServerHello, chooses",
	    tls_name(fact->value, version),
	    fact->flags & FACT_RESUMED ? ", session resumed" : "");
}

static void
words_name(const struct fact *fact, struct slice bytes, char out[256])
{
	char text[TEXT_BYTES];

	facts_text(fact, slice_first(bytes, 200), text, sizeof(text));
	snprintf(out, 256, "%s %.200s",
	    fact->code == FACT_TLS_SNI ? "TLS server name" : "TLS ALPN", text);
}

static void
words_certificate(const struct fact *fact, struct slice bytes, char out[256])
{
	struct certificate certificate;

	if (!certificate_describe(bytes, &certificate))
		snprintf(out, 256, "certificate %u, damaged", fact->line);
	else
		snprintf(out, 256, "certificate %u: %.100s, SHA-256 %s",
		    fact->line,
		    certificate.name_count > 0 ? certificate.names[0] :
						 certificate.common_name,
		    certificate.sha256);
}

static void
words_alert(const struct fact *fact, struct slice bytes, char out[256])
{
	(void)bytes;
	snprintf(out, 256, "TLS alert, %s: %s (%u)",
	    fact->value >> 8 == 2 ? "fatal" : "warning",
	    wording_alert_name((uint8_t)fact->value), fact->value & 0xff);
}

static void
words_plain(const struct fact *fact, struct slice bytes, char out[256])
{
	static const struct {
		enum fact_code code;
		const char *words;
	} plain[] = {
		{ FACT_NOT_TLS, "what follows is no TLS" },
		{ FACT_OVER_LIMIT, "the rest of the negotiation was not kept" },
		{ FACT_TLS_ESTABLISHED,
		    "TLS established: the rest cannot be seen" },
		{ FACT_IMPLICIT_TLS, "TLS from the first octet" },
	};

	(void)bytes;
	for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++)
		if (plain[i].code == fact->code)
			snprintf(out, 256, "%s", plain[i].words);
}

static void
words_closed(const struct fact *fact, struct slice bytes, char out[256])
{
	const char *who = fact->dir == TO_SERVER ? "client" : "server";

	(void)bytes;
	switch (fact->value) {
	case ENDING_FIN:
		snprintf(out, 256, "closed by the %s (FIN)", who);
		break;
	case ENDING_RST:
		snprintf(out, 256, "reset by the %s (RST)", who);
		break;
	case ENDING_CAPTURE_END:
		snprintf(out, 256, "the capture ends here");
		break;
	default:
		snprintf(out, 256, "no more was seen (%s)",
		    ending_name((enum ending)fact->value));
	}
}

static words_fn *const words_of[FACT_CODES] = {
	[FACT_BODY] = words_body,
	[FACT_EXTRA_BYTES] = words_extra,
	[FACT_COPIES_DIFFER] = words_copies,
	[FACT_NOT_TLS] = words_plain,
	[FACT_GAP] = words_gap,
	[FACT_OVER_LIMIT] = words_plain,
	[FACT_TLS_CLIENT_HELLO] = words_hello,
	[FACT_TLS_SNI] = words_name,
	[FACT_TLS_ALPN] = words_name,
	[FACT_TLS_SERVER_HELLO] = words_hello,
	[FACT_TLS_CERTIFICATE] = words_certificate,
	[FACT_TLS_ALERT] = words_alert,
	[FACT_TLS_ESTABLISHED] = words_plain,
	[FACT_IMPLICIT_TLS] = words_plain,
	[FACT_CLOSED] = words_closed,
};

static bool
is_line(const struct fact *fact)
{
	return fact->code == FACT_GREETING || fact->code == FACT_COMMAND ||
	    fact->code == FACT_REPLY || fact->code == FACT_EHLO_REPLY ||
	    fact->code == FACT_AUTH_EXCHANGE;
}

/* --- one line ------------------------------------------------------------ */

static int
tell(struct telling *t)
{
	int status = t->each(t->context, &t->line);

	t->line.at_frame = t->line.frame;
	t->line.at_capture = t->line.capture;
	return status;
}

static void
append(char out[TEXT_BYTES], const char *text)
{
	size_t n = strlen(out);

	snprintf(out + n, TEXT_BYTES - n, "%s", text);
}

/* Runs of blanked octets become one sign: how long they are is nobody's. */
static void
put_text(const struct telling *t, char out[TEXT_BYTES], const struct fact *fact,
    struct slice bytes)
{
	bool redacted = fact->flags & FACT_REDACTED;

	out[0] = '\0';
	for (size_t i = 0; i < bytes.len;) {
		bool blank = redacted && bytes.ptr[i] == REDACTED_OCTET;
		size_t n = i, length = strlen(out);

		while (n < bytes.len &&
		    (redacted && bytes.ptr[n] == REDACTED_OCTET) == blank)
			n++;
		if (blank)
			append(out, t->blank);
		else
			facts_text(fact, slice_of(bytes.ptr + i, n - i),
			    out + length, TEXT_BYTES - length);
		i = n;
	}
}

static void
put_ending(char out[TEXT_BYTES], const struct fact *fact)
{
	if (fact->flags & FACT_CUT)
		append(out, " [...]");
	if (fact->flags & FACT_UNFINISHED)
		append(out, " [the line does not end]");
}

/* Is this the line that the incident is about? */
static bool
is_tampered(const struct incident *in, const struct fact *fact)
{
	if (fact->frame != in->frame || fact->capture != in->seen_capture ||
	    in->expected[0] == '\0')
		return false;
	switch (fact->code) {
	case FACT_EHLO_REPLY:
		return fact->line == in->seen_line;
	case FACT_COMMAND:
		return fact->stream_offset == in->stream_offset;
	default:
		return fact->code == FACT_REPLY && fact->about == VERB_STARTTLS;
	}
}

/* What made the client do without, where nothing else should stand there. */
static const char *
remark(const struct incident *in, const struct fact *fact)
{
	if (in->expected[0] != '\0' || fact->dir != TO_CLIENT ||
	    fact->frame != in->frame || fact->capture != in->seen_capture ||
	    fact->stream_offset != in->stream_offset)
		return NULL;
	switch (in->kind) {
	case KIND_STARTTLS_COMMAND_GARBLED:
		return "quotes what the client did not send";
	case KIND_EHLO_BLOCKED:
		return fact->code == FACT_GREETING ?
		    "no EHLO is answered behind it" :
		    "no keywords in this answer to EHLO";
	case KIND_STARTTLS_STRIPPED:
		return "no STARTTLS in this reply";
	default:
		return NULL;
	}
}

static void
mark_tampered(struct telling *t, const struct fact *fact, struct slice bytes)
{
	const struct incident *in = t->incident;
	/* The code and its separator are as they should be. */
	size_t whole =
	    bytes.len > 4 && memcmp(bytes.ptr, in->expected, 4) == 0 ? 4 : 0;

	put_text(t, t->text, fact, slice_first(bytes, whole));
	put_text(t, t->tampered, fact, slice_after(bytes, whole));
	put_ending(t->tampered, fact);
	snprintf(t->remark, sizeof(t->remark), "should be %s", in->expected);
	if (!(fact->flags & FACT_REDACTED))
		t->line.octets = bytes;
}

static int
tell_line(struct telling *t, const struct fact *fact, struct slice bytes)
{
	t->line.sort = DIALOGUE_LINE;
	if (is_tampered(t->incident, fact)) {
		mark_tampered(t, fact, bytes);
		return tell(t);
	}
	put_text(t, t->text, fact, bytes);
	put_ending(t->text, fact);
	if (remark(t->incident, fact) != NULL) {
		snprintf(t->remark, sizeof(t->remark), "%s",
		    remark(t->incident, fact));
	} else if (fact->code == FACT_COMMAND && fact->about == VERB_MAIL &&
	    !t->established && !t->mail_said) {
		t->line.in_clear = true;
		t->mail_said = true;
	}
	return tell(t);
}

/* Does the first reading say the same there? */
static bool
is_said_already(const struct telling *t, const struct fact *other,
    struct slice text)
{
	struct slice facts = t->facts, bytes;
	struct fact fact;

	while (fact_decode(&facts, &fact, &bytes))
		if (!(fact.flags & FACT_OTHER_READING) &&
		    fact.code == other->code && fact.dir == other->dir &&
		    fact.stream_offset == other->stream_offset &&
		    slice_equal(bytes, text))
			return true;
	return false;
}

static int
begin_other(struct telling *t)
{
	if (t->other_said)
		return 0;
	t->other_said = true;
	t->line.sort = DIALOGUE_OTHER_READING;
	snprintf(t->text, sizeof(t->text),
	    "what reads otherwise with the copy that came later:");
	return t->each(t->context, &t->line);
}

static void
begin_line(struct telling *t, const struct fact *fact)
{
	t->line.frame = fact->frame;
	t->line.capture = fact->capture;
	t->line.capture_ts_ns = fact->capture_ts_ns;
	t->line.who = fact->code == FACT_CLOSED ? ' ' :
	    fact->dir == TO_SERVER		? 'C' :
						  'S';
	t->line.doubtful = fact->code == FACT_GAP;
	t->line.in_clear = false;
	t->line.octets = slice_of(NULL, 0);
	t->text[0] = t->tampered[0] = t->remark[0] = '\0';
}

static int
tell_fact(struct telling *t, const struct fact *fact, struct slice bytes)
{
	words_fn *words = words_of[fact->code];
	char text[256] = "";

	begin_line(t, fact);
	if (fact->flags & FACT_OTHER_READING) {
		if (is_said_already(t, fact, bytes))
			return 0;
		if (begin_other(t) != 0)
			return 1;
		begin_line(t, fact);
	}
	t->established |= fact->code == FACT_TLS_ESTABLISHED;
	if (is_line(fact))
		return tell_line(t, fact, bytes);
	if (words != NULL)
		words(fact, bytes, text);
	if (text[0] == '\0')
		return 0;
	t->line.sort = DIALOGUE_NOTE;
	snprintf(t->text, sizeof(t->text), "%s", text);
	return tell(t);
}

/* Facts of a sighting without their version; empty: of another version. */
static struct slice
facts_begin(struct slice facts)
{
	if (facts.len == 0 || facts.ptr[0] != FACT_FORMAT_VERSION)
		return slice_of(NULL, 0);
	return slice_after(facts, 1);
}

int
dialogue_each(const struct incident *in, struct slice facts, const char *blank,
    dialogue_fn *each, void *context)
{
	struct telling t = { .incident = in,
		.blank = blank,
		.each = each,
		.context = context,
		.facts = facts_begin(facts) };
	struct slice bytes;
	struct fact fact;
	int status = 0;

	facts = t.facts;
	t.line.text = t.text;
	t.line.tampered = t.tampered;
	t.line.remark = t.remark;
	while (status == 0 && fact_decode(&facts, &fact, &bytes))
		status = tell_fact(&t, &fact, bytes);
	return status;
}

/* --- on a terminal ------------------------------------------------------- */

#define NARROW 72 /* columns; on fewer only frames are told, no times */

struct print {
	FILE *out;
	int width;  /* 0: lines may be as long as they are */
	int indent; /* where what is said begins */
	unsigned lines, lines_max, unprinted;
};

/* Frame and time, where they are others than those of the line before. */
static void
print_place(const struct print *p, const struct dialogue_line *line)
{
	bool narrow = p->width > 0 && p->width < NARROW;
	char time[32];

	if (line->frame == line->at_frame && line->capture == line->at_capture)
		fprintf(p->out, "%*s", p->indent - 3, "");
	else if (narrow)
		fprintf(p->out, "  %s#%-7llu%s ", style(TONE_DIM),
		    (unsigned long long)line->frame, style_end());
	else
		fprintf(p->out, "  %s#%-9llu %s%s ", style(TONE_DIM),
		    (unsigned long long)line->frame,
		    style_clock(line->capture_ts_ns, time), style_end());
}

/* Behind the line if there is room, else below it. */
static void
print_remark(const struct print *p, int column, enum tone tone,
    const char *sign, const char *text)
{
	int length =
	    style_length(slice_str(sign)) + style_length(slice_str(text));

	if (p->width > 0 && column + 6 + length > p->width)
		fprintf(p->out, "\n%*s", p->indent, "");
	else
		fprintf(p->out, "      ");
	fprintf(p->out, "%s%s%s%s", style(tone), sign, text, style_end());
}

static void
print_line(const struct print *p, const struct dialogue_line *line)
{
	int column;

	fprintf(p->out, "%s%c%s  ", style(TONE_BOLD), line->who, style_end());
	column = style_put(p->out, slice_str(line->text), p->indent, p->indent,
	    p->width);
	if (line->tampered[0] != '\0') {
		fputs(style(TONE_RED), p->out);
		column = style_put(p->out, slice_str(line->tampered), column,
		    p->indent, p->width);
		fputs(style_end(), p->out);
	}
	if (line->remark[0] != '\0')
		print_remark(p, column, TONE_RED, style_utf8() ? "◄ " : "<-- ",
		    line->remark);
	if (line->in_clear)
		print_remark(p, column, TONE_YELLOW, "", "in clear");
	fputc('\n', p->out);
}

static void
print_note(const struct print *p, const struct dialogue_line *line)
{
	char text[TEXT_BYTES];

	snprintf(text, sizeof(text), "[%s]", line->text);
	fprintf(p->out, "%s%c  ",
	    style(line->doubtful ? TONE_YELLOW : TONE_DIM), line->who);
	style_put(p->out, slice_str(text), p->indent, p->indent, p->width);
	fprintf(p->out, "%s\n", style_end());
}

static int
on_line(void *context, const struct dialogue_line *line)
{
	struct print *p = context;

	if (line->sort == DIALOGUE_OTHER_READING) {
		fprintf(p->out, "%*s%s[%s]%s\n", p->indent, "",
		    style(TONE_YELLOW), line->text, style_end());
		return 0;
	}
	if (p->lines >= p->lines_max) {
		p->unprinted++;
		return 0;
	}
	p->lines++;
	print_place(p, line);
	if (line->sort == DIALOGUE_LINE)
		print_line(p, line);
	else
		print_note(p, line);
	return 0;
}

void
dialogue_print(FILE *out, const struct incident *in, struct slice facts,
    unsigned lines_max)
{
	struct print p = { .out = out,
		.width = style_columns(),
		.lines_max = lines_max };

	p.indent = p.width > 0 && p.width < NARROW ? 14 : 29;
	dialogue_each(in, facts, style_utf8() ? "…" : "[...]", on_line, &p);
	if (p.unprinted > 0)
		fprintf(out, "%*s%s[%u more lines: --full shows them]%s\n",
		    p.indent, "", style(TONE_DIM), p.unprinted, style_end());
}

bool
dialogue_frames(const struct incident *in, struct slice facts, uint64_t *first,
    uint64_t *last)
{
	struct slice bytes;
	struct fact fact;
	bool any = false;

	facts = facts_begin(facts);
	while (fact_decode(&facts, &fact, &bytes)) {
		if (fact.capture != in->seen_capture || fact.frame == 0)
			continue;
		if (!any || fact.frame < *first)
			*first = fact.frame;
		if (!any || fact.frame > *last)
			*last = fact.frame;
		any = true;
	}
	return any;
}
