#include "plot.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#define WIDTH 760
#define LEFT 190 /* of the axes; names of bars stand there */
#define LEFT_OF_SERIES 70
#define RIGHT 130 /* figures stand there */
#define RIGHT_OF_SERIES 30
#define TOP 40 /* above the first note */
#define LINE 16
#define BAR 22	  /* from one to the next */
#define PLANE 280 /* height of series and distributions */
#define TICKS_MOST 6
#define LABELS_MOST 7 /* below a series */

#define BLUE "#0072B2"
#define PALE "#D9D9D9"
#define DARK "#000000"
#define VERMILLION "#D55E00"

struct canvas {
	FILE *out;
	double left, right, top, bottom;
	double most; /* share at the end of its axis */
	double step; /* between ticks */
};

static double
share_of(const struct group *g)
{
	return g->counts.judged > 0 ?
	    (double)g->counts.affected / (double)g->counts.judged :
	    0;
}

/* --- text ---------------------------------------------------------------- */

/* What XML and a terminal would take for something else does not get here. */
static void
escaped(FILE *out, const char *text)
{
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '<')
			fputs("&lt;", out);
		else if (c == '&')
			fputs("&amp;", out);
		else if (c == '"')
			fputs("&quot;", out);
		else if (c >= 0x20 && c != 0x7f)
			fputc(c, out);
	}
}

static void
label(FILE *out, double x, double y, const char *anchor, const char *extra,
    const char *text)
{
	fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\"%s>", x, y,
	    anchor, extra);
	escaped(out, text);
	fputs("</text>\n", out);
}

/* "12 %", as many decimals as the steps of the axis need. */
static void
percent(double share, double step, char out[32])
{
	int decimals = step >= 0.01 ? 0 : step >= 0.001 ? 1 : 2;

	snprintf(out, 32, "%.*f %%", step > 0 ? decimals : 2, share * 100);
}

static double
head(const struct plot *p, FILE *out, double height)
{
	double y = TOP;

	fprintf(out,
	    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	    "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" "
	    "height=\"%.0f\" viewBox=\"0 0 %d %.0f\" font-family=\"Helvetica, "
	    "Arial, sans-serif\" font-size=\"12\">\n<title>",
	    WIDTH, height, WIDTH, height);
	escaped(out, p->title);
	fprintf(out,
	    "</title>\n<rect width=\"%d\" height=\"%.0f\" fill=\"#FFFFFF\"/>\n",
	    WIDTH, height);
	label(out, 16, 24, "start", " font-size=\"16\" font-weight=\"bold\"",
	    p->title);
	for (int i = 0; i < p->note_count; i++, y += LINE)
		label(out, 16, y + 4, "start",
		    " font-size=\"11\" fill=\"#404040\"", p->notes[i]);
	return y + 12;
}

static double
head_height(const struct plot *p)
{
	return TOP + p->note_count * LINE + 12;
}

/* --- axes ---------------------------------------------------------------- */

/* Steps of 1, 2 or 5 that reach beyond `most` in few of them. */
static void
choose_steps(struct canvas *c, double most)
{
	double step;

	if (most <= 0)
		most = 0.01;
	step = pow(10, floor(log10(most / TICKS_MOST)));
	while (most / step > TICKS_MOST)
		step *= most / step > 5 * TICKS_MOST / 2.0 ? 5 : 2;
	c->step = step;
	c->most = ceil(most / step - 1e-9) * step;
	if (c->most > 1)
		c->most = 1;
}

static double
across(const struct canvas *c, double share)
{
	return c->left +
	    (c->right - c->left) * (share < c->most ? share / c->most : 1);
}

static double
upwards(const struct canvas *c, double share)
{
	return c->bottom -
	    (c->bottom - c->top) * (share < c->most ? share / c->most : 1);
}

static void
line(FILE *out, double x1, double y1, double x2, double y2, const char *style)
{
	fprintf(out,
	    "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" %s/>\n", x1,
	    y1, x2, y2, style);
}

static void
shares_below(const struct canvas *c)
{
	char text[32];

	for (double at = 0; at <= c->most + c->step / 2; at += c->step) {
		double x = across(c, at);

		line(c->out, x, c->top, x, c->bottom,
		    "stroke=\"#CCCCCC\" stroke-width=\"0.5\"");
		percent(at, c->step, text);
		label(c->out, x, c->bottom + 16, "middle", "", text);
	}
}

static void
shares_beside(const struct canvas *c, double most, double step)
{
	char text[32];

	for (double at = 0; at <= most + step / 2; at += step) {
		double y = c->bottom - (c->bottom - c->top) * at / most;

		line(c->out, c->left, y, c->right, y,
		    "stroke=\"#CCCCCC\" stroke-width=\"0.5\"");
		percent(at, step, text);
		label(c->out, c->left - 6, y + 4, "end", "", text);
	}
}

