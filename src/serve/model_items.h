/*-------------------------------------------------------------------------
 *
 * model_items.h
 *	  Rows of items of the stored model, checked.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/serve/model_items.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_MODEL_ITEMS_H
#define REC_MODEL_ITEMS_H

#include "definition/model_scan.h"
#include "rank/signal.h"
#include "serve/item_ids.h"
#include "serve/served_model.h"

extern RecStoreScan *rec_model_items_begin(const RecServedModel *model);
extern RecStoreScan *rec_model_items_begin_list(const RecServedModel *model, RecComponent order);
extern RecStoreScan *rec_model_items_begin_ids(const RecServedModel *model, Datum ids);
extern RecStoreScan *rec_model_items_begin_numbers(const RecServedModel *model,
												   Datum *numbers, int n);
extern bool rec_model_items_next(const RecServedModel *model, RecStoreScan *scan,
								 RecItemIds *ids, RecScoredItem *item);
extern void rec_model_items_numbers(const RecServedModel *model, const Datum *ids, int n,
									RecDict *items, int32 *numbers);
extern void rec_model_items_known(const RecServedModel *model, const Datum *ids, int n,
								  bool *known);

#endif							/* REC_MODEL_ITEMS_H */
