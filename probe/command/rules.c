/* striplight rules: what is looked for, and why, with every weight. */
#include <stdio.h>
#include <string.h>

#include "options.h"
#include "probe/output/json.h"
#include "probe/output/style.h"
#include "rules/judge.h"
#include "rules/registry.h"

#define LABEL 12

struct ruling {
	struct common_options common;
	const char *folder;
	struct registry *registry;
	struct json json;
};

static int
on_setting(void *context, enum setting_id id, const struct setting_value *value,
    char wrong[SETTING_WRONG_BYTES])
{
	struct ruling *r = context;

	(void)wrong;
	if (id == SET_RULES)
		r->folder = value->text;
	return 0;
}

/* --- list ---------------------------------------------------------------- */

static int
list_json(struct ruling *r)
{
	for (int k = 0; k < KINDS; k++) {
		json_reset(&r->json);
		json_object_open(&r->json, NULL);
		json_text(&r->json, "kind", kind_name((enum kind)k));
		json_unsigned(&r->json, "signature_id",
		    kind_signature_id((enum kind)k));
		json_text(&r->json, "text", kind_text((enum kind)k));
		json_text(&r->json, "source", kind_source((enum kind)k));
		json_object_close(&r->json);
		if (json_write(&r->json, stdout) != 0)
			return -1;
	}
	return 0;
}

static int
list_text(const struct ruling *r)
{
	const struct product *products;
	const struct mask *masks;
	size_t product_count = registry_products(r->registry, &products);
	size_t mask_count = registry_masks(r->registry, &masks);

	for (int k = 0; k < KINDS; k++)
		style_paragraph(stdout, kind_name((enum kind)k), 20,
		    kind_text((enum kind)k));
	printf("\nMasks that an overwriting can look like, with the public "
	       "samples that stand behind them:\n");
	for (size_t i = 0; i < mask_count; i++)
		printf("  %-18s %3u  %s\n", masks[i].name, masks[i].samples,
		    masks[i].writer);
	printf("\nServer software whose order of keywords is known:\n ");
	for (size_t i = 0; i < product_count; i++)
		printf(" %s", products[i].name);
	printf("\n\nData files: %s; version, with the weights: %s\n"
	       "Why, and with what weight: striplight rules explain KIND\n",
	    r->folder ? r->folder : "built in", registry_version(r->registry));
	return 0;
}

/* --- explain ------------------------------------------------------------- */

static int
explain_json(struct ruling *r, enum kind kind)
{
	json_reset(&r->json);
	json_object_open(&r->json, NULL);
	json_text(&r->json, "kind", kind_name(kind));
	json_unsigned(&r->json, "signature_id", kind_signature_id(kind));
	json_text(&r->json, "text", kind_text(kind));
	json_text(&r->json, "source", kind_source(kind));
	json_array_open(&r->json, "evidence");
	for (int i = 0; i < EVIDENCE_CODES; i++) {
		enum evidence_code code = (enum evidence_code)i;

		if (!evidence_speaks_of(code, kind))
			continue;
		json_object_open(&r->json, NULL);
		json_text(&r->json, "code", evidence_name(code));
		json_text(&r->json, "group",
		    evidence_group_name(evidence_group(code)));
		json_bool(&r->json, "for", evidence_weight(code) > 0);
		json_number(&r->json, "weight", evidence_weight(code), 2);
		json_text(&r->json, "source",
		    weight_source_name(evidence_source(code)));
		json_bool(&r->json, "admits_likely",
		    evidence_admits(code) >= CERTAINTY_LIKELY);
		json_bool(&r->json, "demonstrates",
		    evidence_admits(code) == CERTAINTY_DEMONSTRATED);
		json_text(&r->json, "why", evidence_why(code));
		json_object_close(&r->json);
	}
	json_array_close(&r->json);
	json_object_close(&r->json);
	return json_write(&r->json, stdout);
}

