#include "verdict.h"

#include <string.h>

#include "style.h"
#include "text.h"

#define BESIDE_ID 10 /* columns of "9f0c31aa  " */
#define LABEL 11     /* columns of "Observed   " */

static const char *
dot(void)
{
	return style_utf8() ? "·" : "-";
}

/* --- the head ------------------------------------------------------------ */

/* Who with whom: behind the title if there is room, else below it. */
static void
print_route(FILE *out, const struct incident *in, int column)
{
	char client[ADDRESS_TEXT_BYTES], server[ENDPOINT_TEXT_BYTES];
	char text[ADDRESS_TEXT_BYTES + ENDPOINT_TEXT_BYTES + DOMAIN_TEXT_BYTES +
	    40];
	int width = style_columns();

	snprintf(text, sizeof(text), "%s %s %s%s%s%s",
	    address_format(&in->client.address, client),
	    style_utf8() ? "→" : "->", endpoint_format(&in->server, server),
	    in->server_name[0] ? " (calls itself " : "", in->server_name,
	    in->server_name[0] ? ")" : "");
	if (width > 0 && column + 4 + style_length(slice_str(text)) > width) {
		fputc('\n', out);
		style_paragraph(out, "", BESIDE_ID, text);
		fputc('\n', out);
	} else {
		fprintf(out, "    %s\n\n", text);
	}
}

static void
print_title(FILE *out, const struct incident *in)
{
	const char *certainty = in->state == STATE_WITHDRAWN ?
	    "withdrawn" :
	    certainty_name(in->certainty);
	int n, column, width = style_columns();
	char head[80], rest[80];

	snprintf(head, sizeof(head), "%.8s  %s", in->id, kind_name(in->kind));
	n = snprintf(rest, sizeof(rest), " %s severity %u", dot(),
	    incident_severity(in));
	if (in->state == STATE_OPEN)
		n += snprintf(rest + n, sizeof(rest) - (size_t)n, " %s open",
		    dot());
	if (in->direction != DIRECTION_UNKNOWN)
		snprintf(rest + n, sizeof(rest) - (size_t)n, " %s %s", dot(),
		    direction_name(in->direction));
	column = (int)(strlen(head) + strlen(certainty)) + 3;
	fprintf(out, "%s%s%s %s %s%s%s", style(TONE_BOLD), head, style_end(),
	    dot(), text_certainty_style(in->certainty), certainty, style_end());
	if (width > 0 && column + style_length(slice_str(rest)) > width) {
		fprintf(out, "\n%*s%s", BESIDE_ID, "",
		    rest + strlen(dot()) + 2);
		column = width;
	} else {
		fputs(rest, out);
		column += style_length(slice_str(rest));
	}
	print_route(out, in, column);
}

static const struct {
	const char *label;
	unsigned parts;
} paragraphs[] = {
	{ "Withdrawn", 1 << ACCOUNT_WITHDRAWN },
	{ "Observed", 1 << ACCOUNT_OBSERVED },
	{ "Means", 1 << ACCOUNT_ACT | 1 << ACCOUNT_MAIL | 1 << ACCOUNT_POLICY },
	{ "Resembles", 1 << ACCOUNT_RESEMBLES },
	{ "Known box", 1 << ACCOUNT_BOX },
	{ "Or else", 1 << ACCOUNT_BENIGN },
	{ "Next step", 1 << ACCOUNT_NEXT_STEP },
	{ "Seen in", 1 << ACCOUNT_PLACE },
	{ "With it", 1 << ACCOUNT_SESSIONS },
	{ "Operator", 1 << ACCOUNT_OPERATOR },
};

static void
print_account(FILE *out, const struct incident *in, const char *label,
    unsigned wanted)
{
	char text[ACCOUNT_BYTES];

	if (account(in, wanted, text)[0] != '\0')
		style_paragraph(out, label, LABEL, text);
}

