/*-------------------------------------------------------------------------
 *
 * similarity.c
 *	  The best neighbours of each item.
 *
 * Rows come one at a time from similarity_row.c, or many at a time from parallel
 * workers (similarity_parallel.c).  They are passed to the caller in the order
 * of items and are identical either way.
 *
 * Truncation per target computes rows with source and target exchanged and then
 * turns the lists round, which requires all of them in memory.
 *
 * Numbers only: no Datum, no SPI.  Working memory is a child of the current
 * memory context.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/similarity/similarity.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "interaction/matrix_shm.h"
#include "miscadmin.h"
#include "similarity/neighbor_lists.h"
#include "similarity/rounding_noise.h"
#include "similarity/similarity.h"
#include "similarity/similarity_parallel.h"
#include "similarity/similarity_row.h"
#include "utils/memutils.h"

static void
compute_serially(const RecMatrix *matrix, const RecOptions *options,
				 RecRowSink sink, void *arg)
{
	RecSimilarity *state = rec_similarity_row_begin(matrix, options);

	for (uint32 item = 0; item < matrix->nitems; item++)
	{
		const RecTopk *row;

		CHECK_FOR_INTERRUPTS();
		row = rec_similarity_row_compute(state, item);
		sink(arg, item, row->best, row->n);
	}
	rec_similarity_row_end(state);
}

static void
compute_rows(RecMatrix *matrix, const RecOptions *options, bool parallel,
			 RecRowSink sink, void *arg)
{
	MemoryContext mcxt = AllocSetContextCreate(CurrentMemoryContext,
											   "recommender rows of neighbours",
											   ALLOCSET_SMALL_SIZES);

	if (rec_options_measure_traits(options)->centring != REC_CENTRE_NONE)
	{
		arg = rec_rounding_noise_create(mcxt, matrix, options->neighbors, sink, arg);
		sink = rec_rounding_noise_take;
	}
	if (!parallel || !rec_similarity_parallel(matrix, options, sink, arg))
		compute_serially(matrix, options, sink, arg);
	rec_matrix_shm_drop_lists(matrix);
	MemoryContextDelete(mcxt);
}

/* ----------------
 *		truncation per target
 * ----------------
 */

/* Collects lists per target and reports their number. */
typedef struct TargetLists
{
	RecLists   *lists;
	uint32		nitems;
	RecStep		step;			/* or NULL */
	void	   *step_arg;
} TargetLists;

static void
append_list(void *arg, uint32 item, const RecNeighbor *row, int n)
{
	TargetLists *targets = (TargetLists *) arg;

	rec_neighbor_lists_append(targets->lists, row, n);
	if (targets->step)
		targets->step(targets->step_arg, item + 1, targets->nitems);
}

static void
compute_per_target(RecMatrix *matrix, const RecOptions *options, bool parallel,
				   RecRowSink sink, RecStep step, void *arg)
{
	MemoryContext mcxt = AllocSetContextCreate(CurrentMemoryContext,
												  "recommender neighbours per target",
												  ALLOCSET_DEFAULT_SIZES);
	TargetLists targets = {rec_neighbor_lists_create(mcxt, matrix->nitems), matrix->nitems, step, arg};

	compute_rows(matrix, options, parallel, append_list, &targets);
	rec_neighbor_lists_sink_turned(targets.lists, PG_INT32_MAX, sink, arg);
	MemoryContextDelete(mcxt);
}

/*
 * Compute the best neighbours of every item by the options' measure and hand
 * them to the sink: items in order, best neighbour first, ties to the item
 * with the smaller number. Items without neighbours are included, with n = 0.
 * The lists live until the sink returns. Afterwards the lists of users and
 * items are removed from the matrix, so that their memory can be reused.
 *
 * "parallel" allows parallel workers; the sink is then called in parallel
 * mode, in which a transaction that has no id yet cannot write. "step",
 * unless NULL, is called with the number of items computed where the sink is
 * called only after all are.
 */
void
rec_similarity_rows(RecMatrix *matrix, const RecOptions *options,
					bool parallel, RecRowSink sink, RecStep step, void *arg)
{
	if (options->truncate == REC_TRUNCATE_TARGET)
		compute_per_target(matrix, options, parallel, sink, step, arg);
	else
		compute_rows(matrix, options, parallel, sink, arg);
}
