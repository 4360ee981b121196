/*-------------------------------------------------------------------------
 *
 * ridge.c
 *	  Item weights by ridge regression.
 *
 * An item j is explained by the other items: a user's weight of j is predicted
 * by the sum of B_ij times the user's weight of i.  The weights B_ij are the ones
 * that predict best while staying small:
 *
 *		minimise  sum over users of (x_uj - sum_i x_ui B_ij)^2 / n_u^g
 *				  + lambda * sum_i B_ij^2,		B_jj = 0,
 *
 * with g the option user_exponent and n_u the number of items of a user.  Unlike
 * a measure, which compares two items at a time, this counts evidence that two
 * items share only once.  With G = X'X, users weighted as above, the weights of
 * j solve (G + lambda I) B_j = G_j, without row and column j.
 *
 * Exact form, for catalogues of up to ridge_exact_items: one inverse yields all
 * weights, B_ij = -P_ij / P_jj with P = (G + lambda I)^-1 (Steck 2019).  It takes
 * n^2 numbers of memory and n^3 / 2 multiplications.
 *
 * Local form, for larger catalogues: an item is explained only by its
 * ridge_candidates most similar ones, by cosine on G.  That is one small system
 * per item, so that time and memory are proportional to the number of items.
 * Entries of G are looked up in its rows, each kept up to the diagonal.  As items
 * are numbered by popularity, an entry is in the row of the rarer of its two
 * items, the shorter one.  Rows are kept until they take half of
 * maintenance_work_mem, those of popular items first, which save the most time;
 * the others are computed again whenever they are needed.
 *
 * Deviations from the paper: a) only weights greater than 0 are returned, and
 * only between items with min_support common users, because a list of neighbours
 * has no negative entries; b) users can be weighted, and the popularity s_j of a
 * target, the sum of its weights, can be damped afterwards: B_ij /
 * s_j^ridge_damping; c) lambda is ridge_lambda times the mean square of a weight,
 * users weighted.  So it does not depend on the scale of the weights, and equals
 * the paper's lambda if all weights are 1.  It is never less than 1e-10 of the
 * largest entry of G, which rounding requires.
 *
 * Numbers only: no Datum, no SPI.  Working memory is a child of the current
 * memory context.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/similarity/ridge.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "math/dense.h"
#include "math/topk.h"
#include "miscadmin.h"
#include "pg/memory_budget.h"
#include "port/pg_bitutils.h"
#include "similarity/neighbor_lists.h"
#include "similarity/ridge.h"
#include "utils/float.h"
#include "utils/memutils.h"

#define INTERRUPT_WORK		10000	/* additions between interrupt checks */
#define TOPK_ROOM			1024	/* neighbours more than are kept */
#define PAGE_BYTES			(256 * 1024)	/* allocated at once for kept rows */

/* The entries of a row of G left of the diagonal. */
typedef struct KeptRow
{
	uint32		n;
	const uint32 *item;			/* rising */
	const double *value;
} KeptRow;

typedef struct Ridge
{
	const RecMatrix *matrix;
	const RecOptions *options;
	MemoryContext mcxt;

	/* of each item or user, made once */
	double	   *user_scale;	/* 1 / n_u ^ user_exponent, or NULL for 1 */
	double	   *diagonal;		/* G_ii */
	double	   *target_scale;	/* by which weights to a target are multiplied */
	double		penalty;		/* lambda */

	/* of the row of G at hand */
	double	   *dot;			/* its entries; all zero between rows */
	uint32	   *count;			/* users of both items; likewise */
	uint64	   *touched;		/* a bit for each item that has a count */
	uint32	   *found;			/* those items, rising */
	uint32		nfound;
	RecTopk		neighbors;		/* of the row's item */

	/* the local form's rows of G */
	KeptRow    *kept;			/* of the items before nkept */
	uint32		nkept;
	char	   *page;			/* room for more */
	Size		page_left;
	Size		page_bytes;		/* of all pages */

	/* the local form's system */
	RecTopk		similar;		/* for choosing the candidates */
	uint32	   *candidate;		/* items, rising */
	uint32		ncandidates;
	uint64	   *chosen;			/* a bit for each item: is a candidate */
	uint32	   *place;			/* of each candidate among them */
	double	   *system;			/* lower triangle, by rows */
	double	   *solution;
	RecDense   *dense;
} Ridge;

