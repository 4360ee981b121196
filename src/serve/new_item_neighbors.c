/*-------------------------------------------------------------------------
 *
 * new_item_neighbors.c
 *	  Neighbours by content of an item that the model does not know.
 *
 * The features of its vector list the items that have them, and the sums of
 * the products with those are their cosines, unless something is missing:
 * frequent features list no items, and of embeddings only those in the nearest
 * cells are looked at.  Then the vectors of the most promising items are read.
 *
 * Nothing is read that depends on the size of the catalogue but the centroids
 * of the cells, as many as its root; and there is one counter for each item.
 *
 * Results are in the current context.
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
#include "serve/new_item_vectors.h"
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

/* What is known of the neighbours of a vector. */
typedef struct LiveSearch
{
	RecLive    *live;
	const RecVector *vector;
	double	   *product;		/* with each item, by what features list */
	bool		complete;		/* that is all there is */
} LiveSearch;

static inline uint32
checked_number(const RecLive *live, int32 number)
{
	if (number < 0 || number >= live->serve->nitems)
		rec_new_item_vectors_damaged(live);
	return (uint32) number;
}

/* Adds the products with the items that a feature lists. */
static void
multiply_feature(LiveSearch *search, double weight, Datum item_nos, Datum weights)
{
	const void *elements;
	int			n = rec_model_scan_array(item_nos, INT4OID, &elements);
	const int32 *items = elements;
	const float4 *theirs;

	if (n < 0 || rec_model_scan_array(weights, FLOAT4OID, &elements) != n)
		rec_new_item_vectors_damaged(search->live);
	theirs = elements;
	for (int i = 0; i < n; i++)
	{
		if (!isfinite(theirs[i]))
			rec_new_item_vectors_damaged(search->live);
		search->product[checked_number(search->live, items[i])] += weight * theirs[i];
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

/* Multiplies the vector's known features with all items that these list. */
static void
multiply_features(LiveSearch *search)
{
	RecLive    *live = search->live;
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
	keys[0] = Int64GetDatum(live->serve->generation);
	keys[1] = PointerGetDatum(construct_array(numbers, n, INT4OID, sizeof(int32), true, TYPALIGN_INT));
	scan = rec_model_scan_begin_any(live->serve->definition, &features_by_number, 2, keys);
	while (rec_model_scan_next(scan, values, nulls))
	{
		const void *elements;

		if (nulls[0] || nulls[1] || nulls[2] || nulls[3])
			rec_new_item_vectors_damaged(live);
		multiply_feature(search, weight_of(vector, (uint32) DatumGetInt32(values[0])),
						 values[2], values[3]);
		if (DatumGetInt32(values[1]) > rec_model_scan_array(values[2], INT4OID, &elements))
			search->complete = false;	/* it is a frequent one */
	}
	rec_model_scan_end(scan);
}

/* Puts the best items by what is known into "best", which is sorted then. */
static void
find_best(LiveSearch *search, int wanted, RecTopk *best)
{
	rec_topk_init(best, CurrentMemoryContext, wanted, 1);
	for (int64 i = 0; i < search->live->serve->nitems; i++)
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

/* Marks the items of the nearest cells as worth looking at. */
static void
mark_cells(LiveSearch *search, bool *marked)
{
	RecLive    *live = search->live;
	Datum		generation = Int64GetDatum(live->serve->generation);
	RecStoreScan *scan = rec_model_scan_begin(live->serve->definition, &cells_path, 1, &generation);
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
			rec_model_scan_array(values[0], FLOAT4OID, &elements) != live->dimensions)
			rec_new_item_vectors_damaged(live);
		cell->product = rec_embedding_product(search->vector->dense, elements, live->dimensions);
		cell->n = rec_model_scan_array_copy(values[1], INT4OID, &elements);
		cell->items = elements;
		if (cell->n < 0 || isnan(cell->product))
			rec_new_item_vectors_damaged(live);
	}
	rec_model_scan_end(scan);
	sort_cells(cells, ncells);
	for (int c = 0; c < ncells && n < CELL_ITEMS; c++)
	{
		for (int i = 0; i < cells[c].n; i++)
			marked[checked_number(live, cells[c].items[i])] = true;
		n += cells[c].n;
	}
}

/* Replaces the products of the marked items by those of whole vectors. */
static void
multiply_vectors(LiveSearch *search, const bool *marked)
{
	RecLive    *live = search->live;
	int64		nitems = live->serve->nitems;
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
	keys[0] = Int64GetDatum(live->serve->generation);
	keys[1] = PointerGetDatum(construct_array(numbers, n, INT4OID, sizeof(int32), true, TYPALIGN_INT));
	scan = rec_model_scan_begin_any(live->serve->definition, &vectors_by_number, 2, keys);
	while (rec_model_scan_next(scan, values, nulls))
	{
		MemoryContext old = MemoryContextSwitchTo(row);
		RecVector	theirs;

		if (nulls[0] || nulls[1] || nulls[2] || nulls[3])
			rec_new_item_vectors_damaged(live);
		theirs = rec_new_item_vectors_vector(live, values[1], values[2], values[3]);
		search->product[checked_number(live, DatumGetInt32(values[0]))] =
			rec_new_item_vectors_product(live, search->vector, &theirs);
		MemoryContextSwitchTo(old);
		MemoryContextReset(row);
	}
	rec_model_scan_end(scan);
	MemoryContextDelete(row);
	pfree(numbers);
}

/* Looks closer at the items that may be the best. */
static void
refine(LiveSearch *search, int neighbors)
{
	bool	   *marked = palloc_extended(search->live->serve->nitems + 1,
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
 * Refuses a number of items that the table of them cannot hold, before there
 * is a counter for each.
 */
static void
check_number(const RecLive *live)
{
	Oid			relid = rec_layout_table_lock(live->serve->definition->schema, "item");
	int64		most = 0;

	if (OidIsValid(relid))
	{
		Relation	rel = table_open(relid, NoLock);

		if (rel->rd_rel->relkind == RELKIND_RELATION)
			most = (int64) RelationGetNumberOfBlocks(rel) * MaxHeapTuplesPerPage;
		table_close(rel, NoLock);
	}
	if (live->serve->nitems > most)
		rec_new_item_vectors_damaged(live);
}

/*
 * Gives the items of the model that are most alike a vector, best first, with
 * their cosines.
 */
void
rec_new_item_neighbors_neighbors(RecLive *live, const RecVector *vector, RecNeighborList *list)
{
	int			neighbors = live->serve->options.neighbors;
	LiveSearch	search = {live, vector, NULL, vector->dense == NULL};
	RecTopk		best;
	int32	   *items;
	float4	   *values;

	check_number(live);
	search.product = palloc_extended(mul_size(live->serve->nitems + 1, sizeof(double)),
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
