#include "overview.h"

#include <stdlib.h>
#include <string.h>

#include "account.h"
#include "html.h"
#include "style.h"

#define RANKS_SHOWN 12

void
overview_init(struct overview *o)
{
	memset(o, 0, sizeof(*o));
	totals_init(&o->totals);
}

void
overview_free(struct overview *o)
{
	free(o->moments);
	ranking_free(&o->domains);
	ranking_free(&o->servers);
	ranking_free(&o->clients);
}

/* --- one more incident ---------------------------------------------------- */

static void
add_moment(struct overview *o, const struct incident *in)
{
	if (o->count == o->room) {
		size_t room = o->room ? o->room * 2 : 256;
		struct moment *more = realloc(o->moments, room * sizeof(*more));

		if (more == NULL) {
			o->failed = true;
			return;
		}
		o->moments = more;
		o->room = room;
	}
	o->moments[o->count++] =
	    (struct moment){ in->capture_ts_ns, in->certainty };
}

static void
add_names(struct overview *o, const struct incident *in)
{
	char text[ENDPOINT_TEXT_BYTES];
	int status = 0;

	for (unsigned i = 0; i < in->domain_count; i++)
		status |= ranking_add(&o->domains, in->rcpt_domains[i]);
	status |= ranking_add(&o->servers, endpoint_format(&in->server, text));
	status |=
	    ranking_add(&o->clients, address_format(&in->client.address, text));
	o->failed |= status != 0;
}

/* Of two equally severe ones the surer, of two as sure the earlier. */
static bool
is_graver(const struct incident *a, const struct incident *b)
{
	unsigned x = incident_severity(a), y = incident_severity(b);

	return x != y ? x < y : a->certainty > b->certainty;
}

void
overview_add(struct overview *o, const struct incident *in)
{
	totals_add_incident(&o->totals, in);
	if (o->count == 0 || is_graver(in, &o->gravest))
		o->gravest = *in;
	add_moment(o, in);
	add_names(o, in);
	if (in->outcome & OUTCOME_CREDENTIALS_EXPOSED)
		o->credentials++;
	else if (in->outcome & OUTCOME_CONTENT_EXPOSED)
		o->content++;
	else if (in->outcome & OUTCOME_ENVELOPE_EXPOSED)
		o->envelope++;
	else
		o->spared++;
	o->sides[in->side]++;
	o->known += in->cause == CAUSE_KNOWN_BOX;
	for (unsigned i = 0; i < in->policy_count; i++)
		if (in->policies[i].result == POLICY_UNMET) {
			o->demanded++;
			break;
		}
}

/* --- in words ------------------------------------------------------------- */

static uint64_t
of_certainty(const struct overview *o, enum certainty certainty)
{
	uint64_t sum = 0;

	for (int k = 0; k < KINDS; k++)
		sum += o->totals.incidents[k][certainty];
	return sum;
}

static void
put_figure(FILE *out, uint64_t value, const char *one, const char *many)
{
	char count[32];

	html_print(out, "<div><dt>%s</dt><dd>%s</dd></div>",
	    value == 1 ? one : many, style_count(value, count));
}

static void
put_read(FILE *out, const struct overview *o)
{
	const struct totals *t = &o->totals;
	char captures[32], sessions[32], first[32], last[32];

	html_print(out,
	    "<p>%s capture%s of mail traffic with %s SMTP "
	    "session%s %s read",
	    style_count(t->captures, captures), t->captures == 1 ? "" : "s",
	    style_count(t->tally.sessions, sessions),
	    t->tally.sessions == 1 ? "" : "s",
	    t->captures == 1 ? "was" : "were");
	if (t->first_ns <= t->last_ns)
		html_print(out, ", from %s to %s UTC",
		    style_time(t->first_ns, first),
		    style_time(t->last_ns, last));
	fputs(". ", out);
}

