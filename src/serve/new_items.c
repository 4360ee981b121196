/*-------------------------------------------------------------------------
 *
 * new_items.c
 *	  Items that came after the last refresh: which they are, and their numbers.
 *
 * With a relation of items, a call looks for the newest items that the model
 * does not know, at most the option new_items.  They are candidates like all
 * others; their numbers follow the model's, the newest one first.  So no more
 * than the end of an index is read for them (newest_item.c).
 *
 * Any other item unknown to the model gets a number when it is first met.  No
 * interaction of a new item is in the model, so it has neither popularity nor
 * trend; its content is all there is to score it by (new_item_content.c).  As
 * their numbers follow the model's, known items precede new ones of equal
 * score.
 *
 * A caller without SELECT on a column of the relation of items that this
 * needs gets the answer that there would be without new items.
 *
 * SPI is connected.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/serve/new_items.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "definition/plan_cache.h"
#include "model/newest_item.h"
#include "pg/relation.h"
#include "pg/spi.h"
#include "serve/model_items.h"
#include "serve/new_items.h"
#include "storage/shmem.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* Begin without any item; "most" of the newest ones will be searched for. */
void
rec_new_items_init(RecNewItems *new_items, MemoryContext mcxt, const RecServedModel *model,
				   int most)
{
	memset(new_items, 0, sizeof(*new_items));
	new_items->mcxt = mcxt;
	new_items->model = model;
	new_items->most = most;
}

/* ----------------
 *		the newest ones
 * ----------------
 */

/* Return whether the caller may read the columns that the search needs. */
static bool
may_search(const RecItemSource *items)
{
	return rec_relation_may_select(items->relid, items->item_column) &&
		(items->available_column == NULL || rec_relation_may_select(items->relid, items->available_column)) &&
		(items->created_column == NULL || rec_relation_may_select(items->relid, items->created_column));
}

/*
 * Run the query for the newest items that may be new, by the time of creation
 * or the number of the newest item of the last refresh; return false if the
 * items have neither:
 *
 *	SELECT i.id FROM items i WHERE i.created >= $1 AND i.created <= $2
 *	AND i.available ORDER BY i.created DESC, i.id LIMIT 306
 *
 *	SELECT i.id FROM items i WHERE i.id > $1 AND i.available ORDER BY i.id DESC LIMIT 306
 */
static bool
select_newest(const RecServedModel *model, int64 limit)
{
	RecDefinition *definition = model->definition;
	const RecItemSource *items = definition->items;
	const char *id = quote_identifier(items->item_column);
	const char *condition = rec_newest_item_condition(items, "$1", "$2", "$1");
	bool		by_time = items->created_column != NULL;
	Oid			types[2] = {by_time ? TIMESTAMPTZOID : INT8OID, TIMESTAMPTZOID};
	Datum		values[2];
	RecQuery	query = {NULL, by_time ? 2 : 1, types, values, NULL};

	if (condition == NULL)
		return false;
	values[0] = by_time ? TimestampTzGetDatum(model->newest_created) : Int64GetDatum(model->newest_item);
	values[1] = TimestampTzGetDatum(by_time ? rec_newest_item_latest(items) : 0);
	query.text = psprintf("SELECT i.%s::%s FROM %s i WHERE %s%s ORDER BY %s LIMIT " INT64_FORMAT,
						  id, rec_relation_type_quoted(definition->item_type),
						  rec_relation_quoted(items->relid), condition,
						  rec_newest_item_and_available(items),
						  by_time ? psprintf("i.%s DESC, i.%s", quote_identifier(items->created_column), id) :
						  psprintf("i.%s DESC", id), limit);
	rec_plan_cache_execute(definition, &query);
	return true;
}

/* Return the distinct ids of the last query, and their number. */
static Datum *
result_ids(RecDict *dict, int *n)
{
	Datum	   *ids = palloc_array(Datum, SPI_processed + 1);

	*n = 0;
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;
		Datum		id = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull);
		uint32		known = rec_dictionary_count(dict);

		if (!isnull && rec_dictionary_intern(dict, id) == known)
			ids[(*n)++] = rec_dictionary_id(dict, known);
	}
	SPI_freetuptable(SPI_tuptable);
	return ids;
}

