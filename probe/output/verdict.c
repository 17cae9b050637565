#include "verdict.h"

#include <stdarg.h>
#include <string.h>

#include "style.h"
#include "text.h"

#define LABEL 11 /* columns of "Observed   " */

/* Sentences that become one paragraph. */
struct paragraph {
	char text[2048];
	size_t length;
};

static void __attribute__((format(printf, 2, 3)))
say(struct paragraph *p, const char *format, ...)
{
	va_list arguments;
	int n;

	if (p->length + 2 >= sizeof(p->text))
		return;
	if (p->length > 0)
		p->text[p->length++] = ' ';
	va_start(arguments, format);
	n = vsnprintf(p->text + p->length, sizeof(p->text) - p->length, format,
	    arguments);
	va_end(arguments);
	if (n > 0)
		p->length += (size_t)n;
	if (p->length >= sizeof(p->text))
		p->length = sizeof(p->text) - 1;
}

static void
say_sentence(struct paragraph *p, const char *text)
{
	size_t n = strlen(text);

	if (n > 0)
		say(p, "%c%s%s",
		    text[0] >= 'a' && text[0] <= 'z' ? text[0] - 'a' + 'A' :
						       text[0],
		    text + 1, text[n - 1] == '.' ? "" : ".");
}

static const char *
dot(void)
{
	return style_utf8() ? "·" : "-";
}

/* --- the head ------------------------------------------------------------ */

static void
print_title(FILE *out, const struct incident *in)
{
	char client[ADDRESS_TEXT_BYTES], server[ENDPOINT_TEXT_BYTES];

	fprintf(out, "%s%.8s  %s%s %s %s%s%s %s severity %u", style(TONE_BOLD),
	    in->id, kind_name(in->kind), style_end(), dot(),
	    text_certainty_style(in->certainty),
	    in->state == STATE_WITHDRAWN ? "withdrawn" :
					   certainty_name(in->certainty),
	    style_end(), dot(), incident_severity(in));
	if (in->state == STATE_OPEN)
		fprintf(out, " %s open", dot());
	if (in->direction != DIRECTION_UNKNOWN)
		fprintf(out, " %s %s", dot(), direction_name(in->direction));
	fprintf(out, "    %s %s %s",
	    address_format(&in->client.address, client),
	    style_utf8() ? "→" : "->", endpoint_format(&in->server, server));
	if (in->server_name[0] != '\0')
		fprintf(out, " (calls itself %s)", in->server_name);
	fputs("\n\n", out);
}

/* What was done, when it is sure and when it may be so. */
static const struct {
	const char *did, *may_have;
} acts[KINDS] = {
	[KIND_PLAINTEXT_INJECTED] = { "put octets beside STARTTLS into the "
				      "dialogue",
	    "put octets beside STARTTLS into the dialogue" },
	[KIND_STARTTLS_COMMAND_GARBLED] = { "overwrote the client's request for "
					    "encryption",
	    "overwritten the client's request for encryption" },
	[KIND_EHLO_BLOCKED] = { "kept the two from speaking ESMTP, without "
				"which there is no STARTTLS",
	    "kept the two from speaking ESMTP, without which there is no "
	    "STARTTLS" },
	[KIND_STARTTLS_GARBLED] = { "overwrote the offer of encryption",
	    "overwritten the offer of encryption" },
	[KIND_STARTTLS_REFUSED] = { "refused STARTTLS in the server's stead, "
				    "or kept the server from getting it,",
	    "refused STARTTLS in the server's stead, or kept the server from "
	    "getting it," },
	[KIND_TLS_SESSION_BROKEN] = { "cut TLS off", "cut TLS off" },
	[KIND_TLS_VERSION_DOWNGRADED] = { "asked the server for an older TLS "
					  "than the client offered",
	    "asked the server for an older TLS than the client offered" },
	[KIND_CERTIFICATE_MISMATCH] = { "answered in the server's stead",
	    "answered in the server's stead" },
	[KIND_SERVER_REDIRECTED] = { "led the client to another server",
	    "led the client to another server" },
	[KIND_STARTTLS_STRIPPED] = { "removed the offer of encryption",
	    "removed the offer of encryption" },
	[KIND_SEGMENT_FORGED] = { "sent other octets in a peer's stead",
	    "sent other octets in a peer's stead" },
};

