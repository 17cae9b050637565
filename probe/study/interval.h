/*
 * probe/study/interval.h - how far a share may be from the truth, 95 %.
 *
 * Independent units: E. B. Wilson, "Probable Inference, the Law of Succession,
 * and Statistical Inference", JASA 22 (1927) 209, without continuity
 * correction (L. D. Brown, T. T. Cai, A. DasGupta, "Interval Estimation for a
 * Binomial Proportion", Statistical Science 16 (2001) 101).
 *
 * Units in clusters: Wilson's interval for as many units as the design effect
 * leaves of them (L. Kish, Survey Sampling, 1965), with Student's t (N. Dean,
 * M. Pagano, Journal of Survey Statistics and Methodology 3 (2015) 484). The
 * effect is the geometric mean of two, for neither holds alone:
 *
 * - what leaving out a cluster at a time shows (B. Efron, C. Stein, Annals of
 *   Statistics 9 (1981) 586), which is noise where few clusters have most of
 *   the units;
 * - 1 + ((sum of n^2) / (sum of n) - 1) * r (S. Gabler, S. Haeder, P. Lahiri,
 *   Survey Methodology 25 (1999) 105) with the intraclass correlation r by the
 *   analysis of variance (M. Ridout, C. Demetrio, D. Firth, Biometrics 55
 *   (1999) 137), as C. Franco, R. Little, T. Louis and E. Slud advise (Journal
 *   of Survey Statistics and Methodology 7 (2019) 334), which is too little
 *   where large clusters are more alike than small ones.
 *
 * The degrees of freedom are Satterthwaite's (Biometrics Bulletin 2 (1946) 110)
 * by the squares that r is made of: few where few clusters have hits. At most
 * one less than there are clusters.
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
/* Where fewer units or clusters are affected, or not, it may be too narrow. */
#define INTERVAL_AFFECTED_MIN 10

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
