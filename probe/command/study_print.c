#include "study_print.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "probe/output/style.h"

#define FULL_SHOWN 20

/* The columns, in their order; those of counts first. */
static const struct {
	const char *text, *name; /* on screen; in CSV */
} columns[] = {
	{ "observable", "observable" },
	{ "judged", "judged" },
	{ "offered", "offered" },
	{ "used", "used" },
	{ "garbled", "garbled" },
	{ "stripped", "stripped" },
	{ "other", "otherwise" },
	{ "refused", "refused" },
	{ "broken", "broken" },
	{ "affected", "affected" },
	{ "share", "share" },
	{ "95 % interval", "interval_low" },
	{ "if unjudged", "bound_low" },
};
#define COLUMNS ((int)(sizeof(columns) / sizeof(*columns)))
#define CELL_BYTES 40

struct cells {
	char cell[COLUMNS][CELL_BYTES];
};

void
print_counts(const struct counts *c, uint64_t out[PRINT_COUNTS])
{
	const uint64_t all[PRINT_COUNTS] = { c->units, c->judged, c->offered,
		c->used, c->garbled, c->stripped, c->otherwise, c->refused,
		c->broken, c->affected };

	memcpy(out, all, sizeof(all));
}

double
print_share(const struct counts *c)
{
	return c->judged > 0 ? (double)c->affected / (double)c->judged : 0;
}

/* Three digits that count, as a percentage without its sign. */
static const char *
percent(double share, char out[CELL_BYTES])
{
	double p = share * 100;

	snprintf(out, CELL_BYTES, "%.*f",
	    p == 0 || p >= 100 ? 0 :
		p >= 10	       ? 1 :
		p >= 1	       ? 2 :
		p >= 0.1       ? 3 :
				 4,
	    p);
	return out;
}

static void
percent_range(const struct interval *i, const char *dash, char out[CELL_BYTES])
{
	char low[CELL_BYTES], high[CELL_BYTES];

	snprintf(out, CELL_BYTES, "%.15s%.8s%.15s", percent(i->low, low), dash,
	    percent(i->high, high));
}

static void
fill(const struct group *g, const char *dash, struct cells *out)
{
	struct interval bounds = counts_bounds(&g->counts);
	uint64_t counts[PRINT_COUNTS];
	char text[CELL_BYTES];

	print_counts(&g->counts, counts);
	for (int i = 0; i < PRINT_COUNTS; i++)
		style_count(counts[i], out->cell[i]);
	if (g->counts.judged > 0)
		snprintf(out->cell[PRINT_COUNTS], CELL_BYTES, "%.30s %%",
		    percent(print_share(&g->counts), text));
	else
		strcpy(out->cell[PRINT_COUNTS], "-");
	if (g->has_interval)
		percent_range(&g->interval, dash, out->cell[PRINT_COUNTS + 1]);
	else
		strcpy(out->cell[PRINT_COUNTS + 1], "-");
	percent_range(&bounds, dash, out->cell[PRINT_COUNTS + 2]);
}

/* --- what stands around a table ------------------------------------------ */

#define NOTE_BYTES 512
#define NOTES_MAX 12

struct notes {
	char text[NOTES_MAX][NOTE_BYTES];
	int count, before; /* those that stand before the table */
};

