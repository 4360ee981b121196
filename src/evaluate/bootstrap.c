/*-------------------------------------------------------------------------
 *
 * bootstrap.c
 *	  Means over users, their bootstrap intervals, and comparisons.
 *
 * Intervals are by the Poisson bootstrap over users (Chamandy et al. 2012): in
 * each resample, the weight of a user is a Poisson variable of mean 1.  All
 * metrics and segments share the resamples, and equal seeds make equal
 * intervals.  Two evaluations are compared on the same users, by Fisher's
 * randomisation test.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/evaluate/bootstrap.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "common/pg_prng.h"
#include "evaluate/bootstrap.h"
#include "miscadmin.h"
#include "pg/memory_budget.h"

/* Return the weight of a user in a resample, from 0 to 10. */
static inline int
poisson(pg_prng_state *prng)
{
	double		u = pg_prng_double(prng);
	double		p = exp(-1.0);
	double		sum = p;
	int			n = 0;

	while (u > sum && n < 10)
	{
		p /= ++n;
		sum += p;
	}
	return n;
}

/* ----------------
 *		means of all segments
 * ----------------
 */

/* Sums over the users of each segment. */
typedef struct Sums
{
	int			nvalues;
	int			nsegments;
	double	   *count;			/* of users */
	double	   *sum;			/* of each value */
	double	   *missing;		/* users without a value, of each value */
} Sums;

static Sums
create_sums(const RecEvaluation *evaluation)
{
	Sums		sums = {.nvalues = evaluation->nvalues, .nsegments = rec_user_values_segments(evaluation)};
	Size		n = mul_size(sums.nvalues, sums.nsegments);

	sums.count = rec_memory_budget_alloc(CurrentMemoryContext, sums.nsegments, sizeof(double));
	sums.sum = rec_memory_budget_alloc(CurrentMemoryContext, n, sizeof(double));
	sums.missing = rec_memory_budget_alloc(CurrentMemoryContext, n, sizeof(double));
	return sums;
}

static void
clear_sums(Sums *sums)
{
	Size		n = (Size) sums->nvalues * sums->nsegments;

	memset(sums->count, 0, sums->nsegments * sizeof(double));
	memset(sums->sum, 0, n * sizeof(double));
	memset(sums->missing, 0, n * sizeof(double));
}

/* Add the values of one row to a segment. */
static inline void
add_values(Sums *sums, int segment, const double *values, bool complete, double weight)
{
	double	   *sum = sums->sum + (Size) segment * sums->nvalues;
	double	   *missing = sums->missing + (Size) segment * sums->nvalues;

	sums->count[segment] += weight;
	if (complete)
	{
		for (int i = 0; i < sums->nvalues; i++)
			sum[i] += weight * values[i];
		return;
	}
	for (int i = 0; i < sums->nvalues; i++)
	{
		if (isnan(values[i]))
			missing[i] += weight;
		else
			sum[i] += weight * values[i];
	}
}

/* Add the rows of one user, each to its segment of items and to the user's segments. */
static void
add_user(Sums *sums, const RecEvaluation *evaluation, int64 user, double weight)
{
	int64		end = rec_user_values_last_row(evaluation, user);
	const int  *segments = evaluation->user_segments + user * evaluation->nuser_segments;

	for (int64 row = evaluation->first_row[user]; row < end; row++)
	{
		const double *values = evaluation->values + row * evaluation->nvalues;
		bool		complete = evaluation->complete[row];

		add_values(sums, evaluation->segment[row], values, complete, weight);
		for (int i = 0; i < evaluation->nuser_segments && evaluation->segment[row] == REC_ALL; i++)
			if (segments[i] >= 0)
				add_values(sums, segments[i], values, complete, weight);
	}
}

