/*
 * probe/study/interval.h - how far a share may be from the truth, 95 %.
 *
 * Independent units: E. B. Wilson, "Probable Inference, the Law of Succession,
 * and Statistical Inference", JASA 22 (1927) 209, without continuity
 * correction (L. D. Brown, T. T. Cai, A. DasGupta, "Interval Estimation for a
 * Binomial Proportion", Statistical Science 16 (2001) 101).
 *
 * Units in clusters: the variance of the ratio by leaving out a cluster at a
 * time (B. Efron, C. Stein, Annals of Statistics 9 (1981) 586), of which the
 * design effect is made (L. Kish, Survey Sampling, 1965); then Wilson's
 * interval for as many units as are left of them, with Student's t for as
 * many clusters as count (N. Dean, M. Pagano, "Evaluating confidence interval
 * methods for binomial proportions in clustered surveys", Journal of Survey
 * Statistics and Methodology 3 (2015) 484). As many count as their sizes,
 * (sum of n)^2 / (sum of n^2), and their say in the variance allow.
 *
 * tests/study/coverage holds them against known truth.
 */
#ifndef PROBE_STUDY_INTERVAL_H
#define PROBE_STUDY_INTERVAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Below this, a clustered interval says too little of anything but these. */
#define INTERVAL_CLUSTERS_MIN 20

struct interval {
	double low, high; /* 0 to 1 */
};

struct cluster {
	uint64_t units, hits;
};

/* `units` 0: from 0 to 1. */
struct interval interval_wilson(uint64_t hits, uint64_t units);
/* Clusters without a unit do not count; fewer than two: from 0 to 1.
 * `design_effect` (may be NULL): the variance as a multiple of that of
 * independent units, at least 1. */
struct interval
interval_clustered(const struct cluster *, size_t count, double *design_effect);
/* The two-sided 95 % quantile of Student's t; G. W. Hill, Algorithm 396,
 * Communications of the ACM 13 (1970) 619. `freedom` at least 1. */
double interval_student(double freedom);

#endif
