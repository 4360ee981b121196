/*-------------------------------------------------------------------------
 *
 * item_catalog.c
 *	  The items of the stored model, and those that it does not know yet.
 *
 * They are the catalog that the best are selected from: by number, by id, in
 * the order of popularity or trend, or those that pass a filter.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/serve/item_catalog.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "definition/model_scan.h"
#include "miscadmin.h"
#include "serve/item_catalog.h"
#include "serve/new_items.h"
#include "serve/newcomer.h"
#include "storage/shmem.h"
#include "utils/datum.h"

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

/* ----------------
 *		reading
 * ----------------
 */

/* Keeps a copy of an id and gives the ref to it. */
uint32
rec_serve_keep_id(RecServe *serve, Datum id)
{
	const RecDefinition *definition = serve->definition;

	if (serve->nids == serve->ids_allocated)
	{
		serve->ids_allocated = Max(128, serve->ids_allocated * 2);
		if (serve->ids == NULL)
			serve->ids = palloc_array(Datum, serve->ids_allocated);
		else
			serve->ids = repalloc_huge(serve->ids,
									   mul_size(serve->ids_allocated, sizeof(Datum)));
	}
	if (definition->item_typlen == -1)
		id = PointerGetDatum(PG_DETOAST_DATUM_PACKED(id));
	serve->ids[serve->nids] = datumCopy(id, definition->item_typbyval, definition->item_typlen);
	return serve->nids++;
}

/* Reads (item_no, item_id, popularity, trend); false when it is damaged. */
static bool
read_item(RecServe *serve, const Datum *values, const bool *nulls, RecScoredItem *item)
{
	int32		number = nulls[0] ? -1 : DatumGetInt32(values[0]);

	if (number < 0 || nulls[1] || nulls[2] || nulls[3])
		return false;
	item->item = (uint32) number;
	item->popularity = DatumGetFloat8(values[2]);
	item->trend = DatumGetFloat8(values[3]);
	item->eligible = rec_dictionary_find(serve->excluded, values[1]) == REC_NOT_FOUND;
	item->ref = rec_serve_keep_id(serve, values[1]);
	return isfinite(item->popularity) && isfinite(item->trend);
}

/*
 * Gives the next item of a scan; false when there is none.  Its id is kept,
 * and it is eligible unless it is excluded.
 */
bool
rec_serve_next_item(RecServe *serve, RecStoreScan *scan, RecScoredItem *item)
{
	Datum		values[ITEM_NCOLS];
	bool		nulls[ITEM_NCOLS];

	memset(item, 0, sizeof(*item));
	if (!rec_model_scan_next(scan, values, nulls))
		return false;
	if (!read_item(serve, values, nulls, item))
		rec_serve_damaged(serve, "an item that is");
	return true;
}

/* Reads items until there are "most"; gives their number. */
static int
read_items(RecServe *serve, RecStoreScan *scan, RecScoredItem *items, int most)
{
	int			n = 0;

	while (n < most && rec_serve_next_item(serve, scan, &items[n]))
		n++;
	return n;
}

/* Begins to read all items, for rec_serve_next_item(), in no order. */
RecStoreScan *
rec_serve_all_items(RecServe *serve)
{
	Datum		keys[1];

	keys[0] = Int64GetDatum(serve->generation);
	return rec_model_scan_begin_all(serve->definition, &all_items, 1, keys);
}

/*
 * Sets the numbers of the items of n ids, which must be in the dictionary, at
 * their places in "numbers"; those that the model does not know are left.
 */
void
rec_serve_item_numbers(RecServe *serve, const Datum *ids, int n, RecDict *items, int32 *numbers)
{
	Datum		keys[2];
	Datum		values[ITEM_NCOLS];
	bool		nulls[ITEM_NCOLS];
	RecStoreScan *scan;

	if (n == 0)
		return;
	keys[0] = Int64GetDatum(serve->generation);
	keys[1] = rec_definition_id_array(serve->definition, ids, n);
	scan = rec_model_scan_begin_any(serve->definition, &items_by_id, 2, keys);
	while (rec_model_scan_next(scan, values, nulls))
	{
		uint32		item = nulls[1] ? REC_NOT_FOUND : rec_dictionary_find(items, values[1]);

		if (item == REC_NOT_FOUND || nulls[0])
			rec_serve_damaged(serve, "an item that is");
		numbers[item] = DatumGetInt32(values[0]);
	}
	rec_model_scan_end(scan);
}

