#include "wording.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

char *
wording_escape(struct slice in, char *out, size_t room)
{
	size_t n = 0;

	for (size_t i = 0; i < in.len && n + 5 < room; i++) {
		uint8_t c = in.ptr[i];

		if (c >= 0x20 && c < 0x7f && c != '\\')
			out[n++] = (char)c;
		else
			n += (size_t)snprintf(out + n, room - n, "\\x%02X", c);
	}
	out[n] = '\0';
	return out;
}

char *
wording_line(const struct ehlo_line *line, char *out, size_t room)
{
	uint8_t whole[EHLO_LINE_KEEP_BYTES + sizeof(line->lead)];
	bool command = line->length == line->whole_length;
	size_t n = command ? 0 : line->lead_length;
	struct slice kept = ehlo_line_kept(line);

	memcpy(whole, line->lead, n);
	memcpy(whole + n, kept.ptr, kept.len);
	n += kept.len;
	for (size_t i = 0; i < n && line->flags & FACT_REDACTED; i++)
		if (whole[i] == REDACTED_OCTET)
			whole[i] = '*';
	return wording_escape(slice_of(whole, n), out, room);
}

void
wording_add(char *out, size_t room, const char *format, ...)
{
	size_t n = strlen(out);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(out + n, room - n, format, arguments);
	va_end(arguments);
}

void
wording_what_followed(const struct session *s, struct incident *in)
{
	const char *what = "the client left without sending mail";

	if (s->tls_established)
		what = "the client said STARTTLS all the same, and TLS began";
	else if (s->accepted_clear)
		what = "mail was accepted in clear";
	else if (s->data_clear)
		what = "a message was sent in clear";
	else if (s->mail_clear)
		what = "an envelope was sent in clear";
	else if (s->auth_clear)
		what = "credentials were sent in clear";
	else if (!s->closed || s->ending == ENDING_CAPTURE_END)
		what = "the capture ends before what followed";
	else if (s->observability & OBS_ONE_SIDED)
		what = "the client's side was not captured";
	else if (s->observability & ~OBS_MIDSTREAM ||
	    s->ending == ENDING_EVICTED)
		what = "what followed was not seen in full";
	wording_add(in->observed, sizeof(in->observed), "; %s", what);
}

void
wording_tls_or_what_followed(const struct session *s, struct incident *in)
{
	if (s->tls_established)
		wording_add(in->observed, sizeof(in->observed), "; TLS began");
	else
		wording_what_followed(s, in);
}

static void
add_history(const struct history *h, struct incident *in)
{
	uint64_t count = h->same_offered > 0 ? h->same_offered :
	    h->network_offered > 0	     ? h->network_offered :
					       h->other_offered;
	time_t seconds = (time_t)(h->nearest_offered_ns / 1000000000);
	struct tm utc;
	char when[32];

	if (count == 0)
		return;
	gmtime_r(&seconds, &utc);
	strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &utc);
	wording_add(in->observed, sizeof(in->observed),
	    ". This server offered STARTTLS in %llu other session%s%s, %sat "
	    "%s",
	    (unsigned long long)count, count == 1 ? "" : "s",
	    h->same_offered > 0	       ? " with this client" :
		h->network_offered > 0 ? " with this client's network" :
					 " with other clients",
	    count == 1 ? "" : "one of them ", when);
}

static const char *
benign_of_garble(const struct garble *garble)
{
	if (garble->mask != NULL && garble->mask->grammar == MASK_X_COUNTER)
		return "a Cisco firewall of the server's own operator "
		       "(`inspect esmtp`): the mask is its style";
	switch (garble->evidence) {
	case EVIDENCE_NEAR_MISS:
		return "a slip in the server's own configuration, or memory "
		       "or a line that damages bits";
	case EVIDENCE_SLOT:
	case EVIDENCE_WORD_AMBIGUOUS:
	case EVIDENCE_UNKNOWN_WORD:
		return "a keyword of the server's own that nobody registered";
	case EVIDENCE_NOT_A_KEYWORD:
		return "a broken or inspecting device of the server's own "
		       "operator";
	default:
		return "an inspecting firewall of the server's own operator";
	}
}

