/*-------------------------------------------------------------------------
 *
 * folding.c
 *	  Folding in rows of a matrix of interactions, and scoring items by factors.
 *
 * Every user u and item i have factors, w_u and h_i, whose product w_u'h_i is
 * to be 1 where the user has shown interest and 0 elsewhere.  Given those of
 * the items, the user's are the ones that minimise
 *
 *	  sum over observed i of c_i (p_i - w'h_i)^2
 *	  + unobserved * sum over all i of (w'h_i)^2
 *	  + regularization * (n + unobserved * items)^exponent * |w|^2,
 *
 * where n is the number of observations, c_i is the confidence, |weight| *
 * scale, and p_i is 1, or 0 where the weight is negative (Hu, Koren, Volinsky
 * 2008; the penalty by Rendle, Krichene, Zhang, Koren 2022).  For an item, the
 * roles are exchanged.
 *
 * With H the observed columns' factors, C their confidences and D the part
 * that all rows of as many observations have in common, the solution is
 *
 *	  w = (D + H'CH)^-1 H'Cp					of the order of the factors
 *	    = D^-1 H' (C^-1 + H D^-1 H')^-1 p		of the order of observations
 *
 * and the smaller of the two systems is solved.  Most rows have few
 * observations, for which the second form is about ten times faster.  It
 * requires that D is diagonal: D is the Gramian of all columns, weighted, plus
 * the penalty, and the factors are stored in a basis in which the Gramian of
 * the items is diagonal (products do not change when both sides are rotated).
 *
 * Knows numbers only: no Datum, no SPI.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/factor/folding.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "factor/folding.h"
#include "math/dense.h"
#include "pg/prefetch.h"
#include "storage/shmem.h"
#include "utils/float.h"

#define LEAST_CONFIDENCE	1e-9	/* least confidence of an observation */
#define MOST_CONFIDENCE		1e9		/* more changes the solution by less than
									 * rounding, and makes systems singular */
#define LEAST_ROWS			64	/* buffered before they are multiplied */

struct RecFolding
{
	int			nfactors;
	Size		order;			/* nfactors, padded */
	Size		nrows;			/* room in the buffer */
	double	   *rows;			/* observations as rows of "order" numbers */
	double	   *diagonal;		/* D */
	double	   *system;
	double	   *solution;
	double	   *confidence;		/* of the rows in the buffer */
	double	   *target;			/* p, likewise */
	RecDense   *dense;

	/* the current row */
	const RecFolds *folds;
	bool		by_observations;	/* the second form */
	Size		nbuffered;
};

/* ----------------
 *		vectors
 * ----------------
 */

#ifdef __GNUC__

#define LANES	4

typedef double Vector __attribute__((vector_size(32)));
typedef double StoredVector __attribute__((vector_size(32), aligned(8), may_alias));
typedef float StoredFloats __attribute__((vector_size(16), aligned(4), may_alias));

/* Set y = x * by, element by element. */
static pg_attribute_always_inline void
multiply(double *y, const float4 *x, const double *by, int nfactors)
{
	int			k = 0;

	for (; k + LANES <= nfactors; k += LANES)
		*(StoredVector *) (y + k) = *(const StoredVector *) (by + k) *
			__builtin_convertvector(*(const StoredFloats *) (x + k), Vector);
	for (; k < nfactors; k++)
		y[k] = x[k] * by[k];
}

/* Add x * by to y. */
static pg_attribute_always_inline void
add_scaled(double *y, const float4 *x, double by, int nfactors)
{
	Vector		multiplier = {by, by, by, by};
	int			k = 0;

	for (; k + LANES <= nfactors; k += LANES)
		*(StoredVector *) (y + k) += multiplier *
			__builtin_convertvector(*(const StoredFloats *) (x + k), Vector);
	for (; k < nfactors; k++)
		y[k] += by * x[k];
}

/* Return the product of a user's and an item's factors. */
static pg_attribute_always_inline double
product(const double *user, const float4 *item, int nfactors)
{
	Vector		sums = {0};
	double		sum = 0;
	int			k = 0;

	for (; k + LANES <= nfactors; k += LANES)
		sums += *(const StoredVector *) (user + k) *
			__builtin_convertvector(*(const StoredFloats *) (item + k), Vector);
	for (; k < nfactors; k++)
		sum += user[k] * item[k];
	return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + sum;
}

#else

