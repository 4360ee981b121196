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
 * Copy the arrays of a row, items and their values, to a list in the current
 * memory context; return false when they are damaged.
 */
bool
rec_model_neighbors_keep(Datum numbers, Datum scores, RecNeighborList *list)
{
	const void *items;
	const void *values;

	list->n = rec_model_scan_array_copy(numbers, INT4OID, &items);
	if (list->n < 0 || rec_model_scan_array_copy(scores, FLOAT4OID, &values) != list->n)
		return false;
	list->items = items;
	list->values = values;
	for (int i = 0; i < list->n; i++)
		if (list->items[i] < 0 || !isfinite(list->values[i]))
			return false;
	return true;
}

/* Return whether a row of neighbours is of a kind. */
static bool
is_of_kind(Datum kind, RecComponent component)
{
	text	   *given = DatumGetTextPP(kind);
	const char *name = rec_options_component_names[component];

	return VARSIZE_ANY_EXHDR(given) == strlen(name) &&
		memcmp(VARDATA_ANY(given), name, strlen(name)) == 0;
}

/*
 * Return the likeness of a row of neighbours, REC_NLIKENESSES for a row to be
 * ignored: content counts as long as there is a relation of items.
 */
static RecLikeness
likeness_of(const RecServedModel *model, Datum kind)
{
	if (is_of_kind(kind, REC_BEHAVIOUR))
		return REC_LIKE_BEHAVIOUR;
	if (model->definition->items && is_of_kind(kind, REC_CONTENT))
		return REC_LIKE_CONTENT;
	return REC_NLIKENESSES;
}

/* Keep the ids of a row's nearest items; return false when they are damaged. */
static bool
keep_nearest(const RecServedModel *model, const RecNeighborList *list, ArrayType *nearest,
			 RecNearItems *near)
{
	const RecDefinition *definition = model->definition;
	Datum	   *ids;
	int			n;

	if (ARR_ELEMTYPE(nearest) != definition->item_type || ARR_NDIM(nearest) > 1 ||
		array_contains_nulls(nearest))
		return false;
	deconstruct_array(nearest, definition->item_type, definition->item_typlen,
					  definition->item_typbyval, definition->item_typalign, &ids, NULL, &n);
	n = Min(n, list->n);
	near->items = near->items == NULL ? palloc_array(RecNearItem, n + 1) :
		repalloc_array(near->items, RecNearItem, near->n + n + 1);
	for (int i = 0; i < n; i++)
	{
		near->items[near->n].item = (uint32) list->items[i];
		near->items[near->n++].id = ids[i];
	}
	return true;
}

static void
refuse_damage(const RecServedModel *model)
{
	rec_model_scan_damaged(model->definition, "a row of neighbours that is");
}

/*
 * Read rows of neighbours to their items' places in "lists", which are
 * REC_NLIKENESSES for each number in "items", in the current memory context.
 */
static void
read_lists(const RecServedModel *model, RecStoreScan *scan, RecDict *items,
		   RecNeighborList *lists, RecNearItems *near)
{
	Datum		values[NEIGHBOR_NCOLS];
	bool		nulls[NEIGHBOR_NCOLS];

	while (rec_model_scan_next(scan, values, nulls))
	{
		uint32		number = nulls[0] ? REC_NOT_FOUND : rec_dictionary_find(items, values[0]);
		RecLikeness likeness = nulls[1] ? REC_NLIKENESSES : likeness_of(model, values[1]);
		RecNeighborList *list;

		if (likeness == REC_NLIKENESSES)
			continue;
		if (number == REC_NOT_FOUND || nulls[2] || nulls[3] || nulls[4])
			refuse_damage(model);
		list = &lists[(Size) number * REC_NLIKENESSES + likeness];
		if (!rec_model_neighbors_keep(values[2], values[3], list))
			refuse_damage(model);
		list->item = DatumGetInt32(values[4]);
		if (near &&
			(nulls[5] || !keep_nearest(model, list, DatumGetArrayTypePCopy(values[5]), near)))
			refuse_damage(model);
	}
	rec_model_scan_end(scan);
}

/* Read the neighbours of all items, which must all be in the dictionary. */
void
rec_model_neighbors_read_all(const RecServedModel *model, RecDict *items,
							 RecNeighborList *lists)
{
	Datum		generation = Int64GetDatum(model->generation);

	read_lists(model, rec_model_scan_begin_all(model->definition, &all_neighbors, 1, &generation),
			   items, lists, NULL);
}

/*
 * Read the neighbours of n items, which must be in the dictionary, to their
 * numbers' places, REC_NLIKENESSES for each; and the ids of the nearest ones
 * to "near", unless that is NULL.
 */
void
rec_model_neighbors_read(const RecServedModel *model, const Datum *ids, int n, RecDict *items,
						 RecNeighborList *lists, RecNearItems *near)
{
	Datum		keys[2];

	keys[0] = Int64GetDatum(model->generation);
	keys[1] = rec_definition_id_array(model->definition, ids, n);
	read_lists(model, rec_model_scan_begin_any(model->definition, &neighbors_by_id, 2, keys),
			   items, lists, near);
}

/* Return the number of the item whose rows of neighbours these are, or -1. */
int32
rec_model_neighbors_item(const RecNeighborList *lists)
{
	for (int kind = 0; kind < REC_NLIKENESSES; kind++)
		if (lists[kind].items && lists[kind].item >= 0)
			return lists[kind].item;
	return -1;
}
