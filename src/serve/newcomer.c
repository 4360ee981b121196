/*-------------------------------------------------------------------------
 *
 * newcomer.c
 *	  Items that the relation of items has and the model does not know.
 *
 * Such an item gets a number for the call when it is first met, after those
 * of the model: of equal items the known ones come first.  Nobody has touched
 * it, as far as the model knows, so it has neither popularity nor trend; what
 * it is like is for content to say.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/serve/newcomer.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "serve/item_catalog.h"
#include "serve/newcomer.h"
#include "storage/shmem.h"

/* Gives the number of an item that the model does not know. */
uint32
rec_newcomer_number(RecServe *serve, Datum id)
{
	if (serve->newcomers == NULL)
		serve->newcomers = rec_dictionary_create(serve->definition->item_type,
										   serve->definition->item_collation,
										   serve->memory);
	return (uint32) serve->nitems + rec_dictionary_intern(serve->newcomers, id);
}

/* Fills in the item that has got a number; false when none has. */
bool
rec_newcomer_item(RecServe *serve, uint32 number, RecScoredItem *item)
{
	uint32		count = serve->newcomers ? rec_dictionary_count(serve->newcomers) : 0;
	Datum		id;

	if (number < serve->nitems || number - serve->nitems >= count)
		return false;
	id = rec_dictionary_id(serve->newcomers, number - (uint32) serve->nitems);
	memset(item, 0, sizeof(*item));
	item->item = number;
	item->eligible = rec_dictionary_find(serve->excluded, id) == REC_NOT_FOUND;
	item->ref = rec_serve_keep_id(serve, id);
	return true;
}

/*
 * Gives numbers to items that the model does not know, in order of their ids;
 * those that "known", if it is not NULL, marks by their numbers in "ids", it
 * does know.
 */
void
rec_newcomer_numbers(RecServe *serve, RecDict *ids, const bool *known)
{
	uint32		n = rec_dictionary_count(ids);
	uint32	   *ranks = rec_dictionary_ranks(ids, true);
	uint32	   *by_rank = palloc_extended(mul_size(n + 1, sizeof(uint32)), MCXT_ALLOC_HUGE);

	for (uint32 i = 0; i < n; i++)
		by_rank[ranks[i]] = i;
	for (uint32 i = 0; i < n; i++)
		if (known == NULL || !known[by_rank[i]])
			(void) rec_newcomer_number(serve, rec_dictionary_id(ids, by_rank[i]));
	pfree(by_rank);
	pfree(ranks);
}
