/*-------------------------------------------------------------------------
 *
 * content_neighbors.c
 *	  The items most alike by their content.
 *
 * One item's vector at a time is multiplied with those of all others: for each
 * of its features, for each item that has the feature, add the product of the
 * weights to the counter of that item.  Then the best counters are kept.  The
 * work is the sum over features of the square of their items, which features
 * that very many items have would make as large as the square of the
 * catalogue.  So these, the frequent ones, bring no two items together; but of
 * items that others have brought together they count, so that a similarity is
 * always that of whole vectors.
 *
 * Embeddings are multiplied with all others in a small catalogue, and in a
 * larger one with those in the nearest cells (embedding.c); and with those
 * items that features have brought together, unless their sum is too small
 * for any product of the embeddings' lengths to lift it to the best.
 *
 * This is not the kernel of similarity_row.c, because that one counts common
 * users to find out which sums not to look at, and knows no frequent and no
 * dense parts.
 *
 * An item's list has its best "neighbors", and after them, at most as many
 * once more, those items that have it among their own best: without them an
 * item that is nobody's best neighbour would not be found from anywhere.  Of
 * equal similarities the smaller number comes first; as all sums are in the
 * order of the features, two items are as alike as the other way round.
 *
 * Knows numbers only: no Datum, no SPI.  Results are in the current context.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/content_neighbors.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "content_neighbors.h"
#include "embedding.h"
#include "miscadmin.h"
#include "sqlutil.h"
#include "topk.h"
#include "utils/memutils.h"

#define BLOCK_SIZE			64	/* counters that are looked at together */
#define INTERRUPT_WORK		10000	/* additions between interrupt checks */
#define LEAST_PROBES		8	/* cells that a row is compared with, and ... */
#define NEAREST_SHARE		16	/* ... one in so many of a large number */
#define SLACK				1e-5	/* more than a product of float4 loses */

typedef struct Kernel
{
	const RecContent *content;
	MemoryContext budget;		/* the context that memory is counted in */
	MemoryContext context;		/* owns what follows */
	uint32		nblocks;
	double	   *product;		/* with each item; all zero between rows */
	uint8	   *touched;		/* per block */

	/* frequent features, NULL when there are none */
	int64	   *frequent_start; /* nitems + 1 offsets */
	uint32	   *frequent_feature;
	float4	   *frequent_weight;
	float4	   *row_weight;		/* of the row's, by feature; else 0 */

	/* embeddings, NULL when there are none */
	const RecCells *cells;
	int			probes;			/* cells that a row is compared with */
	int		   *nearest;		/* those */
	double	   *length;			/* of each item's embedding */
	bool	   *multiplied;		/* of each item with the row's: done */
	RecTopk		topk;
} Kernel;

static void *
alloc_working(Kernel *kernel, Size count, Size width)
{
	return rec_memory_alloc_in(kernel->budget, kernel->context, count, width);
}

static inline bool
is_frequent(const RecContent *content, uint32 feature)
{
	return content->feature_start[feature + 1] - content->feature_start[feature] >
		content->max_items;
}

/* Makes rows of the frequent features alone. */
static void
prepare_frequent(Kernel *kernel)
{
	const RecContent *content = kernel->content;
	int64		n = 0;

	for (uint32 f = 0; f < content->nfeatures; f++)
		if (is_frequent(content, f))
			n += content->feature_start[f + 1] - content->feature_start[f];
	if (n == 0)
		return;
	kernel->frequent_start = alloc_working(kernel, (Size) content->nitems + 1, sizeof(int64));
	kernel->frequent_feature = alloc_working(kernel, n, sizeof(uint32));
	kernel->frequent_weight = alloc_working(kernel, n, sizeof(float4));
	kernel->row_weight = alloc_working(kernel, content->nfeatures, sizeof(float4));
	n = 0;
	for (uint32 i = 0; i < content->nitems; i++)
	{
		kernel->frequent_start[i] = n;
		for (int64 e = content->item_start[i]; e < content->item_start[i + 1]; e++)
		{
			if (!is_frequent(content, content->item_feature[e]))
				continue;
			kernel->frequent_feature[n] = content->item_feature[e];
			kernel->frequent_weight[n++] = content->item_weight[e];
		}
	}
	kernel->frequent_start[content->nitems] = n;
}

static const float4 *
dense_vector(const Kernel *kernel, uint32 item)
{
	return kernel->content->dense + (Size) item * kernel->content->dimensions;
}

/*
 * Puts the embeddings into cells, if there are any.  All cells are looked into
 * when the catalogue is small, otherwise one in NEAREST_SHARE.
 */