void
wording_garbled(const struct session *s, const struct garble *garble,
    const struct history *h, struct incident *in)
{
	const struct ehlo_line *line = &s->lines[garble->index];
	char word[4 * EHLO_LINE_KEEP_BYTES + 8];

	wording_escape(ehlo_line_kept(line), word, sizeof(word));
	wording_add(in->observed, sizeof(in->observed),
	    "EHLO reply line %u reads \"%.80s\"", garble->index + 1, word);
	if (garble->product != NULL && garble->slot == SLOT_STARTTLS)
		wording_add(in->observed, sizeof(in->observed),
		    " where %s puts STARTTLS", garble->product->title);
	else
		wording_add(in->observed, sizeof(in->observed),
		    ", %s, and STARTTLS is missing",
		    garble->evidence == EVIDENCE_NEAR_MISS ?
			"almost STARTTLS" :
			"as long as STARTTLS");
	wording_what_followed(s, in);
	add_history(h, in);
	snprintf(in->benign, sizeof(in->benign), "%s",
	    benign_of_garble(garble));
	snprintf(in->next_step, sizeof(in->next_step),
	    "Ask the server's operator whether a firewall inspects SMTP; or "
	    "capture next to the server and read that too: what is intact "
	    "there was overwritten on the way");
}

void
wording_stripped(const struct session *s, const struct history *h,
    bool command_accepted, struct incident *in)
{
	wording_add(in->observed, sizeof(in->observed),
	    "the EHLO reply (%u lines) does not offer STARTTLS", s->line_count);
	if (command_accepted)
		wording_add(in->observed, sizeof(in->observed),
		    ", yet the server took the command when asked");
	wording_what_followed(s, in);
	add_history(h, in);
	if (command_accepted)
		snprintf(in->benign, sizeof(in->benign),
		    "the server hides the keyword from this client by "
		    "configuration and still takes the command");
	else if (history_offered(h) > 0)
		snprintf(in->benign, sizeof(in->benign),
		    "a planned change, another server behind the same "
		    "address, or STARTTLS hidden from this client by "
		    "configuration");
	else
		snprintf(in->benign, sizeof(in->benign),
		    "the server is a smart host and not the recipient's MX, "
		    "or has lost its TLS by its own fault");
	snprintf(in->next_step, sizeof(in->next_step),
	    "Ask the same server for EHLO from another network, or capture "
	    "next to the server: an offer seen there was removed on the way");
}

void
wording_command(const struct session *s, struct slice quoted,
    struct incident *in)
{
	const struct ehlo_line *line = session_line_in(s, PLACE_COMMAND);
	char word[64];

	if (quoted.len > 0) {
		wording_add(in->observed, sizeof(in->observed),
		    "the client said STARTTLS, and the server's error quotes "
		    "\"%s\"",
		    wording_escape(quoted, word, sizeof(word)));
	} else {
		wording_add(in->observed, sizeof(in->observed),
		    "STARTTLS was offered, and the client's next word of eight "
		    "octets reads \"%.64s\"",
		    in->seen);
		if (line->code != 0)
			wording_add(in->observed, sizeof(in->observed),
			    ", answered %u", line->code);
	}
	wording_what_followed(s, in);
	snprintf(in->benign, sizeof(in->benign), "%s",
	    quoted.len > 0 ?
		"a Cisco firewall of the server's own operator (`inspect "
		"esmtp`), or a server whose error texts quote something else" :
		in->resembles[0] != '\0' ?
		"a firewall of the client's own operator that inspects SMTP "
		"(Cisco's `inspect esmtp` writes X over commands)" :
		"somebody who types by hand, or a private command that this "
		"server does not know");
	snprintf(in->next_step, sizeof(in->next_step),
	    "Capture on the %s side as well: STARTTLS that is intact in one "
	    "place and not in the other was overwritten between them",
	    quoted.len > 0 ? "server's" : "client's");
}

