/*-------------------------------------------------------------------------
 *
 * new_item_neighbors.c
 *	  Neighbours by content of an item that the model does not know.
 *
 * The features of its vector list the items that have them.  The sums of the
 * products with these are cosines, unless something is missing: frequent
 * features list no items, and of embeddings only those in the nearest cells
 * are looked at.  Then the vectors of the most promising items are read.
 *
 * What is read does not grow with the number of items, except for the
 * centroids of the cells, which are as many as its square root.  There is one
 * counter for each item.
 *
 * Results are in the current memory context.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/serve/new_item_neighbors.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "definition/layout.h"
#include "definition/model_scan.h"
#include "math/topk.h"
#include "serve/new_item_neighbors.h"
#include "storage/bufmgr.h"
#include "storage/shmem.h"
#include "utils/array.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#define CELL_ITEMS			1000	/* of the nearest cells, about */
#define REFINED				4	/* times the neighbours: whose vectors are
								 * read */

static const RecStorePath features_by_number = {
	"feature", {"generation", "feature_no"}, {"feature_no", "items", "item_nos", "weights"}
};

static const RecStorePath vectors_by_number = {
	"item_feature", {"generation", "item_no"}, {"item_no", "feature_nos", "weights", "embedding"}
};

static const RecStorePath cells_path = {
	"embedding_cell", {"generation", "cell_no"}, {"centroid", "item_nos"}
};

/* A search for the neighbours of a vector. */
typedef struct Search
{
	RecVectorMaker *maker;
	const RecVector *vector;
	double	   *product;		/* with each item, by what features list */
	bool		complete;		/* that is all there is */
} Search;

static inline uint32
checked_number(const RecVectorMaker *maker, int32 number)
{
	if (number < 0 || number >= maker->model->nitems)
		rec_new_item_vectors_damaged(maker);
	return (uint32) number;
}

/* Add the products with the items that a feature lists. */
static void
multiply_feature(Search *search, double weight, Datum item_nos, Datum weights)
{
	const void *elements;
	int			n = rec_model_scan_array(item_nos, INT4OID, &elements);
	const int32 *items = elements;
	const float4 *theirs;

	if (n < 0 || rec_model_scan_array(weights, FLOAT4OID, &elements) != n)
		rec_new_item_vectors_damaged(search->maker);
	theirs = elements;
	for (int i = 0; i < n; i++)
	{
		if (!isfinite(theirs[i]))
			rec_new_item_vectors_damaged(search->maker);
		search->product[checked_number(search->maker, items[i])] += weight * theirs[i];
	}
}

static double
weight_of(const RecVector *vector, uint32 feature)
{
	for (int i = 0; i < vector->n; i++)
		if (vector->feature[i] == feature)
			return vector->weight[i];
	return 0;
}

/* Multiply the vector's known features with all items that these list. */
static void
multiply_features(Search *search)
{
	RecVectorMaker *maker = search->maker;
	const RecVector *vector = search->vector;
	Datum	   *numbers = palloc_array(Datum, vector->n + 1);
	int			n = 0;
	Datum		keys[2];
	Datum		values[4];
	bool		nulls[4];
	RecStoreScan *scan;

	while (n < vector->n && vector->feature[n] < REC_UNKNOWN_FEATURE)
	{
		numbers[n] = Int32GetDatum((int32) vector->feature[n]);
		n++;
	}
	keys[0] = Int64GetDatum(maker->model->generation);
	keys[1] = PointerGetDatum(construct_array(numbers, n, INT4OID, sizeof(int32), true, TYPALIGN_INT));
	scan = rec_model_scan_begin_any(maker->model->definition, &features_by_number, 2, keys);
	while (rec_model_scan_next(scan, values, nulls))
	{
		const void *elements;

		if (nulls[0] || nulls[1] || nulls[2] || nulls[3])
			rec_new_item_vectors_damaged(maker);
		multiply_feature(search, weight_of(vector, (uint32) DatumGetInt32(values[0])),
						 values[2], values[3]);
		if (DatumGetInt32(values[1]) > rec_model_scan_array(values[2], INT4OID, &elements))
			search->complete = false;	/* it is a frequent one */
	}
	rec_model_scan_end(scan);
}

/* Put the items with the largest products into "best", largest first. */
static void
find_best(Search *search, int wanted, RecTopk *best)
{
	rec_topk_init(best, CurrentMemoryContext, wanted, 1);
	for (int64 i = 0; i < search->maker->model->nitems; i++)
	{
		if (search->product[i] < best->limit)
			continue;
		rec_topk_make_room(best, 1);
		best->best[best->n].similarity = search->product[i];
		best->best[best->n].item = (uint32) i;
		best->best[best->n++].support = 0;
	}
	rec_topk_finish(best);
}

/* A cell that may have neighbours. */
typedef struct NearCell
{
	double		product;
	int			n;
	const int32 *items;
} NearCell;

