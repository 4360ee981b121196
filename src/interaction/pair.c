/*-------------------------------------------------------------------------
 *
 * pair.c
 *	  One user's interactions, combined into one pair for each item.
 *
 * The model and the history of a call use these functions, so that decay,
 * repeats and order mean the same in both.
 *
 * Knows numbers only: no Datum, no SPI.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/interaction/pair.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "interaction/pair.h"
#include "miscadmin.h"

/*
 * Return the part of a weight that is left after decay: 0.5 ^ (age /
 * half_life), where the age counts from the newest time. 1 without a half-life
 * or a time, and for a time after the newest.
 */
double
rec_pair_decay(double half_life, int64 newest, int64 time)
{
	if (half_life <= 0 || time == REC_NO_TIME || time >= newest)
		return 1;
	return exp2(((double) time - (double) newest) / half_life);
}

static inline int
compare_grouping(const RecPair *a, const RecPair *b)
{
	if (a->item != b->item)
		return a->item < b->item ? -1 : 1;
	if (a->time != b->time)
		return a->time < b->time ? -1 : 1;
	return a->weight < b->weight ? -1 : a->weight > b->weight;
}

#define ST_SORT sort_for_grouping
#define ST_ELEMENT_TYPE RecPair
#define ST_COMPARE(a, b) compare_grouping(a, b)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Compare by time, newest first; ties by larger weight, then by smaller id. */
static inline int
compare_recency(const RecPair *a, const RecPair *b, const uint32 *item_rank)
{
	if (a->time != b->time)
		return a->time > b->time ? -1 : 1;
	if (a->weight != b->weight)
		return a->weight > b->weight ? -1 : 1;
	return item_rank[a->item] < item_rank[b->item] ? -1 : 1;
}

#define ST_SORT sort_by_recency
#define ST_ELEMENT_TYPE RecPair
#define ST_COMPARE(a, b, arg) compare_recency(a, b, arg)
#define ST_COMPARE_ARG_TYPE const uint32
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/*
 * Return the weight of the newest pair of a run that is sorted by time, then
 * by weight.
 */
static double
combine_run(const RecPair *run, int n, RecRepeats repeats)
{
	double		weight = run[n - 1].weight;
	double		size = 0;

	switch (repeats)
	{
		case REC_REPEATS_SUM:
			weight = 0;
			for (int i = 0; i < n; i++)
			{
				weight += run[i].weight;
				size += fabs(run[i].weight);
			}
			/* what only rounding leaves of a sum is nothing */
			if (fabs(weight) <= n * DBL_EPSILON * size)
				weight = 0;
			break;
		case REC_REPEATS_MAX:
			for (int i = 0; i < n - 1; i++)
				weight = Max(weight, run[i].weight);
			break;
		case REC_REPEATS_LAST:
			break;
		case REC_REPEATS_BINARY:
			weight = 1;
			break;
	}
	return weight;
}

/*
 * Combine one user's interactions, in any order, into pairs of one item each,
 * in place; return their number.  The result is in no useful order.
 */
int
rec_pair_combine(RecPair *pairs, int n, RecRepeats repeats)
{
	int			kept = 0;

	sort_for_grouping(pairs, n);
	for (int i = 0, end; i < n; i = end)
	{
		RecPair		pair;

		for (end = i + 1; end < n && pairs[end].item == pairs[i].item;)
			end++;
		pair = pairs[end - 1];
		pair.weight = combine_run(&pairs[i], end - i, repeats);
		pairs[kept++] = pair;
	}
	return kept;
}

/*
 * Sort pairs, newest first; ties go to the larger weight, then to the lower
 * rank of the item.
 */
void
rec_pair_sort(RecPair *pairs, int n, const uint32 *item_rank)
{
	sort_by_recency(pairs, n, item_rank);
}
