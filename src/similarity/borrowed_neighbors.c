/*-------------------------------------------------------------------------
 *
 * borrowed_neighbors.c
 *	  Neighbours by behaviour borrowed from items of similar content.
 *
 * There is no behaviour for an item without users, and little evidence for an
 * item with two.  But the items of most similar content have neighbours, and the
 * item can be expected to get the same ones.  So the similarity from item i to
 * an item j of u users is
 *
 *	  B'(i, j) = (1 - share(j)) B(i, j) + share(j) lent(i, j)
 *
 *	  lent(i, j) = sum of C(c, j) B(i, c) / sum of C(c, j)
 *	  share(j) = kappa / (kappa + u) * sum of C(c, j)^2 / sum of C(c, j)
 *
 * over the lenders c of j: the REC_LENDERS items with users that are most similar
 * to it by content.  C is the similarity by content, B the similarity by
 * behaviour, 0 for items that are not neighbours, and kappa the option
 * content_kappa.  So the lenders are a prior worth kappa users, as far as they
 * are similar to the item: the second term of share is the mean of their content
 * similarities, weighted by themselves.  An item with at least ENOUGH * kappa
 * users, or without lenders, borrows nothing.
 *
 * The kernel computes neighbours source by source; borrowing works target by
 * target.  So the lists are turned round, each target's list is combined from
 * its own and its lenders', the best are kept, and everything is turned round
 * again.  The work is 1 + REC_LENDERS times the neighbours, the memory twice the
 * neighbours.
 *
 * Each sum is in the order of the lenders, most similar first.  Ties between
 * similarities are in the order of items.
 *
 * Numbers only: no Datum, no SPI.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/similarity/borrowed_neighbors.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "math/number_set.h"
#include "miscadmin.h"
#include "pg/memory_budget.h"
#include "similarity/borrowed_neighbors.h"
#include "similarity/neighbor_lists.h"
#include "utils/memutils.h"

#define REC_LENDERS		10		/* most lenders of an item */
#define ENOUGH			100		/* times kappa users: no prior is needed */

struct RecBorrowedNeighbors
{
	MemoryContext mcxt;		/* owns all below; a child of the caller's */
	const RecContentLists *by_content;	/* of all items; the caller's */
	uint32		nitems;			/* all */
	uint32		ntouched;		/* those with users, which come first */
	double		kappa;
	int			most_sources;	/* of a target; more if it has them anyway */
	int			most_targets;	/* of a source */
	double	   *users;			/* of each item with users */
	MemoryContext list_mcxt; /* owns the lists at hand */
	RecLists   *lists;			/* of sources, then of targets */

	/* the target at hand */
	double	   *sum;			/* of each source; 0 between targets */
	uint32	   *support;		/* of a pair itself, of each source */
	RecNumberSet met;			/* sources that have a sum ... */
	uint32	   *source;			/* ... and those in order */
	RecNeighbor *list;			/* one that is added */
	RecTopk		topk;

	RecRowSink	sink;			/* receives the rows */
	RecStep	step;			/* receives the progress; or NULL */
	void	   *arg;
};

/*
 * Begin new lists in a memory context of their own. Return the memory context
 * of the old ones.
 */
static MemoryContext
begin_lists(RecBorrowedNeighbors *borrowed)
{
	MemoryContext old = borrowed->list_mcxt;

	borrowed->list_mcxt = AllocSetContextCreate(borrowed->mcxt,
												  "recommender lists of borrowed neighbours",
												  ALLOCSET_DEFAULT_SIZES);
	borrowed->lists = rec_neighbor_lists_create(borrowed->list_mcxt, borrowed->nitems);
	return old;
}

/*
 * Begin to collect neighbours by behaviour. "by_content" has the neighbours
 * by content of all items, those of the matrix first, and must stay
 * allocated. The matrix is not needed afterwards. "sink" and "step" are those
 * of rec_similarity_rows().
 */
