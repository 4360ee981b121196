/*-------------------------------------------------------------------------
 *
 * item_catalog.c
 *	  The items of the stored model and new ones, to select the best from.
 *
 * Items are fetched by number or by id, or listed in the order of popularity,
 * trend or number, or as far as they pass a filter.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/serve/item_catalog.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "serve/item_catalog.h"
#include "serve/model_items.h"
#include "storage/shmem.h"

/*
 * Begin a catalog for a history, which may be read later, and its call: nothing
 * that the call excludes is eligible.
 */
void
rec_item_catalog_init(RecItemCatalog *catalog, const RecCallHistory *history)
{
	memset(catalog, 0, sizeof(*catalog));
	catalog->call = history->call;
	catalog->history = history;
	catalog->content = history->content;
	catalog->new_items = history->content->new_items;
	catalog->excluded = history->call->excluded;
}

static RecDict *
create_dictionary(const RecItemCatalog *catalog)
{
	return rec_definition_item_dictionary(catalog->call->model.definition, CurrentMemoryContext);
}

/* ----------------
 *		eligible items
 * ----------------
 */

/* Mark an item that is excluded. */
static void
check_excluded(const RecItemCatalog *catalog, RecScoredItem *item)
{
	item->eligible = catalog->excluded == NULL ||
		rec_dictionary_find(catalog->excluded, catalog->ids.ids[item->ref]) == REC_NOT_FOUND;
}

/* Read the next item of a scan; return false when there is none. */
static bool
next_item(RecItemCatalog *catalog, RecStoreScan *scan, RecScoredItem *item)
{
	if (!rec_model_items_next(&catalog->call->model, scan, &catalog->ids, item))
		return false;
	check_excluded(catalog, item);
	return true;
}

/* Get a new item by its number; return false when none has it. */
static bool
get_new_item(RecItemCatalog *catalog, uint32 number, RecScoredItem *item)
{
	if (!rec_new_items_get(catalog->new_items, number, &catalog->ids, item))
		return false;
	check_excluded(catalog, item);
	return true;
}

/* Mark those of n items that the call's filter does not let pass. */
static void
check_filter(RecItemCatalog *catalog, RecScoredItem *items, int n)
{
	Datum	   *ids = palloc_array(Datum, n + 1);
	bool	   *marks = palloc_array(bool, n + 1);
	int			nids = 0;

	for (int i = 0; i < n; i++)
		if (items[i].eligible)
			ids[nids++] = catalog->ids.ids[items[i].ref];
	rec_eligible_check(catalog->call->eligible, ids, nids, marks);
	nids = 0;
	for (int i = 0; i < n; i++)
		if (items[i].eligible)
			items[i].eligible = marks[nids++];
	pfree(ids);
	pfree(marks);
}

/* ----------------
 *		adding items to a set
 * ----------------
 */

#define ITEMS_AT_ONCE	2048	/* that are asked about in one query */

/* Read items until there are "most"; return their number. */
static int
read_items(RecItemCatalog *catalog, RecStoreScan *scan, RecScoredItem *items, int most)
{
	int			n = 0;

	while (n < most && next_item(catalog, scan, &items[n]))
		n++;
	return n;
}

/*
 * Add the items of a scan to a set, at most "limit"; return their number and
 * the last one.
 */
