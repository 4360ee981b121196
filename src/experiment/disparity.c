/*-------------------------------------------------------------------------
 *
 * disparity.c
 *	  How much the means of groups differ, and whether chance explains it.
 *
 * Knows numbers only.  Intervals of means are Student's.  The p-value of a
 * disparity is that of a permutation test: the share of shufflings of the
 * groups' labels, the data counting as one, in which it is at least as large.
 * Rows are sorted first and shuffled by a generator with the seed given, so that
 * it depends on the set of rows and the seed alone.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/experiment/disparity.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "common/pg_prng.h"
#include "experiment/disparity.h"
#include "math/distribution.h"
#include "miscadmin.h"

#define LEVEL		0.05		/* of the intervals: 1 less this */
#define ROUNDING	1e-12		/* relative difference that is none */

/* Return the name of a measure, NULL after the last. */
const char *
rec_disparity_name(int measure)
{
	static const char *const name[] = {"difference", "ratio", "spread"};

	return measure >= 0 && measure < REC_DISPARITIES ? name[measure] : NULL;
}

/* Fill in the mean of each group and its interval. */
void
rec_disparity_means(const RecGroupValue *value, int64 count, int ngroups, RecGroupMean *mean)
{
	double	   *squares = palloc0_array(double, ngroups);

	for (int i = 0; i < ngroups; i++)
		mean[i] = (RecGroupMean) {0, 0, NAN, NAN};
	for (int64 i = 0; i < count; i++)
	{
		RecGroupMean *group = &mean[value[i].group];
		double		deviation = value[i].value - group->mean;

		group->n++;
		group->mean += deviation / group->n;
		squares[value[i].group] += deviation * (value[i].value - group->mean);
	}
	for (int i = 0; i < ngroups; i++)
	{
		double		half;

		if (mean[i].n < 2)
			continue;
		half = -rec_distribution_t_quantile(LEVEL / 2, mean[i].n - 1)
			* sqrt(squares[i] / (mean[i].n - 1) / mean[i].n);
		mean[i].ci_low = mean[i].mean - half;
		mean[i].ci_high = mean[i].mean + half;
	}
	pfree(squares);
}

/* Compute the disparities of sums of groups of some sizes. */
static void
disparities_of(const double *sum, const double *n, int ngroups, double *disparity)
{
	double		lowest = HUGE_VAL;
	double		highest = -HUGE_VAL;
	double		total = 0;
	double		squares = 0;

	for (int i = 0; i < ngroups; i++)
	{
		double		mean = sum[i] / n[i];

		lowest = Min(lowest, mean);
		highest = Max(highest, mean);
		total += mean;
	}
	total /= ngroups;
	for (int i = 0; i < ngroups; i++)
		squares += (sum[i] / n[i] - total) * (sum[i] / n[i] - total);
	disparity[REC_DISPARITY_DIFFERENCE] = highest - lowest;
	disparity[REC_DISPARITY_RATIO] = highest > 0 && lowest >= 0 ? lowest / highest : NAN;
	disparity[REC_DISPARITY_SPREAD] = total != 0 ? sqrt(squares / ngroups) / fabs(total) : NAN;
}

static int
compare_values(const void *a, const void *b)
{
	const RecGroupValue *x = a;
	const RecGroupValue *y = b;

	if (x->value != y->value)
		return x->value < y->value ? -1 : 1;
	return x->group - y->group;
}

/* Add up the values of each group. */
static void
add_up(const RecGroupValue *value, int64 count, int ngroups, double *sum)
{
	memset(sum, 0, ngroups * sizeof(double));
	for (int64 i = 0; i < count; i++)
		sum[value[i].group] += value[i].value;
}

static void
shuffle(RecGroupValue *value, int64 count, pg_prng_state *prng)
{
	for (int64 i = count - 1; i > 0; i--)
	{
		int64		j = (int64) pg_prng_uint64_range(prng, 0, (uint64) i);
		int			group = value[i].group;

		if (i % 8192 == 0)
			CHECK_FOR_INTERRUPTS();
		value[i].group = value[j].group;
		value[j].group = group;
	}
}

/* Return whether a disparity of a shuffling is at least that of the data. */
static bool
is_as_large(int measure, double shuffled, double observed)
{
	double		slack = ROUNDING * fabs(observed);

	if (measure == REC_DISPARITY_RATIO)
		return shuffled <= observed + slack;
	return shuffled >= observed - slack;
}

/*
 * Compute the disparities of at least one group, each with a value, and their
 * p-values; NaN where a disparity does not exist.  The values are sorted and
 * their groups shuffled.
 */
void
rec_disparity_compute(RecGroupValue *value, int64 count, int ngroups, int resamples, int64 seed,
					  double *disparity, double *p_value)
{
	double	   *sum = palloc_array(double, ngroups);
	double	   *n = palloc0_array(double, ngroups);
	double		larger[REC_DISPARITIES] = {0};
	pg_prng_state prng;

	qsort(value, count, sizeof(RecGroupValue), compare_values);
	for (int64 i = 0; i < count; i++)
		n[value[i].group]++;
	add_up(value, count, ngroups, sum);
	disparities_of(sum, n, ngroups, disparity);
	pg_prng_seed(&prng, (uint64) seed);
	for (int r = 0; r < resamples; r++)
	{
		double		shuffled[REC_DISPARITIES];

		CHECK_FOR_INTERRUPTS();
		shuffle(value, count, &prng);
		add_up(value, count, ngroups, sum);
		disparities_of(sum, n, ngroups, shuffled);
		for (int i = 0; i < REC_DISPARITIES; i++)
			larger[i] += is_as_large(i, shuffled[i], disparity[i]);
	}
	for (int i = 0; i < REC_DISPARITIES; i++)
		p_value[i] = isnan(disparity[i]) || resamples == 0 ? NAN : (1 + larger[i]) / (1 + resamples);
	pfree(sum);
	pfree(n);
}