/* Sets for each of n ids whether the model knows the item. */
void
rec_serve_known(RecServe *serve, const Datum *ids, int n, bool *known)
{
	RecDict    *dict = rec_serve_dict(serve);
	int32	   *numbers = palloc_array(int32, n + 1);

	for (int i = 0; i < n; i++)
	{
		(void) rec_dictionary_intern(dict, ids[i]);
		numbers[i] = -1;
	}
	rec_serve_item_numbers(serve, ids, n, dict, numbers);
	for (int i = 0; i < n; i++)
		known[i] = numbers[rec_dictionary_find(dict, ids[i])] >= 0;
}

/* ----------------
 *		adding items to a set
 * ----------------
 */

/* Takes from items that may be returned those that are not eligible. */
static void
check_items(RecServe *serve, RecScoredItem *items, int n)
{
	Datum	   *ids = palloc_array(Datum, n + 1);
	bool	   *marks = palloc_array(bool, n + 1);
	int			nids = 0;

	for (int i = 0; i < n; i++)
		if (items[i].eligible)
			ids[nids++] = serve->ids[items[i].ref];
	rec_eligible_check(serve->eligible, ids, nids, marks);
	nids = 0;
	for (int i = 0; i < n; i++)
		if (items[i].eligible)
			items[i].eligible = marks[nids++];
	pfree(ids);
	pfree(marks);
}

#define ITEMS_AT_ONCE	2048	/* that are asked about in one query */

/*
 * Adds the items of a scan to a set, at most "limit"; "checked" ones are known
 * to pass the filter.  Gives their number and the last one.
 */
static uint64
add_items(RecServe *serve, RecStoreScan *scan, uint64 limit, RecItemSet *set,
		  bool checked, RecScoredItem *last)
{
	int			size = (int) Min(limit, ITEMS_AT_ONCE);
	RecScoredItem *items = palloc_array(RecScoredItem, size);
	uint64		added = 0;
	int			n;

	do
	{
		n = read_items(serve, scan, items, (int) Min((uint64) size, limit - added));
		if (serve->eligible && !checked)
			check_items(serve, items, n);
		for (int i = 0; i < n; i++)
			rec_selection_item_set_add(set, &items[i]);
		if (n > 0)
			*last = items[n - 1];
		added += n;
	} while (n == size && added < limit);
	rec_model_scan_end(scan);
	pfree(items);
	return added;
}

/* Adds the items of an array of ids that the model knows to a set. */
static void
fetch_ids(RecServe *serve, Datum ids, RecItemSet *set, bool checked)
{
	Datum		keys[2];
	RecScoredItem last;

	keys[0] = Int64GetDatum(serve->generation);
	keys[1] = ids;
	(void) add_items(serve, rec_model_scan_begin_any(serve->definition, &items_by_id, 2, keys),
					 PG_UINT64_MAX, set, checked, &last);
}

#define ST_SORT sort_items
#define ST_ELEMENT_TYPE RecScoredItem
#define ST_COMPARE(a, b) ((a)->item < (b)->item ? -1 : (a)->item > (b)->item)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/*
 * Adds items that the model does not know to a set, the newest ones before the
 * others.  "named" ones are judged by their content, and those that the
 * relation of items does not have are left out.
 */
static void
add_unknown(RecServe *serve, RecDict *unknown, bool named, RecItemSet *set)
{
	uint32		n = rec_dictionary_count(unknown);
	RecScoredItem *items = palloc_extended(mul_size(n + 1, sizeof(RecScoredItem)), MCXT_ALLOC_HUGE);
	int			nitems = 0;

	if (n == 0)
		return;
	rec_new_items_look(serve);		/* gives the first numbers to the newest ones */
	rec_newcomer_numbers(serve, unknown, NULL);
	for (uint32 i = 0; i < n; i++)
	{
		uint32		number = rec_newcomer_number(serve, rec_dictionary_id(unknown, i));

		CHECK_FOR_INTERRUPTS();
		if (rec_newcomer_item(serve, number, &items[nitems]))
			nitems++;
	}
	sort_items(items, nitems);
	if (named)
		nitems = rec_new_items_judge(serve, items, nitems);
	for (int i = 0; i < nitems; i++)
		rec_selection_item_set_add(set, &items[i]);
	pfree(items);
}