static uint64
add_items(RecItemCatalog *catalog, RecStoreScan *scan, uint64 limit, RecItemSet *set,
		  RecScoredItem *last)
{
	int			size = (int) Min(limit, ITEMS_AT_ONCE);
	RecScoredItem *items = palloc_array(RecScoredItem, size);
	uint64		added = 0;
	int			n;

	do
	{
		n = read_items(catalog, scan, items, (int) Min((uint64) size, limit - added));
		if (catalog->call->eligible)
			check_filter(catalog, items, n);
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

#define ST_SORT sort_items
#define ST_ELEMENT_TYPE RecScoredItem
#define ST_COMPARE(a, b) ((a)->item < (b)->item ? -1 : (a)->item > (b)->item)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Score n items unknown to the model by content; return the number left. */
static int
judge_items(RecItemCatalog *catalog, RecScoredItem *items, int n)
{
	const uint32 *refs;
	int			nrefs = rec_score_refs(catalog->call->scores, REC_CONTENT, &refs);

	return rec_new_item_content_judge(catalog->content, &catalog->ids, refs, nrefs, items, n);
}

/*
 * Add items that the model does not know to a set, the newest ones before the
 * others.  "named" ones are scored by their content, and those that the
 * relation of items does not have are left out.
 */
static void
add_unknown(RecItemCatalog *catalog, RecDict *unknown, bool named, RecItemSet *set)
{
	uint32		n = rec_dictionary_count(unknown);
	RecScoredItem *items = palloc_extended(mul_size(n + 1, sizeof(RecScoredItem)), MCXT_ALLOC_HUGE);
	int			nitems = 0;

	if (n == 0)
		return;
	rec_new_items_search(catalog->new_items);	/* numbers the newest ones first */
	rec_new_items_number_all(catalog->new_items, unknown, NULL);
	for (uint32 i = 0; i < n; i++)
	{
		uint32		number = rec_new_items_number(catalog->new_items, rec_dictionary_id(unknown, i));

		CHECK_FOR_INTERRUPTS();
		if (get_new_item(catalog, number, &items[nitems]))
			nitems++;
	}
	sort_items(items, nitems);
	if (named)
		nitems = judge_items(catalog, items, nitems);
	for (int i = 0; i < nitems; i++)
		rec_selection_item_set_add(set, &items[i]);
	pfree(items);
}

/*
 * Add the items of an array of ids to a set: those that the model knows, and
 * those that the relation of items has now.
 */
void
rec_item_catalog_fetch(RecItemCatalog *catalog, ArrayType *ids, RecItemSet *set)
{
	const RecServedModel *model = &catalog->call->model;
	uint32		before = catalog->ids.n;
	RecScoredItem last;
	RecDict    *known;
	RecDict    *unknown;
	ArrayIterator it;
	Datum		id;
	bool		isnull;

	(void) add_items(catalog, rec_model_items_begin_ids(model, PointerGetDatum(ids)),
					 PG_UINT64_MAX, set, &last);
	if (model->definition->items == NULL)
		return;
	known = create_dictionary(catalog);
	unknown = create_dictionary(catalog);
	for (uint32 i = before; i < catalog->ids.n; i++)
		(void) rec_dictionary_intern(known, catalog->ids.ids[i]);
	it = array_create_iterator(ids, 0, NULL);
	while (array_iterate(it, &id, &isnull))
		if (!isnull && rec_dictionary_find(known, id) == REC_NOT_FOUND)
			(void) rec_dictionary_intern(unknown, id);
	array_free_iterator(it);
	add_unknown(catalog, unknown, true, set);
}

/*
 * Fetch and score an item by its id, whether it is excluded or not; return
 * false when neither the model nor the relation of items has it.
 */
bool
rec_item_catalog_score(RecItemCatalog *catalog, Datum id, RecScoredItem *item)
{
	RecItemSet *set = rec_selection_item_set_create(catalog->call->scores);
	RecDict    *excluded = catalog->excluded;
	Datum		array = rec_definition_id_array(catalog->call->model.definition, &id, 1);
	const RecScoredItem *items;
	int			n;

	catalog->excluded = NULL;
	rec_item_catalog_fetch(catalog, DatumGetArrayTypeP(array), set);
	catalog->excluded = excluded;
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
 * Get an item whose id came with its neighbour's row; return false for any
 * other.  Its popularity and trend stay 0: nothing uses them where such ids
 * are kept.
 */
static bool
get_near_item(RecItemCatalog *catalog, uint32 number, RecScoredItem *item)
{
	const RecNearItems *near = catalog->history->near;

	for (int i = 0; near && i < near->n; i++)
	{
		if (near->items[i].item != number)
			continue;
		memset(item, 0, sizeof(*item));
		item->item = number;
		item->ref = rec_item_ids_add(&catalog->ids, catalog->call->model.definition, near->items[i].id);
		check_excluded(catalog, item);
		return true;
	}
	return false;
}

static void
fetch_items(void *arg, const uint32 *items, int n, RecItemSet *set)
{
	RecItemCatalog *catalog = (RecItemCatalog *) arg;
	Datum	   *numbers = palloc_array(Datum, n);
	RecScoredItem *at_hand = palloc_array(RecScoredItem, n);
	RecScoredItem last;
	int			nknown = 0;
	int			nat_hand = 0;

	for (int i = 0; i < n; i++)
		if (get_near_item(catalog, items[i], &at_hand[nat_hand]) ||
			get_new_item(catalog, items[i], &at_hand[nat_hand]))
			nat_hand++;
		else
			numbers[nknown++] = Int32GetDatum((int32) items[i]);
	if (nat_hand > 0 && catalog->call->eligible)
		check_filter(catalog, at_hand, nat_hand);
	for (int i = 0; i < nat_hand; i++)
		rec_selection_item_set_add(set, &at_hand[i]);
	if (nknown > 0)
		(void) add_items(catalog, rec_model_items_begin_numbers(&catalog->call->model, numbers, nknown),
						 nknown, set, &last);
	pfree(at_hand);
	pfree(numbers);
}

/* Where a list of eligible items is added. */
typedef struct ListTarget
{
	RecItemCatalog *catalog;
	RecItemSet *set;
	RecDict    *unknown;		/* ids that the model does not know */
} ListTarget;

/* Add eligible items to a set if the model knows them, and note the others. */
static void
take_eligible(void *arg, const Datum *ids, int n)
{
	ListTarget *target = (ListTarget *) arg;
	RecItemCatalog *catalog = target->catalog;
	const RecServedModel *model = &catalog->call->model;
	RecDict    *known = create_dictionary(catalog);
	RecStoreScan *scan = rec_model_items_begin_ids(model, rec_definition_id_array(model->definition, ids, n));
	RecScoredItem item;

	while (next_item(catalog, scan, &item))
	{
		(void) rec_dictionary_intern(known, catalog->ids.ids[item.ref]);
		rec_selection_item_set_add(target->set, &item);
	}
	rec_model_scan_end(scan);
	for (int i = 0; i < n; i++)
		if (rec_dictionary_find(known, ids[i]) == REC_NOT_FOUND)
			(void) rec_dictionary_intern(target->unknown, ids[i]);
}

/* Add all eligible items to a set. */
static void
list_eligible(RecItemCatalog *catalog, RecItemSet *set)
{
	ListTarget	target = {catalog, set, create_dictionary(catalog)};

	rec_eligible_list(catalog->call->eligible, take_eligible, &target);
	add_unknown(catalog, target.unknown, false, set);
}

static bool
list_items(void *arg, RecComponent component, int level, RecItemSet *set, double *last)
{
	static const uint64 limits[] = {64, REC_LIST_HEAD, PG_UINT64_MAX};
	RecItemCatalog *catalog = (RecItemCatalog *) arg;
	const RecServedModel *model = &catalog->call->model;
	RecEligible *eligible = catalog->call->eligible;
	uint64		limit = limits[Min(level, (int) lengthof(limits) - 1)];
	RecScoredItem item = {0};
	uint64		n;

	if (eligible && (limit == PG_UINT64_MAX || catalog->exhausted))
	{
		list_eligible(catalog, set);
		return true;
	}
	n = add_items(catalog, limit == PG_UINT64_MAX ? rec_model_items_begin(model) :
				  rec_model_items_begin_list(model, component), limit, set, &item);
	*last = component == REC_POPULARITY ? item.popularity :
		component == REC_TREND ? item.trend : 0;
	if (n == limit || eligible == NULL)
		return n < limit;
	/* items unknown to the model are left: of value 0 at least */
	catalog->exhausted = true;
	*last = 0;
	return false;
}

/* Return whether it is better to list all eligible items than to look on. */
static bool
is_sparse(void *arg, int64 missing, int64 next)
{
	RecItemCatalog *catalog = (RecItemCatalog *) arg;
	RecEligible *eligible = catalog->call->eligible;

	return eligible && rec_eligible_are_rare(eligible, missing, next);
}

#define MOST_SPARE	16

/* Return the items as a catalog to select from. */
RecCatalog
rec_item_catalog(RecItemCatalog *catalog)
{
	RecCatalog	made = {fetch_items, list_items, is_sparse, catalog, MOST_SPARE};

	if (catalog->excluded == NULL)
		made.spare = 0;
	else if (catalog->call->eligible == NULL)
		made.spare = (int) Min(rec_dictionary_count(catalog->excluded) - catalog->history->nbarred,
							   MOST_SPARE);
	return made;
}
