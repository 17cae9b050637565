#include "article.h"

#include <string.h>

#include "account.h"
#include "chart.h"
#include "dialogue.h"
#include "html.h"
#include "style.h"

#define OCTETS_SHOWN 64

/* --- the head ------------------------------------------------------------ */

static const char *
certainty_word(const struct incident *in)
{
	return in->state == STATE_WITHDRAWN ? "withdrawn" :
					      certainty_name(in->certainty);
}

void
article_certainty(FILE *out, const struct incident *in)
{
	html_print(out, "<span class=\"certainty %s\">%s</span>",
	    certainty_word(in), certainty_word(in));
}

static void
put_route(FILE *out, const struct incident *in)
{
	char client[ADDRESS_TEXT_BYTES], server[ENDPOINT_TEXT_BYTES];

	html_print(out,
	    "<span class=\"wire\">%s</span> <span aria-hidden=\"true\">→</span>"
	    "<span class=\"unseen\">to</span> <span class=\"wire\">%s</span>",
	    address_format(&in->client.address, client),
	    endpoint_format(&in->server, server));
}

static void
put_head(FILE *out, const struct incident *in)
{
	char time[32];

	html_print(out,
	    "<article aria-labelledby=\"h%s\"><header><h3 id=\"h%s\">%s</h3>"
	    "<p class=\"marks\">",
	    in->id, in->id, account_title(in->kind));
	article_certainty(out, in);
	html_print(out, "<span class=\"severity\">severity %u</span>",
	    incident_severity(in));
	if (in->state == STATE_OPEN)
		html_print(out, "<span>still open</span>");
	if (in->direction != DIRECTION_UNKNOWN)
		html_print(out, "<span>%s</span>",
		    direction_name(in->direction));
	html_print(out, "<code>%s</code></p><p class=\"route\">",
	    kind_name(in->kind));
	put_route(out, in);
	if (in->server_name[0] != '\0')
		html_print(out, ", calls itself <span class=\"wire\">%s</span>",
		    in->server_name);
	html_print(out, ", %s UTC</p></header>",
	    style_time(in->capture_ts_ns, time));
}

/* --- in words ------------------------------------------------------------ */

static const struct {
	const char *label;
	unsigned parts;
} answers[] = {
	{ "Withdrawn", 1 << ACCOUNT_WITHDRAWN },
	{ "What was seen", 1 << ACCOUNT_OBSERVED },
	{ "What it means", 1 << ACCOUNT_ACT },
	{ "Which mail", 1 << ACCOUNT_MAIL },
	{ "What the recipient asks for", 1 << ACCOUNT_POLICY },
	{ "How sure", 1 << ACCOUNT_SURE | 1 << ACCOUNT_SUPPORT },
	{ "Whose doing", 1 << ACCOUNT_WHOSE },
	{ "Or else", 1 << ACCOUNT_BENIGN },
	{ "What to do next", 1 << ACCOUNT_NEXT_STEP },
	{ "With it", 1 << ACCOUNT_SESSIONS },
	{ "Operator", 1 << ACCOUNT_OPERATOR },
};

static void
put_account(FILE *out, const struct incident *in)
{
	char text[ACCOUNT_BYTES];

	fputs("<dl class=\"account\">", out);
	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
		if (account(in, answers[i].parts, text)[0] == '\0')
			continue;
		html_print(out, "<div><dt>%s</dt><dd>%s", answers[i].label,
		    text);
		if (answers[i].parts >> ACCOUNT_SUPPORT & 1)
			chart_confidence(out, in);
		fputs("</dd></div>", out);
	}
	fputs("</dl>", out);
}

/* --- the dialogue -------------------------------------------------------- */

struct lines {
	FILE *out;
	unsigned count, left_out;
	uint8_t octets[OCTETS_SHOWN]; /* of the line that was altered */
	size_t octet_count;
};

static void
put_place(FILE *out, const struct dialogue_line *line)
{
	char time[32], frame[24];

	if (line->frame == line->at_frame &&
	    line->capture == line->at_capture) {
		fputs("<td></td><td></td>", out);
		return;
	}
	snprintf(frame, sizeof(frame), "%llu", (unsigned long long)line->frame);
	html_print(out,
	    "<td class=\"frame\">%s</td><td class=\"clock\">%s</td>", frame,
	    style_clock(line->capture_ts_ns, time));
}

