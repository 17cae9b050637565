#include "text.h"

#include <stdlib.h>
#include <string.h>

#include "style.h"

#define GROUPS_MAX 64
#define KIND_WIDTH 24 /* of the longest, starttls-command-garbled */

const char *
text_certainty_style(enum certainty certainty)
{
	return style(certainty >= CERTAINTY_LIKELY ? TONE_RED : TONE_YELLOW);
}

/* --- groups -------------------------------------------------------------- */

static bool
alike(const struct incident *a, const struct incident *b)
{
	return a->kind == b->kind && a->certainty == b->certainty &&
	    (a->kind == KIND_STARTTLS_STRIPPED ||
		strcmp(a->seen, b->seen) == 0);
}

int
text_group_add(void *context, const struct incident *in)
{
	struct incident_groups *g = context;
	struct incident_group *group = NULL;

	g->incidents++;
	for (size_t i = 0; i < g->count && group == NULL; i++)
		if (alike(&g->list[i].first, in))
			group = &g->list[i];
	if (group == NULL) {
		if (g->count == GROUPS_MAX)
			return 0;
		if (g->count == g->room) {
			size_t room = g->room ? g->room * 2 : 8;
			struct incident_group *more =
			    realloc(g->list, room * sizeof(*more));

			if (more == NULL)
				return 0;
			g->list = more;
			g->room = room;
		}
		group = &g->list[g->count++];
		memset(group, 0, sizeof(*group));
		group->first = *in;
		group->clients = group->servers = 1;
	} else {
		/* Neighbours in time are mostly the same pair: an estimate
		 * that never says more than there are. */
		group->clients += address_compare(&group->first.client.address,
				      &in->client.address) != 0;
		group->servers += address_compare(&group->first.server.address,
				      &in->server.address) != 0;
	}
	group->incidents++;
	return 0;
}

void
text_groups_free(struct incident_groups *g)
{
	free(g->list);
	memset(g, 0, sizeof(*g));
}

/* In few words; `in->seen` is what arrived. */
static void
describe(const struct incident *in, char what[96])
{
	switch (in->kind) {
	case KIND_PLAINTEXT_INJECTED:
		snprintf(what, 96, "\"%.24s\" beside STARTTLS", in->seen);
		break;
	case KIND_STARTTLS_COMMAND_GARBLED:
		if (in->expected[0] == '\0') {
			snprintf(what, 96,
			    "STARTTLS sent, another word quoted");
			break;
		}
		/* fall through */
	case KIND_STARTTLS_GARBLED:
		if (in->expected[0] == '\0')
			snprintf(what, 96, "STARTTLS hidden: %.40s", in->seen);
		else
			snprintf(what, 96, "%.40s where %.24s stood", in->seen,
			    in->expected);
		break;
	case KIND_EHLO_BLOCKED:
		if (in->expected[0] != '\0')
			snprintf(what, 96, "%.20s where EHLO stood", in->seen);
		else
			snprintf(what, 96, "no EHLO after \"%.24s\"", in->seen);
		break;
	case KIND_CERTIFICATE_MISMATCH:
		if (strstr(in->seen, in->expected) != NULL)
			snprintf(what, 96, "no good certificate for %.40s",
			    in->expected);
		else
			snprintf(what, 96, "a certificate for %.*s, not %.30s",
			    (int)strcspn(in->seen, ","), in->seen,
			    in->expected);
		break;
	case KIND_SERVER_REDIRECTED:
		snprintf(what, 96, "DNS is at odds over %.40s", in->expected);
		break;
	case KIND_STARTTLS_STRIPPED:
		snprintf(what, 96, "no STARTTLS in the EHLO reply");
		break;
	case KIND_STARTTLS_REFUSED:
		snprintf(what, 96, "\"%.34s\" to STARTTLS", in->seen);
		break;
	case KIND_TLS_SESSION_BROKEN:
		snprintf(what, 96, "TLS was cut%s",
		    in->outcome & OUTCOME_ENVELOPE_EXPOSED ?
			", then mail in clear" :
			"");
		break;
	case KIND_TLS_VERSION_DOWNGRADED:
		snprintf(what, 96, "server asked for less than was offered");
		break;
	default:
		snprintf(what, 96, "two contents of the same octets");
		break;
	}
}

static void
print_group(FILE *out, const struct incident_group *group, int width)
{
	const struct incident *in = &group->first;
	char server[ENDPOINT_TEXT_BYTES], client[ADDRESS_TEXT_BYTES];
	char what[96], count[32];

	describe(in, what);
	fprintf(out, "  %s%-12s%s %5s  %-*s %-*s  %s%s %s %s%s\n",
	    text_certainty_style(in->certainty), certainty_name(in->certainty),
	    style_end(), style_count(group->incidents, count), KIND_WIDTH,
	    kind_name(in->kind), width, what,
	    endpoint_format(&in->server, server),
	    group->servers > 1 ? ", ..." : "", style_utf8() ? "←" : "<-",
	    address_format(&in->client.address, client),
	    group->clients > 1 ? ", ..." : "");
}