static void *
alloc_array(Ridge *ridge, Size count, Size width, int flags)
{
	Size		size = mul_size(Max(count, 1), width);

	rec_memory_budget_check(ridge->mcxt, size);
	return MemoryContextAllocExtended(ridge->mcxt, size, MCXT_ALLOC_HUGE | flags);
}

static void *
alloc_working(Ridge *ridge, Size count, Size width)
{
	return alloc_array(ridge, count, width, MCXT_ALLOC_ZERO);
}

static RecDense *
alloc_dense(Ridge *ridge, Size order)
{
	rec_memory_budget_check(ridge->mcxt, rec_dense_size(order));
	return rec_dense_create(ridge->mcxt, order);
}

/* ----------------
 *		rows of G
 * ----------------
 */

static inline double
user_scale(const Ridge *ridge, uint32 user)
{
	return ridge->user_scale ? ridge->user_scale[user] : 1;
}

static inline double
weight_at(const double *weights, int64 at)
{
	return weights ? weights[at] : 1;
}

/* Check for interrupts; called after work in proportion to a user's items. */
static inline void
check_interrupts(const RecMatrix *matrix, uint32 user, int64 *work)
{
	*work += matrix->user_start[user + 1] - matrix->user_start[user];
	if (*work > INTERRUPT_WORK)
	{
		CHECK_FOR_INTERRUPTS();
		*work = 0;
	}
}

/* Add the items of one user that are below "limit" to the row. */
static inline void
add_user(Ridge *ridge, uint32 user, double x, uint32 limit)
{
	const uint32 *item = ridge->matrix->user_item;
	const double *weight = ridge->matrix->user_weight;
	int64		to = ridge->matrix->user_start[user + 1];

	for (int64 q = ridge->matrix->user_start[user]; q < to && item[q] < limit; q++)
	{
		if (ridge->count[item[q]]++ == 0)
			ridge->touched[item[q] / 64] |= UINT64CONST(1) << item[q] % 64;
		ridge->dot[item[q]] += x * weight_at(weight, q);
	}
}

/* List the items that were touched. */
static void
find_touched(Ridge *ridge, uint32 limit)
{
	uint32		words = (limit + 63) / 64;

	for (uint32 word = 0; word < words; word++)
	{
		for (uint64 bits = ridge->touched[word]; bits != 0; bits &= bits - 1)
			ridge->found[ridge->nfound++] = word * 64 + pg_rightmost_one_pos64(bits);
		ridge->touched[word] = 0;
	}
}

/* Compute the entries of an item's row of G, for the items below "limit". */
static void
compute_row(Ridge *ridge, uint32 row, uint32 limit)
{
	const RecMatrix *matrix = ridge->matrix;
	int64		work = 0;

	Assert(ridge->nfound == 0);
	for (int64 p = matrix->item_start[row]; p < matrix->item_start[row + 1]; p++)
	{
		uint32		user = matrix->item_user[p];
		double		x = weight_at(matrix->item_weight, p);

		add_user(ridge, user, x * user_scale(ridge, user), limit);
		check_interrupts(matrix, user, &work);
	}
	find_touched(ridge, limit);
}

static void
clear_row(Ridge *ridge)
{
	for (uint32 f = 0; f < ridge->nfound; f++)
	{
		ridge->dot[ridge->found[f]] = 0;
		ridge->count[ridge->found[f]] = 0;
	}
	ridge->nfound = 0;
}

