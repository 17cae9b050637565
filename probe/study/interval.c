#include "interval.h"

#include <math.h>

#define NORMAL_975 1.959963984540054
#define LEFT_OUT 0.05 /* of both tails */
static struct interval
wilson(double share, double units, double quantile)
{
	double zz = quantile * quantile;
	double middle = (share + zz / (2 * units)) / (1 + zz / units);
	double half = quantile *
	    sqrt(share * (1 - share) / units + zz / (4 * units * units)) /
	    (1 + zz / units);

	/* At the ends they meet but for rounding. */
	return (struct interval){
		share <= 0 || middle < half ? 0 : middle - half,
		share >= 1 || middle + half > 1 ? 1 : middle + half,
	};
}

struct interval
interval_wilson(uint64_t hits, uint64_t units)
{
	if (units == 0)
		return (struct interval){ 0, 1 };
	return wilson((double)hits / (double)units, (double)units, NORMAL_975);
}

double
interval_student(double n)
{
	double half_pi = acos(-1.0) / 2;
	double a, b, c, d, x, y;

	if (n < 1.000001)
		return tan(half_pi * (1 - LEFT_OUT));
	if (n > 1.999999 && n < 2.000001)
		return sqrt(2 / (LEFT_OUT * (2 - LEFT_OUT)) - 2);
	a = 1 / (n - 0.5);
	b = (48 / a) * (1 / a);
	c = ((20700 * a / b - 98) * a - 16) * a + 96.36;
	d = ((94.5 / (b + c) - 3) / b + 1) * sqrt(a * half_pi) * n;
	x = d * LEFT_OUT;
	y = pow(x, 2 / n);
	if (y > 0.05 + a) {
		x = -NORMAL_975;
		y = x * x;
		if (n < 5)
			c += 0.3 * (n - 4.5) * (x + 0.6);
		c = (((0.05 * d * x - 5) * x - 7) * x - 2) * x + b + c;
		y = (((((0.4 * y + 6.3) * y + 36) * y + 94.5) / c - y - 3) / b +
			1) *
		    x;
		y = a * y * y;
		y = y > 0.002 ? expm1(y) : y + 0.5 * y * y;
	} else {
		y = ((1 /
			     (((n + 6) / (n * y) - 0.089 * d - 0.822) *
				 (n + 2) * 3) +
			 0.5 / (n + 4)) *
			    y -
			1) *
			(n + 1) / (n + 2) +
		    1 / y;
	}
	return sqrt(n * y);
}

/* What a group of clusters comes to. */
struct sums {
	double clusters, units, hits, squares; /* of the units */
	double share;
};

static struct sums
sum_up(const struct cluster *list, size_t count)
{
	struct sums s = { 0 };

	for (size_t i = 0; i < count; i++) {
		double n = (double)list[i].units;

		s.clusters += n > 0;
		s.units += n;
		s.hits += (double)list[i].hits;
		s.squares += n * n;
	}
	s.share = s.units > 0 ? s.hits / s.units : 0;
	return s;
}

/* How far clusters are from the share of all, and units from that of theirs. */
struct spread {
	double moved; /* of the share, leaving out a cluster at a time */
	double between, within; /* sums of squares */
	double between_squared; /* the sum of the squares of those */
};

static struct spread
spread_of(const struct cluster *list, size_t count, const struct sums *s)
{
	struct spread sp = { 0 };

	for (size_t i = 0; i < count; i++) {
		double n = (double)list[i].units, hits = (double)list[i].hits;
		double apart = hits - s->share * n, between;

		if (n == 0)
			continue;
		between = apart * apart / n;
		sp.moved += apart * apart / ((s->units - n) * (s->units - n));
		sp.between += between;
		sp.between_squared += between * between;
		sp.within += hits * (1 - hits / n);
	}
	return sp;
}

/* The intraclass correlation by the analysis of variance, 0 to 1. */
static double
likeness(const struct sums *s, const struct spread *sp)
{
	double size = (s->units - s->squares / s->units) / (s->clusters - 1);
	double between = sp->between / (s->clusters - 1), within, alike;

	if (s->units <= s->clusters) /* one unit each: nothing to compare */
		return 0;
	within = sp->within / (s->units - s->clusters);
	alike = (between - within) / (between + (size - 1) * within);
	return alike > 0 ? fmin(alike, 1) : 0;
}

static double
design_effect_of(const struct sums *s, const struct spread *sp)
{
	double independent = s->share * (1 - s->share) / s->units;
	double left_out, modelled;

	if (independent <= 0) /* all or none: as if a cluster were one unit */
		return s->squares / s->units;
	left_out = sp->moved * (s->clusters - 1) / s->clusters / independent;
	modelled = 1 + (s->squares / s->units - 1) * likeness(s, sp);
	return sqrt(fmax(left_out, 1) * modelled);
}

/* The variance of a variance is that of the squares it is made of: 2 / f of
 * its square for f degrees of freedom. One less, for the share is estimated
 * too. */
static double
freedom_of(const struct sums *s, const struct spread *sp)
{
	double most = s->clusters - 1;

	if (sp->between_squared > 0)
		most = fmin(most,
		    2 * sp->between * sp->between / sp->between_squared - 1);
	return fmax(most, 1);
}

struct interval
interval_clustered(const struct cluster *list, size_t count, double *effect)
{
	struct sums s = sum_up(list, count);
	struct spread sp;
	double design;

	if (effect != NULL)
		*effect = 1;
	if (s.clusters < 2)
		return (struct interval){ 0, 1 };
	sp = spread_of(list, count, &s);
	design = design_effect_of(&s, &sp);
	if (effect != NULL)
		*effect = design;
	return wilson(s.share, s.units / design,
	    interval_student(freedom_of(&s, &sp)));
}
