/*-------------------------------------------------------------------------
 *
 * similarity_row.c
 *	  The best neighbours of one item.
 *
 * One row at a time of the product of the matrix with its transpose (Gustavson
 * 1978): first common users are counted (similarity_count.c), then the counters
 * become similarities, of which the best are kept (similarity_sweep.c).  The work
 * is the sum over users of the square of their items; the memory is a few bytes
 * per item.
 *
 * Items are numbered by popularity, so that the counters used most share cache
 * lines, and ties need no comparison of ids: the first item wins.
 *
 * Numbers only: no Datum, no SPI.  Working memory is a child of the current
 * memory context.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/similarity/similarity_row.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "pg/memory_budget.h"
#include "similarity/similarity_count.h"
#include "similarity/similarity_row.h"
#include "similarity/similarity_sweep.h"
#include "utils/float.h"
#include "utils/memutils.h"

#define DENSE_SHARE		4		/* additions per this many items: mark no
								 * blocks */

#define LEAST_SQUARE	1e-290	/* of a norm: less has lost its digits, and leaves an item without neighbours */

/* ----------------
 *		preparation
 * ----------------
 */

/* Return zeroed memory aligned for vector units. */
static void *
alloc_aligned(RecSimilarity *state, Size count, Size width)
{
	return (void *) CACHELINEALIGN(rec_memory_budget_alloc(state->mcxt, count * width + PG_CACHE_LINE_SIZE, 1));
}

static inline double
item_users(const RecMatrix *matrix, uint32 item)
{
	return (double) (matrix->item_start[item + 1] - matrix->item_start[item]);
}

/* Return each item's sum of weights, or of their squares, users in order. */
static double *
sum_weights(RecSimilarity *state, bool squared)
{
	const RecMatrix *matrix = state->matrix;
	double	   *sum = rec_memory_budget_alloc(state->mcxt, matrix->nitems, sizeof(double));

	if (matrix->user_weight == NULL)
		memcpy(sum, state->users, matrix->nitems * sizeof(double));
	for (int64 p = 0; matrix->user_weight && p < matrix->npairs; p++)
	{
		double		x = matrix->user_weight[p];

		sum[matrix->user_item[p]] += squared ? x * x : x;
	}
	return sum;
}

static void
prepare_norms(RecSimilarity *state)
{
	state->row_norm = sum_weights(state, true);
	state->other_norm = state->row_norm;
	for (uint32 i = 0; i < state->matrix->nitems; i++)
		state->row_norm[i] = state->row_norm[i] >= LEAST_SQUARE ? sqrt(state->row_norm[i]) :
			get_float8_infinity();
}

static void
prepare_powers(RecSimilarity *state)
{
	const RecMatrix *matrix = state->matrix;
	const RecOptions *options = state->options;
	bool		swapped = options->truncate == REC_TRUNCATE_TARGET;

	state->row_norm = sum_weights(state, false);
	state->other_norm = rec_memory_budget_alloc(state->mcxt, matrix->nitems, sizeof(double));
	for (uint32 i = 0; i < matrix->nitems; i++)
	{
		double		source = pow(state->row_norm[i], options->source_exponent);
		double		target = pow(state->row_norm[i], options->target_exponent);

		state->row_norm[i] = swapped ? target : source;
		state->other_norm[i] = swapped ? source : target;
	}
	if (options->user_exponent == 0)
		return;
	state->user_scale = rec_memory_budget_alloc(state->mcxt, matrix->nusers, sizeof(double));
	for (uint32 u = 0; u < matrix->nusers; u++)
		state->user_scale[u] =
			pow((double) (matrix->user_start[u + 1] - matrix->user_start[u]),
				-options->user_exponent);
}

/* Compute what the measure needs of each item and user. */
static void
prepare_items_and_users(RecSimilarity *state)
{
	const RecMatrix *matrix = state->matrix;

	state->users = rec_memory_budget_alloc(state->mcxt, matrix->nitems, sizeof(double));
	for (uint32 i = 0; i < matrix->nitems; i++)
		state->users[i] = item_users(matrix, i);
	if (state->measure->norm == REC_NORM_ROOT)
		prepare_norms(state);
	else if (state->measure->norm == REC_NORM_POWER)
		prepare_powers(state);
}

/* Return the bytes of a counter that can count so many. */
static inline int
counter_size(double largest)
{
	if (largest <= PG_UINT8_MAX)
		return sizeof(uint8);
	return largest <= PG_UINT16_MAX ? sizeof(uint16) : sizeof(uint32);
}