static void
prepare_dense(Kernel *kernel, RecContent *content)
{
	int			ncells;

	if (content->dense == NULL)
		return;
	if (content->cells == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(content->context);

		content->cells = rec_cells_create(content->dense, content->dimensions,
										  content->nitems, kernel->budget);
		MemoryContextSwitchTo(old);
	}
	ncells = content->cells->n;
	kernel->cells = content->cells;
	kernel->probes = content->cells->start[ncells] <= content->exact_items ? ncells :
		Min(ncells, Max(LEAST_PROBES, ncells / NEAREST_SHARE));
	kernel->nearest = alloc_working(kernel, ncells, sizeof(int));
	kernel->length = alloc_working(kernel, content->nitems, sizeof(double));
	kernel->multiplied = alloc_working(kernel, content->nitems, sizeof(bool));
	for (uint32 i = 0; i < content->nitems; i++)
		kernel->length[i] = sqrt(rec_embedding_product(dense_vector(kernel, i),
													   dense_vector(kernel, i),
													   content->dimensions));
}

static Kernel *
begin_kernel(RecContent *content, int neighbors, MemoryContext budget)
{
	Kernel	   *kernel = palloc0_object(Kernel);

	kernel->content = content;
	kernel->budget = budget;
	kernel->context = AllocSetContextCreate(budget, "recommender content neighbours",
											ALLOCSET_DEFAULT_SIZES);
	kernel->nblocks = (content->nitems + BLOCK_SIZE - 1) / BLOCK_SIZE;
	kernel->product = alloc_working(kernel, (Size) kernel->nblocks * BLOCK_SIZE, sizeof(double));
	kernel->touched = alloc_working(kernel, kernel->nblocks, sizeof(uint8));
	prepare_frequent(kernel);
	prepare_dense(kernel, content);
	rec_topk_init(&kernel->topk, kernel->context, neighbors, BLOCK_SIZE);
	return kernel;
}

/* Adds the products with all items that have one of the row's features. */
static void
multiply(Kernel *kernel, uint32 row)
{
	const RecContent *content = kernel->content;
	int64		work = 0;

	for (int64 e = content->item_start[row]; e < content->item_start[row + 1]; e++)
	{
		uint32		feature = content->item_feature[e];
		int64		from = content->feature_start[feature];
		int64		n = content->feature_start[feature + 1] - from;
		const uint32 *item = content->feature_item + from;
		const float4 *weight = content->feature_weight + from;
		double		x = content->item_weight[e];

		if (n > content->max_items)
			continue;
		for (int64 p = 0; p < n; p++)
		{
			kernel->product[item[p]] += x * weight[p];
			kernel->touched[item[p] / BLOCK_SIZE] = 1;
		}
		work += n;
		if (work > INTERRUPT_WORK)
		{
			CHECK_FOR_INTERRUPTS();
			work = 0;
		}
	}
}

/* Gives the number of cells that a row is compared with: in kernel->nearest. */
static int
find_cells(Kernel *kernel, uint32 row)
{
	if (kernel->probes < kernel->cells->n)
		return rec_cells_nearest(kernel->cells, dense_vector(kernel, row), kernel->probes,
								 kernel->nearest);
	for (int c = 0; c < kernel->cells->n; c++)
		kernel->nearest[c] = c;
	return kernel->cells->n;
}

/* Adds the products with the embeddings in a cell, or takes their marks away. */
static void
multiply_cell(Kernel *kernel, uint32 row, int cell, bool done)
{
	const RecCells *cells = kernel->cells;
	const float4 *vector = dense_vector(kernel, row);

	CHECK_FOR_INTERRUPTS();
	for (int64 i = cells->start[cell]; i < cells->start[cell + 1]; i++)
	{
		uint32		item = cells->item[i];

		kernel->multiplied[item] = done;
		if (!done)
			continue;
		kernel->product[item] += rec_embedding_product(vector, dense_vector(kernel, item),
													   cells->dimensions);
		kernel->touched[item / BLOCK_SIZE] = 1;
	}
}

/* Gives the product with an item's embedding, if that is not in the sum yet. */
static inline double
missing_product(const Kernel *kernel, uint32 row, uint32 item, double sum)
{
	if (kernel->multiplied[item] || kernel->length[item] == 0 ||
		sum + kernel->length[row] * kernel->length[item] * (1 + SLACK) < kernel->topk.limit)
		return 0;
	return rec_embedding_product(dense_vector(kernel, row), dense_vector(kernel, item),
								 kernel->content->dimensions);
}