static void
say_act(struct paragraph *p, const struct incident *in)
{
	bool sure = in->certainty >= CERTAINTY_LIKELY;
	const char *where = "on its way; this capture alone does not show "
			    "where";

	if (in->box[0] != '\0')
		where = "where you declared a box of your own";
	else if (in->cause == CAUSE_KNOWN_BOX)
		where = "between the two places of this capture";
	else if (in->side == SIDE_SERVER_OF_TAP)
		where = "between the server and the place of this capture";
	else if (in->side == SIDE_CLIENT_OF_TAP)
		where = "between the place of this capture and the client";
	say(p, "Something %s%s %s.", sure ? "" : "may have ",
	    sure ? acts[in->kind].did : acts[in->kind].may_have, where);
}

static void
say_exposed(struct paragraph *p, const struct incident *in)
{
	if (in->outcome & OUTCOME_CREDENTIALS_EXPOSED)
		say(p,
		    "The user's credentials crossed the network in clear: "
		    "have them changed.");
	if (in->outcome & OUTCOME_CONTENT_EXPOSED)
		say(p, "Mail crossed the network in clear%s.",
		    in->outcome & OUTCOME_ACCEPTED ? " and was accepted" : "");
	else if (in->outcome & OUTCOME_ENVELOPE_EXPOSED)
		say(p, "Sender and recipient crossed the network in clear.");
	if (in->outcome & OUTCOME_STOPPED)
		say(p, "No mail was sent: the client stopped.");
	if (in->outcome & OUTCOME_ENCRYPTED)
		say(p, "%s",
		    in->kind == KIND_CERTIFICATE_MISMATCH ||
			    in->kind == KIND_SERVER_REDIRECTED ?
			"TLS began: with whom is the question; what was "
			"sent inside it, that party could read." :
			"TLS began all the same: nothing was exposed by it.");
	if (in->queue_id[0] != '\0')
		say(p, "The server's queue id is %s.", in->queue_id);
}

static void
say_domains(struct paragraph *p, const struct incident *in)
{
	unsigned count = in->domain_count + in->domains_unlisted;
	char list[512] = "";

	for (unsigned i = 0; i < in->domain_count && i < 4; i++) {
		size_t n = strlen(list);

		snprintf(list + n, sizeof(list) - n, "%s%.100s", i ? ", " : "",
		    in->rcpt_domains[i]);
	}
	if (count > 0)
		say(p, "%u recipient domain%s: %s%s.", count,
		    count == 1 ? "" : "s", list, count > 4 ? ", ..." : "");
}

static void
say_policies(struct paragraph *p, const struct incident *in)
{
	for (unsigned i = 0; i < in->policy_count; i++) {
		const struct policy_verdict *v = &in->policies[i];

		say(p, "%s of %.100s (%s, validity %s, chosen by %s) %s.",
		    v->mechanism == MECHANISM_DANE ? "DANE at an MX" :
						     "The MTA-STS policy",
		    v->domain, v->mode, v->assumed ? "assumed" : "observed",
		    v->basis == BASIS_RCPT ? "the recipient" :
					     policy_basis_name(v->basis),
		    v->result == POLICY_UNMET ?
			"was not met" :
			v->result == POLICY_MET ?
			"was met" :
			v->result == POLICY_NOT_VISIBLE ?
			"asks for more than can be seen" :
			"may or may not have been met");
	}
}

/* What the operator made of it. */
static void
print_words(FILE *out, const struct incident *in)
{
	const struct operator_words *w = &in->words;
	struct paragraph p = { "", 0 };
	char time[32], note[SAFE_BYTES];

	if (w->label != LABEL_NONE)
		say(&p, "Says that this is %s.", label_name(w->label));
	else if (w->acknowledged)
		say(&p, "Has seen this.");
	if (w->suppressed_by != 0)
		say(&p,
		    "Rule %llu suppresses it: it is kept and listed, and not "
		    "alerted.",
		    (unsigned long long)w->suppressed_by);
	if (w->note[0] != '\0')
		say_sentence(&p, style_safe(w->note, note));
	if (w->last_ns != 0)
		say(&p, "(%s, %s UTC)", w->last_user,
		    style_time(w->last_ns, time));
	if (p.length > 0)
		style_paragraph(out, "Operator", LABEL, p.text);
}

/* The sessions that belong to it, but for the one that is shown. */
static void
print_sessions(FILE *out, const struct incident *in)
{
	struct paragraph p = { "", 0 };

	for (unsigned i = 1; i < in->session_count; i++) {
		const struct incident_session *s = &in->sessions[i];
		char client[ENDPOINT_TEXT_BYTES], time[32];

		say(&p, "%s %s, %s UTC%s",
		    strcmp(s->role, "retry") == 0 ? "in clear from" :
						    "failed before it:",
		    endpoint_format(&s->client, client),
		    style_time(s->first_ns, time),
		    i + 1 < in->session_count ? ";" : "");
	}
	if (p.length > 0)
		style_paragraph(out, "With it", LABEL, p.text);
}