/*
 * Adds the items of an array of ids to a set: those that the model knows, and
 * those that the relation of items has now.
 */
void
rec_serve_fetch_ids(RecServe *serve, ArrayType *ids, RecItemSet *set)
{
	uint32		before = serve->nids;
	RecDict    *known;
	RecDict    *unknown;
	ArrayIterator it;
	Datum		id;
	bool		isnull;

	fetch_ids(serve, PointerGetDatum(ids), set, false);
	if (serve->definition->items == NULL)
		return;
	known = rec_serve_dict(serve);
	unknown = rec_serve_dict(serve);
	for (uint32 i = before; i < serve->nids; i++)
		(void) rec_dictionary_intern(known, serve->ids[i]);
	it = array_create_iterator(ids, 0, NULL);
	while (array_iterate(it, &id, &isnull))
		if (!isnull && rec_dictionary_find(known, id) == REC_NOT_FOUND)
			(void) rec_dictionary_intern(unknown, id);
	array_free_iterator(it);
	add_unknown(serve, unknown, true, set);
}

/*
 * Gives an item by its id, scored, whether it is excluded or not; false when
 * neither the model nor the relation of items has it.
 */
bool
rec_serve_score_item(RecServe *serve, Datum id, RecScoredItem *item)
{
	RecItemSet *set = rec_selection_item_set_create(serve->scores);
	RecDict    *excluded = serve->excluded;
	const RecScoredItem *items;
	int			n;

	serve->excluded = rec_serve_dict(serve);
	rec_serve_fetch_ids(serve, DatumGetArrayTypeP(rec_definition_id_array(serve->definition, &id, 1)), set);
	serve->excluded = excluded;
	items = rec_selection_item_set_ranked(set, &n);
	if (n > 0)
		*item = items[0];
	return n > 0;
}

/* ----------------
 *		the catalog
 * ----------------
 */

/*
 * Gives an item whose id is at hand; false for another.  Its popularity and
 * trend are not told: nobody asks, as ids are kept for likeness alone.
 */
static bool
near_item(RecServe *serve, uint32 number, RecScoredItem *item)
{
	for (int i = 0; i < serve->nnear; i++)
	{
		Datum		id = serve->near[i].id;

		if (serve->near[i].item != number)
			continue;
		memset(item, 0, sizeof(*item));
		item->item = number;
		item->eligible = rec_dictionary_find(serve->excluded, id) == REC_NOT_FOUND;
		item->ref = rec_serve_keep_id(serve, id);
		return true;
	}
	return false;
}

/* Adds the items of n numbers, which the model knows, to a set. */
static void
fetch_numbers(RecServe *serve, Datum *numbers, int n, RecItemSet *set)
{
	Datum		keys[2];
	RecScoredItem last;

	if (n == 0)
		return;
	keys[0] = Int64GetDatum(serve->generation);
	keys[1] = PointerGetDatum(construct_array(numbers, n, INT4OID, sizeof(int32),
											  true, TYPALIGN_INT));
	(void) add_items(serve, rec_model_scan_begin_any(serve->definition, &items_by_number, 2, keys),
					 n, set, false, &last);
}

static void
fetch_items(void *arg, const uint32 *items, int n, RecItemSet *set)
{
	RecServe   *serve = (RecServe *) arg;
	Datum	   *numbers = palloc_array(Datum, n);
	RecScoredItem *at_hand = palloc_array(RecScoredItem, n);
	int			nknown = 0;
	int			nat_hand = 0;

	for (int i = 0; i < n; i++)
		if (near_item(serve, items[i], &at_hand[nat_hand]) ||
			rec_newcomer_item(serve, items[i], &at_hand[nat_hand]))
			nat_hand++;
		else
			numbers[nknown++] = Int32GetDatum((int32) items[i]);
	if (nat_hand > 0 && serve->eligible)
		check_items(serve, at_hand, nat_hand);
	for (int i = 0; i < nat_hand; i++)
		rec_selection_item_set_add(set, &at_hand[i]);
	fetch_numbers(serve, numbers, nknown, set);
	pfree(at_hand);
	pfree(numbers);
}