static void
put_found(FILE *out, const struct overview *o)
{
	char count[4][32];

	if (o->count == 0) {
		fputs("No incident was found: nothing in them shows that "
		      "encryption was taken away.</p>",
		    out);
		return;
	}
	html_print(out,
	    "In <strong>%s case%s</strong> encryption was taken away from "
	    "mail, or may have been: %s demonstrated, %s likely, %s "
	    "possible.</p>",
	    style_count(o->count, count[0]), o->count == 1 ? "" : "s",
	    style_count(of_certainty(o, CERTAINTY_DEMONSTRATED), count[1]),
	    style_count(of_certainty(o, CERTAINTY_LIKELY), count[2]),
	    style_count(of_certainty(o, CERTAINTY_POSSIBLE), count[3]));
}

/* Clauses of which those that count nothing are left out. */
struct clause {
	uint64_t count;
	const char *words;
};

static void
put_clauses(FILE *out, const struct clause *clauses, size_t count)
{
	bool any = false;
	char text[32];

	for (size_t i = 0; i < count; i++) {
		if (clauses[i].count == 0)
			continue;
		style_count(clauses[i].count, text);
		if (any)
			html_print(out, "; in %s %s", text, clauses[i].words);
		else
			html_print(out, "In %s case%s %s", text,
			    clauses[i].count == 1 ? "" : "s", clauses[i].words);
		any = true;
	}
	fputs(".", out);
}

static void
put_mail(FILE *out, const struct overview *o)
{
	const struct clause mail[] = {
		{ o->credentials,
		    "exposed a user's credentials: have them "
		    "changed" },
		{ o->content, "a message crossed the network in clear" },
		{ o->envelope,
		    "sender and recipient did, and no message that "
		    "was seen" },
		{ o->spared, "nothing was exposed that was seen" },
	};

	char count[32];

	fputs("<p><strong>The mail.</strong> ", out);
	put_clauses(out, mail, sizeof(mail) / sizeof(*mail));
	if (o->demanded > 0)
		html_print(out,
		    " In %s the recipient's domain had published that its mail "
		    "is to be encrypted (MTA-STS, DANE), and it was not.",
		    style_count(o->demanded, count));
	fputs("</p>", out);
}

static void
put_whose(FILE *out, const struct overview *o)
{
	const struct clause whose[] = {
		{ o->known, "a box did it that is known here" },
		{ o->sides[SIDE_SERVER_OF_TAP],
		    "it was done between the place of the capture and the "
		    "server" },
		{ o->sides[SIDE_CLIENT_OF_TAP],
		    "between the client and the place of the capture" },
		{ o->sides[SIDE_UNDETERMINED],
		    "somewhere on the way; the capture alone does not show "
		    "where" },
	};

	fputs("<p><strong>Whose doing.</strong> Packets carry no name. ", out);
	put_clauses(out, whose, sizeof(whose) / sizeof(*whose));
	fputs(" An inspecting firewall of an operator's own leaves the same "
	      "traces as an attacker; ask before you accuse.</p>",
	    out);
}

static void
put_first_step(FILE *out, const struct overview *o)
{
	const struct incident *in = &o->gravest;

	html_print(out,
	    "<p><strong>What to do first.</strong> Begin with the gravest, "
	    "<a href=\"#i%s\">%s</a>: %s.</p>",
	    in->id, account_title(in->kind), in->next_step);
}

void
overview_summary(FILE *out, struct overview *o)
{
	ranking_sort(&o->domains);
	ranking_sort(&o->servers);
	ranking_sort(&o->clients);
	if (o->count > 0) {
		fputs("<dl class=\"figures\">", out);
		put_figure(out, o->count, "incident", "incidents");
		put_figure(out,
		    of_certainty(o, CERTAINTY_DEMONSTRATED) +
			of_certainty(o, CERTAINTY_LIKELY),
		    "likely or demonstrated", "likely or demonstrated");
		put_figure(out, o->credentials + o->content,
		    "with mail or credentials in clear",
		    "with mail or credentials in clear");
		put_figure(out, o->domains.count, "recipient domain",
		    "recipient domains");
		put_figure(out, o->servers.count, "server", "servers");
		fputs("</dl>", out);
	}
	put_read(out, o);
	put_found(out, o);
	if (o->count > 0) {
		put_mail(out, o);
		put_whose(out, o);
		put_first_step(out, o);
	}
}

