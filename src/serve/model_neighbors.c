/*-------------------------------------------------------------------------
 *
 * model_neighbors.c
 *	  Rows of neighbours of the stored model, checked.
 *
 * An item has a row for each likeness: by behaviour and by content.  Lists are
 * read to the places of their items' numbers in a dictionary,
 * REC_NLIKENESSES for each number.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/serve/model_neighbors.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "definition/model_scan.h"
#include "serve/model_neighbors.h"

#define NEIGHBOR_COLUMNS	{"item_id", "kind", "neighbors", "scores", "item_no", "nearest"}
#define NEIGHBOR_NCOLS		6

static const RecStorePath neighbors_by_id = {
	"neighbor", {"generation", "item_id"}, NEIGHBOR_COLUMNS
};

static const RecStorePath all_neighbors = {"neighbor", {"generation"}, NEIGHBOR_COLUMNS};

/*
 * Keeps the arrays of a row, of items and what they are worth, in the current
 * context; false when they are damaged.
 */
bool
rec_keep_list(Datum numbers, Datum worths, RecNeighborList *list)
{
	const void *items;
	const void *values;

	list->n = rec_model_scan_array_copy(numbers, INT4OID, &items);
	if (list->n < 0 || rec_model_scan_array_copy(worths, FLOAT4OID, &values) != list->n)
		return false;
	list->items = items;
	list->values = values;
	for (int i = 0; i < list->n; i++)
		if (list->items[i] < 0 || !isfinite(list->values[i]))
			return false;
	return true;
}

/* True when a row of neighbours is of a kind. */
static bool
is_of_kind(Datum kind, RecComponent component)
{
	text	   *given = DatumGetTextPP(kind);
	const char *name = rec_options_component_names[component];

	return VARSIZE_ANY_EXHDR(given) == strlen(name) &&
		memcmp(VARDATA_ANY(given), name, strlen(name)) == 0;
}

/*
 * Gives which likeness a row of neighbours tells of, REC_NLIKENESSES for one
 * that does not count: content does as long as there is a relation of items.
 */
static RecLikeness
likeness_of(const RecServe *serve, Datum kind)
{
	if (is_of_kind(kind, REC_BEHAVIOUR))
		return REC_LIKE_BEHAVIOUR;
	if (serve->definition->items && is_of_kind(kind, REC_CONTENT))
		return REC_LIKE_CONTENT;
	return REC_NLIKENESSES;
}

/*
 * Remembers the ids of a row's nearest items, so that they need not be looked
 * up; false when they are damaged.
 */
static bool
keep_nearest(RecServe *serve, const RecNeighborList *list, ArrayType *nearest)
{
	const RecDefinition *definition = serve->definition;
	Datum	   *ids;
	int			n;

	if (ARR_ELEMTYPE(nearest) != definition->item_type || ARR_NDIM(nearest) > 1 ||
		array_contains_nulls(nearest))
		return false;
	deconstruct_array(nearest, definition->item_type, definition->item_typlen,
					  definition->item_typbyval, definition->item_typalign, &ids, NULL, &n);
	n = Min(n, list->n);
	serve->near = serve->near == NULL ? palloc_array(RecNearItem, n + 1) :
		repalloc_array(serve->near, RecNearItem, serve->nnear + n + 1);
	for (int i = 0; i < n; i++)
	{
		serve->near[serve->nnear].item = (uint32) list->items[i];
		serve->near[serve->nnear++].id = ids[i];
	}
	return true;
}

/*
 * Reads rows of neighbours to their items' places in "lists", which are
 * REC_NLIKENESSES for each number in "items", in the current context.
 */
static void
read_lists(RecServe *serve, RecStoreScan *scan, RecDict *items, RecNeighborList *lists)
{
	Datum		values[NEIGHBOR_NCOLS];
	bool		nulls[NEIGHBOR_NCOLS];

	while (rec_model_scan_next(scan, values, nulls))
	{
		uint32		number = nulls[0] ? REC_NOT_FOUND : rec_dictionary_find(items, values[0]);
		RecLikeness likeness = nulls[1] ? REC_NLIKENESSES : likeness_of(serve, values[1]);
		RecNeighborList *list;

		if (likeness == REC_NLIKENESSES)
			continue;
		if (number == REC_NOT_FOUND || nulls[2] || nulls[3] || nulls[4])
			rec_serve_damaged(serve, "a row of neighbours that is");
		list = &lists[(Size) number * REC_NLIKENESSES + likeness];
		if (!rec_keep_list(values[2], values[3], list))
			rec_serve_damaged(serve, "a row of neighbours that is");
		list->item = DatumGetInt32(values[4]);
		if (serve->by_likeness &&
			(nulls[5] || !keep_nearest(serve, list, DatumGetArrayTypePCopy(values[5]))))
			rec_serve_damaged(serve, "a row of neighbours that is");
	}
	rec_model_scan_end(scan);
}

/* Reads the neighbours of all items, which must all be in the dictionary. */
void
rec_serve_all_neighbors(RecServe *serve, RecDict *items, RecNeighborList *lists)
{
	Datum		keys[1];

	keys[0] = Int64GetDatum(serve->generation);
	read_lists(serve, rec_model_scan_begin_all(serve->definition, &all_neighbors, 1, keys),
			   items, lists);
}

/*
 * Reads the neighbours of n items, which must be in the dictionary, to their
 * numbers' places, REC_NLIKENESSES for each.
 */
void
rec_serve_neighbors(RecServe *serve, const Datum *ids, int n, RecDict *items,
					RecNeighborList *lists)
{
	Datum		keys[2];

	keys[0] = Int64GetDatum(serve->generation);
	keys[1] = rec_definition_id_array(serve->definition, ids, n);
	read_lists(serve, rec_model_scan_begin_any(serve->definition, &neighbors_by_id, 2, keys),
			   items, lists);
}

/* Gives the number of an item whose rows of neighbours are these, or -1. */
int32
rec_listed_number(const RecNeighborList *lists)
{
	for (int kind = 0; kind < REC_NLIKENESSES; kind++)
		if (lists[kind].items && lists[kind].item >= 0)
			return lists[kind].item;
	return -1;
}
