/*-------------------------------------------------------------------------
 *
 * similarity.c
 *	  How alike items are: measures, and the best neighbours of each item.
 *
 * One row of the product of the matrix with its transpose at a time
 * (Gustavson 1978): for each user of item i, for each item j of that user,
 * add to the counter of j.  Then a sweep over the counters turns each into a
 * similarity by the measure's formula and keeps the best.  Work is the sum
 * over users of the square of their items; memory is one counter per item.
 *
 * What keeps the sweep cheap: items are numbered by popularity, so the hot
 * counters share cache lines and equal scores need no comparison of ids (the
 * sweep goes upwards and a later equal one loses); each measure has a sweep
 * of its own, the formula compiled into it; only blocks of counters that were
 * touched are looked at, when few are; candidates above the k-th best so far
 * go to a buffer that is cut back to k when full, which costs O(1) each.
 *
 * Similarities are compared by their first 40 significant bits, so that what
 * is equal in exact arithmetic ties by popularity, whatever the last bits of
 * a square root (but for the rare pair that rounding puts apart).
 *
 * Truncation per target runs the same rows with source and target exchanged
 * and then turns the lists round, which needs them all in memory.
 *
 * Knows numbers only: no Datum, no SPI.  Working memory is a child of the
 * current context.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/similarity.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "similarity.h"
#include "sqlutil.h"
#include "utils/memutils.h"

#define BLOCK_SIZE			64	/* counters to a block */
#define INTERRUPT_WORK		10000	/* additions between interrupt checks */

struct RecSimilarity
{
	const RecMatrix *matrix;
	const RecOptions *options;
	bool		swapped;		/* the row is the target, not the source */
	MemoryContext context;

	/* of each item or user, made once */
	double	   *norm;			/* sqrt of the sum of squares */
	double	   *source_factor;	/* damped_cosine: sum ^ source_exponent */
	double	   *target_factor;
	double	   *user_factor;	/* 1 / n_u ^ user_exponent, or NULL for 1 */

	/* of the row at hand */
	uint32		row;
	double		row_users;
	uint32	   *count;			/* users of both; all zero between rows */
	double	   *dot;			/* NULL when count says it all */
	uint8	   *touched;		/* per block: has counters to look at */
	bool		dense;			/* look at every block */

	/* the best so far */
	RecNeighbor *best;
	int			nbest;
	int			best_allocated;
	double		threshold;		/* the k-th best, rounded; 0 at first */
};

/* ----------------
 *		the best k
 * ----------------
 */

/* Rounds to 40 significant bits: adds half and cuts the last 13 of 53. */
static inline double
round_similarity(double x)
{
	union
	{
		double		value;
		uint64		bits;
	}			u;

	u.value = x;
	u.bits = (u.bits + (UINT64CONST(1) << 12)) & ~((UINT64CONST(1) << 13) - 1);
	return u.value;
}

static inline bool
is_better(const RecNeighbor *a, const RecNeighbor *b)
{
	double		x = round_similarity(a->similarity);
	double		y = round_similarity(b->similarity);

	return x > y || (x == y && a->item < b->item);
}

static inline int
compare_neighbors(const RecNeighbor *a, const RecNeighbor *b)
{
	return is_better(a, b) ? -1 : is_better(b, a);
}

#define ST_SORT sort_neighbors
#define ST_ELEMENT_TYPE RecNeighbor
#define ST_COMPARE(a, b) compare_neighbors(a, b)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Moves the best k of the buffer to its front (Hoare's selection). */
static void
select_best(RecNeighbor *a, int n, int k)
{
	int			left = 0;
	int			right = n - 1;

	while (left < right)
	{
		RecNeighbor pivot = a[left + (right - left) / 2];
		int			i = left;
		int			j = right;

		while (i <= j)
		{
			while (is_better(&a[i], &pivot))
				i++;
			while (is_better(&pivot, &a[j]))
				j--;
			if (i <= j)
			{
				RecNeighbor swap = a[i];

				a[i++] = a[j];
				a[j--] = swap;
			}
		}
		if (k - 1 <= j)
			right = j;
		else if (k - 1 >= i)
			left = i;
		else
			break;
	}
}

/* Cuts the full buffer back to k and raises the threshold to the k-th. */
static void
cut_best(RecSimilarity *state)
{
	int			k = state->options->neighbors;
	double		threshold;

	select_best(state->best, state->nbest, k);
	threshold = state->best[0].similarity;
	for (int i = 1; i < k; i++)
		threshold = Min(threshold, state->best[i].similarity);
	state->nbest = k;
	state->threshold = round_similarity(threshold);
}

