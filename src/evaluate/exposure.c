/*-------------------------------------------------------------------------
 *
 * exposure.c
 *	  How often each item is in the lists of all users: coverage and Gini.
 *
 * Coverage and the Gini index are metrics of all lists.  The bootstrap is biased
 * for them: a resample has about two thirds of the users, and fewer users are
 * shown fewer items.  Their intervals are by the jackknife (Efron and Stein 1981
 * show that it does not underestimate the variance), from the contribution of
 * each user: to the coverage, the items that no other user is shown; to the Gini
 * index, which is smooth, its derivative along the user's list.  The variance is
 * the sum of the squared deviations of the contributions from their mean.
 *
 * Items are numbers of the batch's dictionary.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/evaluate/exposure.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "evaluate/exposure.h"
#include "miscadmin.h"
#include "pg/memory_budget.h"

#define NORMAL_95	1.959964	/* standard deviations to either side */

struct RecExposure
{
	MemoryContext mcxt;
	uint32		nids;
	int			ncontestants;
	int			nk;
	const int  *k;
	int64	  **times;			/* of each contestant and k: number of lists
								 * with an item among the first k */
	int64		nlists;			/* for each user one of each contestant */
	int64		lists_allocated;
	int64	   *start;			/* of each list in shown */
	int64		nshown;
	int64		shown_allocated;
	uint32	   *shown;			/* the items of all lists */
};

/* Return an exposure without lists; "k" must stay allocated. */
RecExposure *
rec_exposure_create(MemoryContext mcxt, uint32 nids, int ncontestants,
					const int *k, int nk)
{
	RecExposure *exposure = MemoryContextAllocZero(mcxt, sizeof(RecExposure));
	int			n = ncontestants * nk;

	exposure->mcxt = mcxt;
	exposure->nids = nids;
	exposure->ncontestants = ncontestants;
	exposure->nk = nk;
	exposure->k = k;
	exposure->times = MemoryContextAlloc(mcxt, mul_size(n, sizeof(int64 *)));
	for (int i = 0; i < n; i++)
		exposure->times[i] = rec_memory_budget_alloc(mcxt, nids, sizeof(int64));
	return exposure;
}

/* Return an array with room for "more" elements after the first n. */
static void *
reserve(const RecExposure *exposure, void *array, int64 n, int64 more,
		int64 *allocated, Size width)
{
	int64		wanted = Max(Max(1024, n + more), *allocated * 2);

	if (n + more <= *allocated)
		return array;
	rec_memory_budget_check(exposure->mcxt, mul_size(wanted - *allocated, width));
	array = array ? repalloc_huge(array, mul_size(wanted, width)) :
		MemoryContextAllocHuge(exposure->mcxt, mul_size(wanted, width));
	*allocated = wanted;
	return array;
}

/* Add a list.  Lists come user by user, in the order of contestants. */
void
rec_exposure_add(RecExposure *exposure, const uint32 *items, int n)
{
	int			contestant = (int) (exposure->nlists % exposure->ncontestants);

	exposure->start = reserve(exposure, exposure->start, exposure->nlists, 1,
							  &exposure->lists_allocated, sizeof(int64));
	exposure->shown = reserve(exposure, exposure->shown, exposure->nshown, n,
							  &exposure->shown_allocated, sizeof(uint32));
	exposure->start[exposure->nlists++] = exposure->nshown;
	memcpy(exposure->shown + exposure->nshown, items, n * sizeof(uint32));
	exposure->nshown += n;
	for (int k = 0; k < exposure->nk; k++)
		for (int i = 0; i < Min(n, exposure->k[k]); i++)
			exposure->times[contestant * exposure->nk + k][items[i]]++;
}

/* ----------------
 *		contribution of an item in a list
 * ----------------
 */

