/*-------------------------------------------------------------------------
 *
 * content_similarity.c
 *	  The most similar items of one item by content.
 *
 * The item's vector is multiplied with those of all others: for each of its
 * features and each item with the feature, the product of the weights is added
 * to the sum of that item.  Then the best sums are kept.
 *
 * Features are processed by rising number of items: the most informative first,
 * the most expensive last.  From the remaining features, and from everything
 * else that is not in the sums yet, an item can gain at most the sum of the
 * largest products.  When that is less than the k-th largest sum, an item that
 * has not been met cannot be among the best, and long lists that remain are
 * skipped (MaxScore: Turtle and Flood 1995).  Items that have been met and can
 * still be among the best are multiplied as whole vectors.
 *
 * Features of very many items would still make the work quadratic in the size of
 * the catalogue.  So features of more than max_items items, the frequent ones,
 * do not bring two items together.  They count, however, for items that other
 * features have brought together, so that a similarity is always that of whole
 * vectors.
 *
 * In a small catalogue embeddings are multiplied with all others, in a larger
 * one with those in the nearest cells (embedding.c).  They are also multiplied
 * with those of the items that features have brought together, unless even the
 * product of the embeddings' lengths could not lift them to the best.
 *
 * This is not the kernel of similarity_row.c: that kernel counts common users to
 * decide which sums to skip, and has neither frequent features nor dense blocks.
 *
 * The value that is kept is the sum in the order of the features, whatever was
 * skipped on the way: similarity is symmetric bit for bit.
 *
 * Numbers only: no Datum, no SPI.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/content/content_similarity.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "content/content_similarity.h"
#include "math/number_set.h"
#include "miscadmin.h"
#include "pg/memory_budget.h"
#include "utils/memutils.h"

#define ROOM				64	/* in the buffer of the best */
#define INTERRUPT_WORK		10000	/* additions between interrupt checks */
#define LEAST_PROBES		8	/* cells that a row is compared with, and ... */
#define NEAREST_SHARE		16	/* ... one in so many of a large number */
#define WHOLE_COST			16	/* additions that a whole product costs */
#define SLACK				1e-11	/* more than another order of a sum
									 * changes */

/* A feature of the row that brings items together. */
typedef struct RowFeature
{
	uint32		feature;
	int64		n;				/* items that have it */
	double		most;			/* no product is larger */
} RowFeature;

struct RecContentRows
{
	const RecContent *content;
	MemoryContext budget;		/* the memory context in which memory is
								 * accounted for */
	MemoryContext mcxt;			/* owns what follows */
	double	   *most;			/* largest weight of each feature */

	/* the row at hand */
	uint32		row;
	float4	   *row_weight;		/* by feature, but frequent ones; else 0 */
	RowFeature *feature;		/* its features, but frequent ones */
	int			nfeatures;
	int64		left;			/* additions for features not multiplied yet */
	double		gain;			/* no item gains more by those, ... */
	double		frequent_gain;	/* ... by frequent features, ... */
	double		dense_gain;		/* ... or by the embedding */
	double	   *sum;			/* with each item; all zero between rows */
	uint32	   *met;			/* items whose sum is not zero */
	uint32		nmet;
	RecNumberSet candidates;	/* those that may be among the best */
	RecTopk		topk;

	/* frequent features, NULL when there are none */
	int64	   *frequent_start; /* nitems + 1 offsets */
	uint32	   *frequent_feature;
	float4	   *frequent_weight;
	float4	   *row_frequent;	/* of the row's, by feature; else 0 */

	/* embeddings, NULL when there are none */
	const RecCells *cells;
	int			probes;			/* cells that a row is compared with */
	int		   *nearest;		/* those */
	int			nnearest;
	double	   *length;			/* of each item's embedding */
	double		longest;
	bool	   *multiplied;		/* of each item with the row's: in the sum */
};

/* ----------------
 *		preparation
 * ----------------
 */

static void *
alloc_working(RecContentRows *rows, Size count, Size width)
{
	return rec_memory_budget_alloc_in(rows->budget, rows->mcxt, count, width);
}

static inline int64
feature_items(const RecContent *content, uint32 feature)
{
	return content->feature_start[feature + 1] - content->feature_start[feature];
}

static inline bool
is_frequent(const RecContent *content, uint32 feature)
{
	return feature_items(content, feature) > content->max_items;
}

static void
prepare_features(RecContentRows *rows)
{
	const RecContent *content = rows->content;
	int			longest = 0;

	rows->row_weight = alloc_working(rows, content->nfeatures, sizeof(float4));
	rows->most = alloc_working(rows, content->nfeatures, sizeof(double));
	for (uint32 f = 0; f < content->nfeatures; f++)
		for (int64 e = content->feature_start[f]; e < content->feature_start[f + 1]; e++)
			rows->most[f] = Max(rows->most[f], content->feature_weight[e]);
	for (uint32 i = 0; i < content->nitems; i++)
		longest = Max(longest, (int) (content->item_start[i + 1] - content->item_start[i]));
	rows->feature = alloc_working(rows, longest, sizeof(RowFeature));
}