/* --- tables --------------------------------------------------------------- */

/* `heads`: between "|". */
static void
table_begin(FILE *out, const char *caption, const char *heads)
{
	html_print(out, "<table><caption>%s</caption><thead><tr>", caption);
	while (*heads != '\0') {
		size_t n = strcspn(heads, "|");

		fprintf(out, "<th scope=\"col\">%.*s</th>", (int)n, heads);
		heads += n + (heads[n] != '\0');
	}
	fputs("</tr></thead><tbody>", out);
}

static void
table_end(FILE *out)
{
	fputs("</tbody></table>\n", out);
}

/* One that a narrow screen scrolls sideways. */
static void
wide_begin(FILE *out, const char *caption, const char *heads)
{
	html_print(out,
	    "<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
	    "aria-label=\"%s\">",
	    caption);
	table_begin(out, caption, heads);
}

void
overview_table_end(FILE *out)
{
	table_end(out);
	fputs("</div>\n", out);
}

void
overview_kinds(FILE *out, const struct overview *o)
{
	char count[32];

	wide_begin(out, "What happened, and how sure that is",
	    "What happened|Demonstrated|Likely|Possible");
	for (int k = 0; k < KINDS; k++) {
		const uint64_t *of = o->totals.incidents[k];

		if (of[1] + of[2] + of[3] == 0)
			continue;
		html_print(out,
		    "<tr><th scope=\"row\">%s<br><span class=\"context\">%s"
		    "</span></th>",
		    account_title((enum kind)k), kind_text((enum kind)k));
		for (int c = CERTAINTY_DEMONSTRATED; c >= CERTAINTY_POSSIBLE;
		     c--) {
			html_print(out, "<td class=\"number\">%s",
			    of[c] > 0 ? style_count(of[c], count) : "–");
			chart_bar(out, of[c], o->count);
			fputs("</td>", out);
		}
		fputs("</tr>", out);
	}
	overview_table_end(out);
}

void
overview_time(FILE *out, struct overview *o)
{
	chart_timeline(out, o->moments, o->count);
}

static void
put_ranking(FILE *out, const struct ranking *r, const char *caption,
    const char *head)
{
	char count[32], heads[64];

	if (r->count == 0)
		return;
	snprintf(heads, sizeof(heads), "%s|Incidents", head);
	table_begin(out, caption, heads);
	for (size_t i = 0; i < r->count && i < RANKS_SHOWN; i++) {
		html_print(out,
		    "<tr><th scope=\"row\" class=\"wire\">%s</th>"
		    "<td class=\"number\">%s",
		    r->list[i].name, style_count(r->list[i].count, count));
		chart_bar(out, r->list[i].count, r->list[0].count);
		fputs("</td></tr>", out);
	}
	if (r->count > RANKS_SHOWN)
		html_print(out,
		    "<tr><td colspan=\"2\" class=\"context\">and %s more"
		    "</td></tr>",
		    style_count(r->count - RANKS_SHOWN, count));
	table_end(out);
}

void
overview_affected(FILE *out, struct overview *o)
{
	fputs("<div class=\"columns\">", out);
	put_ranking(out, &o->domains, "Whose mail", "Recipient domain");
	put_ranking(out, &o->servers, "At which server", "Server");
	put_ranking(out, &o->clients, "From which client", "Client");
	fputs("</div>", out);
}

