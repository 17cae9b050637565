#include "account.h"

#include <stdarg.h>
#include <string.h>

#include "style.h"

/* Sentences that become one paragraph. */
struct paragraph {
	char text[ACCOUNT_BYTES];
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

/* --- what was done -------------------------------------------------------- */

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
		    v->basis == BASIS_RCPT	 ? "the recipient" :
			v->basis == BASIS_DNS_MX ? "the MX that DNS gave" :
						   "the name in SNI",
		    v->result == POLICY_UNMET ?
			"was not met" :
			v->result == POLICY_MET ?
			"was met" :
			v->result == POLICY_NOT_VISIBLE ?
			"asks for more than can be seen" :
			"may or may not have been met");
	}
}

static void
say_mail(struct paragraph *p, const struct incident *in)
{
	say_exposed(p, in);
	say_domains(p, in);
}

/* --- how sure, and whose box ---------------------------------------------- */

static void
say_sure(struct paragraph *p, const struct incident *in)
{
	static const char *const steps[] = {
		[CERTAINTY_NONE] = "Not sure enough to be an incident.",
		[CERTAINTY_POSSIBLE] =
		    "Possible: somebody should look. An innocent explanation "
		    "is about as good.",
		[CERTAINTY_LIKELY] =
		    "Likely: that somebody in between did it explains what "
		    "was seen better than anything innocent.",
		[CERTAINTY_DEMONSTRATED] =
		    "Demonstrated: what was sent and what arrived were both "
		    "seen, and they differ. That they were altered needs no "
		    "estimate; by whom is another question.",
	};

	if (in->state == STATE_WITHDRAWN)
		say(p, "No longer held to be an incident.");
	else
		say(p, "%s", steps[in->certainty]);
}

static void
say_support(struct paragraph *p, const struct incident *in)
{
	double posterior = incident_posterior(in->support, in->prior);

	say(p,
	    "10^%.1f for a third party, against the best benign explanation. "
	    "With a prior of 1 in %.3g that makes a confidence of %.2f%s.",
	    in->support, 1 / in->prior, in->confidence,
	    posterior > in->confidence + 0.005 ?
		", capped: nothing here rules the benign explanation out" :
		"");
}

static void
say_resembles(struct paragraph *p, const struct incident *in)
{
	if (in->resembles[0] != '\0')
		say(p,
		    "the mask %s (%u public sample%s); writing it costs an "
		    "attacker nothing",
		    in->resembles, in->resembles_samples,
		    in->resembles_samples == 1 ? "" : "s");
}

static void
say_whose(struct paragraph *p, const struct incident *in)
{
	static const char *const causes[] = {
		[CAUSE_UNKNOWN] = "Not known: packets do not carry a name.",
		[CAUSE_KNOWN_BOX] = "A box that is known here.",
		[CAUSE_SERVER_ITSELF] = "The server's own doing.",
		[CAUSE_CLIENT_ITSELF] = "The client's own doing.",
		[CAUSE_PEERS_INCOMPATIBLE] =
		    "Nobody's: the two do not agree on TLS.",
	};
	static const char *const sides[] = {
		[SIDE_UNDETERMINED] = "Where on the way it stands cannot be "
				      "told from this capture.",
		[SIDE_SERVER_OF_TAP] =
		    "It stands between the place of this capture and the "
		    "server: the server's operator, his provider, or the "
		    "networks in between. What is on the client's side of the "
		    "capture did not do it.",
		[SIDE_CLIENT_OF_TAP] =
		    "It stands between the client and the place of this "
		    "capture: the client's operator, his provider, or the "
		    "networks in between. What is on the server's side of the "
		    "capture did not do it.",
	};

	if (in->box[0] != '\0')
		say(p, "Declared by you: %s.", in->box);
	else
		say(p, "%s", causes[in->cause]);
	say(p, "%s", sides[in->side]);
	if (in->resembles[0] != '\0')
		say(p,
		    "What was written looks like the mask %s, of which there "
		    "%s %u public sample%s; anybody can write it.",
		    in->resembles, in->resembles_samples == 1 ? "is" : "are",
		    in->resembles_samples,
		    in->resembles_samples == 1 ? "" : "s");
}

/* --- the rest ------------------------------------------------------------- */

/* What the operator made of it. */
static void
say_words(struct paragraph *p, const struct incident *in)
{
	const struct operator_words *w = &in->words;
	char time[32], note[SAFE_BYTES];

	if (w->label != LABEL_NONE)
		say(p, "Says that this is %s.", label_name(w->label));
	else if (w->acknowledged)
		say(p, "Has seen this.");
	if (w->suppressed_by != 0)
		say(p,
		    "Rule %llu suppresses it: it is kept and listed, and not "
		    "alerted.",
		    (unsigned long long)w->suppressed_by);
	if (w->note[0] != '\0')
		say_sentence(p, style_safe(w->note, note));
	if (w->last_ns != 0)
		say(p, "(%s, %s UTC)", w->last_user,
		    style_time(w->last_ns, time));
}

/* The sessions that belong to it, but for the one that is shown. */
static void
say_sessions(struct paragraph *p, const struct incident *in)
{
	for (unsigned i = 1; i < in->session_count; i++) {
		const struct incident_session *s = &in->sessions[i];
		char client[ENDPOINT_TEXT_BYTES], time[32];

		say(p, "%s %s, %s UTC%s",
		    strcmp(s->role, "retry") == 0 ? "in clear from" :
						    "failed before it:",
		    endpoint_format(&s->client, client),
		    style_time(s->first_ns, time),
		    i + 1 < in->session_count ? ";" : "");
	}
}

