/*
 * How often do the 95 % intervals hold the truth? Synthetic scans, a seed
 * each, with a share that is known; servers independent, or in networks that
 * have a share of their own (beta distributed, so that servers of a network
 * are alike by `alike`).
 *
 *	coverage [SEEDS]	2,000 is what docs and tests speak of
 *
 * Exit status 1 when a coverage is outside of what is promised. With five
 * clusters, and where little is found in few networks, nothing is: what the
 * coverage is there is printed.
 */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "probe/study/interval.h"

#define CLUSTERS_MAX 1000
#define PROMISED_LOW 0.935
#define PROMISED_HIGH 0.965

struct truth {
	const char *name;
	unsigned clusters; /* 0: independent servers */
	unsigned servers;  /* a cluster; or all of them */
	bool skewed;	   /* a few networks have most servers */
	double share, alike;
	bool promised;
};

static const struct truth truths[] = {
	{ "independent, 2,000 servers, 5 %", 0, 2000, false, 0.05, 0, true },
	{ "independent, 20,000 servers, 0.5 %", 0, 20000, false, 0.005, 0,
	    true },
	{ "independent, 500 servers, 30 %", 0, 500, false, 0.3, 0, true },
	{ "20 networks of 50", 20, 50, false, 0.2, 0.1, true },
	{ "20 networks of 200", 20, 200, false, 0.3, 0.2, true },
	{ "100 networks of 50", 100, 50, false, 0.1, 0.1, true },
	{ "100 networks of 100", 100, 100, false, 0.05, 0.05, true },
	{ "20 skewed networks", 20, 100, true, 0.2, 0.1, true },
	{ "100 skewed networks", 100, 100, true, 0.1, 0.1, true },
	{ "20 networks of 50, very alike", 20, 50, false, 0.2, 0.4, true },
	{ "100 skewed networks, 2 %", 100, 100, true, 0.02, 0.05, true },
	{ "20 skewed networks, 5 %", 20, 100, true, 0.05, 0.1, false },
	{ "5 networks of 100", 5, 100, false, 0.2, 0.1, false },
	{ "5 skewed networks", 5, 100, true, 0.2, 0.1, false },
	{ "5 networks of 100, very alike", 5, 100, false, 0.2, 0.4, false },
};
#define TRUTHS (sizeof(truths) / sizeof(*truths))

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

static struct interval
measure(const struct truth *t)
{
	static struct cluster list[CLUSTERS_MAX];

	if (t->clusters == 0)
		return interval_wilson(binomial(t->servers, t->share),
		    t->servers);
	for (unsigned i = 0; i < t->clusters; i++) {
		/* Log-normal: the largest tenth has about half of them. */
		double size = t->skewed ? t->servers * exp(normal() - 0.5) :
					  t->servers;

		list[i].units = size < 1 ? 1 : (uint64_t)size;
		list[i].hits =
		    binomial(list[i].units, beta_of(t->share, t->alike));
	}
	return interval_clustered(list, t->clusters, NULL);
}

static bool
report(const struct truth *t, unsigned seeds)
{
	unsigned held = 0, below = 0;
	double coverage, width = 0, slack;

	for (unsigned seed = 0; seed < seeds; seed++) {
		struct interval i;

		state = (uint64_t)seed * UINT64_C(0x2545f4914f6cdd1d) + 1;
		i = measure(t);
		held += i.low <= t->share && t->share <= i.high;
		below += i.high < t->share;
		width += i.high - i.low;
	}
	coverage = (double)held / seeds;
	/* Fewer seeds know it less well; 2,000 decide. */
	slack = seeds >= 2000 ? 0 : 3 * sqrt(0.05 * 0.95 / seeds);
	printf("%-36s %5.1f %%  too low %4.1f %%, too high %4.1f %%, width "
	       "%.4f%s\n",
	    t->name, 100 * coverage, 100.0 * below / seeds,
	    100.0 * (seeds - held - below) / seeds, width / seeds,
	    t->promised ? "" : "  (nothing is promised)");
	return !t->promised ||
	    (coverage >= PROMISED_LOW - slack &&
		coverage <= PROMISED_HIGH + slack);
}

int
main(int argc, char **argv)
{
	unsigned seeds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 2000;
	int status = 0;

	if (seeds == 0) {
		fputs("usage: coverage [SEEDS]\n", stderr);
		return 2;
	}
	printf("95 %% intervals, %u seeds each\n", seeds);
	for (size_t i = 0; i < TRUTHS; i++)
		if (!report(&truths[i], seeds))
			status = 1;
	return status;
}