static void
explain_group(enum kind kind, enum evidence_group group)
{
	static const char *const marks[] = { [CERTAINTY_POSSIBLE] = "",
		[CERTAINTY_LIKELY] = " (*)",
		[CERTAINTY_DEMONSTRATED] = " (!)" };
	const char *label = evidence_group_name(group);
	char text[1024];

	for (int i = 0; i < EVIDENCE_CODES; i++) {
		enum evidence_code code = (enum evidence_code)i;

		if (evidence_group(code) != group ||
		    !evidence_speaks_of(code, kind))
			continue;
		snprintf(text, sizeof(text), "%+.1f %s%s, %s: %s",
		    evidence_weight(code), evidence_name(code),
		    marks[evidence_admits(code)],
		    weight_source_name(evidence_source(code)),
		    evidence_why(code));
		style_paragraph(stdout, label, LABEL, text);
		label = "";
	}
}

static int
explain_text(enum kind kind)
{
	printf("%s%s%s, signature %u, ATT&CK %s\n\n", style(TONE_BOLD),
	    kind_name(kind), style_end(), kind_signature_id(kind),
	    kind_attack(kind));
	style_paragraph(stdout, "What", LABEL, kind_text(kind));
	style_paragraph(stdout, "Source", LABEL, kind_source(kind));
	printf("\nEvidence, as log10 of how much more often it is seen when a "
	       "third party tampers\nthan under the best benign explanation. "
	       "Of each group the strongest for and the\nstrongest against "
	       "count; groups add.\n\n");
	for (int g = 0; g < EVIDENCE_GROUPS; g++)
		explain_group(kind, (enum evidence_group)g);
	printf("\nThe sum and the prior (1 in %.0f, or --prior) make the "
	       "confidence: possible from %.1f,\nlikely from %.1f. Without "
	       "any evidence marked (*) it is capped at %.2f: what is only\n"
	       "missing, or only promised by a policy, accuses nobody by "
	       "itself. What is marked\n(!) demonstrates the act, whatever the "
	       "sum.\n\nWeights come from a base rate (how often "
	       "the benign explanation was counted,\nwhere the text says), "
	       "fitted on half of a laboratory's scenarios (tests/lab/fit), "
	       "or\njudgement: set by hand, and held against all of them.\n",
	    1 / PRIOR_READ, JUDGE_POSSIBLE, JUDGE_LIKELY,
	    JUDGE_NOT_ADMITTED_MAX);
	return 0;
}

/* --- which --------------------------------------------------------------- */

static int
answer(struct ruling *r, char **words, int count)
{
	bool json = r->common.format == FORMAT_JSON;
	enum kind kind;
	int status;

	if (count == 1 && strcmp(words[0], "list") == 0) {
		status = json ? list_json(r) : list_text(r);
	} else if (count == 2 && strcmp(words[0], "explain") == 0) {
		if (!kind_parse(words[1], &kind)) {
			complain("rules: unknown kind \"%s\"; rules list has "
				 "them",
			    words[1]);
			return STATUS_ERROR;
		}
		status = json ? explain_json(r, kind) : explain_text(kind);
	} else {
		return usage_error(COMMAND_RULES,
		    "list, or explain and one kind");
	}
	if (status != 0 || fflush(stdout) != 0) {
		complain("standard output cannot be written");
		return STATUS_ERROR;
	}
	return STATUS_OK;
}

int
command_rules(int argc, char **argv)
{
	struct ruling r = { 0 };
	char errbuf[REGISTRY_ERRBUF];
	int first, status;

	first =
	    options_parse(COMMAND_RULES, &r.common, on_setting, &r, argc, argv);
	if (first < 0)
		return first == -1 ? STATUS_OK : STATUS_ERROR;
	style_color(r.common.color);
	r.registry = registry_load(r.folder, errbuf);
	if (r.registry == NULL) {
		complain("%s", errbuf);
		return STATUS_ERROR;
	}
	json_init(&r.json);
	status = answer(&r, argv + first, argc - first);
	json_free(&r.json);
	registry_free(r.registry);
	return status;
}