static void
add_fallback(const struct session *s, struct incident *in)
{
	if (s->helo_sent)
		wording_add(in->observed, sizeof(in->observed),
		    "; the client then said HELO, which %shas no STARTTLS",
		    s->helo_answered ? "was accepted and " : "");
	wording_what_followed(s, in);
}

static const char *
benign_of_block(enum block how)
{
	switch (how) {
	case BLOCK_COMMAND:
		return "a firewall of the client's own operator that lets no "
		       "EHLO through (Cisco's fixup writes X or NOOP over it)";
	case BLOCK_QUOTED:
	case BLOCK_ANSWER:
	case BLOCK_GREETING:
		return "a Cisco firewall of the server's own operator (`fixup "
		       "protocol smtp`, `inspect esmtp`): this is its style";
	case BLOCK_REFUSED:
		return "a server that is broken or older than EHLO, or a "
		       "firewall of its own operator that lets HELO through "
		       "only";
	case BLOCK_CUT:
		break;
	}
	return "an overloaded server, or one that has had enough of this "
	       "client";
}

void
wording_blocked(const struct session *s, enum block how, struct slice quoted,
    const struct history *h, struct incident *in)
{
	uint64_t answered = h->answered[KIN_SAME] + h->answered[KIN_NETWORK] +
	    h->answered[KIN_OTHER];
	char word[64];

	switch (how) {
	case BLOCK_COMMAND:
		wording_add(in->observed, sizeof(in->observed),
		    "where a client says EHLO, \"%.60s\" arrived", in->seen);
		break;
	case BLOCK_QUOTED:
		wording_add(in->observed, sizeof(in->observed),
		    "the client said EHLO, and the server's error quotes "
		    "\"%s\"",
		    wording_escape(quoted, word, sizeof(word)));
		break;
	case BLOCK_ANSWER:
	case BLOCK_REFUSED:
		wording_add(in->observed, sizeof(in->observed),
		    "%s answered \"%.60s\"",
		    s->greets_esmtp ?
			"the server greets with ESMTP, and EHLO was" :
			"EHLO was",
		    in->seen);
		break;
	case BLOCK_CUT:
		wording_add(in->observed, sizeof(in->observed),
		    "the connection was %s in answer to EHLO",
		    s->ending == ENDING_RST ? "reset" : "closed");
		break;
	case BLOCK_GREETING:
		wording_add(in->observed, sizeof(in->observed),
		    "the greeting is masked (\"%.60s\"), and the client did "
		    "not try EHLO",
		    in->seen);
		break;
	}
	add_fallback(s, in);
	if (answered > 0)
		wording_add(in->observed, sizeof(in->observed),
		    ". This server answered EHLO in %llu other session%s",
		    (unsigned long long)answered, answered == 1 ? "" : "s");
	snprintf(in->benign, sizeof(in->benign), "%s", benign_of_block(how));
	snprintf(in->next_step, sizeof(in->next_step),
	    "%s; or capture on the %s side as well: what differs was "
	    "changed between the two places",
	    how == BLOCK_COMMAND ?
		"Ask the client's operator whether a firewall inspects SMTP" :
		"Say EHLO to the same server from another network",
	    how == BLOCK_COMMAND ? "client's" : "server's");
}

void
wording_injected(const struct session *s, enum dir dir, struct incident *in)
{
	const struct extra_octets *extra = &s->extra[dir];
	bool commands = dir == TO_SERVER;

	wording_add(in->observed, sizeof(in->observed),
	    "%llu octets in clear (\"%.80s\"%s) %s",
	    (unsigned long long)extra->octets, extra->text,
	    extra->lines > 1 ? ", ..." : "",
	    commands ? "follow STARTTLS before its answer" :
		       "follow the 220 to STARTTLS before TLS begins");
	if (s->tls_established)
		wording_add(in->observed, sizeof(in->observed),
		    "; then TLS began, and the %s may take them for what came "
		    "inside it",
		    commands ? "server" : "client");
	snprintf(in->benign, sizeof(in->benign), "%s",
	    commands ? "a scanner that tests the server for this weakness, or "
		       "a client that pipelines behind STARTTLS" :
		       "a server that says more than one reply");
	snprintf(in->next_step, sizeof(in->next_step),
	    "See whether other sessions of this %s do the same; then test the "
	    "%s for it (RFC 3207 4.2: what came before TLS must be thrown "
	    "away)",
	    commands ? "client" : "server", commands ? "server" : "client");
}

