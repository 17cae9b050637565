#include "eve.h"

#include <string.h>

#include "community_id.h"

static const char *const categories[] = { "", "Potentially Bad Traffic",
	"Potentially Bad Traffic", "Misc activity" };

/* Positive, and exact in a double: 53 bits. */
static uint64_t
flow_id(const struct incident *in)
{
	uint64_t id = 0;

	for (int i = 0; i < 8; i++)
		id = id << 8 | in->session[i];
	return (id >> 11) | 1;
}

static void
put_text(struct json *j, const char *key, const char *text)
{
	if (text[0] != '\0')
		json_text(j, key, text);
}

/* Suricata's object; addresses are there only where they were kept. */
static void
put_smtp(struct json *j, const struct incident *in)
{
	if (in->helo[0] == '\0' && in->mail_from[0] == '\0' &&
	    in->rcpt_count == 0)
		return;
	json_object_open(j, "smtp");
	put_text(j, "helo", in->helo);
	put_text(j, "mail_from", in->mail_from);
	if (in->rcpt_count > 0) {
		json_array_open(j, "rcpt_to");
		for (unsigned i = 0; i < in->rcpt_count; i++)
			json_text(j, NULL, in->rcpt_to[i]);
		json_array_close(j);
	}
	json_object_close(j);
}

static void
put_metadata(struct json *j, const struct incident *in)
{
	const char *attack = kind_attack(in->kind);

	json_object_open(j, "metadata");
	json_array_open(j, "kind");
	json_text(j, NULL, kind_name(in->kind));
	json_array_close(j);
	json_array_open(j, "certainty");
	json_text(j, NULL, certainty_name(in->certainty));
	json_array_close(j);
	json_array_open(j, "mitre_technique_id");
	while (*attack != '\0') {
		size_t n = strcspn(attack, " ");

		json_slice(j, NULL, slice_of(attack, n));
		attack += n + (attack[n] == ' ');
	}
	json_array_close(j);
	json_object_close(j);
}

static void
put_alert(struct json *j, const struct incident *in)
{
	unsigned severity = incident_severity(in);
	char signature[64];

	snprintf(signature, sizeof(signature), "STRIPLIGHT %s",
	    kind_name(in->kind));
	json_object_open(j, "alert");
	json_text(j, "action", "allowed");
	json_unsigned(j, "gid", 1);
	json_unsigned(j, "signature_id", kind_signature_id(in->kind));
	json_unsigned(j, "rev", 1);
	json_text(j, "signature", signature);
	json_text(j, "category", categories[severity]);
	json_unsigned(j, "severity", severity);
	put_metadata(j, in);
	json_object_close(j);
}

static void
put_policies(struct json *j, const struct incident *in)
{
	if (in->policy_count == 0)
		return;
	json_array_open(j, "policy");
	for (unsigned i = 0; i < in->policy_count; i++) {
		const struct policy_verdict *v = &in->policies[i];

		json_object_open(j, NULL);
		json_text(j, "mechanism", policy_mechanism_name(v->mechanism));
		json_text(j, "domain", v->domain);
		json_text(j, "mode", v->mode);
		json_text(j, "result", policy_result_name(v->result));
		json_text(j, "basis", policy_basis_name(v->basis));
		json_text(j, "validity", v->assumed ? "assumed" : "observed");
		json_object_close(j);
	}
	json_array_close(j);
}

static void
put_evidence(struct json *j, const struct incident *in)
{
	json_array_open(j, "evidence");
	for (unsigned i = 0; i < in->evidence_count; i++) {
		const struct evidence *e = &in->evidence[i];

		json_object_open(j, NULL);
		json_text(j, "code", evidence_name(e->code));
		json_text(j, "group",
		    evidence_group_name(evidence_group(e->code)));
		json_bool(j, "for", e->weight > 0);
		json_number(j, "weight", e->weight, 2);
		if (e->frame != 0)
			json_unsigned(j, "frame", e->frame);
		put_text(j, "detail", e->detail);
		json_object_close(j);
	}
	json_array_close(j);
}

static void
put_sessions(struct json *j, const struct incident *in)
{
	char id[COMMUNITY_ID_BYTES];

	json_array_open(j, "sessions");
	for (unsigned i = 0; i < in->session_count; i++) {
		const struct incident_session *s = &in->sessions[i];

		json_object_open(j, NULL);
		json_text(j, "role", s->role);
		community_id(&s->client, &in->server, 0, id);
		put_text(j, "community_id", id);
		if (i > 0)
			json_eve_time(j, "timestamp", s->first_ns);
		json_object_close(j);
	}
	json_array_close(j);
}