/* Fill in an item's square in G and its target scale. */
static void
prepare_item(Ridge *ridge, uint32 item)
{
	const RecMatrix *matrix = ridge->matrix;
	double		square = 0;
	double		sum = 0;

	for (int64 p = matrix->item_start[item]; p < matrix->item_start[item + 1]; p++)
	{
		double		x = weight_at(matrix->item_weight, p);

		square += x * x * user_scale(ridge, matrix->item_user[p]);
		sum += x;
	}
	ridge->diagonal[item] = square;
	ridge->target_scale[item] = pow(sum, -ridge->options->ridge_damping);
}

static void
prepare_users(Ridge *ridge)
{
	const RecMatrix *matrix = ridge->matrix;

	if (ridge->options->user_exponent == 0)
		return;
	ridge->user_scale = alloc_working(ridge, matrix->nusers, sizeof(double));
	for (uint32 u = 0; u < matrix->nusers; u++)
		ridge->user_scale[u] =
			pow((double) (matrix->user_start[u + 1] - matrix->user_start[u]),
				-ridge->options->user_exponent);
}

static void
prepare_items(Ridge *ridge)
{
	const RecMatrix *matrix = ridge->matrix;
	double		largest = 0;
	double		sum = 0;

	ridge->diagonal = alloc_working(ridge, matrix->nitems, sizeof(double));
	ridge->target_scale = alloc_working(ridge, matrix->nitems, sizeof(double));
	for (uint32 i = 0; i < matrix->nitems; i++)
	{
		prepare_item(ridge, i);
		largest = Max(largest, ridge->diagonal[i]);
		sum += ridge->diagonal[i];
	}
	if (isinf(sum))
		float_overflow_error();
	ridge->penalty = ridge->options->ridge_lambda * sum / Max(matrix->npairs, 1);
	ridge->penalty = Max(ridge->penalty, 1e-10 * largest);
	/*
	 * without weights greater than 0 any penalty will do: nothing is learnt
	 */
	if (ridge->penalty == 0)
		ridge->penalty = 1;
}

/* ----------------
 *		lists
 * ----------------
 */

static inline void
add_best(RecTopk *topk, uint32 item, double similarity, uint32 support)
{
	RecNeighbor *neighbor;

	if (!(similarity >= topk->limit) || isinf(similarity))
		return;
	rec_topk_make_room(topk, 1);
	neighbor = &topk->best[topk->n++];
	neighbor->similarity = similarity;
	neighbor->item = item;
	neighbor->support = support;
}

static void
clear_best(RecTopk *topk)
{
	topk->n = 0;
	topk->limit = REC_LEAST_SIMILARITY;
}

/*
 * Add a neighbour of the row's item if it has enough support; items come in
 * rising order.
 */
static inline void
consider(Ridge *ridge, uint32 other, uint32 target, double weight)
{
	uint32		support = ridge->count[other];

	if (support >= (uint32) ridge->options->min_support)
		add_best(&ridge->neighbors, other, weight * ridge->target_scale[target], support);
}

/* Hand lists of sources per target to the sink as lists per source. */
static void
sink_turned(const Ridge *ridge, const RecLists *lists, RecRowSink sink, void *arg)
{
	bool		cut = ridge->options->truncate == REC_TRUNCATE_SOURCE;

	rec_neighbor_lists_sink_turned(lists, cut ? ridge->options->neighbors : PG_INT32_MAX, sink, arg);
}

/* ----------------
 *		the exact form
 * ----------------
 */

/* Return P, the inverse of G + lambda I; its order is padded. */
static double *
invert_products(Ridge *ridge)
{
	uint32		nitems = ridge->matrix->nitems;
	Size		order = REC_DENSE_ORDER(nitems);
	double	   *p = alloc_array(ridge, mul_size(order, order), sizeof(double), 0);

	for (uint32 i = 0; i < nitems; i++)
	{
		double	   *row = p + i * order;

		compute_row(ridge, i, i);
		memset(row, 0, i * sizeof(double));
		for (uint32 f = 0; f < ridge->nfound; f++)
			row[ridge->found[f]] = ridge->dot[ridge->found[f]];
		row[i] = ridge->diagonal[i] + ridge->penalty;
		clear_row(ridge);
	}
	for (Size i = nitems; i < order; i++)
	{
		memset(p + i * order, 0, i * sizeof(double));
		p[i * order + i] = 1;
	}
	rec_dense_invert(alloc_dense(ridge, order), p, order);
	return p;
}