void
verdict_head(FILE *out, const struct incident *in)
{
	print_title(out, in);
	for (size_t i = 0; i < sizeof(paragraphs) / sizeof(*paragraphs); i++)
		print_account(out, in, paragraphs[i].label,
		    paragraphs[i].parts);
	fputc('\n', out);
}

/* --- evidence ------------------------------------------------------------ */

static void
print_evidence(FILE *out, const struct incident *in, unsigned at,
    const char *label)
{
	const struct evidence *e = &in->evidence[at];
	char text[1024], frame[40] = "";

	if (e->frame != 0)
		snprintf(frame, sizeof(frame), " in frame %llu",
		    (unsigned long long)e->frame);
	snprintf(text, sizeof(text), "%+.1f %s: %s%s: %s%s%s%s", e->weight,
	    evidence_group_name(evidence_group(e->code)),
	    evidence_name(e->code), frame, e->detail, e->detail[0] ? "; " : "",
	    evidence_why(e->code),
	    incident_evidence_counts(in, at) ?
		"" :
		" (not counted: another of its group is stronger)");
	style_paragraph(out, label, LABEL, text);
}

static void
print_side(FILE *out, const struct incident *in, bool speaks_for)
{
	const char *label = speaks_for ? "For" : "Against";

	for (unsigned i = 0; i < in->evidence_count; i++) {
		if ((in->evidence[i].weight > 0) != speaks_for)
			continue;
		print_evidence(out, in, i, label);
		label = "";
	}
}

void
verdict_evidence(FILE *out, const struct incident *in)
{
	fputc('\n', out);
	print_side(out, in, true);
	print_side(out, in, false);
	print_account(out, in, "Support", 1 << ACCOUNT_SUPPORT);
	style_paragraph(out, "Stands on", LABEL, in->provenance);
}

/* --- the rest ------------------------------------------------------------ */

void
verdict_wireshark(FILE *out, const struct incident *in, uint64_t first,
    uint64_t last)
{
	char text[ACCOUNT_BYTES];

	/* In one line, to be copied. */
	fprintf(out, "%s%-*s%s%s\n", style(TONE_BOLD), LABEL, "Wireshark",
	    style_end(), account_filter(in, first, last, text));
}

void
verdict_revision(FILE *out, const struct incident *in)
{
	char text[ACCOUNT_BYTES];

	style_paragraph(out, in->revision == 1 ? "History" : "", LABEL,
	    account_revision(in, text));
}

void
verdict_word(FILE *out, const struct said *said)
{
	char text[ACCOUNT_BYTES];

	style_paragraph(out, "Said", LABEL, account_word(said, text));
}

void
verdict_labels(FILE *out, const char *text)
{
	style_paragraph(out, "Labels", LABEL, text);
}

void
verdict_campaign(FILE *out, const struct incident *in)
{
	const struct incident_campaign *c = &in->campaign;
	char text[256], first[32], last[32], count[3][32];

	snprintf(text, sizeof(text),
	    "%s incidents of this act between %s and %s UTC: %s client%s, %s "
	    "server%s (campaign %.8s; --full lists all)",
	    style_count(c->incidents, count[0]), style_time(c->first_ns, first),
	    style_time(c->last_ns, last), style_count(c->clients, count[1]),
	    c->clients == 1 ? "" : "s", style_count(c->servers, count[2]),
	    c->servers == 1 ? "" : "s", c->id);
	style_paragraph(out, "Who else", LABEL, text);
}

void
verdict_other(FILE *out, const struct incident *other)
{
	char client[ADDRESS_TEXT_BYTES], server[ENDPOINT_TEXT_BYTES], time[32];

	fprintf(out, "%*s%.8s  %s  %s %s %s\n", LABEL, "", other->id,
	    style_time(other->capture_ts_ns, time),
	    address_format(&other->client.address, client),
	    style_utf8() ? "→" : "->", endpoint_format(&other->server, server));
}
