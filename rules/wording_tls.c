/* The sentences about STARTTLS that fails. */
#include "wording.h"

#include <stdio.h>

const char *
wording_tls_version(uint16_t version)
{
	switch (version) {
	case 0x0300:
		return "SSL 3.0";
	case 0x0301:
		return "TLS 1.0";
	case 0x0302:
		return "TLS 1.1";
	case 0x0303:
		return "TLS 1.2";
	case 0x0304:
		return "TLS 1.3";
	default:
		return "an unknown version";
	}
}

static void
add_tls_history(const struct tls_history *h, struct incident *in)
{
	uint64_t count = h->done[KIN_SAME] > 0 ? h->done[KIN_SAME] :
	    h->done[KIN_NETWORK] > 0	       ? h->done[KIN_NETWORK] :
						 h->done[KIN_OTHER];

	if (count == 0)
		return;
	wording_add(in->observed, sizeof(in->observed),
	    ". TLS began in %llu other session%s of this server%s",
	    (unsigned long long)count, count == 1 ? "" : "s",
	    h->done[KIN_SAME] > 0	 ? " with this client" :
		h->done[KIN_NETWORK] > 0 ? " with this client's network" :
					   " with other clients");
}

void
wording_refused(const struct session *s, const struct tls_history *h,
    struct incident *in)
{
	wording_add(in->observed, sizeof(in->observed),
	    "the server offered STARTTLS and answered it with \"%.100s\"",
	    s->starttls_answer.text);
	wording_what_followed(s, in);
	add_tls_history(h, in);
	snprintf(in->benign, sizeof(in->benign), "%s",
	    in->cause == CAUSE_SERVER_ITSELF ?
		"the server's own TLS has been broken for days: everybody is "
		"refused" :
		"the server's own TLS is broken or out of order for a while, "
		"and it still offers it");
	snprintf(in->next_step, sizeof(in->next_step),
	    "Say STARTTLS to the same server from another network, at once "
	    "and later; or capture next to the server: a refusal that it did "
	    "not send, or a STARTTLS that it did not get, was put in on the "
	    "way");
}

void
wording_downgraded(const struct session *s, struct incident *in)
{
	wording_add(in->observed, sizeof(in->observed),
	    "the ClientHello offers up to %s, the server answers with %s and "
	    "marks its random as one that was asked for less than it has",
	    wording_tls_version(s->tls_offered),
	    wording_tls_version(s->tls_version));
	wording_tls_or_what_followed(s, in);
	snprintf(in->benign, sizeof(in->benign),
	    "a device of the operator's own that ends TLS between the two and "
	    "hands the server's random on");
	snprintf(in->next_step, sizeof(in->next_step),
	    "Capture next to the server: a ClientHello with the same random "
	    "and fewer versions was altered on the way");
}

void
wording_hello_altered(const struct session *s, struct incident *in)
{
	wording_add(in->observed, sizeof(in->observed),
	    "the ClientHello, which offers up to %s where the client is "
	    "nearer, was altered on its way to the server",
	    wording_tls_version(s->tls_offered));
	wording_tls_or_what_followed(s, in);
}

