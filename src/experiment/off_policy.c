/*-------------------------------------------------------------------------
 *
 * off_policy.c
 *	  What another policy would have earned, from the log of one.
 *
 * Knows numbers only.  With w = target / propensity, reward r, and a model's
 * expected rewards q of the logged choice and Q of the other policy's:
 *
 *	  ips				mean(w r)
 *	  snips				sum(w r) / sum(w)
 *	  clipped_ips		mean(min(w, clip) r)
 *	  sub_gaussian_ips	mean(w r / (1 - s + s w))
 *	  dm				mean(Q)
 *	  dr				mean(Q + w (r - q))
 *	  sndr				mean(Q) + sum(w (r - q)) / sum(w)
 *	  switch_dr			mean(Q + w (r - q) where w <= clip)
 *	  shrunk_dr			mean(Q + lambda w / (w^2 + lambda) (r - q))
 *
 * (Horvitz and Thompson 1952; Swaminathan and Joachims 2015; Metelli et al. 2021;
 * Dudik et al. 2014; Wang et al. 2017; Su et al. 2020; forms as in Open Bandit's
 * obp/ope/estimators.py).  Each is a smooth function of means over rows, whose
 * covariances are kept, so that standard errors follow by the delta method from
 * one pass, without resampling.  Rows count as independent.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/experiment/off_policy.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "experiment/off_policy.h"
#include "math/distribution.h"

/* The measures of a row whose means are kept. */
enum Measure
{
	WEIGHTED_REWARD,
	WEIGHT,
	CLIPPED,
	SUB_GAUSSIAN,
	MODEL,
	WEIGHTED_ERROR,
	SWITCHED,
	SHRUNK,
	MEASURES
};

#define LEAST_EFFECTIVE_N		100	/* rows that an estimate is worth */
#define LEAST_EFFECTIVE_SHARE	0.01	/* of all rows */
#define FAR						3	/* standard errors */

/* Add a row.  All rows have a model's rewards, or none has. */
void
rec_off_policy_add(RecOffPolicyLog *log, const RecOffPolicyOptions *options,
				   const RecOffPolicyRow *row)
{
	double		w = row->target / row->propensity;
	double		value[MEASURES] = {0};

	value[WEIGHTED_REWARD] = w * row->reward;
	value[WEIGHT] = w;
	if (!isnan(options->clip))
		value[CLIPPED] = Min(w, options->clip) * row->reward;
	if (!isnan(options->sub_gaussian) && w > 0)
		value[SUB_GAUSSIAN] = w * row->reward / (1 - options->sub_gaussian + options->sub_gaussian * w);
	if (log->modelled)
	{
		double		error = row->reward - row->q_logged;

		value[MODEL] = row->q_target;
		value[WEIGHTED_ERROR] = w * error;
		if (!isnan(options->clip))
			value[SWITCHED] = row->q_target + (w <= options->clip ? w * error : 0);
		if (!isnan(options->lambda))
			value[SHRUNK] = row->q_target + options->lambda * w / (w * w + options->lambda) * error;
	}
	log->sums.count = MEASURES;
	rec_moments_add(&log->sums, value);
	log->certain += row->propensity == 1;
	log->max_weight = Max(log->max_weight, w);
}

/* Add the rows of another log. */
void
rec_off_policy_merge(RecOffPolicyLog *log, const RecOffPolicyLog *other)
{
	if (log->sums.n == 0)
		log->modelled = other->modelled;
	rec_moments_merge(&log->sums, &other->sums);
	log->certain += other->certain;
	log->max_weight = Max(log->max_weight, other->max_weight);
}

/* Return the mean weight. */
double
rec_off_policy_mean_weight(const RecOffPolicyLog *log)
{
	return log->sums.mean[WEIGHT];
}

/* Return how many rows of equal weight the weights are worth, (sum w)^2 / sum w^2. */
double
rec_off_policy_effective_n(const RecOffPolicyLog *log)
{
	double		mean = log->sums.mean[WEIGHT];
	double		squares = log->sums.product[WEIGHT][WEIGHT] / log->sums.n + mean * mean;

	return squares > 0 ? log->sums.n * mean * mean / squares : 0;
}