static inline void
consider(RecSimilarity *state, uint32 item, double similarity, uint32 support)
{
	RecNeighbor *neighbor;

	/* a cheap test first: rounding adds less than this to a similarity */
	if (!(similarity >= state->threshold * (1 - 1e-11)) || isinf(similarity) ||
		!(round_similarity(similarity) > state->threshold))
		return;
	if (state->nbest == state->best_allocated)
	{
		cut_best(state);
		if (!(round_similarity(similarity) > state->threshold))
			return;
	}
	neighbor = &state->best[state->nbest++];
	neighbor->similarity = similarity;
	neighbor->item = item;
	neighbor->support = support;
}

/* ----------------
 *		measures
 *
 * Each gives the similarity of the row's item with item j from c, the users
 * of both, and d, the sum of the products of their weights.  A value that is
 * not above zero, or not a number, is no similarity.
 * ----------------
 */

/* What a formula sees: i is the source, j the target. */
typedef struct PairView
{
	double		c;
	double		d;
	double		ni;
	double		nj;
	uint32		i;
	uint32		j;
} PairView;

typedef double (*PairFormula) (const RecSimilarity *state, const PairView *pair);

static inline double
item_users(const RecMatrix *matrix, uint32 item)
{
	return (double) (matrix->item_start[item + 1] - matrix->item_start[item]);
}

/*
 * The one sweep, inlined into each measure's own with its formula.  Blocks
 * are left clean for the next row.
 */
static pg_attribute_always_inline void
sweep(RecSimilarity *state, PairFormula formula)
{
	const RecMatrix *matrix = state->matrix;
	uint32		min_support = state->options->min_support;
	double		shrinkage = state->options->shrinkage;
	bool		counts_only = rec_measures[state->options->measure].counts_only;
	uint32		nblocks = (matrix->nitems + BLOCK_SIZE - 1) / BLOCK_SIZE;

	for (uint32 block = 0; block < nblocks; block++)
	{
		uint32		first = block * BLOCK_SIZE;
		uint32		last = Min(first + BLOCK_SIZE, matrix->nitems);

		if (!state->dense && !state->touched[block])
			continue;
		state->touched[block] = 0;
		for (uint32 j = first; j < last; j++)
		{
			uint32		c = state->count[j];
			PairView	pair;
			double		similarity;

			if (c < min_support)
				continue;
			if (j == state->row)
				continue;
			pair.c = c;
			pair.d = state->dot ? state->dot[j] : c;
			pair.i = state->swapped ? j : state->row;
			pair.j = state->swapped ? state->row : j;
			pair.ni = state->swapped ? item_users(matrix, j) : state->row_users;
			pair.nj = state->swapped ? state->row_users : item_users(matrix, j);
			similarity = formula(state, &pair);
			if (counts_only && shrinkage > 0)
				similarity *= pair.c / (pair.c + shrinkage);
			consider(state, j, similarity, c);
		}
		memset(state->count + first, 0, (last - first) * sizeof(uint32));
		if (state->dot)
			memset(state->dot + first, 0, (last - first) * sizeof(double));
	}
}

/* Salton's cosine of the two columns, with shrinkage in the denominator. */
static inline double
cosine(const RecSimilarity *state, const PairView *pair)
{
	return pair->d / (state->norm[pair->i] * state->norm[pair->j] +
					  state->options->shrinkage);
}

/*
 * d / (s_i^a * s_j^b), the weights of a user divided by n_u^g before.  Covers
 * cosine (0, .5, .5), P3 (Cooper et al. 2014) and RP3beta (Christoffel et al.
 * 2015).
 */
static inline double
damped_cosine(const RecSimilarity *state, const PairView *pair)
{
	return pair->d / (state->source_factor[pair->i] *
					  state->target_factor[pair->j] +
					  state->options->shrinkage);
}

static inline double
jaccard(const RecSimilarity *state pg_attribute_unused(), const PairView *pair)
{
	return pair->c / (pair->ni + pair->nj - pair->c);
}

static inline double
dice(const RecSimilarity *state pg_attribute_unused(), const PairView *pair)
{
	return 2 * pair->c / (pair->ni + pair->nj);
}

/* Tversky 1977. */
static inline double
tversky(const RecSimilarity *state, const PairView *pair)
{
	return pair->c / (pair->c +
					  state->options->tversky_alpha * (pair->ni - pair->c) +
					  state->options->tversky_beta * (pair->nj - pair->c));
}

