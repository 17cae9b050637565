#include "totals.h"

#include "style.h"

#define LABEL 15

void
totals_init(struct totals *t)
{
	memset(t, 0, sizeof(*t));
	t->first_ns = INT64_MAX;
	t->last_ns = INT64_MIN;
}

void
totals_add_capture(struct totals *t, const struct capture_row *row)
{
	t->captures++;
	t->faults += row->fault[0] != '\0';
	t->bytes += row->bytes;
	t->packets += row->packets;
	if (row->packets > 0 && row->first_ns < t->first_ns)
		t->first_ns = row->first_ns;
	if (row->packets > 0 && row->last_ns > t->last_ns)
		t->last_ns = row->last_ns;
	counters_add(&t->counters, &row->counters);
	tally_add(&t->tally, &row->tally);
}

int
totals_add_incident(void *context, const struct incident *in)
{
	struct totals *t = context;

	t->incidents[in->kind][in->certainty]++;
	return 0;
}

/* --- on screen ----------------------------------------------------------- */

static void
print_label(FILE *out, const char *label)
{
	fprintf(out, "%s%-*s%s", style(TONE_BOLD), LABEL, label, style_end());
}

/* Every counter of the class that is not 0, with what it counts. */
static void
print_class(FILE *out, const char *label, const struct totals *t,
    enum counter_class class)
{
	bool first = true;
	char count[32];

	for (int i = 0; i < COUNTERS; i++) {
		if (counter_class((enum counter)i) != class ||
		    t->counters.of[i] == 0)
			continue;
		print_label(out, first ? label : "");
		fprintf(out, "%15s  %s  %s%s%s\n",
		    style_count(t->counters.of[i], count),
		    counter_text((enum counter)i), style(TONE_DIM),
		    counter_name((enum counter)i), style_end());
		first = false;
	}
	if (!first || class == COUNTER_CLASS_ODD)
		return;
	print_label(out, label);
	fprintf(out, "%15s  nothing\n", "");
}

static void
print_axis(FILE *out, const char *label, struct totals *t, enum axis axis)
{
	const uint64_t *counts = axis_counts(&t->tally, axis);
	char count[32];

	print_label(out, label);
	fprintf(out, "  %-9s", label[0] ? "" : axis_name(axis));
	for (int i = 0; i < axis_values(axis); i++)
		fprintf(out, "  %s%s %s%s", counts[i] ? "" : style(TONE_DIM),
		    axis_value_name(axis, i), style_count(counts[i], count),
		    counts[i] ? "" : style_end());
	fputc('\n', out);
}

static void
print_incidents(FILE *out, const struct totals *t)
{
	const char *label = "Incidents";
	char count[32];

	for (int k = 0; k < KINDS; k++) {
		for (int c = CERTAINTY_DEMONSTRATED; c > CERTAINTY_NONE; c--) {
			if (t->incidents[k][c] == 0)
				continue;
			print_label(out, label);
			fprintf(out, "%15s  %s, %s%s%s\n",
			    style_count(t->incidents[k][c], count),
			    kind_name((enum kind)k),
			    style(
				c >= CERTAINTY_LIKELY ? TONE_RED : TONE_YELLOW),
			    certainty_name((enum certainty)c), style_end());
			label = "";
		}
	}
	if (label[0] != '\0') {
		print_label(out, label);
		fprintf(out, "%15s  none\n", "");
	}
}

void
totals_print(FILE *out, struct totals *t)
{
	char a[32], b[32], c[32];

	print_label(out, "Captures");
	fprintf(out, "%15s", style_count(t->captures, a));
	if (t->first_ns <= t->last_ns)
		fprintf(out, "  from %s to %s UTC", style_time(t->first_ns, a),
		    style_time(t->last_ns, b));
	if (t->faults > 0)
		fprintf(out, "; %s not read to the end",
		    style_count(t->faults, a));
	fputs("\n\n", out);
	print_class(out, "Came in", t, COUNTER_CLASS_TRAFFIC);
	print_class(out, "Not decoded", t, COUNTER_CLASS_UNDECODED);
	print_class(out, "Not captured", t, COUNTER_CLASS_LOST);
	print_class(out, "Shed for room", t, COUNTER_CLASS_EVICTED);
	print_class(out, "Worth a look", t, COUNTER_CLASS_ODD);
	fputc('\n', out);
	print_label(out, "SMTP sessions");
	fprintf(out, "%15s  of which each axis adds up to all\n",
	    style_count(t->tally.sessions, a));
	for (int axis = 0; axis < AXIS_UNJUDGED; axis++)
		print_axis(out, "", t, (enum axis)axis);
	print_axis(out, "Not judged", t, AXIS_UNJUDGED);
	print_label(out, "Kept");
	fprintf(out,
	    "%15s  to be judged again; %s more, and %s lines of "
	    "history, were shed for room\n",
	    style_count(t->tally.kept, a), style_count(t->tally.kept_shed, b),
	    style_count(t->tally.profiles_shed, c));
	fputc('\n', out);
	print_incidents(out, t);
}

/* --- as JSON ------------------------------------------------------------- */

static void
class_json(struct json *j, const struct totals *t, enum counter_class class)
{
	json_object_open(j, counter_class_name(class));
	for (int i = 0; i < COUNTERS; i++)
		if (counter_class((enum counter)i) == class)
			json_unsigned(j, counter_name((enum counter)i),
			    t->counters.of[i]);
	json_object_close(j);
}

static void
axis_json(struct json *j, struct totals *t, enum axis axis)
{
	json_object_open(j, axis_name(axis));
	for (int i = 0; i < axis_values(axis); i++)
		json_unsigned(j, axis_value_name(axis, i),
		    axis_counts(&t->tally, axis)[i]);
	json_object_close(j);
}

static void
incidents_json(struct json *j, const struct totals *t)
{
	json_object_open(j, "incidents");
	for (int k = 0; k < KINDS; k++) {
		uint64_t sum = 0;

		for (int c = CERTAINTY_POSSIBLE; c <= CERTAINTY_DEMONSTRATED;
		     c++)
			sum += t->incidents[k][c];
		json_unsigned(j, kind_name((enum kind)k), sum);
	}
	json_object_close(j);
}

void
totals_json(struct json *j, struct totals *t)
{
	json_unsigned(j, "packets", t->packets);
	json_unsigned(j, "bytes", t->bytes);
	if (t->first_ns <= t->last_ns) {
		json_eve_time(j, "first", t->first_ns);
		json_eve_time(j, "last", t->last_ns);
	}
	for (int c = 0; c < COUNTER_CLASSES; c++)
		class_json(j, t, (enum counter_class)c);
	json_unsigned(j, "sessions", t->tally.sessions);
	for (int axis = 0; axis < AXES; axis++)
		axis_json(j, t, (enum axis)axis);
	json_unsigned(j, "kept", t->tally.kept);
	json_unsigned(j, "kept_shed", t->tally.kept_shed);
	json_unsigned(j, "profiles_shed", t->tally.profiles_shed);
	json_unsigned(j, "dns_shed", t->tally.dns_shed);
	json_unsigned(j, "attempts_shed", t->tally.attempts_shed);
	json_unsigned(j, "clear_shed", t->tally.clear_shed);
	incidents_json(j, t);
}