static void
put_what(struct json *j, const struct incident *in)
{
	json_text(j, "kind", kind_name(in->kind));
	json_array_open(j, "also");
	for (unsigned k = 0; k < KINDS; k++)
		if (in->also >> k & 1)
			json_text(j, NULL, kind_name((enum kind)k));
	json_array_close(j);
	json_text(j, "observed", in->observed);
	json_text(j, "visibility", in->unseen ? "partial" : "complete");
	if (in->unseen) {
		json_array_open(j, "unseen");
		for (int bit = 0; bit < 16; bit++)
			if (in->unseen >> bit & 1)
				json_text(j, NULL,
				    unseen_name((uint16_t)(1 << bit)));
		json_array_close(j);
	}
	json_number(j, "support", in->support, 2);
	put_text(j, "benign", in->benign);
	json_number(j, "confidence", in->confidence, 2);
	json_number(j, "prior", in->prior, 4);
	json_text(j, "certainty", certainty_name(in->certainty));
	put_text(j, "resembles", in->resembles);
	json_text(j, "cause", cause_name(in->cause));
	put_text(j, "box", in->box);
	json_text(j, "side", side_name(in->side));
	put_text(j, "direction", direction_name(in->direction));
	json_array_open(j, "outcome");
	for (unsigned bit = 0; bit < OUTCOME_BITS; bit++)
		if (in->outcome >> bit & 1)
			json_text(j, NULL, outcome_name(bit));
	json_array_close(j);
	json_bool(j, "retrospect", in->retrospect);
}

static void
put_seen(struct json *j, const struct incident *in)
{
	if (in->seen[0] == '\0')
		return;
	json_object_open(j, "seen");
	json_text(j, "line", in->seen);
	put_text(j, "expected", in->expected);
	json_unsigned(j, "frame", in->frame);
	json_unsigned(j, "stream_offset", in->stream_offset);
	json_object_close(j);
}

static void
put_words(struct json *j, const struct incident *in)
{
	const struct operator_words *w = &in->words;

	if (w->count == 0 && w->suppressed_by == 0)
		return;
	json_object_open(j, "operator");
	json_bool(j, "acknowledged", w->acknowledged);
	put_text(j, "label", label_name(w->label));
	if (w->suppressed_by != 0)
		json_unsigned(j, "suppressed_by", w->suppressed_by);
	put_text(j, "note", w->note);
	put_text(j, "user", w->last_user);
	if (w->last_ns != 0)
		json_eve_time(j, "said", w->last_ns);
	json_object_close(j);
}

static void
put_campaign(struct json *j, const struct incident_campaign *c)
{
	if (c->incidents == 0)
		return;
	json_object_open(j, "campaign");
	json_text(j, "id", c->id);
	json_unsigned(j, "incidents", c->incidents);
	json_unsigned(j, "clients", c->clients);
	json_unsigned(j, "servers", c->servers);
	json_eve_time(j, "first", c->first_ns);
	json_eve_time(j, "last", c->last_ns);
	json_object_close(j);
}

/* Stays open. */
static void
put_downgrade(struct json *j, const struct incident *in)
{
	json_object_open(j, "downgrade");
	json_text(j, "incident", in->id);
	json_unsigned(j, "revision", in->revision);
	json_text(j, "state", incident_state_name(in->state));
	put_what(j, in);
	if (in->server_name[0] != '\0' || in->product[0] != '\0') {
		json_object_open(j, "server");
		put_text(j, "name", in->server_name);
		put_text(j, "product", in->product);
		json_object_close(j);
	}
	if (in->domain_count > 0) {
		json_array_open(j, "rcpt_domains");
		for (unsigned i = 0; i < in->domain_count; i++)
			json_text(j, NULL, in->rcpt_domains[i]);
		json_array_close(j);
	}
	put_text(j, "queue_id", in->queue_id);
	put_seen(j, in);
	put_policies(j, in);
	put_evidence(j, in);
	put_sessions(j, in);
	put_text(j, "next_step", in->next_step);
	put_campaign(j, &in->campaign);
	put_words(j, in);
	json_text(j, "provenance", in->provenance);
}

/* Live, there is no file in which a frame had a number. */
static void
put_capture(struct json *j, const struct incident *in)
{
	const char *interface = incident_interface(in);

	if (interface != NULL) {
		json_text(j, "in_iface", interface);
		return;
	}
	put_text(j, "pcap_filename", in->capture_path);
	if (in->frame != 0)
		json_unsigned(j, "pcap_cnt", in->frame);
}

void
eve_alert_open(struct json *j, const struct incident *in)
{
	char own[COMMUNITY_ID_BYTES], text[ADDRESS_TEXT_BYTES];

	community_id(&in->client, &in->server, 0, own);
	json_object_open(j, NULL);
	json_eve_time(j, "timestamp", in->capture_ts_ns);
	json_unsigned(j, "flow_id", flow_id(in));
	json_text(j, "event_type", "alert");
	put_capture(j, in);
	put_text(j, "community_id", own);
	json_text(j, "src_ip", address_format(&in->client.address, text));
	json_unsigned(j, "src_port", in->client.port);
	json_text(j, "dest_ip", address_format(&in->server.address, text));
	json_unsigned(j, "dest_port", in->server.port);
	json_text(j, "proto", "TCP");
	json_text(j, "app_proto", "smtp");
	put_alert(j, in);
	put_smtp(j, in);
	put_downgrade(j, in);
}

void
eve_alert_close(struct json *j)
{
	json_object_close(j);
	json_object_close(j);
}

void
eve_alert(struct json *j, const struct incident *in)
{
	eve_alert_open(j, in);
	eve_alert_close(j);
}

void
eve_campaign(struct json *j, const struct incident *first)
{
	json_object_open(j, NULL);
	json_text(j, "event_type", "campaign");
	json_text(j, "kind", kind_name(first->kind));
	put_text(j, "resembles", first->resembles);
	put_text(j, "seen", first->seen);
	put_campaign(j, &first->campaign);
	json_object_close(j);
}
