/*-------------------------------------------------------------------------
 *
 * als_step.c
 *	  The phases of alternating least squares, as one process goes through them.
 *
 * A step computes the factors of one side, users or items, from those of the
 * other.  It has four phases: the Gramian of the given side is added up in a
 * fixed number of parts; its eigenvectors are found; the given side is rotated,
 * so that its Gramian is diagonal; the rows of the other side are solved, one
 * by one.  In each phase but the second, processes take blocks of rows from a
 * counter.  A block is computed from the same numbers in the same order by
 * whichever process takes it, so the result has the same bits for any number
 * of processes.
 *
 * Factors are stored as float4; everything is computed in double.
 *
 * Knows numbers only: no Datum, no SPI.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/factor/als_step.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "common/pg_prng.h"
#include "factor/als_step.h"
#include "math/eigen.h"
#include "miscadmin.h"
#include "pg/memory_budget.h"
#include "pg/prefetch.h"
#include "utils/float.h"

#define BLOCK_ROWS			16	/* rows that are solved at a time */
#define BUFFER_ROWS			64	/* rows that are multiplied or rotated */
#define PREFETCH_ROWS		4	/* of the other side, prefetched */
#define INITIAL_LENGTH		0.1 /* root mean square of an item's factors */

/* One side of the matrix. */
typedef struct Side
{
	uint32		nrows;
	const int64 *start;
	const uint32 *column;
	const double *weight;		/* NULL when every weight is 1 */
	float4	   *factors;
	const RecFolds *folds;
} Side;

static Side
user_side(const RecAls *als)
{
	const RecMatrix *matrix = als->matrix;
	Side		side = {matrix->nusers, matrix->user_start, matrix->user_item,
	matrix->user_weight, als->users, &als->shared->user_folds};

	return side;
}

static Side
item_side(const RecAls *als)
{
	const RecMatrix *matrix = als->matrix;
	Side		side = {matrix->nitems, matrix->item_start, matrix->item_user,
	matrix->item_weight, als->items, &als->shared->item_folds};

	return side;
}

/*
 * Return the side that is solved in a step; the first step solves the users.
 */
static Side
solved_side(const RecAls *als, int step)
{
	return step % 2 == 0 ? user_side(als) : item_side(als);
}

static Side
given_side(const RecAls *als, int step)
{
	return step % 2 == 0 ? item_side(als) : user_side(als);
}

/*
 * Take the next of n blocks of a kind of work; return false when all are
 * taken.
 */
static bool
take_block(RecAls *als, RecAlsWork work, uint32 n, uint32 *block)
{
	CHECK_FOR_INTERRUPTS();
	*block = pg_atomic_fetch_add_u32(&als->shared->next[work], 1);
	return *block < n;
}

static inline uint32
count_blocks(uint32 nrows, uint32 rows_of_block)
{
	return nrows / rows_of_block + (nrows % rows_of_block != 0);
}

/* ----------------
 *		the Gramian
 * ----------------
 */

/* Add the products of the factors of some rows to a part. */
static void
multiply_rows(RecAls *als, const Side *side, uint32 from, uint32 to, double *part)
{
	int			n = als->nfactors;
	Size		order = REC_DENSE_ORDER(n);

	memset(part, 0, order * order * sizeof(double));
	for (uint32 first = from; first < to; first += BUFFER_ROWS)
	{
		uint32		rows = Min(BUFFER_ROWS, to - first);

		for (uint32 r = 0; r < rows; r++)
			for (int k = 0; k < n; k++)
				als->buffer[r * order + k] = side->factors[(Size) (first + r) * n + k];
		rec_dense_add_product(als->dense, part, order, als->buffer, 1, order, rows);
	}
}

static void
multiply(RecAls *als, int step)
{
	Side		side = given_side(als, step);
	uint32		nparts = als->shared->nparts;
	Size		size = REC_DENSE_ORDER(als->nfactors) * REC_DENSE_ORDER(als->nfactors);
	uint32		part;

	while (take_block(als, REC_ALS_MULTIPLY, nparts, &part))
		multiply_rows(als, &side,
					  (uint32) ((uint64) side.nrows * part / nparts),
					  (uint32) ((uint64) side.nrows * (part + 1) / nparts),
					  als->parts + part * size);
}