/* To the coverage: 1 / nitems, if it is in no other list. */
static void
weigh_for_coverage(const int64 *times, const uint32 *catalogue, uint32 nitems, double *weight)
{
	for (uint32 i = 0; i < nitems; i++)
		weight[catalogue[i]] = times[catalogue[i]] == 1 ? 1.0 / nitems : 0;
}

/* Return the count of descending numbers above a value, or not below it. */
static uint32
count_from(const double *falling, uint32 n, double value, bool as_large)
{
	uint32		from = 0;
	uint32		to = n;

	while (from < to)
	{
		uint32		middle = from + (to - from) / 2;

		if (falling[middle] > value || (as_large && falling[middle] == value))
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

/*
 * To the Gini index, the sum of (2 rank - n - 1) x / (n * the sum of x): the
 * derivative by x.  Ties have their mean rank.
 */
static void
weigh_for_gini(const int64 *times, const uint32 *catalogue, uint32 nitems, double *weight,
			   double *falling, double gini)
{
	double		sum = 0;

	for (uint32 i = 0; i < nitems; i++)
		sum += falling[i];
	for (uint32 i = 0; i < nitems && sum > 0; i++)
	{
		double		x = (double) times[catalogue[i]];
		double		above = count_from(falling, nitems, x, false);
		double		level = count_from(falling, nitems, x, true);
		double		rank = nitems - (above + level - 1) / 2;	/* 1 for the least */

		if (i % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		weight[catalogue[i]] = ((2 * rank - nitems - 1) / nitems - gini) / sum;
	}
}

/* Return the variance, from the contribution of each user's list. */
static double
jackknife(const RecExposure *exposure, int contestant, int k, const double *weight)
{
	int64		nusers = exposure->nlists / exposure->ncontestants;
	double		sum = 0;
	double		squares = 0;

	for (int64 u = 0; u < nusers; u++)
	{
		int64		list = u * exposure->ncontestants + contestant;
		int64		end = list + 1 == exposure->nlists ? exposure->nshown : exposure->start[list + 1];
		double		added = 0;

		if (u % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		end = Min(end, exposure->start[list] + exposure->k[k]);
		for (int64 i = exposure->start[list]; i < end; i++)
			added += weight[exposure->shown[i]];
		sum += added;
		squares += added * added;
	}
	return Max(squares - sum * sum / nusers, 0);
}

/*
 * Return coverage or gini of a contestant's lists at the k-th length, over a
 * catalogue of nitems items; with a 95 per cent interval by the jackknife over
 * users (Tukey 1958) if "interval" is true and there are at least two users,
 * otherwise NaN for both ends.
 */
RecEstimate
rec_exposure_estimate(const RecExposure *exposure, RecMetricNumber metric, int contestant,
					  int k, const uint32 *catalogue, uint32 nitems, bool interval)
{
	RecEstimate estimate = {0, NAN, NAN, exposure->nlists / exposure->ncontestants};
	const int64 *times = exposure->times[contestant * exposure->nk + k];
	double	   *counts = rec_memory_budget_alloc(CurrentMemoryContext, nitems, sizeof(double));
	double	   *weight = rec_memory_budget_alloc(CurrentMemoryContext, exposure->nids, sizeof(double));
	double		margin;

	for (uint32 i = 0; i < nitems; i++)
		counts[i] = (double) times[catalogue[i]];
	if (metric == REC_COVERAGE)
	{
		estimate.value = rec_metric_catalog_coverage(counts, nitems);
		weigh_for_coverage(times, catalogue, nitems, weight);
	}
	else
	{
		estimate.value = rec_metric_gini(counts, nitems);
		weigh_for_gini(times, catalogue, nitems, weight, counts, estimate.value);
	}
	if (interval && estimate.users > 1)
	{
		margin = NORMAL_95 * sqrt(jackknife(exposure, contestant, k, weight));
		estimate.ci_low = Max(estimate.value - margin, 0);
		estimate.ci_high = Min(estimate.value + margin, 1);
	}
	pfree(counts);
	pfree(weight);
	return estimate;
}
