#include "interval.h"

#include <math.h>

#define NORMAL_975 1.959963984540054
#define LEFT_OUT 0.05 /* of both tails */
/* Of clusters whose moves are normal, squares^2 / fourths is a third; that of
 * rare hits, which few clusters have, is less. 3 would leave the degrees of
 * freedom of the former as they are; with 2 the latter are covered too
 * (tests/study/coverage). */
#define FEW_MOVERS 2

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
	return s;
}

/* How far the share moves when a cluster is left out: the sums of the squares
 * and of their squares, over all clusters. */
struct moves {
	double squares, fourths;
};

static struct moves
jackknife(const struct cluster *list, size_t count, const struct sums *s)
{
	double share = s->hits / s->units;
	struct moves m = { 0 };

	for (size_t i = 0; i < count; i++) {
		double n = (double)list[i].units;
		double moved =
		    ((double)list[i].hits - share * n) / (s->units - n);

		if (n > 0) {
			m.squares += moved * moved;
			m.fourths += moved * moved * moved * moved;
		}
	}
	return m;
}

/* As many clusters as count for the variance, less one. */
static double
freedom_of(const struct sums *s, const struct moves *m)
{
	double by_size = s->units * s->units / s->squares;
	double by_moves = m->fourths > 0 ?
	    FEW_MOVERS * m->squares * m->squares / m->fourths :
	    by_size;
	double clusters = by_moves < by_size ? by_moves : by_size;

	return clusters > 2 ? clusters - 1 : 1;
}

struct interval
interval_clustered(const struct cluster *list, size_t count, double *effect)
{
	struct sums s = sum_up(list, count);
	struct moves m;
	double share, independent, design = 1;

	if (effect != NULL)
		*effect = design;
	if (s.clusters < 2)
		return (struct interval){ 0, 1 };
	m = jackknife(list, count, &s);
	share = s.hits / s.units;
	independent = share * (1 - share) / s.units;
	if (independent > 0)
		design =
		    m.squares * (s.clusters - 1) / s.clusters / independent;
	else /* all or none: as if a cluster were one unit */
		design = s.squares / s.units;
	if (design < 1)
		design = 1;
	if (effect != NULL)
		*effect = design;
	return wilson(share, s.units / design,
	    interval_student(freedom_of(&s, &m)));
}