/* Add up the parts, and compute eigenvalues and eigenvectors of the sum. */
static void
diagonalize(RecAls *als)
{
	int			n = als->nfactors;
	Size		order = REC_DENSE_ORDER(n);

	for (int i = 0; i < n; i++)
		for (int j = 0; j <= i; j++)
		{
			double		sum = 0;

			for (int part = 0; part < als->shared->nparts; part++)
				sum += als->parts[(part * order + i) * order + j];
			if (!isfinite(sum))
				float_overflow_error();
			als->vectors[(Size) i * n + j] = als->vectors[(Size) j * n + i] = sum;
		}
	rec_eigen_decompose(als->vectors, n, als->gram);
	for (int k = 0; k < n; k++)
		als->gram[k] = Max(als->gram[k], 0);
	for (int work = 0; work < REC_ALS_NWORKS; work++)
		pg_atomic_write_u32(&als->shared->next[work], 0);
}

/* Rotate some rows to the eigenvectors. */
static void
rotate_rows(RecAls *als, float4 *factors, uint32 nrows)
{
	int			n = als->nfactors;

	for (int k = 0; k < n; k++)
	{
		rec_folding_score(als->vectors + (Size) k * n, factors, n, nrows, als->column);
		for (uint32 r = 0; r < nrows; r++)
			als->rotated[(Size) r * n + k] = als->column[r];
	}
	memcpy(factors, als->rotated, (Size) nrows * n * sizeof(float4));
}

static void
rotate(RecAls *als, int step)
{
	Side		side = given_side(als, step);
	uint32		block;

	while (take_block(als, REC_ALS_ROTATE, count_blocks(side.nrows, BUFFER_ROWS), &block))
	{
		uint32		first = block * BUFFER_ROWS;

		rotate_rows(als, side.factors + (Size) first * als->nfactors,
					Min(BUFFER_ROWS, side.nrows - first));
	}
}

/* ----------------
 *		solving rows
 * ----------------
 */

/*
 * Prefetch the factors of a row; the processor prefetches the rest of a long
 * one.
 */
static inline void
prefetch_row(const float4 *row, int n)
{
	for (int k = 0; k < Min(n, 128); k += 16)
		rec_prefetch(row + k);
}

static void
solve_row(RecAls *als, const Side *side, const RecFolds *folds, const float4 *columns,
		  uint32 row)
{
	int			n = als->nfactors;
	int64		from = side->start[row];
	int64		to = side->start[row + 1];
	int64		observed = 0;

	for (int64 p = from; p < to; p++)
		observed += rec_folding_counts(folds, side->weight ? side->weight[p] : 1);
	rec_folding_begin(als->folding, folds, observed);
	for (int64 p = from; p < to; p++)
	{
		double		weight = side->weight ? side->weight[p] : 1;

		if (p + PREFETCH_ROWS < to)
			prefetch_row(columns + (Size) side->column[p + PREFETCH_ROWS] * n, n);
		if (rec_folding_counts(folds, weight))
			rec_folding_add(als->folding, columns + (Size) side->column[p] * n, weight);
	}
	rec_folding_finish(als->folding, als->solution);
	for (int k = 0; k < n; k++)
		side->factors[(Size) row * n + k] = (float4) als->solution[k];
}

static void
solve(RecAls *als, int step)
{
	Side		side = solved_side(als, step);
	Side		given = given_side(als, step);
	RecFolds	folds = *side.folds;
	uint32		block;

	folds.gram = als->gram;
	while (take_block(als, REC_ALS_SOLVE, count_blocks(side.nrows, BLOCK_ROWS), &block))
	{
		uint32		first = block * BLOCK_ROWS;

		for (uint32 row = first; row < Min(first + BLOCK_ROWS, side.nrows); row++)
		{
			CHECK_FOR_INTERRUPTS();
			solve_row(als, &side, &folds, given.factors, row);
		}
	}
}

/* ----------------
 *		phases
 * ----------------
 */

/*
 * Return the number of phases: those of all steps, then the last rotation of
 * the items.
 */