RecBorrowedNeighbors *
rec_borrowed_neighbors_create(MemoryContext mcxt, const RecMatrix *matrix,
				   const RecContentLists *by_content, const RecOptions *options,
				   RecRowSink sink, RecStep step, void *arg)
{
	MemoryContext own = AllocSetContextCreate(mcxt, "recommender borrowed neighbours",
											  ALLOCSET_DEFAULT_SIZES);
	RecBorrowedNeighbors *borrowed = MemoryContextAllocZero(own, sizeof(RecBorrowedNeighbors));

	Assert(by_content->nitems >= matrix->nitems);
	borrowed->mcxt = own;
	borrowed->by_content = by_content;
	borrowed->nitems = by_content->nitems;
	borrowed->ntouched = matrix->nitems;
	borrowed->kappa = options->content_kappa;
	borrowed->most_sources = options->neighbors;
	borrowed->most_targets = options->truncate == REC_TRUNCATE_SOURCE ? options->neighbors :
		PG_INT32_MAX;
	borrowed->users = rec_memory_budget_alloc(borrowed->mcxt, matrix->nitems, sizeof(double));
	for (uint32 i = 0; i < matrix->nitems; i++)
		borrowed->users[i] = (double) (matrix->item_start[i + 1] - matrix->item_start[i]);
	borrowed->sum = rec_memory_budget_alloc(borrowed->mcxt, matrix->nitems, sizeof(double));
	borrowed->support = rec_memory_budget_alloc(borrowed->mcxt, matrix->nitems, sizeof(uint32));
	borrowed->met = rec_number_set_create(own, own, matrix->nitems);
	borrowed->source = rec_memory_budget_alloc(own, matrix->nitems, sizeof(uint32));
	borrowed->list = rec_memory_budget_alloc(borrowed->mcxt, matrix->nitems, sizeof(RecNeighbor));
	rec_topk_init(&borrowed->topk, own, options->neighbors, matrix->nitems);
	(void) begin_lists(borrowed);
	borrowed->sink = sink;
	borrowed->step = step;
	borrowed->arg = arg;
	return borrowed;
}

/* Pass on how many items have been computed (a RecStep). */
void
rec_borrowed_neighbors_step(void *arg, double done, double total)
{
	RecBorrowedNeighbors *borrowed = (RecBorrowedNeighbors *) arg;

	if (borrowed->step)
		borrowed->step(borrowed->arg, done, total);
}

/* Take the neighbours of one item; items come in order (a RecRowSink). */
void
rec_borrowed_neighbors_take(void *arg, uint32 item, const RecNeighbor *row, int n)
{
	(void) item;
	rec_neighbor_lists_append(((RecBorrowedNeighbors *) arg)->lists, row, n);
}

/* Append empty lists for the items without users. */
static void
fill_up(RecBorrowedNeighbors *borrowed)
{
	for (uint32 i = borrowed->ntouched; i < borrowed->nitems; i++)
		rec_neighbor_lists_append(borrowed->lists, NULL, 0);
}

/* Turn lists of sources into lists of targets, or the other way round. */
static void
turn_lists(RecBorrowedNeighbors *borrowed)
{
	const RecLists *lists = borrowed->lists;
	MemoryContext old = begin_lists(borrowed);

	rec_neighbor_lists_sink_turned(lists, PG_INT32_MAX, rec_borrowed_neighbors_take, borrowed);
	MemoryContextDelete(old);
}

/* ----------------
 *		one target
 * ----------------
 */

/* Add a share of an item's list to the sums of its sources. */
static void
add_list(RecBorrowedNeighbors *borrowed, const RecLists *targets, uint32 item, double share, bool own)
{
	int			n = rec_neighbor_lists_get(targets, item, borrowed->list);

	for (int i = 0; i < n; i++)
	{
		const RecNeighbor *neighbor = &borrowed->list[i];
		double		part = share * neighbor->similarity;

		if (!(part > 0))
			continue;			/* without weight, or too small for a double */
		if (borrowed->sum[neighbor->item] == 0)
			rec_number_set_add(&borrowed->met, neighbor->item);
		borrowed->sum[neighbor->item] += part;
		if (own)
			borrowed->support[neighbor->item] = neighbor->support;
	}
}

/*
 * Find the lenders of an item, with weights that add up to 1, and their mean
 * content similarity. Return their number.
 */
