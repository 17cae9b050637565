/*
 * How often do the 95 % intervals hold the truth? Synthetic scans, a seed
 * each, with a share that is known; servers independent, or in networks that
 * have a share of their own (beta distributed, so that servers of a network
 * are alike by so much).
 *
 *	coverage [SEEDS]	2,000 is what docs and tests speak of
 *
 * Exit status 1 when a coverage is outside of what is promised. Nothing is
 * for five networks, where large ones are more alike than small ones, or where
 * fewer than INTERVAL_AFFECTED_MIN are affected: what it is there is printed.
 */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "probe/study/interval.h"

#define NETWORKS_MAX 100
#define PROMISED_LOW 0.935
#define PROMISED_HIGH 0.965

struct layout {
	const char *name;
	unsigned networks; /* 0: independent servers */
	unsigned servers;  /* a network, on average; or all of them */
	bool skewed;	   /* log-normal: the largest tenth has half of them */
	bool larger_alike; /* the more servers, the more alike */
	bool promised;
};

static const struct layout alone[] = {
	{ "500 servers", 0, 500, false, false, true },
	{ "2,000 servers", 0, 2000, false, false, true },
	{ "20,000 servers", 0, 20000, false, false, true },
};
static const struct layout clustered[] = {
	{ "20 networks of 100", 20, 100, false, false, true },
	{ "100 networks of 100", 100, 100, false, false, true },
	{ "20 skewed networks", 20, 100, true, false, true },
	{ "100 skewed networks", 100, 100, true, false, true },
	{ "20 skewed, larger more alike", 20, 100, true, true, false },
	{ "100 skewed, larger more alike", 100, 100, true, true, false },
	{ "5 networks of 100", 5, 100, false, false, false },
	{ "5 skewed networks", 5, 100, true, false, false },
};
static const double shares[] = { 0.01, 0.05, 0.2, 0.5 };
static const double likenesses[] = { 0.02, 0.1, 0.3 };
#define COUNT(list) (sizeof(list) / sizeof(*(list)))

/* --- chance --------------------------------------------------------------- */

static uint64_t state;

static double
uniform(void)
{
	uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return ((double)((z ^ z >> 31) >> 11) + 0.5) / 9007199254740992.0;
}

static double
normal(void)
{
	return sqrt(-2 * log(uniform())) * cos(2 * acos(-1.0) * uniform());
}

/* Marsaglia and Tsang, ACM TOMS 26 (2000) 363. */
static double
gamma_of(double shape)
{
	double d, c;

	if (shape < 1)
		return gamma_of(shape + 1) * pow(uniform(), 1 / shape);
	d = shape - 1.0 / 3;
	c = 1 / sqrt(9 * d);
	for (;;) {
		double x = normal(), v = 1 + c * x;

		if (v <= 0)
			continue;
		v = v * v * v;
		if (log(uniform()) < x * x / 2 + d - d * v + d * log(v))
			return d * v;
	}
}

static double
beta_of(double share, double alike)
{
	double sum = 1 / alike - 1;
	double a = gamma_of(share * sum), b = gamma_of((1 - share) * sum);

	return a + b > 0 ? a / (a + b) : share;
}

static uint64_t
binomial(uint64_t n, double p)
{
	uint64_t hits = 0;

	while (n-- > 0)
		hits += uniform() < p;
	return hits;
}

/* --- a scan --------------------------------------------------------------- */

struct truth {
	const struct layout *layout;
	double share, alike;
};

static double
likeness_of(const struct truth *t, double servers)
{
	double alike = t->alike;

	if (t->layout->larger_alike)
		alike *= servers / t->layout->servers;
	return fmin(fmax(alike, 0.005), 0.8);
}

/* `affected`: of how many networks something is, or how many servers. */
static struct interval
measure(const struct truth *t, unsigned *affected)
{
	static struct cluster list[NETWORKS_MAX];
	const struct layout *l = t->layout;

	if (l->networks == 0) {
		*affected = (unsigned)binomial(l->servers, t->share);
		return interval_wilson(*affected, l->servers);
	}
	*affected = 0;
	for (unsigned i = 0; i < l->networks; i++) {
		double size = l->skewed ? l->servers * exp(normal() - 0.5) :
					  l->servers;
		double own = beta_of(t->share, likeness_of(t, size));

		list[i].units = size < 1 ? 1 : (uint64_t)size;
		list[i].hits = binomial(list[i].units, own);
		*affected += list[i].hits > 0;
	}
	return interval_clustered(list, l->networks, NULL);
}

static bool
report(const struct truth *t, unsigned seeds)
{
	unsigned held = 0, below = 0;
	double coverage, width = 0, affected = 0, slack;
	bool promised, kept;

	for (unsigned seed = 0; seed < seeds; seed++) {
		struct interval i;
		unsigned found;

		state = (uint64_t)seed * UINT64_C(0x2545f4914f6cdd1d) + 1;
		i = measure(t, &found);
		held += i.low <= t->share && t->share <= i.high;
		below += i.high < t->share;
		width += i.high - i.low;
		affected += found;
	}
	coverage = (double)held / seeds;
	promised = t->layout->promised &&
	    affected >= INTERVAL_AFFECTED_MIN * seeds;
	/* Fewer seeds know it less well; 2,000 decide. */
	slack = seeds >= 2000 ? 0 : 3 * sqrt(0.05 * 0.95 / seeds);
	kept = coverage >= PROMISED_LOW - slack &&
	    coverage <= PROMISED_HIGH + slack;
	printf("%-30s %3.0f %%  %4.2f %5.1f %%  %4.1f %%  %4.1f %%  %.4f %5.0f"
	       "%s\n",
	    t->layout->name, 100 * t->share, t->alike, 100 * coverage,
	    100.0 * below / seeds, 100.0 * (seeds - held - below) / seeds,
	    width / seeds, affected / seeds,
	    !promised ? "  nothing is promised" :
		kept  ? "" :
			"  NOT KEPT");
	return !promised || kept;
}

static bool
report_all(unsigned seeds)
{
	bool kept = true;

	for (size_t l = 0; l < COUNT(alone); l++)
		for (size_t s = 0; s < COUNT(shares); s++)
			kept &=
			    report(&(struct truth){ &alone[l], shares[s], 0 },
				seeds);
	for (size_t l = 0; l < COUNT(clustered); l++)
		for (size_t s = 0; s < COUNT(shares); s++)
			for (size_t a = 0; a < COUNT(likenesses); a++)
				kept &= report(&(struct truth){ &clustered[l],
						   shares[s], likenesses[a] },
				    seeds);
	return kept;
}

int
main(int argc, char **argv)
{
	unsigned seeds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 2000;

	if (seeds == 0) {
		fputs("usage: coverage [SEEDS]\n", stderr);
		return 2;
	}
	printf("95 %% intervals, %u seeds each\n%-30s share alike  holds  below"
	       "   above  width  affected\n",
	    seeds, "");
	return report_all(seeds) ? 0 : 1;
}