int
rec_als_step_phases(const RecAlsShared *shared)
{
	return 2 * shared->iterations * REC_ALS_NWORKS + REC_ALS_SOLVE;
}

/* Do one process's part of a phase. */
void
rec_als_step_run(RecAls *als, int phase, bool leader)
{
	int			step = phase / REC_ALS_NWORKS;

	switch (phase % REC_ALS_NWORKS)
	{
		case REC_ALS_MULTIPLY:
			multiply(als, step);
			break;
		case REC_ALS_DIAGONALIZE:
			if (leader)
				diagonalize(als);
			break;
		case REC_ALS_ROTATE:
			rotate(als, step);
			break;
		case REC_ALS_SOLVE:
			solve(als, step);
			break;
	}
}

/* ----------------
 *		setting up
 * ----------------
 */

/* Return the approximate number of multiplications of all phases. */
double
rec_als_step_work(const RecAls *als)
{
	double		n = als->nfactors;
	double		rows = (double) als->matrix->nusers + als->matrix->nitems;

	return als->shared->iterations * n * (2 * n * rows + 32.0 * als->matrix->npairs);
}

/* Return the address of the pointer to one of the arrays. */
void **
rec_als_step_array(RecAls *als, RecAlsArray which)
{
	void	  **arrays[REC_ALS_NARRAYS] = {
		(void **) &als->users, (void **) &als->items, (void **) &als->parts,
		(void **) &als->vectors, (void **) &als->gram
	};

	return arrays[which];
}

/* Return the size of one of the arrays in bytes. */
Size
rec_als_step_array_size(const RecAls *als, RecAlsArray which)
{
	Size		n = als->nfactors;
	Size		order = REC_DENSE_ORDER(n);
	Size		count = 0;

	switch (which)
	{
		case REC_ALS_USERS:
			return mul_size(mul_size(als->matrix->nusers, n), sizeof(float4));
		case REC_ALS_ITEMS:
			return mul_size(mul_size(als->matrix->nitems, n), sizeof(float4));
		case REC_ALS_PARTS:
			count = als->shared->nparts * order * order;
			break;
		case REC_ALS_VECTORS:
			count = n * n;
			break;
		case REC_ALS_GRAM:
			count = n;
			break;
		case REC_ALS_NARRAYS:
			break;
	}
	return mul_size(count, sizeof(double));
}

/* Allocate the process's own scratch space in "mcxt". */
void
rec_als_step_prepare(RecAls *als, MemoryContext mcxt)
{
	Size		n = als->nfactors;
	Size		order = REC_DENSE_ORDER(n);

	rec_memory_budget_check(als->mcxt, rec_folding_size(als->nfactors) + rec_dense_size(order) +
							BUFFER_ROWS * order * (sizeof(double) + sizeof(float4)));
	als->folding = rec_folding_create(mcxt, als->nfactors);
	als->dense = rec_dense_create(mcxt, order);
	als->buffer = MemoryContextAllocZero(mcxt, BUFFER_ROWS * order * sizeof(double));
	als->rotated = MemoryContextAlloc(mcxt, BUFFER_ROWS * n * sizeof(float4));
	als->column = MemoryContextAlloc(mcxt, BUFFER_ROWS * sizeof(float4));
	als->solution = MemoryContextAlloc(mcxt, n * sizeof(double));
}

/* Return a number from the standard normal distribution, by Box and Muller. */
static double
random_normal(pg_prng_state *prng)
{
	double		u = 1 - pg_prng_double(prng);
	double		v = pg_prng_double(prng);

	return sqrt(-2 * log(u)) * cos(2 * M_PI * v);
}

/*
 * Draw the items' first factors, each from the seed and the item's number
 * alone.
 */
void
rec_als_step_initialize(RecAls *als)
{
	int			n = als->nfactors;

	for (uint32 i = 0; i < als->matrix->nitems; i++)
	{
		pg_prng_state prng;

		CHECK_FOR_INTERRUPTS();
		pg_prng_seed(&prng, als->shared->seed * UINT64CONST(0x9E3779B97F4A7C15) + i);
		for (int k = 0; k < n; k++)
			als->items[(Size) i * n + k] =
				(float4) (random_normal(&prng) * INITIAL_LENGTH / sqrt(n));
	}
}