static void
frame(const struct canvas *c)
{
	line(c->out, c->left, c->bottom, c->right, c->bottom,
	    "stroke=\"" DARK "\"");
	line(c->out, c->left, c->top, c->left, c->bottom,
	    "stroke=\"" DARK "\"");
}

/* How far the axis must reach: intervals whole, bounds as far as they do not
 * hide everything else. */
static double
highest(const struct group *groups, size_t count)
{
	double most = 0;

	for (size_t i = 0; i < count; i++) {
		double share = share_of(&groups[i]);

		if (share > most)
			most = share;
		if (groups[i].has_interval && groups[i].interval.high > most)
			most = groups[i].interval.high;
	}
	return most * 1.15;
}

/* --- bars ---------------------------------------------------------------- */

static void
bar(const struct canvas *c, const struct group *g, double y)
{
	struct interval bounds = counts_bounds(&g->counts);
	double share = share_of(g), middle = y + BAR / 2.0;
	char name[40], text[80], figure[32];

	snprintf(name, sizeof(name), "%.28s%s", g->name,
	    strlen(g->name) > 28 ? "..." : "");
	label(c->out, c->left - 8, middle + 4, "end", "", name);
	fprintf(c->out,
	    "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" "
	    "fill=\"" PALE "\"/>\n",
	    across(c, bounds.low), y + 2,
	    across(c, bounds.high) - across(c, bounds.low), BAR - 4);
	fprintf(c->out,
	    "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" "
	    "fill=\"" BLUE "\"/>\n",
	    c->left, y + 6, across(c, share) - c->left, BAR - 12);
	if (g->has_interval) {
		double low = across(c, g->interval.low);
		double high = across(c, g->interval.high);

		line(c->out, low, middle, high, middle,
		    "stroke=\"" DARK "\" stroke-width=\"1.5\"");
		line(c->out, low, y + 5, low, y + BAR - 5,
		    "stroke=\"" DARK "\" stroke-width=\"1.5\"");
		line(c->out, high, y + 5, high, y + BAR - 5,
		    "stroke=\"" DARK "\" stroke-width=\"1.5\"");
	}
	percent(share, 0, figure);
	snprintf(text, sizeof(text), "%s of %" PRIu64, figure,
	    g->counts.judged);
	label(c->out, c->right + 8, middle + 4, "start", "", text);
}

static int
by_share(const void *a, const void *b)
{
	const struct group *const *x = a, *const *y = b;
	double p = share_of(*x), q = share_of(*y);

	return p != q ? (p > q ? -1 : 1) : strcmp((*x)->name, (*y)->name);
}

/* The groups with most judged units, highest share first. */
static size_t
rank(const struct tally_result *r, unsigned most, const struct group **list)
{
	size_t n = 0;

	for (size_t i = 0; i < r->group_count; i++) {
		const struct group *g = &r->groups[i];
		size_t at = n;

		if (g->counts.judged == 0)
			continue;
		while (at > 0 && list[at - 1]->counts.judged < g->counts.judged)
			at--;
		if (at == most)
			continue;
		n += n < most;
		memmove(list + at + 1, list + at, (n - at - 1) * sizeof(*list));
		list[at] = g;
	}
	qsort(list, n, sizeof(*list), by_share);
	return n;
}

static bool
write_bars(const struct plot *p, const struct tally_result *r, FILE *out)
{
	const struct group **list = calloc(p->groups_most + 1, sizeof(*list));
	struct canvas c = { .out = out, .left = LEFT, .right = WIDTH - RIGHT };
	struct group copy;
	size_t n;
	double most = 0, y;

	n = list != NULL ? rank(r, p->groups_most, list) : 0;
	for (size_t i = 0; i < n; i++) {
		copy = *list[i];
		most = fmax(most, highest(&copy, 1));
	}
	if (n > 0) {
		choose_steps(&c, most);
		y = head(p, out, head_height(p) + (double)n * BAR + 34);
		c.top = y;
		c.bottom = y + (double)n * BAR;
		shares_below(&c);
		for (size_t i = 0; i < n; i++, y += BAR)
			bar(&c, list[i], y);
		frame(&c);
		fputs("</svg>\n", out);
	}
	free(list);
	return n > 0;
}

/* --- series -------------------------------------------------------------- */

static void
point(const struct canvas *c, const struct group *g, double x, double width)
{
	struct interval bounds = counts_bounds(&g->counts);
	double y = upwards(c, share_of(g));

	fprintf(c->out,
	    "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
	    "fill=\"" PALE "\"/>\n",
	    x - width / 2, upwards(c, bounds.high), width,
	    upwards(c, bounds.low) - upwards(c, bounds.high));
	if (g->has_interval) {
		double low = upwards(c, g->interval.low);
		double high = upwards(c, g->interval.high);

		line(c->out, x, low, x, high,
		    "stroke=\"" DARK "\" stroke-width=\"1.5\"");
		line(c->out, x - 4, low, x + 4, low,
		    "stroke=\"" DARK "\" stroke-width=\"1.5\"");
		line(c->out, x - 4, high, x + 4, high,
		    "stroke=\"" DARK "\" stroke-width=\"1.5\"");
	}
	fprintf(c->out,
	    "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\" fill=\"" BLUE "\"/>\n",
	    x, y);
}

