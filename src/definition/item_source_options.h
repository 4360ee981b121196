/*-------------------------------------------------------------------------
 *
 * item_source_options.h
 *	  The options of a relation of items.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/definition/item_source_options.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_ITEM_SOURCE_OPTIONS_H
#define REC_ITEM_SOURCE_OPTIONS_H

#include "definition/item_source.h"
#include "utils/jsonb.h"

extern void rec_item_source_options_set(RecItemSource *items, Jsonb *options);

#endif							/* REC_ITEM_SOURCE_OPTIONS_H */