static int
find_lenders(const RecBorrowedNeighbors *borrowed, uint32 target, uint32 *lenders, double *weights,
			 double *content_similarity)
{
	const RecContentLists *by_content = borrowed->by_content;
	double		sum = 0;
	int			n = 0;

	for (int64 e = by_content->start[target];
		 e < by_content->start[target + 1] && n < REC_LENDERS; e++)
	{
		if ((uint32) by_content->item[e] >= borrowed->ntouched || by_content->value[e] <= 0)
			continue;
		lenders[n] = (uint32) by_content->item[e];
		weights[n] = by_content->value[e];
		sum += weights[n++];
	}
	*content_similarity = 0;
	for (int i = 0; i < n; i++)
	{
		*content_similarity += weights[i] * weights[i] / sum;
		weights[i] /= sum;
	}
	return n;
}

/* Put the sum of a source among the best, and clear it. */
static void
take_sum(RecBorrowedNeighbors *borrowed, uint32 source, uint32 target)
{
	RecTopk    *topk = &borrowed->topk;

	if (source != target && borrowed->sum[source] >= REC_LEAST_SIMILARITY)
	{
		topk->best[topk->n].similarity = borrowed->sum[source];
		topk->best[topk->n].item = source;
		topk->best[topk->n++].support = borrowed->support[source];
	}
	borrowed->sum[source] = 0;
	borrowed->support[source] = 0;
}

/*
 * Keep the "most" largest sums in topk, best first, ties to the source with
 * the smaller number, and clear all sums.
 */
static void
take_sums(RecBorrowedNeighbors *borrowed, uint32 target, int most)
{
	uint32		n = rec_number_set_take(&borrowed->met, borrowed->source);

	borrowed->topk.n = 0;
	borrowed->topk.k = most;
	for (uint32 i = 0; i < n; i++)
		take_sum(borrowed, borrowed->source[i], target);
	rec_topk_finish(&borrowed->topk);
}

/* Append the list of a target, including what it borrows. */
static void
append_target(RecBorrowedNeighbors *borrowed, const RecLists *targets, uint32 target)
{
	double		users = target < borrowed->ntouched ? borrowed->users[target] : 0;
	int			own = rec_neighbor_lists_get(targets, target, borrowed->list);
	uint32		lenders[REC_LENDERS];
	double		weights[REC_LENDERS];
	double		share;
	int			n = 0;

	if (users < ENOUGH * borrowed->kappa)
		n = find_lenders(borrowed, target, lenders, weights, &share);
	if (n == 0)
	{
		rec_neighbor_lists_append(borrowed->lists, borrowed->list, own);
		return;
	}
	share = Min(share, 1) * borrowed->kappa / (borrowed->kappa + users);
	add_list(borrowed, targets, target, 1 - share, true);
	for (int i = 0; i < n; i++)
		add_list(borrowed, targets, lenders[i], share * weights[i], false);
	take_sums(borrowed, target, Max(own, borrowed->most_sources));
	rec_neighbor_lists_append(borrowed->lists, borrowed->topk.best, borrowed->topk.n);
}

/* ----------------
 *		all of them
 * ----------------
 */

/* Hand a row on; items without users are sources of no other item. */
static void
pass_row(void *arg, uint32 source, const RecNeighbor *row, int n)
{
	RecBorrowedNeighbors *borrowed = (RecBorrowedNeighbors *) arg;

	if (source < borrowed->ntouched)
		borrowed->sink(borrowed->arg, source, row, n);
}

/*
 * Combine the lists once all rows were taken, and hand the resulting rows to
 * the sink, items in order, best neighbour first. Then free everything.
 */
void
rec_borrowed_neighbors_rows(RecBorrowedNeighbors *borrowed)
{
	const RecLists *targets;
	MemoryContext target_context;

	fill_up(borrowed);
	turn_lists(borrowed);
	targets = borrowed->lists;
	target_context = begin_lists(borrowed);
	for (uint32 target = 0; target < borrowed->nitems; target++)
	{
		CHECK_FOR_INTERRUPTS();
		append_target(borrowed, targets, target);
	}
	MemoryContextDelete(target_context);
	rec_neighbor_lists_sink_turned(borrowed->lists, borrowed->most_targets, pass_row, borrowed);
	MemoryContextDelete(borrowed->mcxt);
}
