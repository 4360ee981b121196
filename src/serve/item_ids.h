/*-------------------------------------------------------------------------
 *
 * item_ids.h
 *	  Ids of scored items, by reference.
 *
 * Copyright (c) 2026, the recommender developers
 *
 * IDENTIFICATION
 *	  src/serve/item_ids.h
 *
 *-------------------------------------------------------------------------
 */
#ifndef REC_ITEM_IDS_H
#define REC_ITEM_IDS_H

#include "definition/definition.h"

/* The "ref" of a scored item is the place of its id. */
typedef struct RecItemIds
{
	Datum	   *ids;			/* copies, in the memory context of the caller
								 * that added them */
	uint32		n;
	uint32		allocated;
} RecItemIds;

extern uint32 rec_item_ids_add(RecItemIds *ids, const RecDefinition *definition, Datum id);
extern void rec_item_ids_forget(RecItemIds *ids);

#endif							/* REC_ITEM_IDS_H */