static void
put_said(FILE *out, const struct dialogue_line *line)
{
	html_print(out, "<td><code>%s", line->text);
	if (line->tampered[0] != '\0')
		html_print(out, "<mark>%s</mark>", line->tampered);
	fputs("</code>", out);
	if (line->remark[0] != '\0')
		html_print(out,
		    " <strong class=\"remark\"><span aria-hidden=\"true\">◄ "
		    "</span>%s</strong>",
		    line->remark);
	if (line->in_clear)
		fputs(" <em class=\"doubt\">in clear</em>", out);
	fputs("</td>", out);
}

static int
on_line(void *context, const struct dialogue_line *line)
{
	struct lines *l = context;

	if (l->count >= DIALOGUE_LINES && line->remark[0] == '\0') {
		l->left_out++;
		return 0;
	}
	l->count++;
	if (line->sort == DIALOGUE_OTHER_READING) {
		html_print(l->out,
		    "<tr class=\"other\"><td></td><td></td><td></td>"
		    "<td>%s</td></tr>",
		    line->text);
		return 0;
	}
	fprintf(l->out, "<tr%s>",
	    line->remark[0] != '\0'	    ? " class=\"hit\"" :
		line->sort == DIALOGUE_NOTE ? " class=\"note\"" :
					      "");
	put_place(l->out, line);
	html_print(l->out, "<td class=\"who\">%s</td>",
	    line->who == 'C'	 ? "client" :
		line->who == 'S' ? "server" :
				   "");
	if (line->sort == DIALOGUE_LINE)
		put_said(l->out, line);
	else
		html_print(l->out, "<td>%s</td>", line->text);
	fputs("</tr>", l->out);
	if (line->octets.len > 0 && l->octet_count == 0 &&
	    line->octets.len <= OCTETS_SHOWN) {
		memcpy(l->octets, line->octets.ptr, line->octets.len);
		l->octet_count = line->octets.len;
	}
	return 0;
}

static void
put_octet(FILE *out, int octet, bool differs)
{
	char text[8] = "";

	if (octet < 0) {
		fputs("<td></td>", out);
		return;
	}
	snprintf(text, sizeof(text),
	    octet > 0x20 && octet < 0x7f ? "%c" : "\\x%02X", octet);
	fputs(differs ? "<td class=\"differs\">" : "<td>", out);
	html_print(out, "<b>%s</b>", text);
	fprintf(out, "<small>%02x</small></td>", (unsigned)octet);
}

static void
put_octet_row(FILE *out, const char *label, struct slice row,
    struct slice other, size_t columns)
{
	html_print(out, "<tr><th scope=\"row\">%s</th>", label);
	for (size_t i = 0; i < columns; i++)
		put_octet(out, i < row.len ? row.ptr[i] : -1,
		    i < row.len &&
			(i >= other.len || other.ptr[i] != row.ptr[i]));
	fputs("</tr>", out);
}

/* What arrived above what should have, octet for octet. */
static void
put_octets(FILE *out, const struct incident *in, const struct lines *l)
{
	struct slice came = slice_of(l->octets, l->octet_count);
	struct slice due = slice_str(in->expected);
	size_t columns = came.len > due.len ? came.len : due.len;
	unsigned differ = 0;

	if (came.len == 0 || due.len == 0)
		return;
	for (size_t i = 0; i < columns; i++)
		differ += i >= came.len || i >= due.len ||
		    came.ptr[i] != due.ptr[i];
	html_print(out,
	    "<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
	    "aria-label=\"Octet for octet, incident %s\">"
	    "<table class=\"octets\"><caption>Octet for octet: %u of %u "
	    "differ from what belongs there</caption><tbody>",
	    in->id, differ, (unsigned)columns);
	put_octet_row(out, "arrived", came, due, columns);
	put_octet_row(out, "expected", due, came, columns);
	fputs("</tbody></table></div>", out);
}

static void
put_dialogue(FILE *out, const struct incident *in, struct slice facts)
{
	struct lines l = { .out = out };

	fputs("<h4>The dialogue, as it was captured</h4>", out);
	if (facts.len == 0) {
		fputs("<p>The dialogue is not kept any more.</p>", out);
		return;
	}
	fputs("<table class=\"dialogue\"><thead><tr><th scope=\"col\">Frame"
	      "</th><th scope=\"col\">Time (UTC)</th><th scope=\"col\">Who"
	      "</th><th scope=\"col\">Said</th></tr></thead><tbody>",
	    out);
	dialogue_each(in, facts, "…", on_line, &l);
	fputs("</tbody></table>", out);
	if (l.left_out > 0)
		html_print(out,
		    "<p class=\"context\">%u more lines: striplight show "
		    "--full %s</p>",
		    l.left_out, in->id);
	put_octets(out, in, &l);
}