/* Says which frequent features the row has, or, in the end, had. */
static void
mark_frequent(Kernel *kernel, uint32 row, bool has)
{
	for (int64 e = kernel->frequent_start[row]; e < kernel->frequent_start[row + 1]; e++)
		kernel->row_weight[kernel->frequent_feature[e]] = has ? kernel->frequent_weight[e] : 0;
}

static inline double
frequent_product(const Kernel *kernel, uint32 item)
{
	double		product = 0;

	for (int64 e = kernel->frequent_start[item]; e < kernel->frequent_start[item + 1]; e++)
		product += (double) kernel->row_weight[kernel->frequent_feature[e]] *
			kernel->frequent_weight[e];
	return product;
}

/* Puts the items of a block that are good enough among the best. */
static void
look_at_block(Kernel *kernel, uint32 row, uint32 block)
{
	double	   *product = kernel->product + (Size) block * BLOCK_SIZE;
	RecTopk    *topk = &kernel->topk;

	rec_topk_make_room(topk, BLOCK_SIZE);
	for (uint32 i = 0; i < BLOCK_SIZE; i++)
	{
		uint32		item = block * BLOCK_SIZE + i;
		double		similarity = product[i];

		if (similarity == 0)
			continue;
		product[i] = 0;
		if (kernel->frequent_start)
			similarity += frequent_product(kernel, item);
		if (kernel->cells && kernel->length[row] > 0)
			similarity += missing_product(kernel, row, item, similarity);
		if (similarity < topk->limit)
			continue;
		topk->best[topk->n].similarity = similarity;
		topk->best[topk->n].item = item;
		topk->best[topk->n++].support = 0;
	}
}

/* Gives the best neighbours of one item. */
static const RecTopk *
compute_row(Kernel *kernel, uint32 row)
{
	int			probes = 0;

	kernel->topk.n = 0;
	kernel->topk.limit = REC_LEAST_SIMILARITY;
	if (kernel->frequent_start)
		mark_frequent(kernel, row, true);
	multiply(kernel, row);
	if (kernel->cells && kernel->length[row] > 0)
		probes = find_cells(kernel, row);
	for (int i = 0; i < probes; i++)
		multiply_cell(kernel, row, kernel->nearest[i], true);
	kernel->product[row] = 0;	/* it does not list itself */
	for (uint32 block = 0; block < kernel->nblocks; block++)
	{
		if (!kernel->touched[block])
			continue;
		kernel->touched[block] = 0;
		look_at_block(kernel, row, block);
	}
	for (int i = 0; i < probes; i++)
		multiply_cell(kernel, row, kernel->nearest[i], false);
	if (kernel->frequent_start)
		mark_frequent(kernel, row, false);
	rec_topk_finish(&kernel->topk);
	return &kernel->topk;
}

/* ----------------
 *		lists
 * ----------------
 */

