/*-------------------------------------------------------------------------
 *
 * borrowed_neighbors.c
 *	  Neighbours by behaviour that items borrow from those like them.
 *
 * Behaviour says nothing of an item that nobody has touched, and what it says
 * of one that two people have is chance in large part.  But the items that are
 * most like it have been met with other items, and it will be, too.  So the
 * similarity from item i to an item j of u users is
 *
 *	  B'(i, j) = (1 - share(j)) B(i, j) + share(j) lent(i, j)
 *
 *	  lent(i, j) = sum of C(c, j) B(i, c) / sum of C(c, j)
 *	  share(j) = kappa / (kappa + u) * sum of C(c, j)^2 / sum of C(c, j)
 *
 * over the lenders c of j: the REC_LENDERS items with users that are most like
 * it, with C for the likeness by content, B for the similarity by behaviour,
 * which is 0 where it has no neighbour, and kappa for the option
 * content_kappa.  So lenders are a prior that is worth kappa users, as far as
 * they are like the item: the second factor is the mean of their likeness,
 * weighted by itself.  An item whose users are ENOUGH times kappa borrows
 * nothing, and neither does one that has no lenders.
 *
 * The kernel gives neighbours source by source, and lending goes target by
 * target: the lists are turned round, each target's is put together from its
 * own and its lenders', the best are kept, and all is turned round again.  The
 * work is 1 + REC_LENDERS times the neighbours, the memory twice them.
 *
 * Each sum is in the order of the lenders, most like first, and lists are in
 * the order of items where similarities are equal.
 *
 * Knows numbers only: no Datum, no SPI.
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

#define REC_LENDERS		10		/* items that one borrows from */
#define ENOUGH			100		/* times kappa: users who need no prior */

struct RecLending
{
	MemoryContext context;		/* owns all below; a child of the caller's */
	const RecContentLists *likeness;	/* of all items; the caller's */
	uint32		nitems;			/* all */
	uint32		ntouched;		/* those with users, which come first */
	double		kappa;
	int			most_sources;	/* of a target; more if it has them anyway */
	int			most_targets;	/* of a source */
	double	   *users;			/* of each touched item */
	MemoryContext list_context; /* owns the lists at hand */
	RecLists   *lists;			/* of sources, then of targets */

	/* the target at hand */
	double	   *sum;			/* of each source; 0 between targets */
	uint32	   *support;		/* of a pair itself, of each source */
	RecNumberSet met;			/* sources that have a sum ... */
	uint32	   *source;			/* ... and those in order */
	RecNeighbor *list;			/* one that is added */
	RecTopk		topk;

	RecRowSink	sink;			/* who gets the rows */
	RecStep	step;			/* who hears how far they are; or NULL */
	void	   *arg;
};

/* Begins other lists, in a context of their own; gives that of the old ones. */
static MemoryContext
begin_lists(RecLending *lending)
{
	MemoryContext old = lending->list_context;

	lending->list_context = AllocSetContextCreate(lending->context,
												  "recommender lists to lend",
												  ALLOCSET_DEFAULT_SIZES);
	lending->lists = rec_neighbor_lists_create(lending->list_context, lending->nitems);
	return old;
}

/*
 * Begins to lend.  "likeness" has the neighbours by content of all items, of
 * which those of the matrix are the first; it must stay allocated.  The
 * matrix is not needed afterwards.  "sink" and "step" are those of
 * rec_similarity_rows().
 */
RecLending *
rec_borrowed_neighbors_create(MemoryContext context, const RecMatrix *matrix,
				   const RecContentLists *likeness, const RecOptions *options,
				   RecRowSink sink, RecStep step, void *arg)
{
	MemoryContext own = AllocSetContextCreate(context, "recommender lending",
											  ALLOCSET_DEFAULT_SIZES);
	RecLending *lending = MemoryContextAllocZero(own, sizeof(RecLending));

	Assert(likeness->nitems >= matrix->nitems);
	lending->context = own;
	lending->likeness = likeness;
	lending->nitems = likeness->nitems;
	lending->ntouched = matrix->nitems;
	lending->kappa = options->content_kappa;
	lending->most_sources = options->neighbors;
	lending->most_targets = options->truncate == REC_TRUNCATE_SOURCE ? options->neighbors :
		PG_INT32_MAX;
	lending->users = rec_memory_budget_alloc(lending->context, matrix->nitems, sizeof(double));
	for (uint32 i = 0; i < matrix->nitems; i++)
		lending->users[i] = (double) (matrix->item_start[i + 1] - matrix->item_start[i]);
	lending->sum = rec_memory_budget_alloc(lending->context, matrix->nitems, sizeof(double));
	lending->support = rec_memory_budget_alloc(lending->context, matrix->nitems, sizeof(uint32));
	lending->met = rec_number_set_create(own, own, matrix->nitems);
	lending->source = rec_memory_budget_alloc(own, matrix->nitems, sizeof(uint32));
	lending->list = rec_memory_budget_alloc(lending->context, matrix->nitems, sizeof(RecNeighbor));
	rec_topk_init(&lending->topk, own, options->neighbors, matrix->nitems);
	(void) begin_lists(lending);
	lending->sink = sink;
	lending->step = step;
	lending->arg = arg;
	return lending;
}

/* Pass on how many items have been computed (a RecStep). */
void
rec_borrowed_neighbors_step(void *arg, double done, double total)
{
	RecLending *lending = (RecLending *) arg;

	if (lending->step)
		lending->step(lending->arg, done, total);
}