static void
say_observed(struct paragraph *p, const struct incident *in)
{
	say_sentence(p, in->observed);
	if (in->unseen)
		say(p, "The capture does not have all of the session.");
}

static void
say_withdrawn(struct paragraph *p, const struct incident *in)
{
	if (in->state == STATE_WITHDRAWN)
		say(p, "What was learned later took the ground from under it.");
}

static void
say_box(struct paragraph *p, const struct incident *in)
{
	if (in->box[0] != '\0')
		say(p, "%s", in->box);
}

static void
say_benign(struct paragraph *p, const struct incident *in)
{
	say_sentence(p, in->benign);
}

static void
say_next(struct paragraph *p, const struct incident *in)
{
	if (in->next_step[0] != '\0')
		say(p, "%s", in->next_step);
}

static void
say_place(struct paragraph *p, const struct incident *in)
{
	const char *interface = incident_interface(in);
	char time[32], path[SAFE_BYTES];

	if (interface != NULL)
		say(p, "seen on %s, %s UTC", style_safe(interface, path),
		    style_time(in->capture_ts_ns, time));
	else
		say(p, "%s, frame %llu, %s UTC",
		    style_safe(in->capture_path, path),
		    (unsigned long long)in->frame,
		    style_time(in->capture_ts_ns, time));
}

static void (*const parts[ACCOUNT_PARTS])(struct paragraph *,
    const struct incident *) = {
	[ACCOUNT_WITHDRAWN] = say_withdrawn,
	[ACCOUNT_OBSERVED] = say_observed,
	[ACCOUNT_ACT] = say_act,
	[ACCOUNT_MAIL] = say_mail,
	[ACCOUNT_POLICY] = say_policies,
	[ACCOUNT_SURE] = say_sure,
	[ACCOUNT_SUPPORT] = say_support,
	[ACCOUNT_RESEMBLES] = say_resembles,
	[ACCOUNT_BOX] = say_box,
	[ACCOUNT_WHOSE] = say_whose,
	[ACCOUNT_BENIGN] = say_benign,
	[ACCOUNT_NEXT_STEP] = say_next,
	[ACCOUNT_PLACE] = say_place,
	[ACCOUNT_SESSIONS] = say_sessions,
	[ACCOUNT_OPERATOR] = say_words,
};

const char *
account(const struct incident *in, unsigned wanted, char out[ACCOUNT_BYTES])
{
	struct paragraph p = { "", 0 };

	for (unsigned i = 0; i < ACCOUNT_PARTS; i++)
		if (wanted >> i & 1)
			parts[i](&p, in);
	memcpy(out, p.text, ACCOUNT_BYTES);
	return out;
}

const char *
account_title(enum kind kind)
{
	static const char *const titles[KINDS] = {
		[KIND_PLAINTEXT_INJECTED] = "Octets slipped in beside STARTTLS",
		[KIND_STARTTLS_COMMAND_GARBLED] =
		    "Request for encryption overwritten",
		[KIND_EHLO_BLOCKED] = "EHLO blocked, and with it encryption",
		[KIND_STARTTLS_GARBLED] = "Offer of encryption overwritten",
		[KIND_STARTTLS_REFUSED] = "Encryption offered, then refused",
		[KIND_TLS_SESSION_BROKEN] = "Encrypted session cut off",
		[KIND_TLS_VERSION_DOWNGRADED] = "Older TLS than was offered",
		[KIND_CERTIFICATE_MISMATCH] =
		    "Not the certificate that was promised",
		[KIND_SERVER_REDIRECTED] = "Mail led to another server",
		[KIND_STARTTLS_STRIPPED] = "Offer of encryption missing",
		[KIND_SEGMENT_FORGED] = "Two contents of the same octets",
	};

	return titles[kind];
}

const char *
account_revision(const struct incident *in, char out[ACCOUNT_BYTES])
{
	snprintf(out, ACCOUNT_BYTES,
	    "revision %u: %s, %s, confidence %.2f, support %.1f; on %s",
	    in->revision, kind_name(in->kind),
	    in->state == STATE_WITHDRAWN ? "withdrawn" :
					   certainty_name(in->certainty),
	    in->confidence, in->support, in->provenance);
	return out;
}

const char *
account_word(const struct said *said, char out[ACCOUNT_BYTES])
{
	char time[32], note[SAFE_BYTES];

	snprintf(out, ACCOUNT_BYTES, "%s UTC, %s: %s%s%s%s%s",
	    style_time(said->said_ns, time), said->user, said->verb,
	    said->label[0] ? " " : "", said->label, said->note[0] ? ": " : "",
	    style_safe(said->note, note));
	return out;
}

const char *
account_filter(const struct incident *in, uint64_t first, uint64_t last,
    char out[ACCOUNT_BYTES])
{
	const char *ip = in->client.address.family == 6 ? "ipv6" : "ip";
	char client[ADDRESS_TEXT_BYTES], server[ADDRESS_TEXT_BYTES];
	char frames[80] = "";

	/* On the wire there was no file in which they had numbers. */
	if (last != 0 && incident_interface(in) == NULL)
		snprintf(frames, sizeof(frames),
		    "frame.number in {%llu..%llu} and ",
		    (unsigned long long)first, (unsigned long long)last);
	snprintf(out, ACCOUNT_BYTES,
	    "%s%s.addr == %s and tcp.port == %u and %s.addr == %s and "
	    "tcp.port == %u",
	    frames, ip, address_format(&in->client.address, client),
	    in->client.port, ip, address_format(&in->server.address, server),
	    in->server.port);
	return out;
}
