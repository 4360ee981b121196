/*-------------------------------------------------------------------------
 *
 * measure.c
 *	  The formulas of the similarity measures.
 *
 * Each measure is a formula for the similarity of the row's item with another
 * from c, the number of users of both, and d, the sum of the products of their
 * weights.  A value that is not greater than 0 is no similarity.  Each formula is
 * compiled into a loop of its own over the items that may be good enough.
 *
 * A cheap bound decides which items these are.  Every measure that counts users
 * grows with c and falls with the number of users of the other item.  So the
 * formula, solved for c at the least popular item of a block, yields one whole
 * number for the whole block.  Bounds err on the safe side only, by more than
 * rounding errors (REC_SLACK).
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/similarity/measure.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "pg/memory_budget.h"
#include "similarity/measure.h"

/* One of the other items: c, d and its number. */
typedef struct PairView
{
	double		c;
	double		d;
	uint32		j;
} PairView;

typedef double (*PairFormula) (const RecRowView *row, const PairView *pair);

static inline double
source_users(const RecRowView *row, uint32 j)
{
	return row->swapped ? row->users[j] : row->row_users;
}

static inline double
target_users(const RecRowView *row, uint32 j)
{
	return row->swapped ? row->row_users : row->users[j];
}

/*
 * The loop into which formulas are compiled. Its branches always go the same
 * way. "simple" means that counters are bytes and there are no products.
 */
static pg_attribute_always_inline void
score_all(const RecRowView *row, const uint32 *item, int n, RecTopk *topk,
		  PairFormula formula, bool shrinks, bool simple)
{
	RecNeighbor *best = topk->best;
	double		limit = topk->limit;
	double		shrinkage = row->options->shrinkage;
	int			kept = topk->n;

	for (int i = 0; i < n; i++)
	{
		uint32		j = item[i];
		uint32		c = simple ? ((const uint8 *) row->count)[j] : rec_measure_common_users(row, j);
		PairView	pair = {c, !simple && row->dot ? row->dot[j] : c, j};
		double		similarity = formula(row, &pair);

		if (shrinks)
			similarity *= pair.c / (pair.c + shrinkage);
		best[kept].similarity = similarity;
		best[kept].item = j;
		best[kept].support = c;
		kept += similarity >= limit;
	}
	topk->n = kept;
}

#define SCORE(measure, counts_only) \
static void \
score_##measure(const RecRowView *row, const uint32 *item, int n, RecTopk *topk) \
{ \
	if (counts_only && row->options->shrinkage > 0) \
		score_all(row, item, n, topk, measure, true, false); \
	else if (row->dot == NULL && row->count_size == sizeof(uint8)) \
		score_all(row, item, n, topk, measure, false, true); \
	else \
		score_all(row, item, n, topk, measure, false, false); \
}

/* Return the next whole number, on the safe side. */
static inline uint32
round_up(double x)
{
	double		safe = x * (1 - REC_SLACK);
	uint32		whole;

	if (!(safe < PG_UINT32_MAX))
		return PG_UINT32_MAX;
	whole = (uint32) Max(safe, 0);
	return whole + (whole < safe);
}

/*
 * Return the limit before shrinkage, which is least when all users of the row
 * have both items.
 */
static inline double
limit_unshrunk(const RecRowView *row, const RecBound *bound)
{
	return bound->limit * (1 + row->options->shrinkage / row->row_users);
}

/* ----------------
 *		normalised products
 *
 * Salton's cosine, d / (|i| |j|), and d / (s_i^a * s_j^b), the weights of a
 * user divided by n_u^g before, which covers cosine (0, .5, .5), P3 (Cooper
 * et al. 2014) and RP3beta (Christoffel et al. 2015).  Shrinkage is added to
 * the denominator.
 * ----------------
 */

static inline double
normalised(const RecRowView *row, const PairView *pair)
{
	return pair->d / (row->row_norm * row->norm[pair->j] + row->options->shrinkage);
}

SCORE(normalised, false)

/* A normalised product that can exceed 1 only by rounding. */
static inline double
cosine(const RecRowView *row, const PairView *pair)
{
	return Min(normalised(row, pair), 1);
}

SCORE(cosine, false)

static uint32
least_normalised(const RecRowView *row, uint32 item, const RecBound *bound)
{
	return round_up(bound->limit * (row->row_norm * row->norm[item] +
									row->options->shrinkage));
}

/* ----------------
 *		shares of users
 * ----------------
 */

static inline double
jaccard(const RecRowView *row, const PairView *pair)
{
	return pair->c / (row->row_users + row->users[pair->j] - pair->c);
}

SCORE(jaccard, true)

static uint32
least_jaccard(const RecRowView *row, uint32 item, const RecBound *bound)
{
	double		value = limit_unshrunk(row, bound);

	return round_up(value * (row->row_users + row->users[item]) / (1 + value));
}

static inline double
dice(const RecRowView *row, const PairView *pair)
{
	return 2 * pair->c / (row->row_users + row->users[pair->j]);
}

