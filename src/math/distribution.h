/*-------------------------------------------------------------------------
 *
 * distribution.h
 *	  Distribution functions and quantiles: normal, Student's t, chi-square,
 *	  beta and binomial.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/math/distribution.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_DISTRIBUTION_H
#define REC_DISTRIBUTION_H

extern double rec_distribution_normal_density(double x);
extern double rec_distribution_normal(double x);
extern double rec_distribution_normal_quantile(double p);
extern double rec_distribution_t_tail(double t, double df);
extern double rec_distribution_t_quantile(double p, double df);
extern double rec_distribution_chi_square_tail(double x, double df);
extern double rec_distribution_beta(double x, double y, double a, double b);
extern double rec_distribution_beta_density(double x, double y, double a, double b);
extern double rec_distribution_sign_test(double wins, double losses);

#endif							/* REC_DISTRIBUTION_H */