/* The overlap coefficient (Szymkiewicz-Simpson). */
static inline double
overlap(const RecSimilarity *state pg_attribute_unused(), const PairView *pair)
{
	return pair->c / Min(pair->ni, pair->nj);
}

/* P(j | i), the confidence of association rules. */
static inline double
conditional(const RecSimilarity *state pg_attribute_unused(), const PairView *pair)
{
	return pair->c / pair->ni;
}

/* How much more often together than if independent. */
static inline double
lift(const RecSimilarity *state, const PairView *pair)
{
	return state->matrix->nusers * pair->c / (pair->ni * pair->nj);
}

/* Pointwise mutual information, natural logarithm (Church and Hanks 1990). */
static inline double
pmi(const RecSimilarity *state, const PairView *pair)
{
	return log(lift(state, pair));
}

/* Normalised to [-1, 1] (Bouma 2009); 1 when all users have both. */
static inline double
npmi(const RecSimilarity *state, const PairView *pair)
{
	double		n = state->matrix->nusers;

	return pair->c == n ? 1 : log(lift(state, pair)) / -log(pair->c / n);
}

static inline double
llr_cell(double observed, double expected)
{
	return observed > 0 ? observed * log(observed / expected) : 0;
}

/* Dunning's G squared (1993) of the 2x2 table; 0 for a negative association. */
static inline double
llr(const RecSimilarity *state, const PairView *pair)
{
	double		n = state->matrix->nusers;
	double		c = pair->c;
	double		ni = pair->ni;
	double		nj = pair->nj;

	if (c * n <= ni * nj)
		return 0;
	return 2 * (llr_cell(c, ni * nj / n) +
				llr_cell(ni - c, ni * (n - nj) / n) +
				llr_cell(nj - c, (n - ni) * nj / n) +
				llr_cell(n - ni - nj + c, (n - ni) * (n - nj) / n));
}

#define SWEEP(measure) \
static void \
sweep_##measure(RecSimilarity *state) \
{ \
	sweep(state, measure); \
}

SWEEP(cosine)
SWEEP(damped_cosine)
SWEEP(jaccard)
SWEEP(dice)
SWEEP(tversky)
SWEEP(overlap)
SWEEP(conditional)
SWEEP(lift)
SWEEP(pmi)
SWEEP(npmi)
SWEEP(llr)

/* The registry: an option's value is the index of its row. */
const RecMeasure rec_measures[] = {
	{"cosine", false, REC_CENTRE_NONE, sweep_cosine},
	{"damped_cosine", false, REC_CENTRE_NONE, sweep_damped_cosine},
	{"jaccard", true, REC_CENTRE_NONE, sweep_jaccard},
	{"dice", true, REC_CENTRE_NONE, sweep_dice},
	{"tversky", true, REC_CENTRE_NONE, sweep_tversky},
	{"overlap", true, REC_CENTRE_NONE, sweep_overlap},
	{"conditional", true, REC_CENTRE_NONE, sweep_conditional},
	{"lift", true, REC_CENTRE_NONE, sweep_lift},
	{"pmi", true, REC_CENTRE_NONE, sweep_pmi},
	{"npmi", true, REC_CENTRE_NONE, sweep_npmi},
	{"llr", true, REC_CENTRE_NONE, sweep_llr},
	{"pearson", false, REC_CENTRE_ITEM, sweep_cosine},
	{"adjusted_cosine", false, REC_CENTRE_USER, sweep_cosine},
};

/* Gives a measure's name, NULL past the last one. */
const char *
rec_measure_name(int measure)
{
	return measure < (int) lengthof(rec_measures) ? rec_measures[measure].name : NULL;
}

/* ----------------
 *		rows
 * ----------------
 */