/* Take the first items unknown to the model from the result of the last query. */
static void
take_newest(RecNewItems *new_items)
{
	const RecServedModel *model = new_items->model;
	int			n;
	Datum	   *ids = result_ids(rec_definition_item_dictionary(model->definition, CurrentMemoryContext), &n);
	bool	   *known = palloc_array(bool, n + 1);

	rec_model_items_known(model, ids, n, known);
	new_items->nnewest = 0;
	for (int i = 0; i < n && new_items->nnewest < new_items->most; i++)
		if (!known[i])
			new_items->newest[new_items->nnewest++] = ids[i];
}

/*
 * Find the newest items unknown to the model.  When known ones are in the way,
 * look farther back.
 */
static void
find_newest(RecNewItems *new_items)
{
	int			most = new_items->most;
	bool		more = most > 0 && may_search(new_items->model->definition->items);

	new_items->newest = palloc_array(Datum, most + 1);
	for (int64 limit = (int64) most + REC_NEWEST_TIES; more; limit *= 8)
	{
		if (!select_newest(new_items->model, limit))
			break;
		more = SPI_processed == (uint64) limit;
		take_newest(new_items);
		more = more && new_items->nnewest < most;
	}
	for (int i = 0; i < new_items->nnewest; i++)
		(void) rec_new_items_number(new_items, new_items->newest[i]);
}

/*
 * Search, once in a call, for the newest items that the model does not know,
 * and give them the numbers that follow the model's, the newest one's first.
 */
void
rec_new_items_search(RecNewItems *new_items)
{
	MemoryContext old = MemoryContextSwitchTo(new_items->mcxt);

	if (!new_items->searched)
	{
		new_items->searched = true;
		find_newest(new_items);
	}
	MemoryContextSwitchTo(old);
}

/* ----------------
 *		numbers
 * ----------------
 */

/* Return the number of an item that the model does not know. */
uint32
rec_new_items_number(RecNewItems *new_items, Datum id)
{
	const RecServedModel *model = new_items->model;

	if (new_items->numbered == NULL)
		new_items->numbered = rec_definition_item_dictionary(model->definition, new_items->mcxt);
	return (uint32) model->nitems + rec_dictionary_intern(new_items->numbered, id);
}

/*
 * Number items that the model does not know, in order of their ids; those that
 * "known", unless it is NULL, marks by their numbers in "ids" are skipped.
 */
void
rec_new_items_number_all(RecNewItems *new_items, RecDict *ids, const bool *known)
{
	uint32		n = rec_dictionary_count(ids);
	uint32	   *ranks = rec_dictionary_ranks(ids, true);
	uint32	   *by_rank = palloc_extended(mul_size(n + 1, sizeof(uint32)), MCXT_ALLOC_HUGE);

	for (uint32 i = 0; i < n; i++)
		by_rank[ranks[i]] = i;
	for (uint32 i = 0; i < n; i++)
		if (known == NULL || !known[by_rank[i]])
			(void) rec_new_items_number(new_items, rec_dictionary_id(ids, by_rank[i]));
	pfree(by_rank);
	pfree(ranks);
}

/*
 * Fill in the new item of a number, as an eligible one, and keep its id;
 * return false when no new item has that number.
 */
bool
rec_new_items_get(RecNewItems *new_items, uint32 number, RecItemIds *ids, RecScoredItem *item)
{
	const RecServedModel *model = new_items->model;
	uint32		count = new_items->numbered ? rec_dictionary_count(new_items->numbered) : 0;

	if (number < model->nitems || number - model->nitems >= count)
		return false;
	memset(item, 0, sizeof(*item));
	item->item = number;
	item->eligible = true;
	item->ref = rec_item_ids_add(ids, model->definition,
								 rec_dictionary_id(new_items->numbered, number - (uint32) model->nitems));
	return true;
}