/* Return the warnings about a log, as bits. */
int
rec_off_policy_warnings(const RecOffPolicyLog *log)
{
	int64		n = log->sums.n;
	int			warnings = 0;

	if (rec_off_policy_effective_n(log) < Max(LEAST_EFFECTIVE_N, LEAST_EFFECTIVE_SHARE * n))
		warnings |= REC_OFF_POLICY_LOW_EFFECTIVE_N;
	if (n > 1 && fabs(log->sums.mean[WEIGHT] - 1) > FAR * sqrt(rec_moments_covariance(&log->sums, WEIGHT, WEIGHT) / n))
		warnings |= REC_OFF_POLICY_MEAN_WEIGHT_OFF;
	if (log->certain == n)
		warnings |= REC_OFF_POLICY_DETERMINISTIC_LOG;
	return warnings;
}

/* Return the name of the warning of a bit, by its number from 0. */
const char *
rec_off_policy_warning_name(int bit)
{
	static const char *const name[] = {"low_effective_n", "mean_weight_off", "deterministic_log"};

	return bit >= 0 && bit < (int) lengthof(name) ? name[bit] : NULL;
}

/* Return an estimate of a value, by its gradient in the means. */
static RecOffPolicyEstimate
estimate_of(const RecOffPolicyLog *log, const RecOffPolicyOptions *options, const char *name,
			double value, const double *gradient)
{
	RecOffPolicyEstimate estimate = {name, value, NAN, NAN, NAN};
	double		variance = 0;
	double		half;

	if (log->sums.n < 2 || isnan(value))
		return estimate;
	for (int i = 0; i < MEASURES; i++)
	{
		for (int j = 0; j < MEASURES; j++)
		{
			if (gradient[i] != 0 && gradient[j] != 0)
				variance += gradient[i] * gradient[j] * rec_moments_covariance(&log->sums, i, j);
		}
	}
	estimate.standard_error = sqrt(Max(variance, 0) / log->sums.n);
	half = -rec_distribution_normal_quantile(options->alpha / 2) * estimate.standard_error;
	estimate.ci_low = value - half;
	estimate.ci_high = value + half;
	return estimate;
}

/* Return the estimate that is the mean of one measure. */
static RecOffPolicyEstimate
mean_of(const RecOffPolicyLog *log, const RecOffPolicyOptions *options, const char *name, int measure)
{
	double		gradient[MEASURES] = {0};

	gradient[measure] = 1;
	return estimate_of(log, options, name, log->sums.mean[measure], gradient);
}

/* Return the estimate base + measure / weight, without a base if that is negative. */
static RecOffPolicyEstimate
ratio_of(const RecOffPolicyLog *log, const RecOffPolicyOptions *options, const char *name,
		 int base, int measure)
{
	double		gradient[MEASURES] = {0};
	double		weight = log->sums.mean[WEIGHT];
	double		value = weight > 0 ? log->sums.mean[measure] / weight : NAN;

	gradient[measure] = 1 / weight;
	gradient[WEIGHT] = -value / weight;
	if (base >= 0)
	{
		gradient[base] = 1;
		value += log->sums.mean[base];
	}
	return estimate_of(log, options, name, value, gradient);
}

/*
 * Fill in the estimates that the log and the options allow, at most
 * REC_OFF_POLICY_ESTIMATORS; return how many.
 */
int
rec_off_policy_estimate(const RecOffPolicyLog *log, const RecOffPolicyOptions *options,
						RecOffPolicyEstimate *estimate)
{
	int			n = 0;

	estimate[n++] = mean_of(log, options, "ips", WEIGHTED_REWARD);
	estimate[n++] = ratio_of(log, options, "snips", -1, WEIGHTED_REWARD);
	if (!isnan(options->clip))
		estimate[n++] = mean_of(log, options, "clipped_ips", CLIPPED);
	if (!isnan(options->sub_gaussian))
		estimate[n++] = mean_of(log, options, "sub_gaussian_ips", SUB_GAUSSIAN);
	if (log->modelled)
	{
		double		gradient[MEASURES] = {0};

		estimate[n++] = mean_of(log, options, "dm", MODEL);
		gradient[MODEL] = gradient[WEIGHTED_ERROR] = 1;
		estimate[n++] = estimate_of(log, options, "dr", log->sums.mean[MODEL] + log->sums.mean[WEIGHTED_ERROR], gradient);
		estimate[n++] = ratio_of(log, options, "sndr", MODEL, WEIGHTED_ERROR);
		if (!isnan(options->clip))
			estimate[n++] = mean_of(log, options, "switch_dr", SWITCHED);
		if (!isnan(options->lambda))
			estimate[n++] = mean_of(log, options, "shrunk_dr", SHRUNK);
	}
	return n;
}