SCORE(dice, true)

static uint32
least_dice(const RecRowView *row, uint32 item, const RecBound *bound)
{
	return round_up(limit_unshrunk(row, bound) *
					(row->row_users + row->users[item]) / 2);
}

/* Tversky 1977. */
static inline double
tversky(const RecRowView *row, const PairView *pair)
{
	double		c = pair->c;

	return c / (c +
				row->options->tversky_alpha * (source_users(row, pair->j) - c) +
				row->options->tversky_beta * (target_users(row, pair->j) - c));
}

SCORE(tversky, true)

static uint32
least_tversky(const RecRowView *row, uint32 item, const RecBound *bound)
{
	double		alpha = row->options->tversky_alpha;
	double		beta = row->options->tversky_beta;
	double		value = limit_unshrunk(row, bound);

	/* the divisor is not trusted below its rounding error */
	return round_up(value * (alpha * source_users(row, item) +
							 beta * target_users(row, item)) /
					(Max(1 + value * (alpha + beta - 1), 0) +
					 REC_SLACK * (1 + value * (alpha + beta))));
}

/* The overlap coefficient (Szymkiewicz-Simpson). */
static inline double
overlap(const RecRowView *row, const PairView *pair)
{
	return pair->c / Min(row->row_users, row->users[pair->j]);
}

SCORE(overlap, true)

static uint32
least_overlap(const RecRowView *row, uint32 item, const RecBound *bound)
{
	return round_up(limit_unshrunk(row, bound) * Min(row->row_users, row->users[item]));
}

/* P(target | source), the confidence of association rules. */
static inline double
conditional(const RecRowView *row, const PairView *pair)
{
	return pair->c / source_users(row, pair->j);
}

SCORE(conditional, true)

static uint32
least_conditional(const RecRowView *row, uint32 item, const RecBound *bound)
{
	return round_up(limit_unshrunk(row, bound) * source_users(row, item));
}

/* ----------------
 *		more often than by chance
 * ----------------
 */

/*
 * How much more often two items are together than if they were independent.
 */
static inline double
lift(const RecRowView *row, const PairView *pair)
{
	return row->all_users * pair->c / (row->row_users * row->users[pair->j]);
}

SCORE(lift, true)

static uint32
least_lift(const RecRowView *row, uint32 item, const RecBound *bound)
{
	return round_up(limit_unshrunk(row, bound) * row->row_users *
					row->users[item] / row->all_users);
}

/*
 * Return whether items are together more often than if they were independent;
 * exact.
 */
static inline bool
exceeds_chance(const RecRowView *row, const PairView *pair)
{
	return pair->c * row->all_users > row->row_users * row->users[pair->j];
}

/* Pointwise mutual information, natural logarithm (Church and Hanks 1990). */
static inline double
pmi(const RecRowView *row, const PairView *pair)
{
	return exceeds_chance(row, pair) ? log(lift(row, pair)) : 0;
}

SCORE(pmi, true)

/*
 * Return the exponential of x, lowered by the effect of an error of REC_SLACK
 * in a logarithm of up to "largest".
 */
static inline double
safe_exp(double x, double largest)
{
	return exp(x - REC_SLACK * (1 + fabs(largest)));
}

static uint32
least_pmi(const RecRowView *row, uint32 item, const RecBound *bound)
{
	double		value = limit_unshrunk(row, bound);

	return round_up(safe_exp(value, value) * row->row_users *
					row->users[item] / row->all_users);
}

/* Normalised to [-1, 1] (Bouma 2009); 1 when all users have both. */
static inline double
npmi(const RecRowView *row, const PairView *pair)
{
	double		n = row->all_users;

	if (!exceeds_chance(row, pair))
		return pair->c == n;
	return Min(log(lift(row, pair)) / -log(pair->c / n), 1);
}

SCORE(npmi, true)

static double *
alloc_table(Size n)
{
	Size		size = mul_size(Max(n, 1), sizeof(double));

	rec_memory_budget_check(CurrentMemoryContext, size);
	return MemoryContextAllocHuge(CurrentMemoryContext, size);
}

/* Return log n_j of each item. */
static double *
make_logarithms(const RecRowView *row)
{
	double	   *table = alloc_table(row->nitems);

	for (uint32 i = 0; i < row->nitems; i++)
		table[i] = log(row->users[i]);
	return table;
}

/* From (log c - log n_i - log n_j + log n) / (log n - log c) >= limit. */
static uint32
least_npmi(const RecRowView *row, uint32 item, const RecBound *bound)
{
	double		value = limit_unshrunk(row, bound);
	double		n = log(row->all_users);

	return round_up(safe_exp((log(row->row_users) + row->table[item] -
							  (1 - value) * n) / (1 + value), 4 * n));
}

static inline double
llr_cell(double observed, double expected)
{
	return observed > 0 ? observed * log(observed / expected) : 0;
}