static inline void
multiply(double *y, const float4 *x, const double *by, int nfactors)
{
	for (int k = 0; k < nfactors; k++)
		y[k] = x[k] * by[k];
}

static inline void
add_scaled(double *y, const float4 *x, double by, int nfactors)
{
	for (int k = 0; k < nfactors; k++)
		y[k] += by * x[k];
}

static inline double
product(const double *user, const float4 *item, int nfactors)
{
	double		sum = 0;

	for (int k = 0; k < nfactors; k++)
		sum += user[k] * item[k];
	return sum;
}

#endif

/* ----------------
 *		folding in
 * ----------------
 */

static double *
alloc_numbers(MemoryContext mcxt, Size rows, Size columns)
{
	return MemoryContextAllocExtended(mcxt,
									  mul_size(mul_size(rows, columns), sizeof(double)),
									  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

/* Return scratch space for rows of nfactors factors, in "mcxt". */
RecFolding *
rec_folding_create(MemoryContext mcxt, int nfactors)
{
	RecFolding *folding = MemoryContextAllocZero(mcxt, sizeof(RecFolding));

	folding->nfactors = nfactors;
	folding->order = REC_DENSE_ORDER(nfactors);
	folding->nrows = Max(folding->order, LEAST_ROWS);
	folding->rows = alloc_numbers(mcxt, folding->nrows, folding->order);
	folding->diagonal = alloc_numbers(mcxt, folding->order, 1);
	folding->system = alloc_numbers(mcxt, folding->order, folding->order);
	folding->solution = alloc_numbers(mcxt, folding->order, 1);
	folding->confidence = alloc_numbers(mcxt, folding->nrows, 1);
	folding->target = alloc_numbers(mcxt, folding->nrows, 1);
	folding->dense = rec_dense_create(mcxt, folding->order);
	return folding;
}

/* Return the bytes that such scratch space takes, or slightly more. */
Size
rec_folding_size(int nfactors)
{
	Size		order = REC_DENSE_ORDER(nfactors);

	return add_size(mul_size(mul_size(2 * order + LEAST_ROWS + 4, order), sizeof(double)),
					rec_dense_size(order));
}

/*
 * Return true when an interaction of this weight, of either sign, counts as
 * observed: its confidence is not negligible.
 */
bool
rec_folding_counts(const RecFolds *folds, double weight)
{
	return fabs(weight) * folds->scale >= LEAST_CONFIDENCE;
}

/* Return the confidence of an observation of this weight. */
static inline double
confidence_of(const RecFolds *folds, double weight)
{
	return Min(fabs(weight) * folds->scale, MOST_CONFIDENCE);
}

static void
begin(RecFolding *folding, const RecFolds *folds, int64 nobserved, bool by_observations)
{
	double		behind = (double) nobserved + folds->unobserved * folds->ncolumns;
	double		penalty = folds->regularization * pow(behind, folds->exponent);
	Size		order;

	Assert(folds->nfactors == folding->nfactors);
	folding->folds = folds;
	folding->by_observations = by_observations;
	folding->nbuffered = 0;
	for (int k = 0; k < folds->nfactors; k++)
		folding->diagonal[k] = folds->unobserved * folds->gram[k] + penalty;
	if (isinf(penalty))
		float_overflow_error();
	order = folding->by_observations ? REC_DENSE_ORDER(nobserved) : folding->order;
	memset(folding->system, 0, order * order * sizeof(double));
	memset(folding->solution, 0, order * sizeof(double));
	if (folding->by_observations)
	{
		for (int k = 0; k < folds->nfactors; k++)
			folding->diagonal[k] = 1 / sqrt(folding->diagonal[k]);
		return;
	}
	for (Size k = 0; k < order; k++)
		folding->system[k * order + k] = k < (Size) folds->nfactors ? folding->diagonal[k] : 1;
}

/*
 * Begin a row with "nobserved" observations that count; exactly these must be
 * added.
 */
void
rec_folding_begin(RecFolding *folding, const RecFolds *folds, int64 nobserved)
{
	begin(folding, folds, nobserved, nobserved < folds->nfactors);
}

/* Add H'CH and H'Cp of the buffered rows to the first form's system. */
static void
flush_rows(RecFolding *folding)
{
	Size		order = folding->order;

	rec_dense_add_product(folding->dense, folding->system, order, folding->rows,
						  1, order, folding->nbuffered);
	folding->nbuffered = 0;
}

/*
 * Add an observation: the column's nfactors numbers and the interaction's
 * weight.  A negative weight means that the product shall be 0, not 1.
 */
REC_TARGET_CLONES void
rec_folding_add(RecFolding *folding, const float4 *column, double weight)
{
	int			n = folding->nfactors;
	double		confidence = confidence_of(folding->folds, weight);
	double		target = weight > 0;
	double	   *row = folding->rows + folding->nbuffered * folding->order;

	if (folding->by_observations)
	{
		multiply(row, column, folding->diagonal, n);
		folding->confidence[folding->nbuffered] = confidence;
		folding->target[folding->nbuffered++] = target;
		return;
	}
	memset(row, 0, n * sizeof(double));
	add_scaled(row, column, sqrt(confidence), n);
	if (target > 0)
		add_scaled(folding->solution, column, confidence, n);
	if (++folding->nbuffered == folding->nrows)
		flush_rows(folding);
}

/* Solve the second form's system and compute the factors. */
static void
finish_by_observations(RecFolding *folding, double *result)
{
	Size		n = folding->nbuffered;
	Size		order = REC_DENSE_ORDER(n);
	Size		width = folding->order;

	/* rows of padding must be zero */
	memset(folding->rows + n * width, 0, (order - n) * width * sizeof(double));
	rec_dense_add_product(folding->dense, folding->system, order, folding->rows,
						  width, 1, width);
	for (Size i = 0; i < order; i++)
		folding->system[i * order + i] += i < n ? 1 / folding->confidence[i] : 1;
	memcpy(folding->solution, folding->target, n * sizeof(double));
	if (n > 0)
		rec_dense_solve(folding->dense, folding->system, order, folding->solution);
	memset(result, 0, folding->nfactors * sizeof(double));
	for (Size i = 0; i < n; i++)
		for (int k = 0; k < folding->nfactors; k++)
			result[k] += folding->solution[i] * folding->rows[i * width + k];
	for (int k = 0; k < folding->nfactors; k++)
		result[k] *= folding->diagonal[k];
}

/* Finish the row and return its nfactors numbers. */
void
rec_folding_finish(RecFolding *folding, double *row)
{
	if (folding->by_observations)
	{
		finish_by_observations(folding, row);
		return;
	}
	flush_rows(folding);
	rec_dense_solve(folding->dense, folding->system, folding->order, folding->solution);
	memcpy(row, folding->solution, folding->nfactors * sizeof(double));
}

/* ----------------
 *		what follows from what
 *
 * The row's product with any column's factors h is the sum over its
 * observations of c_i p_i h_i'(D + H'CH)^-1 h: a response to each.
 * ----------------
 */

/* Begin a row whose responses are needed; observations must be added next. */
void
rec_folding_begin_responses(RecFolding *folding, const RecFolds *folds, int64 nobserved)
{
	begin(folding, folds, nobserved, false);
}

/* End the observations. */
void
rec_folding_end_responses(RecFolding *folding)
{
	flush_rows(folding);
	rec_dense_cholesky(folding->dense, folding->system, folding->order);
}

/*
 * Return the response, nfactors numbers, to an observation that was added: its
 * product with an item's factors is the observation's part of the item's
 * value.  The response to an observation of negative weight is zero.
 */
void
rec_folding_response(RecFolding *folding, const float4 *column, double weight,
					 double *response)
{
	double		counts = weight > 0 ? confidence_of(folding->folds, weight) : 0;

	memset(folding->solution, 0, folding->order * sizeof(double));
	for (int k = 0; k < folding->nfactors; k++)
		folding->solution[k] = counts * column[k];
	rec_dense_substitute(folding->dense, folding->system, folding->order, folding->solution);
	memcpy(response, folding->solution, folding->nfactors * sizeof(double));
}

/* ----------------
 *		scores
 * ----------------
 */

/*
 * Compute the values of items for a user's nfactors numbers; the factors of
 * the items are nitems rows.  Values are about 1 for items that suit and 0 for
 * others, but may lie outside of that range.
 */
REC_TARGET_CLONES void
rec_folding_score(const double *user, const float4 *items, int nfactors,
				  uint32 nitems, float4 *values)
{
	for (uint32 i = 0; i < nitems; i++)
		values[i] = (float4) product(user, items + (Size) i * nfactors, nfactors);
}