void
verdict_head(FILE *out, const struct incident *in)
{
	struct paragraph observed = { "", 0 }, means = { "", 0 };
	struct paragraph or_else = { "", 0 };
	char time[32], path[SAFE_BYTES], text[SAFE_BYTES + 100];

	print_title(out, in);
	if (in->state == STATE_WITHDRAWN)
		style_paragraph(out, "Withdrawn", LABEL,
		    "What was learned later took the ground from under it.");
	say_sentence(&observed, in->observed);
	if (in->unseen)
		say(&observed, "The capture does not have all of the session.");
	say_act(&means, in);
	say_exposed(&means, in);
	say_domains(&means, in);
	say_policies(&means, in);
	say_sentence(&or_else, in->benign);
	style_paragraph(out, "Observed", LABEL, observed.text);
	style_paragraph(out, "Means", LABEL, means.text);
	if (in->resembles[0] != '\0') {
		snprintf(text, sizeof(text),
		    "the mask %s (%u public sample%s); writing it costs an "
		    "attacker nothing",
		    in->resembles, in->resembles_samples,
		    in->resembles_samples == 1 ? "" : "s");
		style_paragraph(out, "Resembles", LABEL, text);
	}
	if (in->box[0] != '\0')
		style_paragraph(out, "Known box", LABEL, in->box);
	style_paragraph(out, "Or else", LABEL, or_else.text);
	style_paragraph(out, "Next step", LABEL, in->next_step);
	snprintf(text, sizeof(text), "%s, frame %llu, %s UTC",
	    style_safe(in->capture_path, path), (unsigned long long)in->frame,
	    style_time(in->capture_ts_ns, time));
	style_paragraph(out, "Seen in", LABEL, text);
	print_sessions(out, in);
	print_words(out, in);
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

static void
print_support(FILE *out, const struct incident *in)
{
	double posterior = incident_posterior(in->support, in->prior);
	char text[512];

	snprintf(text, sizeof(text),
	    "10^%.1f for a third party, against the best benign explanation. "
	    "With a prior of 1 in %.3g that makes a confidence of %.2f%s.",
	    in->support, 1 / in->prior, in->confidence,
	    posterior > in->confidence + 0.005 ?
		", capped: nothing here rules the benign explanation out" :
		"");
	style_paragraph(out, "Support", LABEL, text);
}

void
verdict_evidence(FILE *out, const struct incident *in)
{
	fputc('\n', out);
	print_side(out, in, true);
	print_side(out, in, false);
	print_support(out, in);
	style_paragraph(out, "Stands on", LABEL, in->provenance);
}

/* --- the rest ------------------------------------------------------------ */

void
verdict_wireshark(FILE *out, const struct incident *in, uint64_t first,
    uint64_t last)
{
	const char *ip = in->client.address.family == 6 ? "ipv6" : "ip";
	char client[ADDRESS_TEXT_BYTES], server[ADDRESS_TEXT_BYTES];

	fprintf(out, "%s%-*s%s", style(TONE_BOLD), LABEL, "Wireshark",
	    style_end());
	if (last != 0)
		fprintf(out, "frame.number in {%llu..%llu} and ",
		    (unsigned long long)first, (unsigned long long)last);
	fprintf(out,
	    "%s.addr == %s and tcp.port == %u and %s.addr == %s and "
	    "tcp.port == %u\n",
	    ip, address_format(&in->client.address, client), in->client.port,
	    ip, address_format(&in->server.address, server), in->server.port);
}

void
verdict_revision(FILE *out, const struct incident *in)
{
	char text[512];

	snprintf(text, sizeof(text),
	    "revision %u: %s, %s, confidence %.2f, support %.1f; on %s",
	    in->revision, kind_name(in->kind),
	    in->state == STATE_WITHDRAWN ? "withdrawn" :
					   certainty_name(in->certainty),
	    in->confidence, in->support, in->provenance);
	style_paragraph(out, in->revision == 1 ? "History" : "", LABEL, text);
}

void
verdict_word(FILE *out, const char *verb, const char *label, const char *note,
    const char *user, int64_t said_ns)
{
	char text[2 * SAFE_BYTES], time[32], safe[SAFE_BYTES];

	snprintf(text, sizeof(text), "%s UTC, %s: %s%s%s%s%s",
	    style_time(said_ns, time), user, verb, label[0] ? " " : "", label,
	    note[0] ? ": " : "", style_safe(note, safe));
	style_paragraph(out, "Said", LABEL, text);
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
