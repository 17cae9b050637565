#include "contrast.h"

#include <string.h>

#include "style.h"

#define SHOWN_OCTETS 120 /* of a line */
#define LABEL 11

const char *
contrast_verdict(const struct contrast_told *t)
{
	if (t->contrast.count == 0)
		return "same";
	if (!pairing_is_sure(t->by))
		return "unsure";
	return t->contrast.altered ? "altered" : "benign";
}

/* --- octets -------------------------------------------------------------- */

/* A line as text, and below it what differs. */
struct shown {
	char text[4 * SHOWN_OCTETS + 8], marks[4 * SHOWN_OCTETS + 8];
};

static void
show_octet(const struct fact *fact, uint8_t c, char out[8])
{
	if (fact->flags & FACT_REDACTED && c == REDACTED_OCTET)
		strcpy(out, "*");
	else if (c < 0x20 || c > 0x7e || c == '\\')
		snprintf(out, 8, "\\x%02X", c);
	else
		snprintf(out, 8, "%c", c);
}

/* `from` to `until` are marked. */
static void
show(const struct told *told, size_t from, size_t until, struct shown *out)
{
	size_t n = 0;

	for (size_t i = 0; i < told->bytes.len && i < SHOWN_OCTETS; i++) {
		char octet[8];

		show_octet(&told->fact, told->bytes.ptr[i], octet);
		strcpy(out->text + n, octet);
		for (const char *c = octet; *c != '\0'; c++)
			out->marks[n++] = i >= from && i < until ? '^' : ' ';
	}
	out->text[n] = '\0';
	if (told->bytes.len > SHOWN_OCTETS)
		strcpy(out->text + n, "...");
	while (n > 0 && out->marks[n - 1] == ' ')
		n--;
	out->marks[n] = '\0';
}

/* What is alike at the start and at the end. */
static void
alike(struct slice a, struct slice b, size_t *head, size_t *tail)
{
	size_t least = a.len < b.len ? a.len : b.len;

	for (*head = 0; *head < least && a.ptr[*head] == b.ptr[*head];)
		++*head;
	for (*tail = 0; *tail < least - *head &&
	     a.ptr[a.len - 1 - *tail] == b.ptr[b.len - 1 - *tail];)
		++*tail;
}

static bool
is_text(const struct told *told)
{
	return told->there && contrast_is_line(&told->fact);
}

/* --- on screen ----------------------------------------------------------- */

static void
print_side(FILE *out, const char *label, const struct contrast_side *side,
    const struct told *told, const struct shown *shown)
{
	fprintf(out, "    %-8s %-4s #%-6llu %s%s%s\n", label, side->name,
	    (unsigned long long)told->fact.frame, style(TONE_RED), shown->text,
	    style_end());
	if (shown->marks[0] != '\0')
		fprintf(out, "    %-8s %-4s  %-6s %s\n", "", "", "",
		    shown->marks);
}

static void
print_where(FILE *out, const struct told *told)
{
	const struct fact *fact = &told->fact;

	switch (fact->code) {
	case FACT_GREETING:
		fputs("the greeting", out);
		break;
	case FACT_COMMAND:
		fprintf(out, "the client's %s", verb_name(fact->about));
		break;
	case FACT_EHLO_REPLY:
		fprintf(out, "line %u of the EHLO reply", fact->line);
		break;
	case FACT_EXTRA_BYTES:
		fputs("octets beside STARTTLS", out);
		break;
	default:
		fprintf(out, "the reply to %s", verb_name(fact->about));
		break;
	}
	fprintf(out, ", stream offset %llu",
	    (unsigned long long)fact->stream_offset);
}

static void
print_frame(FILE *out, const char *label, const struct contrast_side *side,
    const struct told *told)
{
	if (told->there)
		fprintf(out, "%s in %s #%llu (%s)", label, side->name,
		    (unsigned long long)told->fact.frame,
		    fact_code_name(told->fact.code));
}

static void
print_difference(FILE *out, const struct contrast_told *t,
    const struct difference *d)
{
	bool to_server = (d->sent.there ? &d->sent : &d->arrived)->fact.dir ==
	    TO_SERVER;
	const struct contrast_side *from = to_server ? &t->client : &t->server;
	const struct contrast_side *to = to_server ? &t->server : &t->client;
	size_t head = 0, tail = 0;
	struct shown shown;

	fprintf(out, "  %s%s%s", style(d->altered ? TONE_RED : TONE_DIM),
	    difference_name(d->code), style_end());
	if (is_text(&d->sent) || is_text(&d->arrived)) {
		fputs(": ", out);
		print_where(out, is_text(&d->sent) ? &d->sent : &d->arrived);
	} else {
		print_frame(out, "; sent", from, &d->sent);
		print_frame(out, "; arrived", to, &d->arrived);
	}
	fputc('\n', out);
	if (is_text(&d->sent) && is_text(&d->arrived))
		alike(d->sent.bytes, d->arrived.bytes, &head, &tail);
	else
		head = SHOWN_OCTETS;
	if (is_text(&d->sent)) {
		show(&d->sent, head, d->sent.bytes.len - tail, &shown);
		print_side(out, "sent", from, &d->sent, &shown);
	}
	if (is_text(&d->arrived)) {
		show(&d->arrived, head, d->arrived.bytes.len - tail, &shown);
		print_side(out, "arrived", to, &d->arrived, &shown);
	} else if (is_text(&d->sent)) {
		fprintf(out, "    %-8s %-4s  not there\n", "arrived", to->name);
	}
	style_paragraph(out, "", 4, difference_text(d->code));
}