/* --- the evidence -------------------------------------------------------- */

static void
put_evidence(FILE *out, const struct incident *in, unsigned at)
{
	const struct evidence *e = &in->evidence[at];
	bool counts = incident_evidence_counts(in, at);
	char weight[16], frame[40] = "";

	snprintf(weight, sizeof(weight), "%+.1f", e->weight);
	if (e->frame != 0)
		snprintf(frame, sizeof(frame), "frame %llu",
		    (unsigned long long)e->frame);
	fputs(counts ? "<tr><td>" : "<tr class=\"uncounted\"><td>", out);
	chart_weight(out, e->weight);
	html_print(out, "%s</td><td>%s<br><code>%s</code> %s</td><td>%s%s%s.%s",
	    weight, evidence_group_name(evidence_group(e->code)),
	    evidence_name(e->code), frame, e->detail,
	    e->detail[0] != '\0' ? "; " : "", evidence_why(e->code),
	    counts ? "" : " Not counted: another of its group is stronger.");
	fputs("</td></tr>", out);
}

static void
put_evidence_table(FILE *out, const struct incident *in)
{
	fputs("<h4>What speaks for tampering, and what against</h4>"
	      "<table class=\"evidence\"><thead><tr><th scope=\"col\">Weight"
	      "</th><th scope=\"col\">From</th><th scope=\"col\">What, and why "
	      "it has that weight</th></tr></thead><tbody>",
	    out);
	for (unsigned i = 0; i < in->evidence_count; i++)
		put_evidence(out, in, i);
	fputs("</tbody></table>", out);
}

/* --- all of it ----------------------------------------------------------- */

void
article_record(FILE *out, const char *label, const char *text)
{
	html_print(out, "<div><dt>%s</dt><dd>%s</dd></div>", label, text);
}

void
article_open(FILE *out, const struct incident *in, struct slice facts)
{
	char text[ACCOUNT_BYTES];
	uint64_t first = 0, last = 0;

	put_head(out, in);
	put_account(out, in);
	put_dialogue(out, in, facts);
	put_evidence_table(out, in);
	fputs("<h4>For whoever checks this</h4><dl class=\"record\">", out);
	article_record(out, "Incident", in->id);
	article_record(out, "Seen in", account(in, 1 << ACCOUNT_PLACE, text));
	article_record(out, "Verdict stands on", in->provenance);
	if (!dialogue_frames(in, facts, &first, &last))
		first = last = 0;
	article_record(out, "Wireshark filter",
	    account_filter(in, first, last, text));
}

void
article_close(FILE *out)
{
	fputs("</dl></article>", out);
}

/* --- the row ------------------------------------------------------------- */

void
article_row_head(FILE *out)
{
	fputs("<tr><th scope=\"col\">Incident</th>"
	      "<th scope=\"col\">When (UTC)</th>"
	      "<th scope=\"col\">How sure</th>"
	      "<th scope=\"col\">What happened</th>"
	      "<th scope=\"col\">Client → server</th>"
	      "<th scope=\"col\">Mail for</th></tr>",
	    out);
}

static void
put_domains(FILE *out, const struct incident *in)
{
	if (in->domain_count == 0)
		fputs("<span class=\"context\">not seen</span>", out);
	for (unsigned i = 0; i < in->domain_count && i < 2; i++)
		html_print(out, "%s<span class=\"wire\">%s</span>",
		    i > 0 ? ", " : "", in->rcpt_domains[i]);
	if (in->domain_count + in->domains_unlisted > 2)
		html_print(out, " and %u more",
		    in->domain_count + in->domains_unlisted - 2);
}

void
article_row(FILE *out, const struct incident *in)
{
	char time[32], id[9];

	snprintf(id, sizeof(id), "%.8s", in->id);
	html_print(out,
	    "<tr><th scope=\"row\"><a href=\"#i%s\">%s</a></th><td>%s</td>"
	    "<td>",
	    in->id, id, style_time(in->capture_ts_ns, time));
	article_certainty(out, in);
	html_print(out, "</td><td>%s</td><td>", account_title(in->kind));
	put_route(out, in);
	fputs("</td><td>", out);
	put_domains(out, in);
	fputs("</td></tr>", out);
}
