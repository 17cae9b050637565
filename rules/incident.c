#include "incident.h"

#include <math.h>

static const struct {
	const char *name;
	unsigned signature_id;
	const char *text, *source, *attack;
} kinds[KINDS] = {
#define KIND(id, name, sid, text, source, attack) \
	{ name, sid, text, source, attack },
#include "kinds.def"
#undef KIND
};

/* The kinds column of evidence.def. */
#define GARBLED (1u << KIND_STARTTLS_GARBLED)
#define STRIPPED (1u << KIND_STARTTLS_STRIPPED)
#define BOTH (GARBLED | STRIPPED)
#define COMMAND (1u << KIND_STARTTLS_COMMAND_GARBLED)
#define BLOCKED (1u << KIND_EHLO_BLOCKED)
#define CLEAR (BOTH | COMMAND | BLOCKED)
#define FORGED (1u << KIND_SEGMENT_FORGED)
#define REFUSED (1u << KIND_STARTTLS_REFUSED)
#define BROKEN (1u << KIND_TLS_SESSION_BROKEN)
#define FAILED (REFUSED | BROKEN)
#define DOWNGRADED (1u << KIND_TLS_VERSION_DOWNGRADED)
#define ANY (BOTH | FORGED | FAILED | DOWNGRADED)
#define INJECTED (1u << KIND_PLAINTEXT_INJECTED)
#define CERTIFICATE (1u << KIND_CERTIFICATE_MISMATCH)
#define REDIRECTED (1u << KIND_SERVER_REDIRECTED)