/* Make rows of the frequent features alone. */
static void
prepare_frequent(RecContentRows *rows)
{
	const RecContent *content = rows->content;
	int64		n = 0;

	for (uint32 f = 0; f < content->nfeatures; f++)
		if (is_frequent(content, f))
			n += feature_items(content, f);
	if (n == 0)
		return;
	rows->frequent_start = alloc_working(rows, (Size) content->nitems + 1, sizeof(int64));
	rows->frequent_feature = alloc_working(rows, n, sizeof(uint32));
	rows->frequent_weight = alloc_working(rows, n, sizeof(float4));
	rows->row_frequent = alloc_working(rows, content->nfeatures, sizeof(float4));
	n = 0;
	for (uint32 i = 0; i < content->nitems; i++)
	{
		rows->frequent_start[i] = n;
		for (int64 e = content->item_start[i]; e < content->item_start[i + 1]; e++)
		{
			if (!is_frequent(content, content->item_feature[e]))
				continue;
			rows->frequent_feature[n] = content->item_feature[e];
			rows->frequent_weight[n++] = content->item_weight[e];
		}
	}
	rows->frequent_start[content->nitems] = n;
}

static const float4 *
dense_vector(const RecContentRows *rows, uint32 item)
{
	return rows->content->dense + (Size) item * rows->content->dimensions;
}

static inline double
dense_product(const RecContentRows *rows, uint32 item)
{
	return rec_embedding_product(dense_vector(rows, rows->row), dense_vector(rows, item),
								 rows->content->dimensions);
}

/*
 * Put the embeddings into cells, if there are any. In a small catalogue all
 * cells are searched, otherwise one in NEAREST_SHARE.
 */
static void
prepare_dense(RecContentRows *rows, RecContent *content)
{
	int			ncells;

	if (content->dense == NULL)
		return;
	if (content->cells == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(content->mcxt);

		content->cells = rec_embedding_cells_create(content->dense, content->dimensions,
													content->nitems, rows->budget);
		MemoryContextSwitchTo(old);
	}
	ncells = content->cells->n;
	rows->cells = content->cells;
	rows->probes = content->cells->start[ncells] <= content->exact_items ? ncells :
		Min(ncells, Max(LEAST_PROBES, ncells / NEAREST_SHARE));
	rows->nearest = alloc_working(rows, ncells, sizeof(int));
	rows->length = alloc_working(rows, content->nitems, sizeof(double));
	rows->multiplied = alloc_working(rows, content->nitems, sizeof(bool));
	for (uint32 i = 0; i < content->nitems; i++)
	{
		rows->row = i;
		rows->length[i] = sqrt(dense_product(rows, i));
		rows->longest = Max(rows->longest, rows->length[i]);
	}
}

/*
 * Prepare to compute rows of up to "neighbors" items each, until
 * rec_content_similarity_end(). Memory is in a child of "budget", whose
 * memory may not exceed maintenance_work_mem. Embeddings are put into cells,
 * which the content keeps.
 */
RecContentRows *
rec_content_similarity_begin(RecContent *content, int neighbors, MemoryContext budget)
{
	RecContentRows *rows = palloc0_object(RecContentRows);

	rows->content = content;
	rows->budget = budget;
	rows->mcxt = AllocSetContextCreate(budget, "recommender content neighbours",
									   ALLOCSET_DEFAULT_SIZES);
	rows->sum = alloc_working(rows, content->nitems, sizeof(double));
	rows->met = alloc_working(rows, (Size) content->nitems + 1, sizeof(uint32));
	rows->candidates = rec_number_set_create(rows->mcxt, budget, content->nitems);
	prepare_features(rows);
	prepare_frequent(rows);
	prepare_dense(rows, content);
	rec_topk_init(&rows->topk, rows->mcxt, neighbors, ROOM);
	return rows;
}

/* Free everything. */
void
rec_content_similarity_end(RecContentRows *rows)
{
	MemoryContextDelete(rows->mcxt);
	pfree(rows);
}

/* ----------------
 *		whole vectors
 * ----------------
 */

/* Return the product over all features that bring items together. */
static double
feature_product(const RecContentRows *rows, uint32 item)
{
	const RecContent *content = rows->content;
	double		product = 0;

	for (int64 e = content->item_start[item]; e < content->item_start[item + 1]; e++)
		product += (double) rows->row_weight[content->item_feature[e]] *
			content->item_weight[e];
	return product;
}

