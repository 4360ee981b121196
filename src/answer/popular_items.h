/*-------------------------------------------------------------------------
 *
 * popular_items.h
 *	  Popular items.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/answer/popular_items.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_POPULAR_ITEMS_H
#define REC_POPULAR_ITEMS_H

#include "answer/call_arguments.h"
#include "answer/explainer.h"
#include "serve/item_catalog.h"

extern void rec_popular_items_append(RecRows *rows, RecItemCatalog *items, RecExplainer *explainer,
									 int64 k, int first_rank);

#endif							/* REC_POPULAR_ITEMS_H */