static void *
alloc_working(RecSimilarity *state, Size count, Size width)
{
	Size		size = mul_size(Max(count, 1), width);

	rec_memory_check(state->context, size);
	return MemoryContextAllocExtended(state->context, size,
									  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

static double
item_weight_sum(const RecMatrix *matrix, uint32 item, bool squared)
{
	double		sum = 0;

	if (matrix->item_weight == NULL)
		return item_users(matrix, item);
	for (int64 p = matrix->item_start[item]; p < matrix->item_start[item + 1]; p++)
	{
		double		x = matrix->item_weight[p];

		sum += squared ? x * x : x;
	}
	return sum;
}

/* Makes what the measure needs to know of each item and user. */
static void
prepare_factors(RecSimilarity *state)
{
	const RecMatrix *matrix = state->matrix;
	const RecOptions *options = state->options;

	if (rec_measures[options->measure].sweep == sweep_cosine)
	{
		state->norm = alloc_working(state, matrix->nitems, sizeof(double));
		for (uint32 i = 0; i < matrix->nitems; i++)
			state->norm[i] = sqrt(item_weight_sum(matrix, i, true));
	}
	if (rec_measures[options->measure].sweep != sweep_damped_cosine)
		return;
	state->source_factor = alloc_working(state, matrix->nitems, sizeof(double));
	state->target_factor = alloc_working(state, matrix->nitems, sizeof(double));
	for (uint32 i = 0; i < matrix->nitems; i++)
	{
		double		sum = item_weight_sum(matrix, i, false);

		state->source_factor[i] = pow(sum, options->source_exponent);
		state->target_factor[i] = pow(sum, options->target_exponent);
	}
	if (options->user_exponent == 0)
		return;
	state->user_factor = alloc_working(state, matrix->nusers, sizeof(double));
	for (uint32 u = 0; u < matrix->nusers; u++)
		state->user_factor[u] =
			pow((double) (matrix->user_start[u + 1] - matrix->user_start[u]),
				-options->user_exponent);
}

static RecSimilarity *
create_state(const RecMatrix *matrix, const RecOptions *options)
{
	RecSimilarity *state = palloc0_object(RecSimilarity);

	state->context = AllocSetContextCreate(CurrentMemoryContext,
										   "recommender similarity",
										   ALLOCSET_DEFAULT_SIZES);
	state->matrix = matrix;
	state->options = options;
	state->swapped = options->truncate == REC_TRUNCATE_TARGET;
	prepare_factors(state);
	state->count = alloc_working(state, matrix->nitems, sizeof(uint32));
	if (matrix->item_weight || state->user_factor)
		state->dot = alloc_working(state, matrix->nitems, sizeof(double));
	state->touched = alloc_working(state, matrix->nitems / BLOCK_SIZE + 1, 1);
	state->best_allocated = 2 * options->neighbors + BLOCK_SIZE;
	state->best = alloc_working(state, state->best_allocated, sizeof(RecNeighbor));
	return state;
}

/* Additions that a row takes: the items of all its users. */
static int64
row_work(const RecMatrix *matrix, uint32 row)
{
	int64		work = 0;

	for (int64 p = matrix->item_start[row]; p < matrix->item_start[row + 1]; p++)
	{
		uint32		u = matrix->item_user[p];

		work += matrix->user_start[u + 1] - matrix->user_start[u];
	}
	return work;
}

/* Adds one user's items to the counters, without weights. */
static inline void
add_counts(RecSimilarity *state, uint32 u)
{
	const RecMatrix *matrix = state->matrix;
	uint32	   *restrict count = state->count;
	const uint32 *item = matrix->user_item;
	int64		to = matrix->user_start[u + 1];

	for (int64 q = matrix->user_start[u]; q < to; q++)
		count[item[q]]++;
}

/* Adds one user's items to counters and products. */
static inline void
add_products(RecSimilarity *state, uint32 u, double x)
{
	const RecMatrix *matrix = state->matrix;
	uint32	   *restrict count = state->count;
	double	   *restrict dot = state->dot;
	const uint32 *item = matrix->user_item;
	const double *weight = matrix->user_weight;
	int64		to = matrix->user_start[u + 1];

	for (int64 q = matrix->user_start[u]; q < to; q++)
	{
		count[item[q]]++;
		dot[item[q]] += weight ? x * weight[q] : x;
	}
}

static inline void
touch_blocks(RecSimilarity *state, uint32 u)
{
	const RecMatrix *matrix = state->matrix;

	for (int64 q = matrix->user_start[u]; q < matrix->user_start[u + 1]; q++)
		state->touched[matrix->user_item[q] / BLOCK_SIZE] = 1;
}

/* Fills the counters of the row's item with itself and all others. */
static void
accumulate(RecSimilarity *state)
{
	const RecMatrix *matrix = state->matrix;
	int64		work = 0;

	for (int64 p = matrix->item_start[state->row];
		 p < matrix->item_start[state->row + 1]; p++)
	{
		uint32		u = matrix->item_user[p];
		double		x = matrix->item_weight ? matrix->item_weight[p] : 1;

		if (state->dot == NULL)
			add_counts(state, u);
		else
			add_products(state, u, state->user_factor ? x * state->user_factor[u] : x);
		if (!state->dense)
			touch_blocks(state, u);
		work += matrix->user_start[u + 1] - matrix->user_start[u];
		if (work > INTERRUPT_WORK)
		{
			CHECK_FOR_INTERRUPTS();
			work = 0;
		}
	}
}

/* Leaves the best neighbours of an item in state->best, best first. */
static void
compute_row(RecSimilarity *state, uint32 row)
{
	int			k = state->options->neighbors;

	state->row = row;
	state->row_users = item_users(state->matrix, row);
	state->dense = row_work(state->matrix, row) > state->matrix->nitems / 4;
	state->nbest = 0;
	state->threshold = 0;
	accumulate(state);
	rec_measures[state->options->measure].sweep(state);
	if (state->nbest > k)
	{
		select_best(state->best, state->nbest, k);
		state->nbest = k;
	}
	sort_neighbors(state->best, state->nbest);
}

/* ----------------
 *		truncation per target
 * ----------------
 */

/* Lists of all rows, one after the other. */
typedef struct RowLists
{
	int64	   *start;			/* nitems + 1 */
	RecNeighbor *neighbor;
	int64		allocated;
} RowLists;

static void
append_row(RecSimilarity *state, RowLists *lists)
{
	int64		from = lists->start[state->row];

	if (from + state->nbest > lists->allocated)
	{
		int64		wanted = Max(lists->allocated * 2, from + state->nbest);

		rec_memory_check(state->context,
						 mul_size(wanted - lists->allocated, sizeof(RecNeighbor)));
		lists->neighbor = repalloc_huge(lists->neighbor,
										mul_size(wanted, sizeof(RecNeighbor)));
		lists->allocated = wanted;
	}
	memcpy(lists->neighbor + from, state->best, state->nbest * sizeof(RecNeighbor));
	lists->start[state->row + 1] = from + state->nbest;
}

/* Turns lists of sources per target into lists of targets per source. */
static void
transpose_lists(RecSimilarity *state, const RowLists *in, RowLists *out)
{
	uint32		nitems = state->matrix->nitems;
	int64		total = in->start[nitems];
	int64	   *next = alloc_working(state, nitems, sizeof(int64));

	out->start = alloc_working(state, (Size) nitems + 1, sizeof(int64));
	out->neighbor = alloc_working(state, total, sizeof(RecNeighbor));
	for (int64 p = 0; p < total; p++)
		out->start[in->neighbor[p].item + 1]++;
	for (uint32 i = 0; i < nitems; i++)
	{
		out->start[i + 1] += out->start[i];
		next[i] = out->start[i];
	}
	for (uint32 target = 0; target < nitems; target++)
	{
		for (int64 p = in->start[target]; p < in->start[target + 1]; p++)
		{
			RecNeighbor neighbor = in->neighbor[p];
			int64		at = next[neighbor.item]++;

			neighbor.item = target;
			out->neighbor[at] = neighbor;
		}
	}
}

static void
rows_per_target(RecSimilarity *state, RecRowSink sink, void *arg)
{
	uint32		nitems = state->matrix->nitems;
	RowLists	by_target;
	RowLists	by_source;

	by_target.start = alloc_working(state, (Size) nitems + 1, sizeof(int64));
	by_target.allocated = 1024;
	by_target.neighbor = alloc_working(state, by_target.allocated, sizeof(RecNeighbor));
	for (uint32 row = 0; row < nitems; row++)
	{
		CHECK_FOR_INTERRUPTS();
		compute_row(state, row);
		append_row(state, &by_target);
	}
	transpose_lists(state, &by_target, &by_source);
	for (uint32 row = 0; row < nitems; row++)
	{
		RecNeighbor *list = by_source.neighbor + by_source.start[row];
		int			n = (int) (by_source.start[row + 1] - by_source.start[row]);

		CHECK_FOR_INTERRUPTS();
		sort_neighbors(list, n);
		sink(arg, row, list, n);
	}
}

/*
 * Computes the best neighbours of every item by the options' measure and
 * hands them to the sink, items in order, best neighbour first, ties to the
 * item with the smaller number.  Items without neighbours come too, with
 * n = 0.  The lists live until the sink returns.
 */
void
rec_similarity_rows(const RecMatrix *matrix, const RecOptions *options,
					RecRowSink sink, void *arg)
{
	RecSimilarity *state = create_state(matrix, options);

	if (options->truncate == REC_TRUNCATE_TARGET)
		rows_per_target(state, sink, arg);
	else
	{
		for (uint32 row = 0; row < matrix->nitems; row++)
		{
			CHECK_FOR_INTERRUPTS();
			compute_row(state, row);
			sink(arg, row, state->best, state->nbest);
		}
	}
	MemoryContextDelete(state->context);
	pfree(state);
}