/* Sum over all users, each with weight 1 or, with a generator, as in a resample. */
static void
add_up(Sums *sums, const RecEvaluation *evaluation, pg_prng_state *prng)
{
	clear_sums(sums);
	for (int64 u = 0; u < evaluation->nusers; u++)
	{
		int			weight = prng ? poisson(prng) : 1;

		if (u % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		if (weight > 0)
			add_user(sums, evaluation, u, weight);
	}
}

static int
compare_doubles(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return x < y ? -1 : x > y;
}

/* Set the interval to percentiles of the means of n resamples. */
static void
set_interval(RecEstimate *estimate, double *means, int n)
{
	estimate->ci_low = NAN;
	estimate->ci_high = NAN;
	if (n == 0)
		return;
	qsort(means, n, sizeof(double), compare_doubles);
	estimate->ci_low = means[(int) (0.025 * (n - 1) + 0.5)];
	estimate->ci_high = means[(int) (0.975 * (n - 1) + 0.5)];
}

/* Return the number of users who have a value. */
static inline double
times_counted(const Sums *sums, Size value)
{
	return sums->count[value / sums->nvalues] - sums->missing[value];
}

/*
 * Return the estimates of all values, nvalues of each segment, allocated in the
 * current memory context: the mean over the users who have the value, NaN without
 * such users, and the 2.5th and 97.5th percentiles of the means of resamples, NaN
 * without resamples.
 */
RecEstimate *
rec_bootstrap_summary(const RecEvaluation *evaluation, int resamples, int64 seed)
{
	Sums		sums = create_sums(evaluation);
	Size		n = (Size) sums.nvalues * sums.nsegments;
	RecEstimate *estimates = rec_memory_budget_alloc(CurrentMemoryContext, n, sizeof(RecEstimate));
	double	   *means = rec_memory_budget_alloc(CurrentMemoryContext,
												mul_size(n, Max(resamples, 1)), sizeof(double));
	pg_prng_state prng;

	add_up(&sums, evaluation, NULL);
	for (Size i = 0; i < n; i++)
	{
		double		count = times_counted(&sums, i);

		estimates[i].users = (int64) count;
		estimates[i].value = count > 0 ? sums.sum[i] / count : NAN;
	}
	pg_prng_seed(&prng, (uint64) seed);
	for (int r = 0; r < resamples; r++)
	{
		add_up(&sums, evaluation, &prng);
		for (Size i = 0; i < n; i++)
		{
			double		count = times_counted(&sums, i);

			means[i * resamples + r] = count > 0 ? sums.sum[i] / count : estimates[i].value;
		}
	}
	for (Size i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (estimates[i].users > 0)
			set_interval(&estimates[i], means + i * resamples, resamples);
	}
	pfree(means);
	return estimates;
}

/* ----------------
 *		comparison of two evaluations
 * ----------------
 */

/* The values of each user who has one in both evaluations. */
typedef struct PairedValues
{
	double	   *a;
	double	   *b;
	int64		n;
} PairedValues;

static PairedValues
pair_values(const RecBatch *batch, const RecEvaluation *a, const RecEvaluation *b)
{
	PairedValues pairs;
	int64		i = 0;
	int64		j = 0;

	pairs.a = palloc_extended(mul_size(a->nusers + 1, sizeof(double)), MCXT_ALLOC_HUGE);
	pairs.b = palloc_extended(mul_size(a->nusers + 1, sizeof(double)), MCXT_ALLOC_HUGE);
	pairs.n = 0;
	while (i < a->nusers && j < b->nusers)
	{
		if (a->user[i] == b->user[j])
		{
			pairs.a[pairs.n] = a->values[a->first_row[i++] * a->nvalues];
			pairs.b[pairs.n] = b->values[b->first_row[j++] * b->nvalues];
			if (!isnan(pairs.a[pairs.n]) && !isnan(pairs.b[pairs.n]))
				pairs.n++;
		}
		else if (batch->user_rank[a->user[i]] < batch->user_rank[b->user[j]])
			i++;
		else
			j++;
	}
	return pairs;
}

static double
mean(const double *x, int64 n)
{
	double		sum = 0;

	for (int64 i = 0; i < n; i++)
		sum += x[i];
	return n > 0 ? sum / (double) n : NAN;
}

/*
 * Return the mean difference, each user with weight 1 or, with a generator, as in
 * a resample; "otherwise" if all weights are 0.
 */
static double
weighted_difference(const PairedValues *pairs, pg_prng_state *prng, double otherwise)
{
	double		sum = 0;
	double		count = 0;

	for (int64 i = 0; i < pairs->n; i++)
	{
		int			weight = prng ? poisson(prng) : 1;

		if (i % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		sum += weight * (pairs->b[i] - pairs->a[i]);
		count += weight;
	}
	return count > 0 ? sum / count : otherwise;
}

/*
 * Return the two-sided p-value of the mean difference by Fisher's randomisation
 * test: the share of resamples with a difference at least as large, where each
 * user's two values are exchanged with probability 1/2.
 */
static double
randomisation_p(const PairedValues *pairs, int resamples, int64 seed)
{
	pg_prng_state prng;
	double		observed = 0;
	int			as_large = 0;

	for (int64 i = 0; i < pairs->n; i++)
		observed += pairs->b[i] - pairs->a[i];
	pg_prng_seed(&prng, (uint64) seed);
	for (int r = 0; r < resamples; r++)
	{
		double		sum = 0;

		CHECK_FOR_INTERRUPTS();
		for (int64 i = 0; i < pairs->n; i++)
		{
			double		difference = pairs->b[i] - pairs->a[i];

			sum += pg_prng_bool(&prng) ? difference : -difference;
		}
		as_large += fabs(sum) >= fabs(observed) * (1 - 1e-12);
	}
	return (as_large + 1.0) / (resamples + 1.0);
}

/* Return the mean difference with its bootstrap interval. */
static RecEstimate
difference_estimate(const PairedValues *pairs, int resamples, int64 seed)
{
	double	   *means = rec_memory_budget_alloc(CurrentMemoryContext, resamples, sizeof(double));
	RecEstimate estimate = {.users = pairs->n};
	pg_prng_state prng;

	estimate.value = weighted_difference(pairs, NULL, NAN);
	pg_prng_seed(&prng, (uint64) seed);
	for (int r = 0; r < resamples; r++)
		means[r] = weighted_difference(pairs, &prng, estimate.value);
	set_interval(&estimate, means, resamples);
	pfree(means);
	return estimate;
}

/*
 * Compare the first value of each user in two evaluations on the same split: the
 * difference of b less a, over the users who have the value in both, and the
 * two-sided p-value of the hypothesis of no difference (Fisher 1935).
 */
RecComparison
rec_bootstrap_compare(const RecBatch *batch, const RecEvaluation *a, const RecEvaluation *b,
					  int resamples, int64 seed)
{
	PairedValues pairs = pair_values(batch, a, b);
	RecComparison comparison;

	comparison.mean_a = mean(pairs.a, pairs.n);
	comparison.mean_b = mean(pairs.b, pairs.n);
	comparison.difference = difference_estimate(&pairs, resamples, seed);
	comparison.p_value = randomisation_p(&pairs, resamples, seed);
	return comparison;
}