static void
print_title(FILE *out, const struct contrast_told *t)
{
	bool sure = pairing_is_sure(t->by);

	fprintf(out, "%s%s %s %s%s",
	    style(sure && t->contrast.altered ? TONE_RED : TONE_YELLOW),
	    t->incident != NULL ? kind_name(t->incident->kind) :
				  contrast_verdict(t),
	    style_utf8() ? "·" : "-",
	    !sure		    ? "nobody can say whether they are one" :
		t->contrast.altered ? certainty_name(CERTAINTY_DEMONSTRATED) :
				      "nothing was taken away",
	    style_end());
}

static void
print_head(FILE *out, const struct contrast_told *t)
{
	char client[ENDPOINT_TEXT_BYTES], server[ENDPOINT_TEXT_BYTES];
	const char *arrow = style_utf8() ? "→" : "->";

	fprintf(out, "\n%s%s %s %s%s    ", style(TONE_BOLD),
	    endpoint_format(&t->client.client, client), arrow,
	    endpoint_format(&t->client.server, server), style_end());
	print_title(out, t);
	if (!endpoint_equal(&t->client.client, &t->server.client) ||
	    !endpoint_equal(&t->client.server, &t->server.server))
		fprintf(out, "\n%s %s %s on the server's side",
		    endpoint_format(&t->server.client, client), arrow,
		    endpoint_format(&t->server.server, server));
	fputc('\n', out);
}

void
contrast_print(FILE *out, const struct contrast_told *t)
{
	char text[256];

	print_head(out, t);
	snprintf(text, sizeof(text), "one dialogue by %s%s",
	    pairing_text(t->by),
	    t->contrast.whole ? "" :
				"; not all of it is in both captures: what is "
				"only missing is not told");
	style_paragraph(out, "Matched", LABEL, text);
	for (unsigned i = 0; i < t->contrast.count; i++)
		print_difference(out, t, &t->contrast.list[i]);
	if (t->contrast.unlisted > 0)
		fprintf(out, "  and %u differences more\n",
		    t->contrast.unlisted);
}

/* --- as JSON ------------------------------------------------------------- */

static void
put_side(struct json *j, const char *role, const struct contrast_side *side)
{
	char text[ADDRESS_TEXT_BYTES];

	json_object_open(j, side->name);
	json_text(j, "nearer_to", role);
	json_text(j, "pcap_filename", side->path);
	json_text(j, "src_ip", address_format(&side->client.address, text));
	json_unsigned(j, "src_port", side->client.port);
	json_text(j, "dest_ip", address_format(&side->server.address, text));
	json_unsigned(j, "dest_port", side->server.port);
	json_object_close(j);
}

static void
put_told(struct json *j, const char *key, const struct contrast_side *side,
    const struct told *told)
{
	struct shown shown;

	if (!told->there)
		return;
	json_object_open(j, key);
	json_text(j, "capture", side->name);
	json_unsigned(j, "frame", told->fact.frame);
	json_unsigned(j, "stream_offset", told->fact.stream_offset);
	json_eve_time(j, "timestamp", told->fact.capture_ts_ns);
	if (contrast_is_line(&told->fact)) {
		show(told, SHOWN_OCTETS, SHOWN_OCTETS, &shown);
		json_text(j, "line", shown.text);
	}
	json_object_close(j);
}

static void
put_difference(struct json *j, const struct contrast_told *t,
    const struct difference *d)
{
	const struct fact *fact =
	    &(d->sent.there ? &d->sent : &d->arrived)->fact;
	bool to_server = fact->dir == TO_SERVER;

	json_object_open(j, NULL);
	json_text(j, "code", difference_name(d->code));
	json_bool(j, "altered", d->altered);
	if (d->sent.there || d->arrived.there) {
		json_text(j, "dir", to_server ? "to-server" : "to-client");
		json_text(j, "fact", fact_code_name(fact->code));
	}
	put_told(j, "sent", to_server ? &t->client : &t->server, &d->sent);
	put_told(j, "arrived", to_server ? &t->server : &t->client,
	    &d->arrived);
	json_text(j, "detail", difference_text(d->code));
	json_object_close(j);
}

void
contrast_json(struct json *j, const struct contrast_told *t)
{
	bool near_first = strcmp(t->client.name, "near") == 0;
	bool sure = t->contrast.altered && pairing_is_sure(t->by);

	json_object_open(j, NULL);
	json_text(j, "event_type", "comparison");
	json_text(j, "verdict", contrast_verdict(t));
	if (sure)
		json_text(j, "certainty",
		    certainty_name(CERTAINTY_DEMONSTRATED));
	if (t->incident != NULL) {
		json_text(j, "kind", kind_name(t->incident->kind));
		json_text(j, "observed", t->incident->observed);
	}
	/* What is this program's own stands there in all of its events. */
	json_object_open(j, "downgrade");
	if (sure)
		json_text(j, "certainty",
		    certainty_name(CERTAINTY_DEMONSTRATED));
	if (t->incident != NULL)
		json_text(j, "kind", kind_name(t->incident->kind));
	json_object_close(j);
	json_text(j, "matched_by", pairing_name(t->by));
	json_bool(j, "relay", t->contrast.relay);
	json_text(j, "visibility", t->contrast.whole ? "complete" : "partial");
	if (near_first) {
		put_side(j, "client", &t->client);
		put_side(j, "server", &t->server);
	} else {
		put_side(j, "server", &t->server);
		put_side(j, "client", &t->client);
	}
	json_array_open(j, "differences");
	for (unsigned i = 0; i < t->contrast.count; i++)
		put_difference(j, t, &t->contrast.list[i]);
	json_array_close(j);
	if (t->contrast.unlisted > 0)
		json_unsigned(j, "differences_unlisted", t->contrast.unlisted);
	json_object_close(j);
}