/* Takes the neighbours of one item; items come in order (a RecRowSink). */
void
rec_borrowed_neighbors_take(void *arg, uint32 item, const RecNeighbor *row, int n)
{
	(void) item;
	rec_neighbor_lists_append(((RecLending *) arg)->lists, row, n);
}

/* Appends empty lists of the items that nobody has touched. */
static void
fill_up(RecLending *lending)
{
	for (uint32 i = lending->ntouched; i < lending->nitems; i++)
		rec_neighbor_lists_append(lending->lists, NULL, 0);
}

/* Turns lists of sources into lists of targets, or the other way round. */
static void
turn_lists(RecLending *lending)
{
	const RecLists *lists = lending->lists;
	MemoryContext old = begin_lists(lending);

	rec_neighbor_lists_sink_turned(lists, PG_INT32_MAX, rec_borrowed_neighbors_take, lending);
	MemoryContextDelete(old);
}

/* ----------------
 *		one target
 * ----------------
 */

/* Adds a share of the list of an item to the sums of its sources. */
static void
add_list(RecLending *lending, const RecLists *targets, uint32 item, double share, bool own)
{
	int			n = rec_neighbor_lists_get(targets, item, lending->list);

	for (int i = 0; i < n; i++)
	{
		const RecNeighbor *neighbor = &lending->list[i];
		double		part = share * neighbor->similarity;

		if (!(part > 0))
			continue;			/* of no weight, or too small for a double */
		if (lending->sum[neighbor->item] == 0)
			rec_number_set_add(&lending->met, neighbor->item);
		lending->sum[neighbor->item] += part;
		if (own)
			lending->support[neighbor->item] = neighbor->support;
	}
}

/*
 * Finds the lenders of an item, with weights that add up to 1, and how much
 * they are like it; gives their number.
 */
static int
find_lenders(const RecLending *lending, uint32 target, uint32 *lenders, double *weights,
			 double *alike)
{
	const RecContentLists *likeness = lending->likeness;
	double		sum = 0;
	int			n = 0;

	for (int64 e = likeness->start[target];
		 e < likeness->start[target + 1] && n < REC_LENDERS; e++)
	{
		if ((uint32) likeness->item[e] >= lending->ntouched || likeness->value[e] <= 0)
			continue;
		lenders[n] = (uint32) likeness->item[e];
		weights[n] = likeness->value[e];
		sum += weights[n++];
	}
	*alike = 0;
	for (int i = 0; i < n; i++)
	{
		*alike += weights[i] * weights[i] / sum;
		weights[i] /= sum;
	}
	return n;
}

/* Puts the sum of a source among the best, and clears it. */
static void
take_sum(RecLending *lending, uint32 source, uint32 target)
{
	RecTopk    *topk = &lending->topk;

	if (source != target && lending->sum[source] >= REC_LEAST_SIMILARITY)
	{
		topk->best[topk->n].similarity = lending->sum[source];
		topk->best[topk->n].item = source;
		topk->best[topk->n++].support = lending->support[source];
	}
	lending->sum[source] = 0;
	lending->support[source] = 0;
}

/*
 * Leaves the "most" largest sums in topk, best first, ties to the source with
 * the smaller number, and clears all.
 */
static void
take_sums(RecLending *lending, uint32 target, int most)
{
	uint32		n = rec_number_set_take(&lending->met, lending->source);

	lending->topk.n = 0;
	lending->topk.k = most;
	for (uint32 i = 0; i < n; i++)
		take_sum(lending, lending->source[i], target);
	rec_topk_finish(&lending->topk);
}

/* Appends the list of a target, with what it borrows. */
static void
append_target(RecLending *lending, const RecLists *targets, uint32 target)
{
	double		users = target < lending->ntouched ? lending->users[target] : 0;
	int			own = rec_neighbor_lists_get(targets, target, lending->list);
	uint32		lenders[REC_LENDERS];
	double		weights[REC_LENDERS];
	double		share;
	int			n = 0;

	if (users < ENOUGH * lending->kappa)
		n = find_lenders(lending, target, lenders, weights, &share);
	if (n == 0)
	{
		rec_neighbor_lists_append(lending->lists, lending->list, own);
		return;
	}
	share = Min(share, 1) * lending->kappa / (lending->kappa + users);
	add_list(lending, targets, target, 1 - share, true);
	for (int i = 0; i < n; i++)
		add_list(lending, targets, lenders[i], share * weights[i], false);
	take_sums(lending, target, Max(own, lending->most_sources));
	rec_neighbor_lists_append(lending->lists, lending->topk.best, lending->topk.n);
}

/* ----------------
 *		all of them
 * ----------------
 */

/* Hands a row on; what nobody has touched is nobody's source. */
static void
pass_row(void *arg, uint32 source, const RecNeighbor *row, int n)
{
	RecLending *lending = (RecLending *) arg;

	if (source < lending->ntouched)
		lending->sink(lending->arg, source, row, n);
}

/*
 * Lends, once all rows were taken, and hands the rows that come of it to the
 * sink, items in order, best neighbour first.  Then all is freed.
 */
void
rec_borrowed_neighbors_rows(RecLending *lending)
{
	const RecLists *targets;
	MemoryContext target_context;

	fill_up(lending);
	turn_lists(lending);
	targets = lending->lists;
	target_context = begin_lists(lending);
	for (uint32 target = 0; target < lending->nitems; target++)
	{
		CHECK_FOR_INTERRUPTS();
		append_target(lending, targets, target);
	}
	MemoryContextDelete(target_context);
	rec_neighbor_lists_sink_turned(lending->lists, lending->most_targets, pass_row, lending);
	MemoryContextDelete(lending->context);
}