/* Choose the neighbours of an item: its best targets, or its best sources. */
static void
choose_exact(Ridge *ridge, const double *p, uint32 row, bool per_target)
{
	Size		order = REC_DENSE_ORDER(ridge->matrix->nitems);

	clear_best(&ridge->neighbors);
	compute_row(ridge, row, ridge->matrix->nitems);
	for (uint32 f = 0; f < ridge->nfound; f++)
	{
		uint32		other = ridge->found[f];
		uint32		target = per_target ? row : other;

		if (other != row)
			consider(ridge, other, target,
					 -p[row * order + other] / p[target * order + target]);
	}
	clear_row(ridge);
	rec_topk_finish(&ridge->neighbors);
}

static void
exact_rows(Ridge *ridge, RecRowSink sink, void *arg)
{
	uint32		nitems = ridge->matrix->nitems;
	bool		per_target = ridge->options->truncate == REC_TRUNCATE_TARGET;
	double	   *p = invert_products(ridge);
	RecLists   *lists = NULL;

	rec_topk_init(&ridge->neighbors, ridge->mcxt, ridge->options->neighbors, TOPK_ROOM);
	if (per_target)
		lists = rec_neighbor_lists_create(ridge->mcxt, nitems);
	for (uint32 row = 0; row < nitems; row++)
	{
		CHECK_FOR_INTERRUPTS();
		choose_exact(ridge, p, row, per_target);
		if (per_target)
			rec_neighbor_lists_append(lists, ridge->neighbors.best, ridge->neighbors.n);
		else
			sink(arg, row, ridge->neighbors.best, ridge->neighbors.n);
	}
	pfree(p);
	if (per_target)
		sink_turned(ridge, lists, sink, arg);
}

/* ----------------
 *		the local form
 * ----------------
 */

/* Return room for a kept row; NULL when the budget has none left. */
static void *
take_room(Ridge *ridge, Size size)
{
	char	   *room;

	if (size >= ridge->page_left)
	{
		Size		page = Max(size, PAGE_BYTES);

		if (ridge->page_bytes + page > (Size) maintenance_work_mem * 1024 / 2)
			return NULL;
		ridge->page = alloc_array(ridge, page, 1, 0);
		ridge->page_left = page;
		ridge->page_bytes += page;
	}
	room = ridge->page;
	ridge->page += size;
	ridge->page_left -= size;
	return room;
}

/* Keep the row that was computed; false when there is no room for it. */
static bool
keep_row(Ridge *ridge, KeptRow *kept)
{
	uint32		n = ridge->nfound;
	double	   *value = take_room(ridge, MAXALIGN(n * (sizeof(double) + sizeof(uint32))));
	uint32	   *item;

	if (value == NULL)
		return false;
	item = (uint32 *) (value + n);
	for (uint32 f = 0; f < n; f++)
	{
		item[f] = ridge->found[f];
		value[f] = ridge->dot[item[f]];
	}
	kept->n = n;
	kept->item = item;
	kept->value = value;
	return true;
}

static void
keep_rows(Ridge *ridge)
{
	bool		room = true;

	ridge->kept = alloc_working(ridge, ridge->matrix->nitems, sizeof(KeptRow));
	for (uint32 row = 0; row < ridge->matrix->nitems && room; row++)
	{
		CHECK_FOR_INTERRUPTS();
		compute_row(ridge, row, row);
		room = keep_row(ridge, &ridge->kept[row]);
		if (room)
			ridge->nkept = row + 1;
		clear_row(ridge);
	}
}

static inline int
compare_items(const RecNeighbor *a, const RecNeighbor *b)
{
	return a->item < b->item ? -1 : a->item > b->item;
}