void
overview_unjudged(FILE *out, struct overview *o)
{
	static const char *const why[UNJUDGED_VALUES] = {
		[UNJUDGED_GAP] = "packets are missing in the capture",
		[UNJUDGED_MIDSTREAM] = "the capture began in the middle of it",
		[UNJUDGED_ONE_SIDED] = "one direction was not captured",
		[UNJUDGED_SNAPLEN] = "the capture cut its packets short",
		[UNJUDGED_EVICTED] = "there was no room to follow it",
		[UNJUDGED_OVER_LIMIT] = "its negotiation was too long to keep",
	};
	const uint64_t *of = o->totals.tally.unjudged;
	uint64_t all = 0;
	char count[32];

	for (int i = 0; i < UNJUDGED_VALUES; i++)
		all += of[i];
	if (all == 0) {
		fputs("<p>Every session could be judged.</p>", out);
		return;
	}
	html_print(out,
	    "<p>Of %s session%s nothing is claimed, neither that it was "
	    "tampered with nor that it was not:</p><ul>",
	    style_count(all, count), all == 1 ? "" : "s");
	for (int i = 0; i < UNJUDGED_VALUES; i++)
		if (of[i] > 0)
			html_print(out, "<li>%s: %s</li>",
			    style_count(of[i], count), why[i]);
	fputs("</ul>", out);
}

void
overview_campaign_head(FILE *out)
{
	wide_begin(out, "The same act again and again",
	    "Campaign|What happened|Incidents|Clients|Servers|First (UTC)|Last "
	    "(UTC)");
}

void
overview_campaign(FILE *out, const struct incident *first)
{
	const struct incident_campaign *c = &first->campaign;
	char id[9], count[3][32], from[32], until[32];

	snprintf(id, sizeof(id), "%.8s", c->id);
	html_print(out,
	    "<tr><th scope=\"row\"><a href=\"#i%s\">%s</a></th><td>%s%s%s</td>",
	    c->id, id, account_title(first->kind),
	    first->resembles[0] != '\0' ? ", mask " : "", first->resembles);
	html_print(out,
	    "<td class=\"number\">%s</td><td class=\"number\">%s</td>"
	    "<td class=\"number\">%s</td><td class=\"time\">%s</td>"
	    "<td class=\"time\">%s</td></tr>",
	    style_count(c->incidents, count[0]),
	    style_count(c->clients, count[1]),
	    style_count(c->servers, count[2]), style_time(c->first_ns, from),
	    style_time(c->last_ns, until));
}

void
overview_capture_head(FILE *out)
{
	wide_begin(out, "Captures that were read",
	    "File|Packets|Sessions|From (UTC)|Until (UTC)|Content (XXH3-128)");
}

void
overview_capture(FILE *out, const struct capture_row *row)
{
	char count[2][32], first[32] = "–", last[32] = "–";

	if (row->packets > 0) {
		style_time(row->first_ns, first);
		style_time(row->last_ns, last);
	}
	html_print(out, "<tr><th scope=\"row\" class=\"wire\">%s", row->path);
	if (row->vantage[0] != '\0')
		html_print(out, "<br><span class=\"context\">from %s</span>",
		    row->vantage);
	if (row->fault[0] != '\0')
		html_print(out, "<br><em class=\"doubt\">%s</em>", row->fault);
	html_print(out,
	    "</th><td class=\"number\">%s</td><td class=\"number\">%s</td>"
	    "<td class=\"time\">%s</td><td class=\"time\">%s</td>"
	    "<td><code>%s</code></td></tr>",
	    style_count(row->packets, count[0]),
	    style_count(row->tally.sessions, count[1]), first, last, row->hash);
}

void
overview_clear_head(FILE *out)
{
	wide_begin(out,
	    "Clear text to domains that demand TLS: it was offered and not "
	    "asked for. No tampering; most senders know no MTA-STS",
	    "Client|Domain|Day (UTC)|Sessions");
}

void
overview_clear(FILE *out, const struct clear_enforce_row *row)
{
	char client[ADDRESS_TEXT_BYTES], day[32], count[32];

	style_time(row->day_start_ns, day);
	day[10] = '\0';
	html_print(out,
	    "<tr><th scope=\"row\" class=\"wire\">%s</th><td class=\"wire\">%s"
	    "</td><td>%s</td><td class=\"number\">%s</td></tr>",
	    address_format(&row->client, client), row->domain, day,
	    style_count(row->sessions, count));
}
