/*-------------------------------------------------------------------------
 *
 * new_items.h
 *	  Items that came after the last refresh: which they are, and their numbers.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/serve/new_items.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_NEW_ITEMS_H
#define REC_NEW_ITEMS_H

#include "rank/signal.h"
#include "serve/item_ids.h"
#include "serve/served_model.h"

typedef struct RecNewItems
{
	MemoryContext mcxt;			/* of all that is kept here */
	const RecServedModel *model;
	int			most;			/* of the newest ones: option new_items */
	RecDict    *numbered;		/* ids, by number less the model's nitems; NULL
								 * until needed */
	bool		searched;		/* for the newest ones */
	int			nnewest;		/* ... which have the first numbers */
	Datum	   *newest;			/* their ids */
} RecNewItems;

extern void rec_new_items_init(RecNewItems *new_items, MemoryContext mcxt,
							   const RecServedModel *model, int most);
extern void rec_new_items_search(RecNewItems *new_items);
extern uint32 rec_new_items_number(RecNewItems *new_items, Datum id);
extern void rec_new_items_number_all(RecNewItems *new_items, RecDict *ids, const bool *known);
extern bool rec_new_items_get(RecNewItems *new_items, uint32 number, RecItemIds *ids,
							  RecScoredItem *item);

#endif							/* REC_NEW_ITEMS_H */