static double
frequent_product(const RecContentRows *rows, uint32 item)
{
	double		product = 0;

	for (int64 e = rows->frequent_start[item]; e < rows->frequent_start[item + 1]; e++)
		product += (double) rows->row_frequent[rows->frequent_feature[e]] *
			rows->frequent_weight[e];
	return product;
}

/* Return the similarity with an item. */
static double
whole_product(const RecContentRows *rows, uint32 item)
{
	double		product = feature_product(rows, item);

	if (rows->frequent_start)
		product += frequent_product(rows, item);
	if (rows->dense_gain > 0 && rows->length[item] > 0)
		product += dense_product(rows, item);
	return product;
}

/* ----------------
 *		sums of parts
 * ----------------
 */

static inline int
compare_features(const RowFeature *a, const RowFeature *b)
{
	if (a->n != b->n)
		return a->n < b->n ? -1 : 1;
	return a->feature < b->feature ? -1 : a->feature > b->feature;
}

#define ST_SORT sort_features
#define ST_ELEMENT_TYPE RowFeature
#define ST_COMPARE(a, b) compare_features(a, b)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Load the row's features and embedding; nothing is multiplied yet. */
static void
begin_row(RecContentRows *rows, uint32 row)
{
	const RecContent *content = rows->content;

	rows->row = row;
	rows->nmet = 0;
	rows->nfeatures = 0;
	rows->left = 0;
	rows->gain = 0;
	rows->frequent_gain = 0;
	rows->dense_gain = rows->cells ? rows->length[row] * rows->longest : 0;
	for (int64 e = content->item_start[row]; e < content->item_start[row + 1]; e++)
	{
		uint32		feature = content->item_feature[e];
		float4		x = content->item_weight[e];
		RowFeature	one = {feature, feature_items(content, feature), x * rows->most[feature]};

		if (one.n > content->max_items)
		{
			rows->row_frequent[feature] = x;
			rows->frequent_gain += one.most;
			continue;
		}
		rows->row_weight[feature] = x;
		rows->feature[rows->nfeatures++] = one;
		rows->left += one.n;
		rows->gain += one.most;
	}
	sort_features(rows->feature, rows->nfeatures);
	rows->topk.n = 0;
	rows->topk.limit = REC_LEAST_SIMILARITY;
}

static void
forget_row(RecContentRows *rows)
{
	const RecContent *content = rows->content;

	for (int64 e = content->item_start[rows->row]; e < content->item_start[rows->row + 1]; e++)
	{
		rows->row_weight[content->item_feature[e]] = 0;
		if (rows->row_frequent)
			rows->row_frequent[content->item_feature[e]] = 0;
	}
}

static inline void
add_product(RecContentRows *rows, uint32 item, double product)
{
	double		sum = rows->sum[item];

	rows->met[rows->nmet] = item;
	rows->nmet += sum == 0 && product != 0;
	rows->sum[item] = sum + product;
}

/* Add the products with all items that have a feature of the row's. */
static void
multiply(RecContentRows *rows, const RowFeature *one)
{
	const RecContent *content = rows->content;
	int64		from = content->feature_start[one->feature];
	const uint32 *item = content->feature_item + from;
	const float4 *weight = content->feature_weight + from;
	double		x = rows->row_weight[one->feature];

	for (int64 p = 0; p < one->n; p++)
		add_product(rows, item[p], x * weight[p]);
	rows->left -= one->n;
	rows->gain -= one->most;
}

/*
 * Return the most that an item can gain from all that was not multiplied yet.
 */
static inline double
most_gain(const RecContentRows *rows)
{
	return rows->gain + rows->frequent_gain + rows->dense_gain;
}

/*
 * Return a limit that the whole products of k items reach, ties with the k-th
 * included: the k-th largest sum. Only embeddings can make a sum smaller.
 */
static double
find_limit(RecContentRows *rows)
{
	RecTopk    *topk = &rows->topk;

	topk->n = 0;
	topk->limit = REC_LEAST_SIMILARITY;
	for (uint32 i = 0; i < rows->nmet; i++)
	{
		uint32		item = rows->met[i];

		rec_topk_make_room(topk, 1);
		topk->best[topk->n].similarity = rows->sum[item];
		topk->best[topk->n].item = item;
		topk->n += rows->sum[item] >= topk->limit && item != rows->row &&
			(rows->dense_gain == 0 || rows->multiplied[item]);
	}
	if (topk->n < topk->k)
		return REC_LEAST_SIMILARITY;
	return Max(rec_topk_value(topk, topk->k) * (1 - SLACK), REC_LEAST_SIMILARITY);
}

/*
 * Multiply with the lists of the features until no other item can be among
 * the best and the items that were met are few compared with what is left.
 */