static const struct {
	const char *name;
	enum evidence_group group;
	uint32_t kinds; /* 1 << enum kind */
	enum certainty most;
	double weight;
	enum weight_source source;
	const char *why;
} evidences[EVIDENCE_CODES] = {
#define EVIDENCE(id, name, group, kinds, most, weight, source, why) \
	{ name, GROUP_##group, kinds, CERTAINTY_##most, weight,     \
		WEIGHT_##source, why },
#include "evidence.def"
#undef EVIDENCE
};

static const char *const group_names[] = { "content", "transport", "history",
	"policy", "sighting" };
static const char *const source_names[WEIGHT_SOURCES] = { "base-rate", "fitted",
	"judgement" };
static const char *const certainty_names[] = { "none", "possible", "likely",
	"demonstrated" };
static const char *const label_names[LABELS] = { "", "true", "false", "known" };
static const char *const cause_names[] = { "unknown", "known-box",
	"server-itself", "client-itself", "peers-incompatible" };
static const char *const side_names[] = { "undetermined", "server-side-of-tap",
	"client-side-of-tap" };
static const char *const direction_names[DIRECTIONS] = { "", "inbound",
	"outbound", "internal", "external" };
static const char *const state_names[] = { "open", "final", "withdrawn" };
static const char *const outcome_names[] = { "envelope-exposed",
	"content-exposed", "accepted", "credentials-exposed", "encrypted",
	"stopped" };
static const char *const result_names[] = { "met", "unmet", "not-visible",
	"unknown" };
static const char *const basis_names[] = { "rcpt", "dns-mx", "sni" };

static const struct {
	uint16_t bit;
	const char *name;
} unseen_names[] = {
	{ OBS_MIDSTREAM, "midstream" },
	{ OBS_GAP_TO_SERVER, "gap" },
	{ OBS_GAP_TO_CLIENT, "gap" },
	{ OBS_ONE_SIDED, "one-sided" },
	{ OBS_SNAPLEN, "snaplen" },
	{ OBS_OVER_LIMIT, "over-limit" },
	{ OBS_EVICTED, "evicted" },
	{ OBS_LOST_SYNC, "gap" },
};

/* The index of `name` in a table of `count` names; -1: not there. */
static int
name_index(const char *name, const char *const *names, int count)
{
	for (int i = 0; i < count; i++)
		if (strcmp(name, names[i]) == 0)
			return i;
	return -1;
}

const char *
incident_interface(const struct incident *in)
{
	size_t n = strlen(INTERFACE_PREFIX);

	return strncmp(in->capture_path, INTERFACE_PREFIX, n) == 0 ?
	    in->capture_path + n :
	    NULL;
}

bool
incident_evidence_counts(const struct incident *in, unsigned at)
{
	const struct evidence *e = &in->evidence[at];

	for (unsigned i = 0; i < in->evidence_count; i++) {
		const struct evidence *other = &in->evidence[i];

		if (i == at ||
		    evidence_group(other->code) != evidence_group(e->code) ||
		    (other->weight > 0) != (e->weight > 0))
			continue;
		if (fabs(other->weight) > fabs(e->weight) ||
		    (other->weight == e->weight && i < at))
			return false;
	}
	return true;
}

double
incident_posterior(double support, double prior)
{
	double odds = pow(10, support) * prior / (1 - prior);

	return odds / (1 + odds);
}

/*
 * interface.md: 1 what is surely tampered with and exposed; 2 what is surely
 * tampered with, or possibly so against a policy that forbids clear text.
 */
unsigned
incident_severity(const struct incident *in)
{
	bool content = in->outcome & OUTCOME_CONTENT_EXPOSED;

	if (in->certainty >= CERTAINTY_LIKELY) {
		if (content || in->outcome & OUTCOME_CREDENTIALS_EXPOSED)
			return 1;
		return 2;
	}
	for (unsigned i = 0; content && i < in->policy_count; i++)
		if (in->policies[i].result == POLICY_UNMET &&
		    (in->policies[i].mechanism == MECHANISM_DANE ||
			strcmp(in->policies[i].mode, "enforce") == 0))
			return 2;
	return 3;
}

const char *
kind_name(enum kind kind)
{
	return kinds[kind].name;
}

bool
kind_parse(const char *name, enum kind *out)
{
	for (int i = 0; i < KINDS; i++) {
		if (strcmp(name, kinds[i].name) == 0) {
			*out = (enum kind)i;
			return true;
		}
	}
	return false;
}

unsigned
kind_signature_id(enum kind kind)
{
	return kinds[kind].signature_id;
}

const char *
kind_text(enum kind kind)
{
	return kinds[kind].text;
}

const char *
kind_source(enum kind kind)
{
	return kinds[kind].source;
}

const char *
kind_attack(enum kind kind)
{
	return kinds[kind].attack;
}

const char *
evidence_name(enum evidence_code code)
{
	return evidences[code].name;
}

bool
evidence_parse(const char *name, enum evidence_code *out)
{
	for (int i = 0; i < EVIDENCE_CODES; i++) {
		if (strcmp(name, evidences[i].name) == 0) {
			*out = (enum evidence_code)i;
			return true;
		}
	}
	return false;
}

enum evidence_group
evidence_group(enum evidence_code code)
{
	return evidences[code].group;
}

double
evidence_weight(enum evidence_code code)
{
	return evidences[code].weight;
}

enum weight_source
evidence_source(enum evidence_code code)
{
	return evidences[code].source;
}

bool
evidence_speaks_of(enum evidence_code code, enum kind kind)
{
	return evidences[code].kinds >> kind & 1;
}

enum certainty
evidence_admits(enum evidence_code code)
{
	return evidences[code].most;
}

const char *
evidence_why(enum evidence_code code)
{
	return evidences[code].why;
}

const char *
evidence_group_name(enum evidence_group group)
{
	return group_names[group];
}

const char *
weight_source_name(enum weight_source source)
{
	return source_names[source];
}

const char *
certainty_name(enum certainty certainty)
{
	return certainty_names[certainty];
}

bool
certainty_parse(const char *name, enum certainty *out)
{
	int index = name_index(name, certainty_names, 4);

	if (index < 0)
		return false;
	*out = (enum certainty)index;
	return true;
}

const char *
label_name(enum label label)
{
	return label_names[label];
}

bool
label_parse(const char *name, enum label *out)
{
	int index = name_index(name, label_names, LABELS);

	if (index <= LABEL_NONE)
		return false;
	*out = (enum label)index;
	return true;
}

const char *
cause_name(enum cause cause)
{
	return cause_names[cause];
}

const char *
side_name(enum side side)
{
	return side_names[side];
}

const char *
direction_name(enum direction direction)
{
	return direction_names[direction];
}

const char *
incident_state_name(enum incident_state state)
{
	return state_names[state];
}

const char *
outcome_name(unsigned bit)
{
	return outcome_names[bit];
}

const char *
policy_mechanism_name(enum policy_mechanism mechanism)
{
	return mechanism == MECHANISM_DANE ? "dane" : "sts";
}

const char *
policy_result_name(enum policy_result result)
{
	return result_names[result];
}

const char *
policy_basis_name(enum policy_basis basis)
{
	return basis_names[basis];
}

const char *
unseen_name(uint16_t one_bit)
{
	for (size_t i = 0; i < sizeof(unseen_names) / sizeof(*unseen_names);
	     i++)
		if (unseen_names[i].bit == one_bit)
			return unseen_names[i].name;
	return "unknown";
}
