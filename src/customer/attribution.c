/*-------------------------------------------------------------------------
 *
 * attribution.c
 *	  Which touchpoints conversions are owed to.
 *
 * Rules give a path's conversions to its first touch, its last one, all touches
 * alike (linear) or all touchpoints alike (shapley).  The last is the exact
 * Shapley value of the game in which a set of touchpoints earns the conversions
 * of the paths that lie within it (Zhao, Mahboobi and Bagheri 2018).
 *
 * The Markov model (Anderl, Becker, von Wangenheim and Schumann 2016) is a
 * chain over the start, the touchpoints, conversion and loss, whose transitions
 * are those of all paths.  Let N be the fundamental matrix of the touchpoints,
 * and u the probability of conversion from each state, s the start.  A path
 * meets touchpoint i with probability N_si / N_ii, and what is lost when i
 * leads nowhere is
 *
 *		removal effect = N_si / N_ii * u_i / u_s
 *
 * of the conversions; attributions are proportional to it.  So one inverse
 * takes the place of a simulation for each touchpoint.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/customer/attribution.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "customer/attribution.h"
#include "miscadmin.h"
#include "pg/memory_budget.h"

#define CHECK_EVERY		1000	/* paths */

/* The chain: numbers of transitions, then probabilities. */
typedef struct Chain
{
	int			n;				/* touchpoints */
	double	   *from_start;		/* to each touchpoint */
	double	   *between;		/* n rows of n: from i to j */
	double	   *to_conversion;	/* from each touchpoint */
	double	   *total;			/* transitions from each touchpoint */
	double		starts;
} Chain;

/* Count a path's transitions. */
static void
add_transitions(Chain *chain, const RecPath *path)
{
	double		times = path->conversions + path->losses;
	uint32		last = path->touch[path->ntouches - 1];

	chain->starts += times;
	chain->from_start[path->touch[0]] += times;
	for (int i = 1; i < path->ntouches; i++)
	{
		chain->between[(Size) path->touch[i - 1] * chain->n + path->touch[i]] += times;
		chain->total[path->touch[i - 1]] += times;
	}
	chain->to_conversion[last] += path->conversions;
	chain->total[last] += times;
}

static int
compare_touches(const void *a, const void *b)
{
	uint32		left = *(const uint32 *) a;
	uint32		right = *(const uint32 *) b;

	return left < right ? -1 : left > right;
}

/* Add what the rules give of a path; "sorted" has room for its touches. */
static void
add_rules(RecAttribution *result, const RecPath *path, uint32 *sorted)
{
	int			n = path->ntouches;
	int			ndistinct = 0;

	result[path->touch[0]].first += path->conversions;
	result[path->touch[n - 1]].last += path->conversions;
	for (int i = 0; i < n; i++)
		result[path->touch[i]].linear += path->conversions / n;
	memcpy(sorted, path->touch, n * sizeof(uint32));
	qsort(sorted, n, sizeof(uint32), compare_touches);
	for (int i = 0; i < n; i++)
	{
		if (i == 0 || sorted[i] != sorted[i - 1])
			sorted[ndistinct++] = sorted[i];
	}
	for (int i = 0; i < ndistinct; i++)
	{
		result[sorted[i]].paths += path->conversions + path->losses;
		result[sorted[i]].shapley += path->conversions / ndistinct;
	}
}

/*
 * Invert a matrix of n rows in its place, by Gauss and Jordan.  It is I - Q of
 * a chain whose states all lead to an end: its rows are diagonally dominant, so
 * that no pivots are needed.
 */
static void
invert(double *a, int n)
{
	for (int k = 0; k < n; k++)
	{
		double	   *pivot_row = a + (Size) k * n;
		double		pivot = pivot_row[k];

		if (!(pivot > 0))
			elog(ERROR, "chain of touchpoints has no end");
		pivot_row[k] = 1;
		for (int j = 0; j < n; j++)
			pivot_row[j] /= pivot;
		for (int i = 0; i < n; i++)
		{
			double	   *row = a + (Size) i * n;
			double		factor = row[k];

			if (i == k || factor == 0)
				continue;
			CHECK_FOR_INTERRUPTS();
			row[k] = 0;
			for (int j = 0; j < n; j++)
				row[j] -= factor * pivot_row[j];
		}
	}
}

/* Compute removal effects; "between" becomes the fundamental matrix. */
static void
remove_touchpoints(Chain *chain, RecAttribution *result)
{
	int			n = chain->n;
	double	   *u = palloc0(n * sizeof(double));	/* of conversion */
	double	   *visits = palloc0(n * sizeof(double));	/* from the start */
	double		u_start = 0;

	for (int i = 0; i < n; i++)
	{
		double	   *row = chain->between + (Size) i * n;

		chain->from_start[i] /= chain->starts;
		for (int j = 0; j < n; j++)
			row[j] = (i == j) - row[j] / chain->total[i];
	}
	invert(chain->between, n);
	for (int i = 0; i < n; i++)
	{
		const double *row = chain->between + (Size) i * n;

		for (int j = 0; j < n; j++)
		{
			u[i] += row[j] * (chain->to_conversion[j] / chain->total[j]);
			visits[j] += chain->from_start[i] * row[j];
		}
		u_start += chain->from_start[i] * u[i];
	}
	for (int i = 0; i < n; i++)
		result[i].removal_effect = u_start > 0 ?
			visits[i] / chain->between[(Size) i * n + i] * u[i] / u_start : NAN;
	pfree(u);
	pfree(visits);
}

/* Share conversions and their value in proportion to removal effects. */
static void
share_by_effect(RecAttribution *result, int n, double conversions, double value)
{
	double		sum = 0;

	for (int i = 0; i < n; i++)
	{
		if (!isnan(result[i].removal_effect))
			sum += result[i].removal_effect;
	}
	for (int i = 0; i < n && sum > 0; i++)
	{
		result[i].markov = conversions * (result[i].removal_effect / sum);
		result[i].markov_value = value * (result[i].removal_effect / sum);
	}
}

/*
 * Compute all attributions of paths whose touchpoints are 0 to n - 1, each of
 * which occurs.  Each path has ended at least once.  Sums are in the order of
 * the paths.  Memory is that of the current context, which must be one that is
 * counted.
 */
void
rec_attribution_compute(const RecPath *path, int64 npaths, int n, RecAttribution *result)
{
	MemoryContext mcxt = CurrentMemoryContext;
	Chain		chain = {0};
	double		conversions = 0;
	double		value = 0;
	int			longest = 1;
	uint32	   *sorted;

	memset(result, 0, n * sizeof(RecAttribution));
	chain.n = n;
	chain.from_start = rec_memory_budget_alloc(mcxt, n, sizeof(double));
	chain.between = rec_memory_budget_alloc(mcxt, n, mul_size(n, sizeof(double)));
	chain.to_conversion = rec_memory_budget_alloc(mcxt, n, sizeof(double));
	chain.total = rec_memory_budget_alloc(mcxt, n, sizeof(double));
	for (int64 i = 0; i < npaths; i++)
		longest = Max(longest, path[i].ntouches);
	sorted = rec_memory_budget_alloc(mcxt, longest, sizeof(uint32));
	for (int64 i = 0; i < npaths; i++)
	{
		if (i % CHECK_EVERY == 0)
			CHECK_FOR_INTERRUPTS();
		add_transitions(&chain, &path[i]);
		add_rules(result, &path[i], sorted);
		conversions += path[i].conversions;
		value += path[i].value;
	}
	remove_touchpoints(&chain, result);
	share_by_effect(result, n, conversions, value);
}
