/*-------------------------------------------------------------------------
 *
 * similarity.c
 *	  The best neighbours of each item.
 *
 * Rows come one at a time from similarity_row.c, or many at a time from
 * parallel workers (similarity_parallel.c), and go to the caller in the order
 * of items; they are the same either way.
 *
 * Truncation per target computes rows with source and target exchanged and
 * then turns the lists round, which needs them all in memory.
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

#include "miscadmin.h"
#include "similarity.h"
#include "similarity_parallel.h"
#include "similarity_row.h"
#include "sqlutil.h"
#include "utils/memutils.h"

static void
compute_serially(const RecMatrix *matrix, const RecOptions *options,
				 RecRowSink sink, void *arg)
{
	RecSimilarity *state = rec_row_begin(matrix, options);

	for (uint32 item = 0; item < matrix->nitems; item++)
	{
		const RecTopk *row;

		CHECK_FOR_INTERRUPTS();
		row = rec_row_compute(state, item);
		sink(arg, item, row->best, row->n);
	}
	rec_row_end(state);
}

static void
compute_rows(const RecMatrix *matrix, const RecOptions *options, bool parallel,
			 RecRowSink sink, void *arg)
{
	if (!parallel || !rec_similarity_parallel(matrix, options, sink, arg))
		compute_serially(matrix, options, sink, arg);
}

/* ----------------
 *		truncation per target
 * ----------------
 */

/* Lists of all items, one after the other, in a context of their own. */
typedef struct RowLists
{
	MemoryContext context;
	int64	   *start;			/* nitems + 1 */
	RecNeighbor *neighbor;
	int64		allocated;
	RecRowStep	step;			/* told of each row, or NULL */
	void	   *step_arg;
} RowLists;

static void *
alloc_zeroed(MemoryContext context, Size count, Size width)
{
	Size		size = mul_size(Max(count, 1), width);

	rec_memory_check(context, size);
	return MemoryContextAllocExtended(context, size, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

/* A sink: adds an item's list; items come in order. */
static void
append_row(void *arg, uint32 item, const RecNeighbor *row, int n)
{
	RowLists   *lists = (RowLists *) arg;
	int64		from = lists->start[item];

	if (from + n > lists->allocated)
	{
		int64		wanted = Max(lists->allocated * 2, from + n);

		rec_memory_check(lists->context,
						 mul_size(wanted - lists->allocated, sizeof(RecNeighbor)));
		lists->neighbor = repalloc_huge(lists->neighbor,
										mul_size(wanted, sizeof(RecNeighbor)));
		lists->allocated = wanted;
	}
	memcpy(lists->neighbor + from, row, n * sizeof(RecNeighbor));
	lists->start[item + 1] = from + n;
	if (lists->step)
		lists->step(lists->step_arg, item + 1);
}

/* Turns lists of sources per target into lists of targets per source. */
static void
transpose_lists(const RowLists *in, RowLists *out, uint32 nitems)
{
	int64		total = in->start[nitems];
	int64	   *next = alloc_zeroed(out->context, nitems, sizeof(int64));

	out->start = alloc_zeroed(out->context, (Size) nitems + 1, sizeof(int64));
	out->neighbor = alloc_zeroed(out->context, total, sizeof(RecNeighbor));
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

/* Sorts each item's list and hands it to the sink. */
static void
sink_lists(const RowLists *lists, uint32 nitems, RecRowSink sink, void *arg)
{
	RecNeighbor *spare = alloc_zeroed(lists->context, nitems, sizeof(RecNeighbor));

	for (uint32 item = 0; item < nitems; item++)
	{
		RecNeighbor *list = lists->neighbor + lists->start[item];
		int			n = (int) (lists->start[item + 1] - lists->start[item]);

		CHECK_FOR_INTERRUPTS();
		rec_topk_sort(list, spare, n);
		sink(arg, item, list, n);
	}
}

static void
compute_per_target(const RecMatrix *matrix, const RecOptions *options, bool parallel,
				   RecRowSink sink, RecRowStep step, void *arg)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "recommender neighbours per target",
												  ALLOCSET_DEFAULT_SIZES);
	RowLists	by_target = {0};
	RowLists	by_source = {0};

	by_target.context = context;
	by_target.step = step;
	by_target.step_arg = arg;
	by_source.context = context;
	by_target.start = alloc_zeroed(context, (Size) matrix->nitems + 1, sizeof(int64));
	by_target.allocated = 1024;
	by_target.neighbor = alloc_zeroed(context, by_target.allocated, sizeof(RecNeighbor));
	compute_rows(matrix, options, parallel, append_row, &by_target);
	transpose_lists(&by_target, &by_source, matrix->nitems);
	sink_lists(&by_source, matrix->nitems, sink, arg);
	MemoryContextDelete(context);
}

/*
 * Computes the best neighbours of every item by the options' measure and
 * hands them to the sink, items in order, best neighbour first, ties to the
 * item with the smaller number.  Items without neighbours come too, with
 * n = 0.  The lists live until the sink returns.
 *
 * "parallel" allows parallel workers; the sink is then called in parallel
 * mode, in which a transaction that has no id yet cannot write.  "step", unless
 * NULL, hears how many items have been computed where the sink hears of them
 * only when all are.
 */
void
rec_similarity_rows(const RecMatrix *matrix, const RecOptions *options,
					bool parallel, RecRowSink sink, RecRowStep step, void *arg)
{
	if (options->truncate == REC_TRUNCATE_TARGET)
		compute_per_target(matrix, options, parallel, sink, step, arg);
	else
		compute_rows(matrix, options, parallel, sink, arg);
}