static void note(struct notes *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void
note(struct notes *n, const char *format, ...)
{
	va_list arguments;

	if (n->count == NOTES_MAX)
		return;
	va_start(arguments, format);
	vsnprintf(n->text[n->count++], NOTE_BYTES, format, arguments);
	va_end(arguments);
}

static void
note_snapshot(const struct asking *a, struct notes *n)
{
	char records[32], unit[256];

	if (a->labels[0] != '\0')
		note(n, "NOT A MEASUREMENT: %.100s", a->labels);
	note(n, "Snapshot %s of %.200s: %" PRIu64 " source%s, %s records; %s%s",
	    a->snapshot, a->common.db, a->sources, a->sources == 1 ? "" : "s",
	    style_count(a->records, records), a->rules,
	    a->mixed_rules ? " and others: import anew to judge all alike" :
			     "");
	asking_unit_text(a, unit);
	note(n, "Unit: %s%s", unit,
	    a->question.carrying ? "; only sessions that could carry mail" :
				   "");
}

static void
note_loss(const struct asking *a, const struct tally_result *r, struct notes *n)
{
	char silent[32], malformed[32], nameless[32], lost[CELL_BYTES];

	note(n,
	    "Left out: %s connections in which nobody spoke SMTP, %s "
	    "malformed records, %s sessions of no known %s",
	    style_count(r->silent, silent),
	    style_count(a->malformed, malformed),
	    style_count(r->nameless, nameless), unit_name(a->question.unit));
	if (a->question.carrying)
		note(n, "Left out: %s sessions that could not carry mail",
		    style_count(r->cannot_carry, silent));
	if (a->seen_bytes > 0)
		note(n, "Captures lost %s %% of their octets",
		    percent((double)a->lost_bytes /
			    (double)(a->seen_bytes + a->lost_bytes),
			lost));
	if (a->incomplete > 0)
		note(n,
		    "Not counted: %" PRIu64 " source%s that %s not read to "
		    "the end",
		    a->incomplete, a->incomplete == 1 ? "" : "s",
		    a->incomplete == 1 ? "was" : "were");
}

static void
note_removal(const struct tally_result *r, struct notes *n)
{
	struct interval bounds = counts_removal_bounds(&r->total.counts);
	char range[CELL_BYTES];

	percent_range(&bounds, " to ", range);
	note(n,
	    "An offer that is not there may have been removed or never "
	    "made: who sees a server once cannot tell. So the share of "
	    "removed offers is from %s %%",
	    range);
}

/* How many of the rows are of groups in which too little is found, or not. */
static size_t
uncertain_rows(const struct asking *a, const struct tally_result *r)
{
	size_t rows = 0;

	for (size_t i = 0; i <= r->group_count; i++) {
		const struct group *g = i < r->group_count ? &r->groups[i] :
							     &r->total;
		uint64_t hits = g->clusters_affected;
		uint64_t free_of_it = g->clusters - g->clusters_full;

		if (a->question.independent) {
			hits = g->counts.affected;
			free_of_it = g->counts.judged - hits;
		}
		rows += g->has_interval &&
		    (hits < INTERVAL_AFFECTED_MIN ||
			free_of_it < INTERVAL_AFFECTED_MIN);
	}
	return rows;
}

static void
note_uncertain(const struct asking *a, const struct tally_result *r,
    struct notes *n)
{
	size_t rows = uncertain_rows(a, r);

	if (rows > 0)
		note(n,
		    "In %zu row%s fewer than %d %s are affected, or all but "
		    "so few: of such samples 86 to 99 %% of the intervals "
		    "hold the truth, not 95",
		    rows, rows == 1 ? "" : "s", INTERVAL_AFFECTED_MIN,
		    a->question.independent ? unit_plural(a->question.unit) :
					      "networks");
}

static void
note_interval(const struct asking *a, const struct tally_result *r,
    struct notes *n)
{
	const char *why = asking_no_interval(a, &r->total);

	if (why[0] != '\0')
		note(n, "No interval for a population: %s", why);
	else if (a->question.independent)
		note(n, "Intervals: Wilson, of independent units");
	else
		note(n,
		    "Intervals: Wilson, clustered by network (%" PRIu64
		    ", design effect %.2f, Student's t)",
		    r->total.clusters, r->total.design_effect);
	note_uncertain(a, r, n);
	note(n,
	    "Networks (%s): %" PRIu64 " judged, %" PRIu64
	    " with something affected, %" PRIu64 " affected wholly",
	    networks_know_as(a->networks) ? "ASes" : "/16, /32",
	    r->total.clusters, r->total.clusters_affected,
	    r->total.clusters_full);
	note(n,
	    "Last column: the share of the observable if none of the "
	    "unjudged is affected, and if all are");
}

static void
note_all(const struct asking *a, const struct tally_result *r, struct notes *n)
{
	n->count = 0;
	note_snapshot(a, n);
	n->before = n->count;
	note_loss(a, r, n);
	note_removal(r, n);
	note_interval(a, r, n);
	if (a->question.by == BY_MASK)
		note(n,
		    "Denominators of masks are those of all; refused and "
		    "broken need no third party");
	else
		note(n,
		    "Refused and broken need no third party; they are "
		    "counted, not accused");
}

const char *
print_group_name(const struct group *g)
{
	return g->name[0] != '\0' ? g->name : "all";
}

const char *
print_count_name(int count)
{
	return columns[count].name;
}

static const char *
head_of(const struct asking *a)
{
	return a->question.by == BY_NOTHING ? "" : by_name(a->question.by);
}

/* --- text ---------------------------------------------------------------- */

static void
text_line(const char *name, int width, const struct cells *c,
    const int widths[COLUMNS])
{
	char safe[SAFE_BYTES];

	printf("%-*.*s", width, width, style_safe(name, safe));
	for (int i = 0; i < COLUMNS; i++)
		printf("  %*s", widths[i], c->cell[i]);
	putchar('\n');
}

static void
widen(int widths[COLUMNS], const struct cells *c)
{
	for (int i = 0; i < COLUMNS; i++)
		if ((int)strlen(c->cell[i]) > widths[i])
			widths[i] = (int)strlen(c->cell[i]);
}

static void
print_rows(const struct asking *a, const struct tally_result *r)
{
	int widths[COLUMNS] = { 0 }, width = (int)strlen(head_of(a));
	struct cells c;

	for (int i = 0; i < COLUMNS; i++)
		strcpy(c.cell[i], columns[i].text);
	widen(widths, &c);
	fill(&r->total, "-", &c);
	widen(widths, &c);
	for (size_t i = 0; i < r->group_count; i++) {
		int n = (int)strlen(r->groups[i].name);

		fill(&r->groups[i], "-", &c);
		widen(widths, &c);
		width = n > width ? n : width;
	}
	width = width > 40 ? 40 : width < 3 ? 3 : width;
	for (int i = 0; i < COLUMNS; i++)
		strcpy(c.cell[i], columns[i].text);
	fputs(style(TONE_DIM), stdout);
	text_line(head_of(a), width, &c, widths);
	fputs(style_end(), stdout);
	for (size_t i = 0; i < r->group_count; i++) {
		fill(&r->groups[i], "-", &c);
		text_line(r->groups[i].name, width, &c, widths);
	}
	fill(&r->total, "-", &c);
	text_line("all", width, &c, widths);
}

static void
print_sensitivity(const struct asking *a, const struct tally_result *r)
{
	const struct counts *c = &r->total.counts;

	if (a->question.unit == UNIT_SESSION || c->judged == 0)
		return;
	printf("\nAffected %s at other thresholds (sessions, percent of the "
	       "judged):\n%12s",
	    unit_plural(a->question.unit), "");
	for (int p = 0; p < SENSITIVITY_PERCENTS; p++)
		printf("  %10.0f %%", sensitivity_percents[p]);
	putchar('\n');
	for (int k = 0; k < SENSITIVITY_SESSIONS; k++) {
		printf("%12" PRIu64, sensitivity_sessions[k]);
		for (int p = 0; p < SENSITIVITY_PERCENTS; p++) {
			char count[32];

			printf("  %12s",
			    style_count(r->sensitivity[k][p], count));
		}
		putchar('\n');
	}
}

static void
print_full(const struct asking *a, const struct tally_result *r)
{
	if (r->full_count == 0)
		return;
	printf("\nNetworks that are affected wholly, of all their judged "
	       "%s:\n",
	    unit_plural(a->question.unit));
	for (size_t i = 0; i < r->full_count && i < FULL_SHOWN; i++) {
		char count[32], safe[SAFE_BYTES];

		printf("  %8s  %s\n", style_count(r->full[i].units, count),
		    style_safe(r->full[i].name, safe));
	}
	if (r->full_count > FULL_SHOWN)
		printf("  and %zu more: --format json\n",
		    r->full_count - FULL_SHOWN);
}

static void
print_text(const struct asking *a, const struct tally_result *r)
{
	struct notes n;

	note_all(a, r, &n);
	for (int i = 0; i < n.before; i++)
		style_paragraph(stdout, "", 0, n.text[i]);
	putchar('\n');
	print_rows(a, r);
	putchar('\n');
	for (int i = n.before; i < n.count; i++)
		style_paragraph(stdout, "", 0, n.text[i]);
	print_sensitivity(a, r);
	print_full(a, r);
}

/* --- CSV ----------------------------------------------------------------- */

static void
csv_text(const char *text)
{
	putchar('"');
	for (; *text != '\0'; text++) {
		if (*text == '"')
			putchar('"');
		putchar(*text);
	}
	putchar('"');
}

static void
csv_row(const struct asking *a, const struct group *g)
{
	struct interval bounds = counts_bounds(&g->counts);
	uint64_t counts[PRINT_COUNTS];

	print_counts(&g->counts, counts);
	csv_text(print_group_name(g));
	for (int i = 0; i < PRINT_COUNTS; i++)
		printf(",%" PRIu64, counts[i]);
	if (g->counts.judged > 0)
		printf(",%.8g", print_share(&g->counts));
	else
		putchar(',');
	if (g->has_interval)
		printf(",%.8g,%.8g", g->interval.low, g->interval.high);
	else
		fputs(",,", stdout);
	printf(",%.8g,%.8g,%" PRIu64 ",%.4g,%s,%s,", bounds.low, bounds.high,
	    g->clusters, g->design_effect, a->snapshot,
	    unit_name(a->question.unit));
	csv_text(a->labels);
	putchar('\n');
}

static void
print_csv(const struct asking *a, const struct tally_result *r)
{
	fputs(a->question.by == BY_NOTHING ? "group" : by_name(a->question.by),
	    stdout);
	for (int i = 0; i <= PRINT_COUNTS; i++)
		printf(",%s", columns[i].name);
	puts(",interval_low,interval_high,bound_low,bound_high,networks,"
	     "design_effect,snapshot,unit,label");
	for (size_t i = 0; i < r->group_count; i++)
		csv_row(a, &r->groups[i]);
	csv_row(a, &r->total);
}

/* --- Markdown and LaTeX -------------------------------------------------- */

static void
markdown_text(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '|' || *text == '\\')
			putchar('\\');
		putchar(*text);
	}
}