static void
print_groups(FILE *out, const struct incident_groups *g)
{
	char count[32], what[96];
	int width = 0;

	if (g->incidents == 0) {
		fprintf(out, "\nNo incident.\n");
		return;
	}
	fprintf(out,
	    "\n%s incident%s of %zu sort%s      striplight incidents\n",
	    style_count(g->incidents, count), g->incidents == 1 ? "" : "s",
	    g->count, g->count == 1 ? "" : "s");
	for (size_t i = 0; i < g->count; i++) {
		describe(&g->list[i].first, what);
		if ((int)strlen(what) > width)
			width = (int)strlen(what);
	}
	for (size_t i = 0; i < g->count; i++)
		print_group(out, &g->list[i], width);
	fprintf(out, "\nOne of them in full: striplight show %.8s\n",
	    g->list[0].first.id);
}

/* --- the axes ------------------------------------------------------------ */

static void
sum_captures(const struct capture_row *rows, size_t count, struct tally *tally,
    int64_t *first_ns, int64_t *last_ns)
{
	memset(tally, 0, sizeof(*tally));
	*first_ns = INT64_MAX;
	*last_ns = INT64_MIN;
	for (size_t i = 0; i < count; i++) {
		tally_add(tally, &rows[i].tally);
		if (rows[i].packets == 0)
			continue;
		if (rows[i].first_ns < *first_ns)
			*first_ns = rows[i].first_ns;
		if (rows[i].last_ns > *last_ns)
			*last_ns = rows[i].last_ns;
	}
}

static void
print_unjudged(FILE *out, const struct tally *t)
{
	uint64_t all = 0;
	char count[32];
	bool first = true;

	for (int i = 0; i < UNJUDGED_VALUES; i++)
		all += t->unjudged[i];
	if (all == 0)
		return;
	fprintf(out, "  %snot judged          %7s%s   ", style(TONE_YELLOW),
	    style_count(all, count), style_end());
	for (int i = 0; i < UNJUDGED_VALUES; i++) {
		if (t->unjudged[i] == 0)
			continue;
		fprintf(out, "%s%s %s", first ? "" : ", ",
		    axis_value_name(AXIS_UNJUDGED, i),
		    style_count(t->unjudged[i], count));
		first = false;
	}
	fputc('\n', out);
}

/* Is it the offer that it did away with? */
static bool
is_of_offer(enum kind kind)
{
	return kind == KIND_STARTTLS_GARBLED || kind == KIND_STARTTLS_STRIPPED;
}

/* What is known of the sessions without an offer. */
static void
print_not_offered(FILE *out, const struct tally *t,
    const struct incident_groups *groups)
{
	uint64_t of_kind[KINDS] = { 0 }, explained = 0;
	uint64_t without = t->offered[OFFERED_NO];
	char count[32];

	for (size_t i = 0; i < groups->count; i++)
		of_kind[groups->list[i].first.kind] +=
		    groups->list[i].incidents;
	fprintf(out, "  did not offer it    %7s", style_count(without, count));
	for (int k = KIND_STARTTLS_GARBLED; k <= KIND_STARTTLS_STRIPPED; k++) {
		if (of_kind[k] == 0 || !is_of_offer((enum kind)k))
			continue;
		fprintf(out, "%s%s %s", explained ? ", " : "   ",
		    kind_name((enum kind)k), style_count(of_kind[k], count));
		explained += of_kind[k];
	}
	if (explained > 0 && explained < without)
		fprintf(out, "; of %s nothing says that they should",
		    style_count(without - explained, count));
	fputc('\n', out);
}

void
text_read_summary(FILE *out, const struct capture_row *rows, size_t count,
    const struct incident_groups *groups)
{
	char a[32], b[32], c[32], d[32], title[SAFE_BYTES];
	int64_t first_ns, last_ns;
	struct tally t;

	sum_captures(rows, count, &t, &first_ns, &last_ns);
	if (count == 1)
		style_safe(rows[0].path, title);
	else
		snprintf(title, sizeof(title), "%zu captures", count);
	fprintf(out, "%s: %s SMTP session%s", title, style_count(t.sessions, a),
	    t.sessions == 1 ? "" : "s");
	if (first_ns <= last_ns)
		fprintf(out, ", packets from %s to %s UTC",
		    style_time(first_ns, a), style_time(last_ns, b));
	fputc('\n', out);
	if (t.sessions > 0) {
		fprintf(out, "  offered STARTTLS    %7s\n",
		    style_count(t.offered[OFFERED_YES], a));
		print_not_offered(out, &t, groups);
		fprintf(out, "  nobody asked (HELO) %7s\n",
		    style_count(t.offered[OFFERED_NOT_ASKED], a));
		fprintf(out,
		    "  TLS began           %7s   refused %s, broken %s, "
		    "not tried %s\n",
		    style_count(t.used[USED_TLS] + t.used[USED_IMPLICIT], a),
		    style_count(t.used[USED_REFUSED], b),
		    style_count(t.used[USED_BROKEN], c),
		    style_count(t.used[USED_NOT_TRIED], d));
		fprintf(out,
		    "  mail in clear       %7s   accepted %s, content seen %s, "
		    "envelope only %s\n",
		    style_count(t.mail[MAIL_ACCEPTED] + t.mail[MAIL_CONTENT] +
			    t.mail[MAIL_ENVELOPE],
			a),
		    style_count(t.mail[MAIL_ACCEPTED], b),
		    style_count(t.mail[MAIL_CONTENT], c),
		    style_count(t.mail[MAIL_ENVELOPE], d));
	}
	print_unjudged(out, &t);
	print_groups(out, groups);
}

