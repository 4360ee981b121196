/*-------------------------------------------------------------------------
 *
 * item_catalog.h
 *	  The items of the stored model and new ones, to select the best from.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/serve/item_catalog.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_ITEM_CATALOG_H
#define REC_ITEM_CATALOG_H

#include "rank/selection.h"
#include "serve/call_history.h"

typedef struct RecItemCatalog
{
	const RecCall *call;
	const RecCallHistory *history;	/* for what it knows of items */
	RecNewItems *new_items;
	RecNewItemContent *content; /* of these */
	RecDict    *excluded;		/* the call's; NULL when nothing is */
	RecItemIds	ids;			/* of all items that were read */
	bool		exhausted;		/* all of the model's items were listed */
} RecItemCatalog;

extern void rec_item_catalog_init(RecItemCatalog *catalog, const RecCallHistory *history);
extern void rec_item_catalog_fetch(RecItemCatalog *catalog, ArrayType *ids, RecItemSet *set);
extern bool rec_item_catalog_score(RecItemCatalog *catalog, Datum id, RecScoredItem *item);
extern RecCatalog rec_item_catalog(RecItemCatalog *catalog);

#endif							/* REC_ITEM_CATALOG_H */