#define ST_SORT sort_by_item
#define ST_ELEMENT_TYPE RecNeighbor
#define ST_COMPARE(a, b) compare_items(a, b)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Choose by cosine the items that are to explain the row's item. */
static void
choose_similar(Ridge *ridge, uint32 target)
{
	RecTopk    *similar = &ridge->similar;

	clear_best(similar);
	for (uint32 f = 0; f < ridge->nfound; f++)
	{
		uint32		item = ridge->found[f];

		/* the target's own norm is the same for all */
		if (item != target)
			add_best(similar, item, ridge->dot[item] / sqrt(ridge->diagonal[item]), 0);
	}
	rec_topk_finish(similar);
	sort_by_item(similar->best, similar->n);
	ridge->ncandidates = similar->n;
	for (int c = 0; c < similar->n; c++)
		ridge->candidate[c] = similar->best[c].item;
}

/*
 * Choose the candidates of an item: all other items if there are not too
 * many.
 */
static void
choose_candidates(Ridge *ridge, uint32 target)
{
	uint32		nitems = ridge->matrix->nitems;

	if ((uint32) ridge->options->ridge_candidates < nitems - 1)
	{
		choose_similar(ridge, target);
		return;
	}
	ridge->ncandidates = 0;
	for (uint32 i = 0; i < nitems; i++)
		if (i != target)
			ridge->candidate[ridge->ncandidates++] = i;
}

/*
 * Fill in the candidates' entries from a row that was kept. Nearly all items
 * of the row are no candidates, which a bit map shows quickly.
 */
static void
look_up_entries(const Ridge *ridge, const KeptRow *kept, double *restrict row)
{
	const uint32 *restrict item = kept->item;
	const uint64 *restrict chosen = ridge->chosen;

	for (uint32 k = 0; k < kept->n; k++)
		if (chosen[item[k] / 64] >> item[k] % 64 & 1)
			row[ridge->place[item[k]]] = kept->value[k];
}

/* Fill in the candidates' entries from the interactions. */
static void
compute_entries(const Ridge *ridge, uint32 item, double *restrict row)
{
	const RecMatrix *matrix = ridge->matrix;
	const uint64 *restrict chosen = ridge->chosen;
	int64		work = 0;

	for (int64 p = matrix->item_start[item]; p < matrix->item_start[item + 1]; p++)
	{
		uint32		user = matrix->item_user[p];
		double		x = weight_at(matrix->item_weight, p) * user_scale(ridge, user);

		/* the user has the item itself: the loop ends there */
		for (int64 q = matrix->user_start[user]; matrix->user_item[q] < item; q++)
		{
			uint32		other = matrix->user_item[q];

			if (chosen[other / 64] >> other % 64 & 1)
				row[ridge->place[other]] += x * weight_at(matrix->user_weight, q);
		}
		check_interrupts(matrix, user, &work);
	}
}

/* Set up the system of the candidates, and G_j, the row at hand, beside it. */
static void
fill_system(Ridge *ridge, Size order)
{
	memset(ridge->system, 0, order * order * sizeof(double));
	memset(ridge->solution, 0, order * sizeof(double));
	for (uint32 c = 0; c < ridge->ncandidates; c++)
	{
		uint32		item = ridge->candidate[c];

		ridge->chosen[item / 64] |= UINT64CONST(1) << item % 64;
		ridge->place[item] = c;
	}
	for (uint32 c = 0; c < ridge->ncandidates; c++)
	{
		uint32		item = ridge->candidate[c];
		double	   *row = ridge->system + c * order;

		CHECK_FOR_INTERRUPTS();
		if (item < ridge->nkept)
			look_up_entries(ridge, &ridge->kept[item], row);
		else
			compute_entries(ridge, item, row);
		row[c] = ridge->diagonal[item] + ridge->penalty;
		ridge->solution[c] = ridge->dot[item];
	}
	for (uint32 c = 0; c < ridge->ncandidates; c++)
		ridge->chosen[ridge->candidate[c] / 64] = 0;
	for (Size c = ridge->ncandidates; c < order; c++)
		ridge->system[c * order + c] = 1;
}

