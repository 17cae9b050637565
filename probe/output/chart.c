#include "chart.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "html.h"
#include "style.h"

#define NS_PER_S INT64_C(1000000000)
#define BARS_MAX 60

/* Numbers go into attributes with a point, whatever the locale (only LC_CTYPE
 * is ever set). */
void
chart_weight(FILE *out, double weight)
{
	double length = fmin(fabs(weight), 4) * 10;

	html_print(out,
	    "<svg class=\"weight %s\" viewBox=\"-40 0 80 10\" "
	    "aria-hidden=\"true\"><path d=\"M0 0V10\"/>"
	    "<rect x=\"%g\" y=\"2\" width=\"%g\" height=\"6\"/></svg>",
	    weight > 0 ? "for" : "against", weight > 0 ? 0 : -length, length);
}

void
chart_confidence(FILE *out, const struct incident *in)
{
	char prior[16], confidence[16];

	snprintf(prior, sizeof(prior), "%.3g", in->prior);
	snprintf(confidence, sizeof(confidence), "%.2f", in->confidence);
	html_print(out,
	    "<svg class=\"confidence\" viewBox=\"-4 0 308 40\" role=\"img\" "
	    "aria-label=\"Confidence %s on a scale from 0 to 1, from a prior "
	    "of %s; possible from 0.4, likely from 0.7\">",
	    confidence, prior);
	html_print(out,
	    "<rect class=\"track\" y=\"10\" width=\"300\" height=\"6\"/>"
	    "<rect class=\"reach\" y=\"10\" x=\"%g\" width=\"%g\" "
	    "height=\"6\"/><path class=\"tick\" d=\"M120 6v14M210 6v14\"/>"
	    "<path class=\"prior\" d=\"M%g 4v18\"/>"
	    "<circle cx=\"%g\" cy=\"13\" r=\"6\"/>",
	    fmin(in->prior, in->confidence) * 300,
	    fabs(in->confidence - in->prior) * 300, in->prior * 300,
	    in->confidence * 300);
	fputs("<text x=\"0\" y=\"34\">prior</text>"
	      "<text x=\"120\" y=\"34\">possible</text>"
	      "<text x=\"210\" y=\"34\">likely</text></svg>",
	    out);
}

void
chart_bar(FILE *out, uint64_t value, uint64_t max)
{
	html_print(out,
	    "<svg class=\"bar\" viewBox=\"0 0 100 8\" "
	    "preserveAspectRatio=\"none\" aria-hidden=\"true\">"
	    "<rect width=\"%g\" height=\"8\"/></svg>",
	    max == 0 ? 0.0 : 100.0 * (double)value / (double)max);
}

/* --- over time ------------------------------------------------------------ */

struct bars {
	int64_t from_s, width_s;
	unsigned count;
	unsigned heights[BARS_MAX][CERTAINTY_DEMONSTRATED + 1];
	unsigned highest;
};

static const struct {
	int64_t s;
	const char *name;
} widths[] = {
	{ 1, "second" },
	{ 10, "10 seconds" },
	{ 60, "minute" },
	{ 600, "10 minutes" },
	{ 3600, "hour" },
	{ 6 * 3600, "6 hours" },
	{ 86400, "day" },
	{ 7 * 86400, "week" },
	{ 28 * 86400, "4 weeks" },
	{ 364 * 86400, "52 weeks" },
	{ INT64_C(36400) * 86400, "100 years" },
};

static int
by_time(const void *a, const void *b)
{
	const struct moment *x = a, *y = b;

	return x->ns < y->ns ? -1 : x->ns > y->ns;
}

static int64_t
floor_to(int64_t ns, int64_t width_s)
{
	int64_t s = ns / NS_PER_S - (ns % NS_PER_S < 0);

	return (s / width_s - (s % width_s < 0)) * width_s;
}

/* The narrowest bars of which there is room for all; returns their name. */
static const char *
count_bars(struct bars *b, const struct moment *moments, size_t count)
{
	size_t w = 0, last = sizeof(widths) / sizeof(*widths) - 1;

	for (;; w++) {
		b->width_s = widths[w].s;
		b->from_s = floor_to(moments[0].ns, b->width_s);
		int64_t bars =
		    (floor_to(moments[count - 1].ns, b->width_s) - b->from_s) /
			b->width_s +
		    1;
		if (bars > BARS_MAX && w < last)
			continue;
		b->count = bars < BARS_MAX ? (unsigned)bars : BARS_MAX;
		break;
	}
	for (size_t i = 0; i < count; i++) {
		int64_t at = (floor_to(moments[i].ns, b->width_s) - b->from_s) /
		    b->width_s;
		unsigned *bar = b->heights[at < BARS_MAX ? at : BARS_MAX - 1];
		unsigned height = 0;

		bar[moments[i].certainty]++;
		for (int c = 0; c <= CERTAINTY_DEMONSTRATED; c++)
			height += bar[c];
		if (height > b->highest)
			b->highest = height;
	}
	return widths[w].name;
}