static bool
write_series(const struct plot *p, const struct tally_result *r, FILE *out)
{
	struct canvas c = { .out = out,
		.left = LEFT_OF_SERIES,
		.right = WIDTH - RIGHT_OF_SERIES };
	size_t n = r->group_count;
	size_t labels = (n + LABELS_MOST - 1) / LABELS_MOST;
	double width, last_x = 0, last_y = 0;
	bool any = false;

	if (n == 0)
		return false;
	choose_steps(&c, highest(r->groups, n));
	c.top = head(p, out, head_height(p) + PLANE + 34);
	c.bottom = c.top + PLANE;
	shares_beside(&c, c.most, c.step);
	width = (c.right - c.left) / (double)n;
	for (size_t i = 0; i < n; i++) {
		const struct group *g = &r->groups[i];
		double x = c.left + width * ((double)i + 0.5);

		if (i % labels == 0)
			label(out, x, c.bottom + 16, "middle", "", g->name);
		/* What was not judged is a gap in the line, not a zero. */
		if (g->counts.judged == 0) {
			any = false;
			continue;
		}
		point(&c, g, x, fmin(width * 0.5, 14));
		if (any)
			line(out, last_x, last_y, x, upwards(&c, share_of(g)),
			    "stroke=\"" BLUE "\" stroke-width=\"1.5\"");
		last_x = x;
		last_y = upwards(&c, share_of(g));
		any = true;
	}
	frame(&c);
	fputs("</svg>\n", out);
	return true;
}

/* --- distributions ------------------------------------------------------- */

static int
by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Of the groups, and of the units that are in them: two lines, one dashed. */
static void
steps(const struct canvas *c, const struct group *groups, size_t count,
    bool weighted, const char *style)
{
	struct step {
		double share, weight;
	} *list = calloc(count + 1, sizeof(*list));
	double all = 0, below = 0;
	size_t n = 0;

	for (size_t i = 0; list != NULL && i < count; i++) {
		if (groups[i].counts.judged == 0)
			continue;
		list[n].share = share_of(&groups[i]);
		list[n].weight = weighted ? (double)groups[i].counts.judged : 1;
		all += list[n++].weight;
	}
	if (n > 0)
		qsort(list, n, sizeof(*list), by_value);
	fprintf(c->out, "<polyline fill=\"none\" %s points=\"%.1f,%.1f", style,
	    c->left, c->bottom);
	for (size_t i = 0; i < n; i++) {
		double x = c->left + (c->right - c->left) * list[i].share;

		fprintf(c->out, " %.1f,%.1f", x,
		    c->bottom - (c->bottom - c->top) * below / all);
		below += list[i].weight;
		fprintf(c->out, " %.1f,%.1f", x,
		    c->bottom - (c->bottom - c->top) * below / all);
	}
	fprintf(c->out, " %.1f,%.1f\"/>\n", c->right,
	    n > 0 ? c->top : c->bottom);
	free(list);
}

#define SOLID "stroke=\"" BLUE "\" stroke-width=\"2\""
#define DASHED \
	"stroke=\"" VERMILLION "\" stroke-width=\"2\" stroke-dasharray=\"7 4\""

static bool
write_cumulative(const struct plot *p, const struct tally_result *r, FILE *out)
{
	struct canvas c = { .out = out,
		.left = LEFT_OF_SERIES,
		.right = WIDTH - RIGHT_OF_SERIES,
		.most = 1,
		.step = 0.2 };
	double y;

	if (r->group_count == 0)
		return false;
	c.top = head(p, out, head_height(p) + PLANE + 60);
	c.bottom = c.top + PLANE;
	shares_beside(&c, 1, 0.2);
	shares_below(&c);
	steps(&c, r->groups, r->group_count, false, SOLID);
	steps(&c, r->groups, r->group_count, true, DASHED);
	frame(&c);
	label(out, (c.left + c.right) / 2, c.bottom + 34, "middle", "",
	    "share affected in a group, at most");
	y = c.bottom - 40;
	line(out, c.right - 190, y, c.right - 160, y, SOLID);
	label(out, c.right - 152, y + 4, "start", "", "of the groups");
	line(out, c.right - 190, y + 18, c.right - 160, y + 18, DASHED);
	label(out, c.right - 152, y + 22, "start", "", "of the units in them");
	fputs("</svg>\n", out);
	return true;
}

bool
plot_write(const struct plot *p, const struct tally_result *r, FILE *out)
{
	switch (p->kind) {
	case PLOT_SERIES:
		return write_series(p, r, out);
	case PLOT_CUMULATIVE:
		return write_cumulative(p, r, out);
	default:
		return write_bars(p, r, out);
	}
}