/* Dunning's G squared (1993) of the 2x2 table; 0 for a negative association. */
static inline double
llr(const RecRowView *row, const PairView *pair)
{
	double		n = row->all_users;
	double		c = pair->c;
	double		ni = source_users(row, pair->j);
	double		nj = target_users(row, pair->j);

	if (c * n <= ni * nj)
		return 0;
	return 2 * (llr_cell(c, ni * nj / n) +
				llr_cell(ni - c, ni * (n - nj) / n) +
				llr_cell(nj - c, (n - ni) * nj / n) +
				llr_cell(n - ni - nj + c, (n - ni) * (n - nj) / n));
}

SCORE(llr, true)

/* Return x log x for x from 0 to the number of users. */
static double *
make_entropies(const RecRowView *row)
{
	Size		n = (Size) row->all_users + 1;
	double	   *table = alloc_table(n);

	for (Size x = 0; x < n; x++)
		table[x] = x > 0 ? x * log((double) x) : 0;
	return table;
}

/*
 * Dunning's G squared from a table, with an error of some ten units in the
 * last place of n log n.
 */
static inline double
llr_by_table(const RecRowView *row, double c, double nj)
{
	const double *entropy = row->table;
	int64		n = (int64) row->all_users;
	int64		i = (int64) row->row_users;
	int64		j = (int64) nj;
	int64		both = (int64) c;

	if (c * row->all_users <= row->row_users * nj)
		return 0;
	return 2 * (entropy[both] + entropy[i - both] + entropy[j - both] +
				entropy[n - i - j + both] - entropy[i] - entropy[n - i] -
				entropy[j] - entropy[n - j] + entropy[n]);
}

static inline double
llr_estimate(const RecRowView *row, const PairView *pair)
{
	return llr_by_table(row, pair->c, row->users[pair->j]);
}

SCORE(llr_estimate, true)

static inline bool
llr_may_reach(const RecRowView *row, double limit, uint32 c, double nj)
{
	return llr_by_table(row, c, Max(nj, c)) >= limit;
}

/*
 * There is no formula for c, so it is searched: from the hint in growing
 * steps until the answer changes, then by bisection.
 */
static uint32
least_llr(const RecRowView *row, uint32 item, const RecBound *bound)
{
	double		nj = row->users[item];
	double		value = limit_unshrunk(row, bound) -
	64 * DBL_EPSILON * row->table[(int64) row->all_users];
	uint32		low = 0;		/* does not reach it */
	uint32		high = (uint32) row->row_users + 1; /* does, or is too much */
	uint32		at = Min(Max(bound->hint, 1), high - 1);

	for (uint32 step = 1; low + 1 < high; step *= 2)
	{
		bool		reaches = llr_may_reach(row, value, at, nj);

		if (reaches)
			high = at;
		else
			low = at;
		if (step >= high - low)
			break;
		at = reaches ? at - step : at + step;
	}
	while (low + 1 < high)
	{
		at = low + (high - low) / 2;
		if (llr_may_reach(row, value, at, nj))
			high = at;
		else
			low = at;
	}
	return high;
}

/* The registry: the value of the option "measure" is the index of its row. */
const RecMeasure rec_measures[REC_NMEASURES] = {
	[REC_MEASURE_COSINE] = {REC_NORM_ROOT, NULL,
	score_cosine, score_cosine, least_normalised},
	[REC_MEASURE_DAMPED_COSINE] = {REC_NORM_POWER, NULL,
	score_normalised, score_normalised, least_normalised},
	[REC_MEASURE_JACCARD] = {REC_NORM_NONE, NULL,
	score_jaccard, score_jaccard, least_jaccard},
	[REC_MEASURE_DICE] = {REC_NORM_NONE, NULL,
	score_dice, score_dice, least_dice},
	[REC_MEASURE_TVERSKY] = {REC_NORM_NONE, NULL,
	score_tversky, score_tversky, least_tversky},
	[REC_MEASURE_OVERLAP] = {REC_NORM_NONE, NULL,
	score_overlap, score_overlap, least_overlap},
	[REC_MEASURE_CONDITIONAL] = {REC_NORM_NONE, NULL,
	score_conditional, score_conditional, least_conditional},
	[REC_MEASURE_LIFT] = {REC_NORM_NONE, NULL,
	score_lift, score_lift, least_lift},
	[REC_MEASURE_PMI] = {REC_NORM_NONE, NULL,
	score_pmi, score_pmi, least_pmi},
	[REC_MEASURE_NPMI] = {REC_NORM_NONE, make_logarithms,
	score_npmi, score_npmi, least_npmi},
	[REC_MEASURE_LLR] = {REC_NORM_NONE, make_entropies,
	score_llr, score_llr_estimate, least_llr},
	[REC_MEASURE_PEARSON] = {REC_NORM_ROOT, NULL,
	score_cosine, score_cosine, least_normalised},
	[REC_MEASURE_ADJUSTED_COSINE] = {REC_NORM_ROOT, NULL,
	score_cosine, score_cosine, least_normalised},
};