static void
multiply_features(RecContentRows *rows)
{
	double		limit = REC_LEAST_SIMILARITY;
	int64		looked = 0;		/* items met when the limit was found */
	int64		unchecked = 0;

	for (int i = 0; i < rows->nfeatures; i++)
	{
		if (rows->left > WHOLE_COST * (int64) rows->nmet)
		{
			if (rows->nmet > 2 * looked + rows->topk.k)
			{
				limit = find_limit(rows);
				looked = rows->nmet;
			}
			if (most_gain(rows) < limit)
				return;
		}
		multiply(rows, &rows->feature[i]);
		unchecked += rows->feature[i].n;
		if (unchecked > INTERRUPT_WORK)
		{
			CHECK_FOR_INTERRUPTS();
			unchecked = 0;
		}
	}
	rows->gain = 0;				/* except for what rounding left */
}

/* Store the cells that the row is compared with in rows->nearest. */
static void
find_cells(RecContentRows *rows)
{
	rows->nnearest = 0;
	if (rows->dense_gain == 0)
		return;
	if (rows->probes < rows->cells->n)
	{
		rows->nnearest = rec_embedding_cells_nearest(rows->cells, dense_vector(rows, rows->row),
													 rows->probes, rows->nearest);
		return;
	}
	while (rows->nnearest < rows->cells->n)
	{
		rows->nearest[rows->nnearest] = rows->nnearest;
		rows->nnearest++;
	}
}

/* Add the products with the embeddings in a cell, or clear their marks. */
static void
multiply_cell(RecContentRows *rows, int cell, bool done)
{
	const RecCells *cells = rows->cells;

	CHECK_FOR_INTERRUPTS();
	for (int64 i = cells->start[cell]; i < cells->start[cell + 1]; i++)
	{
		uint32		item = cells->item[i];
		double		product;

		rows->multiplied[item] = done;
		if (!done)
			continue;
		product = dense_product(rows, item);
		/* a sum of zero would mean that the item was not met */
		if (rows->sum[item] + product != 0)
			add_product(rows, item, product);
	}
}

/* ----------------
 *		one row
 * ----------------
 */

/*
 * Return the most that an item that was met can gain from what is not in its
 * sum.
 */
static inline double
item_gain(const RecContentRows *rows, uint32 item)
{
	if (rows->dense_gain > 0 && !rows->multiplied[item])
		return rows->gain + rows->frequent_gain + rows->dense_gain;
	return rows->gain + rows->frequent_gain;
}

/*
 * Keep, in order, the items that were met and may reach the limit, and add
 * the products of frequent features.
 */
static void
leave_candidates(RecContentRows *rows, double limit)
{
	for (uint32 i = 0; i < rows->nmet; i++)
	{
		uint32		item = rows->met[i];

		if (item != rows->row && rows->sum[item] + item_gain(rows, item) >= limit)
			rec_number_set_add(&rows->candidates, item);
		else
			rows->sum[item] = 0;
	}
	rows->nmet = rec_number_set_take(&rows->candidates, rows->met);
	if (rows->frequent_gain == 0)
		return;
	for (uint32 i = 0; i < rows->nmet; i++)
		rows->sum[rows->met[i]] += frequent_product(rows, rows->met[i]);
	rows->frequent_gain = 0;
}

/* Keep the best of the candidates, by whole vectors, in the buffer. */
static void
choose_best(RecContentRows *rows, double limit)
{
	RecTopk    *topk = &rows->topk;

	topk->n = 0;
	topk->limit = limit;
	for (uint32 i = 0; i < rows->nmet; i++)
	{
		uint32		item = rows->met[i];

		rec_topk_make_room(topk, 1);
		if ((rows->sum[item] + item_gain(rows, item)) * (1 + SLACK) >= topk->limit)
		{
			double		similarity = whole_product(rows, item);

			topk->best[topk->n].similarity = similarity;
			topk->best[topk->n].item = item;
			topk->best[topk->n].support = 0;
			topk->n += similarity >= topk->limit;
		}
		rows->sum[item] = 0;
	}
	rec_topk_finish(topk);
}

/*
 * Return the items most similar to an item, best first, ties by smaller
 * number, in "best" and "n" of the result, which is valid until the next
 * call. The item itself is not among them.
 */
const RecTopk *
rec_content_similarity_row(RecContentRows *rows, uint32 row)
{
	begin_row(rows, row);
	multiply_features(rows);
	find_cells(rows);
	for (int i = 0; i < rows->nnearest; i++)
		multiply_cell(rows, rows->nearest[i], true);
	leave_candidates(rows, find_limit(rows));
	choose_best(rows, find_limit(rows));
	for (int i = 0; i < rows->nnearest; i++)
		multiply_cell(rows, rows->nearest[i], false);
	forget_row(rows);
	return &rows->topk;
}
