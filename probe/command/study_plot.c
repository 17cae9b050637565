/* study plot: the same shares as pictures. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "probe/output/style.h"
#include "probe/study/plot.h"
#include "study_ask.h"

#define NOTE_BYTES 400

struct plotting {
	struct asking asking;
	const char *out;
	bool cumulative;
	unsigned most;
	char title[200], notes[PLOT_NOTES_MAX][NOTE_BYTES];
};

static int
plot_setting(void *context, enum setting_id id,
    const struct setting_value *value, char wrong[SETTING_WRONG_BYTES])
{
	struct plotting *p = context;

	switch ((int)id) {
	case SET_STUDY_PLOT_OUT:
		p->out = value->text;
		return 0;
	case SET_STUDY_CUMULATIVE:
		p->cumulative = true;
		return 0;
	case SET_STUDY_MOST:
		p->most = (unsigned)value->number;
		return 0;
	default:
		return asking_setting(&p->asking, id, value, wrong);
	}
}

static void
add_note(struct plot *plot, struct plotting *p, const char *text)
{
	char *note = p->notes[plot->note_count];

	snprintf(note, NOTE_BYTES, "%s", text);
	plot->notes[plot->note_count++] = note;
}

static void
describe(struct plotting *p, struct plot *plot, const struct tally_result *r)
{
	const struct asking *a = &p->asking;
	const struct question *q = &a->question;
	const char *why = asking_no_interval(a, &r->total);
	char text[NOTE_BYTES], records[32], affected[32], judged[32];

	snprintf(p->title, sizeof(p->title), "Share of %s affected, by %s",
	    unit_plural(q->unit), q->by == BY_AS ? "AS" : by_name(q->by));
	plot->title = p->title;
	if (a->labels[0] != '\0') {
		snprintf(text, sizeof(text), "NOT A MEASUREMENT: %.100s",
		    a->labels);
		add_note(plot, p, text);
	}
	snprintf(text, sizeof(text),
	    "Snapshot %s, %s records. Affected: %s of %s %s judged",
	    a->snapshot, style_count(a->records, records),
	    style_count(r->total.counts.affected, affected),
	    style_count(r->total.counts.judged, judged), unit_plural(q->unit));
	add_note(plot, p, text);
	snprintf(text, sizeof(text),
	    "(at least %" PRIu64 " of its judged sessions and %g %% of them, "
	    "%s or surer)",
	    q->least_sessions, q->least_percent, certainty_name(q->certainty));
	add_note(plot, p, text);
	if (plot->kind != PLOT_CUMULATIVE)
		add_note(plot, p,
		    why[0] != '\0' ?
			"Pale: what the unjudged allow, as far as the axis "
			"goes" :
			"Whisker, where there are 20 networks or more: 95 % "
			"interval. Pale: what the unjudged allow, as far as "
			"the axis goes");
	if (why[0] != '\0') {
		snprintf(text, sizeof(text), "No interval for a population: %s",
		    why);
		add_note(plot, p, text);
	}
}

static int
write_plot(struct plotting *p, const struct plot *plot,
    const struct tally_result *r)
{
	FILE *file = p->out != NULL ? fopen(p->out, "w") : stdout;
	bool drawn, bad;

	if (file == NULL) {
		complain("%s: %s", p->out, strerror(errno));
		return STATUS_ERROR;
	}
	drawn = plot_write(plot, r, file);
	bad = ferror(file) != 0;
	if ((file == stdout ? fflush(file) : fclose(file)) != 0 || bad) {
		complain("%s: cannot be written",
		    p->out != NULL ? p->out : "standard output");
		return STATUS_ERROR;
	}
	if (drawn)
		return STATUS_OK;
	complain("study plot: nothing was judged");
	return STATUS_NO;
}

static int
draw(struct plotting *p)
{
	enum by by = p->asking.question.by;
	struct study_tally *tally = NULL;
	const struct tally_result *result;
	struct plot plot = { .groups_most = p->most };
	int status = asking_open(&p->asking);

	if (status != STATUS_OK)
		return status;
	plot.kind = p->cumulative	   ? PLOT_CUMULATIVE :
	    by == BY_DAY || by == BY_MONTH ? PLOT_SERIES :
					     PLOT_BARS;
	result = asking_count(&p->asking, &tally);
	status = STATUS_ERROR;
	if (result != NULL) {
		describe(p, &plot, result);
		status = write_plot(p, &plot, result);
	}
	tally_destroy(tally);
	return status;
}

int
study_plot(int argc, char **argv)
{
	struct plotting p = { 0 };
	int operand, status;

	asking_init(&p.asking);
	operand = options_parse(COMMAND_STUDY_PLOT, &p.asking.common,
	    plot_setting, &p, argc, argv);
	if (operand < 0)
		status = operand == -1 ? STATUS_OK : STATUS_ERROR;
	else if (operand != argc)
		status = usage_error(COMMAND_STUDY_PLOT, "takes no operand");
	else if (p.asking.question.by == BY_NOTHING)
		status = usage_error(COMMAND_STUDY_PLOT, "wants --by WHAT");
	else
		status = draw(&p);
	asking_free(&p.asking);
	return status;
}