/* --- tables -------------------------------------------------------------- */

void
text_table_head(FILE *out)
{
	fprintf(out, "%s%-8s  %-19s  %-12s %3s  %-*s  %-28s %s%s\n",
	    style(TONE_BOLD), "incident", "time (UTC)", "certainty", "sev",
	    KIND_WIDTH, "kind", "server", "client", style_end());
}

void
text_table_row(FILE *out, const struct incident *in)
{
	char time[32], server[ENDPOINT_TEXT_BYTES], client[ADDRESS_TEXT_BYTES];

	char words[64] = "";

	if (in->words.label != LABEL_NONE)
		snprintf(words, sizeof(words), "  (%s)",
		    label_name(in->words.label));
	else if (in->words.acknowledged)
		snprintf(words, sizeof(words), "  (seen)");
	if (in->words.suppressed_by != 0)
		snprintf(words + strlen(words), sizeof(words) - strlen(words),
		    "  (suppressed by rule %llu)",
		    (unsigned long long)in->words.suppressed_by);
	fprintf(out, "%-8.8s  %-19s  %s%-12s%s %3u  %-*s  %-28s %s%s%s\n",
	    in->id, style_time(in->capture_ts_ns, time),
	    text_certainty_style(in->certainty),
	    in->state == STATE_WITHDRAWN ? "withdrawn" :
					   certainty_name(in->certainty),
	    style_end(), incident_severity(in), KIND_WIDTH, kind_name(in->kind),
	    endpoint_format(&in->server, server),
	    address_format(&in->client.address, client),
	    in->retrospect ? "  (retrospect)" : "", words);
	fprintf(out, "          %s%.160s%s%s\n", style(TONE_DIM), in->observed,
	    strlen(in->observed) > 160 ? "..." : "", style_end());
}

void
text_campaign_head(FILE *out)
{
	fprintf(out, "%s%-8s  %9s  %7s  %7s  %-19s  %-19s  %-*s  %s%s\n",
	    style(TONE_BOLD), "campaign", "incidents", "clients", "servers",
	    "first (UTC)", "last (UTC)", KIND_WIDTH, "kind", "what",
	    style_end());
}

void
text_campaign_row(FILE *out, const struct incident *in)
{
	const struct incident_campaign *c = &in->campaign;
	char first[32], last[32], count[3][32], what[96];

	describe(in, what);
	fprintf(out, "%-8.8s  %9s  %7s  %7s  %-19s  %-19s  %-*s  %s\n", c->id,
	    style_count(c->incidents, count[0]),
	    style_count(c->clients, count[1]),
	    style_count(c->servers, count[2]), style_time(c->first_ns, first),
	    style_time(c->last_ns, last), KIND_WIDTH, kind_name(in->kind),
	    in->resembles[0] ? in->resembles : what);
}

/* RFC 4180: quotes double inside quotes. A formula is none in quotes for a
 * spreadsheet only behind an apostrophe. */
static void
csv_field(FILE *out, const char *text, char end)
{
	fputc('"', out);
	if (text[0] != '\0' && strchr("=+-@", text[0]) != NULL)
		fputc('\'', out);
	for (; *text != '\0'; text++) {
		if (*text == '"')
			fputc('"', out);
		fputc(*text, out);
	}
	fputc('"', out);
	fputc(end, out);
}

void
text_csv_head(FILE *out)
{
	fputs("incident,revision,state,timestamp,kind,certainty,confidence,"
	      "severity,client,client_port,server,port,server_name,seen,"
	      "pcap_filename,frame,observed\n",
	    out);
}

void
text_csv_row(FILE *out, const struct incident *in)
{
	char time[32], address[ADDRESS_TEXT_BYTES];

	fprintf(out, "%s,%u,%s,%s,%s,%s,%.2f,%u,", in->id, in->revision,
	    incident_state_name(in->state),
	    style_rfc3339(in->capture_ts_ns, time), kind_name(in->kind),
	    certainty_name(in->certainty), in->confidence,
	    incident_severity(in));
	fprintf(out, "%s,%u,", address_format(&in->client.address, address),
	    in->client.port);
	fprintf(out, "%s,%u,", address_format(&in->server.address, address),
	    in->server.port);
	csv_field(out, in->server_name, ',');
	csv_field(out, in->seen, ',');
	csv_field(out, in->capture_path, ',');
	fprintf(out, "%llu,", (unsigned long long)in->frame);
	csv_field(out, in->observed, '\n');
}