/* Solve for the sources of a target. */
static void
choose_local(Ridge *ridge, uint32 target)
{
	Size		order;

	clear_best(&ridge->neighbors);
	compute_row(ridge, target, ridge->matrix->nitems);
	choose_candidates(ridge, target);
	order = REC_DENSE_ORDER(ridge->ncandidates);
	fill_system(ridge, order);
	rec_dense_solve(ridge->dense, ridge->system, order, ridge->solution);
	for (uint32 c = 0; c < ridge->ncandidates; c++)
		consider(ridge, ridge->candidate[c], target, ridge->solution[c]);
	clear_row(ridge);
	rec_topk_finish(&ridge->neighbors);
}

static void
prepare_local(Ridge *ridge)
{
	uint32		nitems = ridge->matrix->nitems;
	int			most = (int) Min((uint32) ridge->options->ridge_candidates, nitems);
	Size		order = REC_DENSE_ORDER(most);
	int			kept = most;

	if (ridge->options->truncate == REC_TRUNCATE_TARGET)
		kept = ridge->options->neighbors;
	rec_topk_init(&ridge->neighbors, ridge->mcxt, kept, TOPK_ROOM);
	rec_topk_init(&ridge->similar, ridge->mcxt, most, TOPK_ROOM);
	ridge->candidate = alloc_working(ridge, most, sizeof(uint32));
	ridge->chosen = alloc_working(ridge, nitems / 64 + 1, sizeof(uint64));
	ridge->place = alloc_working(ridge, nitems, sizeof(uint32));
	ridge->system = alloc_working(ridge, order * order, sizeof(double));
	ridge->solution = alloc_working(ridge, order, sizeof(double));
	ridge->dense = alloc_dense(ridge, order);
	keep_rows(ridge);
}

static void
local_rows(Ridge *ridge, RecRowSink sink, void *arg)
{
	uint32		nitems = ridge->matrix->nitems;
	RecLists   *lists = rec_neighbor_lists_create(ridge->mcxt, nitems);

	prepare_local(ridge);
	for (uint32 target = 0; target < nitems; target++)
	{
		CHECK_FOR_INTERRUPTS();
		choose_local(ridge, target);
		rec_neighbor_lists_append(lists, ridge->neighbors.best, ridge->neighbors.n);
	}
	sink_turned(ridge, lists, sink, arg);
}

/*
 * Compute the weights of every item for its targets by ridge regression, and
 * hand the best to the sink as rec_similarity_rows() does: items in order,
 * best neighbour first, ties to the item with the smaller number, n = 0 for
 * items without neighbours. The lists live until the sink returns. All rows
 * come at the end, except in the exact form with truncation per source.
 */
void
rec_ridge_rows(const RecMatrix *matrix, const RecOptions *options,
			   RecRowSink sink, void *arg)
{
	Ridge	   *ridge = palloc0_object(Ridge);

	ridge->matrix = matrix;
	ridge->options = options;
	ridge->mcxt = AllocSetContextCreate(CurrentMemoryContext, "recommender ridge",
										   ALLOCSET_DEFAULT_SIZES);
	prepare_users(ridge);
	prepare_items(ridge);
	ridge->dot = alloc_working(ridge, matrix->nitems, sizeof(double));
	ridge->count = alloc_working(ridge, matrix->nitems, sizeof(uint32));
	ridge->touched = alloc_working(ridge, matrix->nitems / 64 + 1, sizeof(uint64));
	ridge->found = alloc_working(ridge, matrix->nitems, sizeof(uint32));
	if (matrix->nitems <= (uint32) options->ridge_exact_items)
		exact_rows(ridge, sink, arg);
	else
		local_rows(ridge, sink, arg);
	MemoryContextDelete(ridge->mcxt);
	pfree(ridge);
}