static RecContentLists *
create_lists(MemoryContext budget, uint32 nitems, int64 n)
{
	RecContentLists *lists = palloc0_object(RecContentLists);
	Size		entries = mul_size(Max(n, 1), sizeof(int32));

	rec_memory_check(budget, mul_size((Size) nitems + 1, sizeof(int64)) + 2 * entries);
	lists->nitems = nitems;
	lists->start = MemoryContextAllocExtended(CurrentMemoryContext,
											  mul_size((Size) nitems + 1, sizeof(int64)),
											  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	lists->item = MemoryContextAllocHuge(CurrentMemoryContext, entries);
	lists->value = MemoryContextAllocHuge(CurrentMemoryContext, entries);
	return lists;
}

static void
free_lists(RecContentLists *lists)
{
	pfree(lists->start);
	pfree(lists->item);
	pfree(lists->value);
	pfree(lists);
}

/* Computes each item's own best neighbours. */
static RecContentLists *
best_of_each(Kernel *kernel, RecContentStep step, void *arg)
{
	uint32		nitems = kernel->content->nitems;
	int64		allocated = 1024;
	RecContentLists *lists = create_lists(kernel->budget, nitems, allocated);
	int64		n = 0;

	for (uint32 row = 0; row < nitems; row++)
	{
		const RecTopk *topk = compute_row(kernel, row);

		CHECK_FOR_INTERRUPTS();
		if (n + topk->n > allocated)
		{
			int64		more = Max(allocated, topk->n);

			rec_memory_check(kernel->budget, mul_size(more, 2 * sizeof(int32)));
			allocated += more;
			lists->item = repalloc_huge(lists->item, mul_size(allocated, sizeof(int32)));
			lists->value = repalloc_huge(lists->value, mul_size(allocated, sizeof(float4)));
		}
		for (int i = 0; i < topk->n; i++)
		{
			lists->item[n] = (int32) topk->best[i].item;
			lists->value[n++] = (float4) topk->best[i].similarity;
		}
		lists->start[row + 1] = n;
		if (step)
			step(arg, row + 1);
	}
	return lists;
}

/* Gives for each item those that have it in their lists, in rising order. */
static RecContentLists *
turn_round(const RecContentLists *lists, MemoryContext budget)
{
	int64		n = lists->start[lists->nitems];
	RecContentLists *turned = create_lists(budget, lists->nitems, n);
	int64	   *start = turned->start;

	for (int64 e = 0; e < n; e++)
		start[lists->item[e] + 1]++;
	for (uint32 i = 0; i < lists->nitems; i++)
		start[i + 1] += start[i];
	for (uint32 i = 0; i < lists->nitems; i++)
	{
		for (int64 e = lists->start[i]; e < lists->start[i + 1]; e++)
		{
			int64		to = start[lists->item[e]]++;

			turned->item[to] = (int32) i;
			turned->value[to] = lists->value[e];
		}
		if (i % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	/* each offset has become that of the next item */
	memmove(start + 1, start, lists->nitems * sizeof(int64));
	start[0] = 0;
	return turned;
}

typedef struct Addition
{
	float4		value;
	int32		item;
} Addition;

static inline int
compare_additions(const Addition *a, const Addition *b)
{
	if (a->value != b->value)
		return a->value > b->value ? -1 : 1;
	return a->item < b->item ? -1 : a->item > b->item;
}

#define ST_SORT sort_additions
#define ST_ELEMENT_TYPE Addition
#define ST_COMPARE(a, b) compare_additions(a, b)
#define ST_CHECK_FOR_INTERRUPTS
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/*
 * Gives the best of those that have an item in their lists and are not in its
 * own, which "seen" tells by the item's number plus 1.
 */
static int
additions_of(const RecContentLists *lists, const RecContentLists *turned, uint32 item,
			 int neighbors, uint32 *seen, Addition *additions)
{
	int			n = 0;

	for (int64 e = lists->start[item]; e < lists->start[item + 1]; e++)
		seen[lists->item[e]] = item + 1;
	for (int64 e = turned->start[item]; e < turned->start[item + 1]; e++)
	{
		if (seen[turned->item[e]] == item + 1)
			continue;
		additions[n].item = turned->item[e];
		additions[n++].value = turned->value[e];
	}
	sort_additions(additions, n);
	return Min(n, neighbors);
}

/* Adds to each list the best that have its item in theirs. */
static RecContentLists *
complete_lists(RecContentLists *lists, const RecContentLists *turned, int neighbors,
			   MemoryContext budget)
{
	uint32		nitems = lists->nitems;
	RecContentLists *complete = create_lists(budget, nitems, 2 * lists->start[nitems]);
	uint32	   *seen = rec_memory_alloc_in(budget, CurrentMemoryContext, (Size) nitems + 1, sizeof(uint32));
	Addition   *additions = rec_memory_alloc_in(budget, CurrentMemoryContext, (Size) nitems + 1, sizeof(Addition));
	int64		n = 0;

	for (uint32 i = 0; i < nitems; i++)
	{
		int64		own = lists->start[i + 1] - lists->start[i];
		int			more = additions_of(lists, turned, i, neighbors, seen, additions);

		memcpy(complete->item + n, lists->item + lists->start[i], own * sizeof(int32));
		memcpy(complete->value + n, lists->value + lists->start[i], own * sizeof(float4));
		n += own;
		for (int a = 0; a < more; a++)
		{
			complete->item[n] = additions[a].item;
			complete->value[n++] = additions[a].value;
		}
		complete->start[i + 1] = n;
		if (i % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	pfree(seen);
	pfree(additions);
	return complete;
}

/*
 * Gives the neighbours of each item by the cosine of their vectors, in the
 * current context.  "budget" is a context whose memory may not go beyond
 * maintenance_work_mem; "step", unless NULL, hears how far it is.
 */
RecContentLists *
rec_content_neighbors(RecContent *content, int neighbors, MemoryContext budget,
					  RecContentStep step, void *arg)
{
	Kernel	   *kernel = begin_kernel(content, neighbors, budget);
	RecContentLists *lists = best_of_each(kernel, step, arg);
	RecContentLists *turned;
	RecContentLists *complete;

	MemoryContextDelete(kernel->context);
	turned = turn_round(lists, budget);
	complete = complete_lists(lists, turned, neighbors, budget);
	free_lists(lists);
	free_lists(turned);
	pfree(kernel);
	return complete;
}