/* " (TTL 57 and 63)"; "": not known of sightings under two addresses. */
static const char *
two_ttls(const struct session_copies *c, char out[32])
{
	out[0] = '\0';
	if (c->first.ttl != 0 || c->later.ttl != 0)
		snprintf(out, 32, " (TTL %u and %u)", c->first.ttl,
		    c->later.ttl);
	return out;
}

void
wording_copies(const struct session_copies *c, struct incident *in)
{
	bool sightings = c->value & COPIES_SIGHTINGS;
	char ttls[32];

	wording_add(in->observed, sizeof(in->observed),
	    "%s, in frames %llu and %llu%s, %s",
	    sightings ? ". The same octets were captured twice" :
			". These octets came twice",
	    (unsigned long long)c->first.frame,
	    (unsigned long long)c->later.frame, two_ttls(c, ttls),
	    sightings ? "before and behind what changed them" :
			"with different contents");
	snprintf(in->benign, sizeof(in->benign), "%s",
	    sightings ?
		"a firewall of the operator's own between the two places of "
		"capture, which rewrites SMTP" :
		"a device of the operator's own that answers in a server's "
		"stead: nobody else sends two versions of the same octets");
	snprintf(in->next_step, sizeof(in->next_step), "%s",
	    sightings ?
		"Find out what stands between the two places of capture: it "
		"changes what passes" :
		"Compare the two frames: the forged one mostly has another "
		"TTL and IP-ID; capture nearer to the server to see which of "
		"them comes from it");
}

/* In what the two readings differ. */
static void
add_readings(const struct session *s, struct incident *in)
{
	const char *kept = s->offered ? "first" : "later";

	if (s->other.answered && s->offered != s->other.offered) {
		wording_add(in->observed, sizeof(in->observed),
		    "the EHLO reply came in two versions, of which the %s one "
		    "offers STARTTLS and the other does not",
		    kept);
	} else if (s->other.starttls_code != 0 &&
	    s->other.starttls_code != s->starttls_code) {
		wording_add(in->observed, sizeof(in->observed),
		    "the answer to STARTTLS came in two versions: first %u, "
		    "later \"%.80s\"",
		    s->starttls_code, s->other.text);
	} else {
		wording_add(in->observed, sizeof(in->observed),
		    "octets of the negotiation came in two versions");
		if (s->other.text[0] != '\0')
			wording_add(in->observed, sizeof(in->observed),
			    ", the later one reads \"%.80s\"", s->other.text);
	}
}

void
wording_forged(const struct session *s, const struct session_copies *c,
    struct incident *in)
{
	add_readings(s, in);
	wording_tls_or_what_followed(s, in);
	wording_copies(c, in);
}

void
wording_discarded(const struct session *s, const struct session_copies *c,
    bool on_offer, struct incident *in)
{
	bool first = c->first.sum == SUM_WRONG;
	const struct segment_copy *bad = first ? &c->first : &c->later;
	const struct segment_copy *good = first ? &c->later : &c->first;

	wording_add(in->observed, sizeof(in->observed),
	    "%s came overwritten in frame %llu, with a wrong checksum, so that "
	    "it was thrown away; frame %llu has it as it was taken",
	    on_offer ? "just STARTTLS" : "a part of the negotiation",
	    (unsigned long long)bad->frame, (unsigned long long)good->frame);
	wording_tls_or_what_followed(s, in);
	snprintf(in->benign, sizeof(in->benign),
	    "damage on the way, as wrong checksums mostly are%s",
	    on_offer ? "; that it ends where the word does were an accident" :
		       "");
	snprintf(in->next_step, sizeof(in->next_step),
	    "Look at frame %llu: a mask there is somebody's who tries, and may "
	    "come back with a right checksum; a capture nearer to the sender "
	    "shows that it did not send that",
	    (unsigned long long)bad->frame);
}