#define ST_SORT sort_cells
#define ST_ELEMENT_TYPE NearCell
#define ST_COMPARE(a, b) ((a)->product > (b)->product ? -1 : (a)->product < (b)->product)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Mark the items of the nearest cells, whose products will be computed. */
static void
mark_cells(Search *search, bool *marked)
{
	RecVectorMaker *maker = search->maker;
	Datum		generation = Int64GetDatum(maker->model->generation);
	RecStoreScan *scan = rec_model_scan_begin(maker->model->definition, &cells_path, 1, &generation);
	int			allocated = 64;
	NearCell   *cells = palloc_array(NearCell, allocated);
	int			ncells = 0;
	int			n = 0;
	Datum		values[2];
	bool		nulls[2];

	while (rec_model_scan_next(scan, values, nulls))
	{
		NearCell   *cell;
		const void *elements;

		if (ncells == allocated)
		{
			allocated *= 2;
			cells = repalloc_array(cells, NearCell, allocated);
		}
		cell = &cells[ncells++];
		if (nulls[0] || nulls[1] ||
			rec_model_scan_array(values[0], FLOAT4OID, &elements) != maker->dimensions)
			rec_new_item_vectors_damaged(maker);
		cell->product = rec_embedding_product(search->vector->dense, elements, maker->dimensions);
		cell->n = rec_model_scan_array_copy(values[1], INT4OID, &elements);
		cell->items = elements;
		if (cell->n < 0 || isnan(cell->product))
			rec_new_item_vectors_damaged(maker);
	}
	rec_model_scan_end(scan);
	sort_cells(cells, ncells);
	for (int c = 0; c < ncells && n < CELL_ITEMS; c++)
	{
		for (int i = 0; i < cells[c].n; i++)
			marked[checked_number(maker, cells[c].items[i])] = true;
		n += cells[c].n;
	}
}

/* Replace the products of the marked items by those of whole vectors. */
static void
multiply_vectors(Search *search, const bool *marked)
{
	RecVectorMaker *maker = search->maker;
	int64		nitems = maker->model->nitems;
	Datum	   *numbers = palloc_extended(mul_size(nitems + 1, sizeof(Datum)), MCXT_ALLOC_HUGE);
	MemoryContext row = AllocSetContextCreate(CurrentMemoryContext, "recommender vector",
											  ALLOCSET_DEFAULT_SIZES);
	int			n = 0;
	Datum		keys[2];
	Datum		values[4];
	bool		nulls[4];
	RecStoreScan *scan;

	for (int64 i = 0; i < nitems; i++)
		if (marked[i])
			numbers[n++] = Int32GetDatum((int32) i);
	memset(search->product, 0, nitems * sizeof(double));
	keys[0] = Int64GetDatum(maker->model->generation);
	keys[1] = PointerGetDatum(construct_array(numbers, n, INT4OID, sizeof(int32), true, TYPALIGN_INT));
	scan = rec_model_scan_begin_any(maker->model->definition, &vectors_by_number, 2, keys);
	while (rec_model_scan_next(scan, values, nulls))
	{
		MemoryContext old = MemoryContextSwitchTo(row);
		RecVector	theirs;

		if (nulls[0] || nulls[1] || nulls[2] || nulls[3])
			rec_new_item_vectors_damaged(maker);
		theirs = rec_new_item_vectors_unpack(maker, values[1], values[2], values[3]);
		search->product[checked_number(maker, DatumGetInt32(values[0]))] =
			rec_new_item_vectors_product(maker, search->vector, &theirs);
		MemoryContextSwitchTo(old);
		MemoryContextReset(row);
	}
	rec_model_scan_end(scan);
	MemoryContextDelete(row);
	pfree(numbers);
}

/* Compute the products exactly for the items that may be the best. */
static void
refine(Search *search, int neighbors)
{
	bool	   *marked = palloc_extended(search->maker->model->nitems + 1,
										 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	RecTopk		best;

	find_best(search, REFINED * neighbors, &best);
	for (int i = 0; i < best.n; i++)
		marked[best.best[i].item] = true;
	if (search->vector->dense)
		mark_cells(search, marked);
	multiply_vectors(search, marked);
	pfree(marked);
}

/*
 * Refuse a number of items that table "item" cannot hold, before memory is
 * allocated for each.
 */
static void
check_number(const RecVectorMaker *maker)
{
	Oid			relid = rec_layout_table_lock(maker->model->definition->schema, "item");
	int64		most = 0;

	if (OidIsValid(relid))
	{
		Relation	rel = table_open(relid, NoLock);

		if (rel->rd_rel->relkind == RELKIND_RELATION)
			most = (int64) RelationGetNumberOfBlocks(rel) * MaxHeapTuplesPerPage;
		table_close(rel, NoLock);
	}
	if (maker->model->nitems > most)
		rec_new_item_vectors_damaged(maker);
}

/*
 * Find the items of the model, at most "neighbors", whose vectors are most
 * similar to a vector, best first, with their cosines.
 */
void
rec_new_item_neighbors_find(RecVectorMaker *maker, const RecVector *vector, int neighbors,
							RecNeighborList *list)
{
	Search	search = {maker, vector, NULL, vector->dense == NULL};
	RecTopk		best;
	int32	   *items;
	float4	   *values;

	check_number(maker);
	search.product = palloc_extended(mul_size(maker->model->nitems + 1, sizeof(double)),
									 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	multiply_features(&search);
	if (!search.complete)
		refine(&search, neighbors);
	find_best(&search, neighbors, &best);
	items = palloc_array(int32, best.n + 1);
	values = palloc_array(float4, best.n + 1);
	for (int i = 0; i < best.n; i++)
	{
		items[i] = (int32) best.best[i].item;
		values[i] = (float4) best.best[i].similarity;
	}
	list->n = best.n;
	list->items = items;
	list->values = values;
	pfree(search.product);
}
