/*-------------------------------------------------------------------------
 *
 * model_items.c
 *	  Rows of items of the stored model, checked.
 *
 * Table "item" is read by number, by id, in the order of popularity or trend,
 * or as a whole.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/serve/model_items.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "serve/model_items.h"

#define ITEM_COLUMNS	{"item_no", "item_id", "popularity", "trend"}
#define ITEM_NCOLS		4

static const RecStorePath items_by_number = {"item", {"generation", "item_no"}, ITEM_COLUMNS};

static const RecStorePath all_items = {"item", {"generation"}, ITEM_COLUMNS};

static const RecStorePath items_by_id = {"item", {"generation", "item_id"}, ITEM_COLUMNS};

static const RecStorePath items_by_popularity = {
	"item", {"generation", "-popularity", "item_no", "?popular"}, ITEM_COLUMNS
};

static const RecStorePath items_by_trend = {
	"item", {"generation", "-trend", "item_no", "?trending"}, ITEM_COLUMNS
};

static void
refuse_damage(const RecServedModel *model)
{
	rec_model_scan_damaged(model->definition, "an item that is");
}

/* Begin to read all items, in no order. */
RecStoreScan *
rec_model_items_begin(const RecServedModel *model)
{
	Datum		generation = Int64GetDatum(model->generation);

	return rec_model_scan_begin_all(model->definition, &all_items, 1, &generation);
}

/*
 * Begin to read the first items in falling order of popularity or trend, or,
 * for any other component, in rising order of their numbers: at least
 * REC_LIST_HEAD of them, if there are as many.
 */
RecStoreScan *
rec_model_items_begin_list(const RecServedModel *model, RecComponent order)
{
	Datum		generation = Int64GetDatum(model->generation);
	const RecStorePath *path = order == REC_POPULARITY ? &items_by_popularity :
		order == REC_TREND ? &items_by_trend : &items_by_number;

	return rec_model_scan_begin(model->definition, path, 1, &generation);
}

/* Begin to read the items of an array of ids, of which it may know some. */
RecStoreScan *
rec_model_items_begin_ids(const RecServedModel *model, Datum ids)
{
	Datum		keys[2];

	keys[0] = Int64GetDatum(model->generation);
	keys[1] = ids;
	return rec_model_scan_begin_any(model->definition, &items_by_id, 2, keys);
}

/* Begin to read the items of n numbers, each an int4. */
RecStoreScan *
rec_model_items_begin_numbers(const RecServedModel *model, Datum *numbers, int n)
{
	Datum		keys[2];

	keys[0] = Int64GetDatum(model->generation);
	keys[1] = PointerGetDatum(construct_array(numbers, n, INT4OID, sizeof(int32),
											  true, TYPALIGN_INT));
	return rec_model_scan_begin_any(model->definition, &items_by_number, 2, keys);
}

/*
 * Read the next item of a scan, as an eligible one, and keep its id; return
 * false when there is none.
 */
bool
rec_model_items_next(const RecServedModel *model, RecStoreScan *scan, RecItemIds *ids,
					 RecScoredItem *item)
{
	Datum		values[ITEM_NCOLS];
	bool		nulls[ITEM_NCOLS];

	memset(item, 0, sizeof(*item));
	if (!rec_model_scan_next(scan, values, nulls))
		return false;
	if (nulls[0] || nulls[1] || nulls[2] || nulls[3] || DatumGetInt32(values[0]) < 0)
		refuse_damage(model);
	item->item = (uint32) DatumGetInt32(values[0]);
	item->popularity = DatumGetFloat8(values[2]);
	item->trend = DatumGetFloat8(values[3]);
	item->eligible = true;
	item->ref = rec_item_ids_add(ids, model->definition, values[1]);
	if (!isfinite(item->popularity) || !isfinite(item->trend))
		refuse_damage(model);
	return true;
}

/*
 * Set the numbers of the items of n ids, which must be in the dictionary, at
 * their places in "numbers"; those of items unknown to the model stay as they
 * are.
 */
void
rec_model_items_numbers(const RecServedModel *model, const Datum *ids, int n, RecDict *items,
						int32 *numbers)
{
	Datum		values[ITEM_NCOLS];
	bool		nulls[ITEM_NCOLS];
	RecStoreScan *scan;

	if (n == 0)
		return;
	scan = rec_model_items_begin_ids(model, rec_definition_id_array(model->definition, ids, n));
	while (rec_model_scan_next(scan, values, nulls))
	{
		uint32		item = nulls[1] ? REC_NOT_FOUND : rec_dictionary_find(items, values[1]);

		if (item == REC_NOT_FOUND || nulls[0])
			refuse_damage(model);
		numbers[item] = DatumGetInt32(values[0]);
	}
	rec_model_scan_end(scan);
}

/* Set for each of n ids whether the model knows the item. */
void
rec_model_items_known(const RecServedModel *model, const Datum *ids, int n, bool *known)
{
	RecDict    *dict = rec_definition_item_dictionary(model->definition, CurrentMemoryContext);
	int32	   *numbers = palloc_array(int32, n + 1);

	for (int i = 0; i < n; i++)
	{
		(void) rec_dictionary_intern(dict, ids[i]);
		numbers[i] = -1;
	}
	rec_model_items_numbers(model, ids, n, dict, numbers);
	for (int i = 0; i < n; i++)
		known[i] = numbers[rec_dictionary_find(dict, ids[i])] >= 0;
}
