/*-------------------------------------------------------------------------
 *
 * position_bias.c
 *	  How likely a place in a list is looked at.
 *
 * An item that was shown at two ranks, under two variants or generations of a
 * model, is equally good at both; so the ratio of its click rates is that of how
 * likely the ranks are looked at (Agarwal, Zaitsev, Wang, Li, Najork, Joachims
 * 2019, "Estimating position bias without intrusive interventions").  For each
 * pair of ranks the click rates of the items that were at both are added up,
 * each with the smaller of its two exposures as its weight; the logarithms of
 * the ratios of these sums are fitted by least squares,
 *
 *	  log theta_r - log theta_s = log(sum_r / sum_s),  theta of rank 1 = 1,
 *
 * each pair with the inverse of its variance as its weight.  Nothing forces
 * theta to fall.  Standard errors follow by the delta method from those of the
 * click rates of each item at each rank, of which the pairs have several in
 * common; clicks count as independent.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/experiment/position_bias.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "experiment/position_bias.h"
#include "math/dense.h"
#include "math/distribution.h"
#include "miscadmin.h"

#define LEAST_CLICKS	100		/* behind a rank that is estimated */

/* Sums over the items that were at two ranks. */
typedef struct Pair
{
	double		rate[2];		/* click rates * weight, of the lower and the
								 * higher rank */
	double		variance[2];	/* of these sums */
	double		weight;			/* of the pair's equation */
} Pair;

/* Scratch space for ranks up to some number. */
typedef struct Fit
{
	int			nranks;
	Size		order;
	RecDense   *dense;
	double	   *system;
	double	   *solution;
	Pair	   *pair;			/* by lower rank * nranks + higher rank, from 0 */
} Fit;

static int
compare_placements(const void *a, const void *b)
{
	const RecPlacement *x = a;
	const RecPlacement *y = b;

	if (x->item != y->item)
		return x->item < y->item ? -1 : 1;
	return x->rank - y->rank;
}

/* Put rows of the same item and rank together; return how many are left. */
static int64
merge(RecPlacement *placement, int64 count)
{
	int64		left = 0;

	qsort(placement, count, sizeof(RecPlacement), compare_placements);
	for (int64 i = 0; i < count; i++)
	{
		if (left > 0 && compare_placements(&placement[left - 1], &placement[i]) == 0)
		{
			placement[left - 1].shown += placement[i].shown;
			placement[left - 1].clicked += placement[i].clicked;
		}
		else
			placement[left++] = placement[i];
	}
	return left;
}

static void
add_side(Pair *pair, int side, const RecPlacement *at, double weight)
{
	double		rate = at->clicked / at->shown;

	pair->rate[side] += weight * rate;
	pair->variance[side] += weight * weight * Max(rate * (1 - rate), 0) / at->shown;
}

/* Sum up pairs of ranks. */
static void
sum_pairs(Fit *fit, const RecPlacement *placement, int64 count)
{
	memset(fit->pair, 0, (Size) fit->nranks * fit->nranks * sizeof(Pair));
	for (int64 i = 0; i < count; i++)
	{
		if (i % 1000 == 0)
			CHECK_FOR_INTERRUPTS();
		if (placement[i].shown <= 0)
			continue;
		for (int64 j = i + 1; j < count && placement[j].item == placement[i].item; j++)
		{
			Pair	   *pair = &fit->pair[(placement[i].rank - 1) * fit->nranks + placement[j].rank - 1];
			double		weight = Min(placement[i].shown, placement[j].shown);

			if (placement[j].shown <= 0)
				continue;
			add_side(pair, 0, &placement[i], weight);
			add_side(pair, 1, &placement[j], weight);
		}
	}
}

/* Add the equation of a pair of ranks, from 0, to the system. */
static void
add_equation(Fit *fit, int low, int high, Pair *pair)
{
	double		difference = log(pair->rate[1] / pair->rate[0]);
	double		variance = pair->variance[0] / (pair->rate[0] * pair->rate[0])
		+ pair->variance[1] / (pair->rate[1] * pair->rate[1]);
	double		weight = 1 / Max(variance, 1e-12);

	pair->weight = weight;
	fit->system[low * fit->order + low] += weight;
	fit->system[high * fit->order + high] += weight;
	fit->system[low * fit->order + high] -= weight;
	fit->system[high * fit->order + low] -= weight;
	fit->solution[low] -= weight * difference;
	fit->solution[high] += weight * difference;
}

/* Mark the ranks that pairs connect with rank 1. */
static void
connect(const Fit *fit, bool *connected)
{
	bool		more = true;

	memset(connected, 0, fit->nranks * sizeof(bool));
	connected[0] = true;
	while (more)
	{
		more = false;
		for (int i = 0; i < fit->nranks; i++)
		{
			for (int j = i + 1; j < fit->nranks; j++)
			{
				const Pair *pair = &fit->pair[i * fit->nranks + j];

				if (pair->rate[0] > 0 && pair->rate[1] > 0 && connected[i] != connected[j])
					connected[i] = connected[j] = more = true;
			}
		}
	}
}

