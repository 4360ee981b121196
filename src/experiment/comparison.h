/*-------------------------------------------------------------------------
 *
 * comparison.h
 *	  Two groups compared: effect, interval and p-value.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/experiment/comparison.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_COMPARISON_H
#define REC_COMPARISON_H

/* Which test. */
typedef enum RecTestMethod
{
	REC_TEST_WELCH,				/* Student's t, at one look */
	REC_TEST_Z,					/* normal, at one look; of shares pooled */
	REC_TEST_SEQUENTIAL			/* a confidence sequence, at any number of
								 * looks */
} RecTestMethod;

/* What is asked about the effect. */
typedef enum RecAlternative
{
	REC_TWO_SIDED,
	REC_GREATER,
	REC_LESS
} RecAlternative;

/* How to test. */
typedef struct RecTestPlan
{
	RecTestMethod method;
	RecAlternative alternative;
	double		alpha;			/* error rate, in (0, 1) */
	double		horizon;		/* sequential: units planned in both groups */
} RecTestPlan;

/* The values of a group: means and covariances of what is measured of a unit. */
#define REC_MOST_MEASURES	4

typedef struct RecMoments
{
	double		n;				/* units */
	int			count;			/* of measures */
	double		mean[REC_MOST_MEASURES];
	double		covariance[REC_MOST_MEASURES][REC_MOST_MEASURES];
} RecMoments;

/* An effect, and how far chance moves it; NaN where it does not exist. */
typedef struct RecEffect
{
	double		effect;
	double		standard_error;
	double		degrees_of_freedom;
	double		units;			/* of both groups */
	double		null_error;		/* standard error if there is no effect, for
								 * the p-value of REC_TEST_Z, in units of
								 * null_effect */
	double		null_effect;
} RecEffect;

/* The answer; NaN where it does not exist. */
typedef struct RecTestResult
{
	double		effect;
	double		standard_error;
	double		ci_low;
	double		ci_high;
	double		statistic;
	double		degrees_of_freedom;
	double		p_value;
} RecTestResult;

/* Two groups adjusted by what was known of their units before. */
typedef struct RecCuped
{
	double		theta;
	double		mean[2];
	double		variance[2];
} RecCuped;

extern const char *rec_comparison_method_name(int method);
extern const char *rec_comparison_alternative_name(int alternative);
extern RecEffect rec_comparison_means(const RecMoments *a, const RecMoments *b, bool relative);
extern RecEffect rec_comparison_proportions(double successes_a, double n_a, double successes_b,
											double n_b, bool relative);
extern RecEffect rec_comparison_ratios(const RecMoments *a, const RecMoments *b, bool relative);
extern RecCuped rec_comparison_cuped(const RecMoments *a, const RecMoments *b);
extern double rec_comparison_critical_value(const RecTestPlan *plan, double units, double df);
extern RecTestResult rec_comparison_test(const RecEffect *effect, const RecTestPlan *plan);

#endif							/* REC_COMPARISON_H */