/* Return the least norm of each block, by which its products are compared. */
static double *
least_norms(RecSimilarity *state)
{
	double	   *least = rec_memory_budget_alloc(state->mcxt, state->nblocks, sizeof(double));

	for (uint32 block = 0; block < state->nblocks; block++)
	{
		uint32		last = rec_similarity_state_last_of_block(state, block);

		least[block] = state->other_norm[last];
		for (uint32 i = block * REC_BLOCK_SIZE; i < last; i++)
			least[block] = Min(least[block], state->other_norm[i]);
	}
	return least;
}

static void
prepare_counters(RecSimilarity *state)
{
	const RecMatrix *matrix = state->matrix;
	Size		ncounters;

	state->nblocks = (matrix->nitems + REC_BLOCK_SIZE - 1) / REC_BLOCK_SIZE;
	ncounters = (Size) state->nblocks * REC_BLOCK_SIZE;
	state->count = alloc_aligned(state, ncounters,
								 matrix->nitems > 0 ? counter_size(state->users[0]) : 1);
	if (matrix->user_weight || state->user_scale)
	{
		state->dot = alloc_aligned(state, ncounters, sizeof(double));
		state->block_norm = least_norms(state);
	}
	state->touched = alloc_aligned(state, state->nblocks + REC_BLOCK_SIZE, sizeof(uint8));
	state->dirty = rec_memory_budget_alloc(state->mcxt, state->nblocks + 1, sizeof(uint32));
	state->candidate = rec_memory_budget_alloc(state->mcxt, REC_SEGMENT_SIZE + REC_BLOCK_SIZE, sizeof(uint32));
}

static void
prepare_view(RecSimilarity *state)
{
	RecRowView *view = &state->view;
	MemoryContext old;

	view->options = state->options;
	view->swapped = state->options->truncate == REC_TRUNCATE_TARGET;
	view->nitems = state->matrix->nitems;
	view->all_users = state->matrix->nusers;
	view->users = state->users;
	view->norm = state->other_norm;
	view->dot = state->dot;
	if (state->measure->make_table == NULL)
		return;
	old = MemoryContextSwitchTo(state->mcxt);
	view->table = state->measure->make_table(view);
	MemoryContextSwitchTo(old);
}

/* Return an upper estimate of the memory for computing rows of a matrix. */
Size
rec_similarity_row_memory(const RecMatrix *matrix)
{
	/* users, norms, products and a table; counters, blocks */
	return add_size(mul_size(matrix->nitems, 5 * sizeof(double) + 2 * sizeof(uint32)),
					mul_size(matrix->nusers, sizeof(double)));
}

/*
 * Prepare to compute rows of a matrix, until rec_similarity_row_end(). Both
 * arguments must stay valid.
 */
RecSimilarity *
rec_similarity_row_begin(const RecMatrix *matrix, const RecOptions *options)
{
	RecSimilarity *state = palloc0_object(RecSimilarity);

	state->mcxt = AllocSetContextCreate(CurrentMemoryContext,
										   "recommender similarity",
										   ALLOCSET_DEFAULT_SIZES);
	state->matrix = matrix;
	state->options = options;
	state->measure = &rec_measures[options->measure];
	prepare_items_and_users(state);
	prepare_counters(state);
	prepare_view(state);
	rec_topk_init(&state->topk, state->mcxt, options->neighbors, REC_SEGMENT_SIZE);
	return state;
}

/* ----------------
 *		rows
 * ----------------
 */

/* Return the number of additions for a row: the items of all its users. */
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

static void
begin_row(RecSimilarity *state, uint32 row)
{
	RecRowView *view = &state->view;

	state->row = row;
	state->work = row_work(state->matrix, row);
	state->dense = state->work > (int64) state->matrix->nitems / DENSE_SHARE;
	view->row_users = state->users[row];
	view->row_norm = state->row_norm ? state->row_norm[row] : 0;
	view->count = state->count;
	view->count_size = counter_size(view->row_users);
}

/*
 * Return the best neighbours of an item, best first, in "best" and "n" of the
 * result, which is valid until the next call. With truncation per target, the
 * item is their target.
 */
const RecTopk *
rec_similarity_row_compute(RecSimilarity *state, uint32 row)
{
	RecTopk    *topk = &state->topk;

	begin_row(state, row);
	for (bool guess = true;; guess = false)
	{
		rec_similarity_count(state);
		rec_similarity_sweep_find_dirty(state);
		topk->n = 0;
		topk->limit = REC_LEAST_SIMILARITY;
		if (guess)
			rec_similarity_sweep_guess_limit(state);
		rec_similarity_sweep(state);
		/* if the limit was too high, repeat without one */
		if (topk->n >= topk->k || topk->limit == REC_LEAST_SIMILARITY)
			break;
	}
	rec_topk_finish(topk);
	return topk;
}

/* Free everything. */
void
rec_similarity_row_end(RecSimilarity *state)
{
	MemoryContextDelete(state->mcxt);
	pfree(state);
}
