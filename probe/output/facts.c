#include "facts.h"

#include <stdio.h>

#include "dissect/certificate.h"
#include "dissect/dns.h"
#include "dissect/dns_fact.h"

struct bit_word {
	uint16_t bit;
	const char *word;
};

static const struct bit_word flag_words[] = {
	{ FACT_LAST_LINE, "last-line" },
	{ FACT_REDACTED, "redacted" },
	{ FACT_CUT, "cut" },
	{ FACT_BARE_LF, "bare-lf" },
	{ FACT_UNFINISHED, "unfinished" },
	{ FACT_PIPELINED, "pipelined" },
	{ FACT_ODD_CODE, "odd-code" },
	{ FACT_RESUMED, "resumed" },
	{ FACT_OTHER_READING, "other-reading" },
};

static const struct bit_word blind_words[] = {
	{ OBS_MIDSTREAM, "midstream" },
	{ OBS_GAP_TO_SERVER, "gap-to-server" },
	{ OBS_GAP_TO_CLIENT, "gap-to-client" },
	{ OBS_ONE_SIDED, "one-sided" },
	{ OBS_SNAPLEN, "snaplen" },
	{ OBS_OVER_LIMIT, "over-limit" },
	{ OBS_EVICTED, "evicted" },
	{ OBS_LOST_SYNC, "lost-sync" },
};

size_t
facts_text(const struct fact *fact, struct slice bytes, char *out, size_t room)
{
	size_t n = 0;

	for (size_t i = 0; i < bytes.len && n + 5 < room; i++) {
		uint8_t c = bytes.ptr[i];

		if (c == REDACTED_OCTET && fact->flags & FACT_REDACTED) {
			memcpy(out + n, "\xe2\x80\xa2", 3);
			n += 3;
		} else if (c >= 0x20 && c < 0x7f && c != '\\') {
			out[n++] = (char)c;
		} else {
			n += (size_t)snprintf(out + n, room - n, "\\x%02X", c);
		}
	}
	out[n] = '\0';
	return n;
}

static void
put_words(struct json *j, const char *key, uint16_t bits,
    const struct bit_word *words, size_t count)
{
	json_array_open(j, key);
	for (size_t i = 0; i < count; i++)
		if (bits & words[i].bit)
			json_text(j, NULL, words[i].word);
	json_array_close(j);
}

static void
put_identity(struct json *j, struct slice bytes)
{
	char text[ENDPOINT_TEXT_BYTES];
	struct flow_identity id;

	if (!flow_identity_decode(bytes, &id))
		return;
	json_text(j, "client", endpoint_format(&id.client, text));
	json_text(j, "server", endpoint_format(&id.server, text));
	if (id.has_client_isn)
		json_unsigned(j, "client_isn", id.client_isn);
	if (id.has_server_isn)
		json_unsigned(j, "server_isn", id.server_isn);
}

static void
put_certificate(struct json *j, struct slice der)
{
	struct certificate certificate;

	if (!certificate_describe(der, &certificate))
		return;
	json_text(j, "subject", certificate.common_name);
	json_array_open(j, "names");
	for (unsigned i = 0; i < certificate.name_count; i++)
		json_text(j, NULL, certificate.names[i]);
	json_array_close(j);
	json_text(j, "sha256", certificate.sha256);
}

static void
put_hex(struct json *j, struct slice bytes)
{
	char hex[129];
	size_t n = 0;

	for (size_t i = 0; i < bytes.len && n + 3 < sizeof(hex); i++)
		n += (size_t)snprintf(hex + n, sizeof(hex) - n, "%02x",
		    bytes.ptr[i]);
	json_slice(j, "random", slice_of(hex, n));
}

static const char *
sum_name(uint8_t sum)
{
	return sum == SUM_RIGHT ? "right" :
	    sum == SUM_WRONG	? "wrong" :
				  "unknown";
}

static void
put_copies(struct json *j, struct slice bytes)
{
	struct segment_copy copy;

	json_array_open(j, "copies");
	while (segment_copy_decode(&bytes, &copy)) {
		json_object_open(j, NULL);
		json_unsigned(j, "frame", copy.frame);
		json_eve_time(j, "timestamp", copy.capture_ts_ns);
		json_unsigned(j, "seq", copy.seq);
		json_unsigned(j, "ack", copy.ack);
		json_unsigned(j, "length", copy.length);
		json_unsigned(j, "ttl", copy.ttl);
		json_unsigned(j, "ip_id", copy.ip_id);
		json_unsigned(j, "window", copy.window);
		if (copy.has_ts)
			json_unsigned(j, "tsval", copy.ts_value);
		json_text(j, "checksum", sum_name(copy.sum));
		json_object_close(j);
	}
	json_array_close(j);
}

