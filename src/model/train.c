/*-------------------------------------------------------------------------
 *
 * train.c
 *	  What a model learns of a matrix.
 *
 * A refresh stores it, an evaluation keeps it in memory: both have it from
 * here, so that what is measured is what is served.
 *
 * Knows numbers only: no Datum, no SPI.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/model/train.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "model/train.h"
#include "similarity/borrowed_neighbors.h"
#include "similarity/ridge.h"
#include "storage/shmem.h"
#include "utils/float.h"
#include "utils/memutils.h"

/*
 * Return each item's popularity, in the current context: the sum of its
 * weights, decayed by the half-life, as a share of the largest one.
 */
double *
rec_train_popularity(const RecMatrix *matrix)
{
	double	   *popularity = MemoryContextAllocHuge(CurrentMemoryContext,
													mul_size(Max(matrix->nitems, 1), sizeof(double)));
	double		largest = 0;

	for (uint32 i = 0; i < matrix->nitems; i++)
		largest = Max(largest, matrix->item_sum[i]);
	if (!isfinite(largest))
		float_overflow_error();
	for (uint32 i = 0; i < matrix->nitems; i++)
		popularity[i] = largest > 0 ? Max(matrix->item_sum[i], 0) / largest : 0;
	return popularity;
}

/*
 * Fill in how many items have at least 1, 2, 4, 8, ... users, as far as there
 * are any, and return how many numbers that are, at most REC_USER_STEPS.
 */
int
rec_train_user_steps(const RecMatrix *matrix, uint32 *steps)
{
	int			n = 0;
	uint32		left = matrix->nitems;	/* with at least as many users */

	while (n < REC_USER_STEPS)
	{
		while (left > 0 && matrix->item_start[left] - matrix->item_start[left - 1] < INT64CONST(1) << n)
			left--;
		if (left == 0)
			break;
		steps[n++] = left;
	}
	return n;
}

/*
 * Return each item's trend as a share of the largest one, 0 when it falls, in
 * the current context, from what rec_trend_scores() gives.
 */
double *
rec_train_trend(const RecMatrix *matrix, const double *scores)
{
	double	   *trend = MemoryContextAllocHuge(CurrentMemoryContext,
											   mul_size(Max(matrix->nitems, 1), sizeof(double)));
	double		largest = 0;

	for (uint32 i = 0; i < matrix->nitems; i++)
		largest = Max(largest, scores[matrix->item_id[i]]);
	for (uint32 i = 0; i < matrix->nitems; i++)
		trend[i] = largest > 0 ? Max(scores[matrix->item_id[i]], 0) / largest : 0;
	return trend;
}

static void
compute_rows(RecMatrix *matrix, const RecOptions *options,
			 RecRowSink sink, RecStep step, void *arg)
{
	if (options->model == REC_MODEL_RIDGE)
		rec_ridge_rows(matrix, options, sink, arg);
	else
		rec_similarity_rows(matrix, options, true, sink, step, arg);
}

/*
 * Compute the rows of neighbours by the model that the options name, for
 * which the lists in the matrix may be given up: it must be the last that is
 * done with them.  "likeness", which may be NULL, has neighbours by content, of
 * the matrix's items first: from those that are like them, items of few users
 * borrow.
 */
void
rec_train_rows(RecMatrix *matrix, const RecContentLists *likeness,
			   const RecOptions *options, RecRowSink sink, RecStep step, void *arg)
{
	RecBorrowedNeighbors *borrowed;

	if (likeness == NULL || options->content_kappa == 0)
	{
		compute_rows(matrix, options, sink, step, arg);
		return;
	}
	borrowed = rec_borrowed_neighbors_create(CurrentMemoryContext, matrix, likeness, options, sink, step, arg);
	compute_rows(matrix, options, rec_borrowed_neighbors_take, rec_borrowed_neighbors_step, borrowed);
	rec_borrowed_neighbors_rows(borrowed);
}