/* What a list of eligible items is added to. */
typedef struct ListTarget
{
	RecServe   *serve;
	RecItemSet *set;
	RecDict    *unknown;		/* ids that the model does not know */
} ListTarget;

/* Adds those eligible items to a set that the model knows, and notes the others. */
static void
take_eligible(void *arg, const Datum *ids, int n)
{
	ListTarget *target = (ListTarget *) arg;
	RecServe   *serve = target->serve;
	RecDict    *known = rec_serve_dict(serve);
	Datum		keys[2];
	RecStoreScan *scan;
	RecScoredItem item;

	keys[0] = Int64GetDatum(serve->generation);
	keys[1] = rec_definition_id_array(serve->definition, ids, n);
	scan = rec_model_scan_begin_any(serve->definition, &items_by_id, 2, keys);
	while (rec_serve_next_item(serve, scan, &item))
	{
		(void) rec_dictionary_intern(known, serve->ids[item.ref]);
		rec_selection_item_set_add(target->set, &item);
	}
	rec_model_scan_end(scan);
	for (int i = 0; i < n; i++)
		if (rec_dictionary_find(known, ids[i]) == REC_NOT_FOUND)
			(void) rec_dictionary_intern(target->unknown, ids[i]);
}

/* Adds all eligible items to a set. */
static void
list_eligible(RecServe *serve, RecItemSet *set)
{
	ListTarget	target = {serve, set, rec_serve_dict(serve)};

	rec_eligible_list(serve->eligible, take_eligible, &target);
	add_unknown(serve, target.unknown, false, set);
}

/*
 * Begins to read the first items in order of a component, or of their numbers:
 * no less than REC_LIST_HEAD, if there are as many.
 */
static RecStoreScan *
begin_list(RecServe *serve, RecComponent order)
{
	Datum		generation = Int64GetDatum(serve->generation);

	if (order == REC_POPULARITY)
		return rec_model_scan_begin(serve->definition, &items_by_popularity, 1, &generation);
	if (order == REC_TREND)
		return rec_model_scan_begin(serve->definition, &items_by_trend, 1, &generation);
	return rec_model_scan_begin(serve->definition, &items_by_number, 1, &generation);
}

static bool
list_items(void *arg, RecComponent component, int level, RecItemSet *set, double *last)
{
	static const uint64 limits[] = {64, REC_LIST_HEAD, PG_UINT64_MAX};
	RecServe   *serve = (RecServe *) arg;
	uint64		limit = limits[Min(level, (int) lengthof(limits) - 1)];
	RecScoredItem item = {0};
	uint64		n;

	if (serve->eligible && (limit == PG_UINT64_MAX || serve->exhausted))
	{
		list_eligible(serve, set);
		return true;
	}
	n = add_items(serve, limit == PG_UINT64_MAX ? rec_serve_all_items(serve) : begin_list(serve, component),
				  limit, set, false, &item);
	*last = component == REC_POPULARITY ? item.popularity :
		component == REC_TREND ? item.trend : 0;
	if (n == limit || serve->eligible == NULL)
		return n < limit;
	/* what the model does not know is left: worth nothing, but not less */
	serve->exhausted = true;
	*last = 0;
	return false;
}

/* True when it is better to list what passes the filter than to look on. */
static bool
is_sparse(void *arg, int64 missing, int64 next)
{
	RecServe   *serve = (RecServe *) arg;

	return serve->eligible && rec_eligible_are_rare(serve->eligible, missing, next);
}

#define MOST_SPARE	16

/* Gives the stored model's items as a catalog. */
RecCatalog
rec_serve_catalog(RecServe *serve)
{
	RecCatalog	catalog = {fetch_items, list_items, is_sparse, serve, MOST_SPARE};

	if (serve->eligible == NULL)
		catalog.spare = (int) Min(rec_dictionary_count(serve->excluded) - serve->nbarred, MOST_SPARE);
	return catalog;
}