static void
draw_bar(FILE *out, const struct bars *b, unsigned at)
{
	double step = 900.0 / b->count, y = 150;

	for (int c = CERTAINTY_DEMONSTRATED; c >= 0; c--) {
		double height = 140.0 * b->heights[at][c] / b->highest;

		if (b->heights[at][c] == 0)
			continue;
		y -= height;
		html_print(out,
		    "<rect class=\"%s\" x=\"%g\" y=\"%g\" width=\"%g\" "
		    "height=\"%g\"/>",
		    certainty_name((enum certainty)c), 40 + at * step + 1, y,
		    fmin(step - 2, 60), height);
	}
}

static void
draw_axes(FILE *out, const struct bars *b)
{
	char first[32], last[32];
	int64_t last_s = b->from_s + (int64_t)(b->count - 1) * b->width_s;

	style_time(b->from_s * NS_PER_S, first);
	style_time(last_s * NS_PER_S, last);
	html_print(out,
	    "<path class=\"axis\" d=\"M40 10V150H940\"/>"
	    "<text x=\"34\" y=\"18\" class=\"end\">%u</text>"
	    "<text x=\"34\" y=\"150\" class=\"end\">0</text>"
	    "<text x=\"40\" y=\"168\">%s</text>",
	    b->highest, first);
	if (b->count > 1)
		html_print(out,
		    "<text x=\"940\" y=\"168\" class=\"end\">%s</text>", last);
}

static void
put_table(FILE *out, const struct bars *b, const char *width)
{
	html_print(out,
	    "<details><summary>The same as a table</summary>"
	    "<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
	    "aria-label=\"Incidents over time\"><table>"
	    "<thead><tr><th scope=\"col\">%s from (UTC)</th>",
	    width);
	for (int c = CERTAINTY_DEMONSTRATED; c >= CERTAINTY_POSSIBLE; c--)
		html_print(out, "<th scope=\"col\">%s</th>",
		    certainty_name((enum certainty)c));
	fputs("</tr></thead><tbody>", out);
	for (unsigned i = 0; i < b->count; i++) {
		const unsigned *h = b->heights[i];
		char from[32];

		if (h[0] + h[1] + h[2] + h[3] == 0)
			continue;
		style_time((b->from_s + i * b->width_s) * NS_PER_S, from);
		html_print(out, "<tr><th scope=\"row\">%s</th>", from);
		for (int c = CERTAINTY_DEMONSTRATED; c >= CERTAINTY_POSSIBLE;
		     c--)
			html_print(out, "<td>%u</td>", h[c]);
		fputs("</tr>", out);
	}
	fputs("</tbody></table></div></details>", out);
}

void
chart_timeline(FILE *out, struct moment *moments, size_t count)
{
	struct bars b = { 0 };
	const char *width;

	if (count == 0)
		return;
	qsort(moments, count, sizeof(*moments), by_time);
	width = count_bars(&b, moments, count);
	html_print(out,
	    "<figure class=\"timeline\"><figcaption>Incidents per %s "
	    "<span class=\"legend\">",
	    width);
	for (int c = CERTAINTY_DEMONSTRATED; c >= CERTAINTY_POSSIBLE; c--)
		html_print(out, "<span class=\"key %s\">%s</span> ",
		    certainty_name((enum certainty)c),
		    certainty_name((enum certainty)c));
	html_print(out,
	    "</span></figcaption><svg viewBox=\"0 0 950 175\" role=\"img\" "
	    "aria-label=\"Bars: how many incidents there were in each %s, by "
	    "certainty; at most %u. The table below says the same.\">",
	    width, b.highest);
	for (unsigned i = 0; i < b.count; i++)
		draw_bar(out, &b, i);
	draw_axes(out, &b);
	fputs("</svg>", out);
	put_table(out, &b, width);
	fputs("</figure>", out);
}
