/* 95 % intervals, against figures worked out by others and by hand. */
#include <criterion/criterion.h>

#include <math.h>

#include "probe/study/interval.h"

#define CLOSE(a, b, by) \
	cr_expect(fabs((a) - (b)) < (by), "%.6f is not %.6f", (a), (b))

Test(interval, wilson_is_as_published)
{
	/* R. G. Newcombe, Statistics in Medicine 17 (1998) 857, table I. */
	static const struct {
		uint64_t hits, units;
		double low, high;
	} published[] = {
		{ 81, 263, 0.2553, 0.3662 },
		{ 15, 148, 0.0624, 0.1605 },
		{ 0, 20, 0.0000, 0.1611 },
		{ 1, 29, 0.0061, 0.1718 },
	};

	for (size_t i = 0; i < sizeof(published) / sizeof(*published); i++) {
		struct interval found =
		    interval_wilson(published[i].hits, published[i].units);

		CLOSE(found.low, published[i].low, 0.00006);
		CLOSE(found.high, published[i].high, 0.00006);
	}
}

Test(interval, nothing_counted_says_nothing)
{
	struct interval i = interval_wilson(0, 0);

	cr_expect(i.low == 0 && i.high == 1);
	i = interval_clustered(NULL, 0, NULL);
	cr_expect(i.low == 0 && i.high == 1);
}

Test(interval, all_or_none_reaches_the_end)
{
	cr_expect_eq(interval_wilson(0, 50).low, 0);
	cr_expect_eq(interval_wilson(50, 50).high, 1);
}

Test(interval, students_t_is_as_tabled)
{
	static const struct {
		double freedom, quantile;
	} tabled[] = {
		{ 1, 12.7062 },
		{ 2, 4.3027 },
		{ 3, 3.1824 },
		{ 5, 2.5706 },
		{ 19, 2.0930 },
		{ 99, 1.9842 },
		{ 1e9, 1.9600 },
	};

	for (size_t i = 0; i < sizeof(tabled) / sizeof(*tabled); i++)
		CLOSE(interval_student(tabled[i].freedom), tabled[i].quantile,
		    0.0001);
}

Test(interval, units_that_are_alike_in_a_network_count_for_less)
{
	struct cluster alike[40], mixed[40];
	struct interval wide, narrow;
	double effect;

	for (int i = 0; i < 40; i++) {
		alike[i] = (struct cluster){ 50, i % 4 == 0 ? 50 : 0 };
		mixed[i] = (struct cluster){ 50, i % 2 ? 12 : 13 };
	}
	wide = interval_clustered(alike, 40, &effect);
	/* Each network is one unit: the effect is near its size. */
	CLOSE(effect, 50.0, 2.0);
	narrow = interval_clustered(mixed, 40, &effect);
	CLOSE(effect, 1.0, 1e-9);
	cr_expect_gt(wide.high - wide.low, 5 * (narrow.high - narrow.low));
	cr_expect(wide.low < 0.25 && wide.high > 0.25);
}

Test(interval, the_design_effect_is_the_mean_of_two)
{
	/* By hand. Left out, each of the two moves the share by a quarter: a
	 * variance of 1/16, twice that of eight independent units. Between
	 * them the mean square is 1/2, within 1/4: a likeness of 1/5, and
	 * 1 + (32 / 8 - 1) / 5. */
	const struct cluster list[] = { { 4, 1 }, { 4, 3 } };
	double effect;

	interval_clustered(list, 2, &effect);
	CLOSE(effect, sqrt(2 * 1.6), 1e-9);
}

Test(interval, networks_of_one_unit_are_independent_units)
{
	struct cluster list[400];
	struct interval clustered, independent = interval_wilson(100, 400);
	double effect;

	for (int i = 0; i < 400; i++)
		list[i] = (struct cluster){ 1, i % 4 == 0 };
	clustered = interval_clustered(list, 400, &effect);
	CLOSE(effect, 1.0, 0.01);
	CLOSE(clustered.low, independent.low, 0.001);
	CLOSE(clustered.high, independent.high, 0.001);
}

Test(interval, networks_without_a_unit_do_not_count)
{
	struct cluster list[30] = { { 10, 1 }, { 10, 2 }, { 10, 4 } };
	struct interval all = interval_clustered(list, 30, NULL);
	struct interval three = interval_clustered(list, 3, NULL);

	CLOSE(all.low, three.low, 1e-12);
	CLOSE(all.high, three.high, 1e-12);
}

Test(interval, one_network_says_nothing_of_others)
{
	struct cluster one = { 1000, 500 };
	struct interval i = interval_clustered(&one, 1, NULL);

	cr_expect(i.low == 0 && i.high == 1);
}

Test(interval, none_found_in_few_networks_is_not_none_anywhere)
{
	struct cluster list[20];

	for (int i = 0; i < 20; i++)
		list[i] = (struct cluster){ 1000, 0 };
	/* Twenty networks are what is known, not twenty thousand servers. */
	cr_expect_gt(interval_clustered(list, 20, NULL).high, 0.1);
}