/* RFC 8446 6; what it no longer has, RFC 5246 7.2. */
static const struct alert {
	uint8_t description;
	const char *name;
	const char *says; /* NULL: no more than that it fails */
} alerts[] = {
	{ 0, "close_notify", "that it closes (close_notify)" },
	{ 10, "unexpected_message", NULL },
	{ 20, "bad_record_mac", NULL },
	{ 21, "decryption_failed", NULL },
	{ 22, "record_overflow", NULL },
	{ 40, "handshake_failure",
	    "that nothing fits both (handshake_failure)" },
	{ 42, "bad_certificate", "that the certificate is not good" },
	{ 43, "unsupported_certificate", "that the certificate is not good" },
	{ 44, "certificate_revoked", "that the certificate is not good" },
	{ 45, "certificate_expired", "that the certificate is not good" },
	{ 46, "certificate_unknown", "that the certificate is not good" },
	{ 47, "illegal_parameter", NULL },
	{ 48, "unknown_ca",
	    "that it does not know who issued the certificate (unknown_ca)" },
	{ 49, "access_denied", NULL },
	{ 50, "decode_error", NULL },
	{ 51, "decrypt_error", NULL },
	{ 70, "protocol_version",
	    "that they have no version in common (protocol_version)" },
	{ 71, "insufficient_security",
	    "that what is offered is too weak (insufficient_security)" },
	{ 80, "internal_error",
	    "that it has a fault of its own (internal_error)" },
	{ 86, "inappropriate_fallback", NULL },
	{ 90, "user_canceled", NULL },
	{ 100, "no_renegotiation", NULL },
	{ 109, "missing_extension", NULL },
	{ 110, "unsupported_extension", NULL },
	{ 112, "unrecognized_name", NULL },
	{ 113, "bad_certificate_status_response", NULL },
	{ 115, "unknown_psk_identity", NULL },
	{ 116, "certificate_required", NULL },
	{ 120, "no_application_protocol", NULL },
};

static const struct alert *
alert_of(uint8_t description)
{
	static const struct alert unknown = { 0, "unknown", NULL };

	for (size_t i = 0; i < sizeof(alerts) / sizeof(*alerts); i++)
		if (alerts[i].description == description)
			return &alerts[i];
	return &unknown;
}

const char *
wording_alert(uint8_t description)
{
	const char *says = alert_of(description)->says;

	return says != NULL ? says : "that the handshake fails";
}

const char *
wording_alert_name(uint8_t description)
{
	return alert_of(description)->name;
}

static const char *
how_it_ended(const struct session *s)
{
	bool server = s->closed_dir == TO_CLIENT;

	switch (s->ending) {
	case ENDING_RST:
		return server ? "was reset from the server's side" :
				"was reset from the client's side";
	case ENDING_FIN:
		return server ? "was closed from the server's side" :
				"was closed from the client's side";
	default:
		return "fell silent";
	}
}

static const char *
how_far_it_came(const struct session *s)
{
	return s->tls_established ? "just after TLS began" :
	    s->server_hello	  ? "in the middle of the handshake" :
	    s->client_hello	  ? "before the ClientHello was answered" :
				    "before TLS began";
}

static void
add_retry(const struct session *s, const struct chain *chain,
    struct incident *in)
{
	double after_s = (double)(chain->retry->first_ns - s->last_ns) / 1e9;
	char when[32] = "at once";

	if (after_s >= 0.1)
		snprintf(when, sizeof(when), "%.1f s later", after_s);
	wording_add(in->observed, sizeof(in->observed),
	    "; %s %s came back and did not ask for TLS", when,
	    chain->likeness == LIKENESS_BOTH ? "the same sender" :
					       "a similar sender");
	if (chain->earlier_count > 0)
		wording_add(in->observed, sizeof(in->observed),
		    " (it had failed %u time%s before)", chain->earlier_count,
		    chain->earlier_count == 1 ? "" : "s");
}

void
wording_broken(const struct session *s, const struct session *whole,
    const struct chain *chain, const struct tls_history *h, struct incident *in)
{
	wording_add(in->observed, sizeof(in->observed),
	    "the server accepted STARTTLS, and the connection %s %s",
	    how_it_ended(s), how_far_it_came(s));
	if (chain->retry != NULL)
		add_retry(s, chain, in);
	wording_what_followed(whole, in);
	add_tls_history(h, in);
	snprintf(in->benign, sizeof(in->benign), "%s",
	    s->alert || in->cause == CAUSE_PEERS_INCOMPATIBLE ?
		"the two have no version, cipher or trust in common: then it "
		"fails so every time" :
		"the server's own TLS is broken, it crashed, or the line "
		"failed at this moment");
	snprintf(in->next_step, sizeof(in->next_step),
	    "Begin TLS with the same server from another network, at once and "
	    "later; or capture next to the server: a reset or close that it "
	    "did not send was put in on the way");
}