static void
print_markdown(const struct asking *a, const struct tally_result *r)
{
	struct notes n;

	note_all(a, r, &n);
	printf("| %s |", head_of(a));
	for (int i = 0; i < COLUMNS; i++)
		printf(" %s |", columns[i].text);
	fputs("\n| --- |", stdout);
	for (int i = 0; i < COLUMNS; i++)
		fputs(" ---: |", stdout);
	putchar('\n');
	for (size_t i = 0; i <= r->group_count; i++) {
		const struct group *g = i < r->group_count ? &r->groups[i] :
							     &r->total;
		struct cells c;

		fill(g, "–", &c);
		fputs("| ", stdout);
		markdown_text(print_group_name(g));
		fputs(" |", stdout);
		for (int j = 0; j < COLUMNS; j++)
			printf(" %s |", c.cell[j]);
		putchar('\n');
	}
	putchar('\n');
	for (int i = 0; i < n.count; i++) {
		fputs("* ", stdout);
		markdown_text(n.text[i]);
		putchar('\n');
	}
}

static void
latex_text(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '\\')
			fputs("\\textbackslash{}", stdout);
		else if (*text == '~' || *text == '^')
			printf("\\%c{}", *text);
		else if (strchr("#$%&_{}", *text) != NULL)
			printf("\\%c", *text);
		else
			putchar(*text);
	}
}