/* Fill in log theta of each rank, NaN of those that nothing connects with rank 1. */
static void
solve(Fit *fit, double *log_theta, bool *connected)
{
	connect(fit, connected);
	memset(fit->system, 0, fit->order * fit->order * sizeof(double));
	memset(fit->solution, 0, fit->order * sizeof(double));
	for (int i = 0; i < fit->nranks; i++)
	{
		for (int j = i + 1; j < fit->nranks; j++)
		{
			Pair	   *pair = &fit->pair[i * fit->nranks + j];

			if (pair->rate[0] > 0 && pair->rate[1] > 0 && connected[i])
				add_equation(fit, i, j, pair);
		}
	}
	/* rank 1 is 0, and so is what is not there */
	for (Size i = 0; i < fit->order; i++)
	{
		if (i > 0 && i < (Size) fit->nranks && connected[i])
			continue;
		for (Size j = 0; j < fit->order; j++)
			fit->system[i * fit->order + j] = fit->system[j * fit->order + i] = 0;
		fit->system[i * fit->order + i] = 1;
		fit->solution[i] = 0;
	}
	rec_dense_cholesky(fit->dense, fit->system, fit->order);
	rec_dense_substitute(fit->dense, fit->system, fit->order, fit->solution);
	for (int i = 0; i < fit->nranks; i++)
		log_theta[i] = connected[i] ? fit->solution[i] : NAN;
}

/* Fill in by how much the right side changes with the click rate of a placement. */
static void
fill_slope(const Fit *fit, const RecPlacement *at, const RecPlacement *first, const RecPlacement *end,
		   double *slope)
{
	memset(slope, 0, fit->order * sizeof(double));
	for (const RecPlacement *other = first; other < end; other++)
	{
		int			low = Min(at->rank, other->rank) - 1;
		int			high = Max(at->rank, other->rank) - 1;
		int			side = at->rank > other->rank;
		const Pair *pair = &fit->pair[low * fit->nranks + high];
		double		change;

		if (other == at || other->shown <= 0 || pair->weight == 0)
			continue;
		change = pair->weight * Min(at->shown, other->shown) / pair->rate[side] * (side ? 1 : -1);
		slope[high] += change;
		slope[low] -= change;
	}
}

/* Fill in the variance of log theta of each rank; the system is that of solve(). */
static void
estimate_variance(Fit *fit, const RecPlacement *placement, int64 count, const bool *connected,
				  double *variance)
{
	double	   *slope = palloc_array(double, fit->order);
	int64		first = 0;
	int64		end = 0;

	memset(variance, 0, fit->nranks * sizeof(double));
	for (int64 i = 0; i < count; i++)
	{
		const RecPlacement *at = &placement[i];
		double		rate = (at->clicked + 0.5) / (at->shown + 1);

		CHECK_FOR_INTERRUPTS();
		if (i == end)
		{
			first = i;
			while (end < count && placement[end].item == at->item)
				end++;
		}
		if (end - first < 2 || at->shown <= 0)
			continue;
		fill_slope(fit, at, placement + first, placement + end, slope);
		for (Size j = 0; j < fit->order; j++)
		{
			if (j == 0 || j >= (Size) fit->nranks || !connected[j])
				slope[j] = 0;
		}
		rec_dense_substitute(fit->dense, fit->system, fit->order, slope);
		for (int j = 0; j < fit->nranks; j++)
			variance[j] += slope[j] * slope[j] * rate * (1 - rate) / at->shown;
	}
	pfree(slope);
}

static Fit
create_fit(int nranks)
{
	Fit			fit = {.nranks = nranks, .order = REC_DENSE_ORDER(nranks)};

	fit.dense = rec_dense_create(CurrentMemoryContext, fit.order);
	fit.system = palloc_array(double, fit.order * fit.order);
	fit.solution = palloc_array(double, fit.order);
	fit.pair = palloc_array(Pair, (Size) nranks * nranks);
	return fit;
}

/* Count what there is of each rank; return the last rank. */
static int
count_ranks(const RecPlacement *placement, int64 count, RecExamination *rank)
{
	int			nranks = 0;

	for (int i = 0; i < REC_MOST_RANKS; i++)
		rank[i] = (RecExamination) {NAN, NAN, NAN, 0, 0, 0};
	for (int64 i = 0; i < count; i++)
	{
		RecExamination *at = &rank[placement[i].rank - 1];

		nranks = Max(nranks, placement[i].rank);
		at->shown += placement[i].shown;
		at->clicked += placement[i].clicked;
		if ((i > 0 && placement[i - 1].item == placement[i].item)
			|| (i + 1 < count && placement[i + 1].item == placement[i].item))
			at->pairs++;
	}
	return nranks;
}

/*
 * Estimate how likely each rank is looked at, from placements in any order,
 * which are sorted.  "rank" has room for REC_MOST_RANKS.  Return the last rank.
 * There is no estimate of a rank with fewer than 100 clicks, nor of one that no
 * item connects with rank 1.
 */
int
rec_position_bias_estimate(RecPlacement *placement, int64 count, double alpha, RecExamination *rank)
{
	int64		n = merge(placement, count);
	int			nranks = count_ranks(placement, n, rank);
	double		z = -rec_distribution_normal_quantile(alpha / 2);
	double		all[REC_MOST_RANKS];
	double		variance[REC_MOST_RANKS];
	bool		connected[REC_MOST_RANKS];
	Fit			fit;

	if (nranks == 0)
		return 0;
	fit = create_fit(nranks);
	sum_pairs(&fit, placement, n);
	solve(&fit, all, connected);
	estimate_variance(&fit, placement, n, connected, variance);
	for (int i = 0; i < nranks; i++)
	{
		double		half = z * sqrt(variance[i]);

		if (rank[i].clicked < LEAST_CLICKS || rank[0].clicked < LEAST_CLICKS || rank[i].pairs == 0)
			continue;
		rank[i].examination = exp(all[i]);
		rank[i].ci_low = exp(all[i] - half);
		rank[i].ci_high = exp(all[i] + half);
	}
	return nranks;
}
