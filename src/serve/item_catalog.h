/*-------------------------------------------------------------------------
 *
 * item_catalog.h
 *	  The items of the stored model, and those that it does not know yet.
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

#include "definition/model_scan.h"
#include "rank/selection.h"
#include "serve/call.h"

extern uint32 rec_serve_keep_id(RecServe *serve, Datum id);
extern bool rec_serve_next_item(RecServe *serve, RecStoreScan *scan, RecScoredItem *item);
extern RecStoreScan *rec_serve_all_items(RecServe *serve);
extern void rec_serve_item_numbers(RecServe *serve, const Datum *ids, int n, RecDict *items,
								   int32 *numbers);
extern void rec_serve_known(RecServe *serve, const Datum *ids, int n, bool *known);
extern bool rec_serve_score_item(RecServe *serve, Datum id, RecScoredItem *item);
extern void rec_serve_fetch_ids(RecServe *serve, ArrayType *ids, RecItemSet *set);
extern RecCatalog rec_serve_catalog(RecServe *serve);

#endif							/* REC_ITEM_CATALOG_H */