static void
put_type(struct json *j, uint16_t type)
{
	const char *name = dns_type_name(type);

	json_text(j, "type", name != NULL ? name : "other");
}

static void
put_dns(struct json *j, struct slice bytes)
{
	char text[4 * DNS_VALUE_MAX_BYTES + 8];
	static const struct fact as_it_is;
	struct dns_asked asked;
	struct dns_said said;

	if (!dns_asked_decode(&bytes, &asked))
		return;
	json_text(j, "client", endpoint_format(&asked.client, text));
	json_text(j, "resolver", endpoint_format(&asked.resolver, text));
	json_slice(j, "name", asked.name);
	put_type(j, asked.type);
	json_array_open(j, "records");
	while (dns_said_decode(&bytes, &said)) {
		json_object_open(j, NULL);
		json_slice(j, "name", said.owner);
		put_type(j, said.type);
		json_unsigned(j, "ttl", said.ttl_s);
		facts_text(&as_it_is, said.value, text, sizeof(text));
		json_text(j, "value", text);
		json_bool(j, "additional", !said.in_answer);
		json_object_close(j);
	}
	json_array_close(j);
}

static void
put_bytes(struct json *j, const struct fact *fact, struct slice bytes)
{
	static char text[4 * FACT_LINE_MAX_BYTES + 8];

	switch (fact->code) {
	case FACT_SESSION_OPENED:
		put_identity(j, bytes);
		break;
	case FACT_COPIES_DIFFER:
	case FACT_TTL_STEP:
	case FACT_IP_ID_STEP:
	case FACT_CLOCK_STEP:
	case FACT_WRONG_SUM:
	case FACT_RST_OUT_OF_PLACE:
	case FACT_DATA_BEHIND_FIN:
	case FACT_DATA_BEHIND_RST:
		put_copies(j, bytes);
		break;
	case FACT_TLS_CERTIFICATE:
		put_certificate(j, bytes);
		break;
	case FACT_DNS_ANSWER:
		put_dns(j, bytes);
		break;
	case FACT_TLS_CLIENT_HELLO:
	case FACT_TLS_SERVER_HELLO:
		put_hex(j, bytes);
		break;
	default:
		if (fact->line > 0 || bytes.len > 0 ||
		    fact->code == FACT_COMMAND) {
			facts_text(fact, bytes, text, sizeof(text));
			json_text(j, "text", text);
		}
		break;
	}
}

void
facts_json(struct json *j, const struct fact *fact, struct slice bytes,
    const char *pcap_filename)
{
	char session[24];

	json_object_open(j, NULL);
	if (fact->session != 0) {
		snprintf(session, sizeof(session), "%016llx",
		    (unsigned long long)fact->session);
		json_text(j, "session", session);
	}
	json_text(j, "code", fact_code_name((enum fact_code)fact->code));
	json_text(j, "dir", fact->dir == TO_SERVER ? "to-server" : "to-client");
	json_text(j, "pcap_filename", pcap_filename);
	json_unsigned(j, "frame", fact->frame);
	json_eve_time(j, "timestamp", fact->capture_ts_ns);
	json_unsigned(j, "offset", fact->stream_offset);
	if (fact->line > 0)
		json_unsigned(j, "line", fact->line);
	json_bool(j, "acked", fact->flags & FACT_ACKED);
	put_words(j, "flags", fact->flags, flag_words,
	    sizeof(flag_words) / sizeof(*flag_words));
	if (fact->observability)
		put_words(j, "unseen", fact->observability, blind_words,
		    sizeof(blind_words) / sizeof(*blind_words));
	if (fact->about != VERB_NONE)
		json_text(j, "about", verb_name((enum verb)fact->about));
	if (fact->code == FACT_CLOSED)
		json_text(j, "ending", ending_name(fact->value));
	else if (fact->value != 0)
		json_unsigned(j, "value", fact->value);
	if (fact->extent != 0)
		json_unsigned(j, "extent", fact->extent);
	put_bytes(j, fact, bytes);
	json_object_close(j);
}
