#include "probe/output/json.h"
#include "study_print.h"

static void
json_interval(struct json *j, const char *key, const struct interval *i)
{
	json_array_open(j, key);
	json_number(j, NULL, i->low, 8);
	json_number(j, NULL, i->high, 8);
	json_array_close(j);
}

static void
json_group(struct json *j, const char *key, const struct asking *a,
    const struct group *g)
{
	struct interval bounds = counts_bounds(&g->counts);
	struct interval removal = counts_removal_bounds(&g->counts);
	uint64_t counts[PRINT_COUNTS];

	print_counts(&g->counts, counts);
	json_object_open(j, key);
	json_text(j, "group", print_group_name(g));
	for (int i = 0; i < PRINT_COUNTS; i++)
		json_unsigned(j, print_count_name(i), counts[i]);
	json_unsigned(j, "absent", g->counts.absent);
	json_unsigned(j, "sessions", g->counts.sessions);
	if (g->counts.judged > 0)
		json_number(j, "share", print_share(&g->counts), 8);
	if (g->has_interval)
		json_interval(j, "interval", &g->interval);
	else
		json_text(j, "no_interval", asking_no_interval(a, g));
	json_interval(j, "bounds", &bounds);
	json_interval(j, "removal_bounds", &removal);
	json_unsigned(j, "networks", g->clusters);
	json_unsigned(j, "networks_affected", g->clusters_affected);
	json_unsigned(j, "networks_wholly", g->clusters_full);
	json_number(j, "design_effect", g->design_effect, 4);
	json_object_close(j);
}

static void
json_question(struct json *j, const struct asking *a)
{
	const struct question *q = &a->question;

	json_text(j, "snapshot", a->snapshot);
	if (a->labels[0] != '\0')
		json_text(j, "label", a->labels);
	json_text(j, "rules", a->rules);
	json_unsigned(j, "sources", a->sources);
	json_unsigned(j, "records", a->records);
	json_unsigned(j, "malformed", a->malformed);
	json_unsigned(j, "vantages", q->vantages);
	json_text(j, "unit", unit_name(q->unit));
	json_text(j, "by", by_name(q->by));
	json_unsigned(j, "least_sessions", q->least_sessions);
	json_number(j, "least_percent", q->least_percent, 3);
	json_text(j, "certainty", certainty_name(q->certainty));
	json_bool(j, "carrying", q->carrying);
	json_bool(j, "independent", q->independent);
	json_unsigned(j, "seen_bytes", a->seen_bytes);
	json_unsigned(j, "lost_bytes", a->lost_bytes);
}

static void
json_sensitivity(struct json *j, const struct tally_result *r)
{
	json_array_open(j, "sensitivity");
	for (int k = 0; k < SENSITIVITY_SESSIONS; k++)
		for (int p = 0; p < SENSITIVITY_PERCENTS; p++) {
			json_object_open(j, NULL);
			json_unsigned(j, "least_sessions",
			    sensitivity_sessions[k]);
			json_number(j, "least_percent", sensitivity_percents[p],
			    0);
			json_unsigned(j, "affected", r->sensitivity[k][p]);
			json_object_close(j);
		}
	json_array_close(j);
}

int
print_json(const struct asking *a, const struct tally_result *r)
{
	struct json j;
	int status;

	json_init(&j);
	json_object_open(&j, NULL);
	json_question(&j, a);
	json_unsigned(&j, "silent", r->silent);
	json_unsigned(&j, "nameless", r->nameless);
	json_unsigned(&j, "cannot_carry", r->cannot_carry);
	json_group(&j, "total", a, &r->total);
	json_array_open(&j, "groups");
	for (size_t i = 0; i < r->group_count; i++)
		json_group(&j, NULL, a, &r->groups[i]);
	json_array_close(&j);
	json_sensitivity(&j, r);
	json_array_open(&j, "wholly_affected");
	for (size_t i = 0; i < r->full_count; i++) {
		json_object_open(&j, NULL);
		json_text(&j, "network", r->full[i].name);
		json_unsigned(&j, "units", r->full[i].units);
		json_object_close(&j);
	}
	json_array_close(&j);
	json_object_close(&j);
	status = json_write(&j, stdout);
	json_free(&j);
	return status;
}