static void
print_latex(const struct asking *a, const struct tally_result *r)
{
	struct notes n;

	note_all(a, r, &n);
	for (int i = 0; i < n.count; i++)
		printf("%% %s\n", n.text[i]);
	printf("\\begin{tabular}{l*{%d}{r}}\n\\hline\n", COLUMNS);
	latex_text(head_of(a));
	for (int i = 0; i < COLUMNS; i++) {
		fputs(" & ", stdout);
		latex_text(columns[i].text);
	}
	fputs(" \\\\\n\\hline\n", stdout);
	for (size_t i = 0; i <= r->group_count; i++) {
		const struct group *g = i < r->group_count ? &r->groups[i] :
							     &r->total;
		struct cells c;

		fill(g, "--", &c);
		if (i == r->group_count && i > 0)
			fputs("\\hline\n", stdout);
		latex_text(print_group_name(g));
		for (int j = 0; j < COLUMNS; j++) {
			fputs(" & ", stdout);
			latex_text(c.cell[j]);
		}
		fputs(" \\\\\n", stdout);
	}
	fputs("\\hline\n\\end{tabular}\n", stdout);
	if (a->labels[0] != '\0') {
		fputs("\\par\\emph{Not a measurement: ", stdout);
		latex_text(a->labels);
		fputs("}\n", stdout);
	}
}

int
print_result(const struct asking *a, const struct tally_result *r,
    enum print_format format)
{
	int status = 0;

	style_color(a->common.color);
	switch (format) {
	case PRINT_CSV:
		print_csv(a, r);
		break;
	case PRINT_JSON:
		status = print_json(a, r);
		break;
	case PRINT_LATEX:
		print_latex(a, r);
		break;
	case PRINT_MARKDOWN:
		print_markdown(a, r);
		break;
	default:
		print_text(a, r);
		break;
	}
	if (status == 0 && fflush(stdout) == 0)
		return STATUS_OK;
	complain("standard output cannot be written");
	return STATUS_ERROR;
}
